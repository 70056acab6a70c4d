import { randomInt } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Agent, Session } from '../../include-types/agent.ts'
import { Bursts } from '../../lib/agent/bursts.ts'
import { Chat } from '../../lib/agent/chat.ts'
import { Chats } from '../../lib/agent/chats.ts'
import { Kept, Ledger } from '../../lib/agent/kept.ts'
import { Turns } from '../../lib/agent/turns.ts'
import { ManualClock } from '../../lib/engine/memory.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { AgentClient, agentOf, AgentServer, type Frame } from '../support/agent.ts'
import { deferred } from '../support/memory.ts'
import { patiently } from '../support/patience.ts'
import { engines } from '../support/server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const CHAT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ID = 'client_id=ada'

const freed: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const free of freed.splice(0)) await free()
})

/** The first frame of a client. */
const readyOf = ({ frames }: AgentClient): Frame => frames[0] ?? { event: 'none' }
const chatOf = (client: AgentClient): string => readyOf(client).chat_id ?? ''
const indexes = ({ frames }: AgentClient): unknown[] => frames.slice(1).map(({ index }) => index)
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** What was asked, and which chats are over. */
function watched(agent: Agent) {
  const asked: string[] = []
  const closed: Session[] = []
  let wake = (): void => {}
  const whole: Agent = {
    ...agent,
    reply: (session, text, context) => {
      asked.push(text)
      return agent.reply(session, text, context)
    },
    sessionClosed: (session) => {
      closed.push(session)
      wake()
    },
  }
  const whenClosed = async (count: number): Promise<void> => {
    while (closed.length < count) {
      await patiently(new Promise<void>((resolve) => (wake = resolve)), () => `${closed.length} of ${count} are over`)
    }
  }
  return { agent: whole, asked, closed, whenClosed }
}

/** Says numbers, so many as it is asked for. */
const counting = agentOf(async function* (_session, text) {
  for (let i = 1; i <= Number(text); i++) {
    yield `${i} `
    await turn()
  }
})

/** Waits until a client has so many frames beside READY. */
async function until(client: AgentClient, count: number): Promise<void> {
  while (client.frames.length < count + 1) await client.one()
}

/** A client that goes on wherever its connection ends, and asks again what may not have arrived. */
class Follower {
  readonly #port: number
  #client: AgentClient | null = null
  chat = ''
  /** All that it has heard, as it came, but for READY. */
  readonly texts: string[] = []
  readonly frames: Frame[] = []
  connections = 0
  /** Came back to another chat, or to less than it was. */
  lost = 0
  #question: { readonly id: string; readonly content: string } | null = null
  /** Milliseconds without a frame, after which it takes its connection for dead. */
  readonly #patience = 300

  constructor(port: number) {
    this.#port = port
  }

  async #open(): Promise<AgentClient> {
    for (;;) {
      const query = this.chat === '' ? 'resume=1' : `resume=${this.chat}&index=${this.texts.length}`
      const client = new AgentClient(`ws://127.0.0.1:${this.#port}/?${ID}&${query}`)
      this.connections++
      try {
        const ready = await this.#next(client)
        if (this.chat !== '' && (ready.resumed !== true || ready.chat_id !== this.chat)) this.lost++
        if (ready.index !== this.texts.length) this.lost++
        this.chat = ready.chat_id ?? ''
        if (this.#question !== null) client.send(this.#question)
        return client
      } catch {
        client.cut()
      }
    }
  }

  /** The next frame, or the end: of the connection, or of patience. */
  async #next(client: AgentClient): Promise<Frame> {
    const silence = setTimeout(() => client.cut(), this.#patience)
    try {
      return await client.one()
    } finally {
      clearTimeout(silence)
    }
  }

