import type { ObservatoryFactory, Snapshot } from '../web/observer.ts'
import { logObserver } from '../websock/observer.ts'
import { rEvent } from '../websock/log.ts'
import { Closes, toRecord } from './closes.ts'
import { Metrics } from './metrics.ts'
import { toReport } from './report.ts'
import { logAsJson } from './sink.ts'

/** Refusals that say nothing of what was asked for, and come in floods: metrics count them, the log does without. */
const IN_FLOODS: ReadonlySet<string> = new Set(['stopping', 'connections', 'address', 'rate'])

/** Characters of a path that the log has. */
const MOST_OF_PATH = 200
const shorten = (path: string): string => (path.length > MOST_OF_PATH ? `${path.slice(0, MOST_OF_PATH)}…` : path)

/** Log, metrics and pages of one host. */
export const createObservatory: ObservatoryFactory = (host, settings) => {
  if (settings.log === 'json') logAsJson()
  const closes = new Closes()
  let opens = 0
  const metrics = new Metrics(host)
  const snapshot = async (): Promise<Snapshot> => ({
    ready: host.ready,
    metrics: await metrics.toJson(),
    closes: closes.list(),
  })
  return {
    observer: {
      ...logObserver,
      opened(ws, path) {
        ws.id = ++opens
        metrics.opened(ws)
        if (!settings.connections) return
        rEvent('conn', 'open', { id: opens, remote: ws.remoteAddress, route: ws.context.route, path: shorten(path) })
      },
      ended(ws) {
        const record = toRecord(ws)
        closes.add(record)
        metrics.ended(ws)
        if (!settings.connections) return
        rEvent('conn', 'close', { ...record })
      },
      refused(exchange, reason, status) {
        metrics.refused(reason)
        if (!settings.connections || IN_FLOODS.has(reason)) return
        const { method, target } = exchange
        const [path = ''] = target.split('?', 1)
        rEvent('conn', 'refused', { remote: host.addressOf(exchange), method, path: shorten(path), status, reason })
      },
      dropped: (ws) => metrics.dropped(ws),
    },
    snapshot,
    report: (path) => toReport(path, async () => [await snapshot()]),
  }
}
