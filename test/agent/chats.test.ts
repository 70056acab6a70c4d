import { describe, expect, it } from 'vitest'
import type { Session } from '../../include-types/agent.ts'
import { type AgentClient, agentOf, AgentServer, type Frame } from '../support/agent.ts'
import { deferred } from '../support/memory.ts'
import { patiently } from '../support/patience.ts'
import { engines, type EngineName } from '../support/server.ts'

const CHAT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const INVENTED = '00000000-0000-4000-8000-000000000000'

const chatOf = ({ frames: [ready] }: AgentClient): string => ready?.chat_id ?? ''

/** Tells which chat it answers in, and how many turns that had. */
const telling = agentOf(({ chatId, history }, text) => `${text} in ${chatId} after ${history.length / 2}`)
const told = (text: string, chat: string, after = 0): string => `${text} in ${chat} after ${after}`

const start = (engine: EngineName, channel: Readonly<Record<string, unknown>> = {}): Promise<AgentServer> =>
  AgentServer.start(engine, { multiChat: true, streaming: false, ...channel }, telling)

async function newChat(client: AgentClient): Promise<string> {
  client.send({ type: 'new_chat' })
  const { chat_id: id } = await client.next('attached')
  return id ?? ''
}

/** What an envelope is answered with. */
async function reply(client: AgentClient, envelope: unknown): Promise<Frame> {
  client.send(envelope)
  return client.one()
}