  /** The answer to something. */
  async ask(id: string, content: string): Promise<string> {
    this.#question = { id, content }
    this.#client?.send(this.#question)
    let text = ''
    for (;;) {
      this.#client ??= await this.#open()
      try {
        const frame = await this.#next(this.#client)
        this.frames.push(frame)
        this.texts.push(this.#client.texts[this.#client.frames.indexOf(frame)] ?? '')
        text += frame.text ?? ''
        if (frame.event === 'stream_end') return text
      } catch {
        this.#client.cut()
        this.#client = null
      }
    }
  }

  cut(): void {
    this.#client?.cut()
  }
}

describe.each(engines)('a chat that can be gone on with, on %s', (engine) => {
  it('says so, and counts its frames', async () => {
    const server = await AgentServer.start(engine)
    const client = await server.connect(`${ID}&resume=1`)
    expect(client.texts[0]).toMatch(
      /^\{"event":"ready","chat_id":"[0-9a-f-]{36}","client_id":"ada","resumed":false,"index":0\}$/,
    )
    expect(chatOf(client)).toMatch(CHAT_ID)
    await client.ask('Hello you')
    await client.ask('again')
    expect(indexes(client)).toEqual([1, 2, 3, 4, 5])
    expect(client.texts[1]).toMatch(/^\{"event":"delta","text":"Hello ","stream_id":"[^"]+","index":1\}$/)
  })

  it.each(['', 'resume=', 'index=3'])('is none by default: %j', async (query) => {
    const server = await AgentServer.start(engine)
    const client = await server.connect(`${ID}&${query}`)
    await client.ask('Hello')
    expect(Object.keys(readyOf(client))).toEqual(['event', 'chat_id', 'client_id'])
    for (const frame of client.frames) expect('index' in frame || 'resumed' in frame).toBe(false)
  })

  it('gives back what was missed, byte for byte, and goes on behind it', async () => {
    const server = await AgentServer.start(engine, {}, counting)
    const client = await server.connect(`${ID}&resume=1`)
    await client.ask('20')
    for (const from of [0, 1, 7, 20, 21]) {
      const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=${from}`)
      expect(readyOf(again)).toEqual({
        event: 'ready',
        chat_id: chatOf(client),
        client_id: 'ada',
        resumed: true,
        index: from,
      })
      await until(again, 21 - from)
      expect(again.texts.slice(1)).toEqual(client.texts.slice(1 + from, 22))
      await again.close()
    }
    const last = await server.connect(`${ID}&resume=${chatOf(client)}&index=20`)
    last.send('1')
    await until(last, 3)
    expect(indexes(last)).toEqual([21, 22, 23])
  })

  it.each(['', '&index=', '&index=-1', '&index=x', '&index=1.5'])(
    'sends nothing again where no number is named: %j',
    async (index) => {
      const server = await AgentServer.start(engine, {}, counting)
      const client = await server.connect(`${ID}&resume=1`)
      await client.ask('3')
      await client.close()
      const again = await server.connect(`${ID}&resume=${chatOf(client)}${index}`)
      expect(readyOf(again)).toMatchObject({ chat_id: chatOf(client), resumed: true, index: 4 })
      await again.ask('1')
      expect(indexes(again)).toEqual([5, 6])
    },
  )

  it('remembers what was said', async () => {
    const agent = agentOf(({ history, state }, text) => {
      state.set(text, true)
      return `${history.length} ${state.size}`
    })
    const server = await AgentServer.start(engine, {}, agent)
    const client = await server.connect(`${ID}&resume=1`)
    await client.ask('1')
    await client.close()
    const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=2`)
    expect(await again.ask('2')).toBe('2 2')
  })

  it('is not there for another client, under another name, or with numbers that it does not have', async () => {
    const server = await AgentServer.start(engine, {}, counting)
    const client = await server.connect(`${ID}&resume=1`)
    await client.ask('3')
    const id = chatOf(client)
    const invented = '00000000-0000-4000-8000-000000000000'
    for (const query of [
      `client_id=eve&resume=${id}&index=0`,
      `client_id=Ada&resume=${id}&index=0`,
      `resume=${id}&index=0`,
      `${ID}&resume=${invented}&index=0`,
      `${ID}&resume=${id.toUpperCase()}&index=0`,
      `${ID}&resume=__proto__&index=0`,
      `${ID}&resume=${'x'.repeat(5000)}`,
    ]) {
      const other = await server.connect(query)
      expect([readyOf(other).resumed, readyOf(other).index, chatOf(other) === id]).toEqual([false, 0, false])
      expect(chatOf(other)).toMatch(CHAT_ID)
      await other.ask('1')
      expect(indexes(other)).toEqual([1, 2])
    }
    // Its own, but nothing has such a number yet.
    const ahead = await server.connect(`${ID}&resume=${id}&index=5`)
    expect(readyOf(ahead)).toMatchObject({ resumed: false })
    expect(indexes(client)).toEqual([1, 2, 3, 4])
  })

  it('a chat that was not made so cannot be gone on with', async () => {
    const server = await AgentServer.start(engine, {}, counting)
    const client = await server.connect(ID)
    await client.ask('3')
    const other = await server.connect(`${ID}&resume=${chatOf(client)}`)
    expect(readyOf(other)).toMatchObject({ resumed: false, index: 0 })
    expect(chatOf(other)).not.toBe(chatOf(client))
    await other.ask('2')
    expect(client.frames.length).toBe(5)
  })

  it('goes on while nobody listens', async () => {
    const gate = deferred()
    const done = deferred()
    const { agent, closed } = watched(
      agentOf(async function* () {
        yield 'before '
        await gate.promise
        for (let i = 0; i < 10; i++) yield `${i} `
        done.resolve()
      }),
    )
    const server = await AgentServer.start(engine, {}, agent)
    const client = await server.connect(`${ID}&resume=1`)
    client.send('go')
    await client.next('delta')
    await client.close()
    gate.resolve()
    await patiently(done.promise, () => 'the agent was stopped')
    const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=1`)
    await until(again, 11)
    expect(readyOf(again)).toMatchObject({ resumed: true, index: 1 })
    expect(
      again.frames
        .slice(1)
        .map(({ text = '' }) => text)
        .join(''),
    ).toBe('0 1 2 3 4 5 6 7 8 9 ')
    expect([indexes(again), closed]).toEqual([upTo(12, 2), []])
  })

  it('also answers what waits', async () => {
    const { agent, asked } = watched(counting)
    const server = await AgentServer.start(engine, {}, agent)
    const client = await server.connect(`${ID}&resume=1`)
    for (let i = 1; i <= 5; i++) client.send(`${i}`)
    await client.next('delta')
    client.cut()
    const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=1`)
    await until(again, 2 + 3 + 4 + 5 + 6 - 1)
    expect([indexes(again), asked]).toEqual([upTo(20, 2), ['1', '2', '3', '4', '5']])
  })

  it('all of its connections get the same frames, whoever asks', async () => {
    const server = await AgentServer.start(engine, {}, counting)
    const first = await server.connect(`${ID}&resume=1`)
    await first.ask('2')
    const query = `${ID}&resume=${chatOf(first)}&index=0`
    const tabs = [first, await server.connect(query), await server.connect(query)]
    for (const [i, tab] of tabs.entries()) {
      tab.send('5')
      await Promise.all(tabs.map((one) => until(one, 3 + 6 * (i + 1))))
    }
    for (const tab of tabs) {
      expect(tab.texts.slice(1)).toEqual(first.texts.slice(1))
      expect(indexes(tab)).toEqual(upTo(21))
    }
    await first.close()
    tabs[1]?.cut()
    const [, , last] = tabs
    last?.send('3')
    if (last !== undefined) await until(last, 25)
    const again = await server.connect(query)
    await until(again, 25)
    expect(again.texts.slice(1)).toEqual(last?.texts.slice(1))
  })

  it('connections that come and go take nothing from those that stay', async () => {
    const stop = new AbortController()
    const agent = agentOf(async function* () {
      while (!stop.signal.aborted) {
        yield 'x'.repeat(10)
        await turn()
      }
      yield 'last'
    })
    const server = await AgentServer.start(engine, { maxReplyBytes: '64M' }, agent)
    const client = await server.connect(`${ID}&resume=1`)
    client.send('go')
    await client.next('delta')
    const guest = async (i: number): Promise<void> => {
      for (let j = 0; j < 15; j++) {
        const from = client.frames.length - 1
        const tab = await server.connect(`${ID}&resume=${chatOf(client)}&index=${from}`)
        await until(tab, 5)
        const got = indexes(tab)
        expect([readyOf(tab).resumed, got]).toEqual([true, upTo(from + got.length, from + 1)])
        if ((i + j) % 2 === 0) tab.cut()
        else await tab.close()
      }
    }
    await Promise.all([guest(0), guest(1), guest(2)])
    stop.abort()
    await client.next('stream_end')
    expect(indexes(client)).toEqual(upTo(client.frames.length - 1))
  })

  it.each(['cut', 'close'] as const)('a connection that ends takes no answer from another (%s)', async (how) => {
    const server = await AgentServer.start(
      engine,
      { streaming: false },
      agentOf((_session, text) => text),
    )
    const client = await server.connect(`${ID}&resume=1`)
    for (let i = 1; i <= 30; i++) {
      const tab = await server.connect(`${ID}&resume=${chatOf(client)}`)
      // Both come at once.
      client.send(`${i}`)
      if (how === 'cut') tab.cut()
      else tab.ws.close()
      const { text, index } = await client.one()
      expect([text, index]).toEqual([`${i}`, i])
    }
  })

  it('20 cuts at any byte, of all kinds, take nothing away', async () => {
    const { agent, asked } = watched(
      agentOf(async function* (_session, text) {
        for (let i = 0; i < 60; i++) {
          yield `${text} ${i} é\u{1F600} `
          await turn()
        }
      }),
    )
    const server = await AgentServer.start(engine, {}, agent)
    const proxy = await TcpProxy.open(server.port)
    freed.push(() => proxy.close())
    const seed = randomInt(2 ** 31)
    const cut = fc.record({
      by: fc.constantFrom('rst' as const, 'fin' as const, 'silence' as const),
      after: fc.integer({ min: 1, max: 5000 }),
    })
    const follower = new Follower(proxy.port)
    freed.push(() => follower.cut())
    proxy.cuts.push(...fc.sample(cut, { seed, numRuns: 20 }))
    const questions: string[] = []
    while (follower.connections <= 20) {
      const question = `q${questions.length}`
      questions.push(question)
      const expected = upTo(60).map((i) => `${question} ${i - 1} é\u{1F600} `)
      expect(await follower.ask(question, question), `seed ${seed}`).toBe(expected.join(''))
    }
    expect(follower.lost, `seed ${seed}`).toBe(0)
    expect(follower.frames.map(({ index }) => index)).toEqual(upTo(61 * questions.length))
    // Nothing was asked twice, though it was said more often.
    expect(asked).toEqual(questions)
    const reader = await server.connect(`${ID}&resume=${follower.chat}&index=0`)
    await until(reader, follower.texts.length)
    expect(reader.texts.slice(1)).toEqual(follower.texts)
  })

  describe('that nobody comes back to', () => {
    it('is over after resumeS, and what runs is told', async () => {
      const ended = deferred<boolean>()
      const { agent, closed, whenClosed } = watched(
        agentOf(async function* (_session, _text, { signal }) {
          yield 'a'
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
          ended.resolve(signal.aborted)
        }),
      )
      const server = await AgentServer.start(engine, { resumeS: 0.5 }, agent)
      const client = await server.connect(`${ID}&resume=1`)
      client.send('go')
      await client.next('delta')
      const before = performance.now()
      client.cut()
      await whenClosed(1)
      const took = performance.now() - before
      expect(took).toBeGreaterThan(480)
      expect(took).toBeLessThan(1500)
      expect([await patiently(ended.promise, () => 'not told'), closed[0]?.chatId]).toEqual([true, chatOf(client)])
      const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=0`)
      expect(readyOf(again)).toMatchObject({ resumed: false, index: 0 })
      expect(chatOf(again)).not.toBe(chatOf(client))
    })

    it('is over at once where resumeS is 0', async () => {
      const { agent, whenClosed } = watched(counting)
      const server = await AgentServer.start(engine, { resumeS: 0 }, agent)
      const client = await server.connect(`${ID}&resume=1`)
      client.cut()
      await whenClosed(1)
      const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=0`)
      expect(readyOf(again)).toMatchObject({ resumed: false, index: 0 })
    })

    it('is not over while one of two is there', async () => {
      const { agent, closed, whenClosed } = watched(counting)
      const server = await AgentServer.start(engine, { resumeS: 0 }, agent)
      const first = await server.connect(`${ID}&resume=1`)
      const second = await server.connect(`${ID}&resume=${chatOf(first)}&index=0`)
      await first.close()
      // Whoever comes and goes meanwhile is over before.
      const other = await server.connect('client_id=other&resume=1')
      await other.close()
      await whenClosed(1)
      expect(closed[0]?.clientId).toBe('other')
      expect(await second.ask('2')).toBe('1 2 ')
    })

    it('has to go where too many wait: the oldest first', async () => {
      const { agent, closed, whenClosed } = watched(counting)
      const server = await AgentServer.start(engine, { resumeChats: 2 }, agent)
      const clients: AgentClient[] = []
      for (const name of ['a', 'b', 'c', 'd']) clients.push(await server.connect(`client_id=${name}&resume=1`))
      for (const [i, client] of clients.entries()) {
        // In this order, also at the server: each asks before it goes, and the next when that is over.
        await client.ask('1')
        await client.close()
        if (i >= 2) await whenClosed(i - 1)
      }
      expect(closed.map(({ clientId }) => clientId)).toEqual(['a', 'b'])
      for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
        const client = clients[i]
        if (client === undefined) continue
        const again = await server.connect(`client_id=${name}&resume=${chatOf(client)}&index=0`)
        expect(readyOf(again).resumed).toBe(i >= 2)
      }
    })

    it('cannot wait at all where resumeChats is 0', async () => {
      const { agent, whenClosed } = watched(counting)
      const server = await AgentServer.start(engine, { resumeChats: 0 }, agent)
      const client = await server.connect(`${ID}&resume=1`)
      client.cut()
      await whenClosed(1)
    })
  })

