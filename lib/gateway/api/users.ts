import { Compile } from 'typebox/schema'
import { notFound, Refusal } from '../../chat/refusal.ts'
import type { Profile } from '../../chat/users.ts'
import type { World } from '../../chat/world.ts'
import { toPublicProfile, toSelf } from '../wire.ts'
import { textOrNull, url } from './body.ts'
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
    const profile: Profile = {
      ...(avatar_url === undefined ? {} : { avatar_url }),
      ...(bio === undefined ? {} : { bio }),
      ...(pronouns === undefined ? {} : { pronouns }),
      ...(custom_status === undefined ? {} : { custom_status }),
      ...(activity === undefined ? {} : { activity }),
      ...(status === undefined ? {} : { status_sticky: status === 'dnd' || status === 'offline' ? status : null }),
    }
    if (Object.keys(profile).length === 0) throw new Refusal('INVALID', 'There is nothing to change')
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
