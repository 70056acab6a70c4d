import { describe, expect, it } from 'vitest'
import {
  ALL_PERMISSIONS,
  BAN_MEMBERS,
  CREATE_INVITES,
  KICK_MEMBERS,
  MANAGE_CHANNELS,
  MANAGE_MESSAGES,
  MANAGE_ROLES,
  MANAGE_SERVER,
  MUTE_MEMBERS,
} from '../../../lib/chat/permissions.ts'
import { field, idOf, listOf } from '../../support/gateway.ts'
import { type BotClient, SELF } from '../../support/onebot.ts'
import { Scene } from '../../support/onebot-scene.ts'

const ADMIN = MANAGE_MESSAGES | MUTE_MEMBERS | KICK_MEMBERS | CREATE_INVITES | MANAGE_ROLES

async function start(power = ALL_PERMISSIONS) {
  const scene = await Scene.start('node', { power })
  const bo = { group_id: scene.group, user_id: scene.boId }
  /** Why something that is done to bo, or to others, is not done. */
  const why = (action: string, params: object = {}, client: BotClient = scene.robo): Promise<string> =>
    scene.why(action, { ...bo, ...params }, client)
  const done = (action: string, params: object = {}): Promise<unknown> => scene.robo.get(action, { ...bo, ...params })
  /** A field of bo in the list of members. */
  const ofBo = async (name: string): Promise<unknown> => field(await scene.member(scene.bo.id), name)
  return { scene, why, done, ofBo }
}

