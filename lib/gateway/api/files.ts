import { Refusal } from '../../chat/refusal.ts'
import type { World } from '../../chat/world.ts'
import { idOf, toId, userOf } from './call.ts'
import { fieldOf, fileOf } from './form.ts'
import { keyed } from './once.ts'
import { created, type Route, route, routeWithForm } from './router.ts'

/** What is around a file in a body. */
const AROUND = 4096

/** @param maxFile bytes of one */
export const fileRoutes = (world: World, maxFile: number): Route[] => [
  routeWithForm('POST /files', 'user', maxFile + AROUND, async (call) => {
    const [user, channel] = [userOf(call), toId(fieldOf(call.body, 'channel_id'))]
    const { name, bytes } = fileOf(call.body, 'file')
    if (bytes.length > maxFile) throw new Refusal('INVALID', `file has ${maxFile} bytes at most`)
    world.uploads.checkMay(user, channel)
    return world.files.keep(bytes, (content) =>
      keyed(world, call, () => created(world.uploads.add(user, channel, name, content)))(),
    )
  }),
  route('GET /files/:id', 'public', async (call) => {
    const [ends, signature] = [call.query.get('e') ?? '', call.query.get('s') ?? '']
    return { file: world.files.byLink(idOf(call), ends, signature) }
  }),
]
