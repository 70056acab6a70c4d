import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Client, field, Gateway } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

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

describe.each(engines)('a crowd that is cut, on %s', (engine) => {
  it('others hear of some at once, and of the rest when they do not come back; of who does, nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const people = await Promise.all(Array.from({ length: AT_ONCE + AWAY }, (_, i) => gateway.person(`member-${i}`)))
    await gateway.server(ada, ...people)
    const crowd = await Promise.all(people.map((person) => gateway.connect(person)))
    const client = await gateway.connect(ada)
    await gateway.got(client)
    for (const one of crowd) one.cut()
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
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const people = await Promise.all(Array.from({ length: AT_ONCE + 1 }, (_, i) => gateway.person(`member-${i}`)))
    await gateway.server(ada, ...people)
    const crowd = await Promise.all(people.map((person) => gateway.connect(person)))
    const client = await gateway.connect(ada)
    await gateway.got(client)
    for (const one of crowd) one.cut()
    const told = new Set(await whoWent(client, AT_ONCE))
    const last = people.find(({ id }) => !told.has(id))
    if (last === undefined) throw new Error('all were told of')
    const { world } = gateway
    await world.changes.run(() => world.users.disable(last.id))
    expect(await whoWent(client, 1)).toEqual([last.id])
  })
})
