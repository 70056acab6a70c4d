import { describe, expect, it } from 'vitest'
import { ADD_REACTIONS, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const [ANCHOR, FOX, SUN] = ['⚓', '🦊', '☀️']
const NOWHERE = '019df252-0000-7000-8000-000000000000'

/** A message of ada's, which has no reactions. */
function setUp() {
  const town = new Town()
  const { id } = town.post(town.ada, town.pier)
  town.told()
  const add = (who: string, emoji = ANCHOR, message = id, channel = town.pier): void =>
    town.do(({ reactions }) => reactions.add(who, channel, message, emoji))
  const remove = (who: string, emoji = ANCHOR, message = id, channel = town.pier): void =>
    town.do(({ reactions }) => reactions.remove(who, channel, message, emoji))
  const list = (who = town.bob, message = id) => town.world.reactions.list(who, town.pier, message)
  const names = (): string[] => list().map(({ emoji }) => emoji)
  const deny = (bits: number): void =>
    void town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: town.bob }, 0, bits))
  return { town, id, add, remove, list, names, deny }
}

describe('a reaction', () => {
  it('is told of when it comes, and when it goes', () => {
    const { town, id, add, remove } = setUp()
    add(town.bob)
    remove(town.bob)
    const num = town.world.messages.named(id)?.num
    const reaction = { serverId: town.place, channelId: town.pier, messageId: id, num, userId: town.bob, emoji: ANCHOR }
    expect(town.told()).toEqual([
      { type: 'reaction.added', ...reaction },
      { type: 'reaction.removed', ...reaction },
    ])
    expect(town.rows('SELECT * FROM message_reactions')).toEqual([])
  })

  it('gateway trap T36: again changes nothing, and tells nobody', () => {
    const { town, add } = setUp()
    add(town.bob)
    town.told()
    town.clock.ms += 1000
    add(town.bob)
    expect(town.told()).toEqual([])
    // Of each member one for each emoji.
    expect(town.rows('SELECT user_id, created_at FROM message_reactions')).toEqual([
      { user_id: town.bob, created_at: new Date(START).toISOString() },
    ])
    add(town.ada)
    add(town.bob, FOX)
    expect(town.told()).toHaveLength(2)
  })

  it('is taken back by who gave it only, and once', () => {
    const { town, add, remove, list } = setUp()
    add(town.bob)
    town.told()
    expect(codeOf(() => remove(town.ada))).toBe('NOT_FOUND')
    expect(codeOf(() => remove(town.bob, FOX))).toBe('NOT_FOUND')
    expect(list()).toEqual([{ emoji: ANCHOR, count: 1, me: true }])
    remove(town.bob)
    town.told()
    expect(codeOf(() => remove(town.bob))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })
})

describe('a list of reactions', () => {
  it('counts each emoji in the order of first use, and says whose they are', () => {
    const { town, add, list } = setUp()
    expect(list()).toEqual([])
    // All in one millisecond; neither the order of the letters nor that of the numbers.
    for (const [who, emoji] of [
      [town.bob, SUN],
      [town.ada, FOX],
      [town.ada, ANCHOR],
      [town.bob, ANCHOR],
      [town.ada, SUN],
    ] as const) {
      add(who, emoji)
    }
    expect(list(town.bob)).toEqual([
      { emoji: SUN, count: 2, me: true },
      { emoji: FOX, count: 1, me: false },
      { emoji: ANCHOR, count: 2, me: true },
    ])
    expect(list(town.ada).map(({ me }) => me)).toEqual([true, true, true])
  })

  it('has at its end what had gone and came again', () => {
    const { town, add, remove, names } = setUp()
    for (const emoji of [ANCHOR, FOX, SUN]) add(town.bob, emoji)
    remove(town.bob, FOX)
    expect(names()).toEqual([ANCHOR, SUN])
    // A clock that goes back does not change it.
    town.clock.ms -= 60_000
    add(town.bob, FOX)
    expect(names()).toEqual([ANCHOR, SUN, FOX])
  })

  it('is of one message', () => {
    const { town, add, list } = setUp()
    const other = town.post(town.ada, town.pier).id
    add(town.bob)
    expect(list(town.bob, other)).toEqual([])
    add(town.ada, FOX, other)
    expect(list()).toEqual([{ emoji: ANCHOR, count: 1, me: true }])
  })

  it('is the same in the next world of the folder', () => {
    const { town, id, add } = setUp()
    for (const emoji of [SUN, ANCHOR]) add(town.bob, emoji)
    const { world } = town.reopen()
    expect(world.reactions.list(town.ada, town.pier, id)).toEqual([
      { emoji: SUN, count: 1, me: false },
      { emoji: ANCHOR, count: 1, me: false },
    ])
  })
})

describe('an emoji', () => {
  it.each([
    ['64 letters', 'x'.repeat(64)],
    ['16 foxes, which are 64 bytes', FOX.repeat(16)],
    ['a family joined from four', '👨‍👩‍👧‍👦'],
    ['a flag of tags', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['a name', ':face14:'],
    ['SQL', "';DROP--"],
    ['the last character', '\u{10FFFF}'],
  ])('%s is one', (_what, emoji) => {
    const { town, add, names } = setUp()
    add(town.bob, emoji)
    expect(names()).toEqual([emoji])
  })

  it.each([
    ['nothing', ''],
    ['65 letters', 'x'.repeat(65)],
    ['33 letters of two bytes', 'é'.repeat(33)],
    ['16 foxes and a letter', `${FOX.repeat(16)}x`],
    ['a space', ' '],
    ['a space within', 'a b'],
    ['a line', `${ANCHOR}\n`],
    ['a wide space', `${ANCHOR}\u3000`],
    ['a line separator', '\u2028'],
    ['U+0000', 'a\0'],
    ['U+001B', '\u001B'],
    ['U+007F', '\u007F'],
    ['U+009F', 'a\u009F'],
    ['half a fox', FOX.slice(0, 1)],
  ])('%s is none', (_what, emoji) => {
    const { town, add, names } = setUp()
    expect(codeOf(() => add(town.bob, emoji))).toBe('INVALID')
    expect([names(), town.told()]).toEqual([[], []])
  })

  it('is another in upper case, or composed otherwise', () => {
    const { town, add, names } = setUp()
    for (const emoji of ['x', 'X', '\u00E9', 'e\u0301']) add(town.bob, emoji)
    expect(names()).toEqual(['x', 'X', '\u00E9', 'e\u0301'])
  })
})

describe('fifty different reactions', () => {
  it('are as many as a message has, however often each is used', () => {
    const { town, id, add, remove, names } = setUp()
    for (let i = 0; i < 50; i++) add(i % 2 === 0 ? town.bob : town.ada, `e${i}`)
    town.told()
    expect(codeOf(() => add(town.bob, 'e50'))).toBe('LIMIT')
    expect(codeOf(() => add(town.ada, 'e50'))).toBe('LIMIT')
    expect(town.told()).toEqual([])
    // One that is there is used by another, and again by the same.
    add(town.bob, 'e49')
    add(town.bob, 'e49')
    expect(town.told()).toHaveLength(1)
    // One of another message, and one in the place of one that has gone.
    add(town.bob, 'e50', town.post(town.ada, town.pier).id)
    remove(town.bob, 'e49')
    expect(codeOf(() => add(town.bob, 'e50'))).toBe('LIMIT')
    remove(town.ada, 'e49')
    add(town.bob, 'e50')
    expect(names()).toHaveLength(50)
    expect(town.rows('SELECT DISTINCT emoji FROM message_reactions WHERE message_id = ?', id)).toHaveLength(50)
  })
})

describe('who may react', () => {
  it('is whoever has ADD_REACTIONS there; taking back needs sight only', () => {
    const { town, add, remove, deny } = setUp()
    add(town.bob)
    deny(ADD_REACTIONS)
    expect(codeOf(() => add(town.bob, FOX))).toBe('FORBIDDEN')
    // Also of what would be no change.
    expect(codeOf(() => add(town.bob))).toBe('FORBIDDEN')
    remove(town.bob)
    deny(0)
    add(town.bob)
    town.silence(town.place, town.bob, START + 60_000)
    expect(codeOf(() => add(town.bob, FOX))).toBe('TIMED_OUT')
    remove(town.bob)
    town.clock.ms += 60_000
    add(town.bob)
  })

  it('finds only what is there, and seen', () => {
    const { town, id, add, remove, deny } = setUp()
    const quay = town.channel(town.ada, town.place, 'quay')
    const gone = town.post(town.ada, town.pier).id
    add(town.bob)
    add(town.bob, ANCHOR, gone)
    town.do(({ messages }) => messages.remove(town.ada, gone))
    town.told()
    const list = (who: string, channel: string, message: string) => () =>
      void town.world.reactions.list(who, channel, message)
    const places: [string, string, string][] = [
      [town.bob, quay, id],
      [town.bob, NOWHERE, id],
      [town.bob, town.pier, NOWHERE],
      [town.bob, town.pier, gone],
      [town.cleo, town.pier, id],
    ]
    const expectNotFound = (who: string, channel: string, message: string): void => {
      expect(codeOf(() => add(who, ANCHOR, message, channel))).toBe('NOT_FOUND')
      expect(codeOf(() => remove(who, ANCHOR, message, channel))).toBe('NOT_FOUND')
      expect(codeOf(list(who, channel, message))).toBe('NOT_FOUND')
    }
    for (const place of places) expectNotFound(...place)
    expect(town.told()).toEqual([])
    // What is no emoji is so for everybody; who is silenced is not told TIMED_OUT of what is not there.
    expect(codeOf(() => add(town.cleo, ' '))).toBe('INVALID')
    town.silence(town.place, town.bob, START + 60_000)
    for (const place of places) expectNotFound(...place)
    deny(VIEW_CHANNEL)
    expectNotFound(town.bob, town.pier, id)
    expect(town.rows('SELECT user_id FROM message_reactions')).toEqual([{ user_id: town.bob }])
  })
})

describe('with a message', () => {
  it('go its reactions, and those of its thread; others stay', () => {
    const { town, id, add, list } = setUp()
    const root = town.post(town.ada, town.pier)
    const reply = town.reply(root, town.bob)
    for (const message of [id, root.id, reply]) add(town.bob, ANCHOR, message)
    town.told()
    town.do(({ messages }) => messages.remove(town.ada, root.id))
    expect(town.told().map(({ type }) => type)).toEqual(['message.deleted'])
    expect(town.rows('SELECT message_id FROM message_reactions')).toEqual([{ message_id: id }])
    expect(codeOf(() => void list(town.bob, reply))).toBe('NOT_FOUND')
    expect(codeOf(() => add(town.bob, FOX, reply))).toBe('NOT_FOUND')
  })

  it('stay those of who has left the server', () => {
    const { town, add, list } = setUp()
    add(town.bob)
    town.do(({ servers }) => servers.leave(town.bob, town.place))
    expect(list(town.ada)).toEqual([{ emoji: ANCHOR, count: 1, me: false }])
  })
})
