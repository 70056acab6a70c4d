import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCount, parseSize, parseTime, UnitError } from '../../../lib/web/config/units.ts'

const DAY = 86_400_000

const WRONG_KINDS = [
  NaN,
  Infinity,
  -1,
  -0.5,
  1e300,
  2 ** 53,
  null,
  undefined,
  true,
  5n,
  {},
  [],
  [5],
  Symbol('x'),
  () => 5,
]
const WRONG_TEXTS =
  '0x10|1e3|.5|5.|+5|-5|1,5|1 000|١|nev|nevers|never 5|5 never|k|constructor|5 k b|5kbs|5__proto__|5 constructor'.split(
    '|',
  )

/** The message of the UnitError that a value gets. */
function refusal(parse: (value: unknown) => number, value: unknown): string {
  try {
    return `accepted as ${parse(value)}`
  } catch (error) {
    return error instanceof UnitError ? error.message : `not a UnitError: ${String(error)}`
  }
}

describe('units', () => {
  it('websocket-run trap 68: sizes and times that C reads wrongly are errors', () => {
    for (const value of ['5m', '1h', '500kib', '-1', '']) expect(refusal(parseTime, value)).toContain('is not a time')
    for (const value of ['1h', '500kib', '-1', '']) expect(refusal(parseSize, value)).toContain('is not a size')
  })

  it("websocket-run trap 68: '5mins', '1.5K', 'NEVER', ' 10 KB ' are accepted", () => {
    expect(parseTime('5mins')).toBe(300_000)
    expect(parseSize('1.5K')).toBe(1536)
    expect(parseTime('NEVER')).toBe(Infinity)
    expect(parseSize(' 10 KB ')).toBe(10_240)
  })

  it.each([
    ['30s', "'30secs'"],
    ['1s', "'1sec'"],
    ['1h', "'1hour'"],
    ['1d', "'1day'"],
    ['5m', "'m' is a unit of size (did you mean '5mins'?)"],
    ['1.5 h', "'1.5hours'"],
    ['2W', "'2weeks'"],
    ['1y', "'1year'"],
    ['10kb', "'kb' is a unit of size"],
    ['10 bytes', "'bytes' is a unit of size"],
  ])('hints what %j meant as a time', (value, hint) => {
    expect(refusal(parseTime, value)).toContain(hint)
    expect(refusal(parseTime, value)).toContain('is not a time')
    expect(refusal(parseTime, value)).toContain('Allowed: a number of seconds from 0 up, or a number with ms, sec(s)')
  })

  it.each([
    ['500kib', "'500kb'"],
    ['5mins', "'mins' is a unit of time"],
    ['10 sec', "'sec' is a unit of time"],
  ])('hints what %j meant as a size', (value, hint) => {
    expect(refusal(parseSize, value)).toContain(hint)
    expect(refusal(parseSize, value)).toContain('Allowed: a number of bytes from 0 up, or a number with b, byte(s), k')
  })

  it.each([
    ['', 1],
    ['b', 1],
    ['byte', 1],
    ['bytes', 1],
    ['k', 1024],
    ['kb', 1024],
    ['m', 1024 ** 2],
    ['mb', 1024 ** 2],
    ['g', 1024 ** 3],
    ['gb', 1024 ** 3],
  ])('knows the size unit %j', (unit, bytes) => {
    expect(parseSize(`3${unit}`)).toBe(3 * bytes)
    expect(parseSize(`\t3 ${unit.toUpperCase()}\n`)).toBe(3 * bytes)
  })

  it.each([
    ['', 1000],
    ['ms', 1],
    ['sec', 1000],
    ['secs', 1000],
    ['second', 1000],
    ['seconds', 1000],
    ['min', 60_000],
    ['mins', 60_000],
    ['minute', 60_000],
    ['minutes', 60_000],
    ['hr', 3_600_000],
    ['hrs', 3_600_000],
    ['hour', 3_600_000],
    ['hours', 3_600_000],
    ['day', DAY],
    ['days', DAY],
    ['week', 7 * DAY],
    ['weeks', 7 * DAY],
    ['month', 30 * DAY],
    ['months', 30 * DAY],
    ['year', 365 * DAY],
    ['years', 365 * DAY],
  ])('knows the time unit %j', (unit, ms) => {
    expect(parseTime(`3${unit}`)).toBe(3 * ms)
    expect(parseTime(` 3 ${unit.toUpperCase()} `)).toBe(3 * ms)
  })

  it('reads JSON numbers as bytes, seconds and counts', () => {
    expect([parseSize(100), parseTime(30), parseCount(7)]).toEqual([100, 30_000, 7])
    expect([parseTime(0.5), parseTime('0.5'), parseTime('0.25 ms')]).toEqual([500, 500, 1])
    expect([parseCount('7'), parseCount(' 100 ')]).toEqual([7, 100])
  })

  it('reads keywords as no limit, and 0 as 0', () => {
    for (const parse of [parseSize, parseTime, parseCount]) {
      for (const word of ['unlimited', 'infinite', 'never', 'forever', ' Unlimited '])
        expect(parse(word)).toBe(Infinity)
      for (const zero of [0, -0, '0', '0.0']) expect(parse(zero)).toBe(0)
    }
    expect(parseSize('0kb')).toBe(0)
  })

  it('rounds to whole bytes and milliseconds, but never down to "no limit"', () => {
    expect([parseSize(1.5), parseSize('1.2b'), parseSize('1.0001k')]).toEqual([2, 1, 1024])
    expect([parseTime(0.0014), parseTime('1.6ms')]).toEqual([1, 2])
    expect([parseSize('0.1b'), parseTime('0.001ms'), parseTime(1e-9)]).toEqual([1, 1, 1])
  })

  it.each([...WRONG_KINDS, ...WRONG_TEXTS, '9'.repeat(400), `${'9'.repeat(400)}kb`])(
    'refuses %s everywhere',
    (value) => {
      for (const parse of [parseSize, parseTime, parseCount]) expect(refusal(parse, value)).toMatch(/is not a [a-z]+/)
    },
  )

  it('refuses combined times, and counts that are not whole or have a unit', () => {
    expect(refusal(parseTime, '1min 30secs')).toContain('is not a time')
    for (const value of [1.5, '1.5', '1k', '5secs']) expect(refusal(parseCount, value)).toContain('is not a count')
  })

  it('keeps a long value out of its message', () => {
    expect(refusal(parseSize, `${'9'.repeat(300)}kib`).length).toBeLessThan(200)
  })

  it('agrees with arithmetic', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 999 }), (whole, thousandths) => {
        const number = `${whole}.${String(thousandths).padStart(3, '0')}`
        expect(parseTime(number)).toBe(whole * 1000 + thousandths)
        expect(parseTime(`${number} secs`)).toBe(whole * 1000 + thousandths)
        expect(parseSize(`${whole}Kb`)).toBe(whole * 1024)
        expect(parseCount(String(whole))).toBe(whole)
      }),
    )
  })

  it('gives a whole number, Infinity or a UnitError for everything', () => {
    const numeric = fc
      .tuple(fc.double(), fc.constantFrom('', ' ', 'k', 's', 'secs', 'mb'))
      .map(([n, unit]) => `${n}${unit}`)
    fc.assert(
      fc.property(fc.oneof(numeric, fc.string(), fc.double(), fc.anything()), (value) => {
        for (const parse of [parseSize, parseTime, parseCount]) {
          const result = refusal(parse, value)
          if (result.startsWith('accepted')) expect(result).toMatch(/^accepted as (\d+|Infinity)$/)
          else expect(result).toContain('is not a')
        }
      }),
    )
  })
})
