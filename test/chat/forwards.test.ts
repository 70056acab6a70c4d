import { describe, expect, it } from 'vitest'
import type { ForwardNode } from '../../lib/chat/forwards.ts'
import { codeOf, START, Town } from '../support/world.ts'

const HOUR = 3_600_000
const node = (i: number): ForwardNode => ({
  user_num: 10_001 + i,
  nickname: `sailor ${i}`,
  sent_at: START / 1000 + i,
  segments: `[{"type":"text","data":{"text":"${i}"}}]`,
})
const nodes = (count: number): ForwardNode[] => Array.from({ length: count }, (_, i) => node(i))

function setUp() {
  const town = new Town()
  const make = (user: string, all: readonly ForwardNode[]): string =>
    town.do(({ forwards }) => forwards.make(user, all))
  return { town, make, read: (id: string) => town.world.forwards.nodes(id) }
}

describe('a bundle', () => {
  it('has its messages as they were given, in their order', () => {
    const { town, make, read } = setUp()
    // More than ten: as text, 10 would come before 2.
    const id = make(town.ada, nodes(12))
    expect(read(id)).toEqual(nodes(12))
    expect(town.rows('SELECT id, created_by, created_at FROM forwards')).toEqual([
      { id, created_by: town.ada, created_at: new Date(START).toISOString() },
    ])
    // Who knows its id can read it; by itself it is told to nobody.
    expect(town.told()).toEqual([])
    expect(town.reopen().world.forwards.nodes(id)).toEqual(nodes(12))
  })

  it('is one of its own, also with the same in it; the same can be in it twice', () => {
    const { town, make, read } = setUp()
    const [one, two] = [make(town.ada, [node(1), node(1)]), make(town.bob, [node(1), node(1)])]
    expect(one).not.toBe(two)
    expect([read(one), read(two)]).toEqual([
      [node(1), node(1)],
      [node(1), node(1)],
    ])
  })

  it('may say that somebody has said it who is nobody', () => {
    const { town, make, read } = setUp()
    const made = { user_num: 2 ** 31 - 1, nickname: '', sent_at: 0, segments: '[]' }
    expect(read(make(town.ada, [made]))).toEqual([made])
  })

  it('has 200 messages at most, and none where there is no such bundle', () => {
    const { town, make, read } = setUp()
    expect(read(make(town.ada, nodes(200)))).toHaveLength(200)
    expect(codeOf(() => make(town.ada, nodes(201)))).toBe('LIMIT')
    expect(town.rows('SELECT id FROM forwards')).toHaveLength(1)
    expect(read('nothing')).toEqual([])
  })

  it('has an id behind which those of another process go on', () => {
    const { town, make } = setUp()
    town.clock.ms = START + HOUR
    const id = make(town.ada, [])
    // The clock was set back meanwhile.
    town.clock.ms = START
    const again = town.reopen()
    expect(again.post(town.ada, town.pier).id > id).toBe(true)
  })
})
