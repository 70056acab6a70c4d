import { BINARY, FIN, RSV1, TEXT } from '../../rfc6455.ts'
import { COMPRESS_FROM, type TopicPort } from '../port.ts'
import { MAX_BITS } from '../extensions.ts'
import { systemClock } from '../clock.ts'
import { Batch } from './batch.ts'
import { deflate, NO_WINDOW } from './deflate.ts'
import type { Batches, Outbox } from './outbox.ts'
import { firstByte, toFrame } from './encoder.ts'

/** What receives a publish. */
export interface Subscriber {
  /** Sends one of its frames, or reports that this peer is too far behind. */
  publish(publication: Publication): void
}

/** What is published, as frames that every subscriber can be sent. */
export class Publication {
  readonly frame: Buffer
  readonly #length: number
  /** Undefined until somebody wants it; null where it makes no sense. */
  #compressed: Buffer | null | undefined

  constructor(data: string | Uint8Array, length: number, binary: boolean) {
    this.frame = toFrame(data, length, firstByte(binary ? BINARY : TEXT, true), false)
    this.#length = length
    this.#compressed = binary || length < COMPRESS_FROM ? null : undefined
  }

  get payload(): Buffer {
    return this.frame.subarray(this.frame.length - this.#length)
  }

  /** Refers to nothing that was sent before: for every subscriber whose window has MAX_BITS. */
  get compressed(): Buffer | null {
    if (this.#compressed === undefined) {
      const deflated = deflate(this.payload, NO_WINDOW, MAX_BITS)
      this.#compressed =
        deflated.length < this.#length ? toFrame(deflated, deflated.length, FIN | RSV1 | TEXT, false) : null
    }
    return this.#compressed
  }
}

/** Topics of one server. A server's frames are not masked, so one frame serves every subscriber, compressed or not. */
export class NodeTopics implements TopicPort, Batches {
  readonly #topics = new Map<string, Set<Subscriber>>()
  #nothing = Batch.empty()
  /** Whose batch is to be sent at the end of this turn. */
  #waiting: Outbox[] = []

  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number {
    const subscribers = this.#topics.get(topic)
    if (subscribers === undefined) return 0
    const publication = new Publication(data, length, binary)
    // A subscriber that is closed for being too slow leaves the set meanwhile: the count is taken before.
    const { size } = subscribers
    for (const subscriber of subscribers) subscriber.publish(publication)
    return size
  }

  /** A new batch, which is sent when what comes in in this turn of the event loop has been read. */
  batchFor(outbox: Outbox): Batch {
    if (this.#waiting.push(outbox) === 1) systemClock.defer(() => this.#sendBatches())
    return this.#nothing
  }

  #sendBatches(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#nothing = Batch.empty()
    for (const outbox of waiting) outbox.sendBatch()
  }

  subscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  /** False when the subscriber was on the topic already. */
  add(topic: string, subscriber: Subscriber): boolean {
    const subscribers = this.#topics.get(topic)
    if (subscribers === undefined) this.#topics.set(topic, new Set([subscriber]))
    else if (subscribers.has(subscriber)) return false
    else subscribers.add(subscriber)
    return true
  }

  /** False when the subscriber was not on the topic. */
  remove(topic: string, subscriber: Subscriber): boolean {
    const subscribers = this.#topics.get(topic)
    if (!subscribers?.delete(subscriber)) return false
    if (subscribers.size === 0) this.#topics.delete(topic)
    return true
  }
}
