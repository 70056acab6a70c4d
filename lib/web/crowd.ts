import { LRUCache } from 'lru-cache'
import { toClient } from './address.ts'

/** Seconds' worth of requests that may come at once. */
const BURST = 10
/** Addresses whose requests are remembered; of those that have been quiet for longest nothing is known any more. */
const MOST = 65_536

interface Bucket {
  /** Requests that may come now. */
  tokens: number
  /** When that was so, in milliseconds. */
  at: number
}

/** What each address has: WebSockets that are open, and requests that it may still make. */
export class Crowd {
  readonly #connections = new Map<string, number>()
  /** Null until a rate is asked about: it takes memory for all that it may hold. */
  #buckets: LRUCache<string, Bucket> | null = null
  readonly #now: () => number

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  connections(address: string): number {
    return this.#connections.get(toClient(address)) ?? 0
  }

  enter(address: string): void {
    const client = toClient(address)
    this.#connections.set(client, (this.#connections.get(client) ?? 0) + 1)
  }

  leave(address: string): void {
    const client = toClient(address)
    const count = this.#connections.get(client) ?? 0
    if (count > 1) this.#connections.set(client, count - 1)
    else this.#connections.delete(client)
  }

  /** Takes one of the requests that an address may make; 0, or in how many seconds there is one again. */
  take(address: string, rate: number): number {
    const client = toClient(address)
    const now = this.#now()
    const most = Math.max(1, rate * BURST)
    this.#buckets ??= new LRUCache({ max: MOST })
    const bucket = this.#buckets.get(client) ?? { tokens: most, at: now }
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.at) * rate) / 1000)
    bucket.at = now
    this.#buckets.set(client, bucket)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / rate))
    bucket.tokens--
    return 0
  }
}
