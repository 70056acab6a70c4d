import { connect } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Web } from '../../include-types/web.ts'
import { webSocketAlloc } from '../../lib/standalone.ts'
import { webSocketSendClose } from '../../lib/websock/close.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_CANT_OPEN,
  R_ERR_WOULD_BLOCK,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_EVENT_PARTIAL_MESSAGE,
  WS_MSG_BINARY,
  WS_STATE_CLOSED,
  WS_STATE_OPEN,
} from '../../lib/websock/constants.ts'
import {
  webSocketGetClientKey,
  webSocketGetCloseReason,
  webSocketGetCloseStatus,
  webSocketGetData,
  webSocketGetErrorMessage,
  webSocketGetMessageLength,
  webSocketGetOrderlyClosed,
  webSocketGetProtocol,
  webSocketGetRemoteAddress,
  webSocketGetState,
  webSocketSelectProtocol,
  webSocketSetClientKey,
  webSocketSetData,
  webSocketSetLimits,
  webSocketSetPartial,
  webSocketSetPingPeriod,
  webSocketSetValidateUTF,
} from '../../lib/websock/handle.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import {
  webSocketCork,
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSendBlock,
  webSocketSendString,
} from '../../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { byEngine } from '../support/differences.ts'
import { binary, close, closeBody, closeReply, cont, frame, ping, readFrames, reply, text } from '../support/frames.ts'
import { Journal } from '../support/journal.ts'
import { deferred } from '../support/memory.ts'
import { handshake, KEY, RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'

const echo = (web: Web): Promise<number> =>
  webSocketRun(web.webSocket, (ws, event, buf) => {
    if (event === WS_EVENT_MESSAGE) webSocketSendBlock(ws, ws.type, buf)
  })

// Callbacks fail on purpose here: their log lines would say nothing.
beforeAll(() => rSetLogSink(() => {}))
afterAll(() => rSetLogSink(null))

describe.each(engines)('traps of websocket-run on the %s engine', (engine) => {
  it('trap 1: OPEN comes before messages in the segment of the handshake', async () => {
    const journal = new Journal()
    const { port } = await serve(engine, (web) => journal.run(web))
    const client = await RawClient.connect(port)
    client.send(Buffer.concat([handshake(), text('early'), text('bird')]))
    await client.response()
    client.send(text('in time'))
    const expected = byEngine(engine, 'frames in the segment of the handshake', {
      node: ['early', 'bird', 'in time'],
      uws: ['in time'],
    })
    await journal.until(WS_EVENT_MESSAGE, expected.length)
    expect(journal.kinds).toEqual([WS_EVENT_OPEN, ...expected.map(() => WS_EVENT_MESSAGE)])
    expect(journal.texts).toEqual(expected)
  })

  it('F13: frames that come while the action awaits something wait for run', async () => {
    const journal = new Journal()
    const gate = deferred()
    const { port } = await serve(engine, async (web) => {
      await gate.promise
      await journal.run(web)
    })
    const client = await RawClient.open(port)
    client.send(Buffer.concat([text('one'), ping('p'), close(4000, 'gone')]))
    // The ping is answered and the Close echoed although nobody has run the connection yet.
    expect(await client.rest()).toEqual(Buffer.concat([reply({ opcode: 10, payload: 'p' }), closeReply(4000, 'gone')]))
    gate.resolve()
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000, reason: 'gone' })
    expect(journal.events.map(({ event, state }) => [event, state])).toEqual([
      [WS_EVENT_OPEN, 1],
      [WS_EVENT_MESSAGE, 3],
      [WS_EVENT_CLOSE, 3],
    ])
  })

  it('an action that returns without run gets its connection closed with 1000', async () => {
    const { port } = await serve(engine, () => {})
    const client = await RawClient.open(port)
    expect(await client.frame()).toMatchObject({ opcode: 8, payload: Buffer.from([3, 232]) })
  })

  it('an action that throws: 500 on a request, Close 1011 on a connection, and the server lives', async () => {
    const { port } = await serve(engine, () => {
      throw new Error('secret detail')
    })
    const client = await RawClient.connect(port)
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'))
    const { status } = await client.response()
    expect(status).toBe(500)
    expect((await client.rest()).toString()).not.toContain('secret')
    const socket = await RawClient.open(port)
    expect((await socket.frame()).payload.readUInt16BE()).toBe(1011)
  })

  it('trap 9: data behind a local SendClose is read, dropped, and the Close behind it is found', async () => {
    const journal = new Journal()
    const { port } = await serve(engine, (web) =>
      journal.run(web, (ws, event) => void (event === WS_EVENT_OPEN && webSocketSendClose(ws, 4000, 'enough'))),
    )
    const client = await RawClient.open(port)
    await client.frame()
    client.send(Buffer.concat([binary(Buffer.alloc(4 << 20)), text('x', false), cont('y', true), close(4001, 'ok')]))
    await client.rest()
    expect(await journal.ending()).toMatchObject(
      byEngine(engine, 'local Close', {
        node: { run: 0, status: 4001, reason: 'ok', orderly: true },
        uws: { run: 0, status: 4000, reason: 'enough', orderly: true },
      }),
    )
    expect(journal.kinds).toEqual([WS_EVENT_OPEN, WS_EVENT_CLOSE])
  })

  it('trap 15: invalid UTF-8 in a first fragment closes before the second is sent', async () => {
    const { port } = await serve(engine, echo)
    const client = await RawClient.open(port)
    client.send(text(Buffer.from([0x61, 0xed, 0xa0]), false))
    await byEngine(engine, 'invalid UTF-8 before the last fragment', {
      node: async () => expect(await client.rest()).toEqual(closeReply(1007)),
      uws: async () => {
        client.send(ping('still here'))
        expect((await client.frame()).payload.toString()).toBe('still here')
        client.send(cont('', true))
        expect(await client.rest()).toEqual(Buffer.alloc(0))
      },
    })()
  })

  it('trap 15: also inside a frame whose rest has not been sent', async () => {
    const { port } = await serve(engine, echo)
    const client = await RawClient.open(port)
    const bad = text(Buffer.concat([Buffer.from([0xff]), Buffer.alloc(1000)]))
    client.send(bad.subarray(0, 100))
    const early = byEngine(engine, 'invalid UTF-8 before the last fragment', { node: true, uws: false })
    if (!early) client.send(bad.subarray(100))
    expect(await client.rest()).toEqual(early ? closeReply(1007) : Buffer.alloc(0))
  })

  it('trap 18: a header announcing 2^40 bytes commits no memory, whatever the limit', async () => {
    const { port } = await serve(engine, echo, { limits: { maxMessage: 'unlimited' } })
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(port)))
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    for (const client of clients) {
      client.send(Buffer.concat([frame({ opcode: 2, length: 1n << 40n }), Buffer.alloc(10_000)]))
      client.send(ping())
    }
    await Promise.all(
      clients.map(async (client) => {
        client.socket.end()
        await client.until(() => client.ended)
      }),
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(40 << 20)
  })

  it('trap 19: maxMessage 0 accepts 2 MiB', async () => {
    const { port } = await serve(
      engine,
      (web) => {
        webSocketSetLimits(web.webSocket, 0, 0)
        return echo(web)
      },
      // A connection of uws may go beyond the limit of its host by a quarter.
      {
        limits: { maxMessage: byEngine(engine, 'maxMessage of one connection', { node: 1000, uws: 1.7 * (1 << 20) }) },
      },
    )
    const client = await RawClient.open(port)
    client.send(binary(Buffer.alloc(2 << 20, 5)))
    expect((await client.frame()).payload.equals(Buffer.alloc(2 << 20, 5))).toBe(true)
  })

  it('trap 24: a publish never lands between the parts of a message', async () => {
    const { port, host } = await serve(engine, (web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event !== WS_EVENT_MESSAGE) return
        webSocketSubscribe(ws, 'room')
        webSocketSendBlock(ws, WS_MSG_BINARY | 0x10, 'one')
        webSocketPublish(ws.topics, 'room', 'published')
        webSocketSendBlock(ws, 0, 'two')
      }),
    )
    const client = await RawClient.open(port)
    client.send(text('go'))
    await client.until(() => readFrames(client.received).frames.length === 3)
    expect(readFrames(client.received).frames.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
      [1, 'published'],
      [2, 'one'],
      [0, 'two'],
    ])
    expect(host.topics?.subscribers('room')).toBe(1)
  })

  it('trap 35: SendClose(1006) and SendClose(70000) are -6 and change nothing', async () => {
    const seen: number[] = []
    const { port } = await serve(engine, (web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event !== WS_EVENT_MESSAGE) return
        for (const status of [1006, 70000, 999, 1004, 1015, 1016, 2999, 5000, -1, 1.5, NaN]) {
          seen.push(webSocketSendClose(ws, status))
        }
        // @ts-expect-error not a reason
        seen.push(webSocketSendClose(ws, 1000, 5))
        webSocketSendString(ws, 'still open')
      }),
    )
    const client = await RawClient.open(port)
    client.send(text('go'))
    expect((await client.frame()).payload.toString()).toBe('still open')
    expect(seen).toEqual(Array.from({ length: 12 }, () => R_ERR_BAD_ARGS))
  })

  it('trap 36: a reason of 100 × "é" is cut to 61 of them', async () => {
    let returned = 0
    const { port } = await serve(engine, (web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event === WS_EVENT_OPEN) returned = webSocketSendClose(ws, 1000, 'é'.repeat(100))
      }),
    )
    const client = await RawClient.open(port)
    expect((await client.frame()).payload.subarray(2).toString()).toBe('é'.repeat(61))
    expect(returned).toBe(124)
  })

  it.each([0, 1005])('SendClose(%i) sends a Close without payload', async (status) => {
    const { port } = await serve(engine, (web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event === WS_EVENT_OPEN) expect(webSocketSendClose(ws, status, 'unused')).toBe(0)
      }),
    )
    const client = await RawClient.open(port)
    expect(await client.frame()).toEqual({ fin: true, opcode: 8, payload: Buffer.alloc(0) })
  })

  it('trap 38, 39: a peer that does not read: -41, nothing more is stored, the Close still arrives, flush tells', async () => {
    const ready = deferred<number[]>()
    const flushed = deferred<number>()
    const { port } = await serve(
      engine,
      (web) =>
        webSocketRun(web.webSocket, async (ws, event) => {
          if (event !== WS_EVENT_MESSAGE) return
          const sizes: number[] = []
          let result = 0
          do {
            result = webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(100_000, 7))
            if (result !== R_ERR_WOULD_BLOCK) sizes.push(result)
          } while (result !== R_ERR_WOULD_BLOCK)
          const waiting = webSocketGetBufferedAmount(ws)
          for (let i = 0; i < 1000; i++) webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(100_000))
          expect(webSocketGetBufferedAmount(ws)).toBe(waiting)
          ready.resolve(sizes)
          flushed.resolve(await webSocketFlush(ws))
          webSocketSendClose(ws, 4000, 'done')
        }),
      { limits: { maxBackpressure: '256K' } },
    )
    const client = await RawClient.open(port)
    client.socket.pause()
    client.send(text('go'))
    const sizes = await ready.promise
    client.socket.resume()
    expect(await flushed.promise).toBe(0)
    await client.until(() => readFrames(client.received).frames.some(({ opcode }) => opcode === 8))
    const { frames } = readFrames(client.received)
    expect(frames.length).toBe(sizes.length + 1)
    expect(frames.slice(0, -1).every(({ payload }) => payload.equals(Buffer.alloc(100_000, 7)))).toBe(true)
    expect(frames.at(-1)?.payload.subarray(2).toString()).toBe('done')
  })

  it('trap 38: a Close sent over a backlog arrives behind it', async () => {
    const { port } = await serve(
      engine,
      (web) =>
        webSocketRun(web.webSocket, (ws, event) => {
          if (event !== WS_EVENT_MESSAGE) return
          while (webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(100_000)) !== R_ERR_WOULD_BLOCK);
          webSocketSendClose(ws, 4000, 'over')
        }),
      { limits: { maxBackpressure: '256K' } },
    )
    const client = await RawClient.open(port)
    client.socket.pause()
    client.send(text('go'))
    await new Promise((resolve) => setImmediate(resolve))
    client.socket.resume()
    await client.until(() => readFrames(client.received).frames.some(({ opcode }) => opcode === 8))
  })

  it('one message may overshoot the limit, whole: in frames, or in one where they would not all fit', async () => {
    const large = Buffer.alloc(1 << 20, 'large')
    const sent = deferred<number[]>()
    const { port } = await serve(
      engine,
      (web) =>
        webSocketRun(web.webSocket, async (ws, event) => {
          if (event !== WS_EVENT_MESSAGE) return
          // Until the kernel takes no more.
          do {
            webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(50_000))
            await new Promise((resolve) => setImmediate(resolve))
          } while (webSocketGetBufferedAmount(ws) === 0)
          sent.resolve([
            webSocketSendBlock(ws, WS_MSG_BINARY, large),
            webSocketSendBlock(ws, WS_MSG_BINARY, 'more'),
            webSocketSendClose(ws),
          ])
        }),
      { limits: { maxMessage: 'unlimited', maxFrame: '64K', maxBackpressure: '256K' } },
    )
    const client = await RawClient.open(port)
    client.socket.pause()
    client.send(text('go'))
    expect(await sent.promise).toEqual([large.length, R_ERR_WOULD_BLOCK, 2])
    client.socket.resume()
    await client.until(() => client.received.subarray(-4).equals(closeReply(1000)))
    const { frames } = readFrames(client.received)
    const start = frames.findIndex(({ payload }) => payload.subarray(0, 5).toString() === 'large')
    const parts = frames.slice(start, -1)
    expect(Buffer.concat(parts.map(({ payload }) => payload)).equals(large)).toBe(true)
    const row = 'message longer than maxFrame without room for its frames'
    expect(parts.length).toBe(byEngine(engine, row, { node: 16, uws: 1 }))
    expect(frames.at(-1)?.opcode).toBe(8)
  })

  it('trap 40, 42: in real time, pings go out, answers keep the connection, silence ends it, in that order', async () => {
    const journal = new Journal()
    const { port } = await serve(engine, (web) => {
      webSocketSetPingPeriod(web.webSocket, 150)
      // The client is in this process: whatever stalls the test is its silence.
      return journal.run(web, undefined, 1500)
    })
    const client = await RawClient.open(port)
    const started = performance.now()
    for (let i = 0; i < 12; i++) {
      expect(await client.frame()).toMatchObject({ opcode: 9 })
      client.send(frame({ opcode: 10 }))
    }
    const silent = performance.now()
    expect(silent - started).toBeGreaterThan(1600)
    await client.rest()
    expect(performance.now() - silent).toBeGreaterThan(1400)
    expect(performance.now() - silent).toBeLessThan(20_000)
    expect(await journal.ending()).toMatchObject({ run: -1006, status: 1006, orderly: false })
    expect(readFrames(client.received).frames.at(-1)?.payload.readUInt16BE()).toBe(1001)
  })

  it('trap 46: who sends more than can wait is stalled on node, and closed on uws', async () => {
    const gate = deferred()
    const journal = new Journal()
    const { port } = await serve(
      engine,
      (web) => journal.run(web, (_ws, event) => (event === WS_EVENT_OPEN ? gate.promise : undefined)),
      { limits: { maxMessage: '100K', maxQueue: '1M' } },
    )
    const client = await RawClient.open(port)
    const message = (i: number): Buffer => {
      const payload = Buffer.alloc(50_000)
      payload.writeUInt32BE(i)
      return binary(payload)
    }
    let sent = 0
    // Write until TCP takes no more: kernel buffers and the queue are full then, and stay so; or until it ends.
    let waiting = 0
    while (sent < 2000 && !client.ended) {
      client.send(message(sent++))
      if (client.socket.writableLength < 1 << 20) continue
      const before = client.socket.writableLength
      await new Promise((resolve) => setImmediate(resolve))
      if (client.socket.writableLength === before && ++waiting > 200) break
    }
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
    gate.resolve()
    const delivered = await byEngine(engine, 'receive overflow', {
      node: async () => {
        expect(sent).toBeLessThan(2000)
        await journal.until(WS_EVENT_MESSAGE, sent)
        return sent
      },
      uws: async () => {
        expect(await journal.ending()).toMatchObject({ run: -1008, status: 1006, orderly: false })
        expect(journal.events.at(-2)).toMatchObject({ event: WS_EVENT_ERROR, buf: 'Receive queue overflow' })
        expect(readFrames(client.received).frames.at(-1)).toEqual({ fin: true, opcode: 8, payload: closeBody(1008) })
        // As many as fit in the queue.
        return Math.floor((1 << 20) / 50_064)
      },
    })()
    const order = journal.texts.map((buf) => (Buffer.isBuffer(buf) ? buf.readUInt32BE() : -1))
    expect(order).toEqual(Array.from({ length: delivered }, (_, i) => i))
    client.destroy()
  })

  it('trap 50: getters and sends after close answer, and nothing throws', async () => {
    const { port } = await serve(
      engine,
      async (web) => {
        const ws = web.webSocket
        webSocketSetData(ws, { user: 'admin' })
        expect(webSocketGetRemoteAddress(ws)).toBe('127.0.0.1')
        expect(webSocketGetClientKey(ws)).toBe(KEY)
        await webSocketRun(ws, () => {})
        done.resolve(ws)
      },
      { webSockets: { protocol: ['chat'] } },
    )
    const done = deferred<Web['webSocket']>()
    const client = await RawClient.open(port, '/', { 'Sec-WebSocket-Protocol': 'x, chat' })
    client.send(close(4001, 'why'))
    const ws = await done.promise
    expect(webSocketGetState(ws)).toBe(WS_STATE_CLOSED)
    expect(webSocketGetCloseStatus(ws)).toBe(4001)
    expect(webSocketGetCloseReason(ws)).toBe('why')
    expect(webSocketGetOrderlyClosed(ws)).toBe(true)
    expect(webSocketGetProtocol(ws)).toBe('chat')
    expect(webSocketGetData(ws)).toEqual({ user: 'admin' })
    expect(webSocketGetRemoteAddress(ws)).toBe('127.0.0.1')
    expect(webSocketGetErrorMessage(ws)).toBeNull()
    expect(webSocketSendString(ws, 'late')).toBe(-14)
    expect(webSocketGetErrorMessage(ws)).toBe('Connection is not open')
    expect(webSocketGetBufferedAmount(ws)).toBe(0)
    expect(await webSocketFlush(ws)).toBe(-14)
    webSocketSelectProtocol(ws, '')
    expect(webSocketGetProtocol(ws)).toBe('chat')
    webSocketSelectProtocol(ws, 'other')
    expect(webSocketGetProtocol(ws)).toBe('other')
    webSocketSetClientKey(ws, 'key')
    expect(webSocketGetClientKey(ws)).toBe('key')
    webSocketSetPingPeriod(ws, 100)
  })

  it('trap 52: a second server on the same port is -28, and says so', async () => {
    const first = await serve(engine, echo)
    await expect(serve(engine, echo, {})).resolves.toBeDefined()
    const { createHost } = await import('../../lib/web/host.ts')
    const { parts } = await import('../../lib/parts.ts')
    const host = createHost({ web: { engine, listen: `http://127.0.0.1:${first.port}`, routes: [] } }, parts)
    expect(await host.start()).toBe(R_ERR_CANT_OPEN)
    expect(host.error).toContain('is in use')
    const client = await RawClient.open(first.port)
    client.send(text('mine'))
    expect((await client.frame()).payload.toString()).toBe('mine')
  })

  it('trap 53: a message in one frame is cut alike: parts of maxFrame, the rest is the MESSAGE', async () => {
    const journal = new Journal()
    const lengths: number[] = []
    const { port } = await serve(engine, (web) => {
      webSocketSetPartial(web.webSocket, true)
      webSocketSetLimits(web.webSocket, 4096, 0)
      return journal.run(web, (ws) => void lengths.push(webSocketGetMessageLength(ws)))
    })
    const client = await RawClient.open(port)
    const payload = Buffer.from(Array.from({ length: 10_240 }, (_, i) => i & 255))
    client.send(binary(payload))
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.events.slice(1).map(({ event, len }) => [event, len])).toEqual([
      [WS_EVENT_PARTIAL_MESSAGE, 4096],
      [WS_EVENT_PARTIAL_MESSAGE, 4096],
      [WS_EVENT_MESSAGE, 2048],
    ])
    expect(lengths.slice(1)).toEqual([4096, 8192, 10_240])
    expect(Buffer.concat(journal.texts.map((part) => Buffer.from(part ?? '')))).toEqual(payload)
  })

  it('trap 55: of a message in fragments, parts follow the frames on node and the size on uws', async () => {
    const journal = new Journal()
    const { port } = await serve(engine, (web) => {
      webSocketSetPartial(web.webSocket, true)
      webSocketSetLimits(web.webSocket, 7, 0)
      return journal.run(web)
    })
    const client = await RawClient.open(port)
    client.send(Buffer.concat([text('abc', false), cont('', false), ping(), cont('defgh', true)]))
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.texts).toEqual(byEngine(engine, 'parts', { node: ['abc', 'defgh'], uws: ['abcdefg', 'h'] }))
  })

  it('trap 71: stop sends 1001 to everybody, all runs settle, the port is free', async () => {
    const journals = Array.from({ length: 20 }, () => new Journal())
    let next = 0
    const { host, port } = await serve(engine, (web) => journals[next++]!.run(web), { timeouts: { drain: 10 } })
    const clients = await Promise.all(journals.map(() => RawClient.open(port)))
    const stopped = host.stop()
    expect(host.stop()).toBe(stopped)
    await Promise.all(
      clients.map(async (client) => {
        expect((await client.frame()).payload.readUInt16BE()).toBe(1001)
        client.send(close(1001))
        await client.rest()
      }),
    )
    await stopped
    for (const journal of journals)
      expect(await journal.ending()).toMatchObject({ run: 0, status: 1001, orderly: true })
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('trap 71: peers that do not answer are dropped when the time is up', async () => {
    const journal = new Journal()
    const { host, port } = await serve(engine, (web) => journal.run(web), { timeouts: { drain: '50ms' } })
    const client = await RawClient.open(port)
    await host.stop()
    await client.rest()
    expect(await journal.ending()).toMatchObject(
      byEngine(engine, 'local Close', { node: { run: -1006, orderly: false }, uws: { run: 0, orderly: true } }),
    )
  })

  it('trap 76: 1,000 connections that are reset at once are 1,000 CLOSE events, and none is left', async () => {
    let closes = 0
    const all = deferred()
    const { host, port } = await serve(engine, (web) =>
      webSocketRun(
        web.webSocket,
        (_ws, event) => {
          if (event === WS_EVENT_CLOSE && ++closes === 1000) all.resolve()
        },
        null,
        null,
        60_000,
      ),
    )
    const clients: RawClient[] = []
    for (let i = 0; i < 10; i++)
      clients.push(...(await Promise.all(Array.from({ length: 100 }, () => RawClient.open(port)))))
    expect(host.connections).toBe(1000)
    for (const client of clients) client.reset()
    await all.promise
    expect(host.connections).toBe(0)
  })

  it('a peer that floods pings and reads nothing costs memory up to a limit', async () => {
    const journal = new Journal()
    const limits = { maxMessage: 1000, maxBackpressure: '64K' }
    const { port } = await serve(engine, (web) => journal.run(web), { limits })
    const client = await RawClient.open(port)
    client.socket.pause()
    const payload = 'p'.repeat(120)
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => ping(payload)))
    // As long as TCP takes it: nothing is stored for a peer that does not read, or the connection ends.
    for (let i = 0; i < 200 && journal.ws?.state === WS_STATE_OPEN; i++) {
      client.send(flood)
      await new Promise((resolve) => setImmediate(resolve))
      expect(webSocketGetBufferedAmount(journal.ws)).toBeLessThan(200_000)
    }
    await byEngine(engine, 'pings of a peer that does not read', {
      node: async () => {
        client.send(Buffer.concat([ping('last'), text('done')]))
        await journal.until(WS_EVENT_MESSAGE)
        client.socket.resume()
        await client.until(() => client.received.includes('last'))
      },
      uws: async () => expect(await journal.ending()).toMatchObject({ run: -1013, orderly: false }),
    })()
  })
})

