import { randomBytes } from 'node:crypto'

/** Tokens that may be out at a time. */
const MAX_TOKENS = 10_000

/** Tokens for one connection each: in memory only, so that none outlives the process. */
export class IssuedTokens {
  /** By when they end, the first first: all have the same time to live, unless a reload has changed it. */
  readonly #tokens = new Map<string, number>()
  readonly #now: () => number

  /** @param now milliseconds of a clock that is never set back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Null while too many are out. */
  issue(ttlS: number): string | null {
    this.#purge()
    // Some may stand behind one that lives longer.
    if (this.#tokens.size >= MAX_TOKENS) this.#purge(true)
    if (this.#tokens.size >= MAX_TOKENS) return null
    const token = `nbwt_${randomBytes(32).toString('base64url')}`
    this.#tokens.set(token, this.#now() + 1000 * ttlS)
    return token
  }

  /** Whether it is good, for the first who asks: it is spent then. */
  consume(token: string): boolean {
    this.#purge()
    const until = this.#tokens.get(token)
    this.#tokens.delete(token)
    return until !== undefined && this.#now() <= until
  }

  clear(): void {
    this.#tokens.clear()
  }

  #purge(all = false): void {
    const now = this.#now()
    for (const [token, until] of this.#tokens) {
      if (now > until) this.#tokens.delete(token)
      else if (!all) return
    }
  }
}
