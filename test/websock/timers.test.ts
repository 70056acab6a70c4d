import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/engine/memory.ts'
import { webSocketSendClose } from '../../lib/websock/close.ts'
import {
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_BINARY,
  WS_MSG_PING,
  WS_STATE_OPEN,
} from '../../lib/websock/constants.ts'
import { webSocketSetPingPeriod } from '../../lib/websock/handle.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketFlush, webSocketSendBlock, webSocketSendString } from '../../lib/websock/send.ts'
import { TICK, Wheel } from '../../lib/websock/wheel.ts'
import { bench, deferred, running } from '../support/memory.ts'

describe('inactivity', () => {
  it('websocket-run trap 40: traffic keeps the connection open, silence ends it with 1001 after 300 to 500 ms', async () => {
    const { transport, clock, journal, result } = running(undefined, { timeout: 300 })
    for (let i = 0; i < 10; i++) {
      clock.advance(100)
      transport.message('x')
    }
    expect(journal.kinds.filter((kind) => kind === WS_EVENT_MESSAGE).length).toBe(10)
    clock.advance(299)
    expect(transport.closed).toBeNull()
    clock.advance(201)
    expect(transport.closed).toEqual({ status: 1001, reason: '' })
    expect(journal.events.at(-2)).toMatchObject({ event: WS_EVENT_ERROR, buf: 'Timeout waiting for WebSocket data' })
    expect(journal.kinds.at(-1)).toBe(WS_EVENT_CLOSE)
    expect(await result).toBe(-1006)
  })

  it('is never early, whatever the phase of the clock', () => {
    for (let phase = 0; phase < TICK; phase += 7) {
      const { transport, clock } = running(undefined, { timeout: 300 })
      clock.advance(phase)
      transport.message('x')
      clock.advance(300)
      expect(transport.closed).toBeNull()
      clock.advance(200)
      expect(transport.closed).not.toBeNull()
    }
  })

  it.each([0, Infinity])('websocket-run trap 41, 44: timeout %s sets no timer', (timeout) => {
    const { transport, clock, ws } = running(undefined, { timeout })
    expect(ws.context.wheel.size).toBe(0)
    expect(clock.timers).toBe(0)
    clock.advance(3_600_000)
    expect(transport.closed).toBeNull()
  })

  it('a timeout that is left out is the default of the host', () => {
    const made = bench({ timeout: 100 })
    const { ws, transport } = made.connect()
    void webSocketRun(ws, () => {})
    made.clock.advance(300)
    expect(transport.closed).toEqual({ status: 1001, reason: '' })
  })

  it('completed sends count as traffic (D2), those that wait do not', () => {
    const { transport, clock, ws } = running(undefined, { timeout: 300 })
    for (let i = 0; i < 10; i++) {
      clock.advance(100)
      webSocketSendString(ws, 'x')
    }
    expect(transport.closed).toBeNull()
    transport.stalled = true
    for (let i = 0; i < 5; i++) {
      clock.advance(100)
      webSocketSendString(ws, 'x')
    }
    expect(transport.closed).toEqual({ status: 1001, reason: '' })
  })

  it('F14: a pending callback stops no timer, input that waits for it counts as traffic', async () => {
    const gate = deferred()
    const { transport, clock, result } = running((_ws, event) => (event === WS_EVENT_OPEN ? gate.promise : undefined), {
      timeout: 300,
    })
    transport.message('waiting')
    clock.advance(10_000)
    expect(transport.closed).toBeNull()
    gate.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(500)
    expect(transport.closed).toEqual({ status: 1001, reason: '' })
    expect(await result).toBe(-1006)
    const pending = running(() => new Promise(() => {}), { timeout: 300 })
    pending.clock.advance(500)
    expect(pending.transport.closed).toEqual({ status: 1001, reason: '' })
  })

  it('a stall of the process does not look like a silent peer: what has arrived is read first', () => {
    const { transport, clock, ws } = running(undefined, { timeout: 300 })
    // The wheel asks for a turn of the loop before it looks; the memory engine gives input in between.
    const defer = clock.defer.bind(clock)
    clock.defer = (fn) =>
      defer(() => {
        transport.message('was in the socket all along')
        fn()
      })
    clock.advance(5000)
    expect(transport.closed).toBeNull()
    expect(ws.state).toBe(WS_STATE_OPEN)
  })
})

