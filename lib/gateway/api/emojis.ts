import { findMedia } from '../../chat/media.ts'
import { Refusal } from '../../chat/refusal.ts'
import type { World } from '../../chat/world.ts'
import { toEmoji } from '../wire.ts'
import { idOf, userOf } from './call.ts'
import { fieldOf, fileOf } from './form.ts'
import { keyed } from './once.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithForm } from './router.ts'

/** An image of 256 KiB, and what is around it. */
const MAX_BODY = 300 * 1024
const NAME = /^[a-z0-9_-]{1,32}$/

export const emojiRoutes = (world: World): Route[] => [
  route('GET /servers/:id/emojis', 'user', (call) => ok(world.emojis.list(userOf(call), idOf(call)).map(toEmoji))),
  routeWithForm('POST /servers/:id/emojis', 'user', MAX_BODY, async (call) => {
    const [user, server] = [userOf(call), idOf(call)]
    const name = fieldOf(call.body, 'name')
    if (!NAME.test(name)) throw new Refusal('INVALID', 'name has 1 to 32 of a-z, 0-9, _ and -')
    const { bytes } = fileOf(call.body, 'image')
    // It is the body that is wrong: before who may is looked at.
    world.emojis.checkImage({ ...findMedia(bytes), size: bytes.length })
    world.emojis.checkMay(user, server)
    return world.files.keep(bytes, (content) =>
      keyed(world, call, () => created(toEmoji(world.emojis.create(user, server, name, content))))(),
    )
  }),
  route('DELETE /servers/:id/emojis/:emoji_id', 'user', async (call) => {
    await world.changes.run(() => world.emojis.remove(userOf(call), idOf(call), idOf(call, 'emoji_id')))
    return NO_CONTENT
  }),
]
