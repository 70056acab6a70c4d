/** Frames as a peer may send them, well-formed or not. */

export interface FrameSpec {
  opcode: number
  payload?: string | Buffer
  fin?: boolean
  /** RSV bits as in the first byte: 0x40, 0x20, 0x10. */
  rsv?: number
  /** Default: a fixed key, as a client masks. Null: not masked. */
  mask?: readonly [number, number, number, number] | null
  /** Bits of the length field, whatever the length needs. */
  lengthBits?: 7 | 16 | 64
  /** The length that the header tells, when it lies. */
  length?: bigint
}

const MASK = [0x37, 0xfa, 0x21, 0x3d] as const

export function frame({
  opcode,
  payload = '',
  fin = true,
  rsv = 0,
  mask = MASK,
  lengthBits,
  length,
}: FrameSpec): Buffer {
  const body = Buffer.from(payload)
  const told = length ?? BigInt(body.length)
  const bits = lengthBits ?? (told < 126n ? 7 : told < 65536n ? 16 : 64)
  const maskBit = mask === null ? 0 : 0x80
  const size = Buffer.alloc(bits === 7 ? 0 : bits / 8)
  if (bits === 16) size.writeUInt16BE(Number(told))
  if (bits === 64) size.writeBigUInt64BE(told)
  const short = bits === 7 ? Number(told) : bits === 16 ? 126 : 127
  const head = Buffer.from([(fin ? 0x80 : 0) | rsv | opcode, maskBit | short])
  if (mask !== null) for (let i = 0; i < body.length; i++) body[i]! ^= mask[i & 3]!
  return Buffer.concat([head, size, Buffer.from(mask ?? []), body])
}

export const text = (payload: string | Buffer, fin = true): Buffer => frame({ opcode: 1, payload, fin })
export const binary = (payload: Buffer, fin = true): Buffer => frame({ opcode: 2, payload, fin })
export const cont = (payload: string | Buffer, fin: boolean): Buffer => frame({ opcode: 0, payload, fin })
export const ping = (payload: string | Buffer = ''): Buffer => frame({ opcode: 9, payload })
export const pong = (payload: string | Buffer = ''): Buffer => frame({ opcode: 10, payload })

/** The payload of a Close frame. */
export function closeBody(status?: number, reason: string | Buffer = ''): Buffer {
  if (status === undefined) return Buffer.alloc(0)
  const code = Buffer.alloc(2)
  code.writeUInt16BE(status)
  return Buffer.concat([code, Buffer.from(reason)])
}

export const close = (status?: number, reason: string | Buffer = ''): Buffer =>
  frame({ opcode: 8, payload: closeBody(status, reason) })

/** The same frame as a server sends it. */
export const reply = (spec: FrameSpec): Buffer => frame({ ...spec, mask: null })
export const closeReply = (status?: number, reason: string | Buffer = ''): Buffer =>
  reply({ opcode: 8, payload: closeBody(status, reason) })

export interface Frame {
  fin: boolean
  opcode: number
  payload: Buffer
}

/** Splits what one end has sent into frames, `most` of them; the rest is what is behind, or not complete. */
export function readFrames(bytes: Buffer, most = Infinity): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= 2 && frames.length < most) {
    const short = bytes[at + 1]! & 0x7f
    const masked = (bytes[at + 1]! & 0x80) !== 0
    const sizeBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    const head = at + 2 + sizeBytes + (masked ? 4 : 0)
    if (bytes.length < head) break
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
    if (bytes.length < head + length) break
    const payload = Buffer.from(bytes.subarray(head, head + length))
    if (masked) for (let i = 0; i < length; i++) payload[i]! ^= bytes[head - 4 + (i & 3)]!
    frames.push({ fin: (bytes[at]! & 0x80) !== 0, opcode: bytes[at]! & 0x0f, payload })
    at = head + length
  }
  return { frames, rest: bytes.subarray(at) }
}
