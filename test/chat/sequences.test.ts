import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WorldEvent } from '../../lib/chat/events.ts'
import { VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { Refusal } from '../../lib/chat/refusal.ts'
import type { World } from '../../lib/chat/world.ts'
import { expectSound, START, Town } from '../support/world.ts'

/*
 * Any sequence of changes, in batches of any size: whatever fails in between, what the world counts is what a naive
 * reading of its rows counts, and what it tells is what has been kept.
 */

/** Who, where, and which message are looked up when the step runs: what they number may not be there. */
type Step =
  | { readonly do: 'post'; readonly who: number; readonly where: number; readonly content: string; readonly to: number }
  | { readonly do: 'say' | 'readDirect'; readonly who: number; readonly which: number; readonly content: string }
  | { readonly do: 'edit'; readonly who: number; readonly which: number; readonly content: string }
  | { readonly do: 'remove' | 'join' | 'leave' | 'hide'; readonly who: number; readonly which: number }
  | { readonly do: 'read'; readonly who: number; readonly where: number; readonly which: number }

interface Attempt {
  readonly step: Step
  /** Fails behind what it has done. */
  readonly fails: boolean
}

const PEOPLE = 4
const who = fc.nat({ max: PEOPLE - 1 })
const where = fc.nat({ max: 2 })
// Mostly one of the newest.
const which = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 60 }))
const content = fc.constantFrom('fog', '@bob', '@everyone', '@ada @cleo @bob', '@dora!', 'x@bob', '')

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('post' as const), who, where, content, to: which }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('say' as const, 'readDirect' as const), who, which, content }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), who, which, content }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'join' as const, 'leave' as const, 'hide' as const),
      who,
      which,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), who, where, which }) },
)
const attempt: fc.Arbitrary<Attempt> = fc.record({
  step,
  fails: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})
/** How the clock goes on before each batch, and what comes then. */
const batches = fc.array(
  fc.record({ later: fc.integer({ min: -5000, max: 5000 }), attempts: fc.array(attempt, { maxLength: 12 }) }),
  { maxLength: 10 },
)

class Stage extends Town {
  readonly dora = this.user('dora')
  readonly people = [this.ada, this.bob, this.cleo, this.dora]
  readonly channels = [
    this.pier,
    this.channel(this.ada, this.place, 'quay'),
    this.channel(this.ada, this.place, 'deck'),
  ]
  readonly directs = [
    this.do(({ directs }) => directs.open(this.ada, this.bob)).direct.id,
    this.do(({ directs }) => directs.open(this.cleo, this.bob)).direct.id,
  ]

  /** Those that were kept, the newest last. */
  readonly messages: string[] = []
  readonly said: string[] = []

  /** Does it; returns what has to be told of it. */
  perform(world: World, one: Step): string[] {
    const user = this.people[one.who] ?? ''
    const newest = (list: readonly string[], back: number): string | undefined => list.at(-1 - back)
    switch (one.do) {
      case 'post': {
        const replyTo = one.to < 2 ? (newest(this.messages, one.to) ?? null) : null
        const draft = { content: one.content, replyTo }
        const { id } = world.messages.post(user, this.channels[one.where] ?? '', draft)
        return [`message.created ${id} ${one.content}`]
      }
      case 'say': {
        const { id } = world.directs.post(user, this.directs[one.which % 2] ?? '', { content: one.content })
        return [`direct.message ${id}`]
      }
      case 'readDirect':
        world.unreads.readDirect(user, this.directs[one.which % 2] ?? '', newest(this.said, one.which) ?? null)
        return []
      case 'edit': {
        const id = newest(this.messages, one.which) ?? ''
        const before = this.contentOf(world, id)
        const { content: after } = world.messages.edit(user, id, one.content)
        return before === after ? [] : [`message.updated ${id} ${one.content}`]
      }
      case 'remove': {
        const id = newest(this.messages, one.which) ?? ''
        world.messages.remove(user, id)
        return [`message.deleted ${id}`]
      }
      case 'join':
        world.servers.join(user, this.place)
        return [`member.joined ${user}`]
      case 'leave': {
        // What was theirs alone goes with them.
        const own = this.channels.filter((channel) => {
          return world.access.overrides(channel).some(({ user_id }) => user_id === user)
        })
        world.servers.leave(user, this.place)
        return [`member.left ${user}`, ...own.map((channel) => `channel.visibility ${channel}`)]
      }
      case 'hide': {
        const channel = this.channels[one.which % 3] ?? ''
        const target = { roleId: null, userId: user }
        const deny = one.which % 2 === 0 ? VIEW_CHANNEL : 0
        const list = world.overrides.list(this.ada, channel)
        const old = list.find(({ user_id }) => user_id === user)
        world.overrides.set(this.ada, channel, target, 0, deny)
        return old?.deny === deny ? [] : [`override.set ${channel}`]
      }
      case 'read':
        world.unreads.readChannel(user, this.channels[one.where] ?? '', newest(this.messages, one.which) ?? null)
        return []
      default:
        throw new Error('no such step')
    }
  }

  /** What a message says now, also to the change that runs. */
  contentOf(world: World, id: string): string | null {
    for (const channel of this.channels) {
      try {
        return world.messages.get(this.ada, channel, id).content
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
      }
    }
    return null
  }
}

