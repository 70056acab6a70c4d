import { describe, expect, it } from 'vitest'
import type { UrlWebSocketOptions } from '../../../include-types/client.ts'
import { urlWebSocketOpen } from '../../../lib/standalone.ts'
import { webSocketFree } from '../../../lib/websock/close.ts'
import { webSocketGetClientKey } from '../../../lib/websock/handle.ts'
import { type RawRequest, RawServer } from '../../support/raw-server.ts'
import { client } from '../../support/url-client.ts'

/** What the server reads when a client connects. */
async function requestOf(
  url: (port: number) => string,
  options?: UrlWebSocketOptions,
): Promise<RawRequest & { port: number; clientKey: string | null }> {
  const server = await RawServer.listen()
  const opening = urlWebSocketOpen(url(server.port), options)
  // Where no request comes, why is what the test should say.
  const peer = await Promise.race([server.next(), opening.then(() => Promise.reject(new Error('no request')))])
  const request = await peer.accept(
    options?.protocols === undefined ? {} : { 'Sec-WebSocket-Protocol': [options.protocols].flat()[0] ?? null },
  )
  // Nothing but the request was sent: a client that has nothing to say says nothing.
  expect(peer.received.length).toBe(0)
  const ws = await opening
  const clientKey = webSocketGetClientKey(ws)
  webSocketFree(ws)
  await peer.until(() => peer.ended)
  return { ...request, port: server.port, clientKey }
}

const sorted = (lines: readonly string[]): string[] => lines.toSorted()

describe('the request', () => {
  it('is RFC 6455 §4.1, and no more', async () => {
    const { lines, port, key, clientKey } = await requestOf((at) => `ws://127.0.0.1:${at}/a/b?c=d%20e&f`)
    expect(lines[0]).toBe('GET /a/b?c=d%20e&f HTTP/1.1')
    expect(sorted(lines.slice(1))).toEqual(
      sorted([
        `Host: 127.0.0.1:${port}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${key}`,
      ]),
    )
    expect(clientKey).toBe(key)
  })

  it('with everything that may be asked for', async () => {
    const { lines, port, key } = await requestOf((at) => `ws://us%C3%A4r:w%3Ard@127.0.0.1:${at}`, {
      headers: 'X-A: 1\r\nX-B: ä\r\nX-A: 2',
      protocols: ['v2.chat', 'chat'],
      origin: 'https://example.org',
    })
    expect(lines[0]).toBe('GET / HTTP/1.1')
    expect(sorted(lines.slice(1))).toEqual(
      sorted([
        `Host: 127.0.0.1:${port}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${key}`,
        'Sec-WebSocket-Protocol: v2.chat, chat',
        'X-A: 1',
        'X-B: ä',
        'X-A: 2',
        `Authorization: Basic ${Buffer.from('usär:w:rd').toString('base64')}`,
        'Origin: https://example.org',
      ]),
    )
  })

  it('a key is 16 bytes in base64, another each time', async () => {
    const server = await RawServer.listen()
    const keys = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const journal = client(server.url)
      const peer = await server.next()
      const { key } = await peer.request()
      peer.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      await journal.result
      expect(key).toMatch(/^[A-Za-z0-9+/]{21}[AQgw]==$/)
      expect(Buffer.from(key, 'base64').length).toBe(16)
      keys.add(key)
    }
    expect(keys.size).toBe(20)
  })

  it('one sub-protocol as text', async () => {
    const { all } = await requestOf((at) => `ws://127.0.0.1:${at}/`, { protocols: 'chat' })
    expect(all('Sec-WebSocket-Protocol')).toEqual(['chat'])
  })

  it.each([
    ['localhost', 'localhost'],
    ['LOCALHOST', 'localhost'],
    ['127.1', '127.0.0.1'],
  ])('Host of %s', async (host, expected) => {
    const { all, port } = await requestOf((at) => `ws://${host}:${at}/`)
    expect(all('Host')).toEqual([`${expected}:${port}`])
  })

  it('Host of an IPv6 address', async () => {
    const server = await RawServer.listen('::1')
    const journal = client(`ws://[::1]:${server.port}/`)
    const peer = await server.next()
    expect((await peer.request()).all('Host')).toEqual([`[::1]:${server.port}`])
    peer.reset()
    await journal.result
  })

  // Names may be written in any case (RFC 9110 §5.1): a second spelling is a second line, not another value.
  it('a field that comes twice in different case is sent twice', async () => {
    const { all } = await requestOf((at) => `ws://127.0.0.1:${at}/`, { headers: 'X-A: 1\r\nx-a: 2\r\nX-A: 3' })
    expect(all('X-A').toSorted()).toEqual(['1', '2', '3'])
  })

  it("the caller's Host is the only one", async () => {
    const { all } = await requestOf((at) => `ws://127.0.0.1:${at}/`, { headers: { Host: 'other.example:81' } })
    expect(all('Host')).toEqual(['other.example:81'])
  })

  it('a name that is special to JavaScript is a name', async () => {
    const { lines } = await requestOf((at) => `ws://127.0.0.1:${at}/`, {
      headers: '__proto__: 1\r\nconstructor: 2\r\ntoString: 3',
    })
    expect(lines).toEqual(expect.arrayContaining(['__proto__: 1', 'constructor: 2', 'toString: 3']))
  })

  it('headers as the fourth argument of urlWebSocket', async () => {
    const server = await RawServer.listen()
    const journal = client(server.url, 'X-A: 1\r\nX-B: 2')
    const peer = await server.next()
    const { lines } = await peer.request()
    expect(lines).toEqual(expect.arrayContaining(['X-A: 1', 'X-B: 2']))
    peer.reset()
    await journal.result
  })
})
