import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WS_EVENT_CLOSE, WS_EVENT_MESSAGE, WS_EVENT_OPEN, WS_MSG_TEXT } from '../../lib/websock/constants.ts'
import {
  webSocketGetErrorMessage,
  webSocketSetLimits,
  webSocketSetPartial,
  webSocketSetValidateUTF,
} from '../../lib/websock/handle.ts'
import { webSocketSendClose } from '../../lib/websock/close.ts'
import { webSocketSendBlock, webSocketSendString } from '../../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { Random } from '../fuzz/random.ts'
import { byEngine } from '../support/differences.ts'
import { close, closeReply, cont, ping, text } from '../support/frames.ts'
import { Journal, type JournalCallback } from '../support/journal.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { type EngineName, engines, serve, type TestServer } from '../support/server.ts'
import { bomb, deflated, hex, messages, packed, same, WsPeer } from './node/support.ts'

const HELLO = hex('f2 48 cd c9 c9 07 00')
const modes = [true, 'takeover'] as const
const MAX = 20_000

const echo: JournalCallback = (ws, event, buf) =>
  void (event === WS_EVENT_MESSAGE && webSocketSendBlock(ws, ws.type, buf))

describe('the setting', () => {
  it('webSockets.compression is false, true or takeover', () => {
    const compressionOf = (value: unknown): unknown =>
      checkConfig({ web: { webSockets: { compression: value } } }, '/').server.compression
    expect([false, true, 'takeover'].map(compressionOf)).toEqual([false, true, 'takeover'])
    expect(checkConfig({}, '/').server.compression).toBe(false)
    expect(() => compressionOf('yes')).toThrow("web.webSockets.compression: must be one of false, true, 'takeover'")
  })
})

