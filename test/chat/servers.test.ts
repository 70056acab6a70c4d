import { describe, expect, it } from 'vitest'
import { MANAGE_CHANNELS, MANAGE_SERVER, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const draft = { name: 'Quay', icon_url: null, is_public: 1, require_invite: 0 } as const
const text = { name: 'pier', type: 'text', topic: null, category: null } as const
const NOWHERE = '019df252-0000-7000-8000-000000000000'

const leave = (town: Town, user: string): void => town.do(({ servers }) => servers.leave(user, town.place))
const ban = (town: Town, user: string): void =>
  town.write('INSERT INTO server_bans (server_id, user_id, created_at) VALUES (?, ?, ?)', town.place, user, 'now')

describe('a server', () => {
  it('is as it was made; who made it owns it, and is its first member', () => {
    const town = new Town()
    const server = town.do(({ servers }) => servers.create(town.bob, { ...draft, icon_url: 'https://x/y.png' }))
    expect(server).toMatchObject({
      name: 'Quay',
      owner_id: town.bob,
      icon_url: 'https://x/y.png',
      is_public: 1,
      require_invite: 0,
      created_at: new Date(START).toISOString(),
      updated_at: new Date(START).toISOString(),
      member_count: 1,
    })
    expect(town.told()).toEqual([
      { type: 'member.joined', serverId: server.id, userId: town.bob, by: null, invited: false },
    ])
    expect(town.world.access.member(town.bob, server.id).owner).toBe(true)
    expect(town.world.servers.get(town.bob, server.id)).toMatchObject({ id: server.id, member_count: 1 })
  })

  it('one’s own are listed, the oldest first, with the number of their members or without', () => {
    const town = new Town()
    town.clock.ms = START + 1
    const own = town.server(town.bob)
    const { servers } = town.world
    expect(servers.of(town.bob).map(({ id }) => id)).toEqual([town.place, own])
    expect(servers.of(town.bob)[0]).not.toHaveProperty('member_count')
    expect(servers.countedOf(town.bob).map(({ id, member_count }) => [id, member_count])).toEqual([
      [town.place, 2],
      [own, 1],
    ])
    expect(servers.of(town.cleo)).toEqual([])
  })

  it('public ones are shown to who looks around, the largest first, 50 at most', () => {
    const town = new Town()
    town.server(town.ada, false)
    const small = Array.from({ length: 51 }, () => town.server(town.cleo))
    const browsed = town.world.servers.browse()
    expect(browsed).toHaveLength(50)
    expect(browsed.map(({ id }) => id)).toEqual([town.place, ...small.slice(0, 49)])
    expect(browsed[0]?.member_count).toBe(2)
  })

  it('is changed by who may manage it; what is left out stays', () => {
    const town = new Town()
    const change = (user: string, next: object): unknown =>
      town.do(({ servers }) => servers.change(user, town.place, next))
    expect(codeOf(() => change(town.bob, { name: 'Bay' }))).toBe('FORBIDDEN')
    town.role(town.ada, town.place, [town.bob], MANAGE_SERVER)
    town.clock.ms = START + 1000
    expect(change(town.bob, { name: 'Bay', is_public: 0 })).toMatchObject({
      name: 'Bay',
      is_public: 0,
      require_invite: 0,
      owner_id: town.ada,
      created_at: new Date(START).toISOString(),
      updated_at: new Date(START + 1000).toISOString(),
      member_count: 2,
    })
    expect(change(town.ada, { icon_url: 'https://x' })).toMatchObject({ name: 'Bay', icon_url: 'https://x' })
    expect(change(town.ada, { icon_url: null })).toMatchObject({ icon_url: null })
    expect(town.world.servers.get(town.ada, town.place)).toMatchObject({ name: 'Bay', icon_url: null, is_public: 0 })
  })

  it('is removed by its owner only, with all that is in it', () => {
    const town = new Town()
    town.post(town.ada, town.pier, '@bob')
    town.role(town.ada, town.place, [town.bob], 8192)
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: null }, 0, 4))
    town.silence(town.place, town.bob, START)
    ban(town, town.cleo)
    const far = town.server(town.ada)
    const quay = town.channel(town.ada, far)
    town.post(town.ada, quay)
    town.told()
    const remove = (user: string): void => town.do(({ servers }) => servers.remove(user, town.place))
    expect(codeOf(() => remove(town.bob))).toBe('FORBIDDEN')
    remove(town.ada)
    expect(town.told()).toEqual([{ type: 'server.deleted', serverId: town.place }])
    expect(codeOf(() => remove(town.ada))).toBe('NOT_FOUND')
    const left = ['servers', 'channels', 'messages', 'server_members', 'roles', 'member_roles', 'channel_overrides']
      .concat('message_mentions', 'server_bans', 'member_timeouts')
      .map((table) => town.rows(`SELECT * FROM ${table}`).length)
    expect(left).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    expect(town.rows('PRAGMA foreign_key_check')).toEqual([])
  })

  it('an account that owns one cannot go before it', () => {
    const town = new Town()
    town.sqlite.exec('PRAGMA foreign_keys = ON')
    expect(() => town.write('DELETE FROM users WHERE id = ?', town.ada)).toThrow('constraint')
  })

  it('is found by its name as it is written, or by its id; the oldest of several', () => {
    const town = new Town()
    const { servers } = town.world
    expect(servers.named('Harbour')).toBe(town.place)
    expect([servers.named('harbour'), servers.named(''), servers.named(town.pier)]).toEqual([null, null, null])
    const second = town.server(town.bob, false)
    expect([servers.named('Harbour'), servers.named(second)]).toEqual([town.place, second])
    town.do(() => servers.change(town.ada, town.place, { name: 'Quay' }))
    expect([servers.named('Harbour'), servers.named('Quay')]).toEqual([second, town.place])
    town.do(() => servers.remove(town.bob, second))
    expect([servers.named('Harbour'), servers.named(second)]).toEqual([null, null])
  })

  it('100 are what somebody can be in', () => {
    const town = new Town()
    for (let i = 0; i < 99; i++) town.server(town.bob)
    expect(codeOf(() => town.server(town.bob))).toBe('LIMIT')
    const other = town.server(town.ada)
    expect(codeOf(() => town.join(town.bob, other))).toBe('LIMIT')
    leave(town, town.bob)
    town.join(town.bob, other)
    expect(town.world.servers.of(town.bob)).toHaveLength(100)
  })
})

