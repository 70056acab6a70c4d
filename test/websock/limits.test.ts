import { describe, expect, it } from 'vitest'
import { setDefaults } from '../../lib/websock/context.ts'
import { webSocketSetLimits, webSocketSetPingPeriod } from '../../lib/websock/handle.ts'
import { LOOK } from '../../lib/websock/pressure.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { bench, deferred, running } from '../support/memory.ts'

describe('what waits in the whole host', () => {
  it('is looked at again when something waits after a time without', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 1000
    const { ws, transport } = made.connect()
    void webSocketRun(ws, () => {})
    transport.stalled = true
    webSocketSendString(ws, 'x'.repeat(10))
    transport.drain()
    transport.stalled = true
    made.clock.advance(2 * LOOK)
    expect(made.clock.timers).toBe(0)
    // A look comes at once for much, not for the little that is too much then.
    webSocketSendString(ws, 'x'.repeat(990))
    made.clock.turn()
    expect(ws.ended).toBe(false)
    webSocketSendString(ws, 'x'.repeat(20))
    made.clock.advance(LOOK)
    expect(ws.ending?.cause.reason).toBe('evicted')
  })

  it('is also what waits for callbacks', async () => {
    const pending = deferred()
    const { context, transport } = running(() => pending.promise)
    transport.message('x'.repeat(100))
    transport.message('x'.repeat(50))
    // Beside them each event takes some.
    expect(context.pressure.bytes).toBeGreaterThanOrEqual(150)
    pending.resolve()
    while (context.pressure.bytes > 0) await Promise.resolve()
  })
})

describe('limits of one connection', () => {
  it('that were set one after the other all stay when those of its route change', () => {
    const { context, ws } = running()
    webSocketSetLimits(ws, 50, 100)
    webSocketSetPingPeriod(ws, 200)
    setDefaults(context, { ...context.defaults, maxFrame: 1000, maxMessage: 1000, pingPeriod: 2000, maxQueue: 3000 })
    expect(ws.limits).toMatchObject({ maxFrame: 50, maxMessage: 100, pingPeriod: 200, maxQueue: 3000 })
  })

  it.each([
    ['longer than the time of silence', 1500],
    ['as long', 1000],
  ])('a ping period that is %s: what is sent counts as traffic', (_what, pingPeriod) => {
    const { clock, ws } = running(() => undefined, { timeout: 1000, pingPeriod })
    for (let i = 0; i < 20; i++) {
      webSocketSendString(ws, 'news')
      clock.advance(400)
    }
    expect(ws.ended).toBe(false)
    clock.advance(3000)
    expect(ws.ending?.cause.initiator).toBe('timeout')
  })
})
