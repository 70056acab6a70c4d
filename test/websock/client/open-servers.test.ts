import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type RawData, WebSocketServer } from 'ws'
import type { UrlWebSocketOptions } from '../../../include-types/client.ts'
import type { WebSocket } from '../../../include-types/websock.ts'
import echo from '../../../samples/echo/echo.ts'
import { urlWebSocket, urlWebSocketOpen } from '../../../lib/standalone.ts'
import { webGetHeader, webGetQueryVar } from '../../../lib/web/web.ts'
import { webSocketFree, webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_WONT_FIT,
  R_ERR_WOULD_BLOCK,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_EVENT_PARTIAL_MESSAGE,
  WS_MSG_BINARY,
  WS_MSG_CONT,
  WS_MSG_MORE,
  WS_MSG_TEXT,
} from '../../../lib/websock/constants.ts'
import {
  webSocketGetClientKey,
  webSocketGetErrorMessage,
  webSocketGetProtocol,
  webSocketGetRemoteAddress,
} from '../../../lib/websock/handle.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import {
  webSocketCork,
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSendBlock,
  webSocketSendString,
} from '../../../lib/websock/send.ts'
import { byEngine } from '../../support/differences.ts'
import { binary, closeReply, readFrames, reply } from '../../support/frames.ts'
import { Journal } from '../../support/journal.ts'
import { RawServer } from '../../support/raw-server.ts'
import { masksOf, swapRoles } from '../../support/roles.ts'
import { engines, serve } from '../../support/server.ts'
import { client, refusal } from '../../support/url-client.ts'

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 131_072, 131_073, 400_000]
const text = (size: number): string => 'aé€'.repeat(Math.ceil(size / 6)).slice(0, size)
const bytes = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff))

const servers: WebSocketServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** The server of npm ws, echoing. */
async function wsServer(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  })
  servers.push(server)
  server.on('connection', (socket) =>
    socket.on('message', (data: RawData, binary_) => socket.send(data, { binary: binary_ })),
  )
  await new Promise((resolve) => server.once('listening', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

const urlOf = async (kind: (typeof kinds)[number]): Promise<string> =>
  kind === 'ws' ? (await wsServer()).url : `ws://127.0.0.1:${(await serve(kind, echo)).port}/`
const kinds = [...engines, 'ws'] as const

describe.each(kinds)('a client of %s', (kind) => {
  it('text and binary of all sizes come back', async () => {
    const journal = client(await urlOf(kind))
    await journal.until(WS_EVENT_OPEN)
    const { ws } = journal
    const sent = SIZES.flatMap((size) => [text(size), bytes(size)])
    for (const message of sent) {
      const count = journal.events.length
      const length = typeof message === 'string' ? Buffer.byteLength(message) : message.length
      expect(webSocketSendBlock(ws, typeof message === 'string' ? WS_MSG_TEXT : WS_MSG_BINARY, message)).toBe(length)
      await journal.until(WS_EVENT_MESSAGE, count)
      const { buf, len, type } = journal.events[count]!
      expect(len).toBe(length)
      expect(type).toBe(typeof message === 'string' ? WS_MSG_TEXT : WS_MSG_BINARY)
      expect(Buffer.isBuffer(buf) && Buffer.isBuffer(message) ? buf.equals(message) : buf === message).toBe(true)
    }
    webSocketSendClose(ws, 4000, 'bye')
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000, reason: 'bye', orderly: true })
  })

  it('a thousand messages in order', async () => {
    const sent = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
    const journal = client(await urlOf(kind), {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) for (const message of sent) webSocketSendString(ws, message)
    })
    await journal.until(WS_EVENT_MESSAGE, sent.length)
    expect(journal.texts).toEqual(sent)
    webSocketFree(journal.ws)
    expect(await journal.result).toBe(-1006)
  })

  it('partial: true delivers parts of maxFrame', async () => {
    const journal = client(await urlOf(kind), { partial: true, maxFrame: 4096 })
    await journal.until(WS_EVENT_OPEN)
    const message = bytes(10_240)
    expect(webSocketSendBlock(journal.ws, WS_MSG_BINARY, message)).toBe(10_240)
    await journal.until(WS_EVENT_MESSAGE)
    const parts = journal.events.slice(1)
    expect(parts.slice(0, -1).every(({ event }) => event === WS_EVENT_PARTIAL_MESSAGE)).toBe(true)
    expect(parts.length).toBeGreaterThanOrEqual(3)
    expect(Buffer.concat(parts.map(({ buf }) => Buffer.from(buf ?? ''))).equals(message)).toBe(true)
    webSocketFree(journal.ws)
  })

  it('maxMessage of what comes: -1009; of what is sent: -40, and the connection goes on', async () => {
    const journal = client(await urlOf(kind), { maxMessage: 1000 })
    await journal.until(WS_EVENT_OPEN)
    const { ws } = journal
    expect(webSocketSendString(ws, 'x'.repeat(1001))).toBe(R_ERR_WONT_FIT)
    expect(webSocketGetErrorMessage(ws)).toContain('maxMessage')
    expect(webSocketSendString(ws, 'x'.repeat(1000))).toBe(1000)
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.events[1]?.len).toBe(1000)
    webSocketFree(ws)
  })

  it('an empty Close has no status', async () => {
    const journal = client(await urlOf(kind), {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) expect(webSocketSendClose(ws, 0)).toBe(0)
    })
    expect(await journal.ending()).toMatchObject({ run: 0, status: 1005, reason: null, orderly: true })
  })

  it('the handle knows its options, its server, and what was agreed', async () => {
    const options: UrlWebSocketOptions = { protocols: ['v2.chat'], headers: { 'X-A': '1' } }
    const ws = await urlWebSocketOpen(await urlOf(kind), options)
    expect(ws.client).toBe(true)
    expect(ws.parent).toBe(options)
    expect(webSocketGetProtocol(ws)).toBe('v2.chat')
    expect(webSocketGetRemoteAddress(ws)).toBe('127.0.0.1')
    expect(Buffer.from(webSocketGetClientKey(ws) ?? '', 'base64').length).toBe(16)
    webSocketFree(ws)
  })
})

