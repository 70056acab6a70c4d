import { describe, expect, it } from 'vitest'
import { KICK_MEMBERS, MANAGE_MESSAGES } from '../../lib/chat/permissions.ts'
import { field } from '../support/gateway.ts'
import { Bots, SELF } from '../support/onebot.ts'
import { engines } from '../support/server.ts'
import { Driven } from './bots.ts'

/* node-napcat-ts, unpatched: what it emits. */

const connect = (bots: Bots, accessToken = 'tok'): Promise<Driven> =>
  Driven.start('napcat.mjs', { protocol: 'ws', host: '127.0.0.1', port: bots.port(1), accessToken })

/** NapCat's own block, on a port of its own. */
const start = (engine: (typeof engines)[number]): Promise<Bots> =>
  Bots.start(engine, {
    routes: [],
    network: {
      websocketServers: [{ name: 'main', enable: true, port: 0, token: 'tok', reportSelfMessage: true }],
    },
  })

describe.each(engines)('node-napcat-ts, on %s', (engine) => {
  it('connects, and knows whom it is connected for', async () => {
    const bots = await start(engine)
    const client = await connect(bots)
    await client.call('connect')
    expect(await client.emits('meta_event')).toMatchObject({ self_id: SELF, sub_type: 'connect' })
    expect(await client.call('get_login_info')).toEqual({ user_id: SELF, nickname: 'robo' })
    expect(await client.call('get_status')).toMatchObject({ online: true, good: true })
    expect(await client.call('get_version_info')).toMatchObject({ app_name: 'fiberws', protocol_version: 'v11' })
  })

  it('knows that its token is wrong, and does not come back', async () => {
    const bots = await start(engine)
    const client = await connect(bots, 'wrong')
    await client.call('connect')
    expect(await client.emits('socket', (data) => data['error_type'] === 'response_error')).toMatchObject({
      info: { errno: 1403, message: 'token验证失败' },
      reconnection: { enable: false },
    })
  })

  it('hears group messages, and answers them where people see it', async () => {
    const bots = await start(engine)
    const client = await connect(bots)
    await client.call('connect')
    await client.emits('meta_event')
    const watcher = await bots.gateway.connect(bots.ada)
    const first = await bots.gateway.post(bots.ada, bots.channel, 'is [tea] ready?')
    const message = await client.emits('message')
    expect(message).toMatchObject({
      group_id: bots.group,
      message: [{ type: 'text', data: { text: 'is [tea] ready?' } }],
      sender: { nickname: 'ada', role: 'owner' },
    })
    const sent = await client.call('send_group_msg', {
      group_id: bots.group,
      message: [
        { type: 'reply', data: { id: String(message['message_id']) } },
        { type: 'text', data: { text: 'nearly' } },
      ],
    })
    const own = await client.emits('message_sent')
    expect(sent).toEqual({ message_id: own['message_id'] })
    expect(own['raw_message']).toContain('nearly')
    await watcher.next('MESSAGE_CREATE')
    expect(await watcher.next('MESSAGE_CREATE')).toMatchObject({
      content: 'nearly',
      reply_to: first,
    })
  })

  it('answers in a word, with whom it answers in front', async () => {
    const bots = await start(engine)
    const client = await connect(bots)
    await client.call('connect')
    await client.emits('meta_event')
    const watcher = await bots.gateway.connect(bots.ada)
    const asked = await bots.gateway.post(bots.ada, bots.channel, 'be quick')
    await watcher.next('MESSAGE_CREATE')
    expect(await watcher.next('MESSAGE_CREATE')).toMatchObject({ content: '@ada quickly', reply_to: asked })
  })

  it('writes to people, and hears them', async () => {
    const bots = await start(engine)
    const client = await connect(bots)
    await client.call('connect')
    await client.emits('meta_event')
    const watcher = await bots.gateway.connect(bots.ada)
    await client.call('send_private_msg', {
      user_id: bots.numberOf(bots.ada.id),
      message: [{ type: 'text', data: { text: 'hush' } }],
    })
    const direct = await watcher.next('DM_MESSAGE_CREATE')
    expect(direct).toMatchObject({ content: 'hush' })
    const channel = (await bots.gateway.request('GET', '/dm-channels', bots.ada)).body
    const id = String(field(channel, 0, 'id'))
    await bots.gateway.request('POST', `/dm-channels/${id}/messages`, bots.ada, { content: 'why?' })
    expect(await client.emits('message')).toMatchObject({
      sub_type: 'friend',
      user_id: bots.numberOf(bots.ada.id),
      raw_message: 'why?',
    })
    expect(await client.call('get_friend_list')).toMatchObject([{ nickname: 'ada' }])
  })

  it('takes back what was said, and hears that others do', async () => {
    const bots = await start(engine)
    await bots.empower('robo', MANAGE_MESSAGES | KICK_MEMBERS)
    const client = await connect(bots)
    await client.call('connect')
    await client.emits('meta_event')
    const watcher = await bots.gateway.connect(bots.ada)
    const id = await bots.gateway.post(bots.ada, bots.channel, 'oops')
    const { message_id } = await client.emits('message')
    await client.call('delete_msg', { message_id })
    expect(await watcher.next('MESSAGE_DELETE')).toMatchObject({ id })
    expect(await client.emits('notice', (data) => data['notice_type'] === 'group_recall')).toMatchObject({ message_id })
    await expect(client.call('get_msg', { message_id })).rejects.toThrow('MESSAGE_NOT_FOUND')
  })

  it('reads lists', async () => {
    const bots = await start(engine)
    const client = await connect(bots)
    await client.call('connect')
    expect(await client.call('get_group_list')).toMatchObject([
      { group_id: bots.group, group_name: 'general', member_count: 2 },
    ])
    const members = await client.call('get_group_member_list', { group_id: bots.group })
    expect(members).toMatchObject([
      { nickname: 'ada', role: 'owner' },
      { nickname: 'robo', role: 'member' },
    ])
    expect(await client.call('get_group_member_info', { group_id: bots.group, user_id: SELF })).toMatchObject({
      is_robot: true,
    })
  })

  it('lets people in who ask', async () => {
    const bots = await start(engine)
    const { world } = bots
    await bots.empower('robo', 1 << 14)
    await world.changes.run(() => world.servers.change(bots.ada.id, bots.server, { require_invite: 1 }))
    const client = await connect(bots)
    await client.call('connect')
    await client.emits('meta_event')
    const cleo = await bots.gateway.person('cleo')
    await bots.gateway.request('POST', `/servers/${bots.server}/join-requests`, cleo, { comment: 'let me in' })
    expect(await client.emits('request')).toMatchObject({ sub_type: 'add', comment: 'let me in' })
    expect(await client.emits('notice', (data) => data['notice_type'] === 'group_increase')).toMatchObject({
      sub_type: 'approve',
      user_id: bots.numberOf(cleo.id),
    })
  })
})
