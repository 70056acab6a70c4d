import { describe, expect, it } from 'vitest'
import { expectError, field, Gateway, idOf, keysOf, knock, listOf, type Person, readyOf } from '../support/gateway.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const NOWHERE = '01890000-0000-7000-8000-000000000000'
const REVOKED = { code: 1000, reason: 'bot_revoked' }

async function make(gateway: Gateway, creator: Person, body: object = { name: 'Buoy' }) {
  const reply = await gateway.request('POST', '/bots', creator, body)
  expect(reply.status).toBe(201)
  const bot = field(reply.body, 'bot')
  return { reply, bot, id: idOf(bot), userId: String(field(bot, 'user_id')), token: String(field(reply.body, 'token')) }
}

const exchange = async (gateway: Gateway, token: string): Promise<{ readonly token: string }> => {
  const { status, body } = await gateway.request('POST', '/bots/connect', `Bot ${token}`)
  expect(status).toBe(200)
  return { token: String(field(body, 'access_token')) }
}

describe.each(engines)('bots, on %s', (engine) => {
  it('are made by people, with a token that is told once', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { reply, bot, id, token } = await make(gateway, ada, { name: 'Harbour Buoy!', description: 'rings' })
    expect(keysOf(reply.body)).toEqual(['bot', 'token'])
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(keysOf(bot)).toEqual(['id', 'user_id', 'name', 'description', 'created_by', 'revoked_at', 'created_at'])
    expect(bot).toEqual({
      id,
      user_id: String(field(bot, 'user_id')),
      name: 'Harbour Buoy!',
      description: 'rings',
      created_by: ada.id,
      revoked_at: null,
      created_at: TIME,
    })
    expect((await gateway.request('GET', `/bots/${id}`, ada)).body).toEqual(bot)
    const list = await gateway.request('GET', '/bots', ada)
    expect(list.body).toEqual({ bots: [bot] })
    expect(list.text).not.toContain(token)
    const self = await gateway.request('GET', '/users/@me', `Bot ${token}`)
    expect(field(self.body, 'username')).toMatch(/^harbour-buoy-bot-[0-9a-f]{8}$/)
    expect([field(self.body, 'is_admin'), field(self.body, 'email')]).toEqual([false, null])
  })

  it('are refused names without a letter or a digit, and one over 25', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    for (const name of ['', '!', '🛥', 'x'.repeat(65), null, 5, undefined, 'a\0']) {
      expectError(await gateway.request('POST', '/bots', ada, { name }), 400, 'VALIDATION')
    }
    for (const description of ['x'.repeat(513), 5]) {
      expectError(await gateway.request('POST', '/bots', ada, { name: 'Buoy', description }), 400, 'VALIDATION')
    }
    const first = await make(gateway, ada, { name: `🛥${'x'.repeat(63)}`, description: '🛥'.repeat(512) })
    for (let i = 1; i < 25; i++) await make(gateway, ada)
    expectError(await gateway.request('POST', '/bots', ada, { name: 'Buoy' }), 400, 'LIMIT')
    await gateway.request('DELETE', `/bots/${first.id}`, ada)
    await make(gateway, ada)
  })

  it('gateway trap T52: one that is revoked is gone at once, with all its tokens', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const server = await gateway.server(ada, brin)
    const { id, token } = await make(gateway, ada)
    const other = await make(gateway, ada, { name: 'Other' })
    await gateway.request('POST', `/servers/${server.id}/join`, `Bot ${token}`)
    const access = await exchange(gateway, token)
    const peer = await gateway.connect(brin)
    const kept = await gateway.connect(`bot_token=${other.token}`)
    const clients = [await gateway.connect(`bot_token=${token}`), await gateway.connect(access)]
    await gateway.got(peer)
    expect(await gateway.request('DELETE', `/bots/${id}`, ada)).toMatchObject({ status: 204, text: '' })
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([REVOKED, REVOKED])
    expect(await gateway.got(peer, kept)).toEqual([['PRESENCE_UPDATE'], []])
    for (const as of [access, `Bot ${token}`])
      expectError(await gateway.request('GET', '/users/@me', as), 401, 'UNAUTHORIZED')
    expectError(await gateway.request('POST', '/bots/connect', `Bot ${token}`), 401, 'UNAUTHORIZED')
    expect((await knock(gateway, `token=${access.token}`)).status).toBe(401)
    expectError(await gateway.request('DELETE', `/bots/${id}`, ada), 404, 'NOT_FOUND')
    for (const [method, path, body] of [
      ['PATCH', `/bots/${id}`, { name: 'x' }],
      ['POST', `/bots/${id}/token/regenerate`, {}],
    ] as const) {
      expect((await gateway.request(method, path, ada, body)).status).toBe(400)
    }
    expect(field((await gateway.request('GET', `/bots/${id}`, ada)).body, 'revoked_at')).toEqual(TIME)
  })

  it('gateway trap T52: a bot is a bot with either token, and does not do what people do', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { id, token } = await make(gateway, ada)
    const access = await exchange(gateway, token)
    const people: [string, string, unknown?][] = [
      ['POST', '/bots', { name: 'Child' }],
      ['GET', '/bots'],
      ['GET', `/bots/${id}`],
      ['PATCH', `/bots/${id}`, { name: 'x' }],
      ['DELETE', `/bots/${id}`],
      ['POST', `/bots/${id}/token/regenerate`, {}],
      ['POST', '/auth/logout-all', {}],
      ['POST', '/auth/password', { current_password: 'x', new_password: 'long enough' }],
    ]
    for (const [method, path, body] of people) {
      for (const as of [`Bot ${token}`, access]) {
        const reply = await gateway.request(method, path, as, body)
        expect([method, path, reply.status, field(reply.body, 'code')]).toEqual([method, path, 403, 'FORBIDDEN'])
      }
    }
    expectError(await gateway.request('POST', '/bots/connect', ada), 403, 'FORBIDDEN')
    expectError(await gateway.request('POST', '/bots/connect', access), 403, 'FORBIDDEN')
    expectError(await gateway.request('POST', '/bots/connect'), 401, 'UNAUTHORIZED')
    // A logout of nothing changes nothing.
    expect((await gateway.request('POST', '/auth/logout', `Bot ${token}`)).status).toBe(204)
    expect((await gateway.request('GET', '/users/@me', access)).status).toBe(200)
  })

  it('get another token, and lose the one before', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { id, token } = await make(gateway, ada)
    const access = await exchange(gateway, token)
    const clients = [await gateway.connect(`bot_token=${token}`), await gateway.connect(access)]
    const reply = await gateway.request('POST', `/bots/${id}/token/regenerate`, ada)
    const next = String(field(reply.body, 'token'))
    expect([reply.status, keysOf(reply.body), idOf(field(reply.body, 'bot'))]).toEqual([200, ['bot', 'token'], id])
    expect(next).toMatch(/^[0-9a-f]{64}$/)
    expect(next).not.toBe(token)
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([REVOKED, REVOKED])
    for (const as of [access, `Bot ${token}`]) expect((await gateway.request('GET', '/users/@me', as)).status).toBe(401)
    expect((await gateway.request('GET', '/users/@me', await exchange(gateway, next))).status).toBe(200)
    const client = await gateway.connect(`bot_token=${next}`)
    expect(await gateway.got(client)).toEqual([[]])
  })

  it('belong to who made them: for others they are not there', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { id } = await make(gateway, ada)
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/token/regenerate', {}],
    ]
    for (const [method, rest, body] of calls) {
      const reply = await gateway.request(method, `/bots/${id}${rest}`, brin, body)
      const missing = await gateway.request(method, `/bots/${NOWHERE}${rest}`, brin, body)
      expect([reply.status, reply.text]).toEqual([404, missing.text])
    }
    expect((await gateway.request('GET', '/bots', brin)).body).toEqual({ bots: [] })
    const changed = await gateway.request('PATCH', `/bots/${id.toUpperCase()}`, ada, {
      name: 'Bell',
      description: null,
    })
    expect(changed.body).toMatchObject({ id, name: 'Bell', description: null })
    for (const body of [{}, { name: null }, { other: 1 }]) {
      expectError(await gateway.request('PATCH', `/bots/${id}`, ada, body), 400, 'VALIDATION')
    }
  })

  it('join servers, write, and hear like people', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { id, channel } = await gateway.server(ada, brin)
    const { userId, token } = await make(gateway, ada)
    const as = `Bot ${token}`
    expect((await gateway.request('POST', `/servers/${id}/join`, as)).status).toBe(201)
    const clients = [
      await gateway.connect(`bot_token=${token}`),
      await gateway.connect(await exchange(gateway, token)),
      await gateway.connect(brin),
    ] as const
    await gateway.got(...clients)
    expect(listOf(field(readyOf(clients[0]), 'servers')).map(idOf)).toEqual([id])
    const { status, body } = await gateway.request('POST', `/channels/${channel}/messages`, as, { content: 'fog' })
    expect([status, field(body, 'author_id')]).toEqual([201, userId])
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_CREATE'], ['MESSAGE_CREATE'], ['MESSAGE_CREATE']])
    const opened = await gateway.request('POST', '/dm-channels', as, { user_id: brin.id })
    expect(opened.status).toBe(201)
    expect(await gateway.got(...clients)).toEqual([['DM_CHANNEL_CREATE'], ['DM_CHANNEL_CREATE'], ['DM_CHANNEL_CREATE']])
    expect((await gateway.request('PATCH', '/users/@me', as, { status: 'dnd' })).status).toBe(200)
    const told = ['PRESENCE_UPDATE']
    expect(await gateway.got(...clients)).toEqual([told, told, told])
  })

  it('are known by the scheme of their token only', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { token } = await make(gateway, ada)
    const me = async (authorization: string): Promise<number> =>
      (await gateway.request('GET', '/users/@me', authorization)).status
    const good = [`Bot ${token}`, `bot ${token}`, `Bearer ${ada.token}`, `bearer  ${ada.token}`]
    const bad = [
      `Bearer ${token}`,
      `Bot ${ada.token}`,
      token,
      ada.token,
      'Bot',
      'Bot ',
      `Basic ${token}`,
      `Bot ${token}x`,
      `xBearer ${ada.token}`,
      `Basic Bearer ${ada.token}`,
    ]
    for (const one of good) expect([one, await me(one)]).toEqual([one, 200])
    for (const one of bad) expect([one, await me(one)]).toEqual([one, 401])
    // Tokens of the query are for the socket only.
    for (const query of [`token=${ada.token}`, `bot_token=${token}`]) {
      expect((await gateway.request('GET', `/users/@me?${query}`)).status).toBe(401)
    }
  })
})
