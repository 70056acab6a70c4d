import { describe, expect, it } from 'vitest'
import type { ReconnectOptions } from '../../../include-types/client.ts'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../../include-types/websock.ts'
import { Loop } from '../../../lib/websock/client/loop.ts'
import { webSocketFree, webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_STATE,
  R_ERR_CANT_CONNECT,
  R_ERR_TIMEOUT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_PING,
  WS_STATE_CONNECTING,
} from '../../../lib/websock/constants.ts'
import { webSocketGetClientKey, webSocketGetProtocol } from '../../../lib/websock/handle.ts'
import { webSocketSend, webSocketSendBlock, webSocketSendString } from '../../../lib/websock/send.ts'
import { deferred } from '../../support/memory.ts'
import { accepts, clientBench, NOTHING_LEFT, perHandle, refuses } from '../../support/memory-client.ts'

describe('one connection after the other', () => {
  it('dials at once, and 5000 ms after each end, not earlier', async () => {
    const { port, start, pass } = clientBench(accepts)
    start()
    await pass(0)
    expect(port.times).toEqual([0])
    await pass(100)
    port.last.lose()
    await pass(4999)
    expect(port.times).toEqual([0])
    await pass(1)
    expect(port.times).toEqual([0, 5100])
  })

  it('waits from the end of a failed dial on, too', async () => {
    const { port, start, pass } = clientBench()
    start({ reconnectInterval: 300 })
    await pass(1000)
    port.last.refuse()
    await pass(299)
    expect(port.dials.length).toBe(1)
    await pass(1)
    expect(port.times).toEqual([0, 1300])
  })

  it('gives each attempt a handle of its own, with OPEN … CLOSE or ERROR, CLOSE', async () => {
    const { port, start, pass } = clientBench(accepts)
    const { events, loop } = start({ reconnectInterval: 100 })
    await pass(0)
    port.last.transport?.message('one')
    port.last.close()
    port.answer = refuses
    await pass(100)
    port.answer = accepts
    await pass(100)
    port.last.lose('fin')
    await pass(0)
    expect(perHandle(events)).toEqual([
      [WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE],
      [WS_EVENT_ERROR, WS_EVENT_CLOSE],
      [WS_EVENT_OPEN, WS_EVENT_ERROR, WS_EVENT_CLOSE],
    ])
    expect(loop.attempts).toBe(3)
  })

  it('a failed attempt has a handle that is CONNECTING and sends nothing', async () => {
    const sends: number[] = []
    const { start, pass } = clientBench(refuses)
    const { events } = start({}, (_event, ws) => {
      sends.push(webSocketSend(ws, 'x'), webSocketSendString(ws, 'x'), webSocketSendBlock(ws, WS_MSG_PING, ''))
      sends.push(webSocketSendClose(ws))
      webSocketFree(ws)
    })
    await pass(0)
    expect(events.map(({ state }) => state)).toEqual([WS_STATE_CONNECTING, WS_STATE_CONNECTING])
    expect(events[0]?.buf).toBe('refused')
    const refused = [R_ERR_BAD_STATE, R_ERR_BAD_STATE, R_ERR_BAD_STATE, 0]
    expect(sends).toEqual([...refused, ...refused])
  })

  it('loop.ws is the open connection, and null while there is none or it closes', async () => {
    const seen: (boolean | null)[] = []
    const { port, start, pass } = clientBench()
    const { loop, events } = start({ reconnectInterval: 100 }, (_event, ws) => void seen.push(loop.ws === ws))
    expect(loop.ws).toBeNull()
    await pass(0)
    expect(loop.ws).toBeNull()
    port.last.accept()
    await pass(0)
    expect(loop.ws).toBe(events[0]?.ws)
    expect(webSocketSendString(loop.ws, 'x')).toBe(1)
    webSocketSendClose(loop.ws)
    expect(loop.ws).toBeNull()
    port.last.close()
    await pass(0)
    expect(loop.ws).toBeNull()
    expect(webSocketSendString(events[0]?.ws ?? null, 'x')).toBe(R_ERR_BAD_STATE)
    await pass(100)
    port.last.accept()
    await pass(0)
    expect(loop.ws).toBe(events[2]?.ws)
    expect(seen).toEqual([true, false, true])
    expect(loop.ws).not.toBe(events[0]?.ws)
  })

  it('counts attempts when they begin', async () => {
    const { start, pass, port } = clientBench()
    const { loop } = start({ reconnectInterval: 100, headers: () => new Promise(() => {}) })
    await pass(0)
    expect(loop.attempts).toBe(1)
    expect(port.dials.length).toBe(0)
  })

  it('a dial without an answer is given up after 10 s, or handshakeTimeout, and the wait follows', async () => {
    for (const [options, limit] of [
      [{}, 10_000],
      [{ handshakeTimeout: 400 }, 400],
    ] as const) {
      const { port, start, pass } = clientBench()
      const { events } = start({ ...options, reconnectInterval: 100 })
      await pass(limit - 1)
      expect(port.last.aborted).toBe(false)
      await pass(1)
      expect(port.last.aborted).toBe(true)
      expect(events.map(({ event }) => event)).toEqual([WS_EVENT_ERROR, WS_EVENT_CLOSE])
      expect(events[0]?.ws.error).toBe(-R_ERR_TIMEOUT)
      await pass(100)
      expect(port.times).toEqual([0, limit + 100])
    }
  })

  it('a dial that succeeds at the moment in which it is given up is dropped', async () => {
    const { port, start, pass } = clientBench()
    port.deaf = true
    const { events, loop } = start({ handshakeTimeout: 400, reconnectInterval: 100 })
    await pass(400)
    const transport = port.last.accept()
    await pass(0)
    expect(transport.aborted).toBe(true)
    expect(perHandle(events)).toEqual([[WS_EVENT_ERROR, WS_EVENT_CLOSE]])
    expect(loop.ws).toBeNull()
    await pass(100)
    expect(port.dials.length).toBe(2)
  })

  it('one that succeeds in time is not given up later', async () => {
    const { port, start, pass } = clientBench(accepts)
    const { loop } = start({ handshakeTimeout: 400, pingPeriod: 0 })
    await pass(0)
    await pass(3_600_000)
    expect(loop.ws).not.toBeNull()
    expect(port.last.transport?.ended).toBe(false)
  })

  it('passes limits and mode on to each connection', async () => {
    const { port, start, pass } = clientBench(accepts)
    const { events } = start({ partial: true, maxFrame: 4, maxMessage: 10 })
    await pass(0)
    port.last.transport?.message('123456')
    expect(events.map(({ buf }) => buf)).toEqual([null, '1234', '56'])
    port.last.transport?.message('12345678901')
    expect(port.last.transport?.closed?.status).toBe(1009)
  })

  it('each handle has the sub-protocol and key of its own handshake', async () => {
    const { port, start, pass } = clientBench()
    const { loop } = start({ reconnectInterval: 100, protocols: ['chat'] })
    port.last.accept('chat')
    await pass(0)
    expect([webSocketGetProtocol(loop.ws), webSocketGetClientKey(loop.ws)]).toEqual(['chat', 'key 0'])
    port.last.lose()
    await pass(100)
    port.last.accept()
    await pass(0)
    expect([webSocketGetProtocol(loop.ws), webSocketGetClientKey(loop.ws)]).toEqual([null, 'key 100'])
  })

  it('passes arg to each call, and the options are the parent of each handle', async () => {
    const { port, context, pass } = clientBench(accepts)
    const arg = { mine: true }
    const seen: unknown[] = []
    const note = (ws: WebSocket, event: WebSocketEvent, _buf: WebSocketData, _len: number, given: unknown): void => {
      expect(ws.parent).toMatchObject({ reconnectInterval: 100, origin: 'here' })
      expect(ws.client).toBe(true)
      seen.push(event, given === arg)
    }
    const loop = new Loop({ port, context }, 'ws://server/', note, arg, { reconnectInterval: 100, origin: 'here' })
    await pass(0)
    port.last.close()
    port.answer = refuses
    await pass(100)
    expect(seen).toEqual([WS_EVENT_OPEN, true, WS_EVENT_CLOSE, true, WS_EVENT_ERROR, true, WS_EVENT_CLOSE, true])
    loop.stop()
  })
})

