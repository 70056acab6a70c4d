import type { Difference } from '../support/differences.ts'
import { binary, close, closeReply, cont, frame, ping, pong, reply, text } from '../support/frames.ts'

/**
 * What a server that echoes answers to bytes of a client, byte for byte. `reply` runs up to the end of TCP. Cases that
 * do not end the connection get a Close 1000 behind them.
 */
export interface Case {
  readonly name: string
  readonly send: Buffer
  readonly reply: Buffer
  /** The server ends the connection by itself. */
  readonly ends?: boolean
  /** Who ends it, as the log has it. Default: us where the server does, else the peer. */
  readonly by?: 'us' | 'peer'
  /** Limit of the server, default 64 MB. */
  readonly maxMessage?: number
  /** Traps of spec §8 that the case holds. */
  readonly traps?: readonly number[]
  /** What uws does instead. */
  readonly uws?: Deviation
}

export interface Deviation {
  readonly row: Difference
  /** Null: any bytes will do, as long as the server lives. */
  readonly reply: Buffer | null
  /** A fault that is none to uws: the case ends as a good one does, with a Close 1000. */
  readonly taken?: boolean
  readonly by?: 'us' | 'peer'
}

const echoText = (payload: string | Buffer): Buffer => reply({ opcode: 1, payload })
const echoBinary = (payload: Buffer): Buffer => reply({ opcode: 2, payload })
const pongReply = (payload: string | Buffer = ''): Buffer => reply({ opcode: 10, payload })
const join = (...parts: Buffer[]): Buffer => Buffer.concat(parts)
const bytes = (size: number): Buffer => {
  const out = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) out[i] = (i * 31 + (i >> 8)) & 0xff
  return out
}

const fine = (name: string, send: Buffer, answer: Buffer, ...traps: number[]): Case => ({
  name,
  send: join(send, close(1000)),
  reply: join(answer, closeReply(1000)),
  traps,
})
const fails = (name: string, send: Buffer, status: number, ...traps: number[]): Case => ({
  name,
  // What comes behind a fault is not looked at.
  send: join(send, text('ignored')),
  reply: closeReply(status),
  ends: true,
  traps,
  uws: { row: 'wire close on violation', reply: Buffer.alloc(0) },
})
/** A fault on node, fine on uws. */
const taken = (base: Case, row: Difference, answer: Buffer): Case => ({
  ...base,
  uws: { row, reply: join(answer, echoText('ignored'), closeReply(1000)), taken: true },
})
/** A fault that both engines close in the same way. */
const same = (base: Case): Case => ({ ...base, uws: { row: 'wire close on violation', reply: base.reply } })
const misread = (base: Case): Case => ({ ...base, uws: { row: 'unmasked client frame', reply: null } })
const emptyClose = (base: Case, row: Difference): Case => ({
  ...base,
  uws: { row, reply: closeReply(), by: 'us' },
})

const sizes = [0, 1, 2, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537]

