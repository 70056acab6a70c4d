import { close, closeBody, frame, type FrameSpec } from '../support/frames.ts'
import { handshake } from '../support/raw.ts'
import type { Random } from './random.ts'

/** What peers send, well-formed at first, and what can happen to it. */

const LETTERS = [
  'plain ASCII, ',
  'grüße ',
  '你好',
  '🎉🏳️‍🌈',
  '\u0000',
  '\ufeff',
  '\ud7ff\ue000',
  '\u{10ffff}',
  'a\u0301',
] as const
const STATUSES = [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] as const
const BAD_STATUSES = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535] as const

type Mask = readonly [number, number, number, number]

function mask(random: Random, client: boolean): Mask | null {
  if (!client) return null
  const byte = (): number => random.below(256)
  return random.chance(0.05) ? [0, 0, 0, 0] : [byte(), byte(), byte(), byte()]
}

/** All size classes of RFC 6455 §5.2 and their borders; long ones are rare, for they cost time. */
function size(random: Random): number {
  if (random.chance(0.002)) return random.pick([65535, 65536, 70_000])
  if (random.chance(0.08)) return random.pick([125, 126, 127, 128, random.between(126, 4000)])
  return random.chance(0.1) ? 0 : random.between(1, 60)
}

function text(random: Random, length: number): Buffer {
  const parts: Buffer[] = []
  for (let left = length; left > 0; left -= parts.at(-1)?.length ?? left) parts.push(Buffer.from(random.pick(LETTERS)))
  return Buffer.concat(parts)
}

function control(random: Random, client: boolean): Buffer {
  const payload = random.bytes(random.chance(0.05) ? 125 : random.below(12))
  return frame({ opcode: random.pick([9, 10]), payload, mask: mask(random, client) })
}

/** One message in up to five frames, cut anywhere, with control frames between. */
function message(random: Random, client: boolean): Buffer[] {
  const opcode = random.pick([1, 2])
  const payload = opcode === 1 ? text(random, size(random)) : random.bytes(size(random))
  const cuts = random.chance(0.35)
    ? Array.from({ length: random.between(1, 4) }, () => random.between(0, payload.length)).toSorted((a, b) => a - b)
    : []
  const ends = [...cuts, payload.length]
  return ends.flatMap((end, i) => {
    const spec: FrameSpec = {
      opcode: i === 0 ? opcode : 0,
      payload: payload.subarray(ends[i - 1] ?? 0, end),
      fin: i === cuts.length,
      mask: mask(random, client),
    }
    const bytes = frame(spec)
    return random.chance(0.15) ? [bytes, control(random, client)] : [bytes]
  })
}

function goodbye(random: Random, client: boolean): Buffer {
  if (random.chance(0.2)) return frame({ opcode: 8, mask: mask(random, client) })
  const status = random.chance(0.15) ? random.pick(BAD_STATUSES) : random.pick(STATUSES)
  const payload = closeBody(status, text(random, random.below(40)))
  return client && random.chance(0.5) ? close(status) : frame({ opcode: 8, payload, mask: mask(random, client) })
}

/** Frames as a peer may send them: a few messages, now and then a Close. */
export function sequence(random: Random, client = true, goodbyes = 0.2): Buffer {
  const frames: Buffer[] = []
  for (let left = random.between(1, 4); left > 0; left--) frames.push(...message(random, client))
  if (random.chance(0.1)) frames.unshift(control(random, client))
  if (random.chance(goodbyes)) frames.push(goodbye(random, client))
  return Buffer.concat(frames)
}

type Mutation = (random: Random, bytes: Buffer, at: number) => Buffer

