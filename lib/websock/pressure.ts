import type { Clock } from '../engine/port.ts'
import { WS_STATUS_TRY_AGAIN_LATER } from './constants.ts'
import { finish, LOST } from './run.ts'
import type { Cause, Socket } from './socket.ts'

/** Milliseconds between looks at what waits. */
export const LOOK = 100
/** A look comes sooner when so much of the limit has been published since the last one. */
const SOONER = 1 / 8

const EVICTED: Cause = { initiator: 'us', code: WS_STATUS_TRY_AGAIN_LATER, reason: 'evicted' }

/** Bytes of memory that are taken by what waits because of one connection: for its peer, and for its callback. */
const weigh = ({ transport, queue }: Socket): number => (transport?.held() ?? 0) + (queue?.bytes ?? 0)

/**
 * What waits for all peers and callbacks together, and its limit: where that is passed, whoever has most waiting is closed
 * first. Nothing is looked at while nothing waits.
 */
export class Pressure {
  /** Bytes; Infinity: any. */
  limit = Infinity
  /** Connections that were closed for it. */
  evicted = 0
  readonly #clock: Clock
  readonly #connections: ReadonlySet<Socket>
  /** Those for which something waits, or has at the last look. */
  readonly #waiting = new Set<Socket>()
  #stop: (() => void) | null = null
  /** Bytes published since the last look: for whom they wait, nobody tells. */
  #published = 0
  #looksSoon = false

  constructor(clock: Clock, connections: ReadonlySet<Socket>) {
    this.#clock = clock
    this.#connections = connections
  }

  /** What waits now. */
  get bytes(): number {
    let sum = 0
    for (const { transport, queue } of this.#connections) sum += (transport?.buffered() ?? 0) + (queue?.bytes ?? 0)
    return sum
  }

  /** Something waits for this connection. */
  add(ws: Socket): void {
    this.#waiting.add(ws)
    this.#start()
  }

  /** Something was published: it may wait for any subscriber. */
  published(bytes: number): void {
    this.#published += bytes
    this.#start()
    if (this.#published > this.limit * SOONER) this.#lookSoon()
  }

  /** What was published in this turn of the event loop leaves first. */
  #lookSoon(): void {
    if (this.#looksSoon) return
    this.#looksSoon = true
    this.#clock.defer(() => this.#look())
  }

  #start(): void {
    if (this.limit !== Infinity) this.#stop ??= this.#clock.every(LOOK, () => this.#lookSoon())
  }

  #look(): void {
    this.#looksSoon = false
    if (this.#published > 0) {
      this.#published = 0
      for (const ws of this.#connections) if (ws.outgoing?.subscribed === true) this.#waiting.add(ws)
    }
    let total = 0
    for (const ws of this.#waiting) {
      const weight = weigh(ws)
      total += weight
      if (weight === 0) this.#waiting.delete(ws)
    }
    if (total > this.limit) this.#relieve(total)
    if (this.#waiting.size > 0) return
    this.#stop?.()
    this.#stop = null
  }

  #relieve(before: number): void {
    const heaviest = Array.from(this.#waiting, (ws) => ({ ws, weight: weigh(ws) })).toSorted(
      (a, b) => b.weight - a.weight,
    )
    let total = before
    for (const { ws, weight } of heaviest) {
      if (total <= this.limit) return
      total -= weight
      this.evicted++
      evict(ws)
    }
  }
}

/** Ends a connection, and what waits because of it: it would only wait longer. A Close is sent where nothing waits in front of it. */
function evict(ws: Socket): void {
  const { transport } = ws
  const reachable = transport !== null && transport.buffered() === 0
  ws.queue?.dropData()
  const ending = { ...LOST, error: WS_STATUS_TRY_AGAIN_LATER, cause: EVICTED }
  finish(ws, ending, 'Too much waits in this process', reachable ? WS_STATUS_TRY_AGAIN_LATER : null)
  if (!reachable) transport?.abort()
}