  it('frames that are gone are not sent again, and that is said', async () => {
    const server = await AgentServer.start(engine, { resumeBytes: '4K' }, counting)
    const client = await server.connect(`${ID}&resume=1`)
    await client.ask('200')
    const back = async (index: number): Promise<AgentClient> =>
      server.connect(`${ID}&resume=${chatOf(client)}&index=${index}`)
    const gone = await back(0)
    expect(readyOf(gone)).toMatchObject({ chat_id: chatOf(client), resumed: false, index: 201 })
    const near = await back(195)
    await until(near, 6)
    expect([readyOf(near).resumed, readyOf(near).index, indexes(near)]).toEqual([true, 195, upTo(201, 196)])
    client.send('1')
    await until(gone, 2)
    expect(indexes(gone)).toEqual([202, 203])
  })

  it('keeps little for all together: what was said longest ago goes first', async () => {
    const server = await AgentServer.start(engine, { resumeBytes: '8K' }, counting)
    const [old, quiet] = [
      await server.connect(`client_id=old&resume=1`),
      await server.connect(`client_id=new&resume=1`),
    ]
    await old.ask('20')
    await quiet.ask('50')
    const back = async (name: string, client: AgentClient): Promise<unknown> =>
      readyOf(await server.connect(`client_id=${name}&resume=${chatOf(client)}&index=0`)).resumed
    expect([await back('old', old), await back('new', quiet)]).toEqual([false, true])
  })

