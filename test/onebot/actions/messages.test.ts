import { describe, expect, it } from 'vitest'
import { ALL_PERMISSIONS, MANAGE_MESSAGES, SEND_MESSAGES } from '../../../lib/chat/permissions.ts'
import { field, idOf, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { Scene, text } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'

const start = (power?: number, onebot?: { strictFriends: boolean }) =>
  Scene.start('node', { ...(power === undefined ? {} : { power }), ...(onebot === undefined ? {} : { onebot }) })

/** The number that an action has given. */
const numOf = (data: unknown): number => Number(field(data, 'message_id'))

/** What was said between robo and somebody, as they read it over HTTP, the newest first. */
async function letters(scene: Scene, who = scene.bo): Promise<unknown[]> {
  const all = listOf(await scene.http(who, 'GET', '/dm-channels'))
  const robo = await scene.bots.userOf('robo')
  const direct = scene.bots.world.directs.between(who.id, robo)
  if (!all.some((one) => field(one, 'id') === direct?.id)) return []
  return listOf(await scene.http(who, 'GET', `/dm-channels/${direct?.id ?? ''}/messages`))
}
const contentsOf = (all: readonly unknown[]): unknown[] => all.map((one) => field(one, 'content'))

describe.each(engines)('send_group_msg, on %s', (engine) => {
  it('says something in a group, which people see with its number', async () => {
    const scene = await Scene.start(engine)
    const data = await scene.robo.get('send_group_msg', { group_id: scene.group, message: 'tea [CQ:face,id=76]' })
    const seen = await scene.eyes.next('MESSAGE_CREATE')
    expect(seen).toMatchObject({ content: 'tea [face 76]', author_id: await scene.bots.userOf('robo') })
    const { num } = scene.named(idOf(seen))
    expect(data).toEqual({ message_id: num })
    expect(await scene.contents()).toEqual(['tea [face 76]'])
  })
})

describe('send_group_msg', () => {
  it.each([
    ['a number', (id: number) => id],
    ['text', String],
    ['text with space around', (id: number) => ` ${id} `],
  ])('onebot trap 12: takes a group as %s', async (_name, to) => {
    const scene = await start()
    const data = await scene.robo.get('send_group_msg', { group_id: to(scene.group), message: 'tea' })
    expect(typeof numOf(data)).toBe('number')
    expect(await scene.mate.event({ post_type: 'message' })).toMatchObject({
      group_id: scene.group,
      message_id: numOf(data),
    })
  })

  it('takes CQ text, a list of segments, one segment, and what stands for text', async () => {
    const scene = await start()
    const messages = [
      '[CQ:at,qq=all] & co',
      [text('[CQ:face,id=1]'), { type: 'face', data: { id: 1 } }],
      text('one'),
      42,
      '&#91;x&#93;',
    ]
    for (const message of messages) await scene.robo.get('send_group_msg', { group_id: scene.group, message })
    expect((await scene.contents()).toReversed()).toEqual([
      '@everyone & co',
      '[CQ:face,id=1][face 1]',
      'one',
      '42',
      '[x]',
    ])
    const told = await scene.told(scene.mate)
    expect(told.map((event) => event['message'])).toEqual([
      [{ type: 'at', data: { qq: 'all' } }, text(' & co')],
      [text('[CQ:face,id=1]'), { type: 'face', data: { id: '1' } }],
      [text('one')],
      [text('42')],
      [text('[x]')],
    ])
  })

  it('onebot trap 15: leaves CQ codes in text of segments alone, and in text with auto_escape', async () => {
    const scene = await start()
    const code = '[CQ:at,qq=1]'
    const send = (message: unknown, auto_escape: unknown) =>
      scene.robo.get('send_group_msg', { group_id: scene.group, message, auto_escape })
    await send([text(code)], false)
    for (const flag of [true, 'true', '1', 1]) await send(code, flag)
    expect(await scene.contents()).toEqual(Array(5).fill(code))
    await send(code, false)
    expect((await scene.contents())[0]).toBe('@1')
  })

  it('onebot trap 16: decodes what was escaped once', async () => {
    const scene = await start()
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: '&amp;#91;' })
    expect(await scene.contents()).toEqual(['&#91;'])
  })

  it('calls who is named by number, and all', async () => {
    const scene = await start()
    const at = (qq: string) => ({ type: 'at', data: { qq } })
    const message = [text('tea'), at(String(scene.boId)), at('all'), text('now'), at('77777')]
    await scene.robo.get('send_group_msg', { group_id: scene.group, message })
    expect(await scene.eyes.next('MESSAGE_CREATE')).toMatchObject({
      content: 'tea @bo @everyone now @77777',
      mention_user_ids: [scene.bo.id],
      mention_everyone: true,
    })
  })

  it('calls people by a name in its text, and is told to bots as the text that it is', async () => {
    const scene = await start()
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: [text('tea, @bo?')] })
    expect(await scene.eyes.next('MESSAGE_CREATE')).toMatchObject({ mention_user_ids: [scene.bo.id] })
    expect(await scene.mate.event({ post_type: 'message' })).toMatchObject({ message: [text('tea, @bo?')] })
  })

  it('answers what it names, wherever it stands, and nothing that is not there', async () => {
    const scene = await start()
    const { id, num } = await scene.say(scene.bo, 'tea?')
    const quay = await scene.makeChannel('quay')
    const elsewhere = await scene.say(scene.bo, 'elsewhere', {}, quay.id)
    await scene.forget()
    const reply = (one: unknown) => ({ type: 'reply', data: { id: one } })
    const send = (message: unknown) => scene.robo.get('send_group_msg', { group_id: scene.group, message })
    await send([text('yes'), reply(num), reply(elsewhere.num)])
    await send(`[CQ:reply,id=${num}]of course`)
    for (const none of [elsewhere.num, 2_000_000_000, 'x']) await send([reply(none), text(`not ${none}`)])
    const page = await scene.page()
    expect(page.map((one) => [field(one, 'content'), field(one, 'reply_to')]).toReversed()).toEqual([
      ['tea?', null],
      ['yes', id],
      ['of course', id],
      [`not ${elsewhere.num}`, null],
      ['not 2000000000', null],
      ['not x', null],
    ])
    const told = await scene.told(scene.mate)
    const quote = { type: 'reply', data: { id: String(num) } }
    expect(told.map((event) => event['message'])).toEqual([
      [quote, text('yes')],
      [quote, text('of course')],
      [text(`not ${elsewhere.num}`)],
      [text('not 2000000000')],
      [text('not x')],
    ])
  })

  it('of what cannot be said says nothing at all', async () => {
    const scene = await start()
    const quay = await scene.makeChannel('quay')
    await scene.hide(quay.id, 'mate')
    const other = await scene.bots.gateway.server(scene.ada)
    const foreign = scene.bots.world.channels.find(other.channel)?.num
    await scene.forget()
    const why = (params: object, client = scene.robo) =>
      scene.why('send_group_msg', { group_id: scene.group, message: 'x', ...params }, client)
    expect(await why({ group_id: 99_999 })).toBe('1200 GROUP_NOT_FOUND')
    expect(await why({ group_id: foreign })).toBe('1200 GROUP_NOT_FOUND')
    expect(await why({ group_id: quay.group }, scene.mate)).toBe('1200 GROUP_NOT_FOUND')
    expect(await why({ message: '' })).toBe('1200 EMPTY_MSG_ERROR')
    expect(await why({ message: [] })).toBe('1200 EMPTY_MSG_ERROR')
    expect(await why({ message: [text('')] })).toBe('1200 EMPTY_MSG_ERROR')
    expect(await why({ message: [{ type: 'reply', data: { id: '1' } }] })).toBe('1200 EMPTY_MSG_ERROR')
    expect(await why({ message: [{ type: 'gift', data: { qq: 1, id: 1 } }] })).toBe('1200 EMPTY_MSG_ERROR')
    expect(await why({ message: ' \n ' })).toBe('1200 SEND_MSG_API_ERROR')
    expect(await why({ message: 'a\0b' })).toBe('1200 SEND_MSG_API_ERROR')
    expect(await why({ message: '[CQ:redbag,title=luck]' })).toBe('1200 SEND_MSG_API_ERROR')
    for (const wrong of ['tea', 1.5, null, {}, '']) {
      expect(await why({ group_id: wrong })).toBe('1400 group_id: must be an integer')
    }
    expect(await why({ group_id: undefined })).toBe('1400 group_id: is needed')
    expect(await scene.contents()).toEqual([])
    expect(await scene.both()).toEqual([[], []])
  })

  it('onebot trap 11: without a message is answered with what is wrong', async () => {
    const scene = await start()
    const params = { group_id: scene.group }
    expect(await scene.why('send_group_msg', params)).toBe('1400 message: is needed')
    expect(await scene.why('send_group_msg', { ...params, message: [{ data: {} }] })).toMatch(/^1400 /)
    expect(await scene.why('send_group_msg', { ...params, message: [5] })).toMatch(/^1400 /)
    expect(await scene.why('send_group_msg', { ...params, message: true })).toBe('ok')
    expect(await scene.contents()).toEqual(['true'])
  })

  it('says 4,000 characters, as people read them, and none of 4,001', async () => {
    const scene = await start()
    const send = (message: unknown) => scene.why('send_group_msg', { group_id: scene.group, message })
    expect(await send('茶'.repeat(4001))).toBe('1200 SEND_MSG_API_ERROR')
    expect(await send('🍵'.repeat(4001))).toBe('1200 SEND_MSG_API_ERROR')
    expect(await send([{ type: 'face', data: { id: '1' } }, text('x'.repeat(3993))])).toBe('1200 SEND_MSG_API_ERROR')
    expect(await scene.contents()).toEqual([])
    expect(await send('🍵'.repeat(4000))).toBe('ok')
    expect(await send([{ type: 'face', data: { id: '1' } }, text('x'.repeat(3992))])).toBe('ok')
    expect((await scene.contents()).map((one) => Array.from(String(one)).length)).toEqual([4000, 4000])
    expect(await scene.both()).toMatchObject([[], [{ post_type: 'message' }, { post_type: 'message' }]])
  })

  it('is made of 1,000 segments at most, and of so many bytes', async () => {
    const scene = await start()
    const send = (message: unknown) => scene.why('send_group_msg', { group_id: scene.group, message })
    const card = (length: number) => [{ type: 'json', data: { data: 'x'.repeat(length) } }]
    expect(await send(Array(1001).fill(text('x')))).toBe('1400 message: 1000 segments at most')
    expect(await send(card(131_072))).toBe('1200 SEND_MSG_API_ERROR')
    expect(await scene.contents()).toEqual([])
    expect(await send(Array(1000).fill(text('x')))).toBe('ok')
    expect(await send(card(131_000))).toBe('ok')
    expect(await scene.contents()).toEqual(['[card]', 'x'.repeat(1000)])
  })

  it('relays what nobody knows as it came', async () => {
    const scene = await start()
    const odd = { type: 'hologram', data: { of: 'tea', at: [1, { z: true }], size: 3 } }
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: [text('see '), odd] })
    expect(await scene.contents()).toEqual(['see [hologram]'])
    const [event] = await scene.told(scene.mate)
    expect(event?.['message']).toEqual([
      text('see '),
      { type: 'hologram', data: { of: 'tea', at: [1, { z: true }], size: '3' } },
    ])
  })

  it('is refused to who may not speak: muted, denied, or where nobody does', async () => {
    const scene = await start()
    const mate = await scene.bots.userOf('mate')
    const why = () => scene.why('send_group_msg', { group_id: scene.group, message: 'x' }, scene.mate)
    const timeout = `/servers/${scene.server}/members/${mate}/timeout`
    await scene.http(scene.ada, 'POST', timeout, { duration_minutes: 1 })
    expect(await why()).toBe('1200 SEND_MSG_API_ERROR')
    await scene.http(scene.ada, 'DELETE', timeout)
    const deny = { user_id: mate, role_id: null, allow: 0, deny: SEND_MESSAGES }
    const override = idOf(await scene.http(scene.ada, 'PUT', `/channels/${scene.channel}/overrides`, deny))
    expect(await why()).toBe('1200 PERMISSION_DENIED')
    await scene.http(scene.ada, 'DELETE', `/channels/${scene.channel}/overrides/${override}`)
    await scene.robo.get('set_group_whole_ban', { group_id: scene.group })
    expect(await why()).toBe('1200 PERMISSION_DENIED')
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: 'quiet, please' })
    expect(await scene.contents()).toEqual(['quiet, please'])
  })

  it('onebot trap 38: takes nodes alone, and refuses them beside anything else', async () => {
    const scene = await start()
    const node = { type: 'node', data: { name: 'Mira', uin: 7, content: 'tea' } }
    const message = [node, text('x')]
    expect(await scene.why('send_group_msg', { group_id: scene.group, message })).toMatch(/^1400 /)
    expect(await scene.contents()).toEqual([])
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: [node] })
    expect(await scene.contents()).toEqual(['[forwarded messages]'])
  })

  it('pokes whom it names, and says what else there is', async () => {
    const scene = await start()
    const poke = { type: 'poke', data: { qq: scene.boId } }
    const message = [poke, text('wake up')]
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: [poke] })
    await scene.robo.get('send_group_msg', { group_id: scene.group, message })
    expect(await scene.contents()).toEqual(['wake up'])
    const poked = { notice_type: 'notify', sub_type: 'poke', user_id: SELF, target_id: scene.boId }
    expect(await scene.told(scene.mate)).toMatchObject([poked, poked, { raw_message: 'wake up' }])
  })

  it('onebot trap 40: numbers messages from 1 on, and all chats together', async () => {
    const scene = await start()
    const nums = [
      numOf(await scene.robo.get('send_group_msg', { group_id: scene.group, message: 'a' })),
      numOf(await scene.robo.get('send_private_msg', { user_id: scene.boId, message: 'b' })),
      numOf(await scene.mate.get('send_group_msg', { group_id: scene.group, message: 'c' })),
    ]
    expect(nums).toEqual([1, 2, 3])
  })
})

