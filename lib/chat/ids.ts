import { randomFillSync } from 'node:crypto'

/*
 * Ids: UUIDs of version 7 (RFC 9562 §5.7) that only grow. As text they compare in the order in which they were made, also
 * when the clock is set back; pages of messages rest on that.
 */

/** Of the 12 bits behind the version. */
const MAX_COUNTER = 0xfff
const POOL = 4096

export const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** Milliseconds of the time at which an id was made. */
export const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

/** What all ids are behind that are made at that time, or later. */
export function idBefore(ms: number): string {
  const digits = ms.toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}`
}

/** As the world keeps and tells times: of equal length, so that text compares as time does. */
export const toTime = (ms: number): string => new Date(ms).toISOString()

export class Ids {
  readonly #now: () => number
  #last: number
  #counter = 0
  readonly #random = Buffer.alloc(POOL)
  #used = POOL

  /** @param newest the greatest id that there is, '' for none */
  constructor(now: () => number, newest: string) {
    this.#now = now
    this.#last = newest === '' ? 0 : timeOf(newest)
    // Behind whatever was made in that millisecond.
    if (newest !== '') this.#counter = MAX_COUNTER
  }

  next(): string {
    const now = this.#now()
    if (now > this.#last) {
      this.#last = now
      this.#counter = 0
    } else if (++this.#counter > MAX_COUNTER) {
      this.#last++
      this.#counter = 0
    }
    const ms = this.#last.toString(16).padStart(12, '0')
    const counter = this.#counter.toString(16).padStart(3, '0')
    const random = this.#take()
    return `${ms.slice(0, 8)}-${ms.slice(8)}-7${counter}-${random.slice(0, 4)}-${random.slice(4)}`
  }

  /** 62 random bits behind the variant. */
  #take(): string {
    if (this.#used === POOL) {
      randomFillSync(this.#random)
      this.#used = 0
    }
    const at = this.#used
    this.#used += 8
    this.#random[at] = (this.#random[at]! & 0x3f) | 0x80
    return this.#random.toString('hex', at, at + 8)
  }
}
