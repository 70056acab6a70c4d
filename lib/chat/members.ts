import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Access } from './access.ts'
import type { Core } from './core.ts'
import { groupBy } from './group.ts'
import { toTime } from './ids.ts'
import { MANAGE_ROLES, MANAGE_SERVER } from './permissions.ts'
import type { Appearance, Presence } from './presence.ts'
import { forbidden, notFound } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Tables } from './store/tables.ts'
import type { User } from './users.ts'

/** Somebody in a server. */
export interface Member {
  readonly user_id: string
  readonly username: string
  readonly avatar_url: string | null
  readonly appearance: Appearance
  readonly nickname: string | null
  /** What they are there, in a word or two; null: nothing, or no more. */
  readonly title: string | null
  readonly title_expires_at: string | null
  readonly joined_at: string
  /** Until then they may say nothing; null: they may. */
  readonly timeout_expires_at: string | null
  /** The highest first. */
  readonly roles: readonly {
    readonly id: string
    readonly name: string
    readonly color: string | null
    readonly position: number
    readonly permissions: number
  }[]
}

interface Row extends Pick<User, 'id' | 'username' | 'avatar_url' | 'status_sticky' | 'custom_status' | 'activity'> {
  readonly nickname: string | null
  readonly title: string | null
  readonly title_expires_at: string | null
  readonly joined_at: string
  readonly timeout_expires_at: string | null
}

const members = (q: Kysely<Tables>, server: RawBuilder<string>, now: RawBuilder<string>) =>
  q
    .selectFrom('server_members as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .leftJoin('member_timeouts as t', (join) =>
      join.onRef('t.server_id', '=', 'm.server_id').onRef('t.user_id', '=', 'm.user_id').on('t.expires_at', '>', now),
    )
    .where('m.server_id', '=', server)
    .select([
      'u.id',
      'u.username',
      'u.avatar_url',
      'u.status_sticky',
      'u.custom_status',
      'u.activity',
      'm.nickname',
      'm.title',
      'm.title_expires_at',
      'm.joined_at',
      't.expires_at as timeout_expires_at',
    ])

/** One that has ended is none. */
const toTitle = (
  title: string | null,
  until: string | null,
  now: string,
): Pick<Member, 'title' | 'title_expires_at'> =>
  until !== null && until <= now ? { title: null, title_expires_at: null } : { title, title_expires_at: until }

export class Members {
  readonly #core: Core
  readonly #access: Access
  readonly #presence: Presence
  readonly #page
  readonly #one
  readonly #rename
  readonly #entitle
  readonly #roles

