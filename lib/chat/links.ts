import { createHmac, timingSafeEqual } from 'node:crypto'

/** Milliseconds in steps of which links end, so that one file has the same link for a while; and for which they are good, at least. */
const [STEP, GOOD] = [3_600_000, 86_400_000]

/** Paths to files that whoever has them may read, until they end. */
export class Links {
  readonly #key: string
  readonly #now: () => number

  constructor(key: string, now: () => number) {
    this.#key = key
    this.#now = now
  }

  /** `/files/<id>?e=<seconds since 1970>&s=<signature>` */
  make(id: string): string {
    const ends = (Math.ceil(this.#now() / STEP) * STEP + GOOD) / 1000
    return `/files/${id}?e=${ends}&s=${this.#sign(id, ends)}`
  }

  /** Whether a link is ours, and has not ended. */
  isGood(id: string, ends: string, signature: string): boolean {
    if (!/^[1-9]\d{0,11}$/.test(ends) || Number(ends) * 1000 <= this.#now()) return false
    const [given, own] = [Buffer.from(signature), Buffer.from(this.#sign(id, Number(ends)))]
    return given.length === own.length && timingSafeEqual(given, own)
  }

  #sign(id: string, ends: number): string {
    return createHmac('sha256', this.#key).update(`${id} ${ends}`).digest('base64url')
  }
}
