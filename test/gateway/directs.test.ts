import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, Gateway, idOf, keysOf, listOf } from '../support/gateway.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const NOWHERE = '01890000-0000-7000-8000-000000000000'
const OPENED = ['DM_CHANNEL_CREATE']
const SAID = ['DM_MESSAGE_CREATE']

async function harbour(engine: (typeof engines)[number]) {
  const gateway = await Gateway.start(engine, { wsRate: 0 })
  const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
  await gateway.server(ada, brin, cleo)
  const clients = [
    await gateway.connect(ada),
    await gateway.connect(ada),
    await gateway.connect(brin),
    await gateway.connect(brin),
    await gateway.connect(cleo),
  ] as const
  await gateway.got(...clients)
  const open = (as: { readonly token: string }, user_id: unknown) =>
    gateway.request('POST', '/dm-channels', as, { user_id })
  return { gateway, ada, brin, cleo, clients, open }
}

describe.each(engines)('direct messages, on %s', (engine) => {
  it('gateway trap T38: one channel is opened once, and told of once', async () => {
    const { gateway, ada, brin, clients, open } = await harbour(engine)
    const replies = await Promise.all([open(ada, brin.id), open(brin, ada.id), open(ada, brin.id.toUpperCase())])
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 201])
    expect(new Set(replies.map(({ body }) => idOf(body))).size).toBe(1)
    expect(await gateway.got(...clients)).toEqual([OPENED, OPENED, OPENED, OPENED, []])
    for (const [who, whom] of [
      [ada, brin],
      [brin, ada],
    ] as const) {
      const again = await open(who, whom.id)
      expect([again.status, idOf(again.body)]).toEqual([200, idOf(replies[0]?.body)])
    }
    expect(await gateway.got(...clients)).toEqual([[], [], [], [], []])
  })

  it('gateway trap T39: each side is shown the other', async () => {
    const { gateway, ada, brin, clients, open } = await harbour(engine)
    await gateway.request('PATCH', '/users/@me', brin, { status: 'dnd', custom_status: 'mapping', bio: 'maps' })
    await gateway.request('PATCH', '/users/@me', ada, { status: 'offline', custom_status: 'hush' })
    await gateway.got(...clients)
    const { body } = await open(ada, brin.id)
    await gateway.got(...clients)
    const [toAda, toBrin] = [dataOf(clients[0], 'DM_CHANNEL_CREATE'), dataOf(clients[2], 'DM_CHANNEL_CREATE')]
    expect(keysOf(toAda[0])).toEqual(['id', 'recipient', 'created_at', 'last_message_at'])
    const channel = { id: idOf(body), created_at: TIME, last_message_at: null }
    const common = { email: null, is_admin: false, avatar_url: null, pronouns: null, activity: null, created_at: TIME }
    expect(toAda).toEqual([
      {
        ...channel,
        recipient: { ...common, id: brin.id, username: 'brin', bio: 'maps', status: 'dnd', custom_status: 'mapping' },
      },
    ])
    expect(toAda).toEqual([body])
    expect(toBrin).toEqual([
      {
        ...channel,
        recipient: { ...common, id: ada.id, username: 'ada', bio: null, status: 'offline', custom_status: null },
      },
    ])
    expect(dataOf(clients[1], 'DM_CHANNEL_CREATE')).toEqual(toAda)
    expect(dataOf(clients[3], 'DM_CHANNEL_CREATE')).toEqual(toBrin)
  })

  it('reach all connections of both, and nobody else', async () => {
    const { gateway, ada, brin, clients, open } = await harbour(engine)
    const direct = idOf((await open(ada, brin.id)).body)
    await gateway.got(...clients)
    for (const [author, content] of [
      [ada, 'charts attached tomorrow'],
      [brin, '@ada @everyone'],
    ] as const) {
      const { status, body } = await gateway.request('POST', `/dm-channels/${direct}/messages`, author, { content })
      expect([status, keysOf(body)]).toEqual([
        201,
        ['id', 'channel_id', 'author_id', 'content', 'edited_at', 'created_at'],
      ])
      expect(body).toEqual({
        id: idOf(body),
        channel_id: direct,
        author_id: author.id,
        content,
        edited_at: null,
        created_at: TIME,
      })
      expect(await gateway.got(...clients)).toEqual([SAID, SAID, SAID, SAID, []])
      for (const client of clients.slice(0, 4)) expect(dataOf(client, 'DM_MESSAGE_CREATE').at(-1)).toEqual(body)
      const list = await gateway.request('GET', '/dm-channels', brin)
      expect(field(list.body, 0, 'last_message_at')).toBe(field(body, 'created_at'))
    }
  })

  it('are taken back by who has written them: both are told which, on all connections, and nobody else', async () => {
    const { gateway, ada, brin, cleo, clients, open } = await harbour(engine)
    const direct = idOf((await open(ada, brin.id)).body)
    const path = `/dm-channels/${direct}/messages`
    const { body } = await gateway.request('POST', path, brin, { content: 'fog' })
    const id = idOf(body)
    await gateway.got(...clients)
    expectError(await gateway.request('DELETE', `${path}/${id}`, ada), 403, 'FORBIDDEN')
    expectError(await gateway.request('DELETE', `${path}/${id}`, cleo), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `${path}/${NOWHERE}`, brin), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `/dm-channels/${NOWHERE}/messages/${id}`, brin), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `/messages/${id}`, brin), 404, 'NOT_FOUND')
    expect(await gateway.got(...clients)).toEqual([[], [], [], [], []])
    // Ids are the same in capitals.
    const { status, text } = await gateway.request('DELETE', `${path}/${id.toUpperCase()}`, brin)
    expect([status, text]).toEqual([204, ''])
    const taken = ['DM_MESSAGE_DELETE']
    expect(await gateway.got(...clients)).toEqual([taken, taken, taken, taken, []])
    for (const client of clients.slice(0, 4)) {
      expect(dataOf(client, 'DM_MESSAGE_DELETE')).toEqual([{ id, channel_id: direct }])
    }
    for (const side of [ada, brin]) {
      expectError(await gateway.request('DELETE', `${path}/${id}`, side), 404, 'NOT_FOUND')
      expect(listOf((await gateway.request('GET', path, side)).body)).toEqual([])
    }
  })

  it('name what they answer, where they answer something', async () => {
    const { gateway, ada, brin, clients, open } = await harbour(engine)
    const { directs, changes } = gateway.world
    const direct = idOf((await open(ada, brin.id)).body)
    const first = idOf((await gateway.request('POST', `/dm-channels/${direct}/messages`, ada, { content: 'fog' })).body)
    await gateway.got(...clients)
    // As bots do.
    const { id } = await changes.run(() => directs.post(brin.id, direct, { content: 'yes', replyTo: first }))
    await gateway.got(...clients)
    const told = { id, channel_id: direct, author_id: brin.id, content: 'yes', reply_to: first, edited_at: null }
    expect(dataOf(clients[0], 'DM_MESSAGE_CREATE').at(-1)).toEqual({ ...told, created_at: TIME })
    const list = listOf((await gateway.request('GET', `/dm-channels/${direct}/messages`, ada)).body)
    expect(list).toMatchObject([told, { id: first }])
    expect(list[1]).not.toHaveProperty('reply_to')
  })

  it('do not exist for others', async () => {
    const { gateway, ada, brin, cleo, clients, open } = await harbour(engine)
    const direct = idOf((await open(ada, brin.id)).body)
    const path = `/dm-channels/${direct}`
    const { body } = await gateway.request('POST', `${path}/messages`, ada, { content: 'fog' })
    await gateway.got(...clients)
    const calls: [string, string, unknown?][] = [
      ['GET', '/messages'],
      ['GET', `/messages?before=${idOf(body)}`],
      ['POST', '/messages', { content: 'x' }],
      ['POST', '/ack', {}],
      ['POST', '/ack', { message_id: idOf(body) }],
    ]
    for (const [method, rest, sent] of calls) {
      const { status, text } = await gateway.request(method, path + rest, cleo, sent)
      const missing = await gateway.request(method, `/dm-channels/${NOWHERE}${rest}`, cleo, sent)
      expect([rest, status, text]).toEqual([rest, 404, missing.text])
    }
    // Nor are they channels of a server, and the other way round.
    for (const [method, rest, sent] of calls.slice(0, 4)) {
      expect((await gateway.request(method, `/channels/${direct}${rest}`, ada, sent)).status).toBe(404)
    }
    const { channel } = await gateway.server(ada, brin)
    expectError(
      await gateway.request('POST', `/dm-channels/${channel}/messages`, ada, { content: 'x' }),
      404,
      'NOT_FOUND',
    )
    expectError(await gateway.request('POST', `${path}/ack`, ada, { message_id: NOWHERE }), 404, 'NOT_FOUND')
    expectError(await gateway.request('DELETE', `/messages/${idOf(body)}`, cleo), 404, 'NOT_FOUND')
    expect(listOf((await gateway.request('GET', '/dm-channels', cleo)).body)).toEqual([])
    expect(await gateway.got(...clients)).toEqual([[], [], [], [], []])
  })

  it('are not written to oneself, to nobody, or to who is disabled', async () => {
    const { gateway, ada, brin, cleo, clients, open } = await harbour(engine)
    expectError(await open(ada, ada.id), 400, 'VALIDATION')
    expectError(await open(ada, NOWHERE), 404, 'NOT_FOUND')
    for (const bad of [undefined, null, 5, '', 'brin', [brin.id]]) expectError(await open(ada, bad), 400, 'VALIDATION')
    await gateway.world.changes.run(() => gateway.world.users.disable(cleo.id))
    await clients[4].closed
    await gateway.got(...clients.slice(0, 4))
    expectError(await open(ada, cleo.id), 404, 'NOT_FOUND')
    const direct = idOf((await open(ada, brin.id)).body)
    await gateway.got(...clients.slice(0, 4))
    for (const content of ['', ' ', 'x'.repeat(4001), 'a\0', '\ud800', null, 5]) {
      const reply = await gateway.request('POST', `/dm-channels/${direct}/messages`, ada, { content })
      expectError(reply, 400, 'VALIDATION')
    }
    expect(await gateway.got(...clients.slice(0, 4))).toEqual([[], [], [], []])
  })

  it('are paged like those of a channel', async () => {
    const { gateway, ada, brin, cleo, open } = await harbour(engine)
    const { directs, changes } = gateway.world
    const direct = idOf((await open(ada, brin.id)).body)
    const posts = Array.from({ length: 120 }, (_, i) =>
      changes.run(() => directs.post(ada.id, direct, { content: `${i}` })),
    )
    const ids = (await Promise.all(posts)).map(({ id }) => id)
    const list = async (query: string): Promise<string[]> =>
      listOf((await gateway.request('GET', `/dm-channels/${direct}/messages${query}`, brin)).body).map(idOf)
    const newest = ids.toReversed()
    expect(await list('')).toEqual(newest.slice(0, 50))
    expect(await list('?limit=1000')).toEqual(newest.slice(0, 100))
    const all: string[] = []
    for (let page = await list('?limit=7'); page.length > 0; page = await list(`?limit=7&before=${page.at(-1)}`)) {
      all.push(...page)
    }
    expect(all).toEqual(newest)
    expect(await list(`?after=${ids[100]}&limit=4`)).toEqual(ids.slice(101, 105))
    const other = idOf((await open(ada, cleo.id)).body)
    const elsewhere = await changes.run(() => directs.post(ada.id, other, { content: 'x' }))
    expect(await list(`?before=${elsewhere.id}`)).toEqual([])
    expect(await list(`?after=${NOWHERE}`)).toEqual([])
  })
})
