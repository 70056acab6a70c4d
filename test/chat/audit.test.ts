import { describe, expect, it } from 'vitest'
import { codeOf, START, Town } from '../support/world.ts'
import { AUDITED, draft, invite, MAKING } from './audited.ts'

const DAY = 86_400_000

interface Entry {
  readonly server_id: string | null
  readonly actor_id: string
  readonly action: string
  readonly target_type: string
  readonly target_id: string
}

const entries = (town: Town): Entry[] =>
  town.rows<Entry>('SELECT server_id, actor_id, action, target_type, target_id FROM audit_logs ORDER BY id')

/** What a change writes into the log. */
function written(town: Town, change: () => unknown): Entry[] {
  const { length } = entries(town)
  change()
  return entries(town).slice(length)
}

const list = (town: Town, page: { before?: string; after?: string; limit?: number } = {}) =>
  town.world.audit.list(town.world.access, town.ada, town.place, { before: null, after: null, limit: 50, ...page })

describe('the audit log', () => {
  it.each(AUDITED)('has one entry for $action', ({ action, make, by }) => {
    const town = new Town()
    const {
      target: [target_type, target_id],
      act,
    } = make(town)
    const entry = { server_id: town.place, actor_id: town[by ?? 'ada'], action, target_type, target_id }
    expect(written(town, act)).toEqual([entry])
  })

  it.each(AUDITED.filter(({ repeats }) => repeats))('has none where $action changes nothing', ({ make }) => {
    const town = new Town()
    const { act } = make(town)
    act()
    expect(written(town, act)).toEqual([])
  })

  it.each(Object.entries(MAKING))('has one entry for %s', (action, [target_type, make]) => {
    const town = new Town()
    let target_id = ''
    const found = written(town, () => (target_id = make(town)))
    expect(found).toEqual([{ server_id: town.place, actor_id: town.ada, action, target_type, target_id }])
  })

  it('has one entry for a server that is made, and one without a server for one that is deleted', () => {
    const town = new Town()
    let id = ''
    const made = written(town, () => (id = town.server(town.bob)))
    const entry = { actor_id: town.bob, target_type: 'server', target_id: id }
    expect(made).toEqual([{ ...entry, server_id: id, action: 'server.create' }])
    const deleted = written(town, () => town.do(({ servers }) => servers.remove(town.bob, id)))
    expect(deleted).toEqual([{ ...entry, server_id: null, action: 'server.delete' }])
    // What was done in it stays, and is nobody's to see.
    expect(entries(town).filter(({ target_id }) => target_id === id)).toHaveLength(2)
    expect(
      codeOf(() => town.world.audit.list(town.world.access, town.bob, id, { before: null, after: null, limit: 9 })),
    ).toBe('NOT_FOUND')
  })
})

