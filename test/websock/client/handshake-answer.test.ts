import { afterEach, describe, expect, it } from 'vitest'
import type { UrlError } from '../../../include-types/client.ts'
import { urlWebSocketOpen } from '../../../lib/standalone.ts'
import { open } from '../../../lib/websock/client/open.ts'
import { webSocketFree } from '../../../lib/websock/close.ts'
import {
  R_ERR_BAD_RESPONSE,
  R_ERR_CANT_CONNECT,
  R_ERR_TIMEOUT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../../lib/websock/constants.ts'
import { webSocketGetErrorMessage, webSocketGetProtocol, webSocketGetState } from '../../../lib/websock/handle.ts'
import { webSocketSendString } from '../../../lib/websock/send.ts'
import { closeReply, reply } from '../../support/frames.ts'
import { answer, closedPort, type RawPeer, RawServer } from '../../support/raw-server.ts'
import { client, clockedSide, refusal, settle } from '../../support/url-client.ts'

const SECRETS = ['geheim', 'us%C3%A4r', 'usär', Buffer.from('usär:geheim').toString('base64'), 'Bearer t0ken']
const MESSAGE = reply({ opcode: 1, payload: 'early' })

/** Both ways to connect see the same; the server sees the end of each connection. */
async function refused(
  serve: (peer: RawPeer, key: string) => void | Promise<void>,
  expected: Partial<UrlError> & { code: number },
  options: { protocols?: string } = {},
): Promise<UrlError> {
  const server = await RawServer.listen()
  const url = `ws://us%C3%A4r:geheim@127.0.0.1:${server.port}/`
  const rejected = refusal(url, options)
  const first = await server.next()
  await serve(first, (await first.request()).key)
  const error = await rejected
  await first.until(() => first.ended)
  expect({ code: error.code, status: error.status }).toEqual({ code: expected.code, status: expected.status ?? 0 })
  expect(error).toMatchObject(expected)
  expect(error.message).not.toBe('')

  const journal = client(url, { ...options, headers: { 'X-Token': 'Bearer t0ken' } })
  const second = await server.next()
  await serve(second, (await second.request()).key)
  expect(await journal.result).toBe(expected.code)
  await second.until(() => second.ended)
  expect(journal.events).toEqual([
    { event: WS_EVENT_ERROR, buf: error.message, len: Buffer.byteLength(error.message), state: 0, type: 0 },
    { event: WS_EVENT_CLOSE, buf: null, len: 0, state: 0, type: 0 },
  ])
  expect(webSocketGetErrorMessage(journal.ws)).toBe(error.message)
  expect(webSocketGetState(journal.ws)).toBe(0)
  for (const secret of SECRETS) expect(`${error.message} ${error.stack}`).not.toContain(secret)
  expect(server.count).toBe(2)
  return error
}

const running: (() => void)[] = []
afterEach(() => {
  for (const close of running.splice(0)) close()
})

describe('answers that are taken', () => {
  const changes: [string, Record<string, string | null>, (string | undefined)?][] = [
    ['as the RFC has it', {}],
    ['values in another case', { Upgrade: 'WebSocket', Connection: 'upgrade' }],
    ['values in capitals', { Upgrade: 'WEBSOCKET', Connection: 'UPGRADE' }],
    ['names in another case', { Upgrade: null, UPGRADE: 'websocket', Connection: null, connection: 'Upgrade' }],
    ['Connection as a list', { Connection: 'keep-alive, Upgrade' }],
    ['Connection as a list without spaces', { Connection: 'Upgrade,keep-alive' }],
    ['space around values', { Upgrade: ' \twebsocket \t', Connection: '  Upgrade ' }],
    ['headers of its own', { 'Server': 'x', 'Set-Cookie': 'a=b', 'Content-Length': '0', 'X-A': 'ä' }],
    ['no reason phrase', {}, 'HTTP/1.1 101 '],
    ['no reason phrase, and no space', {}, 'HTTP/1.1 101'],
    ['another reason phrase', {}, 'HTTP/1.1 101 Web Socket Protocol Handshake'],
  ]
  it.each(changes)('%s', async (_name, lines, first) => {
    const server = await RawServer.listen()
    const journal = client(server.url)
    const peer = await server.next()
    const { key } = await peer.request()
    peer.send(Buffer.concat([answer(key, lines, first), MESSAGE, closeReply(4000, 'done')]))
    await journal.until(WS_EVENT_CLOSE)
    expect(journal.texts).toEqual(['early'])
    expect(await journal.result).toBe(0)
  })

  it('byte by byte, with frames behind it', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url, { protocols: ['a', 'chat'] })
    const peer = await server.next()
    const { key } = await peer.request()
    await peer.sendSplit(
      Buffer.concat([answer(key, { 'Sec-WebSocket-Protocol': 'chat' }), MESSAGE, MESSAGE, closeReply(4000, 'done')]),
    )
    expect(await journal.ending()).toEqual({
      run: 0,
      status: 4000,
      reason: 'done',
      orderly: true,
      kinds: [WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_MESSAGE, WS_EVENT_CLOSE],
    })
    expect(webSocketGetProtocol(journal.ws)).toBe('chat')
  })

  it('trap 72: header, sub-protocol and frames in the segment of the 101 are all seen', async () => {
    const server = await RawServer.listen()
    let seen: unknown = null
    const journal = client(server.url, { headers: 'X-A: 1', protocols: ['x', 'chat'] }, (ws, event) => {
      if (event === WS_EVENT_OPEN) seen = [webSocketGetProtocol(ws), webSocketGetState(ws)]
    })
    const peer = await server.next()
    const ping = reply({ opcode: 9, payload: 'p' })
    const half = MESSAGE.subarray(0, 4)
    const request = await peer.accept(
      { 'Sec-WebSocket-Protocol': 'chat' },
      Buffer.concat([MESSAGE, reply({ opcode: 2, payload: Buffer.of(1, 2, 3) }), ping, half]),
    )
    expect(request.all('X-A')).toEqual(['1'])
    expect(request.all('Sec-WebSocket-Protocol')).toEqual(['x, chat'])
    expect(await peer.frame()).toEqual({ fin: true, opcode: 10, payload: Buffer.from('p') })
    peer.send(Buffer.concat([MESSAGE.subarray(4), closeReply(1000)]))
    await journal.until(WS_EVENT_CLOSE)
    expect(seen).toEqual(['chat', 1])
    expect(journal.texts).toEqual(['early', Buffer.of(1, 2, 3), 'early'])
  })

  it('frames and the end of TCP behind the 101', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url)
    const peer = await server.next()
    const { key } = await peer.request()
    peer.socket.end(Buffer.concat([answer(key), MESSAGE]))
    expect(await journal.ending()).toMatchObject({
      run: -1006,
      status: 1006,
      kinds: [WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_ERROR, WS_EVENT_CLOSE],
    })
    await peer.until(() => peer.closed)
  })

  it('frames behind the 101 wait for webSocketRun', async () => {
    const server = await RawServer.listen()
    const opening = urlWebSocketOpen(server.url)
    const peer = await server.next()
    await peer.accept({}, Buffer.concat([MESSAGE, reply({ opcode: 9, payload: 'p' })]))
    const ws = await opening
    running.push(() => webSocketFree(ws))
    expect(webSocketGetState(ws)).toBe(0)
    expect(webSocketSendString(ws, 'too early')).toBe(-14)
    expect((await peer.frame()).opcode).toBe(10)
  })

  it.each([
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103', 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'],
    ['100 and 103', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('a %s before the 101 is passed over (RFC 9110 §15.2)', async (_name, before) => {
    const server = await RawServer.listen()
    const journal = client(server.url)
    const peer = await server.next()
    const { key } = await peer.request()
    peer.send(Buffer.concat([Buffer.from(before), answer(key), MESSAGE, closeReply(1000)]))
    expect(await journal.result).toBe(0)
    expect(journal.texts).toEqual(['early'])
  })
})

