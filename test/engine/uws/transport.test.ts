import { constants, inflateRawSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket as WsClient } from 'ws'
import type { WebSocket } from '../../../include-types/websock.ts'
import type { WebAction } from '../../../include-types/web.ts'
import type { ServerOptions, ServerPort, Transport } from '../../../lib/engine/port.ts'
import { loadUwsEngine } from '../../../lib/engine/uws/server.ts'
import { UwsTransport } from '../../../lib/engine/uws/transport.ts'
import * as api from '../../../lib/index.ts'
import {
  rSetLogSink,
  webSocketCork,
  webSocketFlush,
  webSocketFree,
  webSocketGetBufferedAmount,
  webSocketGetRemoteAddress,
  webSocketPublish,
  webSocketRun,
  webSocketSendBlock,
  webSocketSendClose,
  webSocketSendString,
  webSocketSetLimits,
  webSocketSubscribe,
  webSocketUnsubscribe,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_BINARY,
  WS_MSG_MORE,
  WS_MSG_PING,
  WS_MSG_TEXT,
} from '../../../lib/index.ts'
import { parts } from '../../../lib/parts.ts'
import { createHost, type Host } from '../../../lib/web/host.ts'
import { binary, close, closeReply, frame, ping, readFrames, reply, text } from '../../support/frames.ts'
import { Journal, type JournalCallback } from '../../support/journal.ts'
import { deferred } from '../../support/memory.ts'
import { handshake, RawClient } from '../../support/raw.ts'
import { serve as serveOn } from '../../support/server.ts'
import { catchUncaught, collect, Ears, listen, timed, turn } from './support.ts'

const serve = (action: WebAction, web?: Parameters<typeof serveOn>[2]): ReturnType<typeof serveOn> =>
  serveOn('uws', action, web)

/** A host with one connection, and what it goes through. */
async function connected(
  web?: Parameters<typeof serveOn>[2],
  callback?: JournalCallback,
): Promise<{ host: Host; port: number; client: RawClient; journal: Journal; ws: WebSocket }> {
  const journal = new Journal()
  const { host, port } = await serve((request) => journal.run(request, callback), web)
  const client = await RawClient.open(port)
  await journal.until(WS_EVENT_OPEN)
  if (journal.ws === null) throw new Error('not run')
  return { host, port, client, journal, ws: journal.ws }
}

/** A connection of the engine alone. */
async function bare(
  changes: Partial<ServerOptions> = {},
): Promise<{ server: ServerPort; client: RawClient; transport: Transport; ears: Ears }> {
  const upgraded = deferred<Transport>()
  const ears = new Ears()
  const onUpgrade = (transport: Transport | null): void => {
    if (transport === null) return upgraded.reject(new Error('no upgrade'))
    transport.setReceiver(ears)
    upgraded.resolve(transport)
  }
  const { server, port } = await listen(
    await loadUwsEngine(),
    (exchange) => onUpgrade(exchange.upgrade('', [])),
    changes,
  )
  const client = await RawClient.open(port)
  return { server, client, transport: await upgraded.promise, ears }
}

/** A transport on a native connection that only notes what it is asked to send. */
function unitTransport(): { transport: UwsTransport; calls: string[]; native: { buffered: number } } {
  const calls: string[] = []
  const native = { buffered: 0 }
  const note = (call: string): number => calls.push(call)
  const transport = new UwsTransport({ room: 100, compression: false })
  transport.opened({
    transport,
    send: () => note('send'),
    sendFirstFragment: () => note('first'),
    sendFragment: () => note('fragment'),
    sendLastFragment: () => note('last'),
    ping: () => note('ping'),
    getBufferedAmount: () => native.buffered,
    cork: (fn) => fn(),
    subscribe: (topic) => note(`subscribe ${topic}`) > 0,
    unsubscribe: (topic) => note(`unsubscribe ${topic}`) > 0,
    isSubscribed: () => false,
    getTopics: () => [],
    end: (code) => void note(`end ${code}`),
    close: () => void note('close'),
  })
  return { transport, calls, native }
}

const frames = (client: RawClient): string[] =>
  readFrames(client.received).frames.map(({ opcode, fin, payload }) =>
    opcode === 8
      ? `close ${payload.length < 2 ? '' : payload.readUInt16BE()} ${payload.subarray(2).toString()}`
      : `${opcode}${fin ? '' : '…'} ${payload.toString()}`,
  )

