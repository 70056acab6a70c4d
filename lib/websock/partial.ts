import { FRAME_END, MESSAGE_END, PIECE, type PieceEnd } from '../engine/port.ts'
import { Collector } from './collector.ts'
import { unfinished } from './payload.ts'

/** A part of text must have room for one whole code point. */
const MIN_TEXT_PART = 4

/** Takes one part; false: no more are wanted. `owned`: the bytes stay valid after the call. */
export type PartSink = (part: Buffer, last: boolean, binary: boolean, owned: boolean) => boolean

/**
 * Cuts a message into the parts of partial mode: a part ends with a frame, or after `maxFrame` bytes of one, as soon as
 * it is clear that it is not the last. In text, cuts move down to a code point boundary, and what a frame leaves of a
 * code point (3 bytes at most) goes in front of the next part. Parts that would be empty are not made, but for the last.
 */
export class Slicer {
  readonly #rest = new Collector()
  readonly #sink: PartSink

  constructor(sink: PartSink) {
    this.#sink = sink
  }

  /** `announced`: how many bytes of the current frame are still to come. `limit` 0: cut at frames only. */
  push(bytes: Buffer, binary: boolean, end: PieceEnd, announced: number, limit: number, text: boolean): void {
    const max = limit === 0 ? Infinity : text ? Math.max(limit, MIN_TEXT_PART) : limit
    const rest = this.#rest
    let data = bytes
    const isFull = (length: number): boolean => length > max || (length === max && end === PIECE)

    // The limit was lowered inside this message.
    if (rest.length > max) data = Buffer.concat([rest.take(), data])
    while (isFull(rest.length + data.length)) {
      const owned = rest.length > 0
      let part = data.subarray(0, max - rest.length)
      data = data.subarray(part.length)
      if (owned) {
        rest.append(part, 0)
        part = rest.take()
      }
      const cut = part.length - (text ? unfinished(part) : 0)
      if (!this.#sink(part.subarray(0, cut), false, binary, owned)) return
      rest.append(part.subarray(cut), Math.min(data.length + announced, max))
    }

    if (end === PIECE) {
      rest.append(data, Math.min(announced, max))
      return
    }
    const owned = rest.length > 0
    if (owned) {
      rest.append(data, 0)
      data = rest.take()
    }
    const cut = data.length - (text && end === FRAME_END ? unfinished(data) : 0)
    if (end === MESSAGE_END) this.#sink(data, true, binary, owned)
    else if (cut === 0 || this.#sink(data.subarray(0, cut), false, binary, owned)) rest.append(data.subarray(cut), 0)
  }
}
