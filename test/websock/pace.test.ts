import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/engine/memory.ts'
import { Pace } from '../../lib/websock/pace.ts'
import { WS_EVENT_CLOSE } from '../../lib/websock/constants.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { bench } from '../support/memory.ts'

/** Tasks that each take a millisecond, and say that they were done. */
function crowd(count: number) {
  const clock = new ManualClock()
  const pace = new Pace(clock)
  const done: number[] = []
  const add = (name: number): void =>
    pace.run(() => {
      done.push(name)
      clock.advance(1)
    })
  for (let i = 0; i < count; i++) add(i)
  return { clock, pace, done, add }
}

describe('the pace of a crowd', () => {
  it('alone, each is done at once', () => {
    const { clock, done, add } = crowd(0)
    for (let i = 0; i < 5; i++) {
      add(i)
      expect(done).toHaveLength(i + 1)
      clock.turn()
    }
    expect(clock.turn()).toBe(0)
  })

  it('of many a few are done in each turn, when they take longer than there is time for, in order', () => {
    const { clock, done, add } = crowd(9)
    expect(done).toEqual([0, 1, 2, 3])
    clock.turn()
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    // Nobody overtakes.
    add(9)
    expect(done).toHaveLength(8)
    clock.turn()
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    clock.turn()
    expect(clock.turn()).toBe(0)
  })

  it('what takes no time is all done at once', () => {
    const clock = new ManualClock()
    const pace = new Pace(clock)
    let done = 0
    for (let i = 0; i < 1000; i++) pace.run(() => done++)
    expect(done).toBe(1000)
  })

  it('what else is due comes first, for a few turns; who comes alone does not wait for it', () => {
    const { clock, pace, done, add } = crowd(6)
    let due = true
    pace.giveWayTo(() => due)
    for (let turns = 1; turns <= 4; turns++) clock.turn()
    expect(done).toEqual([0, 1, 2, 3])
    clock.turn()
    expect(done).toEqual([0, 1, 2, 3, 4, 5])
    clock.turn()
    add(6)
    expect(done).toHaveLength(7)
    for (let name = 7; name < 20; name++) add(name)
    clock.turn()
    expect(done).toHaveLength(10)
    due = false
    clock.turn()
    expect(done).toHaveLength(14)
  })

  it('what is asked for by what is done comes behind those who wait', () => {
    const { clock, pace, done, add } = crowd(4)
    pace.run(() => add(5))
    add(4)
    for (let i = 0; i < 4; i++) clock.turn()
    expect(done).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('at the end all that waits is done', () => {
    const { clock, pace, done, add } = crowd(6)
    pace.run(() => add(6))
    pace.finish()
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6])
    clock.turn()
    clock.turn()
    expect(done).toHaveLength(7)
  })

  it('one that throws does so where it was asked for, and the others are done', () => {
    const clock = new ManualClock()
    const pace = new Pace(clock)
    const bad = (): never => {
      throw new Error('no')
    }
    expect(() => pace.run(bad)).toThrow('no')
    let done = 0
    pace.run(() => done++)
    expect(done).toBe(1)
  })
})

describe('connections that are lost all at once', () => {
  it('end a few in each turn, and each is of no use before', async () => {
    const made = bench()
    const closed: number[] = []
    const peers = Array.from({ length: 6 }, (_, i) => {
      const { ws, transport } = made.connect()
      const result = webSocketRun(ws, (_ws, event) => {
        if (event !== WS_EVENT_CLOSE) return
        closed.push(i)
        made.clock.advance(1)
      })
      return { ws, transport, result }
    })
    for (const { transport } of peers) transport.gone()
    expect(closed).toHaveLength(4)
    expect(peers.every(({ ws }) => webSocketSendString(ws, 'nobody hears it') < 0)).toBe(true)
    made.clock.turn()
    made.clock.turn()
    expect(closed).toEqual([0, 1, 2, 3, 4, 5])
    expect(await Promise.all(peers.map(({ result }) => result))).toEqual(peers.map(() => -1006))
    expect(made.context.connections.size).toBe(0)
  })
})
