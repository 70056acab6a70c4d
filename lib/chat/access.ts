import type { Core } from './core.ts'
import { groupBy } from './group.ts'
import { toTime } from './ids.ts'
import {
  ADMINISTRATOR,
  ALL_PERMISSIONS,
  channelPermissions,
  has,
  isAdmin,
  type Override,
  serverPermissions,
  SPEAKING,
  type Standing,
} from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'

/** A channel, as somebody sees it. */
export interface Seen {
  readonly id: string
  readonly num: number
  readonly server_id: string
  readonly type: 'text' | 'voice'
  readonly permissions: number
  /** Of its newest message; 0: there is none. */
  readonly last_seq: number
  /** Its viewer may say nothing for now. */
  readonly silenced: boolean
  /** Only admins may, and its viewer is none. */
  readonly shut: boolean
}

/** Of a server's owner, whom nobody is above. */
const TOP = Infinity
const NONE: readonly Override[] = []

/** A channel in which its viewer may do that, else FORBIDDEN or TIMED_OUT. */
export function needs(seen: Seen, needed: number): Seen {
  if (has(seen.permissions, needed)) return seen
  // What it lacks is what every timeout takes.
  const missing = needed & ~seen.permissions
  if (seen.shut && missing === (missing & SPEAKING)) throw new Refusal('FORBIDDEN', 'Only admins speak here for now')
  throw seen.silenced && (missing & ~SPEAKING) === 0
    ? new Refusal('TIMED_OUT', 'You are timed out in this server')
    : forbidden()
}

/** Who may see and do what. What somebody may not see does not exist for them. */
export class Access {
  readonly #now: () => number
  readonly #channel
  readonly #member
  readonly #roles
  readonly #overrides
  readonly #channelsOf
  readonly #overridesOf

