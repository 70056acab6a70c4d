import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Digits } from '../../../lib/onebot/media/digits.ts'

const into = Buffer.alloc(1_048_576)
const decode = (text: string): Buffer | null => new Digits(Buffer.from(text)).decode(into)

describe('digits of base64', () => {
  it.each([1, 2, 3, 4, 36_863, 36_864, 36_865, 49_152, 100_000, 1_048_576])(
    'are the %i bytes that they stand for',
    (size) => {
      const bytes = randomBytes(size)
      for (const text of [
        bytes.toString('base64'),
        bytes.toString('base64url'),
        bytes.toString('base64').replace(/=+$/, ''),
      ]) {
        expect(decode(text)?.equals(bytes)).toBe(true)
      }
    },
  )

  it.each([
    ['space in it', 'Zm9n Zm9n'],
    ['something in front', 'base64://Zm9n'],
    ['a sign that is none', 'Zm9n%m9n'],
    ['padding in the middle', 'Zg==Zm9n'],
    ['a digit too much', 'Zm9nZ'],
    ['more than there is room for', Buffer.alloc(1_048_577).toString('base64')],
    ['more than there is room for, where that is cut', 'Zm9n'.repeat(400_000)],
  ])('are not read here with %s', (_name, text) => {
    expect(decode(text)).toBeNull()
  })

  it('are text where that is wanted', () => {
    expect(String(new Digits(Buffer.from('Zm9n')))).toBe('Zm9n')
  })
})
