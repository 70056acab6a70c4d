import type { WebSocket, WebSocketProc } from '../../include-types/websock.ts'
import type { Transport } from '../engine/port.ts'
import { WS_STATE_CONNECTING, WS_STATUS_NO_STATUS } from './constants.ts'
import type { Context } from './context.ts'
import type { Incoming } from './incoming.ts'
import type { Given, Limits } from './limits.ts'
import type { Payload } from './payload.ts'
import type { EventQueue } from './queue.ts'
import { TICK } from './wheel.ts'

/** Milliseconds for the peer to answer a Close, and for TCP to end after the answer. */
const LINGER = 5000
/** What the peer has to read of what was sent before to have as long again: 1 KB a second. */
const LINGER_PRESSURE = 5120

/** Who began the end of a connection. */
export type Initiator = 'us' | 'peer' | 'network' | 'timeout'

/** Why a connection ends, for people: what log and metrics say. */
export interface Cause {
  readonly initiator: Initiator
  /** The status that was sent first, or would have been; 1006 where TCP ended. */
  readonly code: number
  readonly reason: string
}

/** A connection that goes. */
export interface Closing {
  /** When it is dropped, in milliseconds of the wheel. */
  readonly by: number
  /** The transport's `pressure` at the time. */
  readonly pressure: number
  readonly cause: Cause
}

/** A message that is being sent in parts (`WS_MSG_MORE`). */
export interface MoreSequence {
  /** Payload bytes accepted so far. */
  bytes: number
  /** Parts kept back until the last one, on connections with subscriptions; else null. */
  readonly held: { payload: Payload; opcode: 0 | 1 | 2 }[] | null
}

/** What most connections that only send whole messages do without. */
export class Outgoing {
  /** A message that is being sent in parts. */
  more: MoreSequence | null = null
  /** It has joined a topic. */
  subscribed = false
  /** Nothing is read from the peer until it has read what was sent. */
  holds = false
  /** A Pong has to come by then, in milliseconds of the wheel; 0: none is waited for. */
  pongBy = 0
  /** Hears of Pongs: what they say is good during the call. */
  onPong: ((payload: Buffer) => void) | null = null
  /** Calls of `webSocketFlush`. */
  flushes: ((result: number) => void)[] | null = null
}

/** How messages are delivered. Shared: there are eight. */
export interface Mode {
  /** Text as bytes. */
  readonly raw: boolean
  /** Bytes of the engine, not a copy. */
  readonly view: boolean
  /** In parts. */
  readonly partial: boolean
}

const modes: readonly Mode[] = Array.from({ length: 8 }, (_, i) => ({
  raw: (i & 1) !== 0,
  view: (i & 2) !== 0,
  partial: (i & 4) !== 0,
}))

export const toMode = (raw: boolean, view: boolean, partial: boolean): Mode =>
  modes[(raw ? 1 : 0) + (view ? 2 : 0) + (partial ? 4 : 0)]!

/** How a connection ended. */
export interface Ending {
  /** What `webSocketRun` returns, negated. */
  readonly error: number
  /** For `webSocketGetCloseStatus`. */
  readonly status: number
  /** The peer's reason; null if it gave none. */
  readonly reason: string | null
  readonly orderly: boolean
  readonly cause: Cause
  /** When that was, in milliseconds of the wheel. */
  readonly at: number
  /** Bytes that the peer had not read, without our Close. */
  readonly buffered: number
}

/** What a connection has carried: payloads, without what was published to it. */
export interface Traffic {
  messagesIn: number
  bytesIn: number
  messagesOut: number
  bytesOut: number
}

/**
 * The state of one connection. Plain data: `receive` writes what comes in, `run` delivers it, `send` and `close` write
 * out. Memory per idle connection is a figure we keep: what most of them never need is null until it is used, and what
 * belongs together then comes as one object.
 */
