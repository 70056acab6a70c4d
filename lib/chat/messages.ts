import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { Access, Seen } from './access.ts'
import { checkContent } from './content.ts'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_MENTIONS } from './limits.ts'
import { parseMentions } from './mentions.ts'
import type { Page } from './page.ts'
import { MANAGE_MESSAGES, SEND_MESSAGES } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Flag, Tables } from './store/tables.ts'
import type { Users } from './users.ts'

/** What was said in a channel. */
export interface Message {
  readonly num: number
  readonly id: string
  readonly channel_id: string
  /** Its place in the channel, from 1. */
  readonly seq: number
  /** Null when the account is gone. */
  readonly author_id: string | null
  /** '' once deleted. */
  readonly content: string
  readonly reply_to: string | null
  /** The message that it continues, in a thread. */
  readonly thread_id: string | null
  readonly mention_everyone: Flag
  readonly pinned: Flag
  readonly pinned_by: string | null
  readonly pinned_at: string | null
  readonly edited_at: string | null
  readonly deleted: Flag
  readonly draft: Flag
  readonly created_at: string
  /** In order, each once. */
  readonly mention_user_ids: readonly string[]
  readonly thread_reply_count: number
}

type Row = Omit<Message, 'mention_user_ids'> & { readonly mentioned: string | null }

const COLUMNS = [
  'm.num',
  'm.id',
  'm.channel_id',
  'm.seq',
  'm.author_id',
  'm.content',
  'm.reply_to',
  'm.thread_id',
  'm.mention_everyone',
  'm.pinned',
  'm.pinned_by',
  'm.pinned_at',
  'm.edited_at',
  'm.deleted',
  'm.draft',
  'm.created_at',
] as const

const columnsOf = (eb: ExpressionBuilder<Tables & { m: Tables['messages'] }, 'm'>) =>
  [
    eb
      .selectFrom('messages as reply')
      .whereRef('reply.thread_id', '=', 'm.id')
      .where('reply.deleted', '=', 0)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .$asScalar()
      .$notNull()
      .as('thread_reply_count'),
    eb
      .selectFrom('message_mentions as who')
      .whereRef('who.message_id', '=', 'm.id')
      .select(sql<string | null>`group_concat(who.user_id)`.as('ids'))
      .$asScalar()
      .as('mentioned'),
  ] as const

/** Messages of a channel that are listed. */
const live = (q: Kysely<Tables>, channel: RawBuilder<string>) =>
  q
    .selectFrom('messages as m')
    .where('m.channel_id', '=', channel)
    .where('m.thread_id', 'is', null)
    .where('m.deleted', '=', 0)
    .select(COLUMNS)
    .select((eb) => columnsOf(eb))

const toMessage = ({ mentioned, ...row }: Row): Message => ({
  ...row,
  mention_user_ids: mentioned === null ? [] : mentioned.split(',').toSorted(),
})

/** What somebody says. */
export interface MessageDraft {
  readonly content: string
  readonly replyTo: string | null
}

interface Mentions {
  readonly everyone: boolean
  readonly users: readonly string[]
}

export class Messages {
  readonly #core: Core
  readonly #access: Access
  readonly #users: Users
  readonly #byId
  readonly #newest
  readonly #before
  readonly #after
  readonly #place
  readonly #bump
  readonly #insert
  readonly #mention
  readonly #forget
  readonly #edit
  readonly #delete

