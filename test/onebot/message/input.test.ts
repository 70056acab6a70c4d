import { describe, expect, it } from 'vitest'
import { Failure } from '../../../lib/onebot/failure.ts'
import { numberOf, textOf, toSegments } from '../../../lib/onebot/message/input.ts'

const text = (said: string) => ({ type: 'text', data: { text: said } })
const face = (id: unknown) => ({ type: 'face', data: { id } })

/** What is wrong with it, and with what code. */
function wrong(given: unknown, plain = false): string {
  try {
    toSegments(given, plain)
  } catch (error) {
    if (error instanceof Failure) return `${error.retcode} ${error.message}`
    throw error
  }
  return ''
}

describe('a message as clients say it', () => {
  it('is CQ text, a list of segments, or one', () => {
    expect(toSegments('a[CQ:face,id=1]')).toEqual([text('a'), face('1')])
    expect(toSegments([text('a'), face(1)])).toEqual([text('a'), face(1)])
    expect(toSegments(face(1))).toEqual([face(1)])
    expect(toSegments([])).toEqual([])
    expect(toSegments('')).toEqual([])
  })

  it('may be a number, or a flag: both are text', () => {
    expect(toSegments(5)).toEqual([text('5')])
    expect(toSegments(false)).toEqual([text('false')])
  })

  it('onebot trap 15: text of a segment is never decoded, a string is unless it is meant as it stands', () => {
    const said = '[CQ:at,qq=1]&amp;'
    expect(toSegments([text(said)])).toEqual([text(said)])
    expect(toSegments(text(said))).toEqual([text(said)])
    expect(toSegments(said)).toEqual([{ type: 'at', data: { qq: '1' } }, text('&')])
    expect(toSegments(said, true)).toEqual([text(said)])
    expect(toSegments('', true)).toEqual([])
    // It is for strings alone.
    expect(toSegments([face(1)], true)).toEqual([face(1)])
  })

  it('has no data where that is missing, or null', () => {
    expect(toSegments([{ type: 'shake' }, { type: 'shake', data: null }])).toEqual([
      { type: 'shake', data: {} },
      { type: 'shake', data: {} },
    ])
  })

  it('keeps what a segment has, and nothing beside it', () => {
    const data = { a: { b: [1] }, c: null }
    expect(toSegments([{ type: 'x', data, more: 1 }])).toEqual([{ type: 'x', data }])
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['nothing', undefined],
    ['a list of text', ['a']],
    ['a list of null', [null]],
    ['a list in a list', [[text('a')]]],
    ['no type', [{ data: {} }]],
    ['a type that is none', [{ type: 5, data: {} }]],
    ['an empty type', [{ type: '', data: {} }]],
    ['a type with a space', [{ type: 'a b', data: {} }]],
    ['a type that ends a code', [{ type: 'a]b', data: {} }]],
    ['a type with a line behind it', [{ type: 'a\n', data: {} }]],
    ['a type that is too long', [{ type: 'a'.repeat(65), data: {} }]],
    ['data that is text', [{ type: 'text', data: 'a' }]],
    ['data that is a list', [{ type: 'text', data: ['a'] }]],
  ])('is refused: %s', (_what, given) => {
    expect(wrong(given)).toMatch(/^1400 message: /)
  })

  it('has a thousand segments at most', () => {
    const many = (count: number): unknown[] => Array.from({ length: count }, () => face(1))
    expect(toSegments(many(1000))).toHaveLength(1000)
    expect(wrong(many(1001))).toBe('1400 message: 1000 segments at most')
    expect(wrong('[CQ:face,id=1]'.repeat(1001))).toBe('1400 message: 1000 segments at most')
    expect(wrong('[CQ:face,id=1]'.repeat(1001), true)).toBe('')
  })

  it('is counted before what is in it is looked at', () => {
    expect(wrong(Array(1001).fill(null))).toBe('1400 message: 1000 segments at most')
  })
})

describe('a field of a segment', () => {
  const segment = {
    type: 'x',
    data: { empty: '', word: 'a', zero: 0, off: false, big: 12, text: '34', bad: '5x', list: [1], none: null },
  }

  it('is text, under the first name that has some', () => {
    expect(textOf(segment, 'word')).toBe('a')
    expect(textOf(segment, 'empty', 'gone', 'none', 'list', 'word')).toBe('a')
    expect(textOf(segment, 'zero')).toBe('0')
    expect(textOf(segment, 'off')).toBe('false')
    for (const name of ['empty', 'gone', 'none', 'list', 'toString', 'constructor'])
      expect(textOf(segment, name)).toBe('')
  })

  it('is a number, or the text of one', () => {
    expect(numberOf(segment, 'big')).toBe(12)
    expect(numberOf(segment, 'text')).toBe(34)
    expect(numberOf(segment, 'zero')).toBe(0)
    for (const name of ['bad', 'word', 'empty', 'gone', 'list', 'off']) expect(numberOf(segment, name)).toBeNull()
    expect(numberOf({ type: 'x', data: { n: 1.5 } }, 'n')).toBeNull()
    expect(numberOf({ type: 'x', data: { n: 1e21 } }, 'n')).toBeNull()
  })
})
