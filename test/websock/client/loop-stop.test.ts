import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { ClientLoop, ReconnectOptions, UrlHeaders } from '../../../include-types/client.ts'
import { webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_CANT_COMPLETE,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATE_CLOSED,
} from '../../../lib/websock/constants.ts'
import { webSocketSendString } from '../../../lib/websock/send.ts'
import { deferred } from '../../support/memory.ts'
import {
  accepts,
  type ClientBench,
  clientBench,
  type Driven,
  type LoopCallback,
  NOTHING_LEFT,
  perHandle,
  refuses,
} from '../../support/memory-client.ts'

/** Where a loop may be when it is stopped. */
interface Stage {
  name: string
  options?: ReconnectOptions
  /** The dial does not hear that it is given up. */
  deaf?: boolean
  callback?: (stop: () => void) => LoopCallback
  /** Brings the loop there, and stops it unless the callback does. */
  reach(bench: ClientBench, driven: Driven, stop: () => void): Promise<void>
  /** What the peer does then. */
  finish?(bench: ClientBench): void
  /** Events of each handle in the end. */
  events: number[][]
  /** The Close on the wire is that of stop. */
  closes?: boolean
}

const FAILED = [WS_EVENT_ERROR, WS_EVENT_CLOSE]
const ORDERLY = [WS_EVENT_OPEN, WS_EVENT_CLOSE]
const never = new Promise<UrlHeaders>(() => {})
const inside =
  (wanted: number) =>
  (stop: () => void): LoopCallback =>
  (event) =>
    void (event === wanted && stop())

const stages: Stage[] = [
  {
    name: 'before the first dial has an answer',
    async reach(_bench, _driven, stop) {
      stop()
    },
    events: [FAILED],
  },
  {
    name: 'while the headers function is pending',
    options: { headers: () => never },
    async reach({ pass }, _driven, stop) {
      await pass(100)
      stop()
    },
    events: [FAILED],
  },
  {
    name: 'while it dials',
    async reach({ pass, port }, _driven, stop) {
      await pass(100)
      stop()
      expect(port.last.aborted).toBe(true)
    },
    events: [FAILED],
  },
  {
    name: 'at the moment in which the dial succeeds',
    deaf: true,
    async reach({ pass, port }, _driven, stop) {
      await pass(0)
      stop()
      port.last.accept()
      await pass(0)
      expect(port.last.transport?.aborted).toBe(true)
    },
    events: [FAILED],
  },
  {
    name: 'in OPEN',
    callback: inside(WS_EVENT_OPEN),
    async reach({ pass, port }) {
      port.answer = accepts
      port.last.accept()
      await pass(0)
    },
    finish: ({ port }) => port.last.close(),
    events: [ORDERLY],
    closes: true,
  },
  {
    name: 'while it is open',
    async reach({ pass, port }, _driven, stop) {
      port.last.accept()
      await pass(1000)
      stop()
    },
    finish: ({ port }) => port.last.close(),
    events: [ORDERLY],
    closes: true,
  },
  {
    name: 'in MESSAGE',
    callback: inside(WS_EVENT_MESSAGE),
    async reach({ pass, port }) {
      port.last.accept()
      await pass(0)
      port.last.transport?.message('stop')
    },
    finish: ({ port }) => port.last.close(),
    events: [[WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE]],
    closes: true,
  },
  {
    name: 'while it is open, by a peer that does not answer',
    async reach({ pass, port }, _driven, stop) {
      port.last.accept()
      await pass(1000)
      stop()
      await pass(4900)
      expect(port.last.transport?.aborted).toBe(false)
      await pass(200)
      expect(port.last.transport?.aborted).toBe(true)
    },
    events: [ORDERLY],
    closes: true,
  },
  {
    name: 'while it closes',
    async reach({ pass, port }, { loop }, stop) {
      port.last.accept()
      await pass(1000)
      webSocketSendClose(loop.ws, 4000, 'mine')
      stop()
      expect(port.last.transport?.closed).toEqual({ status: 4000, reason: 'mine' })
    },
    finish: ({ port }) => port.last.close(),
    events: [ORDERLY],
  },
  {
    name: 'in CLOSE',
    callback: inside(WS_EVENT_CLOSE),
    async reach({ pass, port }) {
      port.last.accept()
      await pass(0)
      port.last.lose()
    },
    events: [[WS_EVENT_OPEN, WS_EVENT_ERROR, WS_EVENT_CLOSE]],
  },
  {
    name: 'in ERROR of a failed attempt',
    callback: inside(WS_EVENT_ERROR),
    async reach({ port }) {
      port.last.refuse()
    },
    events: [FAILED],
  },
  {
    name: 'during the wait',
    async reach({ pass, port }, _driven, stop) {
      port.last.refuse()
      await pass(100)
      stop()
    },
    events: [FAILED],
  },
  {
    name: 'at the end of the wait',
    async reach({ pass, port, clock }, _driven, stop) {
      port.last.refuse()
      await pass(0)
      clock.advance(5000)
      stop()
      await pass(0)
      expect(port.dials.length).toBe(1)
    },
    events: [FAILED],
  },
]

