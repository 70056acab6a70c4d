import { describe, expect, it } from 'vitest'
import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { Failure, PlatformError } from '../../../lib/onebot/failure.ts'
import { prepare, type Unknown } from '../../../lib/onebot/message/outgoing.ts'

const make = (type: string, data: Readonly<Record<string, unknown>> = {}): OneBotSegment => ({ type, data })
const text = (said: string): OneBotSegment => make('text', { text: said })

/** Why it cannot be said. */
function why(given: readonly OneBotSegment[], unknown: Unknown = 'relay'): string {
  try {
    prepare(given, unknown)
  } catch (error) {
    if (error instanceof Failure) return `${error.retcode} ${error.message}`
    if (error instanceof PlatformError) return `1200 ${error.code}`
    throw error
  }
  return ''
}

describe('what a bot wants to say', () => {
  it.each(
    'text face image record video file at share contact location music xml json mface markdown tts cardimage'.split(
      ' ',
    ),
  )('is said as it is: %s', (type) => {
    const given = [make(type, { text: 'a', id: '1' })]
    expect(prepare(given, 'error')).toEqual({ segments: given, pokes: [] })
  })

  it('names a bundle that is there, without what is in it', () => {
    const said = make('forward', { id: 7, content: [text('a')], text: 'b' })
    expect(prepare([said], 'error')).toEqual({ segments: [make('forward', { id: '7' })], pokes: [] })
    for (const data of [{}, { content: [text('a')] }, { id: '' }]) {
      expect(why([text('a'), make('forward', data)])).toMatch(/^1400 message: a forward segment/)
    }
  })

  it.each(['anonymous', 'gift', 'miniapp', 'onlinefile', 'flashtransfer', 'keyboard', 'flash_file'])(
    'is dropped where nobody could see it: %s',
    (type) => {
      expect(prepare([make(type), text('a')], 'error').segments).toEqual([text('a')])
      expect(why([make(type)])).toBe('1200 EMPTY_MSG_ERROR')
    },
  )

  it('may be of types that nobody knows: said, dropped, or refused', () => {
    const given = [text('a'), make('hologram', { x: { y: 1 } })]
    expect(prepare(given, 'relay').segments).toEqual(given)
    expect(prepare(given, 'drop').segments).toEqual([text('a')])
    expect(why([make('hologram')], 'drop')).toBe('1200 EMPTY_MSG_ERROR')
    expect(why(given, 'error')).toMatch(/^1400 .*'hologram'/)
  })

  it.each(['constructor', 'toString', 'valueOf', '__proto__'])(
    'knows no type by a word of the language: %s',
    (type) => {
      expect(prepare([make(type), text('a')], 'drop').segments).toEqual([text('a')])
      expect(prepare([make(type)], 'relay').segments).toEqual([make(type)])
      expect(why([make(type)], 'error')).toMatch(/^1400 /)
    },
  )

  it('has one reply, the first, in front', () => {
    const [first, second] = [make('reply', { id: '1' }), make('reply', { id: '2' })]
    expect(prepare([text('a'), first, text('b'), second], 'relay').segments).toEqual([first, text('a'), text('b')])
  })

  it('is empty with nothing but a reply, or text that says nothing', () => {
    expect(why([])).toBe('1200 EMPTY_MSG_ERROR')
    expect(why([make('reply', { id: '1' })])).toBe('1200 EMPTY_MSG_ERROR')
    expect(why([text(''), make('text'), make('text', { text: null })])).toBe('1200 EMPTY_MSG_ERROR')
    expect(why([text(' ')])).toBe('')
  })

  it('onebot trap 38: nodes are not mixed with others', () => {
    expect(why([make('node', { id: 1 }), text('a')])).toMatch(/^1400 .*转发消息/)
    expect(why([text('a'), make('node', { id: 1 })])).toMatch(/^1400 .*转发消息/)
  })

  it('has no red packets', () => {
    expect(why([make('redbag', { title: 'a' })])).toBe('1200 SEND_MSG_API_ERROR')
  })

  it('pokes, and says the rest', () => {
    expect(prepare([make('shake')], 'error')).toEqual({ segments: [], pokes: [0] })
    expect(prepare([make('poke', { qq: '7' }), text('a'), make('poke', { qq: 8 })], 'error')).toEqual({
      segments: [text('a')],
      pokes: [7, 8],
    })
    // Without whom it is a picture of one.
    const picture = make('poke', { type: '126', id: '2003' })
    expect(prepare([picture], 'error')).toEqual({ segments: [picture], pokes: [] })
  })

  it('answers nothing with a poke', () => {
    expect(prepare([make('reply', { id: '1' }), make('shake')], 'error')).toEqual({ segments: [], pokes: [0] })
  })

  it('does not choose what falls', () => {
    const fallen = (type: string, given: object): Set<unknown> =>
      new Set(
        Array.from({ length: 300 }, () => prepare([make(type, { ...given })], 'error').segments[0]?.data['result']),
      )
    expect(fallen('dice', { result: '9', value: 9 })).toEqual(new Set(['1', '2', '3', '4', '5', '6']))
    expect(fallen('rps', { result: '9' })).toEqual(new Set(['1', '2', '3']))
  })
})
