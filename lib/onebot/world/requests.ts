import type { OneBotRequest } from '../../../include-types/onebot.ts'
import type { OneBotGroupRequest } from '../../../include-types/onebot-parts.ts'
import type { Request } from '../../chat/requests.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import type { Group } from './groups.ts'
import { changing } from './refusals.ts'

/* What somebody wants, as a bot is told, and what it answers. */

/** To be friends. */
export const toFriendRequest = (world: World, { from_user, comment, flag }: Request): OneBotRequest => ({
  request_type: 'friend',
  user_id: world.users.find(from_user)?.num ?? 0,
  comment,
  flag,
})

/** To come into a group, or to have the bot come. */
export const toGroupRequest = (
  world: World,
  { from_user, comment, flag, kind }: Request,
  group: Pick<Group, 'id'>,
): OneBotGroupRequest['request'] => ({
  request_type: 'group',
  sub_type: kind === 'join' ? 'add' : 'invite',
  group_id: group.id,
  user_id: world.users.find(from_user)?.num ?? 0,
  comment,
  flag,
})

function checkPending(request: Request | null): Request {
  if (request === null) throw new PlatformError('FLAG_NOT_FOUND')
  if (request.state !== 'pending') throw new PlatformError('FLAG_HAS_BEEN_CHECKED')
  return request
}

const decide = (world: World, find: () => Request | null, answer: (request: Request) => void): Promise<void> =>
  changing(world, 'FLAG_NOT_FOUND', () => answer(checkPending(find())), 'PERMISSION_DENIED')

export const answerFriend = (
  world: World,
  bot: string,
  flag: string,
  approve: boolean,
  remark: string,
): Promise<void> =>
  decide(
    world,
    () => world.friends.byFlag(bot, flag),
    ({ id, from_user }) => {
      if (approve) world.friends.accept(bot, id)
      else world.friends.reject(bot, id, null)
      if (approve && remark !== '') world.remarks.set(bot, 'user', from_user, remark.slice(0, MAX_REMARK))
    },
  )

/** UTF-16 units. */
export const MAX_REMARK = 100

export const answerGroup = (world: World, bot: string, flag: string, approve: boolean, reason: string): Promise<void> =>
  decide(
    world,
    () => world.arrivals.byFlag(bot, flag),
    ({ id, kind, server_id }) => {
      const server = server_id ?? ''
      const why = reason === '' ? null : reason
      const { arrivals } = world
      if (kind === 'join') {
        if (approve) arrivals.acceptJoin(bot, server, id)
        else arrivals.rejectJoin(bot, server, id, why)
      } else if (approve) arrivals.acceptInvitation(bot, server, id)
      else arrivals.rejectInvitation(bot, server, id, why)
    },
  )
