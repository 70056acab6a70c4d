import { randomInt } from 'node:crypto'
import type { Access } from './access.ts'
import type { Details } from './audit.ts'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_INVITES } from './limits.ts'
import { CREATE_INVITES } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { CountedServer, Servers } from './servers.ts'
import type { Param } from './store/database.ts'

/** A key to a server: whoever has its code can come in. */
export interface Invite {
  readonly id: string
  readonly server_id: string
  readonly code: string
  readonly created_by: string | null
  /** Null: any number. */
  readonly max_uses: number | null
  readonly uses: number
  /** Null: it does not end by itself. */
  readonly expires_at: string | null
  readonly created_at: string
}

const COLUMNS = ['id', 'server_id', 'code', 'created_by', 'max_uses', 'uses', 'expires_at', 'created_at'] as const
const HOUR = 3_600_000
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 47 random bits. */
const makeCode = (): string => Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')

export class Invites {
  readonly #core: Core
  readonly #access: Access
  readonly #servers: Servers
  readonly #ofServer
  readonly #byCode
  readonly #count
  readonly #insert
  readonly #use
  readonly #delete

  constructor(core: Core, access: Access, servers: Servers) {
    this.#core = core
    this.#access = access
    this.#servers = servers
    const { db } = core
    this.#ofServer = db.all((q, p: Param<{ server: string }>) =>
      q.selectFrom('server_invites').select(COLUMNS).where('server_id', '=', p('server')).orderBy('id', 'desc'),
    )
    this.#byCode = db.first((q, p: Param<{ code: string }>) =>
      q.selectFrom('server_invites').select(COLUMNS).where('code', '=', p('code')),
    )
    this.#count = db.first((q, p: Param<{ server: string }>) =>
      q
        .selectFrom('server_invites')
        .where('server_id', '=', p('server'))
        .select(({ fn }) => fn.countAll<number>().as('count')),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          server: string
          code: string
          by: string
          most: number | null
          expires: string | null
          at: string
        }>,
      ) =>
        q.insertInto('server_invites').values({
          id: p('id'),
          server_id: p('server'),
          code: p('code'),
          created_by: p('by'),
          max_uses: p('most'),
          uses: 0,
          expires_at: p('expires'),
          created_at: p('at'),
        }),
    )
    this.#use = db.run((q, p: Param<{ id: string; now: string }>) =>
      q
        .updateTable('server_invites')
        .set((eb) => ({ uses: eb('uses', '+', 1) }))
        .where('id', '=', p('id'))
        .where((eb) => eb.or([eb('max_uses', 'is', null), eb('uses', '<', eb.ref('max_uses'))]))
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', p('now'))])),
    )
    this.#delete = db.run((q, p: Param<{ id: string; server: string }>) =>
      q.deleteFrom('server_invites').where('id', '=', p('id')).where('server_id', '=', p('server')),
    )
  }

  /** The newest first; those with them that have ended. */
  list(user: string, server: string): Invite[] {
    this.#access.mayInServer(user, server, CREATE_INVITES)
    return this.#ofServer({ server })
  }

  /** What an invite leads to; NOT_FOUND for one that is of no use any more. */
  preview(code: string): { readonly invite: Invite; readonly server: CountedServer } {
    const invite = this.#byCode({ code })
    const used = invite !== undefined && invite.max_uses !== null && invite.uses >= invite.max_uses
    const ended = (invite?.expires_at ?? null) !== null && (invite?.expires_at ?? '') <= toTime(this.#core.now())
    if (invite === undefined || used || ended) throw notFound()
    return { invite, server: this.#servers.known(invite.server_id) }
  }

  // Changes

  /** @param hours after which it ends; null: it does not */
  create(user: string, server: string, maxUses: number | null, hours: number | null): Invite {
    this.#access.mayInServer(user, server, CREATE_INVITES)
    if ((this.#count({ server })?.count ?? 0) >= MAX_INVITES) {
      throw new Refusal('LIMIT', `A server can have ${MAX_INVITES} invites`)
    }
    const { ids, now } = this.#core
    const id = ids.next()
    const expires = hours === null ? null : toTime(now() + hours * HOUR)
    const code = makeCode()
    this.#insert({ id, server, code, by: user, most: maxUses, expires, at: createdAt(id) })
    const invite = this.#byCode({ code })
    if (invite === undefined) throw notFound()
    // Not its code: who reads the log could come in with it.
    const details = { max_uses: maxUses, expires_at: expires }
    this.#log(user, server, 'invite.create', id, details)
    this.#core.changes.emit({ type: 'invite.created', invite })
    return invite
  }

  remove(user: string, server: string, id: string): void {
    this.#access.mayInServer(user, server, CREATE_INVITES)
    if (this.#delete({ id, server }) === 0) throw notFound()
    this.#log(user, server, 'invite.delete', id)
    this.#core.changes.emit({ type: 'invite.removed', serverId: server, inviteId: id })
  }

  /** Comes in; the id of the server. Of an invite for one, one of many at once comes in. */
  accept(user: string, code: string): string {
    const invite = this.#byCode({ code })
    if (invite === undefined) throw notFound()
    const { id, server_id, created_by } = invite
    this.#servers.checkMayEnter(user, server_id)
    if (this.#use({ id, now: toTime(this.#core.now()) }) === 0) {
      throw new Refusal('INVALID', 'This invite has ended')
    }
    this.#log(user, server_id, 'invite.accept', id)
    this.#servers.admit(user, server_id, created_by, true)
    return server_id
  }

  #log(actor: string, server: string, action: string, invite: string, details: Details = {}): void {
    this.#core.audit.log({ server, actor, action, target: ['invite', invite], details })
  }
}