describe('Close', () => {
  it('trap 37: SendClose inside a cork from a timer: what was sent, Close, and the end of TCP within a second', async () => {
    const { client, journal, ws } = await connected()
    setTimeout(() =>
      webSocketCork(ws, () => {
        webSocketSendString(ws, 'last')
        webSocketSendClose(ws, 4000, 'bye')
      }),
    )
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(frames(client)).toEqual(['1 last', 'close 4000 bye'])
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000, orderly: true })
  })

  it('trap 37: also where the layer does not see the cork', async () => {
    const { client, transport, ears } = await bare()
    setTimeout(() =>
      transport.cork(() => {
        transport.send('first', 5, 1, true)
        transport.cork(() => {
          transport.send('last', 4, 1, true)
          transport.close(4000, 'bye')
          transport.send('late', 4, 1, true)
        })
      }),
    )
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(frames(client)).toEqual(['1 first', '1 last', 'close 4000 bye'])
    await ears.until('gone')
    expect(ears.heard).toEqual(['close 4000 bye', 'gone'])
  })

  it('inside OPEN and inside MESSAGE: behind what was sent, and TCP ends within a second', async () => {
    for (const when of [WS_EVENT_OPEN, WS_EVENT_MESSAGE]) {
      const { client } = await connected({}, (ws, event) => {
        if (event !== when) return
        webSocketSendString(ws, 'last')
        webSocketCork(ws, () => void webSocketSendClose(ws, 4000, 'bye'))
      })
      client.send(text('go'))
      expect(await timed(client.rest())).toBeLessThan(1000)
      expect(frames(client)).toEqual(['1 last', 'close 4000 bye'])
    }
  })

  it('trap 38: over a message larger than uWebSockets.js lets wait, it comes as soon as there is room', async () => {
    const { client, journal, ws } = await connected({ limits: { maxMessage: 'unlimited', maxBackpressure: '64K' } })
    client.socket.pause()
    const large = Buffer.alloc(16 << 20, 'large')
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, large)).toBe(large.length)
    expect(webSocketGetBufferedAmount(ws)).toBeGreaterThan(128 << 10)
    expect(webSocketSendClose(ws, 4000, 'behind it')).toBe(11)
    // It waits: nothing may be sent in front of it, and the connection is not over.
    expect(webSocketSendString(ws, 'late')).toBe(-14)
    await turn()
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
    const expected = Buffer.concat([reply({ opcode: 2, payload: large }), closeReply(4000, 'behind it')])
    expect((await collect(client)).equals(expected)).toBe(true)
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000, orderly: true })
  })

  it('trap 38: over publishes up to, and one beyond, the limit', async () => {
    const { host, client, journal, ws } = await connected({ limits: { maxMessage: '100K', maxBackpressure: '100K' } })
    webSocketSubscribe(ws, 'room')
    client.socket.pause()
    const room = (100 + 100 + 64) << 10
    let sent = 0
    while (webSocketGetBufferedAmount(ws) <= room) {
      webSocketPublish(host.topics, 'room', `${sent++} ${'x'.repeat(50_000)}`)
      // Published messages leave at the end of a turn.
      await turn()
    }
    expect(webSocketSendClose(ws, 4000, 'behind')).toBe(8)
    client.socket.resume()
    await client.rest()
    const seen = frames(client).map((line) => line.replace(/ x+$/, ''))
    expect(seen).toEqual([...Array.from({ length: sent }, (_, i) => `1 ${i}`), 'close 4000 behind'])
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000 })
  })

  it('comes behind what was published before it, and nothing that is published later comes in front', async () => {
    const { host, client, ws } = await connected({ limits: { maxMessage: 'unlimited', maxBackpressure: '64K' } })
    webSocketSubscribe(ws, 'room')
    webSocketPublish(host.topics, 'room', 'before')
    webSocketSendClose(ws, 4000)
    await client.rest()
    expect(frames(client)).toEqual(['1 before', 'close 4000 '])

    const late = await connected({ limits: { maxMessage: 'unlimited', maxBackpressure: '64K' } })
    webSocketSubscribe(late.ws, 'room')
    late.client.socket.pause()
    webSocketSendBlock(late.ws, WS_MSG_BINARY, Buffer.alloc(16 << 20))
    webSocketSendClose(late.ws, 4000)
    // The Close waits: the connection has left its topics all the same.
    expect(late.host.topics?.subscribers('room')).toBe(0)
    expect(webSocketPublish(late.host.topics, 'room', 'late')).toBe(0)
    const { frames: all } = readFrames(await collect(late.client))
    expect(all.map(({ opcode }) => opcode)).toEqual([2, 8])
  })

  it('a Close that waits is given up when the peer goes, and once only when it says Close itself', async () => {
    for (const leave of [
      (client: RawClient) => client.reset(),
      (client: RawClient) => client.send(close(4001, 'me first')),
    ]) {
      const { client, journal, ws } = await connected({ limits: { maxMessage: 'unlimited', maxBackpressure: '64K' } })
      client.socket.pause()
      webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(16 << 20))
      webSocketSendClose(ws, 4000, 'never sent')
      leave(client)
      await journal.result
      expect(journal.kinds).toEqual([WS_EVENT_OPEN, WS_EVENT_CLOSE])
      client.destroy()
    }
  })

  it('the end without a Close comes behind what was sent', async () => {
    const { client, transport, ears } = await bare()
    setTimeout(() =>
      transport.cork(() => {
        transport.send('last', 4, 1, true)
        transport.end()
        transport.end()
        transport.send('late', 4, 1, true)
      }),
    )
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(frames(client)).toEqual(['1 last'])
    await ears.until('gone')
    expect(ears.heard).toEqual(['end', 'gone'])
  })

  it('the first Close counts, also while it waits', async () => {
    const { client, transport, ears } = await bare({ publishLimit: 100_000 })
    client.socket.pause()
    transport.send(Buffer.alloc(16 << 20), 16 << 20, 2, true)
    transport.close(4000, 'first')
    await turn()
    transport.close(4001, 'second')
    expect((await collect(client)).subarray(-9)).toEqual(closeReply(4000, 'first'))
    await ears.until('gone')
    expect(ears.heard).toEqual(['close 4000 first', 'gone'])
  })

  it.each([0, 1005])('SendClose(%i) is reported as 1005', async (status) => {
    const { client, journal, ws } = await connected()
    webSocketSendClose(ws, status)
    expect(await client.rest()).toEqual(closeReply())
    expect(await journal.ending()).toMatchObject({ run: 0, status: 1005, reason: null, orderly: true })
  })

  it('abort ends a connection whose Close waits', async () => {
    const { client, transport, ears } = await bare({ publishLimit: 100_000 })
    client.socket.pause()
    transport.send(Buffer.alloc(16 << 20), 16 << 20, 2, true)
    transport.close(4000, 'waits')
    transport.end()
    await turn()
    expect(ears.heard).toEqual([])
    transport.abort()
    await ears.until('gone')
    expect(ears.heard).toEqual(['end', 'gone'])
    client.destroy()
  })
})

