/**
 * What was published to a connection in this turn of the event loop. Connections that were published the same share it,
 * so that it is put together once, however many there are: a tree, whose branches are the histories that differ.
 */
export class Batch {
  readonly length: number
  readonly #frame: Buffer
  readonly #before: Batch | null
  #branches: Map<Buffer, Batch> | null = null
  #bytes: Buffer | null = null

  private constructor(frame: Buffer, before: Batch | null) {
    this.#frame = frame
    this.#before = before
    this.length = frame.length + (before?.length ?? 0)
  }

  /** With nothing in it. */
  static empty(): Batch {
    return new Batch(Buffer.alloc(0), null)
  }

  /** This, and one frame more: the same object for the same frame. */
  with(frame: Buffer): Batch {
    this.#branches ??= new Map()
    const known = this.#branches.get(frame)
    if (known !== undefined) return known
    const branch = new Batch(frame, this)
    this.#branches.set(frame, branch)
    return branch
  }

  /** All its frames. */
  get bytes(): Buffer {
    if (this.#bytes === null) {
      const frames = [this.#frame]
      for (let batch = this.#before; batch !== null && batch.length > 0; batch = batch.#before)
        frames.push(batch.#frame)
      this.#bytes = frames.length === 1 ? this.#frame : Buffer.concat(frames.toReversed(), this.length)
    }
    return this.#bytes
  }
}
