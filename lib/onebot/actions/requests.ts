import { Compile } from 'typebox/schema'
import { after } from '../after.ts'
import { type Action, action } from './action.ts'
import { FLAG, NUMBER, TEXT } from './params.ts'

/* What others want, and the bot decides. */

const Friend = Compile({
  type: 'object',
  required: ['flag'],
  properties: { flag: TEXT, approve: FLAG, remark: TEXT },
})
const Group = Compile({
  type: 'object',
  required: ['flag'],
  properties: { flag: TEXT, approve: FLAG, reason: TEXT, sub_type: TEXT, type: TEXT, count: NUMBER },
})

export const REQUEST_ACTIONS: readonly Action[] = [
  action('set_friend_add_request', Friend, ({ flag, approve = true, remark = '' }, { platform }) =>
    after(platform.answerFriend(flag, approve, remark), () => null),
  ),
  // A flag says what it is for.
  action('set_group_add_request', Group, ({ flag, approve = true, reason = '' }, { platform }) =>
    after(platform.answerGroup(flag, approve, reason), () => null),
  ),
]
