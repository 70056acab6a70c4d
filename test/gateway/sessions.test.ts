import { request } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { counts, expectError, field, Gateway, idOf, keysOf, knock, readyOf, type Reply } from '../support/gateway.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const START = 1_800_000_000_000
const PASSWORD = 'a passphrase of the harbour'
const REVOKED = { code: 1000, reason: 'session_revoked' }

const clock = (): void => void vi.useFakeTimers({ toFake: ['Date'], now: START })
afterEach(() => {
  vi.useRealTimers()
})

const tokensOf = ({ status, body, text }: Reply): { readonly token: string; readonly refresh: string } => {
  if (status !== 200 && status !== 201) throw new Error(`${status} ${text}`)
  return { token: String(field(body, 'access_token')), refresh: String(field(body, 'refresh_token')) }
}

const register = (gateway: Gateway, username: unknown, rest: object = {}) =>
  gateway.request('POST', '/auth/register', null, { username, password: PASSWORD, ...rest })
const login = (gateway: Gateway, username: unknown, password: unknown = PASSWORD) =>
  gateway.request('POST', '/auth/login', null, { username, password })
const refresh = (gateway: Gateway, refresh_token: unknown) =>
  gateway.request('POST', '/auth/refresh', null, { refresh_token })

const statusOf = async (gateway: Gateway, as: { readonly token: string }): Promise<number> =>
  (await gateway.request('GET', '/users/@me', as)).status

