import { sql } from 'kysely'
import type { Access } from './access.ts'
import type { Core } from './core.ts'
import { groupBy } from './group.ts'
import { toTime } from './ids.ts'
import type { Presence, Appearance } from './presence.ts'
import type { Param } from './store/database.ts'

/** Somebody in a server. */
export interface Member {
  readonly user_id: string
  readonly username: string
  readonly avatar_url: string | null
  readonly appearance: Appearance
  readonly nickname: string | null
  readonly joined_at: string
  /** Until then they may say nothing; null: they may. */
  readonly timeout_expires_at: string | null
  /** The highest first. */
  readonly roles: readonly {
    readonly id: string
    readonly name: string
    readonly color: string | null
    readonly position: number
  }[]
}

export class Members {
  readonly #core: Core
  readonly #access: Access
  readonly #presence: Presence
  readonly #page
  readonly #roles

  constructor(core: Core, access: Access, presence: Presence) {
    this.#core = core
    this.#access = access
    this.#presence = presence
    const { db } = core
    this.#page = db.all((q, p: Param<{ server: string; after: string | null; now: string; limit: number }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('users as u', 'u.id', 'm.user_id')
        .leftJoin('member_timeouts as t', (join) =>
          join
            .onRef('t.server_id', '=', 'm.server_id')
            .onRef('t.user_id', '=', 'm.user_id')
            .on('t.expires_at', '>', p('now')),
        )
        .where('m.server_id', '=', p('server'))
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
        .select([
          'u.id',
          'u.username',
          'u.avatar_url',
          'u.status_sticky',
          'u.custom_status',
          'u.activity',
          'm.nickname',
          'm.joined_at',
          't.expires_at as timeout_expires_at',
        ])
        .orderBy('m.joined_at')
        .orderBy('m.user_id')
        .limit(p('limit')),
    )
    this.#roles = db.all((q, p: Param<{ server: string; users: string }>) =>
      q
        .selectFrom(sql<{ value: string }>`json_each(${p('users')})`.as('who'))
        .innerJoin('member_roles as h', (join) =>
          join.onRef('h.user_id', '=', 'who.value').on('h.server_id', '=', p('server')),
        )
        .innerJoin('roles as r', 'r.id', 'h.role_id')
        .select(['h.user_id', 'r.id', 'r.name', 'r.color', 'r.position'])
        .orderBy('r.position', 'desc')
        .orderBy('r.id'),
    )
  }

  /** In the order in which they came, behind the user `after`; none where that is no member. */
  list(user: string, server: string, after: string | null, limit: number): Member[] {
    this.#access.member(user, server)
    const rows = this.#page({ server, after, now: toTime(this.#core.now()), limit })
    const users = JSON.stringify(rows.map(({ id }) => id))
    const roles = groupBy(this.#roles({ server, users }), (role) => role.user_id)
    return rows.map(({ id, username, avatar_url, nickname, joined_at, timeout_expires_at, ...row }) => ({
      user_id: id,
      username,
      avatar_url,
      appearance: this.#presence.seen({ id, ...row }),
      nickname,
      joined_at,
      timeout_expires_at,
      roles: (roles.get(id) ?? []).map((role) => ({
        id: role.id,
        name: role.name,
        color: role.color,
        position: role.position,
      })),
    }))
  }
}