describe('send_private_msg', () => {
  it('onebot trap 12: writes to somebody by number or text, who reads it', async () => {
    const scene = await start()
    const nums = [scene.boId, String(scene.boId)].map(async (user_id) =>
      numOf(await scene.robo.get('send_private_msg', { user_id, message: 'tea[CQ:face,id=76]' })),
    )
    expect(await scene.eyes.next('DM_MESSAGE_CREATE')).toMatchObject({ content: 'tea[face 76]' })
    expect(await Promise.all(nums)).toEqual([1, 2])
    expect(contentsOf(await letters(scene))).toEqual(['tea[face 76]', 'tea[face 76]'])
    // Nobody else hears of it, and it makes friends.
    expect(await scene.both()).toMatchObject([[{ notice_type: 'friend_add', user_id: scene.boId }], []])
  })

  it('leaves out whom it calls, and answers what was written there', async () => {
    const scene = await start()
    const robo = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }))
    const id = idOf(await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: 'tea?' }))
    const elsewhere = await scene.say(scene.bo, 'elsewhere')
    const { message_id: num } = await scene.robo.event({ raw_message: 'tea?' })
    const send = (message: string) => scene.robo.get('send_private_msg', { user_id: scene.boId, message })
    await send(`[CQ:reply,id=${Number(num)}][CQ:at,qq=${scene.boId}]yes`)
    await send(`[CQ:reply,id=${elsewhere.num}]no`)
    const found = (await letters(scene)).map((one) => [field(one, 'content'), field(one, 'reply_to') ?? null])
    expect(found).toEqual([
      ['no', null],
      ['yes', id],
      ['tea?', null],
    ])
    const only = `[CQ:at,qq=${scene.boId}]`
    expect(await scene.why('send_private_msg', { user_id: scene.boId, message: only })).toBe('1200 EMPTY_MSG_ERROR')
  })

  it('of what cannot be said leaves nothing behind, not even a friend', async () => {
    const scene = await start()
    const why = (params: object) => scene.why('send_private_msg', { user_id: scene.boId, message: 'x', ...params })
    expect(await why({ user_id: 99_999 })).toBe('1200 USER_NOT_FOUND')
    expect(await why({ user_id: SELF })).toBe('1200 SEND_MSG_API_ERROR')
    expect(await why({ message: '' })).toBe('1200 EMPTY_MSG_ERROR')
    expect(await why({ message: 'x'.repeat(4001) })).toBe('1200 SEND_MSG_API_ERROR')
    expect(await why({ user_id: 'bo' })).toBe('1400 user_id: must be an integer')
    expect(await why({ message: undefined })).toBe('1400 message: is needed')
    expect(await letters(scene)).toEqual([])
    expect(await scene.http(scene.bo, 'GET', '/dm-channels')).toEqual([])
    expect(await scene.robo.get('get_friend_list')).toEqual([])
    expect(await scene.both()).toEqual([[], []])
  })

  it('with strictFriends is for friends only', async () => {
    const scene = await start(ALL_PERMISSIONS, { strictFriends: true })
    const why = () => scene.why('send_private_msg', { user_id: scene.boId, message: 'tea' })
    expect(await why()).toBe('1200 FRIEND_NOT_FOUND')
    expect(await letters(scene)).toEqual([])
    const robo = await scene.bots.userOf('robo')
    await scene.http(scene.bo, 'POST', '/friend-requests', { user_id: robo, comment: '' })
    const { flag } = await scene.robo.event({ request_type: 'friend' })
    await scene.robo.get('set_friend_add_request', { flag })
    expect(await why()).toBe('ok')
    expect(contentsOf(await letters(scene))).toEqual(['tea'])
  })
})

