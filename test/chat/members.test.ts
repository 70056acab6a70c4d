import { describe, expect, it } from 'vitest'
import { MANAGE_MESSAGES, MANAGE_ROLES, SEND_MESSAGES } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

describe('members', () => {
  it('are listed in the order in which they came, as others see them', () => {
    const town = new Town()
    town.clock.ms = START + 10
    town.join(town.cleo, town.place)
    const low = town.role(town.ada, town.place, [town.bob], 0, 1)
    const high = town.role(town.ada, town.place, [town.bob], MANAGE_MESSAGES, 5)
    town.do(({ users }) => users.change(town.bob, { custom_status: 'mapping', avatar_url: 'https://x/b.png' }))
    town.silence(town.place, town.bob, START + 1000)
    town.write('UPDATE server_members SET nickname = ? WHERE user_id = ?', 'Bobby', town.bob)
    const link = town.world.presence.attach(town.bob)
    const list = town.world.members.list(town.cleo, town.place, null, 100)
    expect(list.map(({ username }) => username)).toEqual(['ada', 'bob', 'cleo'])
    expect(list[1]).toEqual({
      user_id: town.bob,
      username: 'bob',
      avatar_url: 'https://x/b.png',
      appearance: { status: 'online', custom_status: 'mapping', activity: null },
      nickname: 'Bobby',
      title: null,
      title_expires_at: null,
      joined_at: new Date(START).toISOString(),
      timeout_expires_at: new Date(START + 1000).toISOString(),
      roles: [
        { id: high, name: 'Pilot', color: null, position: 5, permissions: MANAGE_MESSAGES },
        { id: low, name: 'Pilot', color: null, position: 1, permissions: 0 },
      ],
    })
    expect(list[2]).toMatchObject({ joined_at: new Date(START + 10).toISOString(), roles: [], nickname: null })
    link.detach()
    town.clock.ms = START + 1000
    expect(town.world.members.list(town.ada, town.place, null, 100)[1]).toMatchObject({
      appearance: { status: 'offline', custom_status: null, activity: null },
      timeout_expires_at: null,
    })
  })

  it('come in pages, behind a member', () => {
    const town = new Town()
    const names = Array.from({ length: 9 }, (_, i) => `sailor${i}`)
    for (const [i, name] of names.entries()) {
      // Some in the same millisecond.
      town.clock.ms = START + Math.floor(i / 3)
      town.join(town.user(name), town.place)
    }
    const all = town.world.members.list(town.ada, town.place, null, 100).map(({ user_id }) => user_id)
    expect(all).toHaveLength(11)
    const paged: string[] = []
    for (let after: string | null = null; ; after = paged.at(-1) ?? null) {
      const some = town.world.members.list(town.ada, town.place, after, 2)
      if (some.length === 0) break
      paged.push(...some.map(({ user_id }) => user_id))
    }
    expect(paged).toEqual(all)
    expect(town.world.members.list(town.ada, town.place, town.cleo, 2)).toEqual([])
    expect(town.world.members.list(town.ada, town.place, 'nobody', 2)).toEqual([])
  })

  it('have their roles in this server only', () => {
    const town = new Town()
    const far = town.server(town.ada)
    town.join(town.bob, far)
    town.role(town.ada, far, [town.bob], 0)
    expect(town.world.members.list(town.ada, town.place, null, 100).map(({ roles }) => roles.length)).toEqual([0, 0])
    expect(town.world.members.list(town.ada, far, null, 100).map(({ roles }) => roles.length)).toEqual([0, 1])
  })
})

