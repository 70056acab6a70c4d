import type { Access } from './access.ts'
import type { Details } from './audit.ts'
import { type Core, createdAt } from './core.ts'
import { isPartOf } from './group.ts'
import { MAX_ROLES } from './limits.ts'
import { ADMINISTRATOR, has, MANAGE_ROLES, serverPermissions, VIEW_CHANNEL } from './permissions.ts'
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
  /** What it is for, where a bot has it made. */
  readonly managed: 'group_admin' | null
  readonly created_at: string
}

export interface RoleDraft {
  readonly name: string
  readonly permissions: number
  readonly color: string | null
  /** Null: above all for the owner, else right below one's own highest. */
  readonly position: number | null
  readonly managed?: Role['managed']
}

/** What can be changed; what is left out stays. */
export type RoleChanges = Partial<Pick<Role, 'name' | 'permissions' | 'color' | 'position'>>

/** Of a role: whether its members see channels that others do not. */
const SEEING = VIEW_CHANNEL | ADMINISTRATOR

const COLUMNS = [
  'r.id',
  'r.server_id',
  'r.name',
  'r.permissions',
  'r.color',
  'r.position',
  'r.managed',
  'r.created_at',
] as const

export class Roles {
  readonly #core: Core
  readonly #access: Access
  readonly #byId
  readonly #ofServer
  readonly #aroundUser
  readonly #heldBy
  readonly #holders
  readonly #bearers
  readonly #overridden
  readonly #insert
  readonly #update
  readonly #delete
  readonly #give
  readonly #take

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
    this.#holders = db.all((q, p: Param<{ role: string }>) =>
      q.selectFrom('member_roles').select('user_id').where('role_id', '=', p('role')),
    )
    this.#bearers = db.all((q, p: Param<{ server: string; bits: number }>) =>
      q
        .selectFrom('member_roles as m')
        .innerJoin('roles as r', 'r.id', 'm.role_id')
        .where('m.server_id', '=', p('server'))
        .where((eb) => eb(eb('r.permissions', '&', p('bits')), '<>', 0))
        .select('m.user_id')
        .union(q.selectFrom('servers').where('id', '=', p('server')).select('owner_id as user_id')),
    )
    this.#overridden = db.all((q, p: Param<{ role: string }>) =>
      q.selectFrom('channel_overrides').select('channel_id').where('role_id', '=', p('role')),
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
          managed: Role['managed']
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
          managed: p('managed'),
          created_at: p('at'),
        }),
    )
    this.#update = db.run(
      (q, p: Param<{ id: string; name: string; permissions: number; color: string | null; position: number }>) =>
        q
          .updateTable('roles')
          .set({ name: p('name'), permissions: p('permissions'), color: p('color'), position: p('position') })
          .where('id', '=', p('id')),
    )
    this.#delete = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('roles').where('id', '=', p('id')))
    this.#take = db.run((q, p: Param<{ server: string; user: string; role: string }>) =>
      q
        .deleteFrom('member_roles')
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user'))
        .where('role_id', '=', p('role')),
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

  /** Members who may do something in a whole server that not everybody may. */
  holders(server: string, bit: number): string[] {
    return this.#bearers({ server, bits: bit | ADMINISTRATOR }).map(({ user_id }) => user_id)
  }

  /** The role that bots hand out to make somebody an admin; null: there is none yet. */
  managedOf(server: string): Role | null {
    return this.#ofServer({ server }).find(({ managed }) => managed !== null) ?? null
  }

  // Changes

  /** Nobody gives what they lack, nor makes a role that is not below their own. */
  create(user: string, server: string, { name, permissions, color, position, managed = null }: RoleDraft): Role {
    const member = this.#access.mayInServer(user, server, MANAGE_ROLES)
    const existing = this.#ofServer({ server })
    if (managed !== null && this.managedOf(server) !== null) {
      throw new Refusal('CONFLICT', 'There is such a role already')
    }
    if (existing.length >= MAX_ROLES) throw new Refusal('LIMIT', `A server can have ${MAX_ROLES} roles`)
    const rank = this.#access.rank(user, server)
    const highest = existing[0]?.position ?? 0
    const place = position ?? (member.owner ? highest + 1 : Math.max(0, rank - 1))
    if (place >= rank || !has(serverPermissions(member), permissions)) throw forbidden()
    const id = this.#core.ids.next()
    this.#insert({ id, server, name, permissions, color, position: place, managed, at: createdAt(id) })
    const role = this.get(server, id)
    this.#log(user, role, 'role.create', { name, permissions, color, position: place })
    this.#core.changes.emit({ type: 'role.created', role })
    return role
  }

  /** One that is below one's own, which it stays; nobody adds to it what they lack. */
  change(user: string, server: string, id: string, changes: RoleChanges): Role {
    const { role: before, rank, own } = this.#below(user, server, id)
    const { name, permissions, color, position } = { ...before, ...changes }
    if (position >= rank || !has(own, permissions & ~before.permissions)) throw forbidden()
    if (isPartOf(changes, before)) return before
    this.#update({ id, name, permissions, color, position })
    const role = this.get(server, id)
    this.#log(user, role, 'role.update', changes)
    this.#core.changes.emit({ type: 'role.updated', role })
    if (((permissions ^ before.permissions) & SEEING) !== 0) this.#lookAgain(server, this.#holders({ role: id }))
    return role
  }

  remove(user: string, server: string, id: string): void {
    const { role } = this.#below(user, server, id)
    const [holders, channels] = [this.#holders({ role: id }), this.#overridden({ role: id })]
    this.#delete({ id })
    this.#log(user, role, 'role.delete', { name: role.name })
    const { changes } = this.#core
    changes.emit({ type: 'role.deleted', serverId: server, roleId: id })
    this.#lookAgain(server, holders)
    for (const { channel_id } of channels) {
      changes.emit({ type: 'channel.visibility', serverId: server, channelId: channel_id, deleted: false })
    }
  }

  #log(actor: string, { server_id, id }: Role, action: string, details: Details = {}): void {
    this.#core.audit.log({ server: server_id, actor, action, target: ['role', id], details })
  }

  #lookAgain(server: string, members: readonly { readonly user_id: string }[]): void {
    for (const { user_id } of members) {
      this.#core.changes.emit({ type: 'member.visibility', serverId: server, userId: user_id })
    }
  }

  /** A role that a user may change, and hand out. */
  #below(user: string, server: string, id: string): { role: Role; rank: number; own: number } {
    const member = this.#access.mayInServer(user, server, MANAGE_ROLES)
    const role = this.get(server, id)
    const rank = this.#access.rank(user, server)
    if (role.position >= rank) throw forbidden()
    return { role, rank, own: serverPermissions(member) }
  }

  /** Gives a role to a member; again changes nothing. */
  give(user: string, server: string, to: string, id: string): void {
    const role = this.#handedOut(user, server, to, id)
    if (this.#give({ server, user: to, role: id }) > 0) this.#handed(user, role, to, true)
  }

  /** Takes it; from the owner only the owner does. */
  take(user: string, server: string, from: string, id: string): void {
    const role = this.#handedOut(user, server, from, id)
    if (user !== from && this.#access.member(from, server).owner) throw forbidden()
    if (this.#take({ server, user: from, role: id }) > 0) this.#handed(user, role, from, false)
  }

  #handedOut(user: string, server: string, member: string, id: string): Role {
    const { role } = this.#below(user, server, id)
    if (!this.#access.isMember(member, server)) throw notFound()
    return role
  }

  #handed(by: string, role: Role, userId: string, held: boolean): void {
    this.#log(by, role, held ? 'member.role_add' : 'member.role_remove', { user_id: userId })
    this.#core.changes.emit({ type: 'member.role', userId, role, held, by })
    this.#lookAgain(role.server_id, [{ user_id: userId }])
  }

  get(server: string, id: string): Role {
    const role = this.#byId({ id })
    if (role === undefined || role.server_id !== server) throw notFound()
    return role
  }
}
