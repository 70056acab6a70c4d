import { afterEach, describe, expect, it } from 'vitest'
import { Failure } from '../../lib/agent/failure.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { agentOf, AgentServer } from '../support/agent.ts'
import { binary } from '../support/frames.ts'
import { knock } from '../support/knock.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

afterEach(() => rSetLogSink(null))

/** All that is logged from now on, also of connections, with all fields. */
function listen(): string[] {
  const lines: string[] = []
  rSetLogSink((level, source, message, fields) => {
    lines.push(`${level} ${source} ${message} ${JSON.stringify(fields ?? {})}`)
  })
  return lines
}

const TOKEN = 'static-Token-1'
const SECRET = 'issue-Secret-2'
const WRONG = 'wrong-Guess-3'

describe.each(engines)('the log of the agent channel on %s', (engine) => {
  it('trap 42: has no token, no secret and no query string, whatever happens', async () => {
    const lines = listen()
    const secrets = [TOKEN, SECRET, WRONG, 'open-Issue-4', 'query-Part-5', 'said-By-Client-6']
    const agent = agentOf(
      async function* (_session, text) {
        yield 'a '
        if (text === 'hang') await new Promise(() => {})
        if (text === 'fail') throw new Failure('model_auth', 'the model said no')
        if (text !== 'long') return
        for (;;) yield 'x'.repeat(1000)
      },
      {
        sessionClosed: () => {
          throw new Error('on purpose')
        },
        stop: () => Promise.reject(new Error('on purpose')),
      },
    )
    const channel = {
      path: '/ws',
      token: TOKEN,
      tokenIssuePath: '/token',
      tokenIssueSecret: SECRET,
      allowFrom: ['ada', 'x'.repeat(128)],
      idleTimeoutS: 1,
      maxReplyBytes: '2K',
      maxQueuedPerChat: 1,
      maxMessageBytes: 1024,
      unknownKey: 'open-Issue-4',
    }
    const server = await AgentServer.start(engine, channel, agent)
    const { port } = server
    const tokens: string[] = []
    const issue = async (headers: Record<string, string>): Promise<number> => {
      const { status, body } = await server.request(`/token?query-Part-5=${WRONG}`, headers)
      tokens.push(...(/nbwt_[\w-]{43}/.exec(body.toString()) ?? []))
      return status
    }
    expect(await issue({ Authorization: `Bearer ${SECRET}` })).toBe(200)
    expect(await issue({ 'X-Nanobot-Auth': SECRET })).toBe(200)
    expect(await issue({ Authorization: `Bearer ${WRONG}` })).toBe(401)
    expect((await server.request(`/token?token=${WRONG}`, {}, 'POST')).status).toBe(405)
    expect(tokens.length).toBe(2)

    const at = (query: string): string => `/ws?query-Part-5=1&client_id=ada&${query}`
    for (const [target, status] of [
      [at(`token=${WRONG}`), 401],
      [at(''), 401],
      [`/ws?client_id=eve&token=${TOKEN}`, 403],
      [`/other?token=${TOKEN}`, 404],
      [at(`token=${tokens[0]}`), 101],
      [at(`token=${tokens[0]}`), 401],
      [at(`token=${TOKEN}&resume=query-Part-5&index=5`), 101],
      [`/ws?client_id=${'x'.repeat(200)}&token=${TOKEN}`, 101],
      [at(`token=%ff${TOKEN}`), 401],
    ] as const) {
      expect([target, (await knock(port, target, { 'X-Nanobot-Auth': WRONG })).status]).toEqual([target, status])
    }
    expect((await knock(port, at(`token=${TOKEN}`), { 'Sec-WebSocket-Version': '9' })).status).toBe(426)
    expect((await knock(port, at(`token=${TOKEN}`), { Upgrade: null })).status).toBe(426)

    const client = await server.connect(`client_id=ada&token=${tokens[1]}`, '/ws')
    client.send(Buffer.from('fffefd', 'hex'))
    client.send({ content: 'said-By-Client-6' })
    await client.next('stream_end')
    for (const [text, code] of [
      ['fail', 'model_auth'],
      ['long', 'agent_error'],
      ['hang', 'agent_idle'],
    ]) {
      client.send(text)
      expect((await client.next('message')).error?.code).toBe(code)
    }
    for (const text of ['hang', 'hang', 'said-By-Client-6']) client.send(text)
    expect((await client.next('message')).error?.code).toBe('queue_full')
    client.send('said-By-Client-6'.repeat(100))
    expect((await client.closed).code).toBe(1009)
    const raw = await RawClient.open(port, at(`token=${TOKEN}`))
    raw.send(binary(Buffer.from('ff', 'hex')))
    raw.reset()
    const last = await server.connect(`client_id=ada&token=${TOKEN}`, '/ws')
    await server.host.stop()
    await last.closed

    // It says something at all.
    const all = lines.join('\n')
    for (const said of [
      /model_auth|the model said no/,
      /sessionClosed failed/,
      /stop failed/,
      / conn /,
      /client_id was cut/,
    ]) {
      expect(all).toMatch(said)
    }
    for (const secret of [...secrets, ...tokens]) {
      for (const spelling of [secret, encodeURIComponent(secret)]) expect(all).not.toContain(spelling)
    }
    expect(all).not.toMatch(/nbwt_|[?&]\w+=|client_id=/)
  })

  it('trap 42: warnings about what anybody may have do not tell it', async () => {
    const lines = listen()
    const server = await AgentServer.start(engine, {
      host: '127.0.0.1',
      token: TOKEN,
      tokenIssuePath: '/token',
      websocketRequiresToken: true,
    })
    const { body } = await server.request('/token')
    const token = /nbwt_[\w-]{43}/.exec(body.toString())?.[0] ?? ''
    expect(token).not.toBe('')
    const client = await server.connect(`token=${token}`)
    await client.close()
    const all = lines.join('\n')
    expect(all).toMatch(/tokenIssueSecret is empty/)
    for (const secret of [TOKEN, token]) expect(all).not.toContain(secret)
  })
})