describe('joining', () => {
  it('makes a member, who is told of', () => {
    const town = new Town()
    town.join(town.cleo, town.place)
    // By themselves.
    expect(town.told()).toEqual([
      { type: 'member.joined', serverId: town.place, userId: town.cleo, by: null, invited: false },
    ])
    expect(town.world.access.isMember(town.cleo, town.place)).toBe(true)
    expect(town.world.servers.get(town.cleo, town.place).member_count).toBe(3)
    expect(codeOf(() => town.join(town.cleo, town.place))).toBe('CONFLICT')
    expect(town.told()).toEqual([])
  })

  it('is for public servers, others are not found', () => {
    const town = new Town()
    const hidden = town.server(town.ada, false)
    expect(codeOf(() => town.join(town.bob, hidden))).toBe('NOT_FOUND')
    expect(codeOf(() => town.join(town.bob, NOWHERE))).toBe('NOT_FOUND')
    // Who is in it knows it.
    expect(codeOf(() => town.join(town.ada, hidden))).toBe('CONFLICT')
  })

  it('is refused where an invite is needed', () => {
    const town = new Town()
    town.do(({ servers }) => servers.change(town.ada, town.place, { require_invite: 1 }))
    expect(codeOf(() => town.join(town.cleo, town.place))).toBe('FORBIDDEN')
    expect(codeOf(() => town.join(town.bob, town.place))).toBe('CONFLICT')
  })

  it('is refused to who is banned', () => {
    const town = new Town()
    ban(town, town.cleo)
    expect(codeOf(() => town.join(town.cleo, town.place))).toBe('BANNED')
    expect(town.world.access.isMember(town.cleo, town.place)).toBe(false)
    town.join(town.user('dora'), town.place)
  })
})

