import { describe, expect, it } from 'vitest'
import {
  ADMINISTRATOR,
  MANAGE_CHANNELS,
  MANAGE_MESSAGES,
  SEND_MESSAGES,
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
    expect(town.told().at(-1)).toEqual({ type: 'channel.shut', serverId: place, channelId: pier, by: ada, shut: true })
    expect([isShut(), speaking(ada, bob, cleo, dov)]).toEqual([true, [true, true, false, false]])
    expect(town.world.access.see(cleo, pier)?.permissions).toBe(123 & ~SEND_MESSAGES)
    town.told()
    shut(bob, false)
    expect(town.told().at(-1)).toEqual({ type: 'channel.shut', serverId: place, channelId: pier, by: bob, shut: false })
    expect([isShut(), speaking(ada, bob, cleo, dov)]).toEqual([false, [true, true, true, true]])
  })

  it('is so by overrides, of which doors are told, and of which the log has an entry each', () => {
    const { town, ada, place, pier, managed, shut, bits } = setUp()
    shut(ada)
    const [everyone, admins] = town.world.overrides.list(ada, pier)
    expect(town.told()).toEqual([
      { type: 'override.set', serverId: place, override: everyone },
      { type: 'override.set', serverId: place, override: admins },
      { type: 'channel.shut', serverId: place, channelId: pier, by: ada, shut: true },
    ])
    expect(bits()).toEqual([
      [null, 0, SEND_MESSAGES],
      [managed, SEND_MESSAGES, 0],
    ])
    const logged = town.rows("SELECT actor_id, target_id FROM audit_logs WHERE action = 'override.set' ORDER BY id")
    expect(logged).toEqual([everyone, admins].map((one) => ({ actor_id: ada, target_id: one?.id })))
  })

  it('is not shut again, nor opened twice: nobody is told', () => {
    const { town, ada, shut, bits, isShut } = setUp()
    shut(ada, false)
    expect([town.told(), bits(), isShut()]).toEqual([[], [], false])
    shut(ada)
    const once = bits()
    town.told()
    shut(ada)
    expect([town.told(), bits(), isShut()]).toEqual([[], once, true])
    shut(ada, false)
    town.told()
    shut(ada, false)
    expect([town.told(), isShut()]).toEqual([[], false])
  })

  it('shut twice is open to all after it was opened once', () => {
    const { ada, cleo, shut, speaking } = setUp()
    shut(ada)
    // The second time everyone is denied already, which is no wish of before.
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

  it('by who cannot touch the role of the admins is shut all the same: they give it nothing of theirs', () => {
    const { town, ada, bob, dov, place, managed, shut, bits } = setUp()
    // Below the role that shutting sets an override for.
    town.role(ada, place, [dov], MANAGE_CHANNELS, 1)
    expect(
      codeOf(() => town.do(({ overrides }) => overrides.set(dov, town.pier, { roleId: managed, userId: null }, 0, 0))),
    ).toBe('FORBIDDEN')
    shut(dov)
    expect(bits()).toContainEqual([managed, SEND_MESSAGES, 0])
    expect(codeOf(() => town.post(bob, town.pier))).toBe('nothing was refused')
  })

  it('without admins that bots have made is for owner and administrators', () => {
    const { town, ada, bob, cleo, place, shut, bits, speaking } = setUp({ admins: false })
    town.role(ada, place, [cleo], ADMINISTRATOR, 1)
    shut(ada)
    expect(bits()).toEqual([[null, 0, SEND_MESSAGES]])
    expect(speaking(ada, bob, cleo)).toEqual([true, false, true])
  })

  it('keeps silent who is in a timeout', () => {
    const { town, ada, bob, place, pier, shut } = setUp()
    town.silence(place, bob, START + 1000)
    shut(ada)
    expect(codeOf(() => town.post(bob, pier))).toBe('TIMED_OUT')
    town.clock.ms = START + 1000
    town.post(bob, pier)
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

describe('what was said of everyone before', () => {
  it('is kept: who was denied to speak is so when it is open again', () => {
    const { town, ada, cleo, pier, shut, set, bits, speaking } = setUp({ admins: false })
    set(EVERYONE, MANAGE_MESSAGES, SEND_MESSAGES)
    shut(ada)
    shut(ada, false)
    expect(bits()).toEqual([[null, MANAGE_MESSAGES, SEND_MESSAGES]])
    expect(speaking(cleo)).toEqual([false])
    // What was remembered is not remembered the next time.
    set(EVERYONE, 0, 0)
    shut(ada)
    expect(town.rows('SELECT shut_prev_deny FROM channels WHERE id = ?', pier)).toEqual([{ shut_prev_deny: 0 }])
    shut(ada, false)
    expect(speaking(cleo)).toEqual([true])
  })

  it('is kept in all other bits', () => {
    const { ada, shut, set, bits } = setUp({ admins: false })
    set(EVERYONE, MANAGE_MESSAGES, 64 | 16)
    shut(ada)
    expect(bits()).toEqual([[null, MANAGE_MESSAGES, 64 | 16 | SEND_MESSAGES]])
    shut(ada, false)
    expect(bits()).toEqual([[null, MANAGE_MESSAGES, 64 | 16]])
  })

  it('where it was allowed is denied: no bit is both', () => {
    const { ada, cleo, shut, set, bits, speaking } = setUp({ admins: false })
    set(EVERYONE, SEND_MESSAGES | MANAGE_MESSAGES, 0)
    shut(ada)
    expect(bits()).toEqual([[null, MANAGE_MESSAGES, SEND_MESSAGES]])
    shut(ada, false)
    expect(speaking(cleo)).toEqual([true])
  })

  it('of the role of the admins is kept in all bits but the one', () => {
    const { ada, bob, managed, shut, set, bits, speaking } = setUp()
    set({ roleId: managed, userId: null }, MANAGE_MESSAGES, 64 | SEND_MESSAGES)
    expect(speaking(bob)).toEqual([false])
    shut(ada)
    expect(bits()).toContainEqual([managed, MANAGE_MESSAGES | SEND_MESSAGES, 64])
    expect(speaking(bob)).toEqual([true])
  })
})

describe('an override that changes while the channel is shut', () => {
  it('for everyone in other bits stays when it is opened', () => {
    const { ada, cleo, shut, set, bits, speaking } = setUp({ admins: false })
    shut(ada)
    set(EVERYONE, 0, SEND_MESSAGES | 64)
    shut(ada, false)
    expect(bits()).toEqual([[null, 0, 64]])
    expect(speaking(cleo)).toEqual([true])
  })

  it('for everyone that lets all speak does so, and the channel can be opened and shut again', () => {
    const { ada, cleo, shut, set, isShut, speaking } = setUp()
    shut(ada)
    set(EVERYONE, SEND_MESSAGES, 0)
    // The word of who manages the channel, and the last one.
    expect([isShut(), speaking(cleo)]).toEqual([true, [true]])
    shut(ada, false)
    expect([isShut(), speaking(cleo)]).toEqual([false, [true]])
    shut(ada)
    expect([isShut(), speaking(cleo)]).toEqual([true, [false]])
  })

  it('for everyone that is removed does not come back with a denial', () => {
    const { town, ada, cleo, pier, shut, speaking, isShut } = setUp()
    shut(ada)
    const everyone = town.world.overrides.list(ada, pier).find((one) => one.everyone === 1)
    town.do(({ overrides }) => overrides.remove(ada, pier, everyone?.id ?? ''))
    expect(speaking(cleo)).toEqual([true])
    shut(ada, false)
    expect([isShut(), speaking(cleo)]).toEqual([false, [true]])
  })

  it('where speaking was denied before, and is not any more, stays as it was said last', () => {
    const { ada, cleo, shut, set, bits, speaking } = setUp({ admins: false })
    set(EVERYONE, 0, SEND_MESSAGES)
    shut(ada)
    set(EVERYONE, 0, 64)
    shut(ada, false)
    expect([bits(), speaking(cleo)]).toEqual([[[null, 0, 64]], [true]])
  })
})

describe('as many overrides as a channel can have', () => {
  it('refuse what one more is needed for, and leave the channel as it is', () => {
    const { town, ada, place, shut, set, bits, isShut } = setUp()
    for (let i = 0; i < 99; i++) {
      const user = town.user(`sailor${i}`)
      town.join(user, place)
      set({ roleId: null, userId: user }, 0, 64)
    }
    const before = bits()
    town.told()
    // There is room for one of the two.
    expect(codeOf(() => shut(ada))).toBe('LIMIT')
    expect([town.told(), bits(), isShut()]).toEqual([[], before, false])
    set(EVERYONE, 0, 0)
    expect(codeOf(() => shut(ada))).toBe('LIMIT')
    expect(isShut()).toBe(false)
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

  // A bug: two that make it at once, or a door that does not look first, are answered with an error of the database.
  it.fails('is refused where there is one', () => {
    const { admin } = setUp()
    expect(codeOf(admin)).toBe('CONFLICT')
  })
})

describe('a channel that is shut, where that is not so yet', () => {
  // A bug: `everyone` comes first, so that what is allowed to a role or a user beats it.
  it.fails('keeps out members whose other role is allowed to speak there', () => {
    const { town, ada, cleo, place, shut, set, speaking } = setUp()
    const crew = town.role(ada, place, [cleo], 0, 1)
    set({ roleId: crew, userId: null }, SEND_MESSAGES, 0)
    shut(ada)
    expect(speaking(cleo)).toEqual([false])
  })

  it.fails('keeps out a member who is allowed to speak there', () => {
    const { ada, cleo, shut, set, speaking } = setUp()
    set({ roleId: null, userId: cleo }, SEND_MESSAGES, 0)
    shut(ada)
    expect(speaking(cleo)).toEqual([false])
  })

  // A bug: the role gets what it needs only when the channel is shut.
  it.fails('is for admins, too, whose role was made afterwards', () => {
    const { ada, bob, admin, shut, speaking } = setUp({ admins: false })
    shut(ada)
    admin()
    expect(speaking(bob)).toEqual([true])
  })

  // A bug: what the role of the admins gets is not taken from it when the channel is opened.
  it.fails('gives admins nothing that lasts: opened again, they are denied to speak as everyone was before', () => {
    const { ada, bob, cleo, shut, set, speaking } = setUp()
    set(EVERYONE, 0, SEND_MESSAGES)
    expect(speaking(bob, cleo)).toEqual([false, false])
    shut(ada)
    shut(ada, false)
    expect(speaking(bob, cleo)).toEqual([false, false])
  })

  it.fails('opened again leaves the role of the admins as it was', () => {
    const { ada, managed, shut, set, bits } = setUp()
    set({ roleId: managed, userId: null }, 0, SEND_MESSAGES)
    shut(ada)
    shut(ada, false)
    expect(bits()).toContainEqual([managed, 0, SEND_MESSAGES])
  })
})
