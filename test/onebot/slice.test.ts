import { describe, expect, it } from 'vitest'
import { Bots, BotServer, SELF } from '../support/onebot.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('a bot, on %s', (engine) => {
  it('is told of what people say, and answers', async () => {
    const bots = await Bots.start(engine)
    const bot = await bots.connect()
    await bots.gateway.post(bots.ada, bots.channel, 'two cups @robo please')
    const event = await bot.event({ post_type: 'message' })
    expect(event['message']).toEqual([
      { type: 'text', data: { text: 'two cups ' } },
      { type: 'at', data: { qq: String(SELF), name: 'robo' } },
      { type: 'text', data: { text: ' please' } },
    ])
    const watcher = await bots.gateway.connect(bots.ada)
    await bot.get('send_group_msg', { group_id: bots.group, message: `[CQ:at,qq=${bots.numberOf(bots.ada.id)}]coming` })
    expect(await watcher.next('MESSAGE_CREATE')).toMatchObject({
      content: '@ada coming',
      mention_user_ids: [bots.ada.id],
    })
  })

  it('connects to its client, and is asked there', async () => {
    const server = await BotServer.start()
    const bots = await Bots.start(engine, {
      routes: [],
      network: { websocketClients: [{ name: 'out', enable: true, url: server.url, token: 'tok' }] },
    })
    const client = await server.client()
    await client.find((frame) => frame['sub_type'] === 'connect')
    expect(await client.get('get_login_info')).toEqual({ user_id: SELF, nickname: 'robo' })
    expect(server.headers[0]).toMatchObject({
      'x-self-id': String(SELF),
      'x-client-role': 'Universal',
      'authorization': 'Bearer tok',
    })
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    expect(await client.event({ post_type: 'message' })).toMatchObject({ raw_message: 'tea' })
  })
})