const framing: Case[] = [
  ...sizes.map((size) => fine(`text of ${size} bytes`, text('*'.repeat(size)), echoText('*'.repeat(size)))),
  ...sizes.map((size) => fine(`binary of ${size} bytes`, binary(bytes(size)), echoBinary(bytes(size)))),
  fine('binary of 16 MiB', binary(bytes(16 << 20)), echoBinary(bytes(16 << 20))),
  fine('text of 16 MiB', text('ä'.repeat(8 << 20)), echoText('ä'.repeat(8 << 20))),
  fine(
    'many messages in one segment',
    join(...Array.from({ length: 500 }, (_, i) => text(`message ${i}`))),
    join(...Array.from({ length: 500 }, (_, i) => echoText(`message ${i}`))),
  ),
  fine('mask of zeroes', frame({ opcode: 1, payload: 'plain', mask: [0, 0, 0, 0] }), echoText('plain')),
  fine(
    'mask with high bits',
    frame({ opcode: 2, payload: bytes(1000), mask: [255, 254, 128, 129] }),
    echoBinary(bytes(1000)),
  ),
  taken(
    fails('16-bit length for 125 bytes', frame({ opcode: 2, payload: bytes(125), lengthBits: 16 }), 1002),
    'length that is not minimal',
    echoBinary(bytes(125)),
  ),
  taken(
    fails('16-bit length for 0 bytes', frame({ opcode: 1, lengthBits: 16 }), 1002),
    'length that is not minimal',
    echoText(''),
  ),
  taken(
    fails('64-bit length for 5 bytes', frame({ opcode: 1, payload: 'hello', lengthBits: 64 }), 1002),
    'length that is not minimal',
    echoText('hello'),
  ),
  taken(
    fails('64-bit length for 65,535 bytes', frame({ opcode: 2, payload: bytes(65_535), lengthBits: 64 }), 1002),
    'length that is not minimal',
    echoBinary(bytes(65_535)),
  ),
  fails('64-bit length with its top bit set', frame({ opcode: 2, length: 1n << 63n }), 1002),
  fails('64-bit length of 2^53', frame({ opcode: 2, length: 1n << 53n }), 1002),
  misread(fails('text without a mask', frame({ opcode: 1, payload: 'bare', mask: null }), 1002, 29)),
  misread(fails('ping without a mask', frame({ opcode: 9, payload: 'bare', mask: null }), 1002, 29)),
  misread(fails('close without a mask', frame({ opcode: 8, mask: null }), 1002, 29)),
]

const rsv: Case[] = [0x40, 0x20, 0x10, 0x70].flatMap((bits) => [
  fails(`text with RSV ${bits.toString(16)}`, frame({ opcode: 1, payload: 'x', rsv: bits }), 1002),
  fails(`binary with RSV ${bits.toString(16)}`, frame({ opcode: 2, payload: 'x', rsv: bits }), 1002),
  fails(`ping with RSV ${bits.toString(16)}`, frame({ opcode: 9, rsv: bits }), 1002),
  fails(`close with RSV ${bits.toString(16)}`, frame({ opcode: 8, rsv: bits }), 1002),
  fails(
    `continuation with RSV ${bits.toString(16)}`,
    join(text('x', false), frame({ opcode: 0, payload: 'x', rsv: bits })),
    1002,
  ),
])

const opcodes: Case[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  fails(`opcode ${opcode}`, frame({ opcode }), 1002),
  fails(`opcode ${opcode} with payload`, frame({ opcode, payload: 'payload' }), 1002),
  fails(`opcode ${opcode} inside a message`, join(text('a', false), frame({ opcode, payload: 'payload' })), 1002),
])

const control: Case[] = [
  fine('ping without payload', ping(), pongReply()),
  fine('ping with 125 bytes', ping(bytes(125)), pongReply(bytes(125))),
  fine('ping with binary payload', ping(Buffer.from([0, 255, 254, 253])), pongReply(Buffer.from([0, 255, 254, 253]))),
  fine('pong that nobody asked for', join(pong(), pong('payload'), text('a')), echoText('a'), 27),
  fine(
    'ten pings in one segment',
    join(...Array.from({ length: 10 }, (_, i) => ping(`p${i}`))),
    join(...Array.from({ length: 10 }, (_, i) => pongReply(`p${i}`))),
  ),
  fine(
    'ping "hi" followed by other frames in one segment',
    join(ping('hi'), text('one'), binary(bytes(3))),
    join(pongReply('hi'), echoText('one'), echoBinary(bytes(3))),
    26,
  ),
  fails('ping of 126 bytes', ping(bytes(126)), 1002),
  fails('pong of 126 bytes', pong(bytes(126)), 1002),
  fails('ping without FIN', frame({ opcode: 9, fin: false }), 1002),
  fails('pong without FIN', frame({ opcode: 10, fin: false }), 1002),
  fails('close without FIN', frame({ opcode: 8, fin: false }), 1002),
  fails('ping announcing 64 KiB', frame({ opcode: 9, lengthBits: 64, length: 65_536n }), 1002),
]

