import { endianness } from 'node:os'

/** From here on a typed array over four bytes at a time pays for its creation. */
const WIDE = 64
const LITTLE_ENDIAN = endianness() === 'LE'

/**
 * Masks or unmasks `bytes[start, end)` in place (RFC 6455 §5.3). `mask` holds the key as a little-endian number, turned
 * so that its lowest byte belongs to `start`.
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, mask: number): void {
  let i = start
  let key = mask
  if (LITTLE_ENDIAN && end - start >= WIDE) {
    const offset = (bytes.byteOffset + i) & 3
    if (offset !== 0) {
      const head = i + 4 - offset
      maskBytes(bytes, i, head, key)
      key = turnMask(key, 4 - offset)
      i = head
    }
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, (end - i) >> 2)
    for (let word = 0; word < words.length; word++) words[word]! ^= key
    i += words.length << 2
  }
  maskBytes(bytes, i, end, key)
}

function maskBytes(bytes: Uint8Array, start: number, end: number, mask: number): void {
  for (let i = start, shift = 0; i < end; i++, shift = (shift + 8) & 31) bytes[i]! ^= mask >>> shift
}

/** The key as it stands after `count` more bytes. */
export function turnMask(mask: number, count: number): number {
  const shift = (count & 3) << 3
  return shift === 0 ? mask : (mask >>> shift) | (mask << (32 - shift))
}
