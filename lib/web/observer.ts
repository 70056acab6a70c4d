import type { Exchange } from '../engine/port.ts'
import type { Observer } from '../websock/context.ts'
import type { Socket } from '../websock/socket.ts'
import type { Topics } from '../websock/topics.ts'
import type { Refusal } from './admission.ts'
import type { ObserveSettings } from './config/settings.ts'

/** Told of what happens in a host; must not throw. */
export interface WebObserver extends Observer {
  /** A connection is there; its callback has not heard of it. */
  opened(ws: Socket, path: string): void
  /** A request was not let in. */
  refused(exchange: Exchange, refusal: Refusal, status: number): void
}

/** Something that a handler counts. */
export interface Meter {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  /** Its values now. */
  read(): readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** What can be asked of a host at any time. */
export interface Observed {
  /** It takes connections. */
  readonly ready: boolean
  /** The address of the client who sends a request. */
  addressOf(exchange: Exchange): string
  /** Connections that have not ended. */
  readonly sockets: ReadonlySet<Socket>
  readonly engine: { readonly name: string } | null
  /** Where publishes go; null where it does not run. */
  readonly topics: Topics | null
  /** What handlers count. */
  readonly meters: ReadonlySet<Meter>
  /** What waits for peers and callbacks, and who was closed for it. */
  readonly pressure: { readonly bytes: number; readonly evicted: number } | null
}

/** A page about a host. */
export interface Report {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** Who can be asked at paths such as '/metrics'. */
export interface Reporter {
  /** Null where there is nothing. */
  report(path: string): Promise<Report | null>
}

/** What there is to know about one process, as data that can be sent to another. */
export interface Snapshot {
  readonly ready: boolean
  /** As prom-client has it. */
  readonly metrics: readonly object[]
  /** The newest first. */
  readonly closes: readonly { readonly time: string }[]
}

/** What tells about a host: it is told what happens. */
export interface Observatory extends Reporter {
  readonly observer: WebObserver
  snapshot(): Promise<Snapshot>
}

/** Makes one for each host. */
export type ObservatoryFactory = (host: Observed, settings: ObserveSettings) => Observatory