const many = 65_537
const fragments: Case[] = [
  fine('text in two', join(text('hel', false), cont('lo', true)), echoText('hello')),
  fine(
    'binary in three',
    join(binary(bytes(3), false), cont('x', false), cont('y', true)),
    echoBinary(join(bytes(3), Buffer.from('xy'))),
  ),
  fine('empty fragments', join(text('', false), cont('', false), cont('', true)), echoText(''), 10),
  fine(
    'empty first, full middle, empty last',
    join(text('', false), cont('mid', false), cont('', true)),
    echoText('mid'),
  ),
  fine(
    'control frames between fragments',
    join(text('a', false), ping('1'), cont('b', false), pong('2'), ping('3'), cont('c', true)),
    join(pongReply('1'), pongReply('3'), echoText('abc')),
  ),
  fine(
    `${many} fragments of one byte`,
    join(text('a', false), ...Array.from({ length: many - 2 }, () => cont('b', false)), cont('c', true)),
    echoText(`a${'b'.repeat(many - 2)}c`),
  ),
  fine(
    'one message behind another',
    join(text('a', false), cont('b', true), binary(bytes(2), false), cont('z', true)),
    join(echoText('ab'), echoBinary(join(bytes(2), Buffer.from('z')))),
  ),
  fails('continuation without a message', cont('x', true), 1002),
  fails('continuation without a message, more to come', cont('x', false), 1002),
  {
    ...fails('continuation after a whole message', join(text('done'), cont('x', true)), 1002),
    reply: join(echoText('done'), closeReply(1002)),
    uws: { row: 'answers to what came in the segment of a violation', reply: null },
  },
  fails('TEXT inside an unfinished TEXT', join(text('a', false), text('b')), 1002, 30),
  taken(
    fails('BINARY inside an unfinished TEXT', join(text('a', false), binary(bytes(1))), 1002, 30),
    'BINARY inside an unfinished TEXT',
    echoBinary(join(Buffer.from('a'), bytes(1))),
  ),
  fails('TEXT inside an unfinished BINARY', join(binary(bytes(1), false), text('b')), 1002, 30),
]

const utf8Good = [
  'κόσμε',
  'Hello-µ@ßöäüàá-UTF-8!!',
  '\0',
  'a\0b',
  '\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}',
  '\u{d7ff}\u{e000}\u{fffd}\u{feff}x',
  '\u{1f600}'.repeat(100),
]
const utf8Bad: [string, number[]][] = [
  ['a lone continuation byte', [0x80]],
  ['a lone lead byte', [0xc3, 0x28]],
  ['overlong slash in two', [0xc0, 0xaf]],
  ['overlong slash in three', [0xe0, 0x80, 0xaf]],
  ['overlong slash in four', [0xf0, 0x80, 0x80, 0xaf]],
  ['lead byte C1', [0xc1, 0xbf]],
  ['the surrogate D800', [0xed, 0xa0, 0x80]],
  ['the surrogate DFFF', [0xed, 0xbf, 0xbf]],
  ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['lead byte F5', [0xf5, 0x80, 0x80, 0x80]],
  ['FE', [0xfe]],
  ['FF', [0xff]],
  ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ['text ending in E2 82', [0x61, 0xe2, 0x82]],
  ['text ending in F0 9F 98', [0x61, 0xf0, 0x9f, 0x98]],
  ['a bad byte behind 1,000 good ones', [...Buffer.alloc(1000, 0x61), 0xff]],
]

const utf8: Case[] = [
  ...utf8Good.map((good, i) => fine(`valid text ${i}`, text(good), echoText(good), 12)),
  ...utf8Good.map((good, i) =>
    fine(
      `valid text ${i}, a byte a fragment`,
      join(
        ...Array.from(Buffer.from(good), (byte, at) =>
          frame({ opcode: at === 0 ? 1 : 0, payload: Buffer.of(byte), fin: at === Buffer.byteLength(good) - 1 }),
        ),
      ),
      echoText(good),
      14,
    ),
  ),
  fine(
    'code point over three frames with a ping between',
    join(text(Buffer.of(0xe2), false), cont(Buffer.of(0x82), false), ping('p'), cont(Buffer.of(0xac), true)),
    join(pongReply('p'), echoText('€')),
    14,
  ),
  ...utf8Bad.map(([name, bad]) => fails(`invalid text: ${name}`, text(Buffer.from(bad)), 1007, 16)),
  ...utf8Bad.map(([name, bad]) =>
    fails(
      `invalid text behind good text in another frame: ${name}`,
      join(text('good ä', false), cont(Buffer.from(bad), true)),
      1007,
      16,
    ),
  ),
  fine(
    'what is no text may be binary',
    binary(Buffer.from([0xff, 0xfe, 0xed, 0xa0, 0x80])),
    echoBinary(Buffer.from([0xff, 0xfe, 0xed, 0xa0, 0x80])),
  ),
]