describe('what a callback does', () => {
  const fail = (): never => {
    throw new Error('mine')
  }

  it.each([
    ['OPEN', WS_EVENT_OPEN],
    ['MESSAGE', WS_EVENT_MESSAGE],
    ['CLOSE', WS_EVENT_CLOSE],
  ])('the loop goes on when %s throws', async (_name, bad) => {
    const { port, start, pass, failures } = clientBench(accepts)
    const { events, loop } = start({ reconnectInterval: 100 }, (event) => (event === bad ? fail() : undefined))
    for (let round = 1; round <= 3; round++) {
      await pass(round === 1 ? 0 : 100)
      expect(loop.attempts).toBe(round)
      if (bad === WS_EVENT_OPEN) expect(port.last.transport?.closed?.status).toBe(1011)
      port.last.transport?.message('x')
      port.last.close()
    }
    await pass(0)
    expect(failures.length).toBe(3)
    expect(events.filter(({ event }) => event === WS_EVENT_CLOSE).length).toBe(3)
  })

  it('the loop goes on when ERROR of a failed attempt throws or rejects, and CLOSE follows', async () => {
    for (const bad of [fail, () => Promise.reject(new Error('mine'))]) {
      const { start, pass, failures } = clientBench(refuses)
      const { events } = start({ reconnectInterval: 100 }, (event) => (event === WS_EVENT_ERROR ? bad() : undefined))
      await pass(0)
      await pass(100)
      expect(failures.length).toBe(2)
      expect(perHandle(events)).toEqual([
        [WS_EVENT_ERROR, WS_EVENT_CLOSE],
        [WS_EVENT_ERROR, WS_EVENT_CLOSE],
      ])
    }
  })

  it('an async CLOSE is waited for: neither the next attempt nor the wait for it begins before', async () => {
    const gate = deferred()
    const { port, start, pass } = clientBench(accepts)
    start({ reconnectInterval: 100 }, (event) => (event === WS_EVENT_CLOSE ? gate.promise : undefined))
    await pass(0)
    port.last.lose()
    await pass(1000)
    expect(port.dials.length).toBe(1)
    gate.resolve()
    await pass(0)
    await pass(99)
    expect(port.dials.length).toBe(1)
    await pass(1)
    expect(port.dials.length).toBe(2)
  })

  it('its own Close is an end like others', async () => {
    const { port, start, pass } = clientBench(accepts)
    start({ reconnectInterval: 100 }, (event, ws) => {
      if (event === WS_EVENT_OPEN) webSocketSendClose(ws, 4000, 'enough')
    })
    await pass(0)
    expect(port.last.transport?.closed).toEqual({ status: 4000, reason: 'enough' })
    port.last.close(4000)
    await pass(0)
    await pass(100)
    expect(port.dials.length).toBe(2)
  })

  it('webSocketFree is an end like others', async () => {
    const { port, start, pass } = clientBench(accepts)
    const { loop } = start({ reconnectInterval: 100 })
    await pass(0)
    webSocketFree(loop.ws)
    await pass(0)
    expect(loop.ws).toBeNull()
    await pass(100)
    expect(port.dials.length).toBe(2)
  })
})

