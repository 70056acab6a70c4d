import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Utf8Validator } from '../../../lib/engine/node/utf8.ts'

/** A fatal streaming decoder of the platform: the reference. */
function reference(chunks: readonly Uint8Array[]): { failed: number; complete: boolean } {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (const [i, chunk] of chunks.entries()) {
    try {
      decoder.decode(chunk, { stream: true })
    } catch {
      return { failed: i, complete: false }
    }
  }
  try {
    decoder.decode()
    return { failed: -1, complete: true }
  } catch {
    return { failed: -1, complete: false }
  }
}

function ours(chunks: readonly Uint8Array[]): { failed: number; complete: boolean } {
  const utf8 = new Utf8Validator()
  const failed = chunks.findIndex((chunk) => !utf8.push(chunk))
  return { failed, complete: failed === -1 && utf8.complete }
}

describe('Utf8Validator', () => {
  it('agrees with the platform on every sequence of up to three bytes of interest', () => {
    const bytes = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
      0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ]
    let checked = 0
    for (const a of bytes) {
      for (const b of bytes) {
        for (const c of bytes) {
          for (const tail of [[], [0x80], [0xbf], [0x41]]) {
            const chunks = [a, b, c, ...tail].map((byte) => Uint8Array.of(byte))
            expect(ours(chunks)).toEqual(reference(chunks))
            checked++
          }
        }
      }
    }
    expect(checked).toBe(bytes.length ** 3 * 4)
  })

  it('agrees with the platform on any text, spoilt or not, however it is cut: at the same chunk', () => {
    const spoilt = fc
      .tuple(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.array(fc.tuple(fc.nat(160), fc.nat(255)), { maxLength: 2 }),
      )
      .map(([text, changes]) => {
        const bytes = Buffer.from(text)
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte
        return bytes
      })
    fc.assert(
      fc.property(spoilt, fc.array(fc.nat(160), { maxLength: 6 }), (bytes, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length]
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
        expect(ours(chunks)).toEqual(reference(chunks))
      }),
      { numRuns: 3000 },
    )
  })
})
