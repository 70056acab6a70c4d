import type { ServerName } from './servers/index.ts'

/** Messages on connections. */
export interface MessageLoad {
  readonly connections: number
  /** Messages that a sender writes at once. */
  readonly inFlight: number
  /** Bytes of a message. */
  readonly size: number
  /** Echo: each connection sends, and gets its own back. Fan: the first one sends, all get it. */
  readonly path: '/echo' | '/fan'
}

/** Idle connections: how much each takes, between `few` and `many` of them. */
export interface IdleLoad {
  readonly few: number
  readonly many: number
}

/** The greatest ratio that is good enough, by server. */
export type Bars = Partial<Record<ServerName, number>>

/** One workload, in a file of its own. */
export type Workload = {
  /** What comes out, for the head of a table. */
  readonly title: string
  /** Against raw uWebSockets.js in the same mode; for memory bytes above it. */
  readonly toRaw: Bars
  readonly toWs: Bars
} & ({ readonly kind: 'messages'; readonly load: MessageLoad } | { readonly kind: 'memory'; readonly load: IdleLoad })