export class Socket implements WebSocket, Traffic {
  // What every message needs comes first, and is close together in memory.
  readonly context: Context
  /** Null once TCP is gone, and where it never was. */
  transport: Transport | null
  /** Set when it is settled how the connection ended: ERROR and CLOSE are delivered or in the queue. */
  ending: Ending | null = null
  proc: WebSocketProc | null = null
  arg: unknown = undefined
  /** A callback runs or is pending. */
  busy = false
  queue: EventQueue | null = null
  /** How what comes in is delivered. */
  mode: Mode
  limits: Limits
  /** Those that are its own; null: all are its route's. */
  ownLimits: Partial<Given> | null = null
  state: number = WS_STATE_CONNECTING
  type = 0
  fin = false
  messageLength = 0
  /** The message that is coming in, where it comes in more than one piece. */
  incoming: Incoming | null = null
  /** Bytes of its current frame still to come. */
  announced = 0
  /** What sending has to remember. */
  outgoing: Outgoing | null = null
  closing: Closing | null = null
  messagesIn = 0
  bytesIn = 0
  messagesOut = 0
  bytesOut = 0
  /** Milliseconds of the wheel, here and below; 0: none. */
  lastActive = 0

  pingAt = 0
  dueTick = 0
  readonly openedAt: number
  /** For the log, which counts those of its host. */
  id = 0
  readonly client: boolean
  readonly remoteAddress: string
  parent: unknown = null
  data: unknown = undefined
  protocol: string | null = null
  clientKey: string | null = null
  errorMessage: string | null = null
  /** What `webSocketRun` resolves with, who has to be told when that is known, or null. */
  result: number | ((value: number) => void) | null = null

  constructor(transport: Transport | null, context: Context, remoteAddress: string, client: boolean) {
    this.client = client
    this.context = context
    this.transport = transport
    this.remoteAddress = remoteAddress
    this.limits = context.limits
    this.openedAt = context.wheel.touch()
    this.mode = toMode(false, false, context.defaults.partial)
  }

  get topics(): WebSocket['topics'] {
    return this.context.topics
  }

  get ended(): boolean {
    return this.ending !== null
  }

  get error(): number {
    return this.ending?.error ?? 0
  }

  get closeStatus(): number {
    return this.ending?.status ?? WS_STATUS_NO_STATUS
  }
}

/** The connection behind a handle; null for anything that is none. */
export const toSocket = (ws: unknown): Socket | null => (ws instanceof Socket ? ws : null)

/** Notes why something was refused and returns the code. The connection goes on. */
export function refuse(socket: Socket, code: number, message: string): number {
  socket.errorMessage = message
  return code
}

/** Whether a local or the peer's Close has ended the exchange of messages. */
export const isClosing = (socket: Socket): boolean => socket.ending !== null || socket.closing !== null

/** When the connection has been silent for too long. `lastActive` may be a tick older than the traffic it stands for. */
export const deadline = (socket: Socket): number => socket.lastActive + socket.limits.timeout + TICK

/** Asks the wheel for the earliest moment at which something may be due. */
export function arm(socket: Socket): void {
  const at = isClosing(socket)
    ? (socket.closing?.by ?? Infinity)
    : Math.min(
        socket.pingAt || Infinity,
        socket.outgoing?.pongBy || Infinity,
        socket.limits.timeout === 0 ? Infinity : deadline(socket),
      )
  if (at === Infinity) socket.context.wheel.clear(socket)
  else socket.context.wheel.set(socket, at)
}

/** Gives the peer some time to let go of the connection; then it is dropped. */
export function linger(socket: Socket, cause: Cause): void {
  const { transport, context } = socket
  socket.closing =
    transport === null ? null : { by: context.wheel.touch() + LINGER, pressure: transport.pressure(), cause }
  arm(socket)
}

/** Whether the peer has read enough in its time to be given as long again. */
export function isReading({ transport, closing }: Socket): boolean {
  return transport !== null && closing !== null && closing.pressure - transport.pressure() >= LINGER_PRESSURE
}
