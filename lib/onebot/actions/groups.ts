import { Compile } from 'typebox/schema'
import type { OneBotGroup, OneBotMember } from '../../../include-types/onebot.ts'
import { Written } from '../envelope.ts'
import { PlatformError } from '../failure.ts'
import { after } from '../after.ts'
import { type Action, action } from './action.ts'
import { unsupported } from './account.ts'
import { FLAG, ID, NUMBER, TEXT } from './params.ts'

/* Groups, and who is in them. */

const NoCache = Compile({ type: 'object', required: [], properties: { no_cache: FLAG } })
const OfGroup = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID, no_cache: FLAG } })
const OfMember = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: ID, no_cache: FLAG },
})
const Kick = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: ID, reject_add_request: FLAG, message: TEXT },
})
const Ban = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: ID, duration: NUMBER },
})
const WholeBan = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID, enable: FLAG } })
const Admin = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: ID, enable: FLAG },
})
const Card = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: ID, card: TEXT },
})
const Title = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: { group_id: ID, user_id: ID, special_title: TEXT, duration: NUMBER },
})
const Name = Compile({
  type: 'object',
  required: ['group_id', 'group_name'],
  properties: { group_id: ID, group_name: TEXT },
})
const Leave = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID, is_dismiss: FLAG } })
const Honor = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID, type: TEXT } })

/** Of a silence that says nothing of it: the standard's. */
const HALF_AN_HOUR = 1800
/** Seconds of the longest: 30 days, as in go-cqhttp. */
const LONGEST_BAN = 2_592_000

export const toGroup = (group: OneBotGroup) => ({
  group_id: group.id,
  group_name: group.name,
  group_remark: group.remark,
  group_memo: '',
  group_create_time: group.createdAt,
  group_level: 0,
  member_count: group.memberCount,
  max_member_count: group.maxMemberCount,
  group_all_shut: group.shut ? -1 : 0,
})

export const toMember = (member: OneBotMember) => ({
  group_id: member.groupId,
  user_id: member.userId,
  nickname: member.nickname,
  card: member.card,
  sex: 'unknown',
  age: 0,
  area: '',
  join_time: member.joinedAt,
  last_sent_time: member.lastSentAt,
  level: '1',
  role: member.role,
  unfriendly: false,
  title: member.title,
  title_expire_time: member.titleExpiresAt,
  card_changeable: true,
  shut_up_timestamp: member.mutedUntil,
  qq_level: 0,
  is_robot: member.isBot,
  qage: 0,
})

/** Of members that are told again and again: of the same one the text is the same. */
const written = new WeakMap<OneBotMember, Written>()

function writeMember(member: OneBotMember): Written {
  const known = written.get(member)
  if (known !== undefined) return known
  const made = new Written(toMember(member))
  written.set(member, made)
  return made
}

const HONORS = ['talkative', 'performer', 'legend', 'strong_newbie', 'emotion']

export const GROUP_ACTIONS: readonly Action[] = [
  action('get_group_info', OfGroup, ({ group_id }, { platform }) => after(platform.group(group_id), toGroup)),
  action('get_group_list', NoCache, (_params, { platform }) =>
    after(platform.groups(), (groups) => groups.map(toGroup)),
  ),
  action('get_group_member_info', OfMember, ({ group_id, user_id }, { platform }) =>
    after(platform.member(group_id, user_id), writeMember),
  ),
  action('get_group_member_list', OfGroup, ({ group_id }, { platform }) =>
    after(platform.members(group_id), (members) => members.map(toMember)),
  ),
  action('set_group_kick', Kick, ({ group_id, user_id, reject_add_request = false }, { platform }) =>
    after(platform.kick(group_id, user_id, reject_add_request), () => null),
  ),
  action('set_group_ban', Ban, ({ group_id, user_id, duration = HALF_AN_HOUR }, { platform }) => {
    if (duration < 0 || duration >= LONGEST_BAN) throw new PlatformError('DURATION_IS_NOT_IN_RANGE')
    return after(platform.mute(group_id, user_id, duration), () => null)
  }),
  action('set_group_whole_ban', WholeBan, ({ group_id, enable = true }, { platform }) =>
    after(platform.muteAll(group_id, enable), () => null),
  ),
  action('set_group_admin', Admin, ({ group_id, user_id, enable = true }, { platform }) =>
    after(platform.setAdmin(group_id, user_id, enable), () => null),
  ),
  action('set_group_card', Card, ({ group_id, user_id, card = '' }, { platform }) =>
    after(platform.setCard(group_id, user_id, card), () => null),
  ),
  action('set_group_name', Name, ({ group_id, group_name }, { platform }) =>
    after(platform.renameGroup(group_id, group_name), () => null),
  ),
  action('set_group_leave', Leave, ({ group_id, is_dismiss = false }, { platform }) =>
    after(platform.leaveGroup(group_id, is_dismiss), () => null),
  ),
  action('set_group_special_title', Title, ({ group_id, user_id, ...title }, { platform }) =>
    after(platform.setTitle(group_id, user_id, title.special_title ?? '', title.duration ?? -1), () => null),
  ),
  action(
    'get_group_honor_info',
    Honor,
    ({ group_id, type = 'all' }, { platform }) =>
      after(platform.group(group_id), ({ id }) => ({
        group_id: id,
        ...(type === 'all' || type === 'talkative' ? { current_talkative: {} } : {}),
        ...Object.fromEntries(
          HONORS.filter((name) => type === 'all' || type === name).map((name) => [`${name}_list`, []]),
        ),
      })),
    'constant',
  ),
  ...['set_group_anonymous', 'set_group_anonymous_ban'].map(unsupported),
]
