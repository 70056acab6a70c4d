import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Agent, ChatMessage, Session, TurnContext } from '../../include-types/agent.ts'
import { type FailureCode, Failure } from '../../lib/agent/failure.ts'
import { remember } from '../../lib/agent/history.ts'
import { Output, type OutputSettings } from '../../lib/agent/output.ts'
import type { Sink } from '../../lib/agent/sink.ts'
import { Turn, type TurnLimits } from '../../lib/agent/turn.ts'
import { type Taker, Turns } from '../../lib/agent/turns.ts'
import type { Usage } from '../../lib/agent/wire.ts'
import { ManualClock } from '../../lib/engine/memory.ts'
import { agentOf, type Frame, toFrame } from '../support/agent.ts'
import { LogLines } from '../support/log-lines.ts'
import { deferred } from '../support/memory.ts'

let log: LogLines
beforeEach(() => (log = new LogLines()))

/** Rejections that nobody took: an agent of a turn that is over must not make any. */
const unhandled: unknown[] = []
const note = (reason: unknown): unknown => unhandled.push(reason)
beforeEach(() => void process.on('unhandledRejection', note))
afterEach(async () => {
  await turn()
  process.off('unhandledRejection', note)
  expect(unhandled.splice(0)).toEqual([])
})

const session: Session = { key: 'k', chatId: 'c', clientId: 'alice', remote: '::1', history: [], state: new Map() }
const SETTINGS: OutputSettings = { streaming: true, turnEvents: false, progress: false, reasoning: false }

/** Notes what it is told. */
class Recorder implements Sink {
  readonly calls: unknown[] = []
  /** What there is to wait for before more can be taken. */
  full: Promise<unknown> | null = null

  /** The texts of the answer. */
  get deltas(): unknown[] {
    return this.calls.filter((call) => typeof call === 'string')
  }

  delta(text: string): void {
    this.calls.push(text)
  }

  segment(): void {
    this.calls.push(['segment'])
  }

  message(text: string, media: readonly string[] | undefined, replyTo: string | undefined): void {
    this.calls.push(['message', text, media, replyTo])
  }

  progress(text: string, kind: 'progress' | 'tool_hint'): void {
    this.calls.push(['progress', text, kind])
  }

  reasoning(text: string): void {
    this.calls.push(['reasoning', text])
  }

  finish(): void {
    this.calls.push(['finish'])
  }

  fail(code: FailureCode): void {
    this.calls.push(['fail', code])
  }

  cancel(): void {
    this.calls.push(['cancel'])
  }

  end(latency: number, usage: Usage | null): void {
    this.calls.push(['end', latency, usage])
  }

  room(): Promise<unknown> | null {
    return this.full
  }
}

const LIMITS: TurnLimits = { streaming: true, agentTimeout: 300_000, idleTimeout: 90_000, maxReplyBytes: 1000 }

/** An agent with a `reply` that may be anything. */
const loose = (reply: (session: Session, text: string, context: TurnContext) => unknown): Agent =>
  Object.assign(
    agentOf(() => ''),
    { reply },
  )

/** A turn that has begun. */
function begin(agent: Agent, limits: Partial<TurnLimits> = {}) {
  const clock = new ManualClock()
  const sink = new Recorder()
  const answers: (string | null)[] = []
  let signal: AbortSignal | null = null
  const watched: Agent = {
    ...agent,
    reply: (own, text, context) => {
      ;({ signal } = context)
      return agent.reply(own, text, context)
    },
  }
  const question = { session, text: 'q', turnId: 't1', sink, limits: { ...LIMITS, ...limits }, clock }
  const made = new Turn({ ...question, agent: watched }, (answer) => answers.push(answer))
  made.start()
  return { clock, sink, answers, turn: made, aborted: () => signal?.aborted ?? null }
}

/** The same, when it has ended by itself. */
async function complete(agent: Agent, limits: Partial<TurnLimits> = {}) {
  const made = begin(agent, limits)
  while (made.answers.length === 0) await turn()
  expect(made.clock.timers).toBe(0)
  return made
}

/** Yields what it is told to, and notes how it is left. */
class Pieces implements AsyncIterableIterator<string> {
  readonly asked: ReturnType<typeof deferred<IteratorResult<string>>>[] = []
  left = 0
  /** What `return` gives. */
  leaving: () => Promise<IteratorResult<string>> = async () => ({ done: true, value: undefined })

