import type { Access } from './access.ts'
import { type Core, createdAt } from './core.ts'
import { MAX_ROLES } from './limits.ts'
import { has, MANAGE_ROLES, serverPermissions } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'

/** What members of a server can be. */
export interface Role {
  readonly id: string
  readonly server_id: string
  readonly name: string
  readonly permissions: number
  readonly color: string | null
  readonly position: number
  readonly created_at: string
}

export interface RoleDraft {
  readonly name: string
  readonly permissions: number
  readonly color: string | null
  /** Null: above all for the owner, else right below one's own highest. */
  readonly position: number | null
}

const COLUMNS = ['r.id', 'r.server_id', 'r.name', 'r.permissions', 'r.color', 'r.position', 'r.created_at'] as const

export class Roles {
  readonly #core: Core
  readonly #access: Access
  readonly #byId
  readonly #ofServer
  readonly #aroundUser
  readonly #heldBy
  readonly #insert
  readonly #give

  constructor(core: Core, access: Access) {
    this.#core = core
    this.#access = access
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('roles as r').select(COLUMNS).where('r.id', '=', p('id')),
    )
    this.#ofServer = db.all((q, p: Param<{ server: string }>) =>
      q
        .selectFrom('roles as r')
        .select(COLUMNS)
        .where('r.server_id', '=', p('server'))
        .orderBy('r.position', 'desc')
        .orderBy('r.id'),
    )
    this.#aroundUser = db.all((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('roles as r', 'r.server_id', 'm.server_id')
        .select(COLUMNS)
        .where('m.user_id', '=', p('user'))
        .orderBy('r.position', 'desc')
        .orderBy('r.id'),
    )
    this.#heldBy = db.all((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('member_roles as h', (join) =>
          join.onRef('h.server_id', '=', 'm.server_id').onRef('h.user_id', '=', 'm.user_id'),
        )
        .select('h.role_id')
        .where('m.user_id', '=', p('user')),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          server: string
          name: string
          permissions: number
          color: string | null
          position: number
          at: string
        }>,
      ) =>
        q.insertInto('roles').values({
          id: p('id'),
          server_id: p('server'),
          name: p('name'),
          permissions: p('permissions'),
          color: p('color'),
          position: p('position'),
          created_at: p('at'),
        }),
    )
    this.#give = db.run((q, p: Param<{ server: string; user: string; role: string }>) =>
      q
        .insertInto('member_roles')
        .values({ server_id: p('server'), user_id: p('user'), role_id: p('role') })
        .onConflict((on) => on.doNothing()),
    )
  }

  /** The highest first. */
  list(user: string, server: string): Role[] {
    this.#access.member(user, server)
    return this.#ofServer({ server })
  }

  /** Of all servers of a user. */
  around(user: string): Role[] {
    return this.#aroundUser({ user })
  }

  /** Those that the user has, in any server. */
  heldBy(user: string): Set<string> {
    return new Set(this.#heldBy({ user }).map(({ role_id }) => role_id))
  }

  // Changes

  /** Nobody gives what they lack, nor makes a role that is not below their own. */
  create(user: string, server: string, { name, permissions, color, position }: RoleDraft): Role {
    const member = this.#access.mayInServer(user, server, MANAGE_ROLES)
    const existing = this.#ofServer({ server })
    if (existing.length >= MAX_ROLES) throw new Refusal('LIMIT', `A server can have ${MAX_ROLES} roles`)
    const rank = this.#access.rank(user, server)
    const highest = existing[0]?.position ?? 0
    const place = position ?? (member.owner ? highest + 1 : Math.max(0, rank - 1))
    if (place >= rank || !has(serverPermissions(member), permissions)) throw forbidden()
    const id = this.#core.ids.next()
    this.#insert({ id, server, name, permissions, color, position: place, at: createdAt(id) })
    return this.get(server, id)
  }

  /** Gives a role to a member; again changes nothing. */
  give(user: string, server: string, to: string, id: string): void {
    this.#access.mayInServer(user, server, MANAGE_ROLES)
    const role = this.get(server, id)
    if (!this.#access.isMember(to, server)) throw notFound()
    if (role.position >= this.#access.rank(user, server)) throw forbidden()
    if (this.#give({ server, user: to, role: id }) === 0) return
    this.#core.changes.emit({ type: 'member.visibility', serverId: server, userId: to })
  }

  get(server: string, id: string): Role {
    const role = this.#byId({ id })
    if (role === undefined || role.server_id !== server) throw notFound()
    return role
  }
}
