import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UwsApp } from '../../../lib/engine/uws/app.ts'
import { faults } from '../../../lib/engine/uws/causes.ts'
import { loadNative, type Native, type NativeApp } from '../../../lib/engine/uws/native.ts'
import type { UwsTransport } from '../../../lib/engine/uws/transport.ts'
import { WS_EVENT_CLOSE, WS_EVENT_ERROR, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { webSocketGetErrorMessage } from '../../../lib/websock/handle.ts'
import { binary, close, closeBody, closeReply, cont, frame, ping, reply, text } from '../../support/frames.ts'
import { Journal } from '../../support/journal.ts'
import { RawClient } from '../../support/raw.ts'
import { serve } from '../../support/server.ts'
import { OPTIONS } from './support.ts'

/** Longest message of these servers, and what uWebSockets.js is told for it. */
const MAX_MESSAGE = 1000
const NATIVE_MAX = MAX_MESSAGE + 65_536
const DEFLATE = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'

const TOO_BIG = 'Received too big message'
const INFLATION = 'Received too big message, or other inflation error'
const BAD_TEXT = 'Received invalid UTF-8'
const BAD_FRAME = 'Received invalid WebSocket frame'
const BAD_CLOSE = 'Received invalid close payload'

interface Violation {
  readonly what: string
  readonly bytes: Buffer
  /** What uWebSockets.js says about it. */
  readonly says: string
  /** Only where compression has been negotiated, or only where not. */
  readonly deflate?: boolean
}

/** RFC 7692 §7.2.1: what a flush leaves at the end is cut off. */
const deflated = (payload: Buffer): Buffer =>
  deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)

const violations: readonly Violation[] = [
  // Too big
  {
    what: 'a header that announces too much',
    bytes: frame({ opcode: 2, length: BigInt(NATIVE_MAX + 1) }),
    says: TOO_BIG,
  },
  { what: 'a header that announces 2^40 bytes', bytes: frame({ opcode: 2, length: 1n << 40n }), says: TOO_BIG },
  { what: 'a length with its highest bit', bytes: frame({ opcode: 2, length: 1n << 63n }), says: TOO_BIG },
  {
    what: 'fragments that are too much together',
    bytes: Buffer.concat([binary(Buffer.alloc(NATIVE_MAX - 10), false), cont(Buffer.alloc(11), true)]),
    says: TOO_BIG,
  },
  {
    what: 'a message that inflates to too much',
    bytes: frame({ opcode: 2, rsv: 0x40, payload: deflated(Buffer.alloc(NATIVE_MAX + 1)) }),
    says: INFLATION,
    deflate: true,
  },
  {
    what: 'a message that cannot be inflated',
    bytes: frame({ opcode: 2, rsv: 0x40, payload: Buffer.from('no deflated data at all') }),
    says: INFLATION,
    deflate: true,
  },
  // Text
  { what: 'a byte that begins nothing', bytes: text(Buffer.of(0xff)), says: BAD_TEXT },
  { what: 'a sequence that is cut', bytes: text(Buffer.of(0xe2, 0x82)), says: BAD_TEXT },
  { what: 'an encoded surrogate', bytes: text(Buffer.of(0xed, 0xa0, 0x80)), says: BAD_TEXT },
  { what: 'an overlong sequence', bytes: text(Buffer.of(0xc0, 0x80)), says: BAD_TEXT },
  { what: 'a code point beyond the last', bytes: text(Buffer.of(0xf4, 0x90, 0x80, 0x80)), says: BAD_TEXT },
  {
    what: 'bad text in a first fragment',
    bytes: Buffer.concat([text(Buffer.of(0xff), false), cont('x', true)]),
    says: BAD_TEXT,
  },
  {
    what: 'bad text that was compressed',
    bytes: frame({ opcode: 1, rsv: 0x40, payload: deflated(Buffer.alloc(100, 0xff)) }),
    says: BAD_TEXT,
    deflate: true,
  },
  // Frames
  { what: 'RSV1 without compression', bytes: frame({ opcode: 1, rsv: 0x40 }), says: BAD_FRAME, deflate: false },
  { what: 'RSV1 on a ping', bytes: frame({ opcode: 9, rsv: 0x40 }), says: BAD_FRAME, deflate: false },
  {
    what: 'RSV1 on a continuation of what is compressed',
    bytes: Buffer.concat([
      frame({ opcode: 1, rsv: 0x40, fin: false, payload: deflated(Buffer.from('hello')) }),
      frame({ opcode: 0, rsv: 0x40, payload: 'x' }),
    ]),
    says: BAD_FRAME,
    deflate: true,
  },
  {
    // Taken for the mark of a compressed message.
    what: 'RSV1 on a continuation of what is not',
    bytes: Buffer.concat([text('ab', false), frame({ opcode: 0, rsv: 0x40, payload: 'cd' })]),
    says: INFLATION,
    deflate: true,
  },
  { what: 'RSV2', bytes: frame({ opcode: 1, rsv: 0x20 }), says: BAD_FRAME },
  { what: 'RSV3', bytes: frame({ opcode: 1, rsv: 0x10 }), says: BAD_FRAME },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    what: `opcode ${opcode}`,
    bytes: frame({ opcode }),
    says: BAD_FRAME,
  })),
  { what: 'a ping in fragments', bytes: frame({ opcode: 9, fin: false }), says: BAD_FRAME },
  { what: 'a Close in fragments', bytes: frame({ opcode: 8, fin: false }), says: BAD_FRAME },
  { what: 'a ping of 126 bytes', bytes: ping('p'.repeat(126)), says: BAD_FRAME },
  { what: 'a continuation of nothing', bytes: cont('x', true), says: BAD_FRAME },
  { what: 'TEXT inside an unfinished TEXT', bytes: Buffer.concat([text('a', false), text('b')]), says: BAD_FRAME },
  // Close
  ...[0, 999, 1004, 1005, 1006, 1012, 1015, 1016, 2999, 3000, 3999, 5000, 65_535].map((status) => ({
    what: `Close ${status}`,
    bytes: close(status),
    says: BAD_CLOSE,
  })),
  { what: 'a Close whose reason is no text', bytes: close(1000, Buffer.of(0xff)), says: BAD_CLOSE },
]

