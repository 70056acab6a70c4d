import type { Direct, DirectMessage } from './directs.ts'
import type { Message } from './store/messages.ts'
import type { Poll, Vote } from './store/polls.ts'
import type { Sanctions, VoiceState } from './voice.ts'
import type { Timeout } from './moderation.ts'
import type { StoredOverride } from './overrides.ts'
import type { PresenceChange } from './presence.ts'
import type { Emoji } from './emojis.ts'
import type { Invite } from './invites.ts'
import type { Live } from './lives.ts'
import type { Request } from './requests.ts'
import type { Role } from './roles.ts'

/** What sets up a connection between two peers: nothing of it is read here. */
export interface Signal {
  readonly from_user_id: string
  readonly type: 'offer' | 'answer' | 'candidate'
  readonly sdp: string | null
  readonly candidate: string | null
  readonly stream_type: string | null
}

interface OfMessage {
  readonly serverId: string
  readonly channelId: string
  readonly messageId: string
}

interface OfPin extends OfMessage {
  readonly num: number
  readonly authorId: string | null
  readonly by: string
}

interface OfReaction extends OfMessage {
  readonly num: number
  readonly userId: string
  readonly emoji: string
}

/** What has happened in the world, as doors are told of it: after it is on the disk, in order. */
export type WorldEvent =
  | { readonly type: 'message.created'; readonly serverId: string; readonly message: Message }
  /** Where it has a poll, as nobody in particular sees it, with what each has chosen. */
  | {
      readonly type: 'message.updated'
      readonly serverId: string
      readonly message: Message
      readonly votes: readonly Vote[]
      /** It was growing, and does so no more. */
      readonly completed: boolean
    }
  | ({ readonly type: 'message.deleted'; /** It was growing. */ readonly draft: boolean } & OfPin)
  | ({ readonly type: 'message.pinned' } & OfPin)
  | ({ readonly type: 'message.unpinned' } & OfPin)
  | ({ readonly type: 'reaction.added' } & OfReaction)
  | ({ readonly type: 'reaction.removed' } & OfReaction)
  /** As nobody in particular sees it. */
  | {
      readonly type: 'poll.voted'
      readonly serverId: string
      readonly channelId: string
      readonly poll: Poll
      readonly votes: readonly Vote[]
    }
  | { readonly type: 'direct.opened'; readonly direct: Direct }
  | { readonly type: 'direct.message'; readonly direct: Direct; readonly message: DirectMessage }
  | { readonly type: 'direct.deleted'; readonly direct: Direct; readonly message: DirectMessage }
  | { readonly type: 'invite.created'; readonly invite: Invite }
  /** By somebody; not when it ends by itself. */
  | { readonly type: 'invite.removed'; readonly serverId: string; readonly inviteId: string }
  | { readonly type: 'emoji.created'; readonly emoji: Emoji }
  | { readonly type: 'emoji.removed'; readonly serverId: string; readonly emojiId: string }
  /** Somebody else decides it; and has decided. */
  | { readonly type: 'request.made'; readonly request: Request }
  | { readonly type: 'request.decided'; readonly request: Request }
  /** Two know each other from now on: who has asked, or written first, and the other. Or no more. */
  | { readonly type: 'friend.added'; readonly userId: string; readonly other: string }
  | { readonly type: 'friend.removed'; readonly userId: string; readonly other: string }
  | { readonly type: 'user.liked'; readonly from: string; readonly to: string; readonly times: number }
  | {
      readonly type: 'member.joined'
      readonly serverId: string
      readonly userId: string
      /** Who has let them in, or has asked them to come; null: nobody in particular. */
      readonly by: string | null
      readonly invited: boolean
    }
  | {
      readonly type: 'member.left'
      readonly serverId: string
      readonly userId: string
      /** Those that they saw. */
      readonly channelIds: readonly string[]
    }
  | { readonly type: 'server.deleted'; readonly serverId: string }
  | { readonly type: 'role.created'; readonly role: Role }
  | { readonly type: 'role.updated'; readonly role: Role }
  /** Who had it has it no more, and what channels gave and took for it is gone. */
  | { readonly type: 'role.deleted'; readonly serverId: string; readonly roleId: string }
  /** A member has a role from now on, or no longer. */
  | {
      readonly type: 'member.role'
      readonly userId: string
      readonly role: Role
      readonly held: boolean
      readonly by: string
    }
  /** Here and for a ban of a member, `member.left` follows. */
  | {
      readonly type: 'member.kicked'
      readonly serverId: string
      readonly userId: string
      readonly by: string
      readonly reason: string | null
    }
  | {
      readonly type: 'member.banned'
      readonly serverId: string
      readonly userId: string
      readonly by: string
      readonly reason: string | null
    }
  | { readonly type: 'member.unbanned'; readonly serverId: string; readonly userId: string }
  | { readonly type: 'member.silenced'; readonly timeout: Timeout }
  /** Before its time. */
  | { readonly type: 'member.unsilenced'; readonly serverId: string; readonly userId: string; readonly by: string }
  /** What a member is called in the server. */
  | {
      readonly type: 'member.renamed'
      readonly serverId: string
      readonly userId: string
      readonly by: string
      readonly before: string | null
      readonly after: string | null
    }
  | {
      readonly type: 'member.titled'
      readonly serverId: string
      readonly userId: string
      readonly by: string
      readonly title: string | null
    }
  /** What their voice may do in the server is other than before. */
  | {
      readonly type: 'member.sanctioned'
      readonly serverId: string
      readonly userId: string
      readonly sanctions: Sanctions
    }
  /** What a channel gives or takes is other than before, and so may be who sees it. */
  | { readonly type: 'override.set'; readonly serverId: string; readonly override: StoredOverride }
  | {
      readonly type: 'override.removed'
      readonly serverId: string
      readonly channelId: string
      readonly overrideId: string
    }
  | { readonly type: 'channel.created'; readonly serverId: string; readonly channelId: string }
  | {
      readonly type: 'channel.renamed'
      readonly serverId: string
      readonly channelId: string
      readonly by: string
      readonly name: string
    }
  /** Only admins speak there for now; or all, again. */
  | {
      readonly type: 'channel.shut'
      readonly serverId: string
      readonly channelId: string
      readonly by: string
      readonly shut: boolean
    }
  /** Who can see a channel may be others than before: `deleted` where it has gone. */
  | {
      readonly type: 'channel.visibility'
      readonly serverId: string
      readonly channelId: string
      readonly deleted: boolean
    }
  /** What a member can see in a server may be more or less than before. */
  | { readonly type: 'member.visibility'; readonly serverId: string; readonly userId: string }
  /** Name, status or the like. */
  | { readonly type: 'user.changed'; readonly userId: string }
  | { readonly type: 'session.ended'; readonly sessionId: string; readonly userId: string }
  /** Its tokens are good no more. */
  | { readonly type: 'bot.ended'; readonly botId: string; readonly userId: string }
  /** Not stored, here and below. */
  | {
      readonly type: 'poke'
      readonly from: string
      readonly to: string
      /** Null: between the two alone. */
      readonly channelId: string | null
      readonly serverId: string | null
    }
  | ({ readonly type: 'presence.changed' } & PresenceChange)
  /** Nothing keeps somebody present any longer; what others see of it is told next. */
  | { readonly type: 'presence.ended'; readonly userId: string }
  /** Somebody's voice is elsewhere, or otherwise, than before. */
  | { readonly type: 'voice.changed'; readonly serverId: string; readonly state: VoiceState }
  /** From one who is in a voice channel to another. */
  | { readonly type: 'voice.signal'; readonly to: string; readonly signal: Signal }
  | { readonly type: 'live.started'; readonly serverId: string; readonly live: Live }
  | {
      readonly type: 'live.stopped'
      readonly serverId: string
      readonly channelId: string
      readonly userId: string
    }
  | {
      readonly type: 'typing'
      readonly user: { readonly id: string; readonly username: string }
      readonly channelId: string
      /** Null for a direct channel, whose other side is `to`. */
      readonly serverId: string | null
      readonly to: string | null
      readonly at: string
    }

export type EventType = WorldEvent['type']
/** What is done for some of the events. */
export type EventTable = {
  readonly [T in EventType]?: (event: Extract<WorldEvent, { readonly type: T }>) => void
}
type Listener = (event: WorldEvent) => void
/** Told of what must not happen: a listener that throws, a store that cannot be written. */
export type Failed = (what: string, error: unknown) => void

/** Looks an event up in a table. */
export function dispatch(table: EventTable, event: WorldEvent): void {
  // Whether a row fits its event, the type of the table says; an index by union cannot.
  const row: ((event: never) => void) | undefined = table[event.type]
  if (row !== undefined) Reflect.apply(row, undefined, [event])
}

/** Hands what happens to whoever listens. */
export class Events {
  readonly #listeners = new Set<Listener>()
  readonly failed: Failed

  constructor(failed: Failed) {
    this.failed = failed
  }

  /** Returns what ends it. */
  on(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(event: WorldEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.failed(`Told of ${event.type}, a listener failed`, error)
      }
    }
  }
}
