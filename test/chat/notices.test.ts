import { describe, expect, it } from 'vitest'
import { MANAGE_CHANNELS, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { addFile, png } from '../support/stored.ts'
import { codeOf, START, Town } from '../support/world.ts'

function setUp() {
  const town = new Town()
  const { world, ada, bob, pier } = town
  const add = (content: string, pinned = false, by = ada, file: string | null = null) =>
    town.do(({ notices }) => notices.add(by, pier, content, file, pinned))
  const remove = (id: string, by = ada): void => town.do(({ notices }) => notices.remove(by, pier, id))
  const list = (user = bob) => world.notices.list(user, pier)
  const everyone = (allow: number, deny = 0): unknown =>
    town.do(({ overrides }) => overrides.set(ada, pier, { roleId: null, userId: null }, allow, deny))
  return { town, add, remove, list, everyone }
}

describe('announcements', () => {
  it('are read by all who see the channel, those that are pinned first', () => {
    const { town, add, list, everyone } = setUp()
    const [one, two, three] = [add('one'), add('two', true), add('three')]
    expect(one).toEqual({
      id: one.id,
      author_id: town.ada,
      content: 'one',
      file_id: null,
      pinned: 0,
      created_at: new Date(START).toISOString(),
    })
    expect(list()).toEqual([two, three, one])
    everyone(0, VIEW_CHANNEL)
    expect(codeOf(() => list())).toBe('NOT_FOUND')
    expect(list(town.ada)).toHaveLength(3)
    expect(town.reopen().world.notices.list(town.ada, town.pier)).toEqual([two, three, one])
  })

  it('are made and removed by who may manage channels', () => {
    const { town, add, remove, list, everyone } = setUp()
    const { id } = add('one')
    expect(codeOf(() => add('two', false, town.bob))).toBe('FORBIDDEN')
    expect(codeOf(() => remove(id, town.bob))).toBe('FORBIDDEN')
    everyone(MANAGE_CHANNELS)
    const { id: own } = add('two', false, town.bob)
    remove(id, town.bob)
    expect(list().map((one) => one.id)).toEqual([own])
    expect(codeOf(() => remove(id))).toBe('NOT_FOUND')
    for (const content of ['', ' ', 'x'.repeat(4001)]) expect(codeOf(() => add(content))).toBe('INVALID')
  })

  it('may have an image, which goes with them', async () => {
    const { town, add, remove, list } = setUp()
    const { id: file } = await addFile(town, town.ada, town.pier, png('fog'), 'fog.png')
    const { id } = add('look', false, town.ada, file)
    expect(list()).toMatchObject([{ file_id: file }])
    town.clock.ms += 3 * 86_400_000
    await town.world.files.sweep()
    expect(town.world.files.find(file)).not.toBeNull()
    remove(id)
    expect(town.world.files.find(file)).toBeNull()
    const foreign = await addFile(town, town.bob, town.pier, png('fog'), 'fog.png')
    expect(codeOf(() => add('look', false, town.ada, foreign.id))).toBe('NOT_FOUND')
  })

  it('are 250 at most', () => {
    const { town, add } = setUp()
    town.do(({ notices }) => {
      for (let i = 0; i < 250; i++) notices.add(town.ada, town.pier, `no. ${i}`, null, false)
    })
    expect(codeOf(() => add('one more'))).toBe('LIMIT')
  })
})
