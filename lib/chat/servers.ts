import type { ExpressionBuilder } from 'kysely'
import type { Access } from './access.ts'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_SERVERS } from './limits.ts'
import { MANAGE_SERVER } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Flag } from './store/flag.ts'
import type { Tables } from './store/tables.ts'

/** A place with members and channels. */
export interface Server {
  readonly id: string
  readonly name: string
  readonly owner_id: string
  readonly icon_url: string | null
  readonly is_public: Flag
  readonly require_invite: Flag
  readonly created_at: string
  readonly updated_at: string
}

export interface CountedServer extends Server {
  readonly member_count: number
}

export type ServerDraft = Pick<Server, 'name' | 'icon_url' | 'is_public' | 'require_invite'>

const COLUMNS = [
  's.id',
  's.name',
  's.owner_id',
  's.icon_url',
  's.is_public',
  's.require_invite',
  's.created_at',
  's.updated_at',
] as const
/** Servers that are shown to who looks around. */
const BROWSED = 50

const countMembers = (eb: ExpressionBuilder<Tables & { s: Tables['servers'] }, 's'>) =>
  eb
    .selectFrom('server_members as of')
    .whereRef('of.server_id', '=', 's.id')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .$asScalar()
    .$notNull()
    .as('member_count')

export class Servers {
  readonly #core: Core
  readonly #access: Access
  readonly #byId
  readonly #ofUser
  readonly #countedOf
  readonly #public
  readonly #countOf
  readonly #banned
  readonly #insert
  readonly #update
  readonly #delete
  readonly #join
  readonly #leave
  readonly #overridden
  readonly #dropOverrides
  readonly #doorOf

