// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import { FIN } from '../../rfc6455.ts'
import { applyMask } from './mask.ts'

/** RFC 6455 §5.2: frames as they go out. A client masks them, a server does not. */

/** The first byte of a frame that ends its message, and of one that does not. */
export const firstByte = (opcode: number, fin: boolean): number => (fin ? opcode | FIN : opcode)

/** Bytes of a whole frame. */
export const frameSize = (length: number, masked: boolean): number =>
  length + (length < 126 ? 2 : length < 65536 ? 4 : 10) + (masked ? 4 : 0)

/** Writes a frame with a payload of `length` bytes at `offset`, which must have room; returns the offset behind it. */
export function writeFrame(
  out: Buffer,
  offset: number,
  data: string | Uint8Array,
  length: number,
  first: number,
  masked: boolean,
): number {
  out[offset] = first
  const maskBit = masked ? 0x80 : 0
  let at = offset + 2
  if (length < 126) {
    out[offset + 1] = maskBit | length
  } else if (length < 65536) {
    out[offset + 1] = maskBit | 126
    at = out.writeUInt16BE(length, at)
  } else {
    out[offset + 1] = maskBit | 127
    at = out.writeUInt32BE(Math.floor(length / 0x1_0000_0000), at)
    at = out.writeUInt32BE(length % 0x1_0000_0000, at)
  }
  const mask = masked ? nextMask() : 0
  if (masked) at = out.writeInt32LE(mask, at)

  if (typeof data !== 'string') out.set(data, at)
  // As many bytes as UTF-16 units: plain ASCII, which is quicker to copy than to encode.
  else out.write(data, at, length, data.length === length ? 'latin1' : 'utf8')
  if (masked) applyMask(out, at, at + length, mask)
  return at + length
}

/** One frame in memory of its own. */
export function toFrame(data: string | Uint8Array, length: number, first: number, masked: boolean): Buffer {
  const frame = Buffer.allocUnsafe(frameSize(length, masked))
  writeFrame(frame, 0, data, length, first, masked)
  return frame
}

/** The payload of a Close frame (§5.5.1); status 0 for none. */
export function closePayload(status: number, reason: string): Buffer {
  if (status === 0) return Buffer.alloc(0)
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(status, 0)
  payload.write(reason, 2)
  return payload
}

/** Keys must be unpredictable (§5.3); drawn from the system a thousand at a time. */
const masks = new Int32Array(1024)
let masksUsed = masks.length

function nextMask(): number {
  if (masksUsed === masks.length) {
    randomFillSync(masks)
    masksUsed = 0
  }
  return masks[masksUsed++]!
}
