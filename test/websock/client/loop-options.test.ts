import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ReconnectOptions, UrlHeaders } from '../../../include-types/client.ts'
import { webSocketClientLoop } from '../../../lib/standalone.ts'
import { Loop } from '../../../lib/websock/client/loop.ts'
import { R_ERR_BAD_ARGS, WS_EVENT_CLOSE, WS_EVENT_ERROR, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { deferred } from '../../support/memory.ts'
import { accepts, clientBench, NOTHING_LEFT, perHandle, refuses } from '../../support/memory-client.ts'

const SOON = { reconnectInterval: 100 } as const
const FAILED = [WS_EVENT_ERROR, WS_EVENT_CLOSE]

describe('headers from a function', () => {
  it.each<[string, (n: number) => UrlHeaders | Promise<UrlHeaders>]>([
    ['an object', (n) => ({ Authorization: `Bearer ${n}` })],
    ['lines', (n) => `X-Other: 1\r\nAuthorization: Bearer ${n}`],
    ['a promise', (n) => Promise.resolve({ Authorization: `Bearer ${n}` })],
  ])('that gives %s: asked once for each attempt, before it', async (_name, headers) => {
    let n = 0
    const { port, start, pass } = clientBench(refuses)
    start({ ...SOON, headers: () => headers(++n) })
    for (let i = 0; i < 2; i++) await pass(100)
    expect(port.dials.map((dial) => dial.header('Authorization'))).toEqual(['Bearer 1', 'Bearer 2', 'Bearer 3'])
    expect(n).toBe(3)
  })

  it('not asked while a connection is there, or during the wait', async () => {
    let n = 0
    const { port, start, pass } = clientBench(accepts)
    start({ ...SOON, headers: () => ({ 'X-N': String(++n) }) })
    await pass(10_000)
    expect(n).toBe(1)
    port.last.lose()
    await pass(99)
    expect(n).toBe(1)
    await pass(1)
    expect(n).toBe(2)
  })

  it.each<[string, () => never | Promise<UrlHeaders>]>([
    [
      'throws',
      () => {
        throw new Error('no token')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no token'))],
    [
      'throws a text',
      () => {
        // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error
        throw 'no token'
      },
    ],
  ])('one that %s fails the attempt, and the loop goes on', async (_name, bad) => {
    const { port, start, pass } = clientBench(accepts)
    let n = 0
    const { events, result } = start({ ...SOON, headers: () => (++n < 3 ? bad() : {}) })
    await pass(0)
    expect(events[0]).toMatchObject({ event: WS_EVENT_ERROR, buf: 'no token' })
    expect(events[0]?.ws.error).toBe(-R_ERR_BAD_ARGS)
    for (let i = 0; i < 2; i++) await pass(100)
    expect(perHandle(events)).toEqual([FAILED, FAILED, [WS_EVENT_OPEN]])
    expect(port.dials.length).toBe(1)
    expect(result()).toBeNull()
  })

  it.each<[string, unknown]>([
    ['no prototype', Object.create(null)],
    [
      'a text that throws',
      {
        toString() {
          throw new Error('mine')
        },
      },
    ],
    ['a message that is no text', Object.assign(new Error('x'), { message: 42 })],
  ])('what it throws may have %s: the loop goes on, and done does not reject', async (_name, thrown) => {
    const { port, start, pass } = clientBench(accepts)
    let n = 0
    const { result } = start({ ...SOON, headers: () => (++n === 1 ? Promise.reject(thrown) : {}) })
    await pass(0)
    await pass(100)
    expect(result()).toBeNull()
    expect(port.dials.length).toBe(1)
  })

  it('one that gives what cannot be sent fails the attempt', async () => {
    const { port, start, pass } = clientBench(accepts)
    let n = 0
    const { events } = start({ ...SOON, headers: () => ({ 'X-A': ++n === 1 ? 'a\r\nX-B: b' : 'a' }) })
    await pass(0)
    expect(perHandle(events)).toEqual([FAILED])
    await pass(100)
    expect(port.last.header('X-A')).toBe('a')
  })

  it('one that takes its time keeps the attempt, and no other begins', async () => {
    const { port, start, pass } = clientBench(accepts)
    const gate = deferred<UrlHeaders>()
    const { loop, events } = start({ ...SOON, headers: () => gate.promise })
    await pass(9999)
    expect([loop.attempts, port.dials.length, events.length]).toEqual([1, 0, 0])
    gate.resolve({ 'X-Late': 'yes' })
    await pass(0)
    expect(port.last.header('X-Late')).toBe('yes')
    expect(perHandle(events)).toEqual([[WS_EVENT_OPEN]])
  })

  it.each([
    [10_000, {}],
    [300, { handshakeTimeout: 300 }],
  ])('one that never settles fails the attempt after %d ms', async (ms, options) => {
    const { port, start, pass } = clientBench(accepts)
    let asked = 0
    const { loop, events } = start({
      ...SOON,
      ...options,
      headers: () => (++asked === 1 ? new Promise<UrlHeaders>(() => {}) : {}),
    })
    await pass(ms - 1)
    expect(events).toEqual([])
    await pass(1)
    expect(perHandle(events)).toEqual([[WS_EVENT_ERROR, WS_EVENT_CLOSE]])
    await pass(60_000)
    expect([loop.attempts, port.dials.length]).toEqual([2, 1])
  })

  it('may use the loop that it belongs to, as may the callback', async () => {
    const { start, pass } = clientBench(accepts)
    const seen: number[] = []
    const driven = start({
      ...SOON,
      headers: () => {
        seen.push(driven.loop.attempts)
        return {}
      },
    })
    await pass(0)
    expect(seen).toEqual([1])
    expect(perHandle(driven.events)).toEqual([[WS_EVENT_OPEN]])
  })

  it('are the same each time where they are none', async () => {
    const { port, start, pass } = clientBench(refuses)
    start({ ...SOON, headers: { 'X-A': 'a' } })
    for (let i = 0; i < 2; i++) await pass(100)
    expect(port.dials.map((dial) => dial.header('X-A'))).toEqual(['a', 'a', 'a'])
  })
})

describe('options are read anew for each attempt', () => {
  it('those of TLS: a certificate may have been renewed', async () => {
    const { port, start, pass } = clientBench(refuses)
    const certificates = ['old', 'old', 'new', 'newer']
    let current = 'old'
    const options: ReconnectOptions = {
      ...SOON,
      tls: {
        get cert() {
          return current
        },
      },
    }
    start(options)
    for (current of certificates.slice(1)) await pass(100)
    expect(port.dials.map(({ options: { tls } }) => tls['cert'])).toEqual(certificates)
  })

  it('also where the whole of them is a getter', async () => {
    const { port, start, pass } = clientBench(refuses)
    let current = 'old'
    start({
      ...SOON,
      get tls() {
        return { cert: current }
      },
    })
    await pass(0)
    current = 'new'
    await pass(100)
    expect(port.dials.map(({ options: { tls } }) => tls['cert'])).toEqual(['old', 'new'])
  })

  it.each<[string, (read: () => string) => ReconnectOptions]>([
    [
      'one',
      (read) => ({
        get tls() {
          return { cert: read() }
        },
      }),
    ],
    [
      'one inside',
      (read) => ({
        tls: {
          get cert() {
            return read()
          },
        },
      }),
    ],
  ])('%s that cannot be read fails its attempt, and the loop goes on', async (_name, options) => {
    const { port, start, pass } = clientBench(accepts)
    let readable = true
    const given = options(() => {
      if (!readable) throw new Error('being renewed')
      return 'certificate'
    })
    const { events } = start(Object.defineProperties({ ...SOON }, Object.getOwnPropertyDescriptors(given)))
    await pass(0)
    port.last.lose()
    readable = false
    await pass(100)
    expect(events.at(-2)).toMatchObject({ event: WS_EVENT_ERROR, buf: 'being renewed' })
    readable = true
    await pass(100)
    expect(port.dials.length).toBe(2)
  })
})

describe('what is wrong from the start ends the loop with ERROR, CLOSE and -6', () => {
  const unknownJitter = { min: 10, max: 100 }
  Object.assign(unknownJitter, { jitter: 'x' })

  it.each<[string, ReconnectOptions]>([
    ['an interval of 0', { reconnectInterval: 0 }],
    ['a negative interval', { reconnectInterval: -1 }],
    ['NaN', { reconnectInterval: NaN }],
    ['Infinity', { reconnectInterval: Infinity }],
    ['an interval that no timer can wait', { reconnectInterval: 2 ** 31 }],
    ['min above max', { reconnectInterval: { min: 2, max: 1 } }],
    ['a factor below 1', { reconnectInterval: { min: 1, max: 2, factor: 0.5 } }],
    ['an unknown jitter', { reconnectInterval: unknownJitter }],
    ['a header that breaks its line', { headers: { 'X-A': 'a\nb' } }],
    ['a header of the handshake', { headers: 'Upgrade: x' }],
    ['a sub-protocol that is no token', { protocols: 'a b' }],
    ['a negative timeout', { timeout: -1 }],
    ['a negative ping period', { pingPeriod: -1 }],
    ['a timeout that is no number', { timeout: NaN }],
    ['a stableAfter that is no number', { stableAfter: NaN }],
  ])('%s', async (_name, options) => {
    const { port, start, pass, leftovers } = clientBench(accepts)
    const { events, loop, result } = start(options)
    await pass(0)
    expect(perHandle(events)).toEqual([FAILED])
    expect(result()).toBe(R_ERR_BAD_ARGS)
    expect(events[0]?.ws.error).toBe(-R_ERR_BAD_ARGS)
    expect(typeof events[0]?.buf).toBe('string')
    await pass(100_000)
    expect([loop.attempts, port.dials.length]).toEqual([0, 0])
    expect(leftovers()).toEqual(NOTHING_LEFT)
  })

  it('also where the URL comes from a function', async () => {
    const { start, pass } = clientBench(accepts)
    const { result } = start({ ...SOON, protocols: 'a b' }, undefined, () => 'ws://server/')
    await pass(0)
    expect(result()).toBe(R_ERR_BAD_ARGS)
  })

  it('done waits for the CLOSE of that, too', async () => {
    const gate = deferred()
    const { start, pass } = clientBench()
    const { result } = start({ reconnectInterval: 0 }, (event) => (event === WS_EVENT_CLOSE ? gate.promise : undefined))
    await pass(1000)
    expect(result()).toBeNull()
    gate.resolve()
    await pass(0)
    expect(result()).toBe(R_ERR_BAD_ARGS)
  })

  it('the callback may use the loop that it belongs to', async () => {
    const { start, pass, failures } = clientBench()
    const driven = start({ reconnectInterval: 0 }, () => driven.loop.stop())
    await pass(0)
    expect(failures).toEqual([])
    expect(driven.result()).toBe(R_ERR_BAD_ARGS)
  })

  it('a callback that is none', async () => {
    for (const callback of [null, undefined, 'text']) {
      const loop: unknown = Reflect.apply(webSocketClientLoop, undefined, ['ws://127.0.0.1:1/', callback])
      if (!(loop instanceof Loop)) throw new Error('no loop')
      const first = await Promise.race([loop.done, turn()])
      loop.stop()
      expect(first).toBe(R_ERR_BAD_ARGS)
    }
  })
})

describe('unref', () => {
  it.each([
    [{}, true],
    [{ unref: false }, true],
    [{ unref: true }, false],
  ])('%o: the wait keeps the process: %s', async (options, kept) => {
    const { start, pass, clock } = clientBench(refuses)
    const refs: [ms: number, ref: boolean][] = []
    const after = clock.after.bind(clock)
    clock.after = (ms, fn, ...rest: boolean[]) => {
      refs.push([ms, rest[0] === true])
      return after(ms, fn)
    }
    start({ ...SOON, ...options })
    await pass(0)
    expect(refs.filter(([ms]) => ms === 100)).toEqual([[100, kept]])
  })
})
