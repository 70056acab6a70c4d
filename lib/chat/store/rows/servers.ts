import type { Flag } from '../flag.ts'

export interface Servers {
  id: string
  name: string
  owner_id: string
  icon_url: string | null
  is_public: Flag
  require_invite: Flag
  created_at: string
  updated_at: string
}

export interface ServerMembers {
  server_id: string
  user_id: string
  nickname: string | null
  joined_at: string
  join_marker: string
  server_mute: Flag
  server_deaf: Flag
  title: string | null
  title_expires_at: string | null
}

export interface Roles {
  id: string
  server_id: string
  name: string
  permissions: number
  color: string | null
  position: number
  /** What it is for, where a bot has it made. */
  managed: 'group_admin' | null
  created_at: string
}

export interface MemberRoles {
  server_id: string
  user_id: string
  role_id: string
}

export interface Channels {
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
  /** Nobody but admins speaks there for now. */
  shut: Flag
  icon_file: string | null
}

export interface ChannelOverrides {
  id: string
  channel_id: string
  role_id: string | null
  user_id: string | null
  everyone: Flag
  allow: number
  deny: number
}

/** When somebody has said something last. */
export interface ChannelActivity {
  channel_id: string
  user_id: string
  last_sent_at: string
}

export interface ServerBans {
  server_id: string
  user_id: string
  banned_by: string | null
  reason: string | null
  created_at: string
}

export interface MemberTimeouts {
  server_id: string
  user_id: string
  expires_at: string
  reason: string | null
  created_by: string | null
  created_at: string
}

export interface ServerInvites {
  id: string
  server_id: string
  code: string
  created_by: string | null
  /** Null: any number. */
  max_uses: number | null
  uses: number
  expires_at: string | null
  created_at: string
}

export interface CustomEmojis {
  id: string
  server_id: string
  created_by: string | null
  name: string
  file_id: string
  created_at: string
}

export interface AuditLogs {
  id: string
  /** Null: it has gone. */
  server_id: string | null
  actor_id: string | null
  action: string
  target_type: string | null
  target_id: string | null
  /** JSON. */
  details: string
  created_at: string
}
