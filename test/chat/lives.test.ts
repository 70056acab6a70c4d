import { describe, expect, it } from 'vitest'
import { MANAGE_CHANNELS, MUTE_MEMBERS, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { setUpVoice } from '../support/voice.ts'
import { codeOf, START } from '../support/world.ts'

/** Bob and cleo are on deck. */
function setUp() {
  const all = setUpVoice()
  const { town, place, deck } = all
  all.join(town.bob)
  all.join(town.cleo)
  town.told()
  const { voice } = town.world
  const stopped = { type: 'live.stopped', serverId: place, channelId: deck, userId: town.bob }
  return { ...all, voice, stopped }
}

describe('going live', () => {
  it('is told of, with all that there is to say', () => {
    const { town, place, deck, voice, stopped } = setUp()
    const { live, created } = voice.goLive(town.bob, deck, '720p')
    const expected = {
      channel_id: deck,
      broadcaster_id: town.bob,
      quality: '720p',
      started_at: new Date(START).toISOString(),
    }
    expect([live, created]).toEqual([expected, true])
    expect(Object.keys(live)).toEqual(Object.keys(expected))
    expect(town.told()).toEqual([{ type: 'live.started', serverId: place, live }])
    for (const who of [town.ada, town.bob, town.cleo]) expect(voice.live(who, deck)).toEqual(live)
    voice.endLive(town.bob, deck)
    expect(town.told()).toEqual([stopped])
    expect(codeOf(() => voice.live(town.bob, deck))).toBe('NOT_FOUND')
    expect(codeOf(() => voice.endLive(town.bob, deck))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })

  it('in another quality has begun when it did, in the same it is nothing new', () => {
    const { town, place, deck, voice } = setUp()
    const { live } = voice.goLive(town.bob, deck, '480p')
    town.told()
    town.clock.ms += 60_000
    expect(voice.goLive(town.bob, deck, '480p')).toEqual({ live, created: false })
    expect(town.told()).toEqual([])
    const sharp = { ...live, quality: '1080p' }
    expect(voice.goLive(town.bob, deck, '1080p')).toEqual({ live: sharp, created: false })
    expect(town.told()).toEqual([{ type: 'live.started', serverId: place, live: sharp }])
    expect(voice.live(town.ada, deck)).toEqual(sharp)
    // After an end it begins anew.
    voice.endLive(town.bob, deck)
    const next = voice.goLive(town.bob, deck, '1080p')
    expect(next.created).toBe(true)
    expect(next.live.started_at).toBe(new Date(START + 60_000).toISOString())
  })

  it('is for one in a channel, who is in it', () => {
    const { town, deck, cabin, islet, voice, join } = setUp()
    const go = (user: string, channel: string) => () => voice.goLive(user, channel, '720p')
    expect(codeOf(go(town.ada, deck))).toBe('INVALID')
    expect(codeOf(go(town.bob, cabin))).toBe('INVALID')
    expect(codeOf(go(town.bob, town.pier))).toBe('INVALID')
    expect(codeOf(go(town.ada, islet))).toBe('NOT_FOUND')
    expect(codeOf(go(town.bob, 'nowhere'))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    voice.goLive(town.bob, deck, '720p')
    expect(codeOf(go(town.cleo, deck))).toBe('CONFLICT')
    join(town.cleo, cabin)
    expect(voice.goLive(town.cleo, cabin, '720p').created).toBe(true)
    expect(voice.live(town.ada, deck).broadcaster_id).toBe(town.bob)
    // Back on deck there is another.
    join(town.cleo)
    expect(codeOf(go(town.cleo, deck))).toBe('CONFLICT')
    voice.leave(town.bob, deck)
    expect(voice.goLive(town.cleo, deck, '720p').created).toBe(true)
  })

  it('gateway trap T34: is ended by who may manage the channel, and named is who did it', () => {
    const { town, place, deck, voice, stopped } = setUp()
    const dov = town.user('dov')
    town.join(dov, place)
    town.role(town.ada, place, [town.cleo], MUTE_MEMBERS, 9)
    town.role(town.ada, place, [dov], MANAGE_CHANNELS, 1)
    voice.goLive(town.bob, deck, '720p')
    town.told()
    expect(codeOf(() => voice.endLive(town.cleo, deck))).toBe('FORBIDDEN')
    expect(codeOf(() => voice.endLive(town.user('eve'), deck))).toBe('NOT_FOUND')
    expect(codeOf(() => voice.endLive(town.ada, town.pier))).toBe('INVALID')
    expect(town.told()).toEqual([])
    for (const who of [dov, town.ada]) {
      voice.goLive(town.bob, deck, '720p')
      town.told()
      voice.endLive(who, deck)
      expect(town.told()).toEqual([stopped])
    }
    expect(voice.list(town.ada, deck)).toHaveLength(2)
  })

  it.each<[string, (all: ReturnType<typeof setUp>) => unknown, number]>([
    ['joins again', ({ town, join }) => join(town.bob), 1],
    ['moves', ({ town, cabin, join }) => join(town.bob, cabin), 1],
    ['goes to another server', ({ town, islet, join }) => join(town.bob, islet), 2],
    ['leaves', ({ town, deck, voice }) => voice.leave(town.bob, deck), 1],
    ['is sent out', ({ town, deck, voice }) => voice.disconnect(town.ada, deck, town.bob), 1],
  ])('gateway trap T34: ends before the voice is told of who %s', (_name, act, voices) => {
    const all = setUp()
    const { town, deck, voice, stopped } = all
    voice.goLive(town.bob, deck, '720p')
    town.told()
    act(all)
    const changed = Array.from({ length: voices }, () => ({ type: 'voice.changed', state: { user_id: town.bob } }))
    expect(town.told()).toMatchObject([stopped, ...changed])
    expect(codeOf(() => voice.live(town.ada, deck))).toBe('NOT_FOUND')
  })

  it('does not end when another moves, leaves or is sent out, or who does it says something of their voice', () => {
    const { town, deck, cabin, voice, join, sanction } = setUp()
    const { live } = voice.goLive(town.bob, deck, '720p')
    town.told()
    join(town.cleo)
    join(town.cleo, cabin)
    voice.leave(town.cleo, cabin)
    join(town.cleo)
    voice.disconnect(town.ada, deck, town.cleo)
    voice.change(town.bob, deck, { self_screen: true })
    voice.change(town.bob, deck, { self_screen: false })
    sanction(town.ada, town.bob, { server_mute: true })
    expect(town.told().filter(({ type }) => type === 'live.stopped')).toEqual([])
    expect(voice.live(town.ada, deck)).toEqual(live)
  })

  it('does not exist for who cannot see the channel', () => {
    const { town, deck, voice } = setUp()
    voice.goLive(town.bob, deck, '720p')
    town.do(({ overrides }) => overrides.set(town.ada, deck, { roleId: null, userId: town.cleo }, 0, VIEW_CHANNEL))
    for (const act of [
      () => voice.live(town.cleo, deck),
      () => voice.goLive(town.cleo, deck, '720p'),
      () => voice.endLive(town.cleo, deck),
    ]) {
      expect(codeOf(act)).toBe('NOT_FOUND')
    }
  })
})
