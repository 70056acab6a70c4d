import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket as WsClient } from 'ws'
import type { Config, WebAction } from '../../../include-types/web.ts'
import type { Exchange } from '../../../lib/engine/port.ts'
import { selectEngine } from '../../../lib/engine/select.ts'
import {
  ConfigError,
  rSetLogSink,
  webFinalize,
  webGetHeader,
  webReadBody,
  webSocketFree,
  webSocketRun,
  webSocketSendBlock,
  webSocketSendClose,
  webWrite,
  webWriteResponse,
  WS_EVENT_MESSAGE,
} from '../../../lib/index.ts'
import { parts } from '../../../lib/parts.ts'
import { createHost, type Host } from '../../../lib/web/host.ts'
import { close, closeReply, frame, text } from '../../support/frames.ts'
import { deferred } from '../../support/memory.ts'
import { handshake, RawClient } from '../../support/raw.ts'
import { type EngineName, engines, serve as serveOn } from '../../support/server.ts'
import { catchUncaught, collect, Ears, listen, reply, timed, turn } from './support.ts'

const serve = (action: WebAction, web?: Parameters<typeof serveOn>[2]): ReturnType<typeof serveOn> =>
  serveOn('uws', action, web)

const engineOf = async (name: EngineName) => (await selectEngine(name)).engine

const HOST = 'Host: localhost'
/** A request as it goes over the wire. */
const head = (method: string, target = '/', ...headers: string[]): Buffer =>
  Buffer.from([`${method} ${target} HTTP/1.1`, HOST, ...headers, '', ''].join('\r\n'), 'latin1')

/** Takes an answer whose length its header tells. */
async function answer(client: RawClient): Promise<{ status: number; head: string; body: string }> {
  const { status, head: header } = await client.response()
  const length = Number(/^content-length: (\d+)$/im.exec(header)?.[1] ?? 0)
  await client.until(() => client.received.length >= length)
  const body = client.received.toString('utf8', 0, length)
  client.received = client.received.subarray(length)
  return { status, head: header, body }
}

async function ask(port: number, request: Buffer): Promise<{ status: number; head: string; body: string }> {
  const client = await RawClient.connect(port)
  client.send(request)
  const given = await answer(client)
  client.destroy()
  return given
}

const hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()))
})

/** A host of a config; stopped after the test. */
function hostOf(config: Config, action: WebAction = () => {}, own = parts): Host {
  const host = createHost(config, own)
  host.addAction('/', action)
  hosts.push(host)
  return host
}

const echo: WebAction = (web) =>
  webSocketRun(web.webSocket, (ws, event, buf) => {
    if (event === WS_EVENT_MESSAGE) webSocketSendBlock(ws, ws.type, buf)
  })

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-uws-'))
  // Handlers fail on purpose here: their log lines would say nothing.
  rSetLogSink(() => {})
})
afterAll(() => {
  rSetLogSink(null)
  rmSync(folder, { recursive: true })
})

describe('what fails', () => {
  it('trap 48: an action that throws, before or after an await, is a 500; the connection and the process go on', async () => {
    const { port } = await serve(async (web) => {
      if (web.path === '/after') await turn()
      if (web.path !== '/fine') throw new Error('secret detail')
      return webWriteResponse(web, 200, 'fine')
    })
    const client = await RawClient.connect(port)
    for (const [path, status, body] of [
      ['/before', 500, 'Internal Server Error\n'],
      ['/after', 500, 'Internal Server Error\n'],
      ['/fine', 200, 'fine\n'],
    ] as const) {
      client.send(head('GET', path))
      expect(await answer(client)).toMatchObject({ status, body })
    }
    client.destroy()
  })

  it('trap 48: also one that throws at once, and one that throws behind its answer', async () => {
    const { port } = await serve((web) => {
      if (web.path === '/answered') webWriteResponse(web, 201, 'answered')
      throw new Error('secret detail')
    })
    expect(await ask(port, head('GET', '/at-once'))).toMatchObject({ status: 500 })
    expect(await ask(port, head('GET', '/answered'))).toMatchObject({ status: 201, body: 'answered\n' })
  })

  it('trap 48: what the server itself is given throws: the connection ends, and it is an uncaught exception', async () => {
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      if (exchange.target === '/throw') throw new Error('in onExchange')
      reply(exchange, 'fine')
    })
    for (const request of [head('GET', '/throw'), handshake('/throw')]) {
      const uncaught = catchUncaught()
      const client = await RawClient.connect(port)
      client.send(request)
      expect(await client.rest()).toEqual(Buffer.alloc(0))
      expect(await uncaught).toMatchObject({ message: 'in onExchange' })
    }
    expect(await ask(port, head('GET'))).toMatchObject({ body: 'fine' })
  })

  it('trap 48: so is what is called when the peer goes', async () => {
    const asked = deferred()
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      if (exchange.target !== '/') return reply(exchange, 'fine')
      exchange.onAbort(() => {
        throw new Error('in onAbort')
      })
      asked.resolve()
    })
    const uncaught = catchUncaught()
    const client = await RawClient.connect(port)
    client.send(head('GET'))
    await asked.promise
    client.reset()
    expect(await uncaught).toMatchObject({ message: 'in onAbort' })
    expect(await ask(port, head('GET', '/fine'))).toMatchObject({ body: 'fine' })
  })

  it('trap 69: a header with a line break is refused before anything is sent, as on node', async () => {
    for (const name of engines) {
      const refused: unknown[] = []
      const { port } = await listen(await engineOf(name), (exchange) => {
        for (const header of [
          ['X-Name', 'a\r\nSet-Cookie: b'],
          ['X-Name', 'a\nb'],
          ['X-Name', 'a\rb'],
          ['X-Name', 'a\0b'],
          ['X-Na\r\nme', 'a'],
          ['X Name', 'a'],
          ['', 'a'],
        ] as const) {
          try {
            exchange.writeHead(200, [header])
            refused.push('accepted')
          } catch (error) {
            refused.push(error instanceof Error && 'code' in error ? error.code : error)
          }
        }
        reply(exchange, 'refused', [['X-Good', 'yes']], 500)
      })
      const given = await ask(port, head('GET'))
      expect(given).toMatchObject({ status: 500, body: 'refused' })
      expect(given.head).not.toMatch(/x-na|cookie/i)
      expect(given.head).toContain('X-Good: yes')
      expect(refused).toEqual([
        ...Array.from({ length: 4 }, () => 'ERR_INVALID_CHAR'),
        ...Array.from({ length: 3 }, () => 'ERR_INVALID_HTTP_TOKEN'),
      ])
    }
  })

  it.each(engines)('trap 69: nor does the answer to a handshake carry one (%s)', async (name) => {
    const { port } = await listen(await engineOf(name), (exchange) => {
      try {
        exchange.upgrade('', [['X-Name', 'a\r\nSet-Cookie: b']])
      } catch {
        exchange.abort()
      }
    })
    const client = await RawClient.connect(port)
    client.send(handshake())
    await client.until(() => client.ended || client.received.includes('\r\n\r\n'))
    expect(client.received.includes('Set-Cookie')).toBe(false)
    client.destroy()
  })

  it('trap 69: of a handler over a host it is a 500', async () => {
    const broken = {
      ...parts,
      handlers: {
        ...parts.handlers,
        file: () => ({
          methods: ['GET'],
          upgrades: false,
          find: () => ({
            role: null,
            async serve({ exchange }: { exchange: Exchange | null }) {
              await turn()
              exchange?.writeHead(200, [['Location', '/\r\nSet-Cookie: x']])
              exchange?.end('never')
            },
          }),
        }),
      },
    }
    const host = hostOf(
      { web: { engine: 'uws', listen: '127.0.0.1:0', routes: [{ handler: 'file' }] } },
      () => {},
      broken,
    )
    expect(await host.start()).toBe(0)
    const given = await ask(host.listening[0]?.port ?? 0, head('GET'))
    expect(given.status).toBe(500)
    expect(`${given.head}${given.body}`).not.toMatch(/Cookie|never/)
  })
})

