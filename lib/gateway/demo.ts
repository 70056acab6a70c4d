import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../chat/home.ts'
import type { Passwords } from './passwords.ts'
import { hashToken, makeBotToken } from './tokens.ts'

const makePassword = (): string => randomBytes(9).toString('base64url')

/**
 * A world to try: two people, a bot, a server with two channels. Made once, where nobody has an account; how to log in is said
 * then, and kept in the data folder.
 */
export async function makeDemo({ folder, world }: Home, passwords: Passwords, notes: string[]): Promise<void> {
  if (world.users.any()) return
  const people = [
    { username: 'ada', password: makePassword() },
    { username: 'brin', password: makePassword() },
  ]
  const token = makeBotToken()
  const hashes = await Promise.all(people.map(({ password }) => passwords.hash(password)))
  const helper = await world.changes.run(() => {
    const [ada, brin] = people.map(({ username }, i) =>
      world.users.create({ username, email: null, passwordHash: hashes[i] ?? null, bot: false }),
    )
    if (ada === undefined || brin === undefined) throw new Error('There are two')
    const bot = world.bots.create(ada.id, 'helper', 'Answers when it is mentioned', hashToken(token))
    const draft = { name: 'Harbour', icon_url: null, is_public: 1, require_invite: 0 } as const
    const { id } = world.servers.create(ada.id, draft)
    world.servers.join(brin.id, id)
    world.servers.join(bot.user_id, id)
    for (const name of ['general', 'random']) {
      world.channels.create(ada.id, id, { name, type: 'text', topic: null, category: null })
    }
    return world.users.find(bot.user_id)?.username
  })
  const lines = [
    'A demo world was made: the server Harbour with the channels general and random.',
    ...people.map(({ username, password }) => `  log in as ${username.padEnd(4)} with the password ${password}`),
    `  the bot @${helper} has the token ${token}`,
  ]
  const file = join(folder.path, 'demo.txt')
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  notes.push(...lines, `This is said once, and kept in ${file}`)
}
