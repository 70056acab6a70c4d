import { describe, expect, it } from 'vitest'
import { fileParts, look, sendForm, upload } from '../support/forms.ts'
import { dataOf, expectError, field, Gateway, idOf, keysOf, listOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { filesIn, png } from '../support/stored.ts'

const [VIEW, SEND, ATTACH] = [1, 2, 8]
const NOWHERE = '01900000-0000-7000-8000-000000000000'
const [SAID, GONE, TOLD] = [['MESSAGE_CREATE'], ['MESSAGE_DELETE'], ['DM_MESSAGE_CREATE']]
const NOTHING = [[], [], [], [], []]

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, brin, cleo, channel, heard } = all
  const post = (as: Person, body: object, headers: Record<string, string> = {}, to = channel) =>
    gateway.request('POST', `/channels/${to}/messages`, as, body, headers)
  const opened = await gateway.request('POST', '/dm-channels', brin, { user_id: cleo.id })
  const direct = idOf(opened.body)
  const send = (as: Person, body: object, headers: Record<string, string> = {}) =>
    gateway.request('POST', `/dm-channels/${direct}/messages`, as, body, headers)
  const deny = async (bits: number): Promise<void> => {
    await gateway.override(ada, channel, {}, 0, bits)
    await heard()
  }
  await heard()
  return { ...all, post, direct, send, deny }
}

