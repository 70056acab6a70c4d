import { describe, expect, it } from 'vitest'
import type { Emoji } from '../../lib/chat/emojis.ts'
import { MANAGE_SERVER } from '../../lib/chat/permissions.ts'
import { codeOfLate, filesIn, png } from '../support/stored.ts'
import { codeOf, START, Town } from '../support/world.ts'

const DAY = 86_400_000
const NOWHERE = '019df252-0000-7000-8000-000000000000'

function setUp() {
  const town = new Town()
  const { ada, place, world } = town
  /** As doors make one. */
  const make = (name: string, bytes = png(name), by = ada, server = place): Promise<Emoji> =>
    world.files.keep(bytes, (content) => world.emojis.create(by, server, name, content))
  const remove = (by: string, id: string, server = place): void =>
    town.do(({ emojis }) => emojis.remove(by, server, id))
  const imageOf = ({ id }: Emoji): Promise<Buffer> => world.files.bytesOf(world.emojis.image(id))
  const sweep = async (later: number): Promise<void> => {
    town.clock.ms += later
    const swept = world.files.sweep()
    town.flush()
    await swept
  }
  return { town, place, world, make, remove, imageOf, sweep }
}

describe('a custom emoji', () => {
  it('is as it was made, told of once, and has its image', async () => {
    const { town, place, world, make, imageOf } = setUp()
    const made = await make('buoy')
    expect(made).toEqual({
      id: made.id,
      server_id: place,
      created_by: town.ada,
      name: 'buoy',
      content_type: 'image/png',
      file_size: 40,
      created_at: new Date(START).toISOString(),
    })
    expect(town.told()).toEqual([{ type: 'emoji.created', emoji: made }])
    expect(await imageOf(made)).toEqual(png('buoy'))
    expect(world.emojis.image(made.id)).toMatchObject({ mime: 'image/png', kind: 'image', size: 40, channel_id: null })
    const second = await make('anchor')
    expect(world.emojis.list(town.bob, place)).toEqual([made, second])
    expect(codeOf(() => world.emojis.list(town.cleo, place))).toBe('NOT_FOUND')
  })

  it.each([
    ['\x89PNG\r\n\x1a\nx', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89ax', 'image/gif'],
    ['RIFF\x10\0\0\0WEBPx', 'image/webp'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', null],
    ['<script>alert(1)</script>', null],
    ['fog at six', null],
    ['\0\0\0\x18ftypmp42', null],
    ['OggS', null],
  ])('of %j: %s', async (text, type) => {
    const { town, place, world, make } = setUp()
    const making = make('buoy', Buffer.from(text, 'latin1'))
    if (type !== null) return expect((await making).content_type).toBe(type)
    expect(await codeOfLate(making)).toBe('INVALID')
    expect([town.told(), world.emojis.list(town.ada, place), town.rows('SELECT * FROM files')]).toEqual([[], [], []])
  })

  it('has an image of 256 KiB at most', async () => {
    const { make } = setUp()
    expect((await make('large', png('large', 262_144))).file_size).toBe(262_144)
    expect(await codeOfLate(make('larger', png('larger', 262_145)))).toBe('INVALID')
  })

  it('has a name that no other of its server has', async () => {
    const { town, place, world, make, remove, imageOf } = setUp()
    const made = await make('buoy')
    town.told()
    expect(await codeOfLate(make('buoy', png('another')))).toBe('CONFLICT')
    expect(town.told()).toEqual([])
    expect(town.rows('SELECT * FROM files')).toHaveLength(1)
    expect(town.rows('SELECT * FROM blobs')).toHaveLength(1)
    expect(await imageOf(made)).toEqual(png('buoy'))
    const elsewhere = town.server(town.ada)
    await make('buoy', png('another'), town.ada, elsewhere)
    // Two at once: one is made.
    const codes = await Promise.all([1, 2, 3].map((mark) => codeOfLate(make('bell', png(`bell ${mark}`)))))
    expect(codes.toSorted()).toEqual(['CONFLICT', 'CONFLICT', 'nothing was refused'])
    remove(town.ada, made.id)
    await make('buoy', png('another'))
    expect(world.emojis.list(town.ada, place).map(({ name }) => name)).toEqual(['bell', 'buoy'])
  })

  it('is one of 50 of a server', async () => {
    const { town, make, remove } = setUp()
    const first = await make('buoy0')
    for (let i = 1; i < 50; i++) await make(`buoy${i}`)
    town.told()
    expect(await codeOfLate(make('buoy50'))).toBe('LIMIT')
    expect(town.told()).toEqual([])
    await make('buoy50', png('another'), town.ada, town.server(town.ada))
    remove(town.ada, first.id)
    await make('buoy50')
  })

  it('is made and removed by who may manage the server', async () => {
    const { town, place, world, make, remove } = setUp()
    const made = await make('buoy')
    const elsewhere = town.server(town.cleo)
    const foreign = await make('buoy', png('another'), town.cleo, elsewhere)
    town.told()
    for (const [who, code] of [
      [town.cleo, 'NOT_FOUND'],
      [town.bob, 'FORBIDDEN'],
    ] as const) {
      expect(codeOf(() => world.emojis.checkMay(who, place))).toBe(code)
      expect(await codeOfLate(make('bell', png('bell'), who))).toBe(code)
      expect(codeOf(() => remove(who, made.id))).toBe(code)
    }
    expect(codeOf(() => remove(town.ada, foreign.id))).toBe('NOT_FOUND')
    expect(codeOf(() => remove(town.ada, NOWHERE))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    town.role(town.ada, place, [town.bob], MANAGE_SERVER)
    await make('bell', png('bell'), town.bob)
    town.told()
    remove(town.bob, made.id)
    expect(town.told()).toEqual([{ type: 'emoji.removed', serverId: place, emojiId: made.id }])
    expect(codeOf(() => remove(town.bob, made.id))).toBe('NOT_FOUND')
    expect(codeOf(() => world.emojis.image(made.id))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    // Nor does it count any more among the files of who made it.
    expect(town.rows('SELECT name FROM files WHERE owner_id = ?', town.ada)).toEqual([])
  })

  it('is not made by who may no more when its bytes have come', async () => {
    const { town, place, make } = setUp()
    const role = town.role(town.ada, place, [town.bob], MANAGE_SERVER)
    const making = make('buoy', png('buoy'), town.bob)
    town.do(({ roles }) => roles.take(town.ada, place, town.bob, role))
    expect(await codeOfLate(making)).toBe('FORBIDDEN')
  })
})

describe('the image of an emoji', () => {
  it('stays for another of the same bytes, also when the first is removed', async () => {
    const { town, make, remove, imageOf, sweep } = setUp()
    const [one, other] = [await make('buoy', png('same')), await make('bell', png('same'))]
    expect(filesIn(town.folder, 'blobs')).toHaveLength(1)
    remove(town.ada, one.id)
    await sweep(2 * DAY)
    expect(await imageOf(other)).toEqual(png('same'))
    remove(town.ada, other.id)
    await sweep(2 * DAY)
    expect(filesIn(town.folder, 'blobs')).toEqual([])
  })

  it('is not for messages', async () => {
    const { town, world, make } = setUp()
    const made = await make('buoy')
    const { id } = world.emojis.image(made.id)
    const draft = { content: 'fog', replyTo: null, files: [id] }
    expect(codeOf(() => town.do(({ messages }) => messages.post(town.ada, town.pier, draft)))).toBe('NOT_FOUND')
  })

  it('goes with the server', async () => {
    const { town, place, world, make, sweep } = setUp()
    const made = await make('buoy')
    town.do(({ servers }) => servers.remove(town.ada, place))
    expect(codeOf(() => world.emojis.image(made.id))).toBe('NOT_FOUND')
    await sweep(2 * DAY)
    expect([town.rows('SELECT * FROM files'), filesIn(town.folder, 'blobs')]).toEqual([[], []])
  })
})
