import { Compile } from 'typebox/schema'
import type { World } from '../../chat/world.ts'
import { toBan, toTimeout } from '../wire.ts'
import { textOrNull } from './body.ts'
import { idOf, limitOf, toId, userOf } from './call.ts'
import { NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const reason = textOrNull(512)
const Reason = Compile({ type: 'object', additionalProperties: false, properties: { reason } })
/** A day has 1,440; the longest is four weeks. */
const duration = { type: 'integer', minimum: 1, maximum: 40_320 } as const
const Silence = Compile({
  type: 'object',
  required: ['duration_minutes'],
  additionalProperties: false,
  properties: { duration_minutes: duration, reason },
})

export const moderationRoutes = (world: World): Route[] => [
  routeWithBody('POST /servers/:id/members/:user_id/kick', 'user', Reason, async (call) => {
    const [server, member] = [idOf(call), idOf(call, 'user_id')]
    await world.changes.run(() => world.moderation.kick(userOf(call), server, member, call.body.reason ?? null))
    return NO_CONTENT
  }),
  routeWithBody('POST /servers/:id/members/:user_id/ban', 'user', Reason, async (call) => {
    const [server, other] = [idOf(call), idOf(call, 'user_id')]
    await world.changes.run(() => world.moderation.ban(userOf(call), server, other, call.body.reason ?? null))
    return NO_CONTENT
  }),
  route('GET /servers/:id/bans', 'user', (call) => {
    const after = call.query.get('after')
    const bans = world.moderation.bans(userOf(call), idOf(call), after === null ? null : toId(after), limitOf(call))
    return ok(bans.map(toBan))
  }),
  route('DELETE /servers/:id/bans/:user_id', 'user', async (call) => {
    await world.changes.run(() => world.moderation.unban(userOf(call), idOf(call), idOf(call, 'user_id')))
    return NO_CONTENT
  }),
  routeWithBody('POST /servers/:id/members/:user_id/timeout', 'user', Silence, async (call) => {
    const [server, member] = [idOf(call), idOf(call, 'user_id')]
    const { duration_minutes: minutes, reason: why = null } = call.body
    return ok(
      toTimeout(
        await world.changes.run(() => world.moderation.silence(userOf(call), server, member, 60 * minutes, why)),
      ),
    )
  }),
  route('DELETE /servers/:id/members/:user_id/timeout', 'user', async (call) => {
    await world.changes.run(() => world.moderation.endSilence(userOf(call), idOf(call), idOf(call, 'user_id')))
    return NO_CONTENT
  }),
]
