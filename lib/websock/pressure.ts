import type { Clock } from '../engine/port.ts'
import { WS_STATUS_TRY_AGAIN_LATER } from './constants.ts'
import { finish, LOST } from './run.ts'
import type { Cause, Socket } from './socket.ts'

/** Milliseconds between looks at what waits. */
export const LOOK = 100
/** A look comes sooner when so much of the limit has been sent since the last one, and may wait. */
const SOONER = 1 / 8
/** Part of the limit below which connections need not be looked at one by one: each of them costs. */
const LITTLE = 1 / 2
/** Bytes of memory that a byte may take, at most: buffers grow in steps. */
const GROWTH = 2

const EVICTED: Cause = { initiator: 'us', code: WS_STATUS_TRY_AGAIN_LATER, reason: 'evicted' }

/** What is about to be published. */
interface Coming {
  readonly topic: string
  readonly length: number
}

/** Bytes of memory that are taken by what waits because of one connection: for its peer, and for its callback. */
function weigh({ transport, queue }: Socket, coming: Coming | null): number {
  const waits = queue?.bytes ?? 0
  if (transport === null) return waits
  const more = coming !== null && transport.isSubscribed(coming.topic) ? coming.length : 0
  return waits + transport.held(more)
}

/**
 * What waits for all peers and callbacks together, and its limit: where that is passed, whoever has most waiting is closed
 * first. Nothing is looked at while nothing waits.
 */
export class Pressure {
  /** Connections that were closed for it. */
  evicted = 0
  #limit = Infinity
  readonly #clock: Clock
  readonly #connections: ReadonlySet<Socket>
  /** Those for which something waits, or has at the last look. */
  readonly #waiting = new Set<Socket>()
  #stop: (() => void) | null = null
  /** Bytes of memory that are taken, at most, by what waits for those. */
  #expected = 0
  /** Bytes sent since the last look that may wait; and how many these were when that was last asked. */
  #since = 0
  #before = 0
  /** Something was published since the last look: for whom that waits, nobody tells. */
  #published = false
  #looksSoon = false
  #relieving = false

  constructor(clock: Clock, connections: ReadonlySet<Socket>) {
    this.#clock = clock
    this.#connections = connections
  }

  /** Bytes; Infinity: any. */
  get limit(): number {
    return this.#limit
  }

  set limit(bytes: number) {
    if (bytes === this.#limit) return
    this.#limit = bytes
    this.#waiting.clear()
    for (const ws of this.#connections) this.add(ws, 0)
  }

  /** What waits now. */
  get bytes(): number {
    let sum = 0
    for (const { transport, queue } of this.#connections) sum += (transport?.buffered() ?? 0) + (queue?.bytes ?? 0)
    return sum
  }

  /** So many bytes wait for this connection. */
  add(ws: Socket, bytes: number): void {
    if (this.#limit === Infinity) return
    this.#waiting.add(ws)
    this.#count(bytes)
  }

  /** Something is about to be published: whoever is behind gets it behind the rest. Where there is no room for that, it is made. */
  makeRoom(topic: string, length: number): void {
    const { size } = this.#waiting
    // Who is closed for it may have others told.
    if (size === 0 || this.#relieving) return
    this.#expected += GROWTH * length * size
    if (this.#expected > this.#limit) this.#weighAll({ topic, length })
  }

  /** So many bytes were published, to all receivers together. */
  published(bytes: number): void {
    if (this.#limit === Infinity) return
    this.#published = true
    this.#count(bytes)
  }

  #count(bytes: number): void {
    this.#since += bytes
    this.#stop ??= this.#clock.every(LOOK, () => this.#tick())
    if (this.#since > this.#limit * SOONER) this.#lookSoon()
  }

  /** While much is sent, and little of it can wait, nobody is looked at. */
  #tick(): void {
    const quiet = this.#since === this.#before
    this.#before = this.#since
    if (quiet || this.#expected + GROWTH * this.#since > this.#limit * LITTLE) this.#lookSoon()
  }

  /** What was sent in this turn of the event loop leaves first. */
  #lookSoon(): void {
    if (this.#looksSoon) return
    this.#looksSoon = true
    this.#clock.defer(() => this.#look())
  }

  #look(): void {
    this.#looksSoon = false
    this.#since = this.#before = 0
    if (this.#published) {
      this.#published = false
      for (const ws of this.#connections) if (ws.outgoing?.subscribed === true) this.#waiting.add(ws)
    }
    this.#weighAll(null)
    if (this.#waiting.size > 0) return
    this.#stop?.()
    this.#stop = null
  }

  #weighAll(coming: Coming | null): void {
    let total = 0
    for (const ws of this.#waiting) {
      const weight = weigh(ws, coming)
      total += weight
      if (weight === 0) this.#waiting.delete(ws)
    }
    this.#expected = total > this.#limit ? this.#relieve(total, coming) : total
  }

  /** Returns what is left. */
  #relieve(before: number, coming: Coming | null): number {
    const heaviest = Array.from(this.#waiting, (ws) => ({ ws, weight: weigh(ws, coming) })).toSorted(
      (a, b) => b.weight - a.weight,
    )
    let total = before
    this.#relieving = true
    for (const { ws, weight } of heaviest) {
      if (total <= this.#limit) break
      total -= weight
      this.evicted++
      evict(ws)
    }
    this.#relieving = false
    return total
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
