import type { Random } from '../random.ts'
import { mutate } from '../sequences.ts'
import { must } from '../target.ts'

/** What clients of the gateway say: right at first, then not. */

type Choice<T> = readonly [T, ...T[]]

const STATUSES: Choice<unknown> = ['online', 'away', 'dnd', 'offline', 'online', 'away', 'idle', 'Online', '', null, 5]
const WORDS: Choice<unknown> = [
  'lunch',
  '',
  null,
  null,
  'x'.repeat(128),
  'x'.repeat(129),
  '🎉'.repeat(128),
  '🎉'.repeat(129),
  `${'🎉'.repeat(64)}${'x'.repeat(64)}`,
  'grüße 你好',
  'a\u0000b',
  '\ud800',
  'a\udc00',
  '\ufeff\u202e',
  5,
  true,
  ['lunch'],
  { toString: 'lunch' },
]
const NUMBERS: Choice<string> = ['0', '-0', '1e400', '-1e999', '9007199254740993', '1e-400', '5', '0.1', '1E+2']
const ODD: Choice<string> = ['null', 'true', '"x"', '""', '"\\ud800"', '"\\u0000"', '[]', '{}', '[{}]', ...NUMBERS]
const KEYS: Choice<string> = [
  'op',
  't',
  'd',
  'status',
  'custom_status',
  'activity',
  'channel_id',
  'to_user_id',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'a\\u0000b',
  '\\ud800',
]
const OPS: Choice<string> = [
  'HEARTBEAT',
  'PRESENCE_UPDATE',
  'TYPING_START',
  'VOICE_SIGNAL',
  'heartbeat',
  'DISPATCH',
  'HEARTBEAT_ACK',
  'TYPING_STOP',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
]
const POLLUTION: Choice<string> = [
  '"__proto__":{"polluted":1}',
  '"constructor":{"prototype":{"polluted":1}}',
  '"__proto__":null',
  '"__proto__":[]',
  '"toString":1',
  '"hasOwnProperty":null',
]
/** Bytes of a message. */
export const LONGEST = 16_384
const UNKNOWN = '01890000-0000-7000-8000-000000000000'

/** Things that there are. */
export interface Ids {
  readonly channels: Choice<string>
  readonly people: Choice<string>
}

/** An id, as most are given. */
export function id(random: Random, known: Choice<string>): unknown {
  if (random.chance(0.75)) return random.pick(known)
  const one = random.pick(known)
  return random.pick<unknown>([
    one.toUpperCase(),
    UNKNOWN,
    one.slice(1),
    `${one} `,
    `{${one}}`,
    one.replaceAll('-', ''),
    '',
    null,
    5,
    [one],
    "' OR 1=1 --",
    `${one}\u0000`,
  ])
}

const maybe = (random: Random, name: string, value: unknown): Record<string, unknown> =>
  random.chance(0.3) ? {} : { [name]: value }

function operation(random: Random, { channels, people }: Ids): Record<string, unknown> {
  const t = random.chance(0.9) ? {} : { t: random.pick<unknown>([null, 'x', '', 5, {}]) }
  const dice = random.below(100)
  if (dice < 30) {
    const d = random.chance(0.7) ? {} : { d: random.pick<unknown>([null, 5, 'x', [], {}, { op: 'x' }]) }
    return { op: 'HEARTBEAT', ...t, ...d }
  }
  if (dice < 62) {
    const d = {
      status: random.pick(STATUSES),
      ...maybe(random, 'custom_status', random.pick(WORDS)),
      ...maybe(random, 'activity', random.pick(WORDS)),
    }
    return { op: 'PRESENCE_UPDATE', ...t, d }
  }
  if (dice < 93) return { op: 'TYPING_START', ...t, d: { channel_id: id(random, channels) } }
  const d = {
    to_user_id: id(random, people),
    type: random.pick<unknown>(['offer', 'answer', 'candidate', 'bye', null]),
    sdp: random.pick<unknown>(['v=0\r\n', null, 5]),
    ...maybe(random, 'stream_type', random.pick<unknown>(['screen', 'x'.repeat(33), null])),
  }
  return { op: 'VOICE_SIGNAL', ...t, d }
}

function json(random: Random, depth: number): string {
  if (depth === 0 || random.chance(0.3)) return random.pick(ODD)
  const length = random.below(5)
  if (random.chance(0.4)) return `[${Array.from({ length }, () => json(random, depth - 1)).join(',')}]`
  return `{${Array.from({ length }, () => `"${random.pick(KEYS)}":${json(random, depth - 1)}`).join(',')}}`
}

const deep = (random: Random): string => {
  const [open, close] = random.pick<readonly [string, string]>([
    ['[', ']'],
    ['{"d":', '}'],
    ['{"op":"HEARTBEAT","d":', '}'],
    ['{"__proto__":', '}'],
  ])
  const depth = random.pick([10, 500, Math.floor((LONGEST - 1) / (open.length + close.length))])
  return `${open.repeat(depth)}1${random.chance(0.8) ? close.repeat(depth) : ''}`
}

/** Something more in an object: keys that are there already, or that objects have by themselves. */
function crowd(random: Random, text: string): string {
  const places = [...text.matchAll(/\{|\}/g)].map(({ index }) => index)
  const at = places[random.below(places.length)]
  if (at === undefined) return text
  const member = random.chance(0.4) ? random.pick(POLLUTION) : `"${random.pick(KEYS)}":${random.pick(ODD)}`
  const opens = text[at] === '{'
  const [before, after] = opens ? [text.slice(0, at + 1), text.slice(at + 1)] : [text.slice(0, at), text.slice(at)]
  const empty = opens ? after.startsWith('}') : before.endsWith('{')
  return `${before}${empty || !opens ? '' : `${member},`}${empty ? member : opens ? '' : `,${member}`}${after}`
}

/** Longer than most, up to `most` bytes. */
function pad(random: Random, text: string, most: number): string {
  const left = most - Buffer.byteLength(text)
  must(left >= 0, 'there is no room')
  const filler = ' '.repeat(random.chance(0.5) ? left : random.below(left + 1))
  return random.chance(0.5) ? `${text}${filler}` : `${filler}${text}`
}

/** The bytes of one text of a client; not always of valid UTF-8. */
export function clientText(random: Random, ids: Ids): Buffer {
  const dice = random.below(100)
  if (dice >= 96) return Buffer.from(deep(random))
  if (dice >= 84) return Buffer.from(json(random, 4))
  if (dice >= 80) return Buffer.from(JSON.stringify({ op: random.pick(OPS), d: {} }))
  const text = JSON.stringify(operation(random, ids))
  if (dice < 50) return Buffer.from(random.chance(0.02) ? pad(random, text, LONGEST) : text)
  if (dice < 64) return Buffer.from(crowd(random, random.chance(0.3) ? crowd(random, text) : text))
  return mutate(random, Buffer.from(text))
}