describe('what waits', () => {
  it('a subscriber that reads nothing is closed with 1013, without a gap; the others get everything in order', async () => {
    const journals: Journal[] = []
    const { host, port } = await serve(
      (web) => {
        const journal = new Journal()
        journals.push(journal)
        return journal.run(web, (ws, event) => void (event === WS_EVENT_OPEN && webSocketSubscribe(ws, 'room')))
      },
      { limits: { maxMessage: '100K', maxBackpressure: '100K' } },
    )
    const stalled = await RawClient.open(port)
    stalled.socket.pause()
    const healthy = await RawClient.open(port)
    await Promise.all(journals.map((journal) => journal.until(WS_EVENT_OPEN)))
    let sent = 0
    // As fast as the healthy one reads: it is the other that falls behind.
    while (journals[0]!.events.length < 3 && sent < 2000) {
      expect(webSocketPublish(host.topics, 'room', `${sent} ${'x'.repeat(50_000)}`)).toBeGreaterThanOrEqual(1)
      sent++
      await healthy.until(() => healthy.received.length >= sent * 50_000)
    }
    expect(await journals[0]!.result).toBe(-1013)
    expect(journals[0]!.events.at(-2)).toMatchObject({ event: WS_EVENT_ERROR, buf: 'Peer reads too slowly' })
    await healthy.until(() => readFrames(healthy.received).frames.length === sent)
    const numbers = (client: RawClient): number[] =>
      readFrames(client.received)
        .frames.filter(({ opcode }) => opcode === 1)
        .map(({ payload }) => parseInt(payload.toString(), 10))
    expect(numbers(healthy)).toEqual(Array.from({ length: sent }, (_, i) => i))
    // Reading again, it gets what there was before it fell behind, and the reason.
    stalled.socket.resume()
    await stalled.rest()
    const before = numbers(stalled)
    expect(before.length).toBeGreaterThan(5)
    expect(before.length).toBeLessThan(sent)
    expect(before).toEqual(Array.from(before, (_, i) => i))
    expect(frames(stalled).at(-1)).toBe('close 1013 ')
    expect(host.topics?.subscribers('room')).toBe(1)
  })

  it('what was published counts for the limit of direct sends: -41, and the connection goes on', async () => {
    const { host, client, journal, ws } = await connected({ limits: { maxMessage: '100K', maxBackpressure: '100K' } })
    webSocketSubscribe(ws, 'room')
    client.socket.pause()
    while (webSocketGetBufferedAmount(ws) <= 100 << 10) {
      webSocketPublish(host.topics, 'room', 'x'.repeat(30_000))
      await turn()
    }
    const waiting = webSocketGetBufferedAmount(ws)
    expect(webSocketSendString(ws, 'refused')).toBe(-41)
    expect(webSocketGetBufferedAmount(ws)).toBe(waiting)
    client.socket.resume()
    expect(await webSocketFlush(ws)).toBe(0)
    expect(webSocketSendString(ws, 'accepted')).toBe(8)
    webSocketSendClose(ws, 4000)
    await client.rest()
    expect(frames(client).slice(-2)).toEqual(['1 accepted', 'close 4000 '])
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000 })
  })

  it('nothing is sent behind a publish that was dropped, and the peer hears 1013', async () => {
    const { server, client, transport, ears } = await bare({ publishLimit: 100_000 })
    expect(transport.subscribe('room')).toBe(true)
    client.socket.pause()
    while (transport.buffered() <= 100_000) transport.send('x'.repeat(50_000), 50_000, 1, true)
    const waiting = transport.buffered()
    server.topics.publish('room', 'dropped', 7, false)
    // A send makes uWebSockets.js work through its topics: the drop happens inside.
    transport.send('behind the gap', 14, 1, true)
    transport.send('further behind', 14, 1, true)
    expect(transport.subscribe('other')).toBe(false)
    await ears.until('overrun')
    expect(server.topics.subscribers('room')).toBe(0)
    expect(transport.buffered()).toBe(waiting)
    expect(ears.heard).toEqual(['overrun'])
    transport.close(1013, '')
    client.socket.resume()
    await client.rest()
    expect(frames(client).filter((line) => !line.startsWith('1 xxx'))).toEqual(['close 1013 '])
    await ears.until('gone')
    expect(ears.heard).toEqual(['overrun', 'close 1013 ', 'gone'])
  })

  it('a Close that is asked for between a dropped publish and its overrun is not lost', async () => {
    const { server, client, transport, ears } = await bare({ publishLimit: 100_000 })
    transport.subscribe('room')
    client.socket.pause()
    while (transport.buffered() <= 100_000) transport.send('x'.repeat(50_000), 50_000, 1, true)
    server.topics.publish('room', 'dropped', 7, false)
    transport.send('the drop happens inside', 23, 1, true)
    // As when the host stops now, or the callback that has published throws.
    transport.close(4000, 'meanwhile')
    transport.end()
    await turn()
    client.socket.resume()
    await client.rest()
    expect(frames(client).at(-1)).toBe('close 4000 meanwhile')
    await ears.until('gone')
    expect(ears.heard).toEqual(['close 4000 meanwhile', 'gone'])
  })

  it('many publishes that are dropped at once are one overrun', async () => {
    const { server, client, transport, ears } = await bare({ publishLimit: 100_000 })
    transport.subscribe('room')
    client.socket.pause()
    while (transport.buffered() <= 100_000) transport.send('x'.repeat(50_000), 50_000, 1, true)
    // Long ones do not wait for the end of the turn: each is dropped on its own.
    for (let i = 0; i < 10; i++) server.topics.publish('room', 'x'.repeat(50_000), 50_000, false)
    await ears.until('overrun')
    await turn()
    await turn()
    expect(ears.heard).toEqual(['overrun'])
    client.destroy()
  })

  it('nothing is sent behind the gap even where there is room again', async () => {
    const { transport, calls } = unitTransport()
    const ears = new Ears()
    transport.setReceiver(ears)
    transport.dropped()
    expect(transport.send('late', 4, 1, true)).toBe(false)
    expect(transport.send('late', 4, 2, false)).toBe(false)
    expect(transport.send('', 0, 9, true)).toBe(false)
    expect(transport.subscribe('room')).toBe(false)
    expect(calls).toEqual([])
    await ears.until('overrun')
    transport.close(1013, '')
    expect(calls).toEqual(['end 1013'])
  })

  it.each([
    ['in one frame', 'unlimited', 'unlimited'],
    ['in frames, whatever its length', 'unlimited', '64K'],
    ['in frames hardly longer than their headers', '1M', 4],
  ])('one message may wait beyond the limit, as a whole: %s', async (_what, maxMessage, maxFrame) => {
    const { client, journal, ws } = await connected({ limits: { maxMessage, maxFrame, maxBackpressure: '64K' } })
    client.socket.pause()
    const filler = Buffer.alloc(4000)
    let fillers = 0
    // Until the kernel takes no more.
    for (; webSocketGetBufferedAmount(ws) === 0; fillers++) webSocketSendBlock(ws, WS_MSG_BINARY, filler)
    const large = Buffer.alloc(1 << 20, 'large')
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, large)).toBe(large.length)
    expect(webSocketSendBlock(ws, WS_MSG_BINARY, large)).toBe(-41)
    const received = collect(client)
    const flushed = await webSocketFlush(ws)
    webSocketSendClose(ws, 4000)
    const { frames: all } = readFrames(await received)
    const payloads = Buffer.concat(all.slice(0, -1).map(({ payload }) => payload)).subarray(fillers * filler.length)
    expect([flushed, payloads.length, payloads.equals(large)]).toEqual([0, large.length, true])
    expect(all.at(-1)).toEqual({ fin: true, opcode: 8, payload: Buffer.of(0x0f, 0xa0) })
    expect(await journal.ending()).toMatchObject({ run: 0, status: 4000 })
  })

  it('trap 46: a full queue: earlier messages delivered, then ERROR, CLOSE; Close 1008; -1008', async () => {
    const gate = deferred()
    const { client, journal } = await connected({ limits: { maxMessage: '50K', maxQueue: '200K' } }, (_ws, event) =>
      event === WS_EVENT_OPEN ? gate.promise : undefined,
    )
    const message = (i: number): string => `${i} ${'x'.repeat(10_000)}`
    client.send(Buffer.concat(Array.from({ length: 100 }, (_, i) => text(message(i)))))
    // The peer hears of it although the callback is still pending.
    expect(await client.rest()).toEqual(closeReply(1008))
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
    gate.resolve()
    expect(await journal.ending()).toMatchObject({ run: -1008, status: 1006, orderly: false })
    const delivered = journal.texts.length
    // Each costs its length and a little.
    expect(delivered).toBeGreaterThan(15)
    expect(delivered).toBeLessThan(21)
    expect(journal.texts).toEqual(Array.from({ length: delivered }, (_, i) => message(i)))
    expect(journal.kinds.slice(1 + delivered)).toEqual([WS_EVENT_ERROR, WS_EVENT_CLOSE])
    expect(journal.events.at(-2)?.buf).toBe('Receive queue overflow')
  })

  it('trap 46: also of messages that weigh nothing', async () => {
    const gate = deferred()
    const { client, journal } = await connected({}, (_ws, event) =>
      event === WS_EVENT_OPEN ? gate.promise : undefined,
    )
    client.send(Buffer.concat(Array.from({ length: 5000 }, () => text(''))))
    expect(await client.rest()).toEqual(closeReply(1008))
    gate.resolve()
    expect(await journal.result).toBe(-1008)
    expect(journal.texts.length).toBe(4096)
  })

  it('flush waits for a peer that does not read, and until all has gone', async () => {
    const { client, ws } = await connected({ limits: { maxBackpressure: 'unlimited' } })
    client.socket.pause()
    for (let i = 0; i < 200; i++) webSocketSendString(ws, 'x'.repeat(100_000))
    expect(webSocketGetBufferedAmount(ws)).toBeGreaterThan(1 << 20)
    const settled: number[] = []
    const both = Promise.all([webSocketFlush(ws), webSocketFlush(ws)]).then((codes) => settled.push(...codes))
    for (let i = 0; i < 50; i++) await turn()
    expect(settled).toEqual([])
    client.socket.resume()
    await both
    expect(settled).toEqual([0, 0])
    expect(webSocketGetBufferedAmount(ws)).toBe(0)
    client.destroy()
  })

  it('send, and after a -41 flush and send again: all of it arrives, however slowly it is read', async () => {
    const count = 300
    const block = (i: number): Buffer => Buffer.alloc(100_000, i)
    const { client } = await connected({ limits: { maxBackpressure: '64K' } }, async (ws, event) => {
      if (event !== WS_EVENT_MESSAGE) return
      for (let i = 0; i < count; i++) {
        while (webSocketSendBlock(ws, WS_MSG_BINARY, block(i)) === -41) expect(await webSocketFlush(ws)).toBe(0)
      }
      webSocketSendClose(ws, 4000)
    })
    client.send(text('go'))
    const all = [...Array.from({ length: count }, (_, i) => reply({ opcode: 2, payload: block(i) })), closeReply(4000)]
    expect((await collect(client)).equals(Buffer.concat(all))).toBe(true)
  })

  it('a drain is told once, when nothing waits, and never inside the call that asks for it', async () => {
    const { client, transport, ears } = await bare()
    transport.requestDrain()
    expect(ears.heard).toEqual([])
    await ears.until('drain')
    transport.cork(() => {})
    client.socket.pause()
    transport.send(Buffer.alloc(16 << 20), 16 << 20, 2, true)
    await turn()
    expect(ears.heard).toEqual(['drain'])
    transport.requestDrain()
    const waited: number[] = []
    ears.onDrained = () => void waited.push(transport.buffered())
    await turn()
    await turn()
    expect(waited).toEqual([])
    const received = collect(client)
    while (waited.length === 0) await turn()
    transport.close(4000, '')
    expect((await received).length).toBe((16 << 20) + 10 + 4)
    await ears.until('gone')
    expect(waited).toEqual([0])
    expect(ears.heard).toEqual(['drain', 'drain', 'close 4000 ', 'gone'])
  })

  it('a drain is not told inside the handler of uWebSockets.js: what is sent there may never leave', async () => {
    const { transport, native } = unitTransport()
    const ears = new Ears()
    transport.setReceiver(ears)
    native.buffered = 10
    transport.requestDrain()
    await turn()
    native.buffered = 0
    transport.drained()
    expect(ears.heard).toEqual([])
    await ears.until('drain')
    expect(ears.heard).toEqual(['drain'])
  })

  it('flush of a peer that goes away is -14', async () => {
    const { client, ws, journal } = await connected({ limits: { maxBackpressure: 'unlimited' } })
    client.socket.pause()
    webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(16 << 20))
    const flushed = webSocketFlush(ws)
    client.reset()
    expect(await flushed).toBe(-14)
    expect(await journal.result).toBe(-1006)
  })

  it.each([10, 10_000, 100_000, 16 << 20])(
    'flush inside a callback and inside a cork, behind %i bytes',
    async (size) => {
      const codes: number[] = []
      const block = Buffer.alloc(size, 1)
      const { client } = await connected(
        { limits: { maxMessage: 'unlimited', maxBackpressure: 'unlimited' } },
        async (ws, event) => {
          if (event !== WS_EVENT_MESSAGE) return
          webSocketSendBlock(ws, WS_MSG_BINARY, block)
          codes.push(await webSocketFlush(ws))
          let flushed: Promise<number> = Promise.resolve(-1)
          webSocketCork(ws, () => {
            webSocketSendBlock(ws, WS_MSG_BINARY, block)
            flushed = webSocketFlush(ws)
          })
          codes.push(await flushed, webSocketGetBufferedAmount(ws))
          webSocketSendClose(ws, 4000)
        },
      )
      client.send(text('go'))
      const one = reply({ opcode: 2, payload: block })
      expect((await collect(client)).equals(Buffer.concat([one, one, closeReply(4000)]))).toBe(true)
      expect(codes).toEqual([0, 0, 0])
    },
  )
})

