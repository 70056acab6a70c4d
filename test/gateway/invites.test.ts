import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const [CREATE_INVITES, ADMINISTRATOR] = [16_384, 8192]
const NOWHERE = '01900000-0000-7000-8000-000000000000'
const [MADE, GONE, SAID] = [['INVITE_CREATE'], ['INVITE_DELETE'], ['MESSAGE_CREATE']]
const NOTHING = [[], [], [], [], []]

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, id, heard } = all
  const at = `/servers/${id}/invites`
  const invite = (as: Person = ada, body: unknown = {}, headers: Record<string, string> = {}) =>
    gateway.request('POST', at, as, body, headers)
  const accept = (as: Person, code: unknown, headers: Record<string, string> = {}) =>
    gateway.request('POST', `/invites/${String(code)}/accept`, as, undefined, headers)
  const codeOf = async (body: unknown = {}): Promise<string> => {
    const code = String(field((await invite(ada, body)).body, 'code'))
    await heard()
    return code
  }
  const usesOf = async (): Promise<unknown[]> =>
    listOf((await gateway.request('GET', at, ada)).body).map((one) => field(one, 'uses'))
  /** A role of the server, which somebody has from now on. */
  const give = async (to: Person, permissions: number): Promise<() => Promise<void>> => {
    const role = idOf((await gateway.request('POST', `/servers/${id}/roles`, ada, { name: 'x', permissions })).body)
    const path = `/servers/${id}/members/${to.id}/roles/${role}`
    await gateway.request('PUT', path, ada)
    await heard()
    return async () => {
      await gateway.request('DELETE', path, ada)
      await heard()
    }
  }
  return { ...all, at, invite, accept, codeOf, usesOf, give }
}

