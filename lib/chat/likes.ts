import type { Core } from './core.ts'
import { toTime } from './ids.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Users } from './users.ts'

/** Of one user for another, in one day. */
const MOST_A_DAY = 10

/** Somebody who likes somebody. */
export interface Liker {
  readonly from_user: string
  readonly times: number
  /** Null: not today. */
  readonly today: number | null
  readonly last_at: string
}

/** What people think of each other. */
export class Likes {
  readonly #core: Core
  readonly #users: Users
  readonly #today
  readonly #add
  readonly #count
  readonly #likers

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
    this.#count = db.first((q, p: Param<{ to: string; day: string }>) =>
      q
        .selectFrom('likes')
        .where('to_user', '=', p('to'))
        .select(({ fn }) => fn.sum<number | null>('times').as('total'))
        .select(({ eb, fn }) =>
          fn
            .sum<number | null>('times')
            .filterWhere(eb('day', '=', p('day')))
            .as('today'),
        ),
    )
    this.#likers = db.all((q, p: Param<{ to: string; day: string; start: number; count: number }>) =>
      q
        .selectFrom('likes')
        .where('to_user', '=', p('to'))
        .groupBy('from_user')
        .select('from_user')
        .select(({ fn }) => [fn.sum<number>('times').as('times'), fn.max('last_at').as('last_at')])
        .select(({ eb, fn }) =>
          fn
            .sum<number | null>('times')
            .filterWhere(eb('day', '=', p('day')))
            .as('today'),
        )
        .orderBy('last_at', 'desc')
        .orderBy('from_user')
        .limit(p('count'))
        .offset(p('start')),
    )
  }

  /** How often somebody was liked, in all and today. */
  of(user: string): { readonly total: number; readonly today: number } {
    const { total, today } = this.#count({ to: user, day: this.#day }) ?? {}
    return { total: total ?? 0, today: today ?? 0 }
  }

  /** Who likes somebody: who has done so last comes first. */
  likers(user: string, start: number, count: number): Liker[] {
    return this.#likers({ to: user, day: this.#day, start, count })
  }

  get #day(): string {
    return toTime(this.#core.now()).slice(0, 10)
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
