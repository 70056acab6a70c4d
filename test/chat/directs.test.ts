import { describe, expect, it } from 'vitest'
import { otherOf } from '../../lib/chat/directs.ts'
import type { Page } from '../../lib/chat/page.ts'
import { addFile } from '../support/stored.ts'
import { codeOf, expectSound, START, Town } from '../support/world.ts'

const page: Page = { before: null, after: null, limit: 50 }
const NOWHERE = '019df252-0000-7000-8000-000000000000'

const open = (town: Town, one: string, other: string) => town.do(({ directs }) => directs.open(one, other))
const say = (town: Town, author: string, direct: string, content = 'fog') =>
  town.do(({ directs }) => directs.post(author, direct, { content }))
const remove = (town: Town, user: string, direct: string, id: string): void =>
  town.do(({ directs }) => directs.remove(user, direct, id))

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

describe('what is found of direct messages', () => {
  it('is the channel of two, whoever comes first, where there is one', () => {
    const town = new Town()
    const { directs } = town.world
    expect(directs.between(town.ada, town.bob)).toBeNull()
    const { direct } = open(town, town.bob, town.ada)
    expect([directs.between(town.ada, town.bob), directs.between(town.bob, town.ada)]).toEqual([direct, direct])
    expect(directs.between(town.ada, town.cleo)).toBeNull()
    expect(directs.between(town.ada, town.ada)).toBeNull()
  })

  it('is a message by its number, for the two', () => {
    const town = new Town()
    const { directs, messages } = town.world
    const { direct } = open(town, town.ada, town.bob)
    const shown = town.post(town.ada, town.pier)
    const message = say(town, town.bob, direct.id)
    for (const side of [town.ada, town.bob]) expect(directs.byNum(side, message.num)).toEqual(message)
    expect(codeOf(() => directs.byNum(town.cleo, message.num))).toBe('NOT_FOUND')
    expect(codeOf(() => directs.byNum(town.ada, 99))).toBe('NOT_FOUND')
    expect(codeOf(() => directs.byNum(town.ada, message.num + 0.5))).toBe('NOT_FOUND')
    // Channels have numbers of the same row.
    expect(codeOf(() => directs.byNum(town.ada, shown.num))).toBe('NOT_FOUND')
    expect(codeOf(() => messages.byNum(town.ada, message.num))).toBe('NOT_FOUND')
    remove(town, town.bob, direct.id, message.id)
    expect(codeOf(() => directs.byNum(town.bob, message.num))).toBe('NOT_FOUND')
  })
})

describe('a direct message with more to it', () => {
  const SEGMENTS = '[{"type":"face","data":{"id":"1"}}]'

  it('answers one of the same channel that is there', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const other = open(town, town.ada, town.cleo).direct
    const first = say(town, town.ada, direct.id)
    const answer = (replyTo: string) =>
      town.do(({ directs }) => directs.post(town.bob, direct.id, { content: 'yes', replyTo }))
    const reply = answer(first.id)
    expect(reply.reply_to).toBe(first.id)
    expect(town.world.directs.list(town.ada, direct.id, page)).toEqual([reply, first])
    const elsewhere = [say(town, town.ada, other.id).id, town.post(town.ada, town.pier).id, NOWHERE, '']
    town.told()
    for (const id of elsewhere) {
      expect(codeOf(() => answer(id))).toBe('NOT_FOUND')
      expect(town.told()).toEqual([])
    }
    remove(town, town.ada, direct.id, first.id)
    expect(codeOf(() => answer(first.id))).toBe('NOT_FOUND')
    // What was written before keeps it.
    expect(town.world.directs.byNum(town.ada, reply.num).reply_to).toBe(first.id)
    expect(answer(reply.id).seq).toBe(3)
    expectSound(town)
  })

  it('has what it is made of, where that is more than its content', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    town.told()
    const rich = town.do(({ directs }) => directs.post(town.ada, direct.id, { content: '[face]', segments: SEGMENTS }))
    expect(rich.segments).toBe(SEGMENTS)
    expect(town.told()).toMatchObject([{ type: 'direct.message', message: rich }])
    const plain = say(town, town.ada, direct.id)
    expect(plain.segments).toBeNull()
    expect(town.world.directs.list(town.bob, direct.id, page)).toEqual([plain, rich])
    // With them it needs content all the same.
    const draft = { content: '', segments: SEGMENTS }
    expect(codeOf(() => town.do(({ directs }) => directs.post(town.ada, direct.id, draft)))).toBe('INVALID')
  })

  it('taken back shows nothing of it, and its bytes are gone', async () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const file = await addFile(town, town.ada, direct.id, 'fog')
    const draft = { content: 'charts', segments: SEGMENTS, files: [file.id] }
    const message = town.do(({ directs }) => directs.post(town.ada, direct.id, draft))
    expect(message.files.map(({ id }) => id)).toEqual([file.id])
    town.told()
    remove(town, town.ada, direct.id, message.id)
    // As it was, for those who have to say what has gone.
    expect(town.told()).toEqual([
      { type: 'direct.deleted', direct: town.world.directs.get(town.ada, direct.id), message },
    ])
    expect(town.rows('SELECT content, segments, deleted, seq FROM dm_messages')).toEqual([
      { content: '', segments: null, deleted: 1, seq: 1 },
    ])
    expect([town.world.files.find(file.id), town.rows('SELECT * FROM message_files')]).toEqual([null, []])
    expect(town.world.directs.list(town.bob, direct.id, page)).toEqual([])
  })
})

