import { describe, expect, it } from 'vitest'
import {
  ADMINISTRATOR,
  KICK_MEMBERS,
  MANAGE_CHANNELS,
  MANAGE_MESSAGES,
  SEND_MESSAGES,
  VIEW_CHANNEL,
} from '../../lib/chat/permissions.ts'
import { codeOf, Town } from '../support/world.ts'

const EVERYONE = { roleId: null, userId: null }
type Target = { readonly roleId: string | null; readonly userId: string | null }
const set = (town: Town, user: string, target: Target, allow: number, deny: number) =>
  town.do(({ overrides }) => overrides.set(user, town.pier, target, allow, deny))

describe('an override', () => {
  it('is for a role, a user or everyone', () => {
    const town = new Town()
    const role = town.role(town.ada, town.place, [], 0)
    const all = [
      set(town, town.ada, { roleId: role, userId: null }, 4, 2),
      set(town, town.ada, { roleId: null, userId: town.bob }, 0, 0),
      set(town, town.ada, EVERYONE, 1, 8),
    ]
    expect(all).toMatchObject([
      { channel_id: town.pier, role_id: role, user_id: null, everyone: 0, allow: 4, deny: 2 },
      { channel_id: town.pier, role_id: null, user_id: town.bob, everyone: 0, allow: 0, deny: 0 },
      { channel_id: town.pier, role_id: null, user_id: null, everyone: 1, allow: 1, deny: 8 },
    ])
    expect(town.world.overrides.list(town.bob, town.pier)).toEqual(all)
    expect(town.world.overrides.around(town.bob)).toMatchObject(all.map((one) => ({ ...one, server_id: town.place })))
    expect(town.world.overrides.around(town.cleo)).toEqual([])
  })

  it('gateway trap T47: two for the same target leave one row with one id', () => {
    const town = new Town()
    const role = town.role(town.ada, town.place, [], 0)
    for (const target of [EVERYONE, { roleId: role, userId: null }, { roleId: null, userId: town.bob }]) {
      town.told()
      const first = set(town, town.ada, target, 0, SEND_MESSAGES)
      expect(town.told()).toHaveLength(1)
      const again = set(town, town.ada, target, 0, SEND_MESSAGES)
      // Nothing has changed.
      expect(town.told()).toEqual([])
      const other = set(town, town.ada, target, SEND_MESSAGES, 4)
      expect(town.told()).toEqual([{ type: 'override.set', serverId: town.place, override: other }])
      expect([again.id, other.id]).toEqual([first.id, first.id])
      expect(other).toMatchObject({ allow: SEND_MESSAGES, deny: 4 })
    }
    expect(town.rows('SELECT * FROM channel_overrides')).toHaveLength(3)
    expect(town.rows('SELECT * FROM channel_overrides WHERE allow = 2 AND deny = 4')).toHaveLength(3)
  })

  it('is set by who may manage the channel, and has bits that they have', () => {
    const town = new Town()
    expect(codeOf(() => set(town, town.bob, EVERYONE, 0, 0))).toBe('FORBIDDEN')
    expect(codeOf(() => set(town, town.cleo, EVERYONE, 0, 0))).toBe('NOT_FOUND')
    town.role(town.ada, town.place, [town.bob], MANAGE_CHANNELS, 5)
    expect(codeOf(() => set(town, town.bob, EVERYONE, MANAGE_MESSAGES, 0))).toBe('FORBIDDEN')
    expect(codeOf(() => set(town, town.bob, EVERYONE, 0, MANAGE_MESSAGES))).toBe('FORBIDDEN')
    expect(codeOf(() => set(town, town.bob, EVERYONE, ADMINISTRATOR, 0))).toBe('FORBIDDEN')
    expect(codeOf(() => set(town, town.bob, EVERYONE, KICK_MEMBERS, 0))).toBe('FORBIDDEN')
    expect(set(town, town.bob, EVERYONE, MANAGE_CHANNELS, SEND_MESSAGES)).toMatchObject({ allow: 1024, deny: 2 })
    expect(codeOf(() => set(town, town.ada, EVERYONE, 32_768, 0))).toBe('FORBIDDEN')
    expect(codeOf(() => set(town, town.ada, EVERYONE, -1, 0))).toBe('FORBIDDEN')
  })

  it('what an override gives in the channel cannot be handed on: bits are those of the server', () => {
    const town = new Town()
    set(town, town.ada, { roleId: null, userId: town.bob }, MANAGE_CHANNELS | MANAGE_MESSAGES, 0)
    expect(codeOf(() => set(town, town.bob, EVERYONE, MANAGE_MESSAGES, 0))).toBe('FORBIDDEN')
    expect(set(town, town.bob, EVERYONE, 0, SEND_MESSAGES).deny).toBe(SEND_MESSAGES)
  })

  it('for a role needs one that is below', () => {
    const town = new Town()
    const own = town.role(town.ada, town.place, [town.bob], MANAGE_CHANNELS, 5)
    const low = town.role(town.ada, town.place, [], 0, 4)
    const foreign = town.role(town.ada, town.server(town.ada), [], 0)
    expect(codeOf(() => set(town, town.bob, { roleId: own, userId: null }, 0, 0))).toBe('FORBIDDEN')
    expect(set(town, town.bob, { roleId: low, userId: null }, 0, 2).role_id).toBe(low)
    expect(codeOf(() => set(town, town.ada, { roleId: foreign, userId: null }, 0, 0))).toBe('NOT_FOUND')
    expect(codeOf(() => set(town, town.ada, { roleId: 'no', userId: null }, 0, 0))).toBe('NOT_FOUND')
  })

  it('for a user needs a member', () => {
    const town = new Town()
    expect(codeOf(() => set(town, town.ada, { roleId: null, userId: town.cleo }, 0, 0))).toBe('NOT_FOUND')
  })

  it('allows and denies no bit at once', () => {
    const town = new Town()
    expect(codeOf(() => set(town, town.ada, EVERYONE, 3, 6))).toBe('INVALID')
  })

  it('tells of channels that not everybody can see', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const restricted = () => town.world.overrides.restricted().map(({ channel_id }) => channel_id)
    expect(restricted()).toEqual([])
    set(town, town.ada, EVERYONE, 0, SEND_MESSAGES)
    expect(restricted()).toEqual([])
    set(town, town.ada, EVERYONE, 0, SEND_MESSAGES | VIEW_CHANNEL)
    set(town, town.ada, { roleId: null, userId: town.bob }, 0, VIEW_CHANNEL)
    expect(town.world.overrides.restricted()).toEqual([{ server_id: town.place, channel_id: town.pier }])
    town.do(({ overrides }) => overrides.set(town.ada, quay, EVERYONE, 0, VIEW_CHANNEL))
    expect(restricted().toSorted()).toEqual([town.pier, quay].toSorted())
    expect(town.world.overrides.restrictedOf(town.place).toSorted()).toEqual([town.pier, quay].toSorted())
    expect(town.world.overrides.restrictedOf(town.server(town.ada))).toEqual([])
  })

  it('100 are what a channel can have; one that is there can still be changed', () => {
    const town = new Town()
    for (let i = 0; i < 99; i++) {
      const user = town.user(`sailor${i}`)
      town.join(user, town.place)
      set(town, town.ada, { roleId: null, userId: user }, 0, 2)
    }
    set(town, town.ada, EVERYONE, 0, 2)
    expect(codeOf(() => set(town, town.ada, { roleId: null, userId: town.bob }, 0, 2))).toBe('LIMIT')
    expect(set(town, town.ada, EVERYONE, 2, 0).allow).toBe(2)
  })
})
