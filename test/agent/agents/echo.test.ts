import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEcho } from '../../../lib/agent/agents/echo.ts'
import { AgentServer } from '../../support/agent.ts'
import { contextOf, iterate, sessionOf, settingsOf } from '../../support/openai.ts'
import { engines } from '../../support/server.ts'

/** What echo says, as it comes. */
async function* hear(
  text: string,
  { prefix = '', delay = 0, signal = new AbortController().signal } = {},
): AsyncGenerator<string> {
  for await (const word of iterate(createEcho({ prefix, delay }).reply(sessionOf(), text, contextOf(signal)))) {
    if (typeof word !== 'string') throw new Error(`not text: ${JSON.stringify(word)}`)
    yield word
  }
}

async function all(text: string, options = {}): Promise<string[]> {
  const words: string[] = []
  for await (const word of hear(text, options)) words.push(word)
  return words
}

describe('echo', () => {
  it('says its prefix and what it was told, character by character', async () => {
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[ \n\t\u00a0\u2003a]*$/))
    await fc.assert(
      fc.asyncProperty(any, any, async (prefix, text) => {
        const words = await all(text, { prefix })
        expect(words.join('')).toBe(prefix + text)
        expect(words).not.toContain('')
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['Hello nanobot!', ['Hello ', 'nanobot!']],
    ['  a \n b  ', ['  ', 'a \n ', 'b  ']],
    [' \t ', [' \t ']],
    ['word', ['word']],
    ['', []],
  ])('says %j word by word', async (text, words) => {
    expect(await all(text)).toEqual(words)
  })

  it('splits its prefix, too', async () => {
    expect(await all('there', { prefix: 'Echo says: ' })).toEqual(['Echo ', 'says: ', 'there'])
  })

  it('waits between two words', async () => {
    const at: number[] = []
    for await (const word of hear('a b c', { delay: 50 })) at.push(word === '' ? NaN : performance.now())
    const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0))
    expect(gaps.length).toBe(2)
    // Timers of node may be a millisecond early.
    expect(Math.min(...gaps)).toBeGreaterThan(45)
  })

  it('does not wait behind its last word', async () => {
    const began = performance.now()
    expect(await all('word', { delay: 5000 })).toEqual(['word'])
    expect(performance.now() - began).toBeLessThan(2500)
  })

  it('stops between two words, at once, where nobody wants more', async () => {
    const controller = new AbortController()
    const words: string[] = []
    for await (const word of hear('a b c', { delay: 3_600_000, signal: controller.signal })) {
      words.push(word)
      setImmediate(() => controller.abort())
    }
    expect(words).toEqual(['a '])
  })

  it('stops between two words without a wait, too', async () => {
    const controller = new AbortController()
    const words: string[] = []
    for await (const word of hear('a b c', { signal: controller.signal })) {
      words.push(word)
      controller.abort()
    }
    expect(words).toEqual(['a '])
  })

  it('says nothing where nobody has wanted it', async () => {
    expect(await all('a b', { signal: AbortSignal.abort() })).toEqual([])
  })

  it('is what a config has by default, without prefix and delay', () => {
    expect(settingsOf({ type: 'echo' })).toEqual({ type: 'echo', prefix: '', delay: 0 })
    expect(settingsOf({ type: 'echo', prefix: '> ', delayMs: 5 })).toEqual({ type: 'echo', prefix: '> ', delay: 5 })
  })
})

describe.each(engines)('echo behind a channel on %s', (engine) => {
  it('has the prefix of the config', async () => {
    const server = await AgentServer.start(engine, { agent: { type: 'echo', prefix: 'Echo: ' } })
    const client = await server.connect()
    expect(await client.ask('  hello  you ')).toBe('Echo: hello  you')
    expect(await client.ask({ content: '  hello  you ' })).toBe('Echo:   hello  you ')
  })

  it('may be short for its type', async () => {
    const server = await AgentServer.start(engine, { agent: 'echo' })
    const client = await server.connect()
    expect(await client.ask('/stop')).toBe('/stop')
  })

  it('remembers nothing of another message', async () => {
    const server = await AgentServer.start(engine)
    const client = await server.connect()
    client.send('one')
    client.send('two')
    expect([(await client.answer()).text, (await client.answer()).text]).toEqual(['one', 'two'])
  })
})
