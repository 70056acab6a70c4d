import { describe, expect, it } from 'vitest'
import type { Link, PresenceChange } from '../../lib/chat/presence.ts'
import { Town } from '../support/world.ts'

const INVISIBLE = { status: 'offline', custom_status: null, activity: null }
const plain = (status: string) => ({ status, custom_status: null, activity: null })

/** What was told of who is there, since the last call. */
const changes = (town: Town): PresenceChange[] =>
  town.told().flatMap((event) => {
    if (event.type !== 'presence.changed') return []
    const { userId, seen, own } = event
    return [{ userId, seen, own }]
  })
const userOf = (town: Pick<Town, 'world'>, id: string) => {
  const user = town.world.users.find(id)
  if (user === null) throw new Error('nobody')
  return user
}
/** Somebody comes, and others hear of it. */
function attach({ world }: Pick<Town, 'world'>, id: string): Link {
  const link = world.presence.attach(id)
  world.presence.refresh(id)
  return link
}
const seen = (town: Town): string => town.world.presence.seen(userOf(town, town.ada)).status
const own = (town: Town): string => town.world.presence.own(userOf(town, town.ada)).status
type Profile = Parameters<Town['world']['users']['change']>[1]
const change = (town: Town, profile: Profile): void => void town.do(({ users }) => users.change(town.ada, profile))

describe('presence', () => {
  it('gateway trap T21: after a restart nobody is online', () => {
    const town = new Town()
    attach(town, town.ada)
    expect(seen(town)).toBe('online')
    const again = town.reopen()
    expect(again.world.presence.isPresent(town.ada)).toBe(false)
    expect(again.world.presence.seen(userOf(again, town.ada))).toEqual(INVISIBLE)
    const { presence, users } = again.world
    const ada = users.find(town.ada)
    expect(ada === null ? null : presence.own(ada)).toEqual(INVISIBLE)
  })

  it('the first link and the last are told, those between are not', () => {
    const town = new Town()
    const { presence } = town.world
    const one = attach(town, town.ada)
    // Nobody else of them is there to be told.
    expect(changes(town)).toEqual([{ userId: town.ada, seen: plain('online'), own: null }])
    const two = attach(town, town.ada)
    expect(changes(town)).toEqual([])
    expect(presence.isPresent(town.ada)).toBe(true)
    one.detach()
    // Gateway trap T18: both were online; peers hear nothing.
    expect(changes(town)).toEqual([])
    two.detach()
    expect(changes(town)).toEqual([{ userId: town.ada, seen: INVISIBLE, own: null }])
    expect(presence.isPresent(town.ada)).toBe(false)
  })

  it('gateway trap T18: of two connections one closes: nothing. The other closes too: exactly one offline', () => {
    const town = new Town()
    const links = [attach(town, town.ada), attach(town, town.ada)]
    changes(town)
    links[0]?.detach()
    links[0]?.detach()
    expect(changes(town)).toEqual([])
    expect(seen(town)).toBe('online')
    links[1]?.detach()
    links[1]?.detach()
    links[0]?.detach()
    expect(changes(town)).toEqual([{ userId: town.ada, seen: INVISIBLE, own: null }])
  })

  it('is online while any link is, else away', () => {
    const town = new Town()
    const [one, two] = [attach(town, town.ada), attach(town, town.ada)]
    changes(town)
    one.declare('away')
    expect(changes(town)).toEqual([])
    expect(seen(town)).toBe('online')
    two.declare('away')
    expect(changes(town)).toEqual([{ userId: town.ada, seen: plain('away'), own: plain('away') }])
    two.declare('away')
    expect(changes(town)).toEqual([])
    one.declare('online')
    expect(changes(town)).toMatchObject([{ seen: { status: 'online' } }])
    one.detach()
    expect(changes(town)).toMatchObject([{ seen: { status: 'away' } }])
    // A new one is online at its start.
    attach(town, town.ada)
    expect(changes(town)).toMatchObject([{ seen: { status: 'online' } }])
  })

  it('what has ended declares nothing', () => {
    const town = new Town()
    const one = attach(town, town.ada)
    one.declare('away')
    one.detach()
    changes(town)
    one.declare('online')
    expect(changes(town)).toEqual([])
    expect(town.world.presence.isPresent(town.ada)).toBe(false)
    const two = attach(town, town.ada)
    two.declare('away')
    one.declare('online')
    expect(seen(town)).toBe('away')
    one.detach()
    expect(seen(town)).toBe('away')
  })

  it('what has ended is not there again by declaring, while another link is', () => {
    const town = new Town()
    const [one, two] = [attach(town, town.ada), attach(town, town.ada)]
    two.declare('away')
    one.detach()
    changes(town)
    one.declare('online')
    expect([changes(town), seen(town)]).toEqual([[], 'away'])
    two.detach()
    expect(town.world.presence.isPresent(town.ada)).toBe(false)
  })

  it('all links can say the same', () => {
    const town = new Town()
    const { presence } = town.world
    const links = [attach(town, town.ada), attach(town, town.ada)]
    changes(town)
    presence.declareAll(town.ada, 'away')
    presence.refresh(town.ada)
    expect(changes(town)).toMatchObject([{ seen: { status: 'away' } }])
    links[0]?.declare('online')
    expect(seen(town)).toBe('online')
    presence.declareAll(town.bob, 'online')
    presence.refresh(town.bob)
    expect(town.world.presence.isPresent(town.bob)).toBe(false)
  })

  it('is each user’s own', () => {
    const town = new Town()
    attach(town, town.bob)
    expect(seen(town)).toBe('offline')
    expect(changes(town)).toMatchObject([{ userId: town.bob }])
  })
})

