import { describe, expect, it } from 'vitest'
import { webSocketFree, webSocketSendClose } from '../../lib/websock/close.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_STATE,
  R_ERR_BUSY,
  R_ERR_WONT_FIT,
  R_ERR_WOULD_BLOCK,
  WEB_MORE,
  WS_MSG_BINARY,
  WS_MSG_CLOSE,
  WS_MSG_CONT,
  WS_MSG_MORE,
  WS_MSG_PING,
  WS_MSG_PONG,
  WS_MSG_TEXT,
  WS_STATE_OPEN,
} from '../../lib/websock/constants.ts'
import { webSocketGetErrorMessage, webSocketSetLimits } from '../../lib/websock/handle.ts'
import { jsonAlloc, jsonGetId, jsonSetNum, jsonSetString } from '../../lib/websock/json.ts'
import {
  webSocketCork,
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSend,
  webSocketSendBlock,
  webSocketSendJson,
  webSocketSendString,
} from '../../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe, webSocketUnsubscribe } from '../../lib/websock/topics.ts'
import { bench, running } from '../support/memory.ts'

const texts = (transport: { sent: readonly { payload: Buffer }[] }): string[] =>
  transport.sent.map(({ payload }) => payload.toString())
const shape = (transport: { sent: readonly { opcode: number; fin: boolean; payload: Buffer }[] }): unknown[] =>
  transport.sent.map(({ opcode, fin, payload }) => [opcode, fin, payload.toString()])

