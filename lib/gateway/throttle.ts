import { LRUCache } from 'lru-cache'

/** Milliseconds in which failures add up. */
const WINDOW = 900_000
/** Failures with one name from which on it waits, and of one address. */
const [OF_NAME, OF_ADDRESS] = [6, 20]
/** The longest wait, in seconds. */
const LONGEST = 300
/** Names and addresses that are remembered. */
const REMEMBERED = 100_000

/** Has who guesses passwords wait. */
export class Throttle {
  readonly #now: () => number
  /** When each has failed, the latest last. */
  readonly #failures: LRUCache<string, readonly number[]>

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
    this.#failures = new LRUCache({ max: REMEMBERED })
  }

  /** Seconds until it may be tried with that name, from that address; 0: now. */
  wait(name: string, address: string): number {
    return Math.max(this.#waitOfName(name), this.#waitOfAddress(address))
  }

  #waitOfName(name: string): number {
    const failures = this.#recent(nameKey(name))
    const last = failures.at(-1)
    if (last === undefined || failures.length < OF_NAME) return 0
    return secondsUntil(last + 1000 * Math.min(LONGEST, 2 ** (failures.length - OF_NAME + 1)), this.#now())
  }

  #waitOfAddress(address: string): number {
    const failures = this.#recent(addressKey(address))
    const oldest = failures.at(-OF_ADDRESS)
    return oldest === undefined ? 0 : secondsUntil(oldest + WINDOW, this.#now())
  }

  /** Each attempt is a failure until it is known to be none: many at once are no way around. */
  fail(name: string, address: string): void {
    for (const key of [nameKey(name), addressKey(address)]) {
      this.#failures.set(key, [...this.#recent(key), this.#now()].slice(-OF_ADDRESS))
    }
  }

  /** The name is its owner's; the address has one failure less. */
  succeed(name: string, address: string): void {
    this.#failures.delete(nameKey(name))
    this.#failures.set(addressKey(address), this.#recent(addressKey(address)).slice(0, -1))
  }

  #recent(key: string): readonly number[] {
    const since = this.#now() - WINDOW
    return (this.#failures.get(key) ?? []).filter((at) => at > since)
  }
}

const nameKey = (name: string): string => `name ${name.toLowerCase()}`
const addressKey = (address: string): string => `address ${address}`
const secondsUntil = (at: number, now: number): number => Math.max(0, Math.ceil((at - now) / 1000))
