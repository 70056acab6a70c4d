import type { World } from '../../chat/world.ts'
import { idOf, userOf } from './call.ts'
import { NO_CONTENT, ok, type Route, route } from './router.ts'

export const reactionRoutes = (world: World): Route[] => [
  route('GET /channels/:id/messages/:message_id/reactions', 'user', (call) =>
    ok(world.reactions.list(userOf(call), idOf(call), idOf(call, 'message_id'))),
  ),
  route('PUT /channels/:id/messages/:message_id/reactions/:emoji', 'user', async (call) => {
    const [message, emoji] = [idOf(call, 'message_id'), idOf(call, 'emoji')]
    await world.changes.run(() => world.reactions.add(userOf(call), idOf(call), message, emoji))
    return NO_CONTENT
  }),
  route('DELETE /channels/:id/messages/:message_id/reactions/:emoji', 'user', async (call) => {
    const [message, emoji] = [idOf(call, 'message_id'), idOf(call, 'emoji')]
    await world.changes.run(() => world.reactions.remove(userOf(call), idOf(call), message, emoji))
    return NO_CONTENT
  }),
]
