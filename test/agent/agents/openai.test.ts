import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../../include-types/agent.ts'
import { loadConfig } from '../../../lib/web/config/load.ts'
import { answer, delta, DONE, events, finish, json, ModelServer, usage } from '../../support/model-server.ts'
import { askModel, settingsOf } from '../../support/openai.ts'

const USER = { role: 'user', content: 'question' }

/** The request that a turn makes. */
async function requestOf(
  options: Readonly<Record<string, unknown>> = {},
  asking: Parameters<typeof askModel>[1] = {},
): ReturnType<ModelServer['next']> {
  const model = await ModelServer.start(answer('ok'))
  const { text, failure } = await askModel({ baseUrl: model.baseUrl, ...options }, asking)
  expect([text, failure]).toEqual(['ok', null])
  expect(model.requests.length).toBe(1)
  return model.next()
}

describe('the request of openai', () => {
  it.each([
    ['', '/v1/chat/completions'],
    ['/', '/v1/chat/completions'],
    ['//', '/v1/chat/completions'],
    ['/chat/completions', '/v1/chat/completions'],
    ['/chat/completions/', '/v1/chat/completions'],
    ['/chat', '/v1/chat/chat/completions'],
  ])('goes to the address that baseUrl with %j makes', async (end, path) => {
    const model = await ModelServer.start(answer('ok'))
    await askModel({ baseUrl: model.baseUrl + end })
    expect((await model.next()).path).toBe(path)
  })

  it('goes to OpenAI by default', () => {
    expect(settingsOf({ type: 'openai', model: 'm' })).toMatchObject({
      url: 'https://api.openai.com/v1/chat/completions',
      apiKey: '',
      includeUsage: true,
      stripThink: true,
      retries: 2,
      sessionMode: 'local',
      maxTokensField: 'max_tokens',
      connectTimeout: 10_000,
    })
  })

  it('is a POST of JSON that wants events, with no key where none is set', async () => {
    const { method, headers } = await requestOf()
    expect(method).toBe('POST')
    expect(headers['content-type']).toBe('application/json')
    expect(headers['accept']).toBe('text/event-stream')
    expect(headers).not.toHaveProperty('authorization')
  })

  it('has the key as a bearer, and headers of the config', async () => {
    const { headers } = await requestOf({ apiKey: 'sk-1', headers: { 'X-Title': 'fiberws' } })
    expect(headers['authorization']).toBe('Bearer sk-1')
    expect(headers['x-title']).toBe('fiberws')
  })

  it('takes the key from the environment', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fiberws-openai-'))
    const file = join(folder, 'web.json5')
    const agent = "{ type: 'openai', model: 'm', apiKey: '${MODEL_KEY}' }"
    writeFileSync(file, `{ channels: { websocket: { enabled: true, agent: ${agent} } } }`)
    const { routes } = loadConfig(file, { environment: { MODEL_KEY: 'sk-env' } })
    await rm(folder, { recursive: true })
    expect(routes.map(({ channel }) => channel?.settings.agent)[0]).toMatchObject({ apiKey: 'sk-env' })
  })

  it('has model, question, stream and stream_options, and no more', async () => {
    const { body } = await requestOf()
    expect(body).toEqual({ model: 'm', messages: [USER], stream: true, stream_options: { include_usage: true } })
  })

  it('has no stream_options without includeUsage', async () => {
    const { body } = await requestOf({ includeUsage: false })
    expect(body).toEqual({ model: 'm', messages: [USER], stream: true })
  })

  it('has no model where none is set', async () => {
    const { body } = await requestOf({ model: '' })
    expect(body).not.toHaveProperty('model')
  })

  it('has temperature and maxTokens where they are set, also 0', async () => {
    expect((await requestOf({ temperature: 0, maxTokens: 7 })).body).toMatchObject({ temperature: 0, max_tokens: 7 })
  })

  it('has maxTokens by the name that the server wants', async () => {
    const { body } = await requestOf({ maxTokens: 7, maxTokensField: 'max_completion_tokens' })
    expect(body).toMatchObject({ max_completion_tokens: 7 })
    expect(body).not.toHaveProperty('max_tokens')
  })

  it('has extraBody, which counts more than what it would have', async () => {
    const { body } = await requestOf({ extraBody: { top_k: 3, stop: ['x'], model: 'other' } })
    expect(body).toMatchObject({ top_k: 3, stop: ['x'], model: 'other', stream: true })
  })

  it('has the system prompt, what was said before, and the question', async () => {
    const history: ChatMessage[] = [
      { role: 'user', content: 'earlier' },
      { role: 'assistant', content: 'answer' },
    ]
    const { body } = await requestOf({ systemPrompt: 'Be short.' }, { session: { history } })
    expect(body['messages']).toEqual([{ role: 'system', content: 'Be short.' }, ...history, USER])
  })

  it('has only the question and the chat with sessionMode server', async () => {
    const history: ChatMessage[] = [{ role: 'user', content: 'earlier' }]
    const options = { sessionMode: 'server', systemPrompt: 'Be short.', model: '' }
    const { body } = await requestOf(options, { session: { history, chatId: 'chat-9' } })
    expect(body['messages']).toEqual([USER])
    expect(body['session_id']).toBe('chat-9')
    expect(body).not.toHaveProperty('model')
  })

  it('names no session with sessionMode local', async () => {
    expect((await requestOf()).body).not.toHaveProperty('session_id')
  })

  it('has text as it is, whatever characters it has', async () => {
    const text = ' "é€😀\u2028\\ \0 '
    const { body } = await requestOf({}, { text })
    expect(body['messages']).toEqual([{ role: 'user', content: text }])
  })
})

