import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/engine/memory.ts'
import { Gate } from '../../lib/onebot/rate.ts'

/** All that follows from what has happened. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

/** A gate, and which calls are through, by their numbers. */
function gate(frequency: number, bucket: number) {
  const clock = new ManualClock()
  const inner = new Gate(clock, () => ({ frequency, bucket }))
  const through: number[] = []
  let count = 0
  const enter = (): boolean => {
    const n = ++count
    const wait = inner.enter()
    if (wait === null) through.push(n)
    else void wait.then(() => through.push(n))
    return wait === null
  }
  const pass = async (ms: number): Promise<readonly number[]> => {
    for (let i = 0; i < ms; i += 10) {
      clock.advance(Math.min(10, ms - i))
      await settle()
    }
    return through
  }
  return { clock, enter, pass, through }
}

describe('the rate of calls', () => {
  it('lets as many through at once as there are in the bucket', () => {
    const { enter } = gate(1, 3)
    expect([enter(), enter(), enter(), enter()]).toEqual([true, true, true, false])
  })

  it('has the others wait, each its time', async () => {
    const { enter, pass, through } = gate(2, 1)
    for (let i = 0; i < 4; i++) enter()
    await settle()
    expect(through).toEqual([1])
    expect(await pass(490)).toEqual([1])
    expect(await pass(20)).toEqual([1, 2])
    expect(await pass(480)).toEqual([1, 2])
    expect(await pass(20)).toEqual([1, 2, 3])
    expect(await pass(500)).toEqual([1, 2, 3, 4])
  })

  it('keeps their order: nobody passes who comes later', async () => {
    const { enter, pass, through } = gate(10, 1)
    enter()
    expect(enter()).toBe(false)
    await pass(90)
    expect(enter()).toBe(false)
    await pass(1000)
    expect(through).toEqual([1, 2, 3])
  })

  it('is filled again while nobody calls, and no more than full', async () => {
    const { enter, pass } = gate(1, 2)
    expect([enter(), enter()]).toEqual([true, true])
    await pass(1000)
    expect([enter(), enter()]).toEqual([true, false])
    await pass(60_000)
    expect([enter(), enter(), enter()]).toEqual([true, true, false])
  })

  it('takes no more than its rate in the long run', async () => {
    const { enter, pass, through } = gate(5, 2)
    for (let i = 0; i < 100; i++) enter()
    await pass(10_000)
    expect(through.length).toBeGreaterThanOrEqual(51)
    expect(through.length).toBeLessThanOrEqual(52)
    expect(through).toEqual(through.toSorted((a, b) => a - b))
  })

  it('may be less than one a second', async () => {
    const { enter, pass } = gate(0.1, 1)
    enter()
    enter()
    expect(await pass(9990)).toEqual([1])
    expect(await pass(20)).toEqual([1, 2])
  })

  it('has one timer however many wait', async () => {
    const { clock, enter } = gate(1, 1)
    for (let i = 0; i < 1000; i++) enter()
    await settle()
    expect(clock.timers).toBe(1)
  })
})
