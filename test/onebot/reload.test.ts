import { describe, expect, it } from 'vitest'
import type { OneBotEndpoint } from '../../lib/web/config/onebot-settings.ts'
import { Listener } from '../support/event-stream.ts'
import { hush } from '../support/log-lines.ts'
import { type BotClient, Bots, BotServer, SELF } from '../support/onebot.ts'
import { Receiver } from '../support/receiver.ts'
import { engines } from '../support/server.ts'

/** Other settings of the endpoint of a name, as a config file that has changed gives them; null: it is not there any more. */
function change(bots: Bots, name: string, to: (endpoint: OneBotEndpoint) => OneBotEndpoint | null): Promise<number> {
  return bots.gateway.host.reload((now) => ({
    ...now,
    routes: now.routes.flatMap((route) => {
      if (route.onebot?.name !== name) return [route]
      const onebot = to(route.onebot)
      return onebot === null ? [] : [{ ...route, onebot }]
    }),
  }))
}

const withToken =
  (token: string) =>
  (endpoint: OneBotEndpoint): OneBotEndpoint =>
    endpoint.kind === 'webhook' ? endpoint : { ...endpoint, token }

const isBeat = (frame: Readonly<Record<string, unknown>>): boolean => frame['meta_event_type'] === 'heartbeat'

const on = { name: 'main', enable: true, port: 0 }