describe.each(engines)('a client of our server on the %s engine', (engine) => {
  it('the server closes: status and reason arrive, and the server hears them back', async () => {
    const ended = new Journal()
    const { port } = await serve(engine, (web) =>
      ended.run(web, (ws, event) => {
        if (event === WS_EVENT_MESSAGE) webSocketSendClose(ws, 4002, 'genug für heute')
      }),
    )
    const journal = client(`ws://127.0.0.1:${port}/`, {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendString(ws, 'enough?')
    })
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4002, reason: 'genug für heute', orderly: true })
    expect(await ended.ending()).toMatchObject({ run: 0, status: 4002 })
  })

  it('the client closes: the server hears status and reason', async () => {
    const ended = new Journal()
    const { port } = await serve(engine, (web) => ended.run(web))
    const journal = client(`ws://127.0.0.1:${port}/`, {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendClose(ws, 4003, 'r'.repeat(200))
    })
    const reason = 'r'.repeat(123)
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4003, reason })
    expect(await ended.ending()).toMatchObject({ run: 0, status: 4003, reason, orderly: true })
  })

  it('arg is passed unchanged to each event', async () => {
    const { port } = await serve(engine, echo)
    const arg = { mine: true }
    const seen: unknown[] = []
    const result = urlWebSocket(
      `ws://127.0.0.1:${port}/`,
      (ws, event, _buf, _len, given) => {
        seen.push(event, given)
        if (event === WS_EVENT_OPEN) webSocketSendClose(ws)
      },
      arg,
    )
    expect(await result).toBe(0)
    expect(seen).toEqual([WS_EVENT_OPEN, arg, WS_EVENT_CLOSE, arg])
    expect(seen[1]).toBe(arg)
  })

  it('webSocketFree: the server has a lost connection', async () => {
    const ended = new Journal()
    const { port } = await serve(engine, (web) => ended.run(web))
    const ws = await urlWebSocketOpen(`ws://127.0.0.1:${port}/`)
    webSocketFree(ws)
    expect(await ended.ending()).toMatchObject({ run: -1006, status: 1006 })
  })

  it('a server that stops says 1001', async () => {
    const { port, host } = await serve(engine, echo)
    const journal = client(`ws://127.0.0.1:${port}/`)
    await journal.until(WS_EVENT_OPEN)
    const stopped = host.stop()
    expect(await journal.ending()).toMatchObject({ run: 0, status: 1001 })
    await stopped
  })

  it('a message over the maxMessage of the server', async () => {
    const { port } = await serve(engine, echo, { limits: { maxMessage: 1000 } })
    const journal = client(`ws://127.0.0.1:${port}/`, {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendBlock(ws, WS_MSG_BINARY, bytes(1001))
    })
    // To the client a Close like any other.
    expect(await journal.ending()).toMatchObject({ run: 0, status: 1009, orderly: true })
  })

  it('a sub-protocol that the server does not have: 400, told in full', async () => {
    const { port } = await serve(engine, echo, { webSockets: { protocol: 'chat' } })
    const error = await refusal(`ws://127.0.0.1:${port}/`, { protocols: 'other' })
    expect(error).toMatchObject({ code: -12, status: 400 })
    expect(error.body).toContain('Sec-WebSocket-Protocol')
    const ws = await urlWebSocketOpen(`ws://127.0.0.1:${port}/`, { protocols: ['other', 'chat'] })
    expect(webSocketGetProtocol(ws)).toBe('chat')
    webSocketFree(ws)
  })

  it('an Origin of another host: 403', async () => {
    const { port } = await serve(engine, echo)
    await expect(
      urlWebSocketOpen(`ws://127.0.0.1:${port}/`, { origin: 'https://elsewhere.example' }),
    ).rejects.toMatchObject({ code: -12, status: 403 })
  })

  it('credentials, headers, and the query arrive', async () => {
    const seen: unknown[] = []
    const { port } = await serve(engine, (web) => {
      seen.push(webGetHeader(web, 'Authorization'), webGetHeader(web, 'X-A'), webGetQueryVar(web, 'b'))
      return echo(web)
    })
    const ws = await urlWebSocketOpen(`ws://us%C3%A4r:x@127.0.0.1:${port}/a?b=c`, { headers: 'X-A: 1' })
    webSocketFree(ws)
    expect(seen).toEqual([`Basic ${Buffer.from('usär:x').toString('base64')}`, '1', 'c'])
  })

  it('what is sent in parts arrives as one message', async () => {
    const ended = new Journal()
    const { port } = await serve(engine, (web) => ended.run(web))
    const ws = await urlWebSocketOpen(`ws://127.0.0.1:${port}/`)
    const result = webSocketRun(ws, () => {})
    webSocketSendBlock(ws, WS_MSG_TEXT | WS_MSG_MORE, 'one ')
    webSocketSendBlock(ws, WS_MSG_CONT | WS_MSG_MORE, 'two ')
    webSocketSendBlock(ws, WS_MSG_CONT, 'three')
    await ended.until(WS_EVENT_MESSAGE)
    expect(ended.texts).toEqual(['one two three'])
    webSocketSendClose(ws)
    expect(await result).toBe(0)
  })

  it('frames in the segment of the 101: OPEN of the server sends', async () => {
    const { port } = await serve(engine, (web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event === WS_EVENT_OPEN) for (let i = 0; i < 3; i++) webSocketSendString(ws, `early ${i}`)
      }),
    )
    const journal = client(`ws://127.0.0.1:${port}/`)
    await journal.until(WS_EVENT_MESSAGE, 3)
    expect(journal.texts).toEqual(['early 0', 'early 1', 'early 2'])
    webSocketFree(journal.ws)
  })

  it('a violation by the client', async () => {
    const { port } = await serve(engine, echo)
    // As TEXT these bytes are none: our sends do not look (bytes are their caller's affair).
    const journal = client(`ws://127.0.0.1:${port}/`, {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendBlock(ws, WS_MSG_TEXT, Buffer.of(0xff))
    })
    expect(await journal.ending()).toMatchObject(
      byEngine(engine, 'wire close on violation', {
        node: { run: 0, status: 1007 },
        uws: { run: -1006, status: 1006 },
      }),
    )
  })
})

