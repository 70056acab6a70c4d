import { describe, expect, it } from 'vitest'
import type { Page } from '../../lib/chat/page.ts'
import { MANAGE_MESSAGES, SEND_MESSAGES } from '../../lib/chat/permissions.ts'
import { codeOf, expectSound, START, Town } from '../support/world.ts'

const page: Page = { before: null, after: null, limit: 50 }
const NOWHERE = '019df252-0000-7000-8000-000000000000'

const remove = (town: Town, user: string, id: string): void => town.do(({ messages }) => messages.remove(user, id))
const edit = (town: Town, user: string, id: string, content: string) =>
  town.do(({ messages }) => messages.edit(user, id, content))
const contents = (town: Town, more: Partial<Page> = {}): string[] =>
  town.world.messages.list(town.bob, town.pier, { ...page, ...more }).map(({ content }) => content)

describe('a message', () => {
  it('is as it was posted, by whoever reads it, and in its event', () => {
    const town = new Town()
    const message = town.post(town.ada, town.pier, ' fog, @bob ')
    expect(message).toMatchObject({
      num: 1,
      seq: 1,
      channel_id: town.pier,
      author_id: town.ada,
      // As it was written.
      content: ' fog, @bob ',
      reply_to: null,
      thread_id: null,
      mention_everyone: 0,
      mention_user_ids: [town.bob],
      pinned: 0,
      pinned_by: null,
      pinned_at: null,
      edited_at: null,
      deleted: 0,
      draft: 0,
      created_at: new Date(START).toISOString(),
      thread_reply_count: 0,
    })
    expect(town.world.messages.get(town.bob, town.pier, message.id)).toMatchObject(message)
    expect(town.world.messages.list(town.bob, town.pier, page)).toEqual([message])
    expect(town.told()).toEqual([{ type: 'message.created', serverId: town.place, message }])
  })

  it('has a place in its channel, counted from 1 in each', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const seqs = [town.pier, quay, town.pier, quay, quay].map((channel) => town.post(town.ada, channel).seq)
    expect(seqs).toEqual([1, 1, 2, 2, 3])
    expectSound(town)
  })

  it('also a voice channel takes it', () => {
    const town = new Town()
    const draft = { name: 'deck', type: 'voice', topic: null, category: null } as const
    const { id } = town.do(({ channels }) => channels.create(town.ada, town.place, draft))
    expect(town.post(town.bob, id).seq).toBe(1)
  })

  it('replies to one of the same channel that is there', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const { id } = town.post(town.ada, town.pier)
    const reply = town.post(town.bob, town.pier, 'yes', id)
    expect(reply.reply_to).toBe(id)
    expect(codeOf(() => town.post(town.bob, quay, 'yes', id))).toBe('NOT_FOUND')
    expect(codeOf(() => town.post(town.bob, town.pier, 'yes', NOWHERE))).toBe('NOT_FOUND')
    remove(town, town.ada, id)
    expect(codeOf(() => town.post(town.bob, town.pier, 'yes', id))).toBe('NOT_FOUND')
    // What was written before keeps it.
    expect(town.world.messages.get(town.bob, town.pier, reply.id).reply_to).toBe(id)
    expectSound(town)
  })

  it('is found only in its channel', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const { id } = town.post(town.ada, town.pier)
    expect(codeOf(() => town.world.messages.get(town.ada, quay, id))).toBe('NOT_FOUND')
    expect(codeOf(() => town.world.messages.get(town.ada, town.pier, NOWHERE))).toBe('NOT_FOUND')
  })

  it('counts the replies of its thread that are there; they are not listed', () => {
    const town = new Town()
    const root = town.post(town.ada, town.pier)
    const reply = town.reply(root, town.bob)
    town.reply(root, town.bob)
    expect(town.world.messages.list(town.ada, town.pier, page)).toEqual([{ ...root, thread_reply_count: 2 }])
    expect(town.world.messages.get(town.ada, town.pier, reply)).toMatchObject({
      thread_id: root.id,
      thread_reply_count: 0,
    })
    remove(town, town.bob, reply)
    expect(town.world.messages.get(town.ada, town.pier, root.id).thread_reply_count).toBe(1)
  })
})

