import http from 'node:http'
import https from 'node:https'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UrlWebSocketOptions } from '../../../include-types/client.ts'
import { open } from '../../../lib/websock/client/open.ts'
import { webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_BAD_RESPONSE,
  R_ERR_CANT_COMPLETE,
  R_ERR_CANT_CONNECT,
  R_ERR_TIMEOUT,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../../lib/websock/constants.ts'
import { webSocketSendString } from '../../../lib/websock/send.ts'
import { closeReply, reply } from '../../support/frames.ts'
import { Proxy } from '../../support/proxy.ts'
import { closedPort, RawServer } from '../../support/raw-server.ts'
import { cert as ca, tlsServer } from '../../support/tls-server.ts'
import { client, clockedSide, refusal, settle } from '../../support/url-client.ts'

const NAMES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()])
const before = NAMES.map((name) => [name, process.env[name]] as const)
const clear = (): void => {
  for (const name of NAMES) delete process.env[name]
}
beforeEach(clear)
afterEach(() => {
  clear()
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value
})

/** Milliseconds for what may not wait for ever: a test that fails should say so soon. */
const SOON = 3000

/** A connection to a server without TLS that says one thing and ends; what the server was asked. */
async function plain(options?: UrlWebSocketOptions, host = '127.0.0.1'): Promise<readonly string[]> {
  const server = await RawServer.listen()
  const journal = client(`ws://${host}:${server.port}/path`, options)
  const peer = await server.next()
  const { lines } = await peer.accept({}, Buffer.concat([reply({ opcode: 1, payload: 'early' }), closeReply(1000)]))
  expect((await peer.frame()).opcode).toBe(8)
  peer.socket.end()
  expect(await journal.result).toBe(0)
  expect(journal.texts).toEqual(['early'])
  await peer.until(() => peer.closed)
  return lines
}

/** The same with TLS: a message there and back. */
async function secure(url: string, options: UrlWebSocketOptions = {}): Promise<number> {
  const journal = client(url, { tls: { ca }, ...options }, (ws, event) => {
    if (event === WS_EVENT_OPEN) webSocketSendString(ws, 'hello')
    if (event === WS_EVENT_MESSAGE) webSocketSendClose(ws)
  })
  const result = await journal.result
  if (result === 0) expect(journal.texts).toEqual(['hello'])
  return result
}

