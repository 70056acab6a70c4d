import { describe, expect, it } from 'vitest'
import { codeOf, START, Town } from '../support/world.ts'

const at = (ms: number): string => new Date(ms).toISOString()

const ask = (town: Town, from: string, to: string, comment = '') =>
  town.do(({ friends }) => friends.ask(from, to, comment))

describe('requests', () => {
  it('are told of when they are made, and when they are decided, each once', () => {
    const town = new Town()
    const request = ask(town, town.ada, town.bob, 'from the pier')
    expect(request).toEqual({
      id: request.id,
      flag: request.flag,
      kind: 'friend',
      from_user: town.ada,
      to_user: town.bob,
      server_id: null,
      comment: 'from the pier',
      state: 'pending',
      reason: null,
      decided_by: null,
      created_at: at(START),
      decided_at: null,
    })
    expect(town.told()).toEqual([{ type: 'request.made', request }])
    town.clock.ms += 60_000
    const decided = town.do(({ friends }) => friends.reject(town.bob, request.id, 'who?'))
    const how = { state: 'rejected', reason: 'who?', decided_by: town.bob, decided_at: at(START + 60_000) }
    expect(decided).toEqual({ ...request, ...how })
    expect(town.told()).toEqual([{ type: 'request.decided', request: decided }])
    expect(town.rows('SELECT * FROM requests')).toEqual([decided])
  })

  it('are named for bots by something that nobody can guess', () => {
    const town = new Town()
    const flags = [ask(town, town.ada, town.bob), ask(town, town.ada, town.cleo)].map(({ flag }) => flag)
    expect(new Set(flags).size).toBe(2)
    for (const flag of flags) expect(flag).toMatch(/^[0-9a-f]{24}$/)
  })

  it('are there once: again is a conflict, until it is decided', () => {
    const town = new Town()
    const { id } = ask(town, town.ada, town.bob)
    town.told()
    expect(codeOf(() => ask(town, town.ada, town.bob, 'again'))).toBe('CONFLICT')
    expect(town.told()).toEqual([])
    town.do(({ friends }) => friends.reject(town.bob, id, null))
    const again = ask(town, town.ada, town.bob, 'again')
    expect(again.id > id).toBe(true)
    expect(town.world.friends.requests(town.bob)).toEqual([again])
  })

  it('are decided once', () => {
    const town = new Town()
    const { id } = ask(town, town.ada, town.bob)
    town.do(({ friends }) => friends.accept(town.bob, id))
    town.told()
    expect(codeOf(() => town.do(({ friends }) => friends.accept(town.bob, id)))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(({ friends }) => friends.reject(town.bob, id, 'no')))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    expect(town.rows('SELECT state, reason FROM requests')).toEqual([{ state: 'approved', reason: null }])
  })

  it('of one kind are nothing to those who decide another', () => {
    const town = new Town()
    town.do(({ servers }) => servers.change(town.ada, town.place, { require_invite: 1 }))
    const friend = ask(town, town.cleo, town.ada).id
    const join = town.do(({ arrivals }) => arrivals.askToJoin(town.cleo, town.place, '')).id
    const dov = town.user('dov')
    const invite = town.do(({ arrivals }) => arrivals.invite(town.ada, town.place, dov, '')).id
    const { place } = town
    for (const id of [join, invite]) {
      expect(codeOf(() => town.do(({ friends }) => friends.accept(town.ada, id)))).toBe('NOT_FOUND')
      expect(codeOf(() => town.do(({ friends }) => friends.reject(dov, id, null)))).toBe('NOT_FOUND')
    }
    for (const id of [friend, invite]) {
      expect(codeOf(() => town.do(({ arrivals }) => arrivals.acceptJoin(town.ada, place, id)))).toBe('NOT_FOUND')
      expect(codeOf(() => town.do(({ arrivals }) => arrivals.rejectJoin(town.ada, place, id, null)))).toBe('NOT_FOUND')
    }
    for (const id of [friend, join]) {
      expect(codeOf(() => town.do(({ arrivals }) => arrivals.acceptInvitation(dov, place, id)))).toBe('NOT_FOUND')
    }
    expect(town.rows(`SELECT * FROM requests WHERE state <> 'pending'`)).toEqual([])
  })

  it('that somebody has made, of all kinds, are a hundred at most until they are decided', () => {
    const town = new Town()
    const others = town.do(({ users }) =>
      Array.from({ length: 99 }, (_, i) => {
        return users.create({ username: `x${i}`, email: null, passwordHash: null, bot: false }).id
      }),
    )
    town.do(({ friends }) => others.map((other) => friends.ask(town.ada, other, '')))
    // What others ask of them does not count.
    ask(town, town.bob, town.ada)
    const last = town.do(({ arrivals }) => arrivals.invite(town.ada, town.place, town.cleo, ''))
    town.told()
    const dov = town.user('dov')
    expect(codeOf(() => ask(town, town.ada, dov))).toBe('LIMIT')
    expect(codeOf(() => town.do(({ arrivals }) => arrivals.invite(town.ada, town.place, dov, '')))).toBe('LIMIT')
    expect(town.told()).toEqual([])
    town.do(({ arrivals }) => arrivals.rejectInvitation(town.cleo, town.place, last.id, null))
    ask(town, town.ada, dov)
    expect(codeOf(() => ask(town, town.ada, town.cleo))).toBe('LIMIT')
  })

  it('go with the server that they are about', () => {
    const town = new Town()
    town.do(({ arrivals }) => arrivals.invite(town.ada, town.place, town.cleo, ''))
    ask(town, town.ada, town.bob)
    town.do(({ servers }) => servers.remove(town.ada, town.place))
    expect(town.rows('SELECT kind FROM requests')).toEqual([{ kind: 'friend' }])
    expect(town.world.arrivals.invitations(town.cleo)).toEqual([])
  })

  it('are there after a restart', () => {
    const town = new Town()
    const request = ask(town, town.ada, town.bob)
    const again = town.reopen()
    expect(again.world.friends.requests(town.bob)).toEqual([request])
    // Ids go on behind it.
    const other = again.do(({ friends }) => friends.ask(town.ada, town.cleo, ''))
    expect(other.id > request.id).toBe(true)
  })
})
