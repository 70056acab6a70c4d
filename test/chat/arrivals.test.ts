import { describe, expect, it } from 'vitest'
import { ADMINISTRATOR, CREATE_INVITES } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const decided_at = new Date(START).toISOString()

/** Ada's server needs an invite now; bob may invite, dov and eve are in no server. */
function setUp() {
  const town = new Town()
  const { ada, bob, cleo, place } = town
  const [dov, eve] = [town.user('dov'), town.user('eve')]
  const change = (next: object): void => void town.do(({ servers }) => servers.change(ada, place, next))
  change({ require_invite: 1 })
  town.role(ada, place, [bob], CREATE_INVITES, 1)
  const elsewhere = town.server(cleo)
  town.told()
  const inServer = (...users: readonly string[]): boolean[] =>
    users.map((user) => town.world.access.isMember(user, place))
  const { arrivals } = town.world
  const acts = {
    ask: (user: string, comment = '', server = place) => town.do(() => arrivals.askToJoin(user, server, comment)),
    letIn: (user: string, id: string, server = place) => town.do(() => arrivals.acceptJoin(user, server, id)),
    sendOff: (user: string, id: string, server = place) => town.do(() => arrivals.rejectJoin(user, server, id, 'full')),
    invite: (user: string, other: string, server = place) =>
      town.do(() => arrivals.invite(user, server, other, 'come')),
    come: (user: string, id: string, server = place) => town.do(() => arrivals.acceptInvitation(user, server, id)),
    stay: (user: string, id: string, server = place) =>
      town.do(() => arrivals.rejectInvitation(user, server, id, 'busy')),
    ban: (user: string): void => town.do(({ moderation }) => moderation.ban(ada, place, user, null)),
  }
  return { town, ada, bob, cleo, dov, eve, place, elsewhere, change, inServer, arrivals, ...acts }
}

