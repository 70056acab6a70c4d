import { describe, expect, it } from 'vitest'
import { upload } from '../../support/forms.ts'
import { field, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { notice, Scene, text } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'

describe('what NapCat has beside the standard', () => {
  it('pokes in a group, or somebody alone', async () => {
    const scene = await Scene.start('node')
    const { group, mateId } = scene
    const poke = { sub_type: 'poke', user_id: SELF, sender_id: SELF, target_id: mateId }
    for (const [action, params] of [
      ['send_poke', { user_id: mateId, group_id: group }],
      ['group_poke', { user_id: String(mateId), group_id: String(group) }],
      ['send_poke', { user_id: scene.boId, group_id: group, target_id: mateId }],
    ] as const) {
      await scene.robo.get(action, params)
      expect((await scene.both())[1]).toEqual([notice('notify', { group_id: group, ...poke })])
    }
    await scene.mate.get('send_private_msg', { user_id: SELF, message: 'hi' })
    await scene.forget()
    for (const [action, more] of [
      ['friend_poke', { group_id: group }],
      ['send_poke', {}],
    ] as const) {
      await scene.robo.get(action, { user_id: mateId, ...more })
      expect((await scene.both())[1]).toEqual([notice('notify', poke)])
    }
    expect(await scene.why('group_poke', { user_id: 1, group_id: group })).toBe('1200 MEMBER_NOT_FOUND')
    expect(await scene.why('friend_poke', { user_id: 1 })).toBe('1200 USER_NOT_FOUND')
    // Nothing would tell people.
    await scene.robo.get('send_private_msg', { user_id: scene.boId, message: 'hi' })
    for (const action of ['friend_poke', 'send_poke']) {
      expect(await scene.why(action, { user_id: scene.boId })).toBe('1200 PERMISSION_DENIED')
    }
    const shake = { user_id: scene.boId, message: '[CQ:shake]' }
    expect(await scene.why('send_private_msg', shake)).toBe('1200 PERMISSION_DENIED')
  })

  it('sends several away at once, and says who may not speak', async () => {
    const scene = await Scene.start('node')
    const { who: cid } = await scene.bots.person('cid')
    await scene.robo.get('set_group_ban', { group_id: scene.group, user_id: scene.boId, duration: 600 })
    const [silent, ...others] = listOf(await scene.mate.get('get_group_shut_list', { group_id: scene.group }))
    expect([silent, others]).toMatchObject([{ user_id: scene.boId, nickname: 'bo' }, []])
    expect(Number(field(silent, 'shut_up_timestamp')) * 1000).toBeGreaterThan(Date.now())
    await scene.robo.get('set_group_ban', { group_id: scene.group, user_id: scene.boId, duration: 0 })
    expect(await scene.mate.get('get_group_shut_list', { group_id: scene.group })).toEqual([])
    const user_id = [String(scene.boId), scene.num(cid)]
    await scene.robo.get('set_group_kick_members', { group_id: scene.group, user_id })
    expect([await scene.member(scene.bo.id), await scene.member(cid.id)]).toEqual([undefined, undefined])
    expect(await scene.why('set_group_kick_members', { group_id: scene.group, user_id })).toBe('1200 MEMBER_NOT_FOUND')
    expect(await scene.why('set_group_kick_members', { group_id: scene.group, user_id: ['x'] })).toMatch(/^1400/)
    const nobody = { group_id: scene.group, user_id: [] }
    expect(await scene.why('set_group_kick_members', nobody)).toBe('1400 user_id: is empty')
  })

  it('sends a message on, with its files and without what it answers', async () => {
    const scene = await Scene.start('node')
    const quay = await scene.makeChannel('quay')
    const file = await upload(scene.bots.gateway, scene.bo, scene.channel, png('cup'), 'cup.png')
    const first = await scene.say(scene.bo, 'tea?')
    const { num } = await scene.say(scene.bo, 'look', { file_ids: [file.id], reply_to: first.id })
    await scene.robo.get('forward_group_single_msg', { message_id: num, group_id: quay.group })
    const [there] = await scene.page(quay.id)
    expect(there).toMatchObject({ content: 'look', reply_to: null, files: [{ kind: 'image', name: 'cup.png' }] })
    await scene.robo.get('forward_group_single_msg', { message_id: num, group_id: scene.group })
    expect((await scene.page())[0]).toMatchObject({ content: 'look', reply_to: null })
    await scene.robo.get('forward_friend_single_msg', { message_id: first.num, user_id: scene.boId })
    expect(await scene.eyes.next('DM_MESSAGE_CREATE')).toMatchObject({ content: 'tea?' })
    const missing = { message_id: 99_999, group_id: quay.group }
    expect(await scene.why('forward_group_single_msg', missing)).toBe('1200 MESSAGE_NOT_FOUND')
    expect(await scene.why('forward_group_single_msg', { ...missing, message_id: num, group_id: 1 })).toBe(
      '1200 GROUP_NOT_FOUND',
    )
  })

  it('says of groups, people and friends what there is to say', async () => {
    const scene = await Scene.start('node')
    const of = { group_id: scene.group }
    expect(await scene.robo.get('get_group_detail_info', of)).toEqual(await scene.robo.get('get_group_info', of))
    const remain = { remain_at_all_count_for_group: 20, remain_at_all_count_for_uin: 20 }
    expect(await scene.robo.get('get_group_at_all_remain', of)).toEqual({ can_at_all: true, ...remain })
    expect(await scene.mate.get('get_group_at_all_remain', of)).toEqual({ can_at_all: false, ...remain })
    expect(await scene.robo.get('nc_get_user_status', { user_id: scene.boId })).toEqual({ status: 10, ext_status: 0 })
    expect(await scene.robo.get('nc_get_user_status', { user_id: scene.adaId })).toEqual({ status: 20, ext_status: 0 })
    expect(await scene.why('nc_get_user_status', { user_id: 1 })).toBe('1200 USER_NOT_FOUND')
    await scene.robo.get('send_private_msg', { user_id: scene.boId, message: [text('hi')] })
    expect(await scene.robo.get('get_friends_with_category')).toMatchObject([
      { categoryId: 0, categoryMbCount: 1, onlineCount: 1, buddyList: [{ user_id: scene.boId, nickname: 'bo' }] },
    ])
  })
})