  constructor(core: Core, access: Access, users: Users) {
    this.#core = core
    this.#access = access
    this.#users = users
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('messages as m')
        .where('m.id', '=', p('id'))
        .select(COLUMNS)
        .select((eb) => columnsOf(eb)),
    )
    this.#newest = db.all((q, p: Param<{ channel: string; limit: number }>) =>
      live(q, p('channel')).orderBy('m.id', 'desc').limit(p('limit')),
    )
    this.#before = db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
      live(q, p('channel')).where('m.id', '<', p('cursor')).orderBy('m.id', 'desc').limit(p('limit')),
    )
    this.#after = db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
      live(q, p('channel')).where('m.id', '>', p('cursor')).orderBy('m.id').limit(p('limit')),
    )
    this.#place = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('messages').select(['channel_id', 'author_id', 'thread_id', 'deleted']).where('id', '=', p('id')),
    )
    this.#bump = db.first((q, p: Param<{ channel: string; id: string }>) =>
      q
        .updateTable('channels')
        .set((eb) => ({ last_seq: eb('last_seq', '+', 1), last_message_id: p('id') }))
        .where('id', '=', p('channel'))
        .returning('last_seq'),
    )
    this.#insert = db.run(
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
          thread_id: string | null
          everyone: Flag
          draft: Flag
          at: string
        }>,
      ) =>
        q.insertInto('messages').values({
          num: p('num'),
          id: p('id'),
          channel_id: p('channel'),
          seq: p('seq'),
          author_id: p('author'),
          content: p('content'),
          reply_to: p('reply_to'),
          thread_id: p('thread_id'),
          mention_everyone: p('everyone'),
          pinned: 0,
          deleted: 0,
          draft: p('draft'),
          created_at: p('at'),
        }),
    )
    this.#mention = db.run((q, p: Param<{ user: string; channel: string; message: string }>) =>
      q.insertInto('message_mentions').values({
        user_id: p('user'),
        channel_id: p('channel'),
        message_id: p('message'),
      }),
    )
    this.#forget = db.run((q, p: Param<{ message: string }>) =>
      q.deleteFrom('message_mentions').where('message_id', '=', p('message')),
    )
    this.#edit = db.run((q, p: Param<{ id: string; content: string; everyone: Flag; at: string }>) =>
      q
        .updateTable('messages')
        .set({ content: p('content'), mention_everyone: p('everyone'), edited_at: p('at') })
        .where('id', '=', p('id')),
    )
    // What is deleted is gone; its place stays, so that nothing takes its number.
    this.#delete = db.run((q, p: Param<{ id: string }>) =>
      q
        .updateTable('messages')
        .set({ deleted: 1, content: '', mention_everyone: 0, pinned: 0, pinned_by: null, pinned_at: null })
        .where((eb) => eb.or([eb('id', '=', p('id')), eb('thread_id', '=', p('id'))])),
    )
  }

  /** Messages of a channel that are neither deleted nor of a thread: the newest first, or the oldest first after a cursor. */
  list(user: string, channel: string, { before, after, limit }: Page): Message[] {
    this.#access.channel(user, channel)
    const cursor = before ?? after
    if (cursor === null) return this.#newest({ channel, limit }).map(toMessage)
    // One of another channel must not tell how old it is.
    if (this.#place({ id: cursor })?.channel_id !== channel) return []
    const rows = before === null ? this.#after : this.#before
    return rows({ channel, limit, cursor }).map(toMessage)
  }

  /** One message, also one that is deleted. */
  get(user: string, channel: string, id: string): Message {
    this.#access.channel(user, channel)
    const message = this.#known(id)
    if (message.channel_id !== channel) throw notFound()
    return message
  }

  // Changes

  post(author: string, channel: string, { content, replyTo }: MessageDraft): Message {
    const { id: channelId, server_id } = this.#access.channel(author, channel, SEND_MESSAGES)
    checkContent(content)
    if (replyTo !== null) this.#checkTarget(replyTo, channelId)
    const { ids, numbers, changes } = this.#core
    const { everyone, users } = this.#findMentioned(content, channelId, server_id)
    const id = ids.next()
    const seq = this.#bump({ channel: channelId, id })?.last_seq ?? 0
    const message: Message = {
      num: numbers.take('message'),
      id,
      channel_id: channelId,
      seq,
      author_id: author,
      content,
      reply_to: replyTo,
      thread_id: null,
      mention_everyone: everyone ? 1 : 0,
      pinned: 0,
      pinned_by: null,
      pinned_at: null,
      edited_at: null,
      deleted: 0,
      draft: 0,
      created_at: createdAt(id),
      mention_user_ids: users,
      thread_reply_count: 0,
    }
    this.#insert({
      num: message.num,
      id,
      channel: channelId,
      seq,
      author,
      content,
      reply_to: replyTo,
      thread_id: null,
      everyone: message.mention_everyone,
      draft: 0,
      at: message.created_at,
    })
    for (const user of users) this.#mention({ user, channel: channelId, message: id })
    changes.emit({ type: 'message.created', serverId: server_id, message })
    return message
  }

  /** Only its author's; the same content changes nothing. */
  edit(user: string, id: string, content: string): Message {
    const { seen, author } = this.#locate(user, id)
    if (author !== user) throw forbidden()
    this.#access.channel(user, seen.id, SEND_MESSAGES)
    checkContent(content)
    const before = this.#known(id)
    if (before.content === content) return before
    const { everyone, users } = this.#findMentioned(content, seen.id, seen.server_id)
    this.#edit({ id, content, everyone: everyone ? 1 : 0, at: toTime(this.#core.now()) })
    this.#forget({ message: id })
    for (const mentioned of users) this.#mention({ user: mentioned, channel: seen.id, message: id })
    const message = this.#known(id)
    this.#core.changes.emit({ type: 'message.updated', serverId: seen.server_id, message })
    return message
  }

  /** One's own, or with MANAGE_MESSAGES any; its thread goes with it. */
  remove(user: string, id: string): void {
    const { seen, author } = this.#locate(user, id)
    if (author !== user) this.#access.channel(user, seen.id, MANAGE_MESSAGES)
    this.#delete({ id })
    this.#forget({ message: id })
    this.#core.changes.emit({
      type: 'message.deleted',
      serverId: seen.server_id,
      channelId: seen.id,
      messageId: id,
    })
  }

  /** Where a message is, for who can see it; one that is deleted is not found. */
  #locate(user: string, id: string): { readonly seen: Seen; readonly author: string | null } {
    const place = this.#place({ id })
    if (place === undefined) throw notFound()
    const seen = this.#access.channel(user, place.channel_id)
    if (place.deleted === 1) throw notFound()
    return { seen, author: place.author_id }
  }

  #checkTarget(id: string, channel: string): void {
    const place = this.#place({ id })
    if (place === undefined || place.channel_id !== channel || place.deleted === 1) {
      throw new Refusal('NOT_FOUND', 'The message to reply to is not there')
    }
  }

  /** Members who can see the channel; others are not called, however they are named. */
  #findMentioned(content: string, channel: string, server: string): Mentions {
    const { everyone, names } = parseMentions(content)
    if (names.length === 0) return { everyone, users: [] }
    const users: string[] = []
    for (const id of this.#users.findMembers(names, server)) {
      if (users.length === MAX_MENTIONS) break
      if (this.#access.see(id, channel) !== null) users.push(id)
    }
    return { everyone, users: users.toSorted() }
  }

  #known(id: string): Message {
    const row = this.#byId({ id })
    if (row === undefined) throw notFound()
    return toMessage(row)
  }
}