describe('asking to come in', () => {
  it('is decided by who may invite: the member is told of before the answer', () => {
    const { town, bob, cleo, dov, place, ask, letIn, sendOff, inServer } = setUp()
    const [one, two] = [ask(cleo, 'please'), ask(dov)]
    expect(one).toMatchObject({ kind: 'join', from_user: cleo, to_user: null, server_id: place, comment: 'please' })
    expect(town.told()).toEqual([one, two].map((request) => ({ type: 'request.made', request })))
    expect(inServer(cleo, dov)).toEqual([false, false])
    const accepted = letIn(bob, one.id)
    expect(accepted).toEqual({ ...one, state: 'approved', decided_by: bob, decided_at })
    expect(town.told()).toEqual([
      // Who has opened the door is told of; asked to come they were not.
      { type: 'member.joined', serverId: place, userId: cleo, by: bob, invited: false },
      { type: 'request.decided', request: accepted },
    ])
    const rejected = sendOff(bob, two.id)
    expect(rejected).toEqual({ ...two, state: 'rejected', reason: 'full', decided_by: bob, decided_at })
    expect(town.told()).toEqual([{ type: 'request.decided', request: rejected }])
    expect(inServer(cleo, dov)).toEqual([true, false])
  })

  it('is listed for who may invite, the newest first, until it is decided', () => {
    const { town, ada, bob, cleo, dov, eve, place, ask, letIn, arrivals } = setUp()
    const [one, two] = [ask(dov), ask(eve)]
    expect(arrivals.joinRequests(bob, place)).toEqual([two, one])
    letIn(ada, one.id)
    expect(arrivals.joinRequests(ada, place)).toEqual([two])
    expect(codeOf(() => arrivals.joinRequests(dov, place))).toBe('FORBIDDEN')
    expect(codeOf(() => arrivals.joinRequests(cleo, place))).toBe('NOT_FOUND')
    // Not among what they have asked of people.
    expect(town.world.friends.requests(eve)).toEqual([])
  })

  it('is for those outside of a public server that needs an invite', () => {
    const { town, bob, cleo, dov, place, change, ask, ban } = setUp()
    ban(dov)
    town.told()
    expect(codeOf(() => ask(bob))).toBe('CONFLICT')
    expect(codeOf(() => ask(dov))).toBe('BANNED')
    expect(codeOf(() => ask(cleo, '', 'nowhere'))).toBe('NOT_FOUND')
    change({ require_invite: 0 })
    expect(codeOf(() => ask(cleo))).toBe('INVALID')
    change({ is_public: 0, require_invite: 1 })
    expect(codeOf(() => ask(cleo))).toBe('NOT_FOUND')
    // Who is not to know that it is there is not told of a ban, either.
    expect(codeOf(() => ask(dov))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    expect(town.rows('SELECT * FROM requests WHERE server_id = ?', place)).toEqual([])
  })

  it('is there once for each server', () => {
    const { town, ada, dov, place, ask, sendOff } = setUp()
    const other = town.server(ada)
    town.do(({ servers }) => servers.change(ada, other, { require_invite: 1 }))
    const { id } = ask(dov)
    expect(ask(dov, '', other).server_id).toBe(other)
    expect(codeOf(() => ask(dov, 'again'))).toBe('CONFLICT')
    sendOff(ada, id)
    expect(ask(dov, 'again').server_id).toBe(place)
  })

  it('is nothing to others: without the permission, of another server', () => {
    const { town, ada, bob, cleo, dov, eve, place, elsewhere, ask, letIn, sendOff, inServer } = setUp()
    town.do(({ servers }) => servers.admit(eve, place))
    const { id } = ask(dov)
    town.told()
    for (const act of [letIn, sendOff]) {
      expect(codeOf(() => act(eve, id))).toBe('FORBIDDEN')
      expect(codeOf(() => act(cleo, id))).toBe('NOT_FOUND')
      expect(codeOf(() => act(dov, id))).toBe('NOT_FOUND')
      expect(codeOf(() => act(cleo, id, elsewhere))).toBe('NOT_FOUND')
      expect(codeOf(() => act(bob, 'none'))).toBe('NOT_FOUND')
      expect(codeOf(() => act(ada, id, 'nowhere'))).toBe('NOT_FOUND')
    }
    expect([town.told(), inServer(dov)]).toEqual([[], [false]])
  })

  it('lets nobody in who may not come in by now', () => {
    const { town, ada, cleo, dov, place, ask, letIn, sendOff, ban, inServer } = setUp()
    const [one, two] = [ask(cleo), ask(dov)]
    town.do(({ servers }) => servers.admit(cleo, place))
    ban(dov)
    town.told()
    expect(codeOf(() => letIn(ada, one.id))).toBe('CONFLICT')
    expect(codeOf(() => letIn(ada, two.id))).toBe('BANNED')
    expect([town.told(), inServer(cleo, dov)]).toEqual([[], [true, false]])
    for (const { id } of [one, two]) expect(sendOff(ada, id).state).toBe('rejected')
  })

  it('ends at a hundred servers, whoever opens the door', () => {
    const { town, ada, dov, ask, letIn, inServer } = setUp()
    const { id } = ask(dov)
    const draft = { name: 'Island', icon_url: null, is_public: 0, require_invite: 0 } as const
    const [first] = town.do(({ servers }) => Array.from({ length: 100 }, () => servers.create(dov, draft).id))
    expect(codeOf(() => letIn(ada, id))).toBe('LIMIT')
    expect(inServer(dov)).toEqual([false])
    town.do(({ servers }) => servers.remove(dov, first ?? ''))
    expect(letIn(ada, id).state).toBe('approved')
    expect(inServer(dov)).toEqual([true])
  })
})

describe('being asked to come', () => {
  it('is decided by who was asked, also where nobody else gets in', () => {
    const { town, bob, dov, eve, place, change, invite, come, stay, inServer } = setUp()
    change({ is_public: 0 })
    const [one, two] = [invite(bob, dov), invite(bob, eve)]
    expect(one).toMatchObject({ kind: 'invite', from_user: bob, to_user: dov, server_id: place, comment: 'come' })
    expect(town.told()).toEqual([one, two].map((request) => ({ type: 'request.made', request })))
    const accepted = come(dov, one.id)
    expect(accepted).toEqual({ ...one, state: 'approved', decided_by: dov, decided_at })
    expect(town.told()).toEqual([
      // By who has asked them, not by themselves.
      { type: 'member.joined', serverId: place, userId: dov, by: bob, invited: true },
      { type: 'request.decided', request: accepted },
    ])
    expect(stay(eve, two.id)).toMatchObject({ state: 'rejected', reason: 'busy', decided_by: eve })
    expect(town.told()).toHaveLength(1)
    expect(inServer(dov, eve)).toEqual([true, false])
  })

  it('is seen by who was asked, not by who asks', () => {
    const { ada, bob, cleo, dov, elsewhere, invite, arrivals } = setUp()
    const [one, two] = [invite(bob, dov), invite(cleo, dov, elsewhere)]
    expect(arrivals.invitations(dov)).toEqual([two, one])
    expect([arrivals.invitations(bob), arrivals.invitations(ada)]).toEqual([[], []])
  })

  it('is up to members who may invite, to whom may come', () => {
    const { town, ada, bob, cleo, dov, eve, place, invite, ban } = setUp()
    town.do(({ servers }) => servers.admit(eve, place))
    const gone = town.user('gone')
    town.do(({ users }) => users.disable(gone))
    ban(dov)
    town.told()
    expect(codeOf(() => invite(eve, cleo))).toBe('FORBIDDEN')
    expect(codeOf(() => invite(cleo, dov))).toBe('NOT_FOUND')
    expect(codeOf(() => invite(bob, 'nobody'))).toBe('NOT_FOUND')
    expect(codeOf(() => invite(bob, gone))).toBe('NOT_FOUND')
    expect(codeOf(() => invite(bob, eve))).toBe('CONFLICT')
    expect(codeOf(() => invite(bob, ada))).toBe('CONFLICT')
    expect(codeOf(() => invite(bob, dov))).toBe('CONFLICT')
    invite(bob, cleo)
    // Whoever asks.
    expect(codeOf(() => invite(ada, cleo))).toBe('CONFLICT')
    expect(town.told()).toHaveLength(1)
  })

  it('is nothing to others, nor in another server', () => {
    const { town, ada, bob, cleo, dov, elsewhere, invite, come, stay, inServer } = setUp()
    const { id } = invite(bob, dov)
    town.told()
    for (const act of [come, stay]) {
      for (const user of [ada, bob, cleo]) expect(codeOf(() => act(user, id))).toBe('NOT_FOUND')
      expect(codeOf(() => act(dov, id, elsewhere))).toBe('NOT_FOUND')
      expect(codeOf(() => act(dov, 'none'))).toBe('NOT_FOUND')
    }
    expect([town.told(), inServer(dov)]).toEqual([[], [false]])
  })

  it('lets nobody in who was banned, or has come already', () => {
    const { town, bob, cleo, dov, place, invite, come, ban, inServer } = setUp()
    const [one, two] = [invite(bob, cleo), invite(bob, dov)]
    ban(cleo)
    town.do(({ servers }) => servers.admit(dov, place))
    town.told()
    expect(codeOf(() => come(cleo, one.id))).toBe('BANNED')
    expect(codeOf(() => come(dov, two.id))).toBe('CONFLICT')
    expect([town.told(), inServer(cleo)]).toEqual([[], [false]])
  })
})

describe('what is asked, by the name that bots have for it', () => {
  it('is found by who has a say in it, whatever became of it: to come in', () => {
    const { town, ada, bob, cleo, dov, eve, place, ask, letIn, sendOff, arrivals } = setUp()
    town.do(({ servers }) => servers.admit(eve, place))
    const request = ask(dov)
    for (const user of [ada, bob]) expect(arrivals.byFlag(user, request.flag)).toEqual(request)
    // A member who may not, one of another server, who asks, and nobody.
    for (const user of [eve, cleo, dov, 'nobody']) expect(arrivals.byFlag(user, request.flag)).toBeNull()
    const rejected = sendOff(bob, request.id)
    expect(arrivals.byFlag(ada, request.flag)).toEqual(rejected)
    const second = ask(dov)
    const accepted = letIn(bob, second.id)
    expect(arrivals.byFlag(ada, second.flag)).toEqual(accepted)
    // In by now, they have no say in it all the same.
    expect(arrivals.byFlag(dov, second.flag)).toBeNull()
    expect(arrivals.byFlag(ada, second.id)).toBeNull()
    expect(arrivals.byFlag(ada, '')).toBeNull()
  })

  it('is found by who was asked to come, and by nobody else', () => {
    const { town, ada, bob, cleo, dov, invite, come, arrivals } = setUp()
    const request = invite(bob, dov)
    expect(arrivals.byFlag(dov, request.flag)).toEqual(request)
    for (const user of [ada, bob, cleo, 'nobody']) expect(arrivals.byFlag(user, request.flag)).toBeNull()
    const accepted = come(dov, request.id)
    expect(arrivals.byFlag(dov, request.flag)).toEqual(accepted)
    const friend = town.do(({ friends }) => friends.ask(ada, cleo, ''))
    for (const user of [ada, cleo]) expect(arrivals.byFlag(user, friend.flag)).toBeNull()
  })

  it('is up to members who may invite, as long as they are and may', () => {
    const { town, ada, bob, cleo, dov, place, ask, arrivals } = setUp()
    const { flag } = ask(dov)
    const may = (): boolean[] => [ada, bob, cleo, 'nobody'].map((user) => arrivals.mayDecide(user, place))
    expect(may()).toEqual([true, true, false, false])
    expect(arrivals.mayDecide(ada, 'nowhere')).toBe(false)
    town.do(({ servers }) => servers.leave(bob, place))
    expect(may()).toEqual([true, false, false, false])
    expect(arrivals.byFlag(bob, flag)).toBeNull()
    // Back without the role: as a member only.
    town.do(({ servers }) => servers.admit(bob, place))
    expect(may()).toEqual([true, false, false, false])
    town.role(ada, place, [bob], ADMINISTRATOR, 1)
    expect(may()).toEqual([true, true, false, false])
    // With the server it is gone.
    town.do(({ servers }) => servers.remove(ada, place))
    expect(may()).toEqual([false, false, false, false])
    expect(arrivals.byFlag(ada, flag)).toBeNull()
  })
})
