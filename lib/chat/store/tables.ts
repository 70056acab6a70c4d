import type {
  Blobs,
  DmChannels,
  DmMessages,
  Files,
  ForwardNodes,
  Forwards,
  GroupFiles,
  GroupFolders,
  MessageFiles,
  MessageMentions,
  MessageReactions,
  Messages,
  Notices,
  PollOptions,
  PollVotes,
  Polls,
  ReadStates,
} from './rows/messages.ts'
import type {
  Bots,
  Counters,
  Friends,
  IdempotencyKeys,
  Likes,
  RefreshTokens,
  Remarks,
  Requests,
  Sessions,
  Users,
} from './rows/people.ts'
import type {
  AuditLogs,
  ChannelActivity,
  ChannelOverrides,
  Channels,
  CustomEmojis,
  MemberRoles,
  MemberTimeouts,
  Roles,
  ServerBans,
  ServerInvites,
  ServerMembers,
  Servers,
} from './rows/servers.ts'

/** The tables of the world as queries see them: what migrations.ts makes. */
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
  channel_activity: ChannelActivity
  messages: Messages
  message_mentions: MessageMentions
  dm_channels: DmChannels
  dm_messages: DmMessages
  read_states: ReadStates
  server_bans: ServerBans
  member_timeouts: MemberTimeouts
  message_reactions: MessageReactions
  polls: Polls
  poll_options: PollOptions
  poll_votes: PollVotes
  server_invites: ServerInvites
  blobs: Blobs
  files: Files
  message_files: MessageFiles
  custom_emojis: CustomEmojis
  friends: Friends
  requests: Requests
  remarks: Remarks
  likes: Likes
  forwards: Forwards
  forward_nodes: ForwardNodes
  group_files: GroupFiles
  group_folders: GroupFolders
  notices: Notices
  audit_logs: AuditLogs
  idempotency_keys: IdempotencyKeys
  counters: Counters
}