describe('handles of connections that have gone', () => {
  const calls: Record<string, (ws: WebSocket) => unknown> = {
    webSocketAlloc: () => null,
    webSocketClientLoop: () => null,
    webSocketCork: (ws) => api.webSocketCork(ws, () => void webSocketSendString(ws, 'corked')),
    webSocketFlush: (ws) => api.webSocketFlush(ws),
    webSocketFree: (ws) => api.webSocketFree(ws),
    webSocketGetBufferedAmount: (ws) => api.webSocketGetBufferedAmount(ws),
    webSocketGetClientKey: (ws) => api.webSocketGetClientKey(ws),
    webSocketGetCloseReason: (ws) => api.webSocketGetCloseReason(ws),
    webSocketGetCloseStatus: (ws) => api.webSocketGetCloseStatus(ws),
    webSocketGetData: (ws) => api.webSocketGetData(ws),
    webSocketGetErrorMessage: (ws) => api.webSocketGetErrorMessage(ws),
    webSocketGetMessageLength: (ws) => api.webSocketGetMessageLength(ws),
    webSocketGetOrderlyClosed: (ws) => api.webSocketGetOrderlyClosed(ws),
    webSocketGetProtocol: (ws) => api.webSocketGetProtocol(ws),
    webSocketGetRemoteAddress: (ws) => api.webSocketGetRemoteAddress(ws),
    webSocketGetState: (ws) => api.webSocketGetState(ws),
    webSocketPublish: (ws) => api.webSocketPublish(ws.topics, 'room', 'published'),
    webSocketRun: (ws) => api.webSocketRun(ws, () => {}),
    webSocketSelectProtocol: (ws) => api.webSocketSelectProtocol(ws, 'chat'),
    webSocketSend: (ws) => api.webSocketSend(ws, '%s', 'formatted'),
    webSocketSendBlock: (ws) =>
      [WS_MSG_BINARY, WS_MSG_PING, WS_MSG_TEXT | WS_MSG_MORE, 0].map((type) => api.webSocketSendBlock(ws, type, 'x')),
    webSocketSendClose: (ws) => api.webSocketSendClose(ws, 4003, 'again'),
    webSocketSendJson: (ws) => api.webSocketSendJson(ws, { json: true }),
    webSocketSendString: (ws) => api.webSocketSendString(ws, 'late'),
    webSocketSetClientKey: (ws) => api.webSocketSetClientKey(ws, 'key'),
    webSocketSetData: (ws) => api.webSocketSetData(ws, 'data'),
    webSocketSetLimits: (ws) => api.webSocketSetLimits(ws, 1, 2),
    webSocketSetPartial: (ws) => api.webSocketSetPartial(ws, true),
    webSocketSetPingPeriod: (ws) => api.webSocketSetPingPeriod(ws, 20),
    webSocketSetRaw: (ws) => api.webSocketSetRaw(ws, true),
    webSocketSetValidateUTF: (ws) => api.webSocketSetValidateUTF(ws, true),
    webSocketSetView: (ws) => api.webSocketSetView(ws, true),
    webSocketSubscribe: (ws) => api.webSocketSubscribe(ws, 'room'),
    webSocketUnsubscribe: (ws) => api.webSocketUnsubscribe(ws, 'room'),
  }
  const callAll = (ws: WebSocket): void => {
    for (const call of Object.values(calls)) expect(() => call(ws)).not.toThrow()
    expect(webSocketSendString(ws, 'late')).toBe(-14)
    expect(webSocketGetBufferedAmount(ws)).toBe(0)
    expect(webSocketSubscribe(ws, 'room')).toBe(false)
  }

  it('trap 50: the list of calls is complete', () => {
    const functions = Object.keys(api).filter((name) => name.startsWith('webSocket'))
    expect(Object.keys(calls).toSorted()).toEqual(functions.toSorted())
  })

  it.each<[string, (client: RawClient, ws: WebSocket, host: Host) => unknown]>([
    ['the peer has closed', (client) => client.send(close(4000))],
    ['we have closed', (_client, ws) => webSocketSendClose(ws, 4001)],
    ['it was reset', (client) => client.reset()],
    ['the peer has ended TCP', (client) => client.socket.end()],
    ['it was freed', (_client, ws) => webSocketFree(ws)],
    ['the peer broke the protocol', (client) => client.send(frame({ opcode: 3 }))],
    ['its host has stopped', (_client, _ws, host) => host.stop()],
  ])('trap 50: no call throws after %s: inside CLOSE, behind it, and long after', async (_what, end) => {
    let inside = 0
    const { host, client, journal, ws } = await connected({}, (handle, event) => {
      if (event === WS_EVENT_OPEN) webSocketSubscribe(handle, 'room')
      if (event !== WS_EVENT_CLOSE) return
      callAll(handle)
      inside++
    })
    const stopped = end(client, ws, host)
    // Whatever has happened by now.
    if (journal.kinds.includes(WS_EVENT_CLOSE)) callAll(ws)
    await journal.result
    callAll(ws)
    await stopped
    await client.rest()
    await turn()
    callAll(ws)
    expect(inside).toBe(1)
    expect(journal.kinds.at(-1)).toBe(WS_EVENT_CLOSE)
  })

  it('trap 50: nor does a call of the transport', async () => {
    const { server, client, transport, ears } = await bare()
    transport.subscribe('room')
    transport.requestDrain()
    client.send(close(4000))
    await ears.until('gone')
    const seen: unknown[] = [
      transport.send('x', 1, 1, true),
      transport.send('x', 1, 2, false),
      transport.send('x', 1, 0, true),
      transport.send('', 0, 9, true),
      transport.buffered(),
      transport.subscribe('room'),
      transport.unsubscribe('room'),
      server.topics.publish('room', 'x', 1, false),
    ]
    let corked = 0
    transport.cork(() => corked++)
    transport.close(4001, '')
    transport.end()
    transport.abort()
    transport.requestDrain()
    transport.pause()
    transport.resume()
    await turn()
    await turn()
    expect(seen).toEqual([false, false, false, false, 0, false, false, 0])
    expect(corked).toBe(1)
    expect(ears.heard.filter((line) => line !== 'drain')).toEqual(['close 4000 ', 'gone'])
  })

  it('webSocketFree inside OPEN: the handshake is answered, nothing else, and CLOSE comes', async () => {
    const { client, journal } = await connected({}, (ws, event) => void (event === WS_EVENT_OPEN && webSocketFree(ws)))
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(client.received.length).toBe(0)
    expect(await journal.ending()).toMatchObject({
      run: -1006,
      orderly: false,
      kinds: [WS_EVENT_OPEN, WS_EVENT_CLOSE],
    })
  })

  it('webSocketFree inside MESSAGE behind a send: what was sent arrives, then the end of TCP', async () => {
    const { client, journal } = await connected({}, (ws, event) => {
      if (event !== WS_EVENT_MESSAGE) return
      webSocketSendString(ws, 'last words')
      webSocketFree(ws)
      webSocketSendString(ws, 'too late')
    })
    client.send(Buffer.concat([text('go'), text('on')]))
    expect(await client.rest()).toEqual(reply({ opcode: 1, payload: 'last words' }))
    expect(await journal.ending()).toMatchObject({ run: -1006, status: 1006, reason: null, orderly: false })
    expect(journal.kinds).toEqual([WS_EVENT_OPEN, WS_EVENT_MESSAGE, WS_EVENT_CLOSE])
  })

  it('webSocketFree inside a cork from a timer: the same', async () => {
    const { client, journal, ws } = await connected()
    setTimeout(() =>
      webSocketCork(ws, () => {
        webSocketSendString(ws, 'last words')
        webSocketFree(ws)
      }),
    )
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(client.received).toEqual(reply({ opcode: 1, payload: 'last words' }))
    expect(await journal.result).toBe(-1006)
  })
})

