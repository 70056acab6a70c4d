import { describe, expect, it } from 'vitest'
import {
  ADD_REACTIONS,
  ADMINISTRATOR,
  ATTACH_FILES,
  CREATE_INVITES,
  KICK_MEMBERS,
  MANAGE_CHANNELS,
  MANAGE_MESSAGES,
  MANAGE_ROLES,
  MANAGE_SERVER,
  MUTE_MEMBERS,
  SEND_MESSAGES,
  SPEAKING,
  VIEW_CHANNEL,
} from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const EVERYONE = { roleId: null, userId: null }
type Target = { readonly roleId: string | null; readonly userId: string | null }

/** Bob is what bots call an admin of a group, cleo is a plain member, and so is dov; eve is in no server. */
function setUp({ admins = true } = {}) {
  const town = new Town()
  const { ada, bob, cleo, place, pier } = town
  const [dov, eve] = [town.user('dov'), town.user('eve')]
  for (const user of [cleo, dov]) town.join(user, place)
  const admin = (): string => {
    const draft = { name: 'Admin', permissions: MANAGE_CHANNELS, color: null, position: 5 } as const
    const { id } = town.do(({ roles }) => roles.create(ada, place, { ...draft, managed: 'group_admin' }))
    town.do(({ roles }) => roles.give(ada, place, bob, id))
    return id
  }
  const managed = admins ? admin() : ''
  town.told()
  const shut = (by: string, value = true, channel = pier): void =>
    town.do(({ overrides }) => overrides.shut(by, channel, value))
  const set = (target: Target, allow: number, deny: number) =>
    town.do(({ overrides }) => overrides.set(ada, pier, target, allow, deny))
  const bits = (channel = pier) =>
    town.world.overrides
      .list(ada, channel)
      .map(({ role_id, user_id, allow, deny }) => [role_id ?? user_id, allow, deny])
  const isShut = (): boolean => town.world.channels.find(pier)?.shut === 1
  /** Of those, who speaks there: by trying. */
  const speaking = (...users: readonly string[]): boolean[] =>
    users.map((user) => {
      const code = codeOf(() => town.post(user, pier))
      if (code !== 'FORBIDDEN' && code !== 'nothing was refused') throw new Error(code)
      return code !== 'FORBIDDEN'
    })
  return { town, ada, bob, cleo, dov, eve, place, pier, managed, admin, shut, set, bits, isShut, speaking }
}

