import type { Clock } from '../engine/port.ts'

/** A wait that may end before its time; one at once. */
export class Pause {
  readonly #clock: Clock
  #end: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        this.#end = null
        resolve()
      }
      const cancel = this.#clock.after(ms, done, false)
      this.#end = done
    })
  }

  end(): void {
    this.#end?.()
  }
}
