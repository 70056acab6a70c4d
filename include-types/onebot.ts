/**
 * Public types of OneBot 11: what a bot's platform offers (`OneBotPlatform`), and what happens there. Types only. Ids are
 * integers up to 2^53−1, of messages 1…2^31−1; times are Unix seconds.
 */
import type { OneBotContacts, OneBotGroupFiles, OneBotMarks, OneBotNotices, OneBotProfile } from './onebot-parts.ts'

type Awaitable<T> = T | Promise<T>

/** A part of a message (OneBot 11, "message segments"): what `data` has depends on `type`. */
export interface OneBotSegment {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface OneBotUser {
  readonly id: number
  readonly nickname: string
  readonly bio: string
  readonly isBot: boolean
  readonly online: boolean
  readonly registeredAt: number
  /** As the bot calls them for itself; '' for none. */
  readonly remark: string
}

export interface OneBotGroup {
  readonly id: number
  readonly name: string
  readonly memberCount: number
  readonly maxMemberCount: number
  readonly createdAt: number
  /** Only admins speak there for now. */
  readonly shut: boolean
  readonly remark: string
}

export type OneBotRole = 'owner' | 'admin' | 'member'

export interface OneBotMember {
  readonly groupId: number
  readonly userId: number
  readonly nickname: string
  /** What they are called in the group; '' for none. */
  readonly card: string
  readonly role: OneBotRole
  readonly title: string
  /** 0: it does not end. */
  readonly titleExpiresAt: number
  readonly joinedAt: number
  /** 0: never. */
  readonly lastSentAt: number
  /** Until then they say nothing; 0: they may speak. */
  readonly mutedUntil: number
  readonly isBot: boolean
}

/** Who has said something, as it was then. */
export interface OneBotSender {
  readonly id: number
  readonly nickname: string
  /** Of group messages. */
  readonly card?: string
  readonly role?: OneBotRole
  readonly title?: string
}

export interface OneBotMessage {
  readonly id: number
  /** Its place in its chat. */
  readonly seq: number
  readonly time: number
  /** Null: it is private. */
  readonly group: { readonly id: number; readonly name: string } | null
  /** The other side of a private message. */
  readonly peer: number | null
  /** friend: they know each other. group: they share one. */
  readonly subType: 'friend' | 'group' | 'other' | 'normal'
  /** Of `subType` group: the group that they share. */
  readonly via?: number
  readonly sender: OneBotSender
  readonly segments: readonly OneBotSegment[]
  /** Of `get_msg`. */
  readonly reactions?: readonly { readonly emojiId: string; readonly count: number }[]
  /** As the platform has it: for `raw` where an endpoint has `debug`. */
  readonly native?: unknown
}

/** One of the messages that are sent on together. */
export interface OneBotForwardNode {
  readonly userId: number
  readonly nickname: string
  readonly time: number
  readonly segments: readonly OneBotSegment[]
}

/** A file that was sent. */
export interface OneBotFile {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly kind: 'image' | 'record' | 'video' | 'file'
  readonly mime: string
  /** Where it is on the disk. */
  readonly path: string
  /** Where it is read, for a while. */
  readonly url: string
}

/** A file that is to be kept. */
export interface OneBotNewFile {
  /** As its sender calls it; '' for nothing. */
  readonly name: string
  /** What it has to be. */
  readonly kind: OneBotFile['kind']
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>
}

interface InGroup {
  readonly group_id: number
  readonly user_id: number
}

/** What OneBot calls a notice, without what all have (`time`, `self_id`, `post_type`). */
export type OneBotNotice =
  | ({
      readonly notice_type: 'group_upload'
      readonly file: { readonly id: string; readonly name: string; readonly size: number; readonly busid: number }
    } & InGroup)
  | ({ readonly notice_type: 'group_admin'; readonly sub_type: 'set' | 'unset' } & InGroup)
  | ({
      readonly notice_type: 'group_decrease'
      readonly sub_type: 'leave' | 'kick' | 'kick_me' | 'disband'
      readonly operator_id: number
    } & InGroup)
  | ({
      readonly notice_type: 'group_increase'
      readonly sub_type: 'approve' | 'invite'
      readonly operator_id: number
    } & InGroup)
  | ({
      readonly notice_type: 'group_ban'
      readonly sub_type: 'ban' | 'lift_ban'
      readonly operator_id: number
      /** −1: until it is lifted. */
      readonly duration: number
    } & InGroup)
  | {
      readonly notice_type: 'offline_file'
      readonly user_id: number
      readonly file: { readonly name: string; readonly size: number; readonly url: string }
    }
  | { readonly notice_type: 'friend_add'; readonly user_id: number }
  | ({ readonly notice_type: 'group_recall'; readonly operator_id: number; readonly message_id: number } & InGroup)
  | { readonly notice_type: 'friend_recall'; readonly user_id: number; readonly message_id: number }
  | ({
      readonly notice_type: 'notify'
      readonly sub_type: 'poke'
      readonly sender_id: number
      readonly target_id: number
    } & (InGroup | { readonly user_id: number }))
  | ({ readonly notice_type: 'notify'; readonly sub_type: 'title'; readonly title: string } & InGroup)
  | ({ readonly notice_type: 'notify'; readonly sub_type: 'group_name'; readonly name_new: string } & InGroup)
  | ({
      readonly notice_type: 'notify'
      readonly sub_type: 'input_status'
      readonly event_type: number
      readonly status_text: string
    } & InGroup)
  | {
      readonly notice_type: 'notify'
      readonly sub_type: 'profile_like'
      readonly operator_id: number
      readonly operator_nick: string
      readonly times: number
    }
  | ({ readonly notice_type: 'group_card'; readonly card_new: string; readonly card_old: string } & InGroup)
  | ({
      readonly notice_type: 'essence'
      readonly sub_type: 'add' | 'delete'
      readonly sender_id: number
      readonly operator_id: number
      readonly message_id: number
    } & InGroup)
  | ({
      readonly notice_type: 'group_msg_emoji_like'
      readonly message_id: number
      readonly likes: readonly { readonly emoji_id: string; readonly count: number }[]
      readonly is_add: boolean
    } & InGroup)

/** What somebody wants, and the bot decides by its `flag`. */
export type OneBotRequest =
  | { readonly request_type: 'friend'; readonly user_id: number; readonly comment: string; readonly flag: string }
  | ({
      readonly request_type: 'group'
      readonly sub_type: 'add' | 'invite'
      readonly comment: string
      readonly flag: string
    } & InGroup)

/** Something that has happened. One object for all bots that hear of it is made into text once. */
export type OneBotEvent =
  | { readonly kind: 'message'; readonly message: OneBotMessage }
  | { readonly kind: 'notice'; readonly time: number; readonly notice: OneBotNotice }
  | { readonly kind: 'request'; readonly time: number; readonly request: OneBotRequest }

/** Where a message goes. */
export type OneBotTarget = { readonly group: number } | { readonly user: number }

/**
 * What a bot's world offers. Each method may answer later. What cannot be done rejects with an `Error` whose `code` is one of
 * go-cqhttp's words, such as 'GROUP_NOT_FOUND': the client is told that, with retcode 1200. Anything else that is thrown is
 * logged, and the client is told nothing of it.
 */
export interface OneBotPlatform {
  /** The bot. */
  self(): OneBotUser
  isOnline(): boolean
  /** Tells of what happens, in order, until the returned function is called. */
  listen(listener: (event: OneBotEvent) => void): () => void
  /** Somebody uses the bot, until the returned function is called. */
  attach(): () => void
  close?(): void
  /** Parts that not every platform has: what needs them is answered with 1404 without. */
  readonly groupFiles?: OneBotGroupFiles
  readonly marks?: OneBotMarks
  readonly notices?: OneBotNotices
  readonly contacts?: OneBotContacts
  readonly profile?: OneBotProfile

