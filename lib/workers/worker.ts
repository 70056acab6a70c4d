import cluster from 'node:cluster'
import type { Settings } from '../web/config/settings.ts'
import type { Host } from '../web/host.ts'
import { describe } from '../web/listening.ts'
import { type FromPrimary, type FromWorker, isFromPrimary, MOST_WAITING, sizeOf } from './messages.ts'

/** Where the primary says which ports it has found, in the order of the listeners. */
export const PORTS = 'FIBERWS_WORKER_PORTS'

/** The part of one worker in the settings of all. */
export function toShare(settings: Settings): Settings {
  const ports = (process.env[PORTS] ?? '').split(',').map(Number)
  return {
    ...settings,
    endpoints: settings.endpoints.map((endpoint, i) => ({ ...endpoint, port: endpoint.port || (ports[i] ?? 0) })),
    server: { ...settings.server, sharesPorts: true },
    drainRate: settings.drainRate / settings.workers,
    // The primary answers for all.
    observe: { ...settings.observe, endpoint: null },
  }
}

// A primary that has gone is noticed by 'disconnect'.
const tell = (message: FromWorker, sent: () => void = () => {}): void =>
  void (process.connected ? process.send?.(message, undefined, undefined, sent) : sent())

/** Serves as one of several processes, for as long as the primary wants. */
export async function work(host: Host, load: () => Settings): Promise<void> {
  let waiting = 0
  host.relay = (topic, data, binary) => {
    const size = sizeOf({ data })
    if (waiting > MOST_WAITING) return false
    waiting += size
    tell({ kind: 'publish', topic, data, binary }, () => {
      waiting -= size
    })
    return true
  }
  const stop = (): void => void host.stop().then(() => process.exit(0))
  const follow = (message: FromPrimary): void => {
    if (message.kind === 'publish') host.topics?.deliver(message.topic, message.data, message.binary)
    else if (message.kind === 'stop') stop()
    else if (message.kind === 'reload') void reload(host, load).then((error) => tell({ kind: 'reloaded', error }))
    else void host.snapshot().then((snapshot) => tell({ kind: 'snapshot', snapshot }))
  }
  process.on('message', (message: unknown) => {
    if (isFromPrimary(message)) follow(message)
  })
  // Signals are the primary's affair; a terminal, or a service manager, sends them to all.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.prependListener('disconnect', () => {
    // Else node ends the process at once, without a word to the peers.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
    stop()
  })
  if ((await host.start()) !== 0) {
    tell({ kind: 'failed', error: host.error ?? 'Cannot start' }, () => process.exit(1))
    return
  }
  const engine = `${host.engine?.name} engine ${host.engine?.version}`
  tell({ kind: 'started', engine, listening: host.listening.map(({ url, port }) => ({ url, port })) })
}

async function reload(host: Host, load: () => Settings): Promise<string | null> {
  try {
    return (await host.reload(toShare(load()))) === 0 ? null : host.error
  } catch (error) {
    return describe(error)
  }
}