describe('a channel that is shut', () => {
  it('is for its owner and the admins that bots make: the others see it, and speak again when it is open', () => {
    const { town, ada, bob, cleo, dov, place, pier, shut, isShut, speaking } = setUp()
    expect([isShut(), speaking(ada, bob, cleo, dov)]).toEqual([false, [true, true, true, true]])
    town.told()
    shut(ada)
    expect(town.told()).toEqual([{ type: 'channel.shut', serverId: place, channelId: pier, by: ada, shut: true }])
    expect([isShut(), speaking(ada, bob, cleo, dov)]).toEqual([true, [true, true, false, false]])
    expect(town.world.access.see(cleo, pier)).toMatchObject({ permissions: 123 & ~SPEAKING, shut: true })
    town.told()
    shut(bob, false)
    expect(town.told()).toEqual([{ type: 'channel.shut', serverId: place, channelId: pier, by: bob, shut: false }])
    expect([isShut(), speaking(ada, bob, cleo, dov)]).toEqual([false, [true, true, true, true]])
    expect(town.world.access.see(cleo, pier)).toMatchObject({ permissions: 123, shut: false })
  })

  it('writes no override, and has an entry in the log', () => {
    const { town, ada, bob, pier, shut, bits } = setUp()
    shut(ada)
    shut(bob, false)
    expect(bits()).toEqual([])
    const logged = town.rows(
      "SELECT actor_id, action, target_type, target_id FROM audit_logs WHERE action LIKE 'channel.%' ORDER BY id DESC LIMIT 2",
    )
    const target = { target_type: 'channel', target_id: pier }
    expect(logged).toEqual([
      { actor_id: bob, action: 'channel.open', ...target },
      { actor_id: ada, action: 'channel.shut', ...target },
    ])
  })

  it('is not shut again, nor opened twice: nobody is told', () => {
    const { town, ada, shut, isShut } = setUp()
    shut(ada, false)
    expect([town.told(), isShut()]).toEqual([[], false])
    shut(ada)
    town.told()
    shut(ada)
    expect([town.told(), isShut()]).toEqual([[], true])
    shut(ada, false)
    town.told()
    shut(ada, false)
    expect([town.told(), isShut()]).toEqual([[], false])
  })

  it('shut twice is open to all after it was opened once', () => {
    const { ada, cleo, shut, speaking } = setUp()
    shut(ada)
    shut(ada)
    shut(ada, false)
    expect(speaking(cleo)).toEqual([true])
  })

  it('is shut and opened by who may manage it, from where they see it', () => {
    const { town, ada, bob, cleo, dov, eve, place, pier, shut, set, isShut, speaking } = setUp()
    for (const value of [true, false]) {
      expect(codeOf(() => shut(cleo, value))).toBe('FORBIDDEN')
      expect(codeOf(() => shut(eve, value))).toBe('NOT_FOUND')
      expect(codeOf(() => shut(ada, value, 'nowhere'))).toBe('NOT_FOUND')
    }
    set({ roleId: null, userId: dov }, 0, VIEW_CHANNEL)
    town.role(ada, place, [dov], MANAGE_CHANNELS, 1)
    town.told()
    expect(codeOf(() => shut(dov))).toBe('NOT_FOUND')
    expect([town.told(), isShut()]).toEqual([[], false])
    // In this channel only.
    set({ roleId: null, userId: cleo }, MANAGE_CHANNELS, 0)
    const quay = town.channel(ada, place, 'quay')
    expect(codeOf(() => shut(cleo, true, quay))).toBe('FORBIDDEN')
    shut(cleo)
    // Which does not make them one of the admins.
    expect([isShut(), speaking(bob, cleo)]).toEqual([true, [true, false]])
    shut(cleo, false)
    expect([isShut(), speaking(cleo)]).toEqual([false, [true]])
    expect(town.world.channels.find(quay)?.shut).toBe(0)
    expect(town.world.channels.find(pier)?.shut).toBe(0)
  })

  it.each([
    ['ADMINISTRATOR', ADMINISTRATOR, true],
    ['MANAGE_MESSAGES', MANAGE_MESSAGES, true],
    ['MANAGE_CHANNELS', MANAGE_CHANNELS, true],
    ['MANAGE_ROLES', MANAGE_ROLES, true],
    ['MANAGE_SERVER', MANAGE_SERVER, true],
    ['all that makes no admin', MUTE_MEMBERS | KICK_MEMBERS | CREATE_INVITES | SPEAKING, false],
  ])('of members with a role with %s: they speak: %o', (_name, permissions, speaks) => {
    const { town, ada, cleo, dov, place, shut, speaking } = setUp({ admins: false })
    town.role(ada, place, [cleo], permissions, 1)
    shut(ada)
    expect(speaking(ada, cleo, dov)).toEqual([true, speaks, false])
  })

  it('is for who becomes an admin while it is shut, and no more for who was one', () => {
    const { town, ada, bob, cleo, place, admin, shut, speaking } = setUp({ admins: false })
    shut(ada)
    const role = admin()
    expect(speaking(bob, cleo)).toEqual([true, false])
    town.do(({ roles }) => roles.take(ada, place, bob, role))
    town.do(({ roles }) => roles.give(ada, place, cleo, role))
    expect(speaking(bob, cleo)).toEqual([false, true])
    town.do(({ roles }) => roles.change(ada, place, role, { permissions: 0 }))
    expect(speaking(bob, cleo)).toEqual([false, false])
  })

  it('takes reactions and files with it, and says that it is shut, not why one else could not', () => {
    const { town, ada, bob, cleo, pier, shut, set } = setUp()
    const root = town.post(ada, pier)
    shut(ada)
    // An admin is not kept from anything.
    expect(town.world.access.channel(bob, pier, SEND_MESSAGES | ATTACH_FILES | ADD_REACTIONS).shut).toBe(false)
    expect(() => town.post(cleo, pier)).toThrow('Only admins speak here for now')
    expect(() => town.do(({ reactions }) => reactions.add(cleo, pier, root.id, '⚓'))).toThrow(
      'Only admins speak here for now',
    )
    expect(codeOf(() => town.world.access.channel(cleo, pier, ATTACH_FILES))).toBe('FORBIDDEN')
    // What else they lack is another matter.
    expect(() => town.world.access.channel(cleo, pier, SEND_MESSAGES | MANAGE_MESSAGES)).toThrow('Missing')
    set(EVERYONE, 0, VIEW_CHANNEL)
    expect(codeOf(() => town.post(cleo, pier))).toBe('NOT_FOUND')
  })

  it('keeps silent who is in a timeout, admin or not', () => {
    const { town, ada, bob, cleo, place, pier, shut } = setUp()
    for (const user of [bob, cleo]) town.silence(place, user, START + 1000)
    shut(ada)
    expect(codeOf(() => town.post(bob, pier))).not.toBe('nothing was refused')
    // Who could not speak anyway.
    expect(codeOf(() => town.post(cleo, pier))).toBe('FORBIDDEN')
    town.clock.ms = START + 1000
    town.post(bob, pier)
  })

  it('says to an admin in a timeout what keeps them from speaking', () => {
    const { town, ada, bob, place, pier, shut } = setUp()
    town.silence(place, bob, START + 1000)
    shut(ada)
    expect(codeOf(() => town.post(bob, pier))).toBe('TIMED_OUT')
  })

  it('takes edits and replies in threads with it, and leaves one’s own to be deleted', () => {
    const { town, ada, cleo, pier, shut } = setUp()
    const root = town.post(cleo, pier)
    shut(ada)
    expect(codeOf(() => town.reply(root, cleo))).toBe('FORBIDDEN')
    expect(codeOf(() => town.do(({ messages }) => messages.edit(cleo, root.id, 'x')))).toBe('FORBIDDEN')
    town.do(({ messages }) => messages.remove(cleo, root.id))
  })

  it('is still shut when the world is opened again', () => {
    const { town, ada, cleo, pier, shut } = setUp()
    shut(ada)
    const again = town.reopen()
    expect(again.world.channels.find(pier)?.shut).toBe(1)
    expect(codeOf(() => again.post(cleo, pier))).toBe('FORBIDDEN')
    again.do(({ overrides }) => overrides.shut(ada, pier, false))
    again.post(cleo, pier)
  })

  it('can also be one for voices', () => {
    const { town, ada, cleo, place, shut } = setUp()
    const draft = { name: 'deck', type: 'voice', topic: null, category: null } as const
    const { id } = town.do(({ channels }) => channels.create(ada, place, draft))
    shut(ada, true, id)
    expect(codeOf(() => town.post(cleo, id))).toBe('FORBIDDEN')
    town.do(({ voice }) => voice.join(cleo, id))
  })
})

