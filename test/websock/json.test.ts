import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonValue } from '../../include-types/websock.ts'
import {
  isJson,
  jsonAlloc,
  jsonFree,
  jsonGetId,
  jsonSetBool,
  jsonSetNum,
  jsonSetNumber,
  jsonSetString,
  jsonText,
  MAX_ARRAY_GAP,
  MAX_DEPTH,
} from '../../lib/websock/json.ts'

const textOf = (json: Json) => jsonText(json, 0, null)

const refuser = {
  toJSON() {
    throw new Error('toJSON')
  },
}

describe('the Json helper', () => {
  it('builds what the seed builds', () => {
    const json = jsonAlloc()
    jsonSetString(json, 0, 'name', 'John')
    jsonSetNum(json, 0, 'age', 30)
    jsonSetBool(json, 0, 'admin', false)
    expect(textOf(json)).toBe('{"name":"John","age":30,"admin":false}')
    expect(jsonSetNum).toBe(jsonSetNumber)
    jsonFree(json)
    expect(textOf(jsonAlloc())).toBe('{}')
  })

  it('creates the path on demand, with indexes and appends', () => {
    const json = jsonAlloc()
    jsonSetString(json, 0, 'a.b[0].c', 'x')
    jsonSetNumber(json, 0, 'a.b[$].c', 1.5)
    jsonSetBool(json, 0, 'list[$]', true)
    jsonSetString(json, 0, 'list[$]', 'y')
    jsonSetNumber(json, 0, 'grid[1][2]', 7)
    jsonSetNumber(json, 0, 'grid[0].x', 8)
    expect(JSON.parse(textOf(json) ?? '')).toEqual({
      a: { b: [{ c: 'x' }, { c: 1.5 }] },
      list: [true, 'y'],
      grid: [{ x: 8 }, [null, null, 7]],
    })
  })

  it('returns the node id of the value, the same for the same place', () => {
    const json = jsonAlloc()
    const first = jsonSetString(json, 0, 'list[$].name', 'a')
    const second = jsonSetString(json, 0, 'list[$].name', 'b')
    expect(first).toBeGreaterThan(0)
    expect(second).not.toBe(first)
    expect(jsonGetId(json, 0, 'list[1].name')).toBe(second)
    expect(jsonSetNumber(json, 0, 'list[0].name', 1)).toBe(first)
    expect(jsonText(json, first, null)).toBe('1')
  })

  it('works below any node', () => {
    const json = jsonAlloc()
    jsonSetString(json, 0, 'user.tags[0]', 'a')
    const user = jsonGetId(json, 0, 'user')
    const tags = jsonGetId(json, user, 'tags')
    expect(jsonSetString(json, tags, '[$]', 'b')).toBe(jsonGetId(json, 0, 'user.tags[1]'))
    expect(jsonText(json, user, null)).toBe('{"tags":["a","b"]}')
    expect(jsonText(json, user, 'tags[1]')).toBe('"b"')
    expect(jsonText(json, tags, '[0]')).toBe('"a"')
  })

  it('keeps a node id on its place when the value changes', () => {
    const json = jsonAlloc()
    const leaf = jsonSetString(json, 0, 'a.b', 'x')
    jsonSetString(json, 0, 'a', 'no longer an object')
    expect(jsonText(json, leaf, null)).toBeNull()
    expect(jsonSetString(json, leaf, 'c', 'x')).toBe(-6)
    jsonSetString(json, 0, 'list[0]', 'x')
    expect(jsonSetString(json, 0, 'list', 'x')).toBeGreaterThan(0)
  })

  it('finds -1 for what is missing', () => {
    const json = jsonAlloc()
    jsonSetString(json, 0, 'a.list[0]', 'x')
    for (const key of [
      'b',
      'a.b',
      'a[0]',
      'a.list[1]',
      'a.list[$]',
      'a.list.length',
      'a.list[0].x',
      '',
      '.a',
      'toString',
    ]) {
      expect(jsonGetId(json, 0, key), key).toBe(-1)
      expect(jsonText(json, 0, key), key).toBeNull()
    }
    expect(jsonGetId(json, 99, 'a')).toBe(-1)
    expect(jsonText(json, 99, null)).toBeNull()
    expect(jsonText(json, -1, 'a')).toBeNull()
  })

  it.each(['', '.', '.a', 'a.', 'a..b', 'a[', 'a[]', 'a[-1]', 'a[x]', 'a]', 'a[0]b', 'a.[0]', '[0]', '[$]'])(
    'refuses the path %j at the root',
    (key) => {
      const json = jsonAlloc()
      expect(jsonSetString(json, 0, key, 'x')).toBe(-6)
      expect(textOf(json)).toBe('{}')
    },
  )

  it('refuses a path through a value that is no container, or another kind of container', () => {
    const json = jsonAlloc()
    jsonSetString(json, 0, 'text', 'x')
    jsonSetString(json, 0, 'list[0]', 'x')
    jsonSetString(json, 0, 'object.a', 'x')
    const before = textOf(json)
    for (const key of [
      'text.a',
      'text[0]',
      'text.a.b',
      'list.name',
      'list.length',
      'list.a.b',
      'object[0]',
      'object[$].a',
    ]) {
      expect(jsonSetString(json, 0, key, 'x'), key).toBe(-6)
    }
    expect(textOf(json)).toBe(before)
  })

  it('refuses values of another kind, and numbers that JSON does not have', () => {
    const json = jsonAlloc()
    for (const number of [NaN, Infinity, -Infinity]) expect(jsonSetNumber(json, 0, 'a.b', number)).toBe(-6)
    for (const value of [null, undefined, {}, [1], 1n, Symbol('x')]) {
      for (const set of [jsonSetString, jsonSetNumber, jsonSetBool]) {
        const code: unknown = Reflect.apply(set, undefined, [json, 0, 'a', value])
        expect(code).toBe(-6)
      }
      const codes: unknown[] = [
        Reflect.apply(jsonSetString, undefined, [json, 0, value, 'x']),
        Reflect.apply(jsonSetString, undefined, [json, value, 'a', 'x']),
        Reflect.apply(jsonGetId, undefined, [json, 0, value]),
      ]
      expect(codes).toEqual([-6, -6, -1])
    }
    expect(textOf(json)).toBe('{}')
  })

  it('refuses an index that leaves too large a gap, and leaves the tree as it was', () => {
    const json = jsonAlloc()
    for (const key of [
      'a[4294967295]',
      'a.b[999999999999999999999].c',
      `a[${MAX_ARRAY_GAP + 1}]`,
      `a[0][${MAX_ARRAY_GAP + 1}]`,
    ]) {
      expect(jsonSetString(json, 0, key, 'x'), key).toBe(-6)
    }
    expect(textOf(json)).toBe('{}')
    expect(jsonSetNumber(json, 0, `a[${MAX_ARRAY_GAP}]`, 1)).toBeGreaterThan(0)
    expect(jsonSetNumber(json, 0, `a[${2 * MAX_ARRAY_GAP + 1}]`, 1)).toBeGreaterThan(0)
    expect(jsonSetNumber(json, 0, `a[${4 * MAX_ARRAY_GAP}]`, 1)).toBe(-6)
  })

  it('refuses to go too deep, also step by step', () => {
    const json = jsonAlloc()
    expect(jsonSetBool(json, 0, Array(MAX_DEPTH).fill('a').join('.'), true)).toBeGreaterThan(0)
    expect(
      jsonSetBool(
        json,
        0,
        Array(MAX_DEPTH + 1)
          .fill('b')
          .join('.'),
        true,
      ),
    ).toBe(-6)
    const half = jsonGetId(
      json,
      0,
      Array(MAX_DEPTH - 1)
        .fill('a')
        .join('.'),
    )
    expect(jsonSetBool(json, half, 'x', true)).toBeGreaterThan(0)
    expect(jsonSetBool(json, half, 'x.y', true)).toBe(-6)
  })

  it('treats __proto__ and its kind as ordinary names', () => {
    const json = jsonAlloc()
    json.root['plain'] = {}
    for (const key of [
      '__proto__.x',
      'constructor.prototype.x',
      'plain.__proto__.x',
      'plain.constructor.prototype.x',
    ]) {
      expect(jsonGetId(json, 0, key), key).toBe(-1)
      expect(jsonSetString(json, 0, key, 'own'), key).toBeGreaterThan(0)
      expect(jsonText(json, 0, key), key).toBe('"own"')
    }
    expect('x' in {}).toBe(false)
    expect(textOf(json)).toContain('"__proto__":{"x":"own"}')
  })

  it('knows its own trees', () => {
    expect(isJson(jsonAlloc())).toBe(true)
    const foreign = { root: {} }
    const heir: unknown = Object.create(jsonAlloc())
    for (const value of [foreign, heir, null, undefined, 1, 'x', [], () => {}]) expect(isJson(value)).toBe(false)
    expect(jsonSetString(foreign, 0, 'a', 'x')).toBe(-6)
    expect(jsonGetId(foreign, 0, 'root')).toBe(-1)
    expect(jsonText(foreign, 0, null)).toBe('{"root":{}}')
  })

  it('survives what an application put below the root', () => {
    const json = jsonAlloc()
    const list: JsonValue[] = []
    json.root['frozen'] = Object.freeze({ list })
    Object.freeze(list)
    Object.defineProperty(json.root, 'getter', {
      enumerable: true,
      get() {
        throw new Error('getter')
      },
    })
    expect(jsonSetString(json, 0, 'frozen.a', 'x')).toBe(-6)
    expect(jsonSetString(json, 0, 'frozen.list[2]', 'x')).toBe(-6)
    expect(jsonSetString(json, 0, 'getter.a', 'x')).toBe(-6)
    expect(jsonGetId(json, 0, 'getter.a')).toBe(-1)
    expect(textOf(json)).toBeNull()
  })

  it('never throws', () => {
    const part = fc.constantFrom('a', '.', '[0]', '[3]', '[$]', '[99999]', '__proto__', 'b', ']', '.a')
    const key = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''))
    const value = fc.oneof(fc.string(), fc.double(), fc.boolean())
    const call = fc.tuple(fc.integer({ min: -1, max: 9 }), fc.oneof(key, fc.string()), value)
    fc.assert(
      fc.property(fc.array(call), (calls) => {
        const json = jsonAlloc()
        for (const [nid, path, v] of calls) {
          const before = textOf(json)
          let id = -6
          if (typeof v === 'string') id = jsonSetString(json, nid, path, v)
          else if (typeof v === 'number') id = jsonSetNumber(json, nid, path, v)
          else id = jsonSetBool(json, nid, path, v)
          expect(id === -6 || id > 0).toBe(true)
          expect(id === -6 ? textOf(json) : jsonText(json, id, null)).toBe(id === -6 ? before : JSON.stringify(v))
        }
        expect(textOf(json)).not.toBeNull()
      }),
    )
  })
})