describe('answers that come later', () => {
  it('trap 49: an upgrade after the handler has returned works', async () => {
    const ears = new Ears()
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      setTimeout(() => {
        const transport = exchange.upgrade('chat', [['X-Name', 'value']])
        ears.onText = (got) => void transport?.send(`echo ${got}`, 5 + got.length, 1, true)
        transport?.setReceiver(ears)
      }, 20)
    })
    const client = await RawClient.connect(port)
    client.send(handshake('/', { 'Sec-WebSocket-Protocol': 'chat, other' }))
    const { status, head: header } = await client.response()
    expect(status).toBe(101)
    expect(header).toMatch(/^Sec-WebSocket-Protocol: chat$/m)
    expect(header).toMatch(/^X-Name: value$/m)
    client.send(text('hello'))
    expect((await client.frame()).payload.toString()).toBe('echo hello')
    client.send(close(4000, 'bye'))
    expect(await client.rest()).toEqual(closeReply(4000, 'bye'))
    await ears.until('gone')
    expect(ears.heard).toEqual(['text hello', 'close 4000 bye', 'gone'])
  })

  it.each([
    ['an upgrade', handshake()],
    ['an answer', head('GET')],
  ])('trap 49: %s to a peer that has reset meanwhile does nothing, and does not throw', async (_what, request) => {
    const asked = deferred<Exchange>()
    const aborted = deferred()
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      exchange.onAbort(() => aborted.resolve())
      asked.resolve(exchange)
    })
    const client = await RawClient.connect(port)
    client.send(request)
    const exchange = await asked.promise
    expect([exchange.done, exchange.remoteAddress]).toEqual([false, '127.0.0.1'])
    client.reset()
    await aborted.promise
    expect(exchange.done).toBe(true)
    expect(exchange.upgrade('', [])).toBeNull()
    exchange.writeHead(200, [['Content-Length', '10']])
    expect(exchange.write('x')).toBe(true)
    exchange.end('x')
    exchange.end()
    exchange.abort()
    exchange.onAbort(() => {})
    exchange.onDrain(() => {})
    // What was read is there for good.
    expect(exchange.headers['host']).toBe('localhost')
    expect([exchange.method, exchange.target, exchange.remoteAddress, exchange.version, exchange.secure]).toEqual([
      'GET',
      '/',
      '127.0.0.1',
      '1.1',
      false,
    ])
  })

  it('trap 49: frames sent before the answer end the connection: nothing is upgraded then', async () => {
    const asked = deferred<Exchange>()
    const aborted = deferred()
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      exchange.onAbort(() => aborted.resolve())
      asked.resolve(exchange)
    })
    const client = await RawClient.connect(port)
    client.send(handshake())
    const exchange = await asked.promise
    client.send(text('too early'))
    await aborted.promise
    expect(exchange.upgrade('', [])).toBeNull()
    await client.rest()
    expect(client.received.toString()).not.toContain('101')
  })

  it('a long chunk at the end: what the peer does not take at once waits', async () => {
    const body = Buffer.from(Array.from({ length: 16 << 20 }, (_, i) => (i * 7) & 255))
    for (const later of [false, true]) {
      const { port } = await listen(await engineOf('uws'), (exchange) => {
        exchange.writeHead(200, [['Content-Length', String(body.length)]])
        if (later) setImmediate(() => exchange.end(body))
        else exchange.end(body)
      })
      const client = await RawClient.connect(port)
      client.send(head('GET'))
      expect((await client.response()).status).toBe(200)
      await client.until(() => client.length >= body.length)
      expect(client.received.equals(body)).toBe(true)
      // The connection is for more.
      client.received = Buffer.alloc(0)
      client.send(head('GET'))
      expect((await client.response()).status).toBe(200)
      client.reset()
    }
  })

  it('an exchange is upgraded once, answered once, and not both', async () => {
    const results: unknown[] = []
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      if (exchange.target === '/begun') {
        exchange.writeHead(200, [['Content-Length', '5']])
        results.push(exchange.upgrade('', []))
        exchange.end('begun')
      } else if (exchange.target === '/answered') {
        reply(exchange, 'first')
        results.push(exchange.done, exchange.upgrade('', []))
        exchange.end('second')
        exchange.abort()
      } else {
        const transport = exchange.upgrade('', [])
        transport?.setReceiver(new Ears())
        results.push(exchange.done, exchange.upgrade('', []))
        exchange.end('answer')
        exchange.abort()
        transport?.send('alive', 5, 1, true)
      }
    })
    expect(await ask(port, handshake('/answered'))).toMatchObject({ status: 200, body: 'first' })
    expect(await ask(port, handshake('/begun'))).toMatchObject({ status: 200, body: 'begun' })
    const client = await RawClient.open(port)
    expect((await client.frame()).payload.toString()).toBe('alive')
    expect(results).toEqual([true, null, null, true, null])
    client.destroy()
  })

  it('an upgrade of what is no handshake is null', async () => {
    const results: unknown[] = []
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      results.push(exchange.upgrade('', []))
      reply(exchange, 'no')
    })
    expect(await ask(port, head('GET'))).toMatchObject({ status: 200, body: 'no' })
    expect(await ask(port, head('POST', '/', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='))).toMatchObject({
      body: 'no',
    })
    expect(results).toEqual([null, null])
  })
})

