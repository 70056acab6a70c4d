import { afterEach, describe, expect, it } from 'vitest'
import type { OneBotReplayConfig } from '../../../include-types/onebot-config.ts'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { Listener } from '../../support/event-stream.ts'
import { field } from '../../support/gateway.ts'
import { hush, LogLines } from '../../support/log-lines.ts'
import { type BotClient, Bots, BotServer, SELF } from '../../support/onebot.ts'
import { type Json, type Post, Receiver } from '../../support/receiver.ts'
import { engines } from '../../support/server.ts'

afterEach(() => rSetLogSink(null))

/** What happens before a test begins is no part of it. */
const MESSAGES = { post_type: 'message' }
const isMessage = ({ post_type }: Json): boolean => post_type === 'message'
const said = (frames: readonly Json[]): unknown[] => frames.filter(isMessage).map((frame) => frame['raw_message'])
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `${from + n}`)

/** Says numbers, in order. */
async function say(bots: Bots, from: number, to: number): Promise<void> {
  const { changes, messages } = bots.world
  const draft = (content: string) => ({ content, replyTo: null, segments: null, files: [] })
  await Promise.all(numbers(from, to).map((n) => changes.run(() => messages.post(bots.ada.id, bots.channel, draft(n)))))
}

describe.each(engines)('a link with replay, on %s', (engine) => {
  const start = (url: string, replay: OneBotReplayConfig | null = {}, more: object = {}): Promise<Bots> =>
    Bots.start(engine, {
      routes: [{ match: '/onebot/', handler: 'onebot' }],
      network: {
        websocketClients: [
          { name: 'out', enable: true, url, reconnectInterval: 50, ...(replay === null ? {} : { replay }), ...more },
        ],
      },
    })
  const isConnect = (frame: Json): boolean => frame['sub_type'] === 'connect'
  /** What was told before is known to have come. */
  const pinged = (client: BotClient): Promise<unknown> => new Promise((resolve) => client.ws.once('ping', resolve))

  /** Events that are kept, as metrics have it. */
  const waiting = async (bots: Bots): Promise<number | undefined> =>
    (await bots.metrics()).get(`events_waiting{bot="${SELF}",endpoint="out"}`)

  it('has missed nothing of 10,000 events of an outage: all come, in order, once', async () => {
    const server = await BotServer.start()
    const bots = await start(server.url)
    const first = await server.client()
    const seen = pinged(first)
    await say(bots, 0, 1)
    await seen
    await first.event({ raw_message: '0' })
    // Its Pong has been read by then.
    await first.call('get_status')
    await server.close()
    await say(bots, 1, 10_000)
    const again = await BotServer.start(server.port)
    const second = await again.client()
    await say(bots, 10_000, 10_001)
    await second.event({ raw_message: '10000' })
    expect(isConnect(second.frames[0] ?? {})).toBe(true)
    expect(said(second.frames)).toEqual(numbers(1, 10_001))
    expect(second.frames.filter((frame) => 'retry' in frame)).toEqual([])
    await expect(second.get('get_status')).resolves.toMatchObject({ stat: { packet_lost: 0 } })
  })

  it('is told what happened before it was there for the first time', async () => {
    const server = await BotServer.start()
    await server.close()
    const bots = await start(server.url)
    await say(bots, 0, 3)
    const client = await (await BotServer.start(server.port)).client()
    await client.event({ raw_message: '2' })
    expect(said(client.frames)).toEqual(['0', '1', '2'])
  })

  it('onebot trap 32: is told nothing of an outage without it', async () => {
    const server = await BotServer.start()
    const bots = await start(server.url, null)
    await (await server.client()).find(isConnect)
    await server.close()
    const api = await bots.connectApi()
    const count = async (name: string): Promise<number> =>
      Number(field(field(await api.get('get_status'), 'stat'), name))
    await expect.poll(() => count('disconnect_times')).toBe(1)
    const before = await count('packet_sent')
    await say(bots, 0, 3)
    await bots.settle()
    // But for that answer nothing is made: it would be for nobody.
    expect(await count('packet_sent')).toBe(before + 1)
    const client = await (await BotServer.start(server.port)).client()
    await client.find(isConnect)
    await say(bots, 3, 4)
    await client.event({ raw_message: '3' })
    expect(said(client.frames)).toEqual(['3'])
  })

  it('is told again, and that it is again, what it may not have heard', async () => {
    const server = await BotServer.start()
    const bots = await start(server.url)
    const first = await server.client()
    await first.find(isConnect)
    await say(bots, 0, 2)
    await first.event({ raw_message: '1' })
    await first.call('get_status')
    // From here on nothing comes through, which nobody knows.
    first.ws.pause()
    await say(bots, 2, 5)
    await bots.settle()
    first.ws.terminate()
    const second = await server.client(1)
    await say(bots, 5, 6)
    await second.event({ raw_message: '5' })
    const told = second.frames.filter(isMessage)
    expect(said(told)).toEqual(['2', '3', '4', '5'])
    expect(told.map(({ retry = false }) => retry)).toEqual([true, true, true, false])
    // The Ping that the first one has left behind asks nothing any more: what has come now does not come again.
    await say(bots, 6, 7)
    await second.event({ raw_message: '6' })
    await expect.poll(() => waiting(bots)).toBe(0)
    second.ws.terminate()
    const third = await server.client(2)
    await say(bots, 7, 8)
    await third.event({ raw_message: '7' })
    expect(said(third.frames)).toEqual(['7'])
  })

  it('loses the oldest where there are more than it may keep, counts them, and says so', async () => {
    const server = await BotServer.start()
    await server.close()
    const log = new LogLines()
    const bots = await start(server.url, { events: 3 }, { filter: MESSAGES })
    await say(bots, 0, 10)
    const client = await (await BotServer.start(server.port)).client()
    await say(bots, 10, 11)
    await client.event({ raw_message: '10' })
    expect(said(client.frames)).toEqual(['7', '8', '9', '10'])
    await expect(client.get('get_status')).resolves.toMatchObject({ stat: { packet_lost: 7 } })
    expect(log.lines.filter((line) => line.includes('events are lost'))).toEqual([
      expect.stringContaining('out: is away, or too slow: events are lost (1)'),
    ])
  })

  it('has lost what fell out while nobody knew that it did not come', async () => {
    hush()
    const server = await BotServer.start()
    const bots = await start(server.url, { events: 2 }, { filter: MESSAGES })
    const first = await server.client()
    await say(bots, 0, 1)
    await first.event({ raw_message: '0' })
    await first.call('get_status')
    first.ws.pause()
    await say(bots, 1, 6)
    await bots.settle()
    first.ws.terminate()
    const second = await server.client(1)
    await second.event({ raw_message: '5' })
    expect(said(second.frames)).toEqual(['4', '5'])
    await expect(second.get('get_status')).resolves.toMatchObject({ stat: { packet_lost: 3 } })
  })

  it('tells heartbeats only to who is there', async () => {
    const server = await BotServer.start()
    await server.close()
    const bots = await start(
      server.url,
      {},
      { heartInterval: 10, filter: { '.or': [MESSAGES, { meta_event_type: 'heartbeat' }] } },
    )
    const other = await bots.connect()
    await say(bots, 0, 1)
    await other.event({ raw_message: '0' })
    const isBeat = (frame: Json): boolean => frame['meta_event_type'] === 'heartbeat'
    const client = await (await BotServer.start(server.port)).client()
    await client.find(isBeat)
    expect(client.frames.slice(0, 2).map((frame) => frame['post_type'])).toEqual(['meta_event', 'message'])
    expect(client.frames.slice(0, 2).filter(isBeat)).toEqual([])
  })

  it('that reads slowly is told all the same, and not let go', async () => {
    const server = await BotServer.start()
    const bots = await start(server.url, { bytes: '64M' })
    const client = await server.client()
    await client.find(isConnect)
    client.ws.pause()
    const long = 'x'.repeat(3900)
    const { changes, messages } = bots.world
    const draft = (content: string) => ({ content, replyTo: null, segments: null, files: [] })
    const texts = Array.from({ length: 3000 }, (_, n) => `${n} ${long}`)
    await Promise.all(texts.map((text) => changes.run(() => messages.post(bots.ada.id, bots.channel, draft(text)))))
    await bots.settle()
    client.ws.resume()
    await client.event({ raw_message: texts.at(-1) ?? '' })
    expect(said(client.frames)).toEqual(texts)
    expect(server.clients).toHaveLength(1)
  }, 60_000)
})

