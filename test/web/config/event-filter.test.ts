import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../../lib/web/config/event-filter.ts'

const EVENT = {
  time: 1_770_000_000,
  post_type: 'message',
  message_type: 'group',
  user_id: 30_001,
  group_id: 40_001,
  raw_message: 'tea, please',
  anonymous: null,
  is_add: true,
  sender: { sex: 'unknown', card: '', role: 'admin' },
  message: [
    { type: 'at', data: { qq: '20001' } },
    { type: 'text', data: { text: ' tea' } },
  ],
}

const fits = (filter: unknown, event: unknown = EVENT): boolean => parseFilter(filter)(event)

describe('a filter', () => {
  it.each<[unknown, boolean]>([
    // All of it has to fit.
    [{}, true],
    [{ post_type: 'message' }, true],
    [{ post_type: 'notice' }, false],
    [{ post_type: 'message', message_type: 'group' }, true],
    [{ post_type: 'message', message_type: 'private' }, false],
    // Values are compared as text.
    [{ user_id: 30_001 }, true],
    [{ user_id: '30001' }, true],
    [{ user_id: 30_002 }, false],
    [{ is_add: 'true' }, true],
    [{ is_add: true }, true],
    [{ is_add: false }, false],
    // Dots descend, numbers count.
    [{ 'sender.role': 'admin' }, true],
    [{ sender: { role: 'admin' } }, true],
    [{ sender: { role: 'admin', sex: 'male' } }, false],
    [{ 'message.0.type': 'at' }, true],
    [{ 'message.1.data.text': ' tea' }, true],
    [{ 'message.0.data': { qq: 20_001 } }, true],
    [{ 'message.2.type': 'at' }, false],
    [{ 'message.x.type': 'at' }, false],
    [{ 'raw_message.length': 11 }, false],
    // What is not there is empty.
    [{ gone: '' }, true],
    [{ 'gone.far.away': 'x' }, false],
    [{ 'sender.card': '' }, true],
    [{ constructor: '' }, true],
    [{ 'sender.toString': '' }, true],
    // .not
    [{ '.not': {} }, false],
    [{ '.not': { post_type: 'notice' } }, true],
    [{ '.not': { post_type: 'message' } }, false],
    [{ user_id: { '.not': { '.eq': 30_001 } } }, false],
    // .and
    [{ '.and': {} }, true],
    [{ '.and': { post_type: 'message', user_id: 30_001 } }, true],
    [{ '.and': { post_type: 'message', user_id: 1 } }, false],
    // .or
    [{ '.or': [] }, false],
    [{ '.or': [{ user_id: 1 }, { group_id: 40_001 }] }, true],
    [{ '.or': [{ user_id: 1 }, { group_id: 2 }] }, false],
    [{ user_id: { '.or': [{ '.eq': 1 }, { '.eq': 30_001 }] } }, true],
    // .eq, .neq
    [{ user_id: { '.eq': '30001' } }, true],
    [{ user_id: { '.eq': 1 } }, false],
    [{ user_id: { '.neq': 1 } }, true],
    [{ user_id: { '.neq': '30001' } }, false],
    [{ gone: { '.neq': 'x' } }, true],
    // .in
    [{ user_id: { '.in': [1, 30_001] } }, true],
    [{ user_id: { '.in': ['30001'] } }, true],
    [{ user_id: { '.in': [1, 2] } }, false],
    [{ user_id: { '.in': [] } }, false],
    [{ 'sender.role': { '.in': 'owner admin' } }, true],
    [{ 'sender.role': { '.in': 'owner' } }, false],
    // .contains
    [{ raw_message: { '.contains': 'please' } }, true],
    [{ raw_message: { '.contains': 'coffee' } }, false],
    [{ user_id: { '.contains': '3000' } }, true],
    // .regex
    [{ raw_message: { '.regex': '^tea\\b.*e$' } }, true],
    [{ raw_message: { '.regex': '^please' } }, false],
    [{ user_id: { '.regex': '^\\d{5}$' } }, true],
    // Several of one field.
    [{ raw_message: { '.contains': 'tea', '.regex': 'e$' } }, true],
    [{ raw_message: { '.contains': 'tea', '.regex': 't$' } }, false],
    // That of go-cqhttp's docs.
    [
      {
        '.or': [
          { message_type: 'private', user_id: { '.not': { '.in': [11, 22] } }, message: { '.regex': '^tea' } },
          { message_type: 'group', raw_message: { '.regex': 'tea' } },
        ],
      },
      true,
    ],
  ])('%j lets it through: %j', (filter, expected) => {
    expect(fits(filter)).toBe(expected)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['text', 'x'],
    ['an operator that is none', { '.like': 'x' }],
    ['an operator of another language', { '.constructor': 'x' }],
    ['.not of text', { '.not': 'x' }],
    ['.and of a list', { '.and': [] }],
    ['.or of an object', { '.or': {} }],
    ['.or of text', { '.or': ['x'] }],
    ['.in of a number', { a: { '.in': 5 } }],
    ['.contains of a number', { a: { '.contains': 5 } }],
    ['.regex of a number', { a: { '.regex': 5 } }],
    ['.regex that is broken', { a: { '.regex': '(' } }],
    ['something wrong deep down', { a: { '.or': [{ '.not': { '.nope': 1 } }] } }],
  ])('is refused when it is made: %s', (_what, filter) => {
    expect(() => parseFilter(filter)).toThrow()
  })

  it('looks at anything', () => {
    const filter = parseFilter({ 'a.b': 'x', '.not': { c: { '.regex': 'y' } } })
    for (const event of [null, undefined, 5, 'x', [], {}, { a: null }, { a: [] }, { a: { b: 'x' } }]) {
      expect(typeof filter(event)).toBe('boolean')
    }
    expect(filter({ a: { b: 'x' } })).toBe(true)
  })

  it('says the same each time: expressions do not remember', () => {
    const filter = parseFilter({ raw_message: { '.regex': 'tea' } })
    expect([filter(EVENT), filter(EVENT), filter(EVENT)]).toEqual([true, true, true])
  })
})
