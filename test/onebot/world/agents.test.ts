import { describe, expect, it } from 'vitest'
import { createAgentHandler } from '../../../lib/agent/handler.ts'
import { agentOf } from '../../support/agent.ts'
import { type Client, field, Gateway, type Person } from '../../support/gateway.ts'
import { deferred } from '../../support/memory.ts'
import { BotClient } from '../../support/onebot.ts'
import { text } from '../../support/onebot-scene.ts'
import { engines, type EngineName } from '../../support/server.ts'
import { WebSocket } from 'ws'

/** An agent and a bot in one channel; ada owns it. */
async function start(engine: EngineName, agent: ReturnType<typeof agentOf>) {
  const gateway = await Gateway.start(
    engine,
    {},
    undefined,
    {
      routes: [
        { match: '/ws', handler: 'gateway' },
        { match: '/onebot/', handler: 'onebot' },
      ],
    },
    {
      onebot: { bot: 'robo' },
      channels: {
        websocket: {
          enabled: true,
          port: 0,
          token: 'a token of this test',
          agent: { type: 'echo', join: 'Harbour/general', name: 'helper', editMs: 100 },
        },
      },
      handlers: (homes) => ({
        agent: createAgentHandler(
          () => Promise.resolve(homes),
          () => agent,
        ),
      }),
    },
  )
  const ada = await gateway.person('ada')
  const { id: server, channel } = await gateway.server(ada)
  const { bots, servers, changes } = gateway.world
  await changes.run(() => servers.join(bots.ensure('robo').user_id, server))
  const robo = new BotClient(new WebSocket(`ws://127.0.0.1:${gateway.port}/onebot/`))
  await robo.find((frame) => frame['meta_event_type'] === 'lifecycle')
  const eyes = await gateway.connect(ada)
  return { gateway, ada, server, channel, robo, eyes, group: gateway.world.channels.find(channel)?.num ?? 0 }
}

/** What is said to the agent: its question and the beginning of its answer, as people see them. */
async function ask(gateway: Gateway, ada: Person, channel: string, eyes: Client, content: string) {
  await gateway.post(ada, channel, content)
  const question = await eyes.next('MESSAGE_CREATE')
  const answer = await eyes.next('MESSAGE_CREATE')
  const numOf = (message: unknown): number =>
    gateway.world.messages.get(ada.id, channel, String(field(message, 'id'))).num
  return { question: numOf(question), answer: numOf(answer), id: String(field(answer, 'id')) }
}

describe.each(engines)('an agent in a group, to a bot on %s', (engine) => {
  it('says one message, when it is complete, however often people see it grow', async () => {
    const gate = deferred()
    const agent = agentOf(async function* (_session, said) {
      yield `${said}: `
      await gate.promise
      yield 'do'
      yield 'ne'
    })
    const { gateway, ada, channel, robo, eyes, group } = await start(engine, agent)
    const { question, answer, id } = await ask(gateway, ada, channel, eyes, '@helper what now?')
    await robo.get('get_status')
    expect(robo.events.filter((event) => event['post_type'] === 'message')).toMatchObject([{ message_id: question }])
    gate.resolve()
    // A machine that is busy shows the halves.
    let update = await eyes.next('MESSAGE_UPDATE')
    while (field(update, 'content') === 'what now?: do') update = await eyes.next('MESSAGE_UPDATE')
    expect(update).toMatchObject({ id, content: 'what now?: done' })
    const told = await robo.event({ post_type: 'message', message_id: answer })
    expect(told).toMatchObject({
      group_id: group,
      message: [{ type: 'reply', data: { id: String(question) } }, text('what now?: done')],
      sender: { nickname: 'helper', role: 'member' },
    })
    await robo.get('get_status')
    expect(robo.events.filter((event) => event['message_id'] === answer)).toEqual([told])
    expect(await robo.get('get_msg', { message_id: answer })).toMatchObject({ message: told['message'] })
  })

  it('says what it has at once as any other', async () => {
    const agent = agentOf((_session, said) => `${said}!`)
    const { gateway, ada, channel, robo, eyes } = await start(engine, agent)
    const { question, answer } = await ask(gateway, ada, channel, eyes, '@helper hello')
    await robo.event({ message_id: answer })
    await robo.get('get_status')
    const said = robo.events.filter((event) => event['post_type'] === 'message')
    expect(said.map((event) => [event['message_id'], event['raw_message']])).toEqual([
      [question, `[CQ:at,qq=${String(field(said[0], 'message', 0, 'data', 'qq'))},name=helper] hello`],
      [answer, `[CQ:reply,id=${question}]hello!`],
    ])
  })

  it('is not asked by bots', async () => {
    const agent = agentOf((_session, said) => `${said}!`)
    const { robo, group, eyes, gateway, ada, channel } = await start(engine, agent)
    await robo.get('send_group_msg', { group_id: group, message: '@helper are you there?' })
    await eyes.next('MESSAGE_CREATE')
    // What it answers next is to a person.
    const { question, answer } = await ask(gateway, ada, channel, eyes, '@helper hello')
    await robo.event({ message_id: answer })
    const said = robo.events.filter((event) => event['post_type'] === 'message')
    expect(said.map((event) => event['message_id'])).toEqual([question, answer])
  })
})

describe('an agent in a group, to a bot', () => {
  it('that is deleted while it speaks says nothing', async () => {
    const gate = deferred()
    const agent = agentOf(async function* (_session, said) {
      yield `${said}: `
      await gate.promise
      yield 'done'
    })
    const { gateway, ada, channel, robo, eyes } = await start('node', agent)
    const { answer, id } = await ask(gateway, ada, channel, eyes, '@helper what now?')
    await gateway.request('DELETE', `/messages/${id}`, ada)
    await eyes.next('MESSAGE_DELETE')
    gate.resolve()
    // What is said next comes after anything that was to come of it.
    await gateway.post(ada, channel, 'well')
    await robo.event({ raw_message: 'well' })
    const told = robo.events.filter((event) => event['message_id'] === answer && event['post_type'] === 'message')
    expect(told).toEqual([])
  })

  it('that is deleted while it speaks is not recalled: nobody has heard of it', async () => {
    const gate = deferred()
    const agent = agentOf(async function* () {
      yield 'I'
      await gate.promise
    })
    const { gateway, ada, channel, robo, eyes } = await start('node', agent)
    const { answer, id } = await ask(gateway, ada, channel, eyes, '@helper what now?')
    await gateway.request('DELETE', `/messages/${id}`, ada)
    gate.resolve()
    await gateway.post(ada, channel, 'well')
    await robo.event({ raw_message: 'well' })
    expect(robo.events.filter((event) => event['message_id'] === answer)).toEqual([])
  })
})