const goodStatus = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999]
const registeredStatus = [1012, 1013, 1014, 3000, 3999]
const badStatus = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535]
const closing = (name: string, send: Buffer, answer: Buffer, ...traps: number[]): Case => ({
  name,
  send: join(send, text('ignored'), ping('ignored')),
  reply: answer,
  ends: true,
  by: 'peer',
  traps,
})

const closes: Case[] = [
  closing('close without payload', close(), closeReply(), 32),
  ...goodStatus.map((status) => closing(`close ${status}`, close(status), closeReply(status), 31)),
  ...registeredStatus.map((status) =>
    emptyClose(closing(`close ${status}`, close(status), closeReply(status), 34), 'peer Close 1012-1014 and 3000-3999'),
  ),
  closing('close with a reason', close(4001, 'x'), closeReply(4001, 'x'), 31),
  closing('close with a reason of 123 bytes', close(1000, 'r'.repeat(123)), closeReply(1000, 'r'.repeat(123))),
  closing('close inside a message', join(text('a', false), close(1000)), closeReply(1000)),
  ...badStatus.map((status) =>
    emptyClose(fails(`close ${status}`, close(status), 1002, 33), 'wire close on violation'),
  ),
  {
    ...fails('close with one byte', frame({ opcode: 8, payload: 'x' }), 1002),
    uws: { row: 'peer Close of one byte', reply: closeReply(), by: 'peer' },
  },
  emptyClose(
    fails('close with a reason that is no text', close(1000, Buffer.of(0xff, 0xfe)), 1007),
    'peer Close with a reason that is no text',
  ),
  fails('close with a reason of 124 bytes', close(1000, 'r'.repeat(124)), 1002),
]

const limits: Case[] = [
  { ...fine('message of exactly maxMessage', binary(bytes(1000)), echoBinary(bytes(1000)), 17), maxMessage: 1000 },
  { ...same(fails('message of maxMessage + 1', binary(bytes(1001)), 1009, 17)), maxMessage: 1000 },
  {
    ...fine(
      'fragments that sum up to maxMessage',
      join(binary(bytes(600), false), cont('x'.repeat(400), true)),
      echoBinary(join(bytes(600), Buffer.from('x'.repeat(400)))),
      17,
    ),
    maxMessage: 1000,
  },
  {
    ...same(
      fails('fragments that sum up to more', join(binary(bytes(600), false), cont('x'.repeat(401), true)), 1009, 17),
    ),
    maxMessage: 1000,
  },
  { ...fails('a header announcing 2^40 bytes', frame({ opcode: 2, length: 1n << 40n }), 1009, 18), maxMessage: 1000 },
  {
    ...fails(
      'a header announcing 2^40 bytes within a message',
      join(text('a', false), frame({ opcode: 0, length: 1n << 40n })),
      1009,
      18,
    ),
    maxMessage: 1000,
  },
  {
    ...fine(
      'control frames do not count',
      join(binary(bytes(999), false), ping(bytes(100)), cont('x', true)),
      join(pongReply(bytes(100)), echoBinary(join(bytes(999), Buffer.from('x')))),
      17,
    ),
    maxMessage: 1000,
  },
]

export const cases: readonly Case[] = [
  ...framing,
  ...rsv,
  ...opcodes,
  ...control,
  ...fragments,
  ...utf8,
  ...closes,
  ...limits,
]
