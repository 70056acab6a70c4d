import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WebSocket, WebSocketData } from '../../include-types/websock.ts'
import { FRAME_END, MESSAGE_END, PIECE, type PieceEnd } from '../../lib/engine/port.ts'
import { webSocketSendClose } from '../../lib/websock/close.ts'
import { WS_EVENT_MESSAGE, WS_EVENT_OPEN, WS_EVENT_PARTIAL_MESSAGE } from '../../lib/websock/constants.ts'
import {
  webSocketGetMessageLength,
  webSocketSetLimits,
  webSocketSetPartial,
  webSocketSetRaw,
  webSocketSetView,
} from '../../lib/websock/handle.ts'
import { running } from '../support/memory.ts'

interface Part {
  last: boolean
  buf: WebSocketData
  len: number
  total: number
}

function collecting(set: (ws: WebSocket) => void): ReturnType<typeof running> & { parts: Part[] } {
  const parts: Part[] = []
  const made = running(
    (ws, event, buf, len) => {
      if (event !== WS_EVENT_MESSAGE && event !== WS_EVENT_PARTIAL_MESSAGE) return
      expect(ws.fin).toBe(event === WS_EVENT_MESSAGE)
      parts.push({ last: event === WS_EVENT_MESSAGE, buf, len, total: webSocketGetMessageLength(ws) })
    },
    { maxMessage: 0 },
  )
  set(made.ws)
  return { ...made, parts }
}

const partial = (maxFrame: number) => (ws: WebSocket) => {
  webSocketSetPartial(ws, true)
  webSocketSetLimits(ws, maxFrame, 0)
}

