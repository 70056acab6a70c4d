import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { format, MAX_FIELD } from '../../lib/websock/format.ts'

// Printed by glibc 2.36: for every format, printf(format, value) of all VALUES.
const VALUES = [
  0, -0, 1, 0.1, 0.5, 1.5, 2.5, 0.125, 9.995, 100, 999999.5, 1234567, 1e21, 1e23, 1e-5, 0.0001, 5e-324, -1.23456,
]
const C_FLOATS = {
  '%f': '0.000000 -0.000000 1.000000 0.100000 0.500000 1.500000 2.500000 0.125000 9.995000 100.000000 999999.500000 1234567.000000 1000000000000000000000.000000 99999999999999991611392.000000 0.000010 0.000100 0.000000 -1.234560',
  '%.0f': '0 -0 1 0 0 2 2 0 10 100 1000000 1234567 1000000000000000000000 99999999999999991611392 0 0 0 -1',
  '%.2f':
    '0.00 -0.00 1.00 0.10 0.50 1.50 2.50 0.12 9.99 100.00 999999.50 1234567.00 1000000000000000000000.00 99999999999999991611392.00 0.00 0.00 0.00 -1.23',
  '%.20f':
    '0.00000000000000000000 -0.00000000000000000000 1.00000000000000000000 0.10000000000000000555 0.50000000000000000000 1.50000000000000000000 2.50000000000000000000 0.12500000000000000000 9.99499999999999921840 100.00000000000000000000 999999.50000000000000000000 1234567.00000000000000000000 1000000000000000000000.00000000000000000000 99999999999999991611392.00000000000000000000 0.00001000000000000000 0.00010000000000000000 0.00000000000000000000 -1.23456000000000010175',
  '%012.3f':
    '00000000.000 -0000000.000 00000001.000 00000000.100 00000000.500 00000001.500 00000002.500 00000000.125 00000009.995 00000100.000 00999999.500 01234567.000 1000000000000000000000.000 99999999999999991611392.000 00000000.000 00000000.000 00000000.000 -0000001.235',
  '%e': '0.000000e+00 -0.000000e+00 1.000000e+00 1.000000e-01 5.000000e-01 1.500000e+00 2.500000e+00 1.250000e-01 9.995000e+00 1.000000e+02 9.999995e+05 1.234567e+06 1.000000e+21 1.000000e+23 1.000000e-05 1.000000e-04 4.940656e-324 -1.234560e+00',
  '%.0e':
    '0e+00 -0e+00 1e+00 1e-01 5e-01 2e+00 2e+00 1e-01 1e+01 1e+02 1e+06 1e+06 1e+21 1e+23 1e-05 1e-04 5e-324 -1e+00',
  '%.15e':
    '0.000000000000000e+00 -0.000000000000000e+00 1.000000000000000e+00 1.000000000000000e-01 5.000000000000000e-01 1.500000000000000e+00 2.500000000000000e+00 1.250000000000000e-01 9.994999999999999e+00 1.000000000000000e+02 9.999995000000000e+05 1.234567000000000e+06 1.000000000000000e+21 9.999999999999999e+22 1.000000000000000e-05 1.000000000000000e-04 4.940656458412465e-324 -1.234560000000000e+00',
  '%+.1E':
    '+0.0E+00 -0.0E+00 +1.0E+00 +1.0E-01 +5.0E-01 +1.5E+00 +2.5E+00 +1.2E-01 +1.0E+01 +1.0E+02 +1.0E+06 +1.2E+06 +1.0E+21 +1.0E+23 +1.0E-05 +1.0E-04 +4.9E-324 -1.2E+00',
  '%g': '0 -0 1 0.1 0.5 1.5 2.5 0.125 9.995 100 1e+06 1.23457e+06 1e+21 1e+23 1e-05 0.0001 4.94066e-324 -1.23456',
  '%.0g': '0 -0 1 0.1 0.5 2 2 0.1 1e+01 1e+02 1e+06 1e+06 1e+21 1e+23 1e-05 0.0001 5e-324 -1',
  '%.3g': '0 -0 1 0.1 0.5 1.5 2.5 0.125 9.99 100 1e+06 1.23e+06 1e+21 1e+23 1e-05 0.0001 4.94e-324 -1.23',
  '%#.4g':
    '0.000 -0.000 1.000 0.1000 0.5000 1.500 2.500 0.1250 9.995 100.0 1.000e+06 1.235e+06 1.000e+21 1.000e+23 1.000e-05 0.0001000 4.941e-324 -1.235',
  '%.17g':
    '0 -0 1 0.10000000000000001 0.5 1.5 2.5 0.125 9.9949999999999992 100 999999.5 1234567 1e+21 9.9999999999999992e+22 1.0000000000000001e-05 0.0001 4.9406564584124654e-324 -1.2345600000000001',
  '%G': '0 -0 1 0.1 0.5 1.5 2.5 0.125 9.995 100 1E+06 1.23457E+06 1E+21 1E+23 1E-05 0.0001 4.94066E-324 -1.23456',
}

