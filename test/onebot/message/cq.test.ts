import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { parseCq, printCq } from '../../../lib/onebot/message/cq.ts'
import { worked } from '../../support/waits.ts'

const text = (said: string): OneBotSegment => ({ type: 'text', data: { text: said } })
const code = (type: string, data: Readonly<Record<string, unknown>> = {}): OneBotSegment => ({ type, data })

/** What is hard about CQ text, and anything else. */
const fragment = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('[', ']', ',', '=', '&', '&amp;', '&#91;', '&#93;', '&#44;', '#', ';', 'CQ:', '[CQ:', 'face', 'id'),
)
const said = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''))
const name = fc.stringMatching(/^[\w.-]{1,12}$/)

/** Text that is not empty, and codes whose values are not, either. */
const segments = fc
  .array(
    fc.oneof(
      said.filter((one) => one !== '').map(text),
      fc
        .tuple(
          name.filter((type) => type !== 'text'),
          fc.dictionary(
            name,
            said.filter((one) => one !== ''),
          ),
        )
        .map(([type, data]) => code(type, data)),
    ),
    { maxLength: 8 },
  )
  // Nothing tells two texts in a row from one.
  .map((all) => all.filter((one, i) => one.type !== 'text' || all[i - 1]?.type !== 'text'))

