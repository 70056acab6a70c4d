import { describe, expect, it } from 'vitest'
import type { Web } from '../../include-types/web.ts'
import { webSocketGetProtocol } from '../../lib/websock/handle.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { byEngine } from '../support/differences.ts'
import { ACCEPT, handshake, RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'

const protocolEcho = (web: Web): Promise<number> =>
  webSocketRun(web.webSocket, (ws, event) => {
    if (event === 0) webSocketSendString(ws, String(webSocketGetProtocol(ws)))
  })

describe.each(engines)('the opening handshake on the %s engine', (engine) => {
  const ask = async (request: Buffer, web = {}): Promise<{ status: number; head: string; client: RawClient }> => {
    const { port } = await serve(engine, protocolEcho, web)
    const client = await RawClient.connect(port)
    client.send(request)
    return { ...(await client.response()), client }
  }

  it('is answered with 101 and the hash of the key', async () => {
    const { status, head } = await ask(handshake())
    expect(status).toBe(101)
    expect(head.split('\r\n').filter((line) => !line.startsWith('Date: '))).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      ...byEngine<string[]>(engine, 'headers of an answer', { node: [], uws: ['uWebSockets: 20'] }),
    ])
  })

  it.each([
    ['other cases of the tokens', { Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' }],
    ['an offered extension', { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }],
    ['an Origin of the same host', { Host: '192.0.2.1:81', Origin: 'http://192.0.2.1:81' }],
  ])('takes %s', async (_name, headers) => {
    const { status, head } = await ask(handshake('/', headers))
    expect(status).toBe(101)
    expect(head).not.toContain('Extensions')
  })

  it.each<[string, number, Record<string, string | null>, string?]>([
    ['version 8', 426, { 'Sec-WebSocket-Version': '8' }],
    ['version 14', 426, { 'Sec-WebSocket-Version': '14' }],
    ['no version', 426, { 'Sec-WebSocket-Version': null }],
    ['no key', 400, { 'Sec-WebSocket-Key': null }],
    ['a short key', 400, { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZQ==' }],
    ['a key that is no base64', 400, { 'Sec-WebSocket-Key': '??????????????????????==' }],
    ['two keys', 400, { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==' }],
    ['no Connection', 400, { Connection: null }],
    ['another Connection', 400, { Connection: 'keep-alive' }],
    ['no Host', 400, { Host: null }],
    ['POST', 405, {}, 'POST / HTTP/1.1'],
    ['HTTP/1.0', byEngine(engine, 'HTTP/1.0', { node: 400, uws: 505 }), {}, 'GET / HTTP/1.0'],
    ['a foreign Origin', 403, { Origin: 'http://evil.example' }],
    ['an opaque Origin', 403, { Origin: 'null' }],
  ])('websocket-run trap 57: refuses %s with %i', async (_name, expected, headers, first) => {
    const { status, head, client } = await ask(handshake('/', headers, first))
    expect(status).toBe(expected)
    if (expected === 426) expect(head).toContain('Sec-WebSocket-Version: 13')
    if (expected === 405) expect(head).toContain('Allow: GET')
    client.socket.end()
    await client.rest()
  })

  it.each<[string, string[] | string | null, string | null, string | number]>([
    ['"x, chat" of chat', 'chat', 'x, chat', 'chat'],
    ['"x" of chat', 'chat', 'x', 400],
    ['nothing of chat', 'chat', null, 'null'],
    ['"Chat" of chat', 'chat', 'Chat', 400],
    ['11 others of chat', 'chat', Array.from({ length: 11 }, (_, i) => `p${i}`).join(', '), 400],
    ['"chat" behind 10 others', 'chat', [...Array.from({ length: 10 }, (_, i) => `p${i}`), 'chat'].join(), 400],
    ['"b, a" of a and b', ['a', 'b'], 'b, a', 'b'],
    ['"x, y" where nothing is configured', null, 'x, y', 'x'],
  ])('websocket-run trap 58: sub-protocol, offered %s', async (_name, protocol, offered, expected) => {
    const { status, head, client } = await ask(handshake('/', { 'Sec-WebSocket-Protocol': offered }), {
      webSockets: { protocol },
    })
    expect(status).toBe(typeof expected === 'number' ? expected : 101)
    if (typeof expected === 'number') return
    expect((await client.frame()).payload.toString()).toBe(expected)
    if (expected === 'null') expect(head).not.toContain('Sec-WebSocket-Protocol')
    else expect(head).toContain(`Sec-WebSocket-Protocol: ${expected}`)
  })

  it('origins of a route are taken beside the own host', async () => {
    const web = { routes: [{ handler: 'action' as const, origins: ['https://app.example'] }] }
    expect((await ask(handshake('/', { Origin: 'https://app.example' }), web)).status).toBe(101)
    expect((await ask(handshake('/', { Origin: 'https://other.example' }), web)).status).toBe(403)
    const any = { routes: [{ handler: 'action' as const, origins: ['*'] }] }
    expect((await ask(handshake('/', { Origin: 'https://other.example' }), any)).status).toBe(101)
  })

  it('bytes that look like a smuggled header stay out of the answer', async () => {
    const { head } = await ask(handshake('/', { 'Sec-WebSocket-Protocol': 'a,b' }), { webSockets: { protocol: null } })
    expect(head).toContain('Sec-WebSocket-Protocol: a\r\n'.trim())
    expect(head.split('\r\n').length).toBe(byEngine(engine, 'headers of an answer', { node: 5, uws: 7 }))
  })
})