  constructor(core: Core, access: Access, presence: Presence) {
    this.#core = core
    this.#access = access
    this.#presence = presence
    const { db } = core
    this.#page = db.all((q, p: Param<{ server: string; after: string | null; now: string; limit: number }>) =>
      members(q, p('server'), p('now'))
        .where((eb) =>
          eb.or([
            eb(p('after'), 'is', null),
            eb(
              eb.refTuple('m.joined_at', 'm.user_id'),
              '>',
              eb
                .selectFrom('server_members as c')
                .select(['c.joined_at', 'c.user_id'])
                .whereRef('c.server_id', '=', 'm.server_id')
                .where('c.user_id', '=', p('after'))
                .$asTuple('joined_at', 'user_id'),
            ),
          ]),
        )
        .orderBy('m.joined_at')
        .orderBy('m.user_id')
        .limit(p('limit')),
    )
    this.#one = db.all((q, p: Param<{ server: string; user: string; now: string }>) =>
      members(q, p('server'), p('now')).where('m.user_id', '=', p('user')),
    )
    this.#rename = db.run((q, p: Param<{ server: string; user: string; nickname: string | null }>) =>
      q
        .updateTable('server_members')
        .set({ nickname: p('nickname') })
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user')),
    )
    this.#entitle = db.run(
      (q, p: Param<{ server: string; user: string; title: string | null; until: string | null }>) =>
        q
          .updateTable('server_members')
          .set({ title: p('title'), title_expires_at: p('until') })
          .where('server_id', '=', p('server'))
          .where('user_id', '=', p('user')),
    )
    this.#roles = db.all((q, p: Param<{ server: string; users: string }>) =>
      q
        .selectFrom(sql<{ value: string }>`json_each(${p('users')})`.as('who'))
        .innerJoin('member_roles as h', (join) =>
          join.onRef('h.user_id', '=', 'who.value').on('h.server_id', '=', p('server')),
        )
        .innerJoin('roles as r', 'r.id', 'h.role_id')
        .select(['h.user_id', 'r.id', 'r.name', 'r.color', 'r.position', 'r.permissions'])
        .orderBy('r.position', 'desc')
        .orderBy('r.id'),
    )
  }

  /** In the order in which they came, behind the user `after`; none where that is no member. */
  list(user: string, server: string, after: string | null, limit: number): Member[] {
    this.#access.member(user, server)
    return this.#read(server, this.#page({ server, after, now: toTime(this.#core.now()), limit }))
  }

  /** One of them; NOT_FOUND for who is none. */
  get(user: string, server: string, member: string): Member {
    this.#access.member(user, server)
    const found = this.find(server, member)
    if (found === null) throw notFound()
    return found
  }

  /** One of them, whoever asks; null for who is none. */
  find(server: string, member: string): Member | null {
    const [found] = this.#read(server, this.#one({ server, user: member, now: toTime(this.#core.now()) }))
    return found ?? null
  }

  #read(server: string, rows: readonly Row[]): Member[] {
    const now = toTime(this.#core.now())
    const users = JSON.stringify(rows.map(({ id }) => id))
    const roles = groupBy(this.#roles({ server, users }), (role) => role.user_id)
    return rows.map(({ id, username, avatar_url, nickname, title, joined_at, timeout_expires_at, ...row }) => ({
      user_id: id,
      username,
      avatar_url,
      appearance: this.#presence.seen({ id, ...row }),
      nickname,
      ...toTitle(title, row.title_expires_at, now),
      joined_at,
      timeout_expires_at,
      roles: (roles.get(id) ?? []).map((role) => ({
        id: role.id,
        name: role.name,
        color: role.color,
        position: role.position,
        permissions: role.permissions,
      })),
    }))
  }

  // Changes

  /** What a member is called there: by themselves, or from above by who may manage the server. Null: by their own name. */
  rename(user: string, server: string, member: string, nickname: string | null): Member {
    const { nickname: before } = this.get(user, server, member)
    if (user !== member) {
      this.#access.mayInServer(user, server, MANAGE_SERVER)
      if (!this.#access.isAbove(user, member, server)) throw forbidden()
    }
    if (before !== nickname) {
      this.#rename({ server, user: member, nickname })
      const { changes, audit } = this.#core
      const target = ['user', member] as const
      audit.log({ server, actor: user, action: 'member.rename', target, details: { nickname } })
      changes.emit({ type: 'member.renamed', serverId: server, userId: member, by: user, before, after: nickname })
    }
    return this.get(user, server, member)
  }

  /** What a member is there, in a word or two, until a time or for good: from above, by who may manage roles. */
  entitle(user: string, server: string, member: string, title: string | null, until: string | null): void {
    const { title: before } = this.get(user, server, member)
    this.#access.mayInServer(user, server, MANAGE_ROLES)
    if (user !== member && !this.#access.isAbove(user, member, server)) throw forbidden()
    this.#entitle({ server, user: member, title, until: title === null ? null : until })
    if (before === title) return
    const { changes, audit } = this.#core
    audit.log({ server, actor: user, action: 'member.title', target: ['user', member], details: { title } })
    changes.emit({ type: 'member.titled', serverId: server, userId: member, by: user, title })
  }
}
