import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyMask, turnMask } from '../../../lib/engine/node/mask.ts'

it('masks any range of any buffer as RFC 6455 §5.3 has it, at any alignment', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.nat(400),
      fc.nat(400),
      fc.nat(7),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      (data, a, b, shift, key) => {
        const start = Math.min(a, b, data.length)
        const end = Math.min(Math.max(a, b), data.length)
        const memory = new Uint8Array(data.length + 8)
        memory.set(data, shift)
        const bytes = memory.subarray(shift, shift + data.length)
        const expected = Uint8Array.from(data, (byte, i) =>
          i >= start && i < end ? byte ^ key[(i - start) & 3]! : byte,
        )
        applyMask(bytes, start, end, Buffer.from(key).readInt32LE(0))
        expect(bytes).toEqual(expected)
      },
    ),
    { numRuns: 2000 },
  )
})

it('masking in two steps with a turned key is masking in one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.integer(), (data, cut, key) => {
      const at = Math.min(cut, data.length)
      const once = Uint8Array.from(data)
      const twice = Uint8Array.from(data)
      applyMask(once, 0, data.length, key)
      applyMask(twice, 0, at, key)
      applyMask(twice, at, data.length, turnMask(key, at))
      expect(twice).toEqual(once)
    }),
  )
})