  describe('messages with an id', () => {
    it('are asked once, on whatever connection they are said again', async () => {
      const { agent, asked } = watched(counting)
      const server = await AgentServer.start(engine, {}, agent)
      const client = await server.connect(`${ID}&resume=1`)
      for (const id of ['m1', 'm1', 'm2']) client.send({ id, content: id === 'm1' ? '1' : '2' })
      const again = await server.connect(`${ID}&resume=${chatOf(client)}&index=0`)
      again.send({ id: 'm1', text: '1' })
      again.send({ id: 'm3', message: '3' })
      await until(again, 2 + 3 + 4)
      expect(asked).toEqual(['1', '2', '3'])
    })

    it('that are not the same are asked each, however long', async () => {
      const { agent, asked } = watched(counting)
      const server = await AgentServer.start(engine, {}, agent)
      const client = await server.connect(`${ID}&resume=1`)
      for (const id of [`${'x'.repeat(200)}1`, `${'x'.repeat(200)}2`]) client.send({ id, content: '1' })
      client.send('2')
      await client.next('stream_end')
      while ((await client.next('delta')).text !== '2 ');
      expect(asked).toEqual(['1', '1', '2'])
    })

    it.each([5, '', null, {}, true])('an id that is none does not count: %j', async (id) => {
      const { agent, asked } = watched(counting)
      const server = await AgentServer.start(engine, {}, agent)
      const client = await server.connect(`${ID}&resume=1`)
      for (const content of ['1', '1']) client.send({ id, content })
      await until(client, 4)
      expect(asked).toEqual(['1', '1'])
    })

    it('in other chats mean nothing', async () => {
      const { agent, asked } = watched(counting)
      const server = await AgentServer.start(engine, {}, agent)
      const client = await server.connect(ID)
      for (let i = 0; i < 2; i++) client.send({ id: 'm1', content: '1' })
      await until(client, 4)
      const others = [await server.connect(`${ID}&resume=1`), await server.connect(`${ID}&resume=1`)]
      for (const other of others) {
        other.send({ id: 'm1', content: '1' })
        await until(other, 2)
      }
      expect(asked).toEqual(['1', '1', '1', '1'])
    })

    it('that were dropped can be said again', async () => {
      const gate = deferred()
      const { agent, asked } = watched(
        agentOf(async (_session, text) => {
          await gate.promise
          return text
        }),
      )
      const server = await AgentServer.start(engine, { maxQueuedPerChat: 1, streaming: false }, agent)
      const client = await server.connect(`${ID}&resume=1`)
      for (const id of ['a', 'b', 'c']) client.send({ id, content: id })
      expect((await client.one()).error).toEqual({ code: 'queue_full' })
      gate.resolve()
      await until(client, 3)
      client.send({ id: 'c', content: 'c' })
      await until(client, 4)
      expect(asked).toEqual(['a', 'b', 'c'])
    })
  })
})

