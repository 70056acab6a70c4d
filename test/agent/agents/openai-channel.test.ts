import { describe, expect, it } from 'vitest'
import type { ChannelConfig } from '../../../include-types/agent.ts'
import { AgentServer } from '../../support/agent.ts'
import { LogLines } from '../../support/log-lines.ts'
import {
  answer,
  delta,
  DONE,
  event,
  events,
  finish,
  json,
  ModelServer,
  type Script,
  usage,
} from '../../support/model-server.ts'
import { engines } from '../../support/server.ts'

describe.each(engines)('openai behind a channel on %s', (engine) => {
  async function open(
    scripts: readonly Script[],
    agent: Readonly<Record<string, unknown>> = {},
    channel: ChannelConfig = {},
  ) {
    const model = await ModelServer.start(...scripts)
    const options = { type: 'openai', model: 'm', baseUrl: model.baseUrl, retries: 0, ...agent } as const
    const server = await AgentServer.start(engine, { agent: options, ...channel })
    return { model, server, client: await server.connect('client_id=alice') }
  }

  it('streams what the model says', async () => {
    const { client } = await open([answer('Grü', 'ße, ', '😀')])
    client.send({ content: 'hello' })
    const { frames } = await client.answer()
    expect(frames.map(({ event: name, text }) => [name, text])).toEqual([
      ['delta', 'Grü'],
      ['delta', 'ße, '],
      ['delta', '😀'],
      ['stream_end', undefined],
    ])
  })

  it('is one message without streaming', async () => {
    const { client } = await open([answer('all ', 'of it')], {}, { streaming: false })
    client.send('hello')
    expect(await client.one()).toEqual({ event: 'message', text: 'all of it' })
  })

  it('reminds the model of what was said, but not of thoughts, nor of what has failed', async () => {
    const failed = json({ error: { message: 'no' } }, 500)
    const cut: Script = { body: [delta('half')], end: 'fin' }
    const scripts = [
      answer('<think>hm</think>one'),
      failed,
      cut,
      events(finish(), DONE),
      answer('two'),
      answer('three'),
    ]
    const { client, model } = await open(scripts, { systemPrompt: 'Be short.' })
    expect(await client.ask('first')).toBe('one')
    await client.ask('second')
    client.send('third')
    expect((await client.next('message')).error).toEqual({ code: 'model_unavailable' })
    await client.ask('fourth')
    expect(await client.ask('fifth')).toBe('two')
    expect(await client.ask('sixth')).toBe('three')
    const system = { role: 'system', content: 'Be short.' }
    const first = [
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'one' },
    ]
    expect(model.requests.at(-2)?.body['messages']).toEqual([system, ...first, { role: 'user', content: 'fifth' }])
    expect(model.requests.at(-1)?.body['messages']).toEqual([
      system,
      ...first,
      { role: 'user', content: 'fifth' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'sixth' },
    ])
  })

  it('names the chat of ready as the session with sessionMode server', async () => {
    const { client, model } = await open([answer('one'), answer('two')], { sessionMode: 'server', systemPrompt: 'x' })
    await client.ask('first')
    await client.ask('second')
    const chat = client.frames[0]?.chat_id
    expect(model.requests.map(({ body }) => [body['messages'], body['session_id']])).toEqual([
      [[{ role: 'user', content: 'first' }], chat],
      [[{ role: 'user', content: 'second' }], chat],
    ])
  })

  it('tells what it has cost with turn_end, and its thoughts where they are wanted', async () => {
    const script = events(delta(null, { reasoning_content: 'hm' }), delta('text'), finish(), usage(5, 7), DONE)
    const { client } = await open([script], {}, { turnEvents: true, reasoning: true })
    client.send('hello')
    const end = await client.next('turn_end')
    expect(JSON.stringify(end)).toMatch(/"prompt\w*":5/)
    expect(JSON.stringify(end)).toMatch(/"completion\w*":7/)
    expect(client.frames.map((frame) => frame.event)).toEqual([
      'ready',
      'reasoning_delta',
      'reasoning_end',
      'delta',
      'stream_end',
      'turn_end',
    ])
  })

  it.each<[Script, string, string]>([
    [json({ error: { message: 'no' } }, 401), 'model_auth', "Sorry, the model rejected the server's credentials."],
    [json({ error: { message: 'no' } }, 429), 'model_rate_limited', 'Sorry, the model is busy; try again shortly.'],
    [json({ error: { message: 'no' } }, 404), 'model_rejected', 'Sorry, the model rejected the request.'],
    [json({ error: { message: 'no' } }, 500), 'model_unavailable', 'Sorry, the model is not reachable.'],
    [events(finish(), DONE), 'empty_response', 'Sorry, the model returned nothing.'],
    [events(finish('tool_calls'), DONE), 'agent_error', 'Sorry, I encountered an error.'],
  ])('%#: says what has failed, and goes on', async (script, code, text) => {
    const { client } = await open([script, answer('well')])
    client.send('hello')
    expect(await client.one()).toEqual({ event: 'message', text, error: { code } })
    expect(await client.ask('again')).toBe('well')
  })

  it('ends the stream before it says that the model was cut off', async () => {
    const { client } = await open([{ body: [delta('Par')], end: 'fin' }])
    client.send('hello')
    const error = await client.next('message')
    expect(client.frames.map(({ event: name }) => name)).toEqual(['ready', 'delta', 'stream_end', 'message'])
    expect(error).toMatchObject({ text: 'Sorry, the model is not reachable.', error: { code: 'model_unavailable' } })
  })

  it('gives up a model that says nothing more, and ends its request', async () => {
    const { client, model } = await open([{ body: [delta('Par')], end: 'stall' }], {}, { idleTimeoutS: 1 })
    client.send('hello')
    expect((await client.next('message')).error).toEqual({ code: 'agent_idle' })
    await (
      await model.next()
    ).gone
  })

  it('ends the request of a client that has gone', async () => {
    const { client, model } = await open([{ body: [delta('Par')], end: 'stall' }])
    client.send('hello')
    await client.next('delta')
    client.cut()
    await (
      await model.next()
    ).gone
    expect(model.requests.length).toBe(1)
  })

  it('ends its request where the host stops', async () => {
    const { client, model, server } = await open([{ silent: true, end: 'stall' }])
    client.send('hello')
    const request = await model.next()
    await server.host.stop()
    await request.gone
  })

  it('keeps key and words of the server for itself, and the key out of the log', async () => {
    const log = new LogLines()
    const key = 'sk-secret-0123456789'
    const error = { error: { message: `Incorrect API key provided: ${key}` } }
    const scripts = [json(error, 401), events(delta('some '), event(error)), json(error, 500), json(error, 500)]
    const { client, model } = await open(scripts, { apiKey: key, retries: 1 })
    for (const code of ['model_auth', 'model_unavailable', 'model_unavailable']) {
      client.send('hello')
      expect((await client.next('message')).error).toEqual({ code })
    }
    expect(model.requests.length).toBe(4)
    expect(log.lines.join('\n')).not.toContain(key)
    expect(log.lines.join('\n').match(/Incorrect API key provided/g)?.length).toBeGreaterThanOrEqual(3)
    expect(client.texts.join('\n')).not.toMatch(/Incorrect|sk-|127\.0\.0\.1/)
  })

  it('answers chats beside each other', async () => {
    const { client, server } = await open([{ silent: true, end: 'stall' }, answer('second')])
    client.send('hello')
    const other = await server.connect()
    // Which of them is first at the model is not said: one waits, the other has its answer.
    other.send('hello')
    const first = await Promise.race([client.answer(), other.answer()])
    expect(first.text).toBe('second')
  })
})