describe.each(engines)('several chats on a connection, on %s', (engine) => {
  it('READY is as ever; new_chat makes another, with an answer of exactly that', async () => {
    const client = await (await start(engine)).connect('client_id=ada')
    expect(client.texts[0]).toMatch(/^\{"event":"ready","chat_id":"[0-9a-f-]{36}","client_id":"ada"\}$/)
    const ids = [chatOf(client), await newChat(client), await newChat(client)]
    expect(client.texts[1]).toBe(`{"event":"attached","chat_id":"${ids[1]}"}`)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(CHAT_ID)
  })

  it('messages go to the chat that they name, each with its own history; all others to the first', async () => {
    const client = await (await start(engine)).connect('client_id=ada')
    const main = chatOf(client)
    const other = await newChat(client)
    const say = async (message: unknown): Promise<unknown> => {
      const { event, text, chat_id: id } = await reply(client, message)
      return [event, text, id]
    }
    const typed = { type: 'message', chat_id: other, content: '  one ' }
    expect(await say(typed)).toEqual(['message', told('  one ', other), other])
    expect(await say({ ...typed, content: 'two' })).toEqual(['message', told('two', other, 1), other])
    let count = 0
    for (const legacy of [
      'plain',
      '"plain"',
      { content: 'plain' },
      { text: 'plain', chat_id: other },
      { type: 5, content: 'plain' },
      { type: null, message: 'plain' },
    ]) {
      expect(await say(legacy)).toEqual(['message', told('plain', main, count++), main])
    }
    expect(await say({ type: 'message', chat_id: main, content: 'x' })).toEqual(['message', told('x', main, 6), main])
  })

  it('every frame of a chat has its chat_id', async () => {
    const agent = agentOf(function* () {
      yield { type: 'reasoning', text: 'hm' }
      yield { type: 'progress', text: 'looking' }
      yield { type: 'message', text: 'note' }
      yield 'a'
      yield { type: 'segment' }
      yield 'b'
    })
    const channel = { multiChat: true, turnEvents: true, progress: true, reasoning: true, commands: true }
    const client = await (await AgentServer.start(engine, channel, agent)).connect()
    const other = await newChat(client)
    const events = new Set<string>()
    for (const id of [other, chatOf(client)]) {
      for (const content of ['go', '/new']) client.send({ type: 'message', chat_id: id, content })
      for (let last = ''; last !== 'New session started.';) {
        const { event, chat_id: of, text = '' } = await client.one()
        events.add(event)
        if (event === 'message') last = text
        expect(of).toBe(id)
      }
    }
    expect([...events].toSorted()).toEqual([
      'delta',
      'message',
      'reasoning_delta',
      'reasoning_end',
      'stream_end',
      'turn_end',
    ])
  })

  it('frames of several chats come between each other, each in order', async () => {
    const agent = agentOf(async function* (_session, text) {
      for (let i = 0; i < 50; i++) {
        yield `${text}${i} `
        await Promise.resolve()
      }
    })
    const client = await (await AgentServer.start(engine, { multiChat: true }, agent)).connect()
    const ids = [chatOf(client), await newChat(client), await newChat(client)]
    for (const [i, id] of ids.entries()) client.send({ type: 'message', chat_id: id, content: `c${i}.` })
    const texts = new Map<string, string>()
    for (let ends = 0; ends < 3;) {
      const { event, chat_id: id = '', text = '' } = await client.one()
      if (event === 'stream_end') ends++
      texts.set(id, (texts.get(id) ?? '') + text)
    }
    const expected = ids.map((_id, i) => Array.from({ length: 50 }, (_, n) => `c${i}.${n} `).join(''))
    expect([texts.size, ids.map((id) => texts.get(id))]).toEqual([3, expected])
  })

  describe('attach', () => {
    it('one client comes to its own chats, and hears them', async () => {
      const server = await start(engine)
      const first = await server.connect('client_id=ada')
      const other = await newChat(first)
      const second = await server.connect('client_id=ada')
      expect(await reply(second, { type: 'attach', chat_id: other })).toEqual({ event: 'attached', chat_id: other })
      // Once more is the same.
      expect(await reply(second, { type: 'attach', chat_id: other })).toEqual({ event: 'attached', chat_id: other })
      expect((await reply(second, { type: 'attach', chat_id: chatOf(second) })).event).toBe('attached')
      for (const [i, client] of [first, second].entries()) {
        client.send({ type: 'message', chat_id: other, content: 'x' })
        for (const one of [first, second]) {
          expect(await one.one()).toEqual({ event: 'message', text: told('x', other, i), chat_id: other })
        }
      }
      // Not those that it has not attached.
      first.send('mine')
      expect((await first.one()).chat_id).toBe(chatOf(first))
      expect((await reply(second, 'mine')).chat_id).toBe(chatOf(second))
    })

    it('a message attaches by itself, without a word', async () => {
      const server = await start(engine)
      const first = await server.connect('client_id=ada')
      const second = await server.connect('client_id=ada')
      const id = chatOf(first)
      const answer = { event: 'message', text: told('x', id), chat_id: id }
      expect(await reply(second, { type: 'message', chat_id: id, content: 'x' })).toEqual(answer)
      expect(await first.one()).toEqual(answer)
      first.send('y')
      expect((await second.one()).text).toBe(told('y', id, 1))
    })

    it('chats of others, and invented ones, are denied alike, and nothing comes of it', async () => {
      const server = await start(engine)
      const ada = await server.connect('client_id=ada')
      const others = [await newChat(ada), chatOf(ada)]
      for (const name of ['client_id=eve', 'client_id=Ada', 'client_id=ada%00', '']) {
        const eve = await server.connect(name)
        for (const id of [...others, INVENTED, 'made-up', 'a', '__proto__', 'constructor']) {
          const denied = { event: 'error', chat_id: id, detail: 'access_denied' }
          expect(await reply(eve, { type: 'attach', chat_id: id })).toEqual(denied)
          expect(await reply(eve, { type: 'message', chat_id: id, content: 'let me in' })).toEqual(denied)
        }
        expect((await reply(eve, 'still there?')).text).toBe(told('still there?', chatOf(eve)))
      }
      expect((await reply(ada, 'alone?')).text).toBe(told('alone?', chatOf(ada)))
    })

    it.each([undefined, null, 5, true, {}, [], '', ' ', 'a.b', 'a/b', 'a b', 'é', 'a\n', 'x'.repeat(65)])(
      'what is no id is told to be none: %j',
      async (id) => {
        const client = await (await start(engine)).connect()
        const invalid = '{"event":"error","detail":"invalid chat_id"}'
        client.send({ type: 'attach', chat_id: id })
        client.send({ type: 'message', chat_id: id, content: 'x' })
        client.send('still there?')
        await client.next('message')
        expect(client.texts.slice(1, 3)).toEqual([invalid, invalid])
      },
    )

    it.each(['x'.repeat(64), 'A:b_c-9'])('what could be one is only denied: %s', async (id) => {
      const client = await (await start(engine)).connect()
      expect(await reply(client, { type: 'attach', chat_id: id })).toMatchObject({ detail: 'access_denied' })
    })
  })

  it.each([undefined, null, '', '  \n', 5, {}, ['x']])('missing content is told: %j', async (content) => {
    const client = await (await start(engine)).connect()
    const id = chatOf(client)
    expect(await reply(client, { type: 'message', chat_id: id, content, text: 'x' })).toEqual({
      event: 'error',
      chat_id: id,
      detail: 'missing content',
    })
    expect((await reply(client, 'still there?')).text).toBe(told('still there?', id))
  })

  it.each(['x', '', 'New_chat', 'constructor', '__proto__', 'toString', '"é\u0000', 'x'.repeat(10_000)])(
    'an unknown type is told: %j',
    async (type) => {
      const client = await (await start(engine)).connect()
      const detail = `unknown type: '${type}'`
      expect(await reply(client, { type, content: 'x' })).toEqual({ event: 'error', detail })
      expect((await reply(client, 'still there?')).event).toBe('message')
    },
  )

  it('without it, objects with a type are messages as ever', async () => {
    const client = await (await AgentServer.start(engine, { streaming: false }, telling)).connect()
    const id = chatOf(client)
    for (const [i, envelope] of [
      { type: 'message', chat_id: INVENTED, content: 'x' },
      { type: 'new_chat', content: 'x' },
      { type: 'attach', chat_id: id, text: 'x' },
    ].entries()) {
      expect(await reply(client, envelope)).toEqual({ event: 'message', text: told('x', id, i) })
    }
    // There is nothing in these.
    for (const type of ['new_chat', 'attach', 'message', 'nope']) client.send({ type, chat_id: id })
    expect((await reply(client, 'x')).text).toBe(told('x', id, 3))
    expect(client.frames.length).toBe(5)
  })

  it('a connection has so many at most', async () => {
    const server = await start(engine, { maxChatsPerClient: 2 })
    const client = await server.connect('client_id=ada')
    const second = await server.connect('client_id=ada')
    const third = await newChat(client)
    expect(await reply(client, { type: 'new_chat' })).toEqual({ event: 'error', detail: 'too_many_chats' })
    expect((await reply(client, { type: 'attach', chat_id: chatOf(second) })).event).toBe('error')
    expect((await reply(client, { type: 'message', chat_id: chatOf(second), content: 'x' })).event).toBe('error')
    expect((await reply(client, { type: 'attach', chat_id: third })).event).toBe('attached')
    expect((await reply(second, 'x')).text).toBe(told('x', chatOf(second)))
    expect((await reply(client, { type: 'message', chat_id: third, content: 'x' })).text).toBe(told('x', third))
  })

  it('chats are answered beside each other, and each in its order', async () => {
    const gate = deferred()
    const agent = agentOf(async (_session, text) => {
      if (text === 'slow') await gate.promise
      return text
    })
    const client = await (await AgentServer.start(engine, { multiChat: true, streaming: false }, agent)).connect()
    const other = await newChat(client)
    for (const content of ['slow', 'behind']) client.send({ type: 'message', chat_id: other, content })
    for (let i = 0; i < 5; i++) expect((await reply(client, `${i}`)).text).toBe(`${i}`)
    gate.resolve()
    expect([(await client.one()).text, (await client.one()).text]).toEqual(['slow', 'behind'])
  })

  describe('when the last connection has left', () => {
    it('a chat waits, goes on, and is there for who comes back', async () => {
      const gate = deferred()
      const done = deferred()
      const closed: Session[] = []
      const agent = agentOf(
        async ({ history }, text) => {
          if (text === 'slow') {
            await gate.promise
            done.resolve()
          }
          return `${text} ${history.length}`
        },
        { sessionClosed: (session) => closed.push(session) },
      )
      const server = await AgentServer.start(engine, { multiChat: true, streaming: false }, agent)
      const client = await server.connect('client_id=ada')
      const id = chatOf(client)
      await reply(client, 'x')
      await client.close()
      const again = await server.connect('client_id=ada')
      expect((await reply(again, { type: 'attach', chat_id: id })).event).toBe('attached')
      expect((await reply(again, { type: 'message', chat_id: id, content: 'y' })).text).toBe('y 2')
      expect(closed).toEqual([])
    })

    it('a chat is over behind its grace', async () => {
      const closed: string[] = []
      const all = deferred()
      const agent = agentOf((_session, text) => text, {
        sessionClosed: ({ chatId }) => {
          closed.push(chatId)
          if (closed.length === 2) all.resolve()
        },
      })
      const server = await AgentServer.start(engine, { multiChat: true, resumeS: 0.2 }, agent)
      const client = await server.connect('client_id=ada')
      const ids = [chatOf(client), await newChat(client)]
      const stays = await server.connect('client_id=ada')
      client.cut()
      await patiently(all.promise, () => `${closed.length} are over`)
      expect(closed.toSorted()).toEqual(ids.toSorted())
      for (const id of ids) {
        expect(await reply(stays, { type: 'attach', chat_id: id })).toMatchObject({ detail: 'access_denied' })
      }
    })
  })

  it('with ?resume, each chat has numbers of its own, and what is said twice is asked once', async () => {
    const asked: string[] = []
    const agent = agentOf((_session, text) => {
      asked.push(text)
      return text
    })
    const server = await AgentServer.start(engine, { multiChat: true, streaming: false }, agent)
    const client = await server.connect('client_id=ada&resume=1')
    const other = await newChat(client)
    const say = (id: string, chat: string, content: string): void =>
      client.send({ type: 'message', id, chat_id: chat, content })
    for (const [id, content] of [
      ['m1', '1'],
      ['m1', '1'],
      ['m2', '2'],
    ] as const) {
      say(id, other, content)
    }
    say('m1', chatOf(client), '3')
    const heard = [await client.one(), await client.one(), await client.one()]
    // In order within a chat.
    const of = (own: boolean): unknown[] =>
      heard.filter(({ chat_id: id }) => (id === other) === own).map(({ text, index }) => [text, index])
    expect([of(true), of(false)]).toEqual([
      [
        ['1', 1],
        ['2', 2],
      ],
      [['3', 1]],
    ])
    expect(asked).toEqual(['1', '2', '3'])
  })
})
