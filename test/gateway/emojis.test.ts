import { describe, expect, it } from 'vitest'
import { FORM, look, type Part, sendForm, toForm } from '../support/forms.ts'
import { dataOf, expectError, field, idOf, keysOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { filesIn, png } from '../support/stored.ts'
import { TIME } from '../support/time.ts'

const MANAGE_SERVER = 4096
const NOWHERE = '01900000-0000-7000-8000-000000000000'
const [MADE, GONE] = [['CUSTOM_EMOJI_CREATE'], ['CUSTOM_EMOJI_DELETE']]
const NOTHING = [[], [], [], [], []]
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

const partsOf = (name: string, image: string | Buffer = png(name), file = 'buoy.png'): Part[] => [
  { name: 'name', content: name },
  { name: 'image', content: image, file },
]

async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, id } = all
  const at = `/servers/${id}/emojis`
  const make = (name: string, image?: string | Buffer, as: Person = ada, headers: Record<string, string> = {}) =>
    sendForm(gateway, at, as, partsOf(name, image), headers)
  const list = async (): Promise<unknown> => (await gateway.request('GET', at, ada)).body
  return { ...all, at, make, list }
}

describe.each(engines)('custom emoji, on %s', (engine) => {
  it('are made and deleted, and all members hear of it, once on each connection', async () => {
    const { gateway, ada, brin, id, clients, heard, at, make, list } = await harbour(engine)
    const made = await make('buoy')
    expect([made.status, keysOf(made.body)]).toEqual([
      201,
      ['id', 'server_id', 'created_by', 'name', 'url', 'content_type', 'file_size', 'created_at'],
    ])
    const url = `/emojis/${idOf(made.body)}`
    expect(made.body).toEqual({
      id: idOf(made.body),
      server_id: id,
      created_by: ada.id,
      name: 'buoy',
      url,
      content_type: 'image/png',
      file_size: 40,
      created_at: TIME,
    })
    expect(await heard()).toEqual([MADE, MADE, MADE, MADE, []])
    expect(dataOf(clients[3], 'CUSTOM_EMOJI_CREATE')).toEqual([made.body])
    const second = await make('anchor')
    await heard()
    expect((await gateway.request('GET', at, brin)).body).toEqual([made.body, second.body])

    const reply = await gateway.request('DELETE', `${at}/${idOf(made.body)}`, ada)
    expect([reply.status, reply.text]).toEqual([204, ''])
    expect(await heard()).toEqual([GONE, GONE, GONE, GONE, []])
    expect(dataOf(clients[1], 'CUSTOM_EMOJI_DELETE')).toEqual([{ server_id: id, emoji_id: idOf(made.body) }])
    expectError(await gateway.request('DELETE', `${at}/${idOf(made.body)}`, ada), 404, 'NOT_FOUND')
    expect((await look(gateway, url)).status).toBe(404)
    expect([await heard(), await list()]).toEqual([NOTHING, [second.body]])
  })

  it('have an image for anybody, which is what its bytes say and nothing else', async () => {
    const { gateway, make } = await harbour(engine)
    for (const [name, image, type] of [
      ['png', png('buoy', 5000), 'image/png'],
      ['jpeg', Buffer.from('\xff\xd8\xff\xe0 buoy', 'latin1'), 'image/jpeg'],
      ['gif', Buffer.from('GIF89a buoy'), 'image/gif'],
      ['webp', Buffer.from('RIFF\x10\0\0\0WEBP buoy'), 'image/webp'],
      ['page', Buffer.concat([png('x'), Buffer.from(SVG)]), 'image/png'],
    ] as const) {
      const made = await make(name, image)
      expect(made.body).toMatchObject({ content_type: type, file_size: image.length })
      const url = String(field(made.body, 'url'))
      const seen = await look(gateway, url)
      expect([seen.status, seen.body]).toEqual([200, image])
      expect(seen.headers).toMatchObject({
        'content-type': type,
        'content-length': String(image.length),
        'cache-control': 'public, max-age=86400',
        'x-content-type-options': 'nosniff',
      })
      const head = await look(gateway, url, 'HEAD')
      expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, String(image.length)])
    }
    const nowhere = await look(gateway, `/emojis/${NOWHERE}`)
    expect([nowhere.status, nowhere.headers['content-type']]).toEqual([404, 'application/json'])
    expect((await look(gateway, '/emojis/..%2f..%2fworld.db')).status).toBe(400)
  })

  it('are PNG, JPEG, GIF or WebP of 256 KiB, under a name of their own: for anything else there is no event', async () => {
    const { ada, gateway, heard, at, make, list } = await harbour(engine)
    const right = await make('buoy', png('buoy', 262_144))
    expect([right.status, field(right.body, 'file_size')]).toEqual([201, 262_144])
    await heard()
    expectError(await make('large', png('large', 262_145)), 400, 'VALIDATION')
    for (const image of [SVG, `<?xml version="1.0"?>${SVG}`, '<html>', 'BM', '', 'fog', ' \x89PNG\r\n\x1a\n']) {
      expectError(await make('bell', image), 400, 'VALIDATION')
    }
    for (const name of ['', 'Bell', 'be ll', 'bell!', 'béll', 'x'.repeat(33), 'bell\n', '../bell', ':bell:']) {
      expectError(await make(name), 400, 'VALIDATION')
    }
    for (const form of [
      [{ name: 'name', content: 'bell' }],
      [{ name: 'image', content: png('bell'), file: 'x' }],
      [
        { name: 'name', content: 'bell' },
        { name: 'image', content: 'bell' },
      ],
      [
        { name: 'name', content: 'bell', file: 'name.txt' },
        { name: 'image', content: png('bell'), file: 'x' },
      ],
      [],
    ]) {
      expectError(await sendForm(gateway, at, ada, form), 400, 'VALIDATION')
    }
    expectError(await make('buoy'), 409, 'CONFLICT')
    expect([await heard(), await list()]).toEqual([NOTHING, [right.body]])
    for (const name of ['x', 'x'.repeat(32), 'a-_0', '-', '0']) expect((await make(name)).status).toBe(201)
  })

  it('are 50 of a server at most, and an end of one makes room', async () => {
    const { gateway, ada, heard, at, make } = await harbour(engine)
    const made = await Promise.all(Array.from({ length: 50 }, (_, i) => make(`buoy${i}`)))
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]))
    expect((await heard())[3]).toHaveLength(50)
    expectError(await make('bell'), 400, 'LIMIT')
    expect(await heard()).toEqual(NOTHING)
    await gateway.request('DELETE', `${at}/${idOf(made[7]?.body)}`, ada)
    expect((await make('bell')).status).toBe(201)
  })

  it('come once under one Idempotency-Key', async () => {
    const { heard, ada, make, list } = await harbour(engine)
    const key = { 'Idempotency-Key': 'k' }
    const replies = await Promise.all([make('buoy', undefined, ada, key), make('buoy', undefined, ada, key)])
    replies.push(await make('bell', undefined, ada, key))
    for (const { status, text } of replies) expect([status, text]).toEqual([201, replies[0]?.text])
    expect(await heard()).toEqual([MADE, MADE, MADE, MADE, []])
    for (const bad of ['', 'a b', 'x'.repeat(65)]) {
      expectError(await make('bell', undefined, ada, { 'Idempotency-Key': bad }), 400, 'VALIDATION')
    }
    // What was refused is not kept.
    expectError(await make('buoy', undefined, ada, { 'Idempotency-Key': 'l' }), 409, 'CONFLICT')
    expect((await make('bell', undefined, ada, { 'Idempotency-Key': 'l' })).status).toBe(201)
    expect(await heard()).toEqual([MADE, MADE, MADE, MADE, []])
    expect(await list()).toHaveLength(2)
  })

  it('look at who asks first, then at ids, the body, what is there, and what they may', async () => {
    const { gateway, ada, brin, dov, id, elsewhere, heard, at, make } = await harbour(engine)
    const foreign = await sendForm(gateway, `/servers/${elsewhere.id}/emojis`, dov, partsOf('bell'))
    await heard()
    const good = toForm(partsOf('buoy'))
    const steps: [string, Person | null, Buffer | string, string, number, string][] = [
      ['/servers/x/emojis', null, 'x', 'text/plain', 401, 'UNAUTHORIZED'],
      ['/servers/x/emojis', brin, 'x', 'text/plain', 400, 'BAD_ID'],
      [`/servers/${NOWHERE}/emojis`, brin, 'x', 'text/plain', 415, 'UNSUPPORTED_TYPE'],
      [`/servers/${NOWHERE}/emojis`, brin, '{}', 'application/json', 415, 'UNSUPPORTED_TYPE'],
      [`/servers/${NOWHERE}/emojis`, brin, 'x', FORM, 400, 'VALIDATION'],
      [`/servers/${NOWHERE}/emojis`, brin, toForm(partsOf('Buoy')), FORM, 400, 'VALIDATION'],
      [`/servers/${NOWHERE}/emojis`, brin, good, FORM, 404, 'NOT_FOUND'],
      [at, dov, good, FORM, 404, 'NOT_FOUND'],
      [at, brin, good, FORM, 403, 'FORBIDDEN'],
    ]
    for (const [path, as, body, type, status, code] of steps) {
      const reply = await gateway.request('POST', path, as, body, { 'Content-Type': type })
      expect([path, type, reply.status, field(reply.body, 'code')]).toEqual([path, type, status, code])
    }
    for (const [method, path, as, status, code] of [
      ['GET', at, null, 401, 'UNAUTHORIZED'],
      ['GET', at, dov, 404, 'NOT_FOUND'],
      ['DELETE', `${at}/x`, ada, 400, 'BAD_ID'],
      ['DELETE', `${at}/${NOWHERE}`, dov, 404, 'NOT_FOUND'],
      ['DELETE', `${at}/${NOWHERE}`, brin, 403, 'FORBIDDEN'],
      ['DELETE', `${at}/${idOf(foreign.body)}`, ada, 404, 'NOT_FOUND'],
      ['GET', '/emojis/x', null, 400, 'BAD_ID'],
      ['GET', '/emojis', ada, 404, 'NOT_FOUND'],
      ['DELETE', `/emojis/${idOf(foreign.body)}`, ada, 405, 'METHOD_NOT_ALLOWED'],
    ] as const) {
      expectError(await gateway.request(method, path, as), status, code)
    }
    expect(await heard()).toEqual(NOTHING)
    // Of who may not, no bytes were taken: there are those of the one elsewhere.
    expect(filesIn(gateway.folder, 'blobs')).toHaveLength(1)
    // With the permission, a member does as the owner.
    const role = await gateway.request('POST', `/servers/${id}/roles`, ada, {
      name: 'x',
      permissions: MANAGE_SERVER,
    })
    await gateway.request('PUT', `/servers/${id}/members/${brin.id}/roles/${idOf(role.body)}`, ada)
    await heard()
    expect(field((await make('buoy', undefined, brin)).body, 'created_by')).toBe(brin.id)
    expect(await heard()).toEqual([MADE, MADE, MADE, MADE, []])
  })

  // An image that is none is a matter of the body, like a name that is none.
  it('of what is no image are refused as such before it is looked at whether somebody may', async () => {
    const { brin, dov, make } = await harbour(engine)
    for (const as of [dov, brin]) {
      expectError(await make('bell', SVG, as), 400, 'VALIDATION')
      expectError(await make('bell', png('large', 262_145), as), 400, 'VALIDATION')
    }
  })
})
