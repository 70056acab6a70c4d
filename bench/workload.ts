import type { Kind, ServerName } from './servers/index.ts'
import type { WorldSize } from './servers/world.ts'

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
  /** Of a gateway: each is of a member of it, and waits for its READY. */
  readonly world?: WorldSize
}

/** Messages that are posted to a channel over HTTP, all clients in step; each is delivered to all members. */
export interface PostsLoad {
  readonly kind: 'posts'
  /** WebSockets that hear what is posted, each of an account of its own; 0: it is posted only. */
  readonly members: number
  /** HTTP connections, with a post in flight on each: a server may close one that has a second behind it. */
  readonly clients: number
  readonly world: WorldSize
}

/** Requests for a file on connections that stay, each behind the answer to the last. */
export interface FilesLoad {
  readonly kind: 'files'
  readonly connections: number
  readonly path: string
  /** Bytes of the file. */
  readonly size: number
}

/** Answers of an agent, which says each piece by piece, on all connections at the same time. */
export interface StreamLoad {
  readonly kind: 'stream'
  readonly connections: number
  /** Pieces of an answer. */
  readonly deltas: number
  /** Milliseconds from one to the next; 0: as fast as they can be said, and asked for again at their end. */
  readonly every: number
}

/** Bots that ask for members of a group, all in step. */
export interface CallsLoad {
  readonly kind: 'calls'
  readonly connections: number
  /** Calls that a connection writes at once. */
  readonly inFlight: number
}

/** Idle connections: how much each takes, between `few` and `many` of them. */
export interface IdleLoad {
  readonly kind: 'idle'
  readonly few: number
  readonly many: number
  /** Of a gateway: each is of a member of it. */
  readonly world?: WorldSize
}

/** What keeps a server busy. */
export type BusyLoad = LockstepLoad | PacedLoad | ConnectLoad | FilesLoad | PostsLoad | StreamLoad | CallsLoad

/** The kind of servers that a load is for. */
export function kindFor(load: BusyLoad | IdleLoad): Kind {
  if (load.kind === 'files') return 'files'
  if (load.kind === 'stream') return 'agent'
  if (load.kind === 'calls') return 'bots'
  return worldOf(load) === null ? 'sockets' : 'gateway'
}

/** What the world of a gateway has to have for a load; null where there is none. */
export const worldOf = (load: BusyLoad | IdleLoad): WorldSize | null => ('world' in load ? (load.world ?? null) : null)

/** The greatest ratio that is good enough, by server. */
export type Bars = Partial<Record<ServerName, number>>

/** One workload, in a file of its own. */
export interface Workload {
  /** What comes out, for the head of a table. */
  readonly title: string
  /** Against raw uWebSockets.js in the same mode; of an idle load bytes above it. */
  readonly toRaw: Bars
  /** Against the package that servers of its kind are measured with: `ws`, of files `sirv`, of agents a channel in Python, of bots a server of NapCat's shape. */
  readonly toPeer: Bars
  /** The greatest figure that is good enough, whatever others need. */
  readonly atMost?: Bars
  /** Servers that have something to say here; all of its kind where it is left out. */
  readonly servers?: readonly ServerName[]
  readonly load: BusyLoad | IdleLoad
}
