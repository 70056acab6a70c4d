import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Client, field, Gateway } from '../support/gateway.ts'
import { type EngineName, engines } from '../support/server.ts'
import { spin } from '../support/spin.ts'

/** Those who are told of at once when they go within a second. */
const AT_ONCE = 250
const AWAY = 10
const START = 1_800_000_000_000

afterEach(() => {
  vi.useRealTimers()
})

/** Who has gone, as one client is told: so many of them. */
async function whoWent(client: Client, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const change = await client.next('PRESENCE_UPDATE')
    expect(field(change, 'status')).toBe('offline')
    ids.push(String(field(change, 'user_id')))
  }
  return ids
}

/** A server whose members, so many, are cut while its owner looks on. */
async function cut(engine: EngineName, count: number) {
  const gateway = await Gateway.start(engine)
  const ada = await gateway.person('ada')
  const people = await Promise.all(Array.from({ length: count }, (_, i) => gateway.person(`member-${i}`)))
  await gateway.server(ada, ...people)
  const crowd = await Promise.all(people.map((person) => gateway.connect(person)))
  const client = await gateway.connect(ada)
  await gateway.got(client)
  for (const one of crowd) one.cut()
  return { gateway, people, client }
}

describe.each(engines)('a crowd that is cut, on %s', (engine) => {
  it('others hear of some at once, and of the rest when they do not come back; of who does, nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { gateway, people, client } = await cut(engine, AT_ONCE + AWAY)
    const told = new Set(await whoWent(client, AT_ONCE))
    const [back, ...rest] = people.filter(({ id }) => !told.has(id))
    expect([told.size, rest.length]).toEqual([AT_ONCE, AWAY - 1])
    if (back === undefined) throw new Error('all were told of')
    await gateway.connect(back)
    vi.setSystemTime(START + 29_999)
    expect(await gateway.got(client)).toEqual([[]])
    vi.setSystemTime(START + 30_001)
    const later = await whoWent(client, AWAY - 1)
    expect(new Set(later)).toEqual(new Set(rest.map(({ id }) => id)))
    expect(await gateway.got(client)).toEqual([[]])
    expect(gateway.world.presence.isPresent(back.id)).toBe(true)
  })

  it('who is away then and may not come back is gone at once', async () => {
    const { gateway, people, client } = await cut(engine, AT_ONCE + 1)
    const told = new Set(await whoWent(client, AT_ONCE))
    const last = people.find(({ id }) => !told.has(id))
    if (last === undefined) throw new Error('all were told of')
    const { world } = gateway
    await world.changes.run(() => world.users.disable(last.id))
    expect(await whoWent(client, 1)).toEqual([last.id])
  })

  it('what somebody has said is written before the crowd goes on', async () => {
    const { host, world } = await Gateway.start(engine)
    let done = 0
    for (let i = 0; i < 50; i++) {
      host.context?.pace.run(() => {
        done++
        spin(1)
      })
    }
    const before = done
    expect(before).toBeLessThan(50)
    await world.changes.run(() => {})
    expect(done).toBe(before)
  })
})