describe('entries of the audit log', () => {
  it('say who did what to whom, and what was said of it', () => {
    const town = new Town()
    town.do(({ moderation }) => moderation.kick(town.ada, town.place, town.bob, 'spam'))
    const [entry] = list(town, { limit: 1 })
    expect(entry).toEqual({
      id: entry?.id,
      actor_id: town.ada,
      action: 'member.kick',
      target_type: 'user',
      target_id: town.bob,
      details: { reason: 'spam' },
      created_at: new Date(START).toISOString(),
    })
  })

  it('are not there for what is refused, also beside what is not', () => {
    const town = new Town()
    const { ada, bob, cleo, place } = town
    town.do(({ arrivals }) => arrivals.invite(ada, place, cleo, ''))
    const refused = [
      () => town.world.moderation.kick(bob, place, ada, null),
      () => town.world.moderation.kick(ada, place, cleo, null),
      () => town.world.servers.change(bob, place, { name: 'x' }),
      () => town.world.servers.join(bob, place),
      () => town.world.servers.leave(ada, place),
      // This one is refused after its entry was written.
      () => town.world.arrivals.invite(ada, place, cleo, 'again'),
    ]
    const told: boolean[] = []
    const found = written(town, () => {
      for (const change of [...refused, () => town.world.roles.create(ada, place, draft), ...refused]) {
        town.world.changes.submit<unknown>(change, ({ ok }) => void told.push(ok))
      }
      town.flush()
    })
    expect(told.filter((ok) => ok)).toHaveLength(1)
    expect(found.map(({ action }) => action)).toEqual(['role.create'])
  })

  it('are not there for what people say, and do with what others say', () => {
    const town = new Town()
    const { ada, bob, pier } = town
    const found = written(town, () => {
      const { id } = town.post(bob, pier, 'fog at six')
      town.do(({ reactions }) => reactions.add(bob, pier, id, 'x'))
      town.do(({ messages }) => messages.pin(ada, pier, id))
      town.do(({ messages }) => messages.edit(bob, id, 'fog at seven'))
      town.do(({ messages }) => messages.remove(ada, id))
      town.do(({ friends }) => friends.ask(ada, bob, 'hello'))
      town.do(({ directs }) => directs.open(ada, bob))
    })
    expect(found).toEqual([])
  })

  it('hold nothing that was said, and nothing that lets somebody in', () => {
    const town = new Town()
    const { code } = invite(town)
    town.do(({ invites }) => invites.accept(town.cleo, code))
    const { id } = town.post(town.bob, town.pier, 'fog at six')
    town.do(({ messages }) => messages.remove(town.ada, id))
    const dov = town.user('dov')
    town.do(({ arrivals }) => arrivals.invite(town.ada, town.place, dov, 'a secret between us'))
    town.do(({ channels }) => channels.remove(town.ada, town.place, town.pier))
    const all = JSON.stringify(town.rows('SELECT * FROM audit_logs'))
    for (const secret of [code, 'fog at six', 'a secret between us']) expect(all).not.toContain(secret)
  })

  it('are kept for 90 days, and go with the next', () => {
    const town = new Town()
    const of = (action: string): number => entries(town).filter((entry) => entry.action === action).length
    const act = (): void => void town.do(({ roles }) => roles.create(town.ada, town.place, draft))
    expect([of('server.create'), of('channel.create')]).toEqual([1, 1])
    const other = town.server(town.cleo)
    town.clock.ms = START + 90 * DAY
    act()
    expect(of('server.create')).toBe(2)
    town.clock.ms += 1
    act()
    // Those of another server go with the next of theirs.
    expect([of('server.create'), of('channel.create'), of('role.create')]).toEqual([1, 0, 2])
    town.do(({ servers }) => servers.change(town.cleo, other, { name: 'Island' }))
    expect(of('server.create')).toBe(0)
  })

  it('that are older than 90 days are not shown, also where nothing has happened since', () => {
    const town = new Town()
    const { length } = list(town)
    expect(length).toBeGreaterThan(0)
    town.clock.ms = START + 90 * DAY
    expect(list(town)).toHaveLength(length)
    town.clock.ms += 1
    expect(list(town)).toEqual([])
  })

  it('are for those who may manage the server, and of that server only', () => {
    const town = new Town()
    const see = (user: string) => () =>
      town.world.audit.list(town.world.access, user, town.place, { before: null, after: null, limit: 50 })
    expect(codeOf(see(town.bob))).toBe('FORBIDDEN')
    expect(codeOf(see(town.cleo))).toBe('NOT_FOUND')
    town.role(town.ada, town.place, [town.bob], 4096)
    const other = town.server(town.ada)
    expect(see(town.bob)().map(({ target_id }) => target_id)).not.toContain(other)
    expect(see(town.bob)()[0]?.action).toBe('member.role_add')
  })
})

describe('pages of the audit log', () => {
  function full() {
    const town = new Town()
    for (let i = 0; i < 10; i++) town.role(town.ada, town.place, [], 0)
    const all = list(town)
    return { town, all, ids: all.map(({ id }) => id) }
  }

  it('begin with the newest; behind a cursor with the oldest', () => {
    const { town, all, ids } = full()
    expect(ids).toEqual(ids.toSorted().toReversed())
    expect(list(town, { limit: 3 })).toEqual(all.slice(0, 3))
    expect(list(town, { limit: 3, before: ids[2] ?? '' })).toEqual(all.slice(3, 6))
    expect(list(town, { limit: 3, after: ids[5] ?? '' })).toEqual(all.slice(2, 5).toReversed())
    expect(list(town, { before: ids.at(-1) ?? '' })).toEqual([])
    expect(list(town, { after: ids[0] ?? '' })).toEqual([])
  })

  it('are empty behind what is no entry of that server', () => {
    const { town } = full()
    const unknown = town.do(({ ids }) => ids.next())
    const other = town.server(town.bob)
    const [foreign] = town.world.audit.list(town.world.access, town.bob, other, { before: null, after: null, limit: 1 })
    for (const cursor of [unknown, foreign?.id ?? '', town.pier]) {
      expect(list(town, { before: cursor })).toEqual([])
      expect(list(town, { after: cursor })).toEqual([])
    }
  })
})