describe('the proxy of the environment', () => {
  it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])('%s makes a tunnel for ws', async (name) => {
    const proxy = await Proxy.listen()
    process.env[name] = proxy.url
    const lines = await plain()
    expect(proxy.targets).toEqual([expect.stringMatching(/^CONNECT 127\.0\.0\.1:\d+ HTTP\/1\.1$/)])
    // In the tunnel it is as if there were no proxy.
    expect(lines[0]).toBe('GET /path HTTP/1.1')
    expect(lines.join('\n').toLowerCase()).not.toContain('proxy')
    await proxy.peers[0]?.until(() => proxy.peers[0]?.closed)
  })

  it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'])('%s makes a tunnel for wss', async (name) => {
    const proxy = await Proxy.listen()
    const { port, sockets } = await tlsServer()
    process.env[name] = proxy.url
    expect(await secure(`wss://localhost:${port}/`)).toBe(0)
    expect(proxy.targets).toEqual([`CONNECT localhost:${port} HTTP/1.1`])
    expect(sockets.map(({ servername }) => servername)).toEqual(['localhost'])
    expect(await secure(`wss://127.0.0.1:${port}/`)).toBe(0)
    expect(proxy.targets[1]).toBe(`CONNECT 127.0.0.1:${port} HTTP/1.1`)
  })

  it('is named without http:// too', async () => {
    const proxy = await Proxy.listen()
    process.env['HTTP_PROXY'] = `127.0.0.1:${proxy.port}`
    await plain()
    expect(proxy.requests.length).toBe(1)
  })

  it('each scheme has its own', async () => {
    const { port } = await tlsServer()
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${await closedPort()}`
    await plain()
    clear()
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${await closedPort()}`
    expect(await secure(`wss://localhost:${port}/`)).toBe(0)
  })

  it('empty is none', async () => {
    process.env['HTTP_PROXY'] = ''
    process.env['http_proxy'] = ''
    await plain()
  })

  it.each([
    ['*', 'a'],
    ['127.0.0.1', 'the address'],
    ['example.org, 127.0.0.1', 'in a list'],
  ])('NO_PROXY %s: %s', async (value) => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${await closedPort()}`
    process.env['NO_PROXY'] = value
    await plain()
  })

  it('NO_PROXY of others changes nothing', async () => {
    const proxy = await Proxy.listen()
    process.env['HTTP_PROXY'] = proxy.url
    process.env['NO_PROXY'] = 'example.org,127.0.0.1:1'
    await plain()
    expect(proxy.requests.length).toBe(1)
  })

  it('is read anew for each connection', async () => {
    const proxy = await Proxy.listen()
    await plain()
    process.env['HTTP_PROXY'] = proxy.url
    await plain()
    clear()
    await plain()
    expect(proxy.requests.length).toBe(1)
  })

  it('NO_PROXY alone names none', async () => {
    process.env['NO_PROXY'] = 'example.org'
    await plain()
  })
})

describe('credentials', () => {
  it('of the proxy go to the proxy, those of the server to the server', async () => {
    const proxy = await Proxy.listen()
    process.env['HTTP_PROXY'] = proxy.url.replace('//', '//us%C3%A4r:w%40rd@')
    const lines = await plain({ headers: { Authorization: 'Bearer t0ken' } })
    const basic = `Basic ${Buffer.from('usär:w@rd').toString('base64')}`
    expect(proxy.requests[0]?.all('Proxy-Authorization')).toEqual([basic])
    expect(proxy.requests[0]?.all('Authorization')).toEqual([])
    expect(lines).toContain('Authorization: Bearer t0ken')
    expect(lines.join('\n')).not.toContain(basic)
  })

  it.each(['ws', 'wss'])('407 for %s: a refusal, and the request is kept to ourselves', async (scheme) => {
    const proxy = await Proxy.listen((peer) =>
      peer.send(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nwho?',
      ),
    )
    process.env['ALL_PROXY'] = proxy.url
    const error = await refusal(`${scheme}://user:geheim@somewhere.invalid/`, { headers: 'X-Token: t0ken' })
    expect(error).toMatchObject({ code: R_ERR_BAD_RESPONSE, status: 407 })
    expect(error.headers['proxy-authenticate']).toBe('Basic')
    const [peer] = proxy.peers
    await peer?.until(() => peer.ended)
    expect(peer?.length).toBe(0)
    expect(proxy.requests[0]?.lines.join('\n')).not.toMatch(/t0ken|Authorization/)
  })

  it('no secret in a message', async () => {
    for (const value of [
      `http://user:geheim@127.0.0.1:${await closedPort()}`,
      'http://user:geheim@',
      'http://user:geheim@127.0.0.1:99999',
      'http://user:geheim@proxy.invalid',
    ]) {
      process.env['HTTP_PROXY'] = value
      const error = await refusal('ws://somewhere.invalid/')
      expect(error.code).toBe(R_ERR_CANT_CONNECT)
      expect(`${error.message} ${error.stack}`).not.toContain('geheim')
    }
  })
})

describe('a proxy that does not do its work', () => {
  it('nobody listens: -22, with the address of the proxy', async () => {
    const port = await closedPort()
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${port}`
    const error = await refusal('ws://somewhere.invalid/')
    expect(error.code).toBe(R_ERR_CANT_CONNECT)
    expect(error.message).toContain(`127.0.0.1:${port}`)
  })

  it.each<[string, (peer: { socket: { end(): unknown; resetAndDestroy(): unknown } }) => unknown]>([
    ['ends', ({ socket }) => socket.end()],
    ['resets', ({ socket }) => socket.resetAndDestroy()],
  ])('it %s: -22', async (_name, dies) => {
    const proxy = await Proxy.listen((peer) => void dies(peer))
    process.env['HTTP_PROXY'] = proxy.url
    expect(await client('ws://somewhere.invalid/').result).toBe(R_ERR_CANT_CONNECT)
    expect((await refusal('ws://somewhere.invalid/')).message).not.toBe('')
  })

  it('502: a refusal', async () => {
    const proxy = await Proxy.listen((peer) => peer.send('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'))
    process.env['HTTP_PROXY'] = proxy.url
    expect(await refusal('ws://somewhere.invalid/')).toMatchObject({ code: R_ERR_BAD_RESPONSE, status: 502 })
  })

  it.each(['', 'HTTP/1.1 200 Connec'])(
    'it stops at "%s", and the attempt is aborted: -21, and it is let go',
    { timeout: SOON },
    async (said) => {
      const controller = new AbortController()
      const proxy = await Proxy.listen((peer) => {
        peer.send(said)
        void settle().then(() => controller.abort())
      })
      process.env['HTTP_PROXY'] = proxy.url
      const { signal } = controller
      expect((await refusal('ws://somewhere.invalid/', { signal })).code).toBe(R_ERR_CANT_COMPLETE)
      const [peer] = proxy.peers
      await peer?.until(() => peer.ended)
    },
  )

  it('it stops: -38 after handshakeTimeout, and it is let go', { timeout: SOON }, async () => {
    const side = clockedSide()
    const proxy = await Proxy.listen(() => side.clock.advance(10_000))
    process.env['HTTP_PROXY'] = proxy.url
    expect(await open(side, 'ws://somewhere.invalid/', {})).toMatchObject({ code: R_ERR_TIMEOUT })
    const [peer] = proxy.peers
    await peer?.until(() => peer.ended)
  })

  it('it makes a tunnel in which nobody answers: -38, and both are let go', async () => {
    const side = clockedSide()
    const server = await RawServer.listen()
    const proxy = await Proxy.listen()
    process.env['HTTP_PROXY'] = proxy.url
    const opening = open(side, server.url, {})
    const peer = await server.next()
    await peer.request()
    side.clock.advance(10_000)
    expect(await opening).toMatchObject({ code: R_ERR_TIMEOUT })
    await peer.until(() => peer.ended)
    await proxy.peers[0]?.until(() => proxy.peers[0]?.ended)
  })

  // ALL_PROXY is where SOCKS proxies are named: they would not understand CONNECT, and it carries the password.
  it('a proxy of another kind is refused by its name', { timeout: SOON }, async () => {
    const server = await RawServer.listen()
    process.env['ALL_PROXY'] = `socks5://user:geheim@127.0.0.1:${server.port}`
    const error = await refusal('ws://somewhere.invalid/', { handshakeTimeout: 200 })
    expect(error.code).toBe(R_ERR_CANT_CONNECT)
    expect(error.message).toMatch(/socks5/)
    expect(error.message).not.toContain('geheim')
    expect(server.count).toBe(0)
  })
})

