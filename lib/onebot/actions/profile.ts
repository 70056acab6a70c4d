import { Compile } from 'typebox/schema'
import type { OneBotStatus } from '../../../include-types/onebot-parts.ts'
import { after } from '../after.ts'
import { badRequest } from '../failure.ts'
import { findFile } from '../media/intake.ts'
import { type Action, action, DONE, part } from './action.ts'
import { ANY, ID, NUMBER, TEXT } from './params.ts'

/* How the bot appears, and its groups. */

const Profile = Compile({
  type: 'object',
  required: [],
  properties: { nickname: TEXT, personal_note: TEXT, sex: ANY, company: TEXT, email: TEXT, college: TEXT },
})
const LongNick = Compile({ type: 'object', required: ['longNick'], properties: { longNick: TEXT } })
const Online = Compile({
  type: 'object',
  required: ['status'],
  properties: { status: NUMBER, ext_status: NUMBER, battery_status: NUMBER },
})
const Words = Compile({
  type: 'object',
  required: ['face_id'],
  properties: { face_id: TEXT, face_type: TEXT, wording: TEXT },
})
const Avatar = Compile({ type: 'object', required: ['file'], properties: { file: TEXT } })
const Portrait = Compile({
  type: 'object',
  required: ['group_id', 'file'],
  properties: { group_id: ID, file: TEXT, cache: NUMBER },
})

/** QQ's numbers: online, away, invisible, busy, ask me, do not disturb. */
const STATUSES: ReadonlyMap<number, OneBotStatus> = new Map([
  [10, 'online'],
  [30, 'away'],
  [40, 'invisible'],
  [50, 'busy'],
  [60, 'online'],
  [70, 'busy'],
])

export const PROFILE_ACTIONS: readonly Action[] = [
  action('set_qq_profile', Profile, ({ nickname, personal_note: bio }, { platform }) => {
    if (nickname === undefined && bio === undefined) throw badRequest('nickname or personal_note: is needed')
    const profile = { ...(nickname === undefined ? {} : { nickname }), ...(bio === undefined ? {} : { bio }) }
    return after(part(platform.profile).set(profile), () => DONE)
  }),
  action('set_self_longnick', LongNick, ({ longNick }, { platform }) =>
    after(part(platform.profile).set({ bio: longNick }), () => DONE),
  ),
  action('set_online_status', Online, ({ status }, { platform }) => {
    const known = STATUSES.get(status)
    if (known === undefined) throw badRequest(`status: must be one of ${[...STATUSES.keys()].join(', ')}`)
    return after(part(platform.profile).setStatus(known), () => null)
  }),
  action('set_diy_online_status', Words, ({ wording = '' }, { platform }) =>
    after(part(platform.profile).setWords(wording), () => ''),
  ),
  action('set_qq_avatar', Avatar, async ({ file }, call) => {
    const profile = part(call.platform.profile)
    await profile.setAvatar(await findFile(call, file, 'image'))
    return null
  }),
  action('set_group_portrait', Portrait, async ({ group_id, file }, call) => {
    const profile = part(call.platform.profile)
    await profile.setGroupImage(group_id, await findFile(call, file, 'image'))
    return { result: 0, errMsg: 'success' }
  }),
]
