import { isUtf8 } from 'node:buffer'

/** Bytes of the sequence that a lead byte begins; 0 for what cannot begin one. RFC 3629 §4. */
const sequenceLength = (lead: number): number =>
  lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80

/** Whether `second` may follow `lead`: this is where overlong forms, surrogates and what lies beyond U+10FFFF end. */
function isSecond(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0 && second <= 0xbf
  if (lead === 0xed) return second >= 0x80 && second <= 0x9f
  if (lead === 0xf0) return second >= 0x90 && second <= 0xbf
  if (lead === 0xf4) return second >= 0x80 && second <= 0x8f
  return isContinuation(second)
}

/**
 * Checks text that arrives in pieces and fails at the first byte that no continuation can make valid (RFC 6455 §8.1).
 * Keeps the bytes of one unfinished sequence, three at most, in a number.
 */
export class Utf8Validator {
  /** Bytes of the unfinished sequence, first byte highest; `#have` of `#need`. */
  #lead = 0
  #have = 0
  #need = 0

  /** Whether the text so far ends with a whole code point. */
  get complete(): boolean {
    return this.#have === 0
  }

  reset(): void {
    this.#have = 0
  }

  /** False when the text is invalid, whatever may follow. */
  push(bytes: Uint8Array): boolean {
    let start = 0
    while (this.#have > 0 && start < bytes.length) {
      if (!this.#next(bytes[start++]!)) return false
    }
    const end = tailStart(bytes, start)
    if (end > start && !isUtf8(bytes.subarray(start, end))) return false
    for (let i = end; i < bytes.length; i++) {
      if (!this.#next(bytes[i]!)) return false
    }
    return true
  }

  #next(byte: number): boolean {
    if (this.#have === 0) {
      this.#lead = byte
      this.#need = sequenceLength(byte)
      if (this.#need === 0) return false
    } else if (this.#have === 1 ? !isSecond(this.#lead, byte) : !isContinuation(byte)) {
      return false
    }
    if (++this.#have === this.#need) this.#have = 0
    return true
  }
}

/** Where the last sequence starts if the end of `bytes` may cut it off; else the end. */
function tailStart(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  for (let i = length - 1; i >= start && length - i <= 3; i--) {
    const byte = bytes[i]!
    if (isContinuation(byte)) continue
    return sequenceLength(byte) > length - i ? i : length
  }
  return length
}