describe('content', () => {
  const codeFor = (content: string): string => {
    const town = new Town()
    const posted = codeOf(() => town.post(town.ada, town.pier, content))
    const { id } = town.post(town.ada, town.pier, 'other')
    expect(codeOf(() => edit(town, town.ada, id, content))).toBe(posted)
    const { direct } = town.do(({ directs }) => directs.open(town.ada, town.bob))
    expect(codeOf(() => town.do(({ directs }) => directs.post(town.ada, direct.id, { content })))).toBe(posted)
    // It comes back as it was given.
    if (posted !== 'INVALID') expect(town.world.messages.get(town.ada, town.pier, id).content).toBe(content)
    town.close()
    return posted
  }

  it.each([
    ['nothing', ''],
    ['spaces', ' \t\n\u00A0\u2003\uFEFF'],
    ['4,001 letters', 'x'.repeat(4001)],
    ['4,001 foxes', '🦊'.repeat(4001)],
    ['4,001 of both', `x${'🦊'.repeat(4000)}`],
    ['9,000 spaces and a letter', `${' '.repeat(9000)}x`],
    ['U+0000', 'a\0b'],
    ['U+0000 alone', '\0'],
    ['a high surrogate', 'a\uD83E'],
    ['a low surrogate', '\uDD8Aa'],
    ['surrogates in the wrong order', '\uDD8A\uD83E'],
    ['a high surrogate before a pair', '\uD83E🦊'],
  ])('%s is refused', (_what, content) => {
    expect(codeFor(content)).toBe('INVALID')
  })

  it.each([
    ['4,000 letters', 'x'.repeat(4000)],
    ['4,000 foxes, which are 8,000 units', '🦊'.repeat(4000)],
    ['4,000 of both', `x${'🦊'.repeat(3999)}`],
    ['one letter between spaces', ' \n x '],
    ['other control characters', 'a\u0001\u001F\u007F\u0085b'],
    ['the last character', '\u{10FFFF}\uFFFF'],
    ['SQL', "'); DROP TABLE messages; --"],
  ])('%s are good', (_what, content) => {
    expect(codeFor(content)).toBe('nothing was refused')
  })

  it('what is refused takes neither number nor place', () => {
    const town = new Town()
    codeOf(() => town.post(town.ada, town.pier, ''))
    expect(town.post(town.ada, town.pier)).toMatchObject({ num: 1, seq: 1 })
    expectSound(town)
  })
})