describe('partial mode', () => {
  it('websocket-run trap 53: 10 KB unfragmented with maxFrame 4096 is PARTIAL, PARTIAL, MESSAGE', () => {
    const { transport, parts } = collecting(partial(4096))
    transport.message(Buffer.alloc(10_240, 1))
    expect(parts.map(({ last, len, total }) => [last, len, total])).toEqual([
      [false, 4096, 4096],
      [false, 4096, 8192],
      [true, 2048, 10_240],
    ])
  })

  it('a message of exactly maxFrame is MESSAGE only, of twice that PARTIAL, MESSAGE (P3)', () => {
    const { transport, parts } = collecting(partial(100))
    transport.message(Buffer.alloc(100))
    transport.message(Buffer.alloc(200))
    expect(parts.map(({ last, len }) => [last, len])).toEqual([
      [true, 100],
      [false, 100],
      [true, 100],
    ])
  })

  it('websocket-run trap 54: off, there is exactly one MESSAGE', () => {
    const { transport, parts } = collecting((ws) => webSocketSetLimits(ws, 4, 0))
    transport.message(Buffer.from('one'), FRAME_END)
    transport.message(Buffer.from('twothree'), MESSAGE_END)
    expect(parts).toEqual([{ last: true, buf: Buffer.from('onetwothree'), len: 11, total: 11 }])
  })

  it('websocket-run trap 55: frames of 3, 0, 5 bytes are PARTIAL 3, MESSAGE 5; a final empty frame is MESSAGE 0', () => {
    const { transport, parts } = collecting(partial(0))
    transport.message('abc', FRAME_END)
    transport.message('', FRAME_END)
    transport.message('defgh', MESSAGE_END)
    transport.message('xy', FRAME_END)
    transport.message('', MESSAGE_END)
    expect(parts.map(({ last, buf, total }) => [last, buf, total])).toEqual([
      [false, 'abc', 3],
      [true, 'defgh', 8],
      [false, 'xy', 2],
      [true, '', 2],
    ])
  })

  it('websocket-run trap 56: a character that straddles maxFrame stays whole', () => {
    const { transport, parts } = collecting(partial(10))
    const text = '12345678€abc'
    transport.message(text)
    expect(parts.map(({ buf }) => buf)).toEqual(['12345678', '€abc'])
    expect(parts.map(({ buf }) => buf).join('')).toBe(text)
  })

  it('a character cut by the end of a frame goes in front of the next part (P6)', () => {
    const { transport, parts } = collecting(partial(0))
    const bytes = Buffer.from('a€b')
    transport.input((receiver) => {
      receiver.onData(bytes.subarray(0, 2), false, FRAME_END)
      receiver.onData(bytes.subarray(2, 3), false, FRAME_END)
      receiver.onData(bytes.subarray(3), false, MESSAGE_END)
    })
    expect(parts.map(({ buf, len, total }) => [buf, len, total])).toEqual([
      ['a', 1, 1],
      ['€b', 4, 5],
    ])
  })

  it('in raw mode cuts are exact and nothing is held', () => {
    const { transport, parts } = collecting((ws) => {
      partial(2)(ws)
      webSocketSetRaw(ws, true)
    })
    transport.message('€€')
    expect(parts.map(({ buf }) => buf)).toEqual([
      Buffer.from([0xe2, 0x82]),
      Buffer.from([0xac, 0xe2]),
      Buffer.from([0x82, 0xac]),
    ])
  })

  it('is effective from the next message on', () => {
    const { transport, parts, ws } = collecting(partial(0))
    transport.message('a', FRAME_END)
    webSocketSetPartial(ws, false)
    transport.message('b', FRAME_END)
    transport.message('c', MESSAGE_END)
    transport.message('d', FRAME_END)
    transport.message('e', MESSAGE_END)
    expect(parts.map(({ last, buf }) => [last, buf])).toEqual([
      [false, 'a'],
      [false, 'b'],
      [true, 'c'],
      [true, 'de'],
    ])
  })

  it('a limit that is lowered inside a message holds for what is left of it', () => {
    const { transport, parts, ws } = collecting(partial(0))
    transport.input((receiver) => receiver.onData(Buffer.alloc(1000, 1), true, PIECE))
    webSocketSetLimits(ws, 50, 0)
    transport.input((receiver) => receiver.onData(Buffer.alloc(200, 2), true, MESSAGE_END))
    expect(parts.map(({ len }) => len)).toEqual(Array.from({ length: 24 }, () => 50))
    expect(parts.at(-1)?.total).toBe(1200)
  })

  it('parts behind a SendClose are not delivered', () => {
    const seen: number[] = []
    const { transport } = running(
      (ws, event) => {
        seen.push(event)
        if (event === WS_EVENT_OPEN) partial(4)(ws)
        if (event === WS_EVENT_PARTIAL_MESSAGE) webSocketSendClose(ws)
      },
      { maxMessage: 0 },
    )
    transport.message('0123456789')
    expect(seen).toEqual([WS_EVENT_OPEN, WS_EVENT_PARTIAL_MESSAGE])
  })

  it('holds P1 to P8 for any message, however it is framed and cut', () => {
    const message = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.uint8Array({ maxLength: 600 }))
    fc.assert(
      fc.property(
        message,
        fc.nat(40),
        fc.array(fc.nat(600)),
        fc.array(fc.nat(600)),
        fc.boolean(),
        (data, maxFrame, frameCuts, pieceCuts, raw) => {
          const { transport, parts } = collecting((ws) => {
            partial(maxFrame)(ws)
            webSocketSetRaw(ws, raw)
          })
          const bytes = Buffer.from(data)
          const binary = typeof data !== 'string'
          transport.input((receiver) => {
            for (const [piece, end] of pieces(bytes, frameCuts, pieceCuts)) receiver.onData(piece, binary, end)
          })
          const limit = maxFrame === 0 ? Infinity : binary || raw ? maxFrame : Math.max(maxFrame, 4)
          const whole = Buffer.concat(parts.map(({ buf }) => Buffer.from(buf ?? '')))
          expect(whole.equals(bytes)).toBe(true)
          expect(parts.filter(({ last }) => last).length).toBe(1)
          expect(parts.at(-1)?.last).toBe(true)
          expect(parts.at(-1)?.total).toBe(bytes.length)
          let total = 0
          for (const part of parts) {
            expect(part.len).toBeLessThanOrEqual(limit)
            if (!part.last) expect(part.len).toBeGreaterThan(0)
            total += part.len
            expect(part.total).toBe(total)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** Cuts a message into frames, and frames into pieces. */
function* pieces(bytes: Buffer, frameCuts: number[], pieceCuts: number[]): Generator<[Buffer, PieceEnd]> {
  const frames = new Set(frameCuts.filter((cut) => cut < bytes.length))
  const cuts = [...new Set([...frames, ...pieceCuts.filter((cut) => cut > 0 && cut < bytes.length)])].toSorted(
    (a, b) => a - b,
  )
  let start = 0
  for (const cut of cuts) {
    yield [bytes.subarray(start, cut), frames.has(cut) ? FRAME_END : PIECE]
    start = cut
  }
  yield [bytes.subarray(start), MESSAGE_END]
}

describe('what is delivered', () => {
  it('websocket-run trap 11, 12: len is bytes, embedded NULs stay', () => {
    const { transport, parts } = collecting(() => {})
    transport.message('é\0é')
    expect(parts).toEqual([{ last: true, buf: 'é\0é', len: 5, total: 5 }])
  })

  it('websocket-run trap 13: a Buffer is a copy, unless a view was asked for', () => {
    const { transport, parts, ws } = collecting(() => {})
    const memory = Buffer.from('engine memory')
    const deliver = (): void => transport.input((receiver) => receiver.onData(memory, true, MESSAGE_END))
    deliver()
    webSocketSetView(ws, true)
    deliver()
    memory.fill(0)
    expect(parts.map(({ buf }) => buf?.toString())).toEqual(['engine memory', '\0'.repeat(13)])
  })

  it('a queued event is a copy also in view mode (T3)', async () => {
    let open: () => void = () => {}
    const seen: WebSocketData[] = []
    const { transport, ws } = running((_ws, event, buf) => {
      if (event === WS_EVENT_MESSAGE) seen.push(buf)
      return event === WS_EVENT_OPEN ? new Promise<void>((resolve) => (open = resolve)) : undefined
    })
    webSocketSetView(ws, true)
    const memory = Buffer.from('engine memory')
    transport.input((receiver) => receiver.onData(memory, true, MESSAGE_END))
    memory.fill(0)
    open()
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen.map(String)).toEqual(['engine memory'])
  })

  it('raw mode gives text as a Buffer, and type still tells (T3)', () => {
    let type = 0
    let raw: WebSocketData = null
    const { transport, ws } = running((handle, event, buf) => {
      if (event === WS_EVENT_MESSAGE) [type, raw] = [handle.type, buf]
    })
    webSocketSetRaw(ws, true)
    transport.message('text')
    expect(type).toBe(1)
    expect(raw).toEqual(Buffer.from('text'))
    expect(ws.type).toBe(0)
    expect(webSocketGetMessageLength(ws)).toBe(0)
  })
})
