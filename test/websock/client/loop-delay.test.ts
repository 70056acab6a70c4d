import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ReconnectOptions } from '../../../include-types/client.ts'
import { WS_EVENT_CLOSE, WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { accepts, type ClientBench, clientBench, type Driven, refuses } from '../../support/memory-client.ts'
import { deferred } from '../../support/memory.ts'

/** The waits of a loop between the dials of whichever way attempts end. */

afterEach(() => vi.restoreAllMocks())

const GROWING: ReconnectOptions = { reconnectInterval: { min: 100, max: 1000, factor: 2 } }

/** Waits for the next dial, a millisecond at a time, and says how long that was. */
async function wait({ pass, clock, port }: ClientBench, most = 60_000): Promise<number> {
  const { length } = port.dials
  await pass(0)
  const start = clock.now()
  while (port.dials.length === length) {
    if (clock.now() - start > most) throw new Error('no dial')
    await pass(1)
  }
  return clock.now() - start
}

describe('waits grow with attempts that fail', () => {
  it('exactly, without jitter', async () => {
    const made = clientBench(refuses)
    made.start(GROWING)
    const waits = []
    for (let i = 0; i < 6; i++) waits.push(await wait(made))
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(made.port.gaps).toEqual(waits)
  })

  it('and with connections that do not last', async () => {
    const made = clientBench(accepts)
    made.start(GROWING)
    const waits = []
    for (let i = 0; i < 4; i++) {
      await made.pass(5000)
      made.port.last.close()
      waits.push(await wait(made))
    }
    expect(waits).toEqual([100, 200, 400, 800])
  })

  it('with jitter: between min and the next step, as the random number has it', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const made = clientBench(refuses)
    made.start({ reconnectInterval: { min: 100, max: 1000, factor: 2, jitter: 'full' } })
    const waits = []
    for (let i = 0; i < 5; i++) waits.push(await wait(made))
    expect(waits).toEqual([150, 250, 450, 550, 550])
  })
})

describe('waits begin again after a connection that has lasted', () => {
  /** The wait after three failures and a connection that was there for `ms`. */
  async function after(
    ms: number,
    options: ReconnectOptions,
    lost: (bench: ClientBench, driven: Driven) => Promise<void> | void = ({ port }) => port.last.lose(),
  ): Promise<number> {
    const made = clientBench(refuses)
    const driven = made.start({ ...GROWING, ...options })
    for (let i = 0; i < 2; i++) await wait(made)
    made.port.answer = accepts
    await wait(made)
    await made.pass(ms)
    await lost(made, driven)
    return wait(made)
  }

  it.each<[number, ReconnectOptions, number]>([
    [9999, {}, 800],
    [10_000, {}, 100],
    [60_000, {}, 100],
    [499, { stableAfter: 500 }, 800],
    [500, { stableAfter: 500 }, 100],
    [60_000, { stableAfter: Infinity }, 800],
    [0, { stableAfter: 0 }, 100],
  ])('%s ms with %o: %s ms', async (ms, options, expected) => {
    expect(await after(ms, options)).toBe(expected)
  })

  it('the time of a slow CLOSE is not time that the connection was there', async () => {
    const gate = deferred()
    const made = clientBench(refuses)
    made.start({ ...GROWING, stableAfter: 500 }, (event, ws) =>
      event === WS_EVENT_CLOSE && ws.error === 1006 ? gate.promise : undefined,
    )
    for (let i = 0; i < 2; i++) await wait(made)
    made.port.answer = accepts
    await wait(made)
    await made.pass(10)
    made.port.last.lose()
    await made.pass(5000)
    gate.resolve()
    expect(await wait(made)).toBe(800)
  })

  it('nor is that of a message which is still handled when the connection has gone', async () => {
    const gate = deferred()
    const made = clientBench(accepts)
    made.start({ ...GROWING, stableAfter: 500 }, (event) => (event === WS_EVENT_MESSAGE ? gate.promise : undefined))
    await made.pass(0)
    made.port.last.lose()
    await wait(made)
    made.port.last.transport?.message('x')
    made.port.last.lose()
    await made.pass(5000)
    gate.resolve()
    expect(await wait(made)).toBe(200)
  })

  it('a failed attempt has not lasted, also where stableAfter is 0', async () => {
    const made = clientBench(refuses)
    made.start({ ...GROWING, stableAfter: 0 })
    expect([await wait(made), await wait(made), await wait(made)]).toEqual([100, 200, 400])
  })

  it('the time of a dial does not count', async () => {
    const made = clientBench()
    made.start({ ...GROWING, stableAfter: 500 })
    made.port.last.refuse()
    await wait(made)
    await made.pass(5000)
    made.port.last.accept()
    await made.pass(10)
    made.port.last.lose()
    expect(await wait(made)).toBe(200)
  })

  it('the time that OPEN takes does', async () => {
    const gate = deferred()
    const made = clientBench(refuses)
    made.start({ ...GROWING, stableAfter: 500 }, (event) => (event === WS_EVENT_OPEN ? gate.promise : undefined))
    for (let i = 0; i < 2; i++) await wait(made)
    made.port.answer = accepts
    await wait(made)
    await made.pass(600)
    gate.resolve()
    await made.pass(0)
    made.port.last.lose()
    expect(await wait(made)).toBe(100)
  })
})

describe('a server that does not know who asks', () => {
  it.each([401, 403])('%s: the longest wait, each time', async (status) => {
    const made = clientBench((dial) => dial.refuse(status))
    made.start(GROWING)
    expect([await wait(made), await wait(made), await wait(made)]).toEqual([1000, 1000, 1000])
  })

  it.each([400, 402, 404, 407, 429, 500, 503])('%s: like any other failure', async (status) => {
    const made = clientBench((dial) => dial.refuse(status))
    made.start(GROWING)
    expect([await wait(made), await wait(made), await wait(made)]).toEqual([100, 200, 400])
  })

  it('a Close with such a status is no refusal', async () => {
    const made = clientBench(accepts)
    made.start(GROWING)
    await made.pass(0)
    made.port.last.close(4401)
    expect(await wait(made)).toBe(100)
  })

  it('with jitter: in the upper half', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const made = clientBench((dial) => dial.refuse(401))
    made.start({ reconnectInterval: { min: 100, max: 1000, jitter: 'full' } })
    expect(await wait(made)).toBe(550)
  })
})
