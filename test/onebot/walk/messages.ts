import { field, idOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import type { Scene } from '../../support/onebot-scene.ts'
import { boHears, finds, has, mateReads, reads, type Row, told, unread, writes, writesForItself } from './row.ts'

/* What is said, and what is noted about it. */

const NODES = [{ type: 'node', data: { user_id: '7', nickname: 'Kay', content: 'tea at four' } }]
/** As others read a bundle of these. */
const BUNDLE = { message: [{ type: 'forward', data: { content: [{ raw_message: 'tea at four' }] } }] }

const THUMB = { number: '128077', path: encodeURIComponent('👍') }

/** What bo has said, as others find it. */
async function said(scene: Scene, content = 'tea?') {
  const { id, num } = await scene.say(scene.bo, content)
  return { id, message_id: num, path: `/channels/${scene.channel}/messages/${id}` }
}

/** Where bo and robo write to each other. */
const direct = async (scene: Scene): Promise<string> =>
  idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: await scene.bots.userOf('robo') }))

/** Two messages in a channel, and one for robo alone. */
async function unreadMessages(scene: Scene) {
  const first = await said(scene, 'one')
  await said(scene, 'two')
  const chat = await direct(scene)
  await scene.http(scene.bo, 'POST', `/dm-channels/${chat}/messages`, { content: 'psst' })
  const inChannel = { channel_id: scene.channel, unread_count: 2 }
  const inDirect = { channel_id: chat, unread_count: 1 }
  return { first, inChannel, inDirect }
}

const likesOf = (key: 'emojiId' | 'emoji_id', shows: (scene: Scene) => object): Row =>
  reads(async (scene) => {
    const { message_id, path } = await said(scene)
    return {
      params: { message_id, [key]: THUMB.number },
      change: (others) => others.http(others.bo, 'PUT', `${path}/reactions/${THUMB.path}`),
      shows: shows(scene),
    }
  })

