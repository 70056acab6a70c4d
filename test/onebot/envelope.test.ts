import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FAILED_INSIDE,
  NOT_JSON,
  parseLenient,
  parseRequest,
  toResponse,
  toUnreadable,
  WRONG_TOKEN,
} from '../../lib/onebot/envelope.ts'

const KEYS = ['status', 'retcode', 'data', 'message', 'wording', 'echo', 'stream']
const nested = (open: string, close: string, depth = 1_000_000): string => open.repeat(depth) + close.repeat(depth)

describe('what a client asks for', () => {
  it('has an action, parameters, and an echo', () => {
    expect(parseRequest('{"action":"send_msg","params":{"a":1},"echo":"x"}')).toEqual({
      action: 'send_msg',
      params: { a: 1 },
      echo: '"x"',
    })
  })

  it('has parameters as they are, or none', () => {
    for (const params of ['null', '""', '0', 'false', '[1]', '"x"', '{}']) {
      const value: unknown = JSON.parse(params)
      expect(parseRequest(`{"action":"a","params":${params}}`)).toEqual({ action: 'a', params: value, echo: '""' })
    }
    expect(parseRequest('{"action":"a"}')).toEqual({ action: 'a', params: undefined, echo: '""' })
  })

  it('may have anything beside that, and the last of several', () => {
    expect(parseRequest('{"action":"a","more":1,"action":"b","echo":1,"echo":2}')).toMatchObject({
      action: 'b',
      echo: '2',
    })
  })

  it('onebot trap 7: has its echo returned as it came, and "" where there is none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (echo) => {
        const text = JSON.stringify(echo)
        expect(parseRequest(`{"action":"a","echo":${text}}`)).toMatchObject({ echo: text })
      }),
    )
    for (const echo of ['"x"', '0', 'false', '{"seq":1}', '[1]', 'null']) {
      expect(parseRequest(`{"action":"a","echo":${echo}}`)).toMatchObject({ echo })
    }
    expect(parseRequest('{"action":"a"}')).toMatchObject({ echo: '""' })
  })

  it('has no action where that is missing, or no text', () => {
    for (const action of ['', '"action":5,', '"action":null,', '"action":["a"],', '"action":{},', '"action":true,']) {
      expect(parseRequest(`{${action}"echo":7}`)).toMatchObject({ action: null, echo: '7' })
    }
    expect(parseRequest('{}')).toMatchObject({ action: null, echo: '""' })
  })

  it('onebot trap 9: may be JSON5', () => {
    for (const text of [
      "{action:'get_status', /* c */ echo:1,}",
      '{"action":"get_status","echo":1,}',
      "{'action':'get_status','echo':0x1}",
      '// first\n{action:"get_status",echo:+1}',
      '{"action":"get_\\\nstatus","echo":1.}',
    ]) {
      expect(parseRequest(text)).toMatchObject({ action: 'get_status', echo: '1' })
    }
  })

  it('has an echo of JSON5 as JSON says it', () => {
    expect(parseRequest("{action:'a',echo:{seq:1,'b':[0x10]}}")).toMatchObject({ echo: '{"seq":1,"b":[16]}' })
    expect(parseRequest('{action:"a",echo:NaN}')).toMatchObject({ echo: 'null' })
  })

  it('onebot trap 10: is nothing where it is a number, text, a flag, or null', () => {
    for (const text of ['5', 'null', 'true', '"get_status"', 'NaN', "'get_status'", ' 5 ']) {
      expect(parseRequest(text)).toEqual({ unreadable: 'null' })
    }
  })

  it('is nothing where it is a list', () => {
    expect(parseRequest('[{"action":"get_status"}]')).toEqual({ unreadable: 'null' })
  })

  it.each(['', ' ', '{"action":', 'get_status', '{"action":"a"} {"action":"b"}', '{"action":"a"', '\u0000', '<xml/>'])(
    'cannot be read: %j',
    (text) => {
      expect(parseRequest(text)).toEqual({ unreadable: 'null' })
    },
  )

  it.each([
    ['"x"', '{"action":"a","echo":"x"'],
    ['"x"', '{"echo":"x","action":'],
    ['"a\\"b\\\\"', '{"echo" : "a\\"b\\\\", '],
    ['"\\u00e9"', '{"echo":"\\u00e9",'],
    ['12', '{"action":"a","params":{,"echo":12'],
    ['-1', '{"echo": -1,,}'],
    ['true', '{"echo":true,,}'],
    ['false', '{"echo":\n false,,}'],
    // What is in parts, or cannot be read itself, is not looked for.
    ['null', '{"echo":{"seq":1},,}'],
    ['null', '{"echo":null,,}'],
    ['null', '{"echo":"x,,}'],
    ['null', '{"echo":"\\x",,}'],
    ['null', '{"echo":-,,}'],
    ['null', "{'echo':'x',,}"],
    ['null', `{"echo":"${'x'.repeat(1001)}",,}`],
    ['null', `{${' '.repeat(70_000)}"echo":1,,}`],
  ])('has its echo found in what cannot be read: %s', (echo, text) => {
    expect(parseRequest(text)).toEqual({ unreadable: echo })
  })

  it('is found out about whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const asked = parseRequest(text)
        const echo = 'unreadable' in asked ? asked.unreadable : asked.echo
        expect(() => JSON.parse(echo) as unknown).not.toThrow()
      }),
    )
  })

  it('may be as deep as it likes, and as long', () => {
    expect(parseRequest(`{"action":"a","params":${nested('[', ']')},"echo":1}`)).toMatchObject({
      action: 'a',
      echo: '1',
    })
    expect(parseRequest(`{"action":"a","params":${nested('{"a":', '}', 1_000_000).replace('}', '1}')}}`)).toMatchObject(
      {
        action: 'a',
      },
    )
    // Nobody could say it again.
    expect(parseRequest(`{"action":"a","echo":${nested('[', ']')}}`)).toEqual({ unreadable: 'null' })
    expect(parseRequest('['.repeat(1_000_000))).toEqual({ unreadable: 'null' })
    expect(parseRequest('['.repeat(10_000_000))).toEqual({ unreadable: 'null' })
    expect(parseRequest(nested('[', ']'))).not.toBeNull()
  })

  it('is JSON5 only where it is short: that takes time', () => {
    const long = (length: number): string => `{action:'a',pad:'${'x'.repeat(length)}'}`
    expect(parseRequest(long(1_048_000))).toMatchObject({ action: 'a' })
    expect(parseRequest(long(1_048_576))).toEqual({ unreadable: 'null' })
    expect(parseRequest(`{"action":"a","pad":"${'x'.repeat(2_000_000)}"}`)).toMatchObject({ action: 'a' })
  })

  it('has no fields of what all objects have', () => {
    const asked = parseRequest('{"__proto__":{"action":"a","echo":1}}')
    expect(asked).toMatchObject({ action: null, echo: '""' })
  })
})