describe('what sends return', () => {
  it('payload bytes, not characters; 0 for an empty message is success (websocket-run trap 10, 11)', () => {
    const { ws, transport } = running()
    expect(webSocketSendString(ws, 'é')).toBe(2)
    expect(webSocketSendString(ws, '')).toBe(0)
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(0))).toBe(0)
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, new Uint8Array([1, 2, 3]).buffer)).toBe(3)
    expect(shape(transport).slice(0, 3)).toEqual([
      [1, true, 'é'],
      [1, true, ''],
      [2, true, ''],
    ])
  })

  it('websocket-run trap 75: Send formats, SendString does not', () => {
    const { ws, transport } = running()
    expect(webSocketSend(ws, '100%%')).toBe(4)
    webSocketSend(ws, '%s', null)
    webSocketSendString(ws, '%s')
    webSocketSend(ws, 'echo: %s', Buffer.from('bytes'))
    webSocketSend(ws, '%d of %5.2f', 3.9, 2)
    expect(texts(transport)).toEqual(['100%', 'null', '%s', 'echo: bytes', '3 of  2.00'])
  })

  it('-6 for what cannot be sent, with nothing sent and the reason told', () => {
    const { ws, transport } = running()
    const bad: unknown[] = [null, undefined, 5, {}, [], new DataView(new ArrayBuffer(4)), Symbol('x'), () => {}]
    for (const value of bad) {
      // @ts-expect-error not text
      expect(webSocketSendString(ws, value)).toBe(R_ERR_BAD_ARGS)
      // @ts-expect-error not a block
      expect(webSocketSendBlock(ws, WS_MSG_BINARY, value)).toBe(R_ERR_BAD_ARGS)
      // @ts-expect-error not a format
      expect(webSocketSend(ws, value)).toBe(R_ERR_BAD_ARGS)
    }
    // @ts-expect-error not a type
    expect(webSocketSendBlock(ws, Symbol('type'), 'x')).toBe(R_ERR_BAD_ARGS)
    for (const type of [WS_MSG_PONG, WS_MSG_CLOSE, 3, 15, -1, NaN, 0x20, WS_MSG_PING | WS_MSG_MORE]) {
      expect(webSocketSendBlock(ws, type, 'x')).toBe(R_ERR_BAD_ARGS)
    }
    for (const len of [-1, 1.5, NaN, Infinity]) {
      expect(webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(4), len)).toBe(R_ERR_BAD_ARGS)
    }
    expect(transport.sent).toEqual([])
    expect(webSocketGetErrorMessage(ws)).toBe('Not a block that can be sent')
    expect(ws.state).toBe(WS_STATE_OPEN)
  })

  it('len is a prefix of bytes and means nothing for strings', () => {
    const { ws, transport } = running()
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.from('abcdef'), 3)).toBe(3)
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.from('abc'), 10)).toBe(3)
    expect(webSocketSendBlock(ws, WS_MSG_TEXT, 'abcdef', 3)).toBe(6)
    expect(texts(transport)).toEqual(['abc', 'abc', 'abcdef'])
  })

  it('no handle is -6, for every function', async () => {
    expect(webSocketSend(null, 'x')).toBe(R_ERR_BAD_ARGS)
    expect(webSocketSendString(null, 'x')).toBe(R_ERR_BAD_ARGS)
    expect(webSocketSendBlock(null, WS_MSG_TEXT, 'x')).toBe(R_ERR_BAD_ARGS)
    expect(webSocketSendJson(null, {})).toBe(R_ERR_BAD_ARGS)
    expect(webSocketSendClose(null)).toBe(R_ERR_BAD_ARGS)
    expect(await webSocketFlush(null)).toBe(R_ERR_BAD_ARGS)
    expect(webSocketGetBufferedAmount(null)).toBe(0)
    expect(webSocketSubscribe(null, 'x')).toBe(false)
    expect(webSocketUnsubscribe(null, 'x')).toBe(false)
    webSocketFree(null)
  })

  it('-14 before run and after the end', () => {
    const { ws, transport } = bench().connect()
    expect(webSocketSendString(ws, 'early')).toBe(R_ERR_BAD_STATE)
    const open = running()
    open.transport.gone()
    expect(webSocketSendString(open.ws, 'late')).toBe(R_ERR_BAD_STATE)
    expect(transport.sent).toEqual([])
  })

  it('websocket-run trap 8: after SendClose data is -14 and a second SendClose 0', () => {
    const { ws, transport } = running()
    expect(webSocketSendClose(ws, 1000, 'bye')).toBe(5)
    expect(webSocketSendString(ws, 'x')).toBe(R_ERR_BAD_STATE)
    expect(webSocketSendBlock(ws, WS_MSG_PING, '')).toBe(R_ERR_BAD_STATE)
    expect(webSocketSendClose(ws, 1000, 'bye')).toBe(0)
    expect(transport.closed).toEqual({ status: 1000, reason: 'bye' })
  })

  it('websocket-run trap 20: an oversized send is -40 without an event, and the connection works on', () => {
    const { ws, transport, journal } = running(undefined, { maxMessage: 10 })
    expect(webSocketSendString(ws, 'x'.repeat(11))).toBe(R_ERR_WONT_FIT)
    expect(ws.error).toBe(0)
    expect(webSocketSendString(ws, 'x'.repeat(10))).toBe(10)
    expect(journal.kinds).toEqual([0])
    expect(texts(transport)).toEqual(['xxxxxxxxxx'])
  })

  it('websocket-run trap 25: a ping with 126 bytes is -40', () => {
    const { ws, transport } = running()
    expect(webSocketSendBlock(ws, WS_MSG_PING, 'x'.repeat(126))).toBe(R_ERR_WONT_FIT)
    expect(webSocketSendBlock(ws, WS_MSG_PING, 'x'.repeat(125))).toBe(125)
    expect(transport.sent.map(({ opcode }) => opcode)).toEqual([9])
  })

  it('websocket-run trap 39: over maxBackpressure is -41, nothing is written, and flush tells when to go on', async () => {
    const { ws, transport } = running(undefined, { maxBackpressure: 100 })
    transport.stalled = true
    // What is buffered already counts: one message may overshoot.
    expect(webSocketSendString(ws, 'x'.repeat(500))).toBe(500)
    expect(webSocketGetBufferedAmount(ws)).toBe(500)
    expect(webSocketSendString(ws, 'y')).toBe(R_ERR_WOULD_BLOCK)
    expect(webSocketSendBlock(ws, WS_MSG_PING, '')).toBe(R_ERR_WOULD_BLOCK)
    expect(transport.sent.length).toBe(1)
    const flushed = webSocketFlush(ws)
    transport.drain()
    expect(await flushed).toBe(0)
    expect(webSocketSendString(ws, 'y')).toBe(1)
    expect(await webSocketFlush(ws)).toBe(0)
  })

  it('a second flush waits for what was sent behind the first', async () => {
    const { ws, transport } = running()
    transport.stalled = true
    webSocketSendString(ws, 'a')
    const flushes = [webSocketFlush(ws)]
    webSocketSendString(ws, 'b')
    flushes.push(webSocketFlush(ws))
    const settled: number[] = []
    for (const flush of flushes) void flush.then((code) => settled.push(code))
    // The kernel has taken what the first one asked about, and no more.
    transport.input((receiver) => receiver.onDrain())
    await Promise.resolve()
    expect(settled).toEqual([])
    transport.drain()
    expect(await Promise.all(flushes)).toEqual([0, 0])
  })

  it('nothing is buffered after close', () => {
    const { ws, transport } = running()
    transport.stalled = true
    webSocketSendString(ws, 'x')
    expect(webSocketGetBufferedAmount(ws)).toBe(1)
    transport.input((receiver) => receiver.onClose(1000, ''))
    expect(webSocketGetBufferedAmount(ws)).toBe(0)
  })

  it('flush resolves with -14 when the connection ends first', async () => {
    const { ws, transport } = running()
    transport.stalled = true
    webSocketSendString(ws, 'x')
    const flushes = [webSocketFlush(ws), webSocketFlush(ws)]
    transport.gone()
    expect(await Promise.all(flushes)).toEqual([R_ERR_BAD_STATE, R_ERR_BAD_STATE])
    expect(await webSocketFlush(ws)).toBe(R_ERR_BAD_STATE)
  })
})

