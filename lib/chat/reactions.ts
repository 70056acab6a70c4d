import { sql } from 'kysely'
import { isClean } from './content.ts'
import type { Core } from './core.ts'
import type { WorldEvent } from './events.ts'
import { toTime } from './ids.ts'
import { MAX_EMOJI_BYTES, MAX_REACTIONS } from './limits.ts'
import type { Messages } from './messages.ts'
import { ADD_REACTIONS } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'

/** How many have said the same to a message. */
export interface Reaction {
  readonly emoji: string
  readonly count: number
  /** Whoever looks is one of them. */
  readonly me: boolean
}

type Told = Extract<WorldEvent, { readonly type: 'reaction.added' | 'reaction.removed' }>

/** An emoji, a name of one: something short that can be seen. */
function checkEmoji(emoji: string): void {
  const fits = emoji !== '' && Buffer.byteLength(emoji) <= MAX_EMOJI_BYTES && isClean(emoji)
  if (!fits || /[\s\p{Cc}]/u.test(emoji)) {
    throw new Refusal('INVALID', `An emoji has 1 to ${MAX_EMOJI_BYTES} bytes, and neither space nor control characters`)
  }
}

/** What is said to a message with one emoji. */
export class Reactions {
  readonly #core: Core
  readonly #messages: Messages
  readonly #of
  readonly #all
  readonly #add
  readonly #remove

  constructor(core: Core, messages: Messages) {
    this.#core = core
    this.#messages = messages
    const { db } = core
    this.#of = db.all((q, p: Param<{ message: string; user: string }>) =>
      q
        .selectFrom('message_reactions')
        .where('message_id', '=', p('message'))
        .groupBy('emoji')
        .select(['emoji'])
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .select(sql<number>`MAX(user_id = ${p('user')})`.as('me'))
        // In the order in which they were added, also within a millisecond.
        .orderBy(sql`MIN(rowid)`),
    )
    this.#all = db.all((q, p: Param<{ message: string }>) =>
      q
        .selectFrom('message_reactions')
        .where('message_id', '=', p('message'))
        .select(['emoji', 'user_id'])
        .orderBy(sql`rowid`),
    )
    this.#add = db.run((q, p: Param<{ message: string; user: string; emoji: string; at: string }>) =>
      q
        .insertInto('message_reactions')
        .values({ message_id: p('message'), user_id: p('user'), emoji: p('emoji'), created_at: p('at') })
        .onConflict((on) => on.doNothing()),
    )
    this.#remove = db.run((q, p: Param<{ message: string; user: string; emoji: string }>) =>
      q
        .deleteFrom('message_reactions')
        .where('message_id', '=', p('message'))
        .where('user_id', '=', p('user'))
        .where('emoji', '=', p('emoji')),
    )
  }

  /** The first that was used first. */
  list(user: string, channel: string, message: string): Reaction[] {
    this.#messages.locate(user, channel, message)
    return this.#of({ message, user }).map(({ me, ...reaction }) => ({ ...reaction, me: me === 1 }))
  }

  /** Each with who it is of, in the order in which they were added. */
  all(user: string, channel: string, message: string): { readonly emoji: string; readonly user_id: string }[] {
    this.#messages.locate(user, channel, message)
    return this.#all({ message })
  }

  // Changes

  /** Again changes nothing. */
  add(user: string, channel: string, message: string, emoji: string): void {
    checkEmoji(emoji)
    const { server_id } = this.#messages.locate(user, channel, message, ADD_REACTIONS)
    const used = this.#of({ message, user })
    if (used.length >= MAX_REACTIONS && !used.some((one) => one.emoji === emoji)) {
      throw new Refusal('LIMIT', `A message can have ${MAX_REACTIONS} different reactions`)
    }
    if (this.#add({ message, user, emoji, at: toTime(this.#core.now()) }) === 0) return
    this.#tell('reaction.added', { serverId: server_id, channelId: channel, messageId: message, userId: user, emoji })
  }

  /** One's own; NOT_FOUND where there is none. */
  remove(user: string, channel: string, message: string, emoji: string): void {
    const { server_id } = this.#messages.locate(user, channel, message)
    if (this.#remove({ message, user, emoji }) === 0) throw notFound()
    this.#tell('reaction.removed', { serverId: server_id, channelId: channel, messageId: message, userId: user, emoji })
  }

  #tell(type: Told['type'], reaction: Omit<Told, 'type' | 'num'>): void {
    const num = this.#messages.named(reaction.messageId)?.num ?? 0
    this.#core.changes.emit({ type, ...reaction, num })
  }
}