describe('listeners', () => {
  it.each([-1, 65_536, 70_000, 1.5, NaN])('trap 51: port %s never reaches uWebSockets.js', async (port) => {
    const server = (await engineOf('uws')).createServer(
      {
        sharesPorts: false,
        maxHeader: 0,
        maxConnections: Infinity,
        maxRequests: 0,
        parseTimeout: 0,
        requestTimeout: 0,
        maxBody: 0,
        maxMessage: 0,
        publishLimit: 0,
        inactivity: Infinity,
        compression: false,
      },
      () => {},
    )
    await expect(server.listen({ name: '', host: '127.0.0.1', port, tls: null })).rejects.toThrow(RangeError)
    await server.close()
  })

  it('trap 51: times that uWebSockets.js would die of are nothing to it', async () => {
    for (const inactivity of ['1sec', '5secs', '17mins', '1day', 'never']) {
      const { port } = await serve(echo, { timeouts: { inactivity }, webSockets: { ping: inactivity } })
      const client = await RawClient.open(port)
      client.send(text('alive'))
      expect((await client.frame()).payload.toString()).toBe('alive')
      client.destroy()
    }
  })

  it('trap 51: sizes that it cannot be told are told differently', async () => {
    for (const size of ['1', '4GB', 'unlimited']) {
      const { port } = await serve(echo, { limits: { maxMessage: size, maxBackpressure: size, maxFrame: size } })
      const client = await RawClient.open(port)
      client.send(text('x'))
      expect((await client.frame()).payload.toString()).toBe('x')
      client.destroy()
    }
  })

  it('trap 52: a second server on a port is -28 with a sentence, and takes no connection', async () => {
    // A port that is given: the system's own choice is not shared by uWebSockets.js anyway.
    const port = await freePort()
    const config = configOn(port)
    const first = hostOf(config, echo)
    expect([await first.start(), first.error]).toEqual([0, null])
    const second = hostOf(config, () => {
      throw new Error('not mine')
    })
    expect(await second.start()).toBe(-28)
    expect(second.error).toMatch(new RegExp(`^Port ${port} is in use: .*--listen or in the config$`))
    expect(second.listening).toEqual([])
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.open(port)
      client.send(text('mine'))
      expect((await client.frame()).payload.toString()).toBe('mine')
      client.destroy()
    }
  })

  it.each([
    ['no.such.host.invalid:1', /^There is no host 'no\.such\.host\.invalid'/],
    ['192.0.2.1:0', /^This machine does not have that address/],
  ])('a listener that cannot be opened says why: %s', async (address, message) => {
    const host = hostOf({ web: { engine: 'uws', listen: address, routes: [] } })
    expect(await host.start()).toBe(-28)
    expect(host.error).toMatch(message)
  })

  it('limits.connections: connections that have gone make room, however they went', async () => {
    const ends: ((client: RawClient, ws: Parameters<typeof webSocketFree>[0]) => void)[] = [
      (client) => client.send(close(4000)),
      (client) => client.reset(),
      (client) => void client.socket.end(),
      (client) => client.send(frame({ opcode: 3 })),
      (_client, ws) => void webSocketSendClose(ws),
      (_client, ws) => webSocketFree(ws),
    ]
    let next = 0
    let gone = deferred()
    const { host, port } = await serve(
      async (web) => {
        const end = ends[next++ % ends.length]
        await webSocketRun(web.webSocket, (ws, event) => {
          if (event === WS_EVENT_MESSAGE) end?.(client, ws)
        })
        gone.resolve()
      },
      { limits: { connections: 2 } },
    )
    let client = await RawClient.open(port)
    for (let i = 0; i < 60; i++) {
      gone = deferred()
      client.send(text('go'))
      await gone.promise
      client.destroy()
      expect(host.connections).toBe(0)
      client = await RawClient.open(port)
    }
    // It still counts those that are there.
    const second = await RawClient.open(port)
    const third = await RawClient.connect(port)
    third.send(handshake())
    expect((await third.response()).status).toBe(503)
    await third.rest()
    client.destroy()
    second.destroy()
  })

  it('limits.connections: requests, refused connections and failed handshakes are counted once', async () => {
    const { port } = await serve((web) => (web.upgrade ? echo(web) : undefined), { limits: { connections: 2 } })
    const isServed = async (client: RawClient): Promise<boolean> => {
      client.send(handshake())
      await client.until(() => client.ended || client.received.length > 0)
      return client.received.toString().includes(' 101 ')
    }
    for (let round = 0; round < 3; round++) {
      const clients = [await RawClient.open(port), await RawClient.open(port)]
      for (let i = 0; i < 20; i++) {
        const client = await RawClient.connect(port)
        client.send(head('GET'))
        expect((await client.response()).status).toBe(503)
        await client.rest()
      }
      // Those that do not even ask are closed when they are far too many.
      const silent = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(port)))
      await Promise.race(silent.map((client) => client.rest()))
      for (const client of silent) client.destroy()
      for (const client of clients) client.destroy()
      // Who has gone is noticed in its turn.
      for (;;) {
        const client = await RawClient.connect(port)
        const served = await isServed(client)
        client.destroy()
        if (served) break
      }
      for (const request of [
        head('GET', '/', 'Connection: close'),
        head('GET'),
        handshake('/', { 'Sec-WebSocket-Key': 'x' }),
      ]) {
        for (;;) {
          const client = await RawClient.connect(port)
          client.send(request)
          await client.until(() => client.ended || client.received.length > 0)
          const served = !client.received.toString().includes(' 503 ')
          client.destroy()
          if (served) break
        }
      }
    }
  })
})

