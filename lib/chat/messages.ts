import { type Access, needs, type Seen } from './access.ts'
import { checkContent } from './content.ts'
import { type Core, createdAt } from './core.ts'
import type { MessageDraft } from './draft.ts'
import { toTime } from './ids.ts'
import type { GroupFiles } from './group-files.ts'
import { MAX_PINS } from './limits.ts'
import { Mentions } from './mentions.ts'
import type { Page } from './page.ts'
import { ATTACH_FILES, MANAGE_MESSAGES, SEND_MESSAGES } from './permissions.ts'
import type { PollDraft, Polls } from './polls.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Flag } from './store/flag.ts'
import { createReader, type Message, type MessageStatements, prepareMessages } from './store/messages.ts'
import type { Users } from './users.ts'

interface Said extends Required<Omit<MessageDraft, 'maxFiles'>> {
  /** It grows. */
  readonly draft?: boolean
  readonly threadId: string | null
  readonly poll: PollDraft | null
}

/** What most messages have nothing of. */
const PLAIN = { replyTo: null, threadId: null, files: [], segments: null, poll: null } as const

export class Messages {
  readonly #core: Core
  readonly #access: Access
  readonly #mentions: Mentions
  readonly #polls: Polls
  readonly #groupFiles: GroupFiles
  readonly #rows: MessageStatements
  readonly #read

  constructor(core: Core, access: Access, users: Users, polls: Polls, groupFiles: GroupFiles) {
    this.#core = core
    this.#access = access
    this.#mentions = new Mentions(access, users)
    this.#polls = polls
    this.#groupFiles = groupFiles
    this.#rows = prepareMessages(core.db)
    this.#read = createReader(polls, groupFiles.files)
  }

