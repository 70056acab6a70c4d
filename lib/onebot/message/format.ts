import type { OneBotMessage, OneBotSender } from '../../../include-types/onebot.ts'
import { printCq } from './cq.ts'

/** How an endpoint has messages: as segments, or as CQ text. */
export type Format = 'array' | 'string'

const toSender = ({ id, nickname, card = '', role, title = '' }: OneBotSender) => ({
  user_id: id,
  nickname,
  card,
  sex: 'unknown',
  age: 0,
  ...(role === undefined ? {} : { role, area: '', level: '1', title }),
})

/** What an event and `get_msg` have in common (OneBot 11 "message", with what NapCat adds). */
export function toMessage(message: OneBotMessage, format: Format, selfId: number) {
  const { id, seq, time, group, peer, sender, segments } = message
  const own = sender.id === selfId
  const raw = printCq(segments)
  return {
    time,
    post_type: own ? 'message_sent' : 'message',
    message_type: group === null ? 'private' : 'group',
    sub_type: message.subType,
    message_id: id,
    message_seq: id,
    real_id: id,
    real_seq: String(seq),
    user_id: sender.id,
    ...(group === null
      ? { target_id: peer, ...(message.via === undefined ? {} : { group_id: message.via, temp_source: 0 }) }
      : {
          group_id: group.id,
          group_name: group.name,
          ...(own ? { target_id: group.id } : {}),
          anonymous: null,
        }),
    ...(own ? { message_sent_type: 'self' } : {}),
    message: format === 'string' ? raw : segments,
    message_format: format,
    raw_message: raw,
    font: 0,
    sender: message.via === undefined ? toSender(sender) : { ...toSender(sender), group_id: message.via },
  }
}

/** One that is asked for. */
export const toFoundMessage = (message: OneBotMessage, format: Format, selfId: number) => ({
  self_id: selfId,
  ...toMessage(message, format, selfId),
  emoji_likes_list: (message.reactions ?? []).map(({ emojiId, count }) => ({
    emoji_id: emojiId,
    emoji_type: emojiId.length > 3 ? '2' : '1',
    likes_cnt: String(count),
  })),
})