describe('send_msg', () => {
  const sent = async (scene: Scene) => ({ group: await scene.contents(), bo: contentsOf(await letters(scene)) })

  it('onebot trap 14: goes to the group where both are named, unless it says that it is private', async () => {
    const scene = await start()
    const ids = { group_id: String(scene.group), user_id: scene.boId }
    await scene.robo.get('send_msg', { ...ids, message: 'to both' })
    await scene.robo.get('send_msg', { ...ids, message_type: 'group', message: 'to all' })
    await scene.robo.get('send_msg', { ...ids, message_type: 'private', message: 'to you' })
    expect(await sent(scene)).toEqual({ group: ['to all', 'to both'], bo: ['to you'] })
  })

  it('goes where it is told to with one of them', async () => {
    const scene = await start()
    await scene.robo.get('send_msg', { group_id: scene.group, message: 'group' })
    await scene.robo.get('send_msg', { user_id: String(scene.boId), message: 'private' })
    expect(await sent(scene)).toEqual({ group: ['group'], bo: ['private'] })
  })

  it('goes nowhere without one, or with the other', async () => {
    const scene = await start()
    const why = (params: object) => scene.why('send_msg', { message: 'x', ...params })
    expect(await why({})).toBe('1400 group_id or user_id: is needed')
    expect(await why({ message_type: 'group', user_id: scene.boId })).toBe('1400 group_id: is needed')
    expect(await why({ message_type: 'private', group_id: scene.group })).toBe('1400 user_id: is needed')
    expect(await why({ message_type: 'guild', group_id: scene.group })).toMatch(/^1400 message_type/)
    expect(await why({ message_type: 'private', user_id: 99_999, group_id: scene.group })).toBe('1200 USER_NOT_FOUND')
    expect(await sent(scene)).toEqual({ group: [], bo: [] })
  })

  it('sends several on together, which are read by the bundle and by the message', async () => {
    const scene = await start()
    const cup = await scene.say(scene.bo, 'a cup & saucer')
    const node = (data: object) => ({ type: 'node', data })
    const message = [
      node({ id: String(cup.num) }),
      node({ user_id: '30001', nickname: 'Mira', time: '1770000000', content: '[CQ:face,id=76]tea' }),
      node({ uin: 30002, name: 'Ono', time: 1_770_000_001, content: [text('cake')] }),
    ]
    const data = await scene.robo.get('send_msg', { group_id: scene.group, message })
    const id = field(data, 'forward_id')
    expect(data).toEqual({ message_id: numOf(data), forward_id: id, res_id: id })
    expect((await scene.contents())[0]).toBe('[forwarded messages]')
    const event = await scene.mate.event({ message_id: numOf(data) })
    expect(event['message']).toEqual([{ type: 'forward', data: { id } }])
    const { time } = await scene.mate.event({ message_id: cup.num })
    const nodes = [
      { user_id: String(scene.boId), nickname: 'bo', time: String(time), content: [text('a cup & saucer')] },
      {
        user_id: '30001',
        nickname: 'Mira',
        time: '1770000000',
        content: [{ type: 'face', data: { id: '76' } }, text('tea')],
      },
      { user_id: '30002', nickname: 'Ono', time: '1770000001', content: [text('cake')] },
    ]
    // By another bot, by either of its names, and by the message.
    for (const params of [{ id }, { message_id: id }, { message_id: numOf(data) }, { id: String(numOf(data)) }]) {
      const found = await scene.mate.get('get_forward_msg', params)
      expect(field(found, 'message')).toEqual(nodes.map(node))
      expect(field(found, 'messages')).toMatchObject(
        nodes.map(({ user_id, nickname, time: at, content }) => ({
          content,
          message: content,
          user_id: Number(user_id),
          time: Number(at),
          sender: { user_id: Number(user_id), nickname },
        })),
      )
    }
    const found = await scene.self.get('get_forward_msg', { id })
    expect(listOf(field(found, 'messages')).map((one) => field(one, 'content'))).toEqual([
      'a cup &amp; saucer',
      '[CQ:face,id=76]tea',
      'cake',
    ])
  })

  it('leaves out nodes that are nothing, and sends nothing of nothing', async () => {
    const scene = await start()
    const node = (data: object) => ({ type: 'node', data })
    const none = [node({ id: '77' }), node({ content: '' }), node({})]
    const send = (message: unknown) => scene.why('send_msg', { user_id: scene.boId, message })
    expect(await send(none)).toBe('1200 EMPTY_NODES')
    expect(await letters(scene)).toEqual([])
    const data = await scene.robo.get('send_msg', { user_id: scene.boId, message: [...none, node({ content: 'tea' })] })
    expect(contentsOf(await letters(scene))).toEqual(['[forwarded messages]'])
    const found = await scene.robo.get('get_forward_msg', { id: field(data, 'res_id') })
    expect(field(found, 'message')).toMatchObject([{ data: { user_id: String(SELF), nickname: 'robo' } }])
    for (const params of [{ id: 'none' }, { message_id: 77 }]) {
      expect(await scene.why('get_forward_msg', params)).toBe('1200 MESSAGE_NOT_FOUND')
    }
    expect(await scene.why('get_forward_msg', {})).toMatch(/^1400 /)
    // A message that is none.
    const said = numOf(await scene.robo.get('send_msg', { user_id: scene.boId, message: 'tea' }))
    expect(await scene.why('get_forward_msg', { id: said })).toBe('1200 MESSAGE_NOT_FOUND')
  })
})

