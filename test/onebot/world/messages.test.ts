import { describe, expect, it } from 'vitest'
import { field, idOf } from '../../support/gateway.ts'
import { upload } from '../../support/forms.ts'
import { type BotClient, SELF } from '../../support/onebot.ts'
import { type Json, Scene, text } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'
import { png } from '../../support/stored.ts'

interface Named {
  readonly num: number
  readonly seq: number
}

/** What a bot that has events as segments is told of a message in the group. */
const inGroup = (scene: Scene, { num, seq }: Named, user: number, nickname: string, role: string): Json => ({
  post_type: 'message',
  message_type: 'group',
  sub_type: 'normal',
  message_id: num,
  message_seq: num,
  real_id: num,
  real_seq: String(seq),
  user_id: user,
  group_id: scene.group,
  group_name: 'general',
  anonymous: null,
  message_format: 'array',
  font: 0,
  sender: { user_id: user, nickname, card: '', sex: 'unknown', age: 0, role, area: '', level: '1', title: '' },
})

const bySome = (scene: Scene, said: Named): Json => inGroup(scene, said, scene.boId, 'bo', 'member')
const asText = (raw: string): Json => ({ message: [text(raw)], raw_message: raw })

/** The one message that a bot was told since the last time, in parts that matter here. */
async function segmentsOf(scene: Scene, client: BotClient): Promise<unknown> {
  const events = await scene.told(client)
  expect(events.map((event) => event['post_type'])).toEqual(['message'])
  return events[0]?.['message']
}

