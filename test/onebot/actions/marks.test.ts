import { describe, expect, it } from 'vitest'
import { field, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { notice, Scene, text } from '../../support/onebot-scene.ts'

const path = (scene: Scene, id: string): string => `/channels/${scene.channel}/messages/${id}`

describe('a message that is pinned', () => {
  it('is so for people and other bots, who are told; and no more', async () => {
    const scene = await Scene.start('node')
    const { id, num, seq } = await scene.say(scene.bo, 'tea at four')
    await scene.forget()
    await scene.robo.get('set_essence_msg', { message_id: num })
    const pinned = listOf(await scene.http(scene.ada, 'GET', `/channels/${scene.channel}/pinned-messages`))
    expect(pinned.map((one) => field(one, 'id'))).toEqual([id])
    const common = { group_id: scene.group, user_id: scene.boId, sender_id: scene.boId, operator_id: SELF }
    const essence = notice('essence', { sub_type: 'add', message_id: num, ...common })
    expect((await scene.both())[1]).toEqual([essence])
    const [item] = listOf(await scene.mate.get('get_essence_msg_list', { group_id: scene.group }))
    expect(item).toEqual({
      message_id: num,
      msg_seq: seq,
      msg_random: 0,
      sender_id: scene.boId,
      sender_nick: 'bo',
      sender_time: field(item, 'sender_time'),
      operator_id: SELF,
      operator_nick: 'robo',
      operator_time: field(item, 'operator_time'),
      content: [text('tea at four')],
    })
    for (const time of ['sender_time', 'operator_time']) expect(String(field(item, time))).toMatch(/^\d{10}$/)
    await scene.robo.get('delete_essence_msg', { message_id: num })
    expect(await scene.http(scene.ada, 'GET', `/channels/${scene.channel}/pinned-messages`)).toEqual([])
    expect((await scene.both())[1]).toMatchObject([{ notice_type: 'essence', sub_type: 'delete' }])
    expect(await scene.why('delete_essence_msg', { message_id: num })).toBe('1200 MESSAGE_NOT_FOUND')
  })

  it('is one of a group, by who may', async () => {
    const scene = await Scene.start('node', { power: 0 })
    const { num } = await scene.say(scene.bo, 'tea at four')
    expect(await scene.why('set_essence_msg', { message_id: num })).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('set_essence_msg', { message_id: 99_999 })).toBe('1200 MESSAGE_NOT_FOUND')
    const sent = await scene.robo.get('send_private_msg', { user_id: scene.boId, message: 'hi' })
    const direct = { message_id: field(sent, 'message_id') }
    expect(await scene.why('set_essence_msg', direct)).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('set_msg_emoji_like', { ...direct, emoji_id: '76' })).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('get_essence_msg_list', { group_id: 1 })).toBe('1200 GROUP_NOT_FOUND')
  })
})

describe('an emoji under a message', () => {
  it('is QQ’s by its number, or any by its code point, and read by whoever looks', async () => {
    const scene = await Scene.start('node')
    const { id, num } = await scene.say(scene.bo, 'tea?')
    await scene.forget()
    const like = (emoji_id: unknown, more: object = {}) =>
      scene.robo.get('set_msg_emoji_like', { message_id: num, emoji_id, ...more })
    await like('76')
    await like(9749)
    await like('128077')
    await scene.http(scene.bo, 'PUT', `${path(scene, id)}/reactions/${encodeURIComponent('👍')}`)
    const seen = listOf(await scene.http(scene.ada, 'GET', `${path(scene, id)}/reactions`))
    expect(seen.map((one) => [field(one, 'emoji'), field(one, 'count')])).toEqual([
      [':face76:', 1],
      ['☕', 1],
      ['👍', 2],
    ])
    const told = (await scene.both())[1] ?? []
    expect(told.map((one) => [field(one, 'likes', 0, 'emoji_id'), one['user_id'], one['is_add']])).toEqual([
      ['76', SELF, true],
      ['9749', SELF, true],
      ['128077', SELF, true],
      ['128077', scene.boId, true],
    ])
    const of = { message_id: num, emoji_id: '128077' }
    expect(await scene.mate.get('get_emoji_likes', of)).toEqual({
      emoji_like_list: [
        { user_id: SELF, nick_name: 'robo' },
        { user_id: scene.boId, nick_name: 'bo' },
      ],
    })
    expect(await scene.mate.get('get_emoji_likes', { ...of, count: 1 })).toMatchObject({
      emoji_like_list: [{ user_id: SELF }],
    })
    const fetched = { message_id: num, emojiId: '128077', emojiType: '2' }
    expect(await scene.mate.get('fetch_emoji_like', fetched)).toEqual({
      emojiLikesList: [
        { tinyId: String(SELF), nickName: 'robo', headUrl: '' },
        { tinyId: String(scene.boId), nickName: 'bo', headUrl: '' },
      ],
      cookie: '',
      isLastPage: true,
      isFirstPage: true,
      result: 0,
      errMsg: '',
    })
    await like('76', { set: false })
    expect(await scene.mate.get('get_emoji_likes', { ...of, emoji_id: '76' })).toEqual({ emoji_like_list: [] })
    expect(await scene.why('set_msg_emoji_like', { message_id: num, emoji_id: '76', set: 'false' })).toBe(
      '1200 MESSAGE_NOT_FOUND',
    )
    for (const emoji_id of ['x', '-1', '1114112', '']) {
      expect([emoji_id, await scene.why('set_msg_emoji_like', { message_id: num, emoji_id })]).toEqual([
        emoji_id,
        '1200 SEND_MSG_API_ERROR',
      ])
    }
  })
})

describe('what a bot has read', () => {
  it('is a message and all before it, a chat, or all', async () => {
    const scene = await Scene.start('node')
    const quay = await scene.makeChannel('quay')
    const { unreads } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    const say = async () => {
      const [one] = [await scene.say(scene.bo, 'one'), await scene.say(scene.bo, 'two')]
      await scene.say(scene.bo, 'elsewhere', {}, quay.id)
      await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: 'psst' })
      return one
    }
    const direct = String(field(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }), 'id'))
    const counts = () => [
      ...[scene.channel, quay.id].map((id) => unreads.inChannels(robo).find((one) => one.id === id)?.unread ?? 0),
      unreads.inDirects(robo)[0]?.unread ?? 0,
    ]
    const mark = (action: string, params: object = {}) => scene.robo.get(action, params)
    await mark('_mark_all_as_read')
    const one = await say()
    expect(counts()).toEqual([2, 1, 1])
    await mark('mark_msg_as_read', { message_id: one.num })
    expect(counts()).toEqual([1, 1, 1])
    await mark('mark_group_msg_as_read', { group_id: scene.group })
    expect(counts()).toEqual([0, 1, 1])
    await mark('mark_private_msg_as_read', { user_id: scene.boId })
    expect(counts()).toEqual([0, 1, 0])
    await mark('_mark_all_as_read')
    expect(counts()).toEqual([0, 0, 0])
    await say()
    await mark('_mark_all_as_read')
    expect(counts()).toEqual([0, 0, 0])
    expect(await scene.why('mark_msg_as_read', { message_id: 99_999 })).toBe('1200 MESSAGE_NOT_FOUND')
    expect(await scene.why('mark_group_msg_as_read', { group_id: 1 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await scene.why('mark_private_msg_as_read', { user_id: 1 })).toBe('1200 USER_NOT_FOUND')
    expect(await scene.why('mark_msg_as_read', {})).toMatch(/^1400/)
  })
})
