/**
 * Makes a world: `fill.ts FOLDER SIZE`, the size as JSON. In a process of its own: what that leaves behind in memory is not there
 * when a server is weighed.
 */
import { Home } from '../../lib/chat/home.ts'
import type { World } from '../../lib/chat/world.ts'
import { addBots, person } from './bots.ts'
import { CONTENT, type WorldSize } from './world.ts'

/** Messages where something is unread. */
const MESSAGES = 10

const isSize = (value: unknown): value is WorldSize =>
  typeof value === 'object' && value !== null && 'accounts' in value && 'unread' in value

async function fill(world: World, { accounts, servers, channels, unread }: WorldSize): Promise<void> {
  const { changes, users } = world
  const owner = await changes.run(() => person(world, 'owner'))
  const ids: string[] = []
  const rooms: string[] = []
  for (let i = 0; i < servers; i++) {
    await changes.run(() => {
      const draft = { name: `Server ${i}`, icon_url: null, is_public: 1, require_invite: 0 } as const
      const { id } = world.servers.create(owner, draft)
      ids.push(id)
      for (let j = 0; j < channels; j++) {
        const channel = { name: `channel-${j}`, type: 'text', topic: null, category: null } as const
        rooms.push(world.channels.create(owner, id, channel).id)
      }
    })
  }
  await addBots(world, accounts, (userId) => {
    // Nobody is told that they come and go: a thousand who are would be half a million frames.
    users.change(userId, { status_sticky: 'offline' })
    for (const id of ids) world.servers.admit(userId, id)
  })
  // Spread over all servers.
  const step = Math.max(1, Math.floor(rooms.length / Math.max(1, unread)))
  for (const room of rooms.filter((_, i) => i % step === 0).slice(0, unread)) {
    await changes.run(() => {
      for (let i = 0; i < MESSAGES; i++) world.messages.post(owner, room, { content: CONTENT, replyTo: null })
    })
  }
}

const [folder = '', json = ''] = process.argv.slice(2)
const size: unknown = JSON.parse(json)
if (!isSize(size)) throw new Error(`not the size of a world: ${json}`)
const home = new Home(folder, false, (what, error) => console.error(what, error))
await fill(home.world, size)
home.close()
