import { randomBytes } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deflater, Inflater } from '../../../lib/engine/node/compression.ts'
import { deflate, inflate, MALFORMED, NO_WINDOW, slide, TOO_LARGE } from '../../../lib/engine/node/deflate.ts'
import type { Compression } from '../../../lib/engine/extensions.ts'
import { FrameParser } from '../../../lib/engine/node/parser.ts'
import { binary, close, cont, frame, ping, text } from '../../support/frames.ts'
import { bomb, deflated, hex, packed } from './support.ts'

const hello = Buffer.from('Hello')
/** For long ones, of which no list of differences is wanted. */
const isSame = (message: unknown, expected: Buffer): boolean => Buffer.isBuffer(message) && message.equals(expected)
const HELLO = 'f2 48 cd c9 c9 07 00'

describe('the examples of RFC 7692 §7.2.3', () => {
  it.each([
    ['§7.2.3.1 one block', HELLO, 'Hello'],
    ['§7.2.3.3 a block without compression', '00 05 00 fa ff 48 65 6c 6c 6f 00', 'Hello'],
    ['§7.2.3.4 a block that says it is the last', 'f3 48 cd c9 c9 07 00 00', 'Hello'],
    ['§7.2.3.5 two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00', 'Hello'],
    ['§7.2.3.6 an empty message', '00', ''],
    // Not among them
    ['two blocks that say that they are the last', 'f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00', 'HelloHello'],
    ['an empty message that a flush has left nothing of', '', ''],
  ])('%s', (_what, payload, expected) => {
    const message = inflate(hex(payload), 0, NO_WINDOW)
    expect(message).toEqual(Buffer.from(expected))
  })

  it('§7.2.3.1, §7.2.3.2 and §7.2.3.6 the other way, byte for byte', () => {
    expect(deflate(hello, NO_WINDOW, 15)).toEqual(hex(HELLO))
    expect(deflate(hello, hello, 15)).toEqual(hex('f2 00 11 00 00'))
    expect(deflate(Buffer.alloc(0), NO_WINDOW, 15)).toEqual(hex('00'))
  })

  it('§7.2.3.2 a message that refers to the one before', () => {
    expect(inflate(hex('f2 00 11 00 00'), 0, hello)).toEqual(hello)
    expect(inflate(hex('f2 00 11 00 00'), 0, NO_WINDOW)).toBe(MALFORMED)
  })

  it('a block behind one that says it is the last may refer to it, and to the window', () => {
    const first = hex('f3 48 cd c9 c9 07 00')
    expect(inflate(Buffer.concat([first, deflated('Hello', { dictionary: hello })]), 0, NO_WINDOW)).toEqual(
      Buffer.from('HelloHello'),
    )
    const world = Buffer.from('wide world')
    const second = deflated('wide world', { dictionary: Buffer.concat([world, hello]) })
    expect(second.length).toBeLessThan(7)
    expect(inflate(Buffer.concat([first, second]), 0, world)).toEqual(Buffer.from('Hellowide world'))
  })
})