describe.each(engines)('what people say, to a bot on %s', (engine) => {
  it('is an event with all fields, the same for all bots that see it', async () => {
    const scene = await Scene.start(engine)
    const said = await scene.say(scene.bo, 'is [tea] ready, Bo & co?')
    const body = {
      ...bySome(scene, said),
      message: [text('is [tea] ready, Bo & co?')],
      raw_message: 'is &#91;tea&#93; ready, Bo &amp; co?',
    }
    expect(await scene.told(scene.robo)).toEqual([{ self_id: SELF, ...body }])
    expect(await scene.told(scene.mate)).toEqual([{ self_id: scene.mateId, ...body }])
  })

  it('onebot trap 21: has its time in seconds: ten digits, as events, asked for, and in history', async () => {
    const scene = await Scene.start(engine)
    const { num } = await scene.say(scene.bo, 'tea')
    await scene.told(scene.robo)
    const { time } = await scene.robo.event({ message_id: num })
    expect(String(time)).toMatch(/^\d{10}$/)
    expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(60)
    expect(await scene.robo.get('get_msg', { message_id: num })).toMatchObject({ time })
    expect(await scene.robo.get('get_group_msg_history', { group_id: scene.group })).toMatchObject({
      messages: [{ message_id: num, time }],
    })
    await scene.http(scene.bo, 'DELETE', `/messages/${(await scene.say(scene.bo, 'oh')).id}`)
    const recall = await scene.robo.event({ notice_type: 'group_recall' })
    expect(String(recall['time'])).toMatch(/^\d{10}$/)
  })

  it('onebot trap 19: is told in the format of each endpoint, and asked for in that', async () => {
    const scene = await Scene.start(engine)
    const said = await scene.say(scene.bo, 'tea [hot], @robo')
    const raw = `tea &#91;hot&#93;, [CQ:at,qq=${SELF},name=robo]`
    const segments = [text('tea [hot], '), { type: 'at', data: { qq: String(SELF), name: 'robo' } }]
    const body = { ...bySome(scene, said), self_id: SELF, raw_message: raw }
    const told = { ...body, message: segments }
    const toldAsText = { ...body, message: raw, message_format: 'string' }
    expect(await scene.told(scene.robo)).toEqual([told])
    expect(await scene.told(scene.self)).toEqual([toldAsText])
    const list = { emoji_likes_list: [] }
    const { time } = await scene.robo.event({ post_type: 'message' })
    expect(await scene.robo.get('get_msg', { message_id: said.num })).toEqual({ time, ...told, ...list })
    expect(await scene.self.get('get_msg', { message_id: said.num })).toEqual({ time, ...toldAsText, ...list })
  })

  it('onebot trap 20: of oneself is told only where that is wanted, with the id of the answer, which comes first', async () => {
    const scene = await Scene.start(engine)
    const { self, group } = scene
    const { data } = await self.call('send_group_msg', { group_id: group, message: 'com[CQ:face,id=1]ing' })
    const sent = await self.event({ post_type: 'message_sent' })
    const answered = self.frames.findIndex((frame) => frame['retcode'] === 0 && frame['data'] === data)
    expect(answered).toBeGreaterThan(-1)
    expect(self.frames.indexOf(sent)).toBeGreaterThan(answered)
    const num = sent['message_id']
    expect(data).toEqual({ message_id: num })
    const [event, ...others] = await scene.told(self)
    expect(others).toEqual([])
    expect(event).toEqual({
      ...inGroup(scene, { num: Number(num), seq: 1 }, SELF, 'robo', 'admin'),
      self_id: SELF,
      post_type: 'message_sent',
      message_sent_type: 'self',
      target_id: group,
      message: 'com[CQ:face,id=1]ing',
      raw_message: 'com[CQ:face,id=1]ing',
      message_format: 'string',
    })
    expect(await scene.told(scene.robo)).toEqual([])
    // To another bot it is a message like any other.
    expect(await scene.told(scene.mate)).toMatchObject([
      { post_type: 'message', user_id: SELF, message_id: num, raw_message: 'com[CQ:face,id=1]ing' },
    ])
  })

  it('onebot trap 20: of oneself from another connection, or past OneBot, is told there, too', async () => {
    const scene = await Scene.start(engine)
    const { robo, self, bots, channel, group } = scene
    const { data } = await robo.call('send_group_msg', { group_id: group, message: 'here' })
    const user = await bots.userOf('robo')
    await bots.world.changes.run(() => bots.world.messages.post(user, channel, { content: 'there', replyTo: null }))
    const events = await scene.told(self)
    expect(events.map((event) => [event['post_type'], event['raw_message']])).toEqual([
      ['message_sent', 'here'],
      ['message_sent', 'there'],
    ])
    expect(events[0]?.['message_id']).toBe(field(data, 'message_id'))
    expect(await scene.told(robo)).toEqual([])
  })

  it('onebot trap 41: events have no echo, answers no post_type', async () => {
    const scene = await Scene.start(engine)
    await scene.say(scene.bo, 'tea')
    await scene.bots.settle(scene.robo)
    for (const frame of scene.robo.frames) expect('echo' in frame).toBe(!('post_type' in frame))
    expect(scene.robo.frames.some((frame) => 'post_type' in frame)).toBe(true)
  })

  it('that was there before it was started is not told, nor before a client has come', async () => {
    const scene = await Scene.start(engine)
    const before = await scene.say(scene.bo, 'before')
    const late = await scene.bots.connect()
    const after = await scene.say(scene.bo, 'after')
    await late.event({ message_id: after.num })
    expect(late.events.map((event) => event['message_id'])).toEqual([after.num])
    expect(before.num).toBeLessThan(after.num)
  })
})

