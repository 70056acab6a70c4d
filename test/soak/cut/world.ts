import { join } from 'node:path'
import { addBots, person } from '../../../bench/servers/bots.ts'
import { Home } from '../../../lib/chat/home.ts'

/** Members of a server, each of no other one. */
export const MEMBERS = 100

/**
 * Makes a world of so many accounts, `perServer` to a server, and one more to each server: those have the numbers behind.
 * @param folder where the command's config is
 * @returns the channel of each server
 */
export async function fill(folder: string, accounts: number, perServer: number): Promise<string[]> {
  const home = new Home(join(folder, 'world'), false, (what, error) => console.error(what, error))
  const { world } = home
  const { changes, servers, channels } = world
  const owner = await changes.run(() => person(world, 'owner'))
  const made = await changes.run(() =>
    Array.from({ length: Math.ceil(accounts / perServer) }, (_, i) => {
      const draft = { name: `Server ${i}`, icon_url: null, is_public: 1, require_invite: 0 } as const
      const { id } = servers.create(owner, draft)
      return { id, channel: channels.create(owner, id, { name: 'pier', type: 'text', topic: null, category: null }).id }
    }),
  )
  await addBots(world, accounts + made.length, (userId, account) => {
    const server = made[account < accounts ? Math.floor(account / perServer) : account - accounts]
    if (server !== undefined) servers.admit(userId, server.id)
  })
  home.close()
  return made.map(({ channel }) => channel)
}
