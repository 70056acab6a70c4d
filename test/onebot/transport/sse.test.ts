import { describe, expect, it } from 'vitest'
import { Listener } from '../../support/event-stream.ts'
import { field } from '../../support/gateway.ts'
import { ask } from '../../support/http.ts'
import { hush } from '../../support/log-lines.ts'
import { Bots, SELF } from '../../support/onebot.ts'
import { RawClient } from '../../support/raw.ts'
import { engines } from '../../support/server.ts'

const route = (onebot: object = {}, more: object = {}) => ({
  match: '/onebot/',
  handler: 'onebot' as const,
  onebot: { heartInterval: 0, ...onebot },
  ...more,
})
const start = (engine: (typeof engines)[number], onebot: object = {}, more: object = {}) =>
  Bots.start(engine, { routes: [route(onebot, more)] })

describe.each(engines)('events as a stream, on %s', (engine) => {
  it('have headers of such a stream, at once', async () => {
    const bots = await start(engine)
    const listener = await Listener.connect(bots.port())
    expect(listener.status).toBe(200)
    expect(listener.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    expect(listener.headers).not.toHaveProperty('content-length')
  })

  it('are one line of JSON each, with nothing around it', async () => {
    const bots = await start(engine)
    const listener = await Listener.connect(bots.port())
    await bots.gateway.post(bots.ada, bots.channel, 'one\ntwo\r\n\u2028three')
    await bots.gateway.post(bots.ada, bots.channel, 'four')
    await listener.until(() => listener.events.length === 2)
    expect(listener.events.map((event) => field(event, 'raw_message'))).toEqual(['one\ntwo\r\n\u2028three', 'four'])
    expect(listener.events[0]).toMatchObject({ self_id: SELF, post_type: 'message', message_type: 'group' })
    expect(listener.text).not.toMatch(/^(?:event|id|retry):/m)
  })

  it('begin with no lifecycle event, and are what WebSockets are told otherwise', async () => {
    const bots = await start(engine)
    const listener = await Listener.connect(bots.port())
    const client = await bots.connect()
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    const event = await client.event({ post_type: 'message' })
    await listener.until(() => listener.events.length > 0)
    expect(listener.events).toEqual([event])
  })

  it('have no replay', async () => {
    const bots = await start(engine)
    const early = await Listener.connect(bots.port())
    await bots.gateway.post(bots.ada, bots.channel, 'before')
    await early.until(() => early.events.length === 1)
    const late = await Listener.connect(bots.port())
    await bots.gateway.post(bots.ada, bots.channel, 'behind')
    await late.until(() => late.events.length === 1)
    expect(late.events.map((event) => field(event, 'raw_message'))).toEqual(['behind'])
  })

  it('have heartbeats where an interval is configured', async () => {
    const bots = await start(engine, { heartInterval: 20 })
    const listener = await Listener.connect(bots.port())
    await listener.until(() => listener.events.length >= 2)
    expect(listener.events[1]).toMatchObject({ meta_event_type: 'heartbeat', interval: 20 })
  })

  it('need a token where there is one', async () => {
    const bots = await start(engine, {}, { token: 'sesame' })
    const of = async (query: string, headers: Record<string, string> = {}): Promise<number> =>
      (await Listener.connect(bots.port(), `/onebot/_events${query}`, headers)).status
    expect(await of('')).toBe(401)
    expect(await of('?access_token=wrong')).toBe(403)
    expect(await of('', { Authorization: 'Bearer wrong' })).toBe(403)
    expect(await of('?access_token=sesame')).toBe(200)
    expect(await of('', { Authorization: 'Bearer sesame' })).toBe(200)
    expect(await of('', { Authorization: 'Bearer sesame', Origin: 'https://page.example' })).toBe(200)
  })

  it('are not for pages of others where there is no token', async () => {
    const bots = await start(engine)
    const of = async (headers: Record<string, string>): Promise<number> =>
      (await Listener.connect(bots.port(), '/onebot/_events', headers)).status
    expect(await of({ Origin: 'https://evil.example' })).toBe(403)
    expect(await of({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
    expect(await of({ 'Sec-Fetch-Site': 'same-origin' })).toBe(200)
    expect(await of({})).toBe(200)
  })

  it('come with POST, too, and with a path behind', async () => {
    const bots = await start(engine)
    expect((await Listener.connect(bots.port(), '/onebot/_events', {}, 'POST')).status).toBe(200)
    expect((await Listener.connect(bots.port(), '/onebot/_events/')).status).toBe(200)
  })

  it('have their format, filter, and what the bot says itself', async () => {
    const bots = await start(engine, {
      messagePostFormat: 'string',
      reportSelfMessage: true,
      filter: { raw_message: { '.not': { '.contains': 'secret' } } },
    })
    const listener = await Listener.connect(bots.port())
    const path = `/onebot/send_group_msg?group_id=${bots.group}&message=`
    await ask(bots.port(), `${path}secret`)
    await ask(bots.port(), `${path}[CQ:face,id=1]`)
    await listener.until(() => listener.events.length === 1)
    expect(listener.events[0]).toMatchObject({ post_type: 'message_sent', message: '[CQ:face,id=1]' })
  })

  it('onebot trap 35: delay nobody where a client never reads, and end before memory does', async () => {
    hush()
    const bots = await start(engine)
    const reader = await bots.connect()
    const before = bots.gateway.host.connections
    const stalled = await RawClient.connect(bots.port())
    stalled.send('GET /onebot/_events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect((await stalled.response()).status).toBe(200)
    stalled.socket.pause()
    const content = '茶'.repeat(4000)
    const stats = async (): Promise<unknown> => field(await reader.get('get_status'), 'online')
    for (let i = 1; i <= 6; i++) {
      await bots.world.changes.run(() => {
        for (let n = 0; n < 1000; n++) bots.world.messages.post(bots.ada.id, bots.channel, { content })
      })
      await bots.settle(reader)
      expect(reader.events).toHaveLength(1000 * i)
    }
    expect(await stats()).toBe(true)
    // It was dropped: what it finds is not all there was.
    stalled.socket.resume()
    await stalled.until(() => stalled.ended)
    expect(stalled.length).toBeLessThan(6000 * 24_000)
    await expect.poll(() => bots.gateway.host.connections, { timeout: 15_000, interval: 5 }).toBe(before)
  })

  it('go on where a client was slow, with nothing lost', async () => {
    hush()
    const bots = await start(engine)
    const reader = await bots.connect()
    const slow = await Listener.connect(bots.port())
    slow.pause()
    const content = '茶'.repeat(4000)
    await bots.world.changes.run(() => {
      for (let n = 0; n < 1000; n++)
        bots.world.messages.post(bots.ada.id, bots.channel, { content: `${n} ${content}`.slice(0, 4000) })
    })
    await bots.settle(reader)
    slow.resume()
    await slow.until(() => slow.tail.endsWith('\n\n') && slow.tail.includes('"raw_message":"999 '))
    const numbers = slow.events.map((event) => parseInt(String(field(event, 'raw_message')), 10))
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })

  it('stop for who has gone, and have the bot there as long as somebody listens', async () => {
    const bots = await start(engine)
    const { client } = await bots.person('brin')
    const robo = await bots.userOf('robo')
    const status = async (): Promise<unknown> => {
      for (;;) {
        const update = await client.next('PRESENCE_UPDATE')
        if (field(update, 'user_id') === robo) return field(update, 'status')
      }
    }
    const listener = await Listener.connect(bots.port())
    expect(await status()).toBe('online')
    listener.close()
    expect(await status()).toBe('offline')
  })

  it('end when the bot goes', async () => {
    const bots = await Bots.start(engine, { routes: [route()], web: { timeouts: { drain: 0.1 } } })
    const listener = await Listener.connect(bots.port())
    await Promise.all([bots.gateway.host.stop(), listener.end()])
    expect(listener.ended).toBe(true)
  })

  it('end by themselves when the host stops, which does not wait for them', async () => {
    const bots = await Bots.start(engine, { routes: [route()], web: { timeouts: { drain: 0.1 } } })
    const listener = await Listener.connect(bots.port())
    await Promise.all([bots.gateway.host.stop(), listener.end()])
    expect(listener.complete).toBe(true)
  })

  it('are on a port of their own, beside the HTTP API', async () => {
    const bots = await Bots.start(engine, {
      routes: [],
      network: { httpSseServers: [{ name: 'sse', enable: true, port: 0 }] },
    })
    const listener = await Listener.connect(bots.port(1), '/_events')
    expect(listener.status).toBe(200)
    const path = `/send_group_msg?group_id=${bots.group}&message=a`
    expect((await ask(bots.port(1), path)).status).toBe(200)
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await listener.until(() => listener.events.length > 0)
    expect(listener.events.map((event) => field(event, 'raw_message'))).toEqual(['tea'])
    await expect(bots.open('/', 1).opened()).rejects.toThrow(/404/)
  })

  it('may be left out', async () => {
    const bots = await start(engine, { sse: false })
    expect((await ask(bots.port(), '/onebot/_events')).status).toBe(404)
  })
})
