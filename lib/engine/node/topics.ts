import { BINARY, TEXT } from '../../rfc6455.ts'
import type { TopicPort } from '../port.ts'
import { toFrame } from './encoder.ts'

/** What receives a publish. */
export interface Subscriber {
  /** Sends a finished frame, or reports that this peer is too far behind. */
  publishFrame(frame: Uint8Array): void
}

/** Topics of one server. A server's frames are not masked, so one frame serves every subscriber. */
export class NodeTopics implements TopicPort {
  readonly #topics = new Map<string, Set<Subscriber>>()

  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number {
    const subscribers = this.#topics.get(topic)
    if (subscribers === undefined) return 0
    const frame = toFrame(data, length, binary ? BINARY : TEXT, true, false)
    // A subscriber that is closed for being too slow leaves the set meanwhile: the count is taken before.
    const { size } = subscribers
    for (const subscriber of subscribers) subscriber.publishFrame(frame)
    return size
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
