import Denque from 'denque'
import type { Clock } from '../engine/port.ts'

/** Milliseconds of a turn of the event loop that go to what a crowd wants. */
const SHARE = 1
/** As many are no crowd, however long they take: they are done in any turn. */
const FEW = 4
/** Turns in a row that a crowd lets go by while something else is due. */
const MOST_PASSED = 4

/**
 * For what a crowd may want at the same time, such as to come back after a network was gone: it is done in order, a little in each
 * turn of the event loop, so that what others want comes between, and comes first where it is known to be due. Alone, each is done
 * at once.
 */
export class Pace {
  readonly #clock: Clock
  readonly #waiting = new Denque<() => void>()
  /** Milliseconds of the clock until which this turn has time; null: nothing was done in it. */
  #until: number | null = null
  /** How many this turn has done. */
  #done = 0
  #isDue: () => boolean = () => false
  /** Turns that were let go by. */
  #passed = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param isDue whether somebody waits for something that the next turns bring */
  giveWayTo(isDue: () => boolean): void {
    this.#isDue = isDue
  }

  /** @param task must not throw where it is done later */
  run(task: () => void): void {
    if (!this.#waiting.isEmpty() || !this.#hasTime()) this.#waiting.push(task)
    else task()
  }

  /** All that waits, at once: for the end of it all. */
  finish(): void {
    while (!this.#waiting.isEmpty()) this.#waiting.shift()?.()
  }

  /** For one more in this turn. */
  #hasTime(): boolean {
    const now = this.#clock.now()
    if (this.#until === null) {
      this.#until = now + SHARE
      this.#done = 0
      this.#clock.defer(() => this.#next())
    }
    return this.#done++ < FEW || now < this.#until
  }

  /** The next turn. */
  #next(): void {
    this.#until = null
    if (!this.#waiting.isEmpty() && this.#passed < MOST_PASSED && this.#isDue()) {
      this.#passed++
      this.#clock.defer(() => this.#next())
      return
    }
    this.#passed = 0
    while (!this.#waiting.isEmpty() && this.#hasTime()) this.#waiting.shift()?.()
  }
}
