import { Compile } from 'typebox/schema'
import type { World } from '../../chat/world.ts'
import { messageText, toMessage } from '../wire.ts'
import { idOrNull } from './body.ts'
import { idOf, pageOf, toIdOrNull, userOf } from './call.ts'
import { once } from './once.ts'
import { createdText, NO_CONTENT, ok, okText, type Route, route, routeWithBody } from './router.ts'
import { Ack, Content, said, toSaid } from './said.ts'

const New = Compile({ type: 'object', properties: { ...said, reply_to: idOrNull } })

export const messageRoutes = (world: World): Route[] => [
  routeWithBody('POST /channels/:id/messages', 'user', New, (call) => {
    const draft = { ...toSaid(call.body), replyTo: toIdOrNull(call.body.reply_to) }
    return once(world, call, () => createdText(messageText(world.messages.post(userOf(call), idOf(call), draft))))
  }),
  route('GET /channels/:id/messages', 'user', (call) =>
    ok(world.messages.list(userOf(call), idOf(call), pageOf(call)).map(toMessage)),
  ),
  route('GET /channels/:id/messages/:message_id', 'user', (call) =>
    ok(toMessage(world.messages.get(userOf(call), idOf(call), idOf(call, 'message_id')))),
  ),
  routeWithBody('PATCH /messages/:id', 'user', Content, async (call) =>
    okText(
      messageText(await world.changes.run(() => world.messages.edit(userOf(call), idOf(call), call.body.content))),
    ),
  ),
  route('DELETE /messages/:id', 'user', async (call) => {
    await world.changes.run(() => world.messages.remove(userOf(call), idOf(call)))
    return NO_CONTENT
  }),

  route('GET /channels/:id/messages/:message_id/thread', 'user', (call) =>
    ok(world.messages.thread(userOf(call), idOf(call), idOf(call, 'message_id'), pageOf(call)).map(toMessage)),
  ),
  routeWithBody('POST /channels/:id/messages/:message_id/thread', 'user', Content, (call) => {
    const [channel, root] = [idOf(call), idOf(call, 'message_id')]
    return once(world, call, () =>
      createdText(messageText(world.messages.reply(userOf(call), channel, root, call.body.content))),
    )
  }),

  route('GET /channels/:id/pinned-messages', 'user', (call) =>
    ok(world.messages.pinned(userOf(call), idOf(call)).map(toMessage)),
  ),
  route('POST /channels/:id/messages/:message_id/pin', 'user', async (call) => {
    await world.changes.run(() => world.messages.pin(userOf(call), idOf(call), idOf(call, 'message_id')))
    return NO_CONTENT
  }),
  route('DELETE /channels/:id/messages/:message_id/pin', 'user', async (call) => {
    await world.changes.run(() => world.messages.unpin(userOf(call), idOf(call), idOf(call, 'message_id')))
    return NO_CONTENT
  }),

  routeWithBody('POST /channels/:id/ack', 'user', Ack, async (call) => {
    const upTo = toIdOrNull(call.body.message_id)
    await world.changes.run(() => world.unreads.readChannel(userOf(call), idOf(call), upTo))
    return NO_CONTENT
  }),
]
