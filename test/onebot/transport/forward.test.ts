import { describe, expect, it, vi } from 'vitest'
import type { BotClient } from '../../support/onebot.ts'
import { binary, close, text } from '../../support/frames.ts'
import { field, Gateway, listOf, temporary } from '../../support/gateway.ts'
import { hush, LogLines } from '../../support/log-lines.ts'
import { Bots, SELF } from '../../support/onebot.ts'
import { patiently } from '../../support/patience.ts'
import { handshake, RawClient } from '../../support/raw.ts'
import { engines } from '../../support/server.ts'

const MIB50 = 52_428_800
const KEYS = ['status', 'retcode', 'data', 'message', 'wording', 'echo', 'stream']
const REFUSAL =
  '{"status":"failed","retcode":1403,"data":null,"message":"token验证失败","wording":"token验证失败","echo":null,"stream":"normal-action"}'

const isBeat = (frame: Readonly<Record<string, unknown>>): boolean => frame['meta_event_type'] === 'heartbeat'

/** A route with these, and a token where one is named. */
const route = (onebot: object = {}, token?: string, match = '/onebot/') => ({
  match,
  handler: 'onebot' as const,
  onebot,
  ...(token === undefined ? {} : { token }),
})

/** How a handshake ended: with its first frame, or why there was none. */
async function knock(bots: Bots, path: string, headers: Record<string, string> = {}): Promise<unknown> {
  const client = bots.open(path, 0, { headers })
  try {
    await client.opened()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const first = await client.find(() => true)
  return first['meta_event_type'] ?? first['retcode']
}

/** What the channel general has, oldest first. */
async function contentOf(bots: Bots): Promise<unknown[]> {
  const { body } = await bots.gateway.request('GET', `/channels/${bots.channel}/messages`, bots.ada)
  const found = listOf(Array.isArray(body) ? body : field(body, 'messages'))
  return found.map((one) => field(one, 'content')).toReversed()
}

/** Has ada say a lot: 24 MB of events in each call. */
async function flood(bots: Bots, ...readers: readonly BotClient[]): Promise<void> {
  const content = '茶'.repeat(4000)
  await bots.world.changes.run(() => {
    for (let i = 0; i < 1000; i++) {
      bots.world.messages.post(bots.ada.id, bots.channel, { content, segments: null, replyTo: null })
    }
  })
  await bots.settle(...readers)
}

describe.each(engines)('clients that connect to a bot, on %s', (engine) => {
  it.each(['', '/', '/?access_token=', '/event', '/event/', '/ws', '/api/x', '/apis', '/API', '/a//b'])(
    'onebot trap 1: are told by a lifecycle event first, and may ask: %j',
    async (path) => {
      const bots = await Bots.start(engine)
      const client = await bots.open(`/onebot${path}`).opened()
      const first = await client.find(() => true)
      expect(first).toEqual({
        time: first['time'],
        self_id: SELF,
        post_type: 'meta_event',
        meta_event_type: 'lifecycle',
        sub_type: 'connect',
      })
      expect(String(first['time'])).toMatch(/^\d{10}$/)
      expect(await client.get('get_login_info')).toEqual({ user_id: SELF, nickname: 'robo' })
      await bots.gateway.post(bots.ada, bots.channel, 'tea')
      expect(await client.event({ post_type: 'message' })).toMatchObject({ raw_message: 'tea' })
    },
  )

  it.each(['/api', '/api/', '/api?a=b', '/api/?a=b'])(
    'onebot trap 1: are told nothing where they only ask: %j',
    async (path) => {
      const bots = await Bots.start(engine)
      const client = await bots.connect()
      const api = await bots.connectApi(`/onebot${path}`)
      await bots.gateway.post(bots.ada, bots.channel, 'tea')
      await client.event({ post_type: 'message' })
      expect((await api.call('get_login_info')).data).toEqual({ user_id: SELF, nickname: 'robo' })
      expect(api.frames).toHaveLength(1)
    },
  )

  it('have the same on a port of its own', async () => {
    const bots = await Bots.start(engine, {
      routes: [],
      network: { websocketServers: [{ name: 'main', enable: true, port: 0 }] },
    })
    const client = await bots.connect('/', 1)
    const event = await bots.connect('/event', 1)
    const api = await bots.connectApi('/api', 1)
    expect(await api.get('get_login_info')).toEqual({ user_id: SELF, nickname: 'robo' })
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    for (const one of [client, event]) expect(await one.event({ post_type: 'message' })).toBeDefined()
    await bots.settle(client, event, api)
    expect(api.events).toEqual([])
  })

  it('onebot trap 2: have heartbeats where they are told, and none where they only ask', async () => {
    const bots = await Bots.start(engine, { routes: [route({ heartInterval: 20 })] })
    const [client, api] = [await bots.connect(), await bots.connectApi()]
    for (let from = 0; from < 3; from++) {
      await client.find((frame) => isBeat(frame) && client.frames.indexOf(frame) > from)
    }
    const beat = client.frames.find(isBeat)
    expect(beat).toEqual({
      time: beat?.['time'],
      self_id: SELF,
      post_type: 'meta_event',
      meta_event_type: 'heartbeat',
      status: { online: true, good: true },
      interval: 20,
    })
    await api.call('get_status')
    expect(api.frames).toHaveLength(1)
  })

  it('onebot trap 2: have no heartbeats at all with an interval of 0', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ heartInterval: 0 }), route({ heartInterval: 10 }, undefined, '/beats/')],
    })
    const [client, beaten] = [await bots.connect(), await bots.connect('/beats/')]
    for (let beats = 0; beats < 5;) {
      await beaten.find(isBeat, beaten.frames.length)
      beats = beaten.frames.filter(isBeat).length
    }
    await client.call('get_status')
    expect(client.frames.filter(isBeat)).toEqual([])
  })

  it('onebot trap 3: may say an empty token and a good header, but no wrong token', async () => {
    const bots = await Bots.start(engine, { routes: [route({}, 'sesame')] })
    const good = { Authorization: 'Bearer sesame' }
    expect(await knock(bots, '/onebot/?access_token=', good)).toBe('lifecycle')
    expect(await knock(bots, '/onebot/?access_token=wrong', good)).toBe(1403)
    expect(await knock(bots, '/onebot/?access_token=sesame', { Authorization: 'Bearer wrong' })).toBe('lifecycle')
  })

  it.each([
    ['Bearer sesame', 'lifecycle'],
    ['bearer sesame', 'lifecycle'],
    ['BEARER   sesame', 'lifecycle'],
    ['Token sesame', 'lifecycle'],
    ['token sesame', 'lifecycle'],
    ['sesame', 'lifecycle'],
    ['Bearer Sesame', 1403],
    ['Bearer sesame2', 1403],
    ['Bearer', 1403],
    ['Bearer ', 1403],
    ['Basic sesame', 1403],
    ['Bearer Bearer sesame', 1403],
    ['', 1403],
  ])('onebot trap 4: may have a header %j: %j', async (Authorization, expected) => {
    const bots = await Bots.start(engine, { routes: [route({}, 'sesame')] })
    expect(await knock(bots, '/onebot/', Authorization === '' ? {} : { Authorization })).toBe(expected)
  })

  it('may say a token where none is needed', async () => {
    const bots = await Bots.start(engine)
    expect(await knock(bots, '/onebot/', { Authorization: 'Token undefined' })).toBe('lifecycle')
    expect(await knock(bots, '/onebot/?access_token=x')).toBe('lifecycle')
  })

  it.each(['/onebot/', '/onebot/api', '/onebot/event/'])(
    'onebot trap 5: are told of a wrong token in one frame, and not heard: %s',
    async (path) => {
      const bots = await Bots.start(engine, { routes: [route({}, 'sesame')] })
      const asked = JSON.stringify({
        action: 'send_group_msg',
        params: { group_id: bots.group, message: 'let me in' },
        echo: 1,
      })
      const client = await RawClient.connect(bots.port())
      client.send(Buffer.concat([handshake(`${path}?access_token=wrong`), text(asked), binary(Buffer.from(asked))]))
      const { status } = await client.response()
      expect(status).toBe(101)
      const told = await client.frame()
      expect([told.opcode, told.payload.toString()]).toEqual([1, REFUSAL])
      const end = await client.frame()
      expect([end.opcode, end.payload.length]).toEqual([8, 0])
      client.send(close())
      expect((await client.rest()).length).toBe(0)
      const good = await bots.connect('/onebot/?access_token=sesame')
      await bots.settle(good)
      expect(await contentOf(bots)).toEqual([])
    },
  )

  it('onebot trap 5: see no code at the end of that, on a port of its own alike', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({}, 'sesame')],
      network: { websocketServers: [{ name: 'main', enable: true, port: 0, token: 'sesame' }] },
    })
    for (const client of [await bots.open().opened(), await bots.open('/', 1).opened()]) {
      expect(await client.closed).toBe(1005)
      expect(client.texts).toEqual([REFUSAL])
    }
  })

  it('onebot trap 6: have their token decoded', async () => {
    const bots = await Bots.start(engine, { routes: [route({}, 'a+b')] })
    expect(await knock(bots, '/onebot/?access_token=a%2Bb')).toBe('lifecycle')
    expect(await knock(bots, '/onebot/?access_token=a+b')).toBe(1403)
    const spaced = await Bots.start(engine, { routes: [route({}, 'a b 茶')] })
    expect(await knock(spaced, `/onebot/?x=1&access_token=a+b%20${encodeURIComponent('茶')}`)).toBe('lifecycle')
    expect(await knock(spaced, '/onebot/?access_token=%E8')).toBe(1403)
  })

  it('are refused by HTTP where that is wanted', async () => {
    const bots = await Bots.start(engine, { routes: [route({ wsAuthFailure: 'http' }, 'sesame')] })
    expect(await knock(bots, '/onebot/')).toMatch(/401/)
    expect(await knock(bots, '/onebot/?access_token=wrong')).toMatch(/403/)
    expect(await knock(bots, '/onebot/api', { Authorization: 'Bearer wrong' })).toMatch(/403/)
    expect(await knock(bots, '/onebot/?access_token=sesame')).toBe('lifecycle')
  })

  it('onebot trap 7: have their echo back as it was', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    for (const echo of ['x', 0, false, { seq: 1 }, [1], null, 1.5, '', 'a\u2028"\\']) {
      const from = api.frames.length
      api.send({ action: 'get_status', echo })
      expect((await api.find(() => true, from))['echo']).toEqual(echo)
    }
    const from = api.frames.length
    api.send({ action: 'get_status' })
    expect((await api.find(() => true, from))['echo']).toBe('')
  })

  it('onebot trap 8: have all fields in each answer', async () => {
    const bots = await Bots.start(engine)
    const client = await bots.connect()
    const group = { group_id: bots.group }
    for (const [action, params] of [
      ['get_status', {}],
      ['set_group_card', { ...group, user_id: SELF, card: 'kettle' }],
      ['get_weather', {}],
      ['get_cookies', {}],
      ['get_group_info', {}],
      ['get_group_info', { group_id: 5 }],
    ] as const) {
      const answer = await client.call(action, params)
      expect(Object.keys(answer)).toEqual(KEYS)
      if (answer.retcode !== 0 || action === 'set_group_card') expect(answer.data).toBeNull()
    }
  })

  it('onebot trap 9: may write JSON5, and stay where they write nothing', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    api.send("{action:'get_status', /* c */ echo:1,}")
    expect(await api.find(() => true)).toMatchObject({ retcode: 0, echo: 1 })
    api.send('{"action":')
    expect(await api.find(() => true, 1)).toMatchObject({
      retcode: 1400,
      message: 'json解析失败,请检查数据格式',
      echo: null,
    })
    api.send('{"action":"get_status","echo":"mine",')
    expect(await api.find(() => true, 2)).toMatchObject({ retcode: 1400, echo: 'mine' })
    expect(await api.get('get_login_info')).toBeDefined()
  })

  it('onebot trap 10: have an answer to what asks for nothing', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    for (const [i, said] of ['5', 'null', 'true', '"x"', '', ' '].entries()) {
      api.send(said)
      expect(await api.find(() => true, i)).toMatchObject({ status: 'failed', retcode: 1400, echo: null })
    }
    for (const said of ['{}', '{"action":5}', '{"action":"get_weather"}', '{"action":""}']) {
      const from = api.frames.length
      api.send(said)
      expect(await api.find(() => true, from)).toMatchObject({ status: 'failed', retcode: 1404, data: null })
    }
    expect(await api.get('get_login_info')).toBeDefined()
  })

  it('onebot trap 11: are told that there is no message', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    expect(await api.call('send_group_msg', { group_id: bots.group })).toMatchObject({
      retcode: 1400,
      message: 'message: is needed',
    })
  })

  it('onebot trap 12: may say ids as text', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    const [one, other] = [
      await api.get('get_group_info', { group_id: bots.group }),
      await api.get('get_group_info', { group_id: String(bots.group) }),
    ]
    expect(one).toEqual(other)
    expect(field(one, 'group_id')).toBe(bots.group)
  })

  it('are heard in binary frames alike', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    api.send(Buffer.from('{"action":"get_login_info","echo":"茶"}'))
    expect(await api.find(() => true)).toMatchObject({ retcode: 0, echo: '茶' })
  })

  it('are answered however deep it goes', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    api.send(`{"action":"get_status","params":{"x":${deep}},"echo":1}`)
    expect(await api.find(() => true)).toMatchObject({ retcode: 0, echo: 1 })
    api.send(`{"action":"send_group_msg","params":{"group_id":${bots.group},"message":${deep}},"echo":2}`)
    expect(await api.find(() => true, 1)).toMatchObject({ retcode: 1400, echo: 2 })
    const inside = `{"type":"json","data":{"x":${deep}}}`
    api.send(`{"action":"send_group_msg","params":{"group_id":${bots.group},"message":${inside}},"echo":3}`)
    expect(await api.find(() => true, 2)).toMatchObject({ status: 'failed', echo: 3 })
    api.send(`{"action":"get_status","echo":${deep}}`)
    expect(await api.find(() => true, 3)).toMatchObject({ retcode: 1400, echo: null })
    expect(await api.get('get_login_info')).toBeDefined()
  })

  it('onebot trap 34: may send 50 MiB at once, and are dropped with a byte more, alone', async () => {
    const bots = await Bots.start(engine)
    const [api, other] = [await bots.connectApi(), await bots.connect()]
    const head = '{"action":"get_login_info","echo":"big","pad":"'
    const of = (bytes: number): string => `${head}${'x'.repeat(bytes - head.length - 2)}"}`
    api.send(of(MIB50))
    expect(await api.find((frame) => frame['echo'] === 'big')).toMatchObject({ retcode: 0 })
    api.send(of(MIB50 + 1))
    expect([1006, 1009]).toContain(await api.closed)
    expect(api.frames).toHaveLength(1)
    expect(await other.get('get_login_info')).toBeDefined()
  })

  it('onebot trap 35: that never read delay nobody, and are closed before memory is', async () => {
    hush()
    const bots = await Bots.start(engine, { routes: [route(), route({}, undefined, '/two/')] })
    const reader = await bots.connect()
    const before = bots.gateway.host.connections
    const stalled = await RawClient.open(bots.port(), '/onebot/')
    stalled.socket.pause()
    const count = (): number => reader.events.length
    for (let i = 1; i <= 6; i++) {
      await flood(bots, reader)
      expect(count()).toBe(1000 * i)
    }
    await expect.poll(() => bots.gateway.host.connections, { timeout: 15_000, interval: 5 }).toBe(before)
    expect(await reader.get('get_login_info')).toBeDefined()
    stalled.destroy()
  })

  it('miss events where they read too slowly and nothing is forced on them', async () => {
    hush()
    const bots = await Bots.start(engine, { routes: [route({ enableForcePushEvent: false })] })
    const [reader, slow] = [await bots.connect(), await bots.connect()]
    slow.ws.pause()
    for (let i = 0; i < 6; i++) await flood(bots, reader)
    expect(reader.events).toHaveLength(6000)
    slow.ws.resume()
    const again = (): boolean => slow.events.some((event) => event['raw_message'] === 'still there?')
    while (!again()) {
      await bots.gateway.post(bots.ada, bots.channel, 'still there?')
      await bots.settle(reader)
    }
    const seen = slow.events.filter((event) => event['raw_message'] !== 'still there?').length
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThan(6000)
  })

  it('share the text of an event: it is made once for all that have it alike', async () => {
    const bots = await Bots.start(engine, {
      routes: [
        route(),
        route({}, undefined, '/two/'),
        { ...route({}, undefined, '/kettle/'), bot: 'kettle' },
        route({ messagePostFormat: 'string' }, undefined, '/string/'),
      ],
    })
    await bots.bring('kettle')
    const alike = await Promise.all(['/onebot/', '/onebot/', '/onebot/', '/two/'].map((path) => bots.connect(path)))
    const kettle = await bots.connect('/kettle/')
    const string = await bots.connect('/string/')
    const made: unknown[] = []
    const { stringify } = JSON
    const spy = vi.spyOn(JSON, 'stringify').mockImplementation((...args: Parameters<typeof stringify>) => {
      const value: unknown = args[0]
      if (field(value, 'post_type') === 'message') made.push(value)
      return stringify(...args)
    })
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await Promise.all([...alike, kettle, string].map((client) => client.event({ raw_message: 'tea' })))
    spy.mockRestore()
    expect(
      made.map((one) => field(one, 'message_format')).toSorted((a, b) => String(a).localeCompare(String(b))),
    ).toEqual(['array', 'string'])
    const texts = alike.map((client) => client.texts.find((one) => one.includes('"message"')))
    expect(new Set(texts).size).toBe(1)
    const number = field(kettle.frames[0], 'self_id')
    expect(number).not.toBe(SELF)
    expect(kettle.texts.find((one) => one.includes('"message"'))).toBe(
      texts[0]?.replace(`"self_id":${SELF}`, `"self_id":${String(number)}`),
    )
  })

  it('onebot trap 19: have events and answers in their own format', async () => {
    const bots = await Bots.start(engine, {
      routes: [route(), route({ messagePostFormat: 'string' }, undefined, '/string/')],
    })
    const [array, string] = [await bots.connect(), await bots.connect('/string/')]
    await bots.gateway.post(bots.ada, bots.channel, '[tea] & @robo')
    const [one, other] = [await array.event({ post_type: 'message' }), await string.event({ post_type: 'message' })]
    const raw = `&#91;tea&#93; &amp; [CQ:at,qq=${SELF},name=robo]`
    expect(one).toMatchObject({ message_format: 'array', raw_message: raw })
    expect(Array.isArray(one['message'])).toBe(true)
    // Trap 18, too.
    expect(other).toMatchObject({ message_format: 'string', raw_message: raw, message: raw })
    expect(other['message_id']).toBe(one['message_id'])
    const { message_id } = one
    expect(field(await array.get('get_msg', { message_id }), 'message')).toEqual(one['message'])
    expect(field(await string.get('get_msg', { message_id }), 'message')).toBe(raw)
  })

  it('onebot trap 20: are told what the bot says where that is wanted, behind the answer', async () => {
    const bots = await Bots.start(engine, {
      routes: [route(), route({ reportSelfMessage: true }, undefined, '/self/')],
    })
    const [quiet, loud, other] = [await bots.connect(), await bots.connect('/self/'), await bots.connect('/self/')]
    const sent = await loud.get('send_group_msg', { group_id: bots.group, message: 'coming' })
    const event = await loud.event({ post_type: 'message_sent' })
    expect(event).toMatchObject({
      message_id: field(sent, 'message_id'),
      message_sent_type: 'self',
      user_id: SELF,
      target_id: bots.group,
      raw_message: 'coming',
    })
    const answered = loud.frames.findIndex((frame) => field(frame, 'data', 'message_id') === event['message_id'])
    expect(answered).toBeGreaterThan(0)
    expect(loud.frames.indexOf(event)).toBeGreaterThan(answered)
    expect(await other.event({ post_type: 'message_sent' })).toEqual(event)
    await quiet.get('send_group_msg', { group_id: bots.group, message: 'again' })
    await bots.settle(quiet, loud)
    expect(quiet.events).toEqual([])
    expect(loud.events).toHaveLength(2)
  })

  it('are answered before what they cause each time', async () => {
    const bots = await Bots.start(engine, { routes: [route({ reportSelfMessage: true })] })
    const client = await bots.connect()
    for (let i = 0; i < 50; i++) {
      client.send({ action: 'send_group_msg', params: { group_id: bots.group, message: `m${i}` }, echo: i })
    }
    await client.event({ raw_message: 'm49' })
    for (let i = 0; i < 50; i++) {
      const answer = client.frames.findIndex((frame) => frame['echo'] === i)
      const event = client.frames.findIndex((frame) => frame['raw_message'] === `m${i}`)
      expect([i, answer > 0 && answer < event]).toEqual([i, true])
    }
  })

  it('have what they say in order', async () => {
    const bots = await Bots.start(engine)
    const api = await bots.connectApi()
    for (let i = 0; i < 20; i++) {
      api.send({ action: 'send_group_msg', params: { group_id: bots.group, message: `m${i}` }, echo: i })
    }
    const last = await api.find((frame) => frame['echo'] === 19)
    const ids = api.frames.map((frame) => Number(field(frame, 'data', 'message_id')))
    expect(api.frames.map((frame) => frame['echo'])).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    expect(field(last, 'data', 'message_id')).toBe(ids.at(-1))
    expect(await contentOf(bots)).toEqual(Array.from({ length: 20 }, (_, i) => `m${i}`))
  })

  it('have what they say in order, also behind messages that are sent on together', async () => {
    const message = [{ type: 'node', data: { content: 'first' } }]
    const bots = await Bots.start(engine)
    const raw = await RawClient.open(bots.port(), '/onebot/api')
    const asked = (said: unknown, echo: number): Buffer =>
      text(JSON.stringify({ action: 'send_group_msg', params: { group_id: bots.group, message: said }, echo }))
    raw.send(Buffer.concat([asked(message, 1), asked('second', 2)]))
    const ids = new Map<unknown, number>()
    while (ids.size < 2) {
      const answer: unknown = JSON.parse((await raw.frame()).payload.toString())
      ids.set(field(answer, 'echo'), Number(field(answer, 'data', 'message_id')))
    }
    raw.destroy()
    expect(ids.get(1)).toBeLessThan(ids.get(2) ?? 0)
  })

  it('need no sub-protocol, and are given none', async () => {
    const bots = await Bots.start(engine)
    const raw = await RawClient.connect(bots.port())
    raw.send(handshake('/onebot/', { 'Sec-WebSocket-Protocol': 'onebot, v11' }))
    const { status, head } = await raw.response()
    expect([status, /sec-websocket-protocol/i.test(head)]).toEqual([101, false])
    raw.destroy()
  })

  it('onebot trap 41: have no echo in events, and no post_type in answers', async () => {
    const bots = await Bots.start(engine)
    const client = await bots.connect()
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await client.event({ post_type: 'message' })
    await client.call('get_status')
    for (const frame of client.frames) expect('echo' in frame).not.toBe('post_type' in frame)
  })

  it('have messages as the world has them, and their frames in the log, with debug', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ debug: true, name: 'loud' }), route({ name: 'plain' }, undefined, '/plain/')],
    })
    const [client, plain] = [await bots.connect(), await bots.connect('/plain/')]
    const log = new LogLines()
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    const event = await client.event({ post_type: 'message' })
    expect(event).toHaveProperty('raw')
    expect(await plain.event({ post_type: 'message' })).not.toHaveProperty('raw')
    client.send('{"action":"get_status","params":{"access_token":"sesame1","token":"sesame2"},"echo":"logged"}')
    await client.find((frame) => frame['echo'] === 'logged')
    const lines = log.lines.filter((line) => line.includes('loud'))
    expect(lines.some((line) => line.includes('> {"time":') && line.includes('"raw_message":"tea"'))).toBe(true)
    expect(lines.some((line) => line.includes('< {"action":"get_status"'))).toBe(true)
    expect(lines.some((line) => line.includes('> {"status":"ok"') && line.includes('"echo":"logged"'))).toBe(true)
    const image = '[CQ:image,file=base64://R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=]'
    await client.get('send_group_msg', { group_id: bots.group, message: image })
    const page = await client.get('get_group_msg_history', { group_id: bots.group })
    expect(JSON.stringify(page)).toMatch(/[?&]s=[\w-]{20}/)
    expect(log.lines.join('\n')).toContain('&s=…')
    expect(log.lines.join('\n')).not.toMatch(/[?&]s=\w/)
    expect(log.lines.join('\n')).not.toMatch(/sesame/)
    expect(log.lines.join('\n')).not.toContain('plain')
  })

  it.each([
    "{action:'get_status',params:{access_token:'sesame'},echo:1}",
    '{"action":"get_status","params":{"token":"a\\"sesame"},"echo":1}',
  ])('have no token in the log however it is written: %s', async (said) => {
    const bots = await Bots.start(engine, { routes: [route({ debug: true })] })
    const client = await bots.connect()
    const log = new LogLines()
    client.send(said)
    await client.find((frame) => frame['echo'] === 1)
    expect(log.lines.join('\n')).not.toMatch(/sesame/)
  })

  it('wait where they ask too often, and are not refused', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ rateLimit: { enabled: true, frequency: 50, bucket: 2 } })],
    })
    const api = await bots.connectApi()
    const from = performance.now()
    for (let echo = 0; echo < 6; echo++) api.send({ action: 'get_status', echo })
    await api.find((frame) => frame['echo'] === 5)
    // Two at once, and four at 20 ms each; clocks are not that exact.
    expect(performance.now() - from).toBeGreaterThan(70)
    expect(api.frames.map((frame) => [frame['echo'], frame['retcode']])).toEqual(
      Array.from({ length: 6 }, (_, i) => [i, 0]),
    )
  })

  it('wait each for themselves', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ rateLimit: { enabled: true, frequency: 0.001, bucket: 1 } })],
      // A stop waits as long for the call that waits.
      web: { timeouts: { drain: 0.1 } },
    })
    const [one, other] = [await bots.connect(), await bots.connectApi()]
    await one.call('get_status')
    one.send({ action: 'get_status', echo: 'never' })
    expect(await other.get('get_login_info')).toBeDefined()
    // Events do not.
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    expect(await one.event({ raw_message: 'tea' })).toBeDefined()
    expect(one.frames.some((frame) => frame['echo'] === 'never')).toBe(false)
  })

  it('are told of what passes their filter, behind the first event', async () => {
    const filter = { '.or': [{ raw_message: { '.regex': '^tea' } }, { post_type: 'request' }] }
    const bots = await Bots.start(engine, {
      routes: [route({ filter, heartInterval: 10 }), route({ heartInterval: 10 }, undefined, '/all/')],
    })
    const [client, all] = [await bots.connect(), await bots.connect('/all/')]
    await all.find(isBeat)
    await bots.gateway.post(bots.ada, bots.channel, 'coffee')
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await client.event({ raw_message: 'tea' })
    expect(client.frames.filter((frame) => 'post_type' in frame).map((frame) => frame['raw_message'])).toEqual([
      undefined,
      'tea',
    ])
  })

  it.each<[string, object, string, Record<string, string>, unknown]>([
    ['a program', {}, '', {}, 'lifecycle'],
    ['its own page', {}, '', { Origin: 'own' }, 'lifecycle'],
    ['another page', {}, '', { Origin: 'https://evil.example' }, 403],
    ['a page of nowhere', {}, '', { Origin: 'null' }, 403],
    [
      'a page of a name that was made to lead here',
      {},
      '',
      { Origin: 'http://evil.example', Host: 'evil.example' },
      403,
    ],
    ['a listed page', { origins: ['https://good.example'] }, '', { Origin: 'https://good.example' }, 'lifecycle'],
    ['a page that is not listed', { origins: ['https://good.example'] }, '', { Origin: 'https://evil.example' }, 403],
    ['any page', { origins: ['*'] }, '', { Origin: 'https://evil.example' }, 'lifecycle'],
    [
      'another page with a token',
      { token: 'sesame' },
      '?access_token=sesame',
      { Origin: 'https://evil.example' },
      'lifecycle',
    ],
    [
      'a page that is not listed, with a token',
      { token: 'sesame', origins: ['https://good.example'] },
      '?access_token=sesame',
      { Origin: 'https://evil.example' },
      403,
    ],
  ])('may be %s', async (_who, more, query, headers, expected) => {
    const bots = await Bots.start(engine, { routes: [{ ...route(), ...more }] })
    const Origin = headers['Origin'] === 'own' ? `http://127.0.0.1:${bots.port()}` : headers['Origin']
    const came = await knock(bots, `/onebot/${query}`, Origin === undefined ? {} : { ...headers, Origin })
    if (typeof expected === 'number') expect(came).toContain(String(expected))
    else expect(came).toBe(expected)
  })

  it('are not let in where there are no WebSockets, and told where there is nothing else', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ webSockets: false })],
      network: {
        websocketServers: [
          { name: 'main', enable: true, port: 0 },
          { name: 'off', port: 0 },
        ],
      },
    })
    expect(await knock(bots, '/onebot/')).toMatch(/404/)
    expect(bots.gateway.host.listening).toHaveLength(2)
    const answer = await fetch(`http://127.0.0.1:${bots.port(1)}/get_status`)
    expect([answer.status, answer.headers.get('upgrade')]).toEqual([426, 'websocket'])
  })

  it('are not served at all with a filter that is broken', async () => {
    for (const filter of [{ '.like': 'tea' }, { raw_message: { '.regex': '(' } }, { '.or': {} }]) {
      await expect(Bots.start(engine, { routes: [route({ filter })] })).rejects.toThrow(/\.like|regular|\.or/)
    }
  })

  it('have a token that was made at the first start, and is kept', async () => {
    const folder = temporary()
    const options = { routes: [route({ generateToken: true })], folder }
    const bots = await Bots.start(engine, options)
    const token = /The token of \/onebot\/ is (\S+):/.exec(bots.gateway.host.notes.join('\n'))?.[1] ?? ''
    expect(token.length).toBeGreaterThanOrEqual(22)
    expect(await knock(bots, '/onebot/')).toBe(1403)
    expect(await knock(bots, `/onebot/?access_token=${token}`)).toBe('lifecycle')
    await bots.gateway.host.stop()
    const again = await Gateway.start(engine, {}, folder, {
      routes: [{ match: '/ws', handler: 'gateway' }, ...options.routes],
    })
    expect(again.host.notes.join('\n')).not.toContain(token)
    const answer = await fetch(`http://127.0.0.1:${again.port}/onebot/get_status?access_token=${token}`)
    expect(answer.status).toBe(200)
  })

  it('are counted', async () => {
    const bots = await Bots.start(engine)
    const client = await bots.connect()
    const gone = await bots.connect()
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await gone.event({ raw_message: 'tea' })
    await client.get('send_group_msg', { group_id: bots.group, message: 'a' })
    await gone.close()
    await patiently(
      (async () => {
        while (Number(field(await client.get('get_status'), 'stat', 'disconnect_times')) < 1);
      })(),
      () => 'not counted',
    )
    expect(field(await client.get('get_status'), 'stat')).toMatchObject({
      message_received: 1,
      message_sent: 1,
      disconnect_times: 1,
    })
  })

  it('are closed when the bot goes', async () => {
    const bots = await Bots.start(engine)
    const [client, api] = [await bots.connect(), await bots.connectApi()]
    await bots.gateway.host.stop()
    expect([await client.closed, await api.closed]).toEqual([1001, 1001])
  })
})
