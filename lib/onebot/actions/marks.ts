import { Compile } from 'typebox/schema'
import type { OneBotPin } from '../../../include-types/onebot-parts.ts'
import { after } from '../after.ts'
import { badRequest } from '../failure.ts'
import { type Action, action, type Call, DONE, part } from './action.ts'
import { ANY, FLAG, ID, Nothing, NUMBER, OfGroup, OfMessage, TEXT } from './params.ts'

/* What is noted about messages: pinned, said with an emoji, read. */

const Read = Compile({
  type: 'object',
  required: [],
  properties: { message_id: ID, user_id: ID, group_id: ID },
})
const Like = Compile({
  type: 'object',
  required: ['message_id', 'emoji_id'],
  properties: { message_id: ID, emoji_id: TEXT, set: FLAG },
})
const Fetch = Compile({
  type: 'object',
  required: ['message_id', 'emojiId'],
  properties: { message_id: ID, emojiId: TEXT, emojiType: ANY, count: NUMBER, cookie: TEXT },
})
const Likes = Compile({
  type: 'object',
  required: ['message_id', 'emoji_id'],
  properties: { message_id: ID, emoji_id: TEXT, group_id: ID, emoji_type: ANY, count: NUMBER },
})

const toEssence = ({ message, by, at }: OneBotPin) => ({
  message_id: message.id,
  msg_seq: message.seq,
  msg_random: 0,
  sender_id: message.sender.id,
  sender_nick: message.sender.nickname,
  sender_time: message.time,
  operator_id: by.id,
  operator_nick: by.name,
  operator_time: at,
  content: message.segments,
})

interface Reading {
  readonly message_id?: number
  readonly user_id?: number
  readonly group_id?: number
}

function read({ platform }: Call, { message_id, user_id, group_id }: Reading): unknown {
  const marks = part(platform.marks)
  if (message_id !== undefined) return after(marks.readUpTo(message_id), () => null)
  if (group_id !== undefined) return after(marks.readAll({ group: group_id }), () => null)
  if (user_id !== undefined) return after(marks.readAll({ user: user_id }), () => null)
  throw badRequest('message_id, group_id or user_id: is needed')
}

export const MARK_ACTIONS: readonly Action[] = [
  action('set_essence_msg', OfMessage, ({ message_id }, { platform }) =>
    after(part(platform.marks).pin(message_id, true), () => DONE),
  ),
  action('delete_essence_msg', OfMessage, ({ message_id }, { platform }) =>
    after(part(platform.marks).pin(message_id, false), () => DONE),
  ),
  action('get_essence_msg_list', OfGroup, ({ group_id }, { platform }) =>
    after(part(platform.marks).pinned(group_id), (pins) => pins.map(toEssence)),
  ),
  action('set_msg_emoji_like', Like, ({ message_id, emoji_id, set = true }, { platform }) =>
    after(part(platform.marks).react(message_id, emoji_id, set), () => DONE),
  ),
  action('fetch_emoji_like', Fetch, ({ message_id, emojiId, count = 20 }, { platform }) =>
    after(part(platform.marks).reactors(message_id, emojiId), (people) => ({
      emojiLikesList: people
        .slice(0, Math.max(0, count))
        .map(({ id, name }) => ({ tinyId: String(id), nickName: name, headUrl: '' })),
      cookie: '',
      isLastPage: people.length <= count,
      isFirstPage: true,
      ...DONE,
    })),
  ),
  action('get_emoji_likes', Likes, ({ message_id, emoji_id, count = 0 }, { platform }) =>
    after(part(platform.marks).reactors(message_id, emoji_id), (people) => ({
      emoji_like_list: (count > 0 ? people.slice(0, count) : people).map(({ id, name }) => ({
        user_id: id,
        nick_name: name,
      })),
    })),
  ),
  action('mark_msg_as_read', Read, (params, call) => read(call, params)),
  action('mark_private_msg_as_read', Read, (params, call) => read(call, params)),
  action('mark_group_msg_as_read', Read, (params, call) => read(call, params)),
  action('_mark_all_as_read', Nothing, (_params, { platform }) =>
    after(part(platform.marks).readAll(null), () => null),
  ),
]