describe('overrides of a channel that is shut', () => {
  it.each([
    ['everyone', () => EVERYONE],
    ['a role', ({ crew }: { crew: string }) => ({ roleId: crew, userId: null })],
    ['a member', ({ cleo }: { cleo: string }) => ({ roleId: null, userId: cleo })],
  ] as const)('let nobody speak whom they are for: %s', (_name, target) => {
    const { town, ada, cleo, dov, place, shut, set, bits, speaking } = setUp()
    const crew = town.role(ada, place, [cleo], 0, 1)
    const one = target({ crew, cleo })
    set(one, SPEAKING, 0)
    shut(ada)
    expect(speaking(cleo, dov)).toEqual([false, false])
    set(one, SPEAKING | MANAGE_MESSAGES | MANAGE_CHANNELS, 0)
    expect(speaking(cleo, dov)).toEqual([false, false])
    const before = bits()
    shut(ada, false)
    expect([bits(), speaking(cleo, dov)]).toEqual([before, [true, true]])
  })

  it('silence admins there as they do when it is open', () => {
    const { ada, bob, cleo, shut, set, bits, speaking } = setUp()
    set(EVERYONE, MANAGE_MESSAGES, SEND_MESSAGES)
    expect(speaking(ada, bob, cleo)).toEqual([true, false, false])
    shut(ada)
    expect(speaking(ada, bob, cleo)).toEqual([true, false, false])
    shut(ada, false)
    expect(bits()).toEqual([[null, MANAGE_MESSAGES, SEND_MESSAGES]])
    expect(speaking(ada, bob, cleo)).toEqual([true, false, false])
  })

  it('that change or go meanwhile are as they were left when it is opened', () => {
    const { town, ada, cleo, dov, pier, shut, set, bits, speaking } = setUp()
    set(EVERYONE, 0, SEND_MESSAGES)
    shut(ada)
    set(EVERYONE, 0, 64)
    set({ roleId: null, userId: cleo }, 0, SEND_MESSAGES)
    shut(ada, false)
    expect(bits()).toEqual([
      [null, 0, 64],
      [cleo, 0, SEND_MESSAGES],
    ])
    expect(speaking(cleo, dov)).toEqual([false, true])
    shut(ada)
    for (const { id } of town.world.overrides.list(ada, pier)) {
      town.do(({ overrides }) => overrides.remove(ada, pier, id))
    }
    expect(speaking(cleo, dov)).toEqual([false, false])
    shut(ada, false)
    expect([bits(), speaking(cleo, dov)]).toEqual([[], [true, true]])
  })

  it('leave room for it, however many there are', () => {
    const { town, ada, place, shut, set, bits, isShut } = setUp()
    for (let i = 0; i < 100; i++) {
      const user = town.user(`sailor${i}`)
      town.join(user, place)
      set({ roleId: null, userId: user }, 0, 64)
    }
    const before = bits()
    shut(ada)
    expect([bits(), isShut()]).toEqual([before, true])
    shut(ada, false)
    expect([bits(), isShut()]).toEqual([before, false])
  })
})

