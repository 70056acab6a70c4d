import { createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { webSocketAlloc } from '../../../lib/standalone.ts'
import { toFrame } from '../../../lib/engine/node/encoder.ts'
import { NodeTransport } from '../../../lib/engine/node/transport.ts'
import { webSocketSendClose } from '../../../lib/websock/close.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import { webSocketPublish, webSocketSubscribe } from '../../../lib/websock/topics.ts'
import { WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import {
  webSocketCork,
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSendString,
} from '../../../lib/websock/send.ts'
import { readFrames, reply, text } from '../../support/frames.ts'
import { Journal } from '../../support/journal.ts'
import { RawClient } from '../../support/raw.ts'
import { serve } from '../../support/server.ts'

describe('fan-out on the node engine', () => {
  it('a subscriber that reads nothing is closed with 1013; the others get everything in order', async () => {
    const journals: Journal[] = []
    const { host, port } = await serve(
      'node',
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
    let sent = 0
    const payload = (i: number): string => `${i} ${'x'.repeat(50_000)}`
    // As fast as the healthy one reads: it is the other that falls behind.
    while (journals[0]!.events.length < 3 && sent < 2000) {
      expect(webSocketPublish(host.topics, 'room', payload(sent))).toBeGreaterThanOrEqual(1)
      sent++
      await healthy.until(() => healthy.received.length >= sent * 50_000)
    }
    expect(await journals[0]!.result).toBe(-1013)
    expect(journals[0]!.events.at(-2)?.buf).toBe('Peer reads too slowly')
    await healthy.until(() => readFrames(healthy.received).frames.length === sent)
    expect(readFrames(healthy.received).frames.map((frame) => parseInt(frame.payload.toString(), 10))).toEqual(
      Array.from({ length: sent }, (_, i) => i),
    )
    expect(host.topics?.subscribers('room')).toBe(1)
    stalled.destroy()
  }, 30_000)

  it('direct sends and publishes keep the order of their calls', async () => {
    const { port } = await serve('node', (web) =>
      new Journal().run(web, (ws, event) => {
        if (event === WS_EVENT_OPEN) webSocketSubscribe(ws, 'room')
        if (event !== WS_EVENT_MESSAGE) return
        for (let i = 0; i < 10; i++) {
          webSocketSendString(ws, `send ${i}`)
          webSocketPublish(ws.topics, 'room', `publish ${i} ${'x'.repeat(10_000)}`)
        }
        setImmediate(() =>
          webSocketCork(ws, () => {
            webSocketSendString(ws, 'corked')
            webSocketPublish(ws.topics, 'room', 'published in between')
            webSocketSendString(ws, 'x'.repeat(100_000))
            webSocketSendString(ws, 'last')
          }),
        )
      }),
    )
    const client = await RawClient.open(port)
    client.send(text('go'))
    await client.until(() => readFrames(client.received).frames.length === 24)
    const seen = readFrames(client.received).frames.map(({ payload }) => payload.toString().replace(/ ?x{10,}$/, ''))
    const first = Array.from({ length: 10 }, (_, i) => [`send ${i}`, `publish ${i}`]).flat()
    expect(seen).toEqual([...first, 'corked', 'published in between', '', 'last'])
  })
})

describe('the node transport', () => {
  it('a burst that the kernel takes in part is not overwritten by the next', async () => {
    const total = 6000
    const message = (i: number): string => `${i} ${String(i % 10).repeat(5000)}`
    const { port } = await serve(
      'node',
      (web) =>
        webSocketRun(web.webSocket, (ws, event) => {
          if (event !== WS_EVENT_MESSAGE) return
          for (let i = 0; i < total; i++) webSocketSendString(ws, message(i))
        }),
      { limits: { maxBackpressure: 'unlimited' } },
    )
    const client = await RawClient.open(port)
    const chunks: Buffer[] = []
    let length = 0
    client.socket.removeAllListeners('data')
    client.socket.pause()
    client.send(text('go'))
    await new Promise((resolve) => setImmediate(resolve))
    const expected = Buffer.concat(Array.from({ length: total }, (_, i) => reply({ opcode: 1, payload: message(i) })))
    await new Promise<void>((resolve) => {
      client.socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length >= expected.length) resolve()
      })
      client.socket.resume()
    })
    expect(Buffer.concat(chunks).equals(expected)).toBe(true)
    client.destroy()
  })

  it('sends inside a callback count as buffered until they have left, and flush waits for them', async () => {
    const seen: number[] = []
    const { port } = await serve('node', (web) =>
      webSocketRun(web.webSocket, async (ws, event) => {
        if (event !== WS_EVENT_MESSAGE) return
        webSocketSendString(ws, 'x'.repeat(100))
        seen.push(webSocketGetBufferedAmount(ws))
        seen.push(await webSocketFlush(ws), webSocketGetBufferedAmount(ws))
        webSocketSendString(ws, 'done')
      }),
    )
    const client = await RawClient.open(port)
    client.send(text('go'))
    await client.until(() => client.received.includes('done'))
    expect(seen).toEqual([102, 0, 0])
  })

  it('its pressure falls while the kernel takes a message piece by piece, though all of it counts as buffered', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const client = await RawClient.connect(typeof address === 'object' && address !== null ? address.port : 0)
    const transport = new NodeTransport(await accepted, Buffer.alloc(0), false, null)
    client.socket.removeAllListeners('data')
    client.socket.pause()
    const length = 32 << 20
    transport.send(Buffer.alloc(length), length, 2, true)
    const [pressure, buffered] = [transport.pressure(), transport.buffered()]
    expect(pressure).toBeGreaterThan(buffered)
    let read = 0
    client.socket.on('data', (chunk) => {
      read += chunk.length
      if (read > 8 << 20) client.socket.pause()
    })
    client.socket.resume()
    while (transport.pressure() >= pressure) await new Promise((resolve) => setImmediate(resolve))
    expect(transport.buffered()).toBe(buffered)
    transport.abort()
    client.destroy()
    server.close()
  })

  it('flush stays pending while the peer does not read', async () => {
    const journal = new Journal()
    const { port } = await serve('node', (web) => journal.run(web), { limits: { maxBackpressure: 'unlimited' } })
    const client = await RawClient.open(port)
    client.socket.pause()
    await journal.until(WS_EVENT_OPEN)
    for (let i = 0; i < 200; i++) webSocketSendString(journal.ws, 'x'.repeat(100_000))
    let flushed = -1
    const flush = webSocketFlush(journal.ws).then((code) => {
      flushed = code
      return webSocketGetBufferedAmount(journal.ws)
    })
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(flushed).toBe(-1)
    client.socket.resume()
    expect(await flush).toBe(0)
    expect(flushed).toBe(0)
  })

  it('a connection leaves its topics when it is reset, and when it says Close', async () => {
    const journals: Journal[] = []
    const { host, port } = await serve('node', (web) => {
      const journal = new Journal()
      journals.push(journal)
      return journal.run(web, (ws, event) => void (event === WS_EVENT_OPEN && webSocketSubscribe(ws, 'room')))
    })
    const [one, two] = [await RawClient.open(port), await RawClient.open(port)]
    await Promise.all(journals.map((journal) => journal.until(WS_EVENT_OPEN)))
    expect(host.topics?.subscribers('room')).toBe(2)
    webSocketSendClose(journals[0]!.ws)
    expect(host.topics?.subscribers('room')).toBe(1)
    two.reset()
    await journals[1]!.result
    expect(host.topics?.subscribers('room')).toBe(0)
    one.destroy()
  })

  it('a stream that is gone before it is run ends at once', async () => {
    const stream = new PassThrough()
    stream.destroy()
    expect(await webSocketRun(webSocketAlloc(stream, false), () => {})).toBe(-1006)
  })

  it('buf is refused once other bytes were read (D1)', async () => {
    const stream = new PassThrough()
    const ws = webSocketAlloc(stream, false)
    stream.write(text('first'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(await webSocketRun(ws, () => {}, null, text('late'))).toBe(-6)
  })

  it('a client masks each frame with a key of its own (RFC 6455 §5.3)', () => {
    const keys = new Set<string>()
    for (let i = 0; i < 3000; i++) keys.add(toFrame('x', 1, 0x81, true).subarray(2, 6).toString('hex'))
    expect(keys.size).toBeGreaterThan(2990)
  })
})
