import { LRUCache } from 'lru-cache'

/** Who is remembered; of those that have been quiet for longest nothing is known any more. */
const MOST = 65_536

interface Bucket {
  /** What may come now. */
  tokens: number
  /** When that was so, in milliseconds. */
  at: number
}

/** How much somebody may do: so many a second, and so many at once when they have been quiet. */
export interface Allowance {
  readonly rate: number
  readonly burst: number
}

/** Counts what each of many does. */
export class Buckets {
  /** Null until somebody is asked about: it takes memory for all that it may hold. */
  #all: LRUCache<string, Bucket> | null = null
  readonly #now: () => number

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Takes one; 0, or in how many seconds there is one again. */
  take(key: string, { rate, burst }: Allowance): number {
    const now = this.#now()
    this.#all ??= new LRUCache({ max: MOST })
    const bucket = this.#all.get(key) ?? { tokens: burst, at: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * rate) / 1000)
    bucket.at = now
    this.#all.set(key, bucket)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / rate))
    bucket.tokens--
    return 0
  }
}
