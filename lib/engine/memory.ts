import type { Clock, Opcode, PieceEnd, Receiver, TopicPort, Transport } from './port.ts'
import { MESSAGE_END } from './port.ts'

/** The port without a network: tests drive both ends of a connection, and time. */

/** Time stands still until `advance`. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ at: number; readonly ms: number; readonly fn: () => void }>()
  #deferred: (() => void)[] = []

  now(): number {
    return this.#now
  }

  every(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, ms, fn }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  after(ms: number, fn: () => void): () => void {
    const cancel = this.every(ms, () => {
      cancel()
      fn()
    })
    return cancel
  }

  defer(fn: () => void): void {
    this.#deferred.push(fn)
  }

  /** Runs what was deferred, once; what that defers waits for the next call. Returns how much was run. */
  turn(): number {
    const due = this.#deferred
    this.#deferred = []
    for (const fn of due) fn()
    return due.length
  }

  /** Number of timers that run. */
  get timers(): number {
    return this.#timers.size
  }

  /** Lets `ms` pass, with a turn of the event loop for each interval that comes due. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = Math.min(...Array.from(this.#timers, (timer) => timer.at))
      if (next > end) break
      this.#now = next
      for (const timer of this.#timers) {
        if (timer.at > next) continue
        timer.at += timer.ms
        timer.fn()
      }
      while (this.turn() > 0);
    }
    this.#now = end
  }
}

/** A frame that was sent. */
export interface SentFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly payload: Buffer
}

/** How the memory transport behaves where engines differ. */
export interface MemoryTraits {
  /** As TCP does on node. Without it input comes whether it is wanted or not, as on uws. */
  readonly canPause: boolean
  /** A local Close ends the connection inside the call, as on uws. */
  readonly closesAtOnce: boolean
}

/** One connection whose peer is the test. */
export class MemoryTransport implements Transport {
  readonly canPause: boolean
  readonly sent: SentFrame[] = []
  closed: { readonly status: number; readonly reason: string } | null = null
  ended = false
  aborted = false
  unreffed = false
  paused = false
  corks = 0
  validates = true
  /** While true nothing leaves: what is sent stays buffered. */
  stalled = false
  readonly #closesAtOnce: boolean
  readonly #topics: MemoryTopics | null
  readonly #publishLimit: number
  #receiver: Receiver | null = null
  #input: ((receiver: Receiver) => void)[] = []
  #buffered = 0
  #drainWanted = false

  constructor(traits: MemoryTraits, topics: MemoryTopics | null = null, publishLimit = Infinity) {
    this.canPause = traits.canPause
    this.#closesAtOnce = traits.closesAtOnce
    this.#topics = topics
    this.#publishLimit = publishLimit
  }

  // The peer's end

  /** The peer does something; it waits while the connection is paused. */
  input(fn: (receiver: Receiver) => void): void {
    this.#input.push(fn)
    this.#pump()
  }

  /** The peer sends a message, or the `end` of one. */
  message(data: string | Buffer, end: PieceEnd = MESSAGE_END): void {
    const bytes = Buffer.from(data)
    this.input((receiver) => {
      receiver.onActivity()
      if (receiver.onFrame(bytes.length)) receiver.onData(bytes, typeof data !== 'string', end)
    })
  }

  /** The kernel takes some of what waits. */
  take(bytes: number): void {
    this.#buffered -= bytes
  }

  /** The kernel takes all that waits. */
  drain(): void {
    this.stalled = false
    this.#buffered = 0
    const wanted = this.#drainWanted
    this.#drainWanted = false
    if (wanted) this.#receiver?.onDrain()
  }

  /** TCP is gone. */
  gone(): void {
    this.paused = false
    this.#pump()
    this.#topics?.drop(this)
    this.#receiver?.onGone()
  }

  #pump(): void {
    while (!this.paused && this.#receiver !== null) {
      const next = this.#input.shift()
      if (next === undefined) return
      if (!this.ended) next(this.#receiver)
    }
  }

  // Transport

  setReceiver(receiver: Receiver): void {
    this.#receiver = receiver
    this.#pump()
  }

  send(data: string | Uint8Array, length: number, opcode: Opcode, fin: boolean): boolean {
    if (this.closed !== null || this.ended) return false
    this.sent.push({ opcode, fin, payload: Buffer.from(data) })
    if (this.stalled) this.#buffered += length
    return !this.stalled
  }

  /** For topics. */
  publish(data: string | Uint8Array, length: number, opcode: Opcode): void {
    if (this.#buffered > this.#publishLimit) this.#receiver?.onOverrun()
    else this.send(data, length, opcode, true)
  }

  close(status: number, reason: string): void {
    if (this.closed !== null || this.ended) return
    this.closed = { status, reason }
    this.#topics?.drop(this)
    if (!this.#closesAtOnce) return
    this.#receiver?.onClose(status || 1005, reason)
    this.#receiver?.onGone()
  }

  end(): void {
    this.ended = true
    this.#topics?.drop(this)
  }

  abort(): void {
    this.ended = true
    this.aborted = true
    this.gone()
  }

  unref(): void {
    this.unreffed = true
  }

  buffered(): number {
    return this.#buffered
  }

  held(more: number): number {
    return this.#buffered === 0 ? 0 : this.#buffered + more
  }

  pressure(): number {
    return this.#buffered
  }

  congested(limit: number): boolean {
    return this.buffered() > limit
  }

  room(): number {
    return Infinity
  }

  requestDrain(): void {
    this.#drainWanted = true
  }

  cork(fn: () => void): void {
    this.corks++
    fn()
  }

  pause(): void {
    if (this.canPause) this.paused = true
  }

  resume(): void {
    this.paused = false
    this.#pump()
  }

  inject(bytes: Uint8Array): boolean {
    if (!this.canPause) return false
    this.message(Buffer.from(bytes))
    return true
  }

  validateUTF(on: boolean): boolean {
    if (!this.canPause && !on) return false
    this.validates = on
    return true
  }

  subscribe(topic: string): boolean {
    return this.#topics?.add(topic, this) ?? false
  }

  unsubscribe(topic: string): boolean {
    return this.#topics?.remove(topic, this) ?? false
  }

  isSubscribed(topic: string): boolean {
    return this.#topics?.has(topic, this) ?? false
  }
}

/** Topics over memory transports. */
export class MemoryTopics implements TopicPort {
  readonly #topics = new Map<string, Set<MemoryTransport>>()

  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number {
    const subscribers = [...(this.#topics.get(topic) ?? [])]
    for (const subscriber of subscribers) subscriber.publish(data, length, binary ? 2 : 1)
    return subscribers.length
  }

  subscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  add(topic: string, transport: MemoryTransport): boolean {
    const subscribers = this.#topics.get(topic) ?? new Set()
    if (subscribers.has(transport)) return false
    this.#topics.set(topic, subscribers.add(transport))
    return true
  }

  remove(topic: string, transport: MemoryTransport): boolean {
    return this.#topics.get(topic)?.delete(transport) ?? false
  }

  has(topic: string, transport: MemoryTransport): boolean {
    return this.#topics.get(topic)?.has(transport) ?? false
  }

  drop(transport: MemoryTransport): void {
    for (const subscribers of this.#topics.values()) subscribers.delete(transport)
  }
}