describe('requests', () => {
  it('trap 64: HEAD has the header of GET and no body, and the next request parses', async () => {
    const { port } = await listen(await engineOf('uws'), (exchange) =>
      exchange.method === 'HEAD' ? reply(exchange, 'x'.repeat(1234)) : reply(exchange, exchange.target),
    )
    const client = await RawClient.connect(port)
    // In one segment: what was read as a body would be seen.
    client.send(Buffer.concat([head('HEAD'), head('HEAD'), head('GET', '/next')]))
    for (let i = 0; i < 2; i++) {
      const { status, head: header } = await client.response()
      expect(status).toBe(200)
      expect(header.match(/content-length: .*/gi)).toEqual(['Content-Length: 1234'])
      expect(header).not.toMatch(/transfer-encoding/i)
    }
    expect(await answer(client)).toMatchObject({ status: 200, body: '/next' })
    expect(client.received.length).toBe(0)
    client.destroy()
  })

  it('trap 64: also over a host, of actions and files', async () => {
    writeFileSync(join(folder, 'file.txt'), 'x'.repeat(1234))
    const { port } = await serve((web) => webWriteResponse(web, 203, 'y'.repeat(999)), {
      documents: folder,
      routes: [
        { match: '/file.txt', handler: 'file' },
        { match: '/', handler: 'action' },
      ],
    })
    const client = await RawClient.connect(port)
    for (const [target, status, length] of [
      ['/file.txt', 200, 1234],
      ['/action', 203, 1000],
    ] as const) {
      client.send(head('HEAD', target))
      const { status: given, head: header } = await client.response()
      expect(given).toBe(status)
      expect(header).toMatch(new RegExp(`^Content-Length: ${length}$`, 'm'))
      client.send(head('GET', target))
      expect((await answer(client)).body.length).toBe(length)
    }
    client.destroy()
  })

  it.each(engines)('an answer without a body has an end (%s)', async (name) => {
    const { port } = await listen(await engineOf(name), (exchange) => {
      exchange.writeHead(exchange.target === '/204' ? 204 : 200, [])
      exchange.end()
    })
    for (const target of ['/204', '/200']) {
      const length = await new Promise<number>((resolve, reject) => {
        const request = httpRequest({ port, host: '127.0.0.1', path: target }, (response) => {
          let total = 0
          response.on('data', (chunk: Buffer) => (total += chunk.length))
          response.on('end', () => resolve(total))
        })
        request.on('error', reject)
        request.end()
      })
      expect(length).toBe(0)
    }
  })

  it('an answer of unknown length comes in chunks, with an end', async () => {
    const { port } = await listen(await engineOf('uws'), (exchange) => {
      exchange.writeHead(200, [['Content-Type', 'text/plain']])
      exchange.write('one ')
      exchange.write(Buffer.from('two '))
      setTimeout(() => exchange.end('three'))
    })
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect(response.headers.get('transfer-encoding')).toBe('chunked')
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(await response.text()).toBe('one two three')
  })

  const seenBy = async (name: EngineName, requests: readonly Buffer[]): Promise<unknown[]> => {
    const seen: unknown[] = []
    const { port } = await listen(await engineOf(name), (exchange) => {
      const { method, target, version, headers, remoteAddress, secure } = exchange
      seen.push({ method, target, version, headers: { ...headers }, remoteAddress, secure })
      reply(exchange, 'seen')
    })
    for (const request of requests) {
      const client = await RawClient.connect(port)
      client.send(request)
      await answer(client)
      client.destroy()
    }
    return seen
  }

  const SINGLE = [
    'Age',
    'Authorization',
    'Content-Type',
    'ETag',
    'Expires',
    'From',
    'If-Modified-Since',
    'If-Unmodified-Since',
    'Last-Modified',
    'Location',
    'Max-Forwards',
    'Proxy-Authorization',
    'Referer',
    'Retry-After',
    'Server',
    'User-Agent',
  ]
  const JOINED = [
    'Accept',
    'Accept-Language',
    'Cookie',
    'Date',
    'Origin',
    'Sec-WebSocket-Extensions',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Version',
    'Set-Cookie',
    'Via',
    'X-Forwarded-For',
    'X-Name',
  ]
  it.each<[string, Buffer]>([
    ...[...SINGLE, ...JOINED].map((name): [string, Buffer] => [
      `${name} three times`,
      head('GET', '/', `${name}: first`, 'X-Between: x', `${name.toLowerCase()}: second`, `${name.toUpperCase()}: 3`),
    ]),
    ['names that objects have', head('GET', '/', 'constructor: a', '__proto__: b', 'toString: c', 'constructor: d')],
    ['empty values, and spaces around values', head('GET', '/', 'X-Empty:', 'X-Space: \t a b \t', 'X-Empty: again')],
    ['a value that looks like a list', head('GET', '/', 'Accept: a, b', 'Accept: c;q=1')],
    ['a query', head('GET', '/a%20b/../c?q=1&x=%20?y#z')],
    ['an empty query', head('GET', '/?')],
    ['methods', head('DELETE')],
    ['a method with a hyphen', head('M-SEARCH')],
    ['PATCH', head('PATCH', '/', 'Content-Length: 0')],
    ['a body', Buffer.concat([head('POST', '/', 'Content-Length: 3'), Buffer.from('abc')])],
  ])('the same request is the same exchange on both engines: %s', async (_what, request) => {
    const [onNode, onUws] = [await seenBy('node', [request]), await seenBy('uws', [request])]
    expect(onNode.length).toBe(1)
    expect(onUws).toEqual(onNode)
  })

  it('a header value in UTF-8 is the same exchange on both engines', async () => {
    // Not at an end of the value: there uWebSockets.js loses such bytes, which no layer can bring back.
    const request = head('GET', '/', `X-Name: a ${Buffer.from('héé €').toString('latin1')} b`)
    expect(await seenBy('uws', [request])).toEqual(await seenBy('node', [request]))
  })

  it('methods keep their case: what is not GET is not served as GET', async () => {
    const { port } = await serve((web) => webWriteResponse(web, 200, '%s', web.method))
    expect(await ask(port, head('GET'))).toMatchObject({ status: 200, body: 'GET\n' })
    expect(await ask(port, head('POST'))).toMatchObject({ status: 200, body: 'POST\n' })
    for (const method of ['get', 'Post', 'DELETE', 'OPTIONS', 'NONSENSE']) {
      expect((await ask(port, head(method))).status).toBe(405)
    }
  })

  it('trap 70: a header of 6000 bytes works with 10K; above the limit it is 431 and the end of the connection', async () => {
    const { port } = await serve((web) => webWriteResponse(web, 200, '%d', webGetHeader(web, 'X-Long')?.length), {
      limits: { header: '10K' },
    })
    const long = (length: number): string => `X-Long: ${'x'.repeat(length)}`
    expect(await ask(port, head('GET', '/', long(6000)))).toMatchObject({ status: 200, body: '6000\n' })
    // Below the limit of the process, above that of the host.
    for (const size of [10_240, 20_000]) {
      const client = await RawClient.connect(port)
      client.send(head('GET', '/', long(size)))
      expect((await client.rest()).toString()).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/)
    }
    // Above what uWebSockets.js takes at all.
    const client = await RawClient.connect(port)
    client.send(head('GET', '/', long(30_000)))
    expect((await client.rest()).toString()).toMatch(/^HTTP\/1\.1 431 /)
    expect(await ask(port, head('GET', '/', long(6000)))).toMatchObject({ status: 200 })
  })

  it('trap 70: limits.header beyond what the engine takes is an error at the start that names it', async () => {
    const host = hostOf({ web: { engine: 'uws', listen: '127.0.0.1:0', limits: { header: '25K' }, routes: [] } })
    expect(await host.start()).toBe(-28)
    expect(host.error).toBe(
      "limits.header: the uws engine takes 24576 bytes at most: lower it, or set engine to 'node'",
    )
  })

  it('trap 70: a long handshake too', async () => {
    const { port } = await serve(echo, { limits: { header: '10K' } })
    const client = await RawClient.open(port, '/', { Cookie: 'c'.repeat(6000) })
    client.destroy()
    const long = await RawClient.connect(port)
    long.send(handshake('/', { Cookie: 'c'.repeat(11_000) }))
    expect((await long.rest()).toString()).toMatch(/^HTTP\/1\.1 431 /)
  })
})

