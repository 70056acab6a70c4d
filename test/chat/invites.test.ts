import { describe, expect, it } from 'vitest'
import type { Invite } from '../../lib/chat/invites.ts'
import { ADMINISTRATOR, BAN_MEMBERS, CREATE_INVITES, MANAGE_SERVER } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const HOUR = 3_600_000
const NOWHERE = '019df252-0000-7000-8000-000000000000'

/** Ada makes invites to a server that only invites lead to. */
function setUp() {
  const town = new Town()
  const { ada, place } = town
  town.do(({ servers }) => servers.change(ada, place, { is_public: 0, require_invite: 1 }))
  const invite = (maxUses: number | null = null, hours: number | null = null, by = ada): Invite =>
    town.do(({ invites }) => invites.create(by, place, maxUses, hours))
  const accept = (user: string, { code }: Pick<Invite, 'code'>): string =>
    town.do(({ invites }) => invites.accept(user, code))
  const usesOf = ({ id }: Invite): number | undefined =>
    town.rows<{ uses: number }>('SELECT uses FROM server_invites WHERE id = ?', id)[0]?.uses
  const remove = (by: string, id: string, server = place): void =>
    town.do(({ invites }) => invites.remove(by, server, id))
  return { town, place, invite, accept, usesOf, remove }
}