/** What each action on a member is refused for, whoever asks. */
async function expectRefusals(action: string, params: object = {}): Promise<void> {
  const { scene, why } = await start()
  const quay = await scene.makeChannel('quay')
  const dov = await scene.bots.gateway.person('dov')
  const high = await scene.bots.person('eve')
  await scene.giveRole(high.who.id, MANAGE_SERVER, true)
  await scene.http(scene.ada, 'PUT', `/channels/${quay.id}/overrides`, {
    user_id: scene.bo.id,
    role_id: null,
    allow: 0,
    deny: 1,
  })
  const ask = (more: object, client?: BotClient) => why(action, { ...params, ...more }, client)
  expect(await ask({ group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
  expect(await ask({ user_id: 99_999 })).toBe('1200 MEMBER_NOT_FOUND')
  expect(await ask({ user_id: scene.num(dov) })).toBe('1200 MEMBER_NOT_FOUND')
  // Who does not see the group is not in it.
  expect(await ask({ group_id: quay.group })).toBe('1200 MEMBER_NOT_FOUND')
  expect(await ask({ user_id: scene.adaId })).toBe('1200 PERMISSION_DENIED')
  expect(await ask({ user_id: scene.num(high.who) })).toBe('1200 PERMISSION_DENIED')
  expect(await ask({}, scene.mate)).toBe('1200 PERMISSION_DENIED')
  expect(await ask({ group_id: undefined })).toBe('1400 group_id: is needed')
  expect(await ask({ user_id: undefined })).toBe('1400 user_id: is needed')
  expect(await ask({ user_id: 'bo' })).toBe('1400 user_id: must be an integer')
  const members = listOf(await scene.http(scene.ada, 'GET', `/servers/${scene.server}/members`))
  expect(members.map((one) => field(one, 'username'))).toEqual(['ada', 'robo', 'mate', 'bo', 'eve'])
  expect(members.map((one) => field(one, 'nickname'))).toEqual(Array(5).fill(null))
  expect(members.map((one) => field(one, 'timeout_expires_at'))).toEqual(Array(5).fill(null))
}

describe('set_group_kick', () => {
  it('onebot trap 12: sends somebody away, who may come back', async () => {
    const { scene, done, ofBo } = await start(KICK_MEMBERS)
    expect(await done('set_group_kick', { group_id: String(scene.group), user_id: String(scene.boId) })).toBeNull()
    expect(await ofBo('user_id')).toBeUndefined()
    await scene.http(scene.bo, 'POST', `/servers/${scene.server}/join`)
    expect(await ofBo('user_id')).toBe(scene.bo.id)
  })

  it.each([true, 'true', 'yes', '1', 1])('with reject_add_request %j they do not', async (reject_add_request) => {
    const { scene, done, ofBo } = await start()
    await done('set_group_kick', { reject_add_request })
    expect(await ofBo('user_id')).toBeUndefined()
    const reply = await scene.bots.gateway.request('POST', `/servers/${scene.server}/join`, scene.bo)
    expect(reply.status).toBe(403)
    const bans = await scene.http(scene.ada, 'GET', `/servers/${scene.server}/bans`)
    expect(listOf(bans).map((one) => field(one, 'user_id'))).toEqual([scene.bo.id])
  })

  it('is refused', () => expectRefusals('set_group_kick'))

  it('needs a right for each', async () => {
    const { scene, why, ofBo } = await start(KICK_MEMBERS)
    expect(await why('set_group_kick', { reject_add_request: true })).toBe('1200 PERMISSION_DENIED')
    expect(await why('set_group_kick', { reject_add_request: 'maybe' })).toBe(
      '1400 reject_add_request: must be true or false',
    )
    expect(await why('set_group_kick', { user_id: SELF })).toBe('1200 PERMISSION_DENIED')
    expect(await ofBo('user_id')).toBe(scene.bo.id)
    const other = await start(BAN_MEMBERS)
    expect(await other.why('set_group_kick')).toBe('1200 PERMISSION_DENIED')
    expect(await other.ofBo('user_id')).toBe(other.scene.bo.id)
  })
})

describe('set_group_ban', () => {
  /** Seconds from now on. */
  const left = (until: unknown): number => (Date.parse(String(until)) - Date.now()) / 1000

  it.each([
    [{}, 1800],
    [{ duration: 60 }, 60],
    [{ duration: '90' }, 90],
    [{ duration: 2_591_999 }, 2_591_999],
  ])('onebot trap 13: silences somebody with %j for %d seconds', async (params, seconds) => {
    const { scene, done, ofBo } = await start(MUTE_MEMBERS)
    expect(await done('set_group_ban', params)).toBeNull()
    const until = await ofBo('timeout_expires_at')
    expect(left(until)).toBeLessThanOrEqual(seconds)
    expect(left(until)).toBeGreaterThan(seconds - 30)
    const reply = await scene.bots.gateway.request('POST', `/channels/${scene.channel}/messages`, scene.bo, {
      content: 'x',
    })
    expect([reply.status, field(reply.body, 'code')]).toEqual([403, 'TIMED_OUT'])
    const ban = { notice_type: 'group_ban', sub_type: 'ban', operator_id: SELF, user_id: scene.boId, duration: seconds }
    expect(await scene.told(scene.mate)).toMatchObject([ban])
    const found = await scene.mate.get('get_group_member_info', { group_id: scene.group, user_id: scene.boId })
    expect(field(found, 'shut_up_timestamp')).toBe(Math.floor(Date.parse(String(until)) / 1000))
  })

  it('with 0 lets them speak again, and says so once', async () => {
    const { scene, done, ofBo } = await start(MUTE_MEMBERS)
    await done('set_group_ban')
    for (const duration of [0, '0']) await done('set_group_ban', { duration })
    expect(await ofBo('timeout_expires_at')).toBeNull()
    await scene.say(scene.bo, 'thanks')
    expect(await scene.told(scene.mate)).toMatchObject([
      { sub_type: 'ban' },
      { sub_type: 'lift_ban', duration: 0, operator_id: SELF, user_id: scene.boId },
      { raw_message: 'thanks' },
    ])
  })

  it.each([-1, 2_592_000, '2592000', 9_007_199_254_740_991])('is not done for %j seconds', async (duration) => {
    const { why, ofBo } = await start()
    expect(await why('set_group_ban', { duration })).toBe('1200 DURATION_IS_NOT_IN_RANGE')
    expect(await ofBo('timeout_expires_at')).toBeNull()
  })

  it('is refused', () => expectRefusals('set_group_ban'))

  it('takes whole seconds', async () => {
    const { why } = await start()
    for (const duration of [1.5, 'long', null]) {
      expect(await why('set_group_ban', { duration })).toBe('1400 duration: must be an integer')
    }
  })
})

describe('set_group_whole_ban', () => {
  const speaks = async (scene: Scene): Promise<number> =>
    (await scene.bots.gateway.request('POST', `/channels/${scene.channel}/messages`, scene.bo, { content: 'x' })).status

  it('onebot trap 13: silences all but admins, in this group, until it is lifted', async () => {
    const { scene } = await start()
    const quay = await scene.makeChannel('quay')
    await scene.robo.get('set_group_whole_ban', { group_id: String(scene.group) })
    expect(await speaks(scene)).toBe(403)
    await scene.say(scene.ada, 'quiet')
    await scene.say(scene.bo, 'here', {}, quay.id)
    const shut = async (group_id: number): Promise<unknown> =>
      field(await scene.mate.get('get_group_info', { group_id }), 'group_all_shut')
    expect([await shut(scene.group), await shut(quay.group)]).toEqual([-1, 0])
    await scene.robo.get('set_group_whole_ban', { group_id: scene.group, enable: 'false' })
    expect([await speaks(scene), await shut(scene.group)]).toEqual([201, 0])
    const ban = { notice_type: 'group_ban', group_id: scene.group, operator_id: SELF, user_id: 0 }
    const told = await scene.told(scene.mate)
    expect(told.filter(({ notice_type: type }) => type === 'group_ban')).toMatchObject([
      { sub_type: 'ban', duration: -1, ...ban },
      { sub_type: 'lift_ban', duration: 0, ...ban },
    ])
  })

  it('is refused', async () => {
    const { scene, why } = await start()
    expect(await why('set_group_whole_ban', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await why('set_group_whole_ban', {}, scene.mate)).toBe('1200 PERMISSION_DENIED')
    expect(await why('set_group_whole_ban', { enable: 'x' })).toBe('1400 enable: must be true or false')
    expect(await speaks(scene)).toBe(201)
  })
})

describe('set_group_admin', () => {
  const rolesOf = async (scene: Scene): Promise<unknown[]> =>
    listOf(field(await scene.member(scene.bo.id), 'roles')).map((one) => field(one, 'name'))

  it('onebot trap 13: makes an admin, who is one for people, too, and unmakes them', async () => {
    const { scene, done } = await start(ADMIN)
    const { num } = await scene.say(scene.ada, 'oops')
    await scene.forget()
    expect(await done('set_group_admin', { group_id: String(scene.group), user_id: String(scene.boId) })).toBeNull()
    expect(await rolesOf(scene)).toEqual(['Group admin'])
    const admin = { notice_type: 'group_admin', group_id: scene.group, user_id: scene.boId }
    expect(await scene.told(scene.mate)).toMatchObject([{ ...admin, sub_type: 'set' }])
    const member = { group_id: scene.group, user_id: scene.boId }
    expect(await scene.mate.get('get_group_member_info', member)).toMatchObject({ role: 'admin' })
    await scene.http(scene.bo, 'DELETE', `/messages/${idOf((await scene.page())[0])}`)
    expect(await scene.why('get_msg', { message_id: num })).toBe('1200 MESSAGE_NOT_FOUND')
    await scene.forget()
    // Again changes nothing.
    await done('set_group_admin', { enable: true })
    await done('set_group_admin', { enable: 'false' })
    await done('set_group_admin', { enable: false })
    expect(await rolesOf(scene)).toEqual([])
    expect(await scene.told(scene.mate)).toMatchObject([{ ...admin, sub_type: 'unset' }])
    const roles = listOf(await scene.http(scene.ada, 'GET', `/servers/${scene.server}/roles`))
    expect(roles.map((one) => field(one, 'name'))).toEqual(['power', 'Group admin'])
  })

  it('uses one role for all, also one that another bot has made', async () => {
    const { scene, done } = await start()
    await done('set_group_admin')
    await done('set_group_admin', { user_id: scene.mateId })
    const roles = listOf(await scene.http(scene.ada, 'GET', `/servers/${scene.server}/roles`))
    expect(roles.map((one) => field(one, 'name'))).toEqual(['power', 'Group admin'])
  })

  it('does not touch who is an admin by another role, or the owner', async () => {
    const { scene, why } = await start()
    await scene.giveRole(scene.bo.id, MANAGE_MESSAGES)
    await scene.forget()
    expect(await why('set_group_admin', { enable: false })).toBe('1200 NOT_MANAGEABLE')
    expect(await why('set_group_admin', { user_id: scene.adaId, enable: false })).toBe('1200 NOT_MANAGEABLE')
    expect(await rolesOf(scene)).toEqual(['role'])
    expect(await scene.both()).toEqual([[], []])
  })

  it('unmakes nobody where there are no admins', async () => {
    const { scene, done } = await start()
    await done('set_group_admin', { enable: false })
    expect(await scene.both()).toEqual([[], []])
  })

  it('is refused to who may not make roles, or has not what they give', async () => {
    for (const power of [0, MANAGE_MESSAGES, MANAGE_ROLES, ADMIN & ~KICK_MEMBERS]) {
      const { scene, why } = await start(power)
      expect([power, await why('set_group_admin')]).toEqual([power, '1200 PERMISSION_DENIED'])
      expect(await rolesOf(scene)).toEqual([])
      expect(listOf(await scene.http(scene.ada, 'GET', `/servers/${scene.server}/roles`))).toHaveLength(
        power === 0 ? 0 : 1,
      )
    }
    const { why } = await start()
    expect(await why('set_group_admin', { user_id: 99_999 })).toBe('1200 MEMBER_NOT_FOUND')
    expect(await why('set_group_admin', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
  })

  it('without the right to take a role does not take it', async () => {
    const { scene, done, why } = await start()
    await done('set_group_admin')
    expect(await why('set_group_admin', { enable: false }, scene.mate)).toBe('1200 PERMISSION_DENIED')
    expect(await rolesOf(scene)).toEqual(['Group admin'])
  })
})

describe('set_group_card', () => {
  it('onebot trap 12: says what somebody is called there; nothing is their own name', async () => {
    const { scene, done, ofBo } = await start()
    await done('set_group_card', { group_id: String(scene.group), user_id: String(scene.boId), card: 'host' })
    expect(await ofBo('nickname')).toBe('host')
    expect(await scene.mate.get('get_group_member_info', { group_id: scene.group, user_id: scene.boId })).toMatchObject(
      {
        card: 'host',
        nickname: 'bo',
      },
    )
    await done('set_group_card', { card: 7 })
    expect(await ofBo('nickname')).toBe('7')
    await done('set_group_card')
    expect(await ofBo('nickname')).toBeNull()
    const card = { notice_type: 'group_card', user_id: scene.boId }
    expect(await scene.told(scene.mate)).toMatchObject([
      { ...card, card_old: '', card_new: 'host' },
      { ...card, card_old: 'host', card_new: '7' },
      { ...card, card_old: '7', card_new: '' },
    ])
  })

  it('is one’s own to say', async () => {
    const { scene } = await start(0)
    await scene.mate.get('set_group_card', { group_id: scene.group, user_id: scene.mateId, card: 'first mate' })
    expect(field(await scene.member(await scene.bots.userOf('mate')), 'nickname')).toBe('first mate')
  })

  it('is refused', () => expectRefusals('set_group_card', { card: 'x' }))

  it('is no longer than it may be, and is well-formed', async () => {
    const { why, ofBo } = await start()
    for (const card of ['x'.repeat(65), 'a\0b']) {
      expect(await why('set_group_card', { card })).toBe('1200 PERMISSION_DENIED')
    }
    expect(await ofBo('nickname')).toBeNull()
    expect(await why('set_group_card', { card: '🍵'.repeat(32) })).toBe('ok')
  })

  it('is as long as people may have it', async () => {
    const { why } = await start()
    expect(await why('set_group_card', { card: 'x'.repeat(64) })).toBe('ok')
  })

  it('is not made of nothing but space', async () => {
    const { done, ofBo } = await start()
    await done('set_group_card', { card: '  ' }).catch(() => null)
    expect(await ofBo('nickname')).toBeNull()
  })
})

describe('set_group_name', () => {
  const nameOf = async (scene: Scene): Promise<unknown> =>
    field(await scene.http(scene.bo, 'GET', `/servers/${scene.server}/channels/${scene.channel}`), 'name')

  it('onebot trap 12: renames the channel', async () => {
    const { scene, done } = await start(MANAGE_CHANNELS)
    await done('set_group_name', { group_id: String(scene.group), group_name: ' Tea & cake ' })
    expect(await nameOf(scene)).toBe('Tea & cake')
    const told = { sub_type: 'group_name', group_id: scene.group, user_id: SELF, name_new: 'Tea & cake' }
    expect(await scene.told(scene.mate)).toMatchObject([told])
    expect(await scene.mate.get('get_group_info', { group_id: scene.group })).toMatchObject({
      group_name: 'Tea & cake',
    })
    await done('set_group_name', { group_name: 42 })
    expect(await nameOf(scene)).toBe('42')
  })

  it('is refused', async () => {
    const { scene, why } = await start()
    const rename = (more: object, client?: BotClient) => why('set_group_name', { group_name: 'x', ...more }, client)
    expect(await rename({ group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await rename({}, scene.mate)).toBe('1200 PERMISSION_DENIED')
    for (const name of ['', '  ', 'x'.repeat(101), 'a\0']) {
      expect(await rename({ group_name: name })).toBe('1200 PERMISSION_DENIED')
    }
    expect(await rename({ group_name: undefined })).toBe('1400 group_name: is needed')
    expect(await rename({ group_name: {} })).toBe('1400 group_name: must be text')
    expect(await nameOf(scene)).toBe('general')
  })
})

describe('set_group_leave', () => {
  it('onebot trap 12: leaves the server, also where the group was to go', async () => {
    for (const more of [{}, { is_dismiss: true }]) {
      const { scene, done } = await start()
      await done('set_group_leave', { group_id: String(scene.group), ...more })
      expect(await scene.member(await scene.bots.userOf('robo'))).toBeUndefined()
      expect(await scene.contents()).toEqual([])
      const left = { sub_type: 'leave', operator_id: SELF, user_id: SELF }
      expect(await scene.both()).toMatchObject([[left], [left]])
    }
  })

  it('of its own server is not done, but with is_dismiss the group goes', async () => {
    const { scene } = await start()
    const { servers, channels, changes } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    const made = await changes.run(() => {
      const { id } = servers.create(robo, { name: 'Bay', icon_url: null, is_public: 1, require_invite: 0 })
      const draft = { type: 'text', topic: null, category: null } as const
      const nums = ['bay', 'quay'].map((name) => channels.create(robo, id, { ...draft, name }).num)
      return { id, nums }
    })
    await scene.http(scene.bo, 'POST', `/servers/${made.id}/join`)
    await scene.forget()
    const [group_id] = made.nums
    const names = async (): Promise<unknown[]> =>
      listOf(await scene.http(scene.bo, 'GET', `/servers/${made.id}/channels`)).map((one) => field(one, 'name'))
    expect(await scene.why('set_group_leave', { group_id })).toBe('1200 PERMISSION_DENIED')
    expect(await names()).toEqual(['bay', 'quay'])
    await scene.robo.get('set_group_leave', { group_id, is_dismiss: 'true' })
    expect(await names()).toEqual(['quay'])
    expect(await scene.both()).toMatchObject([[{ sub_type: 'disband', group_id, user_id: SELF }], []])
  })

  it('is refused', async () => {
    const { scene, why } = await start()
    expect(await why('set_group_leave', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await why('set_group_leave', { is_dismiss: 'perhaps' })).toBe('1400 is_dismiss: must be true or false')
    expect(await scene.member(await scene.bots.userOf('robo'))).toBeDefined()
  })
})

describe('set_group_special_title', () => {
  const seen = async (scene: Scene) => {
    const found = await scene.mate.get('get_group_member_info', { group_id: scene.group, user_id: scene.boId })
    return { title: field(found, 'title'), ends: Number(field(found, 'title_expire_time')) }
  }

  it('onebot trap 12: gives a title for good, for a while, and takes it', async () => {
    const { scene, done } = await start()
    const ids = { group_id: String(scene.group), user_id: String(scene.boId) }
    await done('set_group_special_title', { ...ids, special_title: 'barista' })
    expect(await seen(scene)).toEqual({ title: 'barista', ends: 0 })
    await done('set_group_special_title', { special_title: 'host', duration: '3600' })
    const { title, ends } = await seen(scene)
    expect([title, Math.abs(ends - Date.now() / 1000 - 3600) < 30]).toEqual(['host', true])
    await done('set_group_special_title')
    expect(await seen(scene)).toEqual({ title: '', ends: 0 })
    const titled = { notice_type: 'notify', sub_type: 'title', user_id: scene.boId }
    expect(await scene.told(scene.mate)).toMatchObject(
      ['barista', 'host', ''].map((one) => ({ ...titled, title: one })),
    )
  })

  it('is refused', () => expectRefusals('set_group_special_title', { special_title: 'x' }))

  it('that has ended is none', async () => {
    const { scene } = await start()
    const { members, changes } = scene.bots.world
    const until = new Date(Date.now() - 1000).toISOString()
    await changes.run(() => members.entitle(scene.ada.id, scene.server, scene.bo.id, 'host', until))
    expect((await seen(scene)).title).toBe('')
    await scene.say(scene.bo, 'tea')
    expect(await scene.mate.event({ raw_message: 'tea' })).toMatchObject({ sender: { title: '' } })
  })

  it('that has ended has no end', async () => {
    const { scene } = await start()
    const { members, changes } = scene.bots.world
    const until = new Date(Date.now() - 1000).toISOString()
    await changes.run(() => members.entitle(scene.ada.id, scene.server, scene.bo.id, 'host', until))
    expect(await seen(scene)).toEqual({ title: '', ends: 0 })
  })

  it('is no longer than it may be', async () => {
    const { scene, why } = await start()
    expect(await why('set_group_special_title', { special_title: 'x'.repeat(19) })).toBe('1200 PERMISSION_DENIED')
    expect(await seen(scene)).toEqual({ title: '', ends: 0 })
    expect(await why('set_group_special_title', { special_title: '茶'.repeat(18) })).toBe('ok')
  })
})

describe('groups, as they are read', () => {
  it('onebot trap 12: get_group_info has all fields, numbers as numbers', async () => {
    const { scene } = await start()
    const { created_at } = scene.bots.world.channels.find(scene.channel) ?? { created_at: '' }
    const info = {
      group_id: scene.group,
      group_name: 'general',
      group_remark: '',
      group_memo: '',
      group_create_time: Math.floor(Date.parse(created_at) / 1000),
      group_level: 0,
      member_count: 4,
      max_member_count: 100_000,
      group_all_shut: 0,
    }
    for (const group_id of [scene.group, String(scene.group)]) {
      expect(await scene.robo.get('get_group_info', { group_id, no_cache: 'true' })).toEqual(info)
    }
    expect(await scene.robo.get('get_group_list')).toEqual([info])
    expect(await scene.robo.get('get_group_list', { no_cache: true })).toEqual([info])
    expect(await scene.why('get_group_info', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await scene.why('get_group_info', {})).toBe('1400 group_id: is needed')
  })

  it('get_group_list is of all servers, and of channels for text', async () => {
    const { scene } = await start()
    const quay = await scene.makeChannel('quay')
    await scene.makeChannel('deck', 'voice')
    const server = idOf(await scene.http(scene.ada, 'POST', '/servers', { name: 'Bay', is_public: true }))
    const channel = await scene.bots.gateway.channel(scene.ada, server, 'bay')
    const robo = await scene.bots.userOf('robo')
    await scene.bots.world.changes.run(() => scene.bots.world.servers.join(robo, server))
    const list = listOf(await scene.robo.get('get_group_list'))
    const bay = scene.bots.world.channels.find(channel)?.num
    expect(list.map((one) => [field(one, 'group_id'), field(one, 'group_name'), field(one, 'member_count')])).toEqual([
      [scene.group, 'general', 4],
      [quay.group, 'quay', 4],
      [bay, 'bay', 2],
    ])
  })

  it('onebot trap 12: get_group_member_info has all fields, as they are now', async () => {
    const { scene } = await start()
    const ask = (group_id: unknown, user_id: unknown) =>
      scene.robo.get('get_group_member_info', { group_id, user_id, no_cache: false })
    const before = await ask(scene.group, scene.boId)
    const seconds = (time: unknown): number => Math.floor(Date.parse(String(time)) / 1000)
    const member = {
      group_id: scene.group,
      user_id: scene.boId,
      nickname: 'bo',
      card: '',
      sex: 'unknown',
      age: 0,
      area: '',
      join_time: seconds(field(await scene.member(scene.bo.id), 'joined_at')),
      last_sent_time: 0,
      level: '1',
      role: 'member',
      unfriendly: false,
      title: '',
      title_expire_time: 0,
      card_changeable: true,
      shut_up_timestamp: 0,
      qq_level: 0,
      is_robot: false,
      qage: 0,
    }
    expect(before).toEqual(member)
    const { id } = await scene.say(scene.bo, 'tea')
    const said = await scene.http(scene.bo, 'GET', `/channels/${scene.channel}/messages/${id}`)
    await scene.http(scene.bo, 'PATCH', `/servers/${scene.server}/members/${scene.bo.id}`, { nickname: 'host' })
    await scene.giveRole(scene.bo.id, MANAGE_ROLES)
    const after = { ...member, card: 'host', role: 'admin', last_sent_time: seconds(field(said, 'created_at')) }
    expect(await ask(String(scene.group), String(scene.boId))).toEqual(after)
    expect(await ask(scene.group, scene.adaId)).toMatchObject({ role: 'owner', is_robot: false })
    expect(await ask(scene.group, scene.mateId)).toMatchObject({ role: 'member', is_robot: true })
    const list = listOf(await scene.robo.get('get_group_member_list', { group_id: String(scene.group) }))
    expect(list).toContainEqual(after)
    expect(list.map((one) => field(one, 'nickname'))).toEqual(['ada', 'robo', 'mate', 'bo'])
  })

  it('are refused where there is no such group or member', async () => {
    const { scene, why } = await start()
    const dov = await scene.bots.gateway.person('dov')
    expect(await why('get_group_member_info', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    for (const user_id of [99_999, scene.num(dov), 0]) {
      expect(await why('get_group_member_info', { user_id })).toBe('1200 MEMBER_NOT_FOUND')
    }
    expect(await why('get_group_member_list', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await why('get_group_honor_info', { group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    await scene.http(scene.bo, 'DELETE', `/servers/${scene.server}/leave`)
    expect(await why('get_group_member_info')).toBe('1200 MEMBER_NOT_FOUND')
  })

  it('have nobody to honour', async () => {
    const { scene } = await start()
    const ask = (more: object) => scene.robo.get('get_group_honor_info', { group_id: scene.group, ...more })
    const all = {
      group_id: scene.group,
      current_talkative: {},
      talkative_list: [],
      performer_list: [],
      legend_list: [],
      strong_newbie_list: [],
      emotion_list: [],
    }
    expect(await ask({})).toEqual(all)
    expect(await ask({ type: 'all' })).toEqual(all)
    expect(await ask({ type: 'legend' })).toEqual({ group_id: scene.group, legend_list: [] })
    expect(await ask({ type: 'talkative' })).toEqual({
      group_id: scene.group,
      current_talkative: {},
      talkative_list: [],
    })
  })

  it('have no anonymous members', async () => {
    const { scene } = await start()
    for (const action of ['set_group_anonymous', 'set_group_anonymous_ban']) {
      const { retcode, status, data, message } = await scene.robo.call(action, { group_id: scene.group })
      expect([retcode, status, data, message]).toEqual([
        1404,
        'failed',
        null,
        `${action}: not available on this platform`,
      ])
    }
  })
})
