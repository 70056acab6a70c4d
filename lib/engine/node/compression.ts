import { Buffer } from 'node:buffer'
import { deflate, type Fault, inflate, NO_WINDOW, slide } from './deflate.ts'
import { type Compression, MAX_BITS } from '../extensions.ts'

/** Compression of what a connection receives: collects frames, and keeps what later messages may refer to. */
export class Inflater {
  readonly #takeover: boolean
  readonly #limit: () => number
  #window = NO_WINDOW
  /** The message so far. */
  #collected: Buffer | null = null
  #length = 0

  /** `limit`: bytes of the longest message, 0: any; asked for each, for it may change. */
  constructor({ takeoverIn }: Compression, limit: () => number) {
    this.#takeover = takeoverIn
    this.#limit = limit
  }

  /** Whether another frame may belong to a message that is not too long: what cannot be compressed gets a little longer. */
  fits(length: number): boolean {
    const limit = this.#limit()
    return limit === 0 || this.#length + length <= limit + limit / 256 + 1024
  }

  /** Keeps a copy of a piece that more will follow. */
  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length
    if (this.#collected === null || this.#collected.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#length))
      this.#collected?.copy(grown, 0, 0, this.#length)
      this.#collected = grown
    }
    this.#collected.set(bytes, this.#length)
    this.#length = needed
  }

  /** The message that `bytes` are the end of. */
  finish(bytes: Uint8Array): Buffer | Fault {
    let payload = bytes
    if (this.#collected !== null) {
      this.append(bytes)
      payload = this.#collected.subarray(0, this.#length)
      this.#collected = null
      this.#length = 0
    }
    const message = inflate(payload, this.#limit(), this.#window)
    if (this.#takeover && Buffer.isBuffer(message)) this.#window = slide(this.#window, message, MAX_BITS)
    return message
  }
}

/** Compression of what a connection sends. */
export class Deflater {
  readonly bits: number
  readonly #takeover: boolean
  #window = NO_WINDOW

  constructor({ bits, takeoverOut }: Compression) {
    this.bits = bits
    this.#takeover = takeoverOut
  }

  /** Null where it would not get shorter: then it is sent as it is, and no later message refers to it. */
  deflate(data: string | Uint8Array, length: number): Buffer | null {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const deflated = deflate(bytes, this.#window, this.bits)
    if (deflated.length >= length) return null
    this.note(bytes)
    return deflated
  }

  /** What was deflated elsewhere, and sent: the peer has it in its window. */
  note(data: Uint8Array): void {
    if (this.#takeover) this.#window = slide(this.#window, data, this.bits)
  }
}
