import { describe, expect, it } from 'vitest'
import { codeOf, Town } from '../support/world.ts'

function setUp() {
  const town = new Town()
  const { ada, bob, cleo } = town
  const ask = (from: string, to: string) => town.do(({ friends }) => friends.ask(from, to, ''))
  const accept = (user: string, id: string) => town.do(({ friends }) => friends.accept(user, id))
  const reject = (user: string, id: string) => town.do(({ friends }) => friends.reject(user, id, null))
  const open = (from: string, to: string): void => void town.do(({ directs }) => directs.open(from, to))
  const are = (one: string, other: string): boolean => town.world.friends.are(one, other)
  const rows = () => town.rows<{ source: string }>('SELECT source FROM friends')
  return { town, ada, bob, cleo, ask, accept, reject, open, are, rows }
}

describe('friends', () => {
  it('are two of whom one has asked, and the other agreed', () => {
    const { town, ada, bob, cleo, ask, accept, are } = setUp()
    for (const [one, other] of [
      [ada, bob],
      [cleo, ada],
    ] as const) {
      const { id } = ask(one, other)
      expect([are(one, other), are(other, one)]).toEqual([false, false])
      accept(other, id)
      expect([are(one, other), are(other, one)]).toEqual([true, true])
    }
    expect(are(bob, cleo)).toBe(false)
    expect(are(ada, ada)).toBe(false)
    expect(town.rows('SELECT source FROM friends')).toEqual([{ source: 'request' }, { source: 'request' }])
  })

  it('are two who write to each other, without being asked', () => {
    const { town, ada, bob, cleo, ask, open, are, rows } = setUp()
    open(bob, ada)
    open(ada, bob)
    expect([are(ada, bob), are(ada, cleo)]).toEqual([true, false])
    expect(rows()).toEqual([{ source: 'dm' }])
    town.told()
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      expect(codeOf(() => ask(one, other))).toBe('CONFLICT')
    }
    expect(town.told()).toEqual([])
  })

  it('stay what they are where one agrees who has written meanwhile', () => {
    const { ada, bob, ask, accept, open, are, rows } = setUp()
    const { id } = ask(ada, bob)
    open(bob, ada)
    expect(accept(bob, id).state).toBe('approved')
    expect(are(ada, bob)).toBe(true)
    expect(rows()).toEqual([{ source: 'dm' }])
  })

  it('are not those of whom one said no', () => {
    const { ada, bob, ask, reject, are, rows } = setUp()
    reject(bob, ask(ada, bob).id)
    expect([are(ada, bob), rows()]).toEqual([false, []])
    // The other may ask all the same.
    expect(ask(bob, ada).state).toBe('pending')
  })

  it('are asked for by others, who are there', () => {
    const { town, ada, bob, ask } = setUp()
    const gone = town.user('gone')
    town.do(({ users }) => users.disable(gone))
    town.told()
    expect(codeOf(() => ask(ada, ada))).toBe('INVALID')
    expect(codeOf(() => ask(ada, gone))).toBe('NOT_FOUND')
    expect(codeOf(() => ask(ada, 'nobody'))).toBe('NOT_FOUND')
    ask(ada, bob)
    expect(codeOf(() => ask(bob, ada))).toBe('CONFLICT')
    expect(town.told()).toHaveLength(1)
  })

  it('are up to who was asked: not to who asks, nor to others', () => {
    const { town, ada, bob, cleo, ask, accept, reject, are } = setUp()
    const { id } = ask(ada, bob)
    town.told()
    for (const user of [ada, cleo, 'nobody']) {
      expect(codeOf(() => accept(user, id))).toBe('NOT_FOUND')
      expect(codeOf(() => reject(user, id))).toBe('NOT_FOUND')
    }
    expect(codeOf(() => accept(bob, 'none'))).toBe('NOT_FOUND')
    expect([town.told(), are(ada, bob)]).toEqual([[], false])
  })

  it('see what they have asked, and were asked, the newest first', () => {
    const { town, ada, bob, cleo, ask, accept } = setUp()
    const dov = town.user('dov')
    const [one, two] = [ask(ada, bob), ask(cleo, ada)]
    const three = ask(ada, dov)
    const of = (user: string) => town.world.friends.requests(user)
    expect(of(ada)).toEqual([three, two, one])
    expect([of(bob), of(cleo), of(dov)]).toEqual([[one], [two], [three]])
    accept(ada, two.id)
    expect([of(ada), of(cleo)]).toEqual([[three, one], []])
  })
})
