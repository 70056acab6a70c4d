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

describe('those who somebody knows', () => {
  it('are listed for both, whom they have known longest first', () => {
    const { town, ada, bob, cleo, ask, accept, open } = setUp()
    const { of } = listing(town)
    expect([of(ada), of(bob), of('nobody')]).toEqual([[], [], []])
    // On both sides of their ids: cleo’s is behind ada’s and bob’s.
    open(cleo, ada)
    town.clock.ms += 1
    const { id } = ask(bob, ada)
    expect(of(ada)).toEqual([cleo])
    town.clock.ms += 1
    const dov = town.user('dov')
    open(dov, ada)
    town.clock.ms += 1
    accept(ada, id)
    expect(of(ada)).toEqual([cleo, dov, bob])
    expect([of(bob), of(cleo), of(dov)]).toEqual([[ada], [ada], [ada]])
  })

  it('are in the order of their accounts where they have known them for the same time', () => {
    const { town, ada, bob, cleo, open } = setUp()
    open(bob, cleo)
    open(bob, ada)
    expect(listing(town).of(bob)).toEqual([ada, cleo])
  })

  it('are told of once: who has asked, or written first, and the other', () => {
    const { town, ada, bob, cleo, ask, accept, open } = setUp()
    accept(ada, ask(bob, ada).id)
    expect(town.told().map(({ type }) => type)).toEqual(['request.made', 'friend.added', 'request.decided'])
    const meanwhile = ask(ada, cleo)
    open(cleo, ada)
    // They are friends already, which nobody is told of again.
    accept(cleo, meanwhile.id)
    const told = town.told()
    expect(told.map(({ type }) => type)).toEqual(['request.made', 'friend.added', 'direct.opened', 'request.decided'])
    expect(told[1]).toEqual({ type: 'friend.added', userId: cleo, other: ada })
  })

  it.each([
    ['has asked', 0],
    ['was asked', 1],
  ] as const)('are no more when one lets go, also where that is who %s', (_which, by) => {
    const { town, ada, bob, ask, accept, are, rows } = setUp()
    const pair = [ada, bob] as const
    accept(bob, ask(ada, bob).id)
    town.told()
    const { remove, of } = listing(town)
    const [one, other] = by === 0 ? pair : [bob, ada]
    remove(one, other)
    expect(town.told()).toEqual([{ type: 'friend.removed', userId: one, other }])
    expect([are(ada, bob), are(bob, ada), of(ada), of(bob), rows()]).toEqual([false, false, [], [], []])
    for (const [from, whom] of [pair, pair.toReversed()]) {
      expect(codeOf(() => remove(from ?? '', whom ?? ''))).toBe('NOT_FOUND')
    }
    expect(town.told()).toEqual([])
  })

  it('cannot be let go of by others, nor where there are none', () => {
    const { town, ada, bob, cleo, open, are } = setUp()
    open(ada, bob)
    town.told()
    const { remove } = listing(town)
    for (const [one, other] of [
      [cleo, ada],
      [cleo, bob],
      [ada, cleo],
      [ada, ada],
      [ada, 'nobody'],
    ] as const) {
      expect(codeOf(() => remove(one, other))).toBe('NOT_FOUND')
    }
    expect([are(ada, bob), town.told()]).toEqual([true, []])
  })

  it('may write to each other all the same, which does not bring them back together', () => {
    const { town, ada, bob, open, are } = setUp()
    open(ada, bob)
    listing(town).remove(bob, ada)
    town.told()
    const { direct, created } = town.do(({ directs }) => directs.open(bob, ada))
    expect(created).toBe(false)
    town.do(({ directs }) => directs.post(bob, direct.id, { content: 'fog' }))
    expect(are(ada, bob)).toBe(false)
    expect(town.told().map(({ type }) => type)).toEqual(['direct.message'])
  })

  it('can ask anew, and are friends again as of then', () => {
    const { town, ada, bob, cleo, ask, accept, open, rows } = setUp()
    open(ada, bob)
    town.clock.ms += 1
    open(ada, cleo)
    const { remove, of } = listing(town)
    expect(of(ada)).toEqual([bob, cleo])
    remove(ada, bob)
    town.clock.ms += 1
    const first = ask(bob, ada)
    accept(ada, first.id)
    expect(of(ada)).toEqual([cleo, bob])
    expect(
      rows()
        .map(({ source }) => source)
        .toSorted(),
    ).toEqual(['dm', 'request'])
    // And once more, with a request like the one before.
    remove(bob, ada)
    expect(ask(bob, ada).id).not.toBe(first.id)
  })

  it('let go of in a change that fails are kept', () => {
    const { town, ada, bob, open, are } = setUp()
    open(ada, bob)
    town.told()
    const failing = (): unknown =>
      town.do(({ friends }) => {
        friends.remove(ada, bob)
        throw new Error('and then')
      })
    expect(failing).toThrow('and then')
    expect([are(ada, bob), town.told()]).toEqual([true, []])
  })
})

describe('a request by the name that bots have for it', () => {
  it('is found by who was asked, whatever became of it', () => {
    const { town, ada, bob, ask, accept, reject } = setUp()
    const { friends } = town.world
    const request = ask(ada, bob)
    expect(friends.byFlag(bob, request.flag)).toEqual(request)
    const rejected = reject(bob, request.id)
    expect(friends.byFlag(bob, request.flag)).toEqual(rejected)
    const again = ask(ada, bob)
    expect(again.flag).not.toBe(request.flag)
    const accepted = accept(bob, again.id)
    expect(friends.byFlag(bob, again.flag)).toEqual(accepted)
    expect(friends.byFlag(bob, request.flag)?.state).toBe('rejected')
  })

  it('is nothing to who asks, to others, nor where it asks for something else', () => {
    const { town, ada, bob, cleo, ask } = setUp()
    const { friends } = town.world
    const { id, flag } = ask(ada, bob)
    for (const user of [ada, cleo, 'nobody']) expect(friends.byFlag(user, flag)).toBeNull()
    for (const other of [id, '', flag.toUpperCase(), flag.slice(1)]) {
      expect(friends.byFlag(bob, other)).toBeNull()
    }
    const invitation = town.do(({ arrivals }) => arrivals.invite(ada, town.place, cleo, ''))
    expect(friends.byFlag(cleo, invitation.flag)).toBeNull()
  })
})

const listing = (town: Town) => ({
  of: (user: string): string[] => town.world.friends.of(user),
  remove: (user: string, other: string): void => town.do(({ friends }) => friends.remove(user, other)),
})
