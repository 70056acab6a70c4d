import type { Access } from './access.ts'
import { idBefore, type Ids, timeOf, toTime } from './ids.ts'
import type { Page } from './page.ts'
import { MANAGE_SERVER } from './permissions.ts'
import type { Database, Param } from './store/database.ts'

/** What somebody did that others may want to look up. */
export interface AuditEntry {
  readonly id: string
  readonly actor_id: string | null
  /** Such as 'member.kick'. */
  readonly action: string
  readonly target_type: string | null
  readonly target_id: string | null
  /** What was said of it. */
  readonly details: Details
  readonly created_at: string
}

/** By name. */
export type Details = Readonly<Record<string, unknown>>

export interface Act {
  /** Null: it has gone. */
  readonly server: string | null
  readonly actor: string
  readonly action: string
  readonly target: readonly [type: 'server' | 'user' | 'role' | 'channel' | 'override' | 'invite' | 'emoji', id: string]
  readonly details?: Details
}

/** Milliseconds for which it is kept. */
const KEPT = 90 * 86_400_000
const COLUMNS = ['id', 'actor_id', 'action', 'target_type', 'target_id', 'details', 'created_at'] as const

const isObject = (value: unknown): value is Details => typeof value === 'object' && value !== null

function parse(text: string): Details {
  const value: unknown = JSON.parse(text)
  return isObject(value) ? value : {}
}

/** Who did what in a server: neither what was said, nor what lets somebody in. */
export class Audit {
  readonly #ids: Ids
  readonly #now: () => number
  readonly #insert
  readonly #forget
  readonly #place
  readonly #page
  readonly #after

  constructor(db: Database, ids: Ids, now: () => number) {
    this.#ids = ids
    this.#now = now
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          server: string | null
          actor: string
          action: string
          type: string
          target: string
          details: string
          at: string
        }>,
      ) =>
        q.insertInto('audit_logs').values({
          id: p('id'),
          server_id: p('server'),
          actor_id: p('actor'),
          action: p('action'),
          target_type: p('type'),
          target_id: p('target'),
          details: p('details'),
          created_at: p('at'),
        }),
    )
    this.#forget = db.run((q, p: Param<{ server: string | null; before: string }>) =>
      q.deleteFrom('audit_logs').where('server_id', 'is', p('server')).where('id', '<', p('before')),
    )
    this.#place = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('audit_logs').select('server_id').where('id', '=', p('id')),
    )
    this.#page = db.all((q, p: Param<{ server: string; since: string; before: string; limit: number }>) =>
      q
        .selectFrom('audit_logs')
        .select(COLUMNS)
        .where('server_id', '=', p('server'))
        .where('id', '<', p('before'))
        .where('id', '>', p('since'))
        .orderBy('id', 'desc')
        .limit(p('limit')),
    )
    this.#after = db.all((q, p: Param<{ server: string; after: string; limit: number }>) =>
      q
        .selectFrom('audit_logs')
        .select(COLUMNS)
        .where('server_id', '=', p('server'))
        .where('id', '>', p('after'))
        .orderBy('id')
        .limit(p('limit')),
    )
  }

  /** The newest first, or the oldest first after a cursor. */
  list(access: Access, user: string, server: string, { before, after, limit }: Page): AuditEntry[] {
    access.mayInServer(user, server, MANAGE_SERVER)
    const cursor = before ?? after
    // One of elsewhere must not tell how old it is.
    if (cursor !== null && this.#place({ id: cursor })?.server_id !== server) return []
    const since = idBefore(this.#now() - KEPT)
    const rows =
      after === null
        ? // Before 'g' are all ids.
          this.#page({ server, since, before: before ?? 'g', limit })
        : this.#after({ server, after: after > since ? after : since, limit })
    return rows.map((row) => ({ ...row, details: parse(row.details) }))
  }

  // Changes

  log({ server, actor, action, target: [type, target], details = {} }: Act): void {
    const id = this.#ids.next()
    const now = timeOf(id)
    this.#insert({ id, server, actor, action, type, target, details: JSON.stringify(details), at: toTime(now) })
    this.#forget({ server, before: idBefore(now - KEPT) })
  }
}
