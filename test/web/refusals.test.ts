import { describe, expect, it } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import { webReadBody } from '../../lib/web/web.ts'
import { webWriteResponse } from '../../lib/web/reply.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { byEngine } from '../support/differences.ts'
import { deferred } from '../support/memory.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { type EngineName, engines, serve } from '../support/server.ts'

const routes: NonNullable<Config['web']>['routes'] = [
  { match: '/get', handler: 'action', methods: ['GET'] },
  { match: '/token', handler: 'action', token: 'abc' },
  { match: '/role', handler: 'action', role: 'admin' },
  { match: '/ws', handler: 'action' },
  { match: '/files/', handler: 'file', documents: 'no-such-folder' },
]

/** A request, and what it gets: status, text, and a header that goes with it. */
const refused = (what: string, request: Buffer | string, status: number, text: string, header = /^/) => ({
  what,
  request: typeof request === 'string' ? Buffer.from(`${request}\r\nHost: localhost\r\n\r\n`) : request,
  status,
  text,
  header,
})

const REFUSED = [
  refused('a target with a space in it', 'GET /%20a%zz HTTP/1.1', 400, 'Bad Request'),
  refused('a target that climbs', 'GET /../x HTTP/1.1', 400, 'Bad Request'),
  refused('a NUL', 'GET /%00 HTTP/1.1', 400, 'Bad Request'),
  refused('a backslash', 'GET /%5c HTTP/1.1', 400, 'Bad Request'),
  refused('no route', 'GET /nowhere HTTP/1.1', 404, 'No matching route'),
  refused('no document', 'GET /files/x HTTP/1.1', 404, 'Cannot locate document'),
  refused(
    'another method',
    'POST /get HTTP/1.1\r\nContent-Length: 0',
    405,
    'Method Not Allowed',
    /^Allow: GET, HEAD$/m,
  ),
  refused('a body too long', 'POST /ws HTTP/1.1\r\nContent-Length: 101', 413, 'Payload Too Large'),
  refused('no token', 'GET /token HTTP/1.1', 401, 'Unauthorized', /^WWW-Authenticate: Bearer$/m),
  refused('no role', 'GET /role HTTP/1.1', 403, 'Forbidden'),
  refused(
    'POST for a WebSocket',
    handshake('/ws', {}, 'POST /ws HTTP/1.1'),
    405,
    'A WebSocket is opened with GET',
    /^Allow: GET$/m,
  ),
  refused('no Connection', handshake('/ws', { Connection: 'keep-alive' }), 400, 'Missing Connection: Upgrade'),
  refused(
    'another version',
    handshake('/ws', { 'Sec-WebSocket-Version': '8' }),
    426,
    'Unsupported WebSocket version',
    /^Sec-WebSocket-Version: 13$/m,
  ),
  refused(
    'no version',
    handshake('/ws', { 'Sec-WebSocket-Version': null }),
    426,
    'Unsupported WebSocket version',
    /^Sec-WebSocket-Version: 13$/m,
  ),
  refused('no key', handshake('/ws', { 'Sec-WebSocket-Key': null }), 400, 'Bad Sec-WebSocket-Key'),
  refused('a key that is none', handshake('/ws', { 'Sec-WebSocket-Key': 'abc' }), 400, 'Bad Sec-WebSocket-Key'),
  refused('a WebSocket without a route', handshake('/nowhere'), 404, 'No matching route'),
  refused('a foreign page', handshake('/ws', { Origin: 'http://evil.example' }), 403, 'Origin not allowed'),
  refused('a WebSocket without the token', handshake('/token'), 401, 'Unauthorized', /^WWW-Authenticate: Bearer$/m),
  refused('a WebSocket without the role', handshake('/role'), 403, 'Forbidden'),
  refused(
    'another sub-protocol',
    handshake('/ws', { 'Sec-WebSocket-Protocol': 'other' }),
    400,
    'Unsupported Sec-WebSocket-Protocol',
  ),
  refused(
    'eleven other sub-protocols',
    handshake('/ws', { 'Sec-WebSocket-Protocol': `${'a, '.repeat(10)}chat` }),
    400,
    'Unsupported Sec-WebSocket-Protocol',
  ),
]

const start = (engine: EngineName) =>
  serve(
    engine,
    async (web) => {
      if (web.webSocket !== null) await webSocketRun(web.webSocket, () => {})
      else {
        await webReadBody(web)
        webWriteResponse(web, 200, 'taken')
      }
    },
    { limits: { body: 100, header: '1K' }, webSockets: { protocol: 'chat' }, timeouts: { parse: '300ms' }, routes },
  )

