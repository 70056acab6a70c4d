import { Compile } from 'typebox/schema'
import type { World } from '../../chat/world.ts'
import { toInvite } from '../wire.ts'
import { idOf, userOf } from './call.ts'
import { once } from './once.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const upTo = <const Max extends number>(maximum: Max) =>
  ({ anyOf: [{ type: 'integer', minimum: 1, maximum }, { type: 'null' }] }) as const
const New = Compile({
  type: 'object',
  additionalProperties: false,
  properties: { max_uses: upTo(1000), expires_in_hours: upTo(720) },
})

export const inviteRoutes = (world: World): Route[] => [
  route('GET /servers/:id/invites', 'user', (call) => ok(world.invites.list(userOf(call), idOf(call)).map(toInvite))),
  routeWithBody('POST /servers/:id/invites', 'user', New, (call) => {
    const { max_uses = null, expires_in_hours = null } = call.body
    return once(world, call, () =>
      created(toInvite(world.invites.create(userOf(call), idOf(call), max_uses, expires_in_hours))),
    )
  }),
  route('DELETE /servers/:id/invites/:invite_id', 'user', async (call) => {
    await world.changes.run(() => world.invites.remove(userOf(call), idOf(call), idOf(call, 'invite_id')))
    return NO_CONTENT
  }),
  route('GET /invites/:code', 'user', (call) => {
    const { invite, server } = world.invites.preview(idOf(call, 'code'))
    return ok({
      code: invite.code,
      server_name: server.name,
      server_icon_url: server.icon_url,
      member_count: server.member_count,
      expires_at: invite.expires_at,
    })
  }),
  route('POST /invites/:code/accept', 'user', (call) =>
    once(world, call, () => {
      const server_id = world.invites.accept(userOf(call), idOf(call, 'code'))
      return created({ message: 'Joined', server_id })
    }),
  ),
]
