import type { ReconnectDelay, ReconnectOptions } from '../../../include-types/client.ts'
import { MAX_WAIT } from './plan.ts'

const INTERVAL = 5000

/** Waits between attempts, in milliseconds. */
export class Delays {
  readonly #delay: Required<ReconnectDelay>
  /** Attempts in a row that did not last. */
  #failures = 0

  /** Throws for what is no delay. */
  constructor(interval: ReconnectOptions['reconnectInterval'] = INTERVAL) {
    const given = typeof interval === 'number' ? { min: interval, max: interval } : interval
    this.#delay = { factor: 2, jitter: 'none', ...given }
    const { min, max, factor, jitter } = this.#delay
    if (!(min > 0 && min <= max && max <= MAX_WAIT)) throw new RangeError('A delay has 0 < min <= max, in milliseconds')
    if (!(factor >= 1 && Number.isFinite(factor))) throw new RangeError('The factor of a delay is 1 or more')
    if (jitter !== 'none' && jitter !== 'full') throw new RangeError("The jitter of a delay is 'none' or 'full'")
  }

  /** A connection has lasted. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * The next wait, or the longest one. With jitter it is any time between `min` and the step after, so that clients
   * which have lost the same server do not come back in one moment.
   */
  next(longest: boolean): number {
    const { min, max, factor, jitter } = this.#delay
    const step = (n: number): number => Math.min(max, min * factor ** n)
    const failures = this.#failures++
    if (jitter === 'none') return longest ? max : step(failures)
    return longest ? between((min + max) / 2, max) : between(min, step(failures + 1))
  }
}

const between = (low: number, high: number): number => low + Math.random() * (high - low)