describe('inflate', () => {
  const zeros = (length: number): Buffer => deflated(Buffer.alloc(length))

  it.each([
    ['no deflated data', Buffer.from('no deflated data at all')],
    ['a reserved block type', hex('07')],
    ['a block that is cut off', hex('f2 48 cd')],
    ['a block without compression that is cut off', hex('00 50 00 af ff 48')],
    ['a last block without the octet behind it', hex('f3 48 cd c9 c9 07 00')],
    ['what has the four octets that are not sent', hex(`${HELLO} 00 00 ff ff`)],
    ['a long message that lacks its end', deflated('x'.repeat(5000) + 'y'.repeat(5000)).subarray(0, -2)],
  ])('%s is malformed', (_what, payload) => {
    expect(inflate(payload, 0, NO_WINDOW)).toBe(MALFORMED)
  })

  it.each([1, 5, 16_384, 16_385, 100_000])('takes %i bytes where that is the limit, and not one more', (limit) => {
    expect(isSame(inflate(zeros(limit), limit, NO_WINDOW), Buffer.alloc(limit))).toBe(true)
    expect(inflate(zeros(limit + 1), limit, NO_WINDOW)).toBe(TOO_LARGE)
  })

  it('the limit holds over blocks that say that they are the last', () => {
    const twice = Buffer.concat([hex('f3 48 cd c9 c9 07 00'), hex('f3 48 cd c9 c9 07 00 00')])
    expect(inflate(twice, 10, NO_WINDOW)).toEqual(Buffer.from('HelloHello'))
    for (const limit of [1, 4, 5, 6, 9]) expect(inflate(twice, limit, NO_WINDOW)).toBe(TOO_LARGE)
    const more = Buffer.concat([hex('f3 48 cd c9 c9 07 00'), deflated('!')])
    expect(inflate(more, 5, NO_WINDOW)).toBe(TOO_LARGE)
    expect(inflate(more, 6, NO_WINDOW)).toEqual(Buffer.from('Hello!'))
  })

  it('blocks that say that they are the last are not endless work', () => {
    const empty = (count: number): Buffer => Buffer.concat([Buffer.alloc(2 * count, hex('03 00')), hex('00')])
    expect(inflate(empty(99), 0, NO_WINDOW)).toEqual(Buffer.alloc(0))
    expect(inflate(empty(100), 0, NO_WINDOW)).toBe(MALFORMED)
  })

  it('garbage is malformed, too large, or inflates to what fits; it never throws', () => {
    const seen = new Set<unknown>()
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        fc.nat(1000),
        fc.uint8Array(),
        (payload, limit, window) => {
          const message = inflate(payload, limit, window)
          seen.add(Buffer.isBuffer(message) ? 'message' : message)
          if (Buffer.isBuffer(message)) expect(limit === 0 || message.length <= limit).toBe(true)
          else expect([MALFORMED, TOO_LARGE]).toContain(message)
        },
      ),
      { numRuns: 2000 },
    )
    expect(seen).toContain('message')
    expect(seen).toContain(MALFORMED)
  })
})

/** Bytes that repeat themselves here and there. */
const content = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 1500, size: 'max' }), fc.constantFrom(hello, Buffer.alloc(2000, 'ab'))), {
    maxLength: 20,
    size: 'max',
  })
  .map((parts) => Buffer.concat(parts))
const bits = fc.integer({ min: 9, max: 15 })

describe('deflate', () => {
  it('inflate takes it back, with and without a window, of any size', () => {
    fc.assert(
      fc.property(content, content, bits, (before, now, size) => {
        for (const window of [NO_WINDOW, slide(NO_WINDOW, before, size)]) {
          expect(isSame(inflate(deflate(now, window, size), now.length, window), now)).toBe(true)
        }
      }),
      { numRuns: 100 },
    )
  })

  it.each([9, 11, 15])('refers back no further than a window of %i bits reaches', (size) => {
    const noise = randomBytes((1 << size) + 1000)
    const payload = deflate(Buffer.concat([noise, noise]), NO_WINDOW, size)
    // What zlib takes with a window of that size.
    const message = inflateRawSync(Buffer.concat([payload, hex('00 00 ff ff 03 00')]), { windowBits: size })
    expect(message.subarray(noise.length)).toEqual(noise)
  })

  it('a window is the end of all that went through it', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 900, size: 'max' }), { maxLength: 8, size: 'max' }), (parts) => {
        let window = NO_WINDOW
        for (const part of parts) window = slide(window, part, 9)
        expect(Buffer.from(window)).toEqual(Buffer.concat(parts).subarray(-512))
      }),
    )
  })

  it('a window does not keep more alive than it has, nor what it was made of', () => {
    const message = Buffer.alloc(100_000, 1)
    const window = slide(NO_WINDOW, message, 15)
    message.fill(2)
    expect([window.length, window[0], window.buffer.byteLength]).toEqual([32_768, 1, 32_768])
  })
})

