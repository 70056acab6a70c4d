import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, Gateway, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const [VIEW, SEND, MANAGE_MESSAGES] = [1, 2, 4]
const NOWHERE = '01890000-0000-7000-8000-000000000000'
const FIELDS = [
  'id',
  'channel_id',
  'author_id',
  'content',
  'reply_to',
  'edited_at',
  'deleted',
  'created_at',
  'mention_user_ids',
  'mention_everyone',
  'thread_id',
  'thread_reply_count',
  'pinned',
  'pinned_by',
  'pinned_at',
  'poll',
]

/** Ada owns a server, in which Brin is; Cleo is somewhere else. */
async function harbour(engine: (typeof engines)[number], config = {}) {
  const gateway = await Gateway.start(engine, { wsRate: 0, ...config })
  const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
  const server = await gateway.server(ada, brin)
  const clients = [await gateway.connect(ada), await gateway.connect(brin), await gateway.connect(cleo)] as const
  await gateway.got(...clients)
  const say = (as: Person, content: unknown, rest: object = {}, channel = server.channel) =>
    gateway.request('POST', `/channels/${channel}/messages`, as, { content, ...rest })
  const list = async (query = '', as = brin, channel = server.channel): Promise<string[]> => {
    const { status, body } = await gateway.request('GET', `/channels/${channel}/messages${query}`, as)
    expect(status).toBe(200)
    return listOf(body).map(idOf)
  }
  return { gateway, ada, brin, cleo, clients, say, list, ...server }
}

