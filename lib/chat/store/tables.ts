/** The tables of the world as queries see them: what migrations.ts makes. */

/** SQLite has no booleans, and the driver none to bind. */
export type Flag = 0 | 1

interface Users {
  num: number
  id: string
  username: string
  username_lc: string
  email: string | null
  email_lc: string | null
  /** Null for bots. */
  password_hash: string | null
  avatar_url: string | null
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

interface Sessions {
  id: string
  user_id: string
  created_at: string
  last_used_at: string
  expires_at: string
  revoked_at: string | null
  revoke_reason: string | null
}

interface RefreshTokens {
  token_hash: string
  session_id: string
  issued_at: string
  expires_at: string
  used_at: string | null
  /** Of whoever has used it. */
  used_from: string | null
}

interface Bots {
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

interface Servers {
  id: string
  name: string
  owner_id: string
  icon_url: string | null
  is_public: Flag
  require_invite: Flag
  created_at: string
  updated_at: string
}

interface ServerMembers {
  server_id: string
  user_id: string
  nickname: string | null
  joined_at: string
  join_marker: string
  server_mute: Flag
  server_deaf: Flag
}

interface Roles {
  id: string
  server_id: string
  name: string
  permissions: number
  color: string | null
  position: number
  created_at: string
}

interface MemberRoles {
  server_id: string
  user_id: string
  role_id: string
}

interface Channels {
  num: number
  id: string
  server_id: string
  name: string
  type: 'text' | 'voice'
  position: number
  category: string | null
  topic: string | null
  /** Of its newest message, also of one that was deleted. */
  last_seq: number
  last_message_id: string | null
  created_at: string
}

interface ChannelOverrides {
  id: string
  channel_id: string
  role_id: string | null
  user_id: string | null
  everyone: Flag
  allow: number
  deny: number
}

interface Messages {
  num: number
  id: string
  channel_id: string
  seq: number
  author_id: string | null
  content: string
  reply_to: string | null
  thread_id: string | null
  mention_everyone: Flag
  pinned: Flag
  pinned_by: string | null
  pinned_at: string | null
  edited_at: string | null
  deleted: Flag
  draft: Flag
  created_at: string
}

interface MessageMentions {
  user_id: string
  channel_id: string
  message_id: string
}

interface DmChannels {
  id: string
  user_lo: string
  user_hi: string
  last_seq: number
  last_message_id: string | null
  last_message_at: string | null
  created_at: string
}

interface DmMessages {
  num: number
  id: string
  channel_id: string
  seq: number
  author_id: string | null
  content: string
  reply_to: string | null
  edited_at: string | null
  deleted: Flag
  draft: Flag
  created_at: string
}

interface ReadStates {
  user_id: string
  channel_id: string
  last_read_id: string
}

interface ServerBans {
  server_id: string
  user_id: string
  banned_by: string | null
  reason: string | null
  created_at: string
}

interface MemberTimeouts {
  server_id: string
  user_id: string
  expires_at: string
  reason: string | null
  created_by: string | null
  created_at: string
}

interface IdempotencyKeys {
  user_id: string
  route: string
  key: string
  status: number
  body: string
  expires_at: string
}

interface Counters {
  name: string
  value: number
}

export interface Tables {
  users: Users
  sessions: Sessions
  refresh_tokens: RefreshTokens
  bots: Bots
  servers: Servers
  server_members: ServerMembers
  roles: Roles
  member_roles: MemberRoles
  channels: Channels
  channel_overrides: ChannelOverrides
  messages: Messages
  message_mentions: MessageMentions
  dm_channels: DmChannels
  dm_messages: DmMessages
  read_states: ReadStates
  server_bans: ServerBans
  member_timeouts: MemberTimeouts
  idempotency_keys: IdempotencyKeys
  counters: Counters
}