describe('cork', () => {
  // Callbacks fail on purpose here: their log lines would say nothing.
  beforeAll(() => rSetLogSink(() => {}))
  afterAll(() => rSetLogSink(null))

  it('nested: everything once and in order', async () => {
    const { client, ws } = await connected()
    webSocketCork(ws, () => {
      webSocketSendString(ws, '1')
      webSocketCork(ws, () => webSocketCork(ws, () => void webSocketSendString(ws, '2')))
      webSocketSendString(ws, '3')
      webSocketSetLimits(ws, 2, 0)
      // Sent in frames, which is a cork of the engine.
      webSocketSendString(ws, '4444')
      webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.from('bbbbb'))
      webSocketSendBlock(ws, WS_MSG_PING, 'ping')
    })
    webSocketSendString(ws, '5')
    const expected = ['1 1', '1 2', '1 3', '1… 44', '0 44', '2… bb', '0… bb', '0 b', '9 ping', '1 5']
    await client.until(() => frames(client).length === expected.length)
    expect(frames(client)).toEqual(expected)
    client.destroy()
  })

  it('of many messages leaves in order, however long they are', async () => {
    const { client, ws } = await connected({ limits: { maxBackpressure: 'unlimited' } })
    const sizes = [1, 70_000, 2, 16_000, 400_000, 3, 16_384, 5]
    webSocketCork(ws, () => {
      for (const [i, size] of sizes.entries()) webSocketSendString(ws, String(i).repeat(size))
    })
    const expected = Buffer.concat(sizes.map((size, i) => reply({ opcode: 1, payload: String(i).repeat(size) })))
    await client.until(() => client.received.length >= expected.length)
    expect(client.received.equals(expected)).toBe(true)
    client.destroy()
  })

  it('whose function throws: the caller gets it, what was sent leaves, and the connection goes on', async () => {
    const { client, ws } = await connected()
    const error = new Error('inside')
    expect(() =>
      webSocketCork(ws, () => {
        webSocketSendString(ws, 'before')
        webSocketCork(ws, () => {
          throw error
        })
      }),
    ).toThrow(error)
    webSocketCork(ws, () => void webSocketSendString(ws, 'after'))
    await client.until(() => frames(client).length === 2)
    webSocketSendClose(ws, 4000)
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(frames(client)).toEqual(['1 before', '1 after', 'close 4000 '])
  })

  it('in which a callback throws: Close 1011 behind what was sent, and the others go on', async () => {
    const { port, client, journal } = await connected({}, (ws, event) => {
      if (event !== WS_EVENT_MESSAGE) return
      webSocketCork(ws, () => {
        webSocketSendString(ws, 'before')
        throw new Error('on purpose')
      })
    })
    const other = await RawClient.open(port)
    client.send(text('go'))
    expect(await timed(client.rest())).toBeLessThan(1000)
    expect(frames(client)).toEqual(['1 before', 'close 1011 '])
    expect(await journal.result).toBe(-1011)
    other.send(ping('alive'))
    expect((await other.frame()).payload.toString()).toBe('alive')
    other.destroy()
  })

  it('a receiver that throws costs its connection, and is an uncaught exception', async () => {
    const { client, ears } = await bare()
    ears.onText = () => {
      throw new Error('in the receiver')
    }
    const uncaught = catchUncaught()
    client.send(text('go'))
    await client.rest()
    await ears.until('gone')
    expect(await uncaught).toMatchObject({ message: 'in the receiver' })
  })
})