describe('what only the node engine can', () => {
  it('trap 53, 55: a PARTIAL arrives before the peer sends the next fragment, and before the end of a frame', async () => {
    const journal = new Journal()
    const { port } = await serve('node', (web) => {
      webSocketSetPartial(web.webSocket, true)
      webSocketSetLimits(web.webSocket, 4, 0)
      return journal.run(web)
    })
    const client = await RawClient.open(port)
    client.send(text('abc', false))
    await journal.until(WS_EVENT_PARTIAL_MESSAGE, 1)
    const second = cont('0123456789', false)
    client.send(second.subarray(0, -3))
    await journal.until(WS_EVENT_PARTIAL_MESSAGE, 2)
    client.send(second.subarray(-3))
    await journal.until(WS_EVENT_PARTIAL_MESSAGE, 4)
    client.send(cont('', true))
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.texts).toEqual(['abc', '0123', '4567', '89', ''])
  })

  it('validateUTF false: text is taken as it is', async () => {
    const journal = new Journal()
    const { port } = await serve('node', (web) => {
      webSocketSetValidateUTF(web.webSocket, false)
      return journal.run(web)
    })
    const client = await RawClient.open(port)
    client.send(text(Buffer.from([0x61, 0xff])))
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.events.at(-1)).toMatchObject({ buf: 'a\ufffd', len: 2 })
  })

  it('webSocketAlloc runs a stream that was upgraded elsewhere, with the bytes read before, in both roles', async () => {
    expect(webSocketAlloc(new Duplex({ read() {}, write() {} }), false)).not.toBeNull()
    // @ts-expect-error not a stream
    expect(webSocketAlloc({}, false)).toBeNull()
    const { port } = await serve('node', echo)
    const socket = connect(port, '127.0.0.1')
    const upgraded = deferred<Buffer>()
    let head = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end === -1 || head.length < end + 4 + 5) return
      socket.off('data', onData)
      socket.pause()
      upgraded.resolve(head.subarray(end + 4))
    }
    socket.on('data', onData)
    socket.write(Buffer.concat([handshake(), text('one')]))
    const early = await upgraded.promise
    const ws = webSocketAlloc(socket, true)
    const seen: string[] = []
    const result = webSocketRun(
      ws,
      (handle, event, buf) => {
        if (event === WS_EVENT_OPEN) webSocketSendString(handle, 'two, and masked')
        if (event !== WS_EVENT_MESSAGE) return
        seen.push(String(buf))
        if (seen.length === 2) webSocketSendClose(handle, 4000, 'bye')
      },
      null,
      early,
    )
    expect(await result).toBe(0)
    expect(seen).toEqual(['one', 'two, and masked'])
    expect(ws?.closeStatus).toBe(4000)
  })

  it('a stream that ends the connection inside the write of a flush', async () => {
    const ws = webSocketAlloc(new PassThrough(), false)
    // What we send comes back to us unmasked: a violation, found while it is being written.
    const result = webSocketRun(ws, () => {})
    let flushed: Promise<number> = Promise.resolve(1)
    webSocketCork(ws, () => {
      webSocketSendString(ws, 'x')
      flushed = webSocketFlush(ws)
    })
    expect(await flushed).toBe(-14)
    expect(await result).toBe(-1002)
  })
})
