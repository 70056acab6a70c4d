import {
  BAN_MEMBERS,
  CONFLICT,
  CREATE_INVITES,
  inServer,
  KICK_MEMBERS,
  MANAGE_CHANNELS,
  MANAGE_ROLES,
  MANAGE_SERVER,
  MEMBER,
  MUTE_MEMBERS,
  only,
  OWNER,
  PUBLIC,
  USER,
} from '../callers.ts'
import { type Row, row } from '../row.ts'
import { IMAGE, type Scene } from '../scene.ts'

/** Of ways in: who is in already, and who may not come back. */
const ARRIVING = {
  owner: CONFLICT,
  admin: CONFLICT,
  moderator: CONFLICT,
  member: CONFLICT,
  bot: CONFLICT,
  banned: '403 BANNED',
}

function silence({ world, things }: Scene) {
  world.moderation.silence(things.owner, things.server, things.target, 300, null)
  return {}
}

const requested = { ids: { request_id: 'joinRequest' } } as const
const invited = { ids: { request_id: 'invitation' } } as const

const members: readonly Row[] = [
  row('GET /servers/:id/members', MEMBER, 200),
  row('PATCH /servers/:id/members/:user_id', inServer(MANAGE_SERVER), 200, { body: { nickname: 'Skipper' } }),
  row('PATCH /servers/:id/members/:user_id', MEMBER, 200, {
    note: 'their own',
    ids: { user_id: 'me' },
    body: { nickname: 'Skipper' },
  }),
  row('POST /servers/:id/members/:user_id/kick', inServer(KICK_MEMBERS), 204, { hears: ['MEMBER_KICK'] }),
  row('POST /servers/:id/members/:user_id/ban', inServer(BAN_MEMBERS), 204, { hears: ['MEMBER_BAN'] }),
  row('POST /servers/:id/members/:user_id/ban', inServer(BAN_MEMBERS), 204, {
    note: 'who is no member',
    ids: { user_id: 'somebody' },
    hears: ['MEMBER_BAN'],
  }),
  row('GET /servers/:id/bans', inServer(BAN_MEMBERS), 200),
  row('DELETE /servers/:id/bans/:user_id', inServer(BAN_MEMBERS), 204, {
    ids: { user_id: 'banned' },
    hears: ['MEMBER_UNBAN'],
  }),
  row('POST /servers/:id/members/:user_id/timeout', inServer(MUTE_MEMBERS), 200, {
    body: { duration_minutes: 5 },
    hears: ['MEMBER_TIMEOUT'],
  }),
  row('DELETE /servers/:id/members/:user_id/timeout', inServer(MUTE_MEMBERS), 204, {
    before: silence,
    hears: ['MEMBER_TIMEOUT_REMOVE'],
  }),
]

const roles: readonly Row[] = [
  row('GET /servers/:id/roles', MEMBER, 200),
  row('POST /servers/:id/roles', inServer(MANAGE_ROLES), 201, { body: { name: 'Chief' }, hears: ['ROLE_CREATE'] }),
  row('PATCH /servers/:id/roles/:role_id', inServer(MANAGE_ROLES), 200, {
    body: { name: 'Chief' },
    hears: ['ROLE_UPDATE'],
  }),
  row('DELETE /servers/:id/roles/:role_id', inServer(MANAGE_ROLES), 204, { hears: ['ROLE_DELETE'] }),
  row('PUT /servers/:id/members/:user_id/roles/:role_id', inServer(MANAGE_ROLES), 204, { hears: ['MEMBER_ROLE_ADD'] }),
  row('DELETE /servers/:id/members/:user_id/roles/:role_id', inServer(MANAGE_ROLES), 204, {
    ids: { role_id: 'held' },
    hears: ['MEMBER_ROLE_REMOVE'],
  }),
]

const arrivals: readonly Row[] = [
  row('GET /servers/:id/invites', inServer(CREATE_INVITES), 200),
  row('POST /servers/:id/invites', inServer(CREATE_INVITES), 201, { body: {}, hears: ['INVITE_CREATE'] }),
  row('DELETE /servers/:id/invites/:invite_id', inServer(CREATE_INVITES), 204, { hears: ['INVITE_DELETE'] }),
  row('GET /invites/:code', USER, 200),
  row('POST /invites/:code/accept', USER, 201, { but: ARRIVING }),

  row('GET /servers/:id/join-requests', inServer(CREATE_INVITES), 200),
  row('POST /servers/:id/join-requests', USER, 201, { body: { comment: 'please' }, but: ARRIVING }),
  row('POST /servers/:id/join-requests/:request_id/accept', inServer(CREATE_INVITES), 200, requested),
  row('POST /servers/:id/join-requests/:request_id/reject', inServer(CREATE_INVITES), 200, requested),

  row('GET /users/@me/invitations', USER, 200),
  row('POST /servers/:id/invitations', inServer(CREATE_INVITES), 201, { body: { user_id: '$somebody$' } }),
  row('POST /servers/:id/invitations/:request_id/accept', only('stranger'), 200, invited),
  row('POST /servers/:id/invitations/:request_id/reject', only('stranger'), 200, invited),
]

/** Servers, their members and roles, and ways in. */
export const ofServers: readonly Row[] = [
  row('POST /servers', USER, 201, { body: { name: 'Island' } }),
  row('GET /servers', USER, 200),
  row('GET /servers/browse', USER, 200),
  row('GET /servers/:id', MEMBER, 200),
  row('PATCH /servers/:id', inServer(MANAGE_SERVER), 200, { body: { name: 'Port' } }),
  row('DELETE /servers/:id', OWNER, 204),
  row('POST /servers/:id/join', USER, 201, { open: true, but: ARRIVING }),
  row('POST /servers/:id/join', USER, 201, {
    note: 'one that needs an invite',
    but: { ...ARRIVING, stranger: '403 FORBIDDEN' },
  }),
  row('DELETE /servers/:id/leave', MEMBER, 204, { but: { owner: '400 VALIDATION' } }),
  row('GET /servers/:id/audit-log', inServer(MANAGE_SERVER), 200),
  ...members,
  ...roles,
  ...arrivals,

  row('GET /servers/:id/channels', MEMBER, 200),
  row('POST /servers/:id/channels', inServer(MANAGE_CHANNELS), 201, { body: { name: 'quay', type: 'text' } }),
  row('GET /servers/:id/emojis', MEMBER, 200),
  row('POST /servers/:id/emojis', inServer(MANAGE_SERVER), 201, {
    form: { name: 'gull', image: IMAGE },
    hears: ['CUSTOM_EMOJI_CREATE'],
  }),
  row('DELETE /servers/:id/emojis/:emoji_id', inServer(MANAGE_SERVER), 204, { hears: ['CUSTOM_EMOJI_DELETE'] }),
  row('GET /emojis/:id', PUBLIC, 200),
  row('GET /portraits/:id', PUBLIC, 200),
]
