import fc from 'fast-check'
import { Compile } from 'typebox/schema'
import { describe, expect, it } from 'vitest'
import { ANY, FLAG, ID, readParams, TEXT } from '../../../lib/onebot/actions/params.ts'
import { ACTIONS } from '../../../lib/onebot/actions/table.ts'
import { Failure } from '../../../lib/onebot/failure.ts'

const All = Compile({
  type: 'object',
  required: ['id'],
  properties: { id: ID, text: TEXT, flag: FLAG, any: ANY, object: { type: 'object' }, list: { type: 'array' } },
})
const None = Compile({ type: 'object', required: [], properties: { id: ID } })

const read = (given: unknown): unknown => readParams(given, All.Schema(), All)
const idOf = (id: unknown): unknown => Reflect.get(Object(read({ id })), 'id')
const partOf = (key: string, value: unknown): unknown => Reflect.get(Object(read({ id: 1, [key]: value })), key)

/** What is wrong with them. */
function wrong(given: unknown): string {
  try {
    read(given)
  } catch (error) {
    if (error instanceof Failure) return `${error.retcode} ${error.message}`
    throw error
  }
  return ''
}

describe('parameters', () => {
  it('that fit are taken as they are', () => {
    const given = { id: 1, text: 'a', flag: true, any: [{}], object: {}, list: [], more: 1 }
    expect(read(given)).toBe(given)
  })

  it.each([undefined, null, '', 0, false])('are none where they are %j', (given) => {
    expect(readParams(given, None.Schema(), None)).toEqual({})
    expect(wrong(given)).toBe('1400 id: is needed')
  })

  it.each([[[]], [[{ id: 1 }]], ['x'], [5], [true]])('have to be an object, not %j', (given) => {
    expect(wrong(given)).toBe('1400 params: must be an object')
  })

  it('that are needed and missing are named', () => {
    expect(wrong({})).toBe('1400 id: is needed')
    expect(wrong({ ID: 1 })).toBe('1400 id: is needed')
    expect(wrong({ text: 'a' })).toBe('1400 id: is needed')
  })

  it.each<[unknown, number]>([
    [20, 20],
    ['20', 20],
    [' 20 ', 20],
    ['+20', 20],
    ['-1', -1],
    ['0', 0],
    ['007', 7],
    ['9007199254740991', 9_007_199_254_740_991],
    [true, 1],
    [false, 0],
    [['1', '2'], 2],
  ])('that are to be integers are converted: %j', (given, expected) => {
    expect(idOf(given)).toBe(expected)
  })

  it.each<[unknown]>(
    [null, '', ' ', 'x', '1.5', '1e3', '0x10', 1.5, {}, [1], ['x'], '12345678901234567', '１'].map((one) => [one]),
  )('that are to be integers are nothing else: %j', (given) => {
    expect(wrong({ id: given })).toBe('1400 id: must be an integer')
  })

  it('that are ids are such as can be told apart', () => {
    expect(wrong({ id: '9007199254740993' })).toBe('1400 id: must be an integer')
  })

  it.each<[unknown, boolean]>([
    [true, true],
    ['true', true],
    ['TRUE', true],
    ['yes', true],
    ['Yes', true],
    ['1', true],
    [1, true],
    [false, false],
    ['false', false],
    ['NO', false],
    ['0', false],
    [0, false],
    [['0', '1'], true],
  ])('that are to be flags are converted: %j', (given, expected) => {
    expect(partOf('flag', given)).toBe(expected)
  })

  it.each<[unknown]>([null, '', 'on', 'y', 2, -1, {}, [true], ['on']].map((one) => [one]))(
    'that are to be flags are nothing else: %j',
    (given) => {
      expect(wrong({ id: 1, flag: given })).toBe('1400 flag: must be true or false')
    },
  )

  it.each<[unknown, string]>([
    ['a', 'a'],
    ['', ''],
    [5, '5'],
    [0, '0'],
    [true, 'true'],
    [['a', 'b'], 'b'],
  ])('that are to be text are converted: %j', (given, expected) => {
    expect(partOf('text', given)).toBe(expected)
  })

  it.each<[unknown]>([null, {}, [5], ['a', 5]].map((one) => [one]))(
    'that are to be text are nothing else: %j',
    (given) => {
      expect(wrong({ id: 1, text: given })).toBe('1400 text: must be text')
    },
  )

  it('that are to be lists may be one of them', () => {
    expect(partOf('list', 'a')).toEqual(['a'])
    expect(partOf('list', ['a'])).toEqual(['a'])
    expect(wrong({ id: 1, object: [1] })).toBe('1400 object: must be an object')
    expect(wrong({ id: 1, object: 'a' })).toBe('1400 object: must be an object')
  })

  it('that are to be something else are no empty list', () => {
    expect(wrong({ id: 1, object: [] })).toBe('1400 object: must be an object')
    expect(wrong({ id: 1, text: [] })).toBe('1400 text: must be text')
    expect(wrong({ id: 1, flag: [] })).toBe('1400 flag: must be true or false')
  })

  it('that may be anything are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        expect(read({ id: '1', any })).toMatchObject({ any })
      }),
    )
  })

  it('beyond those that are known stay', () => {
    expect(read({ id: '1', more: { a: 1 } })).toEqual({ id: 1, more: { a: 1 } })
  })

  it('are not looked for in what all objects have', () => {
    const given: unknown = JSON.parse('{"__proto__":{"id":1},"text":"a"}')
    expect(wrong(given)).toBe('1400 id: is needed')
  })

  it('are not changed in what was given', () => {
    const given = { id: '1', flag: 'yes' }
    read(given)
    expect(given).toEqual({ id: '1', flag: 'yes' })
  })

  it('are read, or refused with a name', () => {
    const keys = fc.constantFrom('id', 'text', 'flag', 'any', 'object', 'list', 'x')
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (given) => {
        const said = wrong(given)
        if (said !== '') expect(said).toMatch(/^1400 (?:id|text|flag|object|list): /)
      }),
    )
  })
})

describe('the table of actions', () => {
  it('names parameters, those that are needed first', () => {
    expect(ACTIONS.get('send_group_msg')?.takes.slice(0, 2)).toEqual(['group_id', 'message'])
    expect(ACTIONS.get('set_group_ban')?.takes).toEqual(['group_id', 'user_id', 'duration'])
  })
})
