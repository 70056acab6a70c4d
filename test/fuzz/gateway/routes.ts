import { readdirSync, readFileSync } from 'node:fs'

/*
 * What the HTTP API has, with a call of each route that should go well. Things are named: `$channel$` is an id of whoever plays
 * the input, see cast.ts.
 */

export interface RouteCall {
  readonly spec: string
  /** Null: without one. */
  readonly body: Readonly<Record<string, unknown>> | null
  /** Where the first thing of its kind is not what is needed. */
  readonly ids: Readonly<Record<string, string>>
  readonly as: string
  /** Passwords are hashed: seldom. */
  readonly dear: boolean
  /** It is written out here, and must be found. */
  readonly listed: boolean
}

type Rest = Partial<Pick<RouteCall, 'ids' | 'as' | 'dear'>>
const call = (spec: string, body: RouteCall['body'] = null, rest: Rest = {}): RouteCall => ({
  spec,
  body,
  ids: {},
  as: 'owner',
  dear: false,
  listed: true,
  ...rest,
})

const content = 'fog at six, @everyone'
const voice = { ids: { id: 'voice' } }
const dear = { dear: true, as: 'nobody' }
const other = { ids: { user_id: 'member' } }
const invited = { as: 'outsider', ids: { id: 'public', request_id: 'invitation' } }
const flags = { self_mute: true }

