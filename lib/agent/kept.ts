/** Characters that a frame takes beside its own. */
const OVERHEAD = 64

/** What all chats of a channel keep to be sent again: together it is bounded. */
export class Ledger {
  /** Infinity: any. */
  limit: number
  #size = 0
  /** Those that keep something, by when they did so last. */
  readonly #kept = new Set<Kept>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Where there is too much, what was kept longest goes first. */
  add(kept: Kept, size: number): void {
    this.#size += size
    this.#kept.delete(kept)
    this.#kept.add(kept)
    for (const oldest of this.#kept) {
      if (this.#size <= this.limit) return
      while (this.#size > this.limit && oldest.drop() > 0);
    }
  }

  remove(kept: Kept, size: number, isEmpty: boolean): void {
    this.#size -= size
    if (isEmpty) this.#kept.delete(kept)
  }
}

/** The last frames of one chat, with their numbers: 1, 2, 3 … */
export class Kept {
  readonly #ledger: Ledger
  /** Some at its beginning may have gone: they are moved up when that is worth it. */
  #frames: string[] = []
  #gone = 0
  /** The number of the last one. */
  #last = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  get last(): number {
    return this.#last
  }

  /** The number that the next frame will have. */
  get next(): number {
    return this.#last + 1
  }

  add(frame: string): void {
    this.#last++
    this.#frames.push(frame)
    this.#ledger.add(this, frame.length + OVERHEAD)
  }

  /** What came behind a number; null where some of it has gone, or it is the number of none. */
  after(index: number): readonly string[] | null {
    const first = this.#last - (this.#frames.length - this.#gone)
    return index < first || index > this.#last ? null : this.#frames.slice(this.#gone + index - first)
  }

  /** Lets go of the oldest; how many characters that is, 0 where there is none. */
  drop(): number {
    const frame = this.#frames[this.#gone]
    if (frame === undefined) return 0
    this.#gone++
    if (this.#gone > 1024 && this.#gone > this.#frames.length / 2) {
      this.#frames = this.#frames.slice(this.#gone)
      this.#gone = 0
    }
    const size = frame.length + OVERHEAD
    this.#ledger.remove(this, size, this.#gone === this.#frames.length)
    return size
  }

  clear(): void {
    while (this.drop() > 0);
  }
}