describe.each(engines)('accounts, on %s', (engine) => {
  it('are made with a name and a password, the first an admin', async () => {
    const gateway = await Gateway.start(engine)
    const first = await register(gateway, 'Ada', { email: 'Ada@harbour.test', bio: 'unknown here' })
    expect(first.status).toBe(201)
    expect(keysOf(first.body)).toEqual(['access_token', 'refresh_token', 'user', 'expires_in'])
    expect(field(first.body, 'refresh_token')).toMatch(/^rt_[A-Za-z0-9_-]{43}$/)
    expect(field(first.body, 'expires_in')).toBe(900)
    expect(field(first.body, 'user')).toEqual({
      id: idOf(field(first.body, 'user')),
      username: 'Ada',
      email: 'Ada@harbour.test',
      avatar_url: null,
      bio: null,
      pronouns: null,
      status: 'offline',
      custom_status: null,
      activity: null,
      created_at: TIME,
      is_admin: true,
    })
    const second = await register(gateway, 'brin', { email: null })
    expect([second.status, field(second.body, 'user', 'is_admin'), field(second.body, 'user', 'email')]).toEqual([
      201,
      false,
      null,
    ])
    for (const name of ['Ada', 'ADA', 'ada', 'bRIN']) expectError(await register(gateway, name), 409, 'CONFLICT')
    expectError(await register(gateway, 'other', { email: 'aDA@HARBOUR.test' }), 409, 'CONFLICT')
    const client = await gateway.connect(tokensOf(first))
    expect(field(readyOf(client), 'user', 'username')).toBe('Ada')
  })

  it('are made once, by as many as there are at the same time', async () => {
    const gateway = await Gateway.start(engine)
    const replies = await Promise.all(['ada', 'Ada', 'ADA'].map((name) => register(gateway, name)))
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409])
  })

  it('are not made with what is not as it should be', async () => {
    const gateway = await Gateway.start(engine)
    const bad: object[] = [
      ...['', 'a', 'x'.repeat(33), 'ada brin', 'ada-brin', 'ada.', 'ädä', 'ada\n', ' ada', null, 5, ['ada']].map(
        (username) => ({
          username,
        }),
      ),
      ...[
        '',
        '1234567',
        'x'.repeat(129),
        '🛥'.repeat(129),
        '🛥'.repeat(7),
        null,
        12345678,
        'password\0',
        '\ud800password',
      ].map((password) => ({ password })),
      ...['', 'x', 'a@b@c', 'a b@c', `${'x'.repeat(251)}@b.c`, 5, 'a\0@b.c'].map((email) => ({ email })),
      { username: undefined },
      { password: undefined },
    ]
    for (const rest of bad) {
      const reply = await register(gateway, 'ada', rest)
      expect([rest, reply.status, field(reply.body, 'code')]).toEqual([rest, 400, 'VALIDATION'])
    }
    for (const [username, password] of [
      ['ab', '12345678'],
      ['x'.repeat(32), '🛥'.repeat(128)],
    ]) {
      expect((await register(gateway, username, { password })).status).toBe(201)
      expect((await login(gateway, username, password)).status).toBe(200)
    }
  })

  it('are not made where that is not wished', async () => {
    const gateway = await Gateway.start(engine, { register: false })
    expectError(await register(gateway, 'ada'), 403, 'FORBIDDEN')
  })

  it('are logged in to by the name in any case, and the password as it is', async () => {
    const gateway = await Gateway.start(engine)
    await register(gateway, 'Ada')
    const reply = await login(gateway, 'aDA')
    expect(reply.status).toBe(200)
    expect(keysOf(reply.body)).toEqual(['access_token', 'refresh_token', 'user', 'expires_in'])
    expect(await statusOf(gateway, tokensOf(reply))).toBe(200)
    const wrong = await login(gateway, 'ada', PASSWORD.toUpperCase())
    const unknown = await login(gateway, 'nobody')
    expectError(wrong, 401, 'UNAUTHORIZED')
    expect(unknown.text).toBe(wrong.text)
    expect({ ...unknown.headers, date: '' }).toEqual({ ...wrong.headers, date: '' })
    // A bot has no password.
    const ada = await gateway.login(idOf(field(reply.body, 'user')))
    await gateway.bot(ada, 'Buoy')
    const { username = '' } = gateway.world.users.find(gateway.world.bots.madeBy(ada.id)[0]?.user_id ?? '') ?? {}
    expect((await login(gateway, username, '')).status).toBe(400)
    expect((await login(gateway, username)).text).toBe(wrong.text)
    for (const [name, password] of [
      ['', 'x'],
      ['ada', ''],
      [null, 'x'],
      ['ada', 5],
      ['ada', 'x'.repeat(129)],
    ]) {
      expectError(await login(gateway, name, password), 400, 'VALIDATION')
    }
    await gateway.world.changes.run(() => gateway.world.users.disable(ada.id))
    expectError(await login(gateway, 'ada'), 403, 'ACCOUNT_DISABLED')
    expect((await login(gateway, 'ada', 'wrong, and long')).text).toBe(wrong.text)
  })

  it('have a password that may be typed in more than one way', async () => {
    const gateway = await Gateway.start(engine)
    expect((await register(gateway, 'ada', { password: 'cafe\u0301 au lait' })).status).toBe(201)
    expect((await login(gateway, 'ada', 'caf\u00e9 au lait')).status).toBe(200)
    expect((await login(gateway, 'ada', 'cafe au lait')).status).toBe(401)
  })

  it('keep the tokens of their requests to themselves', async () => {
    const gateway = await Gateway.start(engine)
    const replies = [await register(gateway, 'ada'), await login(gateway, 'ada'), await login(gateway, 'eve')]
    for (const { headers } of replies) expect(headers['cache-control']).toBe('no-store')
  })

  it('have a session each time, of ten at most', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    const others = []
    for (let i = 0; i < 9; i++) others.push(await gateway.login(ada.id))
    expect(await gateway.got(client)).toEqual([[]])
    await gateway.login(ada.id)
    expect(await client.closed).toEqual(REVOKED)
    expect(await statusOf(gateway, ada)).toBe(401)
    for (const other of others) expect(await statusOf(gateway, other)).toBe(200)
  })

  it('have refresh tokens that are good once', async () => {
    const gateway = await Gateway.start(engine)
    const first = tokensOf(await register(gateway, 'ada'))
    const reply = await refresh(gateway, first.refresh)
    const second = tokensOf(reply)
    expect([reply.status, keysOf(reply.body)]).toEqual([200, ['access_token', 'refresh_token', 'user', 'expires_in']])
    expect(second.refresh).not.toBe(first.refresh)
    expect(second.token).not.toBe(first.token)
    // Both are of one session.
    expect(await statusOf(gateway, first)).toBe(200)
    expect(await statusOf(gateway, second)).toBe(200)
    // The answer may have got lost: within some seconds it is not taken for stolen.
    expectError(await refresh(gateway, first.refresh), 401, 'UNAUTHORIZED')
    expect(await statusOf(gateway, second)).toBe(200)
    const third = tokensOf(await refresh(gateway, second.refresh))
    expect(await statusOf(gateway, third)).toBe(200)
    const expected = await refresh(gateway, first.refresh)
    for (const bad of ['rt_x', third.token, `${third.refresh}x`]) {
      expect((await refresh(gateway, bad)).text).toBe(expected.text)
    }
    for (const bad of [undefined, null, 5, '', 'x'.repeat(2049)])
      expectError(await refresh(gateway, bad), 400, 'VALIDATION')
  })

  it('have only one who gets the next token, of many at once', async () => {
    const gateway = await Gateway.start(engine)
    const first = tokensOf(await register(gateway, 'ada'))
    const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(gateway, first.refresh)))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(7)
    expect(await statusOf(gateway, first)).toBe(200)
  })

  it('gateway trap T51: a used refresh token that comes again later ends the session, and its sockets', async () => {
    clock()
    const gateway = await Gateway.start(engine)
    const first = tokensOf(await register(gateway, 'ada'))
    const other = tokensOf(await login(gateway, 'ada'))
    const second = tokensOf(await refresh(gateway, first.refresh))
    const clients = [await gateway.connect(first), await gateway.connect(second), await gateway.connect(other)] as const
    vi.setSystemTime(START + 5000)
    expect((await refresh(gateway, first.refresh)).status).toBe(401)
    await gateway.got(...clients)
    vi.setSystemTime(START + 5001)
    expectError(await refresh(gateway, first.refresh), 401, 'UNAUTHORIZED')
    expect(await Promise.all([clients[0].closed, clients[1].closed])).toEqual([REVOKED, REVOKED])
    expect(await statusOf(gateway, first)).toBe(401)
    expect(await statusOf(gateway, second)).toBe(401)
    expect((await refresh(gateway, second.refresh)).status).toBe(401)
    // Another login is another matter.
    await gateway.got(clients[2])
    expect(await statusOf(gateway, other)).toBe(200)
    expect((await refresh(gateway, other.refresh)).status).toBe(200)
  })

  it('gateway trap T51: the same from another address ends it at once', async () => {
    const gateway = await Gateway.start(engine)
    const first = tokensOf(await register(gateway, 'ada'))
    const second = tokensOf(await refresh(gateway, first.refresh))
    const stolen = await new Promise((resolve, reject) => {
      const asking = request(
        { localAddress: '127.0.0.2', host: '127.0.0.1', port: gateway.port, path: '/auth/refresh', method: 'POST' },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      asking.on('error', reject)
      asking.setHeader('Content-Type', 'application/json')
      asking.end(JSON.stringify({ refresh_token: first.refresh }))
    })
    expect(stolen).toBe(401)
    expect(await statusOf(gateway, second)).toBe(401)
  })

  it('have refresh tokens that end by themselves, and slide', async () => {
    clock()
    const gateway = await Gateway.start(engine, { refreshTtlS: 1000 })
    const first = tokensOf(await register(gateway, 'ada'))
    const idle = tokensOf(await login(gateway, 'ada'))
    vi.setSystemTime(START + 999_000)
    const second = tokensOf(await refresh(gateway, first.refresh))
    vi.setSystemTime(START + 1_000_000)
    expect((await refresh(gateway, idle.refresh)).status).toBe(401)
    vi.setSystemTime(START + 1_998_999)
    const third = tokensOf(await refresh(gateway, second.refresh))
    // Others come, and what has ended is swept away.
    await login(gateway, 'ada')
    expect(await statusOf(gateway, third)).toBe(200)
    expect((await refresh(gateway, third.refresh)).status).toBe(200)
  })

  it('are logged out of by the refresh token, or by the one that asks', async () => {
    const gateway = await Gateway.start(engine)
    const [one, two, three] = [
      tokensOf(await register(gateway, 'ada')),
      tokensOf(await login(gateway, 'ada')),
      tokensOf(await login(gateway, 'ada')),
    ]
    const clients = [await gateway.connect(one), await gateway.connect(two), await gateway.connect(three)] as const
    const out = (as: { readonly token: string } | null, body?: unknown) =>
      gateway.request('POST', '/auth/logout', as, body)
    expect(await out(null, { refresh_token: one.refresh })).toMatchObject({ status: 204, text: '' })
    expect(await clients[0].closed).toEqual(REVOKED)
    expect([await statusOf(gateway, one), await statusOf(gateway, two)]).toEqual([401, 200])
    expect((await refresh(gateway, one.refresh)).status).toBe(401)
    expect((await knock(gateway, `token=${one.token}`)).status).toBe(401)
    // The token that is named counts, not the one that asks.
    expect((await out(two, { refresh_token: one.refresh })).status).toBe(204)
    expect(await statusOf(gateway, two)).toBe(200)
    expect((await out(two)).status).toBe(204)
    expect(await clients[1].closed).toEqual(REVOKED)
    expect(await statusOf(gateway, two)).toBe(401)
    for (const reply of [
      await out(null),
      await out(two),
      await out(null, { refresh_token: 'rt_x' }),
      await out(null, {}),
    ]) {
      expect(reply.status).toBe(204)
    }
    expect(await gateway.got(clients[2])).toEqual([[]])
    expect(await statusOf(gateway, three)).toBe(200)
  })

  it('are logged out of everywhere', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    await gateway.server(ada, brin)
    const other = await gateway.login(ada.id)
    const peer = await gateway.connect(brin)
    const clients = [await gateway.connect(ada), await gateway.connect(ada), await gateway.connect(other)]
    await gateway.got(peer)
    expect((await gateway.request('POST', '/auth/logout-all', ada)).status).toBe(204)
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([REVOKED, REVOKED, REVOKED])
    expect([await statusOf(gateway, ada), await statusOf(gateway, other), await statusOf(gateway, brin)]).toEqual([
      401, 401, 200,
    ])
    // There is no moment in which they are back.
    expect(await gateway.got(peer)).toEqual([['PRESENCE_UPDATE']])
    expectError(await gateway.request('POST', '/auth/logout-all', ada), 401, 'UNAUTHORIZED')
  })

  it('get another password, which ends all other sessions', async () => {
    const gateway = await Gateway.start(engine)
    const one = tokensOf(await register(gateway, 'ada'))
    const two = tokensOf(await login(gateway, 'ada'))
    const clients = [await gateway.connect(one), await gateway.connect(two)] as const
    const change = (current_password: unknown, new_password: unknown, as: { readonly token: string } | null = one) =>
      gateway.request('POST', '/auth/password', as, { current_password, new_password })
    expectError(await change('wrong', 'another passphrase'), 403, 'FORBIDDEN')
    expectError(await change(PASSWORD, 'short'), 400, 'VALIDATION')
    expectError(await change(PASSWORD, undefined), 400, 'VALIDATION')
    expectError(await change(PASSWORD, 'another passphrase', null), 401, 'UNAUTHORIZED')
    expect(await gateway.got(...clients)).toEqual([[], []])
    expect(await change(PASSWORD, 'another passphrase')).toMatchObject({ status: 204, text: '' })
    expect(await clients[1].closed).toEqual(REVOKED)
    expect(await gateway.got(clients[0])).toEqual([[]])
    expect([await statusOf(gateway, one), await statusOf(gateway, two)]).toEqual([200, 401])
    expect((await refresh(gateway, two.refresh)).status).toBe(401)
    expect((await refresh(gateway, one.refresh)).status).toBe(200)
    expect((await login(gateway, 'ada')).status).toBe(401)
    expect((await login(gateway, 'ada', 'another passphrase')).status).toBe(200)
  })

  it('that are disabled are gone at once', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    await gateway.server(ada, brin)
    const [client, peer] = [await gateway.connect(ada), await gateway.connect(brin)]
    await gateway.got(client, peer)
    await gateway.world.changes.run(() => gateway.world.users.disable(ada.id))
    expect(await client.closed).toEqual(REVOKED)
    expect(await gateway.got(peer)).toEqual([['PRESENCE_UPDATE']])
    expect(await statusOf(gateway, ada)).toBe(401)
    expectError(await gateway.request('GET', `/users/${ada.id}`, brin), 404, 'NOT_FOUND')
  })
})