describe.each(engines)('a reload, on %s', (engine) => {
  it.each([
    ['a port of its own', { network: { websocketServers: [{ ...on, token: 'old' }] }, routes: [] }, '/', 1],
    [
      'a route',
      { routes: [{ match: '/bot/', handler: 'onebot' as const, token: 'old', onebot: { name: 'main' } }] },
      '/bot/',
      0,
    ],
  ])('with another token ends those who came with the old one, on %s', async (_what, options, path, listener) => {
    const bots = await Bots.start(engine, options)
    const old = await bots.connect(`${path}?access_token=old`, listener)
    const api = await bots.connectApi(`${path}api?access_token=old`, listener)
    expect(await change(bots, 'main', withToken('new'))).toBe(0)
    expect([await old.closed, await api.closed]).toEqual([1001, 1001])
    const fresh = await bots.connect(`${path}?access_token=new`, listener)
    await bots.gateway.post(bots.ada, bots.channel, 'for the new')
    await fresh.event({ post_type: 'message' })
    expect(old.events).toEqual([])
    const late = await bots.open(`${path}?access_token=old`, listener).opened()
    expect(await late.find(({ retcode }) => retcode === 1403)).toBeDefined()
  })

  it('with another token ends streams that were opened with the old one', async () => {
    const bots = await Bots.start(engine, {
      routes: [],
      network: { httpSseServers: [{ ...on, token: 'old' }] },
    })
    const old = await Listener.connect(bots.port(1), '/_events?access_token=old')
    expect(await change(bots, 'main', withToken('new'))).toBe(0)
    await old.end()
    expect(old.complete).toBe(true)
    expect((await Listener.connect(bots.port(1), '/_events?access_token=old')).status).toBe(403)
    expect((await Listener.connect(bots.port(1), '/_events?access_token=new')).status).toBe(200)
  })

  it('for another bot ends the clients of the one before: nobody is told of two', async () => {
    const bots = await Bots.start(engine, { routes: [{ match: '/bot/', handler: 'onebot', onebot: { name: 'main' } }] })
    const old = await bots.connect('/bot/')
    expect(await change(bots, 'main', (endpoint) => ({ ...endpoint, bot: 'otto' }))).toBe(0)
    await bots.bring('otto')
    expect(await old.closed).toBe(1001)
    const fresh = await bots.connect('/bot/')
    await bots.gateway.post(bots.ada, bots.channel, 'hi')
    const { self_id } = await fresh.event({ post_type: 'message' })
    expect(self_id).not.toBe(SELF)
    expect(old.events).toEqual([])
  })

  it('with anything else leaves clients as they are, and counts for them', async () => {
    const bots = await Bots.start(engine, {
      routes: [{ match: '/bot/', handler: 'onebot', token: 'same', onebot: { name: 'main', heartInterval: 0 } }],
    })
    const client = await bots.connect('/bot/?access_token=same')
    expect(await change(bots, 'main', (endpoint) => ({ ...endpoint, format: 'string' }))).toBe(0)
    await bots.gateway.post(bots.ada, bots.channel, 'hi')
    expect(await client.event({ post_type: 'message' })).toMatchObject({ message_format: 'string' })
    expect(await change(bots, 'main', (endpoint) => ({ ...endpoint, heartbeat: 20 }))).toBe(0)
    expect(await client.find(isBeat)).toMatchObject({ interval: 20 })
    const rate = { frequency: 20, bucket: 1 }
    expect(await change(bots, 'main', (endpoint) => ({ ...endpoint, rate }))).toBe(0)
    const from = performance.now()
    for (let n = 0; n < 3; n++) await client.get('get_status')
    // One at once, and two at 50 ms each; clocks are not that exact.
    expect(performance.now() - from).toBeGreaterThan(90)
  })

  it('begins heartbeats also where the bot is the one who connects, or posts', async () => {
    const [server, receiver] = [await BotServer.start(), await Receiver.start()]
    const bots = await Bots.start(engine, {
      routes: [],
      network: {
        websocketClients: [{ name: 'out', enable: true, url: server.url, heartInterval: 0 }],
        httpClients: [{ name: 'hook', enable: true, url: receiver.url }],
      },
    })
    const client = await server.client()
    await receiver.post(({ sub_type }) => sub_type === 'enable')
    expect(await change(bots, 'out', (endpoint) => ({ ...endpoint, heartbeat: 20 }))).toBe(0)
    expect(await change(bots, 'hook', (endpoint) => ({ ...endpoint, heartbeat: 20 }))).toBe(0)
    await client.find(isBeat)
    await receiver.post(isBeat)
    expect(server.clients).toHaveLength(1)
  })

  it('posts to another place from now on, with what waited before, an end there and a beginning here', async () => {
    const [one, two] = [await Receiver.start(), await Receiver.start()]
    let release = (): void => {}
    one.answer = (response, { event }) => {
      const done = (): void => void response.writeHead(204).end()
      if (event['raw_message'] === 'slow') release = done
      else done()
    }
    const bots = await Bots.start(engine, { network: { httpClients: [{ name: 'hook', enable: true, url: one.url }] } })
    await one.post(({ sub_type }) => sub_type === 'enable')
    for (const text of ['slow', 'waits']) await bots.gateway.post(bots.ada, bots.channel, text)
    await one.says('slow')
    const client: BotClient = await bots.connect()
    await bots.settle(client)
    const { url } = two
    const to = (endpoint: OneBotEndpoint) => (endpoint.kind === 'webhook' ? { ...endpoint, url } : endpoint)
    expect(await change(bots, 'hook', to)).toBe(0)
    release()
    await one.post(({ sub_type }) => sub_type === 'disable')
    await two.post(({ sub_type }) => sub_type === 'enable')
    await bots.gateway.post(bots.ada, bots.channel, 'here')
    await two.says('here')
    expect(one.posts.map(({ event }) => event['raw_message'] ?? event['sub_type'])).toEqual([
      'enable',
      // It has come into the group.
      'approve',
      'slow',
      'waits',
      'disable',
    ])
    expect(two.posts.map(({ event }) => event['raw_message'] ?? event['sub_type'])).toEqual(['enable', 'here'])
  })

  it('lets go of a bot to which there is no way any more, and takes it up again', async () => {
    hush()
    const bots = await Bots.start(engine, {
      routes: [
        { match: '/bot/', handler: 'onebot', bot: 'otto', onebot: { name: 'main' } },
        { match: '/robo/', handler: 'onebot', onebot: { name: 'robo' } },
      ],
    })
    await bots.bring('otto')
    const old = await bots.connect('/bot/')
    const as = (bot: string) => (endpoint: OneBotEndpoint) => ({ ...endpoint, bot })
    expect(await change(bots, 'main', as('robo'))).toBe(0)
    expect(await old.closed).toBe(1001)
    expect(await change(bots, 'main', as('otto'))).toBe(0)
    const again = await bots.connect('/bot/')
    await bots.gateway.post(bots.ada, bots.channel, 'hi')
    await again.event({ post_type: 'message' })
    await bots.settle(again)
    expect(again.events).toHaveLength(1)
  })
})
