import { Compile } from 'typebox/schema'
import type { World } from '../../chat/world.ts'
import { directMessageText, toDirect, toDirectMessage } from '../wire.ts'
import { ID, word } from './body.ts'
import { idOf, pageOf, toId, toIdOrNull, userOf } from './call.ts'
import { once } from './once.ts'
import { created, createdText, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'
import { Ack, said, toSaid } from './said.ts'

const New = Compile({ type: 'object', properties: said })
const Open = Compile({ type: 'object', required: ['user_id'], properties: { user_id: word(ID) } })

export const directRoutes = (world: World): Route[] => [
  routeWithBody('POST /dm-channels', 'user', Open, (call) => {
    const user = userOf(call)
    const other = toId(call.body.user_id)
    return once(world, call, () => {
      const { direct, created: isNew } = world.directs.open(user, other)
      return (isNew ? created : ok)(toDirect(world, direct, user))
    })
  }),
  route('GET /dm-channels', 'user', (call) => {
    const user = userOf(call)
    return ok(world.directs.of(user).map((direct) => toDirect(world, direct, user)))
  }),
  routeWithBody('POST /dm-channels/:id/messages', 'user', New, (call) => {
    const { content, files } = toSaid(call.body)
    return once(world, call, () =>
      createdText(directMessageText(world.directs.post(userOf(call), idOf(call), { content, files }))),
    )
  }),
  route('GET /dm-channels/:id/messages', 'user', (call) =>
    ok(world.directs.list(userOf(call), idOf(call), pageOf(call)).map(toDirectMessage)),
  ),
  route('DELETE /dm-channels/:id/messages/:message_id', 'user', async (call) => {
    await world.changes.run(() => world.directs.remove(userOf(call), idOf(call), idOf(call, 'message_id')))
    return NO_CONTENT
  }),
  routeWithBody('POST /dm-channels/:id/ack', 'user', Ack, async (call) => {
    const upTo = toIdOrNull(call.body.message_id)
    await world.changes.run(() => world.unreads.readDirect(userOf(call), idOf(call), upTo))
    return NO_CONTENT
  }),
]
