import { describe, expect, it } from 'vitest'
import { field, idOf, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { Scene, notice } from '../../support/onebot-scene.ts'

describe('those that a bot has to do with', () => {
  it('are friends until it lets them go', async () => {
    const scene = await Scene.start('node')
    const user_id = scene.boId
    await scene.robo.get('send_private_msg', { user_id, message: 'hello' })
    const friends = async (client = scene.robo) =>
      listOf(await client.get('get_friend_list')).map((one) => field(one, 'user_id'))
    expect(await friends()).toEqual([user_id])
    expect(await scene.why('delete_friend', { user_id: scene.adaId })).toBe('1200 FRIEND_NOT_FOUND')
    expect(await scene.why('delete_friend', { user_id: 1 })).toBe('1200 USER_NOT_FOUND')
    expect(await scene.why('delete_friend', {})).toBe('1400 user_id: is needed')
    // go-cqhttp's name for it.
    expect(await scene.robo.get('delete_friend', { id: String(user_id) })).toBeNull()
    expect(await friends(scene.self)).toEqual([])
    expect(await scene.why('delete_friend', { friend_id: user_id })).toBe('1200 FRIEND_NOT_FOUND')
  })

  it('are called for the bot what it calls them', async () => {
    const scene = await Scene.start('node')
    const { boId: user_id, group: group_id } = scene
    expect(await scene.robo.get('set_friend_remark', { user_id, remark: 'the cook' })).toBeNull()
    expect(await scene.robo.get('set_group_remark', { group_id, remark: 'the quay' })).toBeNull()
    expect(await scene.self.get('get_stranger_info', { user_id })).toMatchObject({ remark: 'the cook' })
    expect(await scene.self.get('get_group_info', { group_id })).toMatchObject({ group_remark: 'the quay' })
    // For itself alone.
    expect(await scene.mate.get('get_stranger_info', { user_id })).toMatchObject({ remark: '' })
    await scene.robo.get('set_friend_remark', { user_id, remark: '' })
    expect(await scene.self.get('get_stranger_info', { user_id })).toMatchObject({ remark: '' })
    expect(await scene.why('set_friend_remark', { user_id: 1, remark: 'x' })).toBe('1200 USER_NOT_FOUND')
    expect(await scene.why('set_group_remark', { group_id: 1, remark: 'x' })).toBe('1200 GROUP_NOT_FOUND')
    expect(await scene.why('set_friend_remark', { user_id, remark: 'x'.repeat(101) })).toBe('1200 SEND_MSG_API_ERROR')
  })

  it('are the chats in which something was said last, the newest first', async () => {
    const scene = await Scene.start('node')
    const { robo, boId, group, ada } = scene
    await scene.makeChannel('silent')
    await robo.get('send_private_msg', { user_id: boId, message: 'one' })
    await scene.say(ada, 'two')
    await robo.get('set_group_remark', { group_id: group, remark: 'quay' })
    const recent = async (params = {}) => listOf(await robo.get('get_recent_contact', params))
    const found = await recent()
    const [inGroup, inPrivate] = found
    expect(found).toHaveLength(2)
    expect(inGroup).toMatchObject({
      lastestMsg: { raw_message: 'two', group_id: group, message_id: Number(field(inGroup, 'msgId')) },
      peerUin: String(group),
      peerName: 'general',
      remark: 'quay',
      chatType: 2,
      sendNickName: 'ada',
    })
    expect(String(field(inGroup, 'msgTime'))).toMatch(/^\d{10}$/)
    expect(inPrivate).toMatchObject({ peerUin: String(boId), peerName: 'bo', chatType: 1, sendNickName: 'robo' })
    expect(await recent({ count: 1 })).toHaveLength(1)
    expect(await recent({ count: -1 })).toEqual([])
  })

  it('want to come in, or have it come: until that is decided', async () => {
    const scene = await Scene.start('node')
    const { robo, ada, bots, group } = scene
    await scene.http(ada, 'PATCH', `/servers/${scene.server}`, { is_public: true, require_invite: true })
    const eve = await bots.gateway.person('eve')
    await scene.http(eve, 'POST', `/servers/${scene.server}/join-requests`, { comment: 'let me in' })
    const other = await bots.gateway.server(eve)
    await scene.http(eve, 'POST', `/servers/${other.id}/invitations`, { user_id: await bots.userOf('robo') })
    const messages = async () => robo.get('get_group_system_msg')
    const found = await messages()
    const [joins, invited] = [listOf(field(found, 'join_requests')), listOf(field(found, 'invited_requests'))]
    const evesId = scene.num(eve)
    expect(joins).toMatchObject([
      {
        requester_uin: evesId,
        requester_nick: 'eve',
        message: 'let me in',
        group_id: group,
        group_name: 'general',
        checked: false,
      },
    ])
    expect(invited).toMatchObject([{ invitor_uin: evesId, invitor_nick: 'eve', group_name: 'general', checked: false }])
    expect(field(found, 'InvitedRequest')).toEqual(invited)
    await robo.get('set_group_add_request', { flag: field(joins[0], 'request_id'), approve: true })
    await robo.get('set_group_add_request', { flag: field(invited[0], 'request_id'), approve: false })
    expect(await messages()).toEqual({ invited_requests: [], InvitedRequest: [], join_requests: [] })
    expect(await scene.member(eve.id)).toBeDefined()
    // Who may decide nothing is asked nothing.
    expect(await scene.mate.get('get_group_system_msg')).toEqual({
      invited_requests: [],
      InvitedRequest: [],
      join_requests: [],
    })
  })

  it('like it, which it knows of itself alone', async () => {
    const scene = await Scene.start('node')
    const { mate, mateId, robo } = scene
    await mate.get('send_like', { user_id: SELF, times: 3 })
    const own = await robo.get('get_profile_like')
    expect(own).toMatchObject({ uid: String(SELF), favoriteInfo: { total_count: 3, today_count: 3 } })
    expect(field(own, 'voteInfo', 'userInfos')).toMatchObject([
      { uin: mateId, nick: 'mate', count: 3, bTodayVotedCnt: 3, isFriend: false },
    ])
    const theirs = await mate.get('get_profile_like', { user_id: SELF })
    expect(field(theirs, 'favoriteInfo')).toMatchObject({ total_count: 3, userInfos: [] })
    await mate.get('send_like', { user_id: scene.boId })
    const others = await robo.get('get_profile_like', { user_id: scene.boId })
    expect(field(others, 'favoriteInfo')).toMatchObject({ total_count: 1, userInfos: [] })
    expect(await robo.get('get_profile_like', { start: 1 })).toMatchObject({ favoriteInfo: { userInfos: [] } })
    expect(await scene.why('get_profile_like', { user_id: 1 })).toBe('1200 USER_NOT_FOUND')
  })

  it('see that it writes to them: onebot trap 22, of no group', async () => {
    const scene = await Scene.start('node')
    const { robo, mateId, boId } = scene
    expect(await scene.why('set_input_status', { user_id: mateId, event_type: 1 })).toBe('1200 FRIEND_NOT_FOUND')
    await robo.get('send_private_msg', { user_id: mateId, message: 'hello' })
    await robo.get('send_private_msg', { user_id: boId, message: 'hello' })
    await scene.forget()
    await robo.get('set_input_status', { user_id: mateId, event_type: 1 })
    await robo.get('set_input_status', { user_id: boId, event_type: 1 })
    const [, told] = await scene.both()
    const typing = { sub_type: 'input_status', user_id: SELF, group_id: 0, event_type: 1, status_text: 'typing' }
    expect(told).toEqual([notice('notify', typing)])
    expect(await scene.eyes.next('TYPING_START')).toMatchObject({ user_id: await scene.bots.userOf('robo') })
    expect(await scene.why('set_input_status', { user_id: mateId })).toBe('1400 event_type: is needed')
  })

  it('know it again by its new name, in what it has said', async () => {
    const scene = await Scene.start('node')
    const { robo, mate, ada, group: group_id } = scene
    const path = `/users/${await scene.bots.userOf('robo')}`
    const first = await scene.say(ada, '@robo tea')
    expect(await robo.get('set_qq_profile', { nickname: 'kettle', personal_note: 'I boil' })).toMatchObject({
      result: 0,
    })
    expect(await mate.get('get_stranger_info', { user_id: SELF })).toMatchObject({ nickname: 'kettle', sign: 'I boil' })
    expect(await scene.http(ada, 'GET', path)).toMatchObject({ username: 'kettle', bio: 'I boil' })
    expect(await mate.get('get_group_member_info', { group_id, user_id: SELF })).toMatchObject({ nickname: 'kettle' })
    await scene.say(ada, '@kettle tea')
    expect((await scene.told(robo)).at(-1)?.['raw_message']).toContain(`[CQ:at,qq=${SELF}`)
    expect(idOf(await scene.http(ada, 'GET', `/channels/${scene.channel}/messages/${first.id}`))).toBe(first.id)
    expect(await scene.why('set_qq_profile', { nickname: 'ADA' })).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('set_qq_profile', { nickname: 'a b' })).toBe('1200 SEND_MSG_API_ERROR')
    expect(await scene.why('set_qq_profile', { company: 'x' })).toBe('1400 nickname or personal_note: is needed')
    await robo.get('set_self_longnick', { longNick: '' })
    expect(await scene.http(ada, 'GET', path)).toMatchObject({ username: 'kettle', bio: null })
    expect(await scene.why('set_self_longnick', { longNick: 'x'.repeat(501) })).toBe('1200 SEND_MSG_API_ERROR')
  })
})