describe('leaving', () => {
  it('ends the membership with roles and overrides, and keeps messages', () => {
    const town = new Town()
    const { id } = town.post(town.bob, town.pier)
    const role = town.role(town.ada, town.place, [town.bob], 4)
    const own = { roleId: null, userId: town.bob }
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, own, 0, VIEW_CHANNEL))
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: role, userId: null }, 4, 0))
    const far = town.server(town.ada)
    const quay = town.channel(town.ada, far)
    town.join(town.bob, far)
    town.do(({ overrides }) => overrides.set(town.ada, quay, own, 0, 2))
    town.told()
    leave(town, town.bob)
    expect(town.told()).toEqual([
      // The pier is not among those that they saw.
      { type: 'member.left', serverId: town.place, userId: town.bob, channelIds: [] },
      { type: 'channel.visibility', serverId: town.place, channelId: town.pier, deleted: false },
    ])
    expect(town.world.access.isMember(town.bob, town.place)).toBe(false)
    expect(town.rows('SELECT * FROM member_roles')).toEqual([])
    // The role's own stays, and so does what is in other servers.
    expect(town.rows('SELECT channel_id, user_id FROM channel_overrides ORDER BY channel_id')).toEqual([
      { channel_id: town.pier, user_id: null },
      { channel_id: quay, user_id: town.bob },
    ])
    expect(town.world.access.isMember(town.bob, far)).toBe(true)
    expect(town.world.messages.get(town.ada, town.pier, id).author_id).toBe(town.bob)
    expect(codeOf(() => leave(town, town.bob))).toBe('NOT_FOUND')
    town.join(town.bob, town.place)
    expect(town.world.access.see(town.bob, town.pier)?.permissions).toBe(123)
  })

  it('tells which channels they saw, of this server', () => {
    const town = new Town()
    const [quay, deck] = [town.channel(town.ada, town.place, 'quay'), town.channel(town.ada, town.place, 'deck')]
    town.channel(town.ada, town.server(town.ada))
    town.do(({ overrides }) => overrides.set(town.ada, quay, { roleId: null, userId: null }, 0, VIEW_CHANNEL))
    town.join(town.cleo, town.place)
    // Their role shows them what others do not see; it is gone when this is told.
    town.role(town.ada, town.place, [town.cleo], 8192)
    town.told()
    leave(town, town.bob)
    leave(town, town.cleo)
    const told = town.told().flatMap((event) => (event.type === 'member.left' ? [event] : []))
    expect(told.map(({ userId, channelIds }) => [userId, channelIds.toSorted()])).toEqual([
      [town.bob, [town.pier, deck].toSorted()],
      [town.cleo, [town.pier, quay, deck].toSorted()],
    ])
  })

  it('the owner stays', () => {
    const town = new Town()
    expect(codeOf(() => leave(town, town.ada))).toBe('INVALID')
    expect(town.world.access.isMember(town.ada, town.place)).toBe(true)
  })

  it('gateway trap T31: a sanction is kept while the membership lasts, and ends with it', () => {
    const town = new Town()
    town.write('UPDATE server_members SET server_mute = 1 WHERE user_id = ?', town.bob)
    const muted = (): unknown => town.rows('SELECT server_mute FROM server_members WHERE user_id = ?', town.bob)
    expect(muted()).toEqual([{ server_mute: 1 }])
    town.join(town.cleo, town.place)
    expect(muted()).toEqual([{ server_mute: 1 }])
    // §7.3: it survives a restart.
    const again = town.reopen()
    expect(again.rows('SELECT server_mute FROM server_members WHERE user_id = ?', town.bob)).toEqual([
      { server_mute: 1 },
    ])
    again.do(({ servers }) => servers.leave(town.bob, town.place))
    again.join(town.bob, town.place)
    expect(again.rows('SELECT server_mute, server_deaf FROM server_members WHERE user_id = ?', town.bob)).toEqual([
      { server_mute: 0, server_deaf: 0 },
    ])
  })
})

