import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WebSocket, WebSocketEvent } from '../../include-types/websock.ts'
import { type FrameHandler, FrameParser } from '../../lib/engine/node/parser.ts'
import type { Receiver } from '../../lib/engine/port.ts'
import { webSocketFree, webSocketSendClose } from '../../lib/websock/close.ts'
import {
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATE_CLOSED,
} from '../../lib/websock/constants.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { toSocket } from '../../lib/websock/socket.ts'
import { text } from '../support/frames.ts'
import { Journal } from '../support/journal.ts'
import { deferred, running, traits } from '../support/memory.ts'
import { RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'
import { type Expected, FILL, MAX_MESSAGE, type Row, rows, type Situation, situations, wireBytes } from './endings.ts'

const TIMEOUT = 300

/** The two ends of one connection, in memory or over TCP. */
interface Stage {
  journal: Journal
  /** Bytes of the peer, in one segment. */
  send(bytes: Buffer): void | Promise<void>
  fin(): void
  reset(): void
  /** The host is told to stop. */
  stop(): void
  /** Time passes until the connection is found silent. */
  silence(): void
  /** The peer takes the Close as the row has it. */
  takeClose(reply: Row['reply']): Promise<void>
  /** Lets what is under way arrive. */
  settle(): Promise<void>
  /** What the peer has seen of a Close, as frame bytes. */
  wire(): Promise<Buffer>
}

/** What the callback does, event by event. */
type Act = (ws: WebSocket, event: WebSocketEvent) => unknown

/** Puts a connection into a situation, lets the cause strike, and sees it through. */
async function play(row: Row, situation: Situation, start: (act: Act) => Promise<Stage>): Promise<Stage> {
  const gate = deferred()
  // Where nothing waits at the gate, nobody hears it.
  gate.promise.catch(() => {})
  const gateAt = situation === 'inside OPEN' ? WS_EVENT_OPEN : WS_EVENT_MESSAGE
  const local = row.cause === 'local' || row.cause === 'stop'
  let stage: Stage | null = null
  const strike = (ws: WebSocket): void => {
    if (row.cause === 'stop') {
      // Inside OPEN the stage is not set up yet; a host that stops calls this.
      if (stage === null) webSocketSendClose(ws, 1001)
      else stage.stop()
    } else if (row.call === 'free') webSocketFree(ws)
    else webSocketSendClose(ws, 4000, 'bye')
  }
  let struck = false
  const act: Act = (ws, event) => {
    if (event !== gateAt || struck) return undefined
    struck = true
    if (situation === 'inside OPEN' || situation === 'inside MESSAGE') {
      if (local) return strike(ws)
      if (row.cause === 'throw') throw new Error('on purpose')
      return situation === 'inside OPEN' ? gate.promise : undefined
    }
    if (row.cause === 'throw' && situation === 'idle') throw new Error('on purpose')
    return situation === 'idle' ? undefined : gate.promise
  }

  stage = await start(act)
  const { journal } = stage
  await journal.until(WS_EVENT_OPEN)
  if (situation === 'callback pending') await stage.send(text('first'))
  if (situation === 'queue full') await stage.send(Buffer.concat(Array.from({ length: FILL }, () => text('m'))))
  if (situation === 'idle' && row.cause === 'throw') await stage.send(text('first'))
  if (situation === 'inside MESSAGE') await stage.send(Buffer.concat([text('first'), row.sends ?? Buffer.alloc(0)]))
  if (situation !== 'idle' && situation !== 'inside OPEN') await journal.until(WS_EVENT_MESSAGE)

  if (row.cause === 'peer') {
    if (row.sends !== undefined && situation !== 'inside MESSAGE') await stage.send(row.sends)
    if (row.then === 'fin') stage.fin()
    if (row.then === 'reset') stage.reset()
  } else if (local && situation !== 'inside OPEN' && situation !== 'inside MESSAGE') {
    strike(journal.ws!)
  } else if (row.cause === 'silence' && situation === 'callback pending') {
    stage.silence()
  }
  await stage.settle()
  if (row.cause === 'throw') gate.reject(new Error('on purpose'))
  else gate.resolve()
  await stage.settle()
  if (row.cause === 'silence') stage.silence()
  await stage.takeClose(row.reply)
  await journal.until(WS_EVENT_CLOSE)
  return stage
}

async function check(row: Row, situation: Situation, stage: Stage, expected: Expected): Promise<void> {
  const { journal } = stage
  const [initiator, code] = row.logged
  expect(toSocket(journal.ws)?.ending?.cause).toMatchObject({ initiator, code })
  expect(await journal.ending()).toMatchObject({
    run: expected.run,
    status: expected.status,
    reason: expected.reason,
    orderly: expected.orderly,
  })
  // OPEN first, CLOSE once and last, ERROR only where it belongs: in front of it.
  const { kinds, events } = journal
  expect(kinds.filter((kind) => kind === WS_EVENT_OPEN)).toEqual([WS_EVENT_OPEN])
  expect(kinds[0]).toBe(WS_EVENT_OPEN)
  expect(kinds.filter((kind) => kind === WS_EVENT_CLOSE)).toEqual([WS_EVENT_CLOSE])
  expect(kinds.at(-1)).toBe(WS_EVENT_CLOSE)
  expect(events.filter(({ event }) => event === WS_EVENT_ERROR).map(({ buf }) => buf)).toEqual(
    expected.error === null ? [] : [expected.error],
  )
  if (expected.error !== null) expect(kinds.at(-2)).toBe(WS_EVENT_ERROR)
  expect(events.at(-1)?.state).toBe(WS_STATE_CLOSED)
  // What waited is delivered when the peer ended it (F10), dropped when we did (F9, F11).
  if (situation === 'queue full' && row.then !== 'reset') {
    const delivered = kinds.filter((kind) => kind === WS_EVENT_MESSAGE).length
    expect(delivered).toBe(row.cause === 'peer' || row.cause === 'silence' ? FILL : 1)
  }
  if (row.then !== 'reset') expect((await stage.wire()).toString('hex')).toBe(wireBytes(expected.wire).toString('hex'))
}

describe.each(['node', 'uws'] as const)('endings over the memory engine that behaves like %s (trap 2)', (kind) => {
  const start = async (act: Act): Promise<Stage> => {
    const { transport, journal, clock, context, ws } = running(act, {
      traits: traits[kind],
      timeout: TIMEOUT,
      maxMessage: MAX_MESSAGE,
    })
    // The peer's bytes go through a real parser: the memory engine knows events only.
    let target: Receiver | null = null
    const handler: FrameHandler = {
      onFrame: (length) => target?.onFrame(length) ?? false,
      onData: (bytes, binary, end) => target?.onData(bytes, binary, end),
      onPing: () => {},
      onPong: () => {},
      onClose: (status, reason) => target?.onClose(status, reason),
      onFault: (status, words) => target?.onFault(status, words),
    }
    const parser = new FrameParser(handler, true)
    return {
      journal,
      send(bytes) {
        for (const piece of split(bytes)) {
          transport.input((receiver) => {
            target = receiver
            receiver.onActivity()
            parser.push(piece)
          })
        }
      },
      fin: () => transport.input((receiver) => receiver.onEnd()),
      reset: () => transport.gone(),
      stop: () => {
        for (const connection of context.connections) webSocketSendClose(connection, 1001)
      },
      silence: () => clock.advance(TIMEOUT + 100),
      async takeClose(reply) {
        if (ws.ended) return
        if (reply === 'ends') transport.input((receiver) => receiver.onEnd())
        const { closed } = transport
        if (reply === 'answers' && closed !== null) {
          transport.input((receiver) => receiver.onClose(closed.status, closed.reason))
        }
      },
      async settle() {
        for (let i = 0; i < 40; i++) {
          await turn()
          clock.turn()
        }
      },
      wire: () =>
        Promise.resolve(
          wireBytes(transport.closed === null ? null : [transport.closed.status, transport.closed.reason]),
        ),
    }
  }

  for (const row of rows) {
    it.each(situations)(`${row.name}, %s`, async (situation) => {
      const stage = await play(row, situation, start)
      await check(row, situation, stage, kind === 'uws' ? { ...row.node, ...row.uws } : row.node)
    })
  }

  it('a peer that never answers a local Close is dropped after 5 s', async () => {
    if (kind === 'uws') return
    const { transport, ws, clock, result } = running(undefined, { traits: traits[kind] })
    webSocketSendClose(ws, 4000)
    clock.advance(4900)
    expect(transport.aborted).toBe(false)
    clock.advance(200)
    expect(transport.aborted).toBe(true)
    expect(await result).toBe(-1006)
  })
})

/** Frames of a few bytes each, so that pausing has somewhere to take hold. */
function* split(bytes: Buffer): Generator<Buffer> {
  const size = text('m').length
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
}

// Callbacks fail on purpose here: their log lines would say nothing. Those of connections are looked at.
const closes: unknown[] = []
beforeAll(() => {
  rSetLogSink((_level, source, message, fields) => {
    if (source === 'conn' && message === 'close') closes.push([fields?.['initiator'], fields?.['code']])
  })
})
afterAll(() => rSetLogSink(null))

describe.each(engines)('endings over TCP on the %s engine (trap 2, 31, 32, 45, 47)', (engine) => {
  for (const row of rows) {
    it.each(situations)(`${row.name}, %s`, async (situation) => {
      const start = async (act: Act): Promise<Stage> => {
        const journal = new Journal()
        const { host, port } = await serve(
          engine,
          (web) => journal.run(web, act, row.cause === 'silence' ? TIMEOUT : undefined),
          { limits: { maxMessage: MAX_MESSAGE } },
        )
        const client = await RawClient.open(port)
        return {
          journal,
          send: (bytes) => client.send(bytes),
          fin: () => client.socket.end(),
          reset: () => client.reset(),
          stop: () => void host.stop(),
          silence: () => {},
          async takeClose(reply) {
            if (reply === undefined) return
            await client.until(() => client.received.length > 0)
            if (reply === 'answers') client.send(frameAsClient(client.received))
            client.socket.end()
          },
          async settle() {
            for (let i = 0; i < 10; i++) await turn()
          },
          wire: () => client.rest(),
        }
      }
      closes.length = 0
      const stage = await play(row, situation, start)
      expect(closes).toEqual([row.logged])
      await check(row, situation, stage, engine === 'uws' ? { ...row.node, ...row.uws, ...row.native } : row.node)
    })
  }
})

/** A server's Close frame turned into a client's with the same payload. */
function frameAsClient(bytes: Buffer): Buffer {
  const payload = bytes.subarray(2, 2 + (bytes[1] ?? 0))
  return Buffer.concat([Buffer.from([bytes[0] ?? 0, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
