import { describe, expect, it } from 'vitest'
import { webSocketPublish, webSocketSubscribe } from '../../../lib/websock/topics.ts'
import { WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { webSocketCork, webSocketSendString } from '../../../lib/websock/send.ts'
import { readFrames, text } from '../../support/frames.ts'
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
      expect(webSocketPublish(host.topics!, 'room', payload(sent))).toBeGreaterThanOrEqual(1)
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
