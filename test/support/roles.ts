/** Frames with the roles swapped: what a client sends, as a server would, and the other way round. */

const MASK = Buffer.of(0x37, 0xfa, 0x21, 0x3d)

/**
 * The same frames, masked where they were not and the other way round; everything else of a header stays, well-formed or
 * not. A frame that is cut off, or announces more than there is, ends with what there is.
 */
export function swapRoles(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(bytes, at)
    const head = Buffer.from(bytes.subarray(at, at + frame.head))
    head[1]! ^= 0x80
    const payload = bytes.subarray(frame.start, frame.end)
    parts.push(head, ...(frame.mask === null ? [MASK, apply(payload, MASK)] : [apply(payload, frame.mask)]))
    at = frame.end
  }
  return Buffer.concat(parts)
}

/** The masking keys of frames; null where a frame has none. */
export function masksOf(bytes: Buffer): (Buffer | null)[] {
  const masks: (Buffer | null)[] = []
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(bytes, at)
    masks.push(frame.mask)
    at = frame.end
  }
  return masks
}

/** RFC 6455 §5.2; `head` is what comes before the masking key. */
function frameAt(bytes: Buffer, at: number): { head: number; mask: Buffer | null; start: number; end: number } {
  const short = bytes[at + 1]! & 0x7f
  const head = 2 + (short === 127 ? 8 : short === 126 ? 2 : 0)
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
  const masked = (bytes[at + 1]! & 0x80) !== 0
  const start = at + head + (masked ? 4 : 0)
  return {
    head,
    mask: masked ? bytes.subarray(start - 4, start) : null,
    start,
    end: Math.min(start + length, bytes.length),
  }
}

function apply(payload: Buffer, mask: Buffer): Buffer {
  const out = Buffer.from(payload)
  for (let i = 0; i < out.length; i++) out[i]! ^= mask[i & 3]!
  return out
}
