import { describe, expect, it } from 'vitest'
import { START, Town } from '../support/world.ts'

const DAY = 86_400_000
const at = (ms: number): string => new Date(ms).toISOString()

const begin = (town: Town, user: string, hash: string, lifetime = DAY): string =>
  town.do(({ sessions }) => sessions.begin(user, hash, lifetime))

describe('a session', () => {
  it('is its user’s, until it ends', () => {
    const town = new Town()
    const { sessions } = town.world
    const id = begin(town, town.ada, 'h1')
    expect([sessions.isLive(id, town.ada), sessions.isLive(id, town.bob), sessions.isLive('no', town.ada)]).toEqual([
      true,
      false,
      false,
    ])
    expect(town.told()).toEqual([])
    const end = (): void => town.do(() => sessions.end(id, town.ada, 'logout'))
    end()
    expect(sessions.isLive(id, town.ada)).toBe(false)
    expect(sessions.find('h1')).toMatchObject({ revoked_at: at(START) })
    expect(town.rows('SELECT revoke_reason FROM sessions')).toEqual([{ revoke_reason: 'logout' }])
    end()
    town.do(() => sessions.end('no', town.ada, 'logout'))
    // Once, though it was ended twice.
    expect(town.told()).toEqual([{ type: 'session.ended', sessionId: id, userId: town.ada }])
  })

  it('is found by the hash of its token', () => {
    const town = new Town()
    const id = begin(town, town.ada, 'h1')
    expect(town.world.sessions.find('h1')).toMatchObject({
      session_id: id,
      user_id: town.ada,
      expires_at: at(START + DAY),
      used_at: null,
      used_from: null,
      revoked_at: null,
    })
    expect(town.world.sessions.find('h2')).toBeNull()
  })

  it('lives on where the world is opened again', () => {
    const town = new Town()
    const id = begin(town, town.ada, 'h1')
    expect(town.reopen().world.sessions.isLive(id, town.ada)).toBe(true)
  })

  it('all of a user end together, but for one', () => {
    const town = new Town()
    const { sessions } = town.world
    const [a, b, c] = ['a', 'b', 'c'].map((hash) => begin(town, town.ada, hash))
    const other = begin(town, town.bob, 'd')
    town.do(() => sessions.endAll(town.ada, 'password', b ?? ''))
    const live = (): boolean[] => [a, b, c].map((id) => sessions.isLive(id ?? '', town.ada))
    expect(live()).toEqual([false, true, false])
    expect(town.told()).toMatchObject([
      { type: 'session.ended', sessionId: a, userId: town.ada },
      { type: 'session.ended', sessionId: c, userId: town.ada },
    ])
    town.do(() => sessions.endAll(town.ada, 'logout', null))
    expect(live()).toEqual([false, false, false])
    expect(sessions.isLive(other, town.bob)).toBe(true)
  })
})

describe('renewing', () => {
  const renew = (town: Town, session: string, hash: string, next: string): boolean =>
    town.do(({ sessions }) => sessions.renew(session, hash, next, '192.0.2.1', DAY))

  it('gives one token for another, and a longer life', () => {
    const town = new Town()
    const { sessions } = town.world
    const id = begin(town, town.ada, 'h1')
    town.clock.ms = START + 1000
    expect(renew(town, id, 'h1', 'h2')).toBe(true)
    expect(sessions.find('h1')).toMatchObject({ used_at: at(START + 1000), used_from: '192.0.2.1' })
    expect(sessions.find('h2')).toMatchObject({ session_id: id, used_at: null, expires_at: at(START + 1000 + DAY) })
    expect(town.rows('SELECT last_used_at, expires_at FROM sessions')).toEqual([
      { last_used_at: at(START + 1000), expires_at: at(START + 1000 + DAY) },
    ])
    expect(sessions.isLive(id, town.ada)).toBe(true)
  })

  it('a token is good once: of two at the same time one wins', async () => {
    const town = new Town()
    const id = begin(town, town.ada, 'h1')
    const { changes, sessions } = town.world
    const both = ['h2', 'h3'].map((next) => changes.run(() => sessions.renew(id, 'h1', next, 'x', DAY)))
    expect(await Promise.all(both)).toEqual([true, false])
    expect([sessions.find('h2')?.session_id, sessions.find('h3')]).toEqual([id, null])
    expect(renew(town, id, 'h1', 'h4')).toBe(false)
    expect(renew(town, id, 'unknown', 'h4')).toBe(false)
    expect(renew(town, id, 'h2', 'h4')).toBe(true)
    expect(town.rows('SELECT COUNT(*) AS fresh FROM refresh_tokens WHERE used_at IS NULL')).toEqual([{ fresh: 1 }])
  })
})

describe('too many', () => {
  it('of one user: the one that was used longest ago goes, and only that', () => {
    const town = new Town()
    const { sessions } = town.world
    const ids = Array.from({ length: 10 }, (_, i) => {
      town.clock.ms = START + i
      return begin(town, town.ada, `h${i}`)
    })
    const other = begin(town, town.bob, 'other')
    const live = (): number[] => ids.flatMap((id, i) => (sessions.isLive(id, town.ada) ? [i] : []))
    expect(live()).toHaveLength(10)
    town.clock.ms = START + 100
    town.do(() => sessions.renew(ids[0] ?? '', 'h0', 'h0b', 'x', DAY))
    town.told()
    ids.push(begin(town, town.ada, 'eleventh'))
    expect(live()).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(town.told()).toEqual([{ type: 'session.ended', sessionId: ids[1], userId: town.ada }])
    expect(town.rows('SELECT revoke_reason FROM sessions WHERE revoked_at IS NOT NULL')).toEqual([
      { revoke_reason: 'limit' },
    ])
    ids.push(begin(town, town.ada, 'twelfth'))
    expect(live()).toEqual([0, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(sessions.isLive(other, town.bob)).toBe(true)
  })

  it('those that have ended do not count', () => {
    const town = new Town()
    const { sessions } = town.world
    const first = begin(town, town.ada, 'first', 2 * DAY)
    for (let i = 0; i < 9; i++) begin(town, town.ada, `short${i}`, 1000)
    town.clock.ms = START + 1000
    for (let i = 0; i < 8; i++) {
      const id = begin(town, town.ada, `ended${i}`)
      town.do(() => sessions.end(id, town.ada, 'logout'))
    }
    const ids = Array.from({ length: 9 }, (_, i) => begin(town, town.ada, `h${i}`))
    expect([first, ...ids].every((id) => sessions.isLive(id, town.ada))).toBe(true)
    begin(town, town.ada, 'last')
    expect(sessions.isLive(first, town.ada)).toBe(false)
  })

  it('those that are over are swept away when somebody logs in, with their tokens', () => {
    const town = new Town()
    begin(town, town.ada, 'h1', 1000)
    begin(town, town.bob, 'h2', 5000)
    town.clock.ms = START + 1001
    begin(town, town.cleo, 'h3')
    expect(town.world.sessions.find('h1')).toBeNull()
    expect(town.rows('SELECT token_hash FROM refresh_tokens ORDER BY token_hash')).toEqual([
      { token_hash: 'h2' },
      { token_hash: 'h3' },
    ])
  })
})
