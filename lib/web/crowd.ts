import { toClient } from './address.ts'
import { Buckets } from './buckets.ts'

/** Seconds' worth of requests that may come at once. */
const BURST = 10
/** What each address has: WebSockets that are open, and requests that it may still make. */
export class Crowd {
  readonly #connections = new Map<string, number>()
  readonly #buckets: Buckets

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#buckets = new Buckets(now)
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
    return this.#buckets.take(toClient(address), { rate, burst: Math.max(1, rate * BURST) })
  }
}