/** All of the specification; those that are not there yet are left out of a run. */
const LISTED: readonly RouteCall[] = [
  call('GET /health', null, { as: 'nobody' }),
  call('POST /auth/register', { username: 'someone', password: 'long enough', email: null }, dear),
  call('POST /auth/login', { username: 'someone', password: 'long enough' }, dear),
  call('POST /auth/refresh', { refresh_token: '$refresh$' }, { as: 'nobody' }),
  call('POST /auth/logout', { refresh_token: '$refresh$' }, { as: 'nobody' }),
  call('POST /auth/logout-all'),
  call('POST /auth/password', { current_password: 'not this one', new_password: 'long enough' }, { dear: true }),
  call('GET /users/@me'),
  call('PATCH /users/@me', {
    avatar_url: null,
    bio: 'tides',
    pronouns: 'she',
    status: 'dnd',
    custom_status: 'x',
    activity: null,
  }),
  call('GET /users/:id'),
  call('POST /bots', { name: 'helper', description: null }),
  call('GET /bots'),
  call('GET /bots/:id'),
  call('PATCH /bots/:id', { name: 'other', description: 'x' }),
  call('DELETE /bots/:id'),
  call('POST /bots/:id/token/regenerate'),
  call('POST /bots/connect', null, { as: 'bot' }),
  call('POST /servers', { name: 'Island', icon_url: null, is_public: false, require_invite: false }),
  call('GET /servers'),
  call('GET /servers/browse'),
  call('GET /servers/:id'),
  call('PATCH /servers/:id', { name: 'Port', icon_url: 'https://x.test/a.png', require_invite: false }),
  call('DELETE /servers/:id'),
  call('POST /servers/:id/join', null, { as: 'outsider', ids: { id: 'public' } }),
  call('DELETE /servers/:id/leave', null, { as: 'member' }),
  call('GET /servers/:id/members'),
  call('POST /servers/:id/members/:user_id/kick', { reason: 'spam' }, other),
  call('POST /servers/:id/members/:user_id/ban', { reason: 'spam' }, other),
  call('GET /servers/:id/bans'),
  call('DELETE /servers/:id/bans/:user_id', null, other),
  call('POST /servers/:id/members/:user_id/timeout', { duration_minutes: 5, reason: null }, other),
  call('DELETE /servers/:id/members/:user_id/timeout', null, other),
  call('GET /servers/:id/roles'),
  call('POST /servers/:id/roles', { name: 'Pilot', permissions: 388, color: '#1F8A70', position: 3 }),
  call('PATCH /servers/:id/roles/:role_id', { name: 'Chief', permissions: 4, color: null }),
  call('DELETE /servers/:id/roles/:role_id'),
  call('PUT /servers/:id/members/:user_id/roles/:role_id', null, other),
  call('DELETE /servers/:id/members/:user_id/roles/:role_id', null, other),
  call('GET /servers/:id/channels'),
  call('POST /servers/:id/channels', { name: 'pier', type: 'text', topic: null, category: 'x' }),
  call('GET /servers/:id/channels/:channel_id'),
  call('PATCH /servers/:id/channels/:channel_id', { name: 'quay', topic: 'ships', category: null, position: 3 }),
  call('DELETE /servers/:id/channels/:channel_id'),
  call('GET /channels/:id/overrides'),
  call('PUT /channels/:id/overrides', { user_id: '$member$', allow: 4, deny: 2 }),
  call('DELETE /channels/:id/overrides/:override_id', null, { ids: { id: 'hidden' } }),
  call('POST /channels/:id/messages', { content, reply_to: '$message$' }),
  call('GET /channels/:id/messages'),
  call('GET /channels/:id/messages/:message_id'),
  call('PATCH /messages/:id', { content: 'fog at seven' }),
  call('DELETE /messages/:id'),
  call('GET /channels/:id/messages/:message_id/thread'),
  call('POST /channels/:id/messages/:message_id/thread', { content }),
  call('PUT /channels/:id/messages/:message_id/reactions/:emoji'),
  call('DELETE /channels/:id/messages/:message_id/reactions/:emoji'),
  call('GET /channels/:id/messages/:message_id/reactions'),
  call('POST /channels/:id/messages/:message_id/pin'),
  call('DELETE /channels/:id/messages/:message_id/pin'),
  call('GET /channels/:id/pinned-messages'),
  call('POST /channels/:id/polls', { question: 'Sail?', options: ['yes', 'no'] }),
  call('GET /polls/:id'),
  call('POST /polls/:id/vote', { option_id: '$option$' }),
  call('POST /channels/:id/ack', { message_id: '$message$' }),
  call('POST /dm-channels', { user_id: '$member$' }),
  call('GET /dm-channels'),
  call('POST /dm-channels/:id/messages', { content }),
  call('GET /dm-channels/:id/messages'),
  call('DELETE /dm-channels/:id/messages/:message_id', null, { ids: { message_id: 'directMessage' } }),
  call('POST /dm-channels/:id/ack', { message_id: '$directMessage$' }),
  call('PATCH /servers/:id/members/:user_id', { nickname: 'Captain' }, other),
  call('GET /servers/:id/audit-log'),
  call('GET /friend-requests'),
  call('POST /friend-requests', { user_id: '$outsider$', comment: 'ahoy' }),
  call('POST /friend-requests/:id/accept'),
  call('POST /friend-requests/:id/reject', { reason: 'x' }),
  call('GET /servers/:id/join-requests'),
  call('POST /servers/:id/join-requests', { comment: 'ahoy' }, { as: 'member', ids: { id: 'guarded' } }),
  call('POST /servers/:id/join-requests/:request_id/accept', null, { ids: { id: 'guarded' } }),
  call('POST /servers/:id/join-requests/:request_id/reject', { reason: null }, { ids: { id: 'guarded' } }),
  call('GET /users/@me/invitations'),
  call('POST /servers/:id/invitations', { user_id: '$outsider$', comment: '' }),
  call('POST /servers/:id/invitations/:request_id/accept', null, invited),
  call('POST /servers/:id/invitations/:request_id/reject', { reason: null }, invited),
  call('POST /files', {}),
  call('GET /files/:id'),
  call('GET /servers/:id/emojis'),
  call('POST /servers/:id/emojis', {}),
  call('DELETE /servers/:id/emojis/:emoji_id'),
  call('GET /emojis/:id'),
  call('GET /portraits/:id'),
  call('GET /servers/:id/invites'),
  call('POST /servers/:id/invites', { max_uses: 5, expires_in_hours: 24 }),
  call('DELETE /servers/:id/invites/:invite_id'),
  call('GET /invites/:code'),
  call('POST /invites/:code/accept', null, { as: 'outsider' }),
  call('POST /channels/:id/voice', null, voice),
  call('DELETE /channels/:id/voice', null, voice),
  call('PATCH /channels/:id/voice', flags, voice),
  call('GET /channels/:id/voice', null, voice),
  call('PATCH /channels/:id/voice/:user_id', { server_mute: true }, voice),
  call('DELETE /channels/:id/voice/:user_id', null, voice),
  call('POST /channels/:id/go-live', { quality: '720p' }, voice),
  call('GET /channels/:id/go-live', null, voice),
  call('DELETE /channels/:id/go-live', null, voice),
  call('GET /ice-servers'),
]

/** Of these the thing is not there until another call has made it. */
const NEEDS_MORE =
  /(?:friend-requests\/:id\/reject|DELETE .*reactions\/:emoji|DELETE .*\/pin|(?:DELETE|PATCH) .*\/voice.*|\/go-live|files\/?.*|POST .*\/emojis)$/

/** Whether a call that goes well can be said of a route: not where another must come before. */
export const mustBeFound = ({ spec, listed }: RouteCall): boolean => listed && !NEEDS_MORE.test(spec)

const SPEC = /'((?:GET|POST|PUT|PATCH|DELETE) \/[^' ]*)'/g

/** What the gateway declares, read from its source: a route that is added is tried, too. */
function declared(): Set<string> {
  const folder = new URL('../../../lib/gateway/', import.meta.url)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const specs = files.flatMap((name) => [...readFileSync(new URL(name, folder), 'utf8').matchAll(SPEC)])
  return new Set(specs.map(([, spec = '']) => spec))
}

export function findRoutes(): readonly RouteCall[] {
  return [...declared()].map((spec) => LISTED.find((one) => one.spec === spec) ?? { ...call(spec, {}), listed: false })
}
