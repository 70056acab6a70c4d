import { describe, expect, it } from 'vitest'
import { BAN_MEMBERS, KICK_MEMBERS, MUTE_MEMBERS } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const ALL = KICK_MEMBERS | BAN_MEMBERS | MUTE_MEMBERS

/** Bob moderates at 5; cleo is below, dov beside, and ada owns all. */
function setUp() {
  const town = new Town()
  const dov = town.user('dov')
  town.join(town.cleo, town.place)
  town.join(dov, town.place)
  const role = town.role(town.ada, town.place, [town.bob], ALL, 5)
  town.role(town.ada, town.place, [dov], 0, 5)
  town.told()
  const { place } = town
  const acts = {
    kick: (by: string, who: string) => town.do(({ moderation }) => moderation.kick(by, place, who, 'spam')),
    ban: (by: string, who: string, reason = 'spam') =>
      town.do(({ moderation }) => moderation.ban(by, place, who, reason)),
    silence: (by: string, who: string, seconds = 5 * 60) =>
      town.do(({ moderation }) => moderation.silence(by, place, who, seconds, 'cool off')),
    endSilence: (by: string, who: string) => town.do(({ moderation }) => moderation.endSilence(by, place, who)),
  }
  const unban = (by: string, who: string): void => town.do(({ moderation }) => moderation.unban(by, place, who))
  return { town, place, dov, role, acts, unban }
}

describe('moderation', () => {
  it.each(['kick', 'ban', 'silence', 'endSilence'] as const)(
    '%s: from above, with the permission, not to oneself',
    (name) => {
      const { town, dov, acts } = setUp()
      const act = acts[name]
      expect(codeOf(() => act(town.bob, town.ada))).toBe('FORBIDDEN')
      expect(codeOf(() => act(town.bob, dov))).toBe('FORBIDDEN')
      expect(codeOf(() => act(town.cleo, dov))).toBe('FORBIDDEN')
      expect(codeOf(() => act(town.bob, town.bob))).toBe('INVALID')
      expect(codeOf(() => act(town.ada, town.ada))).toBe('INVALID')
      expect(codeOf(() => act(town.user('eve'), town.cleo))).toBe('NOT_FOUND')
      expect(codeOf(() => act(town.bob, 'nobody'))).toBe('NOT_FOUND')
      expect(town.told()).toEqual([])
      act(town.bob, town.cleo)
      act(town.ada, dov)
    },
  )

  it('a kick is told of before the leaving, and leaves the door open', () => {
    const { town, place, acts } = setUp()
    acts.kick(town.bob, town.cleo)
    expect(town.told()).toEqual([
      { type: 'member.kicked', serverId: place, userId: town.cleo, by: town.bob, reason: 'spam' },
      { type: 'member.left', serverId: place, userId: town.cleo, channelIds: [town.pier] },
    ])
    expect(codeOf(() => acts.kick(town.bob, town.cleo))).toBe('NOT_FOUND')
    town.join(town.cleo, place)
  })

  it('gateway trap T36: a ban is told of once, and holds until it is lifted', () => {
    const { town, place, acts, unban } = setUp()
    const eve = town.user('eve')
    acts.ban(town.bob, town.cleo)
    acts.ban(town.bob, eve)
    expect(town.told()).toEqual([
      { type: 'member.banned', serverId: place, userId: town.cleo, by: town.bob, reason: 'spam' },
      { type: 'member.left', serverId: place, userId: town.cleo, channelIds: [town.pier] },
      // Who was not there is not told that they left.
      { type: 'member.banned', serverId: place, userId: eve, by: town.bob, reason: 'spam' },
    ])
    const gone = town.user('gone')
    town.do(({ users }) => users.disable(gone))
    town.told()
    expect(codeOf(() => acts.ban(town.bob, gone))).toBe('NOT_FOUND')
    acts.ban(town.ada, town.cleo, 'more spam')
    expect(town.told()).toEqual([])
    const { moderation } = town.world
    const ban = { server_id: place, user_id: town.cleo, banned_by: town.bob, created_at: new Date(START).toISOString() }
    expect(moderation.bans(town.bob, place, null, 1)).toEqual([{ ...ban, reason: 'more spam' }])
    expect(moderation.bans(town.bob, place, town.cleo, 10).map(({ user_id }) => user_id)).toEqual([eve])
    expect(codeOf(() => moderation.bans(town.cleo, place, null, 1))).toBe('NOT_FOUND')
    expect(codeOf(() => town.join(town.cleo, place))).toBe('BANNED')
    unban(town.bob, town.cleo)
    unban(town.bob, town.cleo)
    expect(town.told()).toEqual([{ type: 'member.unbanned', serverId: place, userId: town.cleo }])
    town.join(town.cleo, place)
    expect(codeOf(() => unban(town.cleo, eve))).toBe('FORBIDDEN')
  })

  it('gateway trap T37: who is silenced speaks again when it ends, which nobody is told of', () => {
    const { town, place, acts } = setUp()
    const timeout = acts.silence(town.bob, town.cleo)
    expect(timeout).toEqual({
      server_id: place,
      user_id: town.cleo,
      expires_at: new Date(START + 300_000).toISOString(),
      reason: 'cool off',
      created_by: town.bob,
      created_at: new Date(START).toISOString(),
    })
    expect(town.told()).toEqual([{ type: 'member.silenced', timeout }])
    expect(codeOf(() => town.post(town.cleo, town.pier))).toBe('TIMED_OUT')
    town.clock.ms = START + 300_000
    town.post(town.cleo, town.pier)
    town.told()
    acts.endSilence(town.bob, town.cleo)
    expect(town.told()).toEqual([])
    // The next takes the place of the one before.
    acts.silence(town.bob, town.cleo, 40_320 * 60)
    acts.silence(town.ada, town.cleo, 60)
    expect(town.told()).toHaveLength(2)
    expect(town.rows('SELECT * FROM member_timeouts')).toHaveLength(1)
    acts.endSilence(town.bob, town.cleo)
    expect(town.told()).toEqual([{ type: 'member.unsilenced', serverId: place, userId: town.cleo, by: town.bob }])
    town.post(town.cleo, town.pier)
    town.told()
    acts.endSilence(town.bob, town.cleo)
    expect(town.told()).toEqual([])
  })

  it('a silence is of seconds, and the log has it in minutes', () => {
    const { town, acts } = setUp()
    const timeout = acts.silence(town.bob, town.cleo, 1)
    expect(timeout.expires_at).toBe(new Date(START + 1000).toISOString())
    acts.silence(town.bob, town.cleo, 90)
    const logged = "SELECT details FROM audit_logs WHERE action = 'member.timeout' ORDER BY id DESC LIMIT 1"
    expect(town.rows(logged)).toEqual([{ details: '{"minutes":1.5,"reason":"cool off"}' }])
    town.clock.ms = START + 89_999
    expect(codeOf(() => town.post(town.cleo, town.pier))).toBe('TIMED_OUT')
    town.clock.ms = START + 90_000
    town.post(town.cleo, town.pier)
  })

  it('who leaves and comes back is silent all the same', () => {
    const { town, place, acts } = setUp()
    acts.silence(town.bob, town.cleo)
    acts.kick(town.bob, town.cleo)
    town.join(town.cleo, place)
    expect(codeOf(() => town.post(town.cleo, town.pier))).toBe('TIMED_OUT')
  })
})