/** Plays a stage to its end, and looks at what is left. */
async function play(stage: Stage, how: (loop: ClientLoop) => void, options: ReconnectOptions = {}): Promise<number> {
  const made = clientBench()
  made.port.deaf = stage.deaf === true
  const stop = (): void => how(driven.loop)
  const driven = made.start({ ...stage.options, ...options }, stage.callback?.(stop))
  await stage.reach(made, driven, stop)
  stage.finish?.(made)
  await made.pass(0)
  expect(driven.result()).toBe(0)
  expect(perHandle(driven.events)).toEqual(stage.events)
  expect(driven.loop.ws).toBeNull()
  expect(driven.loop.attempts).toBe(1)
  // The wheel lets go of its timer at the next tick.
  await made.pass(60)
  expect(made.leftovers()).toEqual(NOTHING_LEFT)
  expect(made.port.underWay).toBe(0)
  await made.pass(100_000)
  expect(driven.loop.attempts).toBe(1)
  const closed = made.port.dials.at(-1)?.transport?.closed
  if (stage.closes === true) expect(closed).not.toBeNull()
  return closed?.status ?? 0
}

describe.each(stages)('stop $name', (stage) => {
  it('ends the loop with 0, and nothing is left', async () => {
    const status = await play(stage, (loop) => loop.stop())
    if (stage.closes === true) expect(status).toBe(1000)
  })

  it('twice is once', async () => {
    const status = await play(stage, (loop) => {
      loop.stop(4001, 'first')
      loop.stop(4002, 'second')
    })
    if (stage.closes === true) expect(status).toBe(4001)
  })

  it('with a code that may not be sent closes with 1000', async () => {
    const status = await play(stage, (loop) => loop.stop(1006, 'no'))
    if (stage.closes === true) expect(status).toBe(1000)
  })

  it('by the signal closes with 1001, as for a single connection; no listener is left', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const status = await play(stage, () => controller.abort(), { signal })
    expect(getEventListeners(signal, 'abort')).toEqual([])
    if (stage.closes === true) expect(status).toBe(1001)
  })
})