describe('the two directions of a connection', () => {
  const agreed = (takeover: boolean, size = 15): Compression => ({
    takeoverIn: takeover,
    takeoverOut: takeover,
    bits: size,
  })

  it('with takeover a message like the one before costs next to nothing; without, as much again', () => {
    const message = randomBytes(3000)
    const again = Buffer.concat([message, message.subarray(0, 100)])
    for (const [takeover, longest] of [
      [true, 200],
      [false, 4000],
    ] as const) {
      const deflater = new Deflater(agreed(takeover))
      const inflater = new Inflater(agreed(takeover), () => 0)
      deflater.note(message)
      const first = deflater.deflate(again, again.length)
      if (takeover) inflater.finish(deflated(message))
      expect(inflater.finish(first ?? hex(''))).toEqual(again)
      expect(first?.length).toBeLessThan(longest)
      expect((first?.length ?? 0) * 20).toBeGreaterThan(longest)
    }
  })

  it('what does not get shorter is not sent that way, and nothing refers to it later', () => {
    const noise = randomBytes(2000)
    const deflater = new Deflater(agreed(true))
    const inflater = new Inflater(agreed(true), () => 0)
    expect(deflater.deflate(noise, noise.length)).toBeNull()
    const next = Buffer.concat([noise, Buffer.alloc(2000)])
    expect(inflater.finish(deflater.deflate(next, next.length) ?? hex(''))).toEqual(next)
  })

  it('after a message that is malformed or too large the window is as it was', () => {
    const inflater = new Inflater(agreed(true), () => 5)
    expect(inflater.finish(hex(HELLO))).toEqual(hello)
    expect(inflater.finish(hex('ff'))).toBe(MALFORMED)
    expect(inflater.finish(deflated('Hello!'))).toBe(TOO_LARGE)
    expect(inflater.finish(hex('f2 00 11 00 00'))).toEqual(hello)
  })
})

type Seen = (string | number | boolean)[]

function parse(takeover: boolean | null = false, limit = 0, masked = true): { parser: FrameParser; seen: Seen[] } {
  const seen: Seen[] = []
  const inflater =
    takeover === null ? null : new Inflater({ takeoverIn: takeover, takeoverOut: takeover, bits: 15 }, () => limit)
  const parser = new FrameParser(
    {
      onFrame: (length) => {
        seen.push(['frame', length])
        return true
      },
      onData: (bytes, isBinary, end) => void seen.push([isBinary ? 'binary' : 'text', bytes.toString(), end]),
      onPing: (payload) => void seen.push(['ping', payload.toString()]),
      onPong: () => {},
      onClose: (status) => void seen.push(['close', status]),
      onFault: (status, words) => void seen.push(['fault', status, words]),
    },
    masked,
    inflater,
  )
  return { parser, seen }
}

const whole = (message: string, kind = 'text'): Seen[] => [
  ['frame', message.length],
  [kind, message, 2],
]
const RESERVED: Seen = ['fault', 1002, 'Reserved bits are set']
const [begin, middle, end] = [hex('f2 48 cd'), hex('c9'), hex('c9 07 00')]