describe('101 that is not ours', () => {
  const foreign: [string, Record<string, string | null>, RegExp, string?][] = [
    ['wrong accept', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }, /Sec-WebSocket-Accept/],
    ['no accept', { 'Sec-WebSocket-Accept': null }, /Sec-WebSocket-Accept/],
    ['empty accept', { 'Sec-WebSocket-Accept': '' }, /Sec-WebSocket-Accept/],
    ['another upgrade', { Upgrade: 'h2c' }, /[Uu]pgrade/],
    ['another upgrade beside ours', { Upgrade: 'websocket, h2c' }, /[Uu]pgrade/],
    ['no Upgrade', { Upgrade: null }, /[Uu]pgrade/],
    ['no Connection', { Connection: null }, /[Uu]pgrade/],
    ['another Connection', { Connection: 'close' }, /[Uu]pgrade/],
    ['a Connection that only looks like it', { Connection: 'upgrades' }, /[Uu]pgrade/],
    ['neither', { 'Upgrade': null, 'Connection': null, 'Sec-WebSocket-Accept': null }, /[Uu]pgrade/],
    ['a sub-protocol, none was offered', { 'Sec-WebSocket-Protocol': 'chat' }, /sub-protocol/],
    ['an extension', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }, /extension/],
    ['an extension that nobody knows', { 'Sec-WebSocket-Extensions': 'x-mux' }, /extension/],
    ['another sub-protocol', { 'Sec-WebSocket-Protocol': 'other' }, /sub-protocol/, 'chat'],
    ['the sub-protocol in another case', { 'Sec-WebSocket-Protocol': 'Chat' }, /sub-protocol/, 'chat'],
    ['two sub-protocols', { 'Sec-WebSocket-Protocol': 'chat, chat' }, /sub-protocol/, 'chat'],
    [
      'two lines of sub-protocols',
      { 'Sec-WebSocket-Protocol': 'chat', 'sec-websocket-protocol': 'chat' },
      /sub-protocol/,
      'chat',
    ],
    // RFC 6455 §4.3: Sec-WebSocket-Protocol-Server is one token.
    ['an empty sub-protocol', { 'Sec-WebSocket-Protocol': '' }, /sub-protocol/, 'chat'],
    ['an empty sub-protocol, none was offered', { 'Sec-WebSocket-Protocol': '' }, /sub-protocol/],
  ]
  it.each(foreign)('%s', async (_name, lines, message, protocols) => {
    const error = await refused(
      (peer, key) => peer.send(Buffer.concat([answer(key, lines), MESSAGE])),
      { code: R_ERR_BAD_RESPONSE, status: 101, body: '' },
      protocols === undefined ? {} : { protocols },
    )
    expect(error.message).toMatch(message)
    const accept = lines['Sec-WebSocket-Accept']
    if (typeof accept === 'string') expect(error.headers['sec-websocket-accept']).toBe(accept)
  })

  it("the accept of another connection's key, and ours twice", async () => {
    await refused((peer) => peer.send(answer('dGhlIHNhbXBsZSBub25jZQ==')), { code: R_ERR_BAD_RESPONSE, status: 101 })
    await refused(
      (peer, key) => {
        const once = answer(key).toString()
        const line = /Sec-WebSocket-Accept: .*\r\n/.exec(once)?.[0] ?? ''
        peer.send(once.replace(line, () => line + line))
      },
      { code: R_ERR_BAD_RESPONSE, status: 101 },
    )
  })
})