describe('pages', () => {
  it('gateway trap T48: 250 messages of a few milliseconds in pages of 7: none repeats, none vanishes', async () => {
    const town = new Town()
    const { changes, messages } = town.world
    const posted = await Promise.all(
      Array.from({ length: 250 }, (_, i) => {
        return changes.run(() => {
          // Now and then the clock goes on, or back.
          town.clock.ms = START + [0, 1, 1, 0, 2, 1][Math.floor(i / 45)]!
          return messages.post(town.ada, town.pier, { content: `${i}`, replyTo: null })
        })
      }),
    )
    const order = posted.map(({ id }) => id)
    const back: string[] = []
    for (let before: string | null = null; ; before = back.at(-1) ?? null) {
      const some = messages.list(town.bob, town.pier, { before, after: null, limit: 7 })
      if (some.length === 0) break
      expect(some.length).toBe(before === null || back.length < 245 ? 7 : 5)
      back.push(...some.map(({ id }) => id))
    }
    expect(back).toEqual(order.toReversed())
    const forth = [order[0] ?? '']
    for (;;) {
      const some = messages.list(town.bob, town.pier, { before: null, after: forth.at(-1) ?? '', limit: 7 })
      if (some.length === 0) break
      forth.push(...some.map(({ id }) => id))
    }
    expect(forth).toEqual(order)
  })

  it('are the newest first, and behind a cursor the oldest first', () => {
    const town = new Town()
    const [, , c] = ['a', 'b', 'c', 'd', 'e'].map((content) => town.post(town.ada, town.pier, content).id)
    expect(contents(town)).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(contents(town, { limit: 2 })).toEqual(['e', 'd'])
    expect(contents(town, { before: c ?? '' })).toEqual(['b', 'a'])
    expect(contents(town, { before: c ?? '', limit: 1 })).toEqual(['b'])
    expect(contents(town, { after: c ?? '' })).toEqual(['d', 'e'])
    expect(contents(town, { after: c ?? '', limit: 1 })).toEqual(['d'])
  })

  it('are empty behind what is unknown, or of another channel', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    town.post(town.ada, town.pier)
    const foreign = town.post(town.ada, quay).id
    town.post(town.ada, town.pier)
    const { direct } = town.do(({ directs }) => directs.open(town.ada, town.bob))
    const said = town.do(({ directs }) => directs.post(town.ada, direct.id, { content: 'fog' })).id
    for (const cursor of [NOWHERE, foreign, said, town.pier]) {
      expect(contents(town, { before: cursor })).toEqual([])
      expect(contents(town, { after: cursor })).toEqual([])
    }
  })

  it('a deleted message is still a good cursor, and so is one of a thread', () => {
    const town = new Town()
    town.post(town.ada, town.pier, 'a')
    const b = town.post(town.ada, town.pier, 'b')
    const reply = town.reply(b, town.bob)
    town.post(town.ada, town.pier, 'c')
    expect(contents(town, { before: reply })).toEqual(['b', 'a'])
    remove(town, town.ada, b.id)
    expect(contents(town, { before: b.id })).toEqual(['a'])
    expect(contents(town, { after: b.id })).toEqual(['c'])
  })

  it('do not have what was deleted', () => {
    const town = new Town()
    const ids = ['a', 'b', 'c'].map((content) => town.post(town.ada, town.pier, content).id)
    remove(town, town.ada, ids[1] ?? '')
    expect(contents(town)).toEqual(['c', 'a'])
    expect(contents(town, { limit: 2 })).toEqual(['c', 'a'])
  })
})

describe('an edit', () => {
  it('changes what was said, and the mentions with it', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier, '@bob @everyone')
    town.told()
    town.clock.ms = START + 5000
    const message = edit(town, town.ada, id, 'never mind, @ada')
    expect(message).toMatchObject({
      content: 'never mind, @ada',
      edited_at: new Date(START + 5000).toISOString(),
      created_at: new Date(START).toISOString(),
      mention_everyone: 0,
      mention_user_ids: [town.ada],
      num: 1,
      seq: 1,
    })
    expect(town.told()).toEqual([
      { type: 'message.updated', serverId: town.place, message, votes: [], completed: false },
    ])
    expect(edit(town, town.ada, id, '@everyone').mention_everyone).toBe(1)
    expect(edit(town, town.ada, id, 'x').mention_user_ids).toEqual([])
  })

  it('to the same changes nothing', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier, 'fog')
    town.told()
    expect(edit(town, town.ada, id, 'fog').edited_at).toBeNull()
    expect(town.told()).toEqual([])
    expect(town.world.messages.get(town.ada, town.pier, id).edited_at).toBeNull()
  })

  it('is its author’s only, whatever others may', () => {
    const town = new Town()
    const { id } = town.post(town.bob, town.pier)
    expect(codeOf(() => edit(town, town.ada, id, 'x'))).toBe('FORBIDDEN')
    const other = town.post(town.ada, town.pier)
    expect(codeOf(() => edit(town, town.bob, other.id, 'x'))).toBe('FORBIDDEN')
  })

  it('needs SEND_MESSAGES', () => {
    const town = new Town()
    const { id } = town.post(town.bob, town.pier)
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: town.bob }, 0, SEND_MESSAGES))
    expect(codeOf(() => edit(town, town.bob, id, 'x'))).toBe('FORBIDDEN')
  })

  it('of what is deleted or unknown finds nothing', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier)
    remove(town, town.ada, id)
    expect(codeOf(() => edit(town, town.ada, id, 'x'))).toBe('NOT_FOUND')
    // Not FORBIDDEN, which would tell that it was there.
    expect(codeOf(() => edit(town, town.bob, id, 'x'))).toBe('NOT_FOUND')
    expect(codeOf(() => edit(town, town.ada, NOWHERE, 'x'))).toBe('NOT_FOUND')
  })
})