describe('what people say, to a bot', () => {
  it('is told in the order of the world, with what happens between', async () => {
    const scene = await Scene.start('node')
    const { world } = scene.bots
    const { bo, ada, channel, server } = scene
    const nums = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        world.changes.run(() => {
          const { num, id } = world.messages.post(bo.id, channel, { content: `cup ${i}`, replyTo: null })
          if (i % 3 === 0) world.reactions.add(ada.id, channel, id, '☕')
          if (i % 5 === 0) world.members.rename(ada.id, server, bo.id, `bo ${i}`)
          if (i % 3 === 1) world.messages.remove(ada.id, id)
          return num
        }),
      ),
    )
    const expected = nums.flatMap((num, i) => [
      ['message', num],
      ...(i % 3 === 0 ? [['group_msg_emoji_like', num]] : []),
      ...(i % 5 === 0 ? [['group_card', `bo ${i}`]] : []),
      ...(i % 3 === 1 ? [['group_recall', num]] : []),
    ])
    for (const client of [scene.robo, scene.mate]) {
      const events = await scene.told(client)
      expect(
        events.map((event) => [event['notice_type'] ?? event['post_type'], event['message_id'] ?? event['card_new']]),
      ).toEqual(expected)
    }
  })

  it('that was reacted to, and went in the same turn, has its reaction told before it goes', async () => {
    const scene = await Scene.start('node')
    const { messages, reactions, changes } = scene.bots.world
    const { id, num } = await scene.say(scene.bo, 'tea')
    await scene.forget()
    await Promise.all([
      changes.run(() => reactions.add(scene.ada.id, scene.channel, id, '☕')),
      changes.run(() => messages.remove(scene.bo.id, id)),
    ])
    expect(await scene.told(scene.robo)).toMatchObject([
      { notice_type: 'group_msg_emoji_like', message_id: num },
      { notice_type: 'group_recall', message_id: num },
    ])
  })

  it('onebot trap 18: has CQ text beside segments, and the same as text', async () => {
    const scene = await Scene.start('node')
    await scene.say(scene.bo, '[CQ:face,id=1], & so')
    const [event] = await scene.told(scene.robo)
    const raw = '&#91;CQ:face,id=1&#93;, &amp; so'
    expect(event).toMatchObject({ message: [text('[CQ:face,id=1], & so')], raw_message: raw })
    const [same] = await scene.told(scene.self)
    expect([same?.['message'], same?.['raw_message']]).toEqual([raw, raw])
  })

  it('answers what it replies to, first of all; a reply in a thread answers its beginning', async () => {
    const scene = await Scene.start('node')
    const root = await scene.say(scene.ada, 'tea?')
    const reply = { type: 'reply', data: { id: String(root.num) } }
    await scene.forget()
    await scene.say(scene.bo, 'yes', { reply_to: root.id })
    expect(await segmentsOf(scene, scene.robo)).toEqual([reply, text('yes')])
    const path = `/channels/${scene.channel}/messages/${root.id}/thread`
    await scene.forget()
    const threaded = scene.named(idOf(await scene.http(scene.bo, 'POST', path, { content: 'two cups' })))
    expect(await scene.told(scene.robo)).toEqual([
      {
        ...bySome(scene, threaded),
        self_id: SELF,
        message: [reply, text('two cups')],
        raw_message: `[CQ:reply,id=${root.num}]two cups`,
      },
    ])
  })

  it('calls members by their numbers, and all', async () => {
    const scene = await Scene.start('node')
    const at = (id: number, name: string) => ({ type: 'at', data: { qq: String(id), name } })
    const all = { type: 'at', data: { qq: 'all' } }
    await scene.say(scene.bo, '@ADA, @everyone: tea\n@robo! @nobody x@ada @bo')
    expect(await segmentsOf(scene, scene.robo)).toEqual([
      at(scene.adaId, 'ada'),
      text(', '),
      all,
      text(': tea\n'),
      at(SELF, 'robo'),
      text('! @nobody x@ada '),
      at(scene.boId, 'bo'),
    ])
    // Who does not see it is not called.
    const quay = await scene.makeChannel('quay')
    const hidden = await scene.hide(quay.id, 'mate')
    await scene.forget()
    await scene.say(scene.bo, '@mate', {}, quay.id)
    expect(await segmentsOf(scene, scene.robo)).toEqual([text('@mate')])
    expect([await scene.told(scene.mate), typeof hidden]).toEqual([[], 'string'])
  })

  it('that is a question to all is its text', async () => {
    const scene = await Scene.start('node')
    const poll = { question: 'Tea?', options: ['yes', 'no'] }
    const asked = scene.named(idOf(await scene.http(scene.bo, 'POST', `/channels/${scene.channel}/polls`, poll)))
    const polled = field(await scene.http(scene.ada, 'GET', `/channels/${scene.channel}/messages/${asked.id}`), 'poll')
    const option = { option_id: field(polled, 'options', 0, 'id') }
    await scene.http(scene.ada, 'POST', `/polls/${String(field(polled, 'id'))}/vote`, option)
    expect(await scene.told(scene.robo)).toEqual([{ ...bySome(scene, asked), self_id: SELF, ...asText('Tea?') }])
  })

  it('has its files, each of its kind, behind its text', async () => {
    const scene = await Scene.start('node')
    const { gateway } = scene.bots
    const image = await upload(gateway, scene.bo, scene.channel, png('cup'), 'cup.png')
    const file = await upload(gateway, scene.bo, scene.channel, 'menu', 'menu.txt')
    await scene.say(scene.bo, 'look', { file_ids: [image.id, file.id] })
    const [event] = await scene.told(scene.robo)
    const segments = event?.['message']
    const url = (n: number) => String(field(segments, n, 'data', 'url'))
    expect(segments).toEqual([
      text('look'),
      { type: 'image', data: { file: image.id, file_size: '40', url: url(1) } },
      { type: 'file', data: { file: 'menu.txt', file_id: file.id, file_size: '4', url: url(2) } },
    ])
    const origin = `http://127.0.0.1:${scene.bots.port()}`
    for (const [n, bytes] of [
      [1, png('cup')],
      [2, Buffer.from('menu')],
    ] as const) {
      expect(url(n)).toMatch(`${origin}/files/`)
      const reply = await fetch(url(n))
      expect([reply.status, Buffer.from(await reply.arrayBuffer())]).toEqual([200, bytes])
    }
    // Without text they are all there is.
    await scene.forget()
    const other = await upload(gateway, scene.bo, scene.channel, 'bill', 'bill.txt')
    await scene.say(scene.bo, '', { file_ids: [other.id] })
    expect(await scene.told(scene.robo)).toMatchObject([
      { message: [{ type: 'file', data: { file_id: other.id } }] },
      { notice_type: 'group_upload', user_id: scene.boId, file: { id: other.id, name: 'bill.txt', size: 4, busid: 0 } },
    ])
  })

  it('is told once: neither edits, nor votes, nor reading are events', async () => {
    const scene = await Scene.start('node')
    const said = await scene.say(scene.bo, 'tea')
    await scene.forget()
    await scene.http(scene.bo, 'PATCH', `/messages/${said.id}`, { content: 'coffee @robo' })
    await scene.http(scene.ada, 'POST', `/channels/${scene.channel}/ack`, { message_id: said.id })
    expect(await scene.both()).toEqual([[], []])
    // But it is what it is now.
    expect(await scene.robo.get('get_msg', { message_id: said.num })).toMatchObject({
      message: [text('coffee '), { type: 'at', data: { qq: String(SELF), name: 'robo' } }],
    })
  })

  it('is by whoever it was then: card, role and title', async () => {
    const scene = await Scene.start('node')
    const member = `/servers/${scene.server}/members/${scene.bo.id}`
    await scene.http(scene.bo, 'PATCH', member, { nickname: 'Bo of the tea' })
    await scene.robo.get('set_group_admin', { group_id: scene.group, user_id: scene.boId })
    await scene.robo.get('set_group_special_title', {
      group_id: scene.group,
      user_id: scene.boId,
      special_title: 'host',
    })
    await scene.forget()
    await scene.say(scene.bo, 'tea')
    const sender = { user_id: scene.boId, nickname: 'bo', card: 'Bo of the tea', role: 'admin', title: 'host' }
    expect(await scene.told(scene.robo)).toMatchObject([{ sender }])
    await scene.say(scene.ada, 'cake')
    expect(await scene.told(scene.robo)).toMatchObject([{ sender: { user_id: scene.adaId, card: '', role: 'owner' } }])
  })

  it('in channels for voices is not told: they are no groups', async () => {
    const scene = await Scene.start('node')
    const deck = await scene.makeChannel('deck', 'voice')
    await scene.say(scene.bo, 'ahoy', {}, deck.id)
    expect(await scene.both()).toEqual([[], []])
  })

  it('in a server where it is no member is not told', async () => {
    const scene = await Scene.start('node')
    const server = idOf(await scene.http(scene.ada, 'POST', '/servers', { name: 'Elsewhere', is_public: true }))
    const channel = await scene.bots.gateway.channel(scene.ada, server)
    await scene.say(scene.ada, 'tea @robo', {}, channel)
    expect(await scene.both()).toEqual([[], []])
  })
})

