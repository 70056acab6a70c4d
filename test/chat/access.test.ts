import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ADD_REACTIONS,
  ALL_PERMISSIONS,
  CONNECT_VOICE,
  channelPermissions,
  DEFAULT_PERMISSIONS,
  KICK_MEMBERS,
  MANAGE_MESSAGES,
  MANAGE_SERVER,
  SEND_MESSAGES,
  VIEW_CHANNEL,
} from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const EVERYONE = { roleId: null, userId: null }
const page = { before: null, after: null, limit: 50 }

/** Takes or gives something in a channel, as its owner. */
const override = (
  town: Town,
  target: { roleId?: string; userId?: string },
  allow: number,
  deny: number,
  channel = town.pier,
): void => void town.do(({ overrides }) => overrides.set(town.ada, channel, { ...EVERYONE, ...target }, allow, deny))

describe('who is no member', () => {
  it('finds neither the server nor anything in it, as if it did not exist', () => {
    const town = new Town()
    const { access, channels, members, messages, overrides, roles, servers } = town.world
    const { id, num } = town.post(town.ada, town.pier)
    const nowhere = town.do(({ ids }) => ids.next())
    const calls = (server: string, channel: string, message: string): (() => unknown)[] => [
      () => access.member(town.cleo, server),
      () => access.visible(town.cleo, server),
      () => servers.get(town.cleo, server),
      () => channels.visible(town.cleo, server),
      () => channels.get(town.cleo, server, channel),
      () => members.list(town.cleo, server, null, 10),
      () => roles.list(town.cleo, server),
      () => overrides.list(town.cleo, channel),
      () => messages.list(town.cleo, channel, page),
      () => messages.get(town.cleo, channel, message),
      () => messages.byNum(town.cleo, message === id ? num : 99),
      () => members.get(town.cleo, server, town.ada),
      () => town.do(() => members.entitle(town.cleo, server, town.ada, 'Cook', null)),
      () => town.do(() => overrides.shut(town.cleo, channel, true)),
      () => town.post(town.cleo, channel),
      () => town.do(() => messages.edit(town.cleo, message, 'x')),
      () => town.do(() => messages.remove(town.cleo, message)),
      () => town.do(({ unreads }) => unreads.readChannel(town.cleo, channel, null)),
      () => town.do(() => servers.change(town.cleo, server, { name: 'x' })),
      () => town.do(() => servers.remove(town.cleo, server)),
      () => town.do(() => servers.leave(town.cleo, server)),
      () => town.channel(town.cleo, server),
      () => town.do(() => channels.change(town.cleo, server, channel, { name: 'x' })),
      () => town.do(() => channels.remove(town.cleo, server, channel)),
      () => town.do(() => overrides.set(town.cleo, channel, EVERYONE, 0, 0)),
      () => town.role(town.cleo, server, [], 0),
    ]
    for (const call of [...calls(town.place, town.pier, id), ...calls(nowhere, nowhere, nowhere)]) {
      expect(codeOf(call)).toBe('NOT_FOUND')
    }
    const messageOf = (server: string): string => {
      try {
        access.member(town.cleo, server)
      } catch (error) {
        return String(error)
      }
      return ''
    }
    expect(messageOf(town.place)).toBe(messageOf(nowhere))
    expect(access.isMember(town.cleo, town.place)).toBe(false)
    expect(access.see(town.cleo, town.pier)).toBeNull()
  })
})