const toLine = (event: WorldEvent): string => {
  switch (event.type) {
    case 'message.created':
    case 'message.updated':
      return `${event.type} ${event.message.id} ${event.message.content}`
    case 'message.deleted':
      return `${event.type} ${event.messageId}`
    case 'direct.message':
      return `${event.type} ${event.message.id}`
    case 'member.joined':
    case 'member.left':
      return `${event.type} ${event.userId}`
    case 'override.set':
      return `${event.type} ${event.override.channel_id}`
    case 'channel.visibility':
      return `${event.type} ${event.channelId}`
    default:
      return event.type
  }
}

interface MessageRow {
  readonly id: string
  readonly channel_id: string
  readonly author_id: string | null
  readonly deleted: number
  readonly mention_everyone: number
}

/** Unread messages and mentions of all channels, `<channel> <unread> <mentions>`, by looking at each message there is. */
function recount(stage: Stage, user: string): string[] {
  const messages = stage.rows<MessageRow>('SELECT * FROM messages')
  const said = stage.rows<MessageRow>('SELECT *, 0 AS mention_everyone FROM dm_messages')
  const named = new Set(
    stage
      .rows<{ message_id: string }>('SELECT message_id FROM message_mentions WHERE user_id = ?', user)
      .map(({ message_id }) => message_id),
  )
  const marks = new Map(
    stage
      .rows<{ channel_id: string; last_read_id: string }>('SELECT * FROM read_states WHERE user_id = ?', user)
      .map(({ channel_id, last_read_id }) => [channel_id, last_read_id]),
  )
  const [membership] = stage.rows<{ join_marker: string }>('SELECT * FROM server_members WHERE user_id = ?', user)
  const count = (rows: readonly MessageRow[], channel: string, mark: string): string => {
    const open = rows.filter(
      ({ id, channel_id, author_id, deleted }) =>
        channel_id === channel && id > mark && author_id !== user && deleted === 0,
    )
    const mentions = open.filter(({ id, mention_everyone }) => mention_everyone === 1 || named.has(id))
    return `${channel} ${open.length} ${mentions.length}`
  }
  const lines: string[] = []
  if (membership !== undefined) {
    for (const id of stage.channels) lines.push(count(messages, id, marks.get(id) ?? membership.join_marker))
  }
  for (const { id, user_lo, user_hi } of stage.rows<{ id: string; user_lo: string; user_hi: string }>(
    'SELECT * FROM dm_channels',
  )) {
    if (user_lo === user || user_hi === user) lines.push(count(said, id, marks.get(id) ?? id))
  }
  return lines.filter((line) => !line.endsWith(' 0 0')).toSorted()
}

const counted = (stage: Stage, user: string): string[] =>
  [...stage.world.unreads.inChannels(user), ...stage.world.unreads.inDirects(user)]
    .filter(({ unread, mentions }) => unread + mentions > 0)
    .map(({ id, unread, mentions }) => `${id} ${unread} ${mentions}`)
    .toSorted()

function play(stage: Stage, later: number, attempts: readonly Attempt[]): void {
  const expected: string[] = []
  stage.clock.ms += later
  for (const { step: one, fails } of attempts) {
    stage.world.changes.submit(
      () => {
        const lines = stage.perform(stage.world, one)
        if (fails) throw new Refusal('INVALID', 'fails on purpose')
        return lines
      },
      (outcome) => {
        if (outcome.ok) {
          expected.push(...outcome.value)
          for (const line of outcome.value) {
            const [type, id = ''] = line.split(' ')
            if (type === 'message.created') stage.messages.push(id)
            if (type === 'direct.message') stage.said.push(id)
          }
        } else if (!(outcome.error instanceof Refusal)) throw outcome.error
      },
    )
  }
  stage.flush()
  expect(stage.told().map(toLine)).toEqual(expected)
  expect(stage.failures).toEqual([])
  expectSound(stage)
  for (const user of stage.people) expect(counted(stage, user)).toEqual(recount(stage, user))
  // Nothing is undone in part: mentions are of messages that say so, and of those alone.
  const stray = stage.rows(
    `SELECT * FROM message_mentions w JOIN messages m ON m.id = w.message_id
     JOIN users u ON u.id = w.user_id WHERE INSTR(m.content, '@' || u.username) = 0 OR w.channel_id <> m.channel_id`,
  )
  expect(stray).toEqual([])
}

describe('any sequence of changes', () => {
  it('keeps what is counted right, and tells exactly what was kept', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(batches, (all) => {
        const stage = new Stage()
        stage.told()
        for (const { later, attempts } of all) play(stage, later, attempts)
        // Also for who comes later.
        const ids = stage.rows<{ id: string }>('SELECT id FROM messages ORDER BY id').map(({ id }) => id)
        expect(stage.rows('SELECT id FROM messages ORDER BY num')).toEqual(ids.map((id) => ({ id })))
        stage.close()
      }),
      { numRuns: 150 },
    )
  })

  it('goes on where the world is opened again', () => {
    const stage = new Stage()
    stage.told()
    const post: Step = { do: 'post', who: 0, where: 0, content: '@bob', to: 9 }
    play(stage, 5, [
      { step: post, fails: false },
      { step: post, fails: true },
    ])
    const before = counted(stage, stage.bob)
    expect(before).toEqual([`${stage.pier} 1 1`])
    stage.clock.ms = START - 1000
    const again = stage.reopen()
    expect(again.world.unreads.inChannels(stage.bob)).toEqual([{ id: stage.pier, unread: 1, mentions: 1 }])
    again.post(stage.ada, stage.pier)
    expect(again.world.unreads.inChannels(stage.bob)).toEqual([{ id: stage.pier, unread: 2, mentions: 1 }])
    expectSound(again)
  })
})
