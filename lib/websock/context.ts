import type { WebSocketDefaults, WebSocketEvent } from '../../include-types/websock.ts'
import type { Clock, TopicPort } from '../engine/port.ts'
import { WS_MAX_FRAME, WS_MAX_MESSAGE } from './constants.ts'
import { Leaving } from './leaving.ts'
import { type Limits, type Socket, toLimit, toLimits } from './socket.ts'
import { expire } from './timers.ts'
import { Topics } from './topics.ts'
import { Wheel } from './wheel.ts'

/** Told of what happens in the layer; must not throw. */
export interface Observer {
  /** A callback threw or rejected; only its own connection suffers. */
  callbackFailed(ws: Socket, event: WebSocketEvent, error: unknown): void
  /** Something was asked for that this engine cannot do. */
  warn(message: string): void
  /** A connection that was open has ended; its callback may still have to hear of it. */
  ended(ws: Socket): void
}

/** What the connections of one host share. */
export interface Context {
  readonly clock: Clock
  readonly wheel: Wheel<Socket>
  readonly topics: Topics
  readonly observer: Observer
  readonly defaults: Readonly<WebSocketDefaults>
  /** Those of connections where nothing else was set. */
  readonly limits: Limits
  /** Connections that have not ended. */
  readonly connections: Set<Socket>
  readonly leaving: Leaving
}

/** As the C library has them; a server's come from its config. */
export const DEFAULTS: Readonly<WebSocketDefaults> = {
  maxFrame: WS_MAX_FRAME,
  maxMessage: WS_MAX_MESSAGE,
  maxBackpressure: 1 << 20,
  maxQueue: 0,
  timeout: 0,
  pingPeriod: 0,
  partial: false,
  validateUTF: true,
}

/** Direct sends are refused first; a publish may go one message, where that has a limit, and some frames further. */
export const publishLimit = ({ maxBackpressure, maxMessage }: WebSocketDefaults): number =>
  maxBackpressure === 0 || maxBackpressure === Infinity ? Infinity : maxBackpressure + toLimit(maxMessage) + 65_536

export function createContext(
  clock: Clock,
  topics: TopicPort,
  observer: Observer,
  given: Partial<WebSocketDefaults> = {},
): Context {
  const defaults = { ...DEFAULTS, ...given }
  return {
    clock,
    wheel: new Wheel(clock, expire),
    topics: new Topics(topics),
    observer,
    defaults,
    limits: toLimits(defaults),
    connections: new Set(),
    leaving: new Leaving(),
  }
}
