import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toPlain } from '../../../lib/onebot/message/plain.ts'

const PEOPLE = new Map([
  [20_001, 'robo'],
  [30_001, 'mira'],
])
const plain = (...segments: readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[]) =>
  toPlain(segments, (id) => PEOPLE.get(id) ?? null)
const text = (said: string) => ({ type: 'text', data: { text: said } })
const at = (qq: unknown, data = {}) => ({ type: 'at', data: { qq, ...data } })

describe('a message for who reads nothing but text', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['text', { text: 'tea' }, 'tea'],
    ['text', {}, ''],
    ['tts', { text: 'tea' }, 'tea'],
    ['markdown', { content: '*tea*' }, '*tea*'],
    ['face', { id: 178 }, '[face 178]'],
    ['image', { file: 'a.png', url: 'http://secret/' }, '[image]'],
    ['cardimage', { file: 'a.png' }, '[image]'],
    ['mface', { summary: '[wave]' }, '[wave]'],
    ['mface', {}, '[sticker]'],
    ['record', { file: 'a' }, '[voice]'],
    ['video', { file: 'a' }, '[video]'],
    ['file', { file: 'id', name: 'menu.pdf' }, '[file: menu.pdf]'],
    ['file', { file: 'menu.pdf' }, '[file: menu.pdf]'],
    ['reply', { id: 5 }, ''],
    ['rps', { result: '1' }, '[rock]'],
    ['rps', { result: '3' }, '[paper]'],
    ['rps', { result: '9' }, '[rps]'],
    ['dice', { result: 6 }, '[dice 6]'],
    ['share', { title: 'Tea', url: 'http://tea/' }, '[Tea http://tea/]'],
    ['share', { url: 'http://tea/' }, '[http://tea/]'],
    ['location', { lat: '1.5', lon: '2' }, '[location 1.5, 2]'],
    ['location', { lat: 1, lon: 2, title: 'Tea room' }, '[location Tea room]'],
    ['music', { type: 'qq', id: 7 }, '[music 7]'],
    ['music', { type: 'custom', title: 'Tea song' }, '[music Tea song]'],
    ['contact', { type: 'qq', id: 7 }, '[contact 7]'],
    ['forward', { id: 'x' }, '[forwarded messages]'],
    ['xml', { data: '<x/>' }, '[card]'],
    ['json', { data: '{}' }, '[card]'],
    ['teapot', { a: 1 }, '[teapot]'],
    ['hologram', {}, '[hologram]'],
  ])('%s of %j is %j', (type, data, expected) => {
    expect(plain({ type, data })).toBe(expected)
  })

  it('calls people by their names, and everyone', () => {
    expect(plain(at('30001'))).toBe('@mira')
    expect(plain(at(30_001, { name: 'somebody else' }))).toBe('@mira')
    expect(plain({ type: 'at', data: { target: '30001' } })).toBe('@mira')
    expect(plain(at('all'))).toBe('@everyone')
  })

  it('calls who is not known as the segment does, or by the number', () => {
    expect(plain(at(9, { name: 'kettle' }))).toBe('@kettle')
    expect(plain(at(9, { name: '@kettle' }))).toBe('@kettle')
    expect(plain(at(9))).toBe('@9')
  })

  it('has names as words of their own', () => {
    expect(plain(text('hi'), at(30_001), text('tea?'))).toBe('hi @mira tea?')
    expect(plain(text('hi '), at(30_001), text(' tea?'))).toBe('hi @mira tea?')
    expect(plain(at(30_001), at(20_001))).toBe('@mira @robo')
    expect(plain(at(30_001), text(''), text('tea'))).toBe('@mira tea')
  })

  it('has nothing else between what is next to each other', () => {
    expect(plain(text('a'), text('b'), { type: 'image', data: {} }, text('c'))).toBe('ab[image]c')
  })

  it('can be said of anything', () => {
    const type = fc.string().filter((one) => !(one in Object.prototype))
    fc.assert(
      fc.property(fc.array(fc.record({ type, data: fc.dictionary(fc.string(), fc.jsonValue()) })), (given) => {
        expect(typeof plain(...given)).toBe('string')
      }),
    )
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])(
    'knows no type by a word of the language: %s',
    (type) => {
      expect(plain({ type, data: {} })).toBe(`[${type}]`)
    },
  )
})