describe.each(engines)('compression on the %s engine', (engine) => {
  /** A connection that has negotiated compression, and what it went through. */
  async function connect(
    mode: boolean | 'takeover' = true,
    callback: JournalCallback = () => undefined,
    offer = 'permessage-deflate',
  ): Promise<{ client: RawClient; journal: Journal; head: string }> {
    const journal = new Journal()
    const { port } = await serve(engine, (web) => journal.run(web, callback), {
      webSockets: { compression: mode },
      limits: { maxMessage: MAX },
    })
    const client = await RawClient.connect(port)
    client.send(handshake('/', { 'Sec-WebSocket-Extensions': offer }))
    const { head } = await client.response()
    await journal.until(WS_EVENT_OPEN)
    return { client, journal, head }
  }

  it('is off by default: no offer is answered', async () => {
    const { head } = await connect(false)
    expect(head).toMatch(/^HTTP\/1\.1 101/)
    expect(head.toLowerCase()).not.toContain('extensions')
  })

  it.each(modes)('a handshake without an offer gets none, and plain messages (%s)', async (mode) => {
    const journal = new Journal()
    const { port } = await serve(engine, (web) => journal.run(web, echo), { webSockets: { compression: mode } })
    const peer = await WsPeer.open(port, false)
    peer.socket.send('x'.repeat(5000))
    await peer.until(1)
    expect([peer.socket.extensions, peer.messages]).toEqual(['', ['x'.repeat(5000)]])
    peer.socket.terminate()
  })

  it.each([
    [true, /^permessage-deflate(?=.*; server_no_context_takeover)(?=.*; client_no_context_takeover)/],
    ['takeover' as const, /^permessage-deflate$/],
  ])('compression: %s is what the answer says', async (mode, expected) => {
    const { head } = await connect(mode)
    expect(/^sec-websocket-extensions: (.*)$/im.exec(head)?.[1]).toMatch(expected)
  })

  it.each([
    ['client_max_window_bits', { node: '', uws: '' }],
    ['server_no_context_takeover', { node: 'server_no_context_takeover', uws: null }],
    ['server_max_window_bits=8', { node: null, uws: null }],
    ['server_max_window_bits=12', { node: 'server_max_window_bits=12', uws: null }],
    ['unknown', { node: null, uws: null }],
  ])('with takeover, an offer with %s', async (param, expected) => {
    const { head } = await connect('takeover', undefined, `permessage-deflate; ${param}`)
    const answer = byEngine(engine, 'parameters of a compression offer', expected)
    const line = /^sec-websocket-extensions: (.*)$/im.exec(head)?.[1]
    expect(line).toBe(answer === null ? undefined : ['permessage-deflate', ...(answer ? [answer] : [])].join('; '))
  })

  it.each(modes)('the examples of RFC 7692 §7.2.3, and a ping between fragments (%s)', async (mode) => {
    const { client, journal } = await connect(mode)
    client.send(
      Buffer.concat([
        packed(HELLO),
        packed(HELLO.subarray(0, 3), { fin: false }),
        ping('between'),
        cont(HELLO.subarray(3), true),
        packed(hex('00 05 00 fa ff 48 65 6c 6c 6f 00')),
        packed(hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00')),
        packed(hex('00')),
        text('plain'),
        packed(HELLO, { opcode: 2 }),
        packed(''),
      ]),
    )
    await journal.until(WS_EVENT_MESSAGE, 8)
    expect(journal.texts).toEqual(['Hello', 'Hello', 'Hello', 'Hello', '', 'plain', Buffer.from('Hello'), ''])
    const pong = await client.frame()
    expect([pong.opcode, pong.payload.toString()]).toEqual([10, 'between'])
  })

  it('§7.2.3.2: a message may refer to the one before where takeover was agreed on', async () => {
    const { client, journal } = await connect('takeover')
    client.send(Buffer.concat([packed(HELLO), packed(hex('f2 00 11 00 00')), packed(hex('f2 00 11 00 00'))]))
    await journal.until(WS_EVENT_MESSAGE, 3)
    expect(journal.texts).toEqual(['Hello', 'Hello', 'Hello'])
  })

  const malformed = { node: [-1007, 'Compressed message is malformed'], uws: [-1009, 'Message too large'] }

  it.each([
    ['a message that refers to the one before, without takeover', packed(hex('f2 00 11 00 00'))],
    ['no deflated data', packed('no deflated data at all')],
    ['no deflated data, as bytes', packed('no deflated data at all', { opcode: 2 })],
  ])('%s', async (_what, bytes) => {
    const { client, journal } = await connect()
    client.send(Buffer.concat([packed(HELLO), bytes, text('unheard')]))
    const [code, words] = byEngine(engine, 'compressed message that is malformed', malformed)
    expect(await journal.result).toBe(code)
    expect(webSocketGetErrorMessage(journal.ws)).toBe(words)
    expect(journal.texts).toEqual(['Hello'])
    const wire = byEngine(engine, 'wire close on violation', {
      node: closeReply(1007),
      uws: Buffer.alloc(0),
    })
    expect(await client.rest()).toEqual(wire)
  })

  it('a message that is cut off', async () => {
    const { client, journal } = await connect()
    client.send(Buffer.concat([packed(HELLO.subarray(0, 3)), close(4000)]))
    const [run, texts] = byEngine(engine, 'compressed message that is malformed', {
      node: [-1007, []],
      uws: [0, ['Heh']],
    })
    expect(await journal.result).toBe(run)
    expect(journal.texts).toEqual(texts)
  })

  it('§7.2.3.4: blocks that say that they are the last', async () => {
    const { client, journal } = await connect('takeover')
    client.send(Buffer.concat([packed(hex('f3 48 cd c9 c9 07 00 00')), packed(hex('f2 00 11 00 00')), close(4000)]))
    const [run, texts] = byEngine(engine, 'compressed message with a last block of its own', {
      node: [0, ['Hello', 'Hello']],
      uws: [-1009, []],
    })
    expect(await journal.result).toBe(run)
    expect(journal.texts).toEqual(texts)
  })

  it.each([
    ['a ping', packed('p', { opcode: 9 }), { node: -1002, uws: 0 }],
    ['a continuation', Buffer.concat([text('a', false), packed('b', { opcode: 0 })]), { node: -1002, uws: -1009 }],
  ])('RSV1 on %s', async (_what, bytes, expected) => {
    const { client, journal } = await connect()
    client.send(Buffer.concat([bytes, close(4000)]))
    expect(await journal.result).toBe(byEngine(engine, 'RSV1 where no message begins', expected))
  })

  it('RSV1 on a continuation of what is compressed: a protocol error', async () => {
    const { client, journal } = await connect()
    client.send(Buffer.concat([packed(HELLO.subarray(0, 3), { fin: false }), packed(HELLO.subarray(3), { opcode: 0 })]))
    expect(await journal.result).toBe(-1002)
  })

  it('text that is none when it is inflated: 1007', async () => {
    const { client, journal } = await connect()
    client.send(Buffer.concat([packed(deflated(Buffer.alloc(100, 0xff))), text('unheard')]))
    expect(await journal.result).toBe(-1007)
    expect(webSocketGetErrorMessage(journal.ws)).toBe('Text message has invalid UTF-8')
    expect(journal.texts).toEqual([])
  })

  it('maxMessage is what is inflated: exactly that passes, one byte more is 1009, so is a bomb', async () => {
    for (const [payload, run] of [
      [deflated('x'.repeat(MAX)), 0],
      [deflated('x'.repeat(MAX + 1)), -1009],
      [bomb(1 << 24), -1009],
    ] as const) {
      const { client, journal } = await connect()
      client.send(Buffer.concat([packed(payload), close(4000)]))
      expect(await journal.result).toBe(run)
      expect(journal.texts).toEqual(run === 0 ? ['x'.repeat(MAX)] : [])
      client.destroy()
    }
  })

  it('a connection with a maxMessage of its own', async () => {
    const { client, journal } = await connect(true, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSetLimits(ws, 0, 1000)
    })
    client.send(Buffer.concat([packed(deflated('x'.repeat(1000))), packed(deflated('x'.repeat(1001)))]))
    expect(await journal.result).toBe(-1009)
    expect(journal.texts).toEqual(['x'.repeat(1000)])
  })

  it('partial mode: slices of the inflated message', async () => {
    const { client, journal } = await connect(true, (ws, event) => {
      if (event !== WS_EVENT_OPEN) return
      webSocketSetLimits(ws, 4096, MAX)
      webSocketSetPartial(ws, true)
    })
    const message = 'ab'.repeat(5120)
    client.send(Buffer.concat([packed(deflated(message)), packed(deflated('short'))]))
    await journal.until(WS_EVENT_MESSAGE, 2)
    expect(journal.texts.map((part) => part?.length)).toEqual([4096, 4096, 2048, 5])
    expect(journal.texts.join('')).toBe(`${message}short`)
  })

  it('one callback at a time, in order, also for what is compressed', async () => {
    let running = 0
    let most = 0
    const { client, journal } = await connect('takeover', async (_ws, event) => {
      if (event !== WS_EVENT_MESSAGE) return
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    })
    const frames = Array.from({ length: 100 }, (_, i) => [packed(deflated(`packed ${i}`)), text(`plain ${i}`)]).flat()
    client.send(Buffer.concat([...frames, close(4000)]))
    expect(await journal.result).toBe(0)
    expect(journal.texts).toEqual(Array.from({ length: 100 }, (_, i) => [`packed ${i}`, `plain ${i}`]).flat())
    expect(most).toBe(1)
  })

  it.each(modes)('with ws as the peer: messages of any kind and size, both ways (%s)', async (mode) => {
    const journal = new Journal()
    const { port } = await serve(engine, (web) => journal.run(web, echo), {
      webSockets: { compression: mode },
      limits: { maxBackpressure: 'unlimited', maxQueue: 'unlimited' },
    })
    const sent = messages(Random.of(6, 0), 100, 200_000)
    for (const options of [{ threshold: 0 }, { threshold: 0, clientMaxWindowBits: 9, clientNoContextTakeover: true }]) {
      const peer = await WsPeer.open(port, options)
      for (const message of sent) peer.socket.send(message)
      await peer.until(sent.length)
      expect(same(peer.messages, sent)).toBe(true)
      peer.socket.close(4000)
      expect(await peer.closed).toBe(4000)
    }
  })

  it.each(modes)('sends and publishes to subscribers of every kind, in their order (%s)', async (mode) => {
    const journals: Journal[] = []
    const { host, port } = await serve(
      engine,
      (web) => {
        const journal = new Journal()
        journals.push(journal)
        return journal.run(web, (ws, event) => void (event === WS_EVENT_OPEN && webSocketSubscribe(ws, 'room')))
      },
      { webSockets: { compression: mode }, limits: { maxBackpressure: 'unlimited' } },
    )
    const peers: WsPeer[] = []
    const kinds = [{ threshold: 0 }, { threshold: 0, serverMaxWindowBits: 15 }, false]
    const more = [{ serverNoContextTakeover: true }, { serverMaxWindowBits: 9 }, { serverMaxWindowBits: 14 }]
    for (const kind of [...kinds, ...more]) {
      peers.push(await WsPeer.open(port, kind))
    }
    await Promise.all(journals.map((journal) => journal.until(WS_EVENT_OPEN)))
    const random = Random.of(7, 0)
    const expected = peers.map((): (string | Buffer)[] => [])
    for (const message of messages(random, 150, 50_000)) {
      if (random.chance(0.5)) {
        expect(webSocketPublish(host.topics, 'room', message)).toBe(peers.length)
        for (const list of expected) list.push(message)
      } else {
        const i = random.below(peers.length)
        expect(webSocketSendBlock(journals[i]?.ws ?? null, typeof message === 'string' ? 1 : 2, message)).toBe(
          Buffer.byteLength(message),
        )
        expected[i]?.push(message)
      }
    }
    for (const [i, peer] of peers.entries()) {
      await peer.until(expected[i]?.length ?? 0)
      expect(same(peer.messages, expected[i] ?? [])).toBe(true)
      peer.socket.terminate()
    }
  })
})

