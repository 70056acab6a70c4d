import type { Flag } from '../flag.ts'

export interface Users {
  num: number
  id: string
  username: string
  username_lc: string
  email: string | null
  email_lc: string | null
  /** Null for bots. */
  password_hash: string | null
  avatar_url: string | null
  /** The image behind it, where that is kept here. */
  avatar_file: string | null
  bio: string | null
  pronouns: string | null
  status_sticky: 'dnd' | 'offline' | null
  custom_status: string | null
  activity: string | null
  is_admin: Flag
  is_bot: Flag
  disabled: Flag
  disabled_at: string | null
  created_at: string
  updated_at: string
}

export interface Sessions {
  id: string
  user_id: string
  created_at: string
  last_used_at: string
  expires_at: string
  revoked_at: string | null
  revoke_reason: string | null
}

export interface RefreshTokens {
  token_hash: string
  session_id: string
  issued_at: string
  expires_at: string
  used_at: string | null
  /** Of whoever has used it. */
  used_from: string | null
}

export interface Bots {
  id: string
  user_id: string
  /** As a config names it. */
  handle: string | null
  name: string
  description: string | null
  token_hash: string
  token_gen: number
  created_by: string | null
  revoked_at: string | null
  created_at: string
}

export interface Friends {
  user_lo: string
  user_hi: string
  source: 'dm' | 'request'
  created_at: string
}

/** What somebody calls another, or a channel, for themselves. */
export interface Remarks {
  owner_id: string
  kind: 'user' | 'channel'
  target_id: string
  remark: string
}

export interface Likes {
  from_user: string
  to_user: string
  /** In UTC: 2026-01-31. */
  day: string
  times: number
  last_at: string
}

/** What somebody else decides. */
export interface Requests {
  id: string
  /** As bots name it. */
  flag: string
  kind: 'friend' | 'join' | 'invite'
  from_user: string
  to_user: string | null
  server_id: string | null
  comment: string
  state: 'pending' | 'approved' | 'rejected'
  reason: string | null
  decided_by: string | null
  created_at: string
  decided_at: string | null
}

export interface IdempotencyKeys {
  user_id: string
  route: string
  key: string
  status: number
  body: string
  expires_at: string
}

export interface Counters {
  name: string
  value: number
}
