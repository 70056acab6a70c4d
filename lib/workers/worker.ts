import cluster from 'node:cluster'
import type { Settings } from '../web/config/settings.ts'
import type { Host } from '../web/host.ts'
import type { Relay } from '../websock/topics.ts'
import { type FromPrimary, type FromWorker, isFromPrimary, MOST_WAITING, sizeOf } from './messages.ts'

// A primary that has gone is noticed by 'disconnect'.
const tell = (message: FromWorker, sent: () => void = () => {}): void =>
  void (process.connected ? process.send?.(message, undefined, undefined, sent) : sent())

/** Serves as one of several processes, for as long as the primary wants. */
export function work(createHost: (settings: Settings) => Host): void {
  let host: Host | null = null
  const { relay, taken } = createRelay()
  const stop = (): void => void (host?.stop() ?? Promise.resolve()).then(() => process.exit(0))
  const follow = async (message: FromPrimary): Promise<void> => {
    switch (message.kind) {
      case 'start':
        host = createHost(message.settings)
        host.relay = relay
        return start(host)
      case 'reload':
        return tell({ kind: 'reloaded', error: host === null ? null : await reload(host, message.settings) })
      case 'publish':
        return void host?.topics?.deliver(message.topic, message.data, message.binary)
      case 'taken':
        return taken(message.bytes)
      case 'ask':
        if (host !== null) tell({ kind: 'snapshot', snapshot: await host.snapshot() })
        return
      case 'stop':
        return stop()
    }
  }
  process.on('message', (message: unknown) => {
    if (isFromPrimary(message)) void follow(message)
  })
  // Signals are the primary's affair; a terminal, or a service manager, sends them to all.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.prependListener('disconnect', () => {
    // Else node ends the process at once, without a word to the peers.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
    stop()
  })
  tell({ kind: 'hello' })
}

/** Publishes go to the primary, which sends them to all: so all have them in one order. */
function createRelay(): { readonly relay: Relay; readonly taken: (bytes: number) => void } {
  let waiting = 0
  return {
    relay: (topic, data, binary) => {
      if (waiting > MOST_WAITING) return false
      waiting += sizeOf({ data })
      tell({ kind: 'publish', topic, data, binary })
      return true
    },
    taken: (bytes) => {
      waiting -= bytes
    },
  }
}

async function start(host: Host): Promise<void> {
  if ((await host.start()) !== 0) {
    return tell({ kind: 'failed', error: host.error ?? 'Cannot start' }, () => process.exit(1))
  }
  const engine = `${host.engine?.name} engine ${host.engine?.version}`
  tell({
    kind: 'started',
    engine,
    listening: host.listening.map(({ url, port, endpoint: { name, host: address } }) => ({
      url,
      port,
      endpoint: { name, host: address },
    })),
  })
}

const reload = async (host: Host, settings: Settings): Promise<string | null> =>
  (await host.reload(settings)) === 0 ? null : host.error