// Also from glibc
const C_OTHERS: [fmt: string, value: unknown, text: string][] = [
  ['%5d', 42, '   42'],
  ['%-5d|', 42, '42   |'],
  ['%05d', -42, '-0042'],
  ['%+d', 42, '+42'],
  ['% d', 42, ' 42'],
  ['%+ d', 42, '+42'],
  ['%.5d', 42, '00042'],
  ['%8.5d', -42, '  -00042'],
  ['%08.5d', 42, '   00042'],
  ['%-08d|', 42, '42      |'],
  ['%.0d', 0, ''],
  ['%+.0d', 0, '+'],
  ['%5.0d', 0, '     '],
  ['%x', 255, 'ff'],
  ['%#x', 255, '0xff'],
  ['%#X', 255, '0XFF'],
  ['%#x', 0, '0'],
  ['%08x', 255, '000000ff'],
  ['%#08x', 255, '0x0000ff'],
  ['%.4x', 10, '000a'],
  ['%#.4x', 10, '0x000a'],
  ['%-#8x|', 255, '0xff    |'],
  ['%o', 8, '10'],
  ['%#o', 8, '010'],
  ['%#o', 0, '0'],
  ['%#.0o', 0, '0'],
  ['%#.5o', 8, '00010'],
  ['%u', 42, '42'],
  ['%05u', 42, '00042'],
  ['%lu', -1, '18446744073709551615'],
  ['%lx', -255, 'ffffffffffffff01'],
  ['%lo', -8, '1777777777777777777770'],
  ['%c', 65, 'A'],
  ['%3c', 65, '  A'],
  ['%-3c|', 65, 'A  |'],
  ['%5s', 'ab', '   ab'],
  ['%-5s|', 'ab', 'ab   |'],
  ['%.2s', 'abc', 'ab'],
  ['%5.1s', 'abc', '    a'],
  ['%.0s|', 'abc', '|'],
  ['%f', Infinity, 'inf'],
  ['%+f', Infinity, '+inf'],
  ['%06f', -Infinity, '  -inf'],
  ['%-6f', Infinity, 'inf   '],
  ['%E', Infinity, 'INF'],
  ['%5g', NaN, '  nan'],
]

const thrower = {
  toString(): string {
    throw new Error('toString')
  },
  valueOf(): number {
    throw new Error('valueOf')
  },
}
const revoked = Proxy.revocable(new Uint8Array(1), {})
revoked.revoke()
const HOSTILE: unknown[] = [
  thrower,
  Object.create(null),
  Symbol('s'),
  2n ** 200n,
  -(2n ** 200n),
  NaN,
  Infinity,
  -Infinity,
  undefined,
  () => {},
  new Date(NaN),
  [[thrower]],
]

