import { Compile } from 'typebox/schema'
import type { OneBotGroupRequest, OneBotLikes, OneBotRecent } from '../../../include-types/onebot-parts.ts'
import { after } from '../after.ts'
import { badRequest } from '../failure.ts'
import { type Format, toFoundMessage } from '../message/format.ts'
import { type Action, action, DONE, part } from './action.ts'
import { FLAG, ID, NUMBER, TEXT } from './params.ts'

/* Those that the bot has to do with: friends, chats, what others want of it. */

const Friend = Compile({
  type: 'object',
  required: [],
  properties: { user_id: ID, friend_id: ID, id: ID, temp_block: FLAG, temp_both_del: FLAG },
})
const FriendRemark = Compile({
  type: 'object',
  required: ['user_id', 'remark'],
  properties: { user_id: ID, remark: TEXT },
})
const GroupRemark = Compile({
  type: 'object',
  required: ['group_id', 'remark'],
  properties: { group_id: ID, remark: TEXT },
})
const Count = Compile({ type: 'object', required: [], properties: { count: NUMBER } })
const Likes = Compile({ type: 'object', required: [], properties: { user_id: ID, start: NUMBER, count: NUMBER } })
const Input = Compile({
  type: 'object',
  required: ['user_id', 'event_type'],
  properties: { user_id: ID, event_type: NUMBER },
})

/** Where no number is said: NapCat's. And what there is at most. */
const [RECENT, REQUESTS, LIKES] = [10, 50, 10]
const MOST = 200
/** QQ's kinds of chats. */
const [PRIVATE, GROUP] = [1, 2]

const toRecent =
  (format: Format, self: number) =>
  ({ message, chat }: OneBotRecent) => ({
    lastestMsg: toFoundMessage(message, format, self),
    peerUin: String(chat.id),
    remark: chat.remark,
    msgTime: String(message.time),
    chatType: message.group === null ? PRIVATE : GROUP,
    msgId: String(message.id),
    sendNickName: message.sender.nickname,
    sendMemberName: message.sender.card ?? '',
    peerName: chat.name,
  })

/** As go-cqhttp has both kinds, with the flag as their id: what answers them takes that. */
const toRequest = ({ request, from, group }: OneBotGroupRequest) => ({
  request_id: request.flag,
  flag: request.flag,
  group_id: group.id,
  group_name: group.name,
  checked: false,
  actor: 0,
  message: request.comment,
  invitor_uin: request.sub_type === 'invite' ? from.id : 0,
  invitor_nick: request.sub_type === 'invite' ? from.name : '',
  requester_uin: request.sub_type === 'add' ? from.id : 0,
  requester_nick: request.sub_type === 'add' ? from.name : '',
})

function toRequests(requests: readonly OneBotGroupRequest[]) {
  const of = (kind: 'add' | 'invite') => requests.filter(({ request }) => request.sub_type === kind).map(toRequest)
  const invited = of('invite')
  // NapCat has them under both names.
  return { invited_requests: invited, InvitedRequest: invited, join_requests: of('add') }
}

function toLikes(uid: number, { total, today, users }: OneBotLikes) {
  const userInfos = users.map(({ user, times, today: now, at, isFriend }) => ({
    uid: String(user.id),
    uin: user.id,
    nick: user.nickname,
    count: times,
    latestTime: at,
    bTodayVotedCnt: now,
    isFriend,
    gender: 0,
    age: 0,
    isvip: false,
    isSvip: false,
  }))
  return {
    uid: String(uid),
    time: String(Math.floor(Date.now() / 1000)),
    favoriteInfo: { total_count: total, today_count: today, last_time: users[0]?.at ?? 0, userInfos },
    voteInfo: { total_count: total, new_count: today, new_nearby_count: 0, last_visit_time: 0, userInfos },
  }
}

export const CONTACT_ACTIONS: readonly Action[] = [
  action('delete_friend', Friend, ({ id, friend_id = id, user_id = friend_id }, { platform }) => {
    if (user_id === undefined) throw badRequest('user_id: is needed')
    return after(part(platform.contacts).removeFriend(user_id), () => null)
  }),
  action('set_friend_remark', FriendRemark, ({ user_id, remark }, { platform }) =>
    after(part(platform.contacts).setRemark({ user: user_id }, remark), () => null),
  ),
  action('set_group_remark', GroupRemark, ({ group_id, remark }, { platform }) =>
    after(part(platform.contacts).setRemark({ group: group_id }, remark), () => null),
  ),
  action('get_recent_contact', Count, ({ count = RECENT }, { platform, format }) =>
    after(part(platform.contacts).recent(Math.min(MOST, count)), (all) =>
      all.map(toRecent(format, platform.self().id)),
    ),
  ),
  action('get_group_system_msg', Count, ({ count = REQUESTS }, { platform }) =>
    after(part(platform.contacts).requests(Math.min(MOST, count)), toRequests),
  ),
  action('get_profile_like', Likes, ({ user_id, start = 0, count = LIKES }, { platform }) => {
    const of = user_id ?? platform.self().id
    return after(part(platform.contacts).likes(of, start, Math.min(MOST, count)), (likes) => toLikes(of, likes))
  }),
  // Of the kinds of writing that QQ knows there is one here.
  action('set_input_status', Input, ({ user_id }, { platform }) =>
    after(part(platform.contacts).type(user_id), () => DONE),
  ),
]
