/** Bytes at once: as text they stay among what is young, and goes soon. */
const PIECE = 49_152

const EQUALS = 0x3d

/** A part of a file in base64, as its frame has it: good as long as that is there. */
export class Digits {
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  toString(): string {
    return this.#bytes.toString('latin1')
  }

  /** Null where there is no room, or there is something else in it. */
  decode(into: Buffer): Buffer | null {
    const bytes = this.#bytes
    const padding = bytes.at(-1) !== EQUALS ? 0 : bytes.at(-2) !== EQUALS ? 1 : 2
    const digits = bytes.length - padding
    const size = Math.floor((digits * 3) / 4)
    if (size > into.length || digits % 4 === 1) return null
    let length = 0
    for (let at = 0; at < digits; at += PIECE) {
      length += into.write(bytes.toString('latin1', at, at + PIECE), length, 'base64')
    }
    return length === size ? into.subarray(0, length) : null
  }
}
