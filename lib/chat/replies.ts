import type { Core } from './core.ts'
import { toTime } from './ids.ts'
import type { Param } from './store/database.ts'

/** Milliseconds for which an answer is kept. */
const KEPT = 600_000

/** What was answered: a status, and JSON. */
export interface KeptReply {
  readonly status: number
  readonly body: string
}

/** Answers by a key of whoever asked, so that a request that is sent again does nothing twice. */
export class Replies {
  readonly #core: Core
  readonly #find
  readonly #keep
  readonly #sweep

  constructor(core: Core) {
    this.#core = core
    const { db } = core
    this.#find = db.first((q, p: Param<{ user: string; route: string; key: string; now: string }>) =>
      q
        .selectFrom('idempotency_keys')
        .select(['status', 'body'])
        .where('user_id', '=', p('user'))
        .where('route', '=', p('route'))
        .where('key', '=', p('key'))
        .where('expires_at', '>', p('now')),
    )
    this.#keep = db.run(
      (q, p: Param<{ user: string; route: string; key: string; status: number; body: string; expires: string }>) =>
        q.insertInto('idempotency_keys').values({
          user_id: p('user'),
          route: p('route'),
          key: p('key'),
          status: p('status'),
          body: p('body'),
          expires_at: p('expires'),
        }),
    )
    this.#sweep = db.run((q, p: Param<{ now: string }>) =>
      q.deleteFrom('idempotency_keys').where('expires_at', '<=', p('now')),
    )
  }

  // Changes

  /** The answer that was given under a key, or the one that `make` gives now. */
  once(user: string, route: string, key: string, make: () => KeptReply): KeptReply {
    const now = this.#core.now()
    const known = this.#find({ user, route, key, now: toTime(now) })
    if (known !== undefined) return { status: known.status, body: known.body }
    const made = make()
    this.#sweep({ now: toTime(now) })
    this.#keep({ user, route, key, ...made, expires: toTime(now + KEPT) })
    return made
  }
}
