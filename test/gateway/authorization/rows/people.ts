import { hashToken, makeBotToken } from '../../../../lib/gateway/tokens.ts'
import { BOT, HUMAN, only, onlyHuman, PUBLIC, USER } from '../callers.ts'
import { type Row, row } from '../row.ts'
import { PASSWORD, type Scene } from '../scene.ts'

/** A bot that the owner has made; those of before are not wanted any more. */
function withApp({ world, things }: Scene) {
  const { owner } = things
  for (const { id, revoked_at } of world.bots.madeBy(owner)) if (revoked_at === null) world.bots.revoke(owner, id)
  return { app: world.bots.create(owner, 'helper', null, hashToken(makeBotToken())).id }
}

const to = (thing: string) => ({ user_id: `$${thing}$` })

/** Accounts, bots, direct messages, friends: what is in no server. */
export const ofPeople: readonly Row[] = [
  row('GET /health', PUBLIC, 200),
  row('POST /auth/register', PUBLIC, 201, { body: { username: '$name$', password: PASSWORD } }),
  row('POST /auth/login', PUBLIC, 200, { body: { username: '$name$_somebody', password: PASSWORD } }),
  row('POST /auth/refresh', PUBLIC, 200, { body: { refresh_token: '$refresh$' } }),
  row('POST /auth/logout', PUBLIC, 204, { body: { refresh_token: '$refresh$' } }),
  row('POST /auth/logout', PUBLIC, 204, { note: 'of who asks', ends: true, stores: null, hears: null }),
  row('POST /auth/logout-all', HUMAN, 204, { ends: true, hears: null }),
  row('POST /auth/password', HUMAN, 204, { body: { current_password: PASSWORD, new_password: PASSWORD } }),

  row('GET /users/@me', USER, 200),
  row('PATCH /users/@me', USER, 200, { body: { bio: 'tides' } }),
  row('GET /users/:id', USER, 200),
  row('GET /ice-servers', USER, 200),

  row('POST /bots', HUMAN, 201, { body: { name: 'helper' }, before: withApp }),
  row('GET /bots', HUMAN, 200),
  row('POST /bots/connect', BOT, 200, { stores: false }),
  row('GET /bots/:id', onlyHuman('owner'), 200, { before: withApp }),
  row('PATCH /bots/:id', onlyHuman('owner'), 200, { before: withApp, body: { name: 'other' } }),
  row('DELETE /bots/:id', onlyHuman('owner'), 204, { before: withApp }),
  row('POST /bots/:id/token/regenerate', onlyHuman('owner'), 200, { before: withApp }),

  row('POST /dm-channels', USER, 201, { body: to('somebody'), hears: null }),
  row('POST /dm-channels', USER, 200, {
    note: 'one that there is',
    body: to('target'),
    before: ({ world, things }) => {
      const { owner, admin, moderator, member, bot, stranger, banned, target } = things
      for (const side of [owner, admin, moderator, member, bot, stranger, banned]) world.directs.open(side, target)
      return {}
    },
    stores: false,
  }),
  row('GET /dm-channels', USER, 200),
  row('POST /dm-channels/:id/messages', only('owner', 'member'), 201, {
    body: { content: 'fog' },
    hears: ['DM_MESSAGE_CREATE'],
  }),
  row('GET /dm-channels/:id/messages', only('owner', 'member'), 200),
  // The owner has written it: the member is the other side.
  row('DELETE /dm-channels/:id/messages/:message_id', only('owner', 'member'), 204, {
    ids: { message_id: 'directMessage' },
    but: { member: '403 FORBIDDEN' },
    hears: ['DM_MESSAGE_DELETE'],
  }),
  row('POST /dm-channels/:id/ack', only('owner', 'member'), 204, { body: { message_id: '$directMessage$' } }),

  row('GET /friend-requests', USER, 200),
  row('POST /friend-requests', USER, 201, { body: to('target') }),
  row('POST /friend-requests/:id/accept', only('member'), 200),
  row('POST /friend-requests/:id/reject', only('member'), 200),
]
