import { type Kysely, type RawBuilder, sql } from 'kysely'
import { checkContent } from './content.ts'
import { type Core, createdAt } from './core.ts'
import type { MessageDraft } from './draft.ts'
import type { AttachedFile, Files } from './files.ts'
import type { Friends } from './friends.ts'
import { MAX_DIRECTS } from './limits.ts'
import type { Page } from './page.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Flag } from './store/flag.ts'
import { splitIds } from './store/messages.ts'
import type { Tables } from './store/tables.ts'
import type { Users } from './users.ts'

/** What two people say to each other. */
export interface Direct {
  readonly id: string
  /** The two, in the order of their ids. */
  readonly user_lo: string
  readonly user_hi: string
  readonly created_at: string
  readonly last_message_at: string | null
}

export interface DirectMessage {
  readonly num: number
  readonly id: string
  readonly channel_id: string
  readonly seq: number
  readonly author_id: string | null
  readonly content: string
  readonly reply_to: string | null
  readonly segments: string | null
  readonly edited_at: string | null
  readonly deleted: Flag
  readonly draft: Flag
  readonly created_at: string
  readonly files: readonly AttachedFile[]
}

const COLUMNS = ['id', 'user_lo', 'user_hi', 'created_at', 'last_message_at'] as const
const MESSAGE_COLUMNS = [
  'num',
  'id',
  'channel_id',
  'seq',
  'author_id',
  'content',
  'reply_to',
  'segments',
  'edited_at',
  'deleted',
  'draft',
  'created_at',
] as const

interface Row extends Omit<DirectMessage, 'files'> {
  readonly file_ids: string | null
}

/** Who is on the other side. */
export const otherOf = ({ user_lo, user_hi }: Direct, user: string): string => (user === user_lo ? user_hi : user_lo)

const all = (q: Kysely<Tables>) =>
  q
    .selectFrom('dm_messages')
    .select(MESSAGE_COLUMNS)
    .select((eb) =>
      eb
        .selectFrom('message_files as file')
        .whereRef('file.message_num', '=', 'dm_messages.num')
        .select(sql<string | null>`group_concat(file.file_id)`.as('ids'))
        .$asScalar()
        .as('file_ids'),
    )

const live = (q: Kysely<Tables>, channel: RawBuilder<string>) =>
  all(q).where('channel_id', '=', channel).where('deleted', '=', 0)

export class Directs {
  readonly #core: Core
  readonly #users: Users
  readonly #friends: Friends
  readonly #files: Files
  readonly #byId
  readonly #byPair
  readonly #byNum
  readonly #message
  readonly #delete
  readonly #ofUser
  readonly #newest
  readonly #before
  readonly #after
  readonly #place
  readonly #insert
  readonly #bump
  readonly #insertMessage