describe('lenient reading', () => {
  it('tells null from nothing', () => {
    expect(parseLenient('null')).toBeNull()
    expect(parseLenient('{')).toBeUndefined()
    expect(parseLenient('')).toBeUndefined()
  })
})

describe('an answer', () => {
  it('onebot trap 8: has all fields, in one order', () => {
    const text = toResponse({ retcode: 0, data: { message_id: 5121 }, message: '' }, '{"seq":7}')
    expect(text).toBe(
      '{"status":"ok","retcode":0,"data":{"message_id":5121},"message":"","wording":"","echo":{"seq":7},"stream":"normal-action"}',
    )
    for (const one of [
      text,
      toResponse({ retcode: 0, data: null, message: '' }, '""'),
      toResponse({ retcode: 0, data: undefined, message: '' }, 'null'),
      toResponse(FAILED_INSIDE, '0'),
      toUnreadable('null'),
      WRONG_TOKEN,
    ]) {
      const value: unknown = JSON.parse(one)
      expect(Object.keys(value ?? {})).toEqual(KEYS)
    }
  })

  it('has null where there is no data', () => {
    expect(toResponse({ retcode: 0, data: null, message: '' }, '""')).toContain('"data":null')
    expect(toResponse({ retcode: 0, data: undefined, message: '' }, '""')).toContain('"data":null')
    expect(toResponse({ retcode: 0, data: 0, message: '' }, '""')).toContain('"data":0')
    expect(toResponse({ retcode: 0, data: '', message: '' }, '""')).toContain('"data":""')
    expect(toResponse({ retcode: 0, data: [], message: '' }, '""')).toContain('"data":[]')
  })

  it.each([
    [0, 'ok'],
    [1400, 'failed'],
    [1401, 'failed'],
    [1403, 'failed'],
    [1404, 'failed'],
    [1200, 'failed'],
  ] as const)('of %i is %s', (retcode, status) => {
    expect(JSON.parse(toResponse({ retcode, data: null, message: 'a "b"\n' }, 'null'))).toEqual({
      status,
      retcode,
      data: null,
      message: 'a "b"\n',
      wording: 'a "b"\n',
      echo: null,
      stream: 'normal-action',
    })
  })

  it('to what cannot be read says so in the words of NapCat', () => {
    expect(NOT_JSON).toBe('json解析失败,请检查数据格式')
    expect(JSON.parse(toUnreadable('5'))).toMatchObject({ status: 'failed', retcode: 1400, message: NOT_JSON, echo: 5 })
  })

  it('to a wrong token is the frame of NapCat, to the letter', () => {
    expect(WRONG_TOKEN).toBe(
      '{"status":"failed","retcode":1403,"data":null,"message":"token验证失败","wording":"token验证失败","echo":null,"stream":"normal-action"}',
    )
  })
})