describe('get_msg', () => {
  it('onebot trap 24: has what frameworks need to quote it, and its reactions', async () => {
    const scene = await start()
    const { id, num, seq } = await scene.say(scene.bo, 'tea')
    for (const who of [scene.ada, scene.bo]) {
      await scene.http(who, 'PUT', `/channels/${scene.channel}/messages/${id}/reactions/${encodeURIComponent('☕')}`)
    }
    const found = await scene.robo.get('get_msg', { message_id: String(num) })
    expect(found).toMatchObject({
      message_type: 'group',
      real_id: num,
      message_id: num,
      message_seq: num,
      real_seq: String(seq),
      group_id: scene.group,
      message: [text('tea')],
      raw_message: 'tea',
      sender: { user_id: scene.boId, nickname: 'bo' },
      emoji_likes_list: [{ emoji_id: '9749', likes_cnt: '2' }],
    })
    // onebot trap 21
    expect(String(field(found, 'time'))).toMatch(/^\d{10}$/)
  })

  it('finds private ones of the bot, and no others', async () => {
    const scene = await start()
    const num = numOf(await scene.robo.get('send_private_msg', { user_id: scene.boId, message: 'tea' }))
    expect(await scene.robo.get('get_msg', { message_id: num })).toMatchObject({
      post_type: 'message_sent',
      message_type: 'private',
      sub_type: 'friend',
      target_id: scene.boId,
      user_id: SELF,
      raw_message: 'tea',
    })
    expect(await scene.why('get_msg', { message_id: num }, scene.mate)).toBe('1200 MESSAGE_NOT_FOUND')
  })

  it('finds neither what is unknown, nor deleted, nor hidden, nor in no group', async () => {
    const scene = await start()
    const gone = await scene.say(scene.bo, 'gone')
    await scene.http(scene.bo, 'DELETE', `/messages/${gone.id}`)
    const deck = await scene.makeChannel('deck', 'voice')
    const voice = await scene.say(scene.bo, 'ahoy', {}, deck.id)
    const quay = await scene.makeChannel('quay')
    const hidden = await scene.say(scene.bo, 'psst', {}, quay.id)
    await scene.hide(quay.id, 'mate')
    const why = (message_id: unknown) => scene.why('get_msg', { message_id }, scene.mate)
    for (const num of [gone.num, voice.num, hidden.num, 0, -1, 2 ** 31, 2_000_000_000]) {
      expect([num, await why(num)]).toEqual([num, '1200 MESSAGE_NOT_FOUND'])
    }
    expect(await why('tea')).toBe('1400 message_id: must be an integer')
    expect(await why(undefined)).toBe('1400 message_id: is needed')
  })

  it('of who has gone says who it was', async () => {
    const scene = await start()
    const { num } = await scene.say(scene.bo, 'bye')
    await scene.http(scene.bo, 'DELETE', `/servers/${scene.server}/leave`)
    expect(await scene.robo.get('get_msg', { message_id: num })).toMatchObject({
      user_id: scene.boId,
      sender: { user_id: scene.boId, nickname: 'bo', role: 'member' },
    })
  })
})

