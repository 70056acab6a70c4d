import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadlines } from '../../lib/chat/deadlines.ts'
import { Clock, START } from '../support/world.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp(due: (item: string, deadlines: Deadlines<string>) => void = () => {}) {
  const clock = new Clock()
  const ended: string[] = []
  const deadlines: Deadlines<string> = new Deadlines(clock.now, (item) => {
    ended.push(item)
    due(item, deadlines)
  })
  /** As late as that, and as long as a look at what is due takes. */
  const at = (ms: number): string[] => {
    clock.ms = START + ms
    vi.advanceTimersByTime(500)
    return ended.splice(0)
  }
  return { deadlines, at }
}

describe('deadlines', () => {
  it('end each at its time, once, the first that was added first', () => {
    const { deadlines, at } = setUp()
    for (const [item, ms] of [
      ['late', 300],
      ['early', 100],
      ['never', Infinity],
      ['early too', 100],
    ] as const) {
      deadlines.add(item, START + ms)
    }
    expect(deadlines.all()).toEqual(['late', 'early', 'early too'])
    expect([at(99), at(100), at(101), at(300)]).toEqual([[], ['early', 'early too'], [], ['late']])
    expect([deadlines.all(), vi.getTimerCount()]).toEqual([[], 0])
  })

  it('can be put off, and given up', () => {
    const { deadlines, at } = setUp()
    deadlines.add('one', START + 100)
    deadlines.add('two', START + 100)
    deadlines.add('one', START + 200)
    deadlines.delete('two')
    deadlines.delete('three')
    expect(vi.getTimerCount()).toBe(1)
    expect([at(150), at(200)]).toEqual([[], ['one']])
    deadlines.add('four', START + 300)
    deadlines.delete('four')
    expect([at(400), vi.getTimerCount()]).toEqual([[], 0])
  })

  // Was wrong: it was looked at again in the same look, for ever.
  it('one that begins anew with a time that has passed ends again with the next look', () => {
    const { deadlines, at } = setUp((item, all) => all.add(item, START))
    deadlines.add('one', START)
    expect([at(1), at(2)]).toEqual([['one'], ['one']])
  })

  it('may be added, and given up, when one ends', () => {
    const { deadlines, at } = setUp((item, all) => {
      if (item !== 'one') return
      all.add('three', START + 200)
      all.delete('two')
    })
    deadlines.add('one', START + 100)
    deadlines.add('two', START + 100)
    expect([at(100), at(150), at(200)]).toEqual([['one'], [], ['three']])
    deadlines.add('four', START + 300)
    deadlines.close()
    expect([vi.getTimerCount(), at(300)]).toEqual([0, []])
  })
})
