import type { Clock } from '../engine/port.ts'
import type { OneBotRate } from '../web/config/onebot-settings.ts'

/** Lets calls through at a rate: those that come too soon wait, in their order. */
export class Gate {
  readonly #clock: Clock
  readonly #rate: OneBotRate
  #tokens: number
  #filledAt: number
  /** The turn of the last one that waits. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  /** Ends the wait of the one whose turn it is. */
  #hurry: (() => void) | null = null
  #open = false

  constructor(clock: Clock, rate: OneBotRate) {
    this.#clock = clock
    this.#rate = rate
    this.#tokens = rate.bucket
    this.#filledAt = clock.now()
  }

  /** Null: at once. */
  enter(): Promise<void> | null {
    this.#fill()
    if (this.#waiting === 0 && this.#tokens >= 1) {
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
    this.#hurry?.()
  }

  #fill(): void {
    const now = this.#clock.now()
    const { frequency, bucket } = this.#rate
    this.#tokens = Math.min(bucket, this.#tokens + ((now - this.#filledAt) * frequency) / 1000)
    this.#filledAt = now
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve, false)
      this.#hurry = () => {
        cancel()
        resolve()
      }
    })
    this.#hurry = null
  }

  async #turn(): Promise<void> {
    this.#fill()
    const wait = this.#open || this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#rate.frequency)
    if (wait > 0) await this.#wait(wait)
    this.#fill()
    this.#tokens--
    this.#waiting--
  }
}