describe('an answer of openai', () => {
  /** What a turn gives for a stream. */
  async function chunksOf(...parts: readonly string[]): ReturnType<typeof askModel> {
    const model = await ModelServer.start(events(...parts))
    return askModel({ baseUrl: model.baseUrl })
  }

  it('is its text, word by word', async () => {
    const { chunks, failure } = await chunksOf(delta('Hel'), delta('lo '), delta('you'), finish(), DONE)
    expect([chunks, failure]).toEqual([['Hel', 'lo ', 'you'], null])
  })

  it('passes over a delta without content, with null and with nothing, and choices without delta', async () => {
    const { chunks } = await chunksOf(
      'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
      delta(null),
      delta(''),
      'data: {"choices":[{"index":0}]}\n\n',
      'data: {"choices":[{"delta":null}]}\n\n',
      'data: {"choices":[null]}\n\n',
      'data: {}\n\n',
      delta('text'),
      finish(),
      DONE,
    )
    expect(chunks).toEqual(['text'])
  })

  it('takes content in parts', async () => {
    const parts = [{ type: 'text', text: 'a' }, { type: 'image' }, { text: 'b' }, null, { text: 5 }]
    const { text } = await chunksOf(delta(parts), finish(), DONE)
    expect(text).toBe('ab')
  })

  it('tells what it has cost, of a chunk without choices', async () => {
    const { chunks } = await chunksOf(delta('text'), finish(), usage(5, 7), DONE)
    expect(chunks).toEqual(['text', { type: 'usage', promptTokens: 5, completionTokens: 7, totalTokens: 12 }])
  })

  it('does without what it has cost', async () => {
    const { chunks } = await chunksOf(delta('text'), finish(), 'data: {"choices":[],"usage":null}\n\n', DONE)
    expect(chunks).toEqual(['text'])
  })

  it('has thoughts apart from its text', async () => {
    const { chunks } = await chunksOf(delta(null, { reasoning_content: 'hm' }), delta('text'), finish(), DONE)
    expect(chunks).toEqual([{ type: 'reasoning', text: 'hm' }, 'text'])
  })

  it('loses what stands between tags of thought, cut wherever', async () => {
    const { text } = await chunksOf(
      delta('a<th'),
      delta('ink>secret</thi'),
      delta('nk>b <'),
      delta('c'),
      finish(),
      DONE,
    )
    expect(text).toBe('ab <c')
  })

  it.each(['a <thi', '<thi'])('ends with what might have been a tag: %s', async (text) => {
    expect(await chunksOf(delta(text), finish(), DONE)).toMatchObject({ text, failure: null })
  })

  it('keeps thoughts without stripThink', async () => {
    const model = await ModelServer.start(answer('<think>a</think>b'))
    const { text } = await askModel({ baseUrl: model.baseUrl, stripThink: false })
    expect(text).toBe('<think>a</think>b')
  })

  it.each([
    ['stop', [], null],
    ['stop', ['text'], 'text'],
    ['length', ['text'], 'text'],
    ['content_filter', ['text'], 'text'],
  ])('that ends with %s behind %j', async (reason, words, text) => {
    const asked = await chunksOf(...words.map((word) => delta(word)), finish(reason), DONE)
    expect(asked.failure?.code).toBe(text === null ? 'empty_response' : undefined)
    expect(asked.text).toBe(text ?? '')
  })

  it('that was cut for its length is in the log', async () => {
    const { logs } = await chunksOf(delta('text'), finish('length'), DONE)
    expect(logs.join('\n')).toContain('length')
  })

  it.each([
    ['content_filter', [], 'model_rejected'],
    ['tool_calls', [], 'agent_error'],
    ['tool_calls', ['text'], 'agent_error'],
    ['function_call', [], 'agent_error'],
    ['length', [], 'empty_response'],
  ])('fails that ends with %s behind %j', async (reason, words, code) => {
    const model = await ModelServer.start(events(...words.map((word) => delta(word)), finish(reason), DONE))
    const { failure, text } = await askModel({ baseUrl: model.baseUrl })
    expect([failure?.code, text]).toEqual([code, words.join('')])
    expect(model.requests.length).toBe(1)
  })

  it.each([
    ['only the mark of the end', [DONE]],
    ['only thoughts', [delta(null, { reasoning_content: 'hm' }), finish(), DONE]],
    ['only thoughts in tags', [delta('<think>hm</think>'), finish(), DONE]],
    ['thoughts that do not end', [delta('<think>hm'), finish(), DONE]],
  ])('that is %s is empty, and not asked for again', async (_name, parts) => {
    const model = await ModelServer.start(events(...parts), answer('second'))
    const { failure, text } = await askModel({ baseUrl: model.baseUrl })
    expect([failure?.code, text, model.requests.length]).toEqual(['empty_response', '', 1])
  })
})

