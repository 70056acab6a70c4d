import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { type Answered, ask, open, plain, refusalsOf, untilStatus } from '../support/door.ts'
import { ends, obey } from '../support/ends.ts'
import { deferred } from '../support/memory.ts'
import { RawClient } from '../support/raw.ts'
import { type EngineName, engines } from '../support/server.ts'

// What callbacks throw is logged, and is thrown on purpose.
beforeAll(() => rSetLogSink(() => {}))
afterAll(() => rSetLogSink(null))

describe.each(engines)('connections of an address on the %s engine', (engine) => {
  it.each(Object.entries(ends))('%s makes room for one, and not for two', async (_name, end) => {
    const door = await open(engine, { limits: { addressConnections: 2 } }, { actions: { '/': obey } })
    const first = await door.knock()
    expect([first.status, (await door.knock()).status, (await door.knock()).status]).toEqual([101, 101, 429])
    end(first.client)
    await untilStatus(101, () => door.knock())
    expect((await door.knock()).status).toBe(429)
  })

  it('a refusal says when to come again, and is none for plain requests', async () => {
    const door = await open(engine, { limits: { addressConnections: 1 } })
    expect((await door.knock()).status).toBe(101)
    const { status, headers, body, client } = await door.knock()
    expect([status, headers['retry-after'], body]).toEqual([429, '5', 'Too many connections from this address\n'])
    await client.rest()
    expect((await door.get()).status).toBe(200)
    expect(await refusalsOf(door)).toEqual({ address: 1 })
  })

  it('of many that wait for their role, no more are let in than may be', async () => {
    await expectNoMore(engine, 20, 3)
  })

  it('a handshake that is refused has taken no room', async () => {
    const limits = { addressConnections: 1 }
    const routes = [{ handler: 'action' as const, token: 't' }]
    const door = await open(engine, { limits, routes })
    for (let i = 0; i < 5; i++) expect((await door.knock('/')).status).toBe(401)
    const bad = { 'Sec-WebSocket-Protocol': 'other' }
    for (let i = 0; i < 5; i++) expect((await door.knock('/?token=t', bad)).status).toBe(400)
    expect((await door.knock('/?token=t')).status).toBe(101)
  })

  it('after a stop nobody is there', async () => {
    const door = await open(engine, { limits: { addressConnections: 1 }, timeouts: { drain: 0.1 } })
    expect((await door.knock()).status).toBe(101)
    await door.host.stop()
    expect(await door.host.start()).toBe(0)
    const client = await RawClient.open(door.host.listening[0]?.port ?? 0)
    expect(door.host.connections).toBe(1)
    client.destroy()
  })

  it('a reload changes how many, and lets those be that are there', async () => {
    const door = await open(engine, { limits: { addressConnections: 2 } })
    for (const _ of [1, 2]) expect((await door.knock()).status).toBe(101)
    const { settings } = door.host
    const other = (addressConnections: number) => ({
      ...settings,
      admission: { ...settings.admission, addressConnections },
    })
    expect(await door.host.reload(other(1))).toBe(0)
    expect([(await door.knock()).status, door.host.connections]).toEqual([429, 2])
    expect(await door.host.reload(other(3))).toBe(0)
    expect([(await door.knock()).status, (await door.knock()).status]).toEqual([101, 429])
  })
})

/** Handshakes at once, whose role is known when all have asked; and again, when those that got in have gone. */
async function expectNoMore(engine: EngineName, count: number, most: number): Promise<void> {
  let decided = deferred<boolean>()
  let [asked, all] = [0, deferred()]
  const door = await open(
    engine,
    { limits: { addressConnections: most }, routes: [{ handler: 'action', role: 'any' }] },
    {
      authorize: () => {
        if (++asked === count) all.resolve()
        return decided.promise
      },
    },
  )
  for (let round = 0; round < 3; round++) {
    asked = 0
    const answers = Array.from({ length: count }, () => door.knock())
    await all.promise
    ;[all, asked] = [deferred(), 0]
    // Not from within a request: see late-upgrade.test.ts.
    await turn()
    decided.resolve(true)
    const answered: Answered[] = await Promise.all(answers)
    const statuses = answered.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([
      ...Array.from({ length: most }, () => 101),
      ...Array.from({ length: count - most }, () => 429),
    ])
    expect(door.host.connections).toBe(most)
    decided = deferred()
    for (const { client } of answered) client.destroy()
    while (door.host.connections > 0) await sleep(1)
  }
}

describe.each(engines)('requests of an address on the %s engine', (engine) => {
  it('ten seconds of them at once, of whatever kind; Retry-After is true', async () => {
    const door = await open(engine, { limits: { addressRate: 1 } })
    const begin = performance.now()
    const client = await door.connect()
    for (let i = 0; i < 5; i++) expect((await ask(client, plain())).status).toBe(200)
    for (let i = 0; i < 2; i++) expect((await door.knock()).status).toBe(101)
    expect((await door.knock('/', { 'Sec-WebSocket-Version': '8' })).status).toBe(426)
    expect((await door.get('/%00')).status).toBe(400)
    expect((await door.get('/', {}, 'DELETE')).status).toBe(405)
    let taken = 10
    const untilRefused = async (): Promise<Answered> => {
      for (;;) {
        const answered = await ask(client, plain())
        if (answered.status !== 200) return answered
        taken++
      }
    }
    const refused = await untilRefused()
    expect([refused.status, refused.headers['retry-after'], refused.body]).toEqual([429, '1', 'Too Many Requests\n'])
    await client.rest()
    expect(taken).toBeLessThanOrEqual(10 + (performance.now() - begin) / 1000)
    expect(await refusalsOf(door)).toMatchObject({ handshake: 1, method: 1, rate: 1 })
    await sleep(1000)
    expect((await door.knock()).status).toBe(101)
  })
})