describe('the parser', () => {
  it('hands a compressed message on as one frame, however it is cut (RFC 7692 §7.2.3.1, RFC 6455 §5.4)', () => {
    const frames = Buffer.concat([
      packed(begin, { fin: false }),
      ping('p'),
      cont('', false),
      cont(middle, false),
      cont(end, true),
      packed(hex(HELLO), { opcode: 2 }),
      text('plain'),
    ])
    const expected = [['ping', 'p'], ...whole('Hello'), ...whole('Hello', 'binary'), ...whole('plain')]
    const one = parse()
    one.parser.push(Buffer.from(frames))
    expect(one.seen).toEqual(expected)
    const many = parse()
    for (const byte of frames) many.parser.push(Buffer.of(byte))
    expect(many.seen.filter(([kind]) => kind !== 'text' && kind !== 'binary')).toEqual(
      expected.filter(([kind]) => kind !== 'text' && kind !== 'binary'),
    )
    expect(many.seen).toContainEqual(['text', 'Hello', 2])
    expect(many.seen).toContainEqual(['binary', 'Hello', 2])
  })

  it('plain and compressed messages take turns, in fragments and whole', () => {
    const { parser, seen } = parse(true)
    parser.push(Buffer.concat([text('a', false), cont('b', true), packed(hex(HELLO)), binary(Buffer.from('c'))]))
    parser.push(Buffer.concat([packed(hex('f2 00'), { fin: false }), cont(hex('11 00 00'), true), text('', true)]))
    expect(seen).toEqual([
      ['frame', 1],
      ['text', 'a', 1],
      ['frame', 1],
      ['text', 'b', 2],
      ...whole('Hello'),
      ...whole('c', 'binary'),
      ...whole('Hello'),
      ...whole(''),
    ])
  })

  it('takes compressed messages as a client, too', () => {
    const { parser, seen } = parse(false, 0, false)
    parser.push(packed(hex(HELLO), { mask: null }))
    expect(seen).toEqual(whole('Hello'))
  })

  it.each([
    ['without compression, RSV1', null, [packed(hex(HELLO))]],
    [
      'RSV1 on a continuation of what is compressed',
      false,
      [packed(begin, { fin: false }), packed(end, { opcode: 0 })],
    ],
    ['RSV1 on a continuation of what is not', false, [text('a', false), packed(end, { opcode: 0 })]],
    ['RSV1 on a ping', false, [packed('p', { opcode: 9 })]],
    ['RSV1 on a pong', false, [packed('p', { opcode: 10 })]],
    ['RSV1 on a Close', false, [packed('', { opcode: 8 })]],
    ['RSV1 on a reserved opcode', false, [packed('', { opcode: 3 })]],
    ['RSV2', false, [frame({ opcode: 1, rsv: 0x20 })]],
    ['RSV3', false, [frame({ opcode: 1, rsv: 0x10 })]],
    ['RSV1 and RSV2', false, [frame({ opcode: 1, rsv: 0x60 })]],
    ['RSV1 and RSV3', true, [frame({ opcode: 2, rsv: 0x50 })]],
  ])('%s: 1002', (_what, takeover, frames) => {
    const { parser, seen } = parse(takeover)
    parser.push(Buffer.concat(frames))
    expect(seen.at(-1)).toEqual(RESERVED)
  })

  it('a compressed message inside of another, and the end of none, are what they are without', () => {
    const nested = parse()
    nested.parser.push(Buffer.concat([packed(begin, { fin: false }), packed(hex(HELLO))]))
    expect(nested.seen).toEqual([['fault', 1002, 'New message inside a fragmented one']])
    const behind = parse()
    behind.parser.push(Buffer.concat([packed(hex(HELLO)), cont('x', true)]))
    expect(behind.seen).toEqual([...whole('Hello'), ['fault', 1002, 'Continuation without a message']])
  })

  it('checks text when it is inflated, unless told not to, and never bytes', () => {
    const bad = deflated(Buffer.of(0x41, 0xff))
    const strict = parse()
    strict.parser.push(Buffer.concat([packed(bad, { opcode: 2 }), packed(bad)]))
    expect(strict.seen.slice(2)).toEqual([['fault', 1007, 'Text message has invalid UTF-8']])
    expect(strict.seen[1]?.[0]).toBe('binary')
    const lax = parse()
    lax.parser.validate = false
    lax.parser.push(packed(bad))
    expect(lax.seen.at(-1)?.[0]).toBe('text')
  })

  it('malformed and truncated data: 1007', () => {
    for (const payload of [begin, Buffer.from('garbage')]) {
      const { parser, seen } = parse()
      parser.push(Buffer.concat([packed(payload), text('x')]))
      expect(seen).toEqual([['fault', 1007, 'Compressed message is malformed']])
    }
  })

  const TOO_BIG: Seen = ['fault', 1009, 'Message too large']

  it('exactly the limit passes; a byte more is 1009', () => {
    const { parser, seen } = parse(false, 50_000)
    for (const length of [50_000, 50_001]) parser.push(packed(deflated('x'.repeat(length))))
    expect(seen).toEqual([...whole('x'.repeat(50_000)), TOO_BIG])
  })

  it('what is compressed is refused at its header when it is too much, alone or with what has come', () => {
    // Limit, a 256th of it, and a KB
    const most = 25_600 + 100 + 1024
    const header = (length: number, spec = {}): Buffer =>
      packed('', { ...spec, length: BigInt(length), mask: [0, 0, 0, 0] })
    const one = parse(false, 25_600)
    one.parser.push(header(most))
    expect(one.seen).toEqual([])
    const more = parse(false, 25_600)
    more.parser.push(header(most + 1))
    expect(more.seen).toEqual([TOO_BIG])
    const parts = parse(false, 25_600)
    parts.parser.push(Buffer.concat([packed(Buffer.alloc(most - 10), { fin: false }), ping('p')]))
    parts.parser.push(header(10, { opcode: 0, rsv: 0 }))
    expect(parts.seen).toEqual([['ping', 'p']])
    const over = parse(false, 25_600)
    over.parser.push(packed(Buffer.alloc(most - 10), { fin: false }))
    over.parser.push(header(11, { opcode: 0, rsv: 0 }))
    expect(over.seen).toEqual([TOO_BIG])
    const any = parse(false, 0)
    any.parser.push(header(2 ** 40))
    expect(any.seen).toEqual([])
  })

  it('a limit counts for one message, not for all of them', () => {
    const { parser, seen } = parse(false, 3000)
    const noise = randomBytes(3000)
    for (let i = 0; i < 5; i++) {
      const payload = deflated(noise)
      parser.push(
        Buffer.concat([
          packed(payload.subarray(0, 1500), { opcode: 2, fin: false }),
          cont(payload.subarray(1500), true),
        ]),
      )
    }
    expect(seen.map(([kind]) => kind)).toEqual(Array.from({ length: 5 }, () => ['frame', 'binary']).flat())
  })

  it('pauses behind a compressed message, and in the middle of one, and goes on', () => {
    const seen: string[] = []
    const parser: FrameParser = new FrameParser(
      {
        onFrame: () => true,
        onData: (bytes) => {
          seen.push(bytes.toString())
          parser.pause()
        },
        onPing: () => parser.pause(),
        onPong: () => {},
        onClose: () => {},
        onFault: (_status, words) => void seen.push(words),
      },
      true,
      new Inflater({ takeoverIn: true, takeoverOut: true, bits: 15 }, () => 0),
    )
    const frames = [packed(begin, { fin: false }), ping('p'), cont(middle, false), cont(end, true)]
    parser.push(Buffer.concat([...frames, packed(hex('f2 00 11 00 00')), text('plain')]))
    const steps = [seen.length]
    while (parser.holds) {
      parser.resume()
      steps.push(seen.length)
    }
    expect(seen).toEqual(['Hello', 'Hello', 'plain'])
    expect(steps).toEqual([0, 1, 2, 3])
  })

  it('a handler that refuses the frame, or stops the parser in onFrame, gets no data', () => {
    for (const refuses of [true, false]) {
      let data = 0
      const parser: FrameParser = new FrameParser(
        {
          onFrame: () => {
            if (!refuses) parser.stop()
            return !refuses
          },
          onData: () => void data++,
          onPing: () => {},
          onPong: () => {},
          onClose: () => {},
          onFault: () => {},
        },
        true,
        new Inflater({ takeoverIn: true, takeoverOut: true, bits: 15 }, () => 0),
      )
      parser.push(Buffer.concat([packed(hex(HELLO)), text('x')]))
      expect(data).toBe(0)
    }
  })

  it('passes over compressed messages that nobody wants any more, whatever they are', () => {
    const { parser, seen } = parse(false, 100)
    parser.push(packed(begin, { fin: false }))
    parser.inflates = false
    parser.push(Buffer.concat([cont('garbage', true), packed(bomb(1 << 20)), packed(Buffer.alloc(5000)), close(1000)]))
    expect(seen).toEqual([['close', 1000]])
  })
})
