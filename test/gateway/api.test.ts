import { describe, expect, it } from 'vitest'
import { expectError, field, Gateway, idOf, keysOf, listOf, MEMBER_KEYS, type Reply } from '../support/gateway.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const NOWHERE = '01890000-0000-7000-8000-000000000000'

/** Every error looks the same. */
const expectShape = (reply: Reply, status: number, code: string): void => {
  expectError(reply, status, code)
  expect(keysOf(reply.body)).toEqual(['error', 'code'])
  expect(field(reply.body, 'error')).toBeTypeOf('string')
  expect(field(reply.body, 'error')).not.toBe('')
  expect(reply.headers['content-type']).toMatch(/^application\/json/)
}

describe.each(engines)('the HTTP API, on %s', (engine) => {
  it('has one shape for every error', async () => {
    const gateway = await Gateway.start(engine, { httpMaxBody: 2000 })
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { id, channel } = await gateway.server(ada, brin)
    const hers = await gateway.post(ada, channel, 'fog')
    const post = `/channels/${channel}/messages`
    const json = { 'Content-Type': 'application/json' }
    expectShape(await gateway.request('GET', '/users/@me'), 401, 'UNAUTHORIZED')
    expectShape(await gateway.request('GET', '/users/x', ada), 400, 'BAD_ID')
    expectShape(await gateway.request('GET', `/channels/${channel}x/messages`, ada), 400, 'BAD_ID')
    expectShape(await gateway.request('POST', post, ada, '{'), 400, 'BAD_JSON')
    expectShape(await gateway.request('POST', post, ada, '', json), 400, 'VALIDATION')
    expectShape(await gateway.request('POST', post, ada, {}), 400, 'VALIDATION')
    expectShape(await gateway.request('PATCH', `/messages/${hers}`, brin, { content: 'x' }), 403, 'FORBIDDEN')
    expectShape(await gateway.request('GET', `/servers/${NOWHERE}`, ada), 404, 'NOT_FOUND')
    expectShape(await gateway.request('POST', `/servers/${id}/join`, brin), 409, 'CONFLICT')
    expectShape(await gateway.request('POST', post, ada, { content: 'x'.repeat(2001) }), 413, 'TOO_LARGE')
    expectShape(
      await gateway.request('POST', post, ada, '{"content":"x"}', { 'Content-Type': 'text/plain' }),
      415,
      'UNSUPPORTED_TYPE',
    )
    expectShape(await gateway.request('PUT', post, ada, {}), 405, 'METHOD_NOT_ALLOWED')
  })

  it('answers in that shape for paths that it does not have, below any of its names', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const paths = [
      '/auth',
      '/auth/unknown',
      '/auth/login/x',
      '/users',
      `/users/${ada.id}/x`,
      '/bots/x/y',
      `/servers/${NOWHERE}/x`,
      '/channels',
      `/channels/${NOWHERE}`,
      '/messages',
      '/polls',
      '/dm-channels/x/y/z',
      '/invites/x/y/z',
      '/emojis',
      '/friend-requests/x/y/z',
      '/health/x',
    ]
    for (const path of paths) {
      for (const as of [ada, null]) {
        const reply = await gateway.request('GET', path, as)
        expect([path, reply.status, field(reply.body, 'code')]).toEqual([path, 404, 'NOT_FOUND'])
        expectShape(reply, 404, 'NOT_FOUND')
      }
    }
  })

  it('names the methods that a path has', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const calls: [string, string, string[]][] = [
      ['DELETE', '/users/@me', ['GET', 'HEAD', 'PATCH']],
      ['GET', '/auth/login', ['POST']],
      ['HEAD', '/auth/login', ['POST']],
      ['POST', '/servers/browse', ['GET', 'HEAD']],
      ['PUT', '/servers', ['GET', 'HEAD', 'POST']],
      ['GET', `/messages/${NOWHERE}`, ['DELETE', 'PATCH']],
      ['POST', `/servers/${NOWHERE}/channels/${NOWHERE}`, ['DELETE', 'GET', 'HEAD', 'PATCH']],
      ['DELETE', '/health', ['GET', 'HEAD']],
    ]
    for (const [method, path, allowed] of calls) {
      const { status, headers } = await gateway.request(method, path, ada)
      const allow = String(headers['allow']).split(/ *, */).toSorted()
      expect([path, status, allow]).toEqual([path, 405, allowed])
    }
  })

  it('answers HEAD as GET, without a body', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    for (const path of ['/users/@me', '/health', '/servers', `/servers/${NOWHERE}`]) {
      const [head, get] = [await gateway.request('HEAD', path, ada), await gateway.request('GET', path, ada)]
      expect([path, head.status, head.text]).toEqual([path, get.status, ''])
      expect(head.headers['content-type']).toBe(get.headers['content-type'])
    }
  })

  it('has headers that keep browsers from guessing, and tokens from being kept', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const calls: [string, string, boolean][] = [
      ['GET', '/users/@me', false],
      ['GET', '/health', false],
      ['GET', '/servers/x', false],
      ['GET', '/unknown', false],
      ['POST', '/auth/login', true],
      ['GET', '/auth/nothing', true],
      ['GET', '/bots', true],
      ['POST', '/bots/connect', true],
      ['DELETE', '/bots/x', true],
    ]
    for (const [method, path, secret] of calls) {
      if (path === '/unknown') continue
      const { headers } = await gateway.request(method, path, ada)
      expect([path, headers['x-content-type-options'], headers['referrer-policy']]).toEqual([
        path,
        'nosniff',
        'no-referrer',
      ])
      expect([path, headers['cache-control']]).toEqual([path, secret ? 'no-store' : undefined])
    }
    for (const [method, path] of calls) {
      expect((await gateway.request(method, path)).headers['access-control-allow-origin']).toBe(undefined)
    }
  })

  it('lets pages of listed origins read its answers, and no others', async () => {
    const gateway = await Gateway.start(engine, { origins: ['https://together.test', 'https://two.test'] })
    const ada = await gateway.person('ada')
    const from = (Origin: string, method = 'GET', path = '/users/@me') =>
      gateway.request(method, path, ada, undefined, { Origin })
    for (const origin of ['https://together.test', 'https://two.test']) {
      const { status, headers } = await from(origin)
      expect([status, headers['access-control-allow-origin'], headers['vary']]).toEqual([200, origin, 'Origin'])
      const preflight = await from(origin, 'OPTIONS')
      expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, origin])
      expect(String(preflight.headers['access-control-allow-methods'])).toMatch(/PATCH/)
      expect(String(preflight.headers['access-control-allow-headers'])).toMatch(/authorization/i)
      expect(preflight.headers['access-control-allow-credentials']).toBe(undefined)
    }
    for (const origin of ['https://other.test', 'null', 'https://together.test.evil', 'http://together.test']) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await from(origin, method)
        expect([origin, headers['access-control-allow-origin'], headers['access-control-allow-methods']]).toEqual([
          origin,
          undefined,
          undefined,
        ])
      }
    }
    const plain = await gateway.request('GET', '/users/@me', ada)
    expect([plain.status, plain.headers['access-control-allow-origin']]).toEqual([200, undefined])
    // An error is read by pages, too.
    expect((await from('https://two.test', 'GET', '/users/x')).headers['access-control-allow-origin']).toBe(
      'https://two.test',
    )
  })

  it('has no CORS where no origin is listed', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await gateway.request(method, '/users/@me', ada, undefined, {
        Origin: 'https://together.test',
      })
      expect(keysOf(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('is below a prefix where that is wished, and nowhere else', async () => {
    const gateway = await Gateway.start(engine, { apiPrefix: '/api' })
    const ada = await gateway.person('ada')
    expect((await gateway.request('GET', '/api/users/@me', ada)).status).toBe(200)
    expect((await gateway.request('GET', '/api/health')).body).toEqual({ status: 'ok' })
    expect((await gateway.request('GET', '/users/@me', ada)).status).toBe(404)
    expect((await gateway.request('GET', '/health')).status).toBe(404)
    expect((await gateway.request('POST', '/api/auth/login', null, {})).headers['cache-control']).toBe('no-store')
    expectShape(await gateway.request('GET', '/api/users/x/y', ada), 404, 'NOT_FOUND')
    await gateway.connect(ada)
  })

  it('answers whatever body with what is wrong with it, never with 500', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { id, channel } = await gateway.server(ada)
    const routes: [string, string][] = [
      ['POST', '/auth/register'],
      ['POST', '/auth/login'],
      ['POST', '/auth/refresh'],
      ['POST', '/auth/password'],
      ['PATCH', '/users/@me'],
      ['POST', '/bots'],
      ['POST', '/servers'],
      ['PATCH', `/servers/${id}`],
      ['POST', `/servers/${id}/channels`],
      ['PATCH', `/servers/${id}/channels/${channel}`],
      ['POST', `/channels/${channel}/messages`],
      ['PATCH', `/messages/${NOWHERE}`],
      ['POST', '/dm-channels'],
      ['POST', `/dm-channels/${NOWHERE}/messages`],
    ]
    const broken = ['{', '}', '[', '"', 'x', "{'a':1}", '{"a":1,}', '{"a":1}x', 'NaN', '\u0000', '[1,]', '{"a":01}']
    const wrong = [
      'null',
      '[]',
      '[{}]',
      '5',
      '"x"',
      'true',
      '{}',
      '{"__proto__":{"content":"x","name":"x"}}',
      '{"constructor":5}',
      '{"content":{},"name":{},"username":{},"password":{},"type":{},"status":{},"user_id":{},"refresh_token":{}}',
      '{"content":[],"name":[],"username":[],"password":[],"type":[],"status":[],"user_id":[],"refresh_token":[]}',
      '{"content":1e999,"name":1e999,"position":1e999,"username":1,"is_public":"true"}',
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`,
      '{"name":"\\ud800","content":"\\ud800","username":"\\ud800x","password":"\\ud800xxxxxxxx","bio":"\\ud800"}',
      '{"name":"\\u0000","content":"\\u0000","username":"\\u0000x","password":"\\u0000xxxxxxxx","bio":"\\u0000"}',
      '{"toString":1,"valueOf":2,"hasOwnProperty":3,"length":4}',
    ]
    for (const [method, path] of routes) {
      for (const body of broken) {
        const reply = await gateway.request(method, path, ada, body)
        expect([path, body, reply.status, field(reply.body, 'code')]).toEqual([path, body, 400, 'BAD_JSON'])
      }
      for (const body of wrong) {
        const reply = await gateway.request(method, path, ada, body)
        expect([path, body.slice(0, 99), reply.status]).toEqual([path, body.slice(0, 99), 400])
        expect(field(reply.body, 'code')).toBe('VALIDATION')
      }
    }
    // Bytes that are no text.
    const bytes = await RawClient.connect(gateway.port)
    const head = `POST /channels/${channel}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ada.token}\r\n`
    bytes.send(`${head}Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{"content":"\xff"}`)
    expect((await bytes.response()).status).toBe(400)
    bytes.destroy()
  })

  it('ignores fields that it does not know', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const other = await gateway.person('other')
    const extra = { id: NOWHERE, owner_id: other.id, author_id: other.id, is_admin: true, created_at: 'x', __proto: 1 }
    const { status, body } = await gateway.request('POST', '/servers', ada, { ...extra, name: 'Reef' })
    expect([status, field(body, 'owner_id'), keysOf(body)]).toEqual([
      201,
      ada.id,
      ['id', 'name', 'owner_id', 'icon_url', 'is_public', 'require_invite', 'created_at', 'updated_at', 'member_count'],
    ])
    expect(body).toEqual({
      id: idOf(body),
      name: 'Reef',
      owner_id: ada.id,
      icon_url: null,
      is_public: false,
      require_invite: false,
      created_at: TIME,
      updated_at: TIME,
      member_count: 1,
    })
    const channel = await gateway.request('POST', `/servers/${idOf(body)}/channels`, ada, {
      ...extra,
      name: 'reef',
      type: 'text',
      position: 99,
    })
    expect(channel.body).toEqual({
      id: idOf(channel.body),
      server_id: idOf(body),
      name: 'reef',
      type: 'text',
      position: 0,
      category: null,
      topic: null,
      created_at: TIME,
    })
    const said = await gateway.request('POST', `/channels/${idOf(channel.body)}/messages`, ada, {
      ...extra,
      content: 'x',
    })
    expect(field(said.body, 'author_id')).toBe(ada.id)
  })

  it('looks at who asks first, then at ids, the body, what is there, and what they may', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const { id, channel } = await gateway.server(ada, brin)
    const path = (at: string, of = id) => `/servers/${of}/channels/${at}`
    const steps: [string, string, { readonly token: string } | null, unknown, number, string][] = [
      ['PATCH', path('x', 'y'), null, '{', 401, 'UNAUTHORIZED'],
      ['PATCH', path('x'), brin, '{', 400, 'BAD_ID'],
      ['PATCH', path(NOWHERE), brin, '{', 400, 'BAD_JSON'],
      ['PATCH', path(NOWHERE), brin, { name: 5 }, 400, 'VALIDATION'],
      ['PATCH', path(NOWHERE), brin, {}, 400, 'VALIDATION'],
      ['PATCH', path(NOWHERE), brin, { name: 'x' }, 404, 'NOT_FOUND'],
      ['PATCH', path(channel), cleo, { name: 'x' }, 404, 'NOT_FOUND'],
      ['PATCH', path(channel), brin, { name: 'x' }, 403, 'FORBIDDEN'],
      ['PATCH', path(channel), brin, { type: 'voice' }, 400, 'VALIDATION'],
      ['PATCH', path(channel), ada, { type: 'text' }, 400, 'VALIDATION'],
      ['PATCH', path(channel), ada, { name: null }, 400, 'VALIDATION'],
      ['PATCH', path(channel), ada, { position: -1 }, 400, 'VALIDATION'],
      ['PATCH', path(channel), ada, { position: 1.5 }, 400, 'VALIDATION'],
      ['DELETE', path(channel), brin, undefined, 403, 'FORBIDDEN'],
      ['PATCH', `/servers/${id}`, brin, { name: 'x' }, 403, 'FORBIDDEN'],
      ['PATCH', `/servers/${id}`, cleo, { name: 'x' }, 404, 'NOT_FOUND'],
      ['DELETE', `/servers/${id}`, brin, undefined, 403, 'FORBIDDEN'],
      ['POST', `/servers/${id}/channels`, brin, { name: 'x', type: 'text' }, 403, 'FORBIDDEN'],
      ['POST', `/servers/${id}/channels`, cleo, { name: 'x', type: 'text' }, 404, 'NOT_FOUND'],
      ['POST', `/servers/${id}/channels`, cleo, { name: 'x', type: 'stage' }, 400, 'VALIDATION'],
      ['DELETE', `/servers/${id}/leave`, ada, undefined, 400, 'VALIDATION'],
      ['DELETE', `/servers/${id}/leave`, cleo, undefined, 404, 'NOT_FOUND'],
      ['GET', `/servers/${id}/members`, cleo, undefined, 404, 'NOT_FOUND'],
      ['GET', `/servers/${id}/channels`, cleo, undefined, 404, 'NOT_FOUND'],
    ]
    for (const [method, at, as, body, status, code] of steps) {
      const reply = await gateway.request(method, at, as, body)
      expect([method, at, body, reply.status, field(reply.body, 'code')]).toEqual([method, at, body, status, code])
    }
    // Blank text is a matter of the body, too.
    expectError(await gateway.request('POST', `/channels/${NOWHERE}/messages`, ada, { content: '' }), 400, 'VALIDATION')
  })

  it('changes servers and channels by what is given, and clears what is null', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { id, channel } = await gateway.server(ada)
    const server = { name: 'Reef', icon_url: 'https://a.test/i.png', is_public: false, require_invite: true }
    expect((await gateway.request('PATCH', `/servers/${id}`, ada, server)).body).toMatchObject(server)
    const cleared = await gateway.request('PATCH', `/servers/${id}`, ada, { icon_url: null })
    expect(cleared.body).toMatchObject({ ...server, icon_url: null })
    for (const body of [
      { name: '' },
      { name: null },
      { is_public: null },
      { is_public: 1 },
      { icon_url: 'ftp://x' },
      { icon_url: '' },
    ]) {
      expectError(await gateway.request('PATCH', `/servers/${id}`, ada, body), 400, 'VALIDATION')
    }
    const at = `/servers/${id}/channels/${channel}`
    const next = { name: 'reef', topic: 'fish', category: 'sea', position: 7 }
    expect((await gateway.request('PATCH', at, ada, next)).body).toMatchObject(next)
    expect((await gateway.request('PATCH', at, ada, { topic: null, category: null })).body).toMatchObject({
      ...next,
      topic: null,
      category: null,
    })
    const second = await gateway.channel(ada, id, 'second')
    const list = listOf((await gateway.request('GET', `/servers/${id}/channels`, ada)).body)
    expect(list.map((one) => [idOf(one), field(one, 'position')])).toEqual([
      [channel, 7],
      [second, 8],
    ])
  })

  it('lists public servers by size, and lets people join those that are open', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const small = await gateway.server(ada)
    const big = await gateway.server(ada, brin)
    const secret = idOf((await gateway.request('POST', '/servers', ada, { name: 'Secret' })).body)
    const invited = await gateway.request('POST', '/servers', ada, {
      name: 'Club',
      is_public: true,
      require_invite: true,
    })
    const browsed = listOf((await gateway.request('GET', '/servers/browse', cleo)).body)
    expect(browsed.map(idOf)).toEqual([big.id, small.id, idOf(invited.body)])
    const join = (server: string) => gateway.request('POST', `/servers/${server}/join`, cleo)
    const hidden = await join(secret)
    expectError(hidden, 404, 'NOT_FOUND')
    expect(hidden.text).toBe((await join(NOWHERE)).text)
    expectError(await join(idOf(invited.body)), 403, 'FORBIDDEN')
    const joined = await join(big.id)
    expect([joined.status, keysOf(joined.body), field(joined.body, 'server_id')]).toEqual([
      201,
      ['message', 'server_id'],
      big.id,
    ])
    expectError(await join(big.id), 409, 'CONFLICT')
    const members = await gateway.request('GET', `/servers/${big.id}/members`, cleo)
    expect(listOf(members.body).map((one) => field(one, 'user_id'))).toEqual([ada.id, brin.id, cleo.id])
    expect(keysOf(field(members.body, 0))).toEqual(MEMBER_KEYS)
    const page = async (query: string): Promise<unknown[]> =>
      listOf((await gateway.request('GET', `/servers/${big.id}/members?${query}`, cleo)).body).map((one) =>
        field(one, 'username'),
      )
    expect(await page('limit=2')).toEqual(['ada', 'brin'])
    expect(await page(`limit=2&after=${brin.id}`)).toEqual(['cleo'])
    expect(await page(`after=${NOWHERE}`)).toEqual([])
    expect(await page('limit=5000')).toHaveLength(3)
  })

  it('reads paths and queries of any kind', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { id, channel } = await gateway.server(ada)
    const spelled = `%${(ada.id.codePointAt(0) ?? 0).toString(16)}${ada.id.slice(1)}`
    const paths = [
      '/users/%',
      '/users/%zz',
      '/users/%ff',
      '/users/%00',
      '/users/@ME',
      '/users/%40me',
      '/users/__proto__',
      '/users/constructor',
      `/users/${spelled}`,
      `/users/${ada.id}%20`,
      `/users/..%2fusers%2f${ada.id}`,
      `/servers/${id}/../${id}/x`,
      `//users/${ada.id}/x`,
      `/users/${ada.id}/`,
      `/users/${'x'.repeat(5000)}`,
      `/channels/${channel}/messages?limit=%ff`,
      `/channels/${channel}/messages?before=%00`,
      `/channels/${channel}/messages?limit=1&limit=x`,
      `/channels/${channel}/messages?&&==&limit`,
    ]
    for (const path of paths) {
      const { status, headers } = await gateway.request('GET', path, ada)
      expect([path, status < 500 && status !== 201]).toEqual([path, true])
      if (status >= 400) expect(headers['content-type']).toMatch(/json|text/)
    }
    expect((await gateway.request('GET', `/users/${ada.id.toUpperCase()}`, ada)).status).toBe(200)
    for (const method of ['POST', 'DELETE', 'OPTIONS', 'HEAD']) {
      expect([method, (await gateway.request(method, `/ws?token=${ada.token}`, ada)).status < 500]).toEqual([
        method,
        true,
      ])
    }
  })

  it('needs no credential for its health', async () => {
    const gateway = await Gateway.start(engine)
    expect(await gateway.request('GET', '/health')).toMatchObject({ status: 200, text: '{"status":"ok"}' })
    expect((await gateway.request('GET', '/health', 'Bearer bad')).status).toBe(200)
  })
})