describe('topics', () => {
  const hosts: Host[] = []
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.stop()))
  })

  it('subscribe and unsubscribe twice: the second is false; topics are apart', async () => {
    const { host, client, ws } = await connected()
    const seen = [
      webSocketUnsubscribe(ws, 'room'),
      webSocketSubscribe(ws, 'room'),
      webSocketSubscribe(ws, 'room'),
      host.topics?.subscribers('room'),
      webSocketSubscribe(ws, 'other'),
      webSocketPublish(host.topics, 'room', 'one'),
      webSocketUnsubscribe(ws, 'room'),
      webSocketUnsubscribe(ws, 'room'),
      webSocketPublish(host.topics, 'room', 'two'),
      webSocketPublish(host.topics, 'other', Buffer.from('three')),
    ]
    expect(seen).toEqual([false, true, false, 1, true, 1, true, false, 0, 1])
    await client.until(() => frames(client).length >= 2)
    expect(frames(client)).toEqual(['1 one', '2 three'])
    client.destroy()
  })

  it('a connection leaves its topics when it is reset, when it says Close, and when it is freed', async () => {
    const journals: Journal[] = []
    const { host, port } = await serve((web) => {
      const journal = new Journal()
      journals.push(journal)
      return journal.run(web, (ws, event) => void (event === WS_EVENT_OPEN && webSocketSubscribe(ws, 'room')))
    })
    const clients = [await RawClient.open(port), await RawClient.open(port), await RawClient.open(port)]
    await Promise.all(journals.map((journal) => journal.until(WS_EVENT_OPEN)))
    expect(host.topics?.subscribers('room')).toBe(3)
    webSocketSendClose(journals[0]!.ws)
    expect(host.topics?.subscribers('room')).toBe(2)
    clients[1]!.reset()
    await journals[1]!.result
    expect(host.topics?.subscribers('room')).toBe(1)
    webSocketFree(journals[2]!.ws)
    await clients[2]!.rest()
    expect(host.topics?.subscribers('room')).toBe(0)
    for (const client of clients) client.destroy()
  })

  it('a publish reaches the connections of every listener, counts them all, the publisher too', async () => {
    const host = createHost(
      {
        web: {
          engine: 'uws',
          listen: ['127.0.0.1:0', '127.0.0.1:0'],
          timeouts: { drain: '100ms' },
          routes: [{ handler: 'action' }],
        },
      },
      parts,
    )
    const counts: number[] = []
    host.addAction('/', (web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event === WS_EVENT_OPEN) webSocketSubscribe(ws, 'room')
        if (event !== WS_EVENT_MESSAGE) return
        counts.push(webSocketPublish(ws.topics, 'room', 'to all'), host.topics?.subscribers('room') ?? 0)
      }),
    )
    hosts.push(host)
    expect(await host.start()).toBe(0)
    const clients = await Promise.all(host.listening.map(({ port }) => RawClient.open(port)))
    expect(clients.length).toBe(2)
    clients[0]!.send(text('go'))
    for (const client of clients) expect((await client.frame()).payload.toString()).toBe('to all')
    expect(counts).toEqual([2, 2])
    for (const client of clients) client.destroy()
  })

  it('direct sends and publishes keep the order of their calls', async () => {
    const { host, client, ws } = await connected()
    webSocketSubscribe(ws, 'room')
    for (let i = 0; i < 10; i++) {
      webSocketSendString(ws, `send ${i}`)
      webSocketPublish(host.topics, 'room', `publish ${i}`)
    }
    webSocketCork(ws, () => {
      webSocketSendString(ws, 'corked')
      webSocketPublish(host.topics, 'room', 'in between')
      webSocketSendString(ws, 'last')
    })
    await client.until(() => frames(client).length === 23)
    const pairs = Array.from({ length: 10 }, (_, i) => [`1 send ${i}`, `1 publish ${i}`]).flat()
    expect(frames(client)).toEqual([...pairs, '1 corked', '1 in between', '1 last'])
    client.destroy()
  })

  it('trap 24: a publish never lands between the frames of a message that maxFrame has cut', async () => {
    const burst = (handle: WebSocket): void => {
      webSocketPublish(handle.topics, 'room', 'before')
      webSocketSendString(handle, 'x'.repeat(5000))
      webSocketPublish(handle.topics, 'room', 'between')
      webSocketSendString(handle, 'y'.repeat(5000))
      webSocketPublish(handle.topics, 'room', 'after')
    }
    const { client, ws } = await connected({ limits: { maxFrame: 1000 } }, (handle, event) => {
      if (event === WS_EVENT_OPEN) webSocketSubscribe(handle, 'room')
      if (event === WS_EVENT_MESSAGE) burst(handle)
    })
    // Inside the handler of uWebSockets.js, where all is corked, and from a timer.
    client.send(text('go'))
    await client.until(() => frames(client).length === 13)
    const expected = ['1 before', '1… xxx', '0… xxx', '0… xxx', '0… xxx', '0 xxx', '1 between']
    const second = ['1… yyy', '0… yyy', '0… yyy', '0… yyy', '0 yyy', '1 after']
    const shortened = (): string[] => frames(client).map((line) => line.replace(/([xy])\1{900,}/, '$1$1$1'))
    expect(shortened()).toEqual([...expected, ...second])
    client.received = Buffer.alloc(0)
    setTimeout(() => burst(ws))
    await client.until(() => frames(client).length === 13)
    expect(shortened()).toEqual([...expected, ...second])
    client.destroy()
  })
})

