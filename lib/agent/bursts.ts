import type { Clock } from '../engine/port.ts'

/** Something that has sent in this turn of the event loop, and keeps the rest for its end. */
export interface Bursting {
  flush(): void
}

/** The end of a turn of the event loop, once for all who wait for it. */
export class Bursts {
  readonly #clock: Clock
  #all: Bursting[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(one: Bursting): void {
    if (this.#all.push(one) === 1) this.#clock.defer(() => this.#end())
  }

  #end(): void {
    const all = this.#all
    this.#all = []
    for (const one of all) one.flush()
  }
}
