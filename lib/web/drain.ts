import type { Clock } from '../engine/port.ts'
import { dismiss } from '../websock/close.ts'
import { WS_STATUS_GOING_AWAY } from '../websock/constants.ts'
import { isClosing, type Socket } from '../websock/socket.ts'

/** Milliseconds between two handfuls. */
const PACE = 10

/**
 * Tells connections to leave with Close 1001, so many a second: whoever serves them next is not met by all at once. Resolves
 * when all have been told, or have gone.
 *
 * @param which asked again for each handful, for some come late
 * @param rate a second; Infinity: all at once
 * @param why for the log
 */
export function dismissAll(which: () => Iterable<Socket>, rate: number, why: string, clock: Clock): Promise<void> {
  const handful = (rate * PACE) / 1000
  let due = Math.max(1, handful)
  /** False when there was nobody left. */
  const tell = (): boolean => {
    for (const ws of which()) {
      if (isClosing(ws)) continue
      if (due < 1) return true
      due--
      dismiss(ws, WS_STATUS_GOING_AWAY, why)
    }
    return false
  }
  return new Promise((resolve) => {
    const go = (): void => {
      // Whoever waits for this may have nothing else that keeps the process.
      if (tell()) clock.after(PACE, next, true)
      else resolve()
    }
    const next = (): void => {
      // What a stall has held up is not made up for.
      due = Math.min(due + handful, handful + 1)
      go()
    }
    go()
  })
}
