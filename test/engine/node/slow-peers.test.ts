import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Config, Web, WebAction } from '../../../include-types/web.ts'
import { webFlush, webWrite, webWriteResponseString } from '../../../lib/web/reply.ts'
import { type Answered, ask, type Door, open, plain, untilStatus } from '../../support/door.ts'
import { handshake, type RawClient } from '../../support/raw.ts'

/** More than the kernel takes for a peer that reads nothing. */
const SIZE = 12 << 20
const PART = 1 << 18
const tlsFolder = join(import.meta.dirname, '../../support/tls')
const tls = { certificate: join(tlsFolder, 'cert.pem'), key: join(tlsFolder, 'key.pem') }

/** Milliseconds of exchange.ts, and of node's keepAliveTimeout; here time goes faster for sockets. */
const [READING, GOODBYE, KEEP_ALIVE] = [30_000, 5000, 5000]
/** Less so between requests: a test may take a moment, too. */
const scaled = (ms: number): number => ms / (isReading(ms) ? 30 : 8)
/** What sockets were told. */
const told: number[] = []
/** Over TLS it is a multiple: for each 64 KB that wait. */
const isReading = (ms: number): boolean => ms > 0 && ms % READING === 0
const waits = (): number => told.filter(isReading).length

let documents = ''
beforeAll(() => {
  documents = mkdtempSync(join(tmpdir(), 'fiberws-slow-'))
  writeFileSync(join(documents, 'large.bin'), '')
  truncateSync(join(documents, 'large.bin'), SIZE)
})
afterAll(() => rmSync(documents, { recursive: true }))

