import { Compile } from 'typebox/schema'
import { MAX_CONTENT } from '../../chat/limits.ts'
import type { World } from '../../chat/world.ts'
import { directMessageText, messageText, toDirect, toDirectMessage, toMessage } from '../wire.ts'
import { ID, idOrNull, text, word } from './body.ts'
import { idOf, pageOf, toId, toIdOrNull, userOf } from './call.ts'
import { once } from './once.ts'
import { created, createdText, NO_CONTENT, ok, okText, type Route, route, routeWithBody } from './router.ts'

/** Not only space. */
const content = { ...text(1, MAX_CONTENT), pattern: '\\S' } as const
const New = Compile({ type: 'object', required: ['content'], properties: { content, reply_to: idOrNull } })
const Content = Compile({ type: 'object', required: ['content'], properties: { content } })
/** An acknowledgement says up to where, or nothing. */
const Ack = Compile({ type: 'object', properties: { message_id: idOrNull } })
const Open = Compile({ type: 'object', required: ['user_id'], properties: { user_id: word(ID) } })

export const messageRoutes = (world: World): Route[] => [
  routeWithBody('POST /channels/:id/messages', 'user', New, (call) => {
    const draft = { content: call.body.content, replyTo: toIdOrNull(call.body.reply_to) }
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
  routeWithBody('POST /channels/:id/ack', 'user', Ack, async (call) => {
    const upTo = toIdOrNull(call.body.message_id)
    await world.changes.run(() => world.unreads.readChannel(userOf(call), idOf(call), upTo))
    return NO_CONTENT
  }),
]

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
  routeWithBody('POST /dm-channels/:id/messages', 'user', Content, (call) =>
    once(world, call, () =>
      createdText(directMessageText(world.directs.post(userOf(call), idOf(call), call.body.content))),
    ),
  ),
  route('GET /dm-channels/:id/messages', 'user', (call) =>
    ok(world.directs.list(userOf(call), idOf(call), pageOf(call)).map(toDirectMessage)),
  ),
  routeWithBody('POST /dm-channels/:id/ack', 'user', Ack, async (call) => {
    const upTo = toIdOrNull(call.body.message_id)
    await world.changes.run(() => world.unreads.readDirect(userOf(call), idOf(call), upTo))
    return NO_CONTENT
  }),
]
