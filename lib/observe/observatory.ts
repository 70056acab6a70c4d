import type { ObservatoryFactory, Report } from '../web/observer.ts'
import { logObserver } from '../websock/observer.ts'
import { rEvent } from '../websock/log.ts'
import type { Socket } from '../websock/socket.ts'
import { Closes, toRecord } from './closes.ts'
import { Metrics } from './metrics.ts'
import { logAsJson } from './sink.ts'

/** Refusals that say nothing of what was asked for, and come in floods: metrics count them, the log does without. */
const IN_FLOODS: ReadonlySet<string> = new Set(['stopping', 'connections', 'address', 'rate'])

const text = (status: number, line: string): Report => ({
  status,
  type: 'text/plain; charset=utf-8',
  text: `${line}\n`,
})

/** Log, metrics and pages of one host. */
export const createObservatory: ObservatoryFactory = (host, settings) => {
  if (settings.log === 'json') logAsJson()
  const closes = new Closes()
  const ids = new WeakMap<Socket, number>()
  let opens = 0
  const metrics = new Metrics(host)
  const pages: Readonly<Record<string, () => Promise<Report> | Report>> = {
    '/metrics': async () => ({ status: 200, type: metrics.type, text: await metrics.read() }),
    '/healthz': () => text(200, 'ok'),
    '/readyz': () => (host.ready ? text(200, 'ready') : text(503, 'not ready')),
    '/debug/closes': () => ({ status: 200, type: 'application/json', text: JSON.stringify(closes.list()) }),
  }
  return {
    observer: {
      ...logObserver,
      opened(ws, path) {
        ids.set(ws, ++opens)
        metrics.opened(ws)
        if (!settings.connections) return
        rEvent('conn', 'open', { id: opens, remote: ws.remoteAddress, route: ws.context.route, path })
      },
      ended(ws) {
        const record = toRecord(ws, ids.get(ws) ?? 0)
        closes.add(record)
        metrics.ended(ws)
        if (!settings.connections) return
        rEvent('conn', 'close', { ...record })
      },
      refused({ method, target, remoteAddress }, reason, status) {
        metrics.refused(reason)
        if (!settings.connections || IN_FLOODS.has(reason)) return
        const [path] = target.split('?', 1)
        rEvent('conn', 'refused', { remote: remoteAddress, method, path, status, reason })
      },
      dropped: (ws) => metrics.dropped(ws),
    },
    report: async (path) => (Object.hasOwn(pages, path) ? ((await pages[path]?.()) ?? null) : null),
  }
}
