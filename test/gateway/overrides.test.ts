import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, idOf, keysOf } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'

const [VIEW, SEND, MANAGE_CHANNELS, ADMINISTRATOR] = [1, 2, 1024, 8192]
const NOBODY = '01900000-0000-7000-8000-000000000000'
const [UPDATE, DELETE, CREATED] = [['CHANNEL_OVERRIDE_UPDATE'], ['CHANNEL_OVERRIDE_DELETE'], ['MESSAGE_CREATE']]

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const at = `/channels/${all.channel}/overrides`
  const put = (as: { readonly token: string }, body: object) => all.gateway.request('PUT', at, as, body)
  return { ...all, at, put }
}

describe.each(engines)('overrides, on %s', (engine) => {
  it('are set, changed and deleted, and all who see the channel hear of it, once on each connection', async () => {
    const { gateway, ada, brin, channel, clients, heard, at, put } = await harbour(engine)
    const made = await put(ada, { user_id: brin.id, allow: 0, deny: SEND })
    expect([made.status, keysOf(made.body)]).toEqual([200, ['id', 'channel_id', 'role_id', 'user_id', 'allow', 'deny']])
    expect(made.body).toMatchObject({ channel_id: channel, role_id: null, user_id: brin.id, allow: 0, deny: SEND })
    expect(await heard()).toEqual([UPDATE, UPDATE, UPDATE, UPDATE, []])
    expect(dataOf(clients[3], 'CHANNEL_OVERRIDE_UPDATE')).toEqual([made.body])

    const changed = await put(ada, { user_id: brin.id, role_id: null, allow: 4, deny: SEND })
    expect(changed.body).toEqual({ ...Object(made.body), allow: 4 })
    expect(await heard()).toEqual([UPDATE, UPDATE, UPDATE, UPDATE, []])
    expect((await put(ada, { user_id: brin.id, allow: 4, deny: SEND })).body).toEqual(changed.body)
    expect(await heard()).toEqual([[], [], [], [], []])
    expect((await gateway.request('GET', at, brin)).body).toEqual([changed.body])

    expect((await gateway.request('DELETE', `${at}/${idOf(made.body)}`, ada)).status).toBe(204)
    expect(await heard()).toEqual([DELETE, DELETE, DELETE, DELETE, []])
    const told = { channel_id: channel, override_id: idOf(made.body) }
    expect(dataOf(clients[3], 'CHANNEL_OVERRIDE_DELETE')).toEqual([told])
    expectError(await gateway.request('DELETE', `${at}/${idOf(made.body)}`, ada), 404, 'NOT_FOUND')
    expect((await gateway.request('GET', at, brin)).body).toEqual([])
  })

  it('gateway trap T25: who loses sight of a channel hears why, and then nothing more; who gains it hears why first', async () => {
    const { gateway, ada, brin, cleo, channel, id, heard, at, put } = await harbour(engine)
    const post = async (): Promise<string[][]> => {
      await gateway.post(ada, channel, 'fog')
      return heard()
    }
    const hidden = await put(ada, { user_id: brin.id, allow: 0, deny: VIEW })
    expect(await heard()).toEqual([UPDATE, UPDATE, UPDATE, UPDATE, []])
    expect(await post()).toEqual([CREATED, [], [], CREATED, []])
    // Hidden from some, it is hidden from others, too.
    await put(ada, { user_id: cleo.id, allow: 0, deny: VIEW })
    expect(await heard()).toEqual([UPDATE, [], [], UPDATE, []])
    expect(await post()).toEqual([CREATED, [], [], [], []])
    // What is for everyone has the server in the place of a role.
    const everyone = await put(ada, { role_id: id, allow: 0, deny: VIEW })
    expect(everyone.body).toMatchObject({ role_id: id, user_id: null })
    expect(await heard()).toEqual([UPDATE, [], [], [], []])
    await put(ada, { user_id: brin.id, allow: VIEW, deny: 0 })
    expect(await heard()).toEqual([UPDATE, UPDATE, UPDATE, [], []])
    expect(await post()).toEqual([CREATED, CREATED, CREATED, [], []])
    await gateway.request('DELETE', `${at}/${idOf(hidden.body)}`, ada)
    expect(await heard()).toEqual([DELETE, DELETE, DELETE, [], []])
    expect(await post()).toEqual([CREATED, [], [], [], []])
    await gateway.request('DELETE', `${at}/${idOf(everyone.body)}`, ada)
    expect(await heard()).toEqual([DELETE, DELETE, DELETE, [], []])
    // With the last that hides it, it is open to all.
    await put(ada, { user_id: cleo.id, allow: 0, deny: 0 })
    expect(await heard()).toEqual([UPDATE, UPDATE, UPDATE, UPDATE, []])
    expect(await post()).toEqual([CREATED, CREATED, CREATED, CREATED, []])
  })

  it('in the middle of messages: none is lost, none comes behind the end, on any connection', async () => {
    const { gateway, ada, brin, channel, clients, put } = await harbour(engine)
    const posts = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await gateway.post(ada, channel, 'fog')
    }
    const changes = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await put(ada, { user_id: brin.id, allow: 0, deny: i % 2 === 0 ? VIEW : 0 })
    }
    await Promise.all([posts(), changes()])
    const [all, one = [], two] = await gateway.got(...clients)
    expect(two).toEqual(one)
    // As ada hears it, without what lies between losing sight and having it again.
    let sees = true
    const expected = (all ?? []).filter((name) => {
      if (name !== 'CHANNEL_OVERRIDE_UPDATE') return sees
      sees = !sees
      return true
    })
    expect(expected.filter((name) => name === 'CHANNEL_OVERRIDE_UPDATE')).toHaveLength(10)
    expect(one).toEqual(expected)
  })

  it('gateway trap T45: one that allows 8192 grants nothing; T47: two for the same are one', async () => {
    const { gateway, ada, brin, at, put } = await harbour(engine)
    const [first, again] = await Promise.all([
      put(ada, { user_id: brin.id, allow: ADMINISTRATOR, deny: 0 }),
      put(ada, { user_id: brin.id, allow: ADMINISTRATOR, deny: 0 }),
    ])
    expect(again.body).toEqual(first.body)
    expect((await gateway.request('GET', at, ada)).body).toEqual([first.body])
    expectError(await put(brin, { user_id: brin.id, allow: 0, deny: 0 }), 403, 'FORBIDDEN')
  })

  it('are for who may manage the channel, with bits they have and roles below their own', async () => {
    const { gateway, ada, brin, cleo, dov, id, clients, heard, at, put } = await harbour(engine)
    const role = async (permissions: number, position: number): Promise<string> => {
      const { body } = await gateway.request('POST', `/servers/${id}/roles`, ada, { name: 'x', permissions, position })
      return idOf(body)
    }
    const [low, own] = [await role(0, 1), await role(MANAGE_CHANNELS, 5)]
    await gateway.request('PUT', `/servers/${id}/members/${brin.id}/roles/${own}`, ada)
    const { body } = await put(ada, { role_id: own, allow: 0, deny: SEND })
    await heard()
    expectError(await put(brin, { role_id: low, allow: ADMINISTRATOR, deny: 0 }), 403, 'FORBIDDEN')
    expectError(await put(brin, { role_id: own, allow: 0, deny: 0 }), 403, 'FORBIDDEN')
    expectError(await put(cleo, { role_id: low, allow: 0, deny: 0 }), 403, 'FORBIDDEN')
    expectError(await put(dov, { role_id: low, allow: 0, deny: 0 }), 404, 'NOT_FOUND')
    expectError(await gateway.request('GET', at, dov), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `${at}/${idOf(body)}`, cleo), 403, 'FORBIDDEN')
    for (const wrong of [
      {},
      { allow: 0, deny: 0 },
      { user_id: brin.id, role_id: low, allow: 0, deny: 0 },
      { user_id: brin.id, allow: 1, deny: 1 },
      { user_id: brin.id, allow: 32_768, deny: 0 },
      { user_id: brin.id, allow: 0 },
      { user_id: brin.id, allow: 0, deny: 0, everyone: true },
    ]) {
      expectError(await put(ada, wrong), 400, 'VALIDATION')
    }
    expectError(await put(ada, { user_id: dov.id, allow: 0, deny: 0 }), 404, 'NOT_FOUND')
    expectError(await put(ada, { role_id: NOBODY, allow: 0, deny: 0 }), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `${at}/${NOBODY}`, ada), 404, 'NOT_FOUND')
    expect(await heard()).toEqual([[], [], [], [], []])
    expect((await put(brin, { role_id: low, allow: SEND, deny: 0 })).status).toBe(200)
    expect(await heard()).toEqual([UPDATE, UPDATE, UPDATE, UPDATE, []])
    expect(field(dataOf(clients[0], 'CHANNEL_OVERRIDE_UPDATE').at(-1), 'role_id')).toBe(low)
  })
})
