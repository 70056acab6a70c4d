import { Compile } from 'typebox/schema'
import type { OneBotTarget } from '../../../include-types/onebot.ts'
import { after } from '../after.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { toFriend } from './account.ts'
import { type Action, action, type Call } from './action.ts'
import { toGroup, toMember } from './groups.ts'
import { say } from './messages.ts'
import { FLAG, ID, Nothing, NUMBER, OfGroup, TEXT } from './params.ts'

/* What NapCat adds to what there is already: the same in other words, for several at once, or a part of it. */

const Poke = Compile({
  type: 'object',
  required: ['user_id'],
  properties: { user_id: ID, group_id: ID, target_id: ID },
})
const KickAll = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: { type: 'array', items: ID }, reject_add_request: FLAG },
})
const OfUser = Compile({ type: 'object', required: ['user_id'], properties: { user_id: ID } })
const ToFriend = Compile({
  type: 'object',
  required: ['message_id', 'user_id'],
  properties: { message_id: ID, user_id: ID, count: NUMBER, group_id: TEXT },
})
const ToGroup = Compile({
  type: 'object',
  required: ['message_id', 'group_id'],
  properties: { message_id: ID, group_id: ID },
})

/** In a day, as QQ has it: here it is not counted. */
const AT_ALL = 20
/** QQ's numbers of being there, and not. */
const [ONLINE, OFFLINE] = [10, 20]

interface Poking {
  readonly user_id: number
  readonly group_id?: number | undefined
  readonly target_id?: number | undefined
}

const poke = ({ platform }: Call, { user_id, group_id, target_id = user_id }: Poking): unknown =>
  after(platform.poke(group_id === undefined ? { user: user_id } : { group: group_id }, target_id), () => null)

/** A message once more, elsewhere: what it answers stays behind. */
const forward = (call: Call, message: number, target: OneBotTarget): unknown =>
  after(call.platform.message(message), ({ segments }) =>
    after(
      say(
        call,
        target,
        segments.filter(({ type }) => type !== 'reply'),
      ),
      () => null,
    ),
  )

export const NAPCAT_ACTIONS: readonly Action[] = [
  ...['send_poke', 'group_poke', 'friend_poke'].map((name) =>
    action(name, Poke, (params, call) =>
      poke(call, name === 'friend_poke' ? { ...params, group_id: undefined } : params),
    ),
  ),
  action('set_group_kick_members', KickAll, async ({ group_id, user_id, reject_add_request = false }, { platform }) => {
    if (user_id.length === 0) throw badRequest('user_id: is empty')
    for (const user of user_id) await platform.kick(group_id, user, reject_add_request)
    return null
  }),
  action('get_group_shut_list', OfGroup, ({ group_id }, { platform }) =>
    after(platform.members(group_id), (members) =>
      members.filter(({ mutedUntil }) => mutedUntil * 1000 > Date.now()).map(toMember),
    ),
  ),
  action('get_group_detail_info', OfGroup, ({ group_id }, { platform }) => after(platform.group(group_id), toGroup)),
  action('get_group_at_all_remain', OfGroup, ({ group_id }, { platform }) =>
    after(platform.member(group_id, platform.self().id), ({ role }) => ({
      can_at_all: role !== 'member',
      remain_at_all_count_for_group: AT_ALL,
      remain_at_all_count_for_uin: AT_ALL,
    })),
  ),
  action('nc_get_user_status', OfUser, ({ user_id }, { platform }) =>
    after(platform.user(user_id), (user) => {
      if (user === null) throw new PlatformError('USER_NOT_FOUND')
      return { status: user.online ? ONLINE : OFFLINE, ext_status: 0 }
    }),
  ),
  action('get_friends_with_category', Nothing, (_params, { platform }) =>
    after(platform.friends(), (friends) => [
      {
        categoryId: 0,
        categorySortId: 0,
        categoryName: '',
        categoryMbCount: friends.length,
        onlineCount: friends.filter(({ online }) => online).length,
        buddyList: friends.map(toFriend),
      },
    ]),
  ),
  action('forward_friend_single_msg', ToFriend, ({ message_id, user_id }, call) =>
    forward(call, message_id, { user: user_id }),
  ),
  action('forward_group_single_msg', ToGroup, ({ message_id, group_id }, call) =>
    forward(call, message_id, { group: group_id }),
  ),
]