describe('roles', () => {
  const create = (town: Town, user: string, permissions: number, position: number | null) =>
    town.do(({ roles }) => roles.create(user, town.place, { name: 'Pilot', permissions, color: '#1F8A70', position }))

  it('are made above all by the owner, the highest first in the list', () => {
    const town = new Town()
    const first = create(town, town.ada, 388, null)
    expect(first).toMatchObject({
      server_id: town.place,
      name: 'Pilot',
      permissions: 388,
      color: '#1F8A70',
      position: 1,
      created_at: new Date(START).toISOString(),
    })
    const high = create(town, town.ada, 0, 7)
    const next = create(town, town.ada, 0, null)
    expect(next.position).toBe(8)
    const { roles } = town.world
    expect(roles.list(town.bob, town.place).map(({ id }) => id)).toEqual([next.id, high.id, first.id])
    expect(roles.around(town.bob).map(({ id }) => id)).toEqual([next.id, high.id, first.id])
    expect(roles.around(town.cleo)).toEqual([])
    expect(roles.get(town.place, first.id).id).toBe(first.id)
    expect(codeOf(() => roles.get(town.server(town.ada), first.id))).toBe('NOT_FOUND')
  })

  it('gateway trap T46: MANAGE_ROLES without a bit cannot hand it out', () => {
    const town = new Town()
    town.role(town.ada, town.place, [town.bob], MANAGE_ROLES, 5)
    expect(codeOf(() => create(town, town.bob, MANAGE_MESSAGES, 1))).toBe('FORBIDDEN')
    expect(codeOf(() => create(town, town.bob, 8192, 1))).toBe('FORBIDDEN')
    expect(codeOf(() => create(town, town.bob, MANAGE_ROLES | MANAGE_MESSAGES, 1))).toBe('FORBIDDEN')
    // What every member has, and what the role gives.
    expect(create(town, town.bob, MANAGE_ROLES | SEND_MESSAGES, 1).position).toBe(1)
    expect(codeOf(() => create(town, town.cleo, 0, 1))).toBe('NOT_FOUND')
  })

  it('gateway trap T46: nor create a role at or above the own highest, nor by omitting position', () => {
    const town = new Town()
    town.role(town.ada, town.place, [], 0, 9)
    town.role(town.ada, town.place, [town.bob], MANAGE_ROLES, 5)
    expect(codeOf(() => create(town, town.bob, 0, 5))).toBe('FORBIDDEN')
    expect(codeOf(() => create(town, town.bob, 0, 6))).toBe('FORBIDDEN')
    expect(create(town, town.bob, 0, 4).position).toBe(4)
    expect(create(town, town.bob, 0, null).position).toBe(4)
    // An administrator is not above it either; at position 0 there is no place below.
    town.join(town.cleo, town.place)
    town.role(town.ada, town.place, [town.cleo], 8192, 0)
    expect(codeOf(() => create(town, town.cleo, 0, null))).toBe('FORBIDDEN')
    expect(codeOf(() => create(town, town.cleo, 0, 0))).toBe('FORBIDDEN')
  })

  it('gateway trap T46: nor give a role at or above the own highest', () => {
    const town = new Town()
    const { roles } = town.world
    town.join(town.cleo, town.place)
    const high = town.role(town.ada, town.place, [], 0, 9)
    const own = town.role(town.ada, town.place, [town.bob], MANAGE_ROLES, 5)
    const low = town.role(town.ada, town.place, [], 0, 4)
    town.told()
    const give = (user: string, to: string, id: string): void => town.do(() => roles.give(user, town.place, to, id))
    expect(codeOf(() => give(town.bob, town.cleo, high))).toBe('FORBIDDEN')
    expect(codeOf(() => give(town.bob, town.cleo, own))).toBe('FORBIDDEN')
    expect(codeOf(() => give(town.cleo, town.cleo, low))).toBe('FORBIDDEN')
    expect(town.told()).toEqual([])
    give(town.bob, town.cleo, low)
    expect(town.told()).toEqual([
      { type: 'member.role', userId: town.cleo, role: roles.get(town.place, low), held: true, by: town.bob },
      { type: 'member.visibility', serverId: town.place, userId: town.cleo },
    ])
    expect([...roles.heldBy(town.cleo)]).toEqual([low])
    // Again changes nothing, and tells nobody.
    give(town.bob, town.cleo, low)
    expect(town.told()).toEqual([])
  })

  it('are given to members of their server only', () => {
    const town = new Town()
    const role = town.role(town.ada, town.place, [], 0)
    const far = town.server(town.ada)
    const foreign = town.role(town.ada, far, [], 0)
    const give = (to: string, id: string): void => town.do(({ roles }) => roles.give(town.ada, town.place, to, id))
    expect(codeOf(() => give(town.cleo, role))).toBe('NOT_FOUND')
    expect(codeOf(() => give(town.bob, foreign))).toBe('NOT_FOUND')
    expect(codeOf(() => give(town.bob, 'no'))).toBe('NOT_FOUND')
    expect(town.rows('SELECT * FROM member_roles')).toEqual([])
  })

  it('100 are what a server can have', () => {
    const town = new Town()
    for (let i = 0; i < 100; i++) create(town, town.ada, 0, 1)
    expect(codeOf(() => create(town, town.ada, 0, 1))).toBe('LIMIT')
  })
})