describe('TLS in the tunnel', () => {
  it('a certificate for another name is refused', async () => {
    const { port } = await tlsServer()
    const proxy = await Proxy.listen(null, port)
    process.env['HTTPS_PROXY'] = proxy.url
    expect(await secure('wss://other.example/')).toBe(R_ERR_CANT_CONNECT)
    expect(proxy.targets).toEqual(['CONNECT other.example:443 HTTP/1.1'])
  })

  // Whoever has a certificate for the proxy's own name could be any address otherwise.
  it.each(['localhost', '127.0.0.1'])('an address is checked, not the name of the proxy: %s', async (host) => {
    const { port } = await tlsServer()
    const proxy = await Proxy.listen(null, port)
    process.env['HTTPS_PROXY'] = `http://${host}:${proxy.port}`
    expect(await secure('wss://192.0.2.1/')).toBe(R_ERR_CANT_CONNECT)
    expect(proxy.targets).toEqual(['CONNECT 192.0.2.1:443 HTTP/1.1'])
  })

  it('the options of TLS are those of the server', async () => {
    const { port, sockets } = await tlsServer()
    const proxy = await Proxy.listen(null, port)
    process.env['HTTPS_PROXY'] = proxy.url
    expect(await secure('wss://other.example/', { tls: { ca, servername: 'localhost' } })).toBe(0)
    expect(await secure('wss://other.example/', { tls: { rejectUnauthorized: false } })).toBe(0)
    expect(await secure('wss://localhost/', { tls: {} })).toBe(R_ERR_CANT_CONNECT)
    expect(sockets[0]?.servername).toBe('localhost')
  })
})

describe('the agent option', () => {
  it('wins over the environment', async () => {
    process.env['ALL_PROXY'] = `http://127.0.0.1:${await closedPort()}`
    const { port } = await tlsServer()
    await plain({ agent: new http.Agent() })
    expect(await secure(`wss://localhost:${port}/`, { agent: new https.Agent() })).toBe(0)
  })

  it('makes the connection', async () => {
    const server = await RawServer.listen()
    const agent = new http.Agent({
      lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    })
    const journal = client(`ws://somewhere.invalid:${server.port}/`, { agent })
    const peer = await server.next()
    const { all } = await peer.accept({}, closeReply(1000))
    expect(all('Host')).toEqual([`somewhere.invalid:${server.port}`])
    await peer.frame()
    peer.socket.end()
    expect(await journal.result).toBe(0)
  })

  it('that keeps connections does not keep ours', async () => {
    const agent = new http.Agent({ keepAlive: true })
    await plain({ agent })
    expect(Object.keys(agent.sockets)).toEqual([])
    expect(Object.keys(agent.freeSockets)).toEqual([])
    agent.destroy()
  })

  it('for another scheme fails without throwing', async () => {
    const server = await RawServer.listen()
    const error = await refusal(server.url, { agent: new https.Agent() })
    expect(error.code).toBeLessThan(0)
    expect(error.message).toContain('http:')
    expect(server.count).toBe(0)
  })
})