describe.each(engines)('files, on %s', (engine) => {
  it('are sent for a channel, and read by their link, by anybody, as what they are not: a page', async () => {
    const { gateway, brin, channel, heard } = await harbour(engine)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const reply = await sendForm(gateway, '/files', brin, fileParts(channel, bytes, 'fog ⚓.html'))
    const { id, body, url } = { id: idOf(reply.body), body: reply.body, url: String(field(reply.body, 'url')) }
    expect([reply.status, keysOf(body)]).toEqual([201, ['id', 'name', 'kind', 'content_type', 'size', 'url']])
    const type = 'application/octet-stream'
    expect(body).toEqual({ id, name: 'fog ⚓.html', kind: 'file', content_type: type, size: 256, url })
    expect(url).toMatch(new RegExp(`^/files/${id}\\?e=\\d{10}&s=[\\w-]{43}$`))
    const seen = await look(gateway, url)
    expect([seen.status, seen.body]).toEqual([200, bytes])
    expect(seen.headers).toMatchObject({
      'content-type': type,
      'content-length': '256',
      'content-disposition': "attachment; filename*=UTF-8''fog%20%E2%9A%93.html",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    expect(seen.headers['content-security-policy']).toContain('sandbox')
    expect(seen.headers['cache-control']).toContain('private')
    const head = await look(gateway, url, 'HEAD')
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, '256'])
    expect((await look(gateway, url.replace(id, id.toUpperCase()))).status).toBe(200)
    const image = await upload(gateway, brin, channel, png('fog'), 'fog.svg')
    expect(image.body).toMatchObject({ kind: 'image', content_type: 'image/png', name: 'fog.svg' })
    // Nobody hears of what no message has.
    expect(await heard()).toEqual(NOTHING)
  })

  it('are not found by a link that is not theirs, or has ended, the same as what is not there', async () => {
    const { gateway, brin, channel } = await harbour(engine)
    const [one, other] = [await upload(gateway, brin, channel, 'one'), await upload(gateway, brin, channel, 'other')]
    const [, ends = '', signature = ''] = /e=(\d+)&s=([\w-]+)$/.exec(one.url) ?? []
    const [, foreign = ''] = /s=([\w-]+)$/.exec(other.url) ?? []
    expect(Number(ends) % 3600).toBe(0)
    expect(Number(ends) * 1000).toBeGreaterThanOrEqual(Date.now() + 86_400_000 - 60_000)
    const nowhere = await look(gateway, `/files/${NOWHERE}?e=${ends}&s=${signature}`)
    expect(nowhere.status).toBe(404)
    for (const query of [
      '',
      '?',
      `?e=${ends}`,
      `?s=${signature}`,
      `?e=${ends}&s=`,
      `?e=${ends}&s=${foreign}`,
      `?e=${ends}&s=${signature.slice(0, -1)}`,
      `?e=${Number(ends) + 3600}&s=${signature}`,
      `?e=${Number(ends) - 90_000}&s=${signature}`,
      `?e=x&s=${signature}`,
      `?e=${ends}&s=%00&s=${signature}`,
      `?e=${ends}&s=%ff`,
    ]) {
      const { status, body, headers } = await look(gateway, `/files/${one.id}${query}`)
      expect([query, status, body.toString()]).toEqual([query, 404, nowhere.body.toString()])
      expect(headers['content-disposition']).toBeUndefined()
    }
    // An account is no key.
    expectError(await gateway.request('GET', `/files/${one.id}`, brin), 404, 'NOT_FOUND')
    expectError(await gateway.request('GET', `/files/x${one.url.slice(44)}`), 400, 'BAD_ID')
    expectError(await gateway.request('DELETE', one.url, brin), 405, 'METHOD_NOT_ALLOWED')
    expect((await look(gateway, one.url)).body.toString()).toBe('one')
  })

  it('are found by a link of before after a restart', async () => {
    const { gateway, brin, channel } = await harbour(engine)
    const { url } = await upload(gateway, brin, channel, 'fog')
    await gateway.free()
    const next = await Gateway.start(engine, {}, gateway.folder)
    const seen = await look(next, url)
    expect([seen.status, seen.body.toString()]).toEqual([200, 'fog'])
  })

  it('of a message are in it wherever it is read; others have no such field', async () => {
    const { gateway, ada, brin, channel, clients, heard, post } = await harbour(engine)
    const [one, two] = [await upload(gateway, brin, channel, 'one'), await upload(gateway, brin, channel, png('two'))]
    const plain = await post(brin, { content: 'fog' })
    const reply = await post(brin, { file_ids: [one.id, two.id.toUpperCase()] })
    expect([reply.status, field(reply.body, 'content')]).toEqual([201, ''])
    expect(keysOf(reply.body)).toEqual([...keysOf(plain.body), 'files'])
    expect(field(reply.body, 'files')).toEqual([one.body, two.body])
    const said = await post(brin, { content: 'look', file_ids: [two.id] })
    const empty = await post(brin, { content: 'fog', file_ids: [] })
    expect(keysOf(empty.body)).not.toContain('files')
    const all = [...SAID, ...SAID, ...SAID, ...SAID]
    expect(await heard()).toEqual([all, all, all, all, []])
    const told = [plain, reply, said, empty].map(({ body }) => body)
    expect(dataOf(clients[3], 'MESSAGE_CREATE')).toEqual(told)
    const list = await gateway.request('GET', `/channels/${channel}/messages`, ada)
    expect(listOf(list.body).toReversed()).toEqual(told)
    const id = idOf(said.body)
    expect((await gateway.request('GET', `/channels/${channel}/messages/${id}`, ada)).body).toEqual(said.body)
    const edited = await gateway.request('PATCH', `/messages/${id}`, brin, { content: 'look there' })
    expect(field(edited.body, 'files')).toEqual([two.body])
    await heard()
    expect(dataOf(clients[0], 'MESSAGE_UPDATE')).toEqual([edited.body])
    expectError(await gateway.request('PATCH', `/messages/${id}`, brin, { content: '' }), 400, 'VALIDATION')
  })

  it('of direct messages are for the two', async () => {
    const { gateway, ada, brin, cleo, channel, direct, clients, heard, send } = await harbour(engine)
    const file = await upload(gateway, brin, direct, 'fog')
    const plain = await send(cleo, { content: 'fog' })
    const reply = await send(brin, { file_ids: [file.id] })
    expect(keysOf(reply.body)).toEqual([...keysOf(plain.body), 'files'])
    expect([reply.status, field(reply.body, 'content'), field(reply.body, 'files')]).toEqual([201, '', [file.body]])
    const both = [...TOLD, ...TOLD]
    expect(await heard()).toEqual([[], both, both, both, []])
    expect(dataOf(clients[3], 'DM_MESSAGE_CREATE')).toEqual([plain.body, reply.body])
    const list = await gateway.request('GET', `/dm-channels/${direct}/messages`, cleo)
    expect(list.body).toEqual([reply.body, plain.body])
    const strange = await sendForm(gateway, '/files', ada, fileParts(direct, 'fog'))
    expect([strange.status, strange.text]).toEqual([
      404,
      (await sendForm(gateway, '/files', ada, fileParts(NOWHERE, 'fog'))).text,
    ])
    const here = await upload(gateway, brin, channel, 'fog')
    const hers = await upload(gateway, cleo, direct, 'fog')
    const missing = await send(brin, { file_ids: [NOWHERE] })
    for (const ids of [[here.id], [hers.id], [file.id, hers.id]]) {
      const refused = await send(brin, { content: 'fog', file_ids: ids })
      expect([refused.status, refused.text]).toEqual([404, missing.text])
    }
    expectError(await send(ada, { file_ids: [file.id] }), 404, 'NOT_FOUND')
    expectError(await send(brin, { file_ids: [] }), 400, 'VALIDATION')
    expect(await heard()).toEqual(NOTHING)
  })

  it('gateway trap T43: with a message its files go at once, but for one that another has, too', async () => {
    const { gateway, ada, brin, channel, heard, post } = await harbour(engine)
    // Both are the same bytes.
    const [one, both] = [await upload(gateway, brin, channel, 'fog'), await upload(gateway, brin, channel, 'fog')]
    const first = idOf((await post(brin, { content: 'x', file_ids: [one.id, both.id] })).body)
    const second = idOf((await post(brin, { file_ids: [both.id] })).body)
    await heard()
    const statuses = async (): Promise<number[]> =>
      Promise.all([one, both].map(async ({ url }) => (await look(gateway, url)).status))
    expect(await statuses()).toEqual([200, 200])
    expect((await gateway.request('DELETE', `/messages/${first}`, brin)).status).toBe(204)
    expect(await heard()).toEqual([GONE, GONE, GONE, GONE, []])
    expect(await statuses()).toEqual([404, 200])
    const deleted = await gateway.request('GET', `/channels/${channel}/messages/${first}`, ada)
    expect([field(deleted.body, 'deleted'), field(deleted.body, 'content')]).toEqual([true, ''])
    expect(keysOf(deleted.body)).not.toContain('files')
    expectError(await post(brin, { file_ids: [one.id] }), 404, 'NOT_FOUND')
    await gateway.request('DELETE', `/messages/${second}`, ada)
    expect(await statuses()).toEqual([404, 404])
  })

  it('gateway trap T24: for a channel that is hidden are answered as for one that is not there', async () => {
    const { gateway, ada, brin, dov, channel, heard, post, deny } = await harbour(engine)
    const own = await upload(gateway, brin, channel, 'fog')
    const send = (as: Person, to: string) => sendForm(gateway, '/files', as, fileParts(to, 'mist'))
    const nowhere = await send(brin, NOWHERE)
    expectError(nowhere, 404, 'NOT_FOUND')
    expect((await send(dov, channel)).text).toBe(nowhere.text)
    await deny(ATTACH)
    expectError(await send(brin, channel), 403, 'FORBIDDEN')
    // Of who may not, no bytes were taken.
    expect(filesIn(gateway.folder, 'blobs')).toHaveLength(1)
    expectError(await post(brin, { content: 'fog', file_ids: [own.id] }), 403, 'FORBIDDEN')
    expect((await post(brin, { content: 'fog' })).status).toBe(201)
    await deny(SEND)
    // One may attach without sending; only the message is refused.
    expect((await send(brin, channel)).status).toBe(201)
    expectError(await post(brin, { file_ids: [own.id] }), 403, 'FORBIDDEN')
    await deny(VIEW)
    const hidden = await send(brin, channel)
    expect([hidden.status, hidden.text]).toEqual([404, nowhere.text])
    expectError(await post(brin, { file_ids: [own.id] }), 404, 'NOT_FOUND')
    await deny(0)
    const path = `/servers/${String(field(gateway.world.servers.of(ada.id), 0, 'id'))}/members/${brin.id}/timeout`
    await gateway.request('POST', path, ada, { duration_minutes: 5 })
    expectError(await send(brin, channel), 403, 'TIMED_OUT')
    expectError(await post(brin, { file_ids: [own.id] }), 403, 'TIMED_OUT')
    expect(await heard()).toEqual([['MEMBER_TIMEOUT'], ['MEMBER_TIMEOUT'], ['MEMBER_TIMEOUT'], ['MEMBER_TIMEOUT'], []])
  })

  it('of a message are the author’s own, for the channel, each once, ten at most', async () => {
    const { gateway, ada, brin, cleo, id, channel, direct, heard, post } = await harbour(engine)
    const own = await Promise.all(Array.from({ length: 11 }, (_, i) => upload(gateway, brin, channel, `fog ${i}`)))
    const ids = own.map((file) => file.id)
    const quay = await gateway.channel(ada, id, 'quay')
    const foreign = [
      await upload(gateway, cleo, channel, 'fog'),
      await upload(gateway, brin, quay, 'fog'),
      await upload(gateway, brin, direct, 'fog'),
    ]
    await heard()
    const missing = await post(brin, { file_ids: [NOWHERE] })
    expectError(missing, 404, 'NOT_FOUND')
    for (const file of foreign) {
      const refused = await post(brin, { content: 'fog', file_ids: [ids[0], file.id] })
      expect([refused.status, refused.text]).toEqual([404, missing.text])
    }
    for (const file_ids of [ids, [ids[0], ids[0]], [ids[0], ids[0]?.toUpperCase()], ['x'], [5], [null], ids[0], {}]) {
      expectError(await post(brin, { content: 'fog', file_ids }), 400, 'VALIDATION')
    }
    for (const content of ['', ' ', '\n\t', 'x'.repeat(4001), null, 5]) {
      expectError(await post(brin, { content, file_ids: content === '' ? [] : [ids[0]] }), 400, 'VALIDATION')
    }
    expect(await heard()).toEqual(NOTHING)
    const most = await post(brin, { file_ids: ids.slice(1) })
    expect(listOf(field(most.body, 'files'))).toHaveLength(10)
    expect(await heard()).toEqual([SAID, SAID, SAID, SAID, []])
  })

  it('come once under one Idempotency-Key, and so do messages that have them', async () => {
    const { gateway, brin, channel, direct, heard, post, send } = await harbour(engine)
    const key = { 'Idempotency-Key': 'k' }
    const add = (content: string, to = channel) => sendForm(gateway, '/files', brin, fileParts(to, content), key)
    const replies = await Promise.all([add('fog'), add('fog')])
    // Also when it is something else the second time.
    replies.push(await add('mist'))
    for (const { status, text } of replies) expect([status, text]).toEqual([201, replies[0]?.text])
    expect((await look(gateway, String(field(replies[0]?.body, 'url')))).body.toString()).toBe('fog')
    const file_ids = [idOf(replies[0]?.body)]
    const said = await Promise.all([post(brin, { file_ids }, key), post(brin, { file_ids }, key)])
    expect(said.map(({ status, text }) => [status, text])).toEqual([1, 2].map(() => [201, said[0]?.text]))
    expect(await heard()).toEqual([SAID, SAID, SAID, SAID, []])
    const there = await upload(gateway, brin, direct, 'fog')
    const told = await Promise.all([1, 2].map(() => send(brin, { file_ids: [there.id] }, key)))
    expect(told.map(({ status, text }) => [status, text])).toEqual([1, 2].map(() => [201, told[0]?.text]))
    expect(await heard()).toEqual([[], TOLD, TOLD, TOLD, []])
    for (const bad of ['', 'a b', 'x'.repeat(65)]) {
      const parts = fileParts(channel, 'fog')
      expectError(await sendForm(gateway, '/files', brin, parts, { 'Idempotency-Key': bad }), 400, 'VALIDATION')
    }
  })
})

describe.each(engines)('links to files, where the API is elsewhere, on %s', (engine) => {
  it('begin with /files all the same', async () => {
    const gateway = await Gateway.start(engine, { apiPrefix: '/api' })
    const ada = await gateway.person('ada')
    const { channel } = await gateway.server(ada)
    const reply = await sendForm(gateway, '/api/files', ada, fileParts(channel, 'fog'))
    expect(reply.status).toBe(201)
    const url = String(field(reply.body, 'url'))
    expect(url).toMatch(/^\/files\//)
    for (const path of [url, `/api${url}`]) {
      const seen = await look(gateway, path)
      expect([path, seen.status, seen.body.toString()]).toEqual([path, 200, 'fog'])
      expect(seen.headers['x-content-type-options']).toBe('nosniff')
    }
    const wrong = await gateway.request('GET', `${url}x`)
    expectError(wrong, 404, 'NOT_FOUND')
    // Nothing else is there.
    for (const path of ['/users/@me', '/servers', '/health']) {
      expect([path, (await look(gateway, path)).status]).toEqual([path, 404])
    }
    // Emoji name themselves in the same way.
    expect((await look(gateway, '/emojis/x')).status).toBe(400)
    expect((await look(gateway, '/api/health')).status).toBe(200)
  })
})