describe('chats that wait', () => {
  const [route] = checkConfig({ channels: { websocket: { enabled: true, port: 0 } } }, '/').routes
  const settings = route?.channel?.settings

  function rooms(resumeFor: number, resumeChats: number) {
    const clock = new ManualClock()
    const over: string[] = []
    const agent = agentOf(() => '', { sessionClosed: ({ chatId }) => over.push(chatId) })
    if (settings === undefined) throw new Error('no channel')
    const shared = {
      settings,
      agent,
      clock,
      turns: new Turns(1),
      ledger: new Ledger(Infinity),
      bursts: new Bursts(clock),
      topics: () => null,
    }
    const limits = { resumeFor, resumeChats }
    const chats = new Chats(clock, () => limits)
    const add = (id: string): Chat => {
      const chat = new Chat(shared, { id, clientId: 'ada', remote: '::1', resumable: true })
      chats.add(chat)
      return chat
    }
    return { clock, over, limits, chats, add }
  }

  it('go at their time, each, not before', () => {
    const { clock, over, chats, add } = rooms(1000, 10)
    const [a, b, c] = [add('a'), add('b'), add('c')]
    chats.leave(a)
    clock.advance(400)
    chats.leave(b)
    chats.leave(c)
    clock.advance(599)
    expect([over, chats.size, chats.waiting]).toEqual([[], 3, 3])
    clock.advance(1)
    expect([over, chats.find('a', 'ada'), chats.find('b', 'ada')]).toEqual([['a'], null, b])
    clock.advance(399)
    expect(over).toEqual(['a'])
    clock.advance(1)
    expect([over, chats.size, chats.waiting, clock.timers]).toEqual([['a', 'b', 'c'], 0, 0, 0])
  })

  it('stay when somebody comes, and wait anew when they go', () => {
    const { clock, over, chats, add } = rooms(1000, 10)
    const a = add('a')
    chats.leave(a)
    clock.advance(999)
    chats.return(a)
    clock.advance(5000)
    expect([over, chats.waiting]).toEqual([[], 0])
    chats.leave(a)
    clock.advance(999)
    expect(over).toEqual([])
    clock.advance(1)
    expect(over).toEqual(['a'])
  })

  it('are so many at most', () => {
    const { over, chats, add } = rooms(1000, 2)
    for (const id of ['a', 'b', 'c', 'd']) chats.leave(add(id))
    expect([over, chats.size]).toEqual([['a', 'b'], 2])
  })

  it('are over when all are, once', () => {
    const { clock, over, chats, add } = rooms(1000, 10)
    chats.leave(add('a'))
    add('b')
    chats.close()
    chats.close()
    clock.advance(5000)
    expect([over, chats.size, chats.waiting, clock.timers]).toEqual([['a', 'b'], 0, 0, 0])
  })

  it('go by the time that they were given, also when later ones get less', () => {
    const { clock, over, limits, chats, add } = rooms(60_000, 10)
    chats.leave(add('long'))
    limits.resumeFor = 1000
    chats.leave(add('short'))
    clock.advance(1000)
    expect(over).toEqual(['short'])
    clock.advance(59_000)
    expect(over).toEqual(['short', 'long'])
  })
})