describe('bodies', () => {
  const bodies = (web?: Parameters<typeof serveOn>[2]) =>
    serve(
      async (request) => {
        if (request.path === '/later') for (let i = 0; i < 5; i++) await turn()
        if (request.path === '/unread') return webWriteResponse(request, 200, 'unread')
        const body = await webReadBody(request)
        return webWriteResponse(
          request,
          200,
          '%s',
          body === null ? 'null' : `${body.length} ${body.toString('latin1', 0, 20)}`,
        )
      },
      { limits: { body: '50K' }, ...web },
    )
  const chunk = (data: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), Buffer.from(data), Buffer.from('\r\n')])
  const LAST = Buffer.from('0\r\n\r\n')

  it.each([
    ['with a length', head('POST', '/', 'Content-Length: 5'), [Buffer.from('hello')], '5 hello\n'],
    ['with length 0', head('POST', '/', 'Content-Length: 0'), [], '0 \n'],
    ['without any', head('POST'), [], '0 \n'],
    [
      'in pieces',
      head('POST', '/', 'Content-Length: 6'),
      ['p', 'iece', 's'].map((piece) => Buffer.from(piece)),
      '6 pieces\n',
    ],
    ['chunked', head('POST', '/', 'Transfer-Encoding: chunked'), [chunk('one '), chunk('two'), LAST], '7 one two\n'],
    ['chunked, empty', head('POST', '/', 'Transfer-Encoding: chunked'), [LAST], '0 \n'],
    [
      'of exactly the limit',
      head('POST', '/', 'Content-Length: 51200'),
      [Buffer.alloc(51_200, 'x')],
      `51200 ${'x'.repeat(20)}\n`,
    ],
    ['read after some turns', head('POST', '/later', 'Content-Length: 5'), [Buffer.from('hello')], '5 hello\n'],
    ['never read', head('POST', '/unread', 'Content-Length: 50000'), [Buffer.alloc(50_000)], 'unread\n'],
    ['never read, chunked', head('POST', '/unread', 'Transfer-Encoding: chunked'), [chunk('x'), LAST], 'unread\n'],
  ])('%s; the next request on the connection is served', async (_what, request, pieces, body) => {
    const { port } = await bodies()
    const client = await RawClient.connect(port)
    for (const atOnce of [true, false]) {
      if (atOnce) client.send(Buffer.concat([request, ...pieces]))
      else {
        client.send(request)
        for (const piece of pieces) {
          await turn()
          client.send(piece)
        }
      }
      expect(await answer(client)).toMatchObject({ status: 200, body })
      client.send(head('GET', '/unread'))
      expect(await answer(client)).toMatchObject({ status: 200, body: 'unread\n' })
    }
    client.destroy()
  })

  it.each([
    ['', head('POST', '/', 'Content-Length: 51201'), [Buffer.alloc(51_201, 'x')]],
    ['that nobody reads', head('POST', '/unread', 'Content-Length: 51201'), [Buffer.alloc(51_201, 'x')]],
    [
      'in chunks',
      head('POST', '/', 'Transfer-Encoding: chunked'),
      [chunk(Buffer.alloc(40_000)), chunk(Buffer.alloc(40_000)), LAST],
    ],
  ])('over the limit %s: 413, and the end of the connection', async (_what, request, pieces) => {
    const { port } = await bodies()
    const client = await RawClient.connect(port)
    client.send(Buffer.concat([request, ...pieces]))
    expect(await answer(client)).toMatchObject({ status: 413, body: 'Payload Too Large\n' })
    expect(await client.rest()).toEqual(Buffer.alloc(0))
  })

  it('Expect: 100-continue is told to go on, then answered', async () => {
    const { port } = await bodies()
    const client = await RawClient.connect(port)
    client.send(head('POST', '/', 'Content-Length: 5', 'Expect: 100-continue'))
    expect((await client.response()).status).toBe(100)
    client.send(Buffer.from('hello'))
    expect(await answer(client)).toMatchObject({ status: 200, body: '5 hello\n' })
    client.destroy()
  })

  it('a body over the limit is answered before all of it has come', async () => {
    const { port } = await bodies()
    for (const request of [
      head('POST', '/', `Content-Length: ${100 << 20}`),
      head('POST', '/', 'Transfer-Encoding: chunked'),
    ]) {
      const client = await RawClient.connect(port)
      client.send(Buffer.concat([request, chunk(Buffer.alloc(60_000))]))
      expect(await answer(client)).toMatchObject({ status: 413 })
      await client.rest()
    }
  })

  it.each(engines)('a body that is read twice, or by two, is the same (%s)', async (name) => {
    const { port } = await listen(await engineOf(name), (exchange) => {
      void Promise.all([exchange.readBody(100), exchange.readBody(100)]).then((both) =>
        reply(exchange, both.map(String).join(' ')),
      )
    })
    const client = await RawClient.connect(port)
    client.send(head('POST', '/', 'Content-Length: 5'))
    await turn()
    client.send(Buffer.from('hello'))
    expect(await answer(client)).toMatchObject({ body: 'hello hello' })
    client.destroy()
  })

  it.each([
    ['Content-Length: 100', (client: RawClient) => client.reset()],
    ['Content-Length: 100', (client: RawClient) => client.destroy()],
    ['Transfer-Encoding: chunked', (client: RawClient) => client.reset()],
    ['Content-Length: 100', (client: RawClient) => void client.socket.end()],
  ])('a body whose peer goes in the middle is null (%s)', async (header, go) => {
    const reading = deferred()
    const read = deferred<Buffer | null>()
    const { port } = await serve(async (web) => {
      const body = webReadBody(web)
      reading.resolve()
      read.resolve(await body)
      return webWriteResponse(web, 200, 'nobody hears')
    })
    const client = await RawClient.connect(port)
    client.send(head('POST', '/', header))
    client.send(chunk('part'))
    await reading.promise
    go(client)
    expect(await read.promise).toBeNull()
    client.destroy()
  })
})