describe('jsonText of a plain value', () => {
  it('is its JSON, whatever the node id', () => {
    for (const value of [{ a: [1, 'x', null] }, [1], 'text', 0, false, null]) {
      expect(jsonText(value, 7, null)).toBe(JSON.stringify(value))
    }
    expect(jsonText({ at: new Date(0), none: undefined }, 0, null)).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
  })

  it('takes a path to own properties', () => {
    const value = { 'a': { b: [{ c: 1 }, 'x'] }, 'with space': true }
    expect(jsonText(value, 0, 'a.b[0].c')).toBe('1')
    expect(jsonText(value, 0, 'a.b.1')).toBe('"x"')
    expect(jsonText(value, 0, 'with space')).toBe('true')
    for (const key of [
      '',
      'x',
      'a.x',
      'a.b[2]',
      'a.b[$]',
      'a.b.length',
      'a[0]',
      '__proto__',
      'constructor',
      'a.b[1].length',
    ]) {
      expect(jsonText(value, 0, key), key).toBeNull()
    }
    expect(jsonText('text', 0, 'length')).toBeNull()
    expect(jsonText(null, 0, 'a')).toBeNull()
  })

  it('is null for everything without JSON text', () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const thrower = {
      get a(): number {
        throw new Error('getter')
      },
    }
    let deep: unknown = 1
    for (let n = 0; n < 100_000; n++) deep = [deep]
    for (const value of [undefined, () => {}, Symbol('x'), 1n, { a: 1n }, cyclic, thrower, refuser, deep]) {
      expect(jsonText(value, 0, null)).toBeNull()
    }
    expect(jsonText(thrower, 0, 'a')).toBeNull()
    expect(jsonText({ a: undefined, b: () => {} }, 0, 'a')).toBeNull()
    expect(jsonText({ a: undefined, b: () => {} }, 0, 'b')).toBeNull()
  })

  it('never throws, and gives JSON or null', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
        fc.string(),
        (value, key) => {
          const text = jsonText(value, 0, null)
          if (text !== null) expect(JSON.stringify(JSON.parse(text))).toBe(text)
          jsonText(value, 0, key)
        },
      ),
    )
  })
})