const splice = (bytes: Buffer, at: number, removed: number, added: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  // a bit
  (random, bytes, at) => splice(bytes, at, 1, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8)))),
  // a byte
  (random, bytes, at) => splice(bytes, at, 1, random.bytes(1)),
  // something more
  (random, bytes, at) => splice(bytes, at, 0, random.bytes(random.between(1, 6))),
  // something less
  (random, bytes, at) => splice(bytes, at, random.between(1, 6), Buffer.alloc(0)),
  // something twice
  (random, bytes, at) => splice(bytes, at, 0, bytes.subarray(at, at + random.between(1, 40))),
  // the end too early
  (_random, bytes, at) => bytes.subarray(0, at),
]

/** Changes bytes in one to three places. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  let mutated = bytes
  for (let left = random.between(1, 3); left > 0 && mutated.length > 0; left--) {
    mutated = random.pick(MUTATIONS)(random, mutated, random.below(mutated.length))
  }
  return mutated
}

/** Cuts into as many pieces as it pleases; the pieces are copies, for who reads them may write to them. */
export function chunks(random: Random, bytes: Buffer): Buffer[] {
  if (bytes.length < 200 && random.chance(0.1)) return Array.from(bytes, (byte) => Buffer.of(byte))
  const cuts = Array.from({ length: random.below(7) }, () => random.between(0, bytes.length)).toSorted((a, b) => a - b)
  return [...cuts, bytes.length].map((end, i) => Buffer.from(bytes.subarray(cuts[i - 1] ?? 0, end)))
}

const HEADERS = {
  'Connection': ['upgrade', 'keep-alive, Upgrade', 'close', 'keep-alive', '', null],
  'Upgrade': ['WebSocket', 'h2c, websocket', 'http/1.1', '', null],
  'Sec-WebSocket-Key': ['', 'x', '='.repeat(24), 'A'.repeat(21) + '==', 'dGhlIHNhbXBsZSBub25jZQ', null],
  'Sec-WebSocket-Version': ['8', '013', '13, 8', '', null],
  'Sec-WebSocket-Protocol': ['chat', 'a, b,,c', ',', '\u00e9', 'x'.repeat(3000)],
  'Sec-WebSocket-Extensions': ['permessage-deflate; client_max_window_bits', ';;', 'x'.repeat(9000)],
  'Host': ['', 'a b', 'x'.repeat(300), null],
  'Origin': ['null', 'http://localhost', 'http://evil.example', '://'],
  'Content-Length': ['0', '5', '-1', '99999999999999999999', 'x'],
  'Transfer-Encoding': ['chunked', 'gzip', 'chunked, chunked'],
  'Expect': ['100-continue', 'x'],
  'X': ['', ' \t ', '\u0000', 'a\r\n b', 'a\nb', 'a\rb', 'x'.repeat(20_000)],
} as const
const PATHS = [
  '/echo',
  '/',
  '/echo/..',
  '/%00',
  '/%',
  '//x',
  '*',
  'http://localhost/echo',
  '/é',
  '/?a=%zz',
  'x',
  '',
] as const
const METHODS = ['GET', 'POST', 'HEAD', 'CONNECT', 'OPTIONS', 'get', 'PRI', ''] as const
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ', ''] as const
const NAMES = Object.keys(HEADERS)

/** An opening handshake with up to three odd lines, sometimes with frames behind it. */
export function opening(random: Random): Buffer {
  const changes: Record<string, string | null> = {}
  const lists = new Map<string, readonly (string | null)[]>(Object.entries(HEADERS))
  for (let left = random.below(4); left > 0; left--) {
    const name = NAMES[random.below(NAMES.length)] ?? 'X'
    const values = lists.get(name) ?? ['']
    changes[name] = values[random.below(values.length)] ?? null
  }
  const odd = random.chance(0.3)
  const first = odd ? `${random.pick(METHODS)} ${random.pick(PATHS)} ${random.pick(VERSIONS)}` : 'GET /echo HTTP/1.1'
  const bytes = handshake('', changes, first)
  return random.chance(0.3) ? Buffer.concat([bytes, sequence(random)]) : bytes
}
