import { describe, expect, it } from 'vitest'
import type { Agent } from '../../include-types/agent.ts'
import { createAgentHandler } from '../../lib/agent/handler.ts'
import { agentOf } from '../support/agent.ts'
import { type Client, field, Gateway, type Person } from '../support/gateway.ts'
import { engines, type EngineName } from '../support/server.ts'
import { deferred } from '../support/memory.ts'

interface Town {
  readonly gateway: Gateway
  readonly ada: Person
  readonly brin: Person
  readonly server: string
  readonly channel: string
}

/** A gateway with an agent in a channel of its world. */
async function start(engine: EngineName, agent: Agent, join: Record<string, unknown> = {}): Promise<Town> {
  const gateway = await open(engine, agent, join)
  const ada = await gateway.person('ada')
  const brin = await gateway.person('brin')
  const { id, channel } = await gateway.server(ada, brin)
  return { gateway, ada, brin, server: id, channel }
}

const open = (
  engine: EngineName,
  agent: Agent,
  join: Record<string, unknown> = {},
  folder?: string,
): Promise<Gateway> =>
  Gateway.start(
    engine,
    {},
    folder,
    {},
    {
      channels: {
        websocket: {
          enabled: true,
          port: 0,
          token: 'a token of this test',
          agent: { type: 'echo', join: 'Harbour/general', name: 'helper', editMs: 100, ...join },
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

const echo = agentOf((_session, text) => `${text}!`)

/** The answer of the agent to what somebody says. */
async function ask({ gateway, channel }: Town, by: Person, client: Client, content: string): Promise<unknown> {
  await gateway.post(by, channel, content)
  await client.next('MESSAGE_CREATE')
  return client.next('MESSAGE_CREATE')
}

/** All that was said in the channel, the oldest first. */
function said({ gateway, channel, ada }: Town): string[] {
  const page = { before: null, after: null, limit: 100 }
  return gateway.world.messages
    .list(ada.id, channel, page)
    .map(({ content }) => content)
    .toReversed()
}

describe.each(engines)('an agent in the world, on %s', (engine) => {
  it('comes when its channel is made, answers who calls it, and streams by editing', async () => {
    const gate = deferred()
    const agent = agentOf(async function* (_session, text) {
      yield `${text}: `
      await gate.promise
      yield 'do'
      yield 'ne'
    })
    const town = await start(engine, agent)
    const client = await town.gateway.connect(town.brin)
    await town.gateway.post(town.ada, town.channel, '@helper what now?')
    const question = await client.next('MESSAGE_CREATE')
    const first = await client.next('MESSAGE_CREATE')
    expect(first).toMatchObject({ content: 'what now?: ', reply_to: field(question, 'id'), edited_at: null })
    const id = String(field(first, 'id'))
    const draft = (): unknown => town.gateway.world.messages.get(town.ada.id, town.channel, id).draft
    expect(draft()).toBe(1)
    gate.resolve()
    expect(await client.next('MESSAGE_UPDATE')).toMatchObject({ id, content: 'what now?: done', edited_at: null })
    expect(draft()).toBe(0)
  })

  it('is a member, and present', async () => {
    const town = await start(engine, echo)
    const client = await town.gateway.connect(town.brin)
    await ask(town, town.ada, client, '@helper hello')
    const { body } = await town.gateway.request('GET', `/servers/${town.server}/members`, town.brin)
    expect(body).toContainEqual(expect.objectContaining({ username: 'helper', status: 'online' }))
  })

  it('answers nobody who does not call it, nor itself, nor other bots', async () => {
    const town = await start(
      engine,
      agentOf((_session, text) => `@helper ${text}`),
    )
    const { gateway, ada, channel, server } = town
    const bot = await gateway.bot(ada, 'other')
    await gateway.world.changes.run(() => gateway.world.servers.join(bot.userId, server))
    await gateway.world.changes.run(() =>
      gateway.world.messages.post(bot.userId, channel, { content: '@helper from a bot', replyTo: null }),
    )
    const client = await gateway.connect(ada)
    await gateway.post(ada, channel, 'helper, are you there?')
    await gateway.post(ada, channel, '@helpers are not helper')
    await gateway.post(ada, channel, '@helper, are you there?')
    for (let i = 0; i < 4; i++) await client.next('MESSAGE_CREATE')
    expect(said(town)).toEqual([
      '@helper from a bot',
      'helper, are you there?',
      '@helpers are not helper',
      '@helper, are you there?',
      '@helper are you there?',
    ])
  })

  it('answers bots where it is told so', async () => {
    const town = await start(engine, echo, { answerBots: true })
    const { gateway, ada, channel, server } = town
    const bot = await gateway.bot(ada, 'other')
    await gateway.world.changes.run(() => gateway.world.servers.join(bot.userId, server))
    const client = await gateway.connect(ada)
    await gateway.world.changes.run(() =>
      gateway.world.messages.post(bot.userId, channel, { content: '@helper hi', replyTo: null }),
    )
    await client.next('MESSAGE_CREATE')
    expect(await client.next('MESSAGE_CREATE')).toMatchObject({ content: 'hi!' })
  })

  it('remembers what each has said, and answers each in a conversation of their own', async () => {
    const town = await start(
      engine,
      agentOf(({ history, clientId }) => `${clientId} ${history.length}`),
    )
    const client = await town.gateway.connect(town.ada)
    for (const [by, answer] of [
      [town.ada, 'ada 0'],
      [town.ada, 'ada 2'],
      [town.brin, 'brin 0'],
    ] as const) {
      expect(await ask(town, by, client, '@helper x')).toMatchObject({ content: answer })
    }
  })

  it('answers in the thread where it was called', async () => {
    const town = await start(engine, echo)
    const { gateway, ada, channel } = town
    const client = await gateway.connect(ada)
    const root = await gateway.post(ada, channel, 'a thread')
    await gateway.request('POST', `/channels/${channel}/messages/${root}/thread`, ada, { content: '@helper here' })
    await client.next('THREAD_MESSAGE_CREATE')
    expect(await client.next('THREAD_MESSAGE_CREATE')).toMatchObject({ content: 'here!', thread_id: root })
  })

  it('says a long answer in several messages, and loses nothing of it', async () => {
    const long = Array.from({ length: 1500 }, (_, i) => `wörd${i} 🧵 `).join('')
    const town = await start(
      engine,
      agentOf(async function* () {
        for (let at = 0; at < long.length; at += 997) {
          yield long.slice(at, at + 997)
          await Promise.resolve()
        }
      }),
    )
    const client = await town.gateway.connect(town.ada)
    await town.gateway.post(town.ada, town.channel, '@helper tell me all')
    const whole = (): string => said(town).slice(1).join('')
    while (whole().length < long.trimEnd().length) await client.next('MESSAGE_CREATE')
    expect(whole().trimEnd()).toBe(long.trimEnd())
    expect(said(town).every((text) => Array.from(text).length <= 4000)).toBe(true)
  })

  it('says that something failed, not what', async () => {
    const town = await start(
      engine,
      agentOf(() => {
        throw new Error('a secret')
      }),
    )
    const client = await town.gateway.connect(town.ada)
    expect(await ask(town, town.ada, client, '@helper x')).toMatchObject({ content: 'Sorry, I encountered an error.' })
  })

  it('who was sent away says nothing, and the server goes on', async () => {
    const gate = deferred()
    const over = deferred()
    const town = await start(
      engine,
      agentOf(async function* () {
        yield 'one '
        await gate.promise
        yield 'two'
        over.resolve()
      }),
    )
    const { gateway, ada, channel, server } = town
    const client = await gateway.connect(ada)
    await ask(town, ada, client, '@helper x')
    const helper = gateway.world.users.findByName('helper')
    const { status } = await gateway.request('POST', `/servers/${server}/members/${helper?.id}/kick`, ada, {})
    expect(status).toBe(204)
    gate.resolve()
    await over.promise
    await gateway.post(ada, channel, 'still here')
    await client.next('MESSAGE_CREATE')
    expect(said(town)).toEqual(['@helper x', 'one ', 'still here'])
  })

  it('is the same bot after a restart, and what was growing is as it was', async () => {
    const town = await start(
      engine,
      agentOf(async function* () {
        yield 'half of '
        await new Promise(() => {})
      }),
    )
    const client = await town.gateway.connect(town.ada)
    const answer = await ask(town, town.ada, client, '@helper x')
    const before = town.gateway.world.users.findByName('helper')?.id
    await town.gateway.free()
    const gateway = await open(engine, echo, {}, town.gateway.folder)
    expect(gateway.world.users.findByName('helper')?.id).toBe(before)
    const message = gateway.world.messages.get(town.ada.id, town.channel, String(field(answer, 'id')))
    expect(message).toMatchObject({ content: 'half of ', draft: 0 })
    const again = { ...town, gateway, ada: await gateway.login(town.ada.id) }
    expect(await ask(again, again.ada, await gateway.connect(again.ada), '@helper y')).toMatchObject({ content: 'y!' })
  })
})
