/*
 * The events of the socket: what each has, who hears it, what causes it. What the fan-out tells to whom is checked against this
 * table by its types; docs/gateway.md is made of it, and a test causes each.
 */

/** Who hears of something. */
export const AUDIENCES = {
  one: 'each connection, first',
  server: 'all members of the server',
  leaving: 'all members of the server, and who is sent off: it is the last they hear of it',
  viewers: 'who sees the channel, whoever causes it included',
  others: 'who sees the channel, but for who types; the other side of a direct channel',
  around: 'who sees the channel before or after: who loses sight of it hears why',
  inviters: 'members who may invite',
  peers: 'others in a server with them, each once; all connections of their own',
  sides: 'both sides',
  user: 'the user it is for',
} as const
export type Heard = keyof typeof AUDIENCES

interface EventInfo {
  /** The fields of `d`, as docs/gateway.md has them. */
  readonly d: string
  readonly heard: Heard
  readonly causes: string
}

const PLACE = '`message_id`, `channel_id`'
const MEMBER = '`server_id`, `user_id`'
const VOICE =
  '`POST`, `PATCH`, `DELETE /channels/:id/voice`, the same with `/:user_id`; the last connection gone; membership or channel gone'

export const EVENTS = {
  READY: {
    d: '`user`, `servers` (without `member_count`), `dm_channels`, `unread_counts`, `mention_counts`, `server_roles`, `channel_overrides`; with `?resume=1` also `session_id`',
    heard: 'one',
    causes: 'connecting',
  },
  RESUMED: {
    d: '`session_id`, `events`: how many of them follow',
    heard: 'one',
    causes: 'connecting with `?resume=ID&seq=S`, in the place of READY',
  },
  MESSAGE_CREATE: {
    d: 'Message',
    heard: 'viewers',
    causes: '`POST /channels/:id/messages`, `POST /channels/:id/polls`',
  },
  MESSAGE_UPDATE: { d: 'Message', heard: 'viewers', causes: '`PATCH /messages/:id` with other content' },
  MESSAGE_DELETE: { d: '`id`, `channel_id`', heard: 'viewers', causes: '`DELETE /messages/:id`' },
  THREAD_MESSAGE_CREATE: {
    d: 'Message',
    heard: 'viewers',
    causes: '`POST /channels/:id/messages/:message_id/thread`; there is no MESSAGE_CREATE then',
  },
  REACTION_ADD: {
    d: `${PLACE}, \`user_id\`, \`emoji\``,
    heard: 'viewers',
    causes: '`PUT …/reactions/:emoji`, the first time',
  },
  REACTION_REMOVE: { d: 'as REACTION_ADD', heard: 'viewers', causes: '`DELETE …/reactions/:emoji`' },
  MESSAGE_PIN: { d: `${PLACE}, \`pinned_by\``, heard: 'viewers', causes: '`POST …/pin`, the first time' },
  MESSAGE_UNPIN: { d: `${PLACE}, \`unpinned_by\``, heard: 'viewers', causes: '`DELETE …/pin`' },
  POLL_VOTE: {
    d: '`poll_id`, `channel_id`, `updated_poll`: Poll, in which each finds their own `user_vote`',
    heard: 'viewers',
    causes: '`POST /polls/:id/vote` for another option than before',
  },
  TYPING_START: {
    d: '`user_id`, `username`, `channel_id`, `timestamp`',
    heard: 'others',
    causes: 'TYPING_START of a client. There is no end of it: forget it after 10 s',
  },
  PRESENCE_UPDATE: {
    d: '`user_id`, `status`, `custom_status`?, `activity`?',
    heard: 'peers',
    causes:
      'PRESENCE_UPDATE of a client, `PATCH /users/@me`, the first connection and the last, where what they see changes',
  },
  VOICE_STATE_UPDATE: {
    d: 'VoiceState; `channel_id` and `joined_at` are null of who has left',
    heard: 'server',
    causes: VOICE,
  },
  VOICE_SIGNAL: {
    d: '`from_user_id`, `type`, `sdp`?, `candidate`?, `stream_type`?',
    heard: 'user',
    causes: 'VOICE_SIGNAL of a client in the same voice channel',
  },
  GO_LIVE_START: {
    d: '`channel_id`, `broadcaster_id`, `quality`, `started_at`',
    heard: 'viewers',
    causes: '`POST /channels/:id/go-live`, also for another quality',
  },
  GO_LIVE_STOP: {
    d: '`channel_id`, `broadcaster_id`',
    heard: 'viewers',
    causes: '`DELETE /channels/:id/go-live`, and whatever ends the voice of who shows, before that is told',
  },
  MEMBER_KICK: { d: `${MEMBER}, \`reason\`?`, heard: 'leaving', causes: '`POST …/kick`' },
  MEMBER_BAN: { d: 'as MEMBER_KICK', heard: 'leaving', causes: '`POST …/ban`, the first time' },
  MEMBER_UNBAN: { d: MEMBER, heard: 'server', causes: '`DELETE …/bans/:user_id` of who was banned' },
  MEMBER_TIMEOUT: { d: `${MEMBER}, \`expires_at\`, \`reason\`?`, heard: 'server', causes: '`POST …/timeout`' },
  MEMBER_TIMEOUT_REMOVE: { d: MEMBER, heard: 'server', causes: '`DELETE …/timeout`; not when one ends by itself' },
  MEMBER_ROLE_ADD: {
    d: `${MEMBER}, \`role_id\`, \`role_name\`, \`role_color\`?`,
    heard: 'server',
    causes: '`PUT /servers/:id/members/:user_id/roles/:role_id`, the first time',
  },
  MEMBER_ROLE_REMOVE: {
    d: 'as MEMBER_ROLE_ADD',
    heard: 'server',
    causes: '`DELETE` of the same; not when the role itself is deleted',
  },
  ROLE_CREATE: { d: 'Role', heard: 'server', causes: '`POST /servers/:id/roles`' },
  ROLE_UPDATE: { d: 'Role', heard: 'server', causes: '`PATCH /servers/:id/roles/:role_id` that changes it' },
  ROLE_DELETE: {
    d: '`server_id`, `role_id`: nobody has it any more, and its overrides are gone',
    heard: 'server',
    causes: '`DELETE /servers/:id/roles/:role_id`',
  },
  CHANNEL_OVERRIDE_UPDATE: { d: 'Override', heard: 'around', causes: '`PUT /channels/:id/overrides` that changes it' },
  CHANNEL_OVERRIDE_DELETE: {
    d: '`channel_id`, `override_id`',
    heard: 'around',
    causes: '`DELETE /channels/:id/overrides/:override_id`',
  },
  INVITE_CREATE: { d: 'Invite', heard: 'inviters', causes: '`POST /servers/:id/invites`' },
  INVITE_DELETE: {
    d: '`server_id`, `invite_id`',
    heard: 'inviters',
    causes: '`DELETE /servers/:id/invites/:invite_id`; not when one ends by itself',
  },
  CUSTOM_EMOJI_CREATE: { d: 'Emoji', heard: 'server', causes: '`POST /servers/:id/emojis`' },
  CUSTOM_EMOJI_DELETE: {
    d: '`server_id`, `emoji_id`',
    heard: 'server',
    causes: '`DELETE /servers/:id/emojis/:emoji_id`',
  },
  DM_CHANNEL_CREATE: {
    d: 'DmChannel: each side has the other as `recipient`',
    heard: 'sides',
    causes: '`POST /dm-channels` that makes one',
  },
  DM_MESSAGE_CREATE: { d: 'DmMessage', heard: 'sides', causes: '`POST /dm-channels/:id/messages`' },
  DM_MESSAGE_DELETE: {
    d: '`id`, `channel_id`',
    heard: 'sides',
    causes: '`DELETE /dm-channels/:id/messages/:message_id`',
  },
} as const satisfies Readonly<Record<string, EventInfo>>

export type EventName = keyof typeof EVENTS
/** The events that those hear. */
export type EventFor<A extends Heard> = {
  [N in EventName]: (typeof EVENTS)[N]['heard'] extends A ? N : never
}[EventName]
