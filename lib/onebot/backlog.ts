import Denque from 'denque'

/** What is kept, at most: the oldest goes first. */
export interface BacklogLimits {
  readonly events: number
  /** Of all events. */
  readonly bytes: number
  /** Milliseconds. */
  readonly age: number
}

/** Where nothing is kept. */
export const NOTHING: BacklogLimits = { events: 0, bytes: 0, age: 0 }

/** An event that somebody may have missed. */
export interface Kept {
  /** Each has the one behind that of the event before. */
  readonly number: number
  readonly text: string
  readonly bytes: number
  /** When it came. */
  readonly at: number
}

/** What clients have not been told, or may not have heard: in its order, and within limits. */
export class Backlog {
  readonly #limits: () => BacklogLimits
  readonly #lose: (number: number) => void
  readonly #now: () => number
  readonly #kept = new Denque<Kept>()
  #bytes = 0
  #last = 0

  /** @param lose told of each that falls out; @param now milliseconds */
  constructor(limits: () => BacklogLimits, lose: (number: number) => void, now: () => number) {
    this.#limits = limits
    this.#lose = lose
    this.#now = now
  }

  /** The number of the newest. */
  get last(): number {
    return this.#last
  }

  get size(): number {
    return this.#kept.length
  }

  /** @returns its number */
  push(text: string): number {
    const bytes = Buffer.byteLength(text)
    this.#bytes += bytes
    this.#kept.push({ number: ++this.#last, text, bytes, at: this.#now() })
    this.#trim()
    return this.#last
  }

  /** The first behind `number` that there is. */
  after(number: number): Kept | undefined {
    this.#trim()
    const first = this.#kept.peekFront()
    return first === undefined ? undefined : this.#kept.peekAt(Math.max(0, number + 1 - first.number))
  }

  /** Nobody needs those up to `number` any more. */
  drop(number: number): void {
    for (
      let first = this.#kept.peekFront();
      first !== undefined && first.number <= number;
      first = this.#kept.peekFront()
    )
      this.#shift()
  }

  /** The oldest, which is not kept any longer. */
  take(): Kept | undefined {
    this.#trim()
    return this.#shift()
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  #shift(): Kept | undefined {
    const kept = this.#kept.shift()
    this.#bytes -= kept?.bytes ?? 0
    return kept
  }

  #trim(): void {
    const { events, bytes, age } = this.#limits()
    const before = this.#now() - age
    for (let first = this.#kept.peekFront(); first !== undefined; first = this.#kept.peekFront()) {
      if (this.#kept.length <= events && this.#bytes <= bytes && first.at >= before) break
      this.#shift()
      this.#lose(first.number)
    }
  }
}

/** An event that may be told for the second time. */
export const toRetry = (text: string): string => `${text.slice(0, -1)},"retry":true}`
