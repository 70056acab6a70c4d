import { describe, expect, it } from 'vitest'
import type { Page } from '../../lib/chat/page.ts'
import { SEND_MESSAGES, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, expectSound, START, Town } from '../support/world.ts'

const page: Page = { before: null, after: null, limit: 50 }
const NOWHERE = '019df252-0000-7000-8000-000000000000'

/** A message of ada's, whose thread is empty. */
function setUp() {
  const town = new Town()
  const root = town.post(town.ada, town.pier)
  town.told()
  const { messages } = town.world
  const reply = (who: string, content = 'radar agrees', to = root.id, channel = town.pier) =>
    town.do(() => messages.reply(who, channel, to, content))
  const replies = (more: Partial<Page> = {}, of = root.id): string[] =>
    messages.thread(town.bob, town.pier, of, { ...page, ...more }).map(({ content }) => content)
  const remove = (who: string, id: string): void => town.do(() => messages.remove(who, id))
  const override = (deny: number): void =>
    void town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: town.bob }, 0, deny))
  /** Unread messages, and mentions. */
  const counts = (who: string): [number, number] => {
    const found = town.world.unreads.inChannels(who).find(({ id }) => id === town.pier)
    return [found?.unread ?? 0, found?.mentions ?? 0]
  }
  return { town, root, messages, reply, replies, remove, override, counts }
}

describe('a reply in a thread', () => {
  it('is a message of the channel of its root, which it names', () => {
    const { town, root, messages, reply } = setUp()
    town.clock.ms += 1000
    const message = reply(town.bob, ' radar, @ada ')
    expect(message).toMatchObject({
      num: 2,
      seq: 2,
      channel_id: town.pier,
      author_id: town.bob,
      // As it was written.
      content: ' radar, @ada ',
      reply_to: null,
      thread_id: root.id,
      thread_reply_count: 0,
      mention_user_ids: [town.ada],
      mention_everyone: 0,
      pinned: 0,
      edited_at: null,
      deleted: 0,
      poll: null,
      created_at: new Date(START + 1000).toISOString(),
    })
    expect(town.told()).toEqual([{ type: 'message.created', serverId: town.place, message }])
    expect(messages.get(town.ada, town.pier, message.id)).toEqual(message)
    // A root continues nothing.
    expect(messages.get(town.ada, town.pier, root.id)).toEqual({ ...root, thread_reply_count: 1 })
    expect(town.post(town.ada, town.pier).seq).toBe(3)
    expectSound(town)
  })

  it('continues no other reply: threads have one level', () => {
    const { town, reply, replies } = setUp()
    const { id } = reply(town.bob)
    town.told()
    expect(codeOf(() => reply(town.ada, 'x', id))).toBe('INVALID')
    expect(town.told()).toEqual([])
    expect(replies({}, id)).toEqual([])
    expect(town.rows('SELECT id FROM messages WHERE thread_id = ?', id)).toEqual([])
    // Elsewhere in the channel it may be replied to.
    expect(town.post(town.ada, town.pier, 'yes', id)).toMatchObject({ reply_to: id, thread_id: null })
  })

  it('is for who may send, to a message that is there and seen', () => {
    const { town, root, reply, remove, override } = setUp()
    const quay = town.channel(town.ada, town.place, 'quay')
    const gone = town.post(town.ada, town.pier).id
    remove(town.ada, gone)
    town.told()
    const codes = (who: string): string[] =>
      [
        [root.id, town.pier],
        [root.id, quay],
        [root.id, NOWHERE],
        [NOWHERE, town.pier],
        [gone, town.pier],
      ].map(([to, channel]) => codeOf(() => reply(who, 'x', to, channel)))
    const none = Array.from({ length: 4 }, () => 'NOT_FOUND')
    expect(codes(town.cleo)).toEqual(['NOT_FOUND', ...none])
    override(SEND_MESSAGES)
    expect(codes(town.bob)).toEqual(['FORBIDDEN', ...none])
    override(0)
    town.silence(town.place, town.bob, START + 60_000)
    expect(codes(town.bob)).toEqual(['TIMED_OUT', ...none])
    override(VIEW_CHANNEL)
    expect(codes(town.bob)).toEqual(['NOT_FOUND', ...none])
    for (const content of ['', ' \n', 'x'.repeat(4001), 'a\0', '\uD83E']) {
      expect(codeOf(() => reply(town.ada, content))).toBe('INVALID')
    }
    expect(town.told().filter(({ type }) => type === 'message.created')).toEqual([])
    expect(reply(town.ada, '🦊'.repeat(4000))).toMatchObject({ seq: 3 })
    expectSound(town)
  })

  it('is edited like any other, and stays where it is', () => {
    const { town, root, messages, reply } = setUp()
    const { id } = reply(town.bob)
    town.told()
    const edited = town.do(() => messages.edit(town.bob, id, 'radar, @ada'))
    expect(edited).toMatchObject({ thread_id: root.id, mention_user_ids: [town.ada], edited_at: root.created_at })
    expect(town.told()).toEqual([
      { type: 'message.updated', serverId: town.place, message: edited, votes: [], completed: false },
    ])
    expect(messages.get(town.ada, town.pier, root.id)).toEqual({ ...root, thread_reply_count: 1 })
    expect(codeOf(() => town.do(() => messages.edit(town.ada, id, 'x')))).toBe('FORBIDDEN')
  })
})

