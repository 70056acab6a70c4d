import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'

const [VIEW, MANAGE_ROLES, ADMINISTRATOR] = [1, 2048, 8192]
const NOBODY = '01900000-0000-7000-8000-000000000000'

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, clients, id } = all
  /** What all have got: the same, but for dov, who gets nothing. */
  const heard = async (...names: string[]): Promise<unknown> => {
    expect(await all.heard()).toEqual([names, names, names, names, []])
    return names.length === 0 ? null : clients[3].frames.at(-2)?.d
  }
  const at = `/servers/${id}`
  const make = async (body: object): Promise<string> =>
    idOf((await gateway.request('POST', `${at}/roles`, all.ada, body)).body)
  const hold = (method: 'PUT' | 'DELETE', as: Person, who: Person, role: string) =>
    gateway.request(method, `${at}/members/${who.id}/roles/${role}`, as)
  return { ...all, heard, at, make, hold }
}

describe.each(engines)('roles, on %s', (engine) => {
  it('are made, changed and deleted, and all members hear of it, once on each connection', async () => {
    const { gateway, ada, cleo, at, id, heard } = await harbour(engine)
    const made = await gateway.request('POST', `${at}/roles`, ada, {
      name: 'Pilot',
      permissions: 388,
      color: '#1F8A70',
    })
    expect(made.status).toBe(201)
    expect(keysOf(made.body)).toEqual(['id', 'server_id', 'name', 'permissions', 'color', 'position', 'created_at'])
    expect(made.body).toMatchObject({ server_id: id, name: 'Pilot', permissions: 388, color: '#1F8A70', position: 1 })
    expect(await heard('ROLE_CREATE')).toEqual(made.body)
    const role = `${at}/roles/${idOf(made.body)}`

    const changed = await gateway.request('PATCH', role, ada, {
      name: 'Chief',
      permissions: 8192,
      color: null,
      position: 4,
    })
    expect([changed.status, changed.body]).toEqual([
      200,
      { ...Object(made.body), name: 'Chief', permissions: 8192, color: null, position: 4 },
    ])
    expect(await heard('ROLE_UPDATE')).toEqual(changed.body)
    expect((await gateway.request('PATCH', role, ada, { name: 'Chief' })).status).toBe(200)
    await heard()
    expect((await gateway.request('GET', `${at}/roles`, cleo)).body).toEqual([changed.body])

    expect((await gateway.request('DELETE', role, ada)).status).toBe(204)
    expect(await heard('ROLE_DELETE')).toEqual({ server_id: id, role_id: idOf(made.body) })
    expectError(await gateway.request('DELETE', role, ada), 404, 'NOT_FOUND')
    expect((await gateway.request('GET', `${at}/roles`, cleo)).body).toEqual([])
    await heard()
  })

  it('gateway trap T36: are given and taken, once: again is 204 and no event', async () => {
    const { gateway, ada, brin, at, id, heard, make, hold } = await harbour(engine)
    const role = await make({ name: 'Pilot', color: '#1F8A70' })
    await heard('ROLE_CREATE')
    const told = { server_id: id, user_id: brin.id, role_id: role, role_name: 'Pilot', role_color: '#1F8A70' }
    for (const [method, event] of [
      ['PUT', 'MEMBER_ROLE_ADD'],
      ['DELETE', 'MEMBER_ROLE_REMOVE'],
    ] as const) {
      const reply = await hold(method, ada, brin, role)
      expect([reply.status, reply.text]).toEqual([204, ''])
      expect(await heard(event)).toEqual(told)
      expect((await hold(method, ada, brin, role)).status).toBe(204)
      await heard()
    }
    await hold('PUT', ada, brin, role)
    const members = await gateway.request('GET', `${at}/members`, ada)
    expect(listOf(members.body).map((one) => listOf(field(one, 'roles')).map(idOf))).toEqual([[], [role], []])
    // With it goes that somebody has it: nothing else is said.
    await heard('MEMBER_ROLE_ADD')
    await gateway.request('DELETE', `${at}/roles/${role}`, ada)
    await heard('ROLE_DELETE')
  })

  it('gateway trap T44: one with 8192 shows every channel, until it is changed, taken or deleted', async () => {
    const { gateway, ada, brin, channel, clients, at, make, hold } = await harbour(engine)
    await gateway.override(ada, channel, {}, 0, VIEW)
    await gateway.override(ada, channel, { userId: brin.id }, 0, VIEW)
    /** Whether each connection of brin gets what is posted, and reads it. */
    const sees = async (): Promise<boolean> => {
      await gateway.got(...clients)
      const id = await gateway.post(ada, channel, 'fog')
      const [, one, two, other] = await gateway.got(...clients)
      const { status } = await gateway.request('GET', `/channels/${channel}/messages/${id}`, brin)
      expect([one, two, other]).toEqual([status === 200 ? ['MESSAGE_CREATE'] : [], one, []])
      return status === 200
    }
    const role = await make({ name: 'Admin', permissions: ADMINISTRATOR })
    expect(await sees()).toBe(false)
    await hold('PUT', ada, brin, role)
    expect(await sees()).toBe(true)
    await gateway.request('PATCH', `${at}/roles/${role}`, ada, { permissions: 0 })
    expect(await sees()).toBe(false)
    await gateway.request('PATCH', `${at}/roles/${role}`, ada, { permissions: ADMINISTRATOR })
    expect(await sees()).toBe(true)
    await hold('DELETE', ada, brin, role)
    expect(await sees()).toBe(false)
    await hold('PUT', ada, brin, role)
    expect(await sees()).toBe(true)
    await gateway.request('DELETE', `${at}/roles/${role}`, ada)
    expect(await sees()).toBe(false)
  })

  it('a role that goes opens what was hidden from it', async () => {
    const { gateway, ada, cleo, channel, clients, at, make, hold } = await harbour(engine)
    const role = await make({ name: 'Deckhand' })
    await hold('PUT', ada, cleo, role)
    await gateway.override(ada, channel, { roleId: role }, 0, VIEW)
    await gateway.got(...clients)
    const heard = async (): Promise<string[][]> => {
      await gateway.post(ada, channel, 'fog')
      return gateway.got(...clients)
    }
    const CREATED = ['MESSAGE_CREATE']
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, [], []])
    await gateway.request('DELETE', `${at}/roles/${role}`, ada)
    await gateway.got(...clients)
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, CREATED, []])
  })

  it('gateway trap T46: are handed out below the own highest, with bits that one has', async () => {
    const { gateway, ada, brin, cleo, at, heard, make, hold } = await harbour(engine)
    const [low, own, high] = [
      await make({ name: 'low', position: 1 }),
      await make({ name: 'own', permissions: MANAGE_ROLES, position: 5 }),
      await make({ name: 'high', position: 9 }),
    ]
    await hold('PUT', ada, brin, own)
    await heard('ROLE_CREATE', 'ROLE_CREATE', 'ROLE_CREATE', 'MEMBER_ROLE_ADD')
    for (const [method, path, body] of [
      ['POST', '/roles', { name: 'x', permissions: ADMINISTRATOR }],
      ['POST', '/roles', { name: 'x', position: 5 }],
      ['PATCH', `/roles/${low}`, { permissions: ADMINISTRATOR }],
      ['PATCH', `/roles/${low}`, { position: 5 }],
      ['PATCH', `/roles/${own}`, { name: 'x' }],
      ['DELETE', `/roles/${high}`, undefined],
      ['PUT', `/members/${brin.id}/roles/${high}`, undefined],
      ['DELETE', `/members/${brin.id}/roles/${own}`, undefined],
    ] as const) {
      expectError(await gateway.request(method, at + path, brin, body), 403, 'FORBIDDEN')
      expectError(await gateway.request(method, at + path, cleo, body), 403, 'FORBIDDEN')
    }
    await heard()
    const made = await gateway.request('POST', `${at}/roles`, brin, { name: 'x' })
    expect([made.status, field(made.body, 'position')]).toEqual([201, 4])
    await heard('ROLE_CREATE')
  })

  it('refuses what is no role, and what is not for them', async () => {
    const { gateway, ada, brin, dov, at, heard, make, hold } = await harbour(engine)
    const role = await make({ name: 'Pilot' })
    await heard('ROLE_CREATE')
    for (const body of [
      {},
      { name: '' },
      { name: 'x'.repeat(101) },
      { name: 'x', permissions: 32_768 },
      { name: 'x', permissions: -1 },
      { name: 'x', permissions: 1.5 },
      { name: 'x', color: 'red' },
      { name: 'x', position: 1001 },
      { name: 'x', hoist: true },
    ]) {
      expectError(await gateway.request('POST', `${at}/roles`, ada, body), 400, 'VALIDATION')
    }
    for (const body of [{}, { name: null }, { position: null }, { hoist: true }]) {
      expectError(await gateway.request('PATCH', `${at}/roles/${role}`, ada, body), 400, 'VALIDATION')
    }
    expectError(await gateway.request('GET', `${at}/roles`, dov), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `${at}/roles/${role}`, dov), 404, 'NOT_FOUND')
    expectError(await gateway.request('PATCH', `${at}/roles/${NOBODY}`, ada, { name: 'x' }), 404, 'NOT_FOUND')
    expectError(await hold('PUT', ada, dov, role), 404, 'NOT_FOUND')
    expectError(await hold('PUT', ada, brin, NOBODY), 404, 'NOT_FOUND')
    await heard()
    // Made once, however often it is asked for.
    const key = { 'Idempotency-Key': 'once' }
    const made = await gateway.request('POST', `${at}/roles`, ada, { name: 'Cook' }, key)
    expect((await gateway.request('POST', `${at}/roles`, ada, { name: 'Cook' }, key)).body).toEqual(made.body)
    await heard('ROLE_CREATE')
  })

  it('are in READY as they are now', async () => {
    const { gateway, ada, cleo, id, clients, at, make } = await harbour(engine)
    const [low, high] = [await make({ name: 'low' }), await make({ name: 'high' })]
    await gateway.request('PATCH', `${at}/roles/${low}`, ada, { position: 3 })
    const late = await gateway.connect(cleo)
    expect(listOf(field(late.frames[0]?.d, 'server_roles', id)).map(idOf)).toEqual([low, high])
    await gateway.got(...clients)
    expect(dataOf(clients[0], 'ROLE_UPDATE')).toHaveLength(1)
  })
})