  next(): Promise<IteratorResult<string>> {
    const asked = deferred<IteratorResult<string>>()
    this.asked.push(asked)
    return asked.promise
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  return(): Promise<IteratorResult<string>> {
    this.left++
    return this.leaving()
  }

  async give(value: string): Promise<void> {
    this.asked.at(-1)?.resolve({ done: false, value })
    await turn()
  }
}

const END = ['end', 0, null]

describe('a turn', () => {
  it.each<[string, () => unknown, readonly unknown[], string | null]>([
    ['a string', () => 'all', ['all'], 'all'],
    ['a promise', async () => 'all', ['all'], 'all'],
    ['nothing', () => undefined, [], null],
    ['a promise of nothing', async () => undefined, [], null],
    ['an empty string', () => '', [], null],
    ['a list', () => ['a', '', 'b'], ['a', 'b'], 'ab'],
    ['an empty list', () => [], [], null],
    ['a set', () => new Set(['a', 'b']), ['a', 'b'], 'ab'],
    ['a promise of a list', async () => ['a', 'b'], ['a', 'b'], 'ab'],
    ['a list of promises', () => [Promise.resolve('a')], [['fail', 'agent_error']], null],
    [
      'a generator',
      function* () {
        yield 'a'
        yield 'b'
      },
      ['a', 'b'],
      'ab',
    ],
    [
      'an async generator',
      async function* () {
        yield 'a'
        await turn()
        yield 'b'
      },
      ['a', 'b'],
      'ab',
    ],
    [
      'an iterable without return',
      () => ({ [Symbol.iterator]: () => ({ next: () => ({ done: true, value: 'ignored' }) }) }),
      [],
      null,
    ],
  ])('takes %s', async (_what, reply, calls, answer) => {
    const { sink, answers, aborted } = await complete(loose(reply))
    const failed = calls.some(Array.isArray)
    expect(sink.calls).toEqual([...calls, ...(failed ? [] : [['finish']]), END])
    expect([answers, aborted()]).toEqual([[answer], failed])
  })

  it('gives its agent the session, the text, and what it needs to know', async () => {
    const seen: unknown[] = []
    const agent = loose((own, text, { signal, streaming, turnId, log: lines }) => {
      seen.push(own === session, text, signal.aborted, streaming, turnId)
      lines.info('for your information')
      lines.error('100% wrong')
    })
    await complete(agent, { streaming: false })
    expect(seen).toEqual([true, 'q', false, false, 't1'])
    expect(log.lines).toEqual(['agent for your information', 'agent 100% wrong'])
  })

  it('hands on all kinds of chunks, in order', async () => {
    const usage = { type: 'usage', promptTokens: 1, completionTokens: 2, totalTokens: 3 }
    const { sink, answers } = await complete(
      loose(() => [
        'a',
        { type: 'message', text: 'note', media: ['/x'], replyTo: 'm1' },
        { type: 'message', text: '' },
        { type: 'segment' },
        { type: 'progress', text: 'p' },
        { type: 'progress', text: 'q', kind: 'tool_hint' },
        { type: 'reasoning', text: 'r' },
        { type: 'usage', promptTokens: 9 },
        usage,
        'b',
      ]),
    )
    expect(sink.calls).toEqual([
      'a',
      ['message', 'note', ['/x'], 'm1'],
      ['message', '', undefined, undefined],
      ['segment'],
      ['progress', 'p', 'progress'],
      ['progress', 'q', 'tool_hint'],
      ['reasoning', 'r'],
      'b',
      ['finish'],
      ['end', 0, usage],
    ])
    expect(answers).toEqual(['ab'])
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
    ['a flag', true],
    ['a symbol', Symbol('x')],
    ['a function', () => 'x'],
    ['a list', ['x']],
    ['bytes', new Uint8Array(3)],
    ['an object', {}],
    ['a String', Object('x')],
    ['an unknown type', { type: 'picture', text: 'x' }],
    ['a message without text', { type: 'message' }],
    ['a message whose text is a number', { type: 'message', text: 5 }],
    ['a message whose media are a string', { type: 'message', text: 'x', media: '/x' }],
    ['a message with a number for a medium', { type: 'message', text: 'x', media: [1] }],
    ['a message whose replyTo is a number', { type: 'message', text: 'x', replyTo: 1 }],
    ['progress without text', { type: 'progress' }],
    ['progress of another kind', { type: 'progress', text: 'x', kind: 'other' }],
    ['reasoning without text', { type: 'reasoning' }],
    ['usage in words', { type: 'usage', totalTokens: 'many' }],
    ['usage below zero', { type: 'usage', totalTokens: -1 }],
  ])('a chunk that is none is a failure: %s', async (_what, chunk) => {
    let left = 0
    const agent = loose(function* () {
      try {
        yield 'a'
        yield chunk
        yield 'b'
      } finally {
        left++
      }
    })
    const { sink, answers, aborted } = await complete(agent)
    expect(sink.calls).toEqual(['a', ['fail', 'agent_error'], END])
    expect([answers, aborted(), left]).toEqual([[null], true, 1])
  })

  it.each<[string, () => unknown]>([
    ['null', () => null],
    ['a number', () => 5],
    ['an object', () => ({})],
    ['a function', () => () => 'x'],
    ['a promise of a number', async () => 5],
    ['an iterable that is none', () => ({ [Symbol.asyncIterator]: () => 5 })],
    ['an iterator without steps', () => ({ [Symbol.iterator]: () => ({ next: () => 5 }) })],
  ])('an answer that is none is a failure: %s', async (_what, reply) => {
    const { sink, answers } = await complete(loose(reply))
    expect(sink.calls).toEqual([['fail', 'agent_error'], END])
    expect(answers).toEqual([null])
  })

  const broken = (): never => {
    throw new Error('on purpose')
  }
  it.each<[string, () => unknown, readonly string[]]>([
    ['throws', broken, []],
    ['rejects', async () => broken(), []],
    ['throws when it is iterated', () => ({ [Symbol.iterator]: broken }), []],
    ['throws at the first step', () => ({ [Symbol.iterator]: () => ({ next: broken }) }), []],
    [
      'throws in the middle',
      function* () {
        yield 'a'
        broken()
      },
      ['a'],
    ],
    [
      'rejects in the middle',
      async function* () {
        yield 'a'
        await turn()
        broken()
      },
      ['a'],
    ],
    ['rejects with something else', () => Promise.reject(undefined), []],
    [
      'gives something to wait for that throws',
      () => ({
        get then() {
          return broken()
        },
      }),
      [],
    ],
  ])('it is all the same failure when its agent %s', async (_what, reply, deltas) => {
    const { sink, answers, aborted } = await complete(loose(reply))
    expect(sink.calls).toEqual([...deltas, ['fail', 'agent_error'], END])
    expect([answers, aborted()]).toEqual([[null], true])
    expect(log.lines).toEqual([expect.stringMatching(/^agent test: turn t1 failed: /)])
  })

  it('a failure with a code is that, and the log has what was said', async () => {
    const { sink } = await complete(loose(() => Promise.reject(new Failure('model_auth', 'sk-… was not taken'))))
    expect(sink.calls).toEqual([['fail', 'model_auth'], END])
    expect(log.lines[0]).toContain('sk-… was not taken')
  })

  it('tells how long it took', async () => {
    const gate = deferred<string>()
    const { sink, clock, answers } = begin(loose(() => gate.promise))
    clock.advance(1234)
    gate.resolve('x')
    await turn()
    expect(sink.calls).toEqual(['x', ['finish'], ['end', 1234, null]])
    expect(answers).toEqual(['x'])
  })

  it('blank answers are nothing to remember', async () => {
    expect((await complete(loose(() => [' ', '\n']))).answers).toEqual([null])
    expect((await complete(loose(() => [{ type: 'message', text: 'a notice' }]))).answers).toEqual([null])
  })

  describe('whose time is up', () => {
    it('ends as agent_timeout, not a millisecond earlier', async () => {
      const pieces = new Pieces()
      const { sink, clock, answers, aborted } = begin(
        loose(() => pieces),
        { agentTimeout: 5000, idleTimeout: 2000 },
      )
      for (let i = 0; i < 4; i++) {
        clock.advance(1000)
        await pieces.give(`${i}`)
      }
      clock.advance(999)
      expect([sink.deltas, aborted(), pieces.left]).toEqual([['0', '1', '2', '3'], false, 0])
      clock.advance(1)
      expect(sink.calls.slice(4)).toEqual([
        ['fail', 'agent_timeout'],
        ['end', 5000, null],
      ])
      expect([aborted(), pieces.left]).toEqual([true, 1])
      await turn()
      expect([answers, clock.timers]).toEqual([[null], 0])
    })

    it('has none where that is 0', async () => {
      const pieces = new Pieces()
      const { sink, clock } = begin(
        loose(() => pieces),
        { agentTimeout: Infinity, idleTimeout: 3_600_000 },
      )
      for (let hour = 0; hour < 48; hour++) {
        clock.advance(3_599_999)
        await pieces.give('x')
      }
      expect(sink.calls.length).toBe(48)
    })

    it.each(['a promise', 'pieces'])('ends as agent_idle when nothing comes: %s', async (what) => {
      const pieces = new Pieces()
      const { sink, clock, aborted } = begin(
        loose(() => (what === 'pieces' ? pieces : new Promise(() => {}))),
        { idleTimeout: 2000 },
      )
      clock.advance(1999)
      expect([sink.calls, aborted()]).toEqual([[], false])
      clock.advance(1)
      expect(sink.calls).toEqual([
        ['fail', 'agent_idle'],
        ['end', 2000, null],
      ])
      expect([aborted(), pieces.left]).toEqual([true, what === 'pieces' ? 1 : 0])
    })

    it('is idle from its last chunk on, also an empty one', async () => {
      const pieces = new Pieces()
      const { sink, clock } = begin(
        loose(() => pieces),
        { idleTimeout: 2000 },
      )
      for (const text of ['a', '', '', 'b']) {
        clock.advance(1999)
        await pieces.give(text)
      }
      clock.advance(1999)
      expect(sink.calls).toEqual(['a', 'b'])
      clock.advance(1)
      expect(sink.calls).toEqual(['a', 'b', ['fail', 'agent_idle'], ['end', 9996, null]])
    })

    it('is not idle while its client is waited for, and pulls nothing', async () => {
      const pieces = new Pieces()
      const { sink, clock } = begin(
        loose(() => pieces),
        { idleTimeout: 2000 },
      )
      const read = deferred()
      sink.full = read.promise
      await pieces.give('a')
      expect(pieces.asked.length).toBe(1)
      clock.advance(60_000)
      expect([sink.calls, pieces.asked.length]).toEqual([['a'], 1])
      sink.full = null
      read.resolve()
      await turn()
      expect(pieces.asked.length).toBe(2)
      clock.advance(1999)
      expect(sink.calls).toEqual(['a'])
      clock.advance(1)
      expect(sink.calls.at(1)).toEqual(['fail', 'agent_idle'])
    })

    it('can end while its client is waited for', async () => {
      const pieces = new Pieces()
      const { sink, clock, answers } = begin(
        loose(() => pieces),
        { agentTimeout: 5000 },
      )
      const read = deferred()
      sink.full = read.promise
      await pieces.give('a')
      clock.advance(5000)
      expect(sink.calls).toEqual(['a', ['fail', 'agent_timeout'], ['end', 5000, null]])
      sink.full = null
      read.resolve()
      await turn()
      expect([pieces.asked.length, pieces.left, answers]).toEqual([1, 1, [null]])
    })
  })

  describe('that nobody wants any more', () => {
    it('trap 34: sends nothing of an agent that ignores it', async () => {
      const pieces = new Pieces()
      const { sink, turn: made, aborted } = begin(loose(() => pieces))
      await pieces.give('a')
      made.cancel()
      expect([aborted(), pieces.left]).toEqual([true, 1])
      const calls = ['a', ['cancel'], END]
      expect(sink.calls).toEqual(calls)
      await pieces.give('b')
      await turn()
      // Nor is it asked for more.
      expect([sink.calls, pieces.asked.length]).toEqual([calls, 2])
    })

    it('trap 34: nor of one that fails then, or goes on for ever', async () => {
      const gate = deferred()
      for (const reply of [
        async function* () {
          yield 'a'
          await gate.promise
          throw new Error('too late')
        },
        async function* () {
          for (;;) {
            yield 'a'
            await turn()
          }
        },
      ]) {
        const { sink, turn: made } = begin(agentOf(reply))
        await turn()
        made.cancel()
        const { length } = sink.calls
        expect(sink.calls.slice(-2)).toEqual([['cancel'], END])
        gate.resolve()
        for (let i = 0; i < 10; i++) await turn()
        expect(sink.calls.length).toBe(length)
      }
      expect(log.lines).toEqual([])
    })

    it('aborts before it leaves the iteration, and once', async () => {
      const pieces = new Pieces()
      const aborted: boolean[] = []
      const agent = loose((_session, _text, { signal }) => {
        pieces.leaving = async () => {
          aborted.push(signal.aborted)
          return { done: true, value: undefined }
        }
        return pieces
      })
      const { turn: made, answers } = begin(agent)
      await pieces.give('a')
      made.cancel()
      made.cancel()
      await turn()
      expect([aborted, answers]).toEqual([[true], [null]])
    })

    it('waits a second for its agent to leave, not longer', async () => {
      const pieces = new Pieces()
      pieces.leaving = () => new Promise(() => {})
      const { turn: made, clock, answers } = begin(loose(() => pieces))
      made.cancel()
      clock.advance(999)
      await turn()
      expect(answers).toEqual([])
      clock.advance(1)
      expect([answers, clock.timers]).toEqual([[null], 0])
    })

    it.each<[string, () => Promise<IteratorResult<string>>]>([
      ['throws', broken],
      ['rejects', async () => broken()],
      ['is done', async () => ({ done: true, value: undefined })],
    ])('does not wait where that %s', async (_what, leaving) => {
      const pieces = new Pieces()
      pieces.leaving = leaving
      const { turn: made, clock, answers } = begin(loose(() => pieces))
      made.cancel()
      await turn()
      expect([answers, clock.timers]).toEqual([[null], 0])
    })

    it('takes nothing of a promise that comes too late, and lets go of what is in it', async () => {
      const pieces = new Pieces()
      for (const late of ['text', pieces, 5, null]) {
        const gate = deferred<unknown>()
        const { sink, turn: made, answers } = begin(loose(() => gate.promise))
        made.cancel()
        gate.resolve(late)
        await turn()
        expect([sink.calls, answers]).toEqual([[['cancel'], END], [null]])
      }
      expect([pieces.left, pieces.asked.length]).toEqual([1, 0])
      const gate = deferred<unknown>()
      begin(loose(() => gate.promise)).turn.cancel()
      gate.reject(new Error('too late'))
      await turn()
      expect(log.lines).toEqual([])
    })

    it('is over already: nothing happens', async () => {
      const { sink, turn: made, answers, aborted } = await complete(loose(() => 'a'))
      made.cancel()
      expect([sink.calls, answers, aborted()]).toEqual([['a', ['finish'], END], ['a'], false])
    })
  })

  describe('with a long answer', () => {
    it.each<[string, readonly unknown[], readonly unknown[]]>([
      ['chunks', ['x'.repeat(600), 'x'.repeat(400)], ['x']],
      ['two bytes a character', ['é'.repeat(500)], ['x']],
      ['other texts', [{ type: 'message', text: 'x'.repeat(1000) }], [{ type: 'reasoning', text: 'x' }]],
    ])('takes maxReplyBytes, and no byte more: %s', async (_what, fits, more) => {
      const good = await complete(loose(() => fits))
      expect(good.sink.calls.at(-2)).toEqual(['finish'])
      const bad = await complete(loose(() => [...fits, ...more, 'never']))
      expect(bad.sink.calls.slice(fits.length)).toEqual([['fail', 'agent_error'], END])
      expect(bad.answers).toEqual([null])
    })

    it('lets others have their turn, also when it is all at hand and never ends', async () => {
      let count = 0
      const endless = function* () {
        for (;;) {
          count++
          yield ''
        }
      }
      const { turn: made, sink } = begin(agentOf(endless))
      for (let i = 0; i < 3; i++) await turn()
      expect(count).toBeGreaterThan(64)
      made.cancel()
      const { length } = sink.calls
      const last = count
      await turn()
      expect([sink.calls.length, count]).toEqual([length, last])
    })
  })
})

/** What comes out of it. */
function outputs(settings: Partial<OutputSettings> = {}) {
  const frames: Frame[] = []
  const outlet = { emit: (frame: string) => void frames.push(toFrame(`${frame}}`)), room: () => null }
  return { frames, output: new Output(outlet, { ...SETTINGS, ...settings }, 't1') }
}

describe('the output of a turn', () => {
  it('characters in two halves come whole, however they are cut', () => {
    const text = 'a\u{1F600}\u{1F601}b\u{10FFFF}'
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), fc.boolean(), (cuts, streaming) => {
        const { frames, output } = outputs({ streaming })
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        for (const [i, from] of at.entries()) {
          const chunk = text.slice(from, at[i + 1])
          if (chunk !== '' && i + 1 < at.length) output.delta(chunk)
        }
        output.finish()
        expect(frames.map(({ text: part = '' }) => part).join('')).toBe(text)
        for (const { event, text: part } of frames) {
          if (event === 'delta') expect([part === '', part?.isWellFormed()]).toEqual([false, true])
        }
      }),
    )
  })

  it('halves without another are replaced, and none is lost', () => {
    for (const chunks of [['a\uD83D'], ['\uD83D'], ['\uD83D', 'b'], ['\uDE00', 'b'], ['\uD83D', '\uD83D\uDE00']]) {
      const { frames, output } = outputs()
      for (const chunk of chunks) output.delta(chunk)
      output.finish()
      expect(frames.map(({ text = '' }) => text).join('')).toBe(chunks.join('').toWellFormed())
      expect(frames.filter(({ event }) => event === 'stream_end').length).toBe(1)
    }
  })

  it.each(['segment', 'fail', 'cancel'] as const)('a half belongs to its stream: before %s it goes out', (how) => {
    const { frames, output } = outputs()
    output.delta('\uD83D')
    if (how === 'fail') output.fail('agent_error')
    else output[how]()
    expect(frames.slice(0, 2)).toEqual([
      { event: 'delta', text: '\uFFFD', stream_id: 't1.0' },
      { event: 'stream_end', stream_id: 't1.0' },
    ])
  })

  it('trap 30: whatever it is told, each stream has one end and nothing behind it', () => {
    const step = fc.constantFrom('text', '\uD83D', '\uDE00', 'segment', 'message', 'progress', 'reasoning')
    const last = fc.constantFrom('finish', 'fail', 'cancel')
    fc.assert(
      fc.property(fc.array(step), last, fc.boolean(), (steps, how, more) => {
        const { frames, output } = outputs({ progress: more, reasoning: more, turnEvents: more })
        for (const one of steps) {
          if (one === 'segment') output.segment()
          else if (one === 'message') output.message('m', undefined, undefined)
          else if (one === 'progress') output.progress('p', 'progress')
          else if (one === 'reasoning') output.reasoning('r')
          else output.delta(one)
        }
        if (how === 'fail') output.fail('agent_error')
        else if (how === 'cancel') output.cancel()
        else output.finish()
        output.end(1, null)
        const ended = new Set<unknown>()
        const begun = new Set<unknown>()
        for (const frame of frames) {
          const { event, stream_id: id } = frame
          if (event === 'delta') begun.add(id)
          if (event === 'delta' || event === 'stream_end') expect(ended.has(id)).toBe(false)
          if (event !== 'stream_end') continue
          ended.add(id)
          expect(Object.keys(frame)).toEqual(['event', 'stream_id'])
        }
        for (const id of begun) expect(ended.has(id)).toBe(true)
        const thoughts = frames.filter(({ event }) => event.startsWith('reasoning')).map(({ event }) => event)
        if (thoughts.length > 0) expect(thoughts.at(-1)).toBe('reasoning_end')
        if (more) expect(frames.at(-1)).toEqual({ event: 'turn_end', turn_id: 't1', latency_ms: 1 })
      }),
    )
  })
})