describe('a thread', () => {
  it('is the oldest first, from the beginning, and on both sides of a cursor', () => {
    const { town, root, reply, replies, messages } = setUp()
    const other = town.post(town.ada, town.pier).id
    const ids = ['a', 'b', 'c', 'd', 'e'].map((content) => reply(town.bob, content).id)
    reply(town.bob, 'foreign', other)
    const [a = '', , c = '', , e = ''] = ids
    expect(replies()).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(replies({ limit: 2 })).toEqual(['a', 'b'])
    expect(replies({ after: c })).toEqual(['d', 'e'])
    expect(replies({ after: a, limit: 2 })).toEqual(['b', 'c'])
    expect(replies({ after: e })).toEqual([])
    expect(replies({ before: c })).toEqual(['a', 'b'])
    // Those next to the cursor.
    expect(replies({ before: e, limit: 2 })).toEqual(['c', 'd'])
    expect(replies({ before: a })).toEqual([])
    expect(replies({}, other)).toEqual(['foreign'])
    expect(messages.list(town.bob, town.pier, page).map(({ id }) => id)).toEqual([other, root.id])
    expect(messages.list(town.bob, town.pier, page).map((one) => one.thread_reply_count)).toEqual([1, 5])
  })

  it('is empty behind what is unknown, or of another thread', () => {
    const { town, root, reply, replies } = setUp()
    reply(town.bob)
    const other = town.post(town.ada, town.pier).id
    const foreign = reply(town.bob, 'x', other).id
    for (const cursor of [NOWHERE, other, foreign, root.id, town.pier]) {
      expect(replies({ before: cursor })).toEqual([])
      expect(replies({ after: cursor })).toEqual([])
    }
  })

  it('does not have what was deleted, which is still a good cursor', () => {
    const { town, root, messages, reply, replies, remove } = setUp()
    const [{ id: a }, { id: b, num }] = [reply(town.bob, 'a'), reply(town.bob, 'b'), reply(town.bob, 'c')]
    town.told()
    expect(codeOf(() => remove(town.cleo, b))).toBe('NOT_FOUND')
    remove(town.ada, b)
    expect(town.told()).toEqual([
      {
        type: 'message.deleted',
        serverId: town.place,
        channelId: town.pier,
        messageId: b,
        num,
        authorId: town.bob,
        by: town.ada,
        draft: false,
      },
    ])
    expect(replies()).toEqual(['a', 'c'])
    expect(replies({ after: b })).toEqual(['c'])
    expect(replies({ before: b })).toEqual(['a'])
    expect(messages.get(town.bob, town.pier, root.id).thread_reply_count).toBe(2)
    remove(town.bob, a)
    expect(messages.list(town.bob, town.pier, page)[0]?.thread_reply_count).toBe(1)
    expectSound(town)
  })

  it('gateway trap T43: goes with its root, in one event, and shows nothing of what was in it', () => {
    const { town, root, messages, reply, replies, remove } = setUp()
    const ids = [reply(town.bob, '@ada').id, reply(town.ada, '@everyone').id]
    const other = town.post(town.ada, town.pier).id
    const kept = reply(town.bob, 'kept', other).id
    town.told()
    remove(town.ada, root.id)
    expect(town.told()).toEqual([
      {
        type: 'message.deleted',
        serverId: town.place,
        channelId: town.pier,
        messageId: root.id,
        num: root.num,
        authorId: root.author_id,
        by: town.ada,
        draft: false,
      },
    ])
    for (const id of ids) {
      const nothing = { deleted: 1, content: '', mention_user_ids: [], mention_everyone: 0, thread_id: root.id }
      expect(messages.get(town.bob, town.pier, id)).toMatchObject(nothing)
      expect(codeOf(() => remove(town.ada, id))).toBe('NOT_FOUND')
      expect(codeOf(() => town.do(() => messages.edit(town.bob, id, 'x')))).toBe('NOT_FOUND')
    }
    expect(messages.get(town.bob, town.pier, root.id).thread_reply_count).toBe(0)
    expect(codeOf(() => void replies())).toBe('NOT_FOUND')
    expect(messages.get(town.bob, town.pier, kept)).toMatchObject({ deleted: 0, content: 'kept' })
    expectSound(town)
  })

  it('goes with its channel, and so do pins, reactions and polls', () => {
    const { town, root, reply } = setUp()
    const { id } = reply(town.bob, '@ada')
    const poll = town.do(({ messages }) =>
      messages.ask(town.ada, town.pier, { question: '?', options: ['a', 'b'] }),
    ).poll
    town.do(({ polls }) => polls.vote(town.bob, poll?.id ?? '', poll?.options[0]?.id ?? ''))
    for (const message of [root.id, id]) {
      town.do(({ messages }) => messages.pin(town.ada, town.pier, message))
      town.do(({ reactions }) => reactions.add(town.bob, town.pier, message, '⚓'))
    }
    town.do(({ channels }) => channels.remove(town.ada, town.place, town.pier))
    for (const table of ['messages', 'message_mentions', 'message_reactions', 'polls', 'poll_options', 'poll_votes']) {
      expect(town.rows(`SELECT * FROM ${table}`)).toEqual([])
    }
    expect(codeOf(() => town.world.polls.get(town.bob, poll?.id ?? ''))).toBe('NOT_FOUND')
    expectSound(town)
  })

  it('is seen by whoever sees the channel, and found in that only', () => {
    const { town, root, messages, replies, override } = setUp()
    const quay = town.channel(town.ada, town.place, 'quay')
    const find = (who: string, channel: string, of: string) =>
      codeOf(() => void messages.thread(who, channel, of, page))
    expect(find(town.cleo, town.pier, root.id)).toBe('NOT_FOUND')
    expect(find(town.bob, quay, root.id)).toBe('NOT_FOUND')
    expect(find(town.bob, town.pier, NOWHERE)).toBe('NOT_FOUND')
    override(SEND_MESSAGES)
    expect(replies()).toEqual([])
    override(VIEW_CHANNEL)
    expect(find(town.bob, town.pier, root.id)).toBe('NOT_FOUND')
  })
})

