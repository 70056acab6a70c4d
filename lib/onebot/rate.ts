import type { Clock } from '../engine/port.ts'
import type { OneBotRate } from '../web/config/onebot-settings.ts'
import { Pause } from './pause.ts'

/** Lets calls through at a rate, which may become another: those that come too soon wait, in their order. */
export class Gate {
  readonly #clock: Clock
  readonly #rate: () => OneBotRate | null
  #tokens: number
  #filledAt: number
  /** The turn of the last one that waits. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  /** Of the one whose turn it is. */
  readonly #pause: Pause
  #open = false

  /** @param rate null: no call waits */
  constructor(clock: Clock, rate: () => OneBotRate | null) {
    this.#clock = clock
    this.#pause = new Pause(clock)
    this.#rate = rate
    this.#tokens = rate()?.bucket ?? 0
    this.#filledAt = clock.now()
  }

  /** Null: at once. */
  enter(): Promise<void> | null {
    if (this.#waiting === 0 && this.#wait() === 0) {
      this.#tokens--
      return null
    }
    this.#waiting++
    const turn = this.#last.then(() => this.#turn())
    this.#last = turn
    return turn
  }

  /** Nobody waits any more. */
  open(): void {
    this.#open = true
    this.#pause.end()
  }

  /** Milliseconds until the next may go. */
  #wait(): number {
    const rate = this.#rate()
    if (rate === null || this.#open) return 0
    const { frequency, bucket } = rate
    const now = this.#clock.now()
    this.#tokens = Math.min(bucket, Math.max(0, this.#tokens) + ((now - this.#filledAt) * frequency) / 1000)
    this.#filledAt = now
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / frequency)
  }

  async #turn(): Promise<void> {
    for (let wait = this.#wait(); wait > 0; wait = this.#wait()) await this.#pause.wait(wait)
    this.#tokens--
    this.#waiting--
  }
}
