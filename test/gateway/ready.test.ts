import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { text } from '../support/frames.ts'
import { type Client, dataOf, field, Gateway, idOf, keysOf, listOf, readyOf, sorted } from '../support/gateway.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const [VIEW, MANAGE_MESSAGES] = [1, 4]
const USER = [
  'id',
  'username',
  'email',
  'avatar_url',
  'bio',
  'pronouns',
  'status',
  'custom_status',
  'activity',
  'created_at',
  'is_admin',
]

const unreadOf = (client: Client, channel: string): unknown =>
  field(
    listOf(field(readyOf(client), 'unread_counts')).find((one) => field(one, 'channel_id') === channel),
    'unread_count',
  ) ?? 0

describe.each(engines)('READY, on %s', (engine) => {
  it('gateway trap T4: READY comes first, whatever is in the packet of the handshake, and while others talk', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { channel } = await gateway.server(ada, brin)
    const flood = { over: false }
    const flooding = (async () => {
      while (!flood.over) {
        await gateway.world.changes.run(() =>
          gateway.world.messages.post(ada.id, channel, { content: 'fog', replyTo: null }),
        )
      }
    })()
    for (let round = 0; round < 10; round++) {
      const client = await RawClient.connect(gateway.port)
      client.send(Buffer.concat([handshake(`/ws?token=${brin.token}`), text('{"op":"HEARTBEAT"}')]))
      expect((await client.response()).status).toBe(101)
      const first = await client.frame()
      expect(first.payload.toString()).toMatch(/^\{"op":"DISPATCH","t":"READY","d":\{/)
      client.send(text('{"op":"HEARTBEAT"}'))
      for (;;) if ((await client.frame()).payload.toString() === '{"op":"HEARTBEAT_ACK"}') break
      client.destroy()
    }
    flood.over = true
    await flooding
  })

  it('gateway trap T5: a message is unread in READY, or comes behind it: never both, never neither', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { channel } = await gateway.server(ada, brin)
    const { messages, unreads, changes } = gateway.world
    const seen = { before: 0, behind: 0 }
    for (let round = 0; round < 40; round++) {
      await changes.run(() => unreads.readChannel(brin.id, channel, null))
      const posted: string[] = []
      const postSome = (): Promise<void> => {
        for (let i = 0; i < 3; i++) {
          const post = () => messages.post(ada.id, channel, { content: 'fog', replyTo: null })
          void changes.run(post).then(({ id }) => posted.push(id))
        }
        return turn()
      }
      for (let i = 0; i < round % 5; i++) await postSome()
      const client = gateway.open(`token=${brin.token}`)
      do await postSome()
      while (client.frames.length === 0)
      await client.next('READY')
      await changes.run(() => {})
      await gateway.got(client)
      const behind = dataOf(client, 'MESSAGE_CREATE').map(idOf)
      const unread = Number(unreadOf(client, channel))
      expect(unread + behind.length).toBe(posted.length)
      expect(behind).toEqual(posted.slice(unread))
      seen.before += unread
      seen.behind += behind.length
      await client.close()
    }
    // Else nothing was tested.
    expect([seen.before > 0, seen.behind > 0]).toEqual([true, true])
  })

  it('gateway trap T5: the same holds of direct messages', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { directs, unreads, changes } = gateway.world
    const { direct } = await changes.run(() => directs.open(ada.id, brin.id))
    for (let round = 0; round < 20; round++) {
      await changes.run(() => unreads.readDirect(brin.id, direct.id, null))
      const client = gateway.open(`token=${brin.token}`)
      const posted: string[] = []
      do {
        void changes.run(() => directs.post(ada.id, direct.id, { content: 'fog' })).then(({ id }) => posted.push(id))
        await turn()
      } while (client.frames.length === 0)
      await client.next('READY')
      await changes.run(() => {})
      await gateway.got(client)
      const behind = dataOf(client, 'DM_MESSAGE_CREATE').map(idOf)
      expect(behind).toEqual(posted.slice(Number(unreadOf(client, direct.id))))
      await client.close()
    }
  })

  it('gateway trap T6: its servers have no member_count, the one of GET has', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { id } = await gateway.server(ada, brin)
    const client = await gateway.connect(ada)
    const [server] = listOf(field(readyOf(client), 'servers'))
    expect(server).toEqual({
      id,
      name: 'Harbour',
      owner_id: ada.id,
      icon_url: null,
      is_public: true,
      require_invite: false,
      created_at: TIME,
      updated_at: TIME,
    })
    const { status, body } = await gateway.request('GET', `/servers/${id}`, ada)
    expect([status, body]).toEqual([200, { ...Object(server), member_count: 2 }])
    const { body: own } = await gateway.request('GET', '/servers', brin)
    expect(own).toEqual([body])
  })

  it('gateway trap T7: the count is unread_count in one list, and count in the other', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { channel } = await gateway.server(ada, brin)
    await gateway.post(ada, channel, 'fog')
    await gateway.post(ada, channel, '@brin fog')
    const ready = readyOf(await gateway.connect(brin))
    expect(field(ready, 'unread_counts')).toEqual([{ channel_id: channel, unread_count: 2 }])
    expect(field(ready, 'mention_counts')).toEqual([{ channel_id: channel, count: 1 }])
  })

  it('gateway trap T8: a recipient has no email, and is no admin', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada', 'ada@harbour.test')
    const brin = await gateway.person('brin', 'brin@harbour.test')
    const { body } = await gateway.request('POST', '/dm-channels', brin, { user_id: ada.id })
    const own = readyOf(await gateway.connect(ada))
    expect([field(own, 'user', 'email'), field(own, 'user', 'is_admin')]).toEqual(['ada@harbour.test', true])
    const ready = readyOf(await gateway.connect(brin))
    const recipients = [
      field(ready, 'dm_channels', 0, 'recipient'),
      field((await gateway.request('GET', '/dm-channels', brin)).body, 0, 'recipient'),
      field(body, 'recipient'),
    ]
    for (const recipient of recipients) {
      expect(keysOf(recipient)).toEqual(USER)
      expect([idOf(recipient), field(recipient, 'email'), field(recipient, 'is_admin')]).toEqual([ada.id, null, false])
    }
    const profile = (await gateway.request('GET', `/users/${ada.id}`, brin)).body
    expect(keysOf(profile)).toEqual(USER.filter((name) => name !== 'email' && name !== 'is_admin'))
  })

  it('has exactly its fields, also for somebody who has nothing', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    const ready = readyOf(client)
    expect(keysOf(client.frames[0])).toEqual(['op', 't', 'd'])
    expect(keysOf(ready)).toEqual([
      'user',
      'servers',
      'dm_channels',
      'unread_counts',
      'mention_counts',
      'server_roles',
      'channel_overrides',
    ])
    expect(keysOf(field(ready, 'user'))).toEqual(USER)
    expect(ready).toEqual({
      user: {
        id: ada.id,
        username: 'ada',
        email: null,
        avatar_url: null,
        bio: null,
        pronouns: null,
        status: 'online',
        custom_status: null,
        activity: null,
        created_at: TIME,
        is_admin: true,
      },
      servers: [],
      dm_channels: [],
      unread_counts: [],
      mention_counts: [],
      server_roles: {},
      channel_overrides: {},
    })
    expect((await gateway.request('GET', '/users/@me', ada)).body).toEqual(field(ready, 'user'))
  })

  it('has its objects with their fields in order, servers by age, roles by rank', async () => {
    const gateway = await Gateway.start(engine)
    const { world } = gateway
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const cleo = await gateway.person('cleo')
    const [one, two, other] = [await gateway.server(ada, brin), await gateway.server(ada), await gateway.server(cleo)]
    await world.changes.run(() => world.servers.join(brin.id, two.id))
    const role = { name: 'Pilot', permissions: 388, color: '#1F8A70' }
    const low = await world.changes.run(() => world.roles.create(ada.id, one.id, { ...role, position: 1 }))
    const high = await world.changes.run(() => world.roles.create(ada.id, one.id, { ...role, position: 3 }))
    const same = await world.changes.run(() => world.roles.create(ada.id, one.id, { ...role, position: 3 }))
    const opened = await gateway.request('POST', '/dm-channels', brin, { user_id: ada.id })
    const roleOverride = await gateway.override(ada, one.channel, { roleId: low.id }, MANAGE_MESSAGES, 0)
    const all = await gateway.override(ada, one.channel, {}, 0, 2)
    const self = await gateway.override(ada, one.channel, { userId: brin.id }, 2, 0)
    const ready = readyOf(await gateway.connect(brin))

    const servers = listOf(field(ready, 'servers'))
    expect(servers.map(idOf)).toEqual([one.id, two.id])
    const fields = ['id', 'name', 'owner_id', 'icon_url', 'is_public', 'require_invite', 'created_at', 'updated_at']
    for (const server of servers) expect(keysOf(server)).toEqual(fields)

    expect(keysOf(field(ready, 'server_roles'))).toEqual([one.id, two.id])
    expect(field(ready, 'server_roles', two.id)).toEqual([])
    const roles = listOf(field(ready, 'server_roles', one.id))
    expect(roles.map(idOf)).toEqual([high.id, same.id, low.id])
    expect(keysOf(roles[0])).toEqual(['id', 'server_id', 'name', 'permissions', 'color', 'position', 'created_at'])
    expect(roles[2]).toEqual({
      id: low.id,
      server_id: one.id,
      name: 'Pilot',
      permissions: 388,
      color: '#1F8A70',
      position: 1,
      created_at: TIME,
    })

    const direct = { id: idOf(opened.body), created_at: TIME, last_message_at: null }
    expect(field(ready, 'dm_channels')).toMatchObject([{ ...direct, recipient: { id: ada.id } }])
    expect(keysOf(field(ready, 'dm_channels', 0))).toEqual(['id', 'recipient', 'created_at', 'last_message_at'])

    // For everyone it has the server in the place of a role.
    const base = { channel_id: one.channel, role_id: null, user_id: null, allow: 0, deny: 0 }
    expect(field(ready, 'channel_overrides')).toEqual({
      [one.channel]: [
        { ...base, id: roleOverride, role_id: low.id, allow: MANAGE_MESSAGES },
        { ...base, id: all, role_id: one.id, deny: 2 },
        { ...base, id: self, user_id: brin.id, allow: 2 },
      ],
    })
    expect(keysOf(field(ready, 'channel_overrides', one.channel, 0))).toEqual([
      'id',
      'channel_id',
      'role_id',
      'user_id',
      'allow',
      'deny',
    ])
    expect(JSON.stringify(ready)).not.toContain(other.id)
  })

  it('tells nothing of channels that somebody cannot see', async () => {
    const gateway = await Gateway.start(engine)
    const { world } = gateway
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const cleo = await gateway.person('cleo')
    const { id, channel } = await gateway.server(ada, brin, cleo)
    const hidden = await gateway.channel(ada, id, 'bridge')
    await gateway.override(ada, hidden, {}, 0, VIEW)
    await gateway.override(ada, hidden, { userId: cleo.id }, VIEW, 0)
    const none = await gateway.channel(ada, id, 'cabin')
    await gateway.override(ada, none, { userId: brin.id }, 0, VIEW)
    for (const at of [channel, hidden, none]) await gateway.post(ada, at, 'fog, @brin @cleo @everyone')
    const [toBrin, toCleo, toAda] = [
      readyOf(await gateway.connect(brin)),
      readyOf(await gateway.connect(cleo)),
      readyOf(await gateway.connect(ada)),
    ]
    expect(field(toBrin, 'unread_counts')).toEqual([{ channel_id: channel, unread_count: 1 }])
    expect(field(toBrin, 'mention_counts')).toEqual([{ channel_id: channel, count: 1 }])
    expect(field(toBrin, 'channel_overrides')).toEqual({})
    expect(JSON.stringify(toBrin)).not.toContain(hidden)
    expect(JSON.stringify(toBrin)).not.toContain(none)

    const channelsOf = (list: unknown): unknown[] => listOf(list).map((one) => field(one, 'channel_id'))
    expect(sorted(channelsOf(field(toCleo, 'unread_counts')))).toEqual(sorted([channel, hidden, none]))
    expect(sorted(channelsOf(field(toCleo, 'mention_counts')))).toEqual(sorted([channel, hidden, none]))
    expect(sorted(keysOf(field(toCleo, 'channel_overrides')))).toEqual(sorted([hidden, none]))
    // Her own do not count.
    expect(field(toAda, 'unread_counts')).toEqual([])
    expect(field(toAda, 'mention_counts')).toEqual([])
    expect(sorted(keysOf(field(toAda, 'channel_overrides')))).toEqual(sorted([hidden, none]))

    // Whom a role lets in, sees it.
    const draft = { name: 'Pilot', permissions: 0, color: null, position: null }
    const role = await world.changes.run(() => world.roles.create(ada.id, id, draft))
    await gateway.override(ada, hidden, { roleId: role.id }, VIEW, 0)
    const still = readyOf(await gateway.connect(brin))
    expect(channelsOf(field(still, 'unread_counts'))).toEqual([channel])
    expect(field(still, 'channel_overrides')).toEqual({})
    await world.changes.run(() => world.roles.give(ada.id, id, brin.id, role.id))
    const again = readyOf(await gateway.connect(brin))
    expect(sorted(channelsOf(field(again, 'unread_counts')))).toEqual(sorted([channel, hidden]))
    expect(keysOf(field(again, 'channel_overrides'))).toEqual([hidden])
  })

  it('has direct channels with the newest message first, those without behind', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const ids: string[] = []
    for (const name of ['brin', 'cleo', 'dov', 'eva']) {
      const other = await gateway.person(name)
      ids.push(idOf((await gateway.request('POST', '/dm-channels', ada, { user_id: other.id })).body))
    }
    const [brin = '', cleo = '', dov = '', eva = ''] = ids
    const orderOf = async (): Promise<string[]> => {
      const client = await gateway.connect(ada)
      const { body } = await gateway.request('GET', '/dm-channels', ada)
      const directs = field(readyOf(client), 'dm_channels')
      expect(directs).toEqual(body)
      await client.close()
      return listOf(directs).map(idOf)
    }
    expect(await orderOf()).toEqual([eva, dov, cleo, brin])
    await gateway.request('POST', `/dm-channels/${cleo}/messages`, ada, { content: 'fog' })
    expect(await orderOf()).toEqual([cleo, eva, dov, brin])
    await gateway.request('POST', `/dm-channels/${brin}/messages`, ada, { content: 'fog' })
    expect(await orderOf()).toEqual([brin, cleo, eva, dov])
  })

  it('counts what is unread from joining on, and as messages come, go, and are read', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { id, channel } = await gateway.server(ada)
    await gateway.post(ada, channel, 'before @everyone')
    await gateway.request('POST', `/servers/${id}/join`, brin)
    const countsOf = async (): Promise<unknown[]> => {
      const client = await gateway.connect(brin)
      const ready = readyOf(client)
      await client.close()
      return [unreadOf(client, channel), field(ready, 'mention_counts', 0, 'count') ?? 0]
    }
    expect(await countsOf()).toEqual([0, 0])
    const first = await gateway.post(ada, channel, '@everyone')
    const second = await gateway.post(ada, channel, 'fog')
    const third = await gateway.post(ada, channel, '@Brin!')
    expect(await countsOf()).toEqual([3, 2])
    // Saying something reads nothing, and one's own is not unread.
    await gateway.post(brin, channel, 'I @everyone')
    expect(await countsOf()).toEqual([3, 2])
    await gateway.request('PATCH', `/messages/${second}`, ada, { content: '@brin fog' })
    expect(await countsOf()).toEqual([3, 3])
    await gateway.request('PATCH', `/messages/${second}`, ada, { content: 'fog' })
    expect(await countsOf()).toEqual([3, 2])
    await gateway.request('DELETE', `/messages/${third}`, ada)
    expect(await countsOf()).toEqual([2, 1])
    const ack = (body: unknown) => gateway.request('POST', `/channels/${channel}/ack`, brin, body)
    expect(await ack({ message_id: first })).toMatchObject({ status: 204, text: '' })
    expect(await countsOf()).toEqual([1, 0])
    expect((await ack({ message_id: third.toUpperCase() })).status).toBe(204)
    expect(await countsOf()).toEqual([0, 0])
    // It never goes back.
    expect((await ack({ message_id: first })).status).toBe(204)
    expect(await countsOf()).toEqual([0, 0])
    await gateway.post(ada, channel, 'fog')
    expect(await countsOf()).toEqual([1, 0])
    expect((await ack({})).status).toBe(204)
    expect(await countsOf()).toEqual([0, 0])
    await gateway.post(ada, channel, 'fog')
    expect((await ack(undefined)).status).toBe(204)
    expect(await countsOf()).toEqual([0, 0])
  })

  it('counts direct messages of the other side', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const direct = idOf((await gateway.request('POST', '/dm-channels', ada, { user_id: brin.id })).body)
    for (const [who, content] of [
      [ada, 'fog'],
      [ada, '@brin @everyone'],
      [brin, 'sun'],
    ] as const) {
      await gateway.request('POST', `/dm-channels/${direct}/messages`, who, { content })
    }
    const toBrin = readyOf(await gateway.connect(brin))
    expect(field(toBrin, 'unread_counts')).toEqual([{ channel_id: direct, unread_count: 2 }])
    expect(field(toBrin, 'mention_counts')).toEqual([])
    expect(field(readyOf(await gateway.connect(ada)), 'unread_counts')).toEqual([
      { channel_id: direct, unread_count: 1 },
    ])
    expect((await gateway.request('POST', `/dm-channels/${direct}/ack`, brin, {})).status).toBe(204)
    expect(field(readyOf(await gateway.connect(brin)), 'unread_counts')).toEqual([])
  })

  it('goes to the connection that it is for, once', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const first = await gateway.connect(ada)
    const second = await gateway.connect(ada)
    expect(await gateway.got(first, second)).toEqual([[], []])
    expect(first.frames.filter(({ t }) => t === 'READY')).toHaveLength(1)
    expect(second.frames.filter(({ t }) => t === 'READY')).toHaveLength(1)
  })

  it('may be long', async () => {
    const gateway = await Gateway.start(engine)
    const { world } = gateway
    const ada = await gateway.person('ada')
    const { id } = await gateway.server(ada)
    await world.changes.run(() => {
      const draft = { permissions: 0, color: '#1F8A70', position: null }
      for (let i = 0; i < 100; i++) world.roles.create(ada.id, id, { ...draft, name: `${i} ${'⚓'.repeat(97)}` })
    })
    const client = await gateway.connect(ada)
    expect(listOf(field(readyOf(client), 'server_roles', id))).toHaveLength(100)
    expect(await gateway.got(client)).toEqual([[]])
  })
})
