import { describe, expect, it } from 'vitest'
import { ADMINISTRATOR, MANAGE_ROLES } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const at = (ms: number): string => new Date(START + ms).toISOString()

/** Bob may manage roles, at 5; cleo is below him, dov beside. */
function setUp() {
  const town = new Town()
  const { ada, bob, cleo, place } = town
  const dov = town.user('dov')
  for (const user of [cleo, dov]) town.join(user, place)
  town.role(ada, place, [bob], MANAGE_ROLES, 5)
  town.role(ada, place, [dov], 0, 5)
  town.told()
  const entitle = (by: string, who: string, title: string | null, until: string | null = null): void =>
    town.do(({ members }) => members.entitle(by, place, who, title, until))
  const titleOf = (who: string): string | null => town.world.members.get(ada, place, who).title
  const logged = () =>
    town.rows<{ actor_id: string; target_id: string; details: string }>(
      "SELECT actor_id, target_id, details FROM audit_logs WHERE action = 'member.title' ORDER BY id",
    )
  return { town, ada, bob, cleo, dov, place, entitle, titleOf, logged }
}

describe('the title of a member', () => {
  it('is what those say who may manage roles, of those below: seen by all, there and nowhere else', () => {
    const { town, ada, bob, cleo, place, entitle, titleOf, logged } = setUp()
    const other = town.server(cleo)
    town.told()
    entitle(bob, cleo, 'Lookout')
    expect(town.told()).toEqual([{ type: 'member.titled', serverId: place, userId: cleo, by: bob, title: 'Lookout' }])
    expect(town.world.members.get(cleo, place, cleo)).toMatchObject({ title: 'Lookout', title_expires_at: null })
    expect(town.world.members.list(bob, place, null, 10).map(({ title }) => title)).toEqual([
      null,
      null,
      'Lookout',
      null,
    ])
    expect(town.world.members.get(cleo, other, cleo).title).toBeNull()
    entitle(ada, bob, 'Mate')
    expect(titleOf(bob)).toBe('Mate')
    expect(logged()).toEqual([
      { actor_id: bob, target_id: cleo, details: '{"title":"Lookout"}' },
      { actor_id: ada, target_id: bob, details: '{"title":"Mate"}' },
    ])
  })

  it('is not for those above or beside, nor without the permission', () => {
    const { town, ada, bob, cleo, dov, entitle, titleOf, logged } = setUp()
    const [eve, hal] = [town.user('eve'), town.user('hal')]
    expect(codeOf(() => entitle(bob, dov, 'Cook'))).toBe('FORBIDDEN')
    expect(codeOf(() => entitle(bob, ada, 'Cook'))).toBe('FORBIDDEN')
    expect(codeOf(() => entitle(dov, cleo, 'Cook'))).toBe('FORBIDDEN')
    // Unlike a nickname, one does not give it to oneself.
    expect(codeOf(() => entitle(cleo, cleo, 'Cook'))).toBe('FORBIDDEN')
    expect(codeOf(() => entitle(dov, dov, null))).toBe('FORBIDDEN')
    expect(codeOf(() => entitle(eve, cleo, 'Cook'))).toBe('NOT_FOUND')
    expect(codeOf(() => entitle(eve, hal, 'Cook'))).toBe('NOT_FOUND')
    expect(codeOf(() => entitle(ada, eve, 'Cook'))).toBe('NOT_FOUND')
    expect([town.told(), logged()]).toEqual([[], []])
    expect([ada, bob, cleo, dov].map(titleOf)).toEqual([null, null, null, null])
    // But who may give it to others may.
    entitle(bob, bob, 'Mate')
    entitle(ada, ada, 'Captain')
    expect([ada, bob].map(titleOf)).toEqual(['Captain', 'Mate'])
  })

  it('an administrator gives to those below, whatever else they may', () => {
    const { town, ada, bob, cleo, dov, place, entitle, titleOf } = setUp()
    town.role(ada, place, [dov], ADMINISTRATOR, 1)
    entitle(dov, cleo, 'Cook')
    expect(titleOf(cleo)).toBe('Cook')
    expect(codeOf(() => entitle(dov, bob, 'Cook'))).toBe('FORBIDDEN')
  })

  it('ends by itself, to the millisecond, which nobody is told of', () => {
    const { town, ada, cleo, place, entitle, titleOf } = setUp()
    entitle(ada, cleo, 'Lookout', at(1000))
    town.told()
    town.clock.ms = START + 999
    expect(town.world.members.get(ada, place, cleo)).toMatchObject({ title: 'Lookout', title_expires_at: at(1000) })
    town.clock.ms = START + 1000
    expect(titleOf(cleo)).toBeNull()
    expect(town.world.members.list(ada, place, null, 10).map(({ title }) => title)).toEqual([null, null, null, null])
    expect(town.told()).toEqual([])
    // It is over: to take it is no change, to give it again is.
    entitle(ada, cleo, null)
    expect(town.told()).toEqual([])
    entitle(ada, cleo, 'Lookout', at(2000))
    expect(town.told()).toHaveLength(1)
    expect(titleOf(cleo)).toBe('Lookout')
  })

  it('given again is told to nobody, and lasts as long as was said last', () => {
    const { town, ada, cleo, place, entitle, titleOf, logged } = setUp()
    entitle(ada, cleo, 'Lookout', at(1000))
    entitle(ada, cleo, 'Lookout', at(5000))
    town.clock.ms = START + 4999
    expect(titleOf(cleo)).toBe('Lookout')
    // For good.
    entitle(ada, cleo, 'Lookout')
    town.clock.ms = START + 5000
    expect(town.world.members.get(ada, place, cleo)).toMatchObject({ title: 'Lookout', title_expires_at: null })
    expect([town.told().length, logged().length]).toEqual([1, 1])
    entitle(ada, cleo, 'Lookout', at(5001))
    town.clock.ms = START + 5001
    expect(titleOf(cleo)).toBeNull()
  })

  it('is taken with null, whatever time is said with it', () => {
    const { town, ada, bob, cleo, place, entitle } = setUp()
    entitle(ada, cleo, 'Lookout', at(1000))
    town.told()
    entitle(bob, cleo, null, at(9000))
    expect(town.told()).toEqual([{ type: 'member.titled', serverId: place, userId: cleo, by: bob, title: null }])
    expect(town.world.members.get(ada, place, cleo)).toMatchObject({ title: null, title_expires_at: null })
    entitle(bob, cleo, null)
    expect(town.told()).toEqual([])
  })

  it('is kept through a restart, and ends with the membership', () => {
    const { town, ada, cleo, place, entitle } = setUp()
    entitle(ada, cleo, 'Lookout', at(1000))
    const again = town.reopen()
    expect(again.world.members.get(ada, place, cleo)).toMatchObject({ title: 'Lookout', title_expires_at: at(1000) })
    again.do(({ servers }) => servers.leave(cleo, place))
    again.join(cleo, place)
    expect(again.world.members.get(ada, place, cleo)).toMatchObject({ title: null, title_expires_at: null })
  })
})