describe('an answer of openai that is no stream', () => {
  const whole = (message: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    ...more,
  })
  async function give(value: unknown, type = 'application/json'): ReturnType<typeof askModel> {
    const model = await ModelServer.start(json(value, 200, { 'Content-Type': type }))
    return askModel({ baseUrl: model.baseUrl, retries: 0 })
  }

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
    'is one chunk and its cost, as %s',
    async (type) => {
      const cost = { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }
      const { chunks, failure } = await give(whole({ role: 'assistant', content: 'all of it é' }, cost), type)
      expect(failure).toBeNull()
      expect(chunks).toEqual(['all of it é', { type: 'usage', promptTokens: 1, completionTokens: 2, totalTokens: 3 }])
    },
  )

  it('loses thoughts in tags, and has the others apart', async () => {
    const { chunks } = await give(whole({ content: '<think>a</think>b', reasoning_content: 'hm' }))
    expect(chunks).toEqual([{ type: 'reasoning', text: 'hm' }, 'b'])
  })

  it.each([
    ['nothing', whole({ content: null }), 'empty_response'],
    ['no choices', { choices: [] }, 'empty_response'],
    ['tools', { choices: [{ message: { content: null }, finish_reason: 'tool_calls' }] }, 'agent_error'],
    ['a filter', { choices: [{ message: { content: '' }, finish_reason: 'content_filter' }] }, 'model_rejected'],
    ['half of it', '{"choices":[{"mess', 'model_unavailable'],
    ['nothing at all', '', 'model_unavailable'],
    ['an error', { error: { message: 'no', code: null } }, 'model_unavailable'],
    ['an error of vLLM', { object: 'error', message: 'no', code: 400 }, 'model_rejected'],
  ])('fails with %s', async (_name, value, code) => {
    const { failure, text } = await give(value)
    expect([failure?.code, text]).toEqual([code, ''])
  })
})
