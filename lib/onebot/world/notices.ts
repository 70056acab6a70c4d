import type { OneBotNotice } from '../../../include-types/onebot.ts'
import type { EventTable, EventType, WorldEvent } from '../../chat/events.ts'
import type { DirectMessage } from '../../chat/directs.ts'
import type { Message } from '../../chat/store/messages.ts'
import { toEmojiId } from './emoji.ts'

/* What happens in channels, in OneBot's words: the same for all bots that see them. */

type Of<T extends EventType> = Extract<WorldEvent, { readonly type: T }>

/** What bots are told, in each of some channels. */
export interface Told {
  readonly channels: readonly string[]
  readonly notice: (group: number) => OneBotNotice
}

/** What there is to know for that. */
export interface Means {
  /** Somebody's number; 0 for nobody. */
  num(user: string | null): number
  /** The channels that somebody sees. */
  visible(user: string, server: string): readonly string[]
  /** Who sends somebody away who leaves now; null: they go by themselves. */
  readonly sentBy: string | null
}

function toEssence(
  { channelId, num, authorId, by }: Of<'message.pinned' | 'message.unpinned'>,
  means: Means,
  add: boolean,
) {
  const sender_id = means.num(authorId)
  const notice = {
    notice_type: 'essence',
    sub_type: add ? 'add' : 'delete',
    user_id: sender_id,
    sender_id,
    operator_id: means.num(by),
    message_id: num,
  } as const
  return { channels: [channelId], notice: (group_id: number) => ({ ...notice, group_id }) }
}

function toReaction({ channelId, ...event }: Of<'reaction.added' | 'reaction.removed'>, means: Means, is_add: boolean) {
  const notice = {
    notice_type: 'group_msg_emoji_like',
    user_id: means.num(event.userId),
    message_id: event.num,
    likes: [{ emoji_id: toEmojiId(event.emoji), count: 1 }],
    is_add,
  } as const
  return { channels: [channelId], notice: (group_id: number) => ({ ...notice, group_id }) }
}

/** Files of a message that are found in its channel from then on: behind the message itself. */
export const toUploads = ({ channel_id, author_id, files }: Message, means: Means): Told[] =>
  files
    .filter(({ kind }) => kind === 'file')
    .map(({ id, name, size }) => {
      const file = { id, name, size, busid: 0 }
      const notice = { notice_type: 'group_upload', user_id: means.num(author_id), file } as const
      return { channels: [channel_id], notice: (group_id) => ({ ...notice, group_id }) }
    })

/** Files that somebody has sent to a bot alone: go-cqhttp's word for it. */
export const toOffline = ({ author_id, files }: DirectMessage, means: Means, base: string): OneBotNotice[] =>
  files
    .filter(({ kind }) => kind === 'file')
    .map(({ name, size, url }) => ({
      notice_type: 'offline_file',
      user_id: means.num(author_id),
      file: { name, size, url: `${base}${url}` },
    }))

/** Who may not speak for so many seconds: 0 for who may again, −1 until that. */
const toBan = (user_id: number, operator_id: number, duration: number) =>
  ({ notice_type: 'group_ban', sub_type: duration === 0 ? 'lift_ban' : 'ban', user_id, operator_id, duration }) as const

/** @param tell told of what bots are told */
export function createNotices(means: Means, tell: (told: Told) => void): EventTable {
  const row =
    <T extends EventType>(make: (event: Of<T>) => Told | null) =>
    (event: Of<T>): void => {
      const told = make(event)
      if (told !== null) tell(told)
    }
  return {
    'message.deleted': row<'message.deleted'>(({ channelId, num, authorId, by, draft }) => {
      // Nobody has heard of it.
      if (draft) return null
      const notice = {
        notice_type: 'group_recall',
        user_id: means.num(authorId),
        operator_id: means.num(by),
        message_id: num,
      } as const
      return { channels: [channelId], notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'message.pinned': row<'message.pinned'>((event) => toEssence(event, means, true)),
    'message.unpinned': row<'message.unpinned'>((event) => toEssence(event, means, false)),
    'reaction.added': row<'reaction.added'>((event) => toReaction(event, means, true)),
    'reaction.removed': row<'reaction.removed'>((event) => toReaction(event, means, false)),
    'member.joined': row<'member.joined'>(({ serverId, userId, by, invited }) => {
      const notice = {
        notice_type: 'group_increase',
        sub_type: invited ? 'invite' : 'approve',
        operator_id: means.num(by),
        user_id: means.num(userId),
      } as const
      return { channels: means.visible(userId, serverId), notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'member.left': row<'member.left'>(({ userId, channelIds }) => {
      const user_id = means.num(userId)
      const { sentBy } = means
      const notice = {
        notice_type: 'group_decrease',
        sub_type: sentBy === null ? 'leave' : 'kick',
        operator_id: sentBy === null ? user_id : means.num(sentBy),
        user_id,
      } as const
      return { channels: channelIds, notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'member.silenced': row<'member.silenced'>(
      ({ timeout: { server_id, user_id, created_by, created_at, expires_at } }) => {
        const seconds = Math.max(1, Math.round((Date.parse(expires_at) - Date.parse(created_at)) / 1000))
        const notice = toBan(means.num(user_id), means.num(created_by), seconds)
        return { channels: means.visible(user_id, server_id), notice: (group_id) => ({ ...notice, group_id }) }
      },
    ),
    'member.unsilenced': row<'member.unsilenced'>(({ serverId, userId, by }) => {
      const notice = toBan(means.num(userId), means.num(by), 0)
      return { channels: means.visible(userId, serverId), notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'channel.shut': row<'channel.shut'>(({ channelId, by, shut }) => {
      const notice = toBan(0, means.num(by), shut ? -1 : 0)
      return { channels: [channelId], notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'member.renamed': row<'member.renamed'>(({ serverId, userId, before, after }) => {
      const user_id = means.num(userId)
      const notice = { notice_type: 'group_card', user_id, card_new: after ?? '', card_old: before ?? '' } as const
      return { channels: means.visible(userId, serverId), notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'member.titled': row<'member.titled'>(({ serverId, userId, title }) => {
      const user_id = means.num(userId)
      const notice = { notice_type: 'notify', sub_type: 'title', user_id, title: title ?? '' } as const
      return { channels: means.visible(userId, serverId), notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'channel.renamed': row<'channel.renamed'>(({ channelId, by, name }) => {
      const notice = { notice_type: 'notify', sub_type: 'group_name', user_id: means.num(by), name_new: name } as const
      return { channels: [channelId], notice: (group_id) => ({ ...notice, group_id }) }
    }),
    'poke': row<'poke'>(({ from, to, channelId }) => {
      if (channelId === null) return null
      const [sender_id, target_id] = [means.num(from), means.num(to)]
      const notice = { notice_type: 'notify', sub_type: 'poke', user_id: sender_id, sender_id, target_id } as const
      return { channels: [channelId], notice: (group_id) => ({ ...notice, group_id }) }
    }),
  }
}
