import { describe, expect, it } from 'vitest'
import { KICK_MEMBERS, MANAGE_MESSAGES, MUTE_MEMBERS } from '../../lib/chat/permissions.ts'
import { findFreePort } from '../../lib/engine/free-port.ts'
import { field } from '../support/gateway.ts'
import { Bots, SELF } from '../support/onebot.ts'
import { engines } from '../support/server.ts'
import { Driven } from './bots.ts'

/* Koishi with its OneBot adapter, unpatched: the bot connects to it. */

async function start(engine: (typeof engines)[number], messagePostFormat = 'array') {
  const port = await findFreePort('127.0.0.1', 0)
  const koishi = await Driven.start('koishi.mjs', {
    port,
    selfId: String(SELF),
    protocol: 'ws-reverse',
    path: '/onebot',
  })
  const bots = await Bots.start(engine, {
    routes: [],
    network: {
      websocketClients: [
        {
          name: 'koishi',
          enable: true,
          url: `ws://127.0.0.1:${port}/onebot`,
          messagePostFormat,
          reconnectInterval: 200,
        },
      ],
    },
  })
  await koishi.emits('login', (data) => data['status'] === 1)
  return { koishi, bots }
}

describe.each(engines)('Koishi, on %s', (engine) => {
  it.each(['array', 'string'])('hears what people say, as %s', async (format) => {
    const { koishi, bots } = await start(engine, format)
    const first = await bots.gateway.post(bots.ada, bots.channel, 'is [tea] ready?')
    const heard = await koishi.emits('message')
    expect(heard).toMatchObject({
      channelId: String(bots.group),
      guildId: String(bots.group),
      userId: String(bots.numberOf(bots.ada.id)),
      content: 'is [tea] ready?',
      isDirect: false,
    })
    // An answer to something is a quote, which Koishi looks up.
    await bots.gateway.request('POST', `/channels/${bots.channel}/messages`, bots.ada, {
      content: 'well?',
      reply_to: first,
    })
    expect(await koishi.emits('message', ({ quote }) => quote !== undefined)).toMatchObject({
      quote: { id: heard['messageId'], content: 'is [tea] ready?' },
    })
  })

  it('says something where people see it, and takes it back', async () => {
    const { koishi, bots } = await start(engine)
    const watcher = await bots.gateway.connect(bots.ada)
    const ids = await koishi.call('sendMessage', String(bots.group), `<at id="${bots.numberOf(bots.ada.id)}"/> coming`)
    expect(await watcher.next('MESSAGE_CREATE')).toMatchObject({
      content: '@ada coming',
      mention_user_ids: [bots.ada.id],
    })
    const id = String(field(ids, 0))
    const found = await koishi.call('getMessage', String(bots.group), id)
    expect(found).toMatchObject({ id })
    expect(field(found, 'content')).toContain('coming')
    await koishi.call('deleteMessage', String(bots.group), id)
    await watcher.next('MESSAGE_DELETE')
    expect(await koishi.emits('message-deleted')).toMatchObject({ messageId: id })
  })

  it('writes to people', async () => {
    const { koishi, bots } = await start(engine)
    const watcher = await bots.gateway.connect(bots.ada)
    await koishi.call('sendPrivateMessage', String(bots.numberOf(bots.ada.id)), 'hush')
    expect(await watcher.next('DM_MESSAGE_CREATE')).toMatchObject({ content: 'hush' })
  })

  it('knows groups and people', async () => {
    const { koishi, bots } = await start(engine)
    const ada = String(bots.numberOf(bots.ada.id))
    expect(await koishi.call('getGuildList')).toMatchObject({ data: [{ id: String(bots.group), name: 'general' }] })
    expect(await koishi.call('getGuildMemberList', String(bots.group))).toMatchObject({
      data: [{ user: { id: ada, name: 'ada' } }, { user: { id: String(SELF), name: 'robo' } }],
    })
    expect(await koishi.call('getUser', ada)).toMatchObject({ id: ada, name: 'ada' })
    expect(await koishi.call('getFriendList')).toMatchObject({ data: [] })
    expect(await koishi.call('getLogin')).toMatchObject({ user: { id: String(SELF), name: 'robo' } })
    expect(await koishi.call('getMessageList', String(bots.group))).toMatchObject({ data: [] })
  })

  it('mutes, kicks, and hears who comes and goes', async () => {
    const { koishi, bots } = await start(engine)
    await bots.empower('robo', MANAGE_MESSAGES | KICK_MEMBERS | MUTE_MEMBERS)
    const { who, client } = await bots.person('cleo')
    const number = String(bots.numberOf(who.id))
    expect(await koishi.emits('guild-member-added')).toMatchObject({ userId: number, guildId: String(bots.group) })
    await koishi.call('muteGuildMember', String(bots.group), number, 60_000)
    expect(await client.next('MEMBER_TIMEOUT')).toMatchObject({ user_id: who.id })
    await koishi.call('kickGuildMember', String(bots.group), number)
    expect(await client.next('MEMBER_KICK')).toMatchObject({ user_id: who.id })
    expect(await koishi.emits('guild-member-removed')).toMatchObject({ userId: number })
  })

  it('calls actions of the standard, and those that answer later', async () => {
    const { koishi, bots } = await start(engine)
    expect(await koishi.call('internal.getStatus')).toMatchObject({ online: true })
    expect(await koishi.call('internal.getVersionInfo')).toMatchObject({ app_name: 'fiberws' })
    expect(await koishi.call('internal.canSendImage')).toBe(true)
    expect(await koishi.call('internal.getOnlineClients')).toEqual([])
    await koishi.call('internal.sendGroupMsgAsync', bots.group, 'later')
    await koishi.call('internal.setGroupName', bots.group, 'x').then(
      () => expect.fail('robo may not'),
      (error: unknown) => expect(String(error)).toContain('set_group_name'),
    )
  })

  it('becomes a friend, and decides who does', async () => {
    const { koishi, bots } = await start(engine)
    const robo = await bots.userOf('robo')
    await bots.gateway.request('POST', '/friend-requests', bots.ada, { user_id: robo, comment: 'me' })
    const asked = await koishi.emits('friend-request')
    expect(asked).toMatchObject({ userId: String(bots.numberOf(bots.ada.id)), content: 'me' })
    await koishi.call('handleFriendRequest', asked['messageId'], true, 'ada the first')
    expect(await koishi.call('internal.getFriendList')).toMatchObject([{ nickname: 'ada', remark: 'ada the first' }])
  })
})