describe('a deletion', () => {
  it('gateway trap T43: a deleted message fetched by id shows no content', () => {
    const town = new Town()
    const { id, num } = town.post(town.ada, town.pier, 'fog, @bob @everyone')
    town.write('UPDATE messages SET pinned = 1, pinned_by = ?, pinned_at = ?', town.ada, 'now')
    town.told()
    remove(town, town.ada, id)
    expect(town.world.messages.get(town.bob, town.pier, id)).toMatchObject({
      deleted: 1,
      content: '',
      mention_everyone: 0,
      mention_user_ids: [],
      pinned: 0,
      pinned_by: null,
      pinned_at: null,
    })
    expect(town.rows('SELECT content FROM messages')).toEqual([{ content: '' }])
    expect(town.told()).toEqual([
      {
        type: 'message.deleted',
        serverId: town.place,
        channelId: town.pier,
        messageId: id,
        num,
        authorId: town.ada,
        by: town.ada,
        draft: false,
      },
    ])
    // Its place stays taken.
    expect(town.post(town.ada, town.pier)).toMatchObject({ num: 2, seq: 2 })
    expectSound(town)
  })

  it('is its author’s, or of who may manage messages', () => {
    const town = new Town()
    const [one, two] = [town.post(town.ada, town.pier).id, town.post(town.bob, town.pier).id]
    expect(codeOf(() => remove(town, town.bob, one))).toBe('FORBIDDEN')
    remove(town, town.bob, two)
    town.role(town.ada, town.place, [town.bob], MANAGE_MESSAGES)
    remove(town, town.bob, one)
    expect(contents(town)).toEqual([])
  })

  it('the second time finds nothing, and nothing is told', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier)
    remove(town, town.ada, id)
    town.told()
    expect(codeOf(() => remove(town, town.ada, id))).toBe('NOT_FOUND')
    expect(codeOf(() => remove(town, town.bob, id))).toBe('NOT_FOUND')
    expect(codeOf(() => remove(town, town.ada, NOWHERE))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })

  it('takes its thread with it, in one event, and no other message', () => {
    const town = new Town()
    const root = town.post(town.ada, town.pier, 'root')
    const other = town.post(town.ada, town.pier, 'other')
    const [reply, foreign] = [town.reply(root, town.bob), town.reply(other, town.bob)]
    town.told()
    remove(town, town.ada, root.id)
    const { messages } = town.world
    expect(messages.get(town.bob, town.pier, reply)).toMatchObject({ deleted: 1, content: '' })
    expect(messages.get(town.bob, town.pier, foreign)).toMatchObject({ deleted: 0, content: 'radar agrees' })
    expect(messages.get(town.bob, town.pier, other.id)).toMatchObject({ deleted: 0, thread_reply_count: 1 })
    expect(town.told()).toHaveLength(1)
    expect(codeOf(() => remove(town, town.bob, reply))).toBe('NOT_FOUND')
    expectSound(town)
  })

  // Was wrong: the mentions of the root are forgotten, those of the replies that go with it are not.
  it('of a thread forgets the mentions of its replies, too', () => {
    const town = new Town()
    const root = town.post(town.ada, town.pier)
    const reply = town.reply(root, town.ada, '@bob')
    remove(town, town.ada, root.id)
    expect(town.world.messages.get(town.ada, town.pier, reply).mention_user_ids).toEqual([])
  })
})