describe('on the wire', () => {
  it('each frame has a key of its own, and another than zero', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url, {}, (ws, event) => {
      if (event !== WS_EVENT_OPEN) return
      for (let i = 0; i < 500; i++) webSocketSendString(ws, 'same')
      webSocketCork(ws, () => {
        for (let i = 0; i < 500; i++) webSocketSendString(ws, 'same')
      })
    })
    const peer = await server.next()
    await peer.accept()
    await peer.until(() => peer.length >= 10_000)
    const masks = masksOf(peer.received).map((mask) => mask?.toString('hex'))
    expect(masks.length).toBe(1000)
    // Of a thousand random keys two are the same once in 8,600 runs.
    expect(new Set(masks).size).toBeGreaterThanOrEqual(999)
    expect(swapRoles(peer.received).equals(Buffer.concat(masks.map(() => reply({ opcode: 1, payload: 'same' }))))).toBe(
      true,
    )
    webSocketFree(journal.ws)
  })

  it('a message longer than maxFrame is cut, each frame masked', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url, { maxFrame: 4 }, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendString(ws, '0123456789')
    })
    const peer = await server.next()
    await peer.accept()
    await peer.until(() => peer.length >= 10 + 3 * 6)
    expect(masksOf(peer.received)).not.toContain(null)
    expect(
      readFrames(peer.received).frames.map(({ fin, opcode, payload }) => [fin, opcode, payload.toString()]),
    ).toEqual([
      [false, 1, '0123'],
      [false, 0, '4567'],
      [true, 0, '89'],
    ])
    webSocketFree(journal.ws)
  })

  it('defaults: 128 KiB a frame, 1 MiB a message', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url)
    const peer = await server.next()
    await peer.accept()
    await journal.until(WS_EVENT_OPEN)
    expect(webSocketSendBlock(journal.ws, WS_MSG_BINARY, bytes(131_073))).toBe(131_073)
    expect((await peer.frame()).payload.length).toBe(131_072)
    expect(await peer.frame()).toMatchObject({ fin: true, opcode: 0, payload: { length: 1 } })
    expect(webSocketSendBlock(journal.ws, WS_MSG_BINARY, Buffer.alloc((1 << 20) + 1))).toBe(R_ERR_WONT_FIT)
    peer.send(reply({ opcode: 2, payload: Buffer.alloc(1 << 20) }))
    await journal.until(WS_EVENT_MESSAGE)
    peer.send(reply({ opcode: 2, length: (1n << 20n) + 1n }))
    expect(await journal.ending()).toMatchObject({
      run: -1009,
      kinds: [WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_ERROR, WS_EVENT_CLOSE],
    })
    expect((await peer.frame()).payload.readUInt16BE()).toBe(1009)
    await peer.until(() => peer.ended)
  })

  it('a frame of a server that is masked: 1002', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url)
    const peer = await server.next()
    await peer.accept({}, binary(Buffer.from('masked')))
    expect((await peer.frame()).payload.readUInt16BE()).toBe(1002)
    await peer.until(() => peer.ended)
    expect(await journal.result).toBe(-1002)
    expect(webSocketGetErrorMessage(journal.ws)).toContain('masked')
  })

  it('a server that does not read: -41, and webSocketFlush resolves when it has', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url)
    const peer = await server.next()
    await peer.accept()
    await journal.until(WS_EVENT_OPEN)
    peer.socket.pause()
    const { ws } = journal
    const block = Buffer.alloc(65_536)
    let sent = 0
    let code = 0
    for (; sent < 10_000; sent++) {
      code = webSocketSendBlock(ws, WS_MSG_BINARY, block)
      if (code < 0) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(code).toBe(R_ERR_WOULD_BLOCK)
    expect(webSocketGetBufferedAmount(ws)).toBeGreaterThan(1 << 20)
    const flushed = webSocketFlush(ws)
    peer.socket.resume()
    expect(await flushed).toBe(0)
    expect(webSocketGetBufferedAmount(ws)).toBe(0)
    await peer.until(() => peer.length === sent * (65_536 + 14))
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, block)).toBe(65_536)
    webSocketFree(ws)
    expect(await webSocketFlush(ws)).toBe(-14)
  })

  it('a callback that is slow makes the server wait', async () => {
    const server = await RawServer.listen()
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const journal = client(server.url, {}, (_ws, event) => (event === WS_EVENT_MESSAGE ? gate : undefined))
    const peer = await server.next()
    await peer.accept()
    const message = reply({ opcode: 2, payload: Buffer.alloc(65_536) })
    let count = 0
    // Until the kernels are full; 64 MB is more than they take.
    while (peer.socket.writableLength < 1 << 20 && count < 1000) {
      peer.send(message)
      count++
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(count).toBeLessThan(1000)
    go()
    peer.socket.end(closeReply(1000))
    expect(await journal.result).toBe(0)
    expect(journal.texts.length).toBe(count)
  })

  it('an end of TCP in place of Close: ERROR, CLOSE, -1006', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const server = await RawServer.listen()
      const journal = client(server.url)
      const peer = await server.next()
      await peer.accept()
      await journal.until(WS_EVENT_OPEN)
      peer.socket[end]()
      expect(await journal.ending()).toMatchObject({
        run: -1006,
        status: 1006,
        orderly: false,
        kinds: [WS_EVENT_OPEN, WS_EVENT_ERROR, WS_EVENT_CLOSE],
      })
      await peer.until(() => peer.closed)
    }
  })

  it('a connection that ends before it is run: OPEN, ERROR, CLOSE when it is', async () => {
    const server = await RawServer.listen()
    const opening = urlWebSocketOpen(server.url)
    const peer = await server.next()
    await peer.accept({}, reply({ opcode: 1, payload: 'last words' }))
    const ws: WebSocket = await opening
    peer.socket.end()
    await peer.until(() => peer.closed)
    const journal = new Journal()
    const result = webSocketRun(ws, (handle, event, buf, len) => journal.note(handle, event, buf, len))
    expect(await result).toBe(-1006)
    expect(journal.kinds).toEqual([WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_ERROR, WS_EVENT_CLOSE])
  })
})

