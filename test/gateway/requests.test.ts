import { describe, expect, it } from 'vitest'
import { expectError, field, idOf, keysOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'
const SILENCE = [[], [], [], [], []]
const FIELDS = [
  'id',
  'kind',
  'from_user',
  'to_user',
  'server_id',
  'comment',
  'state',
  'reason',
  'decided_by',
  'created_at',
  'decided_at',
]

/** Ada's server needs an invite; dov is not in it. */
async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, id } = all
  const at = `/servers/${id}`
  await gateway.request('PATCH', at, ada, { require_invite: true })
  const ask = (as: Person, user_id: string, body: object = {}, headers = {}) =>
    gateway.request('POST', '/friend-requests', as, { user_id, ...body }, headers)
  const askToJoin = (as: Person, body: object = {}, headers = {}) =>
    gateway.request('POST', `${at}/join-requests`, as, body, headers)
  const invite = (as: Person, user_id: string, body: object = {}, headers = {}) =>
    gateway.request('POST', `${at}/invitations`, as, { user_id, ...body }, headers)
  const decide = (as: Person, path: string, request: unknown, how: string, body?: object) =>
    gateway.request('POST', `${path}/${idOf(request)}/${how}`, as, body)
  const list = async (as: Person, path: string) => (await gateway.request('GET', path, as)).body
  return { ...all, at, ask, askToJoin, invite, decide, list }
}