describe.each(engines)('a stream with replay, on %s', (engine) => {
  const start = (replay: OneBotReplayConfig = {}) =>
    Bots.start(engine, {
      routes: [{ match: '/onebot/', handler: 'onebot', onebot: { heartInterval: 0, replay, filter: MESSAGES } }],
    })
  const idOf = (listener: Listener): string =>
    listener.text
      .match(/^id: (.+)$/gm)
      ?.at(-1)
      ?.slice(4) ?? ''
  const connect = (bots: Bots, last: string): Promise<Listener> =>
    Listener.connect(bots.port(), '/onebot/_events', last === '' ? {} : { 'Last-Event-ID': last })
  const heard = (listener: Listener): unknown[] => listener.events.map((event) => field(event, 'raw_message'))

  it('goes on behind what was heard last: nothing is missing, nothing comes twice', async () => {
    const bots = await start()
    const first = await connect(bots, '')
    await say(bots, 0, 3)
    await first.until(() => first.events.length === 3)
    first.close()
    await say(bots, 3, 6)
    const second = await connect(bots, idOf(first))
    await second.until(() => second.events.length === 3)
    await say(bots, 6, 7)
    await second.until(() => second.events.length === 4)
    expect(heard(second)).toEqual(['3', '4', '5', '6'])
  })

  it('tells who has heard nothing yet what comes', async () => {
    const bots = await start()
    await say(bots, 0, 3)
    await bots.settle()
    const listener = await connect(bots, '')
    await say(bots, 3, 4)
    await listener.until(() => listener.events.length === 1)
    expect(heard(listener)).toEqual(['3'])
  })

  it('tells all that is kept to who has heard of another process', async () => {
    const bots = await start()
    await say(bots, 0, 3)
    await bots.settle()
    const listener = await connect(bots, 'abcdef012345-977')
    await listener.until(() => listener.events.length === 3)
    expect(heard(listener)).toEqual(['0', '1', '2'])
  })

  it.each(['x', '-', '-1', '1-x', ' ', '…'])('takes %j for no number of its own', async (last) => {
    const bots = await start()
    await say(bots, 0, 1)
    await bots.settle()
    const listener = await connect(bots, encodeURIComponent(last))
    await say(bots, 1, 2)
    await listener.until(() => heard(listener).includes('1'))
    expect(listener.status).toBe(200)
  })

  it('counts what somebody has missed who was away too long', async () => {
    const bots = await start({ events: 2 })
    const first = await connect(bots, '')
    await say(bots, 0, 1)
    await first.until(() => first.events.length === 1)
    first.close()
    await say(bots, 1, 6)
    const second = await connect(bots, idOf(first))
    await second.until(() => second.events.length === 2)
    expect(heard(second)).toEqual(['4', '5'])
    const api = await bots.connectApi()
    await expect(api.get('get_status')).resolves.toMatchObject({ stat: { packet_lost: 3 } })
  })
})

