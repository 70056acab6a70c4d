import type { Access } from './access.ts'
import type { Details } from './audit.ts'
import type { Core } from './core.ts'
import { toTime } from './ids.ts'
import { BAN_MEMBERS, KICK_MEMBERS, MUTE_MEMBERS } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Servers } from './servers.ts'
import type { Param } from './store/database.ts'
import type { Users } from './users.ts'

/** Somebody who may not come back. */
export interface Ban {
  readonly server_id: string
  readonly user_id: string
  /** Null when the account is gone. */
  readonly banned_by: string | null
  readonly reason: string | null
  readonly created_at: string
}

/** Somebody who may say nothing for a while. */
export interface Timeout {
  readonly server_id: string
  readonly user_id: string
  readonly expires_at: string
  readonly reason: string | null
  readonly created_by: string | null
  readonly created_at: string
}

const BAN = ['server_id', 'user_id', 'banned_by', 'reason', 'created_at'] as const
const TIMEOUT = ['server_id', 'user_id', 'expires_at', 'reason', 'created_by', 'created_at'] as const

/** What some members may do to others: nobody to the owner, the others from above. */
export class Moderation {
  readonly #core: Core
  readonly #access: Access
  readonly #servers: Servers
  readonly #users: Users
  readonly #bans
  readonly #insertBan
  readonly #updateBan
  readonly #deleteBan
  readonly #timeout
  readonly #putTimeout
  readonly #deleteTimeout

  constructor(core: Core, access: Access, servers: Servers, users: Users) {
    this.#core = core
    this.#access = access
    this.#servers = servers
    this.#users = users
    const { db } = core
    this.#bans = db.all((q, p: Param<{ server: string; after: string; limit: number }>) =>
      q
        .selectFrom('server_bans')
        .select(BAN)
        .where('server_id', '=', p('server'))
        .where('user_id', '>', p('after'))
        .orderBy('user_id')
        .limit(p('limit')),
    )
    this.#insertBan = db.run(
      (q, p: Param<{ server: string; user: string; by: string; reason: string | null; at: string }>) =>
        q.insertInto('server_bans').values({
          server_id: p('server'),
          user_id: p('user'),
          banned_by: p('by'),
          reason: p('reason'),
          created_at: p('at'),
        }),
    )
    this.#updateBan = db.run((q, p: Param<{ server: string; user: string; reason: string | null }>) =>
      q
        .updateTable('server_bans')
        .set({ reason: p('reason') })
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user'))
        .where('reason', 'is not', p('reason')),
    )
    this.#deleteBan = db.run((q, p: Param<{ server: string; user: string }>) =>
      q.deleteFrom('server_bans').where('server_id', '=', p('server')).where('user_id', '=', p('user')),
    )
    this.#timeout = db.first((q, p: Param<{ server: string; user: string }>) =>
      q
        .selectFrom('member_timeouts')
        .select(TIMEOUT)
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user')),
    )
    this.#putTimeout = db.run((q, p: Param<{ [K in keyof Timeout]: Timeout[K] }>) =>
      q.replaceInto('member_timeouts').values({
        server_id: p('server_id'),
        user_id: p('user_id'),
        expires_at: p('expires_at'),
        reason: p('reason'),
        created_by: p('created_by'),
        created_at: p('created_at'),
      }),
    )
    this.#deleteTimeout = db.run((q, p: Param<{ server: string; user: string }>) =>
      q.deleteFrom('member_timeouts').where('server_id', '=', p('server')).where('user_id', '=', p('user')),
    )
  }

  /** In the order of their users, behind the user `after`. */
  bans(user: string, server: string, after: string | null, limit: number): Ban[] {
    this.#access.mayInServer(user, server, BAN_MEMBERS)
    return this.#bans({ server, after: after ?? '', limit })
  }

  // Changes

  /** A member goes; they may come back. */
  kick(user: string, server: string, member: string, reason: string | null): void {
    this.#checkActsOnMember(user, server, member, KICK_MEMBERS)
    this.#log(user, server, 'member.kick', member, { reason })
    this.#core.changes.emit({ type: 'member.kicked', serverId: server, userId: member, by: user, reason })
    this.#servers.expel(member, server)
  }

  /** Somebody goes, if they are there, and does not come back. Again says the reason anew. */
  ban(user: string, server: string, other: string, reason: string | null): void {
    const there = this.#checkActs(user, server, other, BAN_MEMBERS)
    // Of an account that is disabled nobody is told that it exists.
    if (!there && this.#users.find(other)?.disabled !== 0) throw notFound()
    if (this.#servers.isBanned(other, server)) {
      if (this.#updateBan({ server, user: other, reason }) > 0) this.#log(user, server, 'member.ban', other, { reason })
      return
    }
    this.#log(user, server, 'member.ban', other, { reason })
    this.#insertBan({ server, user: other, by: user, reason, at: toTime(this.#core.now()) })
    this.#core.changes.emit({ type: 'member.banned', serverId: server, userId: other, by: user, reason })
    if (there) this.#servers.expel(other, server)
  }

  /** They may come back; who was not banned, too. */
  unban(user: string, server: string, other: string): void {
    this.#access.mayInServer(user, server, BAN_MEMBERS)
    if (this.#deleteBan({ server, user: other }) === 0) return
    this.#log(user, server, 'member.unban', other)
    this.#core.changes.emit({ type: 'member.unbanned', serverId: server, userId: other })
  }

  /** A member says nothing for so many seconds, in place of what was said before. */
  silence(user: string, server: string, member: string, seconds: number, reason: string | null): Timeout {
    this.#checkActsOnMember(user, server, member, MUTE_MEMBERS)
    const now = this.#core.now()
    const timeout: Timeout = {
      server_id: server,
      user_id: member,
      expires_at: toTime(now + seconds * 1000),
      reason,
      created_by: user,
      created_at: toTime(now),
    }
    this.#putTimeout({ ...timeout })
    this.#log(user, server, 'member.timeout', member, { minutes: seconds / 60, reason })
    this.#core.changes.emit({ type: 'member.silenced', timeout })
    return timeout
  }

  /** Before its time; what has ended by itself is none. */
  endSilence(user: string, server: string, member: string): void {
    this.#checkActsOnMember(user, server, member, MUTE_MEMBERS)
    const timeout = this.#timeout({ server, user: member })
    if (timeout === undefined) return
    this.#deleteTimeout({ server, user: member })
    if (timeout.expires_at <= toTime(this.#core.now())) return
    this.#log(user, server, 'member.timeout_remove', member)
    this.#core.changes.emit({ type: 'member.unsilenced', serverId: server, userId: member, by: user })
  }

  /** Whether the other is a member; one may be acted on only from above. */
  #checkActs(user: string, server: string, other: string, needed: number): boolean {
    this.#access.mayInServer(user, server, needed)
    if (user === other) throw new Refusal('INVALID', 'Nobody does this to themselves')
    const there = this.#access.isMember(other, server)
    if (there && !this.#access.isAbove(user, other, server)) throw forbidden()
    return there
  }

  #log(actor: string, server: string, action: string, user: string, details: Details = {}): void {
    this.#core.audit.log({ server, actor, action, target: ['user', user], details })
  }

  #checkActsOnMember(user: string, server: string, member: string, needed: number): void {
    if (!this.#checkActs(user, server, member, needed)) throw notFound()
  }
}