describe('compression on the node engine alone', () => {
  const engine: EngineName = 'node'

  async function run(
    callback: JournalCallback = () => undefined,
    mode: true | 'takeover' = true,
    offer = 'permessage-deflate',
  ): Promise<{ client: RawClient; journal: Journal; server: TestServer }> {
    const journal = new Journal()
    const server = await serve(engine, (web) => journal.run(web, callback), {
      webSockets: { compression: mode },
      limits: { maxMessage: MAX },
    })
    const client = await RawClient.open(server.port, '/', { 'Sec-WebSocket-Extensions': offer })
    await journal.until(WS_EVENT_OPEN)
    return { client, journal, server }
  }

  /** The first byte and the payload of the next frame. */
  const next = async (client: RawClient): Promise<[number, Buffer]> => {
    await client.until(() => client.received.length > 0)
    const first = client.received[0] ?? 0
    return [first, (await client.frame()).payload]
  }

  it('a message in fragments is compressed as a whole, and is too large at the header that makes it so', async () => {
    const { client, journal } = await run()
    client.send(packed(Buffer.alloc(MAX), { fin: false }))
    client.send(packed('', { opcode: 0, rsv: 0, length: 2000n, mask: [0, 0, 0, 0] }))
    expect(await journal.result).toBe(-1009)
    expect(await client.rest()).toEqual(closeReply(1009))
  })

  it('validateUTF off: compressed text is not checked either', async () => {
    const { client, journal } = await run((ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSetValidateUTF(ws, false)
    })
    client.send(packed(deflated(Buffer.of(0x41, 0xff))))
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.texts).toEqual(['A\ufffd'])
  })

  it('after our Close no message is inflated: neither a bomb nor garbage is in the way of the answer', async () => {
    const { client, journal } = await run((ws, event) => {
      if (event === WS_EVENT_MESSAGE) webSocketSendClose(ws, 4001)
    })
    client.send(
      Buffer.concat([text('go'), packed(bomb(1 << 24)), packed('garbage'), packed(Buffer.alloc(2 * MAX)), close(4001)]),
    )
    expect(await journal.result).toBe(0)
    expect(journal.kinds).toEqual([WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE])
    expect(journal.ws?.closeStatus).toBe(4001)
  })

  it('text of 1024 bytes and more goes out compressed, each by itself; nothing else does', async () => {
    const { client, journal } = await run()
    const { ws } = journal
    const long = 'é'.repeat(512)
    for (let i = 0; i < 2; i++) {
      webSocketSendString(ws, long)
      expect(await next(client)).toEqual([0xc1, deflated(long, { level: 3 })])
    }
    webSocketSendString(ws, long.slice(1))
    webSocketSendBlock(ws, 2, Buffer.from(long))
    webSocketSetLimits(ws, 1024, 0)
    webSocketSendString(ws, `${long}tail`)
    webSocketSendBlock(ws, WS_MSG_TEXT | 0x10, long)
    webSocketSendBlock(ws, 0, long)
    const firsts: number[] = []
    for (let i = 0; i < 6; i++) firsts.push((await next(client))[0])
    expect(firsts).toEqual([0x81, 0x82, 0x01, 0x80, 0x01, 0x80])
  })

  it('what would not get shorter goes out as it is', async () => {
    const { client, journal } = await run(undefined, 'takeover')
    const noise = Random.of(8, 0).bytes(2000)
    webSocketSendBlock(journal.ws, WS_MSG_TEXT, noise)
    expect(await next(client)).toEqual([0x81, noise])
    // Nothing of it is in the window.
    const more = Buffer.concat([noise, Buffer.alloc(1000)])
    webSocketSendBlock(journal.ws, WS_MSG_TEXT, more)
    expect(await next(client)).toEqual([0xc1, deflated(more, { level: 3 })])
  })

  it('a publish is compressed by itself; it is in the window of a later message', async () => {
    const { client, journal, server } = await run(
      (ws, event) => void (event === WS_EVENT_OPEN && webSocketSubscribe(ws, 'room')),
      'takeover',
    )
    const [one, two] = ['one message '.repeat(100), 'another one '.repeat(100)]
    webSocketSendString(journal.ws, one)
    webSocketPublish(server.host.topics, 'room', two)
    webSocketSendString(journal.ws, two)
    expect(await next(client)).toEqual([0xc1, deflated(one, { level: 3 })])
    expect(await next(client)).toEqual([0xc1, deflated(two, { level: 3 })])
    const window = Buffer.from(one + two)
    expect(await next(client)).toEqual([0xc1, deflated(two, { level: 3, dictionary: window })])
  })

  it('a publish to one with a smaller window is not compressed; short ones and bytes are to nobody', async () => {
    const subscribe: JournalCallback = (ws, event) => void (event === WS_EVENT_OPEN && webSocketSubscribe(ws, 'room'))
    const small = await run(subscribe, true, 'permessage-deflate; server_max_window_bits=14')
    const large = await run(subscribe, true, 'permessage-deflate; server_max_window_bits=15')
    const long = 'x'.repeat(1024)
    for (const { client, server } of [small, large]) {
      webSocketPublish(server.host.topics, 'room', long)
      webSocketPublish(server.host.topics, 'room', long.slice(1))
      webSocketPublish(server.host.topics, 'room', Buffer.from(long))
      expect((await next(client))[0]).toBe(client === small.client ? 0x81 : 0xc1)
      expect((await next(client))[0]).toBe(0x81)
      expect((await next(client))[0]).toBe(0x82)
    }
    // What is sent to it alone is, and keeps to its window.
    webSocketSendString(small.journal.ws, long)
    expect(await next(small.client)).toEqual([0xc1, deflated(long, { level: 3, windowBits: 14 })])
  })

  it('a connection that ends inside of a compressed message', async () => {
    const { client, journal } = await run()
    client.send(packed(HELLO.subarray(0, 3), { fin: false }))
    client.socket.end(cont(HELLO.subarray(3), true).subarray(0, 9))
    expect(await journal.result).toBe(-1006)
    await once(client.socket, 'close')
    expect(journal.texts).toEqual([])
  })
})
