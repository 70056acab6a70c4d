import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Home } from '../../../lib/chat/home.ts'

/** Members of a server, each of no other one. */
export const MEMBERS = 100
/** Bots that one person may have. */
const BOTS = 25

/** The token of an account, from 0: a bot's own, which does not end. */
export const tokenOf = (account: number): string => account.toString(16).padStart(64, '0')

/**
 * Makes a world of so many accounts, `perServer` to a server, and one more to each server: those have the numbers behind. All
 * are bots: they need no password, and are seen as anybody is.
 * @param folder where the command's config is
 * @returns the channel of each server
 */
export async function fill(folder: string, accounts: number, perServer: number): Promise<string[]> {
  const home = new Home(join(folder, 'world'), false, (what, error) => console.error(what, error))
  const { changes, servers, channels, users, bots } = home.world
  const person = (name: string): string =>
    users.create({ username: name, email: null, passwordHash: null, bot: false }).id
  const owner = await changes.run(() => person('owner'))
  const made = await changes.run(() =>
    Array.from({ length: Math.ceil(accounts / perServer) }, (_, i) => {
      const draft = { name: `Server ${i}`, icon_url: null, is_public: 1, require_invite: 0 } as const
      const { id } = servers.create(owner, draft)
      return { id, channel: channels.create(owner, id, { name: 'pier', type: 'text', topic: null, category: null }).id }
    }),
  )
  const all = accounts + made.length
  for (let first = 0; first < all; first += BOTS) {
    await changes.run(() => {
      const creator = person(`person-${first}`)
      for (let i = first; i < Math.min(first + BOTS, all); i++) {
        const hash = createHash('sha256').update(tokenOf(i)).digest('hex')
        const { user_id } = bots.create(creator, 'Member', null, hash)
        const server = made[i < accounts ? Math.floor(i / perServer) : i - accounts]
        if (server !== undefined) servers.admit(user_id, server.id)
      }
    })
  }
  home.close()
  return made.map(({ channel }) => channel)
}