describe('a message by its number', () => {
  it('is found by who can see it, as they see it', () => {
    const town = new Town()
    const { messages } = town.world
    const root = town.post(town.ada, town.pier, '@bob')
    const reply = town.reply(root, town.bob)
    for (const user of [town.ada, town.bob]) {
      expect(messages.byNum(user, root.num)).toEqual({ ...root, thread_reply_count: 1 })
    }
    // One in a thread, too.
    expect(messages.byNum(town.bob, root.num + 1)).toEqual(messages.get(town.bob, town.pier, reply))
    expect(codeOf(() => messages.byNum(town.cleo, root.num))).toBe('NOT_FOUND')
    for (const num of [0, -1, 99, 1.5]) expect(codeOf(() => messages.byNum(town.ada, num))).toBe('NOT_FOUND')
  })

  it('has their own vote', () => {
    const town = new Town()
    const { messages, polls } = town.world
    const poll = { question: 'Sail?', options: ['yes', 'no'] }
    const { num, poll: asked } = town.do(() => messages.ask(town.ada, town.pier, poll))
    const option = asked?.options[0]?.id ?? ''
    town.do(() => polls.vote(town.bob, asked?.id ?? '', option))
    expect(messages.byNum(town.bob, num).poll).toMatchObject({ total_votes: 1, user_vote: option })
    expect(messages.byNum(town.ada, num).poll).toMatchObject({ total_votes: 1, user_vote: null })
  })

  it('is not found when it is deleted, nor with its root', () => {
    const town = new Town()
    const { messages } = town.world
    const root = town.post(town.ada, town.pier)
    town.reply(root, town.bob)
    remove(town, town.ada, root.id)
    for (const num of [root.num, root.num + 1]) expect(codeOf(() => messages.byNum(town.ada, num))).toBe('NOT_FOUND')
  })
})

describe('what somebody has said last', () => {
  it('is of each one in each channel: when it was, also in a thread, and when it is deleted', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const { messages } = town.world
    const at = (ms: number): string => new Date(START + ms).toISOString()
    const last = () =>
      [town.ada, town.bob].map((user) => [town.pier, quay].map((channel) => messages.lastOf(user, channel)))
    expect(last()).toEqual([
      [null, null],
      [null, null],
    ])
    town.clock.ms = START + 1000
    const root = town.post(town.ada, town.pier)
    town.clock.ms = START + 2000
    town.post(town.bob, quay)
    town.clock.ms = START + 3000
    const reply = town.reply(root, town.bob)
    expect(last()).toEqual([
      [at(1000), null],
      [at(3000), at(2000)],
    ])
    town.clock.ms = START + 4000
    edit(town, town.ada, root.id, 'x')
    remove(town, town.bob, reply)
    expect(last()).toEqual([
      [at(1000), null],
      [at(3000), at(2000)],
    ])
    expect([messages.lastOf('nobody', town.pier), messages.lastOf(town.ada, NOWHERE)]).toEqual([null, null])
    // A poll is said, too, and so is what an agent begins.
    town.clock.ms = START + 5000
    town.do(() => messages.ask(town.ada, quay, { question: 'Sail?', options: ['yes', 'no'] }))
    town.do(() => messages.begin(town.ada, town.pier, root.id, 'I', false))
    expect(last()).toEqual([
      [at(5000), at(5000)],
      [at(3000), at(2000)],
    ])
  })

  it('is forgotten with the channel, and kept of who has gone', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    for (const channel of [town.pier, quay]) town.post(town.bob, channel)
    town.do(({ servers }) => servers.leave(town.bob, town.place))
    town.do(({ channels }) => channels.remove(town.ada, town.place, quay))
    expect(town.rows('SELECT channel_id, user_id, last_sent_at FROM channel_activity')).toEqual([
      { channel_id: town.pier, user_id: town.bob, last_sent_at: new Date(START).toISOString() },
    ])
  })
})

