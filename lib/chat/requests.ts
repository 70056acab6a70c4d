import { randomBytes } from 'node:crypto'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_REQUESTS } from './limits.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import { sqliteCode } from './store/sqlite.ts'

/** What somebody wants, and somebody else decides. */
export interface Request {
  readonly id: string
  /** As bots name it. */
  readonly flag: string
  /** To be friends, to come into a server, to have somebody come into it. */
  readonly kind: 'friend' | 'join' | 'invite'
  readonly from_user: string
  readonly to_user: string | null
  readonly server_id: string | null
  readonly comment: string
  readonly state: 'pending' | 'approved' | 'rejected'
  readonly reason: string | null
  readonly decided_by: string | null
  readonly created_at: string
  readonly decided_at: string | null
}

export type Wish = Pick<Request, 'kind' | 'from_user' | 'to_user' | 'server_id' | 'comment'>

const COLUMNS = [
  'id',
  'flag',
  'kind',
  'from_user',
  'to_user',
  'server_id',
  'comment',
  'state',
  'reason',
  'decided_by',
  'created_at',
  'decided_at',
] as const

/** What is kept of requests; who may make and decide them is up to friends.ts and arrivals.ts. */
export class Requests {
  readonly #core: Core
  readonly #byId
  readonly #byFlag
  readonly #ofUser
  readonly #ofServer
  readonly #countFrom
  readonly #insert
  readonly #decide

  constructor(core: Core) {
    this.#core = core
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('requests').select(COLUMNS).where('id', '=', p('id')),
    )
    this.#byFlag = db.first((q, p: Param<{ flag: string }>) =>
      q.selectFrom('requests').select(COLUMNS).where('flag', '=', p('flag')),
    )
    this.#ofUser = db.all((q, p: Param<{ user: string; kind: Request['kind'] }>) =>
      q
        .selectFrom('requests')
        .select(COLUMNS)
        .where('kind', '=', p('kind'))
        .where('state', '=', 'pending')
        .where((eb) => eb.or([eb('to_user', '=', p('user')), eb('from_user', '=', p('user'))]))
        .orderBy('id', 'desc'),
    )
    this.#ofServer = db.all((q, p: Param<{ server: string; kind: Request['kind'] }>) =>
      q
        .selectFrom('requests')
        .select(COLUMNS)
        .where('server_id', '=', p('server'))
        .where('kind', '=', p('kind'))
        .where('state', '=', 'pending')
        .orderBy('id', 'desc'),
    )
    this.#countFrom = db.first((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('requests')
        .where('from_user', '=', p('user'))
        .where('state', '=', 'pending')
        .select(({ fn }) => fn.countAll<number>().as('count')),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          flag: string
          kind: Request['kind']
          from: string
          to: string | null
          server: string | null
          comment: string
          at: string
        }>,
      ) =>
        q.insertInto('requests').values({
          id: p('id'),
          flag: p('flag'),
          kind: p('kind'),
          from_user: p('from'),
          to_user: p('to'),
          server_id: p('server'),
          comment: p('comment'),
          state: 'pending',
          created_at: p('at'),
        }),
    )
    this.#decide = db.run(
      (q, p: Param<{ id: string; state: Request['state']; reason: string | null; by: string; at: string }>) =>
        q
          .updateTable('requests')
          .set({ state: p('state'), reason: p('reason'), decided_by: p('by'), decided_at: p('at') })
          .where('id', '=', p('id')),
    )
  }

  /** One that nobody has decided. */
  pending(kind: Request['kind'], id: string): Request {
    const request = this.#byId({ id })
    if (request?.kind !== kind || request.state !== 'pending') throw notFound()
    return request
  }

  byFlag(flag: string): Request | null {
    return this.#byFlag({ flag }) ?? null
  }

  /** By somebody, or to them; the newest first. */
  ofUser(user: string, kind: Request['kind']): Request[] {
    return this.#ofUser({ user, kind })
  }

  ofServer(server: string, kind: Request['kind']): Request[] {
    return this.#ofServer({ server, kind })
  }

  // Changes

  /** CONFLICT where the same was asked already. */
  make({ kind, from_user, to_user, server_id, comment }: Wish): Request {
    if ((this.#countFrom({ user: from_user })?.count ?? 0) >= MAX_REQUESTS) {
      throw new Refusal('LIMIT', `You can have asked for ${MAX_REQUESTS} things at once`)
    }
    const { ids, changes } = this.#core
    const id = ids.next()
    const flag = randomBytes(12).toString('hex')
    try {
      const at = createdAt(id)
      this.#insert({ id, flag, kind, from: from_user, to: to_user, server: server_id, comment, at })
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new Refusal('CONFLICT', 'This was asked already')
    }
    const request = this.pending(kind, id)
    changes.emit({ type: 'request.made', request })
    return request
  }

  decide({ id }: Request, state: 'approved' | 'rejected', by: string, reason: string | null): Request {
    this.#decide({ id, state, reason, by, at: toTime(this.#core.now()) })
    const request = this.#byId({ id })
    if (request === undefined) throw notFound()
    this.#core.changes.emit({ type: 'request.decided', request })
    return request
  }
}