export const MESSAGE_ROWS: Readonly<Record<string, Row>> = {
  'send_private_msg': writes(async ({ mateId }) => ({
    params: { user_id: mateId, message: 'tea' },
    seen: told,
    shows: (answer) =>
      has({ message_type: 'private', raw_message: 'tea', message_id: field(answer, 'message_id'), user_id: SELF }),
  })),
  'send_group_msg': writes(async ({ group }) => ({
    params: { group_id: group, message: 'tea' },
    seen: told,
    shows: (answer) => has({ group_id: group, raw_message: 'tea', message_id: field(answer, 'message_id') }),
  })),
  'send_msg': writes(async ({ group, channel }) => ({
    params: { group_id: group, message: 'tea' },
    seen: boHears('MESSAGE_CREATE'),
    shows: () => has({ channel_id: channel, content: 'tea' }),
  })),
  'send_group_forward_msg': writes(async ({ group }) => ({
    params: { group_id: group, messages: NODES },
    seen: mateReads('get_group_msg_history', { group_id: group }),
    shows: (answer) => ({ messages: [{ message_id: field(answer, 'message_id'), ...BUNDLE }] }),
  })),
  'send_private_forward_msg': writes(async ({ mateId }) => ({
    params: { user_id: mateId, messages: NODES },
    seen: mateReads('get_friend_msg_history', { user_id: SELF }),
    shows: (answer) => ({ messages: [{ message_id: field(answer, 'message_id'), ...BUNDLE }] }),
  })),
  'send_forward_msg': writes(async ({ group }) => ({
    params: { message_type: 'group', group_id: group, messages: NODES },
    seen: mateReads('get_group_msg_history', { group_id: group }),
    shows: (answer) => ({ messages: [{ message_id: field(answer, 'message_id'), ...BUNDLE }] }),
  })),
  'forward_friend_single_msg': writes(async (scene) => {
    const { message_id } = await said(scene)
    return {
      params: { message_id, user_id: scene.mateId },
      seen: told,
      shows: () => has({ message_type: 'private', raw_message: 'tea?', user_id: SELF }),
    }
  }),
  'forward_group_single_msg': writes(async (scene) => {
    const { message_id } = await said(scene)
    const quay = await scene.makeChannel('quay')
    return {
      params: { message_id, group_id: quay.group },
      seen: (others) => others.contents(quay.id),
      shows: () => ['tea?'],
    }
  }),
  'delete_msg': writes(async (scene) => {
    const { message_id } = await said(scene)
    return { params: { message_id }, seen: (others) => others.contents(), shows: () => [] }
  }),
  'get_msg': reads(async (scene) => {
    const { message_id, id } = await said(scene)
    return {
      params: { message_id },
      change: (others) => others.http(others.bo, 'PATCH', `/messages/${id}`, { content: 'coffee?' }),
      shows: { message_id, raw_message: 'coffee?' },
    }
  }),
  'get_forward_msg': reads(async (scene) => {
    // What is said next has the next number.
    const { message_id } = await said(scene)
    return {
      params: { id: String(message_id + 1) },
      change: ({ mate, group }) => mate.get('send_group_forward_msg', { group_id: group, messages: NODES }),
      shows: { messages: [{ raw_message: 'tea at four', sender: { nickname: 'Kay' } }] },
    }
  }),
  'get_group_msg_history': reads(async ({ group, bo, boId }) => ({
    params: { group_id: group },
    change: (others) => others.say(bo, 'tea?'),
    shows: { messages: [{ raw_message: 'tea?', user_id: boId }] },
  })),
  'get_friend_msg_history': reads(async (scene) => {
    const chat = await direct(scene)
    return {
      params: { user_id: scene.boId },
      change: (others) => others.http(others.bo, 'POST', `/dm-channels/${chat}/messages`, { content: 'psst' }),
      shows: { messages: [{ raw_message: 'psst', user_id: scene.boId }] },
    }
  }),
  'get_recent_contact': reads(async ({ group, bo }) => ({
    params: {},
    change: (others) => others.say(bo, 'tea?'),
    shows: [{ lastestMsg: { raw_message: 'tea?' }, peerUin: String(group), sendNickName: 'bo' }],
  })),
  '.handle_quick_operation': writes(async (scene) => {
    const { message_id } = await said(scene)
    const context = await scene.robo.event({ post_type: 'message', message_id })
    return {
      params: { context, operation: { reply: 'soon' } },
      seen: told,
      shows: () => has({ raw_message: `[CQ:reply,id=${message_id}]soon`, user_id: SELF }),
    }
  }),

  'set_essence_msg': writes(async (scene) => {
    const { id, message_id } = await said(scene)
    return {
      params: { message_id },
      seen: finds(scene.bo, `/channels/${scene.channel}/pinned-messages`),
      shows: () => [{ id }],
    }
  }),
  'delete_essence_msg': writes(async (scene) => {
    const { message_id, path } = await said(scene)
    await scene.http(scene.ada, 'POST', `${path}/pin`)
    return {
      params: { message_id },
      seen: finds(scene.bo, `/channels/${scene.channel}/pinned-messages`),
      shows: () => [],
    }
  }),
  'get_essence_msg_list': reads(async (scene) => {
    const { message_id, path } = await said(scene)
    return {
      params: { group_id: scene.group },
      change: (others) => others.http(others.ada, 'POST', `${path}/pin`),
      shows: [{ message_id, sender_id: scene.boId, operator_id: scene.adaId }],
    }
  }),
  'set_msg_emoji_like': writes(async (scene) => {
    const { message_id, path } = await said(scene)
    return {
      params: { message_id, emoji_id: '76' },
      seen: finds(scene.bo, `${path}/reactions`),
      shows: () => [{ emoji: ':face76:', count: 1 }],
    }
  }),
  'fetch_emoji_like': likesOf('emojiId', ({ boId }) => ({
    emojiLikesList: [{ tinyId: String(boId), nickName: 'bo' }],
  })),
  'get_emoji_likes': likesOf('emoji_id', ({ boId }) => ({ emoji_like_list: [{ user_id: boId, nick_name: 'bo' }] })),

  // What was read is for the bot to know.
  'mark_msg_as_read': writesForItself(async (scene) => {
    const { first, inChannel, inDirect } = await unreadMessages(scene)
    return {
      params: { message_id: first.message_id },
      seen: unread,
      shows: () => [{ ...inChannel, unread_count: 1 }, inDirect],
    }
  }),
  'mark_private_msg_as_read': writesForItself(async (scene) => {
    const { inChannel } = await unreadMessages(scene)
    return { params: { user_id: scene.boId }, seen: unread, shows: () => [inChannel] }
  }),
  'mark_group_msg_as_read': writesForItself(async (scene) => {
    const { inDirect } = await unreadMessages(scene)
    return { params: { group_id: scene.group }, seen: unread, shows: () => [inDirect] }
  }),
  '_mark_all_as_read': writesForItself(async (scene) => {
    await unreadMessages(scene)
    return { params: {}, seen: unread, shows: () => [] }
  }),
}
