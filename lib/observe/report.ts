import { AggregatorRegistry, Registry } from 'prom-client'
import type { Report, Snapshot } from '../web/observer.ts'
import { MOST_CLOSES } from './closes.ts'

const text = (status: number, line: string): Report => ({
  status,
  type: 'text/plain; charset=utf-8',
  text: `${line}\n`,
})

/** What is known of one process, or of several. */
type Ask = () => Promise<readonly Snapshot[]>

/** Pages by their paths. */
const PAGES: Readonly<Record<string, (ask: Ask) => Promise<Report> | Report>> = {
  '/metrics': async (ask) => ({
    status: 200,
    type: Registry.PROMETHEUS_CONTENT_TYPE,
    text: await sum((await ask()).map(({ metrics }) => metrics)).metrics(),
  }),
  // Whoever answers this lives.
  '/healthz': () => text(200, 'ok'),
  // One that serves is enough: who comes is not sent to the others.
  '/readyz': async (ask) => ((await ask()).some(({ ready }) => ready) ? text(200, 'ready') : text(503, 'not ready')),
  '/debug/closes': async (ask) => ({
    status: 200,
    type: 'application/json',
    text: JSON.stringify(
      (await ask())
        .flatMap(({ closes }) => closes)
        .toSorted((a, b) => (a.time < b.time ? 1 : -1))
        .slice(0, MOST_CLOSES),
    ),
  }),
}

/** Metrics of several processes as those of one. */
const sum = (of: readonly (readonly object[])[]): Registry =>
  AggregatorRegistry.aggregate(of.map((metrics) => [...metrics]))

export const sumMetrics = (of: readonly (readonly object[])[]): Promise<object[]> => sum(of).getMetricsAsJSON()

/** A page; null where there is none. */
export async function toReport(path: string, ask: Ask): Promise<Report | null> {
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined
  return page === undefined ? null : page(ask)
}
