import { describe, expect, it } from 'vitest'
import { MANAGE_SERVER } from '../../lib/chat/permissions.ts'
import { codeOf, Town } from '../support/world.ts'

/** Bob may manage the server, at 5; cleo is below him, dov beside. */
function setUp() {
  const town = new Town()
  const { ada, bob, cleo, place } = town
  const dov = town.user('dov')
  for (const user of [cleo, dov]) town.join(user, place)
  town.role(ada, place, [bob], MANAGE_SERVER, 5)
  town.role(ada, place, [dov], 0, 5)
  town.told()
  const rename = (by: string, who: string, nickname: string | null) =>
    town.do(({ members }) => members.rename(by, place, who, nickname))
  return { town, ada, bob, cleo, dov, place, rename }
}

describe('what members are called in a server', () => {
  it('is what they say of themselves, there and nowhere else', () => {
    const { town, ada, cleo, place, rename } = setUp()
    const other = town.server(cleo)
    const member = rename(cleo, cleo, 'Skipper')
    expect(member).toMatchObject({ user_id: cleo, username: 'cleo', nickname: 'Skipper' })
    const event = { type: 'member.renamed', serverId: place, userId: cleo, by: cleo } as const
    expect(town.told()).toContainEqual({ ...event, before: null, after: 'Skipper' })
    expect(town.world.members.get(ada, place, cleo)).toEqual(member)
    expect(town.world.members.get(cleo, other, cleo).nickname).toBeNull()
    rename(cleo, cleo, null)
    expect(town.told()).toEqual([{ ...event, before: 'Skipper', after: null }])
  })

  it('is what those above say who may manage the server', () => {
    const { town, ada, bob, cleo, dov, rename } = setUp()
    expect(rename(bob, cleo, 'Deckhand').nickname).toBe('Deckhand')
    expect(rename(ada, bob, 'Mate').nickname).toBe('Mate')
    town.told()
    expect(codeOf(() => rename(bob, dov, 'Cook'))).toBe('FORBIDDEN')
    expect(codeOf(() => rename(bob, ada, 'Cook'))).toBe('FORBIDDEN')
    expect(codeOf(() => rename(dov, cleo, 'Cook'))).toBe('FORBIDDEN')
    expect(codeOf(() => rename(ada, town.user('eve'), 'Cook'))).toBe('NOT_FOUND')
    expect(codeOf(() => rename(town.user('hal'), cleo, 'Cook'))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    // Of oneself, whoever one is.
    for (const user of [ada, bob, dov]) expect(rename(user, user, 'Cook').nickname).toBe('Cook')
  })

  it('changes when it is another: the same again is told to nobody', () => {
    const { town, cleo, rename } = setUp()
    rename(cleo, cleo, null)
    expect(town.told()).toEqual([])
    rename(cleo, cleo, 'Skipper')
    rename(cleo, cleo, 'Skipper')
    expect(town.told()).toHaveLength(1)
  })

  it('ends with the membership', () => {
    const { town, ada, cleo, place, rename } = setUp()
    rename(cleo, cleo, 'Skipper')
    town.do(({ servers }) => servers.leave(cleo, place))
    town.join(cleo, place)
    expect(town.world.members.get(ada, place, cleo).nickname).toBeNull()
  })
})