describe('the history of a chat', () => {
  const user = (content: string): ChatMessage => ({ role: 'user', content })
  const assistant = (content: string): ChatMessage => ({ role: 'assistant', content })
  const limits = (maxHistoryMessages: number, maxHistoryChars = 60_000) => ({ maxHistoryMessages, maxHistoryChars })

  it('has both, in order, and leaves the one before as it was', () => {
    const before = Object.freeze([user('1'), assistant('one')])
    expect(remember(before, '2', 'two', limits(40))).toEqual([...before, user('2'), assistant('two')])
    expect(before.length).toBe(2)
  })

  it('lets go of the oldest, and begins with a user', () => {
    const before = [user('1'), assistant('one'), user('2'), assistant('two')]
    expect(remember(before, '3', 'three', limits(4))).toEqual([...before.slice(2), user('3'), assistant('three')])
    // An answer without its question is none.
    expect(remember(before, '3', 'three', limits(3))).toEqual([user('3'), assistant('three')])
    expect(remember(before, '3', 'three', limits(1))).toEqual([])
    expect(remember(before, '3', 'three', limits(0))).toEqual([])
  })

  it('is held to a number of characters', () => {
    const before = [user('1'), assistant('x'.repeat(10))]
    expect(remember(before, '2', 'two', limits(40, 15)).length).toBe(4)
    expect(remember(before, '2', 'two', limits(40, 14))).toEqual([user('2'), assistant('two')])
    expect(remember(before, '2', 'x'.repeat(20), limits(40, 15))).toEqual([])
  })

  it('is the longest end of all that was said that is within limits', () => {
    const said = fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 })), { minLength: 1 })
    fc.assert(
      fc.property(said, fc.nat(12), fc.nat(100), (turns, most, chars) => {
        const all: ChatMessage[] = []
        let history: readonly ChatMessage[] = []
        for (const [question, answer] of turns) {
          all.push(user(question), assistant(answer))
          history = remember(history, question, answer, limits(most, chars))
        }
        const fits = (tail: readonly ChatMessage[]): boolean =>
          tail.length <= most && tail.reduce((sum, { content }) => sum + content.length, 0) <= chars
        expect(history).toEqual(all.slice(all.length - history.length))
        expect([fits(history), history.length % 2]).toEqual([true, 0])
        if (history.length < all.length) expect(fits(all.slice(all.length - history.length - 2))).toBe(false)
      }),
    )
  })
})

