import { Compile } from 'typebox/schema'
import type { OneBotMessage, OneBotPlatform, OneBotTarget } from '../../../include-types/onebot.ts'
import type { OneBotExtras } from '../../web/config/onebot-settings.ts'
import { toFoundMessage } from '../message/format.ts'
import { after, afterAll } from '../after.ts'
import { hasBundle } from '../message/bundles.ts'
import { withExtras } from '../message/extras.ts'
import { type Action, action, type Call } from './action.ts'
import { FLAG, ID, NUMBER } from './params.ts'

/* What was said before. */

const paged = {
  message_seq: ID,
  message_id: ID,
  count: NUMBER,
  reverse_order: FLAG,
  reverseOrder: FLAG,
  disable_get_url: FLAG,
  parse_mult_msg: FLAG,
  quick_reply: FLAG,
} as const
const OfGroup = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID, ...paged } })
const OfFriend = Compile({ type: 'object', required: ['user_id'], properties: { user_id: ID, ...paged } })

/** Messages that are asked for without a number, and with one. */
const [COUNT, MOST] = [20, 200]

interface Page {
  readonly message_seq?: number
  readonly message_id?: number
  readonly count?: number
  readonly reverse_order?: boolean
  readonly reverseOrder?: boolean
  readonly parse_mult_msg?: boolean
}

/** Bundles of one answer that come with what is in them, the newest of them: each may be long. */
export const MAX_EXPANDED = 16

/** The oldest first, unless that is asked for the other way round; with the message that is named. */
function read({ platform, format, extras }: Call, target: OneBotTarget, page: Page): unknown {
  const { message_seq: seq = 0, message_id: id = seq, count = COUNT } = page
  const { reverse_order: reverse = page.reverseOrder ?? false } = page
  const limit = Math.min(MOST, Math.max(1, count))
  const toList = (messages: readonly OneBotMessage[]) => {
    const found = messages.map((message) => toFoundMessage(message, format, platform.self().id))
    return { messages: reverse ? found.toReversed() : found }
  }
  return after(platform.history(target, id === 0 ? null : id, limit), (messages) =>
    after(expandAll(platform, messages, { ...extras, bundles: page.parse_mult_msg !== false }), toList),
  )
}

function expandAll(platform: OneBotPlatform, messages: readonly OneBotMessage[], extras: OneBotExtras) {
  const bundles = new Set(extras.bundles ? messages.filter(hasBundle).slice(-MAX_EXPANDED) : [])
  return afterAll(
    messages.map((message) => withExtras(platform, message, { ...extras, bundles: bundles.has(message) })),
    (all) => all,
  )
}

export const HISTORY_ACTIONS: readonly Action[] = [
  action('get_group_msg_history', OfGroup, ({ group_id, ...rest }, call) => read(call, { group: group_id }, rest)),
  action('get_friend_msg_history', OfFriend, ({ user_id, ...rest }, call) => read(call, { user: user_id }, rest)),
]
