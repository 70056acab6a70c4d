import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { UrlHeaders } from '../../../include-types/client.ts'
import { WS_EVENT_CLOSE, WS_EVENT_ERROR, WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { webSocketFree, webSocketSendClose } from '../../../lib/websock/close.ts'
import { type ClientBench, clientBench, type Driven, NOTHING_LEFT, perHandle } from '../../support/memory-client.ts'

/** What may happen to a loop, in any order. */
type Step =
  | {
      do:
        | 'accept'
        | 'refuse'
        | 'forbid'
        | 'rst'
        | 'fin'
        | 'close'
        | 'message'
        | 'sendClose'
        | 'free'
        | 'settle'
        | 'headers'
        | 'turn'
    }
  | { do: 'pass'; ms: number }
  | { do: 'stop'; code: number }

const happens = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'accept',
        'accept',
        'refuse',
        'forbid',
        'rst',
        'fin',
        'close',
        'message',
        'sendClose',
        'free',
        'settle',
        'headers',
        'turn',
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.oneof(fc.constantFrom(1, 99, 100, 101, 499, 500), fc.integer({ min: 0, max: 4000 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), code: fc.constantFrom(1000, 4000, 1006) }) },
)

type Setup = typeof setup extends fc.Arbitrary<infer T> ? T : never
const setup = fc.record({
  min: fc.integer({ min: 50, max: 500 }),
  more: fc.integer({ min: 0, max: 2000 }),
  jitter: fc.constantFrom<'none' | 'full'>('none', 'full'),
  stableAfter: fc.constantFrom(0, 100, 2000),
  deaf: fc.boolean(),
  /** Events whose callback stays pending until 'settle'. */
  slow: fc.subarray([WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE, WS_EVENT_ERROR], { maxLength: 2 }),
  /** Events whose callback throws. */
  bad: fc.subarray([WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE, WS_EVENT_ERROR], { maxLength: 1 }),
  slowHeaders: fc.boolean(),
})

interface World extends Driven {
  made: ClientBench
  /** Lets callbacks and headers functions that are pending go on. */
  settle: () => void
  busy: () => boolean
  answerHeaders: () => void
}

function world({ min, more, jitter, stableAfter, deaf, slow, bad, slowHeaders }: Setup): World {
  const made = clientBench()
  made.port.deaf = deaf
  let pending: (() => void)[] = []
  let asked: ((headers: UrlHeaders) => void)[] = []
  const driven = made.start(
    {
      reconnectInterval: { min, max: min + more, jitter },
      stableAfter,
      handshakeTimeout: 1000,
      pingPeriod: 400,
      headers: () => (slowHeaders ? new Promise((resolve) => asked.push(resolve)) : {}),
    },
    (event) => {
      if (bad.includes(event)) throw new Error('mine')
      return slow.includes(event) ? new Promise<void>((resolve) => pending.push(resolve)) : undefined
    },
  )
  const settle = (): void => {
    const due = pending
    pending = []
    for (const resolve of due) resolve()
  }
  const answerHeaders = (): void => {
    const due = asked
    asked = []
    for (const resolve of due) resolve({})
  }
  return { ...driven, made, settle, answerHeaders, busy: () => pending.length > 0 }
}

async function take(step: Step, { made, loop, settle, answerHeaders, busy }: World): Promise<void> {
  const { port, pass } = made
  const last = port.dials.at(-1)
  switch (step.do) {
    case 'accept':
      if (last?.pending === true) last.accept()
      break
    case 'refuse':
      if (last?.pending === true) last.refuse()
      break
    case 'forbid':
      if (last?.pending === true) last.refuse(403)
      break
    case 'rst':
      last?.lose()
      break
    case 'fin':
      last?.lose('fin')
      break
    case 'close':
      last?.close(1000)
      break
    case 'message':
      if (last?.connected === true) last.transport?.message('x')
      break
    case 'sendClose':
      webSocketSendClose(loop.ws, 4000)
      break
    case 'free':
      // While a callback is pending webSocketFree gives its run up, and CLOSE comes whenever it may: that is its promise.
      if (!busy()) webSocketFree(loop.ws)
      break
    case 'settle':
      settle()
      break
    case 'headers':
      answerHeaders()
      break
    case 'turn':
      await pass(0)
      break
    case 'pass':
      await pass(step.ms)
      break
    case 'stop':
      loop.stop(step.code)
      break
  }
}

/** OPEN … CLOSE, or ERROR, CLOSE; of a connection that goes on, the beginning of it. */
const isStory = (kinds: readonly number[], over: boolean): boolean =>
  /^(?:01*3?4|34)$/.test(kinds.join('')) || (!over && /^(?:01*3?|3)$/.test(kinds.join('')))

it('one attempt at a time, min between dials, whole stories, and an end without leftovers, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(setup, fc.array(happens, { maxLength: 60, size: 'max' }), async (given, steps) => {
      const made = world(given)
      const { port } = made.made
      let stoppedAt = Infinity
      for (const step of steps) {
        await take(step, made)
        if (step.do === 'stop') stoppedAt = Math.min(stoppedAt, port.dials.length)
        expect(port.underWay).toBeLessThanOrEqual(1)
        expect(port.dials.filter(({ pending }) => pending).length).toBeLessThanOrEqual(1)
      }
      made.loop.stop()
      stoppedAt = Math.min(stoppedAt, port.dials.length)
      for (let i = 0; i < 6; i++) {
        for (const dial of port.dials) if (dial.pending) dial.accept()
        made.answerHeaders()
        made.settle()
        await made.made.pass(6000)
      }
      expect(made.result()).toBe(0)
      expect(made.loop.ws).toBeNull()
      expect(port.dials.length).toBe(stoppedAt)
      for (const gap of port.gaps) expect(gap).toBeGreaterThanOrEqual(given.min)
      for (const kinds of perHandle(made.events)) expect(kinds).toSatisfy((some: number[]) => isStory(some, true))
      // A story is over before the next begins: handles do not come back.
      const order = made.events.map(({ ws }) => ws)
      expect(new Set(order).size).toBe(order.filter((ws, i) => ws !== order[i - 1]).length)
      expect(made.made.leftovers()).toEqual(NOTHING_LEFT)
    }),
    { numRuns: 300 },
  )
}, 30_000)