describe('format', () => {
  it('websocket-run trap 75: "100%%" is "100%" and %s of null is "null"', () => {
    expect(format('100%%', [])).toBe('100%')
    expect(format('%s %s', [null, undefined])).toBe('null null')
  })

  it.each(Object.entries(C_FLOATS))('prints floats like C: %s', (fmt, line) => {
    expect(VALUES.map((value) => format(fmt, [value]))).toEqual(line.split(' '))
  })

  it.each(C_OTHERS)('prints like C: %j of %s', (fmt, value, text) => {
    expect(format(fmt, [value])).toBe(text)
  })

  it('prints the exact digits of the largest double', () => {
    expect(format('%.0f', [Number.MAX_VALUE])).toBe(String(BigInt(Number.MAX_VALUE)))
  })

  it('takes the arguments in order, width and precision before the value', () => {
    expect(format('%s=%d; %*d|%-*d|%*d|%.*f|%*.*s', ['a', 1, 4, 2, 4, 3, -4, 5, 1, 2.25, 3, 1, 'xyz'])).toBe(
      'a=1;    2|3   |5   |2.2|  x',
    )
    expect(format('%.*d|%.*s', [-1, 7, -1, 'whole'])).toBe('7|whole')
  })

  it('ignores sizes', () => {
    expect(format('%hd %hhd %ld %lld %Lf %zu', [1, 2, 3, 4, 5, 6])).toBe('1 2 3 4 5.000000 6')
  })

  it('groups thousands with , and with quote', () => {
    expect(format("%,d %'d %,u %,d %,d", [1234567, -1234, 999, 1000, 0])).toBe('1,234,567 -1,234 999 1,000 0')
    expect(format('%,.2f %,f %,x', [1234567.891, 12, 0xfffff])).toBe('1,234,567.89 12.000000 fffff')
    expect(format('%,12d|%-,12d|', [1234567, 1234567])).toBe('   1,234,567|1,234,567   |')
  })

  it('prints text of bytes, and counts characters, not units', () => {
    expect(format('%s', [new TextEncoder().encode('\ufeffhé😀')])).toBe('\ufeffhé😀')
    expect(format('%s', [Uint8Array.of(0x61, 0xff)])).toBe('a\ufffd')
    expect(format('%.2s|%4s|%-3s|', ['😀é!', '😀é', '😀'])).toBe('😀é|  😀é|😀  |')
    expect(format('%s %s %s', [[1, 2], { a: 1 }, Symbol('x')])).toBe('1,2 [object Object] Symbol(x)')
  })

  it('prints one character for %c', () => {
    expect(format('%c%c%c%c%c', [0x1f600, 'word', '😀!', -1, 0x110000])).toBe('😀w😀\ufffd\ufffd')
    expect(format('[%c][%c]', [null])).toBe('[][]')
  })

  it('truncates %d toward zero, takes bigints, and knows no NaN', () => {
    expect(format('%d %d %d %i', [1.9, -1.9, -0.5, '12'])).toBe('1 -1 0 12')
    expect(format('%d %x', [-(2n ** 70n), 2n ** 64n])).toBe('-1180591620717411303424 10000000000000000')
    expect(format('%d %d %d %d %d', [NaN, Infinity, undefined, null, true])).toBe('0 0 0 0 1')
  })

  it('prints %p with its prefix always', () => {
    expect(format('%p %p %8p', [255, null, 1])).toBe('0xff 0x0      0x1')
  })

  it('prints the letter of an unknown type and takes no argument for it', () => {
    expect(format('%n%y%5😀%S%-%%d', [7])).toBe('ny😀S%7')
    expect(format('%F%j%t', [1])).toBe('Fjt')
  })

  it('prints an incomplete directive at the end as it is', () => {
    expect(format('%', [])).toBe('%')
    expect(format('50%', [])).toBe('50%')
    expect(format('%-5.2l', [1])).toBe('%-5.2l')
  })

  it('treats a missing argument as undefined', () => {
    expect(format('%s %d %x %f %c|', [])).toBe('null 0 0 nan |')
  })

  it('does not look into the text of its arguments', () => {
    expect(format('%s|%5s', ['%d$&', '%s'])).toBe('%d$&|   %s')
  })

  it('caps width and precision', () => {
    for (const fmt of ['%99999999999d', '%.99999999999d', '%-99999999999s', '%099999999999x']) {
      expect(format(fmt, [1])).toHaveLength(MAX_FIELD)
    }
    expect(format('%*.*f', [1e300, 1e300, 1])).toHaveLength(MAX_FIELD + 2)
    expect(format('%.99999999999e', [1])).toHaveLength(MAX_FIELD + 6)
    const long = 'x'.repeat(3 * MAX_FIELD)
    expect(format(`%.${2 * MAX_FIELD}s`, [long])).toHaveLength(2 * MAX_FIELD)
    expect(format('%9s', [long])).toBe(long)
  })

  it('gives back the bare format when the result is longer than a string can be', () => {
    const long = 'x'.repeat(2 ** 28)
    expect(format('%s%s%s', [long, long, long])).toBe('%s%s%s')
  })

  it('survives every hostile argument in every place', () => {
    for (const type of 'sdiuxXocfeEgGp%n') {
      for (const value of [...HOSTILE, revoked.proxy]) {
        expect(typeof format(`%${type} %*.*${type}`, [value, value, value, value])).toBe('string')
      }
    }
    expect(format('%s %d', [thrower, thrower])).toBe('[object] 0')
  })

  it('never throws', () => {
    const directive = fc.stringMatching(/^%[-+#0 ,']{0,3}(\d{0,6}|\*)(\.(\d{0,6}|\*))?(h|l|ll|L|z)?[sdiuxXocfeEgGp%]$/)
    const fmt = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(directive, fc.string())).map((a) => a.join('')),
    )
    const arg = fc.oneof(
      fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }),
      fc.constantFrom(...HOSTILE),
    )
    fc.assert(
      fc.property(fmt, fc.array(arg), (text, args) => {
        expect(typeof format(text, args)).toBe('string')
      }),
    )
  })

  it('agrees with JavaScript where C and JavaScript agree', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.double({ noNaN: true, noDefaultInfinity: true }), (big, x) => {
        expect(format('%d', [big])).toBe(String(big))
        expect(format('%d', [x])).toBe(String(BigInt(Math.trunc(x))))
        expect(format('%x', [big])).toBe((big < 0n ? BigInt.asUintN(64, big) : big).toString(16))
        expect(format('%o', [big])).toBe((big < 0n ? BigInt.asUintN(64, big) : big).toString(8))
        expect(format('%,d', [big])).toBe(big.toLocaleString('en-US'))
        expect(Number(format('%.17g', [x]))).toBe(x)
        expect(Number(format('%.16e', [x]))).toBe(x)
      }),
    )
  })

  it('prints any text as it is for %s', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), fc.nat(40), (text, width, precision) => {
        const cut = Array.from(text).slice(0, precision)
        const fill = ' '.repeat(Math.max(0, width - cut.length))
        expect(format('%s', [text])).toBe(text)
        expect(format('%*.*s', [width, precision, text])).toBe(fill + cut.join(''))
        expect(format('%-*.*s', [width, precision, text])).toBe(cut.join('') + fill)
      }),
    )
  })
})