beforeEach(() => {
  told.length = flushed.length = 0
  // oxlint-disable-next-line typescript/unbound-method
  const { setTimeout: real } = Socket.prototype
  vi.spyOn(Socket.prototype, 'setTimeout').mockImplementation(function (this: Socket, ms, callback) {
    told.push(ms)
    // A TLS handshake has its own time.
    return real.call(this, !isReading(ms) && this instanceof TLSSocket ? ms : scaled(ms), callback)
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** What `webFlush` has told the action. */
const flushed: number[] = []
const actions: Record<string, WebAction> = {
  '/whole': (web: Web) => webWriteResponseString(web, 200, 'x'.repeat(SIZE - 1)),
  '/parts': async (web: Web) => {
    for (let sent = 0; sent < SIZE; sent += PART) {
      webWrite(web, Buffer.alloc(PART))
      const code = await webFlush(web)
      flushed.push(code)
      if (code !== 0) return
    }
  },
  // Its peer has read what there is, and waits.
  '/thinks': async (web: Web) => {
    webWrite(web, Buffer.alloc(SIZE))
    await webFlush(web)
    await sleep(scaled(READING) * 1.5)
    webWrite(web, 'thought')
  },
  '/late': async (web: Web) => {
    await sleep(scaled(READING) * 1.5)
    webWriteResponseString(web, 200, 'late')
  },
}
const serve = (web: Config['web'] = {}, more = {}): Promise<Door> => {
  const routes = [
    { match: '/files/', trim: '/files', documents },
    { match: '/', handler: 'action' as const, origins: ['http://page.test'] },
  ]
  return open('node', { routes, timeouts: { drain: 0.1 }, ...web }, { actions, ...more })
}

const requests: Readonly<Record<string, Buffer>> = {
  'a whole answer': plain('/whole'),
  'an answer in parts': plain('/parts'),
  'a file': plain('/files/large.bin'),
  'a file, for an upgrade': handshake('/files/large.bin'),
}

/** Reads on at its own pace, 64 KB in 20 ms, to the end. */
async function readSlowly(socket: Socket): Promise<{ length: number; ms: number }> {
  let [length, begin] = [0, 0]
  for await (const chunk of socket) {
    begin ||= performance.now()
    const more = Buffer.isBuffer(chunk) ? chunk.length : 0
    length += more
    await sleep((more / 65_536) * 20)
  }
  return { length, ms: performance.now() - begin }
}

describe('a peer that has a long answer to read', () => {
  it('is dropped when it reads nothing, and makes room', async () => {
    const dropped = Object.entries(requests).map(async ([name, request]) => {
      const door = await serve({ limits: { connections: 1 } })
      const client = await door.connect()
      client.socket.pause()
      const [before, begin] = [waits(), performance.now()]
      client.send(request)
      while (waits() === before) await sleep(1)
      // Nobody else gets in before.
      const { client: refused, status } = await door.get('/none')
      expect(status, name).toBe(503)
      refused.destroy()
      await untilStatus(404, async () => {
        await sleep(20)
        return door.get('/none')
      })
      expect(performance.now() - begin, name).toBeGreaterThan(scaled(READING) * 0.95)
    })
    await Promise.all(dropped)
    // The action that was writing has heard of it.
    expect(flushed.at(-1)).toBe(-14)
  })

  /** Over so many connections at once: they take longer than a peer may that reads nothing. */
  async function readAll(...answers: (readonly ['http' | 'https', Buffer])[]): Promise<void> {
    const read = async ([scheme, request]: readonly ['http' | 'https', Buffer]): Promise<void> => {
      const door = await serve({ listen: `${scheme}://127.0.0.1:0` }, scheme === 'https' ? { tls } : {})
      const at = { host: '127.0.0.1', port: door.port, rejectUnauthorized: false }
      const socket = scheme === 'https' ? connectTls(at) : new Socket().connect(at)
      socket.write(request)
      const { length, ms } = await readSlowly(socket)
      expect(length).toBeGreaterThan(SIZE)
      expect(ms).toBeGreaterThan(scaled(READING) * 2.5)
    }
    const warn = vi.spyOn(process, 'emitWarning')
    await Promise.all(answers.map(read))
    // Of listeners that nobody takes away.
    expect(warn).not.toHaveBeenCalled()
    expect(waits()).toBeGreaterThanOrEqual(answers.length)
  }
  const last = { Connection: 'close' }

  it('is served in full when it reads slowly', () =>
    readAll(
      ['http', plain('/whole', last)],
      ['http', plain('/parts', last)],
      ['http', plain('/files/large.bin', last)],
      ['https', plain('/parts', last)],
      ['https', plain('/files/large.bin', last)],
    ))

  // Over TLS node does not tell how much of a write has left.
  it('is served in full over TLS, too, when it reads slowly', () => readAll(['https', plain('/whole', last)]))
})

describe('behind a long answer', () => {
  /** A connection whose answer had to wait for its reader. */
  async function read(door: Door, request: Buffer): Promise<{ client: RawClient; whole: Answered }> {
    const client = await door.connect()
    client.socket.pause()
    const answer = ask(client, request)
    while (waits() === 0) await sleep(1)
    client.socket.resume()
    return { client, whole: await answer }
  }

  it('the connection is as it was: for a request that takes its time, and idle until keepAliveTimeout', async () => {
    const door = await serve()
    const { client, whole } = await read(door, plain('/whole'))
    expect([whole.status, whole.body.length]).toEqual([200, SIZE])
    expect((await ask(client, plain('/late'))).body).toBe('late\n')
    const [count, begin] = [told.length, performance.now()]
    expect((await ask(client, plain('/none'))).status).toBe(404)
    expect(await client.rest()).toEqual(Buffer.alloc(0))
    expect(performance.now() - begin).toBeGreaterThan(scaled(KEEP_ALIVE) * 0.95)
    expect(told.slice(count).filter((ms) => ms !== 0)).toEqual([expect.closeTo(KEEP_ALIVE, -4)])
  })

  it('and a WebSocket on the same connection has no such limit', async () => {
    const door = await serve({ webSockets: { protocol: null } }, { actions: { ...actions, '/': () => {} } })
    const { client } = await read(door, plain('/whole'))
    client.send(handshake('/late'))
    expect((await client.response()).status).toBe(101)
    expect(told.at(-1)).toBe(0)
  })

  it('a program may take longer than its peer may', async () => {
    const door = await serve()
    const { client } = await read(door, plain('/thinks'))
    await client.until(() => client.received.subarray(-40).includes('thought'))
    expect(client.ended).toBe(false)
  })
})

it('a refused handshake has a moment to read its answer and to go', async () => {
  const door = await serve({ limits: { connections: 1 } })
  const begin = performance.now()
  const refused = await door.knock('/whole', { Origin: 'http://evil.test' })
  expect(refused.status).toBe(403)
  expect(told.at(-1)).toBe(GOODBYE)
  expect((await door.get('/none')).status).toBe(503)
  await untilStatus(404, () => door.get('/none'))
  expect(performance.now() - begin).toBeGreaterThan(scaled(GOODBYE) * 0.95)
})
