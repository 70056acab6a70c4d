import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { OneBotWebSocketClient } from '../../../include-types/onebot-config.ts'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { type BotClient, Bots, BotServer, SELF } from '../../support/onebot.ts'
import { engines } from '../../support/server.ts'
import { TcpProxy } from '../../support/tcp-proxy.ts'

const isConnect = (frame: Readonly<Record<string, unknown>>): boolean => frame['sub_type'] === 'connect'

const start = (engine: (typeof engines)[number], url: string, more: OneBotWebSocketClient = {}): Promise<Bots> =>
  Bots.start(engine, {
    routes: [],
    network: { websocketClients: [{ name: 'out', enable: true, url, reconnectInterval: 100, ...more }] },
  })

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
  rSetLogSink(null)
})

const abortive = (client: BotClient): void => {
  client.ws.on('error', () => {})
  // oxlint-disable-next-line typescript/no-unsafe-call, typescript/no-unsafe-member-access -- `ws` has no word for a reset
  Reflect.get(client.ws, '_socket')?.resetAndDestroy()
}

/** A server that answers each handshake with a status; when each came. */
async function refusing(
  status: number,
): Promise<{ readonly url: string; readonly times: number[]; attempts(n: number): Promise<void> }> {
  const times: number[] = []
  let wake = (): void => {}
  const server: Server = createServer().on('upgrade', (_request, socket) => {
    socket.on('error', () => {})
    times.push(performance.now())
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    wake()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `ws://127.0.0.1:${port}`,
    times,
    attempts: async (n) => {
      while (times.length < n) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

describe.each(engines)('a link of a bot, on %s', (engine) => {
  it('onebot trap 30: says who it is, by the names that clients compare', async () => {
    const server = await BotServer.start()
    await start(engine, `${server.url}/onebot/v11/ws`, { token: 's3cret' })
    await (await server.client()).find(isConnect)
    const [headers] = server.headers
    expect(headers).toMatchObject({
      'x-self-id': String(SELF),
      'x-client-role': 'Universal',
      'authorization': 'Bearer s3cret',
      'user-agent': 'OneBot/11',
    })
  })

  it('has no credential where none is set, and Token in front where that is', async () => {
    const [server, other] = [await BotServer.start(), await BotServer.start()]
    await Bots.start(engine, {
      routes: [],
      network: {
        websocketClients: [
          { name: 'a', enable: true, url: server.url },
          { name: 'b', enable: true, url: other.url, token: 't', authScheme: 'Token' },
        ],
      },
    })
    await server.client()
    await other.client()
    expect(server.headers[0]).not.toHaveProperty('authorization')
    expect(other.headers[0]).toMatchObject({ authorization: 'Token t' })
  })

  it('is told and asked; with a role only one of both', async () => {
    const [all, api, event] = [await BotServer.start(), await BotServer.start(), await BotServer.start()]
    const bots = await Bots.start(engine, {
      routes: [],
      network: {
        websocketClients: [
          { name: 'all', enable: true, url: all.url },
          { name: 'api', enable: true, url: api.url, role: 'API' },
          { name: 'event', enable: true, url: event.url, role: 'Event' },
        ],
      },
    })
    const [universal, asking, told] = [await all.client(), await api.client(), await event.client()]
    expect([api.headers[0]?.['x-client-role'], event.headers[0]?.['x-client-role']]).toEqual(['API', 'Event'])
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await universal.event({ post_type: 'message' })
    await told.event({ post_type: 'message' })
    told.send({ action: 'send_group_msg', params: { group_id: bots.group, message: 'never' }, echo: 1 })
    expect(await asking.get('get_login_info')).toMatchObject({ user_id: SELF })
    await bots.settle(universal, asking)
    expect(asking.frames.filter((frame) => 'post_type' in frame)).toEqual([])
    expect(told.frames.filter((frame) => 'retcode' in frame)).toEqual([])
    const { body } = await bots.gateway.request('GET', `/channels/${bots.channel}/messages`, bots.ada)
    expect(body).toMatchObject([{ content: 'tea' }])
  })

  it.each([401, 403, 404, 500])(
    'onebot trap 30: comes back after %d, each time behind the same wait',
    async (status) => {
      const server = await refusing(status)
      await start(engine, server.url, { reconnectInterval: 60 })
      await server.attempts(6)
      const gaps = server.times.slice(1, 6).map((time, i) => time - (server.times[i] ?? 0))
      // One attempt each time, and none of them earlier; that they do not grow the shortest of the last shows.
      expect(Math.min(...gaps)).toBeGreaterThan(55)
      expect(Math.min(...gaps.slice(2))).toBeLessThan(2 * 60 * 1.2)
    },
  )

  it.each([1000, 1008, 1001])('onebot trap 30, 31: comes back after %d, not sooner, and begins anew', async (code) => {
    const server = await BotServer.start()
    await start(engine, server.url)
    const first = await server.client()
    await first.find(isConnect)
    const closed = performance.now()
    first.ws.close(code)
    const second = await server.client(1)
    expect(performance.now() - closed).toBeGreaterThan(95)
    await second.find(isConnect)
    expect(isConnect(second.frames[0] ?? {})).toBe(true)
    expect(server.clients).toHaveLength(2)
  })

  it.each(['fin', 'rst'] as const)('comes back within a second after %s', async (how) => {
    const server = await BotServer.start()
    await start(engine, server.url)
    const first = await server.client()
    await first.find(isConnect)
    const lost = performance.now()
    if (how === 'fin') first.ws.terminate()
    else abortive(first)
    await server.client(1)
    expect(performance.now() - lost).toBeLessThan(1000)
  })

  it('notices a peer that has gone without a word, by its pings', async () => {
    const server = await BotServer.start()
    const proxy = await TcpProxy.open(server.port)
    cleanups.push(() => proxy.close())
    // Silent when the handshake and the first frame are through.
    proxy.cuts.push({ by: 'silence', after: 700 })
    await start(engine, `ws://127.0.0.1:${proxy.port}`, { pingInterval: 200, pingTimeout: 300 })
    await server.client()
    const lost = performance.now()
    await server.client(1)
    // Interval, timeout, and the wait for the next attempt; timers of a busy machine.
    expect(performance.now() - lost).toBeLessThan(200 + 300 + 1000 + 1500)
  })

  it('waits longer each time where reconnectMax says so', async () => {
    const server = await refusing(503)
    await start(engine, server.url, { reconnectInterval: 20, reconnectMax: 100_000 })
    await server.attempts(2)
    await server.attempts(7)
    expect((server.times[6] ?? 0) - (server.times[0] ?? 0)).toBeGreaterThan(6 * 20)
  })

  it("says NapCat's line, without what is secret", async () => {
    const lines: string[] = []
    rSetLogSink((_level, _source, message) => void lines.push(message))
    const server = await refusing(401)
    await start(engine, `${server.url}/?access_token=s3cret`, { token: 's3cret', reconnectInterval: 5100 / 51 })
    await server.attempts(2)
    expect(lines.join('\n')).toMatch(/out: .*401.* 在 0 秒后尝试重新连接/)
    expect(lines.join('\n')).not.toContain('s3cret')
  })

  it('onebot trap 32: what happens while it is down is not told later', async () => {
    const server = await BotServer.start()
    const bots = await start(engine, server.url)
    const first = await server.client()
    await first.find(isConnect)
    const { port } = server
    await server.close()
    await bots.gateway.post(bots.ada, bots.channel, 'lost')
    const again = await BotServer.start(port)
    const second = await again.client()
    await second.find(isConnect)
    await bots.gateway.post(bots.ada, bots.channel, 'heard')
    expect(await second.event({ post_type: 'message' })).toMatchObject({ raw_message: 'heard' })
  })

  it('onebot trap 33: an answer goes to the connection that has asked, or nowhere', async () => {
    const server = await BotServer.start()
    const rateLimit = { enabled: true, frequency: 4, bucket: 1 }
    const bots = await start(engine, server.url, { reconnectInterval: 1, rateLimit })
    const watcher = await bots.gateway.connect(bots.ada)
    const first = await server.client()
    await first.find(isConnect)
    // What is asked second waits its quarter of a second: until then the next connection is there.
    await first.get('get_status')
    first.send({ action: 'send_group_msg', params: { group_id: bots.group, message: 'said' }, echo: 'old' })
    // It has been read when this is answered; calls wait, pongs do not.
    first.ws.ping()
    await once(first.ws, 'pong')
    first.ws.terminate()
    const second = await server.client(1)
    await second.find(isConnect)
    expect(await watcher.next('MESSAGE_CREATE')).toMatchObject({ content: 'said' })
    await bots.settle(second)
    expect(second.frames.filter(({ echo }) => echo === 'old')).toEqual([])
  })

  it('connects at once, however long it would wait to do so again', async () => {
    const server = await BotServer.start()
    await start(engine, server.url, { reconnectInterval: 2_147_483_647 })
    await (await server.client()).find(isConnect)
  })

  it('is there for others while it is connected', async () => {
    const server = await BotServer.start()
    const bots = await start(engine, server.url)
    const robo = await bots.userOf('robo')
    const watcher = await bots.gateway.connect(bots.ada)
    const first = await server.client()
    await first.find(isConnect)
    await bots.settle(first)
    expect(bots.world.presence.isPresent(robo)).toBe(true)
    await server.close()
    await watcher.next('PRESENCE_UPDATE')
    expect(bots.world.presence.isPresent(robo)).toBe(false)
  })

  it('heartbeats, as often as they say', async () => {
    const server = await BotServer.start()
    await start(engine, server.url, { heartInterval: 50 })
    const client = await server.client()
    const beat = await client.find((frame) => frame['meta_event_type'] === 'heartbeat')
    expect(beat).toMatchObject({ self_id: SELF, status: { online: true, good: true }, interval: 50 })
  })

  it('a reload connects to another URL, and ends what has gone', async () => {
    const [one, two] = [await BotServer.start(), await BotServer.start()]
    const bots = await start(engine, one.url)
    const first = await one.client()
    await first.find(isConnect)
    const { host } = bots.gateway
    const change = (url: string | null): Promise<number> =>
      host.reload((now) => ({
        ...now,
        routes: now.routes.flatMap((route) =>
          route.onebot?.kind !== 'link'
            ? [route]
            : url === null
              ? []
              : [{ ...route, onebot: { ...route.onebot, url } }],
        ),
      }))
    expect(await change(two.url)).toBe(0)
    const second = await two.client()
    await second.find(isConnect)
    expect(await first.closed).toBe(1001)
    expect(await change(null)).toBe(0)
    expect(await second.closed).toBe(1001)
    expect(one.clients).toHaveLength(1)
  })

  it('says goodbye when the host stops', async () => {
    const server = await BotServer.start()
    const bots = await start(engine, server.url)
    const client = await server.client()
    await client.find(isConnect)
    await bots.gateway.host.stop()
    expect(await client.closed).toBe(1001)
  })
})

describe.each(engines)('clients with the same bot, on %s', (engine) => {
  it('1,000 times: one that goes takes nothing from another that came', { timeout: 120_000 }, async () => {
    const bots = await Bots.start(engine)
    let one = await bots.connect()
    for (let round = 0; round < 1000; round++) {
      const other = await bots.connect()
      one.ws.terminate()
      expect((await other.call('get_login_info')).retcode).toBe(0)
      if (round % 100 === 0) {
        await bots.gateway.post(bots.ada, bots.channel, `round ${round}`)
        await other.event({ post_type: 'message', raw_message: `round ${round}` })
      }
      one = other
    }
  })

  it(
    '1,000 times, the other way round: a late end of an old link leaves the new one alone',
    { timeout: 120_000 },
    async () => {
      const server = await BotServer.start()
      const bots = await start(engine, server.url, { reconnectInterval: 1 })
      for (let round = 0; round < 1000; round++) {
        const client = await server.client(round)
        await client.find(isConnect)
        if (round % 2 === 0) client.ws.terminate()
        else client.ws.close(1000)
      }
      const last = await server.client(1000)
      await bots.gateway.post(bots.ada, bots.channel, 'still here')
      await last.event({ post_type: 'message', raw_message: 'still here' })
    },
  )
})
