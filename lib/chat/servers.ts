import type { Access } from './access.ts'
import type { Details } from './audit.ts'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_SERVERS } from './limits.ts'
import { isPartOf } from './group.ts'
import { MANAGE_SERVER } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Flag } from './store/flag.ts'
import { prepareServers } from './store/servers.ts'

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

export class Servers {
  readonly #core: Core
  readonly #access: Access
  readonly #rows

  constructor(core: Core, access: Access) {
    this.#core = core
    this.#access = access
    this.#rows = prepareServers(core.db)
  }

  /** One's own, the oldest first. */
  of(user: string): Server[] {
    return this.#rows.ofUser({ user })
  }

  countedOf(user: string): CountedServer[] {
    return this.#rows.countedOf({ user })
  }

  /** Those that anybody may see, the largest first. */
  browse(): CountedServer[] {
    return this.#rows.public({})
  }

  /** NOT_FOUND for who is no member. */
  get(user: string, id: string): CountedServer {
    this.#access.member(user, id)
    return this.known(id)
  }

  isBanned(user: string, server: string): boolean {
    return this.#rows.banned({ server, user }) !== undefined
  }

  // Changes

  /** Whoever makes a server owns it, and is its first member. */
  create(owner: string, draft: ServerDraft): CountedServer {
    this.#checkRoom(owner)
    const id = this.#core.ids.next()
    this.#rows.insert({ id, owner, at: createdAt(id), ...draft })
    this.#log(owner, id, 'server.create', { name: draft.name })
    this.admit(owner, id)
    return this.known(id)
  }

  change(user: string, id: string, next: Partial<ServerDraft>): CountedServer {
    this.#access.mayInServer(user, id, MANAGE_SERVER)
    const before = this.known(id)
    if (isPartOf(next, before)) return before
    const { name, icon_url, is_public, require_invite } = { ...before, ...next }
    this.#rows.update({ id, name, icon_url, is_public, require_invite, at: toTime(this.#core.now()) })
    this.#log(user, id, 'server.update', next)
    return this.known(id)
  }

  /** With everything in it: for its owner only. */
  remove(user: string, id: string): void {
    if (!this.#access.member(user, id).owner) throw forbidden()
    const { name } = this.known(id)
    this.#rows.delete({ id })
    const target = ['server', id] as const
    this.#core.audit.log({ server: null, actor: user, action: 'server.delete', target, details: { name } })
    this.#core.changes.emit({ type: 'server.deleted', serverId: id })
  }

  /** A public server, without invitation. */
  join(user: string, id: string): void {
    const server = this.#door(user, id)
    this.#checkWelcome(user, id)
    if (server.require_invite === 1) throw new Refusal('FORBIDDEN', 'This server needs an invite')
    this.#checkRoom(user)
    this.#log(user, id, 'server.join')
    this.admit(user, id)
  }

  /** Whoever owns a server stays. */
  leave(user: string, id: string): void {
    if (this.#access.member(user, id).owner) throw new Refusal('INVALID', 'The owner cannot leave: delete the server')
    this.#log(user, id, 'server.leave')
    this.expel(user, id)
  }

  /** Makes a member of somebody who may be one. `by`: who has let them in, or has asked them to come. */
  admit(user: string, id: string, by: string | null = null, invited = false): void {
    const { ids, changes } = this.#core
    const marker = ids.next()
    this.#rows.join({ server: id, user, at: createdAt(marker), marker })
    changes.emit({ type: 'member.joined', serverId: id, userId: user, by, invited })
  }

  /** Ends a membership; messages, timeouts and what was read stay. */
  expel(user: string, id: string): void {
    const { changes } = this.#core
    const channelIds = this.#access.visible(user, id)
    const channels = this.#rows.overridden({ server: id, user })
    this.#rows.dropOverrides({ server: id, user })
    this.#rows.leave({ server: id, user })
    changes.emit({ type: 'member.left', serverId: id, userId: user, channelIds })
    // One that nobody else is kept out of is open to all again.
    for (const { channel_id } of channels) {
      changes.emit({ type: 'channel.visibility', serverId: id, channelId: channel_id, deleted: false })
    }
  }

  /** Whether somebody can ask to come in: where the door can be seen, and is not open. */
  checkCanBeAsked(user: string, id: string): void {
    const server = this.#door(user, id)
    this.checkMayEnter(user, id)
    if (server.require_invite === 0) throw new Refusal('INVALID', 'This server needs no invite: join it')
  }

  /** A server that somebody can see from outside. */
  #door(user: string, id: string) {
    const server = this.#rows.doorOf({ id })
    if (server === undefined || (server.is_public === 0 && !this.#access.isMember(user, id))) throw notFound()
    return server
  }

  /** Whether somebody can become a member, whichever way they come. */
  checkMayEnter(user: string, id: string): void {
    this.#checkWelcome(user, id)
    this.#checkRoom(user)
  }

  #checkWelcome(user: string, id: string): void {
    if (this.#access.isMember(user, id)) throw new Refusal('CONFLICT', 'You are a member already')
    if (this.isBanned(user, id)) throw new Refusal('BANNED', 'You are banned from this server')
  }

  #log(actor: string, server: string, action: string, details: Details = {}): void {
    this.#core.audit.log({ server, actor, action, target: ['server', server], details })
  }

  #checkRoom(user: string): void {
    if ((this.#rows.countOf({ user })?.count ?? 0) >= MAX_SERVERS) {
      throw new Refusal('LIMIT', `You can be in ${MAX_SERVERS} servers`)
    }
  }

  /** One by its name or id, as a config has it; of several of one name the oldest. */
  named(name: string): string | null {
    return this.#rows.named({ name })?.id ?? null
  }

  /** Whoever asks: for what was looked at before. */
  known(id: string): CountedServer {
    const server = this.#rows.byId({ id })
    if (server === undefined) throw notFound()
    return server
  }
}
