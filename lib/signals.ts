import { closeSync, openSync } from 'node:fs'

/** Milliseconds in which a terminal and what has started us may pass on the same Ctrl-C. */
const SAME_SIGNAL = 200

/** What signals ask of a server. */
export interface Life {
  /** Resolves when it is over. */
  stop(): Promise<void>
  /** There is no time for that. */
  kill?(): void
  reload(): Promise<void>
}

/** SIGINT and SIGTERM stop, the second one at once; SIGHUP reads the config again, unless it is the end of our terminal. */
export function followSignals(life: Life): void {
  let stopping = 0
  const onStop = (): void => {
    const now = performance.now()
    if (stopping !== 0) {
      if (now - stopping <= SAME_SIGNAL) return
      life.kill?.()
      process.exit(1)
    }
    stopping = now
    void life.stop().then(() => process.exit(0))
  }
  const hadTerminal = hasTerminal()
  process.on('SIGINT', onStop)
  process.on('SIGTERM', onStop)
  process.on('SIGHUP', () => {
    if (hadTerminal && !hasTerminal()) onStop()
    else void life.reload()
  })
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