describe('silence is noticed', () => {
  const pings = (sent: readonly { opcode: number }[] = []): number =>
    sent.filter(({ opcode }) => opcode === WS_MSG_PING).length

  /** Milliseconds until the loop has noticed, to a tick of the wheel. */
  async function noticed(options: ReconnectOptions, whileSilent: (ms: number) => void = () => {}): Promise<number> {
    const { port, start, pass, clock } = clientBench(accepts)
    const { events } = start(options)
    await pass(0)
    while (events.length === 1 && clock.now() < 600_000) {
      await pass(50)
      whileSilent(clock.now())
    }
    expect(events[1]?.event).toBe(WS_EVENT_ERROR)
    expect(port.last.transport?.closed).toEqual({ status: 1001, reason: '' })
    return events[1]?.at ?? Infinity
  }

  it.each<[string, ReconnectOptions, number]>([
    ['75 s without options', {}, 75_000],
    ['2.5 periods of pings', { pingPeriod: 1000 }, 2500],
    ['the timeout', { timeout: 1000 }, 1000],
    ['the timeout, whatever the period', { pingPeriod: 200, timeout: 1000 }, 1000],
    ['a long timeout', { timeout: 200_000 }, 200_000],
    ['a timeout that is no multiple of a period', { timeout: 1001 }, 1001],
    ['2.5 odd periods', { pingPeriod: 333 }, 832],
  ])('after %s', async (_name, options, ms) => {
    const at = await noticed(options)
    expect(at).toBeGreaterThanOrEqual(ms)
    expect(at).toBeLessThanOrEqual(ms + 200)
  })

  it.each<[string, ReconnectOptions, number]>([
    ['each 30 s', {}, 20],
    ['each 30 s where the timeout is long', { timeout: 600_000 }, 20],
    ['as often as is asked for', { pingPeriod: 10_000 }, 60],
    ['2.5 times in a timeout', { timeout: 10_000 }, 150],
    ['each 30 s also without a timeout', { timeout: 0 }, 20],
    ['each 30 s also with an infinite one', { timeout: Infinity }, 20],
    ['never with 0', { pingPeriod: 0 }, 0],
    ['never with Infinity', { pingPeriod: Infinity }, 0],
  ])('pings are sent %s, and a peer that answers keeps the connection', async (_name, options, count) => {
    const { port, start, pass } = clientBench(accepts)
    const { loop } = start(options)
    await pass(0)
    const { transport } = port.last
    let answered = 0
    for (let ms = 0; ms < 600_000; ms += 1000) {
      await pass(1000)
      if (pings(transport?.sent) === answered) continue
      answered = pings(transport?.sent)
      transport?.input((receiver) => receiver.onActivity())
    }
    expect(Math.abs(answered - count)).toBeLessThanOrEqual(1)
    expect(loop.ws).not.toBeNull()
  })

  it('also by a client that goes on sending: a send says nothing about the peer', async () => {
    const { port, start, pass, clock } = clientBench(accepts)
    const { loop, events } = start()
    await pass(0)
    while (events.length === 1 && clock.now() < 600_000) {
      await pass(5000)
      webSocketSendString(loop.ws, 'heartbeat')
    }
    expect(events[1]?.at ?? Infinity).toBeLessThanOrEqual(100_000)
    expect(port.dials.length).toBe(1)
  })
})