describe('traffic of large sends', () => {
  it('a message that is split counts when its last frame has left (D2)', () => {
    const { transport, clock, ws } = running(undefined, { timeout: 300, maxFrame: 100 })
    for (let i = 0; i < 10; i++) {
      clock.advance(100)
      webSocketSendString(ws, 'x'.repeat(1000))
    }
    expect(transport.closed).toBeNull()
  })

  it('what leaves late counts when it has left', () => {
    const { transport, clock, ws } = running(undefined, { timeout: 300 })
    transport.stalled = true
    webSocketSendString(ws, 'x')
    void webSocketFlush(ws)
    clock.advance(250)
    transport.drain()
    clock.advance(250)
    expect(transport.closed).toBeNull()
    clock.advance(200)
    expect(transport.closed).not.toBeNull()
  })
})

describe('pings', () => {
  const pings = (transport: { sent: readonly { opcode: number }[] }): number =>
    transport.sent.filter(({ opcode }) => opcode === WS_MSG_PING).length

  it('websocket-run trap 42: a period of 100 ms is at least 8 pings a second, and pongs count as traffic', () => {
    const { transport, clock, ws } = running(undefined, { timeout: 300 })
    webSocketSetPingPeriod(ws, 100)
    for (let i = 0; i < 20; i++) {
      clock.advance(50)
      transport.input((receiver) => receiver.onActivity())
    }
    expect(pings(transport)).toBeGreaterThanOrEqual(8)
    expect(pings(transport)).toBeLessThanOrEqual(10)
    expect(transport.closed).toBeNull()
  })

  it('do not keep a dead peer alive: nobody answers them', () => {
    const { transport, clock, ws } = running(undefined, { timeout: 300 })
    webSocketSetPingPeriod(ws, 100)
    clock.advance(600)
    expect(pings(transport)).toBeGreaterThan(1)
    expect(transport.closed).toEqual({ status: 1001, reason: '' })
  })

  it('start with the default of the host, change at once, and stop', () => {
    const made = bench({ pingPeriod: 1000 })
    const { ws, transport } = made.connect()
    void webSocketRun(ws, () => {})
    made.clock.advance(5100)
    expect(pings(transport)).toBe(5)
    webSocketSetPingPeriod(ws, 100)
    made.clock.advance(1050)
    expect(pings(transport)).toBe(15)
    webSocketSetPingPeriod(ws, Infinity)
    made.clock.advance(10_000)
    expect(pings(transport)).toBe(15)
    expect(made.clock.timers).toBe(0)
    webSocketSetPingPeriod(ws, -1)
    expect(ws.errorMessage).toMatch(/ping period/)
  })

  it('go out over any backlog where maxBackpressure is none', () => {
    const { transport, clock, ws } = running(undefined, { maxBackpressure: 0 })
    webSocketSetPingPeriod(ws, 100)
    transport.stalled = true
    webSocketSendString(ws, 'x')
    clock.advance(1000)
    expect(pings(transport)).toBeGreaterThan(5)
  })

  it('a period that was set before run keeps its time', () => {
    const { ws, transport, clock } = (() => {
      const made = bench()
      return { ...made.connect(), clock: made.clock }
    })()
    webSocketSetPingPeriod(ws, 100)
    clock.advance(80)
    void webSocketRun(ws, () => {})
    clock.advance(75)
    expect(pings(transport)).toBe(1)
  })

  it('do not pile up behind a backlog', () => {
    const { transport, clock, ws } = running(undefined, { maxBackpressure: 10 })
    webSocketSetPingPeriod(ws, 100)
    transport.stalled = true
    webSocketSendString(ws, 'x'.repeat(100))
    clock.advance(1000)
    expect(pings(transport)).toBe(0)
    transport.drain()
    clock.advance(1000)
    expect(pings(transport)).toBeGreaterThan(5)
  })
})

