import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CONNECT_VOICE, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { setUpVoice, type VoiceSetUp } from '../support/voice.ts'
import { codeOf, type Town } from '../support/world.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** What ends bob's membership, and what is told of that. */
const ENDS: readonly (readonly [name: string, act: (all: VoiceSetUp) => void, then: readonly string[]])[] = [
  [
    'kick',
    ({ town, place }) => town.do(({ moderation }) => moderation.kick(town.ada, place, town.bob, null)),
    ['member.kicked', 'member.left'],
  ],
  [
    'ban',
    ({ town, place }) => town.do(({ moderation }) => moderation.ban(town.ada, place, town.bob, null)),
    ['member.banned', 'member.left'],
  ],
  ['leave', ({ town, place }) => town.do(({ servers }) => servers.leave(town.bob, place)), ['member.left']],
]

describe('a stay in a voice channel', () => {
  it('gateway trap T21: does not outlast a restart', () => {
    const { town, deck, join } = setUpVoice()
    join(town.bob)
    town.world.voice.goLive(town.bob, deck, '720p')
    const { world } = town.reopen()
    expect(world.voice.list(town.ada, deck)).toEqual([])
    expect(codeOf(() => world.voice.live(town.ada, deck))).toBe('NOT_FOUND')
  })

  it.each(ENDS)('ends first with a %s, in that server', (_name, act, then) => {
    const all = setUpVoice()
    const { town, place, deck, join, state } = all
    join(town.bob)
    join(town.cleo)
    town.world.voice.goLive(town.bob, deck, '720p')
    town.told()
    act(all)
    expect(town.told()).toMatchObject([
      { type: 'live.stopped', serverId: place, channelId: deck, userId: town.bob },
      { type: 'voice.changed', serverId: place, state: state(town.bob, null) },
      ...then.map((type) => ({ type, serverId: place, userId: town.bob })),
    ])
    expect(town.world.voice.list(town.ada, deck)).toEqual([state(town.cleo, deck)])
  })

  it.each(ENDS)('gateway trap T28: goes on after a %s, in another server', (_name, act, then) => {
    const all = setUpVoice()
    const { town, islet, join } = all
    const there = join(town.bob, islet)
    const { live } = town.world.voice.goLive(town.bob, islet, '720p')
    town.told()
    act(all)
    expect(town.told()).toMatchObject(then.map((type) => ({ type })))
    expect(town.world.voice.list(town.cleo, islet)).toEqual([there])
    expect(town.world.voice.live(town.cleo, islet)).toEqual(live)
  })

  it('ends with the channel, for each who is in it', () => {
    const { town, place, deck, cabin, join, state } = setUpVoice()
    for (const who of [town.bob, town.cleo]) join(who)
    join(town.ada, cabin)
    town.world.voice.goLive(town.cleo, deck, '720p')
    town.told()
    town.do(({ channels }) => channels.remove(town.ada, place, deck))
    expect(town.told()).toMatchObject([
      { type: 'voice.changed', state: state(town.bob, null) },
      { type: 'live.stopped', channelId: deck, userId: town.cleo },
      { type: 'voice.changed', state: state(town.cleo, null) },
      { type: 'channel.visibility', deleted: true },
    ])
    expect(town.world.voice.list(town.bob, cabin)).toHaveLength(1)
    expect(town.world.voice.areTogether(town.bob, town.cleo)).toBe(false)
  })

  it('ends with the server, for each who is in one of its channels', () => {
    const { town, place, deck, cabin, islet, join, state } = setUpVoice()
    join(town.bob)
    join(town.ada, cabin)
    join(town.cleo, islet)
    town.world.voice.goLive(town.bob, deck, '720p')
    town.told()
    town.do(({ servers }) => servers.remove(town.ada, place))
    expect(town.told()).toMatchObject([
      { type: 'live.stopped', serverId: place, channelId: deck, userId: town.bob },
      { type: 'voice.changed', serverId: place, state: state(town.bob, null) },
      { type: 'voice.changed', serverId: place, state: state(town.ada, null) },
      { type: 'server.deleted', serverId: place },
    ])
    expect(town.world.voice.list(town.bob, islet)).toEqual([state(town.cleo, islet)])
  })

  it('goes on when sight of the channel, or the right to connect, is lost', () => {
    const { town, place, deck, join, state } = setUpVoice()
    const role = town.role(town.ada, place, [town.cleo], 0, 5)
    const [by, neither] = [town.ada, VIEW_CHANNEL | CONNECT_VOICE]
    for (const who of [town.bob, town.cleo]) join(who)
    town.told()
    town.do(({ overrides }) => overrides.set(by, deck, { roleId: role, userId: null }, 0, neither))
    town.do(({ overrides }) => overrides.set(by, deck, { roleId: null, userId: town.bob }, 0, neither))
    // With a role goes what channels have for it, and with a member what they have for them.
    town.do(({ roles }) => roles.remove(by, place, role))
    town.do(({ servers }) => servers.leave(town.bob, place))
    expect(town.told().filter(({ type }) => type === 'voice.changed')).toMatchObject([{ state: state(town.bob, null) }])
    expect(town.world.voice.list(by, deck)).toEqual([state(town.cleo, deck)])
  })

  it('that cannot be seen any longer is left, and not entered again', () => {
    const { town, deck, join } = setUpVoice()
    join(town.bob)
    town.do(({ overrides }) => overrides.set(town.ada, deck, { roleId: null, userId: town.bob }, 0, VIEW_CHANNEL))
    expect(town.world.voice.list(town.ada, deck)).toHaveLength(1)
    town.world.voice.leave(town.bob, deck)
    expect(codeOf(() => join(town.bob))).toBe('NOT_FOUND')
  })

  it('ends with the last link, the stream first, then the voice, then the presence; also of who is invisible', () => {
    const { town, place, deck, attach, join, state } = setUpVoice()
    const links = [attach(town.bob), attach(town.bob)]
    join(town.bob)
    town.world.voice.goLive(town.bob, deck, '720p')
    town.told()
    links[0]?.detach()
    expect(town.told()).toEqual([])
    links[1]?.detach()
    const ended = [
      { type: 'live.stopped', serverId: place, channelId: deck, userId: town.bob },
      { type: 'voice.changed', serverId: place, state: state(town.bob, null) },
      { type: 'presence.ended', userId: town.bob },
    ]
    expect(town.told()).toMatchObject([...ended, { type: 'presence.changed', userId: town.bob }])

    town.do(({ users }) => users.change(town.bob, { status_sticky: 'offline' }))
    const link = attach(town.bob)
    join(town.bob)
    town.world.voice.goLive(town.bob, deck, '720p')
    town.told()
    link.detach()
    expect(town.told()).toMatchObject(ended)
  })
})

