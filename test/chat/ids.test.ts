import { describe, expect, it } from 'vitest'
import { Ids, timeOf, toTime, UUID } from '../../lib/chat/ids.ts'
import { OpenWorld, START, Town } from '../support/world.ts'

const take = (ids: Ids, count: number): string[] => Array.from({ length: count }, () => ids.next())
const isAscending = (ids: readonly string[]): boolean => ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? ''))

describe('ids', () => {
  it('are UUIDs of version 7 with the time in them', () => {
    const [id = ''] = take(new Ids(() => START, ''), 1)
    expect(id).toMatch(UUID)
    expect(id[14]).toBe('7')
    expect(id[19]).toMatch(/[89ab]/)
    expect(timeOf(id)).toBe(START)
  })

  it('10,000 of one millisecond are in order, differ, and have the form of a UUID', () => {
    const ids = take(new Ids(() => START, ''), 10_000)
    expect(isAscending(ids)).toBe(true)
    expect(new Set(ids).size).toBe(10_000)
    expect(ids.filter((id) => !UUID.test(id))).toEqual([])
    // 4096 fit into one.
    expect(timeOf(ids[4095] ?? '')).toBe(START)
    expect(timeOf(ids[4096] ?? '')).toBe(START + 1)
    expect(timeOf(ids.at(-1) ?? '')).toBe(START + 2)
  })

  it('go on where the next millisecond was borrowed from', () => {
    let now = START
    const ids = new Ids(() => now, '')
    const before = take(ids, 4097)
    now = START + 1
    const after = take(ids, 10)
    expect(isAscending([...before, ...after])).toBe(true)
    now = START + 2
    expect(timeOf(ids.next())).toBe(START + 2)
  })

  it('grow while the clock is set back', () => {
    let now = START
    const ids = new Ids(() => now, '')
    const made = take(ids, 5)
    now = START - 3_600_000
    made.push(...take(ids, 5000))
    now = START - 1
    made.push(...take(ids, 5))
    now = START + 10_000
    made.push(...take(ids, 5))
    expect(isAscending(made)).toBe(true)
    expect(timeOf(made.at(-1) ?? '')).toBe(START + 10_000)
  })

  it('begin behind the newest there is, also in its millisecond', () => {
    const first = new Ids(() => START, '')
    const newest = take(first, 4000).at(-1) ?? ''
    expect(new Ids(() => START, newest).next() > newest).toBe(true)
    expect(new Ids(() => START - 1, newest).next() > newest).toBe(true)
    expect(timeOf(new Ids(() => START + 1, newest).next())).toBe(START + 1)
  })

  it('have a random rest', () => {
    const rests = take(new Ids(() => START, ''), 3000).map((id) => id.slice(19))
    expect(new Set(rests).size).toBe(3000)
    // What was read from the pool of random bytes is not read again.
    expect(new Set(rests.map((rest) => rest.slice(5))).size).toBe(3000)
  })

  it('times are text of one length that compares as time does', () => {
    const times = [0, 1, START, START + 999].map(toTime)
    expect(times).toEqual(times.toSorted())
    expect(times[0]).toBe('1970-01-01T00:00:00.000Z')
  })
})

describe('ids of a world that was opened again', () => {
  it('an object was made when its id says', () => {
    const town = new Town()
    town.clock.ms = START + 1234
    const { id, created_at } = town.post(town.ada, town.pier)
    expect(created_at).toBe(toTime(START + 1234))
    expect(timeOf(id)).toBe(START + 1234)
  })

  it('are newer than its newest, which is of the future', () => {
    const town = new Town()
    town.clock.ms = START + 3_600_000
    const { id } = town.post(town.ada, town.pier)
    town.clock.ms = START
    const again = town.reopen()
    const later = again.post(town.ada, town.pier)
    expect(later.id > id).toBe(true)
    expect(again.world.messages.list(town.ada, town.pier, { before: null, after: null, limit: 2 })).toMatchObject([
      { id: later.id },
      { id },
    ])
  })

  it.each(['users', 'servers', 'channels', 'roles', 'sessions', 'direct channels', 'direct messages'])(
    'are newer than the newest of its %s',
    (kind) => {
      const town = new Town()
      const { direct } = town.do(({ directs }) => directs.open(town.ada, town.bob))
      town.clock.ms = START + 3_600_000
      const make: Record<string, () => string> = {
        'users': () => town.user('dora'),
        // Its owner's membership is newer still, by the next test.
        'servers': () => town.server(town.ada),
        'channels': () => town.channel(town.ada, town.place),
        'roles': () => town.role(town.ada, town.place, [], 0),
        'sessions': () => town.do(({ sessions }) => sessions.begin(town.ada, 'hash', 1000)),
        'direct channels': () => town.do(({ directs }) => directs.open(town.ada, town.cleo)).direct.id,
        'direct messages': () => town.do(({ directs }) => directs.post(town.ada, direct.id, { content: 'fog' })).id,
      }
      const newest = make[kind]?.() ?? ''
      town.clock.ms = START
      const next = town.reopen().world.ids.next()
      expect(newest).toMatch(UUID)
      expect(next > newest).toBe(true)
    },
  )

  // Was wrong: the newest id is not looked for in read_states, server_members, channel_overrides and
  // bots. What is posted after a restart with the clock set back is older than the mark, and counts as read.
  it('are newer than what was read last', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    town.clock.ms = START + 3_600_000
    town.do(({ unreads }) => unreads.readChannel(town.bob, town.pier, null))
    town.clock.ms = START + 1000
    const again = town.reopen()
    again.post(town.ada, town.pier)
    expect(again.world.unreads.inChannels(town.bob)).toEqual([{ id: town.pier, unread: 1, mentions: 0 }])
  })

  // Was wrong: as above, with the mark that is drawn when somebody joins.
  it('are newer than what was drawn at joining', () => {
    const town = new Town()
    town.clock.ms = START + 3_600_000
    town.join(town.cleo, town.place)
    town.clock.ms = START + 1000
    const again = town.reopen()
    again.post(town.ada, town.pier)
    expect(again.world.unreads.inChannels(town.cleo)).toEqual([{ id: town.pier, unread: 1, mentions: 0 }])
  })

  it('an empty world has none', () => {
    expect(timeOf(new OpenWorld().world.ids.next())).toBe(START)
  })
})
