import { describe, expect, it } from 'vitest'
import { SEND_MESSAGES, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, expectSound, START, Town } from '../support/world.ts'

const NOWHERE = '019df252-0000-7000-8000-000000000000'
const DRAFT = { question: 'Sail on Sunday?', options: ['yes', 'no', 'if the fog lifts'] } as const

/** Ada asks whether to sail. */
function setUp() {
  const town = new Town()
  const { messages, polls } = town.world
  const ask = (who = town.ada, draft: { question: string; options: readonly string[] } = DRAFT) =>
    town.do(() => messages.ask(who, town.pier, draft))
  const made = ask()
  const { id, poll } = made
  if (poll === null) throw new Error('no poll')
  const [yes = '', no = '', perhaps = ''] = poll.options.map((option) => option.id)
  const vote = (who: string, option: string, of = poll.id) => town.do(() => polls.vote(who, of, option))
  /** How many have chosen each, and what its viewer has. */
  const votes = (who: string): [number[], string | null] => {
    const seen = polls.get(who, poll.id)
    expect(seen.total_votes).toBe(seen.options.reduce((sum, option) => sum + option.votes, 0))
    return [seen.options.map((option) => option.votes), seen.user_vote]
  }
  const override = (deny: number): void =>
    void town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: town.bob }, 0, deny))
  const counts = (who: string): [number, number] => {
    const found = town.world.unreads.inChannels(who).find((channel) => channel.id === town.pier)
    return [found?.unread ?? 0, found?.mentions ?? 0]
  }
  const stored = (): unknown[] =>
    ['polls', 'poll_options', 'poll_votes'].map((table) => town.rows(`SELECT * FROM ${table}`).length)
  return { town, id, made, poll, yes, no, perhaps, messages, polls, ask, vote, votes, override, counts, stored }
}

describe('a poll', () => {
  it('is a message, whose content is the question', () => {
    const { town, id, made, poll } = setUp()
    expect(made).toMatchObject({
      seq: 1,
      author_id: town.ada,
      content: 'Sail on Sunday?',
      thread_id: null,
      reply_to: null,
      created_at: new Date(START).toISOString(),
      poll: {
        question: 'Sail on Sunday?',
        options: [
          { text: 'yes', votes: 0 },
          { text: 'no', votes: 0 },
          { text: 'if the fog lifts', votes: 0 },
        ],
        total_votes: 0,
        user_vote: null,
      },
    })
    const ids = [id, poll.id, ...poll.options.map((option) => option.id)]
    expect(ids).toEqual(ids.toSorted())
    expect(new Set(ids).size).toBe(5)
    expect(town.told()).toEqual([{ type: 'message.created', serverId: town.place, message: made }])
    expect(town.world.messages.get(town.bob, town.pier, id)).toEqual(made)
    expectSound(town)
  })

  it('calls whom the question names, is unread, and may be continued', () => {
    const { town, messages, ask, counts } = setUp()
    expect(counts(town.bob)).toEqual([1, 0])
    const { id, mention_user_ids } = ask(town.ada, { ...DRAFT, question: 'Will @bob sail, or @everyone?' })
    expect(mention_user_ids).toEqual([town.bob])
    // Options call nobody.
    ask(town.ada, { question: 'Who?', options: ['@bob', '@everyone'] })
    expect(counts(town.bob)).toEqual([3, 1])
    expect(counts(town.ada)).toEqual([0, 0])
    town.do(() => messages.reply(town.ada, town.pier, id, 'yes, @bob'))
    expect(counts(town.bob)).toEqual([3, 2])
    town.do(() => messages.remove(town.ada, id))
    expect(counts(town.bob)).toEqual([2, 0])
  })

  it('is for who may send', () => {
    const { town, ask, override, stored } = setUp()
    expect(codeOf(() => ask(town.cleo))).toBe('NOT_FOUND')
    override(SEND_MESSAGES)
    expect(codeOf(() => ask(town.bob))).toBe('FORBIDDEN')
    override(0)
    town.silence(town.place, town.bob, START + 60_000)
    expect(codeOf(() => ask(town.bob))).toBe('TIMED_OUT')
    override(VIEW_CHANNEL)
    expect(codeOf(() => ask(town.bob))).toBe('NOT_FOUND')
    expect(stored()).toEqual([1, 3, 0])
    const draft = { name: 'deck', type: 'voice', topic: null, category: null } as const
    const { id } = town.do(({ channels }) => channels.create(town.ada, town.place, draft))
    expect(town.do(({ messages }) => messages.ask(town.ada, id, DRAFT)).poll?.options).toHaveLength(3)
  })

  it('keeps its question and its options in the next world, whose ids are newer', () => {
    const { town, poll, perhaps, yes, vote } = setUp()
    vote(town.bob, yes)
    // The clock went back meanwhile.
    town.clock.ms -= 3_600_000
    const next = town.reopen()
    expect(next.world.polls.get(town.bob, poll.id)).toEqual({
      ...poll,
      options: poll.options.map((option) => ({ ...option, votes: option.id === yes ? 1 : 0 })),
      total_votes: 1,
      user_vote: yes,
    })
    expect(next.do(({ ids }) => ids.next()) > perhaps).toBe(true)
  })
})