describe('what people write to a bot alone', () => {
  const write = async (scene: Scene, content: string) => {
    const user_id = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id }))
    const id = idOf(await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content }))
    const [message] = scene.bots.world.directs.list(scene.bo.id, direct, { before: null, after: null, limit: 1 })
    return { direct, id, num: message?.num ?? 0, seq: message?.seq ?? 0 }
  }
  const bodyOf = (scene: Scene, { num, seq }: Named): Json => ({
    message_type: 'private',
    sub_type: 'friend',
    message_id: num,
    message_seq: num,
    real_id: num,
    real_seq: String(seq),
    target_id: scene.boId,
    font: 0,
  })

  it('is told to it only, and is not called by name; the first makes a friend', async () => {
    const scene = await Scene.start('node')
    const said = await write(scene, 'is tea ready, @robo @everyone?')
    expect(await scene.told(scene.robo)).toEqual([
      { self_id: SELF, post_type: 'notice', notice_type: 'friend_add', user_id: scene.boId },
      {
        ...bodyOf(scene, said),
        self_id: SELF,
        post_type: 'message',
        user_id: scene.boId,
        message: [text('is tea ready, @robo @everyone?')],
        message_format: 'array',
        raw_message: 'is tea ready, @robo @everyone?',
        sender: { user_id: scene.boId, nickname: 'bo', card: '', sex: 'unknown', age: 0 },
      },
    ])
    expect(await scene.told(scene.mate)).toEqual([])
    await write(scene, 'well?')
    expect(await scene.told(scene.robo)).toMatchObject([{ post_type: 'message', raw_message: 'well?' }])
  })

  it('onebot trap 20: what it answers is a message_sent with who it is for', async () => {
    const scene = await Scene.start('node')
    await write(scene, 'tea?')
    await scene.forget()
    const data = await scene.self.get('send_private_msg', { user_id: scene.boId, message: 'soon' })
    const num = Number(field(data, 'message_id'))
    expect(await scene.told(scene.self)).toEqual([
      {
        ...bodyOf(scene, { num, seq: 2 }),
        self_id: SELF,
        post_type: 'message_sent',
        message_sent_type: 'self',
        user_id: SELF,
        message: 'soon',
        message_format: 'string',
        raw_message: 'soon',
        sender: { user_id: SELF, nickname: 'robo', card: '', sex: 'unknown', age: 0 },
      },
    ])
    expect(await scene.told(scene.robo)).toEqual([])
  })

  it('that is taken back is a friend_recall, to it only', async () => {
    const scene = await Scene.start('node')
    const said = await write(scene, 'tea?')
    await scene.forget()
    await scene.http(scene.bo, 'DELETE', `/dm-channels/${said.direct}/messages/${said.id}`)
    const recall = { post_type: 'notice', notice_type: 'friend_recall', user_id: scene.boId, message_id: said.num }
    expect(await scene.both()).toEqual([[recall], []])
    expect(await scene.why('get_msg', { message_id: said.num })).toBe('1200 MESSAGE_NOT_FOUND')
  })

  it('between people is nothing to bots', async () => {
    const scene = await Scene.start('node')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: scene.ada.id }))
    const id = idOf(await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: '@robo' }))
    await scene.http(scene.bo, 'DELETE', `/dm-channels/${direct}/messages/${id}`)
    expect(await scene.both()).toEqual([[], []])
  })
})

