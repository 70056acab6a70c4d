/** Lets so many through in any window of time: what is turned away does not count, so that a flood does not last longer. */
export class Rate {
  readonly #window: number
  /** When the latest came, the oldest at `next`. Made when it is needed: most connections say little. */
  #times: Float64Array | null = null
  #next = 0
  readonly #most: number

  /** @param most Infinity: any */
  constructor(most: number, window: number) {
    this.#most = most
    this.#window = window
  }

  /** @param now milliseconds of a clock that is never set back */
  accepts(now: number): boolean {
    if (this.#most === Infinity) return true
    const times = (this.#times ??= new Float64Array(this.#most).fill(-Infinity))
    if (now - (times[this.#next] ?? 0) < this.#window) return false
    times[this.#next] = now
    this.#next = (this.#next + 1) % this.#most
    return true
  }
}
