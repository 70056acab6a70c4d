import { describe, expect, it } from 'vitest'
import { webWriteResponseString } from '../../lib/web/reply.ts'
import { WS_EVENT_CLOSE } from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { GUARDED, open } from '../support/door.ts'
import { byEngine } from '../support/differences.ts'
import { text } from '../support/frames.ts'
import { handshake, type RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'
import { spin } from '../support/spin.ts'

/** Milliseconds that letting one in takes. */
const TAKES = 3
const CROWD = 20

/** A short answer; node takes one new connection in a turn of its event loop, and this one was taken then. */
async function peek(client: RawClient): Promise<void> {
  client.send(Buffer.from('HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  expect((await client.response()).status).toBe(200)
}

describe.each(engines)('many who come at once, on %s', (engine) => {
  /**
   * A server that takes its time for each, and so many clients that have asked for a WebSocket in one go; with something behind that
   * in the same packet.
   */
  async function crowd(behind: Buffer = Buffer.alloc(0)) {
    const opened: string[] = []
    const door = await open(engine, GUARDED, {
      actions: {
        '/slow': (web) => {
          opened.push(web.query)
          return webSocketRun(web.webSocket, () => {})
        },
        '/': (web) => webWriteResponseString(web, 200, 'in'),
      },
      authorize: () => {
        spin(TAKES)
        return true
      },
    })
    const connect = async (): Promise<RawClient> => {
      const client = await door.connect()
      await peek(client)
      return client
    }
    const other = await connect()
    const clients = await Promise.all(Array.from({ length: CROWD }, connect))
    for (const [i, client] of clients.entries()) client.send(Buffer.concat([handshake(`/slow?${i}`), behind]))
    return { door, other, opened, clients }
  }

  const upgraded = (client: RawClient): Promise<number> => client.response().then(({ status }) => status)

  it('others are answered in between, and all come in, in order', async () => {
    const { door, other, opened, clients } = await crowd()
    await peek(other)
    expect(opened.length).toBeLessThan(CROWD)
    expect(await Promise.all(clients.map(upgraded))).toEqual(clients.map(() => 101))
    expect(opened).toEqual(clients.map((_, i) => String(i)))
    expect(door.host.connections).toBe(CROWD)
  })

  it('who sends frames with the handshake', async () => {
    const { opened, clients } = await crowd(text('early'))
    const statuses = await Promise.all(clients.map(upgraded))
    const others = byEngine(engine, 'frames in the segment of the handshake', { node: 101, uws: 505 })
    expect(new Set(statuses)).toEqual(new Set([101, others]))
    expect(opened).toHaveLength(statuses.filter((status) => status === 101).length)
  })

  it('who has gone meanwhile does not stay', async () => {
    const { door, clients } = await crowd()
    const last = clients.pop()
    last?.reset()
    expect(await Promise.all(clients.map(upgraded))).toEqual(clients.map(() => 101))
    await door.get()
    expect(door.host.connections).toBe(CROWD - 1)
  })

  it('a server that stops meanwhile lets nobody in any more', async () => {
    const { door, other, opened, clients } = await crowd()
    const told = Promise.allSettled(clients.map(upgraded))
    await peek(other)
    // Those inside do not answer its Close.
    const stopped = door.host.stop()
    const inside = opened.length
    expect(inside).toBeLessThan(CROWD)
    const statuses = (await told).map((one) => (one.status === 'fulfilled' ? one.value : 0))
    expect(statuses.filter((status) => status === 101)).toHaveLength(inside)
    expect(opened).toHaveLength(inside)
    await door.host.free()
    await stopped
  })

  // Was wrong: a stop did not wait for those that were lost with it and had yet to be told.
  it('when a server is freed, each of many has had its CLOSE before that resolves', async () => {
    let closed = 0
    const door = await open(
      engine,
      { timeouts: { inactivity: 'never' } },
      {
        actions: {
          '/': (web) =>
            webSocketRun(web.webSocket, (_ws, event) => {
              if (event !== WS_EVENT_CLOSE) return
              closed++
              spin(TAKES)
            }),
        },
      },
    )
    for (let i = 0; i < CROWD; i++) await door.knock()
    await door.host.free()
    expect(closed).toBe(CROWD)
  })
})