describe('what a bot is written by who is no friend', () => {
  it('is of a group that they share', async () => {
    const scene = await Scene.start('node')
    const { friends, changes } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }))
    await changes.run(() => friends.remove(robo, scene.bo.id))
    await scene.forget()
    await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: 'tea?' })
    const sub_type = 'group'
    expect(await scene.both()).toMatchObject([[{ message_type: 'private', sub_type, user_id: scene.boId }], []])
  })

  it('says so with temp_source', async () => {
    const scene = await Scene.start('node')
    const { friends, changes } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }))
    await changes.run(() => friends.remove(robo, scene.bo.id))
    await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: 'tea?' })
    expect(await scene.robo.event({ message_type: 'private' })).toHaveProperty('temp_source')
  })
})

describe('two bots', () => {
  it('hear each other, and write to each other', async () => {
    const scene = await Scene.start('node')
    const { robo, mate, group, mateId } = scene
    await mate.get('send_group_msg', { group_id: group, message: 'who is there?' })
    expect(await scene.told(robo)).toMatchObject([
      { post_type: 'message', user_id: mateId, raw_message: 'who is there?', sender: { role: 'member' } },
    ])
    expect(await scene.told(mate)).toEqual([])
    await robo.get('send_private_msg', { user_id: mateId, message: 'robo is' })
    expect(await scene.told(mate)).toMatchObject([
      { notice_type: 'friend_add', user_id: SELF },
      { post_type: 'message', user_id: SELF, target_id: SELF, raw_message: 'robo is' },
    ])
    expect(await scene.told(robo)).toMatchObject([{ notice_type: 'friend_add', user_id: mateId }])
  })
})