  constructor(core: Core, users: Users, friends: Friends, files: Files) {
    this.#core = core
    this.#users = users
    this.#friends = friends
    this.#files = files
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('dm_channels').select(COLUMNS).where('id', '=', p('id')),
    )
    this.#byPair = db.first((q, p: Param<{ lo: string; hi: string }>) =>
      q.selectFrom('dm_channels').select(COLUMNS).where('user_lo', '=', p('lo')).where('user_hi', '=', p('hi')),
    )
    // Two indexes, one for each side.
    this.#ofUser = db.all((q, p: Param<{ user: string; limit: number }>) =>
      q
        .selectFrom((eb) =>
          eb
            .selectFrom('dm_channels')
            .select(COLUMNS)
            .where('user_lo', '=', p('user'))
            .unionAll(eb.selectFrom('dm_channels').select(COLUMNS).where('user_hi', '=', p('user')))
            .as('own'),
        )
        .select(COLUMNS)
        .orderBy('last_message_at', (order) => order.desc().nullsLast())
        .orderBy('id', 'desc')
        .limit(p('limit')),
    )
    this.#newest = db.all((q, p: Param<{ channel: string; limit: number }>) =>
      live(q, p('channel')).orderBy('id', 'desc').limit(p('limit')),
    )
    this.#before = db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
      live(q, p('channel')).where('id', '<', p('cursor')).orderBy('id', 'desc').limit(p('limit')),
    )
    this.#after = db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
      live(q, p('channel')).where('id', '>', p('cursor')).orderBy('id').limit(p('limit')),
    )
    this.#byNum = db.first((q, p: Param<{ num: number }>) =>
      all(q).where('num', '=', p('num')).where('deleted', '=', 0),
    )
    this.#message = db.first((q, p: Param<{ id: string }>) => all(q).where('id', '=', p('id')).where('deleted', '=', 0))
    this.#delete = db.run((q, p: Param<{ id: string }>) =>
      q.updateTable('dm_messages').set({ deleted: 1, content: '', segments: null }).where('id', '=', p('id')),
    )
    this.#place = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('dm_messages').select(['channel_id', 'deleted']).where('id', '=', p('id')),
    )
    this.#insert = db.run((q, p: Param<{ id: string; lo: string; hi: string; at: string }>) =>
      q.insertInto('dm_channels').values({
        id: p('id'),
        user_lo: p('lo'),
        user_hi: p('hi'),
        last_seq: 0,
        created_at: p('at'),
      }),
    )
    this.#bump = db.first((q, p: Param<{ channel: string; id: string; at: string }>) =>
      q
        .updateTable('dm_channels')
        .set((eb) => ({ last_seq: eb('last_seq', '+', 1), last_message_id: p('id'), last_message_at: p('at') }))
        .where('id', '=', p('channel'))
        .returning('last_seq'),
    )
    this.#insertMessage = db.run(
      (
        q,
        p: Param<{
          num: number
          id: string
          channel: string
          seq: number
          author: string
          content: string
          reply_to: string | null
          segments: string | null
          at: string
        }>,
      ) =>
        q.insertInto('dm_messages').values({
          num: p('num'),
          id: p('id'),
          channel_id: p('channel'),
          seq: p('seq'),
          author_id: p('author'),
          content: p('content'),
          reply_to: p('reply_to'),
          segments: p('segments'),
          deleted: 0,
          draft: 0,
          created_at: p('at'),
        }),
    )
  }

  /** One's own, the one with the newest message first. */
  of(user: string): Direct[] {
    return this.#ofUser({ user, limit: MAX_DIRECTS })
  }

  /** For one of the two; null for others. */
  find(user: string, id: string): Direct | null {
    const direct = this.#byId({ id })
    return direct !== undefined && (direct.user_lo === user || direct.user_hi === user) ? direct : null
  }

  get(user: string, id: string): Direct {
    const direct = this.find(user, id)
    if (direct === null) throw notFound()
    return direct
  }

  list(user: string, id: string, { before, after, limit }: Page): DirectMessage[] {
    this.get(user, id)
    const cursor = before ?? after
    if (cursor === null) return this.#newest({ channel: id, limit }).map(this.#read)
    if (this.#place({ id: cursor })?.channel_id !== id) return []
    const rows = before === null ? this.#after : this.#before
    return rows({ channel: id, limit, cursor }).map(this.#read)
  }

  /** One by its number that is not deleted, for one of the two; else NOT_FOUND. */
  byNum(user: string, num: number): DirectMessage {
    const row = this.#byNum({ num })
    if (row === undefined || this.find(user, row.channel_id) === null) throw notFound()
    return this.#read(row)
  }

  /** The number of a message that is not deleted; null: there is none. */
  numOf(id: string): number | null {
    return this.#message({ id })?.num ?? null
  }

  /** That of two people, where there is one. */
  between(one: string, other: string): Direct | null {
    const [lo, hi] = one < other ? [one, other] : [other, one]
    return this.#byPair({ lo, hi }) ?? null
  }

  readonly #read = ({ file_ids, ...message }: Row): DirectMessage => ({
    ...message,
    files: file_ids === null ? [] : this.#files.read(splitIds(file_ids)),
  })

  // Changes

  /** The channel of two people: the one there is, or a new one. */
  open(user: string, other: string): { readonly direct: Direct; readonly created: boolean } {
    if (user === other) throw new Refusal('INVALID', 'You cannot write to yourself')
    const known = this.#users.find(other)
    if (known === null || known.disabled === 1) throw notFound()
    const [lo, hi] = user < other ? [user, other] : [other, user]
    const before = this.#byPair({ lo, hi })
    if (before !== undefined) return { direct: before, created: false }
    const id = this.#core.ids.next()
    this.#insert({ id, lo, hi, at: createdAt(id) })
    this.#friends.add(user, other, 'dm')
    const direct = this.get(user, id)
    this.#core.changes.emit({ type: 'direct.opened', direct })
    return { direct, created: true }
  }

  post(
    author: string,
    channel: string,
    { content, replyTo = null, files = [], segments = null, maxFiles }: MessageDraft,
  ): DirectMessage {
    const { id: channelId } = this.get(author, channel)
    if (replyTo !== null) this.#checkTarget(replyTo, channelId)
    this.#files.check(author, channelId, files, maxFiles)
    checkContent(content, files)
    const { ids, numbers, changes } = this.#core
    const id = ids.next()
    const at = createdAt(id)
    const seq = this.#bump({ channel: channelId, id, at })?.last_seq ?? 0
    const num = numbers.take('message')
    this.#insertMessage({ num, id, channel: channelId, seq, author, content, reply_to: replyTo, segments, at })
    const message: DirectMessage = {
      num,
      id,
      channel_id: channelId,
      seq,
      author_id: author,
      content,
      reply_to: replyTo,
      segments,
      edited_at: null,
      deleted: 0,
      draft: 0,
      created_at: at,
      files: this.#files.attach(num, files),
    }
    changes.emit({ type: 'direct.message', direct: this.get(author, channelId), message })
    return message
  }

  /** One's own only: FORBIDDEN for those of the other side. */
  remove(user: string, channel: string, id: string): void {
    const direct = this.get(user, channel)
    const row = this.#message({ id })
    if (row === undefined || row.channel_id !== channel) throw notFound()
    const message = this.#read(row)
    if (message.author_id !== user) throw forbidden()
    this.#delete({ id })
    this.#files.detach(message.num)
    this.#core.changes.emit({ type: 'direct.deleted', direct, message })
  }

  #checkTarget(id: string, channel: string): void {
    const place = this.#place({ id })
    if (place === undefined || place.channel_id !== channel || place.deleted === 1) {
      throw new Refusal('NOT_FOUND', 'The message to reply to is not there')
    }
  }
}
