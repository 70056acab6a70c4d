import { describe, expect, it } from 'vitest'
import { MANAGE_SERVER } from '../../lib/chat/permissions.ts'
import { expectError, field, keysOf, listOf, MEMBER_KEYS, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'
const SILENCE = [[], [], [], [], []]

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, id } = all
  const rename = (as: Person, who: string, body: unknown) =>
    gateway.request('PATCH', `/servers/${id}/members/${who}`, as, body)
  const role = async (permissions: number, position: number, to: Person): Promise<void> =>
    gateway.world.changes.run(() => {
      const { roles } = gateway.world
      const draft = { name: 'Mate', permissions, color: null, position }
      roles.give(all.ada.id, id, to.id, roles.create(all.ada.id, id, draft).id)
    })
  return { ...all, rename, role }
}

describe.each(engines)('nicknames, on %s', (engine) => {
  it('are one’s own to set and to clear; others see them when they look', async () => {
    const { gateway, brin, cleo, id, rename, heard } = await harbour(engine)
    const named = await rename(brin, brin.id.toUpperCase(), { nickname: 'Skipper' })
    expect(named.status).toBe(200)
    expect(keysOf(named.body)).toEqual(MEMBER_KEYS)
    const who = { user_id: brin.id, username: 'brin', joined_at: TIME, status: 'online', roles: [] }
    expect(named.body).toMatchObject({ ...who, nickname: 'Skipper' })
    const { body: members } = await gateway.request('GET', `/servers/${id}/members`, cleo)
    expect(listOf(members).map((member) => field(member, 'nickname'))).toEqual([null, 'Skipper', null])
    expect((await rename(brin, brin.id, { nickname: null })).body).toMatchObject({ ...who, nickname: null })
    // There is no event for it.
    expect(await heard()).toEqual(SILENCE)
  })

  it('are given from above, with MANAGE_SERVER', async () => {
    const { gateway, ada, brin, cleo, dov, id, rename, role, heard } = await harbour(engine)
    await role(MANAGE_SERVER, 5, brin)
    await heard()
    expect((await rename(brin, cleo.id, { nickname: 'Deckhand' })).body).toMatchObject({ nickname: 'Deckhand' })
    expectError(await rename(brin, ada.id, { nickname: 'Cook' }), 403, 'FORBIDDEN')
    expectError(await rename(cleo, brin.id, { nickname: 'Cook' }), 403, 'FORBIDDEN')
    expectError(await rename(ada, dov.id, { nickname: 'Cook' }), 404, 'NOT_FOUND')
    expectError(await rename(ada, NOBODY, { nickname: 'Cook' }), 404, 'NOT_FOUND')
    const outside = await rename(dov, cleo.id, { nickname: 'Cook' })
    expectError(outside, 404, 'NOT_FOUND')
    const nowhere = await gateway.request('PATCH', `/servers/${NOBODY}/members/${cleo.id}`, dov, { nickname: 'Cook' })
    expect(outside.text).toBe(nowhere.text)
    expect((await rename(ada, brin.id, { nickname: 'Mate' })).status).toBe(200)
    await role(MANAGE_SERVER, 5, cleo)
    expectError(await rename(brin, cleo.id, { nickname: 'Cook' }), 403, 'FORBIDDEN')
    const { body } = await gateway.request('GET', `/servers/${id}/members`, ada)
    expect(listOf(body).map((member) => field(member, 'nickname'))).toEqual([null, 'Mate', 'Deckhand'])
  })

  it('have 1 to 64 characters, not only space', async () => {
    const { gateway, brin, id, rename, heard } = await harbour(engine)
    const wrong = ['', ' ', '\u3000\t', 'x'.repeat(65), 'a\0b', '\udc00', 5, true, ['x'], { x: 1 }]
    for (const nickname of wrong) expectError(await rename(brin, brin.id, { nickname }), 400, 'VALIDATION')
    expectError(await rename(brin, brin.id, {}), 400, 'VALIDATION')
    expectError(await rename(brin, brin.id, []), 400, 'VALIDATION')
    expectError(await rename(brin, brin.id, '{'), 400, 'BAD_JSON')
    expectError(await rename(brin, 'brin', '{'), 400, 'BAD_ID')
    expectError(await gateway.request('PATCH', `/servers/x/members/y`, null, { nickname: 'x' }), 401, 'UNAUTHORIZED')
    for (const nickname of ['x', '🛥'.repeat(64)]) {
      expect((await rename(brin, brin.id, { nickname })).body).toMatchObject({ nickname })
    }
    expect(
      field((await gateway.request('GET', `/servers/${id}/members?limit=1&after=${brin.id}`, brin)).body, 0),
    ).toEqual(expect.objectContaining({ nickname: null }))
    expect(await heard()).toEqual(SILENCE)
  })
})