describe('url', () => {
  it('a function is asked before each attempt', async () => {
    const { port, start, pass } = clientBench(refuses)
    let n = 0
    start({ reconnectInterval: 100 }, undefined, () => `ws://server/${++n}`)
    for (let i = 0; i < 2; i++) await pass(100)
    expect(port.dials.map(({ options }) => options.url.pathname)).toEqual(['/1', '/2', '/3'])
  })

  it('one that throws, or gives no URL, fails the attempt, not the loop', async () => {
    const { port, start, pass } = clientBench(accepts)
    let n = 0
    const { events, loop } = start({ reconnectInterval: 100 }, undefined, () => {
      if (++n === 1) throw new Error('not yet')
      return n === 2 ? 'nothing' : new URL('ws://server/')
    })
    for (let i = 0; i < 2; i++) await pass(100)
    expect(port.dials.length).toBe(1)
    expect(events[0]).toMatchObject({ event: WS_EVENT_ERROR, buf: 'not yet' })
    expect(events.map(({ ws }) => ws.error)).toEqual([6, 6, 6, 6, 0])
    expect(loop.ws).not.toBeNull()
  })

  it('an async one is waited for, so that a token in it is fresh', async () => {
    const { port, start, pass } = clientBench(refuses)
    let n = 0
    start({ reconnectInterval: 100 }, undefined, () => Promise.resolve(`ws://server/?token=${++n}`))
    for (let i = 0; i < 2; i++) await pass(100)
    expect(port.dials.map(({ options }) => options.url.search)).toEqual(['?token=1', '?token=2', '?token=3'])
  })

  it('an async one that rejects, or takes too long, fails the attempt, not the loop', async () => {
    const { port, start, pass } = clientBench(accepts)
    let n = 0
    const { events } = start({ reconnectInterval: 100, handshakeTimeout: 50 }, undefined, () => {
      if (++n === 1) return Promise.reject(new Error('not yet'))
      return n === 2 ? new Promise<string>(() => {}) : Promise.resolve('ws://server/')
    })
    for (let i = 0; i < 6; i++) await pass(50)
    expect(port.dials.length).toBe(1)
    expect(events.map(({ ws }) => ws.error)).toEqual([6, 6, 38, 38, 0])
  })

  it('a loop that is stopped while it waits for one connects to nothing', async () => {
    const { port, start, pass, leftovers } = clientBench(accepts)
    const { loop, result } = start({}, undefined, () => new Promise<string>(() => {}))
    await pass(10)
    loop.stop()
    await pass(100)
    expect(port.dials.length).toBe(0)
    expect(result()).toBe(0)
    expect(leftovers()).toEqual(NOTHING_LEFT)
  })

  it('one that is none ends the loop', async () => {
    const { port, start, pass, leftovers } = clientBench(accepts)
    const { events, result } = start({}, undefined, 'nothing')
    await pass(0)
    expect(perHandle(events)).toEqual([[WS_EVENT_ERROR, WS_EVENT_CLOSE]])
    expect(result()).toBe(R_ERR_BAD_ARGS)
    await pass(100_000)
    expect(port.dials.length).toBe(0)
    expect(leftovers()).toEqual(NOTHING_LEFT)
  })
})

