import { describe, expect, it } from 'vitest'
import { VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import type { Unread } from '../../lib/chat/unread.ts'
import { codeOf, Town } from '../support/world.ts'

const NOWHERE = '019df252-0000-7000-8000-000000000000'

/** Unread messages, and mentions, of a channel. */
const countsOf = (town: Town, user: string, channel = town.pier): [number, number] => {
  const found = town.world.unreads.inChannels(user).find(({ id }) => id === channel)
  return [found?.unread ?? 0, found?.mentions ?? 0]
}
const directOf = (town: Town): string => town.do(({ directs }) => directs.open(town.ada, town.bob)).direct.id
const say = (town: Town, author: string, direct: string): string =>
  town.do(({ directs }) => directs.post(author, direct, { content: 'fog' })).id
const read = (town: Town, user: string, message: string | null, channel = town.pier): void =>
  town.do(({ unreads }) => unreads.readChannel(user, channel, message))

describe('unread messages', () => {
  it('count from joining, without ever having read', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    town.join(town.cleo, town.place)
    town.post(town.ada, town.pier)
    town.post(town.ada, town.pier)
    expect(countsOf(town, town.bob)).toEqual([3, 0])
    expect(countsOf(town, town.cleo)).toEqual([2, 0])
  })

  it('one’s own never do, and sending reads nothing', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    town.post(town.bob, town.pier)
    expect(countsOf(town, town.bob)).toEqual([1, 0])
    expect(countsOf(town, town.ada)).toEqual([1, 0])
  })

  it('a channel with nothing unread is not among them', () => {
    const town = new Town()
    expect(town.world.unreads.inChannels(town.bob)).toEqual([])
    town.post(town.ada, town.pier)
    read(town, town.bob, null)
    expect(town.world.unreads.inChannels(town.bob)).toEqual([])
  })

  // Was wrong: 'Channels of servers with something unread', but those with only one's own, deleted or
  // thread messages come with 0 and 0; inDirects leaves them out.
  it('a channel with one’s own messages only is not among them', () => {
    const town = new Town()
    town.post(town.bob, town.pier)
    expect(town.world.unreads.inChannels(town.bob)).toEqual([])
  })

  it('gateway trap T50: messages of a deleted account still count', () => {
    const town = new Town()
    town.join(town.cleo, town.place)
    const direct = town.do(({ directs }) => directs.open(town.bob, town.cleo)).direct.id
    town.post(town.cleo, town.pier, '@bob')
    town.write('UPDATE messages SET author_id = NULL')
    say(town, town.cleo, direct)
    town.write('UPDATE dm_messages SET author_id = NULL')
    expect(countsOf(town, town.bob)).toEqual([1, 1])
    expect(town.world.unreads.inDirects(town.bob)).toEqual([{ id: direct, unread: 1, mentions: 0 }])
  })

  it('deleted ones do not count', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier, '@bob @everyone')
    town.post(town.ada, town.pier)
    expect(countsOf(town, town.bob)).toEqual([2, 1])
    town.do(({ messages }) => messages.remove(town.ada, id))
    expect(countsOf(town, town.bob)).toEqual([1, 0])
  })

  it('those of threads count as mentions only', () => {
    const town = new Town()
    const root = town.post(town.ada, town.pier)
    town.reply(root, town.ada, '@bob')
    town.reply(root, town.ada)
    expect(countsOf(town, town.bob)).toEqual([1, 1])
    read(town, town.bob, root.id)
    expect(countsOf(town, town.bob)).toEqual([0, 1])
  })

  it('are counted per channel and per reader', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const other = town.server(town.cleo)
    const far = town.channel(town.cleo, other)
    town.post(town.ada, town.pier)
    town.post(town.ada, quay)
    town.post(town.ada, quay)
    town.post(town.cleo, far)
    read(town, town.bob, null, quay)
    town.post(town.ada, quay)
    const sorted = (list: Unread[]): string[] => list.map(({ id, unread }) => `${id} ${unread}`).toSorted()
    expect(sorted(town.world.unreads.inChannels(town.bob))).toEqual([`${town.pier} 1`, `${quay} 1`])
    expect(town.world.unreads.inChannels(NOWHERE)).toEqual([])
  })

  it('counting ends at 9,999', () => {
    const town = new Town()
    const direct = directOf(town)
    const first = town.post(town.ada, town.pier, '@bob')
    say(town, town.ada, direct)
    town.sqlite.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)
      INSERT INTO messages (num, id, channel_id, seq, author_id, content, mention_everyone, created_at)
      SELECT 100 + i, '${first.id}' || i, '${town.pier}', 1 + i, '${town.ada}', 'x', i % 2, '' FROM n;
      INSERT INTO message_mentions SELECT '${town.bob}', channel_id, id FROM messages WHERE num > 100;
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)
      INSERT INTO dm_messages (num, id, channel_id, seq, author_id, content, created_at)
      SELECT 50000 + i, 'z' || i, '${direct}', 1 + i, '${town.ada}', 'x', '' FROM n`)
    expect(countsOf(town, town.bob)).toEqual([9999, 9999])
    expect(town.world.unreads.inDirects(town.bob)).toEqual([{ id: direct, unread: 9999, mentions: 0 }])
  })
})

describe('mentions', () => {
  it('are of oneself or of everyone, each message once', () => {
    const town = new Town()
    town.join(town.cleo, town.place)
    for (const content of ['@bob', '@everyone', '@bob @everyone', '@cleo', 'nobody']) {
      town.post(town.ada, town.pier, content)
    }
    expect(countsOf(town, town.bob)).toEqual([5, 3])
    expect(countsOf(town, town.cleo)).toEqual([5, 3])
    town.post(town.bob, town.pier, '@bob @everyone')
    expect(countsOf(town, town.bob)).toEqual([5, 3])
  })

  it('change with an edit', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier, 'fog')
    const edit = (content: string): unknown => town.do(({ messages }) => messages.edit(town.ada, id, content))
    edit('@bob')
    expect(countsOf(town, town.bob)).toEqual([1, 1])
    edit('@everyone')
    expect(countsOf(town, town.bob)).toEqual([1, 1])
    edit('nobody')
    expect(countsOf(town, town.bob)).toEqual([1, 0])
  })

  it('from before the mark do not count', () => {
    const town = new Town()
    town.post(town.ada, town.pier, '@bob @everyone')
    read(town, town.bob, null)
    town.post(town.ada, town.pier, '@bob')
    expect(countsOf(town, town.bob)).toEqual([1, 1])
  })
})

describe('reading', () => {
  it('reads all up to a message, or all', () => {
    const town = new Town()
    const [, second] = [0, 1, 2, 3].map(() => town.post(town.ada, town.pier).id)
    read(town, town.bob, second ?? '')
    expect(countsOf(town, town.bob)).toEqual([2, 0])
    read(town, town.bob, null)
    expect(countsOf(town, town.bob)).toEqual([0, 0])
    expect(countsOf(town, town.ada)).toEqual([0, 0])
  })

  it('never goes back', () => {
    const town = new Town()
    const ids = [0, 1, 2].map(() => town.post(town.ada, town.pier).id)
    read(town, town.bob, ids[1] ?? '')
    read(town, town.bob, ids[0] ?? '')
    expect(countsOf(town, town.bob)).toEqual([1, 0])
    read(town, town.bob, null)
    read(town, town.bob, ids[2] ?? '')
    town.clock.ms -= 3_600_000
    read(town, town.bob, null)
    expect(countsOf(town, town.bob)).toEqual([0, 0])
  })

  // Was wrong: the mark drawn at joining counts as well (§9.5: max(old, that id)); a first ack of an older
  // message puts the mark before it, and what was said before joining is unread.
  it('never goes back behind joining', () => {
    const town = new Town()
    const [first] = [0, 1, 2].map(() => town.post(town.ada, town.pier).id)
    town.join(town.cleo, town.place)
    expect(countsOf(town, town.cleo)).toEqual([0, 0])
    read(town, town.cleo, first ?? '')
    expect(countsOf(town, town.cleo)).toEqual([0, 0])
  })

  it('is refused up to what is in another channel', () => {
    const town = new Town()
    const quay = town.channel(town.ada, town.place, 'quay')
    const direct = directOf(town)
    const far = town.post(town.ada, quay).id
    const said = say(town, town.ada, direct)
    for (const message of [far, said, NOWHERE]) {
      expect(codeOf(() => read(town, town.bob, message))).toBe('NOT_FOUND')
    }
    const here = town.post(town.ada, town.pier).id
    expect(codeOf(() => town.do(({ unreads }) => unreads.readDirect(town.bob, direct, here)))).toBe('NOT_FOUND')
    expect(codeOf(() => read(town, town.bob, said, direct))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(({ unreads }) => unreads.readDirect(town.bob, town.pier, here)))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(({ unreads }) => unreads.readDirect(town.cleo, direct, null)))).toBe('NOT_FOUND')
    expect(town.rows('SELECT * FROM read_states')).toEqual([])
  })

  it('up to a deleted message is good', () => {
    const town = new Town()
    const [first] = [0, 1].map(() => town.post(town.ada, town.pier).id)
    town.do(({ messages }) => messages.remove(town.ada, first ?? ''))
    read(town, town.bob, first ?? '')
    expect(countsOf(town, town.bob)).toEqual([1, 0])
  })

  it('a channel that cannot be seen is refused', () => {
    const town = new Town()
    const hide = { roleId: null, userId: town.bob }
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, hide, 0, VIEW_CHANNEL))
    expect(codeOf(() => read(town, town.bob, null))).toBe('NOT_FOUND')
  })

  it('tells nobody', () => {
    const town = new Town()
    read(town, town.bob, null)
    expect(town.told()).toEqual([])
  })

  it('is remembered when a member leaves and comes back', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    const { id } = town.post(town.ada, town.pier)
    read(town, town.bob, id)
    town.do(({ servers }) => servers.leave(town.bob, town.place))
    expect(town.world.unreads.inChannels(town.bob)).toEqual([])
    town.join(town.bob, town.place)
    town.post(town.ada, town.pier)
    expect(countsOf(town, town.bob)).toEqual([1, 0])
  })
})

describe('direct messages', () => {
  it('all of the other side count, until they are read', () => {
    const town = new Town()
    const direct = directOf(town)
    expect(town.world.unreads.inDirects(town.bob)).toEqual([])
    const first = say(town, town.ada, direct)
    say(town, town.ada, direct)
    say(town, town.bob, direct)
    expect(town.world.unreads.inDirects(town.bob)).toEqual([{ id: direct, unread: 2, mentions: 0 }])
    expect(town.world.unreads.inDirects(town.ada)).toEqual([{ id: direct, unread: 1, mentions: 0 }])
    town.do(({ unreads }) => unreads.readDirect(town.bob, direct, first))
    expect(town.world.unreads.inDirects(town.bob)).toEqual([{ id: direct, unread: 1, mentions: 0 }])
    town.do(({ unreads }) => unreads.readDirect(town.bob, direct, null))
    expect(town.world.unreads.inDirects(town.bob)).toEqual([])
    expect(town.world.unreads.inDirects(town.cleo)).toEqual([])
    town.write('UPDATE dm_messages SET deleted = 1')
    expect(town.world.unreads.inDirects(town.ada)).toEqual([])
  })
})
