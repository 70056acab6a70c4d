import type { ServerName } from './servers/index.ts'

/** Messages on connections, as many as there can be: all senders write, and write again when everything is answered. */
export interface LockstepLoad {
  readonly kind: 'lockstep'
  readonly connections: number
  /** Messages that a sender writes at once. */
  readonly inFlight: number
  /** Bytes of a message. */
  readonly size: number
  /** Echo: each connection sends, and gets its own back. Fan: the first one sends, all get it. */
  readonly path: '/echo' | '/fan'
}

/** Messages that are due at times of their own, whether the server keeps up or not: how long does each take? */
export interface PacedLoad {
  readonly kind: 'paced'
  readonly connections: number
  /** Messages a second, over all connections in turn. */
  readonly rate: number
  /** Bytes of a message. */
  readonly size: number
}

/** Connections that are opened, upgraded and reset, `parallel` at a time. */
export interface ConnectLoad {
  readonly kind: 'connect'
  readonly parallel: number
}

/** Requests for a file on connections that stay, each behind the answer to the last. */
export interface FilesLoad {
  readonly kind: 'files'
  readonly connections: number
  readonly path: string
  /** Bytes of the file. */
  readonly size: number
}

/** Idle connections: how much each takes, between `few` and `many` of them. */
export interface IdleLoad {
  readonly kind: 'idle'
  readonly few: number
  readonly many: number
}

/** What keeps a server busy. */
export type BusyLoad = LockstepLoad | PacedLoad | ConnectLoad | FilesLoad

/** The greatest ratio that is good enough, by server. */
export type Bars = Partial<Record<ServerName, number>>

/** One workload, in a file of its own. */
export interface Workload {
  /** What comes out, for the head of a table. */
  readonly title: string
  /** Against raw uWebSockets.js in the same mode; of an idle load bytes above it. */
  readonly toRaw: Bars
  /** Against the package that servers of its kind are measured with: `ws`, of files `sirv`. */
  readonly toPeer: Bars
  readonly load: BusyLoad | IdleLoad
}