describe.each(engines)('connections of a user, on %s', (engine) => {
  it('end with their token, by the clock', async () => {
    const gateway = await Gateway.start(engine, { accessTtlS: 1 })
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    expect(await client.closed).toEqual({ code: 1001, reason: 'token_expired' })
    expect(await statusOf(gateway, ada)).toBe(401)
  })

  it('end each with the token that it came with', async () => {
    clock()
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const bot = await gateway.bot(ada, 'Buoy')
    const first = await gateway.connect(ada)
    const lasting = await gateway.connect(`bot_token=${bot.token}`)
    const { body } = await gateway.request('POST', '/bots/connect', `Bot ${bot.token}`)
    const exchanged = await gateway.connect({ token: String(field(body, 'access_token')) })
    vi.setSystemTime(START + 600_000)
    const second = await gateway.connect(await gateway.login(ada.id))
    vi.setSystemTime(START + 900_000)
    expect(await first.closed).toEqual({ code: 1001, reason: 'token_expired' })
    expect(await exchanged.closed).toEqual({ code: 1001, reason: 'token_expired' })
    expect(await gateway.got(second, lasting)).toEqual([[], []])
    vi.setSystemTime(START + 1_500_000)
    expect(await second.closed).toEqual({ code: 1001, reason: 'token_expired' })
    expect(await gateway.got(lasting)).toEqual([[]])
  })

  it('stay until their session ends where that is wished', async () => {
    clock()
    const gateway = await Gateway.start(engine, { wsTokenExpiry: 'keep' })
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    vi.setSystemTime(START + 900_000)
    expect(await statusOf(gateway, ada)).toBe(401)
    // Longer than it would take to notice.
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(await gateway.got(client)).toEqual([[]])
    await gateway.world.changes.run(() => gateway.world.sessions.end(ada.session, ada.id, 'logout'))
    expect(await client.closed).toEqual(REVOKED)
  })

  it('end with a session that ends by itself, where they outlive their token', async () => {
    // Was wrong: lib/gateway/sockets.ts #begin, lib/chat/sessions.ts #sweep: with 'keep' nothing ends a connection whose session has
    // expired, not even that the session is swept away (spec §1.4: "until its session ends").
    clock()
    const gateway = await Gateway.start(engine, { wsTokenExpiry: 'keep', refreshTtlS: 1000 })
    const first = tokensOf(await register(gateway, 'ada'))
    const client = await gateway.connect(first)
    vi.setSystemTime(START + 1_001_000)
    expect((await refresh(gateway, first.refresh)).status).toBe(401)
    await login(gateway, 'ada')
    await expect.poll(() => client.ws.readyState, { timeout: 2000 }).toBe(client.ws.CLOSED)
  })

  it('are ten: one more closes the oldest', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    await gateway.server(ada, brin)
    const peer = await gateway.connect(brin)
    const clients = []
    for (let i = 0; i < 10; i++) clients.push(await gateway.connect(i % 2 === 0 ? ada : await gateway.login(ada.id)))
    await gateway.got(peer, ...clients)
    const next = await gateway.connect(ada)
    const [oldest, ...others] = clients
    expect(await oldest?.closed).toEqual({ code: 1000, reason: 'connection_limit' })
    expect(await gateway.got(peer, next, ...others)).toEqual(Array.from({ length: 11 }, () => []))
    const last = await gateway.connect(ada)
    expect(await others[0]?.closed).toEqual({ code: 1000, reason: 'connection_limit' })
    expect(await gateway.got(peer, next, last, ...others.slice(1))).toEqual(Array.from({ length: 11 }, () => []))
    await counts(gateway, 11)
    // Who has gone makes room.
    await next.close()
    await counts(gateway, 10)
    const again = await gateway.connect(ada)
    expect(await gateway.got(peer, again, last, ...others.slice(1))).toEqual(Array.from({ length: 11 }, () => []))
  })

  it('are as many as the config says', async () => {
    const gateway = await Gateway.start(engine, { wsMaxConnsPerUser: 1 })
    const ada = await gateway.person('ada')
    const first = await gateway.connect(ada)
    const second = await gateway.connect(ada)
    expect(await first.closed).toEqual({ code: 1000, reason: 'connection_limit' })
    expect(await gateway.got(second)).toEqual([[]])
  })
})