describe('Wheel', () => {
  it('calls nobody early, nobody later than two ticks, and everybody once', () => {
    const clock = new ManualClock()
    const due: [number, number][] = []
    const wheel = new Wheel<{ dueTick: number; at: number }>(clock, (timed) => due.push([timed.at, clock.now()]))
    const entries = Array.from({ length: 1000 }, (_, i) => ({ dueTick: 0, at: (i * 37) % 5000 }))
    for (const entry of entries) wheel.set(entry, entry.at)
    clock.advance(6000)
    expect(due.length).toBe(1000)
    for (const [at, when] of due) {
      expect(when).toBeGreaterThanOrEqual(at)
      expect(when).toBeLessThanOrEqual(at + 2 * TICK)
    }
    expect(wheel.size).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('a new deadline takes the place of the old, also inside a call; clear forgets it', () => {
    const clock = new ManualClock()
    const due: string[] = []
    const wheel: Wheel<{ dueTick: number; name: string }> = new Wheel(clock, (timed) => {
      due.push(timed.name)
      if (timed.name === 'a') {
        wheel.set(b, clock.now() + 1000)
        wheel.clear(c)
      }
    })
    const a = { dueTick: 0, name: 'a' }
    const b = { dueTick: 0, name: 'b' }
    const c = { dueTick: 0, name: 'c' }
    wheel.set(a, 100)
    wheel.set(b, 100)
    wheel.set(c, 200)
    clock.advance(900)
    expect(due).toEqual(['a'])
    clock.advance(1000)
    expect(due).toEqual(['a', 'b'])
  })

  it('websocket-run trap 76: 1,000 connections that close in one tick leave no timer behind', async () => {
    const made = bench({ timeout: 1000, pingPeriod: 500 })
    let closes = 0
    const all = Array.from({ length: 1000 }, () => made.connect())
    const results = all.map(({ ws }) =>
      webSocketRun(ws, (_ws, event) => void (closes += Number(event === WS_EVENT_CLOSE))),
    )
    expect(made.context.connections.size).toBe(1000)
    // Half of them say goodbye first, and are given time to let go of TCP.
    for (const [i, { transport }] of all.entries()) {
      if (i % 2 === 0) transport.input((receiver) => receiver.onClose(1000, ''))
      transport.gone()
    }
    expect(await Promise.all(results)).toEqual(all.map((_, i) => (i % 2 === 0 ? 0 : -1006)))
    expect(closes).toBe(1000)
    expect(made.context.connections.size).toBe(0)
    made.clock.advance(100)
    expect(made.context.wheel.size).toBe(0)
    expect(made.clock.timers).toBe(0)
  })

  it('a peer that keeps TCP open after both Closes is dropped after 5 s', () => {
    const { transport, clock } = running()
    transport.input((receiver) => receiver.onClose(1000, ''))
    expect(transport.ended).toBe(true)
    clock.advance(4900)
    expect(transport.aborted).toBe(false)
    clock.advance(200)
    expect(transport.aborted).toBe(true)
  })

  it.each([
    [
      'the answer to its Close',
      (made: ReturnType<typeof running>) => made.transport.input((to) => to.onClose(1000, '')),
    ],
    ['our Close', ({ ws }: ReturnType<typeof running>) => webSocketSendClose(ws)],
  ])('a peer that still reads what was sent before %s has 5 s more each time', (_what, close) => {
    const made = running()
    const { ws, transport, clock } = made
    transport.stalled = true
    webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(100_000))
    close(made)
    // Some KB each time, and the rest.
    for (const bytes of [5120, 50_000, 44_880]) {
      clock.advance(4800)
      transport.take(bytes)
      expect(transport.aborted).toBe(false)
      clock.advance(260)
      expect(transport.aborted).toBe(false)
    }
    clock.advance(5000)
    expect(transport.aborted).toBe(true)
  })

  it('one that reads a little now and then is dropped', () => {
    const { ws, transport, clock } = running()
    transport.stalled = true
    webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(100_000))
    webSocketSendClose(ws)
    clock.advance(4900)
    transport.take(5119)
    clock.advance(200)
    expect(transport.aborted).toBe(true)
  })

  it('two ticks without a turn of the loop are one look', () => {
    const clock = new ManualClock()
    const wheel = new Wheel<{ dueTick: number }>(clock, () => {})
    let looks = 0
    clock.defer = () => void looks++
    wheel.set({ dueTick: 0 }, 1000)
    clock.advance(500)
    expect(looks).toBe(1)
  })

  it('after a Close only the deadline for its answer is left', () => {
    const { ws, clock, context } = running(undefined, { timeout: 100 })
    webSocketSendClose(ws)
    clock.advance(4000)
    expect(context.wheel.size).toBe(1)
    expect(ws.ended).toBe(false)
  })
})
