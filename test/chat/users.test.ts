import { describe, expect, it } from 'vitest'
import { codeOf, Town } from '../support/world.ts'

describe('a user who was looked for', () => {
  it('is found as they are, also when they have changed since', () => {
    const town = new Town()
    const { users } = town.world
    expect(users.find(town.ada)?.bio).toBeNull()
    town.do(() => users.change(town.ada, { bio: 'rings the bell' }))
    expect(users.find(town.ada)?.bio).toBe('rings the bell')
    town.do(() => users.disable(town.ada))
    expect(users.find(town.ada)?.disabled).toBe(1)
  })

  it('is found by a change as that has made them, and by nobody when it was undone', () => {
    const town = new Town()
    const { users } = town.world
    users.find(town.ada)
    const seen: unknown[] = []
    const change = (): never => {
      users.change(town.ada, { bio: 'never said' })
      users.disable(town.ada)
      seen.push(users.find(town.ada))
      throw new Error('undone')
    }
    expect(() => town.do(change)).toThrow('undone')
    expect(seen).toMatchObject([{ bio: 'never said', disabled: 1 }])
    expect(users.find(town.ada)).toMatchObject({ bio: null, disabled: 0 })
  })

  it('is nobody before they are there', async () => {
    const town = new Town()
    const { users } = town.world
    expect(users.find('nobody')).toBeNull()
    const { id } = town.do(() => users.create({ username: 'eve', email: null, passwordHash: null, bot: false }))
    expect(users.find(id)?.username).toBe('eve')
    expect(users.findAll([])).toEqual(new Map())
  })
})

describe('the number of a user', () => {
  const make = (town: Town, username: string, num?: number) =>
    town.do(({ users }) =>
      users.create({ username, email: null, passwordHash: null, bot: true, ...(num === undefined ? {} : { num }) }),
    )

  it('finds them, and nobody else', () => {
    const town = new Town()
    const { users } = town.world
    expect(users.byNum(10_002)).toEqual(users.find(town.bob))
    for (const num of [0, -1, 10_004, 10_002.5, 2 ** 40]) expect(users.byNum(num)).toBeNull()
    // One that a channel has: they are counted apart.
    expect(town.world.access.channel(town.ada, town.pier).num).toBe(10_001)
    expect(users.byNum(10_001)?.id).toBe(town.ada)
    // Also one that is disabled, as it is by now.
    town.do(() => users.disable(town.bob))
    expect(users.byNum(10_002)).toMatchObject({ id: town.bob, disabled: 1 })
  })

  it('can be chosen, below those that are counted and above', () => {
    const town = new Town()
    expect([make(town, 'low', 7).num, make(town, 'high', 2 ** 31 - 1).num]).toEqual([7, 2 ** 31 - 1])
    expect(town.world.users.byNum(7)?.username).toBe('low')
    // What is counted goes on where it was.
    expect(make(town, 'next').num).toBe(10_004)
  })

  it('chosen, is passed over by those that are counted: one, and several in a row', () => {
    const town = new Town()
    for (const num of [10_005, 10_007, 10_008, 10_009]) make(town, `chosen${num}`, num)
    const counted = Array.from({ length: 4 }, (_, i) => make(town, `counted${i}`).num)
    expect(counted).toEqual([10_004, 10_006, 10_010, 10_011])
  })

  it('chosen, is passed over where a block of the counter begins and ends', () => {
    const town = new Town()
    // A world that is opened again counts on with its next thousand.
    make(town, 'begins', 11_001)
    make(town, 'ends', 12_000)
    const again = town.reopen()
    const counted = again.do(({ users }) =>
      Array.from(
        { length: 999 },
        (_, i) => users.create({ username: `sailor${i}`, email: null, passwordHash: null, bot: true }).num,
      ),
    )
    expect([counted[0], counted.at(-2), counted.at(-1)]).toEqual([11_002, 11_999, 12_001])
  })

  it('chosen, is refused where it is taken: counted or chosen', () => {
    const town = new Town()
    make(town, 'one', 10_500)
    expect(codeOf(() => make(town, 'two', 10_500))).toBe('CONFLICT')
    expect(codeOf(() => make(town, 'two', 10_001))).toBe('CONFLICT')
    expect(() => make(town, 'two', 10_002)).toThrow('The number 10002 is taken')
    // As it is where it is their name.
    expect(() => make(town, 'one', 10_501)).toThrow('User name or e-mail address is taken')
    expect(town.world.users.findByName('two')).toBeNull()
    expect(make(town, 'two', 10_501).num).toBe(10_501)
    // None was counted for those that were refused.
    expect(make(town, 'three').num).toBe(10_004)
  })

  it('chosen in a change that fails is free again', () => {
    const town = new Town()
    const failing = (): unknown =>
      town.do(({ users }) => {
        users.create({ username: 'one', email: null, passwordHash: null, bot: true, num: 10_004 })
        // Passes over it, and goes back with it.
        users.create({ username: 'two', email: null, passwordHash: null, bot: true })
        throw new Error('and then')
      })
    expect(failing).toThrow('and then')
    expect(town.world.users.byNum(10_004)).toBeNull()
    expect(make(town, 'three').num).toBe(10_004)
  })

  it('is refused where all behind the chosen ones are gone', () => {
    const town = new Town()
    make(town, 'last', 2 ** 31 - 1)
    town.write("UPDATE counters SET value = ? WHERE name = 'user'", 2 ** 31 - 1)
    expect(codeOf(() => town.reopen().user('dora'))).toBe('UNAVAILABLE')
  })
})
