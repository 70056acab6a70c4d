import type { Random } from './random.ts'

/** Values of every type that JavaScript has, harmless and hostile ones. */

/** Thrown on purpose; nothing but `webSocketCork` may let it through, and only from its function. */
export class Deliberate extends Error {}

const fail = (): never => {
  throw new Deliberate('on purpose')
}

type Make = (random: Random) => unknown
type Choice<T> = readonly [T, ...T[]]

const NUMBERS: Choice<number> = [
  0,
  -0,
  1,
  -1,
  0.5,
  NaN,
  Infinity,
  -Infinity,
  1e300,
  5e-324,
  100,
  125,
  126,
  65536,
  2147483648,
  -2147483648,
  4294967296,
  9007199254740991,
  -1000,
  1000,
  1005,
  1006,
  4999,
]
const STRINGS: Choice<string> = ['', 'a', 'grüße 你好 🎉', '\ud800', 'a\u0000b', '__proto__', '5', 'x'.repeat(200)]

const ODD: Choice<Make> = [
  () => undefined,
  () => null,
  (random) => random.chance(0.5),
  (random) => random.pick(NUMBERS),
  (random) => random.pick<bigint>([0n, -1n, 2n ** 70n]),
  (random) => random.pick(STRINGS),
  () => Symbol('symbol'),
  () => Symbol.iterator,
  () => () => undefined,
  () => fail,
  () => async () => undefined,
  () => ({}),
  () => ({ __proto__: null }),
  () => ({ client: true, state: 1, data: 'not a handle' }),
  () => ({ toString: fail, valueOf: fail, toJSON: fail }),
  () => Object.defineProperty({}, 'then', { get: fail, enumerable: true }),
  () => Object.freeze([1, 'two', [null]]),
  () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    return cyclic
  },
  () => new Proxy({}, {}),
  () => new Date(NaN),
  () => /x/g,
  () => new Map([[1, 2]]),
  () => new Error('an error'),
  () => Promise.resolve(1),
  () => Buffer.from('bytes'),
  () => new Uint16Array(3),
  () => new DataView(new ArrayBuffer(4)),
  () => new SharedArrayBuffer(4),
  () => globalThis,
]

export const anything: Make = (random) => random.pick(ODD)(random)

const FORMATS: Choice<string> = ['%s', 'plain', '%d %5.2f|%-9s|%c', '%*.*f', '%#x %o %e %g %p', '%9000d', '%', '%%n%n']
const KEYS: Choice<string> = [
  'a',
  'a.b',
  'a[0]',
  'list[$]',
  'list[3].x',
  'b.c[1][2].d',
  '__proto__',
  'a..b',
  '[9999]',
  '',
]
const TYPES: Choice<number> = [0, 1, 2, 9, 0x10, 0x11, 0x12, 0x1001, 0x19, 8, 10]
const STATUSES: Choice<number> = [1000, 1001, 3000, 4999, 0, 1005, 1006, 999, 5000]
const SIZES: Choice<number> = [0, 1, 3, 20, 1000, 100_000, Infinity]
const TIMES: Choice<number> = [0, 1, 50, 1000, 60_000, Infinity]
const TOPICS: Choice<string> = ['a', 'b', '']

const block: Make = (random) => {
  const bytes = random.bytes(random.pick([0, 1, 20, 125, 126, 3000]))
  return random.pick<unknown>([bytes, new Uint8Array(bytes), Uint8Array.from(bytes).buffer, bytes.toString('latin1')])
}

/** Good arguments by what a parameter means. */
export const good = {
  any: anything,
  text: (random) => random.pick(STRINGS),
  format: (random) => random.pick(FORMATS),
  type: (random) => random.pick(TYPES),
  block,
  bytes: (random) => (random.chance(0.7) ? null : random.bytes(random.below(20))),
  length: (random) => (random.chance(0.5) ? undefined : random.below(30)),
  status: (random) => random.pick(STATUSES),
  size: (random) => random.pick(SIZES),
  time: (random) => random.pick(TIMES),
  topic: (random) => random.pick(TOPICS),
  flag: (random) => random.chance(0.5),
  node: (random) => (random.chance(0.7) ? 0 : random.below(6)),
  key: (random) => random.pick(KEYS),
  path: (random) => (random.chance(0.5) ? null : random.pick(KEYS)),
} satisfies Record<string, Make>
