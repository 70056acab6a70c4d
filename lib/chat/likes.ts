import type { Core } from './core.ts'
import { toTime } from './ids.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Users } from './users.ts'

/** Of one user for another, in one day. */
const MOST_A_DAY = 10

/** What people think of each other. */
export class Likes {
  readonly #core: Core
  readonly #users: Users
  readonly #today
  readonly #add
  readonly #count

  constructor(core: Core, users: Users) {
    this.#core = core
    this.#users = users
    const { db } = core
    this.#today = db.first((q, p: Param<{ from: string; to: string; day: string }>) =>
      q
        .selectFrom('likes')
        .select('times')
        .where('from_user', '=', p('from'))
        .where('to_user', '=', p('to'))
        .where('day', '=', p('day')),
    )
    this.#add = db.run((q, p: Param<{ from: string; to: string; day: string; times: number; at: string }>) =>
      q.replaceInto('likes').values({
        from_user: p('from'),
        to_user: p('to'),
        day: p('day'),
        times: p('times'),
        last_at: p('at'),
      }),
    )
    this.#count = db.first((q, p: Param<{ to: string }>) =>
      q
        .selectFrom('likes')
        .where('to_user', '=', p('to'))
        .select(({ fn }) => fn.sum<number | null>('times').as('times')),
    )
  }

  /** How often somebody was liked. */
  of(user: string): number {
    return this.#count({ to: user })?.times ?? 0
  }

  // Changes

  /** LIMIT where that would be more than ten times in a day. */
  give(from: string, to: string, times: number): void {
    if (from === to) throw new Refusal('INVALID', 'Nobody likes themselves')
    if (!Number.isInteger(times) || times < 1) throw new Refusal('INVALID', 'Somebody is liked once or more')
    if (this.#users.find(to)?.disabled !== 0) throw notFound()
    const at = toTime(this.#core.now())
    const day = at.slice(0, 10)
    const sum = (this.#today({ from, to, day })?.times ?? 0) + times
    if (sum > MOST_A_DAY)
      throw new Refusal('LIMIT', `Nobody is liked more than ${MOST_A_DAY} times a day by the same user`)
    this.#add({ from, to, day, times: sum, at })
    this.#core.changes.emit({ type: 'user.liked', from, to, times })
  }
}
