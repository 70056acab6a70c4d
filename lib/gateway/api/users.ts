import { Compile } from 'typebox/schema'
import { notFound } from '../../chat/refusal.ts'
import type { Profile } from '../../chat/users.ts'
import type { World } from '../../chat/world.ts'
import { toPublicProfile, toSelf } from '../wire.ts'
import { given, textOrNull, url } from './body.ts'
import { callerOf, idOf } from './call.ts'
import { ok, type Route, route, routeWithBody } from './router.ts'

const Changes = Compile({
  type: 'object',
  properties: {
    avatar_url: url,
    bio: textOrNull(500),
    pronouns: textOrNull(40),
    status: { enum: ['online', 'away', 'dnd', 'offline'] },
    custom_status: textOrNull(128),
    activity: textOrNull(128),
  },
})

export const userRoutes = (world: World): Route[] => [
  route('GET /users/@me', 'user', (call) => ok(toSelf(world, callerOf(call).user))),
  routeWithBody('PATCH /users/@me', 'user', Changes, async (call) => {
    const { status, avatar_url, bio, pronouns, custom_status, activity } = call.body
    const { id } = callerOf(call).user
    const sticky = status === 'dnd' || status === 'offline' ? status : null
    const profile = given<Profile>({
      avatar_url,
      bio,
      pronouns,
      custom_status,
      activity,
      status_sticky: status === undefined ? undefined : sticky,
    })
    return new Promise((resolve, reject) => {
      world.changes.submit(
        () => world.users.change(id, profile),
        (outcome, release) => {
          if (!outcome.ok) return reject(outcome.error instanceof Error ? outcome.error : new Error('failed'))
          // What all connections declare, and what is stored, is seen as one change.
          if (status === 'online' || status === 'away') world.presence.declareAll(id, status)
          release()
          resolve(ok(toSelf(world, outcome.value)))
        },
      )
    })
  }),
  route('GET /users/:id', 'user', (call) => {
    const user = world.users.find(idOf(call))
    if (user === null || user.disabled === 1) throw notFound()
    return ok(toPublicProfile(world, user))
  }),
]
