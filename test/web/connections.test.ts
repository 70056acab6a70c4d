import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { ask, open, plain, refusalsOf, untilStatus } from '../support/door.ts'
import { ends, obey } from '../support/ends.ts'
import { close, frame } from '../support/frames.ts'
import { deferred } from '../support/memory.ts'
import { handshake, type RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

// What callbacks throw is logged, and is thrown on purpose.
beforeAll(() => rSetLogSink(() => {}))
afterAll(() => rSetLogSink(null))

describe.each(engines)('connections of a listener on the %s engine', (engine) => {
  it('one too many is told so, far too many are closed at once, and who goes makes room', async () => {
    const door = await open(engine, { limits: { connections: 4 } })
    const four = await Promise.all(Array.from({ length: 4 }, () => door.connect()))
    for (const one of four.slice(0, 2)) expect((await ask(one, handshake())).status).toBe(101)
    expect((await ask(four[2]!, plain())).status).toBe(200)
    // 16 more are taken.
    const more = await Promise.all(Array.from({ length: 16 }, () => door.connect()))
    const beyond = await door.connect()
    beyond.send(plain())
    expect(await beyond.rest()).toEqual(Buffer.alloc(0))
    for (const request of [
      handshake(),
      plain(),
      plain('/', {}, 'POST'),
      handshake('/', { 'Sec-WebSocket-Key': null }),
    ]) {
      const { client, status, headers, body } = await ask(more.pop()!, request)
      expect([status, headers['retry-after'], body]).toEqual([503, '5', 'Too many connections\n'])
      await client.rest()
    }
    expect(await refusalsOf(door)).toEqual({ connections: 4 })
    expect(door.host.connections).toBe(2)
    for (const one of [...more, four[3]!]) one.destroy()
    await untilStatus(101, () => door.knock())
    // Those that were in had nothing to do with it.
    expect([four[0]!.ended, four[1]!.ended]).toEqual([false, false])
  })

  it('an eighth above the limit, where that is more', async () => {
    const door = await open(engine, { limits: { connections: 160 } })
    const all = await Promise.all(Array.from({ length: 180 }, () => door.connect()))
    const beyond = await door.connect()
    expect(await beyond.rest()).toEqual(Buffer.alloc(0))
    expect((await ask(all[0]!, plain())).status).toBe(503)
  })

  it('an end of any kind is counted once, also of those that were not let in', async () => {
    const limit = 24
    const routes: RouteConfig[] = [
      { match: '/slow', handler: 'action', role: 'slow' },
      { match: '/', handler: 'action' },
    ]
    const asked = new Map<string, () => void>()
    const decisions = new Map<string, (granted: boolean) => void>()
    const door = await open(
      engine,
      { limits: { connections: limit, addressConnections: limit - 2 }, routes },
      {
        actions: { '/': obey },
        authorize: ({ query }) => {
          const { promise, resolve } = deferred<boolean>()
          decisions.set(query, resolve)
          asked.get(query)?.()
          return promise
        },
      },
    )
    let opened = 0
    /** Whether it is a WebSocket now. */
    const upgrade = async (client: RawClient): Promise<boolean> => {
      const { status } = await ask(client, handshake())
      if (status === 101) opened++
      return status === 101
    }
    const together = (client: RawClient, ...bytes: Buffer[]): void =>
      client.send(Buffer.concat([handshake(), ...bytes]))
    /** It goes while its role is asked for. */
    const leave = async (client: RawClient, name: string, granted: boolean, go: () => void): Promise<void> => {
      const { promise, resolve } = deferred()
      asked.set(name, resolve)
      client.send(handshake(`/slow?${name}`))
      await Promise.race([promise, client.until(() => client.length > 0 || client.ended)])
      go()
      await turn()
      decisions.get(name)?.(granted)
    }
    const ways: ((client: RawClient, name: string) => Promise<unknown> | void)[] = [
      ...Object.values(ends).map((end) => async (client: RawClient) => {
        if (!(await upgrade(client))) return
        end(client)
        await client.rest()
      }),
      (client) => client.reset(),
      (client) => {
        client.send('GET / HTTP/1.1\r\nHos')
        client.socket.end()
        return client.rest()
      },
      async (client) => {
        await ask(client, plain('/none'))
        client.reset()
      },
      (client) => ask(client, handshake('/', { Origin: 'http://evil.test' })),
      (client) => ask(client, handshake('/', { 'Sec-WebSocket-Version': '12' })).then(() => client.reset()),
      (client, name) => leave(client, name, true, () => client.reset()),
      (client, name) => leave(client, name, false, () => client.reset()),
      (client, name) => leave(client, name, false, () => client.socket.end()),
      // What comes behind the handshake in one segment.
      (client) => together(client, frame({ opcode: 3 })),
      (client) => together(client, close(1000)),
      (client) => {
        together(client)
        client.socket.end()
      },
      (client) => {
        together(client)
        client.reset()
      },
    ]
    let total = 0
    for (let round = 0; total < 200; round++) {
      // Sometimes there are too many, and far too many.
      const crowd = await Promise.all(Array.from({ length: round % 3 === 2 ? 26 : 0 }, () => door.connect()))
      const clients = await Promise.all(ways.map(() => door.connect()))
      for (const { socket } of clients) socket.once('end', () => socket.end())
      await Promise.all(
        ways.map(async (way, i) => {
          // Who was one of far too many has no answer.
          await Promise.resolve(way(clients[i]!, `${round}-${i}`)).catch(() => {})
        }),
      )
      for (const client of [...crowd, ...clients]) client.destroy()
      total += crowd.length + clients.length
      // Others would be in the way of the next round.
      if (round % 3 === 2) (await untilStatus(200, () => door.get('/none'))).client.destroy()
    }
    expect(opened).toBeGreaterThan(30)
    for (let i = 0; i < limit - 2; i++) await untilStatus(101, () => door.knock())
    expect(door.host.connections).toBe(limit - 2)
    const full = await door.knock()
    expect(full.status).toBe(429)
    full.client.destroy()
    // Requests of two more, and then there is no room.
    for (const _ of [1, 2]) await untilStatus(200, () => door.get('/none'))
    expect((await door.get('/none')).status).toBe(503)
  })
})
