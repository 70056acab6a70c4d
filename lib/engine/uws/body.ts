import type { NativeResponse } from './native.ts'

/** The body of a request, taken as it comes: uWebSockets.js sends it whether it is wanted or not. */
export class RequestBody {
  readonly #most: number
  readonly #chunks: Buffer[] = []
  #length = 0
  #complete = false
  #stopped = false
  #wake: (() => void) | null = null
  #read: Promise<Buffer | null> | null = null

  /** @param most bytes that are kept until somebody reads them; with more the body is counted and dropped */
  constructor(res: NativeResponse, most: number) {
    this.#most = most
    res.onData((chunk, last) => {
      this.#length += chunk.byteLength
      this.#complete = last
      // The chunk is valid during the call only.
      if (this.#length <= most) this.#chunks.push(Buffer.from(Buffer.from(chunk)))
      else this.#chunks.length = 0
      this.#wake?.()
    })
  }

  /** All of it, once it is there; null when it is longer than `limit` bytes, or does not come. */
  read(limit: number): Promise<Buffer | null> {
    this.#read ??= this.#readAll(Math.min(limit, this.#most))
    return this.#read
  }

  /** Nothing more comes. */
  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  async #readAll(limit: number): Promise<Buffer | null> {
    while (!this.#complete && !this.#stopped && this.#length <= limit) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (!this.#complete || this.#length > limit) return null
    return Buffer.concat(this.#chunks, this.#length)
  }
}