describe('delete_msg', () => {
  it('takes back what the bot has said, with no right at all', async () => {
    const scene = await start(0)
    const num = numOf(await scene.robo.get('send_group_msg', { group_id: scene.group, message: 'oops' }))
    await scene.forget()
    expect(await scene.robo.get('delete_msg', { message_id: String(num) })).toBeNull()
    expect(await scene.contents()).toEqual([])
    const recall = { notice_type: 'group_recall', user_id: SELF, operator_id: SELF, message_id: num }
    expect(await scene.both()).toMatchObject([[recall], [recall]])
    expect(await scene.why('delete_msg', { message_id: num })).toBe('1200 MESSAGE_NOT_FOUND')
  })

  it('takes back what others have said with MANAGE_MESSAGES, and not without', async () => {
    const scene = await start(MANAGE_MESSAGES)
    const { id, num } = await scene.say(scene.bo, 'oops')
    expect(await scene.why('delete_msg', { message_id: num }, scene.mate)).toBe('1200 PERMISSION_DENIED')
    expect(await scene.contents()).toEqual(['oops'])
    await scene.robo.get('delete_msg', { message_id: num })
    expect(await scene.eyes.next('MESSAGE_DELETE')).toMatchObject({ id })
    expect(await scene.contents()).toEqual([])
  })

  it('takes back what it has written to somebody, and never what they have', async () => {
    const scene = await start()
    const num = numOf(await scene.robo.get('send_private_msg', { user_id: scene.boId, message: 'oops' }))
    const direct = scene.bots.world.directs.between(scene.bo.id, await scene.bots.userOf('robo'))
    await scene.http(scene.bo, 'POST', `/dm-channels/${direct?.id ?? ''}/messages`, { content: 'what?' })
    const { message_id: other } = await scene.robo.event({ raw_message: 'what?' })
    await scene.forget()
    expect(await scene.why('delete_msg', { message_id: other })).toBe('1200 CANNOT_RECALL_FRIEND_MSG')
    await scene.robo.get('delete_msg', { message_id: num })
    expect(contentsOf(await letters(scene))).toEqual(['what?'])
    expect(await scene.both()).toMatchObject([[{ notice_type: 'friend_recall', message_id: num }], []])
  })

  it('finds no message that it does not see', async () => {
    const scene = await start()
    const quay = await scene.makeChannel('quay')
    const { num } = await scene.say(scene.bo, 'psst', {}, quay.id)
    await scene.hide(quay.id, 'mate')
    for (const message_id of [num, 77]) {
      expect(await scene.why('delete_msg', { message_id }, scene.mate)).toBe('1200 MESSAGE_NOT_FOUND')
    }
    expect(await scene.contents(quay.id)).toEqual(['psst'])
    expect(await scene.why('delete_msg', {})).toBe('1400 message_id: is needed')
  })
})
