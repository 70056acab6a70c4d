import { describe, expect, it } from 'vitest'
import type { AttachedFile } from '../../lib/chat/files.ts'
import { ATTACH_FILES, MANAGE_MESSAGES, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { addFile, png } from '../support/stored.ts'
import { codeOf, START, Town } from '../support/world.ts'

const NOWHERE = '019df252-0000-7000-8000-000000000000'

/** Ada owns the server, bob may manage messages in the pier, cleo may nothing in particular. */
function setUp() {
  const town = new Town()
  const { world, ada, bob, pier } = town
  const everyone = (allow: number, deny = 0): unknown =>
    town.do(({ overrides }) => overrides.set(ada, pier, { roleId: null, userId: null }, allow, deny))
  const add = (content: string | Buffer, name = 'fog.txt', by = bob, channel = pier): Promise<AttachedFile> =>
    addFile(town, by, channel, content, name)
  const post = (ids: readonly string[], by = bob, channel = pier) =>
    town.do(({ messages }) => messages.post(by, channel, { content: 'x', files: ids }))
  const share = async (content: string, name?: string, by = bob): Promise<string> => {
    const { id } = await add(content, name, by)
    post([id], by)
    return id
  }
  const list = (folder = '', user = ada, limit = 50) => world.groupFiles.list(user, pier, folder, limit)
  const names = (folder = ''): string[] => list(folder).files.map(({ name }) => name)
  const makeFolder = (name: string, by = ada, parent = '') =>
    town.do(({ groupFiles }) => groupFiles.makeFolder(by, pier, name, parent))
  const change = (id: string, what: { folder?: string; name?: string }, by = bob, channel = pier): void =>
    town.do(({ groupFiles }) => groupFiles.change(by, channel, id, what))
  const remove = (id: string, by = bob): void => town.do(({ groupFiles }) => groupFiles.remove(by, pier, id))
  return { town, world, everyone, add, post, share, list, names, makeFolder, change, remove }
}

describe('files of a channel', () => {
  it('are those of its messages that are no images, with who has sent them, the newest first', async () => {
    const { town, world, add, post, list } = setUp()
    const [text, image, other] = [await add('fog'), await add(png('fog'), 'fog.png'), await add('mist', 'mist.txt')]
    expect(list().files).toEqual([])
    post([text.id, image.id])
    post([other.id])
    const at = new Date(START).toISOString()
    const common = { folder_id: '', uploader_id: town.bob, downloads: 0, created_at: at, modified_at: at }
    const file = { id: text.id, name: 'fog.txt', size: 3, ...common }
    expect(list().files).toEqual([{ id: other.id, name: 'mist.txt', size: 4, ...common }, file])
    expect(list('', town.ada, 1).files).toHaveLength(1)
    expect(world.groupFiles.get(town.ada, town.pier, text.id)).toEqual(file)
    expect(world.groupFiles.usage(town.ada, town.pier)).toEqual({ count: 2, bytes: 7 })
    expect(town.reopen().world.groupFiles.usage(town.ada, town.pier)).toEqual({ count: 2, bytes: 7 })
  })

  it('go with their message, and for good when they are removed', async () => {
    const { town, world, add, post, share, names, remove } = setUp()
    const { id } = await add('fog')
    const message = post([id])
    const other = await share('mist', 'mist.txt')
    town.do(({ messages }) => messages.remove(town.bob, message.id))
    expect([names(), world.files.find(id)]).toEqual([['mist.txt'], null])
    remove(other)
    expect([names(), world.files.find(other)]).toEqual([[], null])
    expect(codeOf(() => world.groupFiles.get(town.ada, town.pier, other))).toBe('NOT_FOUND')
    expect(world.messages.list(town.ada, town.pier, { before: null, after: null, limit: 9 })).toMatchObject([
      { content: 'x', files: [] },
    ])
  })

  it('are put elsewhere and named by who has sent them, or may manage messages', async () => {
    const { town, share, names, makeFolder, change, list, everyone } = setUp()
    const id = await share('fog')
    const { id: folder } = makeFolder('charts')
    town.clock.ms += 1000
    change(id, { folder })
    expect([names(), names(folder)]).toEqual([[], ['fog.txt']])
    expect(list().folders).toMatchObject([{ id: folder, name: 'charts', files: 1 }])
    change(id, { name: 'mist.txt' })
    expect(list(folder).files).toMatchObject([
      { name: 'mist.txt', folder_id: folder, modified_at: new Date(START + 1000).toISOString() },
    ])
    change(id, { folder: '' }, town.ada)
    expect(names()).toEqual(['mist.txt'])
    town.join(town.cleo, town.place)
    expect(codeOf(() => change(id, { name: 'x' }, town.cleo))).toBe('FORBIDDEN')
    everyone(MANAGE_MESSAGES)
    change(id, { name: 'by cleo.txt' }, town.cleo)
    expect(names()).toEqual(['by cleo.txt'])
    for (const name of ['', ' ', '.', '..', 'a/b', 'a\\b', 'a\0', 'a\nb', 'a\ud800', 'x'.repeat(201)]) {
      expect([name, codeOf(() => change(id, { name }))]).toEqual([name, 'INVALID'])
    }
    change(id, { name: '⚓'.repeat(200) })
    const attic = town.channel(town.ada, town.place)
    expect(codeOf(() => change(id, { folder: NOWHERE }))).toBe('NOT_FOUND')
    expect(codeOf(() => change(NOWHERE, { name: 'x' }))).toBe('NOT_FOUND')
    expect(codeOf(() => change(id, { name: 'x' }, town.bob, attic))).toBe('NOT_FOUND')
  })

  it('are counted as they are fetched', async () => {
    const { town, share, list } = setUp()
    const id = await share('fog')
    for (let i = 0; i < 3; i++) town.do(({ groupFiles }) => groupFiles.count(id))
    expect(list().files).toMatchObject([{ downloads: 3 }])
  })

  it('do not exist for who does not see the channel', async () => {
    const { town, world, share, everyone, change, remove } = setUp()
    const id = await share('fog')
    everyone(0, VIEW_CHANNEL)
    const ask = [
      () => world.groupFiles.list(town.bob, town.pier, '', 9),
      () => world.groupFiles.get(town.bob, town.pier, id),
      () => world.groupFiles.usage(town.bob, town.pier),
      () => change(id, { name: 'x' }),
      () => remove(id),
      () => town.do(({ groupFiles }) => groupFiles.makeFolder(town.bob, town.pier, 'x', '')),
    ]
    for (const one of ask) expect(codeOf(one)).toBe('NOT_FOUND')
  })
})

describe('folders of a channel', () => {
  it('are made by who may manage messages, each name once, in the root', () => {
    const { town, list, makeFolder, everyone } = setUp()
    const at = new Date(START).toISOString()
    const made = makeFolder('charts')
    expect(made).toEqual({
      id: made.id,
      name: 'charts',
      parent_id: '',
      creator_id: town.ada,
      created_at: at,
      files: 0,
    })
    makeFolder('bills')
    expect(list().folders.map(({ name }) => name)).toEqual(['bills', 'charts'])
    expect(list().folders[1]).toEqual(made)
    expect(codeOf(() => makeFolder('charts'))).toBe('CONFLICT')
    expect(codeOf(() => makeFolder('deep', town.ada, made.id))).toBe('INVALID')
    expect(codeOf(() => makeFolder('../x'))).toBe('INVALID')
    expect(codeOf(() => makeFolder('x', town.bob))).toBe('FORBIDDEN')
    everyone(MANAGE_MESSAGES)
    makeFolder('x', town.bob)
    everyone(MANAGE_MESSAGES, ATTACH_FILES)
    expect(codeOf(() => makeFolder('y', town.bob))).toBe('FORBIDDEN')
  })

  it('go with all that is in them', async () => {
    const { town, world, share, list, makeFolder, change } = setUp()
    const [inside, outside] = [await share('fog'), await share('mist')]
    const { id } = makeFolder('charts')
    change(inside, { folder: id })
    expect(codeOf(() => town.do(({ groupFiles }) => groupFiles.removeFolder(town.bob, town.pier, id)))).toBe(
      'FORBIDDEN',
    )
    town.do(({ groupFiles }) => groupFiles.removeFolder(town.ada, town.pier, id))
    expect([list().folders, world.files.find(inside)]).toEqual([[], null])
    expect(list().files.map((file) => file.id)).toEqual([outside])
    expect(codeOf(() => list(id))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(({ groupFiles }) => groupFiles.removeFolder(town.ada, town.pier, id)))).toBe(
      'NOT_FOUND',
    )
  })

  it('are a thousand at most', () => {
    const { town, makeFolder } = setUp()
    town.do(({ groupFiles }) => {
      for (let i = 0; i < 1000; i++) groupFiles.makeFolder(town.ada, town.pier, `no. ${i}`, '')
    })
    expect(codeOf(() => makeFolder('one more'))).toBe('LIMIT')
  })
})