describe.each(engines)('what is refused on the %s engine', (engine) => {
  it.each(REFUSED)('$what', async ({ request, status, text, header }) => {
    const { port } = await start(engine)
    const client = await RawClient.connect(port)
    client.send(request)
    const answer = await client.response()
    const body = `${text}\n`
    await client.until(() => client.received.length >= body.length)
    expect([answer.status, client.received.toString()]).toEqual([status, body])
    expect(answer.head).toContain('Content-Type: text/plain; charset=utf-8')
    expect(answer.head).toContain(`Content-Length: ${body.length}`)
    expect(answer.head).toMatch(header)
    client.destroy()
  })

  it('a header that is too long is 431', async () => {
    const { port } = await start(engine)
    const client = await RawClient.connect(port)
    client.send(Buffer.from(`GET /get HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(2000)}\r\n\r\n`))
    expect((await client.response()).status).toBe(431)
    await client.rest()
  })

  it('a header that does not come is 408 (node), or the end', async () => {
    const { port } = await start(engine)
    const client = await RawClient.connect(port)
    client.send(Buffer.from('GET /get HTTP/1.1\r\nHost: x\r\n'))
    const answer = (await client.rest()).toString()
    expect(answer.startsWith('HTTP/1.1 408')).toBe(
      byEngine(engine, 'header that is not finished, or has no field', { node: true, uws: false }),
    )
  })

  it('while a host stops it is 503', async () => {
    const asked = deferred()
    const finish = deferred()
    const { host, port } = await serve(engine, async (web) => {
      if (web.path === '/again') return webWriteResponse(web, 200, 'again')
      asked.resolve()
      await finish.promise
      return webWriteResponse(web, 200, 'late')
    })
    const first = await RawClient.connect(port)
    const second = await RawClient.connect(port)
    first.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    await asked.promise
    // It has asked before, and is in the middle of asking again: a connection that is idle would just end.
    second.send(Buffer.from('GET /again HTTP/1.1\r\nHost: x\r\n\r\nGET /again HTTP/1.1\r\nHost: x\r\n'))
    await second.until(() => second.received.includes('again\n'))
    second.received = Buffer.alloc(0)
    const stopped = host.stop()
    second.send(Buffer.from('\r\n'))
    expect((await second.response()).status).toBe(503)
    finish.resolve()
    await stopped
    first.destroy()
    second.destroy()
  })
})

describe.each(engines)('requests that can be read in two ways, on the %s engine', (engine) => {
  const SMUGGLED = 'GET /ws HTTP/1.1\r\nHost: x\r\n\r\n'
  it.each([
    ['two lengths', `Host: x\r\nContent-Length: 0\r\nContent-Length: ${SMUGGLED.length}`],
    ['two lengths, the longer first', `Host: x\r\nContent-Length: ${SMUGGLED.length}\r\nContent-Length: 0`],
    ['an encoding in front of chunked', 'Host: x\r\nTransfer-Encoding: gzip, chunked'],
    ['two encodings', 'Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity'],
    ['a length and chunked', 'Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked'],
    ['two hosts', 'Host: x\r\nHost: y\r\nContent-Length: 0'],
  ])('%s: 400 at most, and the end', async (_what, lines) => {
    let calls = 0
    const { port } = await serve(engine, () => calls++, { routes: [{ match: '/ws', handler: 'action' }] })
    const client = await RawClient.connect(port)
    client.send(Buffer.from(`POST /ws HTTP/1.1\r\n${lines}\r\n\r\n${SMUGGLED}`))
    const expected = byEngine(engine, 'request that can be read in two ways', {
      node: /^HTTP\/1\.1 400 [^]*$/,
      uws: /^(HTTP\/1\.1 400 [^]*)?$/,
    })
    expect(String(await client.rest())).toMatch(expected)
    expect(calls).toBe(0)
  })

  it('a target with scheme and host', async () => {
    const { port } = await serve(engine, (web) => webWriteResponse(web, 200, '%s', web.path), {
      routes: [{ match: '/ws', handler: 'action' }],
    })
    const client = await RawClient.connect(port)
    client.send(Buffer.from('GET http://x/ws HTTP/1.1\r\nHost: x\r\n\r\n'))
    expect((await client.response()).status).toBe(
      byEngine(engine, 'absolute URL in a request line', { node: 200, uws: 505 }),
    )
    client.destroy()
  })

  it.each(['evil"<>', 'a b', 'a,b', 'a/b', '[::1', 'x:port', 'a@b'])(
    'Host %s is 400, and is not sent back',
    async (host) => {
      const { port } = await serve(engine, () => {}, { redirect: [{ to: 'https://:443' }] })
      const client = await RawClient.connect(port)
      client.send(Buffer.from(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`))
      const { status, head } = await client.response()
      expect(status).toBe(400)
      expect(head).not.toContain(host)
      client.destroy()
    },
  )

  it.each(['x', 'x.example:80', '127.0.0.1', '[::1]:8080', 'a_b.c-d'])('Host %s is one', async (host) => {
    const { port } = await serve(engine, () => {}, { redirect: [{ to: 'https://:443' }] })
    const client = await RawClient.connect(port)
    client.send(Buffer.from(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`))
    expect((await client.response()).head).toContain(`Location: https://${host.replace(/:\d+$/, '')}/x`)
    client.destroy()
  })
})
