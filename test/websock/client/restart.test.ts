import { createServer } from 'node:net'
import { describe, expect, it, type TestContext } from 'vitest'
import type { ClientLoop, ReconnectOptions } from '../../../include-types/client.ts'
import type { WebSocket, WebSocketEvent, WebSocketProc } from '../../../include-types/websock.ts'
import type { Web } from '../../../include-types/web.ts'
import { webSocketClientLoop } from '../../../lib/standalone.ts'
import {
  R_ERR_CANT_CONNECT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../../lib/websock/constants.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import { webSocketSendString } from '../../../lib/websock/send.ts'
import { type Cut, TcpProxy } from '../../support/tcp-proxy.ts'
import { perHandle, seeded } from '../../support/memory-client.ts'
import { type EngineName, engines, start, type TestServer } from '../../support/server.ts'

/** An echo that counts who is there. */
class Echo {
  now = 0
  most = 0
  total = 0

  readonly action = (web: Web): Promise<number> =>
    webSocketRun(web.webSocket, (ws, event, buf) => {
      if (event === WS_EVENT_OPEN) {
        this.total++
        this.most = Math.max(this.most, ++this.now)
      }
      if (event === WS_EVENT_MESSAGE) webSocketSendString(ws, String(buf))
      if (event === WS_EVENT_CLOSE) this.now--
    })
}

interface Happened {
  ws: WebSocket
  event: WebSocketEvent
  buf: unknown
  at: number
  state: number
}

/** A loop, what it went through, and waiting for it. */
class Watched {
  readonly events: Happened[] = []
  readonly loop: ClientLoop
  #wake: (() => void)[] = []

  constructor(url: () => string, options: ReconnectOptions, callback: WebSocketProc = () => undefined) {
    this.loop = webSocketClientLoop(
      url,
      (ws, event, buf, len) => {
        this.events.push({ ws, event, buf, at: performance.now(), state: ws.state })
        const result = callback(ws, event, buf, len, undefined)
        const wake = this.#wake
        this.#wake = []
        for (const fn of wake) fn()
        return result
      },
      undefined,
      options,
    )
  }

  of(kind: WebSocketEvent): Happened[] {
    return this.events.filter(({ event }) => event === kind)
  }

  async until(test: () => boolean): Promise<void> {
    while (!test()) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  async echoes(text: string): Promise<void> {
    expect(webSocketSendString(this.loop.ws, text)).toBe(text.length)
    await this.until(() => this.of(WS_EVENT_MESSAGE).at(-1)?.buf === text)
  }

  async stop(): Promise<number> {
    this.loop.stop()
    return this.loop.done
  }
}

/** For tests that run at the same time each has its own ends. */
type Ends = Pick<TestContext, 'onTestFinished'>

async function serving(
  { onTestFinished }: Ends,
  engine: EngineName,
  echo: Echo,
  inactivity: number | 'never' = 'never',
): Promise<TestServer> {
  const server = await start(engine, echo.action, { timeouts: { inactivity } })
  onTestFinished(() => server.host.stop())
  return server
}

const at = (port: number): string => `ws://127.0.0.1:${port}/`

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Timers of node may come a millisecond early by another clock. */
const EARLY = 2

describe.concurrent.each(engines)('a server on %s', (engine) => {
  it('restarts: one reconnect, after the delay, and messages flow again (websocket-run trap 73)', async (ends) => {
    const before = new Echo()
    const after = new Echo()
    const first = await serving(ends, engine, before)
    const second = await serving(ends, engine, after)
    let { port } = first
    const watched = new Watched(() => at(port), { reconnectInterval: 150 })
    await watched.until(() => watched.of(WS_EVENT_OPEN).length === 1)
    await watched.echoes('before')
    port = second.port
    const stopped = first.host.stop()
    await watched.until(() => watched.of(WS_EVENT_OPEN).length === 2)
    await watched.echoes('after')
    await stopped
    const [, opened] = watched.of(WS_EVENT_OPEN)
    const [closed] = watched.of(WS_EVENT_CLOSE)
    expect(closed?.ws.closeStatus).toBe(1001)
    expect((opened?.at ?? 0) - (closed?.at ?? 0)).toBeGreaterThanOrEqual(150 - EARLY)
    expect(await watched.stop()).toBe(0)
    expect([before.total, after.total, after.most, watched.loop.attempts]).toEqual([1, 1, 1, 2])
    expect(perHandle(toLoopEvents(watched))).toEqual([
      [WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE],
      [WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE],
    ])
  })

  it('is away for some attempts: each fails by itself, then one connection is there', async (ends) => {
    const echo = new Echo()
    let port = await deadPort()
    const watched = new Watched(() => at(port), { reconnectInterval: { min: 30, max: 60 } })
    await watched.until(() => watched.of(WS_EVENT_CLOSE).length === 3)
    expect(watched.events.map(({ ws }) => ws.error)).toEqual(Array.from({ length: 6 }, () => -R_ERR_CANT_CONNECT))
    port = (await serving(ends, engine, echo)).port
    await watched.until(() => watched.of(WS_EVENT_OPEN).length === 1)
    await watched.echoes('here')
    expect(await watched.stop()).toBe(0)
    expect([echo.total, echo.most]).toEqual([1, 1])
  })

  it('goes, and stop() during the delay ends it', async (ends) => {
    const server = await serving(ends, engine, new Echo())
    const watched = new Watched(() => at(server.port), { reconnectInterval: 600_000 })
    await watched.until(() => watched.of(WS_EVENT_OPEN).length === 1)
    const stopped = server.host.stop()
    await watched.until(() => watched.of(WS_EVENT_CLOSE).length === 1)
    // Past the microtasks in which the wait begins.
    await new Promise((resolve) => setImmediate(resolve))
    expect(await watched.stop()).toBe(0)
    expect(watched.loop.attempts).toBe(1)
    await stopped
  })

  it('is lost 20 times, by FIN, RST and silence, anywhere in handshake and frames: noticed, and back each time', async (ends) => {
    const echo = new Echo()
    // Of a silent connection the server knows nothing either: it has to give up before the client is back.
    const server = await serving(ends, engine, echo, 0.05)
    const proxy = await TcpProxy.open(server.port)
    ends.onTestFinished(() => proxy.close())
    const random = seeded(engine.length)
    const kinds = ['fin', 'rst', 'silence'] as const
    const cuts = Array.from({ length: 20 }, (_, i): Cut => ({
      by: kinds[i % 3]!,
      after: 1 + Math.floor(random() * 900),
    }))
    proxy.cuts.push(...cuts)
    const watched = new Watched(
      () => at(proxy.port),
      { reconnectInterval: 60, pingPeriod: 50, timeout: 220, handshakeTimeout: 250 },
      // As long as there is an answer there is traffic: the connection is cut somewhere in it.
      (ws, event) => {
        if (event === WS_EVENT_OPEN || event === WS_EVENT_MESSAGE) webSocketSendString(ws, 'x'.repeat(20))
      },
    )
    await watched.until(() => watched.of(WS_EVENT_CLOSE).length === 20)
    const { length } = watched.of(WS_EVENT_MESSAGE)
    await watched.until(() => watched.of(WS_EVENT_MESSAGE).length >= length + 10)
    expect(watched.loop.ws).not.toBeNull()
    expect(await watched.stop()).toBe(0)
    expect(proxy.times.length).toBe(21)
    expect(watched.loop.attempts).toBe(21)
    expect(echo.most).toBe(1)
    for (const [i, time] of proxy.times.slice(1).entries()) {
      expect(time - proxy.times[i]!).toBeGreaterThanOrEqual(60 - EARLY)
    }
    for (const story of perHandle(toLoopEvents(watched))) expect(story.join('')).toMatch(/^(?:01*)?3?4$/)
    // The cuts have met both: handshakes, and connections that were there.
    expect(watched.of(WS_EVENT_OPEN).length).toBeGreaterThan(5)
    expect(watched.of(WS_EVENT_OPEN).length).toBeLessThan(21)
    // On a busy machine the server may give up before a cut comes, and says so: that is no error.
    expect(watched.of(WS_EVENT_ERROR).length).toBeGreaterThan(15)
  })
})

const toLoopEvents = (watched: Watched): Parameters<typeof perHandle>[0] =>
  watched.events.map((happened) => ({ ...happened, buf: null }))