describe('a message by its id', () => {
  it('has its number and its author, whoever asks, until it is deleted', () => {
    const town = new Town()
    const { messages } = town.world
    const root = town.post(town.bob, town.pier)
    const reply = town.reply(root, town.ada)
    expect(messages.named(root.id)).toMatchObject({ num: root.num, author_id: town.bob })
    expect(messages.named(reply)).toMatchObject({ num: root.num + 1, author_id: town.ada })
    expect(messages.named(NOWHERE)).toBeNull()
    remove(town, town.ada, root.id)
    // What continued it has gone with it.
    expect([messages.named(root.id), messages.named(reply)]).toEqual([null, null])
  })
})

describe('what a message is made of', () => {
  const SEGMENTS = '[{"type":"text","data":{"text":"fog "}},{"type":"face","data":{"id":"1"}}]'
  const rich = (town: Town, content = 'fog [face]') =>
    town.do(({ messages }) => messages.post(town.ada, town.pier, { content, replyTo: null, segments: SEGMENTS }))
  const stored = (town: Town) => town.rows('SELECT segments FROM messages ORDER BY num')

  it('is as its author has said it, wherever it is read, and nothing where it is text', () => {
    const town = new Town()
    const message = rich(town)
    expect(message.segments).toBe(SEGMENTS)
    expect(town.told()).toEqual([{ type: 'message.created', serverId: town.place, message }])
    const { messages } = town.world
    expect(messages.list(town.bob, town.pier, page)).toEqual([message])
    expect(messages.byNum(town.bob, message.num)).toEqual(message)
    const answers = [
      town.post(town.bob, town.pier, 'yes', message.id),
      town.do(() => messages.reply(town.bob, town.pier, message.id, 'yes')),
      town.do(() => messages.ask(town.bob, town.pier, { question: 'Sail?', options: ['yes', 'no'] })),
      town.do(() => messages.begin(town.bob, town.pier, message.id, 'I', false)),
    ]
    expect(answers.map(({ segments }) => segments)).toEqual([null, null, null, null])
    expect(stored(town)).toEqual([SEGMENTS, null, null, null, null].map((segments) => ({ segments })))
  })

  it('does not stand for content', () => {
    const town = new Town()
    expect(codeOf(() => rich(town, ''))).toBe('INVALID')
  })

  it('is gone with an edit, which is of its text', () => {
    const town = new Town()
    const { id } = rich(town)
    town.told()
    const message = edit(town, town.ada, id, 'rain')
    expect(message).toMatchObject({ content: 'rain', segments: null })
    expect(town.told()).toMatchObject([{ type: 'message.updated', message: { segments: null }, completed: false }])
    expect(stored(town)).toEqual([{ segments: null }])
  })

  it('stays with an edit that changes nothing', () => {
    const town = new Town()
    const { id } = rich(town)
    expect(edit(town, town.ada, id, 'fog [face]').segments).toBe(SEGMENTS)
    expect(stored(town)).toEqual([{ segments: SEGMENTS }])
  })

  it('is gone with the message, and with the thread that the message is in', () => {
    const town = new Town()
    const [one, other] = [rich(town), rich(town)]
    const reply = town.reply(one, town.bob)
    // As no door has it yet.
    town.write('UPDATE messages SET segments = ? WHERE id = ?', SEGMENTS, reply)
    remove(town, town.ada, one.id)
    expect(town.world.messages.get(town.bob, town.pier, one.id)).toMatchObject({ deleted: 1, segments: null })
    expect(stored(town)).toEqual([null, SEGMENTS, null].map((segments) => ({ segments })))
    expect(town.world.messages.byNum(town.bob, other.num).segments).toBe(SEGMENTS)
  })
})