describe('channels', () => {
  const create = (town: Town, user: string, more: object = {}) =>
    town.do(({ channels }) => channels.create(user, town.place, { ...text, ...more }))

  it('are made by who may manage them, at the end', () => {
    const town = new Town()
    expect(codeOf(() => create(town, town.bob))).toBe('FORBIDDEN')
    town.role(town.ada, town.place, [town.bob], MANAGE_CHANNELS)
    const deck = create(town, town.bob, { name: 'deck', type: 'voice', topic: 'noise', category: 'below' })
    expect(deck).toMatchObject({
      num: 10_002,
      server_id: town.place,
      name: 'deck',
      type: 'voice',
      position: 1,
      category: 'below',
      topic: 'noise',
      created_at: new Date(START).toISOString(),
    })
    expect(town.world.channels.get(town.bob, town.place, deck.id)).toMatchObject({ num: deck.num, topic: 'noise' })
    const list = town.world.channels.visible(town.bob, town.place)
    expect(list.map(({ position }) => position)).toEqual([0, 1])
  })

  it('are listed by position, then age', () => {
    const town = new Town()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => create(town, town.ada, { name }).id)
    const move = (id: string | undefined, position: number): unknown =>
      town.do(({ channels }) => channels.change(town.ada, town.place, id ?? '', { position }))
    move(c, 0)
    move(a, 7)
    expect(town.world.channels.visible(town.ada, town.place).map(({ id }) => id)).toEqual([town.pier, c, b, a])
    expect(create(town, town.ada).position).toBe(8)
  })

  it('are changed and removed by who may manage them there', () => {
    const town = new Town()
    const change = (user: string, next: object, id = town.pier) =>
      town.do(({ channels }) => channels.change(user, town.place, id, next))
    const remove = (user: string): void => town.do(({ channels }) => channels.remove(user, town.place, town.pier))
    expect(codeOf(() => change(town.bob, { name: 'x' }))).toBe('FORBIDDEN')
    expect(codeOf(() => remove(town.bob))).toBe('FORBIDDEN')
    const own = { roleId: null, userId: town.bob }
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, own, MANAGE_CHANNELS, 0))
    expect(change(town.bob, { name: 'x', topic: 'fog' })).toMatchObject({ name: 'x', topic: 'fog', position: 0 })
    expect(change(town.bob, { topic: null })).toMatchObject({ name: 'x', topic: null })
    expect(codeOf(() => change(town.bob, { name: 'x' }, NOWHERE))).toBe('NOT_FOUND')
    const far = town.server(town.ada)
    const quay = town.channel(town.ada, far)
    // Of another server than the one that is named.
    expect(codeOf(() => change(town.ada, { name: 'x' }, quay))).toBe('NOT_FOUND')
    expect(codeOf(() => town.world.channels.get(town.ada, town.place, quay))).toBe('NOT_FOUND')
    town.post(town.bob, town.pier, '@ada')
    town.told()
    remove(town.bob)
    expect(town.told()).toEqual([
      { type: 'channel.visibility', serverId: town.place, channelId: town.pier, deleted: true },
    ])
    expect(town.rows('SELECT * FROM messages')).toEqual([])
    expect(town.rows('SELECT * FROM message_mentions')).toEqual([])
    expect(codeOf(() => remove(town.ada))).toBe('NOT_FOUND')
  })

  it('are found by number and by id, whoever asks', () => {
    const town = new Town()
    const { channels } = town.world
    const pier = channels.get(town.ada, town.place, town.pier)
    expect(pier).toMatchObject({ num: 10_001, shut: 0 })
    expect([channels.byNum(10_001), channels.find(town.pier)]).toEqual([pier, pier])
    for (const num of [0, -1, 10_002, 10_001.5]) expect(channels.byNum(num)).toBeNull()
    for (const id of ['', NOWHERE, town.place]) expect(channels.find(id)).toBeNull()
    // Also one that nobody sees.
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: null }, 0, VIEW_CHANNEL))
    expect(channels.byNum(10_001)).toEqual(pier)
    town.do(() => channels.remove(town.ada, town.place, town.pier))
    expect([channels.byNum(10_001), channels.find(town.pier)]).toEqual([null, null])
  })

  it('are told of when they get another name, and not when something else changes', () => {
    const town = new Town()
    const change = (next: object, user = town.ada): unknown =>
      town.do(({ channels }) => channels.change(user, town.place, town.pier, next))
    town.role(town.ada, town.place, [town.bob], MANAGE_CHANNELS)
    town.told()
    change({ name: 'quay', topic: 'ships' }, town.bob)
    const event = { type: 'channel.renamed', serverId: town.place, channelId: town.pier } as const
    expect(town.told()).toEqual([{ ...event, by: town.bob, name: 'quay' }])
    change({ topic: 'fog' })
    change({ position: 3, category: 'below' })
    change({ name: 'quay' })
    change({ name: 'quay', topic: 'rain' })
    expect(town.told()).toEqual([])
    expect(codeOf(() => change({ name: 'x' }, town.cleo))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    change({ name: 'Quay' })
    expect(town.told()).toEqual([{ ...event, by: town.ada, name: 'Quay' }])
  })

  it('for text are those of a server, in order, whoever asks', () => {
    const town = new Town()
    const make = (name: string, type: 'text' | 'voice') =>
      town.do(({ channels }) => channels.create(town.ada, town.place, { name, type, topic: null, category: null })).id
    make('deck', 'voice')
    const quay = make('quay', 'text')
    const other = town.channel(town.ada, town.server(town.ada))
    const { channels } = town.world
    expect(channels.textOf(town.place)).toEqual([channels.find(town.pier), channels.find(quay)])
    town.do(() => channels.change(town.ada, town.place, town.pier, { position: 9 }))
    expect(channels.textOf(town.place).map(({ id }) => id)).toEqual([quay, town.pier])
    town.do(({ overrides }) => overrides.set(town.ada, quay, { roleId: null, userId: null }, 0, 1))
    expect(channels.textOf(town.place).map(({ id }) => id)).toEqual([quay, town.pier])
    expect([channels.textOf('nowhere'), channels.textOf(town.world.channels.find(other)?.server_id ?? '')]).toEqual([
      [],
      [channels.find(other)],
    ])
  })

  it('a server can have 500', () => {
    const town = new Town()
    for (let i = 1; i < 500; i++) create(town, town.ada)
    expect(codeOf(() => create(town, town.ada))).toBe('LIMIT')
    town.do(({ channels }) => channels.remove(town.ada, town.place, town.pier))
    create(town, town.ada)
  })
})
