import { describe, expect, it } from 'vitest'
import { codeOf, OpenWorld, Town } from '../support/world.ts'

describe('numbers', () => {
  it('of users and channels begin with 10001, those of messages with 1', () => {
    const town = new Town()
    const { users, access } = town.world
    expect([town.ada, town.bob, town.cleo].map((id) => users.find(id)?.num)).toEqual([10_001, 10_002, 10_003])
    expect(access.channel(town.ada, town.pier).num).toBe(10_001)
    expect(town.post(town.ada, town.pier).num).toBe(1)
  })

  it('channels and direct messages share them', () => {
    const town = new Town()
    const { direct } = town.do(({ directs }) => directs.open(town.ada, town.bob))
    const say = (): number => town.do(({ directs }) => directs.post(town.ada, direct.id, { content: 'fog' })).num
    expect([town.post(town.ada, town.pier).num, say(), town.post(town.ada, town.pier).num, say()]).toEqual([1, 2, 3, 4])
  })

  it('are taken from the store by the thousand', () => {
    const town = new Town()
    const counter = (): unknown => town.rows("SELECT value FROM counters WHERE name = 'message'")
    for (let i = 0; i < 1000; i++) town.do(({ messages }) => messages.post(town.ada, town.pier, fog))
    expect(counter()).toEqual([{ value: 1001 }])
    expect(town.post(town.ada, town.pier).num).toBe(1001)
    expect(counter()).toEqual([{ value: 2001 }])
  })

  it('are not given again when the world is opened again, nor when what had them is gone', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    town.do(({ channels }) => channels.remove(town.ada, town.place, town.pier))
    const again = town.reopen()
    const pier = again.channel(town.ada, town.place)
    expect(again.world.access.channel(town.ada, pier).num).toBe(11_001)
    expect(again.post(town.ada, pier).num).toBe(1001)
  })

  it('a change that fails gives them back', () => {
    const town = new Town()
    expect(() =>
      town.do(({ messages }) => {
        messages.post(town.ada, town.pier, fog)
        throw new Error('and then')
      }),
    ).toThrow('and then')
    // The block is taken back, too.
    expect(town.rows("SELECT value FROM counters WHERE name = 'message'")).toEqual([])
    expect(town.post(town.ada, town.pier).num).toBe(1)
    expect(() => town.user('Ada')).toThrow('taken')
    expect(town.world.users.find(town.user('dora'))?.num).toBe(10_004)
  })

  it('end with what 32 bits hold, and refuse what comes then', () => {
    const world = new OpenWorld()
    world.write("INSERT INTO counters VALUES ('user', ?)", 2 ** 31 - 2)
    const numOf = (name: string): number | undefined => world.world.users.find(world.user(name))?.num
    expect(numOf('ada')).toBe(2 ** 31 - 2)
    expect(numOf('bob')).toBe(2 ** 31 - 1)
    expect(codeOf(() => world.user('cleo'))).toBe('UNAVAILABLE')
    expect(codeOf(() => world.user('cleo'))).toBe('UNAVAILABLE')
    expect(codeOf(() => world.reopen().user('cleo'))).toBe('UNAVAILABLE')
  })
})

describe('the last number', () => {
  it('is given, also where it is the first of its block', () => {
    const world = new OpenWorld()
    world.write("INSERT INTO counters VALUES ('user', ?)", 2 ** 31 - 1)
    expect(world.world.users.find(world.user('ada'))?.num).toBe(2 ** 31 - 1)
    expect(world.rows('SELECT value FROM counters')).toEqual([{ value: 2 ** 31 }])
    expect(codeOf(() => world.user('bob'))).toBe('UNAVAILABLE')
  })
})

const fog = { content: 'fog', replyTo: null }