/** The app of the engine, with an ear between it and uWebSockets.js. */
class Tap {
  readonly app: UwsApp
  port = 0
  /** The connection that was upgraded last. */
  #last: UwsTransport | null = null
  /** What uWebSockets.js said of each connection: code and text. */
  readonly #said = new Map<UwsTransport, [code: number, text: string]>()
  #wake: (() => void)[] = []

  constructor(native: Native, compression: boolean) {
    const wrap = (app: NativeApp): NativeApp => ({
      ws: (pattern, behavior) =>
        app.ws(pattern, {
          ...behavior,
          open: (ws) => {
            this.#last = ws.transport
            behavior.open(ws)
          },
          close: (ws, code, message) => {
            this.#said.set(ws.transport, [code, Buffer.from(message).toString()])
            behavior.close(ws, code, message)
            for (const fn of this.#wake.splice(0)) fn()
          },
        }),
      any: (pattern, handler) => app.any(pattern, handler),
      filter: (fn) => app.filter(fn),
      listen: (...args) => app.listen(...args),
      publish: (...args) => app.publish(...args),
      numSubscribers: (topic) => app.numSubscribers(topic),
      close: () => app.close(),
    })
    this.app = new UwsApp(
      { ...native, App: () => wrap(native.App()) },
      null,
      {
        options: { ...OPTIONS, maxMessage: MAX_MESSAGE, compression },
        stopping: false,
        onExchange: (exchange) => void exchange.upgrade('', []),
        onEnd: () => {},
      },
      { name: '', connections: 0 },
    )
    this.app.native.listen('127.0.0.1', 0, native.LIBUS_LISTEN_EXCLUSIVE_PORT, (listener) => {
      if (listener !== false) this.port = native.us_socket_local_port(listener)
    })
  }

  /** What uWebSockets.js says of a connection that does this. */
  async listen(act: (client: RawClient) => void): Promise<[code: number, text: string]> {
    const client = await RawClient.open(this.port, '/', { 'Sec-WebSocket-Extensions': DEFLATE })
    const transport = this.#last
    act(client)
    for (;;) {
      const said = transport === null ? undefined : this.#said.get(transport)
      if (said !== undefined) {
        client.destroy()
        return said
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }
}

describe.each([
  ['on', true],
  ['off', false],
])('what uWebSockets.js says about faults of the peer, with compression %s', (_word, compression) => {
  const seen = new Set<string>()
  let tap: Tap
  beforeAll(async () => (tap = new Tap(await loadNative(), compression)))
  afterAll(() => tap.app.native.close())

  it.each(violations.filter(({ deflate = compression }) => deflate === compression))(
    '$what: "$says"',
    async ({ bytes, says }) => {
      const said = await tap.listen((client) => client.send(bytes))
      seen.add(said[1])
      expect(said).toEqual([1006, says])
      expect([...faults.keys()]).toContain(says)
    },
  )

  it('every text that the engine knows was said', () => {
    // Without compression nothing is inflated.
    expect(seen).toEqual(new Set([...faults.keys()].filter((known) => compression || known !== INFLATION)))
  })

  it.each([
    ['FIN', (client: RawClient) => void client.socket.end(), 1006],
    ['FIN inside a frame', (client: RawClient) => void client.socket.end(text('xyz').subarray(0, 5)), 1006],
    ['FIN inside a message', (client: RawClient) => void client.socket.end(text('x', false)), 1006],
    ['RST', (client: RawClient) => client.reset(), 1006],
    ['a Close', (client: RawClient) => client.send(close(4000, 'bye')), 4000],
    ['a Close without status', (client: RawClient) => client.send(close()), 1005],
    ['a Close of one byte', (client: RawClient) => client.send(frame({ opcode: 8, payload: 'x' })), 1005],
  ])('%s is no fault', async (_what, act, code) => {
    const [said, reason] = await tap.listen(act)
    expect(said).toBe(code)
    expect(faults.has(reason)).toBe(false)
  })

  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999])(
    'a Close %i is no fault, whatever its reason says',
    async (status) => {
      for (const reason of faults.keys()) {
        expect(await tap.listen((client) => client.send(close(status, reason)))).toEqual([status, reason])
      }
    },
  )
})

describe('what a host makes of them', () => {
  const connect = async (web: Parameters<typeof serve>[2] = {}): Promise<{ client: RawClient; journal: Journal }> => {
    const journal = new Journal()
    const { port } = await serve('uws', (request) => journal.run(request), {
      ...web,
      limits: { maxMessage: MAX_MESSAGE },
    })
    return {
      client: await RawClient.open(port, '/', { 'Sec-WebSocket-Extensions': DEFLATE }),
      journal,
    }
  }
  const compressed = { webSockets: { compression: true } }

  it.each([
    ['a reserved opcode', frame({ opcode: 3 }), 1002, 'Protocol error', {}],
    ['text that is none', text(Buffer.of(0xff)), 1007, 'Text message has invalid UTF-8', {}],
    [
      'a header beyond what uWebSockets.js takes',
      frame({ opcode: 2, length: 1n << 20n }),
      1009,
      'Message too large',
      {},
    ],
    [
      'a message that inflates to too much',
      frame({ opcode: 2, rsv: 0x40, payload: deflated(Buffer.alloc(NATIVE_MAX + 1)) }),
      1009,
      'Message too large',
      compressed,
    ],
  ])('%s', async (_what, bytes, code, message, web) => {
    const { client, journal } = await connect(web)
    client.send(bytes)
    // No Close: uWebSockets.js ends TCP.
    expect(await client.rest()).toEqual(Buffer.alloc(0))
    expect(await journal.ending()).toEqual({
      run: -code,
      status: 1006,
      reason: null,
      orderly: false,
      kinds: [WS_EVENT_OPEN, WS_EVENT_ERROR, WS_EVENT_CLOSE],
    })
    expect(journal.events[1]?.buf).toBe(message)
    expect(webSocketGetErrorMessage(journal.ws)).toBe(message)
  })

  it('a bad Close is answered with an empty one', async () => {
    const { client, journal } = await connect()
    client.send(close(1006))
    expect(await client.rest()).toEqual(closeReply())
    expect(await journal.ending()).toMatchObject({ run: -1002, status: 1006, orderly: false })
    expect(journal.events[1]).toMatchObject({ event: WS_EVENT_ERROR, buf: 'Bad close payload' })
  })

  it.each([
    ['plain', {}, (payload: Buffer) => binary(payload)],
    ['compressed', compressed, (payload: Buffer) => frame({ opcode: 2, rsv: 0x40, payload: deflated(payload) })],
  ])('a %s message a little too long still gets a Close 1009', async (_what, web, toFrame) => {
    for (const length of [MAX_MESSAGE + 1, NATIVE_MAX]) {
      const { client, journal } = await connect(web)
      client.send(toFrame(Buffer.alloc(length)))
      expect(await client.rest()).toEqual(closeReply(1009))
      expect(await journal.ending()).toMatchObject({ run: -1009, orderly: false })
      expect(journal.events[1]?.buf).toBe('Message too large')
    }
  })

  it('a message of exactly maxMessage passes', async () => {
    const { client, journal } = await connect()
    client.send(binary(Buffer.alloc(MAX_MESSAGE, 1)))
    await journal.until(1)
    expect(journal.texts).toEqual([Buffer.alloc(MAX_MESSAGE, 1)])
    client.destroy()
  })

  it('the reason of a Close may be a text of uWebSockets.js', async () => {
    const { client, journal } = await connect()
    client.send(frame({ opcode: 8, payload: closeBody(4000, BAD_FRAME) }))
    expect(await client.rest()).toEqual(reply({ opcode: 8, payload: closeBody(4000, BAD_FRAME) }))
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000, reason: BAD_FRAME, orderly: true })
  })
})