describe('frames', () => {
  it('websocket-run trap 21: a send longer than maxFrame is TEXT, CONT, CONT with FIN on the last', () => {
    const { ws, transport } = running()
    webSocketSetLimits(ws, 4, 0)
    expect(webSocketSendString(ws, '0123456789')).toBe(10)
    expect(shape(transport)).toEqual([
      [1, false, '0123'],
      [0, false, '4567'],
      [0, true, '89'],
    ])
    expect(transport.corks).toBe(1)
  })

  it('text is cut between code points, binary anywhere', () => {
    const { ws, transport } = running()
    webSocketSetLimits(ws, 4, 0)
    webSocketSendString(ws, 'ab€€😀')
    expect(transport.sent.map(({ payload }) => payload.toString())).toEqual(['ab', '€', '€', '😀'])
    transport.sent.length = 0
    webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.from('ab€€'))
    expect(transport.sent.map(({ payload }) => payload.length)).toEqual([4, 4])
    transport.sent.length = 0
    // A limit below a code point is kept all the same.
    webSocketSetLimits(ws, 2, 0)
    webSocketSendString(ws, '€')
    expect(transport.sent.map(({ payload }) => payload.length)).toEqual([2, 1])
  })

  it.each([WS_MSG_MORE, WEB_MORE])('websocket-run trap 22, 23: a message in parts, flag 0x%s', (more) => {
    const { ws, transport } = running()
    expect(webSocketSendBlock(ws, WS_MSG_TEXT | more, 'one')).toBe(3)
    expect(webSocketSendString(ws, 'another')).toBe(R_ERR_BUSY)
    expect(webSocketSendBlock(ws, WS_MSG_BINARY | more, 'another')).toBe(R_ERR_BUSY)
    expect(webSocketSendBlock(ws, WS_MSG_PING, 'p')).toBe(1)
    expect(webSocketSendBlock(ws, WS_MSG_CONT | more, 'two')).toBe(3)
    expect(webSocketSendBlock(ws, WS_MSG_CONT, 'three')).toBe(5)
    expect(shape(transport)).toEqual([
      [1, false, 'one'],
      [9, true, 'p'],
      [0, false, 'two'],
      [0, true, 'three'],
    ])
    expect(webSocketSendString(ws, 'free again')).toBe(10)
    expect(webSocketSendBlock(ws, WS_MSG_CONT, 'orphan')).toBe(R_ERR_BAD_ARGS)
  })

  it('parts count together against maxMessage, and a refused part leaves the sequence open', () => {
    const { ws, transport } = running(undefined, { maxMessage: 10 })
    webSocketSendBlock(ws, WS_MSG_TEXT | WS_MSG_MORE, '12345678')
    expect(webSocketSendBlock(ws, WS_MSG_CONT, '901')).toBe(R_ERR_WONT_FIT)
    expect(webSocketSendBlock(ws, WS_MSG_CONT, '90')).toBe(2)
    expect(texts(transport)).toEqual(['12345678', '90'])
  })

  it('a Close in the middle ends the sequence', () => {
    const { ws } = running()
    webSocketSendBlock(ws, WS_MSG_TEXT | WS_MSG_MORE, 'one')
    webSocketSendClose(ws)
    expect(webSocketSendBlock(ws, WS_MSG_CONT, 'two')).toBe(R_ERR_BAD_STATE)
    expect(ws.outgoing?.more).toBeNull()
  })

  it('websocket-run trap 24: a publish never lands between the parts of a message', () => {
    const { ws, transport, context } = running()
    expect(webSocketSubscribe(ws, 'room')).toBe(true)
    const part = Buffer.from('one')
    webSocketSendBlock(ws, WS_MSG_TEXT | WS_MSG_MORE, part)
    // The block is the caller's again once the call has returned.
    part.fill(0)
    expect(webSocketGetBufferedAmount(ws)).toBe(3)
    expect(webSocketPublish(context.topics, 'room', 'published')).toBe(1)
    webSocketSendBlock(ws, WS_MSG_CONT | WS_MSG_MORE, 'two')
    webSocketSendBlock(ws, WS_MSG_CONT, 'three')
    expect(shape(transport)).toEqual([
      [1, true, 'published'],
      [1, false, 'one'],
      [0, false, 'two'],
      [0, true, 'three'],
    ])
  })

  it('parts that are kept back count as buffered, and leave in one go', () => {
    const { ws, transport } = running(undefined, { maxBackpressure: 100 })
    webSocketSubscribe(ws, 'room')
    expect(webSocketSendBlock(ws, WS_MSG_TEXT | WS_MSG_MORE, 'x'.repeat(60))).toBe(60)
    expect(webSocketSendBlock(ws, WS_MSG_CONT | WS_MSG_MORE, 'x'.repeat(60))).toBe(60)
    expect(webSocketSendBlock(ws, WS_MSG_CONT | WS_MSG_MORE, 'x')).toBe(R_ERR_WOULD_BLOCK)
    const small = running()
    webSocketSubscribe(small.ws, 'room')
    webSocketSendBlock(small.ws, WS_MSG_TEXT | WS_MSG_MORE, 'a')
    webSocketSendBlock(small.ws, WS_MSG_CONT, 'b')
    expect(small.transport.corks).toBe(1)
    expect(transport.sent).toEqual([])
  })

  it('only an open connection can subscribe', () => {
    const { ws } = bench().connect()
    expect(webSocketSubscribe(ws, 'room')).toBe(false)
    expect(webSocketGetErrorMessage(ws)).toBe('Connection is not open')
    const open = running()
    webSocketSendClose(open.ws)
    expect(webSocketSubscribe(open.ws, 'room')).toBe(false)
  })

  it('a connection whose parts are on the wire cannot subscribe until they are done', () => {
    const { ws } = running()
    webSocketSendBlock(ws, WS_MSG_TEXT | WS_MSG_MORE, 'one')
    expect(webSocketSubscribe(ws, 'room')).toBe(false)
    webSocketSendBlock(ws, WS_MSG_CONT, 'two')
    expect(webSocketSubscribe(ws, 'room')).toBe(true)
  })

  it('cork: a Close made inside leaves behind the data, and data behind the Close is refused', () => {
    const { ws, transport } = running()
    const returned: number[] = []
    webSocketCork(ws, () => {
      returned.push(webSocketSendString(ws, 'one'))
      returned.push(webSocketSendClose(ws, 1000, 'bye'))
      returned.push(webSocketSendString(ws, 'two'))
    })
    expect(returned).toEqual([3, 5, R_ERR_BAD_STATE])
    expect(texts(transport)).toEqual(['one'])
    expect(transport.closed).toEqual({ status: 1000, reason: 'bye' })
    const other = running()
    expect(() =>
      webSocketCork(other.ws, () => {
        throw new Error('mine')
      }),
    ).toThrow('mine')
    webSocketCork(other.ws, () => webSocketSendString(other.ws, 'goes on'))
    expect(texts(other.transport)).toEqual(['goes on'])
    // @ts-expect-error nothing to call
    webSocketCork(other.ws, 5)
    let called = false
    webSocketCork(null, () => (called = true))
    expect(called).toBe(true)
  })
})

