import type { Core } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_SESSIONS } from './limits.ts'
import type { Param } from './store/database.ts'

/** What a token that renews a session belongs to. */
export interface Renewal {
  readonly session_id: string
  readonly user_id: string
  readonly expires_at: string
  /** Null: it is good. */
  readonly used_at: string | null
  readonly used_from: string | null
  readonly revoked_at: string | null
}

/** Logins of people. Tokens are known by their hash only. */
export class Sessions {
  readonly #core: Core
  readonly #live
  readonly #ofUser
  readonly #byToken
  readonly #insert
  readonly #insertToken
  readonly #use
  readonly #touch
  readonly #revoke
  readonly #sweep

  constructor(core: Core) {
    this.#core = core
    const { db } = core
    this.#live = db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('sessions')
        .select(['user_id', 'expires_at'])
        .where('id', '=', p('id'))
        .where('revoked_at', 'is', null),
    )
    this.#ofUser = db.all((q, p: Param<{ user: string; now: string }>) =>
      q
        .selectFrom('sessions')
        .select('id')
        .where('user_id', '=', p('user'))
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', p('now'))
        .orderBy('last_used_at')
        .orderBy('id'),
    )
    this.#byToken = db.first((q, p: Param<{ hash: string }>) =>
      q
        .selectFrom('refresh_tokens as t')
        .innerJoin('sessions as s', 's.id', 't.session_id')
        .where('t.token_hash', '=', p('hash'))
        .select(['t.session_id', 's.user_id', 't.expires_at', 't.used_at', 't.used_from', 's.revoked_at']),
    )
    this.#insert = db.run((q, p: Param<{ id: string; user: string; now: string; expires: string }>) =>
      q.insertInto('sessions').values({
        id: p('id'),
        user_id: p('user'),
        created_at: p('now'),
        last_used_at: p('now'),
        expires_at: p('expires'),
      }),
    )
    this.#insertToken = db.run((q, p: Param<{ hash: string; session: string; now: string; expires: string }>) =>
      q.insertInto('refresh_tokens').values({
        token_hash: p('hash'),
        session_id: p('session'),
        issued_at: p('now'),
        expires_at: p('expires'),
      }),
    )
    this.#use = db.run((q, p: Param<{ hash: string; now: string; from: string }>) =>
      q
        .updateTable('refresh_tokens')
        .set({ used_at: p('now'), used_from: p('from') })
        .where('token_hash', '=', p('hash'))
        .where('used_at', 'is', null),
    )
    this.#touch = db.run((q, p: Param<{ id: string; now: string; expires: string }>) =>
      q
        .updateTable('sessions')
        .set({ last_used_at: p('now'), expires_at: p('expires') })
        .where('id', '=', p('id')),
    )
    this.#revoke = db.run((q, p: Param<{ id: string; now: string; reason: string }>) =>
      q
        .updateTable('sessions')
        .set({ revoked_at: p('now'), revoke_reason: p('reason') })
        .where('id', '=', p('id'))
        .where('revoked_at', 'is', null),
    )
    this.#sweep = db.run((q, p: Param<{ before: string }>) =>
      q.deleteFrom('sessions').where('expires_at', '<', p('before')),
    )
  }

  /** Whether a session has not ended, and is this user's. */
  isLive(id: string, user: string): boolean {
    const session = this.#live({ id })
    return session?.user_id === user && Date.parse(session.expires_at) > this.#core.now()
  }

  /** When a session ends unless it is renewed, in milliseconds since 1970; one that is revoked has ended. */
  endOf(id: string): number {
    return Date.parse(this.#live({ id })?.expires_at ?? '') || 0
  }

  find(tokenHash: string): Renewal | null {
    return this.#byToken({ hash: tokenHash }) ?? null
  }

  // Changes

  /** A new login; the oldest go where there are too many. Returns its id. */
  begin(user: string, tokenHash: string, lifetime: number): string {
    const { ids, now } = this.#core
    const id = ids.next()
    const [at, expires] = [toTime(now()), toTime(now() + lifetime)]
    this.#sweep({ before: at })
    const others = this.#ofUser({ user, now: at })
    for (const other of others.slice(0, Math.max(0, others.length - MAX_SESSIONS + 1)))
      this.end(other.id, user, 'limit')
    this.#insert({ id, user, now: at, expires })
    this.#insertToken({ hash: tokenHash, session: id, now: at, expires })
    return id
  }

  /** One token for another. False where it was used before. */
  renew(session: string, tokenHash: string, nextHash: string, from: string, lifetime: number): boolean {
    const { now } = this.#core
    const [at, expires] = [toTime(now()), toTime(now() + lifetime)]
    if (this.#use({ hash: tokenHash, now: at, from }) !== 1) return false
    this.#insertToken({ hash: nextHash, session, now: at, expires })
    this.#touch({ id: session, now: at, expires })
    return true
  }

  end(id: string, user: string, reason: string): void {
    if (this.#revoke({ id, now: toTime(this.#core.now()), reason }) === 0) return
    this.#core.changes.emit({ type: 'session.ended', sessionId: id, userId: user })
  }

  /** All of a user, but for one. */
  endAll(user: string, reason: string, except: string | null): void {
    for (const { id } of this.#ofUser({ user, now: toTime(this.#core.now()) })) {
      if (id !== except) this.end(id, user, reason)
    }
  }
}