describe('the role that makes admins', () => {
  it('is one of its server, known for what it is, whoever else is called so', () => {
    const { town, ada, place, managed } = setUp()
    town.role(ada, place, [], 0)
    const role = town.world.roles.get(place, managed)
    expect(role.managed).toBe('group_admin')
    expect(town.world.roles.managedOf(place)).toEqual(role)
    expect(town.world.roles.list(ada, place).map((one) => one.managed)).toEqual([null, 'group_admin'])
    const other = town.server(ada)
    expect(town.world.roles.managedOf(other)).toBeNull()
    expect(town.world.roles.managedOf('nowhere')).toBeNull()
    // Each server has its own.
    const draft = { name: 'Admin', permissions: 0, color: null, position: null, managed: 'group_admin' } as const
    const { id } = town.do(({ roles }) => roles.create(ada, other, draft))
    expect(town.world.roles.managedOf(other)?.id).toBe(id)
    expect(town.world.roles.managedOf(place)?.id).toBe(managed)
  })

  it('stays what it is when it is changed, and can be removed and made anew', () => {
    const { town, ada, place, managed, admin } = setUp()
    const changed = town.do(({ roles }) => roles.change(ada, place, managed, { name: 'Mate', permissions: 4 }))
    expect(changed).toMatchObject({ name: 'Mate', managed: 'group_admin' })
    town.do(({ roles }) => roles.remove(ada, place, managed))
    expect(town.world.roles.managedOf(place)).toBeNull()
    const again = admin()
    expect(town.world.roles.managedOf(place)?.id).toBe(again)
  })

  it('is made like any other: from above, with what one has', () => {
    const { town, ada, cleo, place } = setUp({ admins: false })
    const make = (by: string, position: number | null) => {
      const draft = { name: 'Admin', permissions: MANAGE_CHANNELS, color: null, position } as const
      return town.do(({ roles }) => roles.create(by, place, { ...draft, managed: 'group_admin' }))
    }
    expect(codeOf(() => make(cleo, null))).toBe('FORBIDDEN')
    town.role(ada, place, [cleo], 2048, 3)
    expect(codeOf(() => make(cleo, 1))).toBe('FORBIDDEN')
    town.role(ada, place, [cleo], MANAGE_CHANNELS, 2)
    expect(codeOf(() => make(cleo, 3))).toBe('FORBIDDEN')
    expect(make(cleo, null)).toMatchObject({ position: 2, managed: 'group_admin' })
  })

  it('is refused where there is one, also to who may not see that there is room', () => {
    const { town, ada, cleo, place, admin, managed } = setUp()
    town.told()
    expect(codeOf(admin)).toBe('CONFLICT')
    expect(town.told()).toEqual([])
    expect(town.world.roles.managedOf(place)?.id).toBe(managed)
    // Who may make no role is told nothing of those there are.
    const draft = { name: 'Admin', permissions: 0, color: null, position: null, managed: 'group_admin' } as const
    expect(codeOf(() => town.do(({ roles }) => roles.create(cleo, place, draft)))).toBe('FORBIDDEN')
    // Roles that are nothing to bots are as many as before.
    town.role(ada, place, [], 0)
  })
})
