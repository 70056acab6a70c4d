import { describe, expect, it } from 'vitest'
import type { RoleChanges } from '../../lib/chat/roles.ts'
import {
  ADMINISTRATOR,
  MANAGE_MESSAGES,
  MANAGE_ROLES,
  SEND_MESSAGES,
  VIEW_CHANNEL,
} from '../../lib/chat/permissions.ts'
import { codeOf, Town } from '../support/world.ts'

/** A manager of roles at 5, and roles above, beside and below. */
function setUp() {
  const town = new Town()
  town.join(town.cleo, town.place)
  const high = town.role(town.ada, town.place, [], 0, 9)
  const own = town.role(town.ada, town.place, [town.bob], MANAGE_ROLES, 5)
  const low = town.role(town.ada, town.place, [town.cleo], MANAGE_MESSAGES, 4)
  town.told()
  const change = (user: string, id: string, changes: RoleChanges) =>
    town.do(({ roles }) => roles.change(user, town.place, id, changes))
  const remove = (user: string, id: string): void => town.do(({ roles }) => roles.remove(user, town.place, id))
  const take = (user: string, from: string, id: string): void =>
    town.do(({ roles }) => roles.take(user, town.place, from, id))
  const looks = (...users: string[]) =>
    users.map((userId) => ({ type: 'member.visibility', serverId: town.place, userId }))
  return { town, high, own, low, change, remove, take, looks }
}

describe('a role', () => {
  it('is told of when it is made', () => {
    const { town } = setUp()
    const draft = { name: 'Pilot', permissions: 0, color: null, position: 1 }
    const role = town.do(({ roles }) => roles.create(town.ada, town.place, draft))
    expect(town.told()).toEqual([{ type: 'role.created', role }])
  })

  it('is changed in what is named, and told of when something is other than before', () => {
    const { town, low, change } = setUp()
    const before = town.world.roles.get(town.place, low)
    const role = change(town.bob, low, { name: 'Chief', color: '#1F8A70' })
    expect(role).toEqual({ ...before, name: 'Chief', color: '#1F8A70' })
    expect(town.told()).toEqual([{ type: 'role.updated', role }])
    expect(change(town.bob, low, { name: 'Chief', color: '#1F8A70', position: 4 })).toEqual(role)
    expect(town.told()).toEqual([])
    expect(change(town.bob, low, { color: null }).color).toBeNull()
  })

  it('gateway trap T46: at or above the own highest is not touched, nor put there', () => {
    const { town, high, own, low, change, remove } = setUp()
    for (const id of [high, own]) {
      expect(codeOf(() => change(town.bob, id, { name: 'mine' }))).toBe('FORBIDDEN')
      expect(codeOf(() => remove(town.bob, id))).toBe('FORBIDDEN')
    }
    expect(codeOf(() => change(town.bob, low, { position: 5 }))).toBe('FORBIDDEN')
    expect(codeOf(() => change(town.cleo, low, { name: 'mine' }))).toBe('FORBIDDEN')
    expect(codeOf(() => remove(town.cleo, low))).toBe('FORBIDDEN')
    expect(town.told()).toEqual([])
    expect(change(town.bob, low, { position: 3 }).position).toBe(3)
    expect(change(town.ada, own, { position: 1000 }).position).toBe(1000)
  })

  it('gateway trap T46: gets no bit that who changes it lacks, and keeps those it has', () => {
    const { town, low, change } = setUp()
    expect(codeOf(() => change(town.bob, low, { permissions: MANAGE_MESSAGES | ADMINISTRATOR }))).toBe('FORBIDDEN')
    // One that was there already is not handed out now.
    expect(change(town.bob, low, { permissions: MANAGE_MESSAGES | MANAGE_ROLES }).permissions).toBe(4 | 2048)
    expect(change(town.bob, low, { permissions: SEND_MESSAGES }).permissions).toBe(SEND_MESSAGES)
    expect(codeOf(() => change(town.bob, low, { permissions: MANAGE_MESSAGES }))).toBe('FORBIDDEN')
  })

  it('has who holds it looked at again where they may see more or less', () => {
    const { town, low, change, looks } = setUp()
    town.do(({ roles }) => roles.give(town.ada, town.place, town.bob, low))
    town.told()
    change(town.ada, low, { permissions: ADMINISTRATOR })
    expect(town.told().slice(1)).toEqual(looks(...[town.bob, town.cleo].toSorted()))
    change(town.ada, low, { permissions: ADMINISTRATOR | MANAGE_MESSAGES })
    expect(town.told().slice(1)).toEqual([])
    change(town.ada, low, { permissions: 0 })
    expect(town.told().slice(1)).toEqual(looks(...[town.bob, town.cleo].toSorted()))
  })

  it('goes with what channels gave and took for it', () => {
    const { town, low, remove, looks } = setUp()
    const target = { roleId: low, userId: null }
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, target, 0, VIEW_CHANNEL))
    town.told()
    remove(town.bob, low)
    expect(town.told()).toEqual([
      { type: 'role.deleted', serverId: town.place, roleId: low },
      ...looks(town.cleo),
      { type: 'channel.visibility', serverId: town.place, channelId: town.pier, deleted: false },
    ])
    expect(town.world.overrides.list(town.ada, town.pier)).toEqual([])
    expect([...town.world.roles.heldBy(town.cleo)]).toEqual([])
    expect(codeOf(() => remove(town.bob, low))).toBe('NOT_FOUND')
  })

  it('is taken once, from members, and from the owner by the owner only', () => {
    const { town, high, low, take, looks } = setUp()
    expect(codeOf(() => take(town.bob, town.cleo, high))).toBe('FORBIDDEN')
    expect(codeOf(() => take(town.cleo, town.cleo, low))).toBe('FORBIDDEN')
    take(town.bob, town.cleo, low)
    const role = town.world.roles.get(town.place, low)
    expect(town.told()).toEqual([
      { type: 'member.role', userId: town.cleo, role, held: false, by: town.bob },
      ...looks(town.cleo),
    ])
    take(town.bob, town.cleo, low)
    expect(town.told()).toEqual([])
    town.do(({ roles }) => roles.give(town.bob, town.place, town.ada, low))
    expect(codeOf(() => take(town.bob, town.ada, low))).toBe('FORBIDDEN')
    take(town.ada, town.ada, low)
    expect([...town.world.roles.heldBy(town.ada)]).toEqual([])
    expect(codeOf(() => take(town.ada, town.user('dov'), low))).toBe('NOT_FOUND')
  })
})
