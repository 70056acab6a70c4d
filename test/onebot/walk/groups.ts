import { ALL_PERMISSIONS } from '../../../lib/chat/permissions.ts'
import { field, idOf, listOf, type Person } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import type { Scene } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'
import { containing, finds, has, mateReads, reads, type Row, selfReads, told, writes, writesForItself } from './row.ts'

/* Groups, who is in them, and what is announced there. */

/** Bo in the group, as actions have them. */
const bo = ({ group, boId }: Scene) => ({ group_id: group, user_id: boId })

/** Somebody who wants to come in. */
async function knock(scene: Pick<Scene, 'http' | 'ada' | 'bots' | 'server'>): Promise<Person> {
  const { ada, bots, server } = scene
  await scene.http(ada, 'PATCH', `/servers/${server}`, { is_public: true, require_invite: true })
  const eve = await bots.gateway.person('eve')
  await scene.http(eve, 'POST', `/servers/${server}/join-requests`, { comment: 'let me in' })
  return eve
}

/** Something that robo has announced. */
const announce = async ({ self, group }: Scene): Promise<unknown> =>
  field(await self.get('_send_group_notice', { group_id: group, content: 'no tea' }), 'notice_id')

const renamed = reads(async ({ group, server, channel }) => ({
  params: { group_id: group },
  change: (others) => others.http(others.ada, 'PATCH', `/servers/${server}/channels/${channel}`, { name: 'quay' }),
  shows: { group_id: group, group_name: 'quay' },
}))

const poked = writes(async ({ group, mateId }) => ({
  params: { group_id: group, user_id: mateId },
  seen: told,
  shows: () => has({ sub_type: 'poke', group_id: group, user_id: SELF, target_id: mateId }),
}))

const unannounced = writes(async (scene) => {
  const group_id = scene.group
  const notice_id = await announce(scene)
  return { params: { group_id, notice_id }, seen: mateReads('_get_group_notice', { group_id }), shows: () => [] }
})

export const GROUP_ROWS: Readonly<Record<string, Row>> = {
  get_group_info: renamed,
  get_group_detail_info: renamed,
  get_group_list: reads(async () => ({
    params: {},
    change: (others) => others.makeChannel('quay'),
    shows: has({ group_name: 'quay' }),
  })),
  get_group_member_info: reads(async (scene) => ({
    params: bo(scene),
    change: (others) =>
      others.http(others.ada, 'PATCH', `/servers/${others.server}/members/${others.bo.id}`, { nickname: 'host' }),
    shows: { nickname: 'bo', card: 'host' },
  })),
  get_group_member_list: reads(async ({ group }) => ({
    params: { group_id: group },
    change: ({ bots }) => bots.person('eve'),
    shows: has({ nickname: 'eve' }),
  })),
  get_group_shut_list: reads(async (scene) => ({
    params: { group_id: scene.group },
    change: (others) =>
      others.http(others.ada, 'POST', `/servers/${others.server}/members/${others.bo.id}/timeout`, {
        duration_minutes: 5,
      }),
    shows: [{ user_id: scene.boId, nickname: 'bo' }],
  })),
  get_group_at_all_remain: reads(async (scene) => {
    const { ada, server, group } = scene
    const robo = await scene.bots.userOf('robo')
    const [role] = listOf(await scene.http(ada, 'GET', `/servers/${server}/roles`))
    return {
      params: { group_id: group },
      change: (others) => others.http(ada, 'DELETE', `/servers/${server}/members/${robo}/roles/${idOf(role)}`),
      shows: { can_at_all: false },
    }
  }),
  get_group_system_msg: reads(async () => ({
    params: {},
    change: knock,
    shows: { join_requests: [{ requester_nick: 'eve', message: 'let me in' }] },
  })),
  set_group_add_request: writes(async (scene) => {
    const eve = await knock(scene)
    const { flag } = await scene.robo.event({ request_type: 'group' })
    return { params: { flag }, seen: (others) => others.member(eve.id), shows: () => ({ username: 'eve' }) }
  }),

  set_group_kick: writes(async (scene) => ({
    params: bo(scene),
    seen: (others) => others.member(others.bo.id),
    shows: () => undefined,
  })),
  set_group_kick_members: writes(async (scene) => {
    const { who: cid } = await scene.bots.person('cid')
    return {
      params: { group_id: scene.group, user_id: [scene.boId, scene.num(cid)] },
      seen: async (others) => [await others.member(others.bo.id), await others.member(cid.id)],
      shows: () => [undefined, undefined],
    }
  }),
  set_group_ban: writes(async (scene) => ({
    params: { ...bo(scene), duration: 60 },
    seen: mateReads('get_group_shut_list', { group_id: scene.group }),
    shows: () => [{ user_id: scene.boId }],
  })),
  set_group_whole_ban: writes(async ({ group }) => ({
    params: { group_id: group },
    seen: mateReads('get_group_info', { group_id: group }),
    shows: () => ({ group_all_shut: -1 }),
  })),
  set_group_admin: writes(async (scene) => ({
    params: bo(scene),
    seen: mateReads('get_group_member_info', bo(scene)),
    shows: () => ({ role: 'admin' }),
  })),
  set_group_card: writes(async (scene) => ({
    params: { ...bo(scene), card: 'host' },
    seen: (others) => others.member(others.bo.id),
    shows: () => ({ username: 'bo', nickname: 'host' }),
  })),
  set_group_special_title: writes(async (scene) => ({
    params: { ...bo(scene), special_title: 'cook' },
    seen: mateReads('get_group_member_info', bo(scene)),
    shows: () => ({ title: 'cook' }),
  })),
  set_group_name: writes(async (scene) => ({
    params: { group_id: scene.group, group_name: 'quay' },
    seen: finds(scene.bo, `/servers/${scene.server}/channels/${scene.channel}`),
    shows: () => ({ id: scene.channel, name: 'quay' }),
  })),
  set_group_leave: writes(async ({ group, bots }) => {
    const robo = await bots.userOf('robo')
    return { params: { group_id: group }, seen: (others) => others.member(robo), shows: () => undefined }
  }),
  set_group_portrait: writes(async (scene) => ({
    params: { group_id: scene.group, file: `base64://${png('quay').toString('base64')}` },
    seen: finds(scene.bo, `/servers/${scene.server}/channels/${scene.channel}`),
    shows: () => ({ icon_url: containing('/portraits/') }),
  })),
  set_group_remark: writesForItself(async ({ group }) => ({
    params: { group_id: group, remark: 'the quay' },
    seen: selfReads('get_group_info', { group_id: group }),
    shows: () => ({ group_remark: 'the quay' }),
  })),

  send_poke: poked,
  group_poke: poked,

  _send_group_notice: writes(async ({ group }) => ({
    params: { group_id: group, content: 'no tea' },
    seen: mateReads('_get_group_notice', { group_id: group }),
    shows: (answer) => [{ notice_id: field(answer, 'notice_id'), message: { text: 'no tea' } }],
  })),
  _get_group_notice: reads(async ({ bots, group, mateId }) => {
    await bots.empower('mate', ALL_PERMISSIONS)
    return {
      params: { group_id: group },
      change: ({ mate }) => mate.get('_send_group_notice', { group_id: group, content: 'no tea' }),
      shows: [{ sender_id: mateId, message: { text: 'no tea' } }],
    }
  }),
  _del_group_notice: unannounced,
  _delete_group_notice: unannounced,
}
