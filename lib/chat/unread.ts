import { sql } from 'kysely'
import type { Access } from './access.ts'
import type { Core } from './core.ts'
import type { Directs } from './directs.ts'
import { MAX_COUNT } from './limits.ts'
import { notFound } from './refusal.ts'
import type { Param } from './store/database.ts'

/** What somebody has yet to read in a channel. */
export interface Unread {
  readonly id: string
  readonly unread: number
  readonly mentions: number
}

/**
 * What was read, and what was not. The mark of a channel is the id behind which everything is unread: that of the last message
 * read, else one drawn when its reader joined.
 */
export class Unreads {
  readonly #core: Core
  readonly #access: Access
  readonly #directs: Directs
  readonly #channels
  readonly #directChannels
  readonly #place
  readonly #joined
  readonly #mark

  constructor(core: Core, access: Access, directs: Directs) {
    this.#core = core
    this.#access = access
    this.#directs = directs
    const { db } = core
    // Where nothing is behind the mark, messages are not looked at. An author that is gone is not the reader: IS NOT, for '<>'
    // is not true of NULL.
    this.#channels = db.all((q, p: Param<{ user: string; most: number }>) => ({
      compile: () =>
        sql<Unread>`
          SELECT c.id,
            (SELECT COUNT(*) FROM (
              SELECT 1 FROM messages x
              WHERE x.channel_id = c.id AND x.id > COALESCE(r.last_read_id, m.join_marker)
                AND x.thread_id IS NULL AND x.deleted = 0 AND x.author_id IS NOT m.user_id
              LIMIT ${p('most')})) AS unread,
            (SELECT COUNT(*) FROM (
              SELECT x.id FROM messages x
              WHERE x.channel_id = c.id AND x.id > COALESCE(r.last_read_id, m.join_marker)
                AND x.mention_everyone = 1 AND x.deleted = 0 AND x.author_id IS NOT m.user_id
              UNION
              SELECT x.id FROM message_mentions w JOIN messages x ON x.id = w.message_id
              WHERE w.user_id = m.user_id AND w.channel_id = c.id
                AND w.message_id > COALESCE(r.last_read_id, m.join_marker)
                AND x.deleted = 0 AND x.author_id IS NOT m.user_id
              LIMIT ${p('most')})) AS mentions
          FROM server_members m
          JOIN channels c ON c.server_id = m.server_id
          LEFT JOIN read_states r ON r.user_id = m.user_id AND r.channel_id = c.id
          WHERE m.user_id = ${p('user')} AND c.last_message_id > COALESCE(r.last_read_id, m.join_marker)
        `.compile(q),
    }))
    this.#directChannels = db.all((q, p: Param<{ user: string; most: number }>) => ({
      compile: () =>
        sql<Unread>`
          SELECT d.id, 0 AS mentions,
            (SELECT COUNT(*) FROM (
              SELECT 1 FROM dm_messages x
              WHERE x.channel_id = d.id AND x.id > COALESCE(r.last_read_id, d.id)
                AND x.deleted = 0 AND x.author_id IS NOT ${p('user')}
              LIMIT ${p('most')})) AS unread
          FROM (
            SELECT id, last_message_id FROM dm_channels WHERE user_lo = ${p('user')}
            UNION ALL
            SELECT id, last_message_id FROM dm_channels WHERE user_hi = ${p('user')}) d
          LEFT JOIN read_states r ON r.user_id = ${p('user')} AND r.channel_id = d.id
          WHERE d.last_message_id > COALESCE(r.last_read_id, d.id)
        `.compile(q),
    }))
    this.#place = db.first((q, p: Param<{ id: string }>) => ({
      compile: () =>
        sql<{ channel_id: string }>`
          SELECT channel_id FROM messages WHERE id = ${p('id')}
          UNION ALL SELECT channel_id FROM dm_messages WHERE id = ${p('id')}
        `.compile(q),
    }))
    this.#joined = db.first((q, p: Param<{ user: string; channel: string }>) =>
      q
        .selectFrom('channels as c')
        .innerJoin('server_members as m', 'm.server_id', 'c.server_id')
        .where('c.id', '=', p('channel'))
        .where('m.user_id', '=', p('user'))
        .select('m.join_marker'),
    )
    this.#mark = db.run((q, p: Param<{ user: string; channel: string; id: string }>) =>
      q
        .insertInto('read_states')
        .values({ user_id: p('user'), channel_id: p('channel'), last_read_id: p('id') })
        .onConflict((on) =>
          on
            .columns(['user_id', 'channel_id'])
            .doUpdateSet({ last_read_id: p('id') })
            // It never goes back.
            .where('read_states.last_read_id', '<', p('id')),
        ),
    )
  }

  /** Channels of servers with something unread; whether the user can see them is not looked at. Up to 9,999 each. */
  inChannels(user: string): Unread[] {
    return this.#channels({ user, most: MAX_COUNT }).filter(({ unread, mentions }) => unread > 0 || mentions > 0)
  }

  inDirects(user: string): Unread[] {
    return this.#directChannels({ user, most: MAX_COUNT }).filter(({ unread }) => unread > 0)
  }

  // Changes

  /** All is read, or all up to a message. */
  readChannel(user: string, channel: string, message: string | null): void {
    this.#access.channel(user, channel)
    this.#read(user, channel, message)
  }

  readDirect(user: string, direct: string, message: string | null): void {
    this.#directs.get(user, direct)
    this.#read(user, direct, message)
  }

  #read(user: string, channel: string, message: string | null): void {
    if (message !== null && this.#place({ id: message })?.channel_id !== channel) throw notFound()
    const id = message ?? this.#core.ids.next()
    // Nor behind the time of joining.
    const least = this.#joined({ user, channel })?.join_marker ?? channel
    this.#mark({ user, channel, id: id > least ? id : least })
  }
}