describe('stop', () => {
  it('sends its code and reason', async () => {
    const { port, start, pass } = clientBench(accepts)
    const { loop } = start()
    await pass(0)
    loop.stop(4321, 'going home')
    expect(port.last.transport?.closed).toEqual({ status: 4321, reason: 'going home' })
    expect(loop.ws).toBeNull()
  })

  it('a code that may not be sent takes its reason along', async () => {
    for (const code of [1005.5, 999, 1006, 5000, -1, NaN]) {
      const { port, start, pass } = clientBench(accepts)
      const { loop } = start()
      await pass(0)
      loop.stop(code, 'reason')
      expect(port.last.transport?.closed).toEqual({ status: 1000, reason: '' })
    }
  })

  it('between the answer to the dial and OPEN: the connection is closed with its code, done is 0', async () => {
    // Each turn of the microtasks after the answer is a moment of its own.
    const reached: string[] = []
    for (let turns = 0; turns < 12; turns++) {
      const { port, start, pass, leftovers } = clientBench()
      const seen: unknown[] = []
      const { loop, result, events } = start({}, (event) => void (event === WS_EVENT_OPEN && seen.push(loop.ws)))
      await pass(0)
      const transport = port.last.accept()
      for (let i = 0; i < turns; i++) await Promise.resolve()
      loop.stop(4001, 'now')
      loop.stop(4002, 'again')
      await pass(0)
      expect(loop.ws).toBeNull()
      expect(transport.aborted || transport.closed?.status === 4001).toBe(true)
      expect(webSocketSendString(events[0]?.ws ?? null, 'x')).toBeLessThan(0)
      port.last.close(4001)
      await pass(60)
      expect(result()).toBe(0)
      expect(events.at(-1)?.event).toBe(WS_EVENT_CLOSE)
      expect(leftovers()).toEqual(NOTHING_LEFT)
      // Where OPEN comes after stop, the connection is not one to send on any more.
      reached.push(seen.length === 0 ? 'dropped' : seen[0] === null ? 'closing' : 'open')
    }
    expect([...new Set(reached)]).toEqual(['dropped', 'closing', 'open'])
  })

  it('of an attempt is told as such, not as a timeout', async () => {
    const { start, pass } = clientBench()
    const { loop, events } = start({ handshakeTimeout: 1000 })
    await pass(500)
    loop.stop()
    await pass(0)
    expect(events[0]).toMatchObject({ event: WS_EVENT_ERROR, buf: 'Aborted' })
    expect(events[0]?.ws.error).toBe(-R_ERR_CANT_COMPLETE)
  })

  it('after the end changes nothing', async () => {
    const { start, pass } = clientBench(refuses)
    const { loop, result } = start({ shouldReconnect: () => false })
    await pass(0)
    const before = result()
    loop.stop()
    loop.stop(1006)
    await pass(0)
    expect(result()).toBe(before)
  })

  it('done waits for a callback that is pending, and for CLOSE to be handled', async () => {
    const message = deferred()
    const closing = deferred()
    const { port, start, pass } = clientBench(accepts)
    const { loop, result, events } = start({}, (event) =>
      event === WS_EVENT_MESSAGE ? message.promise : event === WS_EVENT_CLOSE ? closing.promise : undefined,
    )
    await pass(0)
    port.last.transport?.message('x')
    loop.stop()
    port.last.close()
    await pass(1000)
    expect(result()).toBeNull()
    message.resolve()
    await pass(1000)
    expect(events.at(-1)).toMatchObject({ event: WS_EVENT_CLOSE, state: WS_STATE_CLOSED })
    expect(result()).toBeNull()
    closing.resolve()
    await pass(0)
    expect(result()).toBe(0)
  })

  it('during the wait ends it at once: no time has to pass', async () => {
    const { start, pass, clock } = clientBench(refuses)
    const { loop, result } = start()
    await pass(0)
    expect(clock.timers).toBe(1)
    loop.stop()
    await pass(0)
    expect(clock.timers).toBe(0)
    expect(result()).toBe(0)
  })

  it('a headers function that settles afterwards is not heard', async () => {
    for (const late of ['resolve', 'reject'] as const) {
      const gate = deferred<UrlHeaders>()
      const { start, pass, port } = clientBench(accepts)
      const { loop, result, events } = start({ headers: () => gate.promise })
      await pass(0)
      loop.stop()
      if (late === 'resolve') gate.resolve({})
      else gate.reject(new Error('late'))
      await pass(100)
      expect(result()).toBe(0)
      expect(port.dials.length).toBe(0)
      expect(perHandle(events)).toEqual([FAILED])
    }
  })
})

describe('signal', () => {
  it('that was aborted before: no attempt, no event, and done is 0', async () => {
    const { start, pass, port, leftovers } = clientBench(accepts)
    const signal = AbortSignal.abort()
    const { loop, events, result } = start({ signal })
    await pass(0)
    expect([loop.attempts, port.dials.length, events.length, result()]).toEqual([0, 0, 0, 0])
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(leftovers()).toEqual(NOTHING_LEFT)
  })

  it('has one listener of the loop, however many attempts there are, and none after the end', async () => {
    const { signal } = new AbortController()
    const { start, pass, port } = clientBench(refuses)
    let left = 20
    start({ signal, reconnectInterval: 100, shouldReconnect: () => --left > 0 })
    for (let i = 0; i < 10; i++) await pass(100)
    port.answer = accepts
    for (let i = 0; i < 5; i++) {
      await pass(100)
      expect(getEventListeners(signal, 'abort').length).toBe(1)
      port.last.lose()
    }
    for (let i = 0; i < 10; i++) {
      await pass(100)
      port.last.lose()
    }
    await pass(100)
    expect(left).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('leaves no listener where the options are wrong', async () => {
    const { signal } = new AbortController()
    const { start, pass } = clientBench()
    start({ signal, reconnectInterval: 0 })
    await pass(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('aborted in the headers function ends the loop', async () => {
    const controller = new AbortController()
    const { start, pass, port, leftovers } = clientBench(accepts)
    const { result, events } = start({
      signal: controller.signal,
      headers: () => {
        controller.abort()
        return {}
      },
    })
    await pass(0)
    expect(port.dials.length).toBe(0)
    expect(result()).toBe(0)
    expect(perHandle(events)).toEqual([FAILED])
    expect(leftovers()).toEqual(NOTHING_LEFT)
  })
})