describe('what somebody wants to be', () => {
  it('do not disturb holds for all links, and is told once', () => {
    const town = new Town()
    const link = attach(town, town.ada)
    changes(town)
    change(town, { status_sticky: 'dnd' })
    expect(changes(town)).toEqual([{ userId: town.ada, seen: plain('dnd'), own: plain('dnd') }])
    link.declare('away')
    attach(town, town.ada)
    expect(changes(town)).toEqual([])
    expect(seen(town)).toBe('dnd')
    change(town, { status_sticky: null })
    expect(changes(town)).toMatchObject([{ seen: { status: 'online' }, own: { status: 'online' } }])
  })

  it('it says nothing of who is not there', () => {
    const town = new Town()
    change(town, { status_sticky: 'dnd', custom_status: 'mapping' })
    expect(changes(town)).toEqual([])
    expect([seen(town), own(town)]).toEqual(['offline', 'offline'])
    attach(town, town.ada)
    const dnd = { status: 'dnd', custom_status: 'mapping', activity: null }
    expect(changes(town)).toEqual([{ userId: town.ada, seen: dnd, own: null }])
  })

  it('gateway trap T20: an invisible user who reconnects stays invisible; nobody is told anything', () => {
    const town = new Town()
    const { presence } = town.world
    change(town, { status_sticky: 'offline', custom_status: 'mapping', activity: 'sailing' })
    expect(changes(town)).toEqual([])
    const link = attach(town, town.ada)
    link.declare('away')
    const other = attach(town, town.ada)
    link.detach()
    other.detach()
    attach(town, town.ada)
    expect(changes(town)).toEqual([])
    expect(presence.isPresent(town.ada)).toBe(true)
    expect(presence.seen(userOf(town, town.ada))).toEqual(INVISIBLE)
    expect(presence.own(userOf(town, town.ada))).toEqual({
      status: 'offline',
      custom_status: 'mapping',
      activity: 'sailing',
    })
  })

  it('who turns invisible is gone for others', () => {
    const town = new Town()
    attach(town, town.ada)
    change(town, { custom_status: 'mapping' })
    changes(town)
    change(town, { status_sticky: 'offline' })
    expect(changes(town)).toEqual([
      { userId: town.ada, seen: INVISIBLE, own: { status: 'offline', custom_status: 'mapping', activity: null } },
    ])
    // What changes while nobody sees it is told to the user only.
    change(town, { custom_status: 'drawing' })
    expect(changes(town)).toEqual([
      { userId: town.ada, seen: null, own: { status: 'offline', custom_status: 'drawing', activity: null } },
    ])
    change(town, { status_sticky: null })
    expect(changes(town)).toMatchObject([{ seen: { status: 'online', custom_status: 'drawing' } }])
  })

  it('its text is told to others and to oneself', () => {
    const town = new Town()
    attach(town, town.ada)
    changes(town)
    change(town, { custom_status: 'mapping' })
    change(town, { activity: 'sailing' })
    change(town, { bio: 'not of it' })
    change(town, { activity: 'sailing' })
    const mapping = { status: 'online', custom_status: 'mapping', activity: null }
    expect(changes(town)).toEqual([
      { userId: town.ada, seen: mapping, own: mapping },
      { userId: town.ada, seen: { ...mapping, activity: 'sailing' }, own: { ...mapping, activity: 'sailing' } },
    ])
  })

  it('a change that fails is not told', () => {
    const town = new Town()
    attach(town, town.ada)
    changes(town)
    expect(() =>
      town.do(({ users }) => {
        users.change(town.ada, { status_sticky: 'dnd' })
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(changes(town)).toEqual([])
    expect(seen(town)).toBe('online')
  })

  it('it survives a restart', () => {
    const town = new Town()
    change(town, { status_sticky: 'offline' })
    const again = town.reopen()
    attach(again, town.ada)
    expect(again.told()).toEqual([])
  })
})