describe('topics', () => {
  it('reach every subscriber, the publisher too, and count them', () => {
    const made = bench()
    const all = [made.connect(), made.connect(), made.connect()]
    for (const { ws } of all) {
      void import('../../lib/websock/run.ts')
      ws.state = WS_STATE_OPEN
    }
    expect(webSocketSubscribe(all[0]!.ws, 'a')).toBe(true)
    expect(webSocketSubscribe(all[1]!.ws, 'a')).toBe(true)
    expect(webSocketSubscribe(all[1]!.ws, 'b')).toBe(true)
    expect(webSocketSubscribe(all[1]!.ws, 'b')).toBe(false)
    expect(webSocketPublish(made.context.topics, 'a', 'text')).toBe(2)
    expect(webSocketPublish(all[0]!.ws.topics, 'b', Buffer.from('bytes'))).toBe(1)
    expect(webSocketPublish(made.context.topics, 'nobody', 'text')).toBe(0)
    expect(made.context.topics.subscribers('a')).toBe(2)
    expect(webSocketUnsubscribe(all[1]!.ws, 'a')).toBe(true)
    expect(webSocketUnsubscribe(all[1]!.ws, 'a')).toBe(false)
    expect(webSocketPublish(made.context.topics, 'a', Buffer.from('as text'), false)).toBe(1)
    expect(all.map(({ transport }) => shape(transport))).toEqual([
      [
        [1, true, 'text'],
        [1, true, 'as text'],
      ],
      [
        [1, true, 'text'],
        [2, true, 'bytes'],
      ],
      [],
    ])
  })

  it('a name given by a program cannot reach a topic of the layers above', () => {
    const { ws, context, transport, topics } = running()
    webSocketSubscribe(ws, 'g/u/1')
    expect(topics.publish('g/u/1', 'secret', 6, false)).toBe(0)
    expect(webSocketPublish(context.topics, 'g/u/1', 'mine')).toBe(1)
    expect(texts(transport)).toEqual(['mine'])
  })

  it('refuse what is no topic, no data, no hub', () => {
    const { ws, context } = running()
    // @ts-expect-error not a topic
    expect(webSocketSubscribe(ws, 5)).toBe(false)
    // @ts-expect-error not a topic
    expect(webSocketUnsubscribe(ws, Symbol('topic'))).toBe(false)
    // @ts-expect-error not data
    expect(webSocketPublish(context.topics, 'a', 5)).toBe(R_ERR_BAD_ARGS)
    // @ts-expect-error not a topic
    expect(webSocketPublish(context.topics, 5, 'x')).toBe(R_ERR_BAD_ARGS)
    expect(webSocketPublish({ subscribers: () => 0 }, 'a', 'x')).toBe(R_ERR_BAD_ARGS)
  })

  it('a subscriber that reads too slowly is closed with 1013 and told why', async () => {
    const { ws, transport, context, journal, result } = running(undefined, { maxBackpressure: 100, maxMessage: 1000 })
    webSocketSubscribe(ws, 'room')
    transport.stalled = true
    for (let i = 0; i < 200; i++) webSocketPublish(context.topics, 'room', 'x'.repeat(1000))
    expect(await result).toBe(-1013)
    expect(transport.closed).toEqual({ status: 1013, reason: '' })
    expect(journal.events.at(-2)?.buf).toBe('Peer reads too slowly')
    expect(transport.sent.length).toBe(67)
    expect(context.topics.subscribers('room')).toBe(0)
  })
})

