import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Metrics } from '../../lib/observe/metrics.ts'
import { toReport } from '../../lib/observe/report.ts'
import { webSocketSendClose } from '../../lib/websock/close.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import type { Socket } from '../../lib/websock/socket.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { bench } from '../support/memory.ts'

afterEach(() => void vi.restoreAllMocks())

/** Metrics of connections in memory. */
function watched() {
  const made = bench({ maxBackpressure: 0 })
  const { topics, connections, pressure } = made.context
  const metrics = new Metrics({
    ready: true,
    addressOf: () => '',
    sockets: connections,
    engine: null,
    topics,
    meters: new Set(),
    pressure,
  })
  const page = async (): Promise<string> => {
    const snapshot = { ready: true, metrics: await metrics.toJson(), closes: [] }
    return (await toReport('/metrics', () => Promise.resolve([snapshot])))?.text ?? ''
  }
  const join = (stalled: boolean, topic: string | null) => {
    const { ws, transport } = made.connect()
    void webSocketRun(ws, () => {})
    transport.stalled = stalled
    if (topic !== null) webSocketSubscribe(ws, topic)
    return { ws, transport }
  }
  /** Publishes that were watched until their receiver had them. */
  const samples = async (): Promise<number> => {
    await turn()
    await turn()
    return Number(/^fiberws_publish_drain_seconds_count (\d+)$/m.exec(await page())?.[1])
  }
  const publish = (): number => webSocketPublish(topics, 'room', 'news')
  return { metrics, page, join, samples, publish }
}

describe('metrics', () => {
  it('codes that peers make up are two series, whatever they are', async () => {
    const { metrics, page, join } = watched()
    const codes = [1000, 3000, 3999, 4000, 4999]
    const end = (ws: Socket, code: number): void => {
      webSocketSendClose(ws, code)
      ws.transport?.abort()
    }
    for (const code of codes) {
      const { ws, transport } = join(false, null)
      end(ws, code)
      transport.gone()
      metrics.ended(ws)
    }
    const found = [...(await page()).matchAll(/^fiberws_closes_total\{.*code="(\w+)"\} (\d)$/gm)]
    expect(found.map(([, code, count]) => [code, count])).toEqual([
      ['1000', '1'],
      ['3xxx', '2'],
      ['4xxx', '2'],
    ])
  })

  it('bytes that wait for peers are there', async () => {
    const { page, join } = watched()
    const { ws } = join(true, null)
    expect(await page()).toMatch(/^fiberws_queued_bytes 0$/m)
    webSocketSendString(ws, 'x'.repeat(100))
    expect(await page()).toMatch(/^fiberws_queued_bytes 100$/m)
  })

  it('of publishes one in 50 ms is watched, and only at those who get it', async () => {
    let now = 1000
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const { page, join, samples, publish } = watched()
    await page()
    // Who is not on the topic would never be done.
    const { ws } = join(true, null)
    webSocketSendString(ws, 'x')
    join(false, 'room')
    for (let i = 0; i < 5; i++) publish()
    expect(await samples()).toBe(1)
    now += 49
    publish()
    expect(await samples()).toBe(1)
    // Each time, also when it is the turn of the first again.
    for (const count of [2, 3, 4]) {
      now += 50
      publish()
      expect(await samples()).toBe(count)
    }
  })
})
