import type { Flag } from '../flag.ts'

export interface Messages {
  num: number
  id: string
  channel_id: string
  seq: number
  author_id: string | null
  content: string
  reply_to: string | null
  thread_id: string | null
  /** JSON, of authors who say more than text. */
  segments: string | null
  mention_everyone: Flag
  pinned: Flag
  pinned_by: string | null
  pinned_at: string | null
  edited_at: string | null
  deleted: Flag
  draft: Flag
  created_at: string
}

export interface MessageMentions {
  user_id: string
  channel_id: string
  message_id: string
}

export interface MessageReactions {
  message_id: string
  user_id: string
  emoji: string
  created_at: string
}

export interface Polls {
  id: string
  message_id: string
  question: string
  created_by: string | null
  created_at: string
}

export interface PollOptions {
  id: string
  poll_id: string
  idx: number
  text: string
}

export interface PollVotes {
  poll_id: string
  user_id: string
  option_id: string
  voted_at: string
}

export interface DmChannels {
  id: string
  user_lo: string
  user_hi: string
  last_seq: number
  last_message_id: string | null
  last_message_at: string | null
  created_at: string
}

export interface DmMessages {
  num: number
  id: string
  channel_id: string
  seq: number
  author_id: string | null
  content: string
  reply_to: string | null
  segments: string | null
  edited_at: string | null
  deleted: Flag
  draft: Flag
  created_at: string
}

/** Messages that are sent on together. */
export interface Forwards {
  id: string
  created_by: string | null
  created_at: string
}

export interface ForwardNodes {
  forward_id: string
  idx: number
  user_num: number
  nickname: string
  /** Seconds since 1970. */
  sent_at: number
  /** JSON. */
  segments: string
}

export interface ReadStates {
  user_id: string
  channel_id: string
  last_read_id: string
}

/** Bytes that are kept, each once. */
export interface Blobs {
  sha256: string
  size: number
  mime: string
  created_at: string
}

export interface Files {
  id: string
  sha256: string
  name: string
  kind: 'image' | 'record' | 'video' | 'file'
  owner_id: string | null
  channel_id: string | null
  created_at: string
}

/** Of messages of channels and of direct ones: a number is given once. */
export interface MessageFiles {
  message_num: number
  file_id: string
}

/** Where a file of a channel lies; '' is its root. */
export interface GroupFiles {
  file_id: string
  channel_id: string
  folder_id: string
  name: string
  uploader_id: string | null
  downloads: number
  created_at: string
  modified_at: string
}

export interface GroupFolders {
  id: string
  channel_id: string
  parent_id: string
  name: string
  creator_id: string | null
  created_at: string
}

/** What is announced in a channel. */
export interface Notices {
  id: string
  channel_id: string
  author_id: string | null
  content: string
  file_id: string | null
  pinned: Flag
  created_at: string
}
