import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'
import { type Attempt, expectRefused, expectUnseen, NOWHERE } from '../support/unseen.ts'

const [VIEW, MANAGE_MESSAGES] = [1, 4]
const [PIN, UNPIN] = [['MESSAGE_PIN'], ['MESSAGE_UNPIN']]
const SILENCE = [[], [], [], [], []]

/** With a message of brin's in the channel, which ada and cleo may pin. */
async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, brin, cleo, channel, heard } = all
  await gateway.override(ada, channel, { userId: cleo.id }, MANAGE_MESSAGES, 0)
  const id = await gateway.post(brin, channel, 'fog')
  await heard()
  const of = (message: string, within = channel): string => `/channels/${within}/messages/${message}/pin`
  const pin = (as: Person, path = of(id)) => gateway.request('POST', path, as)
  const unpin = (as: Person, path = of(id)) => gateway.request('DELETE', path, as)
  const pinned = async (as = brin, within = channel): Promise<unknown[]> => {
    const { status, body } = await gateway.request('GET', `/channels/${within}/pinned-messages`, as)
    expect(status).toBe(200)
    return listOf(body)
  }
  const get = async (message = id): Promise<unknown> =>
    (await gateway.request('GET', `/channels/${channel}/messages/${message}`, brin)).body
  return { ...all, server: all.id, id, of, pin, unpin, pinned, get }
}

