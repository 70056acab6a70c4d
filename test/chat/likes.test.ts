import { describe, expect, it } from 'vitest'
import { codeOf, START, Town } from '../support/world.ts'

const DAY = 86_400_000
/** The first moment of the day after the one that tests begin in, in UTC. */
const MIDNIGHT = Math.ceil(START / DAY) * DAY

function setUp() {
  const town = new Town()
  const { ada, bob, cleo } = town
  const give = (from: string, to: string, times: number): void => town.do(({ likes }) => likes.give(from, to, times))
  const of = (user: string): number => town.world.likes.of(user).total
  return { town, ada, bob, cleo, give, of }
}

describe('likes', () => {
  it('are counted of all who gave them, on all days', () => {
    const { town, ada, bob, cleo, give, of } = setUp()
    expect(of(bob)).toBe(0)
    give(ada, bob, 3)
    give(cleo, bob, 10)
    town.clock.ms += DAY
    give(ada, bob, 1)
    give(bob, ada, 2)
    expect([of(bob), of(ada), of(cleo)]).toEqual([14, 2, 0])
    expect(town.reopen().world.likes.of(bob).total).toBe(14)
  })

  it('are told of as they are given, not as they add up', () => {
    const { town, ada, bob, give } = setUp()
    give(ada, bob, 3)
    give(ada, bob, 4)
    expect(town.told()).toEqual([
      { type: 'user.liked', from: ada, to: bob, times: 3 },
      { type: 'user.liked', from: ada, to: bob, times: 4 },
    ])
    expect(town.rows('SELECT from_user, to_user, day, times, last_at FROM likes')).toEqual([
      { from_user: ada, to_user: bob, day: '2026-05-04', times: 7, last_at: new Date(START).toISOString() },
    ])
  })

  it('are ten a day, of one for another', () => {
    const { town, ada, bob, cleo, give, of } = setUp()
    expect(codeOf(() => give(ada, bob, 11))).toBe('LIMIT')
    give(ada, bob, 9)
    town.told()
    // All or nothing: not one of the two.
    expect(codeOf(() => give(ada, bob, 2))).toBe('LIMIT')
    expect([of(bob), town.told()]).toEqual([9, []])
    give(ada, bob, 1)
    expect(codeOf(() => give(ada, bob, 1))).toBe('LIMIT')
    // Others are others: who gives, who is given to, and the other way round.
    give(cleo, bob, 10)
    give(ada, cleo, 10)
    give(bob, ada, 10)
    expect([of(ada), of(bob), of(cleo)]).toEqual([10, 20, 10])
  })

  it('have a day that ends at midnight in UTC, to the millisecond', () => {
    const { town, ada, bob, give, of } = setUp()
    town.clock.ms = MIDNIGHT - 1
    give(ada, bob, 10)
    expect(codeOf(() => give(ada, bob, 1))).toBe('LIMIT')
    town.clock.ms = MIDNIGHT
    give(ada, bob, 10)
    expect(codeOf(() => give(ada, bob, 1))).toBe('LIMIT')
    expect(of(bob)).toBe(20)
    // A clock that is set back finds the day before as it was left.
    town.clock.ms = MIDNIGHT - 1
    expect(codeOf(() => give(ada, bob, 1))).toBe('LIMIT')
    expect(town.rows('SELECT day, times FROM likes ORDER BY day')).toEqual([
      { day: '2026-05-04', times: 10 },
      { day: '2026-05-05', times: 10 },
    ])
  })

  it('are for accounts that are there', () => {
    const { town, ada, bob, give, of } = setUp()
    give(ada, bob, 2)
    town.do(({ users }) => users.disable(bob))
    town.told()
    expect(codeOf(() => give(ada, bob, 1))).toBe('NOT_FOUND')
    expect(codeOf(() => give(ada, 'nobody', 1))).toBe('NOT_FOUND')
    expect([town.told(), of(bob), of('nobody')]).toEqual([[], 2, 0])
  })

  it('are whole, one or more, and for others', () => {
    const { town, ada, bob, give, of } = setUp()
    for (const times of [0, -1, 1.5, NaN, Infinity]) expect(codeOf(() => give(ada, bob, times))).toBe('INVALID')
    expect(codeOf(() => give(ada, ada, 1))).toBe('INVALID')
    // Whoever that is.
    expect(codeOf(() => give(ada, 'nobody', 0))).toBe('INVALID')
    expect([town.told(), of(ada), of(bob), town.rows('SELECT * FROM likes')]).toEqual([[], 0, 0, []])
  })

  it('of a change that fails are not counted', () => {
    const { town, ada, bob, give, of } = setUp()
    const failing = (): unknown =>
      town.do(({ likes }) => {
        likes.give(ada, bob, 10)
        throw new Error('and then')
      })
    expect(failing).toThrow('and then')
    expect([of(bob), town.told()]).toEqual([0, []])
    give(ada, bob, 10)
  })
})