describe('large answers', () => {
  const SIZE = 50 << 20
  let hash = ''
  beforeAll(() => {
    const file = join(folder, 'large.bin')
    writeFileSync(file, '')
    truncateSync(file, SIZE)
    const fd = openSync(file, 'r+')
    // Something to recognise, where pieces may meet.
    for (let at = 0; at < SIZE; at += 65_536 - 7)
      writeSync(fd, Buffer.from(`@${at}`), 0, undefined, Math.min(at, SIZE - 20))
    closeSync(fd)
    hash = createHash('sha256').update(readFileSync(file)).digest('hex')
  })
  const site = () =>
    serve(() => {}, { documents: folder, routes: [{ match: '/', handler: 'file' }], timeouts: { drain: 0.1 } })

  it('a file of 50 MB reaches a peer that reads slowly, complete; what waits is a few pieces', async () => {
    const { port } = await site()
    const socket = connect({ port, host: '127.0.0.1' })
    socket.pause()
    socket.write(head('GET', '/large.bin', 'Connection: close'))
    const digest = createHash('sha256')
    let header = ''
    let total = 0
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let most = 0
    let rest = 4 << 20
    await new Promise<void>((resolve) => {
      socket.on('data', (data: Buffer) => {
        let body = data
        if (!header.includes('\r\n\r\n')) {
          const at = data.indexOf('\r\n\r\n')
          header += data.toString('latin1', 0, at + 4)
          body = data.subarray(at + 4)
        }
        digest.update(body)
        total += body.length
        // Now and then the reader rests, long enough for a server that does not wait to read all of the file.
        if (total >= rest) {
          rest += 4 << 20
          socket.pause()
          setTimeout(() => {
            globalThis.gc?.()
            most = Math.max(most, process.memoryUsage().rss - before)
            socket.resume()
          }, 50)
        }
        if (total === SIZE) resolve()
      })
      socket.on('end', resolve)
      socket.resume()
    })
    expect(header).toContain(`Content-Length: ${SIZE}`)
    expect(total).toBe(SIZE)
    expect(digest.digest('hex')).toBe(hash)
    expect(most).toBeLessThan(30 << 20)
    socket.destroy()
  })

  it('a peer that goes in the middle lets go of the file', async () => {
    const { port } = await site()
    const isOpen = (): boolean =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(join('/proc/self/fd', fd)).endsWith('large.bin')
        } catch {
          return false
        }
      })
    for (const go of [(client: RawClient) => client.reset(), (client: RawClient) => client.destroy()]) {
      const client = await RawClient.connect(port)
      client.send(head('GET', '/large.bin'))
      await client.response()
      client.socket.pause()
      // Linux tells which files a process has open.
      if (process.platform === 'linux') while (!isOpen()) await turn()
      go(client)
      if (process.platform === 'linux') while (isOpen()) await turn()
    }
    expect(await ask(port, head('GET', '/nowhere'))).toMatchObject({ status: 404 })
  })

  /** An exchange of a server whose peer does not read. */
  async function unread(name: EngineName = 'uws'): Promise<{ client: RawClient; exchange: Exchange }> {
    const asked = deferred<Exchange>()
    const { port } = await listen(await engineOf(name), (exchange) => asked.resolve(exchange))
    const client = await RawClient.connect(port)
    client.socket.pause()
    client.send(head('GET', '/', 'Connection: close'))
    return { client, exchange: await asked.promise }
  }
  const PIECE = Buffer.alloc(1 << 20, 'piece')
  const bodyOf = (bytes: Buffer): Buffer => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)

  it.each(['later', 'inside it'])('write, wait for the drain, write %s: all of it arrives', async (when) => {
    const { client, exchange } = await unread()
    const count = 30
    exchange.writeHead(200, [['Content-Length', String(count * PIECE.length)]])
    let written = 0
    const more = (): void => {
      while (written < count) {
        written++
        if (exchange.write(PIECE)) continue
        if (written === count) exchange.end()
        else exchange.onDrain(() => void (when === 'later' ? setImmediate(more) : more()))
        return
      }
      exchange.end()
    }
    more()
    expect(written).toBeLessThan(count)
    const body = bodyOf(await collect(client))
    expect(body.length).toBe(count * PIECE.length)
    expect(createHash('sha256').update(body).digest('hex')).toBe(
      createHash('sha256')
        .update(Buffer.concat(Array.from({ length: count }, () => PIECE)))
        .digest('hex'),
    )
    expect(exchange.done).toBe(true)
  })

  it.each(['later', 'inside it'])('the same of an answer in chunks, %s', async (when) => {
    const { client, exchange } = await unread()
    const count = 30
    exchange.writeHead(200, [])
    let written = 0
    const more = (): void => {
      while (written < count) {
        written++
        if (exchange.write(PIECE)) continue
        exchange.onDrain(() => void (when === 'later' ? setImmediate(more) : more()))
        return
      }
      exchange.end()
    }
    more()
    expect(written).toBeLessThan(count)
    const body = bodyOf(await collect(client))
    const one = Buffer.concat([Buffer.from('100000\r\n'), PIECE, Buffer.from('\r\n')])
    const expected = Buffer.concat([...Array.from({ length: count }, () => one), Buffer.from('0\r\n\r\n')])
    expect(body.length).toBe(expected.length)
    expect(body.equals(expected)).toBe(true)
  })

  it('what is written although the peer does not read arrives in order', async () => {
    const { client, exchange } = await unread()
    const pieces = Array.from({ length: 20 }, (_, i) => Buffer.alloc(1_000_000, i))
    exchange.writeHead(200, [['Content-Length', String(pieces.length * 1_000_000)]])
    for (const piece of pieces) exchange.write(piece)
    exchange.end()
    expect(bodyOf(await collect(client)).equals(Buffer.concat(pieces))).toBe(true)
  })

  it.each([
    ['nothing waits', 1000],
    ['something waits', 20 << 20],
  ])('an answer shorter than it said ends the connection, also when %s', async (_what, size) => {
    const { client, exchange } = await unread()
    exchange.writeHead(200, [['Content-Length', String(size + 10)]])
    exchange.write(Buffer.alloc(size))
    exchange.end()
    const body = bodyOf(await collect(client))
    expect(body.length).toBeLessThan(size + 10)
    expect(exchange.done).toBe(true)
  })

  it('one whose peer goes in the middle is told once, and may be written to', async () => {
    const { client, exchange } = await unread()
    let aborts = 0
    const aborted = deferred()
    exchange.onAbort(() => {
      aborts++
      aborted.resolve()
    })
    exchange.writeHead(200, [['Content-Length', String(100 << 20)]])
    while (exchange.write(PIECE));
    let drains = 0
    exchange.onDrain(() => drains++)
    client.reset()
    await aborted.promise
    expect(exchange.done).toBe(true)
    expect(exchange.write(PIECE)).toBe(true)
    exchange.end(PIECE)
    exchange.abort()
    await turn()
    expect([aborts, drains]).toEqual([1, 0])
  })

  it('abort drops the connection without an answer, and tells who listens', async () => {
    const { client, exchange } = await unread()
    let aborts = 0
    exchange.onAbort(() => aborts++)
    exchange.abort()
    expect(await collect(client)).toEqual(Buffer.alloc(0))
    expect([aborts, exchange.done]).toEqual([1, true])
  })
})

