import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { webSocketFree, webSocketSendClose } from '../../lib/websock/close.ts'
import { WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../../lib/websock/constants.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { Certificates, dialSecure } from '../support/certificate.ts'
import { binary, close, frame, text } from '../support/frames.ts'
import { dismissed } from '../support/hosted.ts'
import { ask } from '../support/http.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

interface Line {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

const read = async (port: number, path: string): Promise<{ status: number; body: string }> => {
  const { status, body } = await ask(port, path)
  return { status, body: body.toString() }
}

const hosts: Host[] = []
const lines: Line[] = []
let wake: () => void = () => {}

beforeEach(() => {
  lines.length = 0
  rSetLogSink((_level, source, message, fields) => {
    if (source === 'conn') lines.push({ message, fields: fields ?? {} })
    wake()
  })
})
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.free()))
  rSetLogSink(null)
})

/** Lines of a kind, when there are so many. */
async function logged(message: string, count: number): Promise<Line['fields'][]> {
  for (;;) {
    const found = lines.filter((line) => line.message === message)
    if (found.length >= count) return found.map(({ fields }) => fields)
    await new Promise<void>((resolve) => (wake = resolve))
  }
}

describe.each(engines)('what a host on the %s engine tells of itself', (engine) => {
  async function serve(config: Config = {}): Promise<{ host: Host; port: number }> {
    const host = createHost(
      {
        ...config,
        web: {
          engine,
          listen: '127.0.0.1:0',
          timeouts: { inactivity: '60 secs', drain: 0.1 },
          webSockets: { protocol: null },
          routes: [
            { match: '/quick', handler: 'action' },
            { match: '/secret', handler: 'action', token: 'open-sesame' },
            { match: '/status/', handler: 'observe', trim: '/status' },
            { match: '/ws/', handler: 'action' },
            { match: '/below/', handler: 'observe' },
            { match: '/metrics', handler: 'observe' },
          ],
          ...config.web,
        },
      },
      parts,
    )
    hosts.push(host)
    host.addAction('/ws/bad', () => {
      throw new Error('before it runs')
    })
    host.addAction('/', ({ webSocket, path }) =>
      webSocketRun(
        webSocket,
        (ws, event, buf) => {
          if (event === WS_EVENT_OPEN) webSocketSubscribe(ws, 'room')
          if (event !== WS_EVENT_MESSAGE) return
          if (buf === 'throw') throw new Error('on purpose')
          if (buf === 'close') webSocketSendClose(ws, 4000, 'enough')
          else if (buf === 'free') webSocketFree(ws)
          else webSocketSendString(ws, 'four')
        },
        null,
        null,
        path === '/quick' ? 300 : undefined,
      ),
    )
    expect(await host.start()).toBe(0)
    return { host, port: host.listening[0]?.port ?? 0 }
  }

  it('a line when a connection opens and one when it ends: who, why, how long, what it carried', async () => {
    const { port } = await serve()
    const client = await RawClient.open(port, '/ws/a?token=hush')
    client.send(Buffer.concat([text('abc'), binary(Buffer.alloc(10))]))
    await client.until(() => client.length >= 12)
    client.send(close(4001, 'bye'))
    const [opened] = await logged('open', 1)
    expect(opened).toEqual({ id: 1, remote: '127.0.0.1', route: '/ws/', path: '/ws/a' })
    const [ended] = await logged('close', 1)
    expect(ended).toEqual({
      id: 1,
      remote: '127.0.0.1',
      route: '/ws/',
      initiator: 'peer',
      code: 4001,
      reason: 'bye',
      age: ended?.['age'],
      messagesIn: 2,
      bytesIn: 13,
      messagesOut: 2,
      bytesOut: 8,
      buffered: 0,
    })
    expect(Number(ended?.['age'])).toBeGreaterThanOrEqual(0)
    expect(Number(ended?.['age'])).toBeLessThan(20_000)
  })

  it.each([
    [
      'us',
      4000,
      'enough',
      '/ws/',
      (client: RawClient): void => client.send(Buffer.concat([text('close'), close(4000)])),
    ],
    ['us', 1011, 'Callback failed: on purpose', '/ws/', (client: RawClient): void => client.send(text('throw'))],
    ['us', 1006, 'Dropped', '/ws/', (client: RawClient): void => client.send(text('free'))],
    [
      'us',
      1002,
      /^(?:Reserved opcode|Protocol error)$/,
      '/ws/',
      (client: RawClient): void => client.send(frame({ opcode: 3 })),
    ],
    ['peer', 1005, '', '/ws/', (client: RawClient): void => client.send(close())],
    ['network', 1006, 'Connection lost', '/ws/', (client: RawClient): void => client.reset()],
    ['network', 1006, 'Connection lost', '/ws/', (client: RawClient): void => void client.socket.end()],
    ['timeout', 1001, 'Timeout waiting for WebSocket data', '/quick', () => {}],
  ] as const)('ended by %s with %d, %s', async (initiator, code, reason, path, act) => {
    const { port, host } = await serve()
    const client = await RawClient.open(port, path)
    act(client)
    const [ended] = await logged('close', 1)
    expect(ended).toMatchObject({ initiator, code })
    if (typeof reason === 'string') expect(ended?.['reason']).toBe(reason)
    else expect(ended?.['reason']).toMatch(reason)
    const page = await host.report('/metrics')
    const label = code >= 4000 ? '4xxx' : String(code)
    expect(page?.text).toContain(`fiberws_closes_total{route="${path}",initiator="${initiator}",code="${label}"} 1`)
    client.destroy()
  })

  it('who is told to leave by a stop is ended by us', async () => {
    const { port, host } = await serve()
    const client = await RawClient.open(port, '/ws/')
    await host.stop()
    expect(await logged('close', 1)).toMatchObject([{ initiator: 'us', code: 1001, reason: 'The server stops' }])
    client.destroy()
  })

  it('refusals by their reason, without query; those that come in floods are only counted', async () => {
    const { port, host } = await serve({ web: { limits: { addressConnections: 1 } } })
    const client = await RawClient.open(port, '/ws/')
    const upgrade = async (path: string, headers: Record<string, string | null> = {}): Promise<number> => {
      const other = await RawClient.connect(port)
      other.send(handshake(path, headers))
      const { status } = await other.response()
      other.destroy()
      return status
    }
    expect(await upgrade('/ws/')).toBe(429)
    client.send(close())
    await logged('close', 1)
    expect(await upgrade('/secret?token=wrong-sesame')).toBe(401)
    expect(await upgrade('/nowhere')).toBe(404)
    expect(await upgrade('/ws/', { Origin: 'https://evil.example' })).toBe(403)
    const refused = await logged('refused', 3)
    expect(refused).toEqual([
      { remote: '127.0.0.1', method: 'GET', path: '/secret', status: 401, reason: 'credential' },
      { remote: '127.0.0.1', method: 'GET', path: '/nowhere', status: 404, reason: 'route' },
      { remote: '127.0.0.1', method: 'GET', path: '/ws/', status: 403, reason: 'origin' },
    ])
    const page = (await host.report('/metrics'))?.text ?? ''
    for (const reason of ['address', 'credential', 'route', 'origin']) {
      expect(page).toContain(`fiberws_refusals_total{reason="${reason}"} 1`)
    }
  })

  it('metrics: what is open, what was carried, what waits, how long a publish takes', async () => {
    const { port, host } = await serve()
    // The first look begins to watch publishes.
    await host.report('/metrics')
    const [first, second] = [await RawClient.open(port, '/ws/'), await RawClient.open(port, '/ws/')]
    first.send(text('abcde'))
    await first.until(() => first.length >= 6)
    expect(webSocketPublish(host.topics, 'room', 'to all')).toBe(2)
    await second.until(() => second.received.includes('to all'))
    const values = async (): Promise<Map<string, number>> => {
      const page = (await host.report('/metrics'))?.text ?? ''
      return new Map(page.split('\n').map((line) => [line.replace(/ [^ ]*$/, ''), Number(/[^ ]*$/.exec(line)?.[0])]))
    }
    let now = await values()
    while (now.get('fiberws_publish_drain_seconds_count') !== 1) now = await values()
    expect(Object.fromEntries([...now].filter(([name]) => /^fiberws_(?!publish)/.test(name)))).toEqual({
      'fiberws_connections{route="/ws/"}': 2,
      'fiberws_opens_total{route="/ws/"}': 2,
      'fiberws_queued_bytes': 0,
      'fiberws_evictions': 0,
      'fiberws_messages_total{direction="in"}': 1,
      'fiberws_messages_total{direction="out"}': 1,
      'fiberws_messages_total{direction="published"}': 2,
      'fiberws_bytes_total{direction="in"}': 5,
      'fiberws_bytes_total{direction="out"}': 4,
      'fiberws_bytes_total{direction="published"}': 12,
    })
    expect([...now.keys()].some((name) => name.startsWith('nodejs_eventloop_lag_'))).toBe(true)
    // What a connection has carried counts when it has gone, too.
    first.send(close())
    await logged('close', 1)
    expect((await values()).get('fiberws_bytes_total{direction="in"}')).toBe(5)
    expect((await values()).get('fiberws_connections{route="/ws/"}')).toBe(1)
    second.destroy()
  })

  it('pages on a route, where one asks for them', async () => {
    const { port } = await serve()
    expect(await read(port, '/status/healthz')).toEqual({ status: 200, body: 'ok\n' })
    expect(await read(port, '/status/readyz')).toEqual({ status: 200, body: 'ready\n' })
    expect((await read(port, '/status/metrics')).body).toContain('# TYPE fiberws_connections gauge')
    expect((await read(port, '/status/debug/closes')).body).toBe('[]')
    expect((await ask(port, '/status/other')).status).toBe(404)
  })

  // Was wrong: below a route without `trim` there is nothing.
  it('pages are below their route', async () => {
    const { port } = await serve()
    for (const path of ['/below/metrics', '/below/healthz', '/below/readyz', '/below/debug/closes', '/metrics']) {
      expect((await ask(port, path)).status, path).toBe(200)
    }
    expect((await ask(port, '/below/')).status).toBe(404)
  })

  // Was wrong: a route told everybody what the listener kept for who has the token.
  it('pages on a route need observe.token, unless the route says itself who may see them', async () => {
    const { port } = await serve({
      observe: { token: 'metrics-sesame' },
      web: {
        routes: [
          { match: '/own/', handler: 'observe', token: 'own-sesame' },
          { match: '/all/', handler: 'observe', role: 'public' },
          { match: '/', handler: 'observe' },
        ],
      },
    })
    const status = async (path: string, token: string): Promise<number> =>
      (await ask(port, path, { headers: { Authorization: `Bearer ${token}` } })).status
    expect((await ask(port, '/metrics')).status).toBe(401)
    expect(await status('/metrics', 'metrics-sesame')).toBe(200)
    expect([await status('/own/metrics', 'metrics-sesame'), await status('/own/metrics', 'own-sesame')]).toEqual([
      401, 200,
    ])
    expect((await ask(port, '/all/metrics')).status).toBe(200)
  })

  // Was wrong: the first page said NaN of the lag of the event loop.
  it('the first page of metrics has numbers only', async () => {
    const { host } = await serve()
    const { text: page = '' } = (await host.report('/metrics')) ?? {}
    expect(page).toMatch(/^nodejs_eventloop_lag_seconds \d/m)
    expect(page).not.toMatch(/ nan$/im)
    for (const [, min] of page.matchAll(/^nodejs_eventloop_lag_min_seconds (.*)$/gm))
      expect(Number(min)).toBeLessThan(60)
  })

  // Was wrong: our own Close counted as what the peer had not read, where the engine had not sent it yet.
  it('what a peer has not read is said without our Close', async () => {
    const pems = new Certificates('first')
    pems.use('first')
    const { port } = await serve({ tls: pems.tls, web: { listen: 'https://127.0.0.1:0' } })
    const { client } = await dialSecure(port, '/ws/')
    client.send(frame({ opcode: 3 }))
    const [ended] = await logged('close', 1)
    expect(ended).toMatchObject({ initiator: 'us', code: 1002, buffered: 0 })
    pems.remove()
  })

  // Was wrong: an end without a reason.
  it('an action that throws is a reason', async () => {
    const { port } = await serve()
    const client = await RawClient.open(port, '/ws/bad')
    expect(await dismissed(client)).toBe(1011)
    const [ended] = await logged('close', 1)
    expect(ended).toMatchObject({ initiator: 'us', code: 1011, reason: 'Action failed' })
  })

  it('pages on a listener of their own, with a token for what is not for everybody', async () => {
    const { host } = await serve({ observe: { listen: '127.0.0.1:0', token: 'metrics-sesame' } })
    const { port = 0 } = host.status ?? {}
    expect((await ask(port, '/healthz')).status).toBe(200)
    expect((await ask(port, '/readyz')).status).toBe(200)
    for (const path of ['/metrics', '/debug/closes']) {
      expect((await ask(port, path)).status, path).toBe(401)
      const headers = { Authorization: 'Bearer metrics-sesame' }
      expect((await ask(port, path, { headers })).status, path).toBe(200)
    }
  })

  it('a host that stops is not ready any more, and says so until the end', async () => {
    const { host, port } = await serve({
      observe: { listen: '127.0.0.1:0' },
      web: { timeouts: { drain: 5 } },
    })
    const status = host.status?.port ?? 0
    const client = await RawClient.open(port, '/ws/')
    const stopped = host.stop()
    expect(await read(status, '/readyz')).toEqual({ status: 503, body: 'not ready\n' })
    expect((await ask(status, '/healthz')).status).toBe(200)
    client.destroy()
    await stopped
    await expect(ask(status, '/healthz')).rejects.toThrow()
  })

  it('keeps the last 1,000 ends, the newest first', async () => {
    const { port, host } = await serve()
    for (let i = 0; i < 1010; i += 10) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.open(port, '/ws/')))
      for (const client of clients) client.send(close(4000, `${i}`))
      await logged('close', i + 10)
    }
    const closes: unknown = JSON.parse((await host.report('/debug/closes'))?.text ?? '[]')
    const reasons = Array.from({ length: 100 }, (_, i) => `${1000 - 10 * i}`)
    const { pid } = process
    expect(closes).toMatchObject(reasons.flatMap((reason) => Array.from({ length: 10 }, () => ({ reason, pid }))))
  })
})

describe('observe.listen', () => {
  it('can only be reached from this machine, or needs a token', () => {
    const make = (observe: Config['observe']): Host => createHost({ observe: observe ?? {} }, parts)
    expect(() => make({ listen: ':9464' })).toThrow(
      'observe.listen: can be reached from the network: set observe.token',
    )
    expect(make({ listen: ':9464', token: 'sesame' }).settings.observe.endpoint).toMatchObject({
      host: '::',
      port: 9464,
    })
    expect(make({ listen: '127.0.0.1:9464' }).settings.observe.endpoint).toMatchObject({ host: '127.0.0.1' })
  })

  it('a port in use ends the start', async () => {
    const first = createHost(
      { observe: { listen: '127.0.0.1:0' }, web: { engine: 'node', listen: '127.0.0.1:0' } },
      parts,
    )
    hosts.push(first)
    expect(await first.start()).toBe(0)
    const listen = `127.0.0.1:${first.status?.port}`
    const second = createHost({ observe: { listen }, web: { engine: 'node', listen: '127.0.0.1:0' } }, parts)
    expect(await second.start()).toBe(-28)
    expect(second.error).toMatch(/^observe\.listen: Port \d+ is in use/)
    expect(second.listening).toEqual([])
  })
})