describe('a stay of who has no connection', () => {
  /** A world at rest, and how many timers it has then. */
  const setUp = () => ({ ...setUpVoice(), idle: vi.getTimerCount() })
  /** Lets time pass, as the clock and as timers have it. */
  const wait = ({ clock }: Town, ms: number): void => {
    clock.ms += ms
    vi.advanceTimersByTime(500)
  }

  it('ends after sixty seconds, and not before', () => {
    const { town, place, deck, join, state, idle } = setUp()
    join(town.bob)
    town.world.voice.goLive(town.bob, deck, '720p')
    town.told()
    wait(town, 59_999)
    expect(town.told()).toEqual([])
    wait(town, 1)
    expect(town.told()).toEqual([
      { type: 'live.stopped', serverId: place, channelId: deck, userId: town.bob },
      { type: 'voice.changed', serverId: place, state: state(town.bob, null) },
    ])
    expect(town.world.voice.list(town.ada, deck)).toEqual([])
    expect(vi.getTimerCount()).toBe(idle)
  })

  it('goes on for who has come by then, until they go', () => {
    const { town, place, attach, join, state } = setUp()
    join(town.bob)
    wait(town, 59_999)
    const link = attach(town.bob)
    town.told()
    wait(town, 100_000)
    expect(town.told()).toEqual([])
    link.detach()
    expect(town.told()[0]).toEqual({ type: 'voice.changed', serverId: place, state: state(town.bob, null) })
    wait(town, 100_000)
    expect(town.told()).toEqual([])
  })

  it('goes on for who was there when they joined', () => {
    const { town, deck, cabin, attach, join, idle } = setUp()
    attach(town.bob)
    for (const channel of [deck, cabin, deck]) join(town.bob, channel)
    expect(vi.getTimerCount()).toBe(idle)
    wait(town, 100_000)
    expect(town.world.voice.list(town.ada, deck)).toHaveLength(1)
  })

  it('is counted anew elsewhere, and for each by themselves', () => {
    const { town, deck, cabin, join } = setUp()
    const { voice } = town.world
    join(town.bob)
    join(town.ada)
    wait(town, 30_000)
    join(town.bob, cabin)
    wait(town, 30_000)
    expect([voice.list(town.ada, deck), voice.list(town.ada, cabin)]).toMatchObject([[], [{ user_id: town.bob }]])
    wait(town, 30_000)
    expect(voice.list(town.ada, cabin)).toEqual([])
  })

  it('leaves nothing to wait for when it ends before, or the world does', () => {
    const { town, deck, join, idle } = setUp()
    join(town.bob)
    expect(vi.getTimerCount()).toBe(idle + 1)
    town.world.voice.leave(town.bob, deck)
    expect(vi.getTimerCount()).toBe(idle)
    join(town.bob)
    town.told()
    town.close()
    expect(vi.getTimerCount()).toBe(0)
    wait(town, 100_000)
    expect(town.told()).toEqual([])
  })
})