describe('a channel that cannot be seen', () => {
  it('gateway trap T24: a member denied VIEW_CHANNEL finds nothing in it: NOT_FOUND, not FORBIDDEN', () => {
    const town = new Town()
    const { access, channels, messages, overrides, unreads } = town.world
    const { id, num } = town.post(town.bob, town.pier)
    override(town, { userId: town.bob }, 0, VIEW_CHANNEL)
    const calls: (() => unknown)[] = [
      () => access.channel(town.bob, town.pier),
      () => access.channel(town.bob, town.pier, SEND_MESSAGES),
      () => channels.get(town.bob, town.place, town.pier),
      () => messages.list(town.bob, town.pier, page),
      () => messages.get(town.bob, town.pier, id),
      () => messages.byNum(town.bob, num),
      () => overrides.list(town.bob, town.pier),
      () => town.post(town.bob, town.pier),
      // Their own, too.
      () => town.do(() => messages.edit(town.bob, id, 'x')),
      () => town.do(() => messages.remove(town.bob, id)),
      () => town.do(() => unreads.readChannel(town.bob, town.pier, null)),
      () => town.do(() => channels.remove(town.bob, town.place, town.pier)),
      () => town.do(() => overrides.set(town.bob, town.pier, EVERYONE, 0, 0)),
    ]
    for (const call of calls) expect(codeOf(call)).toBe('NOT_FOUND')
    expect(access.see(town.bob, town.pier)).toBeNull()
    expect(channels.visible(town.bob, town.place)).toEqual([])
    expect(channels.visible(town.ada, town.place)).toHaveLength(1)
  })

  it('is seen by its owner and administrators all the same', () => {
    const town = new Town()
    override(town, {}, 0, VIEW_CHANNEL)
    expect(town.world.access.see(town.ada, town.pier)?.permissions).toBe(ALL_PERMISSIONS)
    expect(town.world.access.see(town.bob, town.pier)).toBeNull()
    town.role(town.ada, town.place, [town.bob], 8192)
    expect(town.world.access.see(town.bob, town.pier)?.permissions).toBe(ALL_PERMISSIONS)
    expect(town.world.channels.visible(town.bob, town.place)).toHaveLength(1)
  })

  it('is not the only one: others stay', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    override(town, {}, 0, VIEW_CHANNEL)
    expect(town.world.channels.visible(town.bob, town.place).map(({ id }) => id)).toEqual([quay])
    const { access } = town.world
    expect(access.visible(town.bob, town.place)).toEqual([quay])
    expect(access.visible(town.ada, town.place).toSorted()).toEqual([town.pier, quay].toSorted())
    override(town, { userId: town.bob }, VIEW_CHANNEL, 0)
    override(town, {}, 0, VIEW_CHANNEL, quay)
    expect(access.visible(town.bob, town.place)).toEqual([town.pier])
    expect(access.visible(town.ada, town.server(town.ada))).toEqual([])
    override(town, {}, 0, 0, quay)
    override(town, { userId: town.bob }, 0, 0)
    expect(town.world.access.see(town.bob, quay)?.permissions).toBe(DEFAULT_PERMISSIONS)
  })
})

describe('what a member may do', () => {
  it('in a server comes from roles', () => {
    const town = new Town()
    const { access } = town.world
    expect(codeOf(() => access.mayInServer(town.bob, town.place, MANAGE_SERVER))).toBe('FORBIDDEN')
    town.role(town.ada, town.place, [town.bob], MANAGE_SERVER)
    expect(access.mayInServer(town.bob, town.place, MANAGE_SERVER)).toMatchObject({ owner: false, user_id: town.bob })
    expect(codeOf(() => access.mayInServer(town.bob, town.place, MANAGE_SERVER | KICK_MEMBERS))).toBe('FORBIDDEN')
    expect(access.mayInServer(town.ada, town.place, ALL_PERMISSIONS).owner).toBe(true)
  })

  it('in a channel is FORBIDDEN where it can be seen', () => {
    const town = new Town()
    expect(codeOf(() => town.world.access.channel(town.bob, town.pier, MANAGE_MESSAGES))).toBe('FORBIDDEN')
    override(town, {}, 0, SEND_MESSAGES)
    expect(codeOf(() => town.post(town.bob, town.pier))).toBe('FORBIDDEN')
  })

  it('roles of one server count in no other', () => {
    const town = new Town()
    const other = town.server(town.ada)
    const quay = town.channel(town.ada, other)
    town.join(town.bob, other)
    town.role(town.ada, town.place, [town.bob], 8192)
    expect(town.world.access.see(town.bob, quay)?.permissions).toBe(DEFAULT_PERMISSIONS)
    expect(codeOf(() => town.world.access.mayInServer(town.bob, other, MANAGE_SERVER))).toBe('FORBIDDEN')
  })
})

