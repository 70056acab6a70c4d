import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Meter, Observed } from '../web/observer.ts'
import { webSocketFlush } from '../websock/send.ts'
import type { Socket, Traffic } from '../websock/socket.ts'

/** What is made of several looks at the event loop. */
const LAGS = /^nodejs_eventloop_lag_(?!seconds$)/

/** Milliseconds between two publishes that are watched. */
const SAMPLE = 50

/** Of peers' own codes there are thousands: each would be a time series of its own. */
const toCodeLabel = (code: number): string => (code < 3000 ? String(code) : code < 4000 ? '3xxx' : '4xxx')

/** What Prometheus is told of a host. Sums are made when it asks: messages cost nothing more. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #opens: Counter
  readonly #closes: Counter
  readonly #refusals: Counter
  readonly #drops: Counter
  readonly #drain: Histogram
  readonly #ended: Traffic = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 }
  readonly #host: Observed
  /** Somebody has asked. */
  #read = false
  /** When a publish was watched last. */
  #watched = 0
  #walk: Iterator<Socket, undefined> | null = null

  constructor(host: Observed) {
    this.#host = host
    const registers = [this.#registry]
    this.#opens = new Counter({
      name: 'fiberws_opens_total',
      help: 'WebSockets opened',
      labelNames: ['route'],
      registers,
    })
    this.#closes = new Counter({
      name: 'fiberws_closes_total',
      help: 'WebSockets ended, by who ended them and the status code',
      labelNames: ['route', 'initiator', 'code'],
      registers,
    })
    this.#refusals = new Counter({
      name: 'fiberws_refusals_total',
      help: 'Requests that were not let in, by the reason',
      labelNames: ['reason'],
      registers,
    })
    this.#drops = new Counter({
      name: 'fiberws_drops_total',
      help: 'Published messages that a slow peer was not sent (backpressure: drop-new)',
      labelNames: ['route'],
      registers,
    })
    this.#drain = new Histogram({
      name: 'fiberws_publish_drain_seconds',
      help: 'From a publish until the kernel has taken all that waits for one of its receivers; a sample each 50 ms at most',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    })
    this.#gauge()
    this.#count()
  }

  /** As data. What costs something while nobody asks begins with the first time. */
  async toJson(): Promise<object[]> {
    if (!this.#read) collectDefaultMetrics({ register: this.#registry })
    this.#read = true
    const { topics } = this.#host
    if (topics !== null) topics.onPublish ??= () => this.#watch()
    const metrics = [...(await this.#registry.getMetricsAsJSON()), ...[...this.#host.meters].map(toMetric)]
    const mean = metrics.find(({ name }) => name === 'nodejs_eventloop_lag_mean_seconds')
    // Where nothing was measured since somebody asked last, these are no numbers.
    return Number.isNaN(mean?.values[0]?.value) ? metrics.filter(({ name }) => !LAGS.test(name)) : metrics
  }

  opened(ws: Socket): void {
    this.#opens.inc({ route: ws.context.route })
  }

  ended(ws: Socket): void {
    const { context, ending } = ws
    const { initiator = 'network', code = 0 } = ending?.cause ?? {}
    this.#closes.inc({ route: context.route, initiator, code: toCodeLabel(code) })
    add(this.#ended, ws)
  }

  refused(reason: string): void {
    this.#refusals.inc({ reason })
  }

  dropped(ws: Socket): void {
    this.#drops.inc({ route: ws.context.route })
  }

  #gauge(): void {
    const host = this.#host
    const registers = [this.#registry]
    const connections: Gauge = new Gauge({
      name: 'fiberws_connections',
      help: 'WebSockets that are open',
      labelNames: ['route'],
      registers,
      collect: () => {
        connections.reset()
        for (const ws of host.sockets) connections.inc({ route: ws.context.route })
      },
    })
    const queued: Gauge = new Gauge({
      name: 'fiberws_queued_bytes',
      help: 'Bytes that wait in this process for peers and callbacks',
      registers,
      collect: () => queued.set(host.pressure?.bytes ?? 0),
    })
    const evictions: Gauge = new Gauge({
      name: 'fiberws_evictions',
      help: 'WebSockets closed because too much waited for all of them together',
      registers,
      collect: () => evictions.set(host.pressure?.evicted ?? 0),
    })
  }

  #count(): void {
    const host = this.#host
    const registers = [this.#registry]
    const sum = (): Traffic => {
      const totals = { ...this.#ended }
      for (const ws of host.sockets) add(totals, ws)
      return totals
    }
    for (const what of ['messages', 'bytes'] as const) {
      const counter: Counter = new Counter({
        name: `fiberws_${what}_total`,
        help: `${what === 'bytes' ? 'Bytes of messages' : 'Messages'}: in, out, and published (once for each receiver)`,
        labelNames: ['direction'],
        registers,
        collect: () => {
          const totals = sum()
          counter.reset()
          counter.inc({ direction: 'in' }, totals[`${what}In`])
          counter.inc({ direction: 'out' }, totals[`${what}Out`])
          counter.inc({ direction: 'published' }, host.topics?.[what] ?? 0)
        },
      })
    }
  }

  /** Watches what becomes of a publish, at one of its receivers. */
  #watch(): void {
    const start = performance.now()
    if (start - this.#watched < SAMPLE) return
    this.#watched = start
    const ws = this.#pick()
    if (ws === null) return
    // The engines send what was published when they have done what else came in this turn.
    setImmediate(() => {
      void webSocketFlush(ws).then(() => this.#drain.observe((performance.now() - start) / 1000))
    })
  }

  /** A subscriber, another one each time. */
  #pick(): Socket | null {
    const { sockets } = this.#host
    for (let left = sockets.size; left >= 0; left--) {
      this.#walk ??= sockets.values()
      const next = this.#walk.next()
      if (next.done === true) this.#walk = null
      else if (next.value.outgoing?.subscribed === true) return next.value
    }
    return null
  }
}

/** As prom-client has its own; those of several processes are added up. */
const toMetric = (meter: Meter) => ({
  name: meter.name,
  help: meter.help,
  type: meter.type,
  values: meter.read(),
  aggregator: 'sum',
})

function add(totals: Traffic, ws: Traffic): void {
  totals.messagesIn += ws.messagesIn
  totals.bytesIn += ws.bytesIn
  totals.messagesOut += ws.messagesOut
  totals.bytesOut += ws.bytesOut
}