describe('turns', () => {
  /** Takes so many, and notes when. */
  class Worker implements Taker {
    left: number
    readonly ends: (() => void)[] = []
    readonly #name: string
    readonly #order: string[]

    constructor(name: string, order: string[], left = 1) {
      this.#name = name
      this.#order = order
      this.left = left
    }

    take(done: () => void): boolean {
      if (this.left === 0) return false
      this.left--
      this.#order.push(this.#name)
      this.ends.push(done)
      return true
    }
  }

  it('are so many at a time, in order, and one for each', () => {
    const order: string[] = []
    const turns = new Turns(2)
    const [a, b, c] = [new Worker('a', order, 3), new Worker('b', order), new Worker('c', order)]
    for (const one of [a, a, b, c, a]) turns.want(one)
    expect(order).toEqual(['a', 'b'])
    // Whoever has more to do waits behind the others.
    a.ends.shift()?.()
    expect(order).toEqual(['a', 'b', 'c'])
    b.ends.shift()?.()
    expect(order).toEqual(['a', 'b', 'c', 'a'])
    c.ends.shift()?.()
    expect(order).toEqual(['a', 'b', 'c', 'a'])
    a.ends.shift()?.()
    expect(order).toEqual(['a', 'b', 'c', 'a', 'a'])
    a.ends.shift()?.()
    a.left = 1
    turns.want(a)
    expect(order.length).toBe(6)
  })

  it('never run more than that, never one twice, and all come in the end', () => {
    const command = fc.record({ worker: fc.nat(5), ends: fc.boolean() })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(command), (most, commands) => {
        const order: string[] = []
        const turns = new Turns(most)
        const workers = Array.from({ length: 6 }, (_, i) => new Worker(`${i}`, order, 0))
        let wanted = 0
        const check = (): void => {
          const running = workers.map(({ ends }) => ends.length)
          expect(Math.max(...running)).toBeLessThanOrEqual(1)
          const sum = running.reduce((all, one) => all + one, 0)
          const waiting = workers.filter(({ left, ends }) => left > 0 && ends.length === 0).length
          expect(sum).toBeLessThanOrEqual(most)
          // Nobody waits where there is a place.
          if (sum < most) expect(waiting).toBe(0)
        }
        for (const { worker, ends } of commands) {
          const one = workers[worker]
          if (one === undefined) continue
          if (ends) one.ends.shift()?.()
          else {
            wanted++
            one.left++
            turns.want(one)
          }
          check()
        }
        for (let busy = true; busy;) {
          busy = false
          for (const { ends } of workers) {
            const end = ends.shift()
            busy ||= end !== undefined
            end?.()
          }
          check()
        }
        expect(order.length).toBe(wanted)
      }),
    )
  })

  it('those that end at once do not pile up', () => {
    let left = 100_000
    const turns = new Turns(1)
    turns.want({
      take: (done) => {
        if (left === 0) return false
        left--
        done()
        return true
      },
    })
    expect(left).toBe(0)
  })
})