describe.each(engines)('requests, on %s', (engine) => {
  it('to be friends: are made, seen by both, accepted and rejected by who was asked', async () => {
    const { ada, brin, cleo, ask, decide, list, heard } = await harbour(engine)
    const made = await ask(ada, brin.id.toUpperCase(), { comment: 'from the pier' })
    expect([made.status, keysOf(made.body)]).toEqual([201, FIELDS])
    const request = {
      id: idOf(made.body),
      kind: 'friend',
      from_user: ada.id,
      to_user: brin.id,
      server_id: null,
      comment: 'from the pier',
      state: 'pending',
      reason: null,
      decided_by: null,
      created_at: TIME,
      decided_at: null,
    }
    expect(made.body).toEqual(request)
    const second = await ask(cleo, ada.id)
    expect(field(second.body, 'comment')).toBe('')
    expect(await list(ada, '/friend-requests')).toEqual([second.body, made.body])
    expect(await list(brin, '/friend-requests')).toEqual([made.body])

    const accepted = await decide(brin, '/friend-requests', made.body, 'accept')
    expect(accepted.status).toBe(200)
    expect(accepted.body).toEqual({ ...request, state: 'approved', decided_by: brin.id, decided_at: TIME })
    const rejected = await decide(ada, '/friend-requests', second.body, 'reject', { reason: 'who?' })
    const how = { state: 'rejected', reason: 'who?', decided_by: ada.id, decided_at: TIME }
    expect([rejected.status, rejected.body]).toEqual([200, { ...Object(second.body), ...how }])
    expect(await list(ada, '/friend-requests')).toEqual([])
    expectError(await decide(brin, '/friend-requests', made.body, 'accept'), 404, 'NOT_FOUND')
    expectError(await decide(brin, '/friend-requests', made.body, 'reject'), 404, 'NOT_FOUND')
    expectError(await ask(ada, brin.id), 409, 'CONFLICT')
    // Bots hear of them elsewhere; the socket has no event for them.
    expect(await heard()).toEqual(SILENCE)
  })

  it('of two who ask each other at once are one', async () => {
    const { gateway, ada, brin, ask, list } = await harbour(engine)
    const both = await Promise.all([ask(ada, brin.id), ask(brin, ada.id), ask(ada, brin.id)])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409])
    const made = both.find(({ status }) => status === 201)?.body
    expect(await list(ada, '/friend-requests')).toEqual([made])
    const [asked, path] = [field(made, 'to_user') === ada.id ? ada : brin, `/friend-requests/${idOf(made)}/accept`]
    const answers = await Promise.all(Array.from({ length: 3 }, () => gateway.request('POST', path, asked)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404])
  })

  it('to come in: who is let in has the next event of the server, without connecting anew', async () => {
    const { gateway, ada, brin, dov, at, id, channel, askToJoin, decide, list, heard } = await harbour(engine)
    const path = `${at}/join-requests`
    const made = await askToJoin(dov, { comment: 'please' })
    expect([made.status, keysOf(made.body)]).toEqual([201, FIELDS])
    const who = { kind: 'join', from_user: dov.id, to_user: null, server_id: id, comment: 'please', state: 'pending' }
    expect(made.body).toMatchObject(who)
    expect(await list(ada, path)).toEqual([made.body])
    expectError(await gateway.request('GET', path, brin), 403, 'FORBIDDEN')
    expectError(await askToJoin(dov), 409, 'CONFLICT')
    expectError(await askToJoin(brin), 409, 'CONFLICT')
    await gateway.post(ada, channel, 'fog')
    const CREATED = ['MESSAGE_CREATE']
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, CREATED, []])

    const accepted = await decide(ada, path, made.body, 'accept')
    expect(accepted.body).toMatchObject({ ...who, state: 'approved', decided_by: ada.id, decided_at: TIME })
    expect(await heard()).toEqual(SILENCE)
    await gateway.post(ada, channel, 'fog')
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, CREATED, CREATED])
    expect((await gateway.request('GET', at, dov)).status).toBe(200)
    expect(await list(ada, path)).toEqual([])
    expectError(await decide(ada, path, made.body, 'reject'), 404, 'NOT_FOUND')
  })

  it('to come in: who is rejected, or banned, stays outside', async () => {
    const { gateway, ada, dov, at, askToJoin, decide, heard } = await harbour(engine)
    const path = `${at}/join-requests`
    const first = await askToJoin(dov)
    const rejected = await decide(ada, path, first.body, 'reject', { reason: null })
    const how = { state: 'rejected', reason: null, decided_by: ada.id, decided_at: TIME }
    expect(rejected.body).toEqual({ ...Object(first.body), ...how })
    expectError(await gateway.request('GET', at, dov), 404, 'NOT_FOUND')
    await askToJoin(dov)
    await gateway.request('POST', `${at}/members/${dov.id}/ban`, ada)
    await heard()
    expectError(await askToJoin(dov), 403, 'BANNED')
    expectError(await gateway.request('GET', at, dov), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
  })

  it('to come in: are for servers that are public, and need an invite', async () => {
    const { gateway, ada, dov, at, askToJoin } = await harbour(engine)
    await gateway.request('PATCH', at, ada, { require_invite: false })
    expectError(await askToJoin(dov), 400, 'VALIDATION')
    await gateway.request('PATCH', at, ada, { require_invite: true, is_public: false })
    const hidden = await askToJoin(dov)
    const nothing = await gateway.request('POST', `/servers/${NOBODY}/join-requests`, dov, {})
    expectError(hidden, 404, 'NOT_FOUND')
    expect(hidden.text).toBe(nothing.text)
  })

  it('to have somebody come: whoever was asked comes in, also where a server is not public', async () => {
    const { gateway, ada, brin, dov, at, id, channel, invite, decide, list, heard } = await harbour(engine)
    await gateway.request('PATCH', at, ada, { is_public: false })
    const path = `${at}/invitations`
    expectError(await invite(brin, dov.id), 403, 'FORBIDDEN')
    const made = await invite(ada, dov.id, { comment: 'come' })
    expect([made.status, keysOf(made.body)]).toEqual([201, FIELDS])
    const who = { kind: 'invite', from_user: ada.id, to_user: dov.id, server_id: id, comment: 'come' }
    expect(made.body).toMatchObject({ ...who, state: 'pending' })
    expect([await list(dov, '/users/@me/invitations'), await list(ada, '/users/@me/invitations')]).toEqual([
      [made.body],
      [],
    ])
    expectError(await decide(ada, path, made.body, 'accept'), 404, 'NOT_FOUND')
    expectError(await decide(dov, `/servers/${NOBODY}/invitations`, made.body, 'accept'), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
    const accepted = await decide(dov, path, made.body, 'accept')
    expect([accepted.status, field(accepted.body, 'decided_by')]).toEqual([200, dov.id])
    await gateway.post(ada, channel, 'fog')
    expect((await heard())[4]).toEqual(['MESSAGE_CREATE'])
    expect(await list(dov, '/users/@me/invitations')).toEqual([])
    expectError(await invite(ada, dov.id), 409, 'CONFLICT')
  })

  it('to have somebody come: are rejected, and made to who may come', async () => {
    const { gateway, ada, dov, at, invite, decide } = await harbour(engine)
    const made = await invite(ada, dov.id)
    expectError(await invite(ada, dov.id), 409, 'CONFLICT')
    const rejected = await decide(dov, `${at}/invitations`, made.body, 'reject', { reason: 'busy' })
    expect(rejected.body).toMatchObject({ state: 'rejected', reason: 'busy', decided_by: dov.id })
    expectError(await gateway.request('GET', at, dov), 404, 'NOT_FOUND')
    expectError(await invite(ada, NOBODY), 404, 'NOT_FOUND')
    const gone = await gateway.person('gone')
    await gateway.world.changes.run(() => gateway.world.users.disable(gone.id))
    expect((await invite(ada, gone.id)).text).toBe((await invite(ada, NOBODY)).text)
    expectError(await invite(ada, ada.id), 409, 'CONFLICT')
    await gateway.request('POST', `${at}/members/${dov.id}/ban`, ada)
    expectError(await invite(ada, dov.id), 409, 'CONFLICT')
  })

  it('that come again with an Idempotency-Key are answered as the first was', async () => {
    const { ada, brin, dov, at, ask, askToJoin, invite, list, heard } = await harbour(engine)
    const key = { 'Idempotency-Key': 'k' }
    const friend = await ask(ada, brin.id, {}, key)
    expect((await ask(ada, brin.id, { comment: 'other' }, key)).text).toBe(friend.text)
    const join = await askToJoin(dov, {}, key)
    expect((await askToJoin(dov, {}, key)).text).toBe(join.text)
    const come = await invite(ada, dov.id, {}, key)
    const again = await invite(ada, dov.id, {}, key)
    expect([again.status, again.text]).toEqual([201, come.text])
    expect(await list(ada, '/friend-requests')).toEqual([friend.body])
    expect(await list(ada, `${at}/join-requests`)).toEqual([join.body])
    expect(await list(dov, '/users/@me/invitations')).toEqual([come.body])
    expect(await heard()).toEqual(SILENCE)
  })

  it('are refused where they make no sense', async () => {
    const { gateway, ada, brin, dov, at, ask, askToJoin, invite, list, heard } = await harbour(engine)
    const bodies = [
      { comment: 'x'.repeat(513) },
      { comment: 5 },
      { comment: 'a\0b' },
      { comment: '\ud800' },
      { comment: ['x'] },
    ]
    for (const body of bodies) {
      expectError(await ask(ada, brin.id, body), 400, 'VALIDATION')
      expectError(await askToJoin(dov, body), 400, 'VALIDATION')
      expectError(await invite(ada, dov.id, body), 400, 'VALIDATION')
    }
    for (const user_id of ['', 'brin', 5, null, undefined, [brin.id]]) {
      expectError(await gateway.request('POST', '/friend-requests', ada, { user_id }), 400, 'VALIDATION')
      expectError(await gateway.request('POST', `${at}/invitations`, ada, { user_id }), 400, 'VALIDATION')
    }
    expectError(await ask(ada, ada.id), 400, 'VALIDATION')
    expectError(await ask(ada, NOBODY), 404, 'NOT_FOUND')
    for (const path of ['/friend-requests', `${at}/join-requests`, `${at}/invitations`]) {
      for (const how of ['accept', 'reject']) {
        expectError(await gateway.request('POST', `${path}/x/${how}`, ada), 400, 'BAD_ID')
        expectError(await gateway.request('POST', `${path}/${NOBODY}/${how}`, ada), 404, 'NOT_FOUND')
        expectError(await gateway.request('POST', `${path}/x/${how}`), 401, 'UNAUTHORIZED')
      }
      const reason = { reason: 'x'.repeat(513) }
      expectError(await gateway.request('POST', `${path}/${NOBODY}/reject`, ada, reason), 400, 'VALIDATION')
    }
    // As long as may be, and in characters, not in code units.
    expect((await ask(ada, brin.id, { comment: '🛥'.repeat(512) })).status).toBe(201)
    expect((await askToJoin(dov, { comment: '🛥'.repeat(512), days: 1 })).status).toBe(201)
    expect(field(await list(ada, `${at}/join-requests`), 0, 'comment')).toBe('🛥'.repeat(512))
    expect(await heard()).toEqual(SILENCE)
  })

  it('have a comment that may be null, as what else may be left out', async () => {
    const { ada, brin, dov, ask, askToJoin, invite } = await harbour(engine)
    const replies = [
      await ask(ada, brin.id, { comment: null }),
      await askToJoin(dov, { comment: null }),
      await invite(ada, dov.id, { comment: null }),
    ]
    expect(replies.map(({ status, body }) => [status, field(body, 'comment')])).toEqual(replies.map(() => [201, '']))
  })
})