describe.each(engines)('pins, on %s', (engine) => {
  it('come and go, and all who see the channel hear of it, once on each connection', async () => {
    const { gateway, cleo, ada, id, channel, clients, heard, pin, unpin, pinned, get } = await harbour(engine)
    const before = await get()
    const made = await pin(cleo)
    expect([made.status, made.text]).toEqual([204, ''])
    expect(await heard()).toEqual([PIN, PIN, PIN, PIN, []])
    for (const client of clients.slice(0, 4)) {
      const d = { message_id: id, channel_id: channel, pinned_by: cleo.id }
      expect(client.frames.at(-2)).toEqual({ op: 'DISPATCH', t: 'MESSAGE_PIN', d })
      expect(keysOf(field(client.frames.at(-2), 'd'))).toEqual(['message_id', 'channel_id', 'pinned_by'])
    }
    const after: unknown = { ...Object(before), pinned: true, pinned_by: cleo.id, pinned_at: TIME }
    expect(await get()).toEqual(after)
    expect(await pinned()).toEqual([await get()])
    expect(listOf((await gateway.request('GET', `/channels/${channel}/messages`, ada)).body)).toEqual([after])

    const taken = await unpin(ada)
    expect([taken.status, taken.text]).toEqual([204, ''])
    expect(await heard()).toEqual([UNPIN, UNPIN, UNPIN, UNPIN, []])
    for (const client of clients.slice(0, 4)) {
      const d = { message_id: id, channel_id: channel, unpinned_by: ada.id }
      expect(client.frames.at(-2)).toEqual({ op: 'DISPATCH', t: 'MESSAGE_UNPIN', d })
      expect(keysOf(field(client.frames.at(-2), 'd'))).toEqual(['message_id', 'channel_id', 'unpinned_by'])
    }
    expect([await get(), await pinned()]).toEqual([before, []])
    expectError(await unpin(ada), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
  })

  it('gateway trap T36: again is 204, and no event, also at once, and by somebody else', async () => {
    const { ada, cleo, clients, heard, pin, get } = await harbour(engine)
    const statuses = await Promise.all([ada, cleo, ada, cleo].map(async (who) => (await pin(who)).status))
    expect(statuses).toEqual([204, 204, 204, 204])
    expect(await heard()).toEqual([PIN, PIN, PIN, PIN, []])
    const before = await get()
    expect(field(before, 'pinned_by')).toBe(field(dataOf(clients[0], 'MESSAGE_PIN')[0], 'pinned_by'))
    for (const who of [ada, cleo]) expect((await pin(who)).status).toBe(204)
    expect(await heard()).toEqual(SILENCE)
    expect(await get()).toEqual(before)
  })

  it('gateway trap T24: who cannot see the channel hears nothing of them, and gets 404', async () => {
    const { gateway, ada, brin, cleo, dov, server, channel, id, heard, of, pin, unpin, pinned } = await harbour(engine)
    const bridge = await gateway.channel(ada, server, 'bridge')
    // Whatever he might do there.
    await gateway.override(ada, bridge, { userId: brin.id }, MANAGE_MESSAGES, VIEW)
    const hidden = await gateway.post(ada, bridge, 'sun')
    await pin(ada, of(hidden, bridge))
    await heard()
    const attempts = (path: string): Attempt[] => [
      ['POST', path],
      ['DELETE', path],
    ]
    const [nowhere, list] = [attempts(of(NOWHERE, NOWHERE)), (at: string) => `/channels/${at}/pinned-messages`]
    await expectUnseen(gateway, [brin, dov], attempts(of(hidden, bridge)), nowhere)
    await expectUnseen(gateway, [brin, dov], [['GET', list(bridge)]], [['GET', list(NOWHERE)]])
    await expectUnseen(gateway, [dov], attempts(of(id)), nowhere)
    await expectUnseen(gateway, [dov], [['GET', list(channel)]], [['GET', list(NOWHERE)]])
    // A message is found in its own channel only.
    await expectUnseen(gateway, [ada], attempts(of(hidden)), nowhere)
    expect(await heard()).toEqual(SILENCE)
    await unpin(ada, of(hidden, bridge))
    await pin(ada, of(hidden, bridge))
    const told = [...UNPIN, ...PIN]
    expect(await heard()).toEqual([told, [], [], told, []])
    expect((await pinned(cleo, bridge)).map(idOf)).toEqual([hidden])
  })

  it('gateway trap T43: go with their message, and nobody is told of that', async () => {
    const { gateway, ada, brin, channel, id, heard, of, pin, unpin, pinned, get } = await harbour(engine)
    const thread = `/channels/${channel}/messages/${id}/thread`
    const reply = idOf((await gateway.request('POST', thread, brin, { content: 'radar agrees' })).body)
    await pin(ada)
    await pin(ada, of(reply))
    expect((await pinned()).map(idOf).toSorted()).toEqual([id, reply].toSorted())
    await heard()
    await gateway.request('DELETE', `/messages/${id}`, brin)
    const DELETED = ['MESSAGE_DELETE']
    expect(await heard()).toEqual([DELETED, DELETED, DELETED, DELETED, []])
    expect(await pinned()).toEqual([])
    const nothing = { deleted: true, content: '', pinned: false, pinned_by: null, pinned_at: null }
    for (const message of [id, reply]) {
      expect(await get(message)).toMatchObject(nothing)
      expectError(await pin(ada, of(message)), 404, 'NOT_FOUND')
      expectError(await unpin(ada, of(message)), 404, 'NOT_FOUND')
    }
    expect(await heard()).toEqual(SILENCE)
  })

  it('are listed the newest first, and an edit tells of the pin that it keeps', async () => {
    const { gateway, ada, brin, cleo, channel, id, clients, heard, of, pin, unpin, pinned } = await harbour(engine)
    const [second, third] = [await gateway.post(ada, channel, 'a'), await gateway.post(ada, channel, 'b')]
    for (const message of [id, second, third]) await pin(ada, of(message))
    expect((await pinned()).map(idOf)).toEqual([third, second, id])
    // Whatever its age.
    await unpin(cleo, of(second))
    await pin(cleo, of(second))
    expect((await pinned()).map(idOf)).toEqual([second, third, id])
    await heard()
    const edited = await gateway.request('PATCH', `/messages/${id}`, brin, { content: 'sun' })
    expect(edited.body).toMatchObject({ pinned: true, pinned_by: ada.id, pinned_at: TIME })
    const UPDATED = ['MESSAGE_UPDATE']
    expect(await heard()).toEqual([UPDATED, UPDATED, UPDATED, UPDATED, []])
    expect(dataOf(clients[3], 'MESSAGE_UPDATE')).toEqual([edited.body])
    expect(await pinned()).toContainEqual(edited.body)
  })

  it('are 250 of a channel at most', async () => {
    const { gateway, ada, brin, cleo, channel, heard, of, pin, unpin, pinned } = await harbour(engine)
    const { messages, changes } = gateway.world
    const posts = Array.from({ length: 250 }, () =>
      changes.run(() => messages.post(ada.id, channel, { content: 'x', replyTo: null })),
    )
    const [last = '', ...others] = (await Promise.all(posts)).map((message) => message.id)
    await Promise.all(others.map((one) => changes.run(() => messages.pin(ada.id, channel, one))))
    expect((await pin(ada, of(last))).status).toBe(204)
    await heard()
    expectError(await pin(ada), 400, 'LIMIT')
    expectError(await pin(brin), 403, 'FORBIDDEN')
    expectError(await pin(ada, of(NOWHERE)), 404, 'NOT_FOUND')
    // One that is pinned is no more.
    expect((await pin(cleo, of(last))).status).toBe(204)
    expect(await heard()).toEqual(SILENCE)
    expect(await pinned()).toHaveLength(250)
    await unpin(cleo, of(last))
    expect((await pin(ada)).status).toBe(204)
    const told = [...UNPIN, ...PIN]
    expect(await heard()).toEqual([told, told, told, told, []])
  })

  it('are refused in order: who, ids, what is there, the right to manage messages, what is pinned', async () => {
    const { gateway, ada, brin, cleo, server, channel, id, heard, of, pin, unpin } = await harbour(engine)
    const gone = await gateway.post(ada, channel, 'sun')
    await gateway.request('DELETE', `/messages/${gone}`, ada)
    await heard()
    for (const method of ['POST', 'DELETE']) {
      await expectRefused(gateway, [
        [401, 'UNAUTHORIZED', null, method, of('x')],
        [400, 'BAD_ID', brin, method, of('x')],
        [400, 'BAD_ID', brin, method, of(id, 'x')],
        [404, 'NOT_FOUND', brin, method, of(NOWHERE)],
        [404, 'NOT_FOUND', brin, method, of(gone)],
        [403, 'FORBIDDEN', brin, method, of(id)],
      ])
    }
    await expectRefused(gateway, [
      [401, 'UNAUTHORIZED', null, 'GET', '/channels/x/pinned-messages'],
      [400, 'BAD_ID', brin, 'GET', '/channels/x/pinned-messages'],
      [404, 'NOT_FOUND', brin, 'GET', `/channels/${NOWHERE}/pinned-messages`],
      [404, 'NOT_FOUND', cleo, 'DELETE', of(id)],
      [405, 'METHOD_NOT_ALLOWED', cleo, 'PUT', of(id)],
    ])
    // A timeout takes speaking, not this; a body, whatever it is, is not looked at.
    await gateway.request('POST', `/servers/${server}/members/${cleo.id}/timeout`, ada, { duration_minutes: 5 })
    await heard()
    expect((await gateway.request('POST', of(id), cleo, '{"pinned":')).status).toBe(204)
    expect((await unpin(cleo)).status).toBe(204)
    await gateway.override(ada, channel, { userId: cleo.id }, 0, 0)
    expectError(await pin(cleo), 403, 'FORBIDDEN')
    const told = [...PIN, ...UNPIN, 'CHANNEL_OVERRIDE_UPDATE']
    expect(await heard()).toEqual([told, told, told, told, []])
  })
})
