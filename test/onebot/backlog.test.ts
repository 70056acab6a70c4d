import { describe, expect, it } from 'vitest'
import { Backlog, type BacklogLimits, toRetry } from '../../lib/onebot/backlog.ts'

/** With a clock that stands, and what has fallen out. */
function make(limits: Partial<BacklogLimits>) {
  const state = { now: 0, lost: 0 }
  const backlog = new Backlog(
    () => ({ events: 100, bytes: 1000, age: 1000, ...limits }),
    () => void state.lost++,
    () => state.now,
  )
  const rest = (from = 0): string[] => {
    const found: string[] = []
    for (let next = backlog.after(from); next !== undefined; next = backlog.after(next.number)) found.push(next.text)
    return found
  }
  return { backlog, state, rest }
}

describe('what is kept for who is away', () => {
  it('is numbered from 1, in order, and found behind any number', () => {
    const { backlog, rest } = make({})
    expect(['a', 'b', 'c'].map((text) => backlog.push(text))).toEqual([1, 2, 3])
    expect([rest(), rest(1), rest(2), rest(3), rest(99)]).toEqual([['a', 'b', 'c'], ['b', 'c'], ['c'], [], []])
    expect(backlog.last).toBe(3)
  })

  it('is as many events as there may be: the oldest fall out, and are counted', () => {
    const { backlog, state, rest } = make({ events: 2 })
    for (const text of ['a', 'b', 'c', 'd']) backlog.push(text)
    expect(rest()).toEqual(['c', 'd'])
    expect(state.lost).toBe(2)
    expect(rest(3)).toEqual(['d'])
  })

  it('is as many bytes of UTF-8 as there may be', () => {
    const { backlog, state, rest } = make({ bytes: 9 })
    for (const text of ['茶', 'bcd', 'efg']) backlog.push(text)
    expect(rest()).toHaveLength(3)
    backlog.push('h')
    expect(rest()).toEqual(['bcd', 'efg', 'h'])
    expect(state.lost).toBe(1)
    backlog.push('0123456789')
    expect(rest()).toEqual([])
    expect(state.lost).toBe(5)
  })

  it('is no older than it may be, whenever somebody looks', () => {
    const { backlog, state, rest } = make({ age: 10 })
    backlog.push('a')
    state.now = 5
    backlog.push('b')
    state.now = 10
    expect(rest()).toEqual(['a', 'b'])
    state.now = 11
    expect(rest()).toEqual(['b'])
    state.now = 16
    expect(backlog.take()).toBeUndefined()
    expect(state.lost).toBe(2)
  })

  it('is not needed any more up to a number, which is no loss', () => {
    const { backlog, state, rest } = make({ bytes: 4 })
    for (const text of ['a', 'b', 'c']) backlog.push(text)
    backlog.drop(2)
    expect(rest()).toEqual(['c'])
    backlog.drop(1)
    expect(rest()).toEqual(['c'])
    // What went takes no place.
    backlog.push('def')
    expect(rest()).toEqual(['c', 'def'])
    expect(state.lost).toBe(0)
    expect(backlog.push('g')).toBe(5)
  })

  it('is taken from its beginning', () => {
    const { backlog, state } = make({})
    for (const text of ['a', 'b']) backlog.push(text)
    expect(backlog.take()).toMatchObject({ number: 1, text: 'a', at: 0 })
    expect(backlog.take()).toMatchObject({ number: 2, text: 'b' })
    expect(backlog.take()).toBeUndefined()
    expect([backlog.size, state.lost]).toEqual([0, 0])
  })

  it('goes all at once, and numbers go on', () => {
    const { backlog, state, rest } = make({ bytes: 3 })
    for (const text of ['a', 'b']) backlog.push(text)
    backlog.clear()
    expect(rest()).toEqual([])
    expect(backlog.push('cde')).toBe(3)
    expect([rest(), state.lost]).toEqual([['cde'], 0])
  })

  it('is marked where it may be told for the second time', () => {
    expect(JSON.parse(toRetry('{"a":1}'))).toEqual({ a: 1, retry: true })
  })
})
