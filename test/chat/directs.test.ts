import { describe, expect, it } from 'vitest'
import { otherOf } from '../../lib/chat/directs.ts'
import type { Page } from '../../lib/chat/page.ts'
import { codeOf, expectSound, START, Town } from '../support/world.ts'

const page: Page = { before: null, after: null, limit: 50 }
const NOWHERE = '019df252-0000-7000-8000-000000000000'

const open = (town: Town, one: string, other: string) => town.do(({ directs }) => directs.open(one, other))
const say = (town: Town, author: string, direct: string, content = 'fog') =>
  town.do(({ directs }) => directs.post(author, direct, { content }))

describe('a direct channel', () => {
  it('is of two people, whoever opens it', () => {
    const town = new Town()
    const { direct, created } = open(town, town.bob, town.ada)
    expect(created).toBe(true)
    expect([direct.user_lo, direct.user_hi]).toEqual([town.ada, town.bob].toSorted())
    expect(direct).toMatchObject({ created_at: new Date(START).toISOString(), last_message_at: null })
    // They know each other from then on: whoever has opened it comes first, whatever their ids are.
    expect(town.told()).toEqual([
      { type: 'friend.added', userId: town.bob, other: town.ada },
      { type: 'direct.opened', direct },
    ])
    expect([otherOf(direct, town.ada), otherOf(direct, town.bob)]).toEqual([town.bob, town.ada])
  })

  it('gateway trap T38: opening an existing one gives that, and tells nobody', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    town.told()
    for (const again of [open(town, town.ada, town.bob), open(town, town.bob, town.ada)]) {
      expect(again.created).toBe(false)
      expect(again.direct.id).toBe(direct.id)
    }
    expect(town.told()).toEqual([])
  })

  it('gateway trap T38: two that open at once get one channel, and one is told', async () => {
    const town = new Town()
    const { changes, directs } = town.world
    const both = await Promise.all([
      changes.run(() => directs.open(town.ada, town.bob)),
      changes.run(() => directs.open(town.bob, town.ada)),
    ])
    expect(both.map(({ created }) => created)).toEqual([true, false])
    expect(both[0].direct.id).toBe(both[1].direct.id)
    expect(town.told().map(({ type }) => type)).toEqual(['friend.added', 'direct.opened'])
  })

  it('is not made with oneself, nobody, or an account that is disabled', () => {
    const town = new Town()
    expect(codeOf(() => open(town, town.ada, town.ada))).toBe('INVALID')
    expect(codeOf(() => open(town, town.ada, NOWHERE))).toBe('NOT_FOUND')
    town.do(({ users }) => users.disable(town.cleo))
    expect(codeOf(() => open(town, town.ada, town.cleo))).toBe('NOT_FOUND')
    expect(town.rows('SELECT * FROM dm_channels')).toEqual([])
  })

  it('others do not find it', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const { directs } = town.world
    expect(directs.find(town.cleo, direct.id)).toBeNull()
    expect(directs.find(town.ada, NOWHERE)).toBeNull()
    expect(codeOf(() => directs.get(town.cleo, direct.id))).toBe('NOT_FOUND')
    expect(codeOf(() => directs.list(town.cleo, direct.id, page))).toBe('NOT_FOUND')
    expect(codeOf(() => say(town, town.cleo, direct.id))).toBe('NOT_FOUND')
    expect(directs.find(town.bob, direct.id)?.id).toBe(direct.id)
    expect(directs.find(town.ada, direct.id)?.id).toBe(direct.id)
  })

  it('one’s own are listed, the one with the newest message first', () => {
    const town = new Town()
    const dora = town.user('dora')
    const emil = town.user('emil')
    const [withBob, withCleo, withDora, withEmil] = [town.bob, town.cleo, dora, emil].map(
      (other) => open(town, town.ada, other).direct.id,
    )
    open(town, town.bob, town.cleo)
    say(town, town.ada, withCleo ?? '')
    town.clock.ms += 10
    say(town, town.bob, withBob ?? '')
    const list = town.world.directs.of(town.ada)
    // Those without any come last, the newest of them first.
    expect(list.map(({ id }) => id)).toEqual([withBob, withCleo, withEmil, withDora])
    expect(list[0]?.last_message_at).toBe(new Date(START + 10).toISOString())
    expect(town.world.directs.of(emil).map(({ id }) => id)).toEqual([withEmil])
  })

  it('1,000 are listed at once', () => {
    const town = new Town()
    town.do(({ directs, users }) => {
      for (let i = 0; i < 1002; i++) {
        const bot = users.create({ username: `bot${i}`, email: null, passwordHash: null, bot: true })
        directs.open(town.ada, bot.id)
      }
    })
    expect(town.world.directs.of(town.ada)).toHaveLength(1000)
  })
})

describe('a direct message', () => {
  it('is as it was posted, for both, and in its event', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    town.told()
    town.clock.ms = START + 5
    const message = say(town, town.bob, direct.id, ' fog ')
    expect(message).toMatchObject({
      num: 1,
      seq: 1,
      channel_id: direct.id,
      author_id: town.bob,
      content: ' fog ',
      reply_to: null,
      edited_at: null,
      deleted: 0,
      draft: 0,
      created_at: new Date(START + 5).toISOString(),
    })
    expect(town.world.directs.list(town.ada, direct.id, page)).toEqual([message])
    expect(town.told()).toMatchObject([
      { type: 'direct.message', message, direct: { id: direct.id, last_message_at: message.created_at } },
    ])
    expect(say(town, town.ada, direct.id).seq).toBe(2)
    expectSound(town)
  })

  it('pages go both ways, and need a cursor of the same channel', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const other = open(town, town.ada, town.cleo).direct
    const ids = ['a', 'b', 'c', 'd'].map((content) => say(town, town.ada, direct.id, content).id)
    const foreign = say(town, town.ada, other.id).id
    const contents = (more: Partial<Page>): string[] =>
      town.world.directs.list(town.bob, direct.id, { ...page, ...more }).map(({ content }) => content)
    expect(contents({})).toEqual(['d', 'c', 'b', 'a'])
    expect(contents({ limit: 2 })).toEqual(['d', 'c'])
    expect(contents({ before: ids[2] ?? '' })).toEqual(['b', 'a'])
    expect(contents({ before: ids[2] ?? '', limit: 1 })).toEqual(['b'])
    expect(contents({ after: ids[1] ?? '' })).toEqual(['c', 'd'])
    expect(contents({ after: ids[1] ?? '', limit: 1 })).toEqual(['c'])
    for (const cursor of [foreign, NOWHERE, town.post(town.ada, town.pier).id]) {
      expect([contents({ before: cursor }), contents({ after: cursor })]).toEqual([[], []])
    }
    town.write('UPDATE dm_messages SET deleted = 1 WHERE id = ?', ids[1] ?? '')
    expect(contents({})).toEqual(['d', 'c', 'a'])
    expect(contents({ before: ids[1] ?? '' })).toEqual(['a'])
  })
})
