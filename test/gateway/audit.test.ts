import { describe, expect, it } from 'vitest'
import { expectError, field, Gateway, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'
const SILENCE = [[], [], [], [], []]
const FIELDS = ['id', 'actor_id', 'action', 'target_type', 'target_id', 'details', 'created_at']

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, id } = all
  const at = `/servers/${id}`
  const log = (query = '', as: Person = ada) => gateway.request('GET', `${at}/audit-log${query}`, as)
  let seen = listOf((await log()).body).length
  /** Actions of the entries that have come since the last time, the oldest first. */
  const added = async (): Promise<unknown[]> => {
    const entries = listOf((await log('?limit=100')).body)
    const news = entries.slice(0, entries.length - seen).toReversed()
    seen = entries.length
    return news.map((entry) => field(entry, 'action'))
  }
  const act = async (method: string, path: string, body?: object, as: Person = ada) => {
    const reply = await gateway.request(method, `${at}${path}`, as, body)
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`)
    return reply.body
  }
  return { ...all, at, log, added, act }
}

describe.each(engines)('the audit log, on %s', (engine) => {
  it('has one entry for each thing that is done over HTTP, and tells nobody of it', async () => {
    const { ada, brin, cleo, dov, channel, gateway, log, added, act, heard } = await harbour(engine)
    const member = `/members/${brin.id}`
    await act('PATCH', '', { name: 'Port' })
    expect(await added()).toEqual(['server.update'])
    const role = `/roles/${idOf(await act('POST', '/roles', { name: 'Pilot' }))}`
    await act('PATCH', role, { name: 'Chief' })
    await act('PUT', `${member}${role}`)
    await act('DELETE', `${member}${role}`)
    await act('DELETE', role)
    expect(await added()).toEqual([
      'role.create',
      'role.update',
      'member.role_add',
      'member.role_remove',
      'role.delete',
    ])
    const room = `/channels/${idOf(await act('POST', '/channels', { name: 'quay', type: 'text' }))}`
    await act('PATCH', room, { topic: 'ships' })
    await act('DELETE', room)
    const at = `/channels/${channel}/overrides`
    const override = await gateway.request('PUT', at, ada, { user_id: brin.id, allow: 0, deny: 64 })
    await gateway.request('DELETE', `${at}/${idOf(override.body)}`, ada)
    expect(await added()).toEqual([
      'channel.create',
      'channel.update',
      'channel.delete',
      'override.set',
      'override.remove',
    ])
    await act('PATCH', member, { nickname: 'Skipper' })
    await act('POST', `${member}/timeout`, { duration_minutes: 5 })
    await act('DELETE', `${member}/timeout`)
    await act('POST', `${member}/kick`)
    await act('POST', '/join', {}, brin)
    await act('POST', `${member}/ban`, { reason: 'spam' })
    await act('DELETE', `/bans/${brin.id}`)
    await act('DELETE', '/leave', undefined, cleo)
    expect(await added()).toEqual([
      'member.rename',
      'member.timeout',
      'member.timeout_remove',
      'member.kick',
      'server.join',
      'member.ban',
      'member.unban',
      'server.leave',
    ])
    const invite = await act('POST', '/invites', { max_uses: 2 })
    await gateway.request('POST', `/invites/${String(field(invite, 'code'))}/accept`, dov)
    await act('DELETE', `/invites/${idOf(invite)}`)
    const { body } = await log('?limit=3')
    expect(listOf(body).map((entry) => [field(entry, 'action'), field(entry, 'actor_id')])).toEqual([
      ['invite.delete', ada.id],
      ['invite.accept', dov.id],
      ['invite.create', ada.id],
    ])
    for (const entry of listOf(body)) {
      expect(keysOf(entry)).toEqual(FIELDS)
      expect(entry).toMatchObject({ target_type: 'invite', target_id: idOf(invite), created_at: TIME })
    }
    await heard()
    await log()
    expect(await heard()).toEqual(SILENCE)
  })

  it('has none for what is refused, nor for what changes nothing', async () => {
    const { gateway, ada, brin, cleo, dov, at, channel, added, act } = await harbour(engine)
    const member = `${at}/members/${brin.id}`
    const role = `/roles/${idOf(await act('POST', '/roles', { name: 'Pilot', color: null }))}`
    await act('PUT', `/members/${brin.id}${role}`)
    const override = { user_id: brin.id, allow: 0, deny: 64 }
    await gateway.request('PUT', `/channels/${channel}/overrides`, ada, override)
    await added()
    const asks: readonly (readonly [Person, string, string, object?])[] = [
      [brin, 'PATCH', at, { name: 'x' }],
      [brin, 'POST', `${at}/members/${cleo.id}/kick`],
      [ada, 'POST', `${at}/members/${ada.id}/ban`],
      [ada, 'POST', `${at}/members/${dov.id}/kick`],
      [ada, 'POST', `${member}/timeout`, { duration_minutes: 0 }],
      [ada, 'DELETE', `${at}/leave`],
      [ada, 'POST', `${at}/roles`, { name: '' }],
      [dov, 'POST', `${at}/channels`, { name: 'x', type: 'text' }],
      [cleo, 'POST', `${at}/join`],
      [brin, 'POST', `${at}/invites`, {}],
      [ada, 'DELETE', `${at}/invites/${NOBODY}`],
      [ada, 'PATCH', `${at}/channels/${channel}`, {}],
      [brin, 'DELETE', at],
    ]
    for (const [as, method, path, body] of asks) {
      const { status } = await gateway.request(method, path, as, body)
      expect([method, path, status >= 400 && status < 500]).toEqual([method, path, true])
    }
    expect(await added()).toEqual([])
    const nothing: readonly (readonly [string, string, object?])[] = [
      ['PUT', `${member}${role}`],
      ['PATCH', `${at}${role}`, { name: 'Pilot', color: null }],
      ['PUT', `/channels/${channel}/overrides`, override],
      ['DELETE', `${at}/bans/${dov.id}`],
      ['DELETE', `${member}/timeout`],
      ['PATCH', member, { nickname: null }],
    ]
    for (const [method, path, body] of nothing) {
      const { status } = await gateway.request(method, path, ada, body)
      expect([method, path, status < 300]).toEqual([method, path, true])
    }
    expect(await added()).toEqual([])
  })

  it('has none for a PATCH that says what is there already', async () => {
    const { at, channel, added, act, gateway, ada } = await harbour(engine)
    const { body: server } = await gateway.request('GET', at, ada)
    await act('PATCH', '', { name: field(server, 'name'), is_public: true })
    await act('PATCH', `/channels/${channel}`, { name: 'general', topic: null })
    expect(await added()).toEqual([])
  })

  it('has one for a request that came twice with an Idempotency-Key', async () => {
    const { gateway, ada, at, added } = await harbour(engine)
    const ask = () => gateway.request('POST', `${at}/invites`, ada, {}, { 'Idempotency-Key': 'k' })
    const [first, second] = [await ask(), await ask()]
    expect([second.status, second.text]).toEqual([201, first.text])
    expect(await added()).toEqual(['invite.create'])
  })

  it('has neither what people say, nor codes and tokens', async () => {
    const { gateway, ada, brin, dov, at, channel, log, act } = await harbour(engine)
    const invite = await act('POST', '/invites', {})
    const code = String(field(invite, 'code'))
    await gateway.request('POST', `/invites/${code}/accept`, dov)
    const id = await gateway.post(brin, channel, 'fog at six')
    await gateway.request('DELETE', `/messages/${id}`, ada)
    const { body: made } = await gateway.request('POST', '/bots', ada, { name: 'helper' })
    const token = String(field(made, 'token'))
    const bot = `Bot ${token}`
    await gateway.request('POST', `${at}/join`, bot)
    await gateway.request('POST', `${at}/roles`, ada, { name: 'Pilot' })
    const { text, body } = await log()
    for (const secret of [code, 'fog at six', token, ada.token, dov.token]) expect(text).not.toContain(secret)
    // A bot is somebody, too.
    expect(listOf(body)[1]).toMatchObject({ action: 'server.join', actor_id: field(made, 'bot', 'user_id') })
  })

  it('is for who may manage the server; it does not exist for others', async () => {
    const { gateway, ada, brin, dov, id, log } = await harbour(engine)
    expectError(await log('', brin), 403, 'FORBIDDEN')
    const outside = await log('', dov)
    expectError(outside, 404, 'NOT_FOUND')
    expect(outside.text).toBe((await gateway.request('GET', `/servers/${NOBODY}/audit-log`, dov)).text)
    await gateway.world.changes.run(() => {
      const { roles } = gateway.world
      const draft = { name: 'Mate', permissions: 4096, color: null, position: null }
      roles.give(ada.id, id, brin.id, roles.create(ada.id, id, draft).id)
    })
    expect((await log('', brin)).status).toBe(200)
  })

  it('comes in pages: the newest first, the oldest first behind a cursor', async () => {
    const { gateway, ada, dov, elsewhere, id, log } = await harbour(engine)
    await gateway.world.changes.run(() => {
      const draft = { name: 'Pilot', permissions: 0, color: null, position: 1 }
      // More than a page has.
      for (let i = 0; i < 60; i++)
        gateway.world.roles.remove(ada.id, id, gateway.world.roles.create(ada.id, id, draft).id)
    })
    const all = listOf((await log('?limit=100')).body)
    const ids = all.map(idOf)
    expect(ids).toHaveLength(100)
    expect(ids).toEqual(ids.toSorted().toReversed())
    expect((await log()).body).toEqual(all.slice(0, 50))
    expect((await log('?limit=1000')).body).toEqual(all)
    expect((await log('?limit=0')).body).toEqual(all.slice(0, 1))
    expect((await log(`?limit=3&before=${ids[2]}`)).body).toEqual(all.slice(3, 6))
    expect((await log(`?limit=3&after=${ids[5]?.toUpperCase()}`)).body).toEqual(all.slice(2, 5).toReversed())
    expectError(await log(`?before=${ids[2]}&after=${ids[5]}`), 400, 'VALIDATION')
    expectError(await log('?before=x'), 400, 'BAD_ID')
    expectError(await log('?limit=x'), 400, 'VALIDATION')
    const foreign = await gateway.request('GET', `/servers/${elsewhere.id}/audit-log`, dov)
    expect(listOf(foreign.body).every((entry) => !ids.includes(idOf(entry)))).toBe(true)
    expect(listOf(foreign.body).length).toBeGreaterThan(0)
  })

  it('is empty behind a cursor that is no entry of it', async () => {
    const { gateway, dov, elsewhere, log } = await harbour(engine)
    const foreign = await gateway.request('GET', `/servers/${elsewhere.id}/audit-log?limit=1`, dov)
    for (const cursor of [NOBODY, idOf(listOf(foreign.body)[0]), gateway.world.ids.next()]) {
      expect([(await log(`?before=${cursor}`)).body, (await log(`?after=${cursor}`)).body]).toEqual([[], []])
    }
  })
})

describe.each(engines)('the audit log of a server that is gone, on %s', (engine) => {
  it('is gone, too', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { id } = await gateway.server(ada)
    expect((await gateway.request('GET', `/servers/${id}/audit-log`, ada)).status).toBe(200)
    await gateway.request('DELETE', `/servers/${id}`, ada)
    expectError(await gateway.request('GET', `/servers/${id}/audit-log`, ada), 404, 'NOT_FOUND')
  })
})