  constructor({ db, now }: Core) {
    this.#now = now
    this.#member = db.first((q, p: Param<{ user: string; server: string; now: string }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('servers as s', 's.id', 'm.server_id')
        .leftJoin('member_timeouts as t', (join) =>
          join
            .onRef('t.server_id', '=', 'm.server_id')
            .onRef('t.user_id', '=', 'm.user_id')
            .on('t.expires_at', '>', p('now')),
        )
        .where('m.server_id', '=', p('server'))
        .where('m.user_id', '=', p('user'))
        .select(['s.owner_id', 't.expires_at as silenced_until']),
    )
    this.#channel = db.first((q, p: Param<{ user: string; channel: string; now: string }>) =>
      q
        .selectFrom('channels as c')
        .innerJoin('servers as s', 's.id', 'c.server_id')
        .innerJoin('server_members as m', (join) =>
          join.onRef('m.server_id', '=', 'c.server_id').on('m.user_id', '=', p('user')),
        )
        .leftJoin('member_timeouts as t', (join) =>
          join
            .onRef('t.server_id', '=', 'm.server_id')
            .onRef('t.user_id', '=', 'm.user_id')
            .on('t.expires_at', '>', p('now')),
        )
        .where('c.id', '=', p('channel'))
        .select([
          'c.id',
          'c.num',
          'c.server_id',
          'c.type',
          'c.last_seq',
          'c.shut',
          's.owner_id',
          't.expires_at as silenced_until',
        ])
        .select((eb) => [
          eb
            .exists(eb.selectFrom('channel_overrides as o').select('o.id').whereRef('o.channel_id', '=', 'c.id'))
            .as('has_overrides'),
          eb
            .exists(
              eb
                .selectFrom('member_roles as r')
                .select('r.role_id')
                .whereRef('r.server_id', '=', 'm.server_id')
                .whereRef('r.user_id', '=', 'm.user_id'),
            )
            .as('has_roles'),
        ]),
    )
    this.#roles = db.all((q, p: Param<{ user: string; server: string }>) =>
      q
        .selectFrom('member_roles as m')
        .innerJoin('roles as r', 'r.id', 'm.role_id')
        .where('m.server_id', '=', p('server'))
        .where('m.user_id', '=', p('user'))
        .select(['r.id', 'r.permissions', 'r.position']),
    )
    this.#channelsOf = db.all((q, p: Param<{ server: string }>) =>
      q.selectFrom('channels').select('id').where('server_id', '=', p('server')),
    )
    this.#overridesOf = db.all((q, p: Param<{ server: string }>) =>
      q
        .selectFrom('channel_overrides as o')
        .innerJoin('channels as c', 'c.id', 'o.channel_id')
        .where('c.server_id', '=', p('server'))
        .select(['o.channel_id', 'o.role_id', 'o.user_id', 'o.allow', 'o.deny']),
    )
    this.#overrides = db.all((q, p: Param<{ channel: string }>) =>
      q
        .selectFrom('channel_overrides')
        .where('channel_id', '=', p('channel'))
        .select(['role_id', 'user_id', 'allow', 'deny']),
    )
  }

  /** Throws NOT_FOUND for who is no member. */
  member(user: string, server: string): Standing {
    const found = this.#member({ user, server, now: toTime(this.#now()) })
    if (found === undefined) throw notFound()
    return {
      user_id: user,
      owner: found.owner_id === user,
      roles: this.#roles({ user, server }),
      silenced: found.silenced_until !== null,
    }
  }

  isMember(user: string, server: string): boolean {
    return this.#member({ user, server, now: '' }) !== undefined
  }

  /** A member who may do something in the whole server; else NOT_FOUND, or FORBIDDEN. */
  mayInServer(user: string, server: string, needed: number): Standing {
    const member = this.member(user, server)
    if (!has(serverPermissions(member), needed)) throw forbidden()
    return member
  }

  /** The channel, where the user can see it; else null. */
  see(user: string, channel: string): Seen | null {
    const found = this.#channel({ user, channel, now: toTime(this.#now()) })
    if (found === undefined) return null
    const { id, num, server_id, type, last_seq, shut } = found
    const silenced = found.silenced_until !== null
    const owner = found.owner_id === user
    // Most have neither.
    const roles = Number(found.has_roles) === 0 ? [] : this.#roles({ user, server: server_id })
    const overrides = Number(found.has_overrides) === 0 ? [] : this.#overrides({ channel })
    const granted = owner ? ALL_PERMISSIONS : channelPermissions({ user_id: user, owner, silenced, roles }, overrides)
    const isShut = shut === 1 && !isAdmin({ owner, roles })
    const permissions = isShut ? granted & ~SPEAKING : granted
    return permissions === 0 ? null : { id, num, server_id, type, last_seq, permissions, silenced, shut: isShut }
  }

  /** A channel that the user can see, else NOT_FOUND, and in which that may be done, else FORBIDDEN or TIMED_OUT. */
  channel(user: string, channel: string, needed = 0): Seen {
    const seen = this.see(user, channel)
    if (seen === null) throw notFound()
    return needs(seen, needed)
  }

  /** The ids of what a member can see of a server. */
  visible(user: string, server: string): string[] {
    const member = this.member(user, server)
    const ids = this.#channelsOf({ server }).map(({ id }) => id)
    if (has(serverPermissions(member), ADMINISTRATOR)) return ids
    const overrides = groupBy(this.#overridesOf({ server }), ({ channel_id }) => channel_id)
    return ids.filter((id) => channelPermissions(member, overrides.get(id) ?? NONE) !== 0)
  }

  overrides(channel: string): readonly Override[] {
    return this.#overrides({ channel })
  }

  /** The position of a member's highest role; 0 without roles. */
  rank(user: string, server: string): number {
    const found = this.#member({ user, server, now: '' })
    if (found?.owner_id === user) return TOP
    return this.#roles({ user, server }).reduce((top, { position }) => Math.max(top, position), 0)
  }

  /** Whether one member may act on another: nobody on the owner, others from above. */
  isAbove(user: string, other: string, server: string): boolean {
    return this.rank(user, server) > this.rank(other, server)
  }
}
