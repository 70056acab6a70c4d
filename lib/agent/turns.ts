import Denque from 'denque'

/** Something with turns to take, one at a time. */
export interface Taker {
  /** Takes one, and calls `done` when it is over, once; false where there is none left. */
  take(done: () => void): boolean
}

/** Who takes a turn when: so many at a time, in the order in which they have asked. */
export class Turns {
  #most: number
  #running = 0
  /** Somebody is being asked: who is done meanwhile need not ask again. */
  #asking = false
  readonly #waiting = new Denque<Taker>()
  /** Those that wait or take a turn. */
  readonly #known = new Set<Taker>()

  /** @param most Infinity: any */
  constructor(most: number) {
    this.#most = most
  }

  /** Another number from now on. */
  allow(most: number): void {
    this.#most = most
    this.#next()
  }

  /** It has something to do. */
  want(taker: Taker): void {
    if (this.#known.has(taker)) return
    this.#known.add(taker)
    this.#waiting.push(taker)
    this.#next()
  }

  #next(): void {
    if (this.#asking) return
    this.#asking = true
    while (this.#running < this.#most) {
      const taker = this.#waiting.shift()
      if (taker === undefined) break
      this.#running++
      if (taker.take(() => this.#done(taker))) continue
      this.#running--
      this.#known.delete(taker)
    }
    this.#asking = false
  }

  /** Whoever has more to do waits behind the others. */
  #done(taker: Taker): void {
    this.#running--
    this.#waiting.push(taker)
    this.#next()
  }
}
