import type { WebSocketDefaults } from '../../include-types/websock.ts'
import { arm, type Socket } from './socket.ts'

/** What holds for a connection; 0: none, or never. Shared until something is set: most are those of their route. */
export interface Limits {
  /** Bytes. */
  readonly maxFrame: number
  readonly maxMessage: number
  /** Undefined: as `maxMessage`. */
  readonly maxSent: number | undefined
  readonly maxBackpressure: number
  readonly maxQueue: number
  /** Milliseconds of silence. */
  readonly timeout: number
  /** Milliseconds between pings. */
  readonly pingPeriod: number
  /** Milliseconds for a ping to be answered. */
  readonly pongTimeout: number
  readonly backpressure: WebSocketDefaults['backpressure']
  readonly inboundOnly: boolean
  /** What the kernel takes counts as traffic: not where pings show whether there still is a peer to receive it. */
  readonly sendsCount: boolean
}

export type Given = Omit<Limits, 'sendsCount'>
const KEYS = [
  'maxFrame',
  'maxMessage',
  'maxBackpressure',
  'maxQueue',
  'timeout',
  'pingPeriod',
  'backpressure',
] as const satisfies readonly (keyof Given)[]

/** One spelling for "none": 0. */
export const toLimit = (value: number): number => (value === Infinity ? 0 : value)

const complete = (limits: Given): Limits => ({
  ...limits,
  sendsCount: !limits.inboundOnly && (limits.pingPeriod === 0 || limits.pingPeriod >= limits.timeout),
})

/** Those of a route. */
export const toLimits = (defaults: WebSocketDefaults): Limits =>
  complete({
    maxFrame: toLimit(defaults.maxFrame),
    maxMessage: toLimit(defaults.maxMessage),
    maxSent: defaults.maxSent === undefined ? undefined : toLimit(defaults.maxSent),
    maxBackpressure: toLimit(defaults.maxBackpressure),
    maxQueue: toLimit(defaults.maxQueue),
    timeout: toLimit(defaults.timeout),
    pingPeriod: toLimit(defaults.pingPeriod),
    pongTimeout: toLimit(defaults.pongTimeout ?? 0),
    backpressure: defaults.backpressure,
    inboundOnly: defaults.inboundOnly ?? false,
  })

/** Limits of this connection alone; they stay when those of its route change. */
export function setLimits(socket: Socket, some: Partial<Given>): void {
  const { limits } = socket
  socket.ownLimits = { ...socket.ownLimits, ...some }
  const changes = KEYS.some((key) => some[key] !== undefined && some[key] !== limits[key])
  if (changes) socket.limits = complete({ ...limits, ...some })
}

/** Puts new limits in the place of old ones, but for what was set for this connection alone. */
export function replaceLimits(socket: Socket, limits: Limits): void {
  const before = socket.limits
  socket.limits = socket.ownLimits === null ? limits : complete({ ...limits, ...socket.ownLimits })
  const { pingPeriod, timeout } = socket.limits
  // What does not run yet is armed when it does.
  if (socket.proc === null) return
  if (pingPeriod !== before.pingPeriod) {
    socket.pingAt = pingPeriod === 0 ? 0 : socket.context.wheel.touch() + pingPeriod
  }
  if (pingPeriod !== before.pingPeriod || timeout !== before.timeout) arm(socket)
}
