import type { StoredFile } from '../../chat/store/files.ts'
import type { World } from '../../chat/world.ts'
import { idOf } from './call.ts'
import { type Route, route } from './router.ts'

async function answerImage(world: World, file: StoredFile) {
  const headers = [
    ['Content-Type', file.mime],
    ['Cache-Control', 'public, max-age=86400'],
  ] as const
  return { status: 200, body: await world.files.bytesOf(file), headers }
}

/** Images that anybody sees who knows where they are. */
export const imageRoutes = (world: World): Route[] => [
  route('GET /emojis/:id', 'public', (call) => answerImage(world, world.emojis.image(idOf(call)))),
  // Of people, and of channels.
  route('GET /portraits/:id', 'public', (call) => answerImage(world, world.portraits.image(idOf(call)))),
]