describe('webSocketSendJson', () => {
  it('sends trees, nodes, keys and plain values', () => {
    const { ws, transport } = running()
    const data = jsonAlloc()
    jsonSetString(data, 0, 'type', 'telemetry')
    jsonSetNum(data, 0, 'temperature', 23)
    jsonSetNum(data, 0, 'place.lat', 1.5)
    webSocketSendJson(ws, data, 0, null)
    webSocketSendJson(ws, data, jsonGetId(data, 0, 'place'), null)
    webSocketSendJson(ws, data, 0, 'place.lat')
    webSocketSendJson(ws, { a: { b: [1, 'x'] } }, 0, 'a.b')
    webSocketSendJson(ws, [1, null])
    expect(texts(transport)).toEqual([
      '{"type":"telemetry","temperature":23,"place":{"lat":1.5}}',
      '{"lat":1.5}',
      '1.5',
      '[1,"x"]',
      '[1,null]',
    ])
  })

  it('what has no JSON text is -6 and nothing is sent', () => {
    const { ws, transport } = running()
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    for (const value of [undefined, () => {}, Symbol('x'), cyclic, 5n]) {
      expect(webSocketSendJson(ws, value)).toBe(R_ERR_BAD_ARGS)
    }
    expect(webSocketSendJson(ws, { a: 1 }, 0, 'b')).toBe(R_ERR_BAD_ARGS)
    expect(webSocketSendJson(ws, jsonAlloc(), 0, 'missing')).toBe(R_ERR_BAD_ARGS)
    expect(transport.sent).toEqual([])
  })
})
