import { describe, expect, it } from 'vitest'
import { type Client, dataOf, field, Gateway, idOf, listOf, readyOf, temporary } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('a stop, on %s', (engine) => {
  it('gateway trap T54: all are told 1001, and nobody is told that others go', async () => {
    const gateway = await Gateway.start(engine)
    const people = [await gateway.person('ada')]
    for (let i = 0; i < 8; i++) people.push(await gateway.person(`brin${i}`))
    await gateway.server(...people)
    const clients: Client[] = []
    for (const person of people) clients.push(await gateway.connect(person), await gateway.connect(person))
    await gateway.got(...clients)
    const before = clients.map(({ frames }) => frames.length)
    await gateway.host.stop()
    const ends = await Promise.all(clients.map(({ closed }) => closed))
    expect(ends.map(({ code }) => code)).toEqual(clients.map(() => 1001))
    expect(clients.map(({ frames }) => frames.length)).toEqual(before)
  })

  it('gateway trap T54: everything that was answered is there after it, and clients get READY', async () => {
    const folder = temporary()
    const before = await Gateway.start(engine, {}, folder)
    const [ada, brin] = [await before.person('ada', 'ada@harbour.test'), await before.person('brin')]
    const { id, channel } = await before.server(ada, brin)
    const bot = await before.bot(ada, 'Buoy')
    const direct = idOf((await before.request('POST', '/dm-channels', ada, { user_id: brin.id })).body)
    const client = await before.connect(brin)
    const posting = Promise.all(Array.from({ length: 40 }, (_, i) => before.post(ada, channel, `@brin ${i}`)))
    const ids = await posting
    await before.request('POST', `/dm-channels/${direct}/messages`, ada, { content: 'fog' })
    await before.request('PATCH', '/users/@me', brin, { status: 'dnd', custom_status: 'tea' })
    await before.host.stop()
    expect((await client.closed).code).toBe(1001)

    const after = await Gateway.start(engine, {}, folder)
    const again = await after.connect(brin)
    const ready = readyOf(again)
    expect(field(ready, 'user')).toMatchObject({ id: brin.id, status: 'dnd', custom_status: 'tea' })
    expect(listOf(field(ready, 'servers')).map(idOf)).toEqual([id])
    expect(field(ready, 'unread_counts')).toEqual([
      { channel_id: channel, unread_count: 40 },
      { channel_id: direct, unread_count: 1 },
    ])
    expect(field(ready, 'mention_counts')).toEqual([{ channel_id: channel, count: 40 }])
    const list = await after.request('GET', `/channels/${channel}/messages?limit=100`, brin)
    expect(listOf(list.body).map(idOf).toSorted()).toEqual(ids.toSorted())
    await after.connect(`bot_token=${bot.token}`)
    // What is new is newer than what was.
    const next = await after.post(ada, channel, 'sun')
    expect(ids.every((one) => one < next)).toBe(true)
    expect(await after.got(again)).toEqual([['MESSAGE_CREATE']])
    expect(dataOf(again, 'MESSAGE_CREATE').map(idOf)).toEqual([next])
  })

  it('answers what it has begun, and refuses what comes late', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { channel } = await gateway.server(ada)
    const client = await gateway.connect(ada)
    const posts = Array.from({ length: 20 }, (_, i) =>
      gateway.request('POST', `/channels/${channel}/messages`, ada, { content: `${i}` }).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    const stopped = gateway.host.stop()
    const statuses = await Promise.all(posts)
    await stopped
    expect((await client.closed).code).toBe(1001)
    for (const status of statuses) expect([0, 201, 503]).toContain(status)
  })

  it('keeps restrictions of channels over it', async () => {
    const folder = temporary()
    const before = await Gateway.start(engine, {}, folder)
    const [ada, brin] = [await before.person('ada'), await before.person('brin')]
    const { id, channel } = await before.server(ada, brin)
    const bridge = await before.channel(ada, id, 'bridge')
    await before.override(ada, bridge, { userId: brin.id }, 0, 1)
    await before.host.stop()
    const after = await Gateway.start(engine, {}, folder)
    const clients = [await after.connect(ada), await after.connect(brin)]
    await after.got(...clients)
    await after.post(ada, bridge, 'fog')
    expect(await after.got(...clients)).toEqual([['MESSAGE_CREATE'], []])
    await after.post(ada, channel, 'fog')
    expect(await after.got(...clients)).toEqual([['MESSAGE_CREATE'], ['MESSAGE_CREATE']])
  })
})
