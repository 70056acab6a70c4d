import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AttachedFile } from '../../lib/chat/files.ts'
import { ATTACH_FILES, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { addFile, codeOfLate, filesIn, png } from '../support/stored.ts'
import { codeOf, START, Town } from '../support/world.ts'

const NOWHERE = '019df252-0000-7000-8000-000000000000'

function setUp() {
  const town = new Town()
  const { world, bob, pier } = town
  const add = (content: string | Buffer, name?: string, by = bob, channel = pier): Promise<AttachedFile> =>
    addFile(town, by, channel, content, name)
  const post = (files: readonly string[], content = '', by = bob, channel = pier) =>
    town.do(({ messages }) => messages.post(by, channel, { content, replyTo: null, files }))
  const remove = (id: string): void => town.do(({ messages }) => messages.remove(bob, id))
  const isThere = ({ id }: { readonly id: string }): boolean => world.files.find(id) !== null
  /** What everyone may do in the channel. */
  const everyone = (allow: number, deny: number): unknown =>
    town.do(({ overrides }) => overrides.set(town.ada, pier, { roleId: null, userId: null }, allow, deny))
  return { town, world, add, post, remove, isThere, everyone }
}

describe('a file', () => {
  it('whose bytes somebody has removed is not found, and that is told', async () => {
    const { town, world, add } = setUp()
    const { id } = await add('fog')
    const stored = world.files.find(id)
    if (stored === null) throw new Error('it was sent')
    rmSync(join(town.folder, 'blobs'), { recursive: true })
    expect(await codeOfLate(world.files.bytesOf(stored))).toBe('NOT_FOUND')
    expect(town.failures.map(({ what }) => what)).toEqual(['The bytes of a file cannot be read'])
  })

  it('is as it was sent: what it is, its bytes say', async () => {
    const { town, world, add } = setUp()
    const file = await add(png('fog'), 'fog.svg')
    expect(file).toEqual({
      id: file.id,
      name: 'fog.svg',
      kind: 'image',
      content_type: 'image/png',
      size: 40,
      url: file.url,
    })
    expect(file.url).toContain(`/files/${file.id}?e=`)
    const stored = world.files.find(file.id)
    expect(stored).toMatchObject({ owner_id: town.bob, channel_id: town.pier, mime: 'image/png' })
    expect(filesIn(town.folder, 'blobs')).toEqual([stored?.sha256])
    if (stored !== null) expect(await world.files.bytesOf(stored)).toEqual(png('fog'))
    // Nobody hears of one that no message has.
    expect(town.told()).toEqual([])
    expect(town.rows('SELECT created_at FROM files')).toEqual([{ created_at: new Date(START).toISOString() }])
  })

  it.each([
    ['fog.txt', 'fog.txt'],
    ['../../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['C:\\windows\\fog.png', 'fog.png'],
    ['..\\..\\fog.png', 'fog.png'],
    ['a/b\\c/fog', 'fog'],
    ['fog/', 'file'],
    ['..', 'file'],
    ['.', 'file'],
    ['...', 'file'],
    ['a/..', 'file'],
    ['', 'file'],
    ['  ', 'file'],
    ['\0\r\n\t\u007f\u009f', 'file'],
    ['.profile', '.profile'],
    ['  fog.txt ', 'fog.txt'],
    ['fog\r\nX-Evil: yes', 'fogX-Evil: yes'],
    ['fog\0.txt', 'fog.txt'],
    ['fog\ud800.txt', 'file'],
    ['"fog"; x="y', '"fog"; x="y'],
    ['fog ⚓.txt', 'fog ⚓.txt'],
    ['⚓'.repeat(200), '⚓'.repeat(200)],
    ['🌫'.repeat(201), '🌫'.repeat(200)],
    [`${'.'.repeat(200)}x`, 'file'],
  ])('that is called %j is called %j', async (given, name) => {
    const { add } = setUp()
    expect((await add('fog', given)).name).toBe(name)
  })

  it('is for those who may attach some there, and for both sides of a direct channel', async () => {
    const { town, add, everyone } = setUp()
    const { direct } = town.do(({ directs }) => directs.open(town.bob, town.cleo))
    const { uploads } = town.world
    const codes = async (who: string, channel = town.pier): Promise<string[]> => [
      codeOf(() => uploads.checkMay(who, channel)),
      await codeOfLate(add('fog', 'fog', who, channel)),
    ]
    expect(await codes(town.cleo)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(await codes(town.ada, direct.id)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(await codes(town.bob, NOWHERE)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    everyone(0, ATTACH_FILES)
    expect(await codes(town.bob)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    everyone(0, VIEW_CHANNEL)
    expect(await codes(town.bob)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    everyone(0, 0)
    town.silence(town.place, town.bob, START + 1)
    expect(await codes(town.bob)).toEqual(['TIMED_OUT', 'TIMED_OUT'])
    expect(town.rows('SELECT * FROM files')).toEqual([])
    const fine = ['nothing was refused', 'nothing was refused']
    for (const who of [town.bob, town.cleo]) expect(await codes(who, direct.id)).toEqual(fine)
    expect(await codes(town.ada)).toEqual(fine)
  })

  it('is not kept for who may no more when its bytes have come', async () => {
    const { town, add, everyone } = setUp()
    const adding = add('fog')
    everyone(0, ATTACH_FILES)
    expect(await codeOfLate(adding)).toBe('FORBIDDEN')
    expect(town.rows('SELECT * FROM files')).toEqual([])
  })

  it('counts among those of its owner: 1 GiB in all, of which a message that is deleted frees some', async () => {
    const { town, world, add, post, remove } = setUp()
    const { id } = await add('fog at six')
    const message = post([id])
    town.write('UPDATE blobs SET size = ?', 2 ** 30 - 5)
    await add('five5')
    expect(await codeOfLate(add('x'))).toBe('LIMIT')
    // The same bytes under another name are counted, too.
    expect(await codeOfLate(add('five5'))).toBe('LIMIT')
    const image = png('buoy')
    const making = world.files.keep(image, (content) => world.emojis.create(town.ada, town.place, 'buoy', content))
    expect(await codeOfLate(making)).toBe('nothing was refused')
    await add('x', 'x', town.ada)
    remove(message.id)
    await add('x')
  })
})

describe('files of messages', () => {
  it('are theirs, in the order in which they came, with content or without', async () => {
    const { town, world, add, post } = setUp()
    const files = [await add('one'), await add('two'), await add('three')]
    const ids = files.map(({ id }) => id)
    const bare = post(ids.toReversed())
    expect(bare).toMatchObject({ content: '', files })
    expect(town.told()).toEqual([{ type: 'message.created', serverId: town.place, message: bare }])
    const said = post(ids.slice(1), 'fog at six')
    expect(said).toMatchObject({ content: 'fog at six', files: files.slice(1) })
    // Wherever they are read.
    town.do(({ messages }) => messages.pin(town.ada, town.pier, said.id))
    const page = { before: null, after: null, limit: 10 }
    const { messages } = world
    expect(messages.list(town.ada, town.pier, page).map((one) => one.files)).toEqual([files.slice(1), files])
    expect(messages.get(town.ada, town.pier, bare.id).files).toEqual(files)
    expect(messages.pinned(town.ada, town.pier)[0]?.files).toEqual(files.slice(1))
    town.told()
    const edited = town.do((all) => all.messages.edit(town.bob, said.id, 'fog at seven'))
    expect(edited.files).toEqual(files.slice(1))
    expect(town.told()).toMatchObject([{ type: 'message.updated', message: { files: files.slice(1) } }])
    expect(post([], 'fog').files).toEqual([])
  })

  it('are of direct messages, too', async () => {
    const { town, world, add } = setUp()
    const { direct } = town.do(({ directs }) => directs.open(town.bob, town.cleo))
    const [file, hers] = [await add('fog', 'fog', town.bob, direct.id), await add('x', 'x', town.cleo, direct.id)]
    const here = await add('fog')
    const send = (files: readonly string[], content = '') =>
      town.do(({ directs }) => directs.post(town.bob, direct.id, { content, files }))
    town.told()
    for (const wrong of [[hers.id], [here.id], [NOWHERE], [file.id, hers.id]]) {
      expect(codeOf(() => send(wrong))).toBe('NOT_FOUND')
    }
    expect(codeOf(() => send([file.id, file.id]))).toBe('INVALID')
    expect(codeOf(() => send([]))).toBe('INVALID')
    expect(town.told()).toEqual([])
    const message = send([file.id])
    expect(message).toMatchObject({ content: '', files: [file] })
    expect(town.told()).toMatchObject([{ type: 'direct.message', message: { files: [file] } }])
    const page = { before: null, after: null, limit: 10 }
    expect(world.directs.list(town.cleo, direct.id, page)).toEqual([message])
  })

  it('are the author’s own, for the channel, each once, ten at most', async () => {
    const { town, add, post, everyone } = setUp()
    const elsewhere = town.channel(town.ada, town.place, 'quay')
    const own = await Promise.all(Array.from({ length: 11 }, (_, i) => add(`fog ${i}`)))
    const [hers, there] = [await add('fog', 'fog', town.ada), await add('fog', 'fog', town.bob, elsewhere)]
    const ids = own.map(({ id }) => id)
    const [first = ''] = ids
    town.told()
    for (const [files, code] of [
      [[hers.id], 'NOT_FOUND'],
      [[there.id], 'NOT_FOUND'],
      [[NOWHERE], 'NOT_FOUND'],
      [[first, NOWHERE], 'NOT_FOUND'],
      [[first, first], 'INVALID'],
      [ids, 'INVALID'],
    ] as const) {
      expect(codeOf(() => post(files))).toBe(code)
    }
    // Owning all does not help.
    expect(codeOf(() => post([first], 'x', town.ada))).toBe('NOT_FOUND')
    expect(codeOf(() => post([], ''))).toBe('INVALID')
    everyone(0, ATTACH_FILES)
    town.told()
    expect(codeOf(() => post([first], 'fog'))).toBe('FORBIDDEN')
    expect(town.told()).toEqual([])
    expect(town.rows('SELECT * FROM message_files')).toEqual([])
    post([], 'fog')
    everyone(0, 0)
    expect(post(ids.slice(1)).files).toHaveLength(10)
  })

  it('are gone at once with the message, but for those that another has', async () => {
    const { town, world, add, post, remove, isThere } = setUp()
    const [one, both] = [await add('fog'), await add('fog')]
    const [message, other] = [post([one.id, both.id]), post([both.id])]
    const { direct } = town.do(({ directs }) => directs.open(town.bob, town.cleo))
    const there = await add('fog', 'fog', town.bob, direct.id)
    town.do(({ directs }) => directs.post(town.bob, direct.id, { content: '', files: [there.id] }))
    remove(message.id)
    expect([one, both, there].map(isThere)).toEqual([false, true, true])
    expect(world.messages.get(town.bob, town.pier, message.id).files).toEqual([])
    // The same bytes are still those of the other.
    const stored = world.files.find(both.id)
    if (stored !== null) expect((await world.files.bytesOf(stored)).toString()).toBe('fog')
    expect(codeOf(() => post([one.id]))).toBe('NOT_FOUND')
    remove(other.id)
    expect([both, there].map(isThere)).toEqual([false, true])
    expect(world.directs.list(town.cleo, direct.id, { before: null, after: null, limit: 1 })[0]?.files).toEqual([there])
    expect(town.rows('SELECT file_id FROM message_files')).toEqual([{ file_id: there.id }])
  })
})