describe.each(engines)('a webhook with replay, on %s', (engine) => {
  const start = (url: string, more: object = {}): Promise<Bots> =>
    Bots.start(engine, {
      network: { httpClients: [{ name: 'hook', enable: true, url, retriesInterval: 20, replay: {}, ...more }] },
    })
  const told = (posts: readonly Post[]): string[] =>
    posts
      .filter(({ event }) => isMessage(event))
      .map(({ event, headers }) => `${String(event['raw_message'])} ${String(headers['x-retry-count'] ?? '-')}`)

  it('that answers 500, then 200, is told again, which is marked; and nothing else is', async () => {
    hush()
    const receiver = await Receiver.start()
    let refusals = 2
    receiver.answer = (response, { event }) =>
      void response.writeHead(event['raw_message'] === '1' && refusals-- > 0 ? 500 : 200).end()
    const bots = await start(receiver.url)
    await say(bots, 0, 4)
    await receiver.says('3')
    expect(told(receiver.posts)).toEqual(['0 -', '1 -', '1 1', '1 2', '2 -', '3 -'])
    expect(
      new Set(receiver.posts.filter(({ event }) => event['raw_message'] === '1').map(({ body }) => body)).size,
    ).toBe(1)
  })

  it.each([408, 429, 503])('that answers %d is told later', async (status) => {
    hush()
    const receiver = await Receiver.start()
    receiver.answer = (response, _post, n) => void response.writeHead(n === 1 ? status : 204).end()
    await start(receiver.url)
    await receiver.post(() => receiver.posts.length === 2)
    expect(receiver.posts.map(({ event, headers }) => [event['sub_type'], headers['x-retry-count']])).toEqual([
      ['enable', undefined],
      ['enable', '1'],
    ])
  })

  it.each([400, 404, 410])('that answers %d has been told', async (status) => {
    hush()
    const receiver = await Receiver.start()
    receiver.answer = (response) => void response.writeHead(status).end()
    const bots = await start(receiver.url)
    await say(bots, 0, 2)
    await receiver.says('1')
    expect(told(receiver.posts)).toEqual(['0 -', '1 -'])
  })

  it('that was not there is told in order when it is, each for the first time', async () => {
    hush()
    const receiver = await Receiver.start()
    const { port } = receiver
    await new Promise((resolve) => receiver.server.close(resolve))
    const bots = await start(receiver.url.replace(/:\d+/, `:${port}`))
    await say(bots, 0, 100)
    await bots.settle()
    const again = await Receiver.start(port)
    await again.says('99')
    expect(told(again.posts)).toEqual(numbers(0, 100).map((n) => `${n} -`))
  })

  it('loses what has waited too long, and counts it', async () => {
    hush()
    const receiver = await Receiver.start()
    receiver.answer = (response, { event }) => void response.writeHead(event['raw_message'] === 'ok' ? 200 : 500).end()
    const bots = await start(receiver.url, { replay: { age: 30 }, filter: MESSAGES })
    await say(bots, 0, 3)
    const client = await bots.connect('/onebot/')
    const lost = async (): Promise<unknown> => field(field(await client.get('get_status'), 'stat'), 'packet_lost')
    await expect.poll(lost).toBe(4)
  })
})
