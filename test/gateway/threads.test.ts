import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'
import { countsIn } from '../support/unread.ts'
import { type Attempt, expectRefused, expectUnseen, NOWHERE } from '../support/unseen.ts'

const [VIEW, SEND] = [1, 2]
const REPLIED = ['THREAD_MESSAGE_CREATE']
const SILENCE = [[], [], [], [], []]

/** With a message of ada's in the channel. */
async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, channel, heard } = all
  const root = await gateway.post(ada, channel, 'fog')
  await heard()
  const of = (id: string, within = channel): string => `/channels/${within}/messages/${id}/thread`
  const reply = (as: Person, content: unknown, path = of(root), headers: Record<string, string> = {}) =>
    gateway.request('POST', path, as, { content }, headers)
  const page = async (query = '', path = of(root)): Promise<string[]> => {
    const { status, body } = await gateway.request('GET', `${path}${query}`, ada)
    expect(status).toBe(200)
    return listOf(body).map((one) => String(field(one, 'content')))
  }
  const get = (id: string, as = ada) => gateway.request('GET', `/channels/${channel}/messages/${id}`, as)
  return { ...all, server: all.id, root, of, reply, page, get }
}

describe.each(engines)('threads, on %s', (engine) => {
  it('gateway trap T42: a reply is told of as a reply only, is not listed and not unread, but counts as a mention', async () => {
    const { gateway, brin, cleo, channel, clients, heard, root, reply, get } = await harbour(engine)
    const made = await reply(cleo, 'radar agrees, @brin')
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: idOf(made.body),
      channel_id: channel,
      author_id: cleo.id,
      content: 'radar agrees, @brin',
      reply_to: null,
      edited_at: null,
      deleted: false,
      created_at: TIME,
      mention_user_ids: [brin.id],
      mention_everyone: false,
      thread_id: root,
      thread_reply_count: 0,
      pinned: false,
      pinned_by: null,
      pinned_at: null,
      poll: null,
    })
    expect(await heard()).toEqual([REPLIED, REPLIED, REPLIED, REPLIED, []])
    for (const client of clients.slice(0, 4)) {
      const [told] = dataOf(client, 'THREAD_MESSAGE_CREATE')
      expect(told).toEqual(made.body)
      expect(keysOf(told)).toEqual(keysOf(dataOf(client, 'MESSAGE_CREATE')[0]))
    }
    await reply(cleo, '@everyone')
    await reply(cleo, 'nobody')
    const { body } = await gateway.request('GET', `/channels/${channel}/messages`, brin)
    expect(listOf(body)).toEqual([(await get(root)).body])
    expect(field(body, 0, 'thread_reply_count')).toBe(3)
    expect(countsIn(await gateway.connect(brin), channel)).toEqual([1, 2])
    expect(countsIn(await gateway.connect(cleo), channel)).toEqual([1, 0])
    // Read up to a reply, the later ones are left.
    await gateway.request('POST', `/channels/${channel}/ack`, brin, { message_id: idOf(made.body) })
    expect(countsIn(await gateway.connect(brin), channel)).toEqual([0, 1])
  })

  it('gateway trap T43: goes with its root, in one event, and shows nothing of what was in it', async () => {
    const { gateway, ada, brin, channel, clients, heard, root, of, reply, get } = await harbour(engine)
    const replies = [idOf((await reply(brin, '@ada')).body), idOf((await reply(ada, '@everyone @brin')).body)]
    await heard()
    const DELETED = ['MESSAGE_DELETE']
    expect((await gateway.request('DELETE', `/messages/${root}`, ada)).status).toBe(204)
    expect(await heard()).toEqual([DELETED, DELETED, DELETED, DELETED, []])
    expect(dataOf(clients[3], 'MESSAGE_DELETE')).toEqual([{ id: root, channel_id: channel }])
    for (const id of replies) {
      const nothing = { deleted: true, content: '', mention_user_ids: [], mention_everyone: false, thread_id: root }
      expect((await get(id)).body).toMatchObject(nothing)
      expectError(await gateway.request('PATCH', `/messages/${id}`, brin, { content: 'x' }), 404, 'NOT_FOUND')
      expectError(await gateway.request('DELETE', `/messages/${id}`, ada), 404, 'NOT_FOUND')
    }
    expect((await get(root)).body).toMatchObject({ deleted: true, thread_reply_count: 0 })
    expectError(await gateway.request('GET', of(root), ada), 404, 'NOT_FOUND')
    expectError(await reply(ada, 'x'), 404, 'NOT_FOUND')
    expect(countsIn(await gateway.connect(brin), channel)).toEqual([0, 0])
    expect(await heard()).toEqual(SILENCE)
  })

  it('gateway trap T24: who cannot see the channel hears nothing of its threads, and gets 404', async () => {
    const { gateway, ada, brin, cleo, dov, server, heard, root, of, reply } = await harbour(engine)
    const bridge = await gateway.channel(ada, server, 'bridge')
    await gateway.override(ada, bridge, { userId: brin.id }, 0, VIEW)
    const hidden = await gateway.post(ada, bridge, 'sun')
    const first = idOf((await reply(ada, '@brin', of(hidden, bridge))).body)
    await heard()
    const attempts = (path: string): Attempt[] => [
      ['GET', path],
      ['GET', `${path}?after=${first}`],
      ['POST', path, { content: 'x' }],
    ]
    const nowhere = attempts(of(NOWHERE, NOWHERE))
    await expectUnseen(gateway, [brin, dov], attempts(of(hidden, bridge)), nowhere)
    // What is a reply, which would be 400, is not there either.
    await expectUnseen(gateway, [brin, dov], attempts(of(first, bridge)), nowhere)
    await expectUnseen(gateway, [dov], attempts(of(root)), nowhere)
    await expectUnseen(gateway, [ada, brin], attempts(of(hidden)), nowhere)
    await expectUnseen(gateway, [ada], attempts(of(NOWHERE)), nowhere)
    expect(await heard()).toEqual(SILENCE)
    const id = idOf((await reply(cleo, '@brin @everyone', of(hidden, bridge))).body)
    await gateway.request('PATCH', `/messages/${id}`, cleo, { content: '@brin' })
    await gateway.request('DELETE', `/messages/${id}`, ada)
    const told = [...REPLIED, 'MESSAGE_UPDATE', 'MESSAGE_DELETE']
    expect(await heard()).toEqual([told, [], [], told, []])
    expect(countsIn(await gateway.connect(brin), bridge)).toEqual([0, 0])
  })

  it('tell of an edit and of a delete of a reply, and their root of how many there are', async () => {
    const { gateway, ada, brin, heard, clients, root, reply, page, get } = await harbour(engine)
    const [first] = [(await reply(brin, 'a')).body, (await reply(brin, 'b')).body]
    await heard()
    const path = `/messages/${idOf(first)}`
    const edited = await gateway.request('PATCH', path, brin, { content: 'c' })
    expect(edited.body).toEqual({ ...Object(first), content: 'c', edited_at: TIME })
    const UPDATED = ['MESSAGE_UPDATE']
    expect(await heard()).toEqual([UPDATED, UPDATED, UPDATED, UPDATED, []])
    expect(dataOf(clients[3], 'MESSAGE_UPDATE')).toEqual([edited.body])
    expect(await page()).toEqual(['c', 'b'])
    expectError(await gateway.request('PATCH', path, ada, { content: 'x' }), 403, 'FORBIDDEN')
    await gateway.request('PATCH', `/messages/${root}`, ada, { content: 'sun' })
    await gateway.request('DELETE', path, ada)
    const BOTH = ['MESSAGE_UPDATE', 'MESSAGE_DELETE']
    expect(await heard()).toEqual([BOTH, BOTH, BOTH, BOTH, []])
    expect(dataOf(clients[3], 'MESSAGE_UPDATE')[1]).toMatchObject({ id: root, thread_reply_count: 2, thread_id: null })
    expect((await get(root)).body).toMatchObject({ thread_reply_count: 1 })
    expect(await page()).toEqual(['b'])
    expectError(await gateway.request('DELETE', path, ada), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
  })

  it('are read the oldest first, in pages, from the beginning or on both sides of a cursor', async () => {
    const { gateway, ada, channel, root, of, page } = await harbour(engine)
    const { messages, changes } = gateway.world
    const posts = Array.from({ length: 120 }, (_, i) =>
      changes.run(() => messages.reply(ada.id, channel, root, `${i}`)),
    )
    const ids = (await Promise.all(posts)).map(({ id }) => id)
    const from = (first: number, end: number): string[] => Array.from({ length: end - first }, (_, i) => `${first + i}`)
    expect(await page()).toEqual(from(0, 50))
    expect(await page('?limit=100')).toEqual(from(0, 100))
    expect(await page('?limit=101')).toEqual(from(0, 100))
    expect(await page('?limit=0')).toEqual(from(0, 1))
    expect(await page(`?after=${ids[9]?.toUpperCase()}&limit=3`)).toEqual(from(10, 13))
    expect(await page(`?before=${ids[9]}&limit=3`)).toEqual(from(6, 9))
    expect(await page(`?before=${ids[2]}`)).toEqual(from(0, 2))
    expect(await page(`?after=${ids[118]}`)).toEqual(from(119, 120))
    const forth: string[] = []
    for (let query = '?limit=7'; ;) {
      const some = await page(query)
      if (some.length === 0) break
      forth.push(...some)
      query = `?limit=7&after=${ids[forth.length - 1]}`
    }
    expect(forth).toEqual(from(0, 120))
    const other = await gateway.post(ada, channel, 'sun')
    for (const cursor of [NOWHERE, other, root, channel]) {
      expect(await page(`?before=${cursor}`)).toEqual([])
      expect(await page(`?after=${cursor}`)).toEqual([])
    }
    expect(await page(`?after=${ids[5]}`, of(other))).toEqual([])
    await expectRefused(gateway, [
      [400, 'VALIDATION', ada, 'GET', `${of(root)}?before=${ids[1]}&after=${ids[1]}`],
      [400, 'BAD_ID', ada, 'GET', `${of(root)}?before=x`],
      [400, 'VALIDATION', ada, 'GET', `${of(root)}?limit=ten`],
    ])
  })

  it('are refused in order: who, ids, body, what is there, the right to send, the depth', async () => {
    const { gateway, ada, brin, server, channel, heard, root, of, reply, page } = await harbour(engine)
    const below = idOf((await reply(ada, 'radar')).body)
    const gone = await gateway.post(ada, channel, 'sun')
    await gateway.request('DELETE', `/messages/${gone}`, ada)
    await gateway.override(ada, channel, { userId: brin.id }, 0, SEND)
    await heard()
    const [bad, none, good] = [of('x'), of(NOWHERE), { content: 'x' }]
    await expectRefused(gateway, [
      [401, 'UNAUTHORIZED', null, 'POST', bad, { content: '' }],
      [401, 'UNAUTHORIZED', null, 'GET', bad],
      [400, 'BAD_ID', brin, 'POST', bad, { content: '' }],
      [400, 'BAD_ID', brin, 'GET', of(root, 'x')],
      [400, 'BAD_JSON', brin, 'POST', none, '{"content":'],
      [413, 'TOO_LARGE', brin, 'POST', none, { content: 'x'.repeat(65_536) }],
      [400, 'VALIDATION', brin, 'POST', none, { content: '' }],
      [400, 'VALIDATION', brin, 'POST', none, { content: ' \n\u2003' }],
      [400, 'VALIDATION', brin, 'POST', none, { content: '🦊'.repeat(4001) }],
      [400, 'VALIDATION', brin, 'POST', none, { content: 'a\0' }],
      [400, 'VALIDATION', brin, 'POST', none, '{"content":"\\ud83e"}'],
      [400, 'VALIDATION', brin, 'POST', none, { content: 5 }],
      [400, 'VALIDATION', brin, 'POST', none, {}],
      [400, 'VALIDATION', brin, 'POST', none, []],
      [404, 'NOT_FOUND', brin, 'POST', none, good],
      [404, 'NOT_FOUND', brin, 'POST', of(gone), good],
      [403, 'FORBIDDEN', brin, 'POST', of(root), good],
      [403, 'FORBIDDEN', brin, 'POST', of(below), good],
      [400, 'VALIDATION', ada, 'POST', of(below), good],
    ])
    const plain = await gateway.request('POST', none, brin, '{"content":"x"}', { 'Content-Type': 'text/plain' })
    expectError(plain, 415, 'UNSUPPORTED_TYPE')
    await gateway.override(ada, channel, { userId: brin.id }, 0, 0)
    await gateway.request('POST', `/servers/${server}/members/${brin.id}/timeout`, ada, { duration_minutes: 5 })
    await heard()
    expectError(await reply(brin, 'x'), 403, 'TIMED_OUT')
    expectError(await reply(brin, 'x', none), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
    expect(await page()).toEqual(['radar'])
    // At the limit, and with more than is asked for.
    const made = await gateway.request('POST', of(root), ada, { content: '🦊'.repeat(4000), reply_to: root })
    expect([made.status, field(made.body, 'reply_to')]).toEqual([201, null])
    expect(await heard()).toEqual([REPLIED, REPLIED, REPLIED, REPLIED, []])
  })

  it('take an Idempotency-Key: what is sent again makes nothing', async () => {
    const { gateway, ada, brin, channel, heard, of, reply, page } = await harbour(engine)
    const other = await gateway.post(ada, channel, 'sun')
    await heard()
    const key = { 'Idempotency-Key': 'one' }
    const [first, second] = await Promise.all([reply(brin, 'a', undefined, key), reply(brin, 'a', undefined, key)])
    const third = await reply(brin, 'b', undefined, key)
    for (const again of [second, third]) expect([again.status, again.body]).toEqual([201, first.body])
    expect(await heard()).toEqual([REPLIED, REPLIED, REPLIED, REPLIED, []])
    expect(await page()).toEqual(['a'])
    // In another thread, and of somebody else, it is another.
    await reply(brin, 'c', of(other), key)
    await reply(ada, 'd', undefined, key)
    expect([await page(), await page('', of(other))]).toEqual([['a', 'd'], ['c']])
  })
})
