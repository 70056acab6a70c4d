import { Compile } from 'typebox/schema'
import { ALL_PERMISSIONS } from '../../chat/permissions.ts'
import type { World } from '../../chat/world.ts'
import { toRole } from '../wire.ts'
import { given, text } from './body.ts'
import { idOf, userOf } from './call.ts'
import { once } from './once.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const position = { type: 'integer', minimum: 0, maximum: 1000 } as const
const properties = {
  name: text(1, 100),
  permissions: { type: 'integer', minimum: 0, maximum: ALL_PERMISSIONS },
  color: { anyOf: [{ type: 'string', pattern: '^#[0-9A-Fa-f]{6}$' }, { type: 'null' }] },
} as const
const New = Compile({
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: { ...properties, position: { anyOf: [position, { type: 'null' }] } },
})
const Changes = Compile({ type: 'object', additionalProperties: false, properties: { ...properties, position } })

export const roleRoutes = (world: World): Route[] => [
  route('GET /servers/:id/roles', 'user', (call) => ok(world.roles.list(userOf(call), idOf(call)).map(toRole))),
  routeWithBody('POST /servers/:id/roles', 'user', New, (call) => {
    const { name, permissions = 0, color = null, position: place = null } = call.body
    const draft = { name, permissions, color, position: place }
    return once(world, call, () => created(toRole(world.roles.create(userOf(call), idOf(call), draft))))
  }),
  routeWithBody('PATCH /servers/:id/roles/:role_id', 'user', Changes, async (call) => {
    const { name, permissions, color, position: place } = call.body
    const next = given({ name, permissions, color, position: place })
    const change = () => world.roles.change(userOf(call), idOf(call), idOf(call, 'role_id'), next)
    return ok(toRole(await world.changes.run(change)))
  }),
  route('DELETE /servers/:id/roles/:role_id', 'user', async (call) => {
    await world.changes.run(() => world.roles.remove(userOf(call), idOf(call), idOf(call, 'role_id')))
    return NO_CONTENT
  }),
  route('PUT /servers/:id/members/:user_id/roles/:role_id', 'user', async (call) => {
    const [member, role] = [idOf(call, 'user_id'), idOf(call, 'role_id')]
    await world.changes.run(() => world.roles.give(userOf(call), idOf(call), member, role))
    return NO_CONTENT
  }),
  route('DELETE /servers/:id/members/:user_id/roles/:role_id', 'user', async (call) => {
    const [member, role] = [idOf(call, 'user_id'), idOf(call, 'role_id')]
    await world.changes.run(() => world.roles.take(userOf(call), idOf(call), member, role))
    return NO_CONTENT
  }),
]
