import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Agent, Chunk, ReplyFunction, Session, TurnContext } from '../../include-types/agent.ts'
import { Failure, type FailureCode, textOf } from '../../lib/agent/failure.ts'
import { type AgentClient, agentOf, AgentServer, type Frame } from '../support/agent.ts'
import { hush, LogLines } from '../support/log-lines.ts'
import { deferred } from '../support/memory.ts'
import { patiently } from '../support/patience.ts'
import { engines } from '../support/server.ts'

const MARK = 'that is all'

/** Streams by the order in which they come: what they are called is of no interest. */
function plain(frames: readonly Frame[]): Frame[] {
  const names = new Map<string, string>()
  return frames.map((frame) => {
    const { stream_id: id } = frame
    if (id === undefined) return frame
    if (!names.has(id)) names.set(id, `s${names.size + 1}`)
    return { ...frame, stream_id: names.get(id) ?? '' }
  })
}

/** The same agent, which can be asked for a mark behind whatever it has said. */
const marking = (reply: ReplyFunction): Agent =>
  agentOf((session, text, context) => (text === MARK ? MARK : reply(session, text, context)))

/** All frames of the answer to something. */
async function answerOf(client: AgentClient, text = 'go'): Promise<Frame[]> {
  client.send(text)
  client.send(MARK)
  const frames: Frame[] = []
  for (;;) {
    const frame = await client.one()
    if (frame.text === MARK) return plain(frames)
    frames.push(frame)
  }
}

const delta = (text: string, n = 1): Frame => ({ event: 'delta', text, stream_id: `s${n}` })
const end = (n = 1): Frame => ({ event: 'stream_end', stream_id: `s${n}` })
const message = (text: string, more: Record<string, unknown> = {}): Frame => ({ event: 'message', text, ...more })
const failure = (code: FailureCode): Frame => message(textOf(code), { error: { code } })

const list =
  (...chunks: Chunk[]): ReplyFunction =>
  () =>
    chunks
const SEGMENT = { type: 'segment' } as const

/** What an agent says, and the frames with and without streams. */
const MAPPING: [string, ReplyFunction, Frame[], Frame[]][] = [
  ['chunks', list('a ', 'b'), [delta('a '), delta('b'), end()], [message('a b')]],
  ['empty chunks', list('', 'a', '', 'b', ''), [delta('a'), delta('b'), end()], [message('ab')]],
  ['no chunks', list(), [end()], [message('')]],
  ['only empty chunks', list('', ''), [end()], [message('')]],
  ['two segments', list('a', SEGMENT, 'b'), [delta('a'), end(), delta('b', 2), end(2)], [message('ab')]],
  ['an empty segment first', list(SEGMENT, 'a'), [end(), delta('a', 2), end(2)], [message('a')]],
  ['an empty segment last', list('a', SEGMENT), [delta('a'), end(), end(2)], [message('a')]],
  [
    'empty segments between',
    list('a', SEGMENT, SEGMENT, 'b'),
    [delta('a'), end(), end(2), delta('b', 3), end(3)],
    [message('ab')],
  ],
  ['a string', () => 'a b', [delta('a b'), end()], [message('a b')]],
  ['an empty string', () => '', [end()], [message('')]],
  ['nothing', () => undefined, [end()], [message('')]],
  ['a promise', async () => 'a b', [delta('a b'), end()], [message('a b')]],
  ['a promise of an empty string', async () => '', [end()], [message('')]],
  ['a promise of nothing', async () => undefined, [end()], [message('')]],
  [
    'a generator',
    function* () {
      yield 'a'
      yield 'b'
    },
    [delta('a'), delta('b'), end()],
    [message('ab')],
  ],
  [
    'an async generator',
    async function* () {
      yield 'a'
      await turn()
      yield 'b'
    },
    [delta('a'), delta('b'), end()],
    [message('ab')],
  ],
  [
    'a message between',
    list('a', { type: 'message', text: 'note' }, 'b'),
    [delta('a'), message('note'), delta('b'), end()],
    [message('note'), message('ab')],
  ],
  ['only a message', list({ type: 'message', text: 'note' }), [message('note'), end()], [message('note'), message('')]],
  [
    'a message with all that it can have',
    list({ type: 'message', text: 'x', media: ['/a.png', '/é'], replyTo: 'm1' }),
    [message('x', { media: ['/a.png', '/é'], reply_to: 'm1' }), end()],
    [message('x', { media: ['/a.png', '/é'], reply_to: 'm1' }), message('')],
  ],
  [
    'progress, thoughts and their cost',
    list({ type: 'reasoning', text: 'hm' }, { type: 'progress', text: 'looking', kind: 'tool_hint' }, 'a', {
      type: 'usage',
      totalTokens: 3,
    }),
    [delta('a'), end()],
    [message('a')],
  ],
  [
    'one that throws',
    () => {
      throw new Error('on purpose')
    },
    [failure('agent_error')],
    [failure('agent_error')],
  ],
  [
    'one that rejects',
    () => Promise.reject(new Error('on purpose')),
    [failure('agent_error')],
    [failure('agent_error')],
  ],
  [
    'one that throws in the middle',
    function* () {
      yield 'Par'
      throw new Error('on purpose')
    },
    [delta('Par'), end(), failure('agent_error')],
    [failure('agent_error')],
  ],
  [
    'one that throws between segments',
    async function* () {
      yield 'a'
      yield SEGMENT
      throw new Error('on purpose')
    },
    [delta('a'), end(), failure('agent_error')],
    [failure('agent_error')],
  ],
]

