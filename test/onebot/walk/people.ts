import { SELF } from '../../support/onebot.ts'
import type { Scene } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'
import {
  boHears,
  containing,
  finds,
  has,
  mateReads,
  type Others,
  reads,
  type Row,
  selfReads,
  told,
  writes,
  writesForItself,
} from './row.ts'

/* The bot itself, and those that it has to do with. */

/** How the bot appears for bo, once it was asked for something. */
const appears = (params: object, shows: object): Row =>
  writes(async ({ bots, bo }) => ({
    params,
    seen: finds(bo, `/users/${await bots.userOf('robo')}`),
    shows: () => shows,
  }))

/** Bo writes to robo for the first time. */
const meet = async (others: Others): Promise<unknown> =>
  others.http(others.bo, 'POST', '/dm-channels', { user_id: await others.bots.userOf('robo') })

/** Mate writes to robo: from then on they are friends. */
const befriend = ({ mate }: Scene): Promise<unknown> => mate.get('send_private_msg', { user_id: SELF, message: 'ahoy' })

export const PEOPLE_ROWS: Readonly<Record<string, Row>> = {
  // Nobody else can give it another name.
  get_login_info: reads(async ({ self }) => ({
    params: {},
    change: () => self.get('set_qq_profile', { nickname: 'kettle' }),
    shows: { user_id: SELF, nickname: 'kettle' },
  })),
  get_status: reads(async ({ bo }) => ({
    params: {},
    change: (others) => others.say(bo, 'tea?'),
    shows: { online: true, stat: { message_received: 1 } },
  })),
  set_qq_profile: appears({ nickname: 'kettle' }, { username: 'kettle' }),
  set_self_longnick: appears({ longNick: 'I boil' }, { bio: 'I boil' }),
  set_online_status: appears({ status: 30, ext_status: 0, battery_status: 0 }, { status: 'away' }),
  set_diy_online_status: appears({ face_id: '21', wording: 'boiling' }, { custom_status: 'boiling' }),
  set_qq_avatar: appears(
    { file: `base64://${png('kettle').toString('base64')}` },
    { avatar_url: containing('/portraits/') },
  ),

  get_stranger_info: reads(async ({ bo, boId }) => ({
    params: { user_id: boId },
    change: (others) => others.http(bo, 'PATCH', '/users/@me', { bio: 'no tea' }),
    shows: { nickname: 'bo', sign: 'no tea' },
  })),
  nc_get_user_status: reads(async ({ adaId }) => ({
    params: { user_id: adaId },
    change: ({ bots, ada }) => bots.gateway.connect(ada),
    shows: { status: 10 },
  })),
  get_friend_list: reads(async ({ boId }) => ({
    params: {},
    change: meet,
    shows: [{ user_id: boId, nickname: 'bo' }],
  })),
  get_friends_with_category: reads(async ({ boId }) => ({
    params: {},
    change: meet,
    shows: [{ categoryMbCount: 1, onlineCount: 1, buddyList: [{ user_id: boId, nickname: 'bo' }] }],
  })),
  delete_friend: writes(async (scene) => {
    await befriend(scene)
    return { params: { user_id: scene.mateId }, seen: mateReads('get_friend_list'), shows: () => [] }
  }),
  set_friend_add_request: writes(async (scene) => {
    const { bots } = scene
    const mate = await bots.gateway.login(await bots.userOf('mate'))
    await scene.http(mate, 'POST', '/friend-requests', { user_id: await bots.userOf('robo'), comment: '' })
    const { flag } = await scene.robo.event({ request_type: 'friend' })
    return { params: { flag }, seen: mateReads('get_friend_list'), shows: () => [{ user_id: SELF }] }
  }),
  set_friend_remark: writesForItself(async ({ boId }) => ({
    params: { user_id: boId, remark: 'the cook' },
    seen: selfReads('get_stranger_info', { user_id: boId }),
    shows: () => ({ remark: 'the cook' }),
  })),

  send_like: writes(async ({ mateId }) => ({
    params: { user_id: mateId, times: 2 },
    seen: mateReads('get_profile_like'),
    shows: () => ({ favoriteInfo: { total_count: 2, userInfos: [{ uin: SELF, count: 2 }] } }),
  })),
  get_profile_like: reads(async ({ mateId }) => ({
    params: {},
    change: ({ mate }) => mate.get('send_like', { user_id: SELF, times: 2 }),
    shows: { favoriteInfo: { total_count: 2 }, voteInfo: { userInfos: [{ uin: mateId, count: 2 }] } },
  })),
  friend_poke: writes(async (scene) => {
    const { mateId } = scene
    await befriend(scene)
    return {
      params: { user_id: mateId },
      seen: told,
      shows: () => has({ sub_type: 'poke', user_id: SELF, target_id: mateId }),
    }
  }),
  set_input_status: writes(async (scene) => {
    await meet(scene)
    return {
      params: { user_id: scene.boId, event_type: 1 },
      seen: boHears('TYPING_START'),
      shows: () => has({ username: 'robo' }),
    }
  }),
}
