import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Crowd } from '../../lib/web/crowd.ts'

/** A crowd is made for each, and has room for many. */
const RUNS = { numRuns: 30 }

/** A crowd whose time stands still, but for what a test says; in seconds. */
function crowded() {
  const time = { now: 1000 }
  const crowd = new Crowd(() => time.now * 1000)
  /** How many requests of an address are taken in a row. */
  const burst = (address: string, rate: number): number => {
    let count = 0
    while (count < 10_000 && crowd.take(address, rate) === 0) count++
    return count
  }
  return { time, crowd, burst }
}

const A = '192.0.2.1'
const B = '192.0.2.2'

describe('the rate of requests', () => {
  it.each([
    [1, 10],
    [5, 50],
    [100, 1000],
    [0.5, 5],
    [0.1, 1],
    [0.01, 1],
  ])('of %d a second: %d at once', (rate, most) => {
    const { burst } = crowded()
    expect(burst(A, rate)).toBe(most)
  })

  it('comes back evenly, up to ten seconds of it', () => {
    const { time, burst } = crowded()
    expect(burst(A, 5)).toBe(50)
    time.now += 0.125
    expect(burst(A, 5)).toBe(0)
    time.now += 0.125
    expect(burst(A, 5)).toBe(1)
    time.now += 2
    expect(burst(A, 5)).toBe(10)
    time.now += 9
    expect(burst(A, 5)).toBe(45)
    time.now += 3600
    expect(burst(A, 5)).toBe(50)
  })

  it('a refused request costs nothing', () => {
    const { time, crowd, burst } = crowded()
    burst(A, 1)
    for (let i = 0; i < 100; i++) expect(crowd.take(A, 1)).toBe(1)
    time.now += 1
    expect(crowd.take(A, 1)).toBe(0)
  })

  it('is that of each address, of IPv6 of each /64', () => {
    const { burst } = crowded()
    expect([burst(A, 1), burst(B, 1), burst(A, 1)]).toEqual([10, 10, 0])
    expect([burst('2001:db8::1', 1), burst('2001:db8:0:0:9::1', 1), burst('2001:db8:0:1::1', 1)]).toEqual([10, 0, 10])
  })

  it('may change: what there is to come is never more than ten seconds of it', () => {
    const { time, crowd, burst } = crowded()
    expect(crowd.take(A, 100)).toBe(0)
    expect(burst(A, 2)).toBe(20)
    expect(burst(A, 100)).toBe(0)
    time.now += 0.5
    expect(burst(A, 100)).toBe(50)
  })

  it.each([
    [1, 1],
    [3, 1],
    [1000, 1],
    [0.5, 2],
    [0.3, 4],
    [0.1, 10],
    [1 / 60, 60],
  ])('of %d a second: the next is told to wait for %d', (rate, seconds) => {
    const { time, crowd, burst } = crowded()
    burst(A, rate)
    expect(crowd.take(A, rate)).toBe(seconds)
    time.now += seconds - 1
    expect(crowd.take(A, rate)).toBeGreaterThan(0)
    time.now += 1
    expect(crowd.take(A, rate)).toBe(0)
  })

  it('the wait that was told is true, whatever came before: then a request is taken, and not a second earlier', () => {
    const rates = fc.constantFrom(1, 2, 3, 7, 10, 0.5, 0.25, 0.125)
    const waits = fc.array(fc.nat(3000), { maxLength: 30 })
    fc.assert(
      fc.property(rates, waits, (rate, pauses) => {
        const { time, crowd, burst } = crowded()
        burst(A, rate)
        for (const ms of pauses) {
          time.now += ms / 1000
          crowd.take(A, rate)
        }
        burst(A, rate)
        const seconds = crowd.take(A, rate)
        expect(Number.isInteger(seconds) && seconds >= 1).toBe(true)
        // A part of a second less, for the clock has its own rounding.
        time.now += seconds - 1.001
        if (seconds > 1) expect(crowd.take(A, rate)).toBeGreaterThan(0)
        time.now += 1.002
        expect(crowd.take(A, rate)).toBe(0)
      }),
      RUNS,
    )
  })

  it('is kept for 65,536 addresses, the latest', () => {
    const { crowd, burst } = crowded()
    const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    burst(A, 1)
    burst(B, 1)
    for (let i = 0; i < 65_534; i++) crowd.take(address(i), 1)
    expect(crowd.take(A, 1)).toBe(1)
    expect(crowd.take(B, 1)).toBe(1)
    for (let i = 65_534; i < 100_000; i++) crowd.take(address(i), 1)
    // A and B were seen in between.
    expect([burst(A, 1), burst(B, 1)]).toEqual([0, 0])
    expect([burst(address(99_999), 1), burst(address(0), 1)]).toEqual([9, 10])
    // Those three were the latest, and the oldest of the rest have gone.
    for (let i = 100_000; i < 165_536; i++) crowd.take(address(i), 1)
    expect([burst(A, 1), burst(B, 1)]).toEqual([10, 10])
  })
})

describe('connections of an address', () => {
  it('are counted as they come and go, of IPv6 for each /64', () => {
    const { crowd } = crowded()
    expect(crowd.connections(A)).toBe(0)
    crowd.enter(A)
    crowd.enter(A)
    crowd.enter('2001:db8::1')
    crowd.enter('2001:db8:0:0:1::')
    expect([A, B, '2001:db8::ffff', '2001:db8:0:1::'].map((one) => crowd.connections(one))).toEqual([2, 0, 2, 0])
    crowd.leave(A)
    crowd.leave('2001:db8::77')
    expect([A, '2001:db8::1'].map((one) => crowd.connections(one))).toEqual([1, 1])
    crowd.leave(A)
    expect(crowd.connections(A)).toBe(0)
  })

  it('are never fewer than none', () => {
    const { crowd } = crowded()
    crowd.leave(A)
    expect(crowd.connections(A)).toBe(0)
    crowd.enter(A)
    expect(crowd.connections(A)).toBe(1)
    crowd.leave(A)
    crowd.leave(A)
    crowd.enter(A)
    expect(crowd.connections(A)).toBe(1)
  })

  it('have nothing to do with requests', () => {
    const { crowd, burst } = crowded()
    crowd.enter(A)
    expect(burst(A, 1)).toBe(10)
    expect(crowd.connections(A)).toBe(1)
    expect(crowd.take(B, 1)).toBe(0)
    expect(crowd.connections(B)).toBe(0)
  })

  it('add up, in whatever order they come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(A, B, '2001:db8::1', '::1'), fc.boolean())), (steps) => {
        const { crowd } = crowded()
        const counts = new Map<string, number>()
        for (const [address, enters] of steps) {
          const before = counts.get(address) ?? 0
          counts.set(address, enters ? before + 1 : Math.max(0, before - 1))
          if (enters) crowd.enter(address)
          else crowd.leave(address)
          expect(crowd.connections(address)).toBe(counts.get(address))
        }
        for (const [address, count] of counts) expect(crowd.connections(address)).toBe(count)
      }),
      RUNS,
    )
  })
})
