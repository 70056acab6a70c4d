// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
/** What can be sent: text, or bytes. */
export type Payload = string | Uint8Array

/** Accepts what callers may send; null for anything else. Bytes are not copied. */
export function toPayload(data: unknown): Payload | null {
  if (typeof data === 'string' || data instanceof Uint8Array) return data
  return data instanceof ArrayBuffer ? new Uint8Array(data) : null
}

/** Bytes on the wire. */
export const payloadLength = (payload: Payload): number =>
  typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length

/** Bytes at the end of valid UTF-8 text that begin a sequence and do not finish it: 0 to 3. */
export function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0
  }
  return 0
}

/** The greatest end of a part of at most `limit` bytes that does not fall inside a UTF-8 sequence. */
export const codePointEnd = (bytes: Uint8Array, limit: number): number =>
  limit >= bytes.length ? bytes.length : limit - unfinished(bytes.subarray(0, limit))

/** Cuts text to at most `limit` bytes, on a code point boundary. */
export function truncate(text: string, limit: number): string {
  const bytes = Buffer.from(text)
  return bytes.length <= limit ? text : bytes.toString('utf8', 0, codePointEnd(bytes, limit))
}