describe.each(engines)('invites, on %s', (engine) => {
  it('gateway trap T41: a plain member does not hear of one, who may invite does, once on each connection', async () => {
    const { gateway, ada, brin, cleo, id, clients, heard, at, invite, give } = await harbour(engine)
    const made = await invite(ada, { max_uses: 5, expires_in_hours: 720 })
    expect([made.status, keysOf(made.body)]).toEqual([
      201,
      ['id', 'server_id', 'code', 'created_by', 'max_uses', 'uses', 'expires_at', 'created_at'],
    ])
    expect(made.body).toMatchObject({ server_id: id, created_by: ada.id, max_uses: 5, uses: 0, created_at: TIME })
    expect(field(made.body, 'code')).toMatch(/^[A-Za-z0-9]{8}$/)
    const [from, to] = ['created_at', 'expires_at'].map((key) => Date.parse(String(field(made.body, key))))
    expect(Math.abs((to ?? 0) - (from ?? 0) - 720 * 3_600_000)).toBeLessThan(1000)
    expect(await heard()).toEqual([MADE, [], [], [], []])
    expect(dataOf(clients[0], 'INVITE_CREATE')).toEqual([made.body])

    const take = await give(brin, CREATE_INVITES)
    const endless = await invite(brin)
    expect(endless.body).toMatchObject({ created_by: brin.id, max_uses: null, expires_at: null })
    expect(await heard()).toEqual([MADE, MADE, MADE, [], []])
    await give(cleo, ADMINISTRATOR)
    expect((await gateway.request('DELETE', `${at}/${idOf(made.body)}`, cleo)).status).toBe(204)
    expect(await heard()).toEqual([GONE, GONE, GONE, GONE, []])
    expect(dataOf(clients[3], 'INVITE_DELETE')).toEqual([{ server_id: id, invite_id: idOf(made.body) }])
    await take()
    const listed = await gateway.request('GET', at, cleo)
    expect([listed.status, listed.body]).toEqual([200, [endless.body]])
    await invite(cleo)
    expect(await heard()).toEqual([MADE, [], [], MADE, []])
    expectError(await gateway.request('GET', at, brin), 403, 'FORBIDDEN')
  })

  it('gateway trap T26: who accepts one gets the next event of the server, without connecting again', async () => {
    const { gateway, ada, dov, id, channel, heard, accept, codeOf, usesOf } = await harbour(engine)
    await gateway.request('PATCH', `/servers/${id}`, ada, { is_public: false, require_invite: true })
    const hidden = await gateway.channel(ada, id, 'bridge')
    await gateway.override(ada, hidden, {}, 0, 1)
    const code = await codeOf({ max_uses: 2 })
    const joined = await accept(dov, code)
    expect([joined.status, keysOf(joined.body)]).toEqual([201, ['message', 'server_id']])
    expect(field(joined.body, 'server_id')).toBe(id)
    // Of what it is used for nobody is told.
    expect(await heard()).toEqual(NOTHING)
    await gateway.post(ada, channel, 'fog')
    expect(await heard()).toEqual([SAID, SAID, SAID, SAID, SAID])
    await gateway.post(ada, hidden, 'fog')
    expect(await heard()).toEqual([SAID, [], [], [], []])
    expect(await usesOf()).toEqual([1])
    expectError(await accept(dov, code), 409, 'CONFLICT')
    expect(await usesOf()).toEqual([1])
  })

  it('gateway trap T40: of twenty who accept one for one at once, one comes in', async () => {
    const { gateway, ada, id, channel, heard, at, accept, codeOf, usesOf } = await harbour(engine)
    const code = await codeOf({ max_uses: 1 })
    const people: Person[] = []
    for (let i = 0; i < 20; i++) people.push(await gateway.person(`sailor${i}`))
    const clients = await Promise.all(people.map((one) => gateway.connect(one)))
    await gateway.got(...clients)
    const replies = await Promise.all(people.map((one) => accept(one, code)))
    const lucky = replies.findIndex(({ status }) => status === 201)
    for (const [i, reply] of replies.entries()) if (i !== lucky) expectError(reply, 400, 'VALIDATION')
    expect(await usesOf()).toEqual([1])
    expect(field((await gateway.request('GET', `/servers/${id}`, ada)).body, 'member_count')).toBe(4)
    await gateway.post(ada, channel, 'fog')
    expect(await gateway.got(...clients)).toEqual(people.map((_, i) => (i === lucky ? SAID : [])))
    expect(await heard()).toEqual([SAID, SAID, SAID, SAID, []])
    // It is used up, which is not the same as revoked.
    expectError(await gateway.request('GET', `/invites/${code}`, ada), 404, 'NOT_FOUND')
    expect(listOf((await gateway.request('GET', at, ada)).body)).toHaveLength(1)
  })

  it('show who has the code where they lead, and nothing else', async () => {
    const { gateway, ada, dov, id, codeOf, at } = await harbour(engine)
    await gateway.request('PATCH', `/servers/${id}`, ada, { is_public: false, icon_url: 'https://a.test/i.png' })
    const code = await codeOf({ expires_in_hours: 1 })
    const seen = await gateway.request('GET', `/invites/${code}`, dov)
    const preview = { code, server_name: 'Harbour', server_icon_url: 'https://a.test/i.png', member_count: 3 }
    expect([seen.status, seen.body]).toEqual([200, { ...preview, expires_at: TIME }])
    expect(keysOf(seen.body)).toEqual(['code', 'server_name', 'server_icon_url', 'member_count', 'expires_at'])
    expectError(await gateway.request('GET', `/invites/${code}`), 401, 'UNAUTHORIZED')
    const unknown = await gateway.request('GET', '/invites/AAAAAAAA', dov)
    expectError(unknown, 404, 'NOT_FOUND')
    const [invite] = listOf((await gateway.request('GET', at, ada)).body)
    await gateway.request('DELETE', `${at}/${idOf(invite)}`, ada)
    for (const path of [code, `${code}%20`, `${code}%2f`, 'x', 'x'.repeat(2000)]) {
      const reply = await gateway.request('GET', `/invites/${path}`, dov)
      expect([path, reply.status, reply.text]).toEqual([path, 404, unknown.text])
      expectError(await gateway.request('POST', `/invites/${path}/accept`, dov), 404, 'NOT_FOUND')
    }
  })

  it('let nobody in who is banned, or when their time is over, and nothing is told', async () => {
    const { gateway, ada, dov, id, heard, accept, codeOf, usesOf } = await harbour(engine)
    const code = await codeOf({ max_uses: 1 })
    const { world } = gateway
    const past = await world.changes.run(() => world.invites.create(ada.id, id, null, -1))
    await gateway.request('POST', `/servers/${id}/members/${dov.id}/ban`, ada, {})
    await heard()
    expectError(await accept(dov, code), 403, 'BANNED')
    await gateway.request('DELETE', `/servers/${id}/bans/${dov.id}`, ada)
    await heard()
    expectError(await accept(dov, past.code), 400, 'VALIDATION')
    expectError(await gateway.request('GET', `/invites/${past.code}`, dov), 404, 'NOT_FOUND')
    expect([await heard(), await usesOf()]).toEqual([NOTHING, [0, 0]])
    expect((await accept(dov, code)).status).toBe(201)
  })

  it('come once under one Idempotency-Key, and count one use', async () => {
    const { ada, brin, dov, heard, invite, accept, usesOf, give } = await harbour(engine)
    const key = { 'Idempotency-Key': 'k' }
    const replies = await Promise.all([invite(ada, {}, key), invite(ada, {}, key)])
    replies.push(await invite(ada, { max_uses: 3 }, key))
    for (const { status, text } of replies) expect([status, text]).toEqual([201, replies[0]?.text])
    expect(await heard()).toEqual([MADE, [], [], [], []])
    // What was refused is not kept.
    expectError(await invite(brin, {}, key), 403, 'FORBIDDEN')
    await give(brin, CREATE_INVITES)
    expect((await invite(brin, {}, key)).status).toBe(201)
    await heard()
    const code = field(replies[0]?.body, 'code')
    const joined = await Promise.all([accept(dov, code, key), accept(dov, code, key)])
    joined.push(await accept(dov, code, key))
    for (const { status, text } of joined) expect([status, text]).toEqual([201, joined[0]?.text])
    expect(await usesOf()).toEqual([0, 1])
    expectError(await accept(dov, code), 409, 'CONFLICT')
    for (const bad of ['', 'a b', 'x'.repeat(65)]) {
      expectError(await invite(ada, {}, { 'Idempotency-Key': bad }), 400, 'VALIDATION')
    }
  })

  it('look at who asks first, then at ids, the body, what is there, and what they may', async () => {
    const { gateway, ada, brin, dov, heard, at, elsewhere, codeOf } = await harbour(engine)
    await codeOf()
    const foreign = await gateway.request('POST', `/servers/${elsewhere.id}/invites`, dov, {})
    await heard()
    const steps: [string, string, Person | null, unknown, number, string][] = [
      ['POST', '/servers/x/invites', null, '{', 401, 'UNAUTHORIZED'],
      ['POST', '/servers/x/invites', brin, '{', 400, 'BAD_ID'],
      ['POST', `/servers/${NOWHERE}/invites`, brin, '{', 400, 'BAD_JSON'],
      ['POST', `/servers/${NOWHERE}/invites`, brin, [], 400, 'VALIDATION'],
      ['POST', `/servers/${NOWHERE}/invites`, brin, {}, 404, 'NOT_FOUND'],
      ['POST', at, dov, {}, 404, 'NOT_FOUND'],
      ['POST', at, brin, { max_uses: 0 }, 400, 'VALIDATION'],
      ['POST', at, brin, {}, 403, 'FORBIDDEN'],
      ['GET', at, null, undefined, 401, 'UNAUTHORIZED'],
      ['GET', at, dov, undefined, 404, 'NOT_FOUND'],
      ['GET', at, brin, undefined, 403, 'FORBIDDEN'],
      ['DELETE', `${at}/x`, null, undefined, 401, 'UNAUTHORIZED'],
      ['DELETE', `${at}/x`, ada, undefined, 400, 'BAD_ID'],
      ['DELETE', `${at}/${NOWHERE}`, dov, undefined, 404, 'NOT_FOUND'],
      ['DELETE', `${at}/${NOWHERE}`, brin, undefined, 403, 'FORBIDDEN'],
      ['DELETE', `${at}/${NOWHERE}`, ada, undefined, 404, 'NOT_FOUND'],
      ['DELETE', `${at}/${idOf(foreign.body)}`, ada, undefined, 404, 'NOT_FOUND'],
      ['POST', '/invites/AAAAAAAA/accept', null, undefined, 401, 'UNAUTHORIZED'],
      ['POST', '/invites/AAAAAAAA/accept', dov, undefined, 404, 'NOT_FOUND'],
    ]
    for (const wrong of [
      { max_uses: 1001 },
      { max_uses: 1.5 },
      { max_uses: '1' },
      { max_uses: true },
      { expires_in_hours: 0 },
      { expires_in_hours: 721 },
      { expires_in_hours: -1 },
      { code: 'AAAAAAAA' },
      { max_uses: 1, uses: 0 },
    ]) {
      steps.push(['POST', at, ada, wrong, 400, 'VALIDATION'])
    }
    for (const [method, path, as, body, status, code] of steps) {
      const reply = await gateway.request(method, path, as, body)
      expect([method, path, body, reply.status, field(reply.body, 'code')]).toEqual([method, path, body, status, code])
    }
    expect(await heard()).toEqual(NOTHING)
    const most = await gateway.request('POST', at, ada, { max_uses: 1000, expires_in_hours: null })
    expect(most.body).toMatchObject({ max_uses: 1000, expires_at: null })
    // Nothing at all is a body, too.
    expect((await gateway.request('POST', at, ada)).status).toBe(201)
    expect(await heard()).toEqual([[...MADE, ...MADE], [], [], [], []])
  })

  it('bots accept them like people', async () => {
    const { gateway, ada, id, channel, heard, codeOf } = await harbour(engine)
    const bot = await gateway.bot(ada, 'helper')
    const code = await codeOf()
    const client = await gateway.connect(`bot_token=${bot.token}`)
    const reply = await gateway.request('POST', `/invites/${code}/accept`, `Bot ${bot.token}`)
    expect([reply.status, field(reply.body, 'server_id')]).toEqual([201, id])
    await gateway.post(ada, channel, 'fog')
    expect(await gateway.got(client)).toEqual([SAID])
    await heard()
  })
})