describe.each(engines)('messages, on %s', (engine) => {
  it('gateway trap T23: the author receives MESSAGE_CREATE of the own message, once per connection', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const { channel } = await gateway.server(ada, brin)
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(cleo),
    ]
    await gateway.got(...clients)
    const id = await gateway.post(ada, channel, 'fog at six, @brin')
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_CREATE'], ['MESSAGE_CREATE'], ['MESSAGE_CREATE'], []])
    const made = String(field(clients[0]?.frames.at(-2), 'd', 'created_at'))
    expect(made).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(clients[0]?.frames.at(-2)).toEqual({
      op: 'DISPATCH',
      t: 'MESSAGE_CREATE',
      d: {
        id,
        channel_id: channel,
        author_id: ada.id,
        content: 'fog at six, @brin',
        reply_to: null,
        edited_at: null,
        deleted: false,
        created_at: made,
        mention_user_ids: [brin.id],
        mention_everyone: false,
        thread_id: null,
        thread_reply_count: 0,
        pinned: false,
        pinned_by: null,
        pinned_at: null,
        poll: null,
      },
    })
    expect(field(clients[2]?.frames.at(-2), 'd', 'id')).toBe(id)
  })

  it('tells of an edit what the message is now, and over HTTP the same', async () => {
    const { gateway, ada, brin, clients, say } = await harbour(engine)
    const created = await say(ada, 'fog at six, @brin @everyone')
    expect([created.status, keysOf(created.body)]).toEqual([201, FIELDS])
    await gateway.got(...clients)
    const id = idOf(created.body)
    expect(dataOf(clients[1], 'MESSAGE_CREATE')).toEqual([created.body])
    const edited = await gateway.request('PATCH', `/messages/${id}`, ada, { content: 'fog at seven' })
    expect([edited.status, keysOf(edited.body)]).toEqual([200, FIELDS])
    expect(edited.body).toEqual({
      ...Object(created.body),
      content: 'fog at seven',
      edited_at: TIME,
      mention_user_ids: [],
      mention_everyone: false,
    })
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_UPDATE'], ['MESSAGE_UPDATE'], []])
    expect(dataOf(clients[1], 'MESSAGE_UPDATE')).toEqual([edited.body])
    const one = await gateway.request(
      'GET',
      `/channels/${String(field(edited.body, 'channel_id'))}/messages/${id}`,
      brin,
    )
    expect(one.body).toEqual(edited.body)
    // The same again is no change.
    const again = await gateway.request('PATCH', `/messages/${id}`, ada, { content: 'fog at seven' })
    expect([again.status, again.body]).toEqual([200, edited.body])
    expect(await gateway.got(...clients)).toEqual([[], [], []])
  })

  it('tells of a delete no more than which message it was', async () => {
    const { gateway, ada, channel, clients, say, list } = await harbour(engine)
    const id = idOf((await say(ada, 'fog')).body)
    await gateway.got(...clients)
    expect(await gateway.request('DELETE', `/messages/${id}`, ada)).toMatchObject({ status: 204, text: '' })
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_DELETE'], ['MESSAGE_DELETE'], []])
    expect(dataOf(clients[1], 'MESSAGE_DELETE')).toEqual([{ id, channel_id: channel }])
    expect(keysOf(dataOf(clients[1], 'MESSAGE_DELETE')[0])).toEqual(['id', 'channel_id'])
    expect(await list()).toEqual([])
    expectError(await gateway.request('DELETE', `/messages/${id}`, ada), 404, 'NOT_FOUND')
    expectError(await gateway.request('PATCH', `/messages/${id}`, ada, { content: 'sun' }), 404, 'NOT_FOUND')
    expectError(await say(ada, 'again', { reply_to: id }), 404, 'NOT_FOUND')
    expect(await gateway.got(...clients)).toEqual([[], [], []])
  })

  it('gateway trap T43: a deleted message, asked for by its id, has no content', async () => {
    const { gateway, ada, brin, channel, say } = await harbour(engine)
    const { body } = await say(ada, 'fog, @brin @everyone')
    const id = idOf(body)
    await gateway.request('DELETE', `/messages/${id}`, ada)
    const { status, body: deleted } = await gateway.request('GET', `/channels/${channel}/messages/${id}`, brin)
    expect([status, keysOf(deleted)]).toEqual([200, FIELDS])
    expect(deleted).toEqual({
      ...Object(body),
      deleted: true,
      content: '',
      mention_user_ids: [],
      mention_everyone: false,
    })
  })

  it('gateway trap T24: what somebody cannot see is answered as if it were not there', async () => {
    const { gateway, ada, brin, cleo, id, channel, clients, say } = await harbour(engine)
    const hidden = await gateway.channel(ada, id, 'bridge')
    await gateway.override(ada, hidden, { userId: brin.id }, 0, VIEW)
    const message = idOf((await say(ada, 'fog @brin', {}, hidden)).body)
    const own = idOf((await say(brin, 'sun')).body)
    await gateway.got(...clients)
    const paths = (at: string, what: string): [string, string, unknown?][] => [
      ['GET', `/servers/${id}/channels/${at}`],
      ['PATCH', `/servers/${id}/channels/${at}`, { name: 'x' }],
      ['DELETE', `/servers/${id}/channels/${at}`],
      ['GET', `/channels/${at}/messages`],
      ['GET', `/channels/${at}/messages?before=${own}`],
      ['GET', `/channels/${at}/messages/${what}`],
      ['POST', `/channels/${at}/messages`, { content: 'x' }],
      ['POST', `/channels/${at}/messages`, { content: 'x', reply_to: what }],
      ['POST', `/channels/${at}/ack`, {}],
      ['POST', `/channels/${at}/ack`, { message_id: what }],
      ['PATCH', `/messages/${what}`, { content: 'x' }],
      ['DELETE', `/messages/${what}`],
    ]
    const nothing = paths(NOWHERE, NOWHERE)
    for (const who of [brin, cleo]) {
      for (const [index, [method, path, body]] of paths(hidden, message).entries()) {
        const [, missing = ''] = nothing[index] ?? []
        const { status, text, headers } = await gateway.request(method, path, who, body)
        const expected = await gateway.request(method, missing, who, body)
        expect([path, status, text]).toEqual([path, 404, expected.text])
        expect({ ...headers, date: '' }).toEqual({ ...expected.headers, date: '' })
      }
    }
    for (const [method, path, body] of paths(channel, own)) {
      expect([path, (await gateway.request(method, path, cleo, body)).status]).toEqual([path, 404])
    }
    // What is seen, but elsewhere, is not there either.
    expectError(await gateway.request('GET', `/channels/${channel}/messages/${message}`, ada), 404, 'NOT_FOUND')
    expectError(
      await gateway.request('POST', `/channels/${channel}/ack`, ada, { message_id: message }),
      404,
      'NOT_FOUND',
    )
    const server = await gateway.server(cleo)
    expectError(await gateway.request('GET', `/servers/${server.id}/channels/${channel}`, ada), 404, 'NOT_FOUND')
    expect(listOf((await gateway.request('GET', `/servers/${id}/channels`, brin)).body).map(idOf)).toEqual([channel])
    expect(listOf((await gateway.request('GET', `/servers/${id}/channels`, ada)).body).map(idOf)).toEqual([
      channel,
      hidden,
    ])
    const got = await gateway.got(...clients)
    expect(got).toEqual([[], [], []])
    // Nothing of it, whatever happens.
    await gateway.request('PATCH', `/messages/${message}`, ada, { content: '@brin sun' })
    await gateway.request('DELETE', `/messages/${message}`, ada)
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_UPDATE', 'MESSAGE_DELETE'], [], []])
  })

  it('gateway trap T48: 250 messages of a moment are paged through, each once, in order', async () => {
    const { gateway, ada, channel, list } = await harbour(engine)
    const { messages, changes } = gateway.world
    const posts = Array.from({ length: 250 }, (_, i) =>
      changes.run(() => messages.post(ada.id, channel, { content: `${i}`, replyTo: null })),
    )
    const ids = (await Promise.all(posts)).map(({ id }) => id)
    const newest = ids.toReversed()
    const backwards: string[] = []
    for (let page = await list('?limit=7'); page.length > 0; page = await list(`?limit=7&before=${page.at(-1)}`)) {
      expect(page.length).toBe(Math.min(7, 250 - backwards.length))
      backwards.push(...page)
    }
    expect(backwards).toEqual(newest)
    const forwards = ids.slice(0, 1)
    for (;;) {
      const page = await list(`?limit=7&after=${forwards.at(-1)}`)
      forwards.push(...page)
      if (page.length === 0) break
    }
    expect(forwards).toEqual(ids)
    expect(await list()).toEqual(newest.slice(0, 50))
    expect(await list('?limit=100')).toEqual(newest.slice(0, 100))
    expect(await list('?limit=101')).toEqual(newest.slice(0, 100))
    expect(await list('?limit=99999999999999999999999')).toEqual(newest.slice(0, 100))
    expect(await list('?limit=0')).toEqual(newest.slice(0, 1))
    expect(await list('?limit=-5')).toEqual(newest.slice(0, 1))
    expect(await list(`?before=${ids[10]?.toUpperCase()}&limit=3`)).toEqual([ids[9], ids[8], ids[7]])
    expect(await list(`?after=${ids[10]}&limit=3`)).toEqual([ids[11], ids[12], ids[13]])
  })

  it('has an empty page for a cursor from elsewhere, and none for one that is no id', async () => {
    const { gateway, ada, id, channel, say, list } = await harbour(engine)
    await say(ada, 'fog')
    const other = await gateway.channel(ada, id, 'bridge')
    const elsewhere = idOf((await say(ada, 'sun', {}, other)).body)
    for (const cursor of [NOWHERE, elsewhere, channel]) {
      expect(await list(`?before=${cursor}`)).toEqual([])
      expect(await list(`?after=${cursor}`)).toEqual([])
    }
    // One that is deleted is still a place.
    const second = idOf((await say(ada, 'sun')).body)
    await gateway.request('DELETE', `/messages/${second}`, ada)
    expect(await list(`?before=${second}`)).toHaveLength(1)
    const bad: [string, string][] = [
      [`?before=${NOWHERE}&after=${NOWHERE}`, 'VALIDATION'],
      ['?before=x', 'BAD_ID'],
      ['?after=', 'BAD_ID'],
      ['?limit=', 'VALIDATION'],
      ['?limit=ten', 'VALIDATION'],
      ['?limit=1.5', 'VALIDATION'],
      ['?limit=1e2', 'VALIDATION'],
    ]
    for (const [query, code] of bad) {
      expectError(await gateway.request('GET', `/channels/${channel}/messages${query}`, ada), 400, code)
    }
  })

  it('takes replies to messages of the same channel that are there', async () => {
    const { gateway, ada, brin, id, channel, say, clients } = await harbour(engine)
    const first = idOf((await say(ada, 'fog')).body)
    const reply = await say(brin, 'yes', { reply_to: first.toUpperCase() })
    expect([reply.status, field(reply.body, 'reply_to')]).toEqual([201, first])
    expect(field((await say(brin, 'yes', { reply_to: null })).body, 'reply_to')).toBe(null)
    await gateway.got(...clients)
    const other = await gateway.channel(ada, id, 'bridge')
    const elsewhere = idOf((await say(ada, 'sun', {}, other)).body)
    await gateway.got(...clients)
    expectError(await say(brin, 'no', { reply_to: elsewhere }), 404, 'NOT_FOUND')
    expectError(await say(brin, 'no', { reply_to: NOWHERE }), 404, 'NOT_FOUND')
    for (const bad of ['x', '', 5, [first], {}]) expect((await say(brin, 'no', { reply_to: bad })).status).toBe(400)
    expect(await gateway.got(...clients)).toEqual([[], [], []])
    // What it replies to may go.
    await gateway.request('DELETE', `/messages/${first}`, ada)
    const left = await gateway.request('GET', `/channels/${channel}/messages/${idOf(reply.body)}`, ada)
    expect(field(left.body, 'reply_to')).toBe(first)
  })

  it('takes up to 4000 characters of well-formed text, as they are', async () => {
    const { gateway, ada, say, clients } = await harbour(engine)
    const good = ['x', ' x ', '⚓', '🛥'.repeat(4000), 'é'.repeat(4000), 'a\nb', '<b>"\\', '\u202e', 'a\u2028b', 'null']
    for (const content of good) {
      const { status, body } = await say(ada, content)
      expect([status, field(body, 'content')]).toEqual([201, content])
    }
    await gateway.got(...clients)
    expect(dataOf(clients[1], 'MESSAGE_CREATE').map((one) => field(one, 'content'))).toEqual(good)
    const id = idOf((await say(ada, 'x')).body)
    await gateway.got(...clients)
    const surrogates = ['{"content":"a\\ud800b"}', '{"content":"\\udc00"}', '{"content":"a\\u0000"}']
    for (const content of [
      '',
      ' ',
      '\n\t\u2003',
      '🛥'.repeat(4001),
      'x'.repeat(4001),
      'a\0b',
      null,
      5,
      ['x'],
      {},
      undefined,
    ]) {
      expectError(await say(ada, content), 400, 'VALIDATION')
      expectError(await gateway.request('PATCH', `/messages/${id}`, ada, { content }), 400, 'VALIDATION')
    }
    for (const body of surrogates) {
      const path = `/channels/${String(field(dataOf(clients[1], 'MESSAGE_CREATE')[0], 'channel_id'))}/messages`
      expectError(await gateway.request('POST', path, ada, body), 400, 'VALIDATION')
      expectError(await gateway.request('PATCH', `/messages/${id}`, ada, body), 400, 'VALIDATION')
    }
    expect(await gateway.got(...clients)).toEqual([[], [], []])
  })

  it('gateway trap T49: names are called with @ in front, and of members only', async () => {
    const { gateway, ada, brin, id, say } = await harbour(engine)
    await gateway.person('outsider')
    const eva = await gateway.person('Eva_2')
    await gateway.request('POST', `/servers/${id}/join`, eva)
    const hidden = await gateway.channel(ada, id, 'bridge')
    await gateway.override(ada, hidden, { userId: brin.id }, 0, VIEW)
    const none: string[] = []
    const calls: [string, string[], boolean, string?][] = [
      ['@ada!', [ada.id], false],
      ['@ADA', [ada.id], false],
      ['mail@ada', none, false],
      ['x @ada\n@brin,', [ada.id, brin.id].toSorted(), false],
      ['@brin @brin @Brin', [brin.id], false],
      ['@ada@brin', none, false],
      ['@eva_2?!', [eva.id], false],
      ['(@ada)', none, false],
      ['@', none, false],
      ['@!', none, false],
      ['@everyone.', none, true],
      ['@Everyone', none, false],
      ['@everyones', none, false],
      ['x@everyone', none, false],
      ['@outsider', none, false],
      ['@ada @everyone', [ada.id], true],
      ['@brin @ada', [ada.id], false, hidden],
    ]
    for (const [content, users, everyone, channel] of calls) {
      const { body } = await say(ada, content, {}, channel)
      expect([content, field(body, 'mention_user_ids'), field(body, 'mention_everyone')]).toEqual([
        content,
        users,
        everyone,
      ])
    }
  })

  it('asks for the right to send, to edit, and to delete', async () => {
    const { gateway, ada, brin, id, channel, say, clients } = await harbour(engine)
    const { world } = gateway
    const [hers, his] = [idOf((await say(ada, 'fog')).body), idOf((await say(brin, 'sun')).body)]
    await gateway.got(...clients)
    const edit = (as: Person, at: string) => gateway.request('PATCH', `/messages/${at}`, as, { content: 'rain' })
    const remove = (as: Person, at: string) => gateway.request('DELETE', `/messages/${at}`, as)
    // Nobody changes the words of others, not even the owner.
    expectError(await edit(ada, his), 403, 'FORBIDDEN')
    expectError(await edit(brin, hers), 403, 'FORBIDDEN')
    expectError(await remove(brin, hers), 403, 'FORBIDDEN')
    await gateway.override(ada, channel, { userId: brin.id }, 0, SEND)
    await gateway.got(...clients)
    expectError(await say(brin, 'x'), 403, 'FORBIDDEN')
    expectError(await edit(brin, his), 403, 'FORBIDDEN')
    expect(await gateway.got(...clients)).toEqual([[], [], []])
    expect((await remove(brin, his)).status).toBe(204)
    const draft = { name: 'Pilot', permissions: MANAGE_MESSAGES, color: null, position: null }
    const role = await world.changes.run(() => world.roles.create(ada.id, id, draft))
    await world.changes.run(() => world.roles.give(ada.id, id, brin.id, role.id))
    expect((await remove(brin, hers)).status).toBe(204)
    expect(await gateway.got(...clients)).toEqual([
      ['MESSAGE_DELETE', 'ROLE_CREATE', 'MEMBER_ROLE_ADD', 'MESSAGE_DELETE'],
      ['MESSAGE_DELETE', 'ROLE_CREATE', 'MEMBER_ROLE_ADD', 'MESSAGE_DELETE'],
      [],
    ])
  })

  it('gateway trap T53: the event comes before the response, and a request that fails has none', async () => {
    const { gateway, ada, brin, channel, clients, say } = await harbour(engine)
    for (let round = 0; round < 20; round++) {
      const id = await gateway.post(ada, channel, `${round}`)
      // On a connection of its own: written by the time of the answer, if not read.
      await clients[1].next('MESSAGE_CREATE')
      expect(field(clients[1].frames.at(-1)?.d, 'id')).toBe(id)
    }
    await gateway.got(...clients)
    const id = idOf((await say(ada, 'fog')).body)
    await gateway.got(...clients)
    const failing = await Promise.all([
      say(ada, ''),
      say(ada, 'x', { reply_to: NOWHERE }),
      gateway.request('PATCH', `/messages/${id}`, brin, { content: 'x' }),
      gateway.request('DELETE', `/messages/${id}`, brin),
      gateway.request('POST', `/channels/${channel}/messages`, 'Bearer bad', { content: 'x' }),
      gateway.request('POST', `/channels/${channel}/messages`, null, { content: 'x' }),
      gateway.request('POST', `/channels/${channel}/messages`, ada, '{"content":'),
      gateway.request('POST', `/channels/${channel}/messages`, ada, '{"content":"x"}', {
        'Content-Type': 'text/plain',
      }),
    ])
    expect(failing.map(({ status }) => status)).toEqual([400, 404, 403, 403, 401, 401, 400, 415])
    expect(await gateway.got(...clients)).toEqual([[], [], []])
  })

  it('keeps the order of one channel, for every connection', async () => {
    const { gateway, ada, brin, channel, clients, list } = await harbour(engine)
    const second = await gateway.connect(brin)
    await gateway.got(...clients, second)
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, i) => gateway.post(i % 2 === 0 ? ada : brin, channel, `${i}`)),
    )
    await gateway.got(...clients, second)
    const order = (await list('?limit=100')).toReversed()
    expect(order.toSorted()).toEqual(replies.toSorted())
    for (const client of [clients[0], clients[1], second])
      expect(dataOf(client, 'MESSAGE_CREATE').map(idOf)).toEqual(order)
  })

  it('reads up to a message that is there', async () => {
    const { gateway, brin, channel, clients, ada } = await harbour(engine)
    const id = await gateway.post(ada, channel, 'fog')
    await gateway.got(...clients)
    const ack = (body: unknown) => gateway.request('POST', `/channels/${channel}/ack`, brin, body)
    expect((await ack({ message_id: id })).status).toBe(204)
    expect((await ack({ message_id: null })).status).toBe(204)
    expectError(await ack({ message_id: NOWHERE }), 404, 'NOT_FOUND')
    expectError(await ack({ message_id: 'x' }), 400, 'VALIDATION')
    expectError(await ack({ message_id: 5 }), 400, 'VALIDATION')
    expectError(await ack([]), 400, 'VALIDATION')
    expect(await gateway.got(...clients)).toEqual([[], [], []])
  })
})
