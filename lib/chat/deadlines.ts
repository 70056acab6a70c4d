/** Milliseconds between two looks: as late as something may be. */
const LOOK = 500

/** Many things that end at times of their own. Nothing runs while there are none. */
export class Deadlines<T> {
  readonly #now: () => number
  readonly #due: (item: T) => void
  readonly #at = new Map<T, number>()
  #timer: NodeJS.Timeout | null = null

  constructor(now: () => number, due: (item: T) => void) {
    this.#now = now
    this.#due = due
  }

  /** @param at milliseconds since 1970; Infinity: it does not end */
  add(item: T, at: number): void {
    if (at === Infinity) return
    this.#at.set(item, at)
    this.#timer ??= setInterval(() => this.look(), LOOK).unref()
  }

  delete(item: T): void {
    this.#at.delete(item)
    if (this.#at.size === 0) this.close()
  }

  all(): T[] {
    return [...this.#at.keys()]
  }

  /** Ends what is due. */
  look(): void {
    const now = this.#now()
    const due: T[] = []
    for (const [item, at] of this.#at) if (at <= now) due.push(item)
    // One may end another, or begin anew.
    for (const item of due) if (this.#at.delete(item)) this.#due(item)
    if (this.#at.size === 0) this.close()
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