describe('a part of an answer that its peer does not take at once', () => {
  it('arrives whole, though nothing is written behind it', async () => {
    const [written, gate] = [deferred(), deferred()]
    const size = 12 << 20
    const { port } = await serve(async (web) => {
      webWrite(web, Buffer.alloc(size, 'x'))
      written.resolve()
      await gate.promise
      return webFinalize(web)
    })
    const client = await RawClient.connect(port)
    client.socket.pause()
    client.send(head('GET'))
    await written.promise
    client.socket.resume()
    await client.until(() => client.length > size)
    gate.resolve()
    client.socket.destroy()
  })
})

describe('stop', () => {
  it('waits for the answer that is under way, and ends its connection behind it', async () => {
    const gate = deferred()
    const asked = deferred()
    const { host, port } = await serve(
      async (web) => {
        asked.resolve()
        await gate.promise
        return webWriteResponse(web, 200, 'in time')
      },
      { timeouts: { drain: '1min' } },
    )
    const client = await RawClient.connect(port)
    client.send(head('GET'))
    await asked.promise
    let stopped = false
    const stop = host.stop().then(() => (stopped = true))
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    // Longer than connections are given that have nothing to say.
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(stopped).toBe(false)
    gate.resolve()
    const given = (await client.rest()).toString()
    expect(given).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nin time\n$/)
    expect(given).toContain('\r\nConnection: close\r\n')
    await stop
  })

  it('ends an answer in chunks that was begun before as one ends, and its connection', async () => {
    const gate = deferred()
    const asked = deferred()
    const { host, port } = await serve(async (web) => {
      webWrite(web, 'first ')
      asked.resolve()
      await gate.promise
      webWrite(web, 'last')
      return webFinalize(web)
    })
    const client = await RawClient.connect(port)
    client.send(head('GET'))
    await asked.promise
    const stop = host.stop()
    gate.resolve()
    const given = (await client.rest()).toString()
    expect(given).toMatch(/\r\n\r\n6\r\nfirst \r\n4\r\nlast\r\n0\r\n\r\n$/)
    await stop
  })

  it('is quick when connections only wait for another request, or have none yet', async () => {
    const { host, port } = await serve(() => {}, { timeouts: { drain: '1min' } })
    const clients = [await RawClient.connect(port), await RawClient.connect(port), await RawClient.connect(port)]
    for (const method of ['GET', 'HEAD'] as const) {
      clients[0]!.send(head(method))
      await clients[0]!.response()
    }
    clients[1]!.send(head('GET').subarray(0, -4))
    const ends = clients.map((client) => client.rest())
    expect(await timed(host.stop())).toBeLessThan(3000)
    await Promise.all(ends)
  })

  it('is over when the last idle connection goes, and soon after the last Close', async () => {
    const idle = await serve(() => {}, { timeouts: { drain: '1min' } })
    const client = await RawClient.connect(idle.port)
    client.send(head('GET'))
    await client.response()
    const stopped = timed(idle.host.stop())
    client.destroy()
    expect(await stopped).toBeLessThan(900)
    const open = await serve(echo, { timeouts: { drain: '1min' } })
    const peer = await RawClient.open(open.port)
    expect(await timed(open.host.stop())).toBeLessThan(3000)
    expect(await peer.rest()).toEqual(closeReply(1001))
  })

  it('drops what has not ended when the time is up: requests are told', async () => {
    const told = deferred<Buffer | null>()
    const asked = { POST: deferred(), GET: deferred() }
    const { host, port } = await serve(
      async (web) => {
        const { method } = web
        if (method === 'GET' || method === 'POST') asked[method].resolve()
        if (method === 'POST') told.resolve(await webReadBody(web))
        await new Promise(() => {})
      },
      { timeouts: { drain: '100ms' } },
    )
    const [reading, thinking] = [await RawClient.connect(port), await RawClient.connect(port)]
    reading.send(head('POST', '/', 'Content-Length: 10'))
    thinking.send(head('GET'))
    await Promise.all([asked.GET.promise, asked.POST.promise])
    expect(await timed(host.stop())).toBeLessThan(2000)
    expect([await reading.rest(), await thinking.rest()]).toEqual([Buffer.alloc(0), Buffer.alloc(0)])
    expect(await told.promise).toBeNull()
  })

  it('frees the port at once, though connections that it has closed are not forgotten yet', async () => {
    const port = await freePort()
    const config = configOn(port)
    for (let i = 0; i < 3; i++) {
      const host = hostOf(config, echo)
      expect([await host.start(), host.error]).toEqual([0, null])
      const client = await RawClient.open(port)
      await host.stop()
      await client.rest()
    }
  })
})

