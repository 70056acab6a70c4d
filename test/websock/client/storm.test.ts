import { getEventListeners, setMaxListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ReconnectOptions } from '../../../include-types/client.ts'
import {
  accepts,
  type ClientBench,
  clientBench,
  type Driven,
  NOTHING_LEFT,
  refuses,
  seeded,
} from '../../support/memory-client.ts'

/**
 * A thousand clients lose the same server in one moment. The random numbers are the same each time, so that bounds can
 * be close and do not fail by chance.
 */

const CLIENTS = 1000
const BIN = 100
const FULL: ReconnectOptions = {
  reconnectInterval: { min: 1000, max: 30_000, factor: 2, jitter: 'full' },
  pingPeriod: 0,
}

beforeEach(() => void vi.spyOn(Math, 'random').mockImplementation(seeded(0x5702)))
afterEach(() => vi.restoreAllMocks())

interface Crowd {
  made: ClientBench
  loops: Driven[]
  signal: AbortSignal
  /** Stops all of them, and looks at what is left. */
  end: () => Promise<void>
  /** Lets a time pass in steps shorter than a bin. */
  during: (ms: number) => Promise<void>
  /** Dials since the loss. */
  dials: (from?: number) => number[]
}

/** All connected, then all lost in one moment, half of them by FIN. */
async function crowd(options: ReconnectOptions = FULL): Promise<Crowd> {
  const controller = new AbortController()
  const { signal } = controller
  // Node warns from the eleventh listener of a signal on.
  setMaxListeners(0, signal)
  const made = clientBench(accepts)
  const { port, clock, pass } = made
  const loops = Array.from({ length: CLIENTS }, (_, i) =>
    made.start({ ...options, signal }, undefined, `ws://server/${i}`),
  )
  await pass(20_000)
  expect(loops.every(({ loop }) => loop.ws !== null)).toBe(true)
  const lostAt = clock.now()
  for (const [i, dial] of port.dials.entries()) dial.lose(i % 2 === 0 ? 'rst' : 'fin')
  await pass(BIN / 2)
  expect(loops.every(({ loop }) => loop.ws === null)).toBe(true)
  // One timer for each that waits, and none for anything else: the wheel has let go of its own.
  expect(made.leftovers()).toEqual({ ...NOTHING_LEFT, timers: CLIENTS })
  return {
    made,
    loops,
    signal,
    async end() {
      controller.abort()
      for (const dial of port.dials) dial.close()
      await pass(100)
      expect(loops.every(({ result }) => result() === 0)).toBe(true)
      expect(made.leftovers()).toEqual(NOTHING_LEFT)
      expect(port.underWay).toBe(0)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    },
    async during(ms) {
      for (const end = clock.now() + ms; clock.now() < end;) await pass(BIN / 2)
    },
    dials: (from = lostAt + 1) => port.times.filter((at) => at >= from),
  }
}

/** Dials in each tenth of a second, from the first to the last of them. */
function histogram(times: readonly number[]): { bins: number[]; mean: number; most: number } {
  const first = Math.floor(Math.min(...times) / BIN)
  const last = Math.floor(Math.max(...times) / BIN)
  const bins = Array.from({ length: last - first + 1 }, () => 0)
  for (const time of times) bins[Math.floor(time / BIN) - first]! += 1
  return { bins, mean: times.length / bins.length, most: Math.max(...bins) }
}

