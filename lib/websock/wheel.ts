import type { Clock } from '../engine/port.ts'

/** Resolution of every timer of the layer, in milliseconds. */
export const TICK = 50

/** Something with at most one deadline. `dueTick` belongs to the wheel; 0: none. */
export interface Timed {
  dueTick: number
}

/**
 * One timer for all connections. A connection costs one set entry, whatever its traffic: activity is a store of
 * `now`, and whoever comes up early looks at that and goes back in. Nothing ticks while nothing waits.
 */
export class Wheel<T extends Timed = Timed> {
  /** The clock as of the last tick: cheap to read, up to one tick old. */
  now = 0
  readonly #clock: Clock
  readonly #onTime: (timed: T) => void
  readonly #start: number
  readonly #slots = new Map<number, Set<T>>()
  #stop: (() => void) | null = null
  #done = 0
  #checking = false

  /** `onTime` is called for each entry that has come due; it must not throw. */
  constructor(clock: Clock, onTime: (timed: T) => void) {
    this.#clock = clock
    this.#onTime = onTime
    this.#start = clock.now()
  }

  /** Number of entries that wait. */
  get size(): number {
    let size = 0
    for (const slot of this.#slots.values()) size += slot.size
    return size
  }

  /** Gives an entry its deadline, in place of any it had: it comes due once, not before `at`. */
  set(timed: T, at: number): void {
    if (this.#stop === null) this.#run()
    const tick = Math.max(this.#done + 1, Math.ceil(at / TICK))
    if (timed.dueTick === tick) return
    this.clear(timed)
    timed.dueTick = tick
    const slot = this.#slots.get(tick)
    if (slot) slot.add(timed)
    else this.#slots.set(tick, new Set([timed]))
  }

  clear(timed: T): void {
    if (timed.dueTick === 0) return
    const slot = this.#slots.get(timed.dueTick)
    if (slot?.delete(timed) && slot.size === 0) this.#slots.delete(timed.dueTick)
    timed.dueTick = 0
  }

  /** Brings `now` up to date where no tick has done so: on a wheel that was standing still. */
  touch(): number {
    if (this.#stop === null) this.now = this.#clock.now() - this.#start
    return this.now
  }

  #run(): void {
    this.touch()
    this.#done = Math.floor(this.now / TICK)
    this.#stop = this.#clock.every(TICK, () => this.#tick())
  }

  #tick(): void {
    this.now = this.#clock.now() - this.#start
    if (this.#checking) return
    this.#checking = true
    // Input that waited while the process was busy is read first, so that a stall does not look like a silent peer.
    this.#clock.defer(() => this.#check())
  }

  #check(): void {
    this.#checking = false
    const last = Math.floor(this.now / TICK)
    while (this.#done < last && this.#slots.size > 0) {
      const slot = this.#slots.get(++this.#done)
      if (slot === undefined) continue
      this.#slots.delete(this.#done)
      for (const timed of slot) timed.dueTick = 0
      for (const timed of slot) if (timed.dueTick === 0) this.#onTime(timed)
    }
    this.#done = last
    if (this.#slots.size === 0) {
      this.#stop?.()
      this.#stop = null
    }
  }
}
