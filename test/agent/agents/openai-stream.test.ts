import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answer,
  apart,
  delta,
  DONE,
  event,
  events,
  finish,
  ModelServer,
  type Step,
  usage,
} from '../../support/model-server.ts'
import { type Asked, askModel, later } from '../../support/openai.ts'

/** A stream with all that there may be in one. */
const STREAM = [
  ': OPENROUTER PROCESSING\n\n',
  delta(null, { role: 'assistant' }),
  'event: message\nid: 7\nretry: 10\n',
  delta('Grüße, '),
  ':\n',
  delta('€5 to 😀!', { reasoning_content: 'hm ß' }),
  finish(),
  usage(5, 7),
  DONE,
].join('')
const CHUNKS = [
  'Grüße, ',
  { type: 'reasoning', text: 'hm ß' },
  '€5 to 😀!',
  { type: 'usage', promptTokens: 5, completionTokens: 7, totalTokens: 12 },
]

async function give(...body: readonly Step[]): Promise<Asked> {
  const model = await ModelServer.start(events(...body))
  return askModel({ baseUrl: model.baseUrl, retries: 0 })
}

describe('a stream of openai', () => {
  it('trap 41: characters cut by the network, comments, CRLF, no choices, no [DONE]; an error behind 200', async () => {
    const good = STREAM.replace(DONE, '').replaceAll('\n', '\r\n')
    expect(await give(...apart(good))).toMatchObject({ chunks: CHUNKS, failure: null })
    const bad = await give(event({ error: { message: 'overloaded' } }))
    expect([bad.text, bad.failure?.code]).toEqual(['', 'model_unavailable'])
  })

  it('may come byte by byte', async () => {
    expect(await give(...apart(STREAM))).toMatchObject({ chunks: CHUNKS, failure: null })
  })

  it('may come in one piece', async () => {
    expect(await give(STREAM)).toMatchObject({ chunks: CHUNKS, failure: null })
  })

  it('may be cut anywhere, and have any line ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(Buffer.byteLength(STREAM))),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (at, lineEnd) => {
          const bytes = Buffer.from(STREAM.replaceAll('\n', lineEnd))
          const cuts = [0, ...at.toSorted((a, b) => a - b), bytes.length]
          const pieces = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
          expect(await give(...pieces.filter(({ length }) => length > 0))).toMatchObject({
            chunks: CHUNKS,
            failure: null,
          })
        },
      ),
      { numRuns: 40 },
    )
  })

  it.each([
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('may have lines that end with %s, byte by byte', async (_name, lineEnd) => {
    const stream = STREAM.replaceAll('\n', lineEnd)
    expect(await give(...apart(stream))).toMatchObject({ chunks: CHUNKS, failure: null })
  })

  it('may have no space behind data:, and loses only one', async () => {
    const chunk = (text: string): string => JSON.stringify({ choices: [{ delta: { content: text } }] })
    const body = [`data:${chunk('a')}\n\n`, `data:  ${chunk('b')}\n\n`, 'data:[DONE]\n\n']
    expect((await give(...body)).text).toBe('ab')
  })

  it('may have an event in several lines of data', async () => {
    const body = 'data: {"choices":\ndata: [{"delta":\ndata:{"content":"text"}}]}\n\n'
    expect((await give(body, finish(), DONE)).text).toBe('text')
  })

  it.each([
    ['[DONE]', [delta('text'), finish()]],
    ['[DONE] and a blank line', [delta('text'), finish().trimEnd()]],
    ['a blank line', [delta('text'), finish(), 'data: [DONE]\n']],
    ['the end of its last line', [delta('text'), finish(), 'data: [DONE]']],
    ['a reason, but with [DONE]', [delta('text'), DONE]],
  ])('may do without %s', async (_name, body) => {
    expect(await give(...body)).toMatchObject({ text: 'text', failure: null })
  })

  it('does without a last blank line behind what it has cost', async () => {
    const { chunks } = await give(delta('text'), finish(), usage(1, 2).trimEnd())
    expect(chunks.at(-1)).toEqual({ type: 'usage', promptTokens: 1, completionTokens: 2, totalTokens: 3 })
  })

  it('is over with [DONE], whatever comes behind it', async () => {
    expect((await give(`${delta('a')}${DONE}${delta('b')}${event({ error: 'late' })}`)).text).toBe('a')
  })

  it('is over with [DONE], though the server does not hang up', async () => {
    const model = await ModelServer.start({ body: [delta('a'), DONE], end: 'stall' }, answer('b'))
    expect(await askModel({ baseUrl: model.baseUrl })).toMatchObject({ text: 'a', failure: null })
    await (
      await model.next()
    ).gone
  })

  it('is given as it comes, however slow', async () => {
    const heard = later()
    const model = await ModelServer.start(events(delta('first '), heard.event, delta('second'), finish(), DONE))
    const seen: unknown[] = []
    const asked = await askModel(
      { baseUrl: model.baseUrl },
      {
        onChunk: (chunk) => {
          seen.push(chunk)
          heard.happen()
        },
      },
    )
    expect(asked.failure).toBeNull()
    expect(seen).toEqual(['first ', 'second'])
  })

  it('has text in one event of a megabyte', async () => {
    const long = 'Grüße, €5 to 😀!'.repeat(50_000)
    expect((await give(delta(long), finish(), DONE)).text).toBe(long)
  })
})

