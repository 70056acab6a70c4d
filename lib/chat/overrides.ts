import type { Access } from './access.ts'
import type { Details } from './audit.ts'
import type { Core } from './core.ts'
import { MAX_OVERRIDES } from './limits.ts'
import { has, MANAGE_CHANNELS, type Override, serverPermissions, VIEW_CHANNEL } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Roles } from './roles.ts'
import type { Param } from './store/database.ts'
import type { Flag } from './store/flag.ts'

/** What a channel gives or takes, for a role, a user, or everyone. */
export interface StoredOverride extends Override {
  readonly id: string
  readonly channel_id: string
  readonly everyone: Flag
}

/** Whom an override is for; both null: everyone. */
export interface OverrideTarget {
  readonly roleId: string | null
  readonly userId: string | null
}

const COLUMNS = ['o.id', 'o.channel_id', 'o.role_id', 'o.user_id', 'o.everyone', 'o.allow', 'o.deny'] as const

export class Overrides {
  readonly #core: Core
  readonly #access: Access
  readonly #roles: Roles
  readonly #ofChannel
  readonly #aroundUser
  readonly #restricted
  readonly #restrictedOf
  readonly #insert
  readonly #update
  readonly #delete
  readonly #shut

  constructor(core: Core, access: Access, roles: Roles) {
    this.#core = core
    this.#access = access
    this.#roles = roles
    const { db } = core
    this.#ofChannel = db.all((q, p: Param<{ channel: string }>) =>
      q.selectFrom('channel_overrides as o').select(COLUMNS).where('o.channel_id', '=', p('channel')).orderBy('o.id'),
    )
    this.#aroundUser = db.all((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('channels as c', 'c.server_id', 'm.server_id')
        .innerJoin('channel_overrides as o', 'o.channel_id', 'c.id')
        .select(COLUMNS)
        .select('c.server_id')
        .where('m.user_id', '=', p('user'))
        .orderBy('o.channel_id')
        .orderBy('o.id'),
    )
    this.#restricted = db.all((q) =>
      q
        .selectFrom('channels as c')
        .innerJoin('channel_overrides as o', 'o.channel_id', 'c.id')
        .select(['c.server_id', 'o.channel_id'])
        .distinct()
        .where((eb) => eb(eb('o.deny', '&', VIEW_CHANNEL), '<>', 0)),
    )
    this.#restrictedOf = db.all((q, p: Param<{ server: string }>) =>
      q
        .selectFrom('channels as c')
        .innerJoin('channel_overrides as o', 'o.channel_id', 'c.id')
        .select('o.channel_id')
        .distinct()
        .where('c.server_id', '=', p('server'))
        .where((eb) => eb(eb('o.deny', '&', VIEW_CHANNEL), '<>', 0)),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          channel: string
          role: string | null
          user: string | null
          everyone: Flag
          allow: number
          deny: number
        }>,
      ) =>
        q.insertInto('channel_overrides').values({
          id: p('id'),
          channel_id: p('channel'),
          role_id: p('role'),
          user_id: p('user'),
          everyone: p('everyone'),
          allow: p('allow'),
          deny: p('deny'),
        }),
    )
    this.#update = db.run((q, p: Param<{ id: string; allow: number; deny: number }>) =>
      q
        .updateTable('channel_overrides')
        .set({ allow: p('allow'), deny: p('deny') })
        .where('id', '=', p('id')),
    )
    this.#shut = db.run((q, p: Param<{ channel: string; shut: Flag }>) =>
      q
        .updateTable('channels')
        .set({ shut: p('shut') })
        .where('id', '=', p('channel'))
        .where('shut', '<>', p('shut')),
    )
    this.#delete = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('channel_overrides').where('id', '=', p('id')))
  }

  list(user: string, channel: string): StoredOverride[] {
    this.#access.channel(user, channel)
    return this.#ofChannel({ channel })
  }

  /** Of all channels of all servers of a user. */
  around(user: string): (StoredOverride & { readonly server_id: string })[] {
    return this.#aroundUser({ user })
  }

  /** Channels that not every member can see, in any server. */
  restricted(): { readonly server_id: string; readonly channel_id: string }[] {
    return this.#restricted({})
  }

  restrictedOf(server: string): string[] {
    return this.#restrictedOf({ server }).map(({ channel_id }) => channel_id)
  }

  // Changes

  /** In place of what was said of the same target before. Nobody gives or takes what they lack. */
  set(user: string, channel: string, { roleId, userId }: OverrideTarget, allow: number, deny: number): StoredOverride {
    const { server_id } = this.#access.channel(user, channel, MANAGE_CHANNELS)
    if (roleId !== null && userId !== null) throw new Refusal('INVALID', 'An override is for a role or for a user')
    if ((allow & deny) !== 0) throw new Refusal('INVALID', 'What is allowed cannot be denied, too')
    const member = this.#access.member(user, server_id)
    if (roleId !== null) {
      const role = this.#roles.get(server_id, roleId)
      if (role.position >= this.#access.rank(user, server_id)) throw forbidden()
    }
    if (userId !== null && !this.#access.isMember(userId, server_id)) throw notFound()
    if (!has(serverPermissions(member), allow | deny)) throw forbidden()
    const all = this.#ofChannel({ channel })
    const before = all.find((one) => one.role_id === roleId && one.user_id === userId)
    if (before === undefined) {
      if (all.length >= MAX_OVERRIDES) throw new Refusal('LIMIT', `A channel can have ${MAX_OVERRIDES} overrides`)
      const id = this.#core.ids.next()
      const everyone = roleId === null && userId === null ? 1 : 0
      this.#insert({ id, channel, role: roleId, user: userId, everyone, allow, deny })
    } else if (before.allow === allow && before.deny === deny) return before
    else this.#update({ id: before.id, allow, deny })
    const override = this.#find(channel, { roleId, userId })
    this.#log(user, server_id, 'override.set', override.id, {
      channel_id: channel,
      role_id: roleId,
      user_id: userId,
      allow,
      deny,
    })
    this.#core.changes.emit({ type: 'override.set', serverId: server_id, override })
    return override
  }

  remove(user: string, channel: string, id: string): void {
    const { server_id } = this.#access.channel(user, channel, MANAGE_CHANNELS)
    if (!this.#ofChannel({ channel }).some((one) => one.id === id)) throw notFound()
    this.#delete({ id })
    this.#log(user, server_id, 'override.remove', id, { channel_id: channel })
    this.#core.changes.emit({ type: 'override.removed', serverId: server_id, channelId: channel, overrideId: id })
  }

  /** Only admins speak there from now on, whatever overrides say; or all again. Again changes nothing. */
  shut(user: string, channel: string, shut: boolean): void {
    const { server_id } = this.#access.channel(user, channel, MANAGE_CHANNELS)
    if (this.#shut({ channel, shut: shut ? 1 : 0 }) === 0) return
    const target = ['channel', channel] as const
    const action = shut ? 'channel.shut' : 'channel.open'
    this.#core.audit.log({ server: server_id, actor: user, action, target })
    this.#core.changes.emit({ type: 'channel.shut', serverId: server_id, channelId: channel, by: user, shut })
  }

  #log(actor: string, server: string, action: string, override: string, details: Details): void {
    this.#core.audit.log({ server, actor, action, target: ['override', override], details })
  }

  #find(channel: string, { roleId, userId }: OverrideTarget): StoredOverride {
    const found = this.#ofChannel({ channel }).find((one) => one.role_id === roleId && one.user_id === userId)
    if (found === undefined) throw notFound()
    return found
  }
}