describe('a thousand clients after a common loss', () => {
  it('come back spread over a second: no 100 ms have more than three times the mean', async () => {
    const { during, dials, loops, end } = await crowd()
    await during(2100)
    const { bins, mean, most } = histogram(dials())
    expect(dials().length).toBe(CLIENTS)
    expect(bins.length).toBeGreaterThanOrEqual(10)
    expect(most).toBeLessThanOrEqual(3 * mean)
    expect(loops.every(({ loop }) => loop.ws !== null)).toBe(true)
    await end()
  })

  it('are no storm when they have to come back again and again', async () => {
    const { made, during, dials, end } = await crowd()
    for (let round = 0; round < 3; round++) {
      await during(2100)
      const from = made.clock.now()
      await made.pass(15_000)
      for (const dial of made.port.dials) dial.lose()
      await during(2100)
      const { mean, most } = histogram(dials(from))
      expect(most).toBeLessThanOrEqual(3 * mean)
    }
    await end()
  })

  /**
   * Over the whole of an outage "three times the mean" says nothing: the first second has a dial of everybody, the last
   * ten have a few stragglers, and the mean is of both. What a server has to bear is a number of clients in a tenth of a
   * second: a tenth of them in the first second (its mean; half as much again for chance), and from the second step on,
   * which is at least three times as wide, no more than half of that. When it is back, every tenth brings some hundredth
   * of them: 2 % is the bound, and the last is there after the longest wait.
   */
  it('are no storm for a server that is away for 20 s, nor when it is back', async () => {
    const { made, loops, during, dials, end } = await crowd()
    made.port.answer = refuses
    await during(20_000)
    const back = made.clock.now()
    made.port.answer = accepts
    await during(30_100)
    const { bins } = histogram(dials())
    expect(Math.max(...bins.slice(0, 10))).toBeLessThanOrEqual((CLIENTS / 10) * 1.5)
    expect(Math.max(...bins.slice(11))).toBeLessThanOrEqual((CLIENTS / 10) * 0.75)
    const returning = histogram(dials(back + 1))
    expect(returning.most).toBeLessThanOrEqual(CLIENTS * 0.02)
    expect(dials(back + 1).length).toBe(CLIENTS)
    expect(loops.every(({ loop }) => loop.ws !== null)).toBe(true)
    expect(dials().length / CLIENTS).toBeLessThan(6)
    const latest = new Map<string, number>()
    for (const { at, options } of made.port.dials) {
      const client = options.url.pathname
      expect(at - (latest.get(client) ?? -Infinity)).toBeGreaterThanOrEqual(1000)
      latest.set(client, at)
    }
    await end()
  })

  it('are spread over half the longest wait when their token is refused', async () => {
    const { made, during, dials, end } = await crowd()
    made.port.answer = (dial) => dial.refuse(401)
    await during(2100)
    const from = made.clock.now()
    made.port.answer = accepts
    await during(31_000)
    const { bins, mean } = histogram(dials(from))
    expect(dials(from).length).toBe(CLIENTS)
    expect(bins.length).toBeGreaterThan(145)
    // A bin has 6.5 on average: chance alone takes single ones to three times that, so it is whole seconds here.
    for (let i = 0; i + 10 <= bins.length; i += 10) {
      const second = bins.slice(i, i + 10).reduce((sum, count) => sum + count, 0)
      expect(second).toBeLessThanOrEqual(3 * mean * 10)
    }
    await end()
  })
})

it('no listener stays behind with an attempt, on any signal', async () => {
  const added = vi.spyOn(EventTarget.prototype, 'addEventListener')
  const removed = vi.spyOn(EventTarget.prototype, 'removeEventListener')
  const { start, pass, port } = clientBench(refuses)
  const { loop } = start({ reconnectInterval: 100, headers: () => ({}) })
  for (let i = 0; i < 30; i++) {
    port.answer = i % 2 === 0 ? accepts : refuses
    await pass(100)
    port.dials.at(-1)?.lose()
  }
  await pass(0)
  expect(loop.attempts).toBeGreaterThan(28)
  const left = new Map<unknown, number>()
  for (const target of added.mock.contexts) left.set(target, (left.get(target) ?? 0) + 1)
  for (const target of removed.mock.contexts) left.set(target, (left.get(target) ?? 0) - 1)
  expect(left.size).toBeGreaterThan(28)
  // That of the wait, and on the signal of each dial the one by which this port hears of it.
  expect(Math.max(...left.values())).toBe(1)
  loop.stop()
})
