import { describe, expect, it } from 'vitest'
import { CONNECT_VOICE, MUTE_MEMBERS, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, START } from '../support/world.ts'
import { setUpVoice } from '../support/voice.ts'

describe('voice channels', () => {
  it('who joins one is told of, with all that there is to say', () => {
    const { town, place, deck, join, state } = setUpVoice()
    const joined = join(town.bob)
    expect(joined).toEqual({
      user_id: town.bob,
      channel_id: deck,
      self_mute: false,
      self_deaf: false,
      self_video: false,
      self_screen: false,
      server_mute: false,
      server_deaf: false,
      joined_at: new Date(START).toISOString(),
      username: 'bob',
    })
    expect(Object.keys(joined)).toEqual(Object.keys(state(town.bob, null)))
    expect(town.told()).toEqual([{ type: 'voice.changed', serverId: place, state: joined }])
    expect(town.world.voice.list(town.ada, deck)).toEqual([joined])
  })

  it('are for who can see them, and may connect; others stay where they are', () => {
    const { town, deck, cabin, join } = setUpVoice()
    const { voice } = town.world
    join(town.bob)
    town.told()
    const set = (user: string, deny: number): void =>
      void town.do(({ overrides }) => overrides.set(town.ada, cabin, { roleId: null, userId: user }, 0, deny))
    set(town.bob, CONNECT_VOICE)
    set(town.cleo, VIEW_CHANNEL)
    town.told()
    expect(codeOf(() => join(town.bob, cabin))).toBe('FORBIDDEN')
    expect(codeOf(() => join(town.cleo, cabin))).toBe('NOT_FOUND')
    expect(codeOf(() => join(town.bob, 'nowhere'))).toBe('NOT_FOUND')
    expect(codeOf(() => join(town.user('eve')))).toBe('NOT_FOUND')
    expect(codeOf(() => join(town.bob, town.pier))).toBe('INVALID')
    expect(codeOf(() => voice.list(town.cleo, cabin))).toBe('NOT_FOUND')
    expect(codeOf(() => voice.list(town.bob, town.pier))).toBe('INVALID')
    expect(voice.list(town.bob, cabin)).toEqual([])
    expect(voice.list(town.bob, deck)).toHaveLength(1)
    expect(town.told()).toEqual([])
  })

  it('gateway trap T30: a move in one server is one update, a move between two is a leave and then a join', () => {
    const { town, place, deck, cabin, islet, islands, join, state } = setUpVoice()
    join(town.bob)
    town.world.voice.change(town.bob, deck, { self_mute: true })
    town.told()
    town.clock.ms += 1000
    const moved = join(town.bob, cabin)
    expect(moved).toEqual(state(town.bob, cabin))
    expect(town.told()).toEqual([{ type: 'voice.changed', serverId: place, state: moved }])
    const there = join(town.bob, islet)
    expect(town.told()).toEqual([
      { type: 'voice.changed', serverId: place, state: state(town.bob, null) },
      { type: 'voice.changed', serverId: islands, state: there },
    ])
    const { voice } = town.world
    expect([deck, cabin, islet].map((channel) => voice.list(town.cleo, channel))).toEqual([[], [], [there]])
  })

  it('gateway trap T31: joining again takes back what one has said, and has begun now', () => {
    const { town, place, deck, join, state } = setUpVoice()
    join(town.bob)
    town.world.voice.change(town.bob, deck, { self_mute: true, self_screen: true })
    town.told()
    town.clock.ms += 5000
    const again = join(town.bob)
    expect(again).toEqual(state(town.bob, deck))
    expect(again.joined_at).toBe(new Date(START + 5000).toISOString())
    expect(town.told()).toEqual([{ type: 'voice.changed', serverId: place, state: again }])
  })

  it('list who is there in the order in which they came', () => {
    const { town, deck, join } = setUpVoice()
    const { voice } = town.world
    for (const who of [town.cleo, town.ada, town.bob, town.cleo]) join(who)
    expect(voice.list(town.ada, deck).map(({ username }) => username)).toEqual(['ada', 'bob', 'cleo'])
    voice.leave(town.ada, deck)
    expect(voice.list(town.ada, deck).map(({ username }) => username)).toEqual(['bob', 'cleo'])
  })

  it('who leaves is silent, and leaves once, from where they are', () => {
    const { town, place, deck, cabin, join, state } = setUpVoice()
    const { voice } = town.world
    join(town.bob)
    voice.change(town.bob, deck, { self_mute: true })
    town.do(() => voice.sanction(town.ada, deck, town.bob, { server_mute: true }))
    town.told()
    expect(codeOf(() => voice.leave(town.bob, cabin))).toBe('NOT_FOUND')
    expect(codeOf(() => voice.leave(town.cleo, deck))).toBe('NOT_FOUND')
    voice.leave(town.bob, deck)
    expect(town.told()).toEqual([{ type: 'voice.changed', serverId: place, state: state(town.bob, null) }])
    expect(codeOf(() => voice.leave(town.bob, deck))).toBe('NOT_FOUND')
    expect(codeOf(() => voice.change(town.bob, deck, { self_mute: true }))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })

  it('one’s own flags are told of when they change', () => {
    const { town, place, deck, cabin, join, state } = setUpVoice()
    const { voice } = town.world
    join(town.bob)
    town.told()
    const flags = { self_mute: true, self_video: true }
    const changed = voice.change(town.bob, deck, flags)
    expect(changed).toEqual(state(town.bob, deck, flags))
    expect(town.told()).toEqual([{ type: 'voice.changed', serverId: place, state: changed }])
    expect(voice.change(town.bob, deck, { self_mute: true })).toEqual(changed)
    expect(voice.list(town.ada, deck)).toEqual([changed])
    expect(codeOf(() => voice.change(town.bob, cabin, { self_mute: false }))).toBe('NOT_FOUND')
    expect(codeOf(() => voice.change(town.cleo, deck, { self_mute: true }))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })

  it('two are together in one channel, and nobody with themselves', () => {
    const { town, cabin, join } = setUpVoice()
    const together = (): boolean[] =>
      [
        [town.ada, town.bob],
        [town.bob, town.ada],
        [town.ada, town.ada],
        [town.ada, 'nobody'],
        ['nobody', 'nobody'],
      ].map(([one = '', other = '']) => town.world.voice.areTogether(one, other))
    expect(together()).toEqual([false, false, false, false, false])
    join(town.ada)
    expect(together()).toEqual([false, false, false, false, false])
    join(town.bob)
    expect(together()).toEqual([true, true, false, false, false])
    join(town.bob, cabin)
    expect(together()).toEqual([false, false, false, false, false])
  })
})

describe('what is said of a voice from above', () => {
  it('gateway trap T31: lasts over joining, moving, leaving and a restart, in that server, as long as the membership', () => {
    const { town, place, deck, cabin, islet, join, sanction, state } = setUpVoice()
    join(town.bob)
    town.told()
    const server_mute = true
    const muted = sanction(town.ada, town.bob, { server_mute })
    expect(muted).toEqual(state(town.bob, deck, { server_mute }))
    expect(town.told()).toMatchObject([
      { type: 'voice.changed', serverId: place, state: muted },
      { type: 'member.sanctioned', serverId: place, userId: town.bob, sanctions: { server_mute, server_deaf: false } },
    ])
    for (const channel of [deck, cabin]) {
      expect(join(town.bob, channel)).toEqual(state(town.bob, channel, { server_mute }))
    }
    expect(join(town.bob, islet)).toEqual(state(town.bob, islet))
    expect(join(town.bob)).toEqual(state(town.bob, deck, { server_mute }))
    town.world.voice.leave(town.bob, deck)
    expect(join(town.bob)).toEqual(state(town.bob, deck, { server_mute }))

    const again = town.reopen()
    const { voice } = again.world
    expect(voice.join(town.bob, deck)).toEqual(state(town.bob, deck, { server_mute }))
    again.do(({ servers }) => servers.leave(town.bob, place))
    again.join(town.bob, place)
    expect(voice.join(town.bob, deck)).toEqual(state(town.bob, deck))
  })

  it('is told of when it changes, each part for itself', () => {
    const { town, deck, join, sanction, state } = setUpVoice()
    join(town.bob)
    sanction(town.ada, town.bob, { server_mute: true })
    town.told()
    expect(sanction(town.ada, town.bob, { server_mute: true })).toEqual(state(town.bob, deck, { server_mute: true }))
    expect(town.told()).toEqual([])
    const both = sanction(town.ada, town.bob, { server_deaf: true })
    expect(both).toEqual(state(town.bob, deck, { server_mute: true, server_deaf: true }))
    expect(town.told()).toHaveLength(2)
    town.world.voice.change(town.bob, deck, { self_mute: true })
    const freed = sanction(town.ada, town.bob, { server_mute: false, server_deaf: false })
    expect(freed).toEqual(state(town.bob, deck, { self_mute: true }))
    expect(town.world.voice.list(town.ada, deck)).toEqual([freed])
  })

  it('two parts at once are both kept', () => {
    const { town, deck, join, state } = setUpVoice()
    const { voice, changes } = town.world
    join(town.bob)
    for (const sanctions of [{ server_mute: true }, { server_deaf: true }]) {
      changes.submit(
        () => voice.sanction(town.ada, deck, town.bob, sanctions),
        () => {},
      )
    }
    town.flush()
    const both = state(town.bob, deck, { server_mute: true, server_deaf: true })
    expect([voice.list(town.ada, deck), join(town.bob)]).toEqual([[both], both])
  })

  it('that fails has not been said', () => {
    const { town, deck, join, state } = setUpVoice()
    const { voice } = town.world
    join(town.bob)
    town.told()
    expect(() =>
      town.do(() => {
        voice.sanction(town.ada, deck, town.bob, { server_mute: true })
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(town.told()).toEqual([])
    expect([voice.list(town.ada, deck), join(town.bob)]).toEqual([[state(town.bob, deck)], state(town.bob, deck)])
  })

  it('is not said of who has been kicked at the same time', () => {
    const { town, place, deck, join } = setUpVoice()
    const { voice, moderation, changes } = town.world
    join(town.bob)
    town.told()
    const outcomes: boolean[] = []
    changes.submit(
      () => moderation.kick(town.ada, place, town.bob, null),
      ({ ok }) => void outcomes.push(ok),
    )
    changes.submit(
      () => voice.sanction(town.ada, deck, town.bob, { server_mute: true }),
      ({ ok }) => void outcomes.push(ok),
    )
    town.flush()
    expect(outcomes).toEqual([true, false])
    expect(town.told().map(({ type }) => type)).toEqual(['voice.changed', 'member.kicked', 'member.left'])
  })

  it('is for who may in that channel, of who is below them and in it; so is sending them out', () => {
    const { town, place, deck, cabin, join, sanction } = setUpVoice()
    const { voice } = town.world
    for (const who of [town.ada, town.bob, town.cleo]) join(who)
    const [eve, dov] = [town.user('eve'), town.user('dov')]
    town.join(dov, place)
    town.role(town.ada, place, [dov], 0, 9)
    town.told()
    const acts = [
      (by: string, who: string, channel = deck) => void sanction(by, who, { server_mute: true }, channel),
      (by: string, who: string, channel = deck) => voice.disconnect(by, channel, who),
    ]
    const refused = (by: string, who: string, channel = deck): string[] =>
      acts.map((act) => codeOf(() => act(by, who, channel)))
    // To be above is one thing, to hold it in this channel another.
    expect(refused(dov, town.cleo)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    town.do(({ overrides }) => overrides.set(town.ada, deck, { roleId: null, userId: town.bob }, MUTE_MEMBERS, 0))
    expect(refused(town.bob, town.cleo)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    town.role(town.ada, place, [town.bob], 0, 5)
    town.role(town.ada, place, [town.cleo], MUTE_MEMBERS, 5)
    town.told()
    expect(refused(town.bob, town.cleo)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    expect(refused(town.bob, town.ada)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    expect(refused(town.ada, town.ada)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    expect(refused(town.ada, town.cleo, cabin)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(refused(town.ada, town.cleo, 'nowhere')).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(refused(town.ada, eve)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(refused(eve, town.cleo)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(town.told()).toEqual([])
    town.role(town.ada, place, [town.bob], 0, 6)
    for (const act of acts) act(town.bob, town.cleo)
    expect(codeOf(() => voice.leave(town.cleo, deck))).toBe('NOT_FOUND')
  })
})
