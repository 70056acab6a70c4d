import { Compile } from 'typebox/schema'
import type { OneBotUser } from '../../../include-types/onebot.ts'
import { version } from '../../version.ts'
import { PlatformError } from '../failure.ts'
import { after } from '../after.ts'
import { type Action, action } from './action.ts'
import { FLAG, ID, Nothing, NUMBER, TEXT } from './params.ts'

/* The bot itself, people, and what this program is. */

const NoCache = Compile({ type: 'object', required: [], properties: { no_cache: FLAG } })
const OfUser = Compile({ type: 'object', required: ['user_id'], properties: { user_id: ID, no_cache: FLAG } })
const Refilter = Compile({ type: 'object', required: [], properties: { file: TEXT } })
const Like = Compile({ type: 'object', required: ['user_id'], properties: { user_id: ID, times: NUMBER } })

const NAME = 'fiberws'

const toStranger = (user: OneBotUser) => ({
  user_id: user.id,
  uid: String(user.id),
  nickname: user.nickname,
  sex: 'unknown',
  age: 0,
  qid: '',
  sign: user.bio,
  long_nick: user.bio,
  level: 1,
  qqLevel: 1,
  login_days: 0,
  reg_time: user.registeredAt,
  is_vip: false,
  is_years_vip: false,
  vip_level: 0,
  remark: user.remark,
  status: user.online ? 10 : 20,
})

export const toFriend = (user: OneBotUser) => ({
  user_id: user.id,
  nickname: user.nickname,
  remark: user.remark,
  sex: 'unknown',
  age: 0,
  level: 1,
  birthday_year: 0,
  birthday_month: 0,
  birthday_day: 0,
  phone_num: '',
  email: '',
  category_id: 0,
})

/** What is never here: each is an action of the standard. */
export const unsupported = (name: string): Action => action(name, Nothing, () => null, 'unsupported')
export const constant = (name: string, data: unknown): Action => action(name, Nothing, () => data, 'constant')

export const ACCOUNT_ACTIONS: readonly Action[] = [
  action('get_login_info', Nothing, (_params, { platform }) => {
    const { id, nickname } = platform.self()
    return { user_id: id, nickname }
  }),
  action('get_stranger_info', OfUser, ({ user_id }, { platform }) =>
    after(platform.user(user_id), (user) => {
      if (user === null) throw new PlatformError('USER_NOT_FOUND')
      return toStranger(user)
    }),
  ),
  action('get_friend_list', NoCache, (_params, { platform }) =>
    after(platform.friends(), (friends) => friends.map(toFriend)),
  ),
  action('send_like', Like, ({ user_id, times = 1 }, { platform }) => after(platform.like(user_id, times), () => null)),
  action('get_status', Nothing, (_params, { platform, status }) => {
    const online = platform.isOnline()
    return {
      online,
      good: true,
      app_initialized: true,
      app_enabled: true,
      plugins_good: null,
      app_good: true,
      stat: {
        packet_received: status.packetsReceived,
        packet_sent: status.packetsSent,
        packet_lost: status.packetsLost,
        message_received: status.messagesReceived,
        message_sent: status.messagesSent,
        disconnect_times: status.disconnects,
        lost_times: 0,
      },
    }
  }),
  action(
    'get_version_info',
    Nothing,
    () => ({
      app_name: NAME,
      app_version: version(),
      app_full_name: `${NAME}-${version()}`,
      protocol_version: 'v11',
      protocol_name: 'OneBot 11',
      version: version(),
    }),
    'constant',
  ),
  // The files that the config names, whatever `file` says.
  action('reload_event_filter', Refilter, (_params, call) => {
    call.refilter()
    return null
  }),
  constant('can_send_image', { yes: true }),
  constant('can_send_record', { yes: true }),
  constant('clean_cache', null),
  // Asked by Koishi at each start.
  constant('get_guild_service_profile', null),
  constant('get_guild_list', []),
  constant('get_online_clients', { clients: [] }),
  ...['get_cookies', 'get_csrf_token', 'get_credentials', 'set_restart'].map(unsupported),
]
