import type { Access, Seen } from './access.ts'
import { checkContent } from './content.ts'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_MENTIONS } from './limits.ts'
import { parseMentions } from './mentions.ts'
import type { Page } from './page.ts'
import { MANAGE_MESSAGES, SEND_MESSAGES } from './permissions.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import { type Message, type MessageStatements, prepareMessages, toMessage } from './store/messages.ts'
import type { Users } from './users.ts'

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
  readonly #rows: MessageStatements

  constructor(core: Core, access: Access, users: Users) {
    this.#core = core
    this.#access = access
    this.#users = users
    this.#rows = prepareMessages(core.db)
  }

  /** Messages of a channel that are neither deleted nor of a thread: the newest first, or the oldest first after a cursor. */
  list(user: string, channel: string, { before, after, limit }: Page): Message[] {
    this.#access.channel(user, channel)
    const cursor = before ?? after
    if (cursor === null) return this.#rows.newest({ channel, limit }).map(toMessage)
    // One of another channel must not tell how old it is.
    if (this.#rows.place({ id: cursor })?.channel_id !== channel) return []
    const rows = before === null ? this.#rows.after : this.#rows.before
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
    const { id: channelId, server_id, last_seq } = this.#access.channel(author, channel, SEND_MESSAGES)
    checkContent(content)
    if (replyTo !== null) this.#checkTarget(replyTo, channelId)
    const { ids, numbers, changes } = this.#core
    const { everyone, users } = this.#findMentioned(content, channelId, server_id)
    const id = ids.next()
    const seq = last_seq + 1
    this.#rows.bump({ channel: channelId, id, seq })
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
    this.#rows.insert({
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
    for (const user of users) this.#rows.mention({ user, channel: channelId, message: id })
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
    this.#rows.edit({ id, content, everyone: everyone ? 1 : 0, at: toTime(this.#core.now()) })
    this.#rows.forget({ message: id })
    for (const mentioned of users) this.#rows.mention({ user: mentioned, channel: seen.id, message: id })
    const message = this.#known(id)
    this.#core.changes.emit({ type: 'message.updated', serverId: seen.server_id, message })
    return message
  }

  /** One's own, or with MANAGE_MESSAGES any; its thread goes with it. */
  remove(user: string, id: string): void {
    const { seen, author } = this.#locate(user, id)
    if (author !== user) this.#access.channel(user, seen.id, MANAGE_MESSAGES)
    this.#rows.delete({ id })
    this.#rows.forget({ message: id })
    this.#core.changes.emit({
      type: 'message.deleted',
      serverId: seen.server_id,
      channelId: seen.id,
      messageId: id,
    })
  }

  /** Where a message is, for who can see it; one that is deleted is not found. */
  #locate(user: string, id: string): { readonly seen: Seen; readonly author: string | null } {
    const place = this.#rows.place({ id })
    if (place === undefined) throw notFound()
    const seen = this.#access.channel(user, place.channel_id)
    if (place.deleted === 1) throw notFound()
    return { seen, author: place.author_id }
  }

  #checkTarget(id: string, channel: string): void {
    const place = this.#rows.place({ id })
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
    const row = this.#rows.byId({ id })
    if (row === undefined) throw notFound()
    return toMessage(row)
  }
}
