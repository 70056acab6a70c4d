import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { FRAME_END, MESSAGE_END } from '../../lib/engine/port.ts'
import { webSocketFree, webSocketSendClose } from '../../lib/websock/close.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_STATE,
  R_ERR_BUSY,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATE_CLOSED,
  WS_STATE_CLOSING,
  WS_STATE_OPEN,
} from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { bench, deferred, running, traits } from '../support/memory.ts'

const OPEN = WS_EVENT_OPEN
const MESSAGE = WS_EVENT_MESSAGE
const ERROR = WS_EVENT_ERROR
const CLOSE = WS_EVENT_CLOSE

/** Lets promise reactions run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('webSocketRun', () => {
  it('refuses what cannot be run (-6), runs (-18), or has run (-14)', async () => {
    const { ws, transport } = bench().connect()
    expect(await webSocketRun(null, () => {})).toBe(R_ERR_BAD_ARGS)
    // @ts-expect-error no callback
    expect(await webSocketRun(ws, 'callback')).toBe(R_ERR_BAD_ARGS)
    expect(await webSocketRun(ws, () => {}, null, null, -1)).toBe(R_ERR_BAD_ARGS)
    expect(await webSocketRun(ws, () => {}, null, null, NaN)).toBe(R_ERR_BAD_ARGS)
    // @ts-expect-error not a time
    expect(await webSocketRun(ws, () => {}, null, null, Symbol('soon'))).toBe(R_ERR_BAD_ARGS)
    // @ts-expect-error no bytes
    expect(await webSocketRun(ws, () => {}, null, 'bytes')).toBe(R_ERR_BAD_ARGS)
    const result = webSocketRun(ws, () => {})
    expect(await webSocketRun(ws, () => {})).toBe(R_ERR_BUSY)
    transport.gone()
    expect(await result).toBe(-1006)
    expect(await webSocketRun(ws, () => {})).toBe(R_ERR_BAD_STATE)
  })

  it('websocket-run F15: arg is passed unchanged and this is undefined', () => {
    const { ws } = bench().connect()
    const arg = { any: 'thing' }
    let seen: unknown
    void webSocketRun(
      ws,
      function (this: unknown, _ws, _event, _buf, _len, given) {
        seen = [given, this]
      },
      arg,
    )
    expect(seen).toEqual([arg, undefined])
  })

  it('websocket-run trap 1: OPEN comes before messages that arrived earlier', () => {
    const { ws, transport } = bench().connect()
    transport.message('early')
    const events: unknown[] = []
    void webSocketRun(ws, (_ws, event, buf) => void events.push([event, buf]))
    expect(events).toEqual([
      [OPEN, null],
      [MESSAGE, 'early'],
    ])
  })

  it('buf is processed right after OPEN, each byte once, before what comes later (D1)', () => {
    const { ws, transport } = bench().connect()
    const events: unknown[] = []
    void webSocketRun(
      ws,
      (_ws, event, buf) => void events.push([event, buf?.toString()]),
      null,
      Buffer.from('pre-read'),
    )
    transport.message('later')
    expect(events).toEqual([
      [OPEN, undefined],
      [MESSAGE, 'pre-read'],
      [MESSAGE, 'later'],
    ])
  })

  it('buf where bytes cannot be injected is -6, and the connection can still be run', async () => {
    const { ws } = bench().connect(traits.uws)
    expect(await webSocketRun(ws, () => {}, null, Buffer.from('x'))).toBe(R_ERR_BAD_ARGS)
    const events: number[] = []
    void webSocketRun(ws, (_ws, event) => void events.push(event))
    expect(events).toEqual([OPEN])
  })

  it('websocket-run F13: a connection that is lost before run delivers OPEN, messages, ERROR, CLOSE', async () => {
    const { ws, transport } = bench().connect()
    transport.message('last words')
    transport.gone()
    const seen: unknown[] = []
    const result = webSocketRun(ws, (handle, event, buf) => {
      seen.push([event, buf, handle.state])
      if (event === OPEN) seen.push(webSocketSendString(handle, 'too late'))
    })
    expect(await result).toBe(-1006)
    expect(seen).toEqual([
      [OPEN, null, WS_STATE_OPEN],
      R_ERR_BAD_STATE,
      [MESSAGE, 'last words', WS_STATE_CLOSED],
      [ERROR, 'Connection lost', WS_STATE_CLOSED],
      [CLOSE, null, WS_STATE_CLOSED],
    ])
  })
})

describe('websocket-run trap 6: the synchronous path', () => {
  it('calls the callback inside the engine event', () => {
    const { transport, journal } = running()
    transport.message('now')
    expect(journal.kinds).toEqual([OPEN, MESSAGE])
  })

  it('creates no promise and no garbage in a million deliveries', async () => {
    // In a process of its own: what a test runner puts around modules allocates too.
    const program = fileURLToPath(new URL('../support/sync-path.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', program])
    const [calls, bytes, promises, grown] = stdout.trim().split(' ').map(Number)
    expect({ calls, bytes, promises }).toEqual({ calls: 1_200_001, bytes: 1_200_000 * 16, promises: 0 })
    expect(grown).toBeLessThan(1 << 20)
  })
})

describe('fibers', () => {
  it('websocket-run trap 5: an async callback is waited for, order is kept over 1,000 messages', async () => {
    const gate = deferred()
    const order: string[] = []
    const { transport, clock } = running(async (_ws, event, buf) => {
      if (event !== MESSAGE) return
      order.push(`start ${String(buf)}`)
      if (buf === '0') await gate.promise
      order.push(`end ${String(buf)}`)
    })
    for (let i = 0; i < 1000; i++) transport.message(String(i))
    await settled()
    expect(order).toEqual(['start 0'])
    gate.resolve()
    while (order.length < 2000) {
      await settled()
      clock.turn()
    }
    expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => [`start ${i}`, `end ${i}`]).flat())
  })

  it('F1: a pending callback does not hold up other connections', () => {
    const made = bench()
    const slow = made.connect()
    const quick = made.connect()
    const seen: string[] = []
    void webSocketRun(slow.ws, () => new Promise(() => {}))
    void webSocketRun(quick.ws, (_ws, _event, buf) => void seen.push(String(buf)))
    slow.transport.message('stuck')
    quick.transport.message('quick')
    expect(seen).toEqual(['null', 'quick'])
  })

  it('F4: no more than 64 queued events in a turn, and what comes meanwhile stays behind them', async () => {
    const gate = deferred()
    const delivered: unknown[] = []
    const { transport, clock } = running((_ws, event, buf) => {
      if (event !== MESSAGE) return undefined
      delivered.push(buf)
      return buf === 'first' ? gate.promise : undefined
    })
    transport.message('first')
    for (let i = 0; i < 200; i++) transport.message(String(i))
    gate.resolve()
    await settled()
    expect(delivered.length).toBe(1 + 64)
    transport.message('behind')
    expect(delivered.length).toBe(1 + 64)
    clock.turn()
    expect(delivered.length).toBe(1 + 128)
    clock.turn()
    clock.turn()
    expect(delivered).toEqual(['first', ...Array.from({ length: 200 }, (_, i) => String(i)), 'behind'])
  })

  it('websocket-run trap 7: SendClose inside MESSAGE, CLOSE starts after the callback settled', async () => {
    const gate = deferred()
    const order: string[] = []
    const { transport, result } = running(
      async (ws, event) => {
        order.push(`start ${event}`)
        if (event === MESSAGE) {
          webSocketSendClose(ws)
          await gate.promise
        }
        order.push(`end ${event}`)
      },
      { traits: traits.uws },
    )
    await settled()
    transport.message('bye')
    await settled()
    expect(order).toEqual(['start 0', 'end 0', 'start 1'])
    gate.resolve()
    expect(await result).toBe(0)
    expect(order).toEqual(['start 0', 'end 0', 'start 1', 'end 1', 'start 4', 'end 4'])
  })

  it('F5: an event that arises inside a synchronous callback is not nested', async () => {
    const order: string[] = []
    const { transport, result } = running(
      (ws, event) => {
        order.push(`start ${event}`)
        if (event === MESSAGE) webSocketSendClose(ws)
        order.push(`end ${event}`)
      },
      { traits: traits.uws },
    )
    transport.message('bye')
    expect(await result).toBe(0)
    expect(order).toEqual(['start 0', 'end 0', 'start 1', 'end 1', 'start 4', 'end 4'])
  })

  it('F7: input is paused above a sixteenth of the queue and resumed below half of that', async () => {
    const gates = Array.from({ length: 5000 }, () => deferred())
    let at = 0
    const { transport, ws, clock } = running((_ws, event) => (event === MESSAGE ? gates[at++]?.promise : undefined), {
      maxQueue: 64 * 800,
    })
    for (let i = 0; i < 1000; i++) transport.message('')
    // One is with the callback; 51 events of 64 bytes are more than a sixteenth.
    expect(transport.paused).toBe(true)
    expect(ws.queue?.length).toBe(51)
    for (let i = 0; i < 26; i++) {
      gates[i]?.resolve()
      await settled()
      clock.turn()
      expect(transport.paused).toBe(true)
    }
    gates[26]?.resolve()
    await settled()
    // Below half of that it was resumed, and filled up again at once.
    expect(ws.queue?.length).toBe(51)
    expect(transport.paused).toBe(true)
  })

  it('F6: the number of events is bounded too, and the bound grows with maxMessage', () => {
    const { transport, ws } = running(() => new Promise(() => {}), { maxMessage: 0 })
    for (let i = 0; i < 3000; i++) transport.message('')
    expect(transport.paused).toBe(true)
    expect(ws.queue?.length).toBe(257)
    const wide = running(() => new Promise(() => {}), { maxMessage: 4 << 20 })
    wide.transport.message(Buffer.alloc((512 << 10) - 100))
    expect(wide.transport.paused).toBe(false)
    wide.transport.message(Buffer.alloc(200))
    expect(wide.transport.paused).toBe(true)
  })

  it('websocket-run trap 46: where input cannot be paused, an overfull queue ends the connection', async () => {
    const gate = deferred()
    const { transport, journal, result, ws } = running((_ws, event) => (event === OPEN ? gate.promise : undefined), {
      traits: traits.uws,
      maxQueue: 1000,
    })
    for (let i = 0; i < 20; i++) transport.message(`message ${i}`)
    expect(transport.closed).toEqual({ status: 1008, reason: '' })
    gate.resolve()
    expect(await result).toBe(-1008)
    const kept = journal.texts
    expect(kept.length).toBeGreaterThan(5)
    expect(kept).toEqual(kept.map((_, i) => `message ${i}`))
    expect(journal.kinds.slice(-2)).toEqual([ERROR, CLOSE])
    expect(journal.events.at(-2)?.buf).toBe('Receive queue overflow')
    expect(ws.closeStatus).toBe(1006)
  })

  it('F9: SendClose drops the messages that wait', async () => {
    const gate = deferred()
    const { transport, journal, result, ws } = running((_ws, event) => (event === OPEN ? gate.promise : undefined))
    transport.message('dropped')
    webSocketSendClose(ws)
    expect(ws.state).toBe(WS_STATE_CLOSING)
    transport.message('dropped too')
    transport.input((receiver) => receiver.onClose(1000, ''))
    gate.resolve()
    expect(await result).toBe(0)
    expect(journal.kinds).toEqual([OPEN, CLOSE])
  })

  it('F10: messages that wait when the peer closes are delivered in order, sends return -14', async () => {
    const gate = deferred()
    const sends: number[] = []
    const { transport, journal, result } = running((ws, event) => {
      if (event === OPEN) return gate.promise
      if (event === MESSAGE) sends.push(webSocketSendString(ws, 'answer'))
      return undefined
    })
    transport.message('one')
    transport.message('two')
    transport.input((receiver) => receiver.onClose(1000, 'done'))
    gate.resolve()
    expect(await result).toBe(0)
    expect(journal.kinds).toEqual([OPEN, MESSAGE, MESSAGE, CLOSE])
    expect(journal.events.map(({ state }) => state)).toEqual([1, 3, 3, 3])
    expect(sends).toEqual([R_ERR_BAD_STATE, R_ERR_BAD_STATE])
  })

  it.each(['throws', 'rejects'])(
    'websocket-run trap 47 and F11: a callback that %s ends its own connection only',
    async (how) => {
      const made = bench()
      const bad = made.connect()
      const good = made.connect()
      const events: number[] = []
      const result = webSocketRun(bad.ws, (_ws, event) => {
        events.push(event)
        if (event !== MESSAGE) return undefined
        if (how === 'throws') throw new Error('ouch')
        return Promise.reject(new Error('ouch'))
      })
      let answered = 0
      void webSocketRun(good.ws, () => void answered++)
      bad.transport.message('boom')
      bad.transport.message('never seen')
      expect(await result).toBe(-1011)
      expect(events).toEqual([OPEN, MESSAGE, CLOSE])
      expect(bad.transport.closed).toEqual({ status: 1011, reason: '' })
      expect(bad.ws.errorMessage).toBe('Callback failed: ouch')
      expect(bad.ws.closeStatus).toBe(1006)
      expect(made.failures.map(({ event }) => event)).toEqual([MESSAGE])
      good.transport.message('still here')
      expect(answered).toBe(2)
    },
  )

  it.each([OPEN, ERROR, CLOSE])('F11: a throw in event %i still leads to one CLOSE', async (where) => {
    const { transport, journal, result, failures } = running((_ws, event) => {
      if (event === where) throw new Error('ouch')
    })
    transport.gone()
    expect(await result).toBe(where === CLOSE ? -1006 : -1011)
    expect(journal.kinds).toEqual(where === OPEN ? [OPEN, CLOSE] : [OPEN, ERROR, CLOSE])
    expect(failures.map(({ event }) => event)).toEqual([where])
  })

  it('a thenable that misbehaves is held to one settlement', async () => {
    const { transport, journal, result } = running((_ws, event) =>
      event === MESSAGE
        ? {
            then(resolve: () => void, reject: (error: Error) => void) {
              resolve()
              resolve()
              reject(new Error('late'))
            },
          }
        : undefined,
    )
    transport.message('one')
    transport.message('two')
    await settled()
    expect(journal.kinds).toEqual([OPEN, MESSAGE, MESSAGE])
    transport.gone()
    expect(await result).toBe(-1006)
  })

  it('a result whose `then` throws is a failed callback', async () => {
    const { transport, result } = running((_ws, event) =>
      event === MESSAGE
        ? {
            get then() {
              throw new Error('trap')
            },
          }
        : undefined,
    )
    transport.message('one')
    expect(await result).toBe(-1011)
  })

  it('websocket-run trap 3: run settles only after an async CLOSE callback has', async () => {
    const gate = deferred()
    let done = false
    const { transport, result } = running((_ws, event) => (event === CLOSE ? gate.promise : undefined))
    void result.then(() => (done = true))
    transport.gone()
    await settled()
    expect(done).toBe(false)
    gate.resolve()
    await result
  })

  it('SendClose lets a paused peer go on: its answer is behind what was held', async () => {
    const { transport, ws, result } = running((_ws, event) => (event === OPEN ? new Promise(() => {}) : undefined))
    for (let i = 0; i < 2000; i++) transport.message('')
    expect(transport.paused).toBe(true)
    webSocketSendClose(ws)
    expect(transport.paused).toBe(false)
    transport.input((receiver) => receiver.onClose(1000, ''))
    expect(ws.ended).toBe(true)
    webSocketFree(ws)
    expect(await result).toBe(-1006)
  })

  it('SendClose before run: OPEN sees an open connection, the state after it is CLOSING', async () => {
    const { ws, transport } = bench().connect()
    webSocketSendClose(ws, 4000)
    const states: number[] = []
    const result = webSocketRun(ws, (handle) => void states.push(handle.state))
    expect(ws.state).toBe(WS_STATE_CLOSING)
    transport.input((receiver) => receiver.onClose(4000, ''))
    expect(await result).toBe(0)
    expect(states).toEqual([WS_STATE_OPEN, WS_STATE_CLOSED])
  })

  it('a violation behind a local Close is no answer to it: no ERROR, -1006', async () => {
    const { ws, transport, journal, result } = running()
    webSocketSendClose(ws)
    transport.input((receiver) => receiver.onFault(1002, 'Reserved opcode'))
    expect(await result).toBe(-1006)
    expect(journal.kinds).toEqual([OPEN, CLOSE])
  })

  it('a callback that fails on what was queued before an orderly close makes it -1011 and not orderly', async () => {
    const gate = deferred()
    const { ws, transport, result } = running((_ws, event) => {
      if (event === MESSAGE) throw new Error('ouch')
      return event === OPEN ? gate.promise : undefined
    })
    transport.message('x')
    transport.input((receiver) => receiver.onClose(1000, ''))
    gate.resolve()
    expect(await result).toBe(-1011)
    expect(ws.ending?.orderly).toBe(false)
    expect(ws.closeStatus).toBe(1000)
  })

  it('a failing ERROR callback leaves the message of the error that it was told', async () => {
    const { ws, transport, result } = running((_ws, event) => {
      if (event === ERROR) throw new Error('ouch')
    })
    transport.gone()
    await result
    expect(ws.errorMessage).toBe('Connection lost')
  })

  it('what was collected of a message is let go with the connection', () => {
    const { ws, transport } = running()
    transport.message('half', FRAME_END)
    expect(ws.incoming).not.toBeNull()
    transport.gone()
    expect(ws.incoming).toBeNull()
  })

  it('a client leaves the end of TCP to the server, unless the connection has failed', () => {
    const orderly = bench().connect(traits.node, true)
    orderly.transport.input((receiver) => receiver.onClose(1000, ''))
    expect(orderly.transport.closed).not.toBeNull()
    expect(orderly.transport.ended).toBe(false)
    const failed = bench().connect(traits.node, true)
    failed.transport.input((receiver) => receiver.onFault(1002, ''))
    expect(failed.transport.ended).toBe(true)
  })

  it('text longer than a string can be is too large, not a throw', async () => {
    const { transport, result } = running(undefined, { maxMessage: 0 })
    const huge = Buffer.alloc(8)
    huge.toString = () => {
      throw new RangeError('Cannot create a string longer than 0x1fffffe8 characters')
    }
    transport.input((receiver) => receiver.onData(huge, false, MESSAGE_END))
    expect(await result).toBe(-1009)
  })

  it('websocket-run F12: free ends run at once while a callback never settles; CLOSE follows if it does', async () => {
    const gate = deferred()
    const { transport, journal, result, ws } = running((_ws, event) => (event === MESSAGE ? gate.promise : undefined))
    transport.message('stuck')
    transport.message('dropped')
    webSocketFree(ws)
    expect(await result).toBe(-1006)
    expect(transport.aborted).toBe(true)
    expect(transport.closed).toBeNull()
    expect(journal.kinds).toEqual([OPEN, MESSAGE])
    gate.resolve()
    await settled()
    expect(journal.kinds).toEqual([OPEN, MESSAGE, CLOSE])
  })

  it('websocket-run trap 4: run never rejects, also when nobody waits for it', async () => {
    const seen: unknown[] = []
    const listener = (reason: unknown): void => void seen.push(reason)
    process.on('unhandledRejection', listener)
    const { transport } = running(() => {
      throw new Error('always')
    })
    transport.message('x')
    transport.gone()
    await settled()
    await settled()
    process.off('unhandledRejection', listener)
    expect(seen).toEqual([])
  })
})
