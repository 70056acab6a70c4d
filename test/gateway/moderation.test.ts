import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, keysOf, listOf } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'

const VIEW = 1

/** In which cleo is twice, and in another server, too. */
async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine, 'cleo')
  return { ...all, at: `/servers/${all.id}` }
}

describe.each(engines)('moderation, on %s', (engine) => {
  it.each([
    ['kick', 'MEMBER_KICK'],
    ['ban', 'MEMBER_BAN'],
  ])(
    'gateway trap T27: who is sent off with a %s hears it, and then nothing more, on any connection',
    async (act, event) => {
      const { gateway, ada, cleo, clients, heard, at, id, channel } = await harbour(engine)
      // A channel that only some see has a topic of its own.
      const bridge = await gateway.channel(ada, id, 'bridge')
      await gateway.override(ada, bridge, {}, 0, VIEW)
      await gateway.override(ada, bridge, { userId: cleo.id }, VIEW, 0)
      await heard()
      const reply = await gateway.request('POST', `${at}/members/${cleo.id}/${act}`, ada, { reason: 'spam' })
      expect([reply.status, reply.text]).toEqual([204, ''])
      expect(await heard()).toEqual([[event], [event], [event], [event], []])
      for (const client of clients.slice(0, 4)) {
        expect(dataOf(client, event)).toEqual([{ server_id: id, user_id: cleo.id, reason: 'spam' }])
      }
      await gateway.post(ada, channel, 'fog')
      await gateway.post(ada, bridge, 'fog')
      const CREATED = 'MESSAGE_CREATE'
      expect(await heard()).toEqual([[CREATED, CREATED], [CREATED], [], [], []])
      expectError(await gateway.request('GET', at, cleo), 404, 'NOT_FOUND')
      const back = await gateway.request('POST', `${at}/join`, cleo)
      expect(back.status).toBe(act === 'kick' ? 201 : 403)
      if (act === 'ban') expectError(back, 403, 'BANNED')
    },
  )

  it('gateway trap T36: a ban again is 204 and no event; lifted, it lets somebody in again', async () => {
    const { gateway, ada, brin, cleo, dov, heard, clients, at, id } = await harbour(engine)
    const ban = (who: string, body: object = {}) => gateway.request('POST', `${at}/members/${who}/ban`, ada, body)
    expect((await ban(dov.id)).status).toBe(204)
    // Nobody is told who is not there.
    expect(await heard()).toEqual([['MEMBER_BAN'], ['MEMBER_BAN'], ['MEMBER_BAN'], ['MEMBER_BAN'], []])
    expect(dataOf(clients[0], 'MEMBER_BAN')).toEqual([{ server_id: id, user_id: dov.id, reason: null }])
    expect((await ban(dov.id, { reason: 'still' })).status).toBe(204)
    expect((await ban(cleo.id)).status).toBe(204)
    await heard()
    const bans = await gateway.request('GET', `${at}/bans`, ada)
    expect(listOf(bans.body)).toHaveLength(2)
    expect(listOf(bans.body).map(keysOf)[0]).toEqual(['user_id', 'server_id', 'banned_by', 'reason', 'created_at'])
    expect(listOf(bans.body)[1]).toMatchObject({ user_id: dov.id, banned_by: ada.id, reason: 'still' })
    const page = await gateway.request('GET', `${at}/bans?limit=1&after=${cleo.id}`, ada)
    expect(page.body).toEqual(listOf(bans.body).slice(1))
    expectError(await gateway.request('GET', `${at}/bans`, brin), 403, 'FORBIDDEN')
    expectError(await gateway.request('GET', `${at}/bans`, dov), 404, 'NOT_FOUND')

    const lift = () => gateway.request('DELETE', `${at}/bans/${cleo.id}`, ada)
    expect((await lift()).status).toBe(204)
    expect(await heard()).toEqual([['MEMBER_UNBAN'], ['MEMBER_UNBAN'], [], [], []])
    expect(dataOf(clients[1], 'MEMBER_UNBAN')).toEqual([{ server_id: id, user_id: cleo.id }])
    expect((await lift()).status).toBe(204)
    expect(await heard()).toEqual([[], [], [], [], []])
    expect((await gateway.request('POST', `${at}/join`, cleo)).status).toBe(201)
  })

  it('gateway trap T37: a timeout is told of, and so is its end before the time', async () => {
    const { gateway, ada, brin, cleo, heard, clients, at, id, channel } = await harbour(engine)
    const path = `${at}/members/${cleo.id}/timeout`
    const say = () => gateway.request('POST', `/channels/${channel}/messages`, cleo, { content: 'fog' })
    const body = { duration_minutes: 5, reason: 'cool off' }
    const made = await gateway.request('POST', path, ada, body)
    expect([made.status, keysOf(made.body)]).toEqual([
      200,
      ['user_id', 'server_id', 'expires_at', 'reason', 'created_by', 'created_at'],
    ])
    const TOLD = ['MEMBER_TIMEOUT']
    expect(await heard()).toEqual([TOLD, TOLD, TOLD, TOLD, []])
    expect(dataOf(clients[2], 'MEMBER_TIMEOUT')).toEqual([
      { server_id: id, user_id: cleo.id, expires_at: field(made.body, 'expires_at'), reason: 'cool off' },
    ])
    expectError(await say(), 403, 'TIMED_OUT')
    expectError(await gateway.request('DELETE', path, brin), 403, 'FORBIDDEN')
    for (const status of [204, 204]) expect((await gateway.request('DELETE', path, ada)).status).toBe(status)
    const OVER = ['MEMBER_TIMEOUT_REMOVE']
    expect(await heard()).toEqual([OVER, OVER, OVER, OVER, []])
    expect(dataOf(clients[3], 'MEMBER_TIMEOUT_REMOVE')).toEqual([{ server_id: id, user_id: cleo.id }])
    expect((await say()).status).toBe(201)
  })

  it('refuses what makes no sense, and those who may not', async () => {
    const { gateway, ada, brin, cleo, dov, heard, at } = await harbour(engine)
    for (const [act, good] of [
      ['kick', {}],
      ['ban', {}],
      ['timeout', { duration_minutes: 5 }],
    ] as const) {
      const to = (who: string, as = ada, body: object = good) =>
        gateway.request('POST', `${at}/members/${who}/${act}`, as, body)
      expectError(await to(ada.id), 400, 'VALIDATION')
      expectError(await to(cleo.id, ada, { ...good, reason: 'x'.repeat(513) }), 400, 'VALIDATION')
      expectError(await to(cleo.id, ada, { ...good, days: 1 }), 400, 'VALIDATION')
      expectError(await to(cleo.id, brin), 403, 'FORBIDDEN')
      expectError(await to(ada.id, brin), 403, 'FORBIDDEN')
      expectError(await to(cleo.id, dov), 404, 'NOT_FOUND')
      expectError(await to('01900000-0000-7000-8000-000000000000'), 404, 'NOT_FOUND')
      expectError(await to('nobody'), 400, 'BAD_ID')
    }
    for (const duration_minutes of [0, 40_321, 1.5, '5', null]) {
      const path = `${at}/members/${cleo.id}/timeout`
      expectError(await gateway.request('POST', path, ada, { duration_minutes }), 400, 'VALIDATION')
    }
    expect(await heard()).toEqual([[], [], [], [], []])
  })
})