describe('a vote', () => {
  it('is one of each member, and takes the place of the one before', () => {
    const { town, yes, no, perhaps, vote, votes, stored } = setUp()
    expect(vote(town.bob, yes)).toMatchObject({ total_votes: 1, user_vote: yes })
    expect(vote(town.ada, yes)).toMatchObject({ total_votes: 2, user_vote: yes })
    expect(vote(town.bob, perhaps)).toMatchObject({ total_votes: 2, user_vote: perhaps })
    expect(votes(town.bob)).toEqual([[1, 0, 1], perhaps])
    expect(votes(town.ada)).toEqual([[1, 0, 1], yes])
    town.join(town.cleo, town.place)
    expect(votes(town.cleo)).toEqual([[1, 0, 1], null])
    vote(town.cleo, no)
    expect(votes(town.cleo)).toEqual([[1, 1, 1], no])
    expect(stored()).toEqual([1, 3, 3])
  })

  it('gateway trap T35: is told of with all votes of that moment, and shows each who looks their own', () => {
    const { town, id, poll, yes, no, messages, vote } = setUp()
    town.told()
    vote(town.bob, yes)
    vote(town.ada, no)
    vote(town.bob, no)
    const told = (votes: Readonly<Record<string, string>>, ...counts: number[]) => ({
      type: 'poll.voted',
      serverId: town.place,
      channelId: town.pier,
      poll: {
        ...poll,
        options: poll.options.map((option, index) => ({ ...option, votes: counts[index] })),
        total_votes: counts.reduce((sum, count) => sum + count),
        user_vote: null,
      },
      votes: Object.entries(votes)
        .map(([user_id, option_id]) => ({ user_id, option_id }))
        .toSorted((a, b) => (a.user_id < b.user_id ? -1 : 1)),
    })
    const { ada, bob } = town
    const all = [
      told({ [bob]: yes }, 1, 0, 0),
      told({ [bob]: yes, [ada]: no }, 1, 1, 0),
      told({ [bob]: no, [ada]: no }, 0, 2, 0),
    ]
    expect(town.told()).toEqual(all)
    vote(town.ada, yes)
    const page = { before: null, after: null, limit: 5 }
    town.do(() => messages.pin(town.ada, town.pier, id))
    for (const [who, own] of [
      [town.ada, yes],
      [town.bob, no],
    ] as const) {
      expect(messages.get(who, town.pier, id).poll?.user_vote).toBe(own)
      expect(messages.list(who, town.pier, page)[0]?.poll?.user_vote).toBe(own)
      expect(messages.pinned(who, town.pier)[0]?.poll?.user_vote).toBe(own)
    }
  })

  it('gateway trap T36: for the same again changes nothing, and tells nobody', () => {
    const { town, yes, vote } = setUp()
    const first = vote(town.bob, yes)
    town.told()
    town.clock.ms += 1000
    expect(vote(town.bob, yes)).toEqual(first)
    expect(town.told()).toEqual([])
    expect(town.rows('SELECT voted_at FROM poll_votes')).toEqual([{ voted_at: new Date(START).toISOString() }])
  })

  it('is for an option of that poll, which is there and seen', () => {
    const { town, poll, yes, ask, vote, votes, override } = setUp()
    const other = ask().poll?.options[0]?.id ?? ''
    vote(town.bob, yes)
    town.told()
    for (const option of [other, NOWHERE, poll.id, '']) expect(codeOf(() => vote(town.bob, option))).toBe('INVALID')
    expect(codeOf(() => vote(town.bob, yes, NOWHERE))).toBe('NOT_FOUND')
    expect(codeOf(() => vote(town.cleo, yes))).toBe('NOT_FOUND')
    // Which options it has is for those who see it.
    expect(codeOf(() => vote(town.cleo, other))).toBe('NOT_FOUND')
    expect(codeOf(() => void votes(town.cleo))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    expect(votes(town.bob)).toEqual([[1, 0, 0], yes])
    override(VIEW_CHANNEL)
    expect(codeOf(() => vote(town.bob, yes))).toBe('NOT_FOUND')
    expect(codeOf(() => void votes(town.bob))).toBe('NOT_FOUND')
  })

  it('needs sight only, and stays with who has left', () => {
    const { town, yes, no, vote, votes, override } = setUp()
    override(SEND_MESSAGES)
    vote(town.bob, yes)
    town.silence(town.place, town.bob, START + 60_000)
    vote(town.bob, no)
    town.do(({ servers }) => servers.leave(town.bob, town.place))
    expect(votes(town.ada)).toEqual([[0, 1, 0], null])
    expect(codeOf(() => vote(town.bob, yes))).toBe('NOT_FOUND')
    town.join(town.bob, town.place)
    expect(votes(town.bob)).toEqual([[0, 1, 0], no])
  })
})

describe('the message of a poll', () => {
  it('when edited is told of as nobody in particular sees it, and answered as its author does', () => {
    const { town, id, poll, yes, messages, vote } = setUp()
    vote(town.ada, yes)
    town.told()
    const edited = town.do(() => messages.edit(town.ada, id, 'Sail on Monday?'))
    expect(edited).toMatchObject({ content: 'Sail on Monday?', poll: { id: poll.id, total_votes: 1, user_vote: yes } })
    const told = { ...edited, poll: { ...edited.poll, user_vote: null } }
    expect(town.told()).toEqual([
      {
        type: 'message.updated',
        serverId: town.place,
        message: told,
        votes: [{ user_id: town.ada, option_id: yes }],
        completed: false,
      },
    ])
  })

  it('gateway trap T43: deleted, takes the poll with it', () => {
    const { town, id, poll, yes, messages, polls, ask, vote, stored } = setUp()
    const other = ask(town.bob).poll
    vote(town.bob, yes)
    vote(town.ada, other?.options[1]?.id ?? '', other?.id)
    town.told()
    town.do(() => messages.remove(town.ada, id))
    expect(town.told().map(({ type }) => type)).toEqual(['message.deleted'])
    expect(messages.get(town.bob, town.pier, id)).toMatchObject({ deleted: 1, content: '', poll: null })
    expect(codeOf(() => polls.get(town.bob, poll.id))).toBe('NOT_FOUND')
    expect(codeOf(() => vote(town.bob, yes))).toBe('NOT_FOUND')
    // Not INVALID, which would tell of the options.
    expect(codeOf(() => vote(town.bob, NOWHERE))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    // The other one stays whole.
    expect(stored()).toEqual([1, 3, 1])
    expect(polls.get(town.ada, other?.id ?? '').total_votes).toBe(1)
  })
})