/** Characters that a frame counts beside its own. */
const OVERHEAD = 64

describe('what is kept', () => {
  it('has numbers from 1 on, and gives back what came behind one', () => {
    const kept = new Kept(new Ledger(Infinity))
    expect([kept.last, kept.next, kept.after(0), kept.after(1)]).toEqual([0, 1, [], null])
    for (const frame of ['a', 'b', 'c']) kept.add(frame)
    expect([kept.last, kept.next]).toEqual([3, 4])
    expect([0, 1, 2, 3, 4, -1].map((index) => kept.after(index))).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
      ['c'],
      [],
      null,
      null,
    ])
  })

  it('is bounded, also where one frame is too much', () => {
    const kept = new Kept(new Ledger(100))
    kept.add('x'.repeat(101))
    expect([kept.last, kept.after(0), kept.after(1)]).toEqual([1, null, []])
    kept.add('y')
    expect(kept.after(1)).toEqual(['y'])
  })

  it('is what a simple model of it keeps', () => {
    const command = fc.oneof(
      { weight: 20, arbitrary: fc.record({ how: fc.constant('add' as const), who: fc.nat(3), size: fc.nat(60) }) },
      { weight: 3, arbitrary: fc.record({ how: fc.constant('drop' as const), who: fc.nat(3), size: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ how: fc.constant('clear' as const), who: fc.nat(3), size: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ how: fc.constant('limit' as const), who: fc.nat(3), size: fc.nat(2000) }) },
    )
    fc.assert(
      fc.property(fc.nat(2000), fc.array(command, { maxLength: 100 }), (limit, commands) => {
        const ledger = new Ledger(limit)
        const real = Array.from({ length: 4 }, () => new Kept(ledger))
        /** Each with all frames ever, how many of the first are gone, and when it last had one. */
        const model = real.map(() => ({ frames: new Array<string>(), gone: 0, at: -1 }))
        const sizeOf = (frames: readonly string[]): number =>
          frames.reduce((sum, frame) => sum + frame.length + OVERHEAD, 0)
        const total = (): number => model.reduce((sum, { frames, gone }) => sum + sizeOf(frames.slice(gone)), 0)
        for (const [at, { how, who, size }] of commands.entries()) {
          const [kept, own] = [real[who], model[who]]
          if (kept === undefined || own === undefined) continue
          const frame = `${at}`.padEnd(size)
          if (how === 'limit') ledger.limit = size
          else if (how === 'clear') {
            kept.clear()
            own.gone = own.frames.length
          } else if (how === 'drop') {
            const oldest = own.frames[own.gone]
            expect(kept.drop()).toBe(oldest === undefined ? 0 : oldest.length + OVERHEAD)
            if (oldest !== undefined) own.gone++
          } else {
            kept.add(frame)
            own.frames.push(frame)
            own.at = at
            const oldest = [...model].toSorted((a, b) => a.at - b.at)
            for (const one of oldest) while (total() > ledger.limit && one.gone < one.frames.length) one.gone++
          }
          for (const [i, { frames, gone }] of model.entries()) {
            const { length } = frames
            expect([real[i]?.last, real[i]?.next]).toEqual([length, length + 1])
            expect(real[i]?.after(gone)).toEqual(frames.slice(gone))
            expect(real[i]?.after(length)).toEqual([])
            expect(real[i]?.after(length + 1)).toBeNull()
            if (gone > 0) expect(real[i]?.after(gone - 1)).toBeNull()
          }
        }
      }),
    )
  })

  it('does not grow with what has gone', () => {
    const kept = new Kept(new Ledger(100 * (OVERHEAD + 5)))
    for (let i = 0; i < 20_000; i++) kept.add(`${i}`.padStart(5))
    expect(kept.after(19_900)?.length).toBe(100)
    expect(kept.after(19_990)).toEqual(upTo(19_999, 19_990).map(String))
    expect([kept.after(19_899), kept.last]).toEqual([null, 20_000])
  })
})