  /** Messages of a channel that are neither deleted nor of a thread: the newest first, or the oldest first after a cursor. */
  list(user: string, channel: string, { before, after, limit }: Page): Message[] {
    this.#access.channel(user, channel)
    const read = this.#read(user)
    const cursor = before ?? after
    if (cursor === null) return this.#rows.newest({ channel, limit }).map(read)
    // One of another channel must not tell how old it is.
    if (this.#rows.place({ id: cursor })?.channel_id !== channel) return []
    const rows = before === null ? this.#rows.after : this.#rows.before
    return rows({ channel, limit, cursor }).map(read)
  }

  /** What continues a message, the oldest first: from the beginning, or on both sides of a cursor. */
  thread(user: string, channel: string, root: string, { before, after, limit }: Page): Message[] {
    this.locate(user, channel, root)
    const read = this.#read(user)
    const cursor = before ?? after
    if (cursor === null) return this.#rows.firstReplies({ root, limit }).map(read)
    if (this.#rows.place({ id: cursor })?.thread_id !== root) return []
    if (before === null) return this.#rows.repliesAfter({ root, limit, cursor }).map(read)
    return this.#rows.repliesBefore({ root, limit, cursor }).map(read).toReversed()
  }

  /** One by its number that is not deleted, for who can see it; else NOT_FOUND. */
  byNum(user: string, num: number): Message {
    const row = this.#rows.byNum({ num })
    if (row === undefined || row.deleted === 1) throw notFound()
    this.#access.channel(user, row.channel_id)
    return this.#read(user)(row)
  }

  /** Number and author of a message that is not deleted; null: there is none. */
  named(id: string): { readonly num: number; readonly author_id: string | null } | null {
    const place = this.#rows.place({ id })
    return place === undefined || place.deleted === 1 ? null : place
  }

  /** When somebody has said something in a channel last; null: never. */
  lastOf(user: string, channel: string): string | null {
    return this.#rows.lastOf({ channel, author: user })?.last_sent_at ?? null
  }

  /** One message, also one that is deleted. */
  get(user: string, channel: string, id: string): Message {
    this.#access.channel(user, channel)
    const message = this.#known(id, user)
    if (message.channel_id !== channel) throw notFound()
    return message
  }

  /** The one that was pinned last comes first. */
  pinned(user: string, channel: string): Message[] {
    this.#access.channel(user, channel)
    return this.#rows.pins({ channel }).map(this.#read(user))
  }

  /** The channel, where a message that is not deleted is in it, and its viewer may do that. */
  locate(user: string, channel: string, id: string, needed = 0): Seen {
    const seen = this.#access.channel(user, channel)
    const place = this.#rows.place({ id })
    if (place === undefined || place.channel_id !== channel || place.deleted === 1) throw notFound()
    return needs(seen, needed)
  }

  // Changes

  post(
    author: string,
    channel: string,
    { content, replyTo = null, files = [], segments = null, maxFiles }: MessageDraft,
  ): Message {
    const seen = this.#access.channel(author, channel, SEND_MESSAGES)
    if (replyTo !== null) this.#target(replyTo, seen.id)
    if (files.length > 0) {
      needs(seen, ATTACH_FILES)
      this.#groupFiles.files.check(author, seen.id, files, maxFiles)
    }
    return this.#add(author, seen, { content, replyTo, files, segments, threadId: null, poll: null })
  }

  /** The beginning of something that grows, unless it is `done`: an answer to a message, in its thread where it is in one. */
  begin(author: string, channel: string, replyTo: string, content: string, done: boolean): Message {
    const seen = this.#access.channel(author, channel, SEND_MESSAGES)
    const { thread_id: threadId } = this.#target(replyTo, seen.id)
    const inThread = threadId !== null
    const parts = { files: [], segments: null, poll: null }
    const said = { content, replyTo: inThread ? null : replyTo, threadId, ...parts, draft: !done }
    return this.#add(author, seen, said)
  }

  /** More of what was begun, which is not called an edit; `done`: it will not grow any more. */
  grow(author: string, id: string, content: string, done: boolean): Message {
    const { seen, author: own } = this.#locate(author, id)
    if (own !== author) throw forbidden()
    needs(seen, SEND_MESSAGES)
    checkContent(content)
    const before = this.#known(id, author)
    if (before.draft === 0) throw new Refusal('INVALID', 'This message is complete')
    const draft = done ? 0 : 1
    if (before.content === content && before.draft === draft) return before
    this.#say(id, seen, content, (everyone) => this.#rows.grow({ id, content, everyone, draft }))
    const message = this.#known(id, null)
    const told = { serverId: seen.server_id, message, votes: [], completed: done }
    this.#core.changes.emit({ type: 'message.updated', ...told })
    return message
  }

  /** Continues a message, which does not continue another. */
  reply(author: string, channel: string, root: string, content: string): Message {
    const seen = this.locate(author, channel, root, SEND_MESSAGES)
    if (this.#rows.place({ id: root })?.thread_id !== null) {
      throw new Refusal('INVALID', 'This message is in a thread itself')
    }
    return this.#add(author, seen, { ...PLAIN, content, threadId: root })
  }

  /** Asks a question, which is the content. */
  ask(author: string, channel: string, poll: PollDraft): Message {
    const seen = this.#access.channel(author, channel, SEND_MESSAGES)
    return this.#add(author, seen, { ...PLAIN, content: poll.question, poll })
  }

  #add(author: string, { id: channelId, server_id, last_seq }: Seen, said: Said): Message {
    const { content, replyTo, threadId, poll, files, segments, draft: grows = false } = said
    const draft = grows ? 1 : 0
    checkContent(content, files)
    const { ids, numbers, changes } = this.#core
    const { everyone, users } = this.#mentions.find(content, channelId, server_id)
    const id = ids.next()
    const seq = last_seq + 1
    const num = numbers.take('message')
    const at = createdAt(id)
    const mentionsEveryone = everyone ? 1 : 0
    this.#rows.bump({ channel: channelId, id, seq })
    this.#rows.insert({
      num,
      id,
      channel: channelId,
      seq,
      author,
      content,
      reply_to: replyTo,
      thread_id: threadId,
      segments,
      everyone: mentionsEveryone,
      draft,
      at,
    })
    this.#rows.spoke({ channel: channelId, author, at })
    for (const user of users) this.#rows.mention({ user, channel: channelId, message: id })
    const message: Message = {
      num,
      id,
      channel_id: channelId,
      seq,
      author_id: author,
      content,
      reply_to: replyTo,
      thread_id: threadId,
      segments,
      mention_everyone: mentionsEveryone,
      pinned: 0,
      pinned_by: null,
      pinned_at: null,
      edited_at: null,
      deleted: 0,
      draft,
      created_at: at,
      mention_user_ids: users,
      thread_reply_count: 0,
      poll: poll === null ? null : this.#polls.add(id, author, poll),
      files: this.#groupFiles.attach(author, channelId, num, files),
    }
    changes.emit({ type: 'message.created', serverId: server_id, message })
    return message
  }

  /** Only its author's; the same content changes nothing. */
  edit(user: string, id: string, content: string): Message {
    const { seen, author } = this.#locate(user, id)
    if (author !== user) throw forbidden()
    needs(seen, SEND_MESSAGES)
    checkContent(content)
    const before = this.#known(id, user)
    if (before.content === content) return before
    this.#say(id, seen, content, (everyone) => this.#rows.edit({ id, content, everyone, at: toTime(this.#core.now()) }))
    const message = this.#known(id, user)
    // Each who sees it has a vote of their own.
    const { poll } = message
    const told = poll === null ? message : this.#known(id, null)
    const votes = poll === null ? [] : this.#polls.votes(poll.id)
    const event = { serverId: seen.server_id, message: told, votes, completed: false }
    this.#core.changes.emit({ type: 'message.updated', ...event })
    return message
  }

  /** Writes other content, and whom that calls. */
  #say(id: string, seen: Seen, content: string, write: (everyone: Flag) => void): void {
    const { everyone, users } = this.#mentions.find(content, seen.id, seen.server_id)
    write(everyone ? 1 : 0)
    this.#rows.forget({ message: id })
    for (const user of users) this.#rows.mention({ user, channel: seen.id, message: id })
  }

  /** One's own, or with MANAGE_MESSAGES any; its thread goes with it. */
  remove(user: string, id: string): void {
    const { seen, author, num, draft } = this.#locate(user, id)
    if (author !== user) needs(seen, MANAGE_MESSAGES)
    this.#rows.delete({ id })
    this.#rows.forget({ message: id })
    this.#rows.calm({ message: id })
    this.#polls.remove(id)
    for (const { num: each } of this.#rows.family({ id })) this.#groupFiles.files.detach(each)
    this.#core.changes.emit({
      type: 'message.deleted',
      serverId: seen.server_id,
      channelId: seen.id,
      messageId: id,
      num,
      authorId: author,
      by: user,
      draft,
    })
  }

  /** Again changes nothing. */
  pin(user: string, channel: string, id: string): void {
    const { server_id } = this.locate(user, channel, id, MANAGE_MESSAGES)
    const { count = 0, newest = null } = this.#rows.pinsOf({ channel }) ?? {}
    if (count >= MAX_PINS && this.#known(id, null).pinned === 0) {
      throw new Refusal('LIMIT', `A channel can have ${MAX_PINS} pinned messages`)
    }
    // They are listed by it: each is later than the one before.
    const at = Math.max(this.#core.now(), newest === null ? 0 : Date.parse(newest) + 1)
    if (this.#rows.setPin({ id, pinned: 1, by: user, at: toTime(at) }) === 0) return
    this.#core.changes.emit({ type: 'message.pinned', ...this.#toPin(server_id, channel, id, user) })
  }

  /** NOT_FOUND where it is not pinned. */
  unpin(user: string, channel: string, id: string): void {
    const { server_id } = this.locate(user, channel, id, MANAGE_MESSAGES)
    if (this.#rows.setPin({ id, pinned: 0, by: null, at: null }) === 0) throw notFound()
    this.#core.changes.emit({ type: 'message.unpinned', ...this.#toPin(server_id, channel, id, user) })
  }

  #toPin(serverId: string, channelId: string, messageId: string, by: string) {
    const { num, author_id: authorId } = this.#known(messageId, null)
    return { serverId, channelId, messageId, num, authorId, by }
  }

  /** Where a message is, for who can see it; one that is deleted is not found. */
  #locate(user: string, id: string): { seen: Seen; author: string | null; num: number; draft: boolean } {
    const place = this.#rows.place({ id })
    if (place === undefined) throw notFound()
    const seen = this.#access.channel(user, place.channel_id)
    if (place.deleted === 1) throw notFound()
    return { seen, author: place.author_id, num: place.num, draft: place.draft === 1 }
  }

  /** Where a message is that can be replied to. */
  #target(id: string, channel: string) {
    const place = this.#rows.place({ id })
    if (place === undefined || place.channel_id !== channel || place.deleted === 1) {
      throw new Refusal('NOT_FOUND', 'The message to reply to is not there')
    }
    return place
  }

  #known(id: string, viewer: string | null): Message {
    const row = this.#rows.byId({ id })
    if (row === undefined) throw notFound()
    return this.#read(viewer)(row)
  }
}