describe('CQ text', () => {
  it.each<[string, readonly OneBotSegment[]]>([
    ['', []],
    ['tea', [text('tea')]],
    ['[CQ:face,id=178]', [code('face', { id: '178' })]],
    ['[CQ:shake]', [code('shake')]],
    ['a[CQ:face,id=1]b', [text('a'), code('face', { id: '1' }), text('b')]],
    ['[CQ:face,id=1][CQ:face,id=2]', [code('face', { id: '1' }), code('face', { id: '2' })]],
    ['[CQ:at,qq=all] tea', [code('at', { qq: 'all' }), text(' tea')]],
    ['[CQ:image,file=http://h/a?b=c&amp;d=e,cache=0]', [code('image', { file: 'http://h/a?b=c&d=e', cache: '0' })]],
    ['[CQ:x,a=1,a=2]', [code('x', { a: '2' })]],
    ['[CQ:share,title=two  cups\nof tea]', [code('share', { title: 'two  cups\nof tea' })]],
    ['[CQ:a-b.c_9,x-y.z_0=1]', [code('a-b.c_9', { 'x-y.z_0': '1' })]],
    ['[CQ:text,text=a&#44;b]', [text('a,b')]],
    ['[CQ:text]', [text('')]],
  ])('%j is %j', (given, expected) => {
    expect(parseCq(given)).toEqual(expected)
  })

  it.each([
    '[CQ:face, id=1]',
    '[CQ: face,id=1]',
    '[CQ:face ,id=1]',
    '[CQ:face,id =1]',
    '[ CQ:face,id=1]',
    '[cq:face,id=1]',
    '[CQ:]',
    '[CQ:,id=1]',
    '[CQ:face,]',
    '[CQ:face,id]',
    '[CQ:face,=1]',
    '[CQ:face,i/d=1]',
    '[CQ:fäce,id=1]',
    '[CQ:image,file=x',
    '[CQ:image,file=x[',
    '[CQ:image',
    '[CQ:',
    'CQ:face,id=1]',
  ])('%j is no code, but text', (given) => {
    expect(parseCq(given)).toEqual([text(given)])
  })

  it('has codes inside of what is none', () => {
    expect(parseCq('[CQ:image,file=[CQ:face,id=1]')).toEqual([text('[CQ:image,file='), code('face', { id: '1' })])
    expect(parseCq('[[CQ:face,id=1]]')).toEqual([text('['), code('face', { id: '1' }), text(']')])
  })

  it('leaves out values that are empty, read or written', () => {
    expect(parseCq('[CQ:face,id=,x=1]')).toEqual([code('face', { x: '1' })])
    expect(printCq([code('face', { id: '', x: '1', gone: null, never: undefined })])).toBe('[CQ:face,x=1]')
  })

  it('writes numbers, flags, and what has parts', () => {
    const given = [code('x', { n: 0, on: false, parts: { a: [1, '2'] } })]
    expect(printCq(given)).toBe('[CQ:x,n=0,on=false,parts={"a":&#91;1&#44;"2"&#93;}]')
    expect(parseCq(printCq(given))).toEqual([code('x', { n: '0', on: 'false', parts: '{"a":[1,"2"]}' })])
  })

  it('leaves out keys that would break it', () => {
    expect(printCq([code('x', { 'a,b': 1, 'a=b': 1, 'a]': 1, ' a': 1, '': 1, 'ok': 1 })])).toBe('[CQ:x,ok=1]')
  })

  it('has keys that are words of the language', () => {
    const [first] = parseCq('[CQ:x,__proto__=1,constructor=2,toString=3]')
    expect(Object.entries(first?.data ?? {})).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['toString', '3'],
    ])
    expect(Object.getPrototypeOf(first?.data)).toBe(Object.prototype)
  })

  it('writes each key that it reads', () => {
    const given = `[CQ:x,${'k'.repeat(64)}=1]`
    expect(printCq(parseCq(given))).toBe(given)
    // One that is longer is none.
    expect(parseCq(`[CQ:x,${'k'.repeat(65)}=1]`)).toMatchObject([{ type: 'text' }])
  })

  it('onebot trap 16: &amp; is decoded last, and encoded first', () => {
    expect(parseCq('&amp;#91;')).toEqual([text('&#91;')])
    expect(parseCq('[CQ:x,a=&amp;#44;&amp;amp;]')).toEqual([code('x', { a: '&#44;&amp;' })])
    expect(printCq([text('&[]')])).toBe('&amp;&#91;&#93;')
    expect(printCq([text('&#91;')])).toBe('&amp;#91;')
    expect(printCq([code('x', { a: '&#44;' })])).toBe('[CQ:x,a=&amp;#44;]')
  })

  it('onebot trap 17: a comma of text stays, that of a value does not', () => {
    expect(printCq([text('a,b'), code('x', { a: 'a,b' })])).toBe('a,b[CQ:x,a=a&#44;b]')
    expect(parseCq('a,b&#44;c[CQ:x,a=a&#44;b]')).toEqual([text('a,b,c'), code('x', { a: 'a,b' })])
  })

  it('says again what it was made of', () => {
    fc.assert(
      fc.property(segments, (given) => {
        expect(parseCq(printCq(given))).toEqual(given)
      }),
    )
  })

  it('is the same once it was read and written', () => {
    fc.assert(
      fc.property(said, (given) => {
        const once = printCq(parseCq(given))
        expect(printCq(parseCq(once))).toBe(once)
        expect(parseCq(once)).toEqual(parseCq(given).filter(({ type, data }) => type !== 'text' || data['text'] !== ''))
      }),
    )
  })

  it('hides any text', () => {
    fc.assert(
      fc.property(said, (given) => {
        expect(parseCq(printCq([text(given)]))).toEqual(given === '' ? [] : [text(given)])
      }),
    )
  })

  it.each([
    ['codes that are not closed', '[CQ:a,b='],
    ['what only begins', '[CQ:'],
    ['brackets', '['],
    ['values that are not closed', ',b=c'],
    ['keys without values', ',bbbbbbbb'],
    ['escapes', '&amp;'],
    ['codes', '[CQ:a,b=c]'],
  ])('takes time by its length: %s', (_what, part) => {
    const time = (count: number): number => {
      const given = `[CQ:a${part.repeat(count)}`
      const before = worked()
      parseCq(given)
      return worked() - before
    }
    time(1000)
    const short = Math.min(...[1, 2, 3].map(() => time(100_000)))
    const long = Math.min(...[1, 2, 3].map(() => time(400_000)))
    // Four times as long; with squares it would be sixteen. What is too quick to be measured is quick.
    expect(long).toBeLessThan(Math.max(10 * short, 50))
  })
})
