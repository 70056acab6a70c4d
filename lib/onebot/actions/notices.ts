import { Compile } from 'typebox/schema'
import type { OneBotAnnouncement } from '../../../include-types/onebot-parts.ts'
import { after } from '../after.ts'
import { findFile } from '../media/intake.ts'
import { type Action, action, part } from './action.ts'
import { ID, NUMBER, OfGroup, TEXT } from './params.ts'

/* What is announced in groups. */

const Send = Compile({
  type: 'object',
  required: ['group_id', 'content'],
  properties: {
    group_id: ID,
    content: TEXT,
    image: TEXT,
    pinned: NUMBER,
    type: NUMBER,
    confirm_required: NUMBER,
    is_show_edit_card: NUMBER,
    tip_window_type: NUMBER,
  },
})
const OfNotice = Compile({
  type: 'object',
  required: ['group_id', 'notice_id'],
  properties: { group_id: ID, notice_id: TEXT },
})

/** The size of images is not known here. */
function toNotice({ id, author, content, image, pinned, at }: OneBotAnnouncement) {
  const images = image === null ? [] : [{ id: image.id, url: image.url, height: '0', width: '0' }]
  return {
    notice_id: id,
    sender_id: author.id,
    publish_time: at,
    message: { text: content, images, image: images },
    settings: { is_show_edit_card: 0, remind_ts: 0, tip_window_type: 0, confirm_required: 0, pinned: pinned ? 1 : 0 },
    read_num: 0,
  }
}

export const NOTICE_ACTIONS: readonly Action[] = [
  action('_send_group_notice', Send, async ({ group_id, content, image = '', pinned = 0 }, call) => {
    const notices = part(call.platform.notices)
    const file = image === '' ? null : await findFile(call, image, 'image')
    return { notice_id: await notices.add(group_id, content, file, pinned !== 0) }
  }),
  action('_get_group_notice', OfGroup, ({ group_id }, { platform }) =>
    after(part(platform.notices).list(group_id), (all) => all.map(toNotice)),
  ),
  ...['_del_group_notice', '_delete_group_notice'].map((name) =>
    action(name, OfNotice, ({ group_id, notice_id }, { platform }) =>
      after(part(platform.notices).remove(group_id, notice_id), () => null),
    ),
  ),
]
