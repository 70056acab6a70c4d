import { Compile } from 'typebox/schema'
import type { OverrideTarget } from '../../chat/overrides.ts'
import { ALL_PERMISSIONS } from '../../chat/permissions.ts'
import { Refusal } from '../../chat/refusal.ts'
import type { World } from '../../chat/world.ts'
import { toOverride } from '../wire.ts'
import { idOrNull } from './body.ts'
import { idOf, toIdOrNull, userOf } from './call.ts'
import { NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const bits = { type: 'integer', minimum: 0, maximum: ALL_PERMISSIONS } as const
const Override = Compile({
  type: 'object',
  required: ['allow', 'deny'],
  additionalProperties: false,
  properties: { role_id: idOrNull, user_id: idOrNull, allow: bits, deny: bits },
})

/** The server in the place of a role is everyone. */
function toTarget(roleId: string | null, userId: string | null, server: string): OverrideTarget {
  if ((roleId === null) === (userId === null)) throw new Refusal('INVALID', 'One of role_id and user_id is needed')
  return { roleId: roleId === server ? null : roleId, userId }
}

export const overrideRoutes = (world: World): Route[] => [
  route('GET /channels/:id/overrides', 'user', (call) => {
    const [user, channel] = [userOf(call), idOf(call)]
    const { server_id } = world.access.channel(user, channel)
    return ok(world.overrides.list(user, channel).map((override) => toOverride(override, server_id)))
  }),
  routeWithBody('PUT /channels/:id/overrides', 'user', Override, async (call) => {
    const [user, channel] = [userOf(call), idOf(call)]
    const { allow, deny } = call.body
    const [role, member] = [toIdOrNull(call.body.role_id), toIdOrNull(call.body.user_id)]
    const change = () => {
      const { server_id } = world.access.channel(user, channel)
      const override = world.overrides.set(user, channel, toTarget(role, member, server_id), allow, deny)
      return toOverride(override, server_id)
    }
    return ok(await world.changes.run(change))
  }),
  route('DELETE /channels/:id/overrides/:override_id', 'user', async (call) => {
    await world.changes.run(() => world.overrides.remove(userOf(call), idOf(call), idOf(call, 'override_id')))
    return NO_CONTENT
  }),
]