describe('a timeout', () => {
  it('takes speech until it is over: TIMED_OUT', () => {
    const town = new Town()
    const { access } = town.world
    const { id } = town.post(town.bob, town.pier)
    town.silence(town.place, town.bob, START + 1000)
    const codes = (): string[] => [
      codeOf(() => town.post(town.bob, town.pier)),
      codeOf(() => town.do(({ messages }) => messages.edit(town.bob, id, `at ${town.clock.ms}`))),
      codeOf(() => access.channel(town.bob, town.pier, SEND_MESSAGES | ADD_REACTIONS)),
    ]
    expect(codes()).toEqual(['TIMED_OUT', 'TIMED_OUT', 'TIMED_OUT'])
    expect(access.see(town.bob, town.pier)).toMatchObject({ silenced: true, permissions: 1 + 32 + 64 })
    expect(access.member(town.bob, town.place).silenced).toBe(true)
    town.clock.ms = START + 999
    expect(codes()[0]).toBe('TIMED_OUT')
    // To the millisecond; nobody has to remove it.
    town.clock.ms = START + 1000
    expect(codes()).toEqual(Array.from({ length: 3 }, () => 'nothing was refused'))
    expect(access.see(town.bob, town.pier)?.silenced).toBe(false)
  })

  it('is not the reason where something else is missing, too', () => {
    const town = new Town()
    town.silence(town.place, town.bob, START + 1000)
    const { access } = town.world
    expect(codeOf(() => access.channel(town.bob, town.pier, MANAGE_MESSAGES))).toBe('FORBIDDEN')
    expect(codeOf(() => access.channel(town.bob, town.pier, MANAGE_MESSAGES | SEND_MESSAGES))).toBe('FORBIDDEN')
    expect(codeOf(() => access.channel(town.bob, town.pier, CONNECT_VOICE))).toBe('nothing was refused')
  })

  it('leaves reading, acknowledging and deleting one’s own', () => {
    const town = new Town()
    const { id } = town.post(town.bob, town.pier)
    town.silence(town.place, town.bob, START + 1000)
    expect(town.world.messages.list(town.bob, town.pier, page)).toHaveLength(1)
    town.do(({ unreads }) => unreads.readChannel(town.bob, town.pier, null))
    town.do(({ messages }) => messages.remove(town.bob, id))
  })

  it('means nothing to owner and administrators, and nothing in other servers', () => {
    const town = new Town()
    const other = town.server(town.ada)
    town.join(town.bob, other)
    town.silence(town.place, town.bob, START + 1000)
    town.silence(town.place, town.ada, START + 1000)
    expect(town.world.access.member(town.bob, other).silenced).toBe(false)
    town.post(town.ada, town.pier)
    town.role(town.ada, town.place, [town.bob], 8192)
    town.post(town.bob, town.pier)
  })

  it('survives leaving and coming back', () => {
    const town = new Town()
    town.silence(town.place, town.bob, START + 1000)
    town.do(({ servers }) => servers.leave(town.bob, town.place))
    town.join(town.bob, town.place)
    expect(codeOf(() => town.post(town.bob, town.pier))).toBe('TIMED_OUT')
  })
})

describe('rank', () => {
  it('is the position of the highest role, and the owner’s is above all', () => {
    const town = new Town()
    const { access } = town.world
    town.join(town.cleo, town.place)
    expect(access.rank(town.bob, town.place)).toBe(0)
    town.role(town.ada, town.place, [town.bob], 0, 3)
    town.role(town.ada, town.place, [town.bob], 0, 1)
    expect(access.rank(town.bob, town.place)).toBe(3)
    expect(access.rank(town.ada, town.place)).toBe(Infinity)
    const isAbove = (one: string, other: string): boolean => access.isAbove(one, other, town.place)
    expect([isAbove(town.bob, town.cleo), isAbove(town.cleo, town.bob)]).toEqual([true, false])
    expect([isAbove(town.ada, town.bob), isAbove(town.bob, town.ada)]).toEqual([true, false])
    // Equals are not above each other.
    expect([isAbove(town.ada, town.ada), isAbove(town.bob, town.bob)]).toEqual([false, false])
    town.role(town.ada, town.place, [town.cleo], 0, 3)
    expect([isAbove(town.bob, town.cleo), isAbove(town.cleo, town.bob)]).toEqual([false, false])
  })
})

describe('any server', () => {
  const bits = fc.integer({ min: 0, max: 32_767 })
  const pair = fc.tuple(bits, bits).map(([allow, other]) => ({ allow, deny: other & ~allow }))

  it('what is read from the store is what the rule says of it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(bits, fc.boolean()), { maxLength: 3 }),
        fc.option(pair),
        fc.array(fc.option(pair), { minLength: 3, maxLength: 3 }),
        fc.option(pair),
        (roles, everyone, ofRoles, own) => {
          const town = new Town()
          const ids = roles.map(([permissions, given]) =>
            town.role(town.ada, town.place, given ? [town.bob] : [], permissions & ~8192),
          )
          const overrides = [
            { role_id: null, user_id: null, bits: everyone },
            ...ids.map((role_id, i) => ({ role_id, user_id: null, bits: ofRoles[i] ?? null })),
            { role_id: null, user_id: town.bob, bits: own },
          ].flatMap(({ bits: some, ...target }) => (some === null ? [] : [{ ...target, ...some }]))
          for (const { role_id: roleId, user_id: userId, allow, deny } of overrides) {
            town.do(({ overrides: set }) => set.set(town.ada, town.pier, { roleId, userId }, allow, deny))
          }
          const expected = channelPermissions(
            {
              user_id: town.bob,
              owner: false,
              silenced: false,
              roles: roles.flatMap(([permissions, given], i) =>
                given ? [{ id: ids[i] ?? '', permissions: permissions & ~8192 }] : [],
              ),
            },
            overrides,
          )
          expect(town.world.access.see(town.bob, town.pier)?.permissions ?? 0).toBe(expected)
          expect(town.world.channels.visible(town.bob, town.place)).toHaveLength(expected === 0 ? 0 : 1)
          expect(town.world.access.visible(town.bob, town.place)).toEqual(expected === 0 ? [] : [town.pier])
          town.close()
        },
      ),
      { numRuns: 40 },
    )
  })
})
