/**
 * Public types of OneBot 11: what a platform may offer beside `OneBotPlatform`, in parts that not every platform has. Types only.
 */
import type {
  OneBotFile,
  OneBotGroup,
  OneBotMessage,
  OneBotNewFile,
  OneBotRequest,
  OneBotTarget,
  OneBotUser,
} from './onebot.ts'

type Awaitable<T> = T | Promise<T>

/** Of a group, as one finds it there later. */
export interface OneBotGroupFile {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly downloads: number
  readonly uploadedAt: number
  readonly modifiedAt: number
  readonly uploader: OneBotPerson
}

export interface OneBotFolder {
  readonly id: string
  readonly name: string
  /** How many are in it. */
  readonly files: number
  readonly createdAt: number
  readonly creator: OneBotPerson
}

/** Files of groups, in folders of which '' is the root. */
export interface OneBotGroupFiles {
  /** The newest first, so many at most. */
  list(
    group: number,
    folder: string,
    count: number,
  ): Awaitable<{ readonly files: readonly OneBotGroupFile[]; readonly folders: readonly OneBotFolder[] }>
  usage(group: number): Awaitable<{ readonly count: number; readonly bytes: number }>
  /** @returns its id */
  upload(group: number, file: OneBotNewFile, folder: string): Awaitable<string>
  /** Where it is read, for a while. */
  link(group: number, id: string): Awaitable<string>
  move(group: number, id: string, folder: string): Awaitable<void>
  rename(group: number, id: string, name: string): Awaitable<void>
  remove(group: number, id: string): Awaitable<void>
  makeFolder(group: number, name: string): Awaitable<OneBotFolder>
  removeFolder(group: number, id: string): Awaitable<void>
}

/** Somebody, by what they are called; number 0: nobody is known. */
export interface OneBotPerson {
  readonly id: number
  readonly name: string
}

/** A message that is pinned. */
export interface OneBotPin {
  readonly message: OneBotMessage
  readonly by: OneBotPerson
  readonly at: number
}

/** What is noted about messages. */
export interface OneBotMarks {
  /** The one that was pinned last comes first. */
  pinned(group: number): Awaitable<readonly OneBotPin[]>
  pin(message: number, on: boolean): Awaitable<void>
  /** @param emoji QQ's number of one, below 5000; or a code point */
  react(message: number, emoji: string, on: boolean): Awaitable<void>
  /** In the order in which they came. */
  reactors(message: number, emoji: string): Awaitable<readonly OneBotPerson[]>
  /** All up to a message. */
  readUpTo(message: number): Awaitable<void>
  /** Null: in all chats. */
  readAll(target: OneBotTarget | null): Awaitable<void>
}

/** Announcements of groups. */
export interface OneBotNotices {
  list(group: number): Awaitable<readonly OneBotAnnouncement[]>
  /** @returns its id */
  add(group: number, content: string, image: OneBotNewFile | null, pinned: boolean): Awaitable<string>
  remove(group: number, id: string): Awaitable<void>
}

export interface OneBotAnnouncement {
  readonly id: string
  readonly author: OneBotPerson
  readonly content: string
  readonly image: OneBotFile | null
  readonly pinned: boolean
  readonly at: number
}

/** Those that the bot has to do with. */
export interface OneBotContacts {
  /** Rejects with FRIEND_NOT_FOUND where they are no friends. */
  removeFriend(user: number): Awaitable<void>
  /** What the bot calls somebody, or a group, for itself; '': nothing. */
  setRemark(target: OneBotTarget, remark: string): Awaitable<void>
  /** The last message of each chat, the newest first: so many at most. */
  recent(count: number): Awaitable<readonly OneBotRecent[]>
  /** What the bot is to decide about groups, the newest first: so many at most. */
  requests(count: number): Awaitable<readonly OneBotGroupRequest[]>
  /** Somebody sees that the bot writes to them. */
  type(user: number): Awaitable<void>
  /** How often somebody is liked; who likes them only the bot knows of itself. */
  likes(user: number, start: number, count: number): Awaitable<OneBotLikes>
}

export interface OneBotRecent {
  readonly message: OneBotMessage
  /** The group, or the other side. */
  readonly chat: Pick<OneBotGroup, 'id' | 'name' | 'remark'>
}

/** Something to decide, with who wants it, and where. */
export interface OneBotGroupRequest {
  readonly request: Extract<OneBotRequest, { readonly request_type: 'group' }>
  readonly from: OneBotPerson
  readonly group: OneBotPerson
}

export interface OneBotLikes {
  readonly total: number
  readonly today: number
  readonly users: readonly {
    readonly user: OneBotUser
    readonly times: number
    readonly today: number
    readonly at: number
    readonly isFriend: boolean
  }[]
}

/** How the bot wants to be seen. */
export type OneBotStatus = 'online' | 'away' | 'busy' | 'invisible'

/** How others see the bot. */
export interface OneBotProfile {
  /** What is left out stays. */
  set(profile: { readonly nickname?: string; readonly bio?: string }): Awaitable<void>
  setAvatar(image: OneBotNewFile): Awaitable<void>
  setStatus(status: OneBotStatus): Awaitable<void>
  /** Words under its name; '': none. */
  setWords(words: string): Awaitable<void>
  /** An image of a group. */
  setGroupImage(group: number, image: OneBotNewFile): Awaitable<void>
}
