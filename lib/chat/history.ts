import type { Kysely, RawBuilder } from 'kysely'
import type { Core } from './core.ts'
import type { Param } from './store/database.ts'
import type { Tables } from './store/tables.ts'

const numbers = (
  q: Kysely<Tables>,
  table: 'messages' | 'dm_messages',
  channel: RawBuilder<string>,
  upTo: RawBuilder<number>,
  limit: RawBuilder<number>,
) =>
  q
    .selectFrom(table)
    .select('num')
    .where('channel_id', '=', channel)
    .where('seq', '<=', upTo)
    .where('deleted', '=', 0)
    .where('draft', '=', 0)
    .orderBy('seq', 'desc')
    .limit(limit)

/** What was said in a chat, by the numbers of its messages: threads with the rest, the oldest first. Who may read it is not looked at. */
export class History {
  readonly #ofChannel
  readonly #ofDirect
  readonly #inChannel

  constructor({ db }: Core) {
    type P = Param<{ channel: string; upTo: number; limit: number }>
    this.#ofChannel = db.all((q, p: P) => numbers(q, 'messages', p('channel'), p('upTo'), p('limit')))
    this.#ofDirect = db.all((q, p: P) => numbers(q, 'dm_messages', p('channel'), p('upTo'), p('limit')))
    this.#inChannel = db.first((q, p: Param<{ num: number }>) =>
      q.selectFrom('messages').select('num').where('num', '=', p('num')),
    )
  }

  /** Whether a message is of a channel, rather than a direct one; deleted or not. */
  isOfChannel(num: number): boolean {
    return this.#inChannel({ num }) !== undefined
  }

  /** @param upTo the place in the channel of the newest; null: that is the newest there is */
  ofChannel(channel: string, upTo: number | null, limit: number): number[] {
    return this.#ofChannel({ channel, upTo: upTo ?? LAST, limit })
      .map(({ num }) => num)
      .toReversed()
  }

  ofDirect(channel: string, upTo: number | null, limit: number): number[] {
    return this.#ofDirect({ channel, upTo: upTo ?? LAST, limit })
      .map(({ num }) => num)
      .toReversed()
  }
}

const LAST = Number.MAX_SAFE_INTEGER