  user(id: number): Awaitable<OneBotUser | null>
  friends(): Awaitable<readonly OneBotUser[]>
  group(id: number): Awaitable<OneBotGroup>
  groups(): Awaitable<readonly OneBotGroup[]>
  member(group: number, user: number): Awaitable<OneBotMember>
  members(group: number): Awaitable<readonly OneBotMember[]>
  message(id: number): Awaitable<OneBotMessage>
  /**
   * What was said up to a message, by its id or its place in the chat, or until now: so many at most, the oldest first. None
   * where nothing was.
   */
  history(target: OneBotTarget, upTo: number | null, count: number): Awaitable<readonly OneBotMessage[]>
  /** None where there is no such bundle. */
  forward(id: string): Awaitable<readonly OneBotForwardNode[]>
  /** By its id, or as a segment names it. */
  file(name: string): Awaitable<OneBotFile>

  /**
   * Keeps a file for what the bot sends next: a segment names it by its `file_id` then. Rejects with LOAD_FILE_ERROR where its
   * bytes are not what they have to be. Without this, segments come as clients say them: with paths, URLs and base64.
   */
  store?(file: OneBotNewFile): Promise<OneBotFile>
  /** @returns the id of the message */
  send(target: OneBotTarget, segments: readonly OneBotSegment[]): Awaitable<number>
  /** @returns the id of the message, and that of the bundle */
  sendForward(
    target: OneBotTarget,
    nodes: readonly OneBotForwardNode[],
  ): Awaitable<{ readonly id: number; readonly forward: string }>
  recall(message: number): Awaitable<void>
  poke(target: OneBotTarget, user: number): Awaitable<void>
  like(user: number, times: number): Awaitable<void>
  /** `block`: they may not ask to come back. */
  kick(group: number, user: number, block: boolean): Awaitable<void>
  /** 0 seconds: they may speak again. */
  mute(group: number, user: number, seconds: number): Awaitable<void>
  muteAll(group: number, on: boolean): Awaitable<void>
  setAdmin(group: number, user: number, on: boolean): Awaitable<void>
  /** '': none. */
  setCard(group: number, user: number, card: string): Awaitable<void>
  /** '': none. Seconds; −1: for good. */
  setTitle(group: number, user: number, title: string, seconds: number): Awaitable<void>
  renameGroup(group: number, name: string): Awaitable<void>
  /** `dissolve`: nobody has it any more. */
  leaveGroup(group: number, dissolve: boolean): Awaitable<void>
  answerFriend(flag: string, approve: boolean, remark: string): Awaitable<void>
  answerGroup(flag: string, approve: boolean, reason: string): Awaitable<void>
}