/** Texts of clients, and of those who wait. */
async function drain(client: AgentClient, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) texts.push((await client.answer()).text)
  return texts
}

/** An agent whose answers are let go one by one. */
function gated(more: Partial<Agent> = {}) {
  const asked: { readonly text: string; readonly session: Session; readonly signal: AbortSignal }[] = []
  const gates: (() => void)[] = []
  let wake = (): void => {}
  const agent = agentOf(async (session, text, { signal }) => {
    const gate = deferred()
    asked.push({ text, session, signal })
    gates.push(gate.resolve)
    wake()
    await gate.promise
    return text
  }, more)
  /** Waits until so many were asked. */
  const until = async (count: number): Promise<void> => {
    while (asked.length < count) {
      const next = new Promise<void>((resolve) => (wake = resolve))
      await patiently(next, () => `asked ${asked.length} of ${count}`)
    }
  }
  return { agent, asked, gates, until }
}

const aborted = (signal: AbortSignal): Promise<unknown> =>
  patiently(
    new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve())
    }),
    () => 'not aborted',
  )

describe.each(engines)('turns of the agent channel on %s', (engine) => {
  it.each(MAPPING)('with streams: %s', async (_what, reply, frames) => {
    hush()
    const client = await (await AgentServer.start(engine, {}, marking(reply))).connect()
    expect(await answerOf(client)).toEqual(frames)
  })

  it.each(MAPPING)('without streams: %s', async (_what, reply, _frames, whole) => {
    hush()
    const client = await (await AgentServer.start(engine, { streaming: false }, marking(reply))).connect()
    expect(await answerOf(client)).toEqual(whole)
  })

  it('trap 26: joined deltas are the text, with one stream_end and no message', async () => {
    const texts = ['Hello nanobot!', 'é\u{1F600} \n\t "quoted" \\ \u0000 \u2028', ' ', 'x'.repeat(100_000)]
    const reply = agentOf(function* (_session, text) {
      // Each half of a character for itself.
      for (let at = 0; at < text.length; at += 7) yield text.slice(at, at + 7)
    })
    const client = await (await AgentServer.start(engine, {}, reply)).connect()
    for (const text of texts) {
      client.send({ content: `.${text}.` })
      const { frames, text: joined } = await client.answer()
      expect(joined).toBe(`.${text}.`)
      expect(new Set(frames.slice(0, -1).map(({ event }) => event))).toEqual(new Set(['delta']))
      expect(frames.at(-1)?.event).toBe('stream_end')
      expect(frames.some(({ text: part }) => part === '')).toBe(false)
      expect(new Set(frames.map(({ stream_id: id }) => id)).size).toBe(1)
    }
  })

  it('trap 27: without streams an answer is one message, also of an agent that yields', async () => {
    const client = await (await AgentServer.start(engine, { streaming: false })).connect()
    client.send('Hello nanobot, how are you?')
    expect(await client.ask(MARK)).toBe('Hello nanobot, how are you?')
    expect((await client.one()).text).toBe(MARK)
    expect(client.frames.slice(1)).toEqual([message('Hello nanobot, how are you?'), message(MARK)])
  })

  it('trap 28: the first frame after a request has a text', async () => {
    const reply = list({ type: 'usage', totalTokens: 1 }, { type: 'reasoning', text: 'r' }, '', 'a')
    for (const channel of [{}, { turnEvents: true, reasoning: true, progress: true }, { streaming: false }]) {
      const client = await (await AgentServer.start(engine, channel, agentOf(reply))).connect()
      client.send('go')
      expect(typeof (await client.one()).text).toBe('string')
    }
  })

  it('trap 29: empty media and reply_to are left out, an empty text is not', async () => {
    const reply = list(
      { type: 'message', text: '', media: [], replyTo: '' },
      { type: 'message', text: 'x', media: ['/a'] },
      { type: 'message', text: 'x', replyTo: 'm' },
    )
    const client = await (await AgentServer.start(engine, {}, agentOf(reply))).connect()
    client.send('go')
    await client.next('stream_end')
    expect(client.texts.slice(1, 4)).toEqual([
      '{"event":"message","text":""}',
      '{"event":"message","text":"x","media":["/a"]}',
      '{"event":"message","text":"x","reply_to":"m"}',
    ])
  })

  it('trap 30: each stream has exactly one end, without a text, also in a failure; no stream has the name of another', async () => {
    hush()
    const reply = agentOf(function* (_session, text) {
      yield 'a'
      yield SEGMENT
      yield 'b'
      if (text === 'fail') throw new Error('on purpose')
      yield SEGMENT
      yield 'c'
    })
    const client = await (await AgentServer.start(engine, {}, reply)).connect()
    for (const text of ['one', 'fail', 'two', 'fail']) client.send(text)
    for (let failures = 0; failures < 2;) if ((await client.one()).error !== undefined) failures++
    const open = new Set<unknown>()
    const ended = new Set<unknown>()
    for (const frame of client.frames.slice(1)) {
      const { event, stream_id: id } = frame
      if (event === 'delta') open.add(id)
      if (event !== 'stream_end') continue
      expect([open.has(id), ended.has(id), Object.keys(frame)]).toEqual([true, false, ['event', 'stream_id']])
      ended.add(id)
    }
    expect([open.size, ended.size]).toEqual([10, 10])
  })

  it.each(['reject', 'throw'])('trap 31: a failure is told in a message, and the chat goes on: %s', async (how) => {
    const log = new LogLines()
    const reply: ReplyFunction = (_session, text) => {
      if (text !== 'fail') return text
      const error = new Error('the key sk-1 at https://model.example is wrong')
      if (how === 'throw') throw error
      return Promise.reject(error)
    }
    const client = await (await AgentServer.start(engine, {}, agentOf(reply))).connect()
    client.send('fail')
    await client.next('message')
    expect(client.texts.at(-1)).toBe(
      '{"event":"message","text":"Sorry, I encountered an error.","error":{"code":"agent_error"}}',
    )
    expect(await client.ask('still there?')).toBe('still there?')
    await log.until(/^agent test: turn \S+ failed: .*sk-1/)
    expect(client.texts.join()).not.toMatch(/sk-1|model\.example/)
  })

  it.each<[FailureCode, string]>([
    ['agent_error', 'Sorry, I encountered an error.'],
    ['agent_timeout', 'Sorry, the agent took too long.'],
    ['agent_idle', 'Sorry, the agent took too long.'],
    ['model_unavailable', 'Sorry, the model is not reachable.'],
    ['model_auth', "Sorry, the model rejected the server's credentials."],
    ['model_rate_limited', 'Sorry, the model is busy; try again shortly.'],
    ['model_rejected', 'Sorry, the model rejected the request.'],
    ['empty_response', 'Sorry, the model returned nothing.'],
  ])('what a client is told of %s', async (code, text) => {
    hush()
    const reply: ReplyFunction = async function* (_session, said) {
      if (said === 'late') yield 'Par'
      throw new Failure(code, 'for the log')
    }
    const frame = `{"event":"message","text":${JSON.stringify(text)},"error":{"code":"${code}"}}`
    for (const streaming of [true, false]) {
      const client = await (await AgentServer.start(engine, { streaming }, marking(reply))).connect()
      await answerOf(client, 'early')
      expect(client.texts.slice(1, 2)).toEqual([frame])
      const { length } = client.texts
      const late = await answerOf(client, 'late')
      expect(late.map(({ event }) => event)).toEqual([
        ...(streaming ? ['stream_end', 'delta', 'stream_end'] : []),
        'message',
      ])
      expect(client.texts.slice(length)).toContain(frame)
    }
  })

  it('agent_timeout and agent_idle come by themselves', async () => {
    hush()
    const signals: AbortSignal[] = []
    const reply: ReplyFunction = async function* (_session, text, { signal }) {
      signals.push(signal)
      yield 'a'
      if (text === 'idle') await new Promise(() => {})
      while (!signal.aborted) {
        await turn()
        yield ''
      }
    }
    const busy = await (await AgentServer.start(engine, { agentTimeoutS: 1 }, agentOf(reply))).connect()
    busy.send('busy')
    const idle = await (await AgentServer.start(engine, { idleTimeoutS: 1 }, agentOf(reply))).connect()
    idle.send('idle')
    for (const [client, code] of [
      [busy, 'agent_timeout'],
      [idle, 'agent_idle'],
    ] as const) {
      await client.next('message')
      expect(plain(client.frames.slice(1))).toEqual([delta('a'), end(), failure(code)])
    }
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
  })

  it('an answer that is too long ends as an error', async () => {
    hush()
    const reply = agentOf(function* (_session, text) {
      for (let i = 0; i < Number(text); i++) yield 'é'.repeat(512)
    })
    const client = await (await AgentServer.start(engine, { maxReplyBytes: '4K' }, reply)).connect()
    expect((await client.ask('4')).length).toBe(2048)
    client.send('5')
    const { error } = await client.next('message')
    expect(error).toEqual({ code: 'agent_error' })
    expect(await client.ask('1')).toBe('é'.repeat(512))
  })

  it('trap 32: five quick messages are answered in order, and a slow chat does not delay another', async () => {
    const { agent, gates, asked, until } = gated()
    const server = await AgentServer.start(
      engine,
      {},
      agentOf((session, text, context) => (session.clientId === 'slow' ? agent.reply(session, text, context) : text)),
    )
    const slow = await server.connect('client_id=slow')
    const quick = await server.connect('client_id=quick')
    for (const text of ['1', '2', '3', '4', '5']) slow.send(text)
    await until(1)
    for (let i = 0; i < 20; i++) expect(await quick.ask(`q${i}`)).toBe(`q${i}`)
    expect([asked.length, slow.frames.length]).toEqual([1, 1])
    for (let i = 1; i <= 5; i++) {
      await until(i)
      gates[i - 1]?.()
      expect((await slow.answer()).text).toBe(`${i}`)
    }
    expect(asked.map(({ text }) => text)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('50 messages at once come in order, and none is lost', async () => {
    const server = await AgentServer.start(engine, { maxQueuedPerChat: 50 })
    const client = await server.connect()
    const words = Array.from({ length: 50 }, (_, i) => `word${i} behind it`)
    for (const word of words) client.send(word)
    expect(await drain(client, 50)).toEqual(words)
  })

  it('so many chats are answered at a time; the others wait in the order in which they came', async () => {
    const { agent, asked, gates, until } = gated()
    const server = await AgentServer.start(engine, { maxConcurrentTurns: 2, streaming: false }, agent)
    const clients = [await server.connect(), await server.connect(), await server.connect(), await server.connect()]
    for (const [i, client] of clients.entries()) {
      client.send(`${i} first`)
      client.send(`${i} second`)
      // One after the other: there is an order between connections only where there are two ends.
      if (i < 2) await until(i + 1)
    }
    // What is on its way there has come when this is answered.
    const last = await server.connect('client_id=last')
    expect(asked.map(({ text }) => text)).toEqual(['0 first', '1 first'])
    last.send('last')
    for (let done = 0; done < 9; done++) {
      await until(Math.min(9, done + 2))
      expect(asked.length).toBe(Math.min(9, done + 2))
      gates[done]?.()
    }
    for (const [i, client] of clients.entries()) expect(await drain(client, 2)).toEqual([`${i} first`, `${i} second`])
    expect((await last.answer()).text).toBe('last')
    // Nobody had a second turn before all had their first.
    const texts = asked.map(({ text }) => text)
    expect(texts.slice(0, 4).toSorted()).toEqual(['0 first', '1 first', '2 first', '3 first'])
  })

  it('a chat that ends gives its place to another', async () => {
    const { agent, asked, until } = gated()
    const server = await AgentServer.start(engine, { maxConcurrentTurns: 1 }, agent)
    const first = await server.connect()
    first.send('first')
    await until(1)
    const second = await server.connect()
    second.send('second')
    first.cut()
    await until(2)
    expect(asked.map(({ text }) => text)).toEqual(['first', 'second'])
  })

  it('0 is any number of chats at a time', async () => {
    const { agent, gates, until } = gated()
    const server = await AgentServer.start(engine, { maxConcurrentTurns: 0 }, agent)
    const clients = await Promise.all(Array.from({ length: 40 }, () => server.connect()))
    for (const [i, client] of clients.entries()) client.send(`${i}`)
    await until(40)
    for (const gate of gates) gate()
    expect(await Promise.all(clients.map(async (client) => (await client.answer()).text))).toEqual(
      clients.map((_client, i) => `${i}`),
    )
  })

  it('queue_full: what is too much is dropped, and that is said at once', async () => {
    const { agent, asked, gates, until } = gated()
    const server = await AgentServer.start(engine, { maxQueuedPerChat: 2, streaming: false }, agent)
    const client = await server.connect()
    for (const text of ['1', '2', '3', '4', '5']) client.send(text)
    const full =
      '{"event":"message","text":"Too many messages are waiting; this one was dropped.","error":{"code":"queue_full"}}'
    expect([await client.one(), await client.one()].map(({ error }) => error?.code)).toEqual([
      'queue_full',
      'queue_full',
    ])
    expect(client.texts.slice(1)).toEqual([full, full])
    for (let i = 0; i < 3; i++) {
      await until(i + 1)
      gates[i]?.()
      expect((await client.one()).text).toBe(`${i + 1}`)
    }
    client.send('6')
    await until(4)
    gates[3]?.()
    expect((await client.one()).text).toBe('6')
    expect(asked.map(({ text }) => text)).toEqual(['1', '2', '3', '6'])
  })

  describe('a client that leaves', () => {
    it.each(['cut', 'close'] as const)(
      'trap 33: in the middle of a stream: its agent is told, its chat is gone (%s)',
      async (how) => {
        const log = new LogLines()
        const closed = deferred<Session>()
        const left = deferred<readonly boolean[]>()
        const sessions: Session[] = []
        const agent = agentOf(
          async function* (session, text, { signal }) {
            if (text === 'other') {
              yield text
              return
            }
            sessions.push(session)
            try {
              for (;;) {
                yield 'word '
                await turn()
              }
            } finally {
              left.resolve([signal.aborted])
            }
          },
          { sessionClosed: closed.resolve },
        )
        const server = await AgentServer.start(engine, {}, agent)
        const other = await server.connect()
        const client = await server.connect('client_id=leaver')
        client.send('go')
        client.send('never asked')
        await client.next('delta')
        const before = performance.now()
        if (how === 'cut') client.cut()
        else void client.close()
        expect(await patiently(left.promise, () => 'not left')).toEqual([true])
        expect(performance.now() - before).toBeLessThan(1000)
        expect(await patiently(closed.promise, () => 'no end')).toBe(sessions[0])
        expect(await other.ask('other')).toBe('other')
        expect([sessions.length, log.lines]).toEqual([1, []])
      },
    )

    it('trap 34: an agent that does not care says nothing to anybody', async () => {
      const gate = deferred()
      const agent = agentOf(
        async function* (_session, text) {
          if (text !== 'go') {
            yield text
            return
          }
          yield 'first'
          await gate.promise
          yield 'late'
        },
        {
          sessionClosed: ({ clientId }) => {
            if (clientId === 'careless') throw new Error('on purpose')
          },
        },
      )
      const log = new LogLines()
      const server = await AgentServer.start(engine, {}, agent)
      const [client, other] = [await server.connect('client_id=careless'), await server.connect()]
      client.send('go')
      await client.next('delta')
      client.cut()
      await log.until(/^agent test: sessionClosed failed/)
      gate.resolve()
      expect(await other.ask('still there?')).toBe('still there?')
      expect(other.frames.length).toBe(3)
    })

    it('has a new chat when it comes back, without what was said', async () => {
      const agent = agentOf(({ history, state }, text) => {
        const count = Number(state.get('count') ?? 0) + 1
        state.set('count', count)
        return JSON.stringify([text, count, history.length])
      })
      const server = await AgentServer.start(engine, { streaming: false }, agent)
      const first = await server.connect('client_id=a')
      expect([await first.ask('1'), await first.ask('2')]).toEqual(['["1",1,0]', '["2",2,2]'])
      const other = await server.connect('client_id=a')
      expect(await other.ask('3')).toBe('["3",1,0]')
      await first.close()
      const again = await server.connect('client_id=a')
      expect(await again.ask('4')).toBe('["4",1,0]')
      expect(new Set([first, other, again].map(({ frames }) => frames[0]?.chat_id)).size).toBe(3)
    })
  })

  it('trap 35: an answer for a chat that is gone goes nowhere, and nobody can name one', async () => {
    const { agent, gates, until } = gated()
    const server = await AgentServer.start(engine, {}, agent)
    const [gone, client] = [await server.connect(), await server.connect()]
    gone.send('go')
    await until(1)
    gone.cut()
    const id = gone.frames[0]?.chat_id
    client.send({ type: 'message', chat_id: id, content: 'to another' })
    await until(2)
    for (const gate of gates) gate()
    // Of its own chat: the channel has no others for it.
    expect((await client.answer()).text).toBe('to another')
    expect(client.frames.length).toBe(3)
  })

  describe('what was said', () => {
    const telling = (reply: ReplyFunction = (_session, text) => text): Agent =>
      agentOf((session, text, context) =>
        text === 'history?' ? JSON.stringify(session.history) : reply(session, text, context),
      )
    const historyOf = async (client: AgentClient): Promise<unknown> => JSON.parse(await client.ask('history?'))
    const said = (...turns: [string, string][]) =>
      turns.flatMap(([question, answer]) => [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ])

    it('is told to the agent, without what is said now', async () => {
      const client = await (await AgentServer.start(engine, {}, telling())).connect()
      expect(await historyOf(client)).toEqual([])
      await client.ask('1')
      const first: [string, string] = ['history?', '[]']
      expect(await historyOf(client)).toEqual(said(first, ['1', '1']))
    })

    it('a turn does not see what is said after it', async () => {
      const gate = deferred()
      const seen: number[] = []
      const agent = agentOf(async ({ history }, text) => {
        await gate.promise
        await turn()
        seen.push(history.length)
        return text
      })
      const client = await (await AgentServer.start(engine, { streaming: false }, agent)).connect()
      for (const text of ['1', '2', '3']) client.send(text)
      gate.resolve()
      await drain(client, 3)
      expect(seen).toEqual([0, 2, 4])
    })

    it('is not told of turns that have failed, were cancelled, or had no answer', async () => {
      hush()
      const reply: ReplyFunction = async function* (_session, text, { signal }) {
        if (text === 'empty') return
        yield { type: 'message', text: 'a notice' }
        if (text === 'notice') return
        yield 'partly'
        if (text === 'fail') throw new Error('on purpose')
        if (text === 'hang') await aborted(signal)
      }
      const client = await (await AgentServer.start(engine, { commands: true }, telling(reply))).connect()
      await client.ask('well')
      for (const text of ['empty', 'notice', 'fail']) client.send(text)
      client.send('hang')
      while ((await client.next('delta')).text !== 'partly');
      while ((await client.next('delta')).text !== 'partly');
      client.send('/stop')
      while (!(await client.next('message')).text?.startsWith('Stopped'));
      expect(await historyOf(client)).toEqual(said(['well', 'partly']))
    })

    it.each([
      [{ maxHistoryMessages: 0 }, 0],
      [{ maxHistoryMessages: 3 }, 2],
      [{ maxHistoryMessages: 4 }, 4],
      [{ maxHistoryChars: 1000 }, 6],
      [{}, 10],
    ])('is held to limits: %j', async (channel, count) => {
      const client = await (await AgentServer.start(engine, { streaming: false, ...channel }, telling())).connect()
      for (let i = 0; i < 5; i++) await client.ask(`${i}`.repeat(150))
      expect(await historyOf(client)).toEqual(
        said(...['0', '1', '2', '3', '4'].map((n): [string, string] => [n.repeat(150), n.repeat(150)])).slice(
          10 - count,
        ),
      )
    })
  })

  describe('commands', () => {
    it('are none by default', async () => {
      const client = await (await AgentServer.start(engine)).connect()
      expect([await client.ask('/stop'), await client.ask('/new')]).toEqual(['/stop', '/new'])
    })

    it('/stop ends what runs and what waits, at once', async () => {
      const { agent, asked, until } = gated()
      const server = await AgentServer.start(engine, { commands: true }, agent)
      const client = await server.connect()
      for (const text of ['1', '2', '3']) client.send(text)
      await until(1)
      client.send('  /stop \n')
      await client.next('message')
      expect(client.texts.slice(1)).toEqual(['{"event":"message","text":"Stopped 3 task(s)."}'])
      expect(asked[0]?.signal.aborted).toBe(true)
      client.send({ content: ' /stop' })
      expect((await client.one()).text).toBe('No active task to stop.')
      client.send('4')
      await until(2)
      expect(asked.map(({ text }) => text)).toEqual(['1', '4'])
    })

    it('trap 34: /stop ends an open stream, and nothing of it comes behind the reply', async () => {
      const gate = deferred()
      const agent = agentOf(async function* (_session, text) {
        if (text !== 'go') {
          yield text
          return
        }
        yield 'one'
        await gate.promise
        for (let i = 0; i < 10; i++) yield 'late'
      })
      const server = await AgentServer.start(engine, { commands: true, turnEvents: true }, agent)
      const client = await server.connect()
      client.send('go')
      await client.next('delta')
      client.send('/stop')
      client.send('after')
      await client.next('message')
      gate.resolve()
      await client.next('turn_end')
      const frames = plain(client.frames.slice(1))
      expect(frames.map(({ event, text }) => [event, text])).toEqual([
        ['delta', 'one'],
        ['stream_end', undefined],
        ['turn_end', undefined],
        ['message', 'Stopped 1 task(s).'],
        ['delta', 'after'],
        ['stream_end', undefined],
        ['turn_end', undefined],
      ])
    })

    it('/stop does not wait for its turn, nor for other chats', async () => {
      const { agent, asked, gates, until } = gated()
      const server = await AgentServer.start(engine, { commands: true, maxConcurrentTurns: 1 }, agent)
      const [busy, client] = [await server.connect(), await server.connect()]
      busy.send('busy')
      await until(1)
      client.send('waits')
      client.send('/stop')
      expect((await client.one()).text).toBe('Stopped 1 task(s).')
      gates[0]?.()
      expect((await busy.answer()).text).toBe('busy')
      client.send('then')
      await until(2)
      expect(asked.map(({ text }) => text)).toEqual(['busy', 'then'])
    })

    it('/new waits for what is before it, and forgets', async () => {
      const gate = deferred()
      const agent = agentOf(async ({ history, state }, text) => {
        if (text === 'slow') await gate.promise
        state.set(text, true)
        return `${text}: ${history.length} ${state.size}`
      })
      const server = await AgentServer.start(engine, { commands: true, streaming: false }, agent)
      const client = await server.connect()
      await client.ask('first')
      for (const text of ['slow', '/new', 'after']) client.send(text)
      gate.resolve()
      expect(await drain(client, 3)).toEqual(['slow: 2 2', 'New session started.', 'after: 0 1'])
      // Not something that only looks like it.
      expect(await client.ask('/new one')).toBe('/new one: 2 2')
    })
  })

  describe('what is sent where it is asked for', () => {
    const chatty: ReplyFunction = list(
      { type: 'reasoning', text: '' },
      { type: 'reasoning', text: 'h' },
      { type: 'reasoning', text: 'm' },
      { type: 'progress', text: 'looking' },
      { type: 'progress', text: 'search(x)', kind: 'tool_hint' },
      'a',
      { type: 'usage', promptTokens: 1, completionTokens: 2, totalTokens: 3 },
    )
    const start = async (channel: Record<string, boolean>): Promise<AgentClient> =>
      (await AgentServer.start(engine, channel, marking(chatty))).connect()
    const progress = [message('looking', { kind: 'progress' }), message('search(x)', { kind: 'tool_hint' })]

    it('progress', async () => {
      expect(await answerOf(await start({ progress: true }))).toEqual([...progress, delta('a'), end()])
      expect(await answerOf(await start({ progress: true, streaming: false }))).toEqual([...progress, message('a')])
    })

    it('reasoning, with an end before the answer', async () => {
      const thoughts: Frame[] = [
        { event: 'reasoning_delta', text: 'h', stream_id: 's1' },
        { event: 'reasoning_delta', text: 'm', stream_id: 's1' },
        { event: 'reasoning_end', stream_id: 's1' },
      ]
      expect(await answerOf(await start({ reasoning: true }))).toEqual([...thoughts, delta('a'), end()])
      expect(await answerOf(await start({ reasoning: true, streaming: false }))).toEqual([...thoughts, message('a')])
    })

    it.each([true, false])('turn_end, behind all else, with what it has cost (streaming: %s)', async (streaming) => {
      const client = await start({ turnEvents: true, streaming })
      client.send('go')
      const told = await client.next('turn_end')
      expect(client.texts.at(-1)).toMatch(
        /^\{"event":"turn_end","turn_id":"[^"]+","latency_ms":\d+,"usage":\{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3\}\}$/,
      )
      expect(client.frames.at(-2)?.event).toBe(streaming ? 'stream_end' : 'message')
      client.send(MARK)
      const second = await client.next('turn_end')
      expect([second['turn_id'] === told['turn_id'], 'usage' in second]).toEqual([false, false])
      expect(client.frames.filter(({ event }) => event === 'turn_end').length).toBe(2)
    })

    it('turn_end, also behind a failure', async () => {
      hush()
      const contexts: TurnContext[] = []
      const agent = agentOf(function* (_session, _text, context) {
        contexts.push(context)
        yield 'a'
        yield { type: 'usage', totalTokens: 5 }
        throw new Error('on purpose')
      })
      const client = await (await AgentServer.start(engine, { turnEvents: true }, agent)).connect()
      client.send('go')
      const told = await client.next('turn_end')
      expect(plain(client.frames.slice(1, -1))).toEqual([delta('a'), end(), failure('agent_error')])
      expect([told['turn_id'], told['usage']]).toEqual([contexts[0]?.turnId, { total_tokens: 5 }])
    })
  })

  it('an agent that always has something to say leaves time for others', async () => {
    const agent = agentOf(async function* (_session, text, { signal }) {
      if (text !== 'go') {
        yield text
        return
      }
      while (!signal.aborted) yield ''
    })
    const server = await AgentServer.start(engine, {}, agent)
    const [busy, other] = [await server.connect(), await server.connect()]
    busy.send('go')
    for (let i = 0; i < 50; i++) expect(await other.ask(`${i}`)).toBe(`${i}`)
  })
})