describe('other answers', () => {
  it.each<[string, string, Partial<UrlError>]>([
    [
      '200 with a body',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello',
      { status: 200, body: 'hello', message: 'Server answered 200 OK: there is no WebSocket at this path' },
    ],
    [
      'why, in a line of plain text',
      `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 210\r\n\r\nnot you${'.'.repeat(100)}\n${'x'.repeat(102)}`,
      { status: 403, message: `Server answered 403 Forbidden: not you${'.'.repeat(93)}` },
    ],
    [
      'a page is no reason',
      'HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>',
      { status: 404, message: 'Server answered 404 Not Found' },
    ],
    ['200 with a body up to the end of TCP', 'HTTP/1.0 200 OK\r\n\r\nhello', { status: 200, body: 'hello' }],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '' }],
    [
      'a body in chunks',
      'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
      { status: 403, body: 'abcde' },
    ],
    [
      'a body that is cut off',
      'HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf',
      { status: 500, body: 'half', message: 'Server answered 500 No' },
    ],
    [
      'a body of UTF-8',
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\n\xe2\x82\xac',
      { status: 400, body: '€' },
    ],
    ['426', 'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 0\r\n\r\n', { status: 426 }],
    [
      '200 with the headers of an upgrade',
      'HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\nx',
      { status: 200 },
    ],
    [
      '503 that keeps the connection',
      'HTTP/1.1 503 Busy\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      { status: 503 },
    ],
  ])('%s', async (_name, bytes, expected) => {
    const ends = !bytes.includes('Content-Length: ') || bytes.endsWith('half')
    await refused(
      (peer) => {
        peer.send(bytes)
        if (ends) peer.socket.end()
      },
      { code: R_ERR_BAD_RESPONSE, ...expected },
    )
  })

  it('401 says how to authenticate', async () => {
    const error = await refused(
      (peer) =>
        peer.send('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="a"\r\nContent-Length: 4\r\n\r\nwho?'),
      { code: R_ERR_BAD_RESPONSE, status: 401, body: 'who?', message: 'Server answered 401 Unauthorized' },
    )
    expect(error.headers['www-authenticate']).toBe('Basic realm="a"')
  })

  it('a redirect is told, not followed', async () => {
    const error = await refused(
      (peer) => peer.send('HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n'),
      { code: R_ERR_BAD_RESPONSE, status: 302 },
    )
    expect(error.headers.location).toBe('ws://127.0.0.1:1/x')
    expect(error.message).toBe('Server answered 302 Found, a redirect to ws://127.0.0.1:1/x, which is not followed')
  })

  it.each([
    ['304 with a location', 'HTTP/1.1 404 Not Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n', 404],
    ['300 without one', 'HTTP/1.1 300 Many\r\nContent-Length: 0\r\n\r\n', 300],
    ['400 with one', 'HTTP/1.1 400 Bad\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n', 400],
  ])('no redirect: %s', async (_name, bytes, status) => {
    const error = await refused((peer) => peer.send(bytes), { code: R_ERR_BAD_RESPONSE, status })
    expect(error.message).not.toContain('redirect')
  })

  it.each([300, 308, 399])('%i with a location is a redirect', async (status) => {
    const error = await refused(
      (peer) => peer.send(`HTTP/1.1 ${status} X\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n`),
      { code: R_ERR_BAD_RESPONSE, status },
    )
    expect(error.message).toContain('a redirect to /x')
  })

  it.each([4095, 4096, 4097, 100_000])(
    'of a body of %i bytes, 4 KiB are kept, and the socket is let go',
    async (size) => {
      const error = await refused(
        (peer) => peer.send(`HTTP/1.1 404 Not Found\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`),
        { code: R_ERR_BAD_RESPONSE, status: 404 },
      )
      expect(error.body).toBe('x'.repeat(Math.min(size, 4096)))
    },
  )

  it('a body that never ends', async () => {
    const error = await refused(
      (peer) => {
        peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        const timer = setInterval(() => peer.send(`400\r\n${'x'.repeat(1024)}\r\n`), 1)
        peer.socket.once('close', () => clearInterval(timer))
      },
      { code: R_ERR_BAD_RESPONSE, status: 200 },
    )
    expect(error.body).toBe('x'.repeat(4096))
  })

  it('nothing at all, then FIN', async () => {
    await refused((peer) => void peer.socket.end(), { code: R_ERR_CANT_CONNECT, body: '', headers: {} })
  })

  it('half of a header, then FIN', async () => {
    await refused((peer) => void peer.socket.end('HTTP/1.1 101 Switching Proto'), { code: R_ERR_CANT_CONNECT })
  })

  it('RST', async () => {
    await refused((peer) => peer.reset(), { code: R_ERR_CANT_CONNECT })
  })

  // -22 is for what could not be connected; here somebody has answered, and it is no WebSocket server.
  it.each([
    ['garbage', '\0\x01garbage\r\n\r\n'],
    ['a server that speaks first', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a broken header', 'HTTP/1.1 101 Switching Protocols\r\nno colon here\r\n\r\n'],
    ['a header with NUL', 'HTTP/1.1 101 Switching Protocols\r\nX: a\0b\r\n\r\n'],
    ['headers over 16 KB', `HTTP/1.1 101 Switching Protocols\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('%s', async (_name, bytes) => {
    await refused((peer) => void peer.socket.end(Buffer.from(bytes, 'latin1')), { code: R_ERR_BAD_RESPONSE })
  })
})

describe('no answer', () => {
  it('a server that accepts and never answers: -38, not before handshakeTimeout', async () => {
    const server = await RawServer.listen()
    const before = performance.now()
    const error = await refusal(server.url, { handshakeTimeout: 60 })
    // A timer may be a fraction early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(59)
    expect(error).toMatchObject({ code: R_ERR_TIMEOUT, status: 0, headers: {}, body: '' })
    expect(error.message).toContain('60 ms')
    expect(await client(server.url, { handshakeTimeout: 1 }).result).toBe(R_ERR_TIMEOUT)
  })

  /** What comes of an answer that stops, once time has passed; the server sees the end. */
  async function stopsAfter(sent: string): Promise<unknown> {
    const side = clockedSide()
    const server = await RawServer.listen()
    const opening = open(side, server.url, {})
    const peer = await server.next()
    await peer.request()
    peer.send(sent)
    await settle()
    side.clock.advance(10_000)
    const opened = await opening
    await peer.until(() => peer.ended)
    return opened
  }

  it.each(['', 'HTTP/1.1 101 Switching', 'HTTP/1.1 100 Continue\r\n\r\n'])(
    'it stops behind "%s": -38',
    async (sent) => {
      expect(await stopsAfter(sent)).toMatchObject({ code: R_ERR_TIMEOUT, status: 0 })
    },
  )

  // Who was refused should hear that, however slow the rest of the page is: a loop waits longer after 401 and 403.
  it('a refusal whose body stops in the middle is a refusal', async () => {
    expect(await stopsAfter('HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nhalf')).toMatchObject({
      code: R_ERR_BAD_RESPONSE,
      status: 401,
      body: 'half',
    })
  })

  it('a port on which nobody listens: -22', async () => {
    const port = await closedPort()
    const error = await refusal(`ws://u:geheim@127.0.0.1:${port}/`)
    expect(error).toMatchObject({ code: R_ERR_CANT_CONNECT, status: 0, headers: {}, body: '', name: 'UrlError' })
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.message).not.toContain('geheim')
  })

  it('a name of which all addresses fail: the message is that of one', async () => {
    const port = await closedPort()
    const error = await refusal(`ws://localhost:${port}/`)
    expect(error.code).toBe(R_ERR_CANT_CONNECT)
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('a host that does not exist: -22', async () => {
    const error = await refusal('wss://u:geheim@nobody.invalid/')
    expect(error).toMatchObject({ code: R_ERR_CANT_CONNECT, status: 0 })
    expect(error.message).toContain('nobody.invalid')
    expect(error.message).not.toContain('geheim')
  })
})