describe('an invite', () => {
  it('is as it was made, and told of once', () => {
    const { town, place, invite } = setUp()
    const made = invite(7, 2)
    expect(made).toEqual({
      id: made.id,
      server_id: place,
      code: made.code,
      created_by: town.ada,
      max_uses: 7,
      uses: 0,
      expires_at: new Date(START + 2 * HOUR).toISOString(),
      created_at: new Date(START).toISOString(),
    })
    expect(town.told()).toEqual([{ type: 'invite.created', invite: made }])
    expect(invite()).toMatchObject({ max_uses: null, expires_at: null })
  })

  it('has a code of its own, of 8 letters and digits', () => {
    const { town, place, invite } = setUp()
    const codes = Array.from({ length: 200 }, () => invite().code)
    for (const code of codes) expect(code).toMatch(/^[A-Za-z0-9]{8}$/)
    expect(new Set(codes).size).toBe(200)
    // All of the letters are there: of 1,600 none is missing by chance.
    expect(new Set(codes.join('')).size).toBe(62)
    const listed = town.world.invites.list(town.ada, place).map(({ code }) => code)
    expect(listed).toEqual(codes.toReversed())
  })

  it('lets in, into whatever server, and counts', () => {
    const { town, place, invite, accept, usesOf } = setUp()
    const made = invite(2)
    town.told()
    expect(accept(town.cleo, made)).toBe(place)
    expect(town.told()).toEqual([
      { type: 'member.joined', serverId: place, userId: town.cleo, by: town.ada, invited: true },
    ])
    expect(town.world.access.isMember(town.cleo, place)).toBe(true)
    expect(usesOf(made)).toBe(1)
    expect(town.world.invites.preview(made.code)).toMatchObject({ invite: { uses: 1 }, server: { member_count: 3 } })
    accept(town.user('dov'), made)
    expect(codeOf(() => accept(town.user('eve'), made))).toBe('INVALID')
    expect(usesOf(made)).toBe(2)
    expect(codeOf(() => town.world.invites.preview(made.code))).toBe('NOT_FOUND')
    // Who made it sees that it is used up.
    expect(town.world.invites.list(town.ada, place)).toEqual([{ ...made, uses: 2 }])
  })

  it('ends on time', () => {
    const { town, invite, accept, usesOf } = setUp()
    const made = invite(null, 1)
    town.clock.ms = START + HOUR - 1
    expect(town.world.invites.preview(made.code).invite).toEqual(made)
    accept(town.cleo, made)
    town.clock.ms = START + HOUR
    expect(codeOf(() => town.world.invites.preview(made.code))).toBe('NOT_FOUND')
    town.told()
    expect(codeOf(() => accept(town.user('dov'), made))).toBe('INVALID')
    expect([town.told(), usesOf(made)]).toEqual([[], 1])
  })

  it('gateway trap T40: for one lets in one of twenty who come at once', () => {
    const { town, place, invite, usesOf } = setUp()
    const made = invite(1)
    const people = Array.from({ length: 20 }, (_, i) => town.user(`sailor${i}`))
    town.told()
    const codes: string[] = []
    for (const user of people) {
      town.world.changes.submit(
        () => town.world.invites.accept(user, made.code),
        (outcome) => {
          codes.push(
            codeOf(() => {
              if (!outcome.ok) throw outcome.error
            }),
          )
        },
      )
    }
    town.flush()
    expect(codes).toEqual(['nothing was refused', ...Array.from({ length: 19 }, () => 'INVALID')])
    expect(town.told()).toEqual([
      { type: 'member.joined', serverId: place, userId: people[0], by: town.ada, invited: true },
    ])
    expect(people.filter((user) => town.world.access.isMember(user, place))).toEqual([people[0]])
    expect(usesOf(made)).toBe(1)
  })

  it('counts no use of who is a member, is banned, or has no room', () => {
    const { town, place, invite, accept, usesOf } = setUp()
    const made = invite(3)
    const [banned, full] = [town.user('dov'), town.user('eve')]
    town.do(({ moderation }) => moderation.ban(town.ada, place, banned, null))
    for (let i = 0; i < 100; i++) town.server(full)
    town.told()
    expect(codeOf(() => accept(town.bob, made))).toBe('CONFLICT')
    expect(codeOf(() => accept(town.ada, made))).toBe('CONFLICT')
    expect(codeOf(() => accept(banned, made))).toBe('BANNED')
    expect(codeOf(() => accept(full, made))).toBe('LIMIT')
    expect([town.told(), usesOf(made)]).toEqual([[], 0])
    town.do(({ moderation }) => moderation.unban(town.ada, place, banned))
    accept(banned, made)
    expect(usesOf(made)).toBe(1)
  })

  it('and a ban at once: whichever is first, who is banned is no member', () => {
    for (const banFirst of [true, false]) {
      const { town, place, invite, usesOf } = setUp()
      const made = invite()
      const acts = [
        () => town.world.moderation.ban(town.ada, place, town.cleo, null),
        () => void town.world.invites.accept(town.cleo, made.code),
      ]
      const ends: boolean[] = []
      for (const act of banFirst ? acts : acts.toReversed()) {
        town.world.changes.submit(act, ({ ok }) => void ends.push(ok))
      }
      town.flush()
      expect(ends).toEqual(banFirst ? [true, false] : [true, true])
      expect(town.world.access.isMember(town.cleo, place)).toBe(false)
      expect(usesOf(made)).toBe(banFirst ? 0 : 1)
    }
  })

  it('is of no use under another code, once revoked, or when its server is gone', () => {
    const { town, place, invite, accept, remove } = setUp()
    const [made, other] = [invite(), invite()]
    const swapped = made.code.replaceAll(/[A-Za-z]/g, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    )
    const wrong = /[A-Za-z]/.test(made.code) ? [swapped] : []
    for (const code of [...wrong, '', 'x', `${made.code} `, `${made.code}%`, '________', made.id]) {
      expect([code, codeOf(() => town.world.invites.preview(code))]).toEqual([code, 'NOT_FOUND'])
      expect([code, codeOf(() => accept(town.cleo, { code }))]).toEqual([code, 'NOT_FOUND'])
    }
    town.told()
    remove(town.ada, made.id)
    expect(town.told()).toEqual([{ type: 'invite.removed', serverId: place, inviteId: made.id }])
    expect(codeOf(() => accept(town.cleo, made))).toBe('NOT_FOUND')
    expect(codeOf(() => remove(town.ada, made.id))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    town.do(({ servers }) => servers.remove(town.ada, place))
    expect(codeOf(() => accept(town.cleo, other))).toBe('NOT_FOUND')
    expect(codeOf(() => town.world.invites.preview(other.code))).toBe('NOT_FOUND')
  })

  it('is listed, made and revoked by who may, in their own server', () => {
    const { town, place, invite, remove } = setUp()
    const made = invite()
    const elsewhere = town.server(town.cleo)
    const foreign = town.do(({ invites }) => invites.create(town.cleo, elsewhere, null, null))
    town.told()
    const acts = (user: string): string[] => [
      codeOf(() => town.world.invites.list(user, place)),
      codeOf(() => invite(null, null, user)),
      codeOf(() => remove(user, made.id)),
    ]
    expect(acts(town.cleo)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'])
    expect(acts(town.bob)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'])
    // A channel does not give what is of the whole server.
    town.do(({ overrides }) =>
      overrides.set(town.ada, town.pier, { roleId: null, userId: town.bob }, CREATE_INVITES, 0),
    )
    expect(acts(town.bob)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'])
    town.told()
    expect(codeOf(() => remove(town.ada, foreign.id))).toBe('NOT_FOUND')
    expect(codeOf(() => remove(town.ada, NOWHERE))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
    expect(town.world.invites.list(town.cleo, elsewhere)).toEqual([foreign])
    town.role(town.ada, place, [town.bob], CREATE_INVITES)
    expect(invite(1, 1, town.bob).created_by).toBe(town.bob)
    remove(town.bob, made.id)
  })

  it('is one of 1,000 of a server at most', () => {
    const { town, invite, remove } = setUp()
    const all = Array.from({ length: 1000 }, () => invite())
    town.told()
    expect(codeOf(() => invite())).toBe('LIMIT')
    expect(town.told()).toEqual([])
    remove(town.ada, all[500]?.id ?? '')
    invite()
  })
})

describe('who may invite', () => {
  it('is the owner, and members with the permission or all of them, each once', () => {
    const { town, place } = setUp()
    const names = ['dov', 'eve', 'fay', 'gil']
    const [dov = '', eve = '', fay = '', gil = ''] = names.map((name) => town.user(name))
    for (const user of [town.cleo, dov, eve, fay, gil]) {
      town.do(({ servers }) => servers.admit(user, place))
    }
    const inviting = town.role(town.ada, place, [town.bob, dov], CREATE_INVITES)
    town.role(town.ada, place, [town.bob, eve], ADMINISTRATOR)
    town.role(town.ada, place, [town.ada, fay], MANAGE_SERVER | BAN_MEMBERS)
    // What somebody is elsewhere does not count here.
    const elsewhere = town.server(gil)
    town.do(({ servers }) => servers.join(town.cleo, elsewhere))
    town.role(gil, elsewhere, [town.cleo], CREATE_INVITES)
    const holders = (): string[] => town.world.roles.holders(place, CREATE_INVITES).toSorted()
    expect(holders()).toEqual([town.ada, town.bob, dov, eve].toSorted())
    expect(town.world.roles.holders(elsewhere, CREATE_INVITES).toSorted()).toEqual([gil, town.cleo].toSorted())
    town.do(({ roles }) => roles.take(town.ada, place, dov, inviting))
    town.do(({ moderation }) => moderation.kick(town.ada, place, eve, null))
    expect(holders()).toEqual([town.ada, town.bob].toSorted())
    town.do(({ roles }) => roles.remove(town.ada, place, inviting))
    expect(holders()).toEqual([town.ada, town.bob].toSorted())
  })
})

describe('the way in', () => {
  it('is refused for want of an invite before room is looked at: what is forbidden comes first', () => {
    const { town, place } = setUp()
    town.do(({ servers }) => servers.change(town.ada, place, { is_public: 1 }))
    for (let i = 0; i < 100; i++) town.server(town.cleo)
    expect(codeOf(() => town.join(town.cleo, place))).toBe('FORBIDDEN')
  })
})