/** A host on a port that is given. */
const configOn = (port: number): Config => ({
  web: {
    engine: 'uws',
    listen: `127.0.0.1:${port}`,
    timeouts: { drain: '100ms' },
    routes: [{ handler: 'action' }],
  },
})

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('TLS', () => {
  const tls = {
    certificate: join(import.meta.dirname, '../../support/tls/cert.pem'),
    key: join(import.meta.dirname, '../../support/tls/key.pem'),
  }
  const secure = (change: Partial<typeof tls> = {}, limits: NonNullable<Config['web']>['limits'] = {}): Config => ({
    web: {
      engine: 'uws',
      listen: ['https://127.0.0.1:0'],
      limits: { maxMessage: '64MB', ...limits },
      routes: [{ handler: 'action' }],
    },
    tls: { ...tls, ...change },
  })
  const ca = readFileSync(tls.certificate)

  /** Why a config cannot be served, as its user is told: when it is read, or when the host starts. */
  async function refusal(config: Config): Promise<string | null> {
    let host: Host
    try {
      host = hostOf(config)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return error.message
    }
    expect(await host.start()).toBe(-28)
    return host.error
  }

  /** A client of the ws package that notes what it hears. */
  function open(port: number | undefined): { client: WsClient; heard: (count: number) => Promise<Buffer[]> } {
    const client = new WsClient(`wss://127.0.0.1:${port}/`, { ca })
    const received: Buffer[] = []
    let wake = (): void => {}
    client.on('message', (data) => {
      if (Buffer.isBuffer(data)) received.push(data)
      wake()
    })
    const heard = async (count: number): Promise<Buffer[]> => {
      while (received.length < count) await new Promise<void>((resolve) => (wake = resolve))
      return received
    }
    return { client, heard }
  }

  it('text, 4 MB of binary, pings and Close over wss', async () => {
    const host = hostOf(secure(), echo)
    expect([await host.start(), host.error]).toEqual([0, null])
    expect(host.engine?.name).toBe('uws')
    expect(host.listening[0]?.url).toMatch(/^https:/)
    const { client, heard } = open(host.listening[0]?.port)
    await new Promise((resolve) => client.once('open', resolve))
    const big = Buffer.alloc(4 << 20, 'binary')
    for (let i = 0; i < 100; i++) client.send(`message ${i}`)
    client.send(big)
    const received = await heard(101)
    expect(received.slice(0, 100).map(String)).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`))
    expect(received[100]?.equals(big)).toBe(true)
    const pong = new Promise<Buffer>((resolve) => client.once('pong', resolve))
    client.ping('are you there')
    expect((await pong).toString()).toBe('are you there')
    const closed = new Promise<[number, string]>((resolve) =>
      client.once('close', (code, reason) => resolve([code, reason.toString()])),
    )
    client.close(4001, 'bye')
    expect(await closed).toEqual([4001, 'bye'])
  })

  it('requests know that they are secure, and plain text is not served', async () => {
    const seen: boolean[] = []
    const server = (await engineOf('uws')).createServer(
      {
        sharesPorts: false,
        maxHeader: 10_240,
        maxConnections: Infinity,
        maxRequests: 0,
        parseTimeout: 0,
        requestTimeout: 0,
        maxBody: 0,
        maxMessage: 0,
        publishLimit: Infinity,
        inactivity: Infinity,
        compression: false,
      },
      (exchange) => {
        seen.push(exchange.secure)
        exchange.upgrade('', [])?.close(4000, 'secure')
      },
    )
    const cert = readFileSync(tls.certificate)
    const key = readFileSync(tls.key)
    const port = await server.listen({
      name: '',
      host: '127.0.0.1',
      port: 0,
      tls: { certFile: tls.certificate, keyFile: tls.key, cert, key, ciphers: null, authority: null, verify: 'none' },
    })
    const { client } = open(port)
    expect(await new Promise((resolve) => client.once('close', resolve))).toBe(4000)
    const plain = await RawClient.connect(port)
    plain.send(handshake())
    expect((await plain.rest()).toString()).not.toContain('HTTP')
    expect(seen).toEqual([true])
    await server.close()
  })

  it('limits.connections counts secure connections that have gone', async () => {
    const host = hostOf(secure({}, { connections: 2 }), echo)
    expect(await host.start()).toBe(0)
    const port = host.listening[0]?.port
    for (let i = 0; i < 20; i++) {
      const { client } = open(port)
      await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject))
      client.close(4000)
      await new Promise((resolve) => client.once('close', resolve))
    }
  })

  it.each<[string, () => { privateKey: KeyObject }]>([
    ['of another kind', () => generateKeyPairSync('ed25519')],
    ['of the RSA kind', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['on the same curve', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ])('a key that does not belong to the certificate is an error at the start: %s', async (_what, generate) => {
    const key = join(folder, 'other.pem')
    writeFileSync(key, generate().privateKey.export({ type: 'pkcs8', format: 'pem' }))
    // It says which setting, not only what the library found.
    expect(await refusal(secure({ key }))).toMatch(/tls\.(key|certificate).*other\.pem/)
  })

  it.each(['certificate', 'key'] as const)('a %s that is none is an error at the start that names it', async (what) => {
    const file = join(folder, `${what}.txt`)
    writeFileSync(file, 'not in PEM')
    expect(await refusal(secure({ [what]: file }))).toContain(`tls.${what}`)
  })
})
