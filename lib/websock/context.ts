import type { WebSocketDefaults, WebSocketEvent } from '../../include-types/websock.ts'
import type { Clock, TopicPort } from '../engine/port.ts'
import { WS_MAX_FRAME, WS_MAX_MESSAGE } from './constants.ts'
import { Leaving } from './leaving.ts'
import { type Limits, replaceLimits, toLimit, toLimits } from './limits.ts'
import { Pace } from './pace.ts'
import { Pressure } from './pressure.ts'
import type { Socket } from './socket.ts'
import { expire } from './timers.ts'
import { Topics } from './topics.ts'
import { Wheel } from './wheel.ts'

/** Told of what happens in the layer; must not throw. */
export interface Observer {
  /** A connection that was open has ended, as its `ending` says; its callback may still have to hear of it. */
  ended(ws: Socket): void
  /** A peer that reads too slowly has not been sent what was published. */
  dropped(ws: Socket): void
  /** A callback threw or rejected; only its own connection suffers. */
  callbackFailed(ws: Socket, event: WebSocketEvent, error: unknown): void
  /** Something was asked for that this engine cannot do. */
  warn(message: string): void
}

/** What the connections of one host share. */
interface Shared {
  readonly clock: Clock
  readonly wheel: Wheel<Socket>
  readonly topics: Topics
  readonly observer: Observer
  readonly leaving: Leaving
  readonly pressure: Pressure
  readonly pace: Pace
  /** Those that have not ended. */
  readonly connections: Set<Socket>
}

/** What the connections of one route share, or all that have none. */
export interface Context extends Shared {
  /** The route's name in log and metrics. */
  readonly route: string
  defaults: Readonly<WebSocketDefaults>
  /** Those of connections where nothing else was set. */
  limits: Limits
}

/** As the C library has them; a server's come from its config. */
export const DEFAULTS: Readonly<WebSocketDefaults> = {
  maxFrame: WS_MAX_FRAME,
  maxMessage: WS_MAX_MESSAGE,
  maxBackpressure: 1 << 20,
  maxQueue: 0,
  timeout: 0,
  pingPeriod: 0,
  backpressure: 'close',
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
  const connections = new Set<Socket>()
  const pressure = new Pressure(clock, connections)
  const shared: Shared = {
    clock,
    wheel: new Wheel(clock, expire),
    topics: new Topics(topics, pressure),
    observer,
    leaving: new Leaving(),
    pressure,
    pace: new Pace(clock),
    connections,
  }
  return forRoute(shared, '', { ...DEFAULTS, ...given })
}

/** The same, for connections that have other limits. */
export function forRoute(host: Shared, route: string, defaults: Readonly<WebSocketDefaults>): Context {
  const { clock, wheel, topics, observer, leaving, pressure, pace, connections } = host
  const limits = toLimits(defaults)
  return { clock, wheel, topics, observer, leaving, pressure, pace, connections, route, defaults, limits }
}

/** Other limits from now on, also for connections that are there. */
export function setDefaults(context: Context, defaults: Readonly<WebSocketDefaults>): void {
  context.defaults = defaults
  context.limits = toLimits(defaults)
  for (const ws of context.connections) if (ws.context === context) replaceLimits(ws, context.limits)
}
