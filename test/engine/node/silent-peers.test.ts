import { connect as connectTls } from 'node:tls'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, type Door, open, plain, untilStatus } from '../../support/door.ts'
import { RawClient } from '../../support/raw.ts'

const folder = join(import.meta.dirname, '../../support/tls')
const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
/** `timeouts.parse`; node looks once a second. */
const PARSE = 1000
const timeouts = { parse: '1 sec', drain: 0.1 }

/** A connection past its TLS handshake. */
const encrypted = (port: number): Promise<RawClient> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    const client = new RawClient(socket)
    socket.once('error', reject)
    socket.once('secureConnect', () => resolve(client))
  })

/** One byte after the other, for as long as somebody takes them. */
const drip = (client: RawClient, bytes: string): void => {
  let at = 0
  const timer = setInterval(() => {
    if (client.ended || at === bytes.length) clearInterval(timer)
    else client.send(bytes.charAt(at++))
  }, 50)
}
const HEADER = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(1000)}\r\n\r\n`
/** The first bytes of a ClientHello. */
const HELLO = Buffer.from('16030102000100', 'hex')

type Ways = Readonly<Record<string, (client: RawClient) => void>>
const ways: Ways = {
  'says nothing': () => {},
  'stops in the request line': (client) => client.send('GET / HT'),
  'stops behind a field': (client) => client.send('GET / HTTP/1.1\r\nHost: localhost\r\n'),
  'drips a header': (client) => drip(client, HEADER),
}

/** What each of these peers was sent until TCP ended, and after how many milliseconds that was. */
async function cut(door: Door, peers: Ways, connect: (port: number) => Promise<RawClient>) {
  return Promise.all(
    Object.entries(peers).map(async ([name, way]) => {
      const begin = performance.now()
      const client = await connect(door.port)
      way(client)
      const answer = String(await client.rest().catch(() => client.received))
      return { name, answer, ms: performance.now() - begin }
    }),
  )
}

describe('a peer that does not get on with its request', () => {
  it('is cut, and makes room for others', async () => {
    const count = Object.keys(ways).length + 1
    const door = await open('node', { timeouts, limits: { connections: count } })
    const served = await door.get()
    const all = cut(door, ways, (port) => RawClient.connect(port))
    expect((await untilStatus(503, () => door.get())).body).toBe('Too many connections\n')
    for (const { name, answer, ms } of await all) {
      expect(answer, name).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
      expect(ms, name).toBeGreaterThan(PARSE * 0.95)
    }
    // Who has had an answer may be silent for longer; there is room for as many others as there were.
    const clients = await Promise.all(Array.from({ length: count - 1 }, () => door.connect()))
    for (const client of [served.client, ...clients]) expect((await ask(client, plain())).status).toBe(200)
    expect((await door.get()).status).toBe(503)
  })

  it('the same over TLS, and in its handshake; a connection is counted once', async () => {
    const early: Ways = {
      'says nothing': () => {},
      'stops in the TLS handshake': (client) => client.send(HELLO),
      'drips a ClientHello': (client) => drip(client, HELLO.toString('latin1') + 'x'.repeat(500)),
    }
    const count = Object.keys({ ...ways, ...early }).length + 1
    const door = await open(
      'node',
      { listen: 'https://127.0.0.1:0', timeouts, limits: { connections: count } },
      { tls },
    )
    const get = async () => ask(await encrypted(door.port), plain())
    const [late, soon] = [cut(door, ways, encrypted), cut(door, early, (port) => RawClient.connect(port))]
    const full = await untilStatus(503, get)
    full.client.destroy()
    for (const { name, answer, ms } of [...(await late), ...(await soon)]) {
      expect(answer, name).not.toContain('200 OK')
      expect(ms, name).toBeGreaterThan(PARSE * 0.95)
    }
    const clients = await Promise.all(Array.from({ length: count }, () => encrypted(door.port)))
    for (const client of clients) expect((await ask(client, plain())).status).toBe(200)
    expect((await get()).status).toBe(503)
    for (const client of clients) client.destroy()
  })
})
