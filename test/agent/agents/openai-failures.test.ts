import { spawn } from 'node:child_process'
import { createServer, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { answer, delta, event, events, json, ModelServer, type Script } from '../../support/model-server.ts'
import { askModel, contextOf, iterate, later, openai, sessionOf } from '../../support/openai.ts'
import { RawServer, closedPort } from '../../support/raw-server.ts'

const SHAPES: readonly (readonly [string, Script])[] = [
  ['OpenAI', json({ error: { message: 'What is wrong', type: 't', param: null, code: 'c' } }, 400)],
  ['vLLM', json({ object: 'error', message: 'What is wrong', type: 't', param: null, code: 400 }, 400)],
  ['detail', json({ detail: 'What is wrong' }, 400)],
  ['a list as detail', json({ detail: [{ loc: ['body'], msg: 'What is wrong' }] }, 400)],
  ['HTML', { status: 400, headers: { 'Content-Type': 'text/html' }, body: ['<h1>What is wrong</h1>'] }],
  ['text', { status: 400, headers: {}, body: ['What is wrong'] }],
]

describe('an error of openai in place of a stream', () => {
  it.each([
    [400, 'model_rejected', 1],
    [401, 'model_auth', 1],
    [402, 'model_rejected', 1],
    [403, 'model_auth', 1],
    [404, 'model_rejected', 1],
    [408, 'model_unavailable', 3],
    [409, 'model_rejected', 3],
    [413, 'model_rejected', 1],
    [422, 'model_rejected', 1],
    [429, 'model_rate_limited', 3],
    [500, 'model_unavailable', 3],
    [502, 'model_unavailable', 3],
    [503, 'model_unavailable', 3],
    [504, 'model_unavailable', 3],
    [529, 'model_unavailable', 3],
  ])('%d is %s, asked for %d times', async (status, code, times) => {
    const error = json({ error: { message: 'no' } }, status)
    const model = await ModelServer.start(error, error, error, answer('too late'))
    const { failure, chunks } = await askModel({ baseUrl: model.baseUrl })
    expect([failure?.code, chunks, model.requests.length]).toEqual([code, [], times])
  })

  it.each(SHAPES)('says what the server says, for the log: %s', async (_name, script) => {
    const model = await ModelServer.start(script)
    const { failure } = await askModel({ baseUrl: model.baseUrl })
    expect(failure?.code).toBe('model_rejected')
    expect(failure?.message).toContain('400')
    expect(failure?.message).toContain('What is wrong')
  })

  it('is read for 4 KiB, whatever there is of it', async () => {
    const stop = later()
    const model = await ModelServer.start({ status: 400, body: ['x'.repeat(9000), stop.event], end: 'stall' })
    const { failure } = await askModel({ baseUrl: model.baseUrl })
    expect(failure?.code).toBe('model_rejected')
    expect(failure?.message.match(/x/g)?.length).toBe(4096)
    await (
      await model.next()
    ).gone
    stop.happen()
  })

  it.each(['fin', 'rst'] as const)('counts though it is cut by %s', async (end) => {
    const model = await ModelServer.start({ status: 401, body: ['{"error":'], end })
    const { failure } = await askModel({ baseUrl: model.baseUrl })
    expect([failure?.code, model.requests.length]).toEqual(['model_auth', 1])
  })

  it.each([
    ['a page', { headers: { 'Content-Type': 'text/html' }, body: ['<!doctype html>\n<p>Log in: first</p>\n'] }],
    ['nothing', { headers: {}, body: [] }],
  ])('may be 200 with %s', async (_name, script) => {
    const model = await ModelServer.start(script)
    const { failure, text } = await askModel({ baseUrl: model.baseUrl, retries: 0 })
    expect([failure?.code, text]).toEqual(['model_unavailable', ''])
  })
})

describe('another try of openai', () => {
  it.each([408, 409, 429, 500])('is made behind %d, and is the answer', async (status) => {
    const model = await ModelServer.start(json({}, status), answer('second'), answer('third'))
    const { text, failure, logs } = await askModel({ baseUrl: model.baseUrl })
    expect([text, failure, model.requests.length, logs.length]).toEqual(['second', null, 2, 1])
  })

  it('asks the same again', async () => {
    const model = await ModelServer.start(json({}, 500), answer('second'))
    await askModel({ baseUrl: model.baseUrl, apiKey: 'sk-1' })
    const [first, second] = model.requests
    expect(second?.body).toEqual(first?.body)
    expect(second?.headers['authorization']).toBe('Bearer sk-1')
  })

  it.each([0, 1, 4])('is made %d times where the config says so', async (retries) => {
    const model = await ModelServer.start(...Array.from({ length: 6 }, () => json({}, 503)))
    const { failure } = await askModel({ baseUrl: model.baseUrl, retries })
    expect([failure?.code, model.requests.length]).toEqual(['model_unavailable', 1 + retries])
  })

  it('comes 1 s later, and 2 s later', async () => {
    const model = await ModelServer.start(json({}, 500), json({}, 500), json({}, 500))
    const agent = openai({ baseUrl: model.baseUrl })
    const chunks = iterate(agent.reply(sessionOf(), 'question', contextOf(new AbortController().signal)))
    await expect(chunks[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'model_unavailable' })
    const at = model.requests.map((request) => request.at)
    expect(at.length).toBe(3)
    // Timers of node may be a millisecond early.
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(995)
    expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThan(1995)
  })

  it('is not made once there was text', async () => {
    const model = await ModelServer.start({ body: [delta('some ')], end: 'fin' }, answer('more'))
    const { text, failure } = await askModel({ baseUrl: model.baseUrl })
    expect([text, failure?.code, model.requests.length]).toEqual(['some ', 'model_unavailable', 1])
  })

  it('is not made where the quota is used up', async () => {
    const error = {
      error: { message: 'You exceeded your quota', type: 'insufficient_quota', code: 'insufficient_quota' },
    }
    const model = await ModelServer.start(json(error, 429), answer('second'))
    const { failure, logs } = await askModel({ baseUrl: model.baseUrl })
    expect([failure?.code, model.requests.length, logs]).toEqual(['model_rate_limited', 1, []])
  })

  it('waits as many seconds as the server asks for', async () => {
    const model = await ModelServer.start(json({}, 429, { 'Retry-After': '1' }), answer('second'))
    const { text } = await askModel({ baseUrl: model.baseUrl }, { delays: [0] })
    expect(text).toBe('second')
    const [first, second] = model.requests
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(995)
  })

  it('waits until the time that the server names', async () => {
    const date = new Date(Date.now() + 2000).toUTCString()
    const wait = Date.parse(date) - Date.now()
    const model = await ModelServer.start(json({}, 503, { 'Retry-After': date }), answer('second'))
    const began = performance.now()
    const { text } = await askModel({ baseUrl: model.baseUrl }, { delays: [0] })
    expect(text).toBe('second')
    expect((model.requests[1]?.at ?? 0) - began).toBeGreaterThan(wait - 100)
  })

  it.each([
    ['0', '0'],
    ['a time that is over', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ])('comes at once where Retry-After is %s', async (_name, value) => {
    const model = await ModelServer.start(json({}, 429, { 'Retry-After': value }), answer('second'))
    const { text } = await askModel({ baseUrl: model.baseUrl }, { delays: [600_000] })
    expect(text).toBe('second')
  })

  it.each(['soon', '', '-5', '1.5'])('comes as if there were no Retry-After where that is %j', async (value) => {
    const model = await ModelServer.start(json({}, 429, { 'Retry-After': value }), answer('second'))
    const { text, logs } = await askModel({ baseUrl: model.baseUrl }, { delays: [7] })
    expect(text).toBe('second')
    expect(logs[0]).toContain(' 7 ms')
  })

  it.each([
    ['31', '31'],
    ['in an hour', new Date(Date.now() + 3_600_000).toUTCString()],
  ])('is not waited for where Retry-After is %s', async (_name, value) => {
    const model = await ModelServer.start(json({}, 429, { 'Retry-After': value }), answer('second'))
    const { failure } = await askModel({ baseUrl: model.baseUrl })
    expect([failure?.code, model.requests.length]).toEqual(['model_rate_limited', 1])
  })

  it('is waited for 30 s, but not once nobody wants it', async () => {
    const model = await ModelServer.start(json({}, 429, { 'Retry-After': '30' }), answer('second'))
    const controller = new AbortController()
    const asked = await askModel(
      { baseUrl: model.baseUrl },
      { signal: controller.signal, onLog: () => controller.abort() },
    )
    expect(asked.logs[0]).toContain(' 30000 ms')
    expect([asked.chunks, model.requests.length]).toEqual([[], 1])
  })
})

describe('a server of openai that cannot be reached', () => {
  const kept: Socket[] = []
  afterEach(() => {
    for (const socket of kept.splice(0)) socket.destroy()
  })

  it('is unavailable, and tried again', async () => {
    const { failure, logs } = await askModel({ baseUrl: `http://127.0.0.1:${await closedPort()}/v1` })
    expect([failure?.code, logs.length]).toEqual(['model_unavailable', 2])
  })

  it('is unavailable where it has no address', async () => {
    const { failure } = await askModel({ baseUrl: 'http://no.such.host.invalid/v1', retries: 0 })
    expect(failure?.code).toBe('model_unavailable')
  })

  it('is unavailable where it speaks something else', async () => {
    const server = await RawServer.listen()
    const asked = askModel({ baseUrl: `http://127.0.0.1:${server.port}/v1`, retries: 0 })
    const peer = await server.next()
    peer.send('SSH-2.0-OpenSSH_9.6\r\n')
    expect((await asked).failure?.code).toBe('model_unavailable')
  })

  it('is given up where TCP is not answered', async () => {
    // A listener that takes nobody: what its queue has no room for waits.
    const program = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
    const child = spawn(process.execPath, ['-e', program])
    try {
      const port = await new Promise<number>((resolve) =>
        child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString()))),
      )
      for (let i = 0; i < 4; i++) kept.push(connect(port, '127.0.0.1').on('error', () => {}))
      const asked = await askModel(
        { baseUrl: `http://127.0.0.1:${port}/v1`, retries: 1 },
        { over: { connectTimeout: 100 } },
      )
      expect(asked.failure?.code).toBe('model_unavailable')
      expect(asked.failure?.message).toContain('0.1 s')
      expect(asked.logs.length).toBe(1)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('is given up where TLS is not answered', async () => {
    const server = createServer((socket) => void kept.push(socket.on('error', () => {})))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const asked = await askModel(
      { baseUrl: `https://127.0.0.1:${port}/v1`, retries: 0 },
      { over: { connectTimeout: 100 } },
    )
    server.close()
    expect(asked.failure?.code).toBe('model_unavailable')
    expect(asked.failure?.message).toContain('0.1 s')
  })

  it('has as long as it likes for an answer, once it is reached, also on a connection that is there', async () => {
    const silent = await RawServer.listen()
    const late = later()
    const model = await ModelServer.start(json({ choices: [{ message: { content: 'quick' } }] }), {
      ...answer('slow'),
      after: late.event,
    })
    const over = { connectTimeout: 50 }
    const agent = openai({ baseUrl: model.baseUrl, retries: 0 }, [0], over)
    const say = async (): Promise<unknown[]> => {
      const said: unknown[] = []
      const { signal } = new AbortController()
      for await (const chunk of iterate(agent.reply(sessionOf(), 'q', contextOf(signal)))) said.push(chunk)
      return said
    }
    expect(await say()).toEqual(['quick'])
    const second = say()
    await model.next()
    await model.next()
    // Another one that runs into the limit tells when the first would have.
    const other = await askModel({ baseUrl: `https://127.0.0.1:${silent.port}/v1`, retries: 0 }, { over })
    expect(other.failure?.message).toContain('0.05 s')
    late.happen()
    expect(await second).toEqual(['slow'])
  })
})

describe('a turn of openai that nobody wants any more', () => {
  it('ends its request at the server', async () => {
    const controller = new AbortController()
    const model = await ModelServer.start({ body: [delta('some ')], end: 'stall' }, answer('second'))
    const { text, failure } = await askModel(
      { baseUrl: model.baseUrl },
      { signal: controller.signal, onChunk: () => controller.abort() },
    )
    expect([text, failure]).toEqual(['some ', null])
    await (
      await model.next()
    ).gone
    expect(model.requests.length).toBe(1)
  })

  it('ends its request at the server before there is an answer', async () => {
    const controller = new AbortController()
    const model = await ModelServer.start({ silent: true, end: 'stall' }, answer('second'))
    const asked = askModel({ baseUrl: model.baseUrl }, { signal: controller.signal })
    const request = await model.next()
    controller.abort()
    await request.gone
    expect((await asked).chunks).toEqual([])
    expect(model.requests.length).toBe(1)
  })

  it('ends its request where the iteration is left', async () => {
    const model = await ModelServer.start({ body: [delta('some '), delta('more')], end: 'stall' })
    const agent = openai({ baseUrl: model.baseUrl })
    for await (const chunk of iterate(agent.reply(sessionOf(), 'q', contextOf(new AbortController().signal)))) {
      expect(chunk).toBe('some ')
      break
    }
    await (
      await model.next()
    ).gone
  })

  it('asks nobody where it was so from the beginning', async () => {
    const model = await ModelServer.start(answer('text'))
    const { chunks, failure } = await askModel({ baseUrl: model.baseUrl }, { signal: AbortSignal.abort() })
    expect([chunks, failure, model.requests]).toEqual([[], null, []])
  })
})

describe('the key of openai', () => {
  const KEY = 'sk-secret-0123456789'

  it.each<[string, Script]>([
    ['its error', json({ error: { message: `Incorrect API key provided: ${KEY}` } }, 401)],
    ['its page', { status: 500, headers: { 'Content-Type': 'text/html' }, body: [`<p>${KEY}</p>${KEY}`] }],
    ['its stream', events(event({ error: { message: `Bearer ${KEY} has no more` } }))],
    ['an answer that is no stream', json({ error: { message: KEY, code: 503 } })],
    ['an answer that is too long', { status: 500, body: ['x'.repeat(4096 - KEY.length + 2), KEY] }],
  ])('is neither in a failure nor in the log where the server quotes it in %s', async (_name, script) => {
    const model = await ModelServer.start(script, script, script)
    const { failure, logs } = await askModel({ baseUrl: model.baseUrl, apiKey: KEY })
    expect(failure).not.toBeNull()
    const told = [failure?.message, failure?.stack, JSON.stringify(failure), String(failure?.cause), ...logs].join('\n')
    expect(told).not.toContain(KEY.slice(0, -2))
  })

  it('is in no failure where JSON spells it in another way', async () => {
    const key = 'sk-"quoted"\\0123456789'
    const model = await ModelServer.start(json({ error: { message: `no: ${key}` } }, 401))
    const { failure } = await askModel({ baseUrl: model.baseUrl, apiKey: key })
    expect(failure?.code).toBe('model_auth')
    expect(failure?.message).not.toContain('0123456789')
  })

  it('is in no failure where it is in a header of the config', async () => {
    const model = await ModelServer.start(json({ error: { message: `no: ${KEY}` } }, 401))
    const { failure } = await askModel({ baseUrl: model.baseUrl, headers: { 'api-key': KEY } })
    expect(failure?.code).toBe('model_auth')
    expect(failure?.message).not.toContain(KEY)
  })

  it.each([`${KEY}\n`, `${KEY}€`])('is in no failure where no header can have it: %j', async (apiKey) => {
    const model = await ModelServer.start(answer('text'))
    const asked = askModel({ baseUrl: model.baseUrl, apiKey })
    await expect(asked.then(({ failure }) => String(failure?.stack), String)).resolves.not.toContain(KEY)
  })
})