describe('what happens in one turn', () => {
  // What is written together is told afterwards: the world is as the last change has left it.
  const say = (scene: Scene) =>
    scene.bots.world.changes.run(() =>
      scene.bots.world.messages.post(scene.bo.id, scene.channel, { content: 'tea', replyTo: null }),
    )

  it('with somebody who says something and leaves is told in that order', async () => {
    const scene = await Scene.start('node')
    const { servers, changes } = scene.bots.world
    await Promise.all([say(scene), changes.run(() => servers.leave(scene.bo.id, scene.server))])
    const all = [
      { raw_message: 'tea', sender: { nickname: 'bo' } },
      { notice_type: 'group_decrease', user_id: scene.boId },
    ]
    expect(await scene.both()).toMatchObject([all, all])
  })

  it('with a message that is deleted is told in that order', async () => {
    const scene = await Scene.start('node')
    const { messages, changes } = scene.bots.world
    await changes.run(() => {
      const { id } = messages.post(scene.bo.id, scene.channel, { content: 'tea', replyTo: null })
      messages.remove(scene.bo.id, id)
    })
    const all = [{ post_type: 'message', raw_message: 'tea' }, { notice_type: 'group_recall' }]
    expect(await scene.both()).toMatchObject([all, all])
  })

  it('with a bot that is sent away behind a message tells the others of the message', async () => {
    const scene = await Scene.start('node')
    const { moderation, changes } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    await Promise.all([say(scene), changes.run(() => moderation.kick(scene.ada.id, scene.server, robo, null))])
    const [, others] = await scene.both()
    expect(others).toMatchObject([
      { post_type: 'message', raw_message: 'tea' },
      { notice_type: 'group_decrease', sub_type: 'kick', user_id: SELF },
    ])
  })

  it('with a server that is deleted behind a message tells of the message', async () => {
    const scene = await Scene.start('node')
    const { servers, changes } = scene.bots.world
    await Promise.all([say(scene), changes.run(() => servers.remove(scene.ada.id, scene.server))])
    const [own] = await scene.both()
    expect(own).toMatchObject([{ post_type: 'message', raw_message: 'tea' }, { sub_type: 'disband' }])
  })
})