describe('unread', () => {
  it('gateway trap T42: replies are not, but they are mentions', () => {
    const { town, reply, counts } = setUp()
    expect(counts(town.bob)).toEqual([1, 0])
    reply(town.ada)
    expect(counts(town.bob)).toEqual([1, 0])
    reply(town.ada, '@bob')
    reply(town.ada, '@everyone @bob')
    reply(town.ada, '@everyone')
    expect(counts(town.bob)).toEqual([1, 3])
    // Nor are one's own.
    expect(counts(town.ada)).toEqual([0, 0])
    reply(town.bob, '@bob @ada')
    expect(counts(town.bob)).toEqual([1, 3])
    expect(counts(town.ada)).toEqual([0, 1])
  })

  it('mentions of a thread are read with the channel, and change as replies do', () => {
    const { town, root, messages, reply, remove, counts } = setUp()
    const read = (id: string | null): void => town.do(({ unreads }) => unreads.readChannel(town.bob, town.pier, id))
    const [first, second] = [reply(town.ada, '@bob').id, reply(town.ada, '@everyone').id]
    read(first)
    expect(counts(town.bob)).toEqual([0, 1])
    town.do(() => messages.edit(town.ada, second, 'nobody'))
    expect(counts(town.bob)).toEqual([0, 0])
    town.do(() => messages.edit(town.ada, second, '@bob'))
    expect(counts(town.bob)).toEqual([0, 1])
    remove(town.ada, second)
    expect(counts(town.bob)).toEqual([0, 0])
    reply(town.ada, '@bob')
    read(null)
    reply(town.ada, '@bob @everyone')
    expect(counts(town.bob)).toEqual([0, 1])
    // With the root they go, too.
    remove(town.ada, root.id)
    expect(counts(town.bob)).toEqual([0, 0])
  })

  it('a reply to what was said before joining is a mention, the root is not unread', () => {
    const { town, reply, counts } = setUp()
    reply(town.ada, '@everyone')
    town.join(town.cleo, town.place)
    reply(town.ada, '@cleo')
    expect(counts(town.cleo)).toEqual([0, 1])
  })
})
