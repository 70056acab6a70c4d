import { upload } from '../../support/forms.ts'
import { SELF } from '../../support/onebot.ts'
import type { Scene } from '../../support/onebot-scene.ts'
import { constant, type Row } from './row.ts'

/* What is the same whatever happens. */

/** A bit of everything that people, and another bot, do. */
async function livesOn(scene: Scene): Promise<void> {
  const { ada, bo, bots, mate, server, channel, group } = scene
  const robo = await bots.userOf('robo')
  const { gateway } = bots
  const file = await upload(gateway, bo, channel, 'menu', 'menu.txt')
  const { id } = await scene.say(bo, '@robo tea?', { file_ids: [file.id] })
  const message = `/channels/${channel}/messages/${id}`
  await scene.http(bo, 'PUT', `${message}/reactions/${encodeURIComponent('👍')}`)
  await scene.http(ada, 'POST', `${message}/pin`)
  await scene.http(ada, 'PATCH', `/servers/${server}/channels/${channel}`, { name: 'quay' })
  await scene.http(ada, 'PATCH', `/servers/${server}/members/${bo.id}`, { nickname: 'host' })
  await scene.makeChannel('bar')
  await bots.person('cid')
  await scene.http(bo, 'POST', '/friend-requests', { user_id: robo, comment: 'be mine' })
  await scene.http(ada, 'PATCH', `/servers/${server}`, { name: 'Bay', is_public: true, require_invite: true })
  const eve = await gateway.person('eve')
  await scene.http(eve, 'POST', `/servers/${server}/join-requests`, { comment: 'let me in' })
  const other = await gateway.server(eve)
  await scene.http(eve, 'POST', `/servers/${other.id}/invitations`, { user_id: robo })
  await mate.get('send_like', { user_id: SELF })
  await mate.get('send_private_msg', { user_id: SELF, message: 'ahoy' })
  await mate.get('send_poke', { user_id: SELF, group_id: group })
  await scene.http(ada, 'POST', `/servers/${server}/members/${bo.id}/timeout`, { duration_minutes: 5 })
  await bots.connect()
  await bots.settle(scene.robo)
}

const always = (params?: (scene: Scene) => object): Row => constant(livesOn, params)

export const CONSTANT_ROWS: Readonly<Record<string, Row>> = {
  get_version_info: always(),
  get_supported_actions: always(),
  can_send_image: always(),
  can_send_record: always(),
  clean_cache: always(),
  get_guild_service_profile: always(),
  get_guild_list: always(),
  get_online_clients: always(),
  get_group_honor_info: always(({ group }) => ({ group_id: group, type: 'all' })),
  check_url_safely: always(() => ({ url: 'http://127.0.0.1/' })),
  get_unidirectional_friend_list: always(),
  get_group_ignored_notifies: always(),
  get_group_ignore_add_request: always(),
  get_group_signed_list: always(({ group }) => ({ group_id: group })),
  get_doubt_friends_add_request: always(),
  get_robot_uin_range: always(),
  fetch_custom_face: always(),
  fetch_custom_face_detail: always(),
  nc_get_packet_status: always(),
  trans_group_file: always(({ group }) => ({ group_id: group, file_id: 'menu' })),
  test_download_stream: always(),
}