describe('an error in a stream of openai', () => {
  const ERRORS: readonly (readonly [string, unknown])[] = [
    ['OpenAI', { error: { message: 'overloaded', type: 'server_error', param: null, code: null } }],
    ['OpenRouter', { error: { message: 'overloaded', code: 502 }, choices: [{ delta: { content: '' } }] }],
    ['vLLM', { object: 'error', message: 'overloaded', type: 'InternalServerError', param: null, code: 500 }],
    ['a text', { error: 'overloaded' }],
  ]

  it.each(ERRORS)('is a failure where it comes first: %s', async (_name, error) => {
    const { failure, text } = await give(event(error), DONE)
    expect([text, failure?.code]).toEqual(['', 'model_unavailable'])
    expect(failure?.message).toContain('overloaded')
  })

  it.each(ERRORS)('is a failure behind text, and not tried again: %s', async (_name, error) => {
    const model = await ModelServer.start(events(delta('some '), event(error), DONE), answer('more'))
    const { failure, text } = await askModel({ baseUrl: model.baseUrl })
    expect([text, failure?.code, model.requests.length]).toEqual(['some ', 'model_unavailable', 1])
  })

  it('is a failure behind the reason of the end, too', async () => {
    const { failure } = await give(delta('some '), finish(), event({ error: { message: 'late' } }))
    expect(failure?.code).toBe('model_unavailable')
  })

  it('is none where it is null', async () => {
    expect(await give(event({ error: null, choices: [{ delta: { content: 'a' } }] }), DONE)).toMatchObject({
      text: 'a',
      failure: null,
    })
  })

  it.each([
    ['is no JSON', 'data: {"choices":[{"delta":{"cont\n\n'],
    ['is a page', 'data: <html>502</html>\n\n'],
  ])('is a failure where an event %s', async (_name, body) => {
    const { failure, text } = await give(delta('some '), body, DONE)
    expect([text, failure?.code]).toEqual(['some ', 'model_unavailable'])
  })
})

describe('a stream of openai that is cut', () => {
  const ENDS = ['fin', 'rst'] as const
  const FRAMINGS = ['chunked', 'close'] as const
  const ways = ENDS.flatMap((end) => FRAMINGS.map((framing) => [end, framing] as const))

  /** The text is heard before the end: what TCP drops with it is not to be seen here. */
  async function cut(end: 'fin' | 'rst', framing: 'chunked' | 'close', behind: readonly string[]): Promise<Asked> {
    const heard = later()
    const body = [delta('text'), heard.event, ...behind]
    const model = await ModelServer.start({ body, framing, end }, answer('second'))
    const asked = await askModel({ baseUrl: model.baseUrl }, { onChunk: heard.happen })
    expect(model.requests.length).toBe(1)
    return asked
  }

  it.each(ways)('before its reason, by %s, %s', async (end, framing) => {
    const { text, failure } = await cut(end, framing, [])
    expect([text, failure?.code]).toEqual(['text', 'model_unavailable'])
  })

  it.each(ways)('within the event of its reason, by %s, %s', async (end, framing) => {
    const { text, failure } = await cut(end, framing, [finish().slice(0, -25)])
    expect([text, failure?.code]).toEqual(['text', 'model_unavailable'])
  })

  it.each(FRAMINGS)('behind its reason, by fin, %s, is whole', async (framing) => {
    expect(await cut('fin', framing, [finish()])).toMatchObject({ text: 'text', failure: null })
  })

  it.each(FRAMINGS)('within what it has cost, by fin, %s, is whole', async (framing) => {
    const behind = [finish(), usage(1, 2).slice(0, -25)]
    expect(await cut('fin', framing, behind)).toMatchObject({ text: 'text', failure: null })
  })

  it.each([
    ['behind its reason', ''],
    ['within what it has cost', usage(1, 2).slice(0, -25)],
  ])('%s, by rst, is whole', async (_name, rest) => {
    // A thought in the same event tells that the reason was heard.
    const heard = later()
    const reason = event({ choices: [{ delta: { reasoning_content: 'hm' }, finish_reason: 'stop' }] })
    const model = await ModelServer.start({ body: [delta('text'), reason + rest, heard.event], end: 'rst' })
    const asked = await askModel(
      { baseUrl: model.baseUrl },
      { onChunk: (chunk) => typeof chunk === 'string' || heard.happen() },
    )
    expect(asked).toMatchObject({ text: 'text', failure: null })
  })

  it.each(ways)('before any text is asked for again: %s, %s', async (end, framing) => {
    const head = delta(null, { role: 'assistant' })
    const model = await ModelServer.start({ body: [head], framing, end }, answer('second'))
    expect(await askModel({ baseUrl: model.baseUrl })).toMatchObject({ text: 'second', failure: null })
    expect(model.requests.length).toBe(2)
  })

  it.each(ENDS)('before its head is asked for again: %s', async (end) => {
    const model = await ModelServer.start({ silent: true, end }, answer('second'))
    expect(await askModel({ baseUrl: model.baseUrl })).toMatchObject({ text: 'second', failure: null })
    expect(model.requests.length).toBe(2)
  })

  it('while all of its text is held back as a tag that may be, is asked for again', async () => {
    const model = await ModelServer.start({ body: [delta('<thi')], end: 'fin' }, answer('second'))
    expect(await askModel({ baseUrl: model.baseUrl })).toMatchObject({ text: 'second', failure: null })
  })
})