describe('npm ws', () => {
  it('its Close arrives, and ours there', async () => {
    const { server, url } = await wsServer()
    server.once('connection', (socket) => socket.close(4001, 'from ws'))
    expect(await client(url).ending()).toMatchObject({ run: 0, status: 4001, reason: 'from ws', orderly: true })
    const closed = new Promise((resolve) =>
      server.once('connection', (socket) =>
        socket.once('close', (code: number, reason: Buffer) => resolve([code, reason.toString()])),
      ),
    )
    const journal = client(url, {}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendClose(ws, 4002, 'from us')
    })
    expect(await closed).toEqual([4002, 'from us'])
    expect(await journal.result).toBe(0)
  })

  it('its fragments, and pings in between', async () => {
    const { server, url } = await wsServer()
    const ponged = new Promise<string>((resolve) =>
      server.once('connection', (socket) => {
        socket.once('pong', (data: Buffer) => resolve(data.toString()))
        socket.send(Buffer.from('a 🧵').subarray(0, 4), { binary: false, fin: false })
        socket.ping('between')
        socket.send(Buffer.from('a 🧵').subarray(4), { fin: true })
      }),
    )
    const journal = client(url)
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.texts).toEqual(['a 🧵'])
    expect(await ponged).toBe('between')
    webSocketFree(journal.ws)
  })

  it('a connection that it terminates is lost', async () => {
    const { server, url } = await wsServer()
    server.once('connection', (socket) => socket.terminate())
    expect(await client(url).ending()).toMatchObject({
      run: -1006,
      kinds: [WS_EVENT_OPEN, WS_EVENT_ERROR, WS_EVENT_CLOSE],
    })
  })
})