describe('shouldReconnect', () => {
  type Asked = [status: number, reason: string | null, httpStatus: number]

  /** What it is asked with when an attempt ends in a way. */
  async function asked(end: (bench: ReturnType<typeof clientBench>) => void): Promise<Asked[]> {
    const made = clientBench()
    const calls: Asked[] = []
    made.start({
      handshakeTimeout: 300,
      shouldReconnect: (...args) => {
        calls.push(args)
        return true
      },
    })
    await made.pass(0)
    end(made)
    await made.pass(400)
    return calls
  }

  it.each<[string, Parameters<typeof asked>[0], Asked]>([
    ['no connection', ({ port }) => port.last.refuse(), [1006, null, 0]],
    ['a refused handshake', ({ port }) => port.last.refuse(503), [1006, null, 503]],
    ['no answer in time', () => {}, [1006, null, 0]],
  ])('is asked after %s', async (_name, end, expected) => {
    expect(await asked(end)).toEqual([expected])
  })

  it.each<[string, (dial: ReturnType<typeof clientBench>['port']['last']) => void, Asked]>([
    ["the peer's Close", (dial) => dial.close(4001, 'later'), [4001, 'later', 0]],
    ['a Close without status', (dial) => dial.close(1005), [1005, null, 0]],
    ['a reset', (dial) => dial.lose(), [1006, null, 0]],
    ['the end of TCP', (dial) => dial.lose('fin'), [1006, null, 0]],
  ])('is asked after %s', async (_name, end, expected) => {
    const made = clientBench(accepts)
    const calls: Asked[] = []
    made.start({ shouldReconnect: (...args) => calls.push(args) > 0 })
    await made.pass(0)
    end(made.port.last)
    await made.pass(0)
    expect(calls).toEqual([expected])
  })

  it('false ends the loop, and done is the result of the end', async () => {
    for (const [end, code] of [
      ['close', 0],
      ['lose', -1006],
      ['refuse', R_ERR_CANT_CONNECT],
    ] as const) {
      const { port, start, pass, leftovers } = clientBench()
      const { loop, result } = start({ shouldReconnect: () => false })
      if (end !== 'refuse') port.last.accept()
      await pass(0)
      port.last[end]()
      await pass(0)
      expect(result()).toBe(code)
      loop.stop()
      await pass(100_000)
      expect(loop.attempts).toBe(1)
      expect(result()).toBe(code)
      expect(leftovers()).toEqual(NOTHING_LEFT)
    }
  })

  it('is asked after CLOSE was handled, once for each end', async () => {
    const order: string[] = []
    const gate = deferred()
    const { port, start, pass } = clientBench(accepts)
    const options: ReconnectOptions = {
      reconnectInterval: 100,
      shouldReconnect: () => order.push('asked') > 0,
    }
    start(options, async (event) => {
      if (event !== WS_EVENT_CLOSE) return
      await gate.promise
      order.push('closed')
    })
    await pass(0)
    port.last.lose()
    await pass(0)
    expect(order).toEqual([])
    gate.resolve()
    await pass(0)
    await pass(100)
    expect(order).toEqual(['closed', 'asked'])
  })

  it('what it throws is not false: a line in the log, and the loop goes on', async () => {
    for (const error of [new Error('mine'), 'mine']) {
      const { start, pass, warnings, port } = clientBench(refuses)
      start({
        reconnectInterval: 100,
        shouldReconnect: () => {
          throw error
        },
      })
      await pass(0)
      await pass(100)
      expect(port.dials.length).toBe(2)
      expect(warnings[0]).toBe('shouldReconnect failed: mine')
    }
  })

  it('may call stop: no attempt follows, whatever it returns, and done is 0', async () => {
    for (const answer of [true, false]) {
      const { start, pass, leftovers } = clientBench(refuses)
      const { loop, result } = start({
        shouldReconnect: () => {
          loop.stop()
          return answer
        },
      })
      await pass(0)
      expect(result()).toBe(0)
      await pass(100_000)
      expect(loop.attempts).toBe(1)
      expect(leftovers()).toEqual(NOTHING_LEFT)
    }
  })

  it('is not asked after stop', async () => {
    let calls = 0
    const { port, start, pass } = clientBench(accepts)
    const { loop } = start({ shouldReconnect: () => ++calls > 0 })
    await pass(0)
    loop.stop()
    port.last.close()
    await pass(0)
    expect(calls).toBe(0)
  })
})
