import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Web } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import {
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_PARTIAL_MESSAGE,
} from '../../lib/websock/constants.ts'
import { webWriteResponse } from '../../lib/web/reply.ts'
import { webGetHeader, webGetQueryVar, webReadBody } from '../../lib/web/web.ts'
import { byEngine } from '../support/differences.ts'
import { cont, ping, text } from '../support/frames.ts'
import { Journal } from '../support/journal.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines, serve, start } from '../support/server.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-'))
  const site = join(folder, 'site')
  mkdirSync(join(site, 'sub dir', '.well-known'), { recursive: true })
  writeFileSync(join(site, 'index.html'), '<p>home</p>')
  writeFileSync(join(site, 'sub dir', 'index.html'), '<p>sub</p>')
  writeFileSync(join(site, 'sub dir', '.well-known', 'x.txt'), 'known')
  writeFileSync(join(site, 'data.BIN'), Buffer.alloc(300_000, 7))
  writeFileSync(join(site, 'empty.txt'), '')
  writeFileSync(join(site, '.env'), 'SECRET=1')
  writeFileSync(join(folder, 'outside.txt'), 'outside')
  symlinkSync(join(folder, 'outside.txt'), join(site, 'link.txt'))
  symlinkSync(join(site, 'index.html'), join(site, 'inside.html'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A request whose connection ends with the answer. */
async function fetchRaw(
  port: number,
  method: string,
  target: string,
  more = '',
): Promise<{ status: number; head: string; body: Buffer }> {
  const client = await RawClient.connect(port)
  client.send(Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`))
  const { status, head } = await client.response()
  return { status, head, body: await client.rest() }
}

describe.each(engines)('a host on the %s engine', (engine) => {
  const site = () =>
    serve(engine, () => {}, {
      documents: join(folder, 'site'),
      routes: [
        { match: '/none/', handler: 'action' },
        { match: '/', handler: 'file' },
      ],
    })

  it('serves files with their type, and HEAD without a body (trap 64)', async () => {
    const { port } = await site()
    const home = await fetchRaw(port, 'GET', '/')
    expect(home.status).toBe(200)
    expect(home.body.toString()).toBe('<p>home</p>')
    expect(home.head).toContain('Content-Type: text/html; charset=utf-8')
    const big = await fetchRaw(port, 'GET', '/data.BIN')
    expect(big.body.equals(Buffer.alloc(300_000, 7))).toBe(true)
    expect(big.head).toContain('Content-Type: application/octet-stream')
    const head = await fetchRaw(port, 'HEAD', '/data.BIN')
    expect(head.head).toContain('Content-Length: 300000')
    expect(head.body.length).toBe(0)
    expect((await fetchRaw(port, 'GET', '/empty.txt')).body.length).toBe(0)
    expect((await fetchRaw(port, 'GET', '/sub%20dir/.well-known/x.txt')).body.toString()).toBe('known')
    expect((await fetchRaw(port, 'GET', '/inside.html')).status).toBe(200)
  })

  it('HEAD and the next request on one connection (trap 64)', async () => {
    const { port } = await site()
    const client = await RawClient.connect(port)
    const [first, second] = ['HEAD / HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n']
    const atOnce = byEngine(engine, 'request before the last was answered', { node: true, uws: false })
    client.send(Buffer.from(atOnce ? first + second : first))
    expect((await client.response()).status).toBe(200)
    if (!atOnce) client.send(Buffer.from(second))
    expect((await client.response()).status).toBe(404)
  })

  it('trap 67: a folder without slash is a redirect that keeps the query', async () => {
    const { port } = await site()
    const { status, head } = await fetchRaw(port, 'GET', '/sub%20dir?q=1')
    expect(status).toBe(301)
    expect(head).toContain('Location: ./sub%20dir/?q=1')
    expect((await fetchRaw(port, 'GET', '/sub%20dir/')).body.toString()).toBe('<p>sub</p>')
  })

  it.each([
    ['/%2e%2e/%2e%2e/etc/passwd', 400],
    ['/a/..%2f..%2fetc', 400],
    ['/..%5c..', 400],
    ['/%00', 400],
    ['/.env', 404],
    ['/link.txt', 404],
    ['/nowhere', 404],
    ['/nowhere/', 404],
    ['/index.html/', 404],
  ])('trap 63: %s is %i', async (target, status) => {
    const { port } = await site()
    const answer = await fetchRaw(port, 'GET', target)
    expect(answer.status).toBe(status)
    expect(answer.body.toString()).not.toMatch(/SECRET|outside|root:/)
  })

  it('methods that a route does not have are 405 with Allow', async () => {
    const { port } = await site()
    const { status, head } = await fetchRaw(port, 'DELETE', '/')
    expect(status).toBe(405)
    expect(head).toContain('Allow: GET, HEAD')
  })

  it('trap 59: an upgrade on a file route serves the file', async () => {
    const { port } = await site()
    const client = await RawClient.connect(port)
    client.send(handshake('/'))
    const { status, head } = await client.response()
    expect(status).toBe(200)
    const ends = byEngine(engine, 'refused upgrade', { node: true, uws: false })
    expect(head.includes('Connection: close')).toBe(ends)
    if (!ends) client.send(handshake('/'))
    await client.until(() => client.received.includes('</p>'))
    expect(client.received.toString()).toContain('<p>home</p>')
  })

  it('trap 60: an upgrade on an action route without an action is 404, never 101', async () => {
    // A host of its own, without the action that `serve` registers.
    const host = createHost(
      { web: { engine, listen: '127.0.0.1:0', routes: [{ match: '/', handler: 'action' }] } },
      parts,
    )
    host.addAction('/a/', () => {})
    await host.start()
    const port = host.listening[0]?.port ?? 0
    const client = await RawClient.connect(port)
    client.send(handshake('/ab'))
    expect((await client.response()).status).toBe(404)
    const other = await RawClient.connect(port)
    other.send(handshake('/a/b'))
    expect((await other.response()).status).toBe(101)
    client.destroy()
    other.destroy()
    await host.stop()
  })

  it('actions answer requests: path, query, headers, body', async () => {
    const { port } = await serve(
      engine,
      async (web) => {
        const body = await webReadBody(web)
        return webWriteResponse(
          web,
          201,
          '%s %s %s %s %s',
          web.method,
          web.path,
          webGetQueryVar(web, 'q'),
          webGetHeader(web, 'X-Name'),
          body,
        )
      },
      { limits: { body: 10 } },
    )
    const posted = await fetchRaw(port, 'POST', '/p%20q?q=a%20b', 'X-Name: me\r\nContent-Length: 4\r\n\r\nbody')
    expect(posted.status).toBe(201)
    expect(posted.body.toString()).toBe('POST /p q a b me body\n')
    const large = await fetchRaw(port, 'POST', '/', 'Content-Length: 11\r\n\r\nbody is 11.')
    expect([large.status, large.body.toString()]).toEqual([413, 'Payload Too Large\n'])
  })

  it('a plain request to an action that runs a connection is told what it needs', async () => {
    const { port } = await serve(engine, (web) => webSocketRun(web.webSocket, () => {}))
    const { status, body } = await fetchRaw(port, 'GET', '/')
    expect([status, body.toString()]).toEqual([400, 'This is a WebSocket: connect with ws://\n'])
  })

  it('what is neither own nor a header is null', async () => {
    const { port } = await serve(engine, (web) =>
      webWriteResponse(web, 200, '%s %s', webGetHeader(web, 'constructor'), webGetHeader(web, '__proto__')),
    )
    expect((await fetchRaw(port, 'GET', '/')).body.toString()).toBe('null null\n')
  })

  it('what is beyond ASCII: in a target it is 400, in a header as node:http has it', async () => {
    const { port } = await serve(engine, (web) => webWriteResponse(web, 200, '%s', webGetHeader(web, 'x-name')))
    const ask = async (target: string, name: string) => {
      const client = await RawClient.connect(port)
      client.send(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\nX-Name: ${name}\r\n\r\n`))
      const { status } = await client.response()
      if (status === 200) await client.until(() => client.received.includes('\n'))
      client.destroy()
      return [status, status === 200 ? client.received.toString() : null]
    }
    expect(await ask('/é', 'x')).toEqual([400, null])
    expect(await ask('/', 'a é b')).toEqual([200, 'a Ã© b\n'])
    const atTheEnd = byEngine(engine, 'bytes beyond ASCII in a header', { node: 'cafÃ©\n', uws: 'caf\n' })
    expect(await ask('/', 'café')).toEqual([200, atTheEnd])
  })

  it('many short header fields', async () => {
    const { port } = await site()
    const statuses: number[] = []
    for (const count of [90, 200]) {
      const fields = Array.from({ length: count }, (_, i) => `x${i}: 1\r\n`).join('')
      statuses.push((await fetchRaw(port, 'GET', '/', fields)).status)
    }
    expect(statuses).toEqual(byEngine(engine, 'fields in a header block', { node: [200, 200], uws: [200, 431] }))
  })

  it('limits of requests: a long header, many connections', async () => {
    // What nobody runs would be closed at once, and make room.
    const { port } = await serve(engine, (web) => webSocketRun(web.webSocket, () => {}), {
      limits: { header: '2K', connections: 2 },
    })
    const long = await RawClient.connect(port)
    long.send(Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(3000)}\r\n\r\n`))
    expect((await long.response()).status).toBe(431)
    await long.rest()
    const [first, second] = [await RawClient.open(port), await RawClient.connect(port)]
    const third = await RawClient.connect(port)
    third.send(handshake())
    const refused = await third.response()
    expect(refused.status).toBe(503)
    expect(refused.head).toMatch(/retry-after: \d/i)
    await third.rest()
    // Who has gone makes room.
    second.destroy()
    const isServed = async (): Promise<boolean> => {
      const client = await RawClient.connect(port)
      client.send(handshake())
      const { status } = await client.response()
      client.destroy()
      return status === 101
    }
    while (!(await isServed()));
    first.destroy()
  })

  it.each(['stop', 'free'] as const)('trap 2, 71: %s waits for CLOSE, also of who does not answer', async (how) => {
    const events: string[] = []
    const { host, port } = await start(
      engine,
      async (web) => {
        const code = await webSocketRun(web.webSocket, async (_ws, event) => {
          if (event !== WS_EVENT_CLOSE) return
          await new Promise((resolve) => setTimeout(resolve, 20))
          events.push('close')
        })
        events.push(`run ${code}`)
      },
      { timeouts: { drain: '250ms' } },
    )
    const clients = await Promise.all([RawClient.open(port), RawClient.open(port)])
    await host[how]()
    events.push('over')
    const code = how === 'free' ? -1006 : byEngine(engine, 'local Close', { node: -1006, uws: 0 })
    expect(events).toEqual(['close', `run ${code}`, 'close', `run ${code}`, 'over'])
    for (const client of clients) client.destroy()
  })

  it("trap 43, 44: a ping of '1sec' comes once a second, one of 'never' never, and 'never' is no timer", async () => {
    const run = (web: Web): Promise<number> => webSocketRun(web.webSocket, () => {})
    const timeouts = { inactivity: 'never' } as const
    const often = await serve(engine, run, { webSockets: { ping: '1sec' }, timeouts })
    const never = await serve(engine, run, { webSockets: { ping: 'never' }, timeouts })
    const [pinged, silent] = [await RawClient.open(often.port), await RawClient.open(never.port)]
    expect((await pinged.frame()).opcode).toBe(9)
    const first = performance.now()
    expect((await pinged.frame()).opcode).toBe(9)
    // It comes with a tick of 50 ms.
    expect(performance.now() - first).toBeGreaterThan(900)
    expect([silent.received.length, silent.ended]).toEqual([0, false])
    silent.send(ping('still there'))
    expect((await silent.frame()).opcode).toBe(10)
    for (const client of [pinged, silent]) client.destroy()
  })

  it('half a header is not waited for', { timeout: 40_000 }, async () => {
    const { port } = await serve(engine, () => {}, { timeouts: { parse: '1sec', request: '500ms' } })
    const slow = await RawClient.connect(port)
    slow.send(Buffer.from('GET / HTTP/1.1\r\nHost:'))
    const answer = (await slow.rest()).toString()
    byEngine(engine, 'header that is not finished, or has no field', {
      node: () => expect(answer).toMatch(/^HTTP\/1.1 408 /),
      uws: () => expect(answer).toBe(''),
    })()
  })

  it('a connection takes so many requests', async () => {
    const { port } = await serve(engine, () => {}, { limits: { requests: 2 } })
    const client = await RawClient.connect(port)
    const heads: string[] = []
    for (let i = 0; i < 3 && !client.ended; i++) {
      client.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
      const answer = client.response().then(({ head }) => head)
      heads.push(await answer.catch(() => 'none'))
      if (heads.at(-1)?.includes('Connection: close')) break
      await client.until(() => client.received.includes('OK\n'))
      client.received = Buffer.alloc(0)
    }
    expect(heads.length).toBe(byEngine(engine, 'requests on a connection', { node: 2, uws: 3 }))
  })

  it('start and stop: all listeners or none, once, and again; a stop during a start waits for it', async () => {
    const busy = await serve(engine, () => {})
    const listen = (ports: (number | undefined)[]) => ports.map((port) => `127.0.0.1:${port}`)
    const free = (await serve(engine, () => {})).host
    const freePort = free.listening[0]?.port
    await free.stop()
    const host = createHost({ web: { engine, listen: listen([freePort, busy.port]), routes: [] } }, parts)
    expect(await host.start()).toBe(-28)
    await expect(RawClient.connect(freePort ?? 0)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await free.start()).toBe(0)
    expect(await free.start()).toBe(-28)
    expect(free.error).toBe('The host runs already')
    await free.stop()
    const both = [free.start(), free.start()]
    await free.stop()
    expect(await Promise.all(both)).toEqual([0, -28])
    expect(free.listening).toEqual([])
    await expect(RawClient.connect(freePort ?? 0)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('while it stops, a host answers 503; drain never waits for every goodbye', async () => {
    const { host, port } = await serve(engine, () => {}, { timeouts: { drain: 'never' } })
    const kept = await RawClient.connect(port)
    kept.send(Buffer.from('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n'))
    await kept.response()
    const stopped = host.stop()
    expect(host.listening.length).toBe(1)
    kept.destroy()
    await stopped
    expect(host.listening).toEqual([])
  })

  it('partial: true on a route, and validateUTF: false for all', async () => {
    const journal = new Journal()
    const { host, port } = await serve(
      engine,
      (web) => {
        expect(web.webSocket?.parent).toBe(web)
        return journal.run(web)
      },
      {
        routes: [{ handler: 'action', partial: true }],
        webSockets: { validateUTF: false },
        limits: { maxFrame: 3 },
      },
    )
    const client = await RawClient.open(port)
    client.send(Buffer.concat([text('four', false), cont('five', true)]))
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.kinds.length).toBeGreaterThan(2)
    expect(journal.kinds[1]).toBe(WS_EVENT_PARTIAL_MESSAGE)
    client.send(text(Buffer.of(0xff)))
    await byEngine(engine, 'validateUTF: false', {
      node: () => journal.until(WS_EVENT_MESSAGE, 2),
      uws: () => journal.until(WS_EVENT_ERROR),
    })()
    const warned = host.warnings.some((warning) => warning.includes('validateUTF'))
    expect(warned).toBe(byEngine(engine, 'validateUTF: false', { node: false, uws: true }))
  })

  it('connections that have asked for nothing, or for half, do not hold up a stop', async () => {
    const { host, port } = await serve(engine, () => {}, { timeouts: { drain: '1min' } })
    const silent = await RawClient.connect(port)
    const half = await RawClient.connect(port)
    half.send(Buffer.from('GET / HTTP/1.1\r\nHost:'))
    const answered = await RawClient.connect(port)
    answered.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    await answered.response()
    const ends = [silent, half, answered].map((client) => client.rest())
    await host.stop()
    await Promise.all(ends)
  })

  it('a request that the server must refuse leaves it serving', async () => {
    const { port } = await site()
    const client = await RawClient.connect(port)
    client.send(Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`))
    expect((await client.response()).status).toBe(431)
    expect((await fetchRaw(port, 'GET', '/')).status).toBe(200)
  })
})