describe('addresses and pings', () => {
  it('messages, pings and pongs of the peer are activity, and so is that it reads', async () => {
    const { client, transport, ears } = await bare()
    for (const [i, bytes] of [text('x'), binary(Buffer.of(1)), ping('p'), frame({ opcode: 10 })].entries()) {
      expect(ears.active).toBe(i)
      client.send(bytes)
      while (ears.active === i) await turn()
    }
    client.socket.pause()
    transport.send(Buffer.alloc(16 << 20), 16 << 20, 2, true)
    await turn()
    expect(ears.active).toBe(4)
    const received = collect(client)
    while (ears.active === 4) await turn()
    transport.close(4000, '')
    await received
  })

  it.each([
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]', '::1'],
    ['[::]', '[::1]', '::1'],
    ['[::]', '127.0.0.1', '127.0.0.1'],
    ['', '127.0.0.1', '127.0.0.1'],
  ])('a listener on "%s" sees a client of %s as %s', async (listener, address, seen) => {
    for (const engine of ['node', 'uws'] as const) {
      const addresses: string[] = []
      const host = createHost({ web: { engine, listen: `${listener}:0`, routes: [{ handler: 'action' }] } }, parts)
      host.addAction('/', (web) => {
        addresses.push(web.remote, webSocketGetRemoteAddress(web.webSocket))
        return webSocketRun(web.webSocket, () => {})
      })
      expect(await host.start()).toBe(0)
      const peer = await Peer.open(`ws://${address}:${host.listening[0]?.port}`)
      peer.socket.close()
      await peer.closed
      await host.stop()
      expect(addresses).toEqual([seen, seen])
    }
  })

  it('pings carry what they are given, and the pong is nobody else’s', async () => {
    const { client, ws, journal } = await connected()
    for (const payload of ['', 'text', Buffer.from([0, 255, 128]), 'é'.repeat(62)]) {
      expect(webSocketSendBlock(ws, WS_MSG_PING, payload)).toBe(Buffer.byteLength(payload))
      expect(await client.frame()).toEqual({ fin: true, opcode: 9, payload: Buffer.from(payload) })
    }
    client.send(Buffer.concat([frame({ opcode: 10, payload: 'pong' }), ping('p'), text('behind')]))
    expect(await client.frame()).toMatchObject({ opcode: 10, payload: Buffer.from('p') })
    await journal.until(WS_EVENT_MESSAGE)
    expect(journal.texts).toEqual(['behind'])
    client.destroy()
  })
})

/** A client of the ws package. */
class Peer {
  readonly socket: WsClient
  readonly messages: (string | Buffer)[] = []
  readonly closed: Promise<number>
  #wake: (() => void)[] = []

  constructor(socket: WsClient) {
    this.socket = socket
    socket.on('message', (data, isBinary) => {
      if (Buffer.isBuffer(data)) this.messages.push(isBinary ? data : data.toString())
      for (const fn of this.#wake.splice(0)) fn()
    })
    this.closed = new Promise((resolve) => socket.once('close', resolve))
  }

  static open(url: string, options: ConstructorParameters<typeof WsClient>[2] = {}): Promise<Peer> {
    const socket = new WsClient(url, options)
    const peer = new Peer(socket)
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('open', () => resolve(peer))
    })
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }
}

