import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import type { WebSocket } from '../../include-types/websock.ts'
import { parts } from '../../lib/parts.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { WS_EVENT_CLOSE, WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketGetBufferedAmount, webSocketSendString } from '../../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { differences } from '../support/differences.ts'
import { readFrames, text } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { type EngineName, engines } from '../support/server.ts'

const hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.free()))
})

interface Room {
  readonly host: Host
  readonly port: number
  readonly sockets: WebSocket[]
  /** What `webSocketRun` resolved with, as it came. */
  readonly results: number[]
  /** CLOSE events. */
  closes: number
}

/** A host whose connections join a topic, and answer each message with 10,000 bytes. */
async function room(engine: EngineName, web: Config['web']): Promise<Room> {
  const host = createHost({ web: { engine, listen: '127.0.0.1:0', timeouts: { drain: 0.1 }, ...web } }, parts)
  hosts.push(host)
  const made: Room = { host, port: 0, sockets: [], results: [], closes: 0 }
  host.addAction('/', async ({ webSocket }) => {
    const code = await webSocketRun(webSocket, (ws, event) => {
      if (event === WS_EVENT_OPEN) {
        made.sockets.push(ws)
        webSocketSubscribe(ws, 'room')
      } else if (event === WS_EVENT_CLOSE) made.closes++
      else if (event === WS_EVENT_MESSAGE) made.results.push(webSocketSendString(ws, 'a'.repeat(10_000)))
    })
    if (code < 0) made.results.push(code)
  })
  expect(await host.start()).toBe(0)
  return Object.assign(made, { port: host.listening[0]?.port ?? 0 })
}

async function openStalled(port: number): Promise<RawClient> {
  const client = await RawClient.open(port)
  client.socket.pause()
  return client
}

const metric = async (host: Host, line: RegExp): Promise<number> => {
  const { text: page = '' } = (await host.report('/metrics')) ?? {}
  return Number(line.exec(page)?.[1] ?? 0)
}

describe.each(engines)('a peer that does not read, on the %s engine', (engine) => {
  it('backpressure: drop-new loses what does not fit, and nothing else: no gap inside a message', async () => {
    const { host, port, sockets } = await room(engine, {
      limits: { maxMessage: '100K', maxBackpressure: '100K' },
      routes: [{ handler: 'action', backpressure: 'drop-new' }],
    })
    const client = await openStalled(port)
    let sent = 0
    // Until there have been some that did not fit.
    while ((await metric(host, /^fiberws_drops_total\{.*\} (\d+)$/m)) < 5) {
      webSocketPublish(host.topics, 'room', `${sent++} ${'x'.repeat(50_000)}`)
      await turn()
    }
    expect(webSocketGetBufferedAmount(sockets[0] ?? null)).toBeLessThan(400_000)
    client.socket.resume()
    await client.until(() => webSocketGetBufferedAmount(sockets[0] ?? null) === 0)
    webSocketPublish(host.topics, 'room', 'last')
    await client.until(() => client.received.includes('last'))
    const numbers = readFrames(client.received).frames.map(({ payload }) => parseInt(payload.toString(), 10))
    expect(numbers.at(-1)).toBeNaN()
    const got = numbers.slice(0, -1)
    expect(got).toEqual(Array.from(got, (_, i) => i))
    expect(got.length).toBe(sent - (await metric(host, /^fiberws_drops_total\{.*\} (\d+)$/m)))
    expect(host.connections).toBe(1)
    client.destroy()
  })

  it('limits.maxBuffered: the worst are closed first, the rest of them and the healthy go on', async () => {
    const made = await room(engine, {
      limits: { maxMessage: '1MB', maxBackpressure: '8MB', maxBuffered: '16MB' },
      routes: [{ handler: 'action' }],
    })
    const { host, port, sockets } = made
    const stalled = await Promise.all(Array.from({ length: 6 }, () => openStalled(port)))
    const healthy = await RawClient.open(port)
    let sent = 0
    let most = 0
    while ((host.pressure?.evicted ?? 0) === 0) {
      webSocketPublish(host.topics, 'room', 'x'.repeat(200_000))
      sent++
      await healthy.until(() => healthy.length >= sent * 200_000)
      await turn()
      most = Math.max(most, host.pressure?.bytes ?? 0)
    }
    expect(most).toBeLessThan(32 << 20)
    expect(host.pressure?.bytes).toBeLessThanOrEqual(16 << 20)
    while (made.closes < (host.pressure?.evicted ?? 0)) await turn()
    expect(made.results.every((code) => code === -1013)).toBe(true)
    expect(sockets.filter((ws) => ws.state < 2)).toHaveLength(7 - made.closes)
    expect(await metric(host, /^fiberws_evictions (\d+)$/m)).toBe(host.pressure?.evicted)
    expect(await metric(host, /^fiberws_closes_total\{route="",initiator="us",code="1013"\} (\d+)$/m)).toBe(made.closes)
    const page: unknown = JSON.parse((await host.report('/debug/closes'))?.text ?? '[]')
    expect(page).toMatchObject(Array.from({ length: made.closes }, () => ({ initiator: 'us', reason: 'evicted' })))
    // The healthy one was never touched.
    webSocketPublish(host.topics, 'room', 'still here')
    await healthy.until(() => healthy.received.includes('still here'))
    for (const client of [...stalled, healthy]) client.destroy()
  })

  it('its own limit in a route is that of the route', async () => {
    const { port, sockets, results } = await room(engine, {
      limits: { maxBackpressure: '8MB' },
      routes: [{ handler: 'action', limits: { maxBackpressure: '50K' } }],
    })
    const client = await openStalled(port)
    while (!results.includes(-41)) {
      client.send(text('more'))
      await turn()
    }
    expect(webSocketGetBufferedAmount(sockets[0] ?? null)).toBeLessThan(70_000)
    client.destroy()
  })
})

describe('backpressure: pause', () => {
  it('is for the node engine: uws is an error, auto takes node', () => {
    expect(differences['backpressure of a route, pause'].uws).toBe('a config error; auto takes node')
    const routes = [{ handler: 'action', backpressure: 'pause' }] as const
    expect(() => checkConfig({ web: { engine: 'uws', routes } }, '/')).toThrow(
      "web.routes[0].backpressure: needs engine: 'node'; uws cannot make a peer wait",
    )
    expect(checkConfig({ web: { routes } }, '/').engine).toBe('node')
    expect(checkConfig({ web: { engine: 'node', routes } }, '/').engine).toBe('node')
  })

  it('who asks and does not read is not read from, and gets each answer in the end', async () => {
    const { port, sockets, results } = await room('node', {
      limits: { maxBackpressure: '100K' },
      routes: [{ handler: 'action', backpressure: 'pause' }],
    })
    const client = await openStalled(port)
    // More answers than any kernel takes.
    const asked = 3000
    for (let i = 0; i < asked; i++) client.send(text('ask'))
    const waits = (): number => webSocketGetBufferedAmount(sockets[0] ?? null)
    while (waits() <= 50 << 10) await turn()
    for (let i = 0; i < 50; i++) await turn()
    const before = results.length
    expect(before).toBeLessThan(asked)
    expect(waits()).toBeLessThan(100 << 10)
    client.socket.resume()
    await client.until(() => client.length >= asked * 10_004)
    expect(readFrames(client.received).frames).toHaveLength(asked)
    expect(new Set(results)).toEqual(new Set([10_000]))
    client.destroy()
  }, 30_000)
})
