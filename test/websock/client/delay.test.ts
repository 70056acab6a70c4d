import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReconnectDelay } from '../../../include-types/client.ts'
import { Delays } from '../../../lib/websock/client/delay.ts'

const waits = (delays: Delays, count: number): number[] => Array.from({ length: count }, () => delays.next(false))

const FULL: ReconnectDelay = { min: 1000, max: 30_000, factor: 2, jitter: 'full' }

/** First, second, … wait of many clients. */
const draws = (interval: ReconnectDelay, nth: number, count = 4000): number[] =>
  Array.from({ length: count }, () => waits(new Delays(interval), nth)[nth - 1]!)

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('a fixed wait', () => {
  it('is 5000 ms unless something else is asked for, however often it is waited', () => {
    expect(waits(new Delays(), 4)).toEqual([5000, 5000, 5000, 5000])
    expect(waits(new Delays(700), 4)).toEqual([700, 700, 700, 700])
  })

  it('is the longest one too', () => {
    expect(new Delays(700).next(true)).toBe(700)
  })
})

describe('a growing wait', () => {
  it('begins at min, is multiplied by factor, and stops at max', () => {
    const delays = new Delays({ min: 100, max: 5000, factor: 3, jitter: 'none' })
    expect(waits(delays, 6)).toEqual([100, 300, 900, 2700, 5000, 5000])
  })

  it('doubles, without jitter, unless something else is asked for', () => {
    expect(waits(new Delays({ min: 100, max: 1000 }), 5)).toEqual([100, 200, 400, 800, 1000])
  })

  it('does not grow with factor 1, and may grow by a fraction', () => {
    expect(waits(new Delays({ min: 100, max: 1000, factor: 1 }), 3)).toEqual([100, 100, 100])
    expect(waits(new Delays({ min: 100, max: 1000, factor: 1.5 }), 3)).toEqual([100, 150, 225])
  })

  it('stays at max when the power has no number any more', () => {
    const delays = new Delays({ min: 100, max: 1000, factor: 1e300 })
    expect(waits(delays, 2000).at(-1)).toBe(1000)
  })

  it('begins again after a reset', () => {
    const delays = new Delays({ min: 100, max: 5000 })
    waits(delays, 4)
    delays.reset()
    expect(waits(delays, 3)).toEqual([100, 200, 400])
  })

  it('is max at once when the longest is asked for, which counts like any other', () => {
    const delays = new Delays({ min: 100, max: 5000 })
    expect(delays.next(true)).toBe(5000)
    expect(delays.next(true)).toBe(5000)
    expect(delays.next(false)).toBe(400)
  })
})

describe('a random wait', () => {
  it('is anything from min to the step after, evenly', () => {
    for (const [nth, high] of [
      [1, 2000],
      [2, 4000],
      [3, 8000],
      [5, 30_000],
      [9, 30_000],
    ] as const) {
      const values = draws(FULL, nth)
      const width = high - 1000
      expect(Math.min(...values)).toBeGreaterThanOrEqual(1000)
      expect(Math.max(...values)).toBeLessThanOrEqual(high)
      // Of 4000 draws a tenth has 400, with a deviation of 19.
      for (let tenth = 0; tenth < 10; tenth++) {
        const low = 1000 + (width * tenth) / 10
        const inside = values.filter((value) => value >= low && value < low + width / 10).length
        expect(inside).toBeGreaterThan(270)
        expect(inside).toBeLessThan(530)
      }
    }
  })

  it('is in the upper half when the longest is asked for, so that a mass of refused clients is spread too', () => {
    const values = Array.from({ length: 4000 }, () => new Delays(FULL).next(true))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(15_500)
    expect(Math.min(...values)).toBeLessThan(16_000)
    expect(Math.max(...values)).toBeLessThanOrEqual(30_000)
    expect(Math.max(...values)).toBeGreaterThan(29_500)
    expect(Math.abs(mean(values) - 22_750)).toBeLessThan(400)
  })

  it('begins again at the first step after a reset', () => {
    const values = Array.from({ length: 500 }, () => {
      const delays = new Delays(FULL)
      waits(delays, 5)
      delays.reset()
      return delays.next(false)
    })
    expect(Math.max(...values)).toBeLessThanOrEqual(2000)
  })
})

const numbers = { min: fc.integer({ min: 1, max: 100_000 }), more: fc.integer({ min: 0, max: 1_000_000 }) }

it('no wait is outside of min and max, whatever is asked in which order', () => {
  fc.assert(
    fc.property(
      numbers.min,
      numbers.more,
      fc.double({ min: 1, max: 10, noNaN: true }),
      fc.constantFrom<'none' | 'full'>('none', 'full'),
      fc.array(fc.constantFrom('next', 'longest', 'reset'), { maxLength: 40 }),
      (min, more, factor, jitter, calls) => {
        const max = min + more
        const delays = new Delays({ min, max, factor, jitter })
        for (const call of calls) {
          if (call === 'reset') {
            delays.reset()
            continue
          }
          const wait = delays.next(call === 'longest')
          expect(wait).toBeGreaterThanOrEqual(min)
          expect(wait).toBeLessThanOrEqual(max)
        }
      },
    ),
  )
})

describe('what is no delay is refused', () => {
  const LONGEST = 2 ** 31 - 1
  it.each([
    ['zero', 0],
    ['a negative number', -1],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['more than a timer can wait', LONGEST + 1],
    ['min 0', { min: 0, max: 10 }],
    ['a negative min', { min: -5, max: 10 }],
    ['min NaN', { min: NaN, max: 10 }],
    ['max NaN', { min: 10, max: NaN }],
    ['max Infinity', { min: 10, max: Infinity }],
    ['max beyond a timer', { min: 10, max: LONGEST + 1 }],
    ['min above max', { min: 11, max: 10 }],
    ['factor 0.5', { min: 10, max: 100, factor: 0.5 }],
    ['factor NaN', { min: 10, max: 100, factor: NaN }],
    ['factor Infinity', { min: 10, max: 100, factor: Infinity }],
  ])('%s', (_name, interval) => {
    expect(() => new Delays(interval)).toThrow(RangeError)
  })

  it('a jitter that does not exist', () => {
    const interval = { min: 10, max: 100 }
    Object.assign(interval, { jitter: 'x' })
    expect(() => new Delays(interval)).toThrow(RangeError)
  })

  it('but the longest that a timer can wait is one', () => {
    expect(new Delays(LONGEST).next(false)).toBe(LONGEST)
    expect(new Delays({ min: 10, max: 10, factor: 1 }).next(false)).toBe(10)
  })
})
