import { describe, expect, it } from 'vitest'
import { Town } from '../support/world.ts'

function setUp() {
  const town = new Town()
  const set = (owner: string, kind: 'user' | 'channel', target: string, remark: string): void =>
    town.do(({ remarks }) => remarks.set(owner, kind, target, remark))
  const find = (owner: string, kind: 'user' | 'channel', target: string): string =>
    town.world.remarks.find(owner, kind, target)
  const { ada, bob, cleo, pier } = town
  return { town, ada, bob, cleo, pier, set, find }
}

describe('a remark', () => {
  it('is what somebody calls another: for themselves, and told to nobody', () => {
    const { town, ada, bob, cleo, set, find } = setUp()
    expect(find(ada, 'user', bob)).toBe('')
    set(ada, 'user', bob, 'the pilot')
    set(cleo, 'user', bob, 'Bob ⚓')
    expect([find(ada, 'user', bob), find(cleo, 'user', bob)]).toEqual(['the pilot', 'Bob ⚓'])
    // Not the other way round, nor of oneself.
    expect([find(bob, 'user', ada), find(bob, 'user', bob)]).toEqual(['', ''])
    expect(town.told()).toEqual([])
    expect(town.reopen().world.remarks.find(ada, 'user', bob)).toBe('the pilot')
  })

  it('is of a user, or of a channel: one id can be both', () => {
    const { ada, pier, set, find } = setUp()
    set(ada, 'channel', pier, 'home')
    expect([find(ada, 'channel', pier), find(ada, 'user', pier)]).toEqual(['home', ''])
    set(ada, 'user', pier, 'nobody')
    expect([find(ada, 'channel', pier), find(ada, 'user', pier)]).toEqual(['home', 'nobody'])
    set(ada, 'user', pier, '')
    expect([find(ada, 'channel', pier), find(ada, 'user', pier)]).toEqual(['home', ''])
  })

  it('takes the place of the one before; an empty one leaves none', () => {
    const { town, ada, bob, set, find } = setUp()
    set(ada, 'user', bob, 'one')
    set(ada, 'user', bob, 'two')
    expect(find(ada, 'user', bob)).toBe('two')
    expect(town.rows('SELECT remark FROM remarks')).toEqual([{ remark: 'two' }])
    set(ada, 'user', bob, '')
    // Where there is none, too.
    set(ada, 'user', bob, '')
    expect(find(ada, 'user', bob)).toBe('')
    expect(town.rows('SELECT * FROM remarks')).toEqual([])
  })
})