describe('who has deleted a message', () => {
  it('is told of, and whose it was', () => {
    const town = new Town()
    town.role(town.ada, town.place, [town.bob], MANAGE_MESSAGES)
    const { id, num } = town.post(town.ada, town.pier)
    town.told()
    remove(town, town.bob, id)
    const event = { type: 'message.deleted', serverId: town.place, channelId: town.pier, messageId: id, num } as const
    expect(town.told()).toEqual([{ ...event, authorId: town.ada, by: town.bob, draft: false }])
  })

  it('is told of also where there is no author any more', () => {
    const town = new Town()
    const { id, num } = town.post(town.bob, town.pier)
    town.write('UPDATE messages SET author_id = NULL')
    town.told()
    remove(town, town.ada, id)
    expect(town.told()).toMatchObject([{ type: 'message.deleted', num, authorId: null, by: town.ada }])
  })
})

describe('a message that grows', () => {
  it('is told to be complete once, when it is', () => {
    const town = new Town()
    const { messages } = town.world
    const root = town.post(town.ada, town.pier)
    const { id } = town.do(() => messages.begin(town.bob, town.pier, root.id, 'I', false))
    town.told()
    const grow = (content: string, done: boolean): unknown => town.do(() => messages.grow(town.bob, id, content, done))
    const told = () =>
      town.told().map((event) => event.type === 'message.updated' && [event.completed, event.message.draft])
    grow('I see', false)
    grow('I see', false)
    expect(told()).toEqual([[false, 1]])
    // Also where nothing comes with the end.
    grow('I see', true)
    expect(told()).toEqual([[true, 0]])
    expect(codeOf(() => grow('I see fog', true))).toBe('INVALID')
    edit(town, town.bob, id, 'I see fog')
    expect(told()).toEqual([[false, 0]])
  })
})

describe('the version of a world', () => {
  it('grows with what is written, and not with what is read', () => {
    const town = new Town()
    const { world } = town
    const grows = (act: () => unknown): boolean => {
      const before = world.version
      act()
      return world.version > before
    }
    const { id, num } = town.post(town.ada, town.pier)
    for (const read of [
      () => world.messages.list(town.bob, town.pier, page),
      () => world.messages.byNum(town.bob, num),
      () => world.members.list(town.bob, town.place, null, 10),
      () => world.friends.of(town.bob),
      () => world.likes.of(town.bob).total,
      // Changes that change nothing.
      () => edit(town, town.ada, id, 'fog at six'),
      () => town.do(({ overrides }) => overrides.shut(town.ada, town.pier, false)),
      () => town.do(({ remarks }) => remarks.set(town.ada, 'user', town.bob, '')),
    ]) {
      expect([read.toString(), grows(read)]).toEqual([read.toString(), false])
    }
    for (const write of [
      () => town.post(town.ada, town.pier),
      () => edit(town, town.ada, id, 'rain'),
      () => remove(town, town.ada, id),
      () => town.do(({ overrides }) => overrides.shut(town.ada, town.pier, true)),
      () => town.do(({ remarks }) => remarks.set(town.ada, 'user', town.bob, 'Bobby')),
      () => town.do(({ remarks }) => remarks.set(town.ada, 'user', town.bob, '')),
      () => town.do(({ likes }) => likes.give(town.ada, town.bob, 1)),
      () => town.do(({ forwards }) => forwards.make(town.ada, [])),
      () => town.do(({ friends }) => friends.add(town.ada, town.bob, 'request')),
      () => town.do(({ friends }) => friends.remove(town.ada, town.bob)),
      () => town.do(({ members }) => members.entitle(town.ada, town.place, town.bob, 'Cook', null)),
      () => town.do(({ servers }) => servers.leave(town.bob, town.place)),
    ]) {
      expect([write.toString(), grows(write)]).toEqual([write.toString(), true])
    }
  })
})