  constructor(core: Core, access: Access) {
    this.#core = core
    this.#access = access
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('servers as s')
        .where('s.id', '=', p('id'))
        .select(COLUMNS)
        .select((eb) => countMembers(eb)),
    )
    this.#ofUser = db.all((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('servers as s', 's.id', 'm.server_id')
        .where('m.user_id', '=', p('user'))
        .select(COLUMNS)
        .orderBy('s.created_at')
        .orderBy('s.id'),
    )
    this.#countedOf = db.all((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('server_members as m')
        .innerJoin('servers as s', 's.id', 'm.server_id')
        .where('m.user_id', '=', p('user'))
        .select(COLUMNS)
        .select((eb) => countMembers(eb))
        .orderBy('s.created_at')
        .orderBy('s.id'),
    )
    this.#public = db.all((q) =>
      q
        .selectFrom('servers as s')
        .where('s.is_public', '=', 1)
        .select(COLUMNS)
        .select((eb) => countMembers(eb))
        .orderBy('member_count', 'desc')
        .orderBy('s.id')
        .limit(BROWSED),
    )
    this.#countOf = db.first((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('server_members')
        .where('user_id', '=', p('user'))
        .select(({ fn }) => fn.countAll<number>().as('count')),
    )
    this.#banned = db.first((q, p: Param<{ server: string; user: string }>) =>
      q
        .selectFrom('server_bans')
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user'))
        .select('created_at'),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          name: string
          owner: string
          icon_url: string | null
          is_public: Flag
          require_invite: Flag
          at: string
        }>,
      ) =>
        q.insertInto('servers').values({
          id: p('id'),
          name: p('name'),
          owner_id: p('owner'),
          icon_url: p('icon_url'),
          is_public: p('is_public'),
          require_invite: p('require_invite'),
          created_at: p('at'),
          updated_at: p('at'),
        }),
    )
    this.#update = db.run(
      (
        q,
        p: Param<{
          id: string
          name: string
          icon_url: string | null
          is_public: Flag
          require_invite: Flag
          at: string
        }>,
      ) =>
        q
          .updateTable('servers')
          .set({
            name: p('name'),
            icon_url: p('icon_url'),
            is_public: p('is_public'),
            require_invite: p('require_invite'),
            updated_at: p('at'),
          })
          .where('id', '=', p('id')),
    )
    this.#delete = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('servers').where('id', '=', p('id')))
    this.#join = db.run((q, p: Param<{ server: string; user: string; at: string; marker: string }>) =>
      q.insertInto('server_members').values({
        server_id: p('server'),
        user_id: p('user'),
        joined_at: p('at'),
        join_marker: p('marker'),
        server_mute: 0,
        server_deaf: 0,
      }),
    )
    // Its roles go with it.
    this.#leave = db.run((q, p: Param<{ server: string; user: string }>) =>
      q.deleteFrom('server_members').where('server_id', '=', p('server')).where('user_id', '=', p('user')),
    )
    this.#overridden = db.all((q, p: Param<{ server: string; user: string }>) =>
      q
        .selectFrom('channel_overrides as o')
        .innerJoin('channels as c', 'c.id', 'o.channel_id')
        .where('o.user_id', '=', p('user'))
        .where('c.server_id', '=', p('server'))
        .select('o.channel_id'),
    )
    this.#dropOverrides = db.run((q, p: Param<{ server: string; user: string }>) =>
      q
        .deleteFrom('channel_overrides')
        .where('user_id', '=', p('user'))
        .where('channel_id', 'in', (eb) => eb.selectFrom('channels').select('id').where('server_id', '=', p('server'))),
    )
    this.#doorOf = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('servers').select(['owner_id', 'is_public', 'require_invite']).where('id', '=', p('id')),
    )
  }

  /** One's own, the oldest first. */
  of(user: string): Server[] {
    return this.#ofUser({ user })
  }

  countedOf(user: string): CountedServer[] {
    return this.#countedOf({ user })
  }

  /** Those that anybody may see, the largest first. */
  browse(): CountedServer[] {
    return this.#public({})
  }

  /** NOT_FOUND for who is no member. */
  get(user: string, id: string): CountedServer {
    this.#access.member(user, id)
    return this.known(id)
  }

  isBanned(user: string, server: string): boolean {
    return this.#banned({ server, user }) !== undefined
  }

  // Changes

  /** Whoever makes a server owns it, and is its first member. */
  create(owner: string, draft: ServerDraft): CountedServer {
    this.#checkRoom(owner)
    const id = this.#core.ids.next()
    this.#insert({ id, owner, at: createdAt(id), ...draft })
    this.admit(owner, id)
    return this.known(id)
  }

  change(user: string, id: string, next: Partial<ServerDraft>): CountedServer {
    this.#access.mayInServer(user, id, MANAGE_SERVER)
    const { name, icon_url, is_public, require_invite } = { ...this.known(id), ...next }
    this.#update({ id, name, icon_url, is_public, require_invite, at: toTime(this.#core.now()) })
    return this.known(id)
  }

  /** With everything in it: for its owner only. */
  remove(user: string, id: string): void {
    if (!this.#access.member(user, id).owner) throw forbidden()
    this.#delete({ id })
    this.#core.changes.emit({ type: 'server.deleted', serverId: id })
  }

  /** A public server, without invitation. */
  join(user: string, id: string): void {
    const server = this.#doorOf({ id })
    if (server === undefined || (server.is_public === 0 && !this.#access.isMember(user, id))) throw notFound()
    this.checkMayEnter(user, id)
    if (server.require_invite === 1) throw new Refusal('FORBIDDEN', 'This server needs an invite')
    this.admit(user, id)
  }

  /** Whoever owns a server stays. */
  leave(user: string, id: string): void {
    if (this.#access.member(user, id).owner) throw new Refusal('INVALID', 'The owner cannot leave: delete the server')
    this.expel(user, id)
  }

  /** Makes a member of somebody who may be one. */
  admit(user: string, id: string): void {
    const { ids, changes } = this.#core
    const marker = ids.next()
    this.#join({ server: id, user, at: createdAt(marker), marker })
    changes.emit({ type: 'member.joined', serverId: id, userId: user })
  }

  /** Ends a membership; messages, timeouts and what was read stay. */
  expel(user: string, id: string): void {
    const { changes } = this.#core
    const channels = this.#overridden({ server: id, user })
    this.#dropOverrides({ server: id, user })
    this.#leave({ server: id, user })
    changes.emit({ type: 'member.left', serverId: id, userId: user })
    // One that nobody else is kept out of is open to all again.
    for (const { channel_id } of channels) {
      changes.emit({ type: 'channel.visibility', serverId: id, channelId: channel_id, deleted: false })
    }
  }

  /** Whether somebody can become a member, whichever way they come. */
  checkMayEnter(user: string, id: string): void {
    if (this.#access.isMember(user, id)) throw new Refusal('CONFLICT', 'You are a member already')
    if (this.isBanned(user, id)) throw new Refusal('BANNED', 'You are banned from this server')
    this.#checkRoom(user)
  }

  #checkRoom(user: string): void {
    if ((this.#countOf({ user })?.count ?? 0) >= MAX_SERVERS) {
      throw new Refusal('LIMIT', `You can be in ${MAX_SERVERS} servers`)
    }
  }

  /** Whoever asks: for what was looked at before. */
  known(id: string): CountedServer {
    const server = this.#byId({ id })
    if (server === undefined) throw notFound()
    return server
  }
}