describe('a direct message that is taken back', () => {
  it('is one’s own: not of the other side, nor of others', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const { id } = say(town, town.bob, direct.id)
    town.told()
    // Not even the instance's admin.
    expect(town.world.users.find(town.ada)?.is_admin).toBe(1)
    expect(codeOf(() => remove(town, town.ada, direct.id, id))).toBe('FORBIDDEN')
    expect(codeOf(() => remove(town, town.cleo, direct.id, id))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    expect(town.world.directs.list(town.ada, direct.id, page)).toHaveLength(1)
    remove(town, town.bob, direct.id, id)
    expect(town.told().map(({ type }) => type)).toEqual(['direct.deleted'])
    // To the other side it is not there, either: what it was nobody learns.
    for (const side of [town.ada, town.bob]) {
      expect(codeOf(() => remove(town, side, direct.id, id))).toBe('NOT_FOUND')
    }
    expect(town.told()).toEqual([])
  })

  it('is of the channel that is named', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const other = open(town, town.ada, town.cleo).direct
    const { id } = say(town, town.ada, direct.id)
    const shown = town.post(town.ada, town.pier)
    for (const [channel, message] of [
      [other.id, id],
      [town.pier, id],
      [NOWHERE, id],
      [direct.id, shown.id],
      [town.pier, shown.id],
      [direct.id, NOWHERE],
    ] as const) {
      expect(codeOf(() => remove(town, town.ada, channel, message))).toBe('NOT_FOUND')
    }
    expect(codeOf(() => town.do(({ messages }) => messages.remove(town.ada, id)))).toBe('NOT_FOUND')
    expect(town.world.directs.list(town.bob, direct.id, page)).toHaveLength(1)
  })

  it('keeps its place: it is a good cursor, its number is not given again, and the channel stays where it was', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const [a, b, c] = [
      say(town, town.ada, direct.id, 'a'),
      say(town, town.ada, direct.id, 'b'),
      say(town, town.ada, direct.id, 'c'),
    ]
    const before = town.world.directs.get(town.ada, direct.id)
    remove(town, town.ada, direct.id, b.id)
    remove(town, town.ada, direct.id, c.id)
    expect(town.world.directs.get(town.ada, direct.id)).toEqual(before)
    const contents = (more: Partial<Page>): string[] =>
      town.world.directs.list(town.bob, direct.id, { ...page, ...more }).map(({ content }) => content)
    expect([contents({}), contents({ before: b.id }), contents({ after: b.id })]).toEqual([['a'], ['a'], []])
    const next = say(town, town.bob, direct.id, 'd')
    expect([next.num, next.seq]).toEqual([a.num + 3, 4])
    expect(contents({ after: c.id })).toEqual(['d'])
    expectSound(town)
  })

  it('is not waiting to be read any more', () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const [one, two] = [say(town, town.ada, direct.id), say(town, town.ada, direct.id)]
    const { unreads } = town.world
    remove(town, town.ada, direct.id, two.id)
    expect(unreads.inDirects(town.bob)).toEqual([{ id: direct.id, unread: 1, mentions: 0 }])
    remove(town, town.ada, direct.id, one.id)
    expect(unreads.inDirects(town.bob)).toEqual([])
    // It can still be what was read last.
    town.do(() => unreads.readDirect(town.bob, direct.id, two.id))
    say(town, town.ada, direct.id)
    expect(unreads.inDirects(town.bob)).toEqual([{ id: direct.id, unread: 1, mentions: 0 }])
  })

  it('keeps a file that another message has, too', async () => {
    const town = new Town()
    const { direct } = open(town, town.ada, town.bob)
    const file = await addFile(town, town.ada, direct.id, 'fog')
    const post = () => town.do(({ directs }) => directs.post(town.ada, direct.id, { content: '', files: [file.id] }))
    const [one, two] = [post(), post()]
    remove(town, town.ada, direct.id, one.id)
    expect(town.world.directs.byNum(town.bob, two.num).files.map(({ id }) => id)).toEqual([file.id])
    remove(town, town.ada, direct.id, two.id)
    expect(town.world.files.find(file.id)).toBeNull()
  })
})