describe('compression', () => {
  const OFFER = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'
  const on = { webSockets: { compression: true } }
  /** One byte below what is worth compressing, and that. */
  const [short, long] = ['é'.repeat(511) + 'x', 'é'.repeat(512)]
  const echo: WebAction = (web) =>
    webSocketRun(web.webSocket, (ws, event, buf) => {
      if (event === WS_EVENT_MESSAGE) webSocketSendBlock(ws, ws.type, buf)
    })

  /** Past a handshake that offers compression; its answer's header. */
  async function offering(port: number, offer: string = OFFER): Promise<{ client: RawClient; head: string }> {
    const client = await RawClient.connect(port)
    client.send(handshake('/', { 'Sec-WebSocket-Extensions': offer }))
    const { status, head } = await client.response()
    expect(status).toBe(101)
    return { client, head }
  }

  const isDeflated = (client: RawClient): boolean => (client.received[0]! & 0x40) !== 0
  const inflated = (payload: Buffer): string =>
    inflateRawSync(Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]), {
      finishFlush: constants.Z_SYNC_FLUSH,
    }).toString()

  it('long text comes compressed, in both directions, from a client that negotiates it', async () => {
    const journal = new Journal()
    const { port } = await serve(
      (web) =>
        journal.run(web, (ws, event, buf) => void (event === WS_EVENT_MESSAGE && webSocketSendBlock(ws, ws.type, buf))),
      on,
    )
    const peer = await Peer.open(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } })
    expect(peer.socket.extensions).toContain('permessage-deflate')
    const messages = [
      'x',
      short,
      long,
      'long text '.repeat(8000),
      '',
      Buffer.alloc(50_000, 3),
      '\u{1f600}'.repeat(9000),
    ]
    for (const message of messages) peer.socket.send(message)
    await peer.until(messages.length)
    expect(journal.texts).toEqual(messages)
    expect(peer.messages).toEqual(messages)
    peer.socket.close(4000)
    expect(await peer.closed).toBe(4000)
  })

  it('on the wire: RSV1 for text of 1024 bytes and more, not for less, nor for bytes, nor for frames of a message', async () => {
    const journal = new Journal()
    const served = await serve((web) => journal.run(web), on)
    const { client, head } = await offering(served.port)
    expect(head.toLowerCase()).toContain('sec-websocket-extensions: permessage-deflate')
    await journal.until(WS_EVENT_OPEN)
    const handle = journal.ws
    const check = async (send: () => void, deflated: boolean, expected: string): Promise<void> => {
      send()
      await client.until(() => readFrames(client.received).frames.length > 0)
      expect(isDeflated(client)).toBe(deflated)
      const { payload } = await client.frame()
      expect(deflated ? inflated(payload) : payload.toString()).toBe(expected)
      if (deflated) expect(payload.length).toBeLessThan(200)
    }
    await check(() => void webSocketSendString(handle, long), true, long)
    await check(() => void webSocketSendString(handle, short), false, short)
    await check(() => void webSocketSendBlock(handle, WS_MSG_TEXT, Buffer.from(long)), true, long)
    await check(() => void webSocketSendBlock(handle, WS_MSG_BINARY, Buffer.from(long)), false, long)
    await check(() => void webSocketSendBlock(handle, WS_MSG_PING, 'p'), false, 'p')
    // Two messages one behind the other do not share their compression.
    await check(() => void webSocketSendString(handle, long), true, long)
    await check(() => void webSocketSendBlock(handle, WS_MSG_TEXT | WS_MSG_MORE, long), false, long)
    await check(() => void webSocketSendBlock(handle, 0, long), false, long)
    webSocketSetLimits(handle, 1024, 0)
    webSocketSendString(handle, `${long}tail`)
    await client.until(() => readFrames(client.received).frames.length === 2)
    for (const expected of [long, 'tail']) {
      expect(isDeflated(client)).toBe(false)
      expect((await client.frame()).payload.toString()).toBe(expected)
    }
    // Publishes too.
    webSocketSubscribe(handle, 'room')
    const publish = (data: string | Buffer) => () => void webSocketPublish(served.host.topics, 'room', data)
    await check(publish(long), true, long)
    await check(publish(short), false, short)
    await check(publish(Buffer.from(long)), false, long)
    client.destroy()
  })

  it('a publish reaches those who have negotiated it and those who have not', async () => {
    const opened = [deferred(), deferred()]
    let next = 0
    const { host, port } = await serve(
      (web) =>
        webSocketRun(web.webSocket, (ws, event) => {
          if (event !== WS_EVENT_OPEN) return
          webSocketSubscribe(ws, 'room')
          opened[next++]?.resolve()
        }),
      on,
    )
    const peers = await Promise.all(
      [true, false].map((perMessageDeflate) => Peer.open(`ws://127.0.0.1:${port}`, { perMessageDeflate })),
    )
    await Promise.all(opened.map(({ promise }) => promise))
    expect(peers.map(({ socket }) => socket.extensions !== '')).toEqual([true, false])
    const messages = [long, short, 'x'.repeat(100_000)]
    for (const message of messages) expect(webSocketPublish(host.topics, 'room', message)).toBe(2)
    for (const peer of peers) {
      await peer.until(messages.length)
      expect(peer.messages).toEqual(messages)
      peer.socket.terminate()
    }
  })

  it('is off by default, and needs an offer', async () => {
    for (const [web, offer] of [
      [{}, OFFER],
      [on, 'x-unknown'],
    ] as const) {
      const { port } = await serve(echo, web)
      const { client, head } = await offering(port, offer)
      expect(head.toLowerCase()).not.toContain('sec-websocket-extensions')
      client.send(text(long))
      await client.until(() => readFrames(client.received).frames.length === 1)
      expect(isDeflated(client)).toBe(false)
      expect((await client.frame()).payload.toString()).toBe(long)
      client.destroy()
    }
  })

  it('binary is never compressed, whoever sends it', async () => {
    const { port } = await serve(echo, on)
    const { client } = await offering(port)
    const payload = Buffer.alloc(5000, 'b')
    client.send(binary(payload))
    await client.until(() => readFrames(client.received).frames.length === 1)
    expect(isDeflated(client)).toBe(false)
    expect((await client.frame()).payload.equals(payload)).toBe(true)
    client.destroy()
  })
})
