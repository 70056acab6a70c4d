import { createHash } from 'node:crypto'
import type { World } from '../../lib/chat/world.ts'
import { tokenOf } from './world.ts'

/** Bots that one person may have. */
const OF_ONE = 25

/** A person who has no password, and never comes: to own what others use. */
export const person = ({ users }: World, username: string): string =>
  users.create({ username, email: null, passwordHash: null, bot: false }).id

/**
 * Makes so many accounts. All are bots: they need no password, are seen as anybody is, and their tokens do not end.
 * @param settle what else each gets: its user's id, and its number, from 0
 */
export async function addBots(
  world: World,
  accounts: number,
  settle: (userId: string, account: number) => void,
): Promise<void> {
  for (let first = 0; first < accounts; first += OF_ONE) {
    await world.changes.run(() => {
      const creator = person(world, `person-${first}`)
      for (let account = first; account < Math.min(first + OF_ONE, accounts); account++) {
        const hash = createHash('sha256').update(tokenOf(account)).digest('hex')
        settle(world.bots.create(creator, 'Member', null, hash).user_id, account)
      }
    })
  }
}
