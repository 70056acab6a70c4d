import { describe, expect, it } from 'vitest'
import type { ChannelConfig } from '../../include-types/agent.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { agentOf, AgentServer } from '../support/agent.ts'
import { binary, text } from '../support/frames.ts'
import { dismissed } from '../support/hosted.ts'
import { knock } from '../support/knock.ts'
import { hush, LogLines } from '../support/log-lines.ts'
import { deferred } from '../support/memory.ts'
import { patiently } from '../support/patience.ts'
import { RawClient } from '../support/raw.ts'
import { RawServer } from '../support/raw-server.ts'
import { engines, type EngineName } from '../support/server.ts'

type Block = ChannelConfig & Readonly<Record<string, unknown>>

/** The config of a channel, as the harness has it. */
const config = (engine: EngineName, channel: Block, web: Readonly<Record<string, unknown>> = {}) =>
  checkConfig(
    {
      web: { ...web, engine },
      channels: { websocket: { enabled: true, port: 0, websocketRequiresToken: false, ...channel } },
    },
    '/',
  )

const WARNING = /agent counts after a restart/

describe.each(engines)('a reload of the agent channel on %s', (engine) => {
  const reload = ({ host }: AgentServer, channel: Block): Promise<number> => host.reload(config(engine, channel))
  const statusOf = async ({ port }: AgentServer, target: string): Promise<number> => (await knock(port, target)).status

  it('allowFrom: who is on it no longer is heard no longer, without a word, and stays', async () => {
    const log = new LogLines()
    const asked: string[] = []
    const agent = agentOf(({ clientId }, said) => {
      asked.push(`${clientId}: ${said}`)
      return said
    })
    const server = await AgentServer.start(engine, { allowFrom: ['ada', 'bob'] }, agent)
    const [ada, bob] = [await server.connect('client_id=ada'), await server.connect('client_id=bob')]
    expect(await ada.ask('1')).toBe('1')
    expect(await reload(server, { allowFrom: ['bob'] })).toBe(0)
    ada.send('2')
    ada.send({ content: '3' })
    await log.until(/^agent .*allowFrom/)
    await log.until(/^agent .*allowFrom/)
    expect(await bob.ask('4')).toBe('4')
    expect(await statusOf(server, '/?client_id=ada')).toBe(403)
    expect(asked).toEqual(['ada: 1', 'bob: 4'])
    // It was only not heard: nothing is caught up on.
    expect(await reload(server, { allowFrom: ['*'] })).toBe(0)
    expect(await ada.ask('5')).toBe('5')
    expect(ada.frames.length).toBe(5)
    expect(asked).toEqual(['ada: 1', 'bob: 4', 'ada: 5'])
  })

  it('allowFrom: an answer that has begun goes on', async () => {
    hush()
    const gate = deferred()
    const agent = agentOf(async function* () {
      yield 'a'
      await gate.promise
      yield 'b'
    })
    const server = await AgentServer.start(engine, {}, agent)
    const client = await server.connect('client_id=ada')
    client.send('go')
    await client.next('delta')
    expect(await reload(server, { allowFrom: [] })).toBe(0)
    gate.resolve()
    expect((await client.next('delta')).text).toBe('b')
    await client.next('stream_end')
  })

  it('token: the old one is good no longer, who is there stays', async () => {
    const server = await AgentServer.start(engine, { token: 'old-token' })
    const client = await server.connect('token=old-token')
    expect(await reload(server, { token: 'new-token' })).toBe(0)
    expect([await statusOf(server, '/?token=old-token'), await statusOf(server, '/?token=new-token')]).toEqual([
      401, 101,
    ])
    expect(await client.ask('still there?')).toBe('still there?')
  })

  it('tokens that were issued stay good, others live as long as is said now', async () => {
    const issuing = {
      path: '/ws',
      tokenIssuePath: '/token',
      tokenIssueSecret: 'secret-1',
      websocketRequiresToken: true,
    }
    const server = await AgentServer.start(engine, issuing)
    const issue = async (secret: string): Promise<readonly [number, string, unknown]> => {
      const { status, body } = await server.request('/token', { Authorization: `Bearer ${secret}` })
      const said = body.toString()
      return [status, /nbwt_[\w-]{43}/.exec(said)?.[0] ?? '', /"expires_in":(\d+)/.exec(said)?.[1]]
    }
    const [, before, ttl] = await issue('secret-1')
    expect(ttl).toBe('300')
    expect(await reload(server, { ...issuing, tokenIssueSecret: 'secret-2', tokenTtlS: 60 })).toBe(0)
    expect((await issue('secret-1'))[0]).toBe(401)
    const [status, after, newTtl] = await issue('secret-2')
    expect([status, newTtl]).toEqual([200, '60'])
    for (const token of [before, after]) expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
  })

  it('streaming and maxQueuedPerChat count from now on, also for who is there', async () => {
    const gate = deferred()
    const agent = agentOf(async (_session, said) => {
      await gate.promise
      return said
    })
    const server = await AgentServer.start(engine, { streaming: false }, agent)
    const client = await server.connect()
    expect(await reload(server, { maxQueuedPerChat: 1, streaming: true })).toBe(0)
    for (const said of ['1', '2', '3']) client.send(said)
    expect((await client.one()).error?.code).toBe('queue_full')
    gate.resolve()
    for (const said of ['1', '2']) {
      const { text: answer, frames } = await client.answer()
      expect([answer, frames.map(({ event }) => event)]).toEqual([said, ['delta', 'stream_end']])
    }
  })

  it('maxReplyBytes and maxMessageBytes count from now on', async () => {
    hush()
    const server = await AgentServer.start(
      engine,
      {},
      agentOf((_session, said) => said),
    )
    const client = await server.connect()
    expect(await client.ask('x'.repeat(2000))).toBe('x'.repeat(2000))
    expect(await reload(server, { maxMessageBytes: 1024, maxReplyBytes: 512 })).toBe(0)
    client.send('x'.repeat(513))
    expect((await client.one()).error?.code).toBe('agent_error')
    expect(await client.ask('x'.repeat(512))).toBe('x'.repeat(512))
    client.send('x'.repeat(1025))
    expect((await client.closed).code).toBe(1009)
    const raw = await RawClient.open(server.port)
    await raw.frame()
    raw.send(binary(Buffer.alloc(1025, 'x')))
    const { opcode, payload } = await raw.frame()
    expect([opcode, payload.readUInt16BE()]).toEqual([8, 1009])
    raw.destroy()
  })

  it('maxConcurrentTurns counts from now on', async () => {
    const asked: string[] = []
    const [gate, all] = [deferred(), deferred()]
    const agent = agentOf(async ({ clientId }) => {
      asked.push(clientId)
      if (asked.length === 3) all.resolve()
      await gate.promise
      return 'done'
    })
    const server = await AgentServer.start(engine, { maxConcurrentTurns: 1, streaming: false }, agent)
    const clients = [await server.connect('client_id=a'), await server.connect('client_id=b')]
    for (const client of clients) client.send('go')
    expect(await reload(server, { maxConcurrentTurns: 3, streaming: false })).toBe(0)
    const third = await server.connect('client_id=c')
    third.send('go')
    // They wait no longer than until somebody asks.
    await patiently(all.promise, () => `asked: ${asked.join()}`)
    gate.resolve()
    for (const client of [...clients, third]) expect((await client.one()).text).toBe('done')
    expect(asked.toSorted()).toEqual(['a', 'b', 'c'])
  })

  it('another agent counts after a restart: that is said once, and this one stays', async () => {
    const log = new LogLines()
    const notes: string[] = []
    const agent = agentOf(({ history }) => `${history.length}`, { stop: () => void notes.push('stop') })
    const server = await AgentServer.start(engine, { streaming: false, tokenIssuePath: '/token' }, agent)
    const client = await server.connect()
    expect(await client.ask('x')).toBe('0')
    const changed = { streaming: false, tokenIssuePath: '/token', agent: { type: 'echo', prefix: 'new: ' } } as const
    expect(await reload(server, changed)).toBe(0)
    await log.until(WARNING)
    expect(await client.ask('x')).toBe('2')
    expect([notes, log.lines.filter((line) => WARNING.test(line))]).toEqual([[], []])
    expect(server.host.warnings.filter((warning) => WARNING.test(warning)).length).toBe(1)
  })

  it('what is not changed stays as it is, without a word', async () => {
    const log = new LogLines()
    const server = await AgentServer.start(engine, { allowFrom: ['ada'] })
    const client = await server.connect('client_id=ada&resume=1')
    expect(await reload(server, { allowFrom: ['ada'] })).toBe(0)
    expect(await client.ask('x')).toBe('x')
    expect(log.lines.filter((line) => WARNING.test(line))).toEqual([])
  })

  it('one that fails changes nothing', async () => {
    const server = await AgentServer.start(engine, { token: 'old-token' })
    const taken = await RawServer.listen()
    const next = config(
      engine,
      { token: 'new-token' },
      { listen: `127.0.0.1:${taken.port}`, routes: [{ match: '/', handler: 'action' }] },
    )
    expect(await server.host.reload(next)).toBeLessThan(0)
    expect([await statusOf(server, '/?token=new-token'), await statusOf(server, '/?token=old-token')]).toEqual([
      401, 101,
    ])
  })

  it('a channel that is there no longer lets its clients go, with what they have asked', async () => {
    const told = deferred<boolean>()
    const agent = agentOf(async function* (_session, _text, { signal }) {
      yield 'a'
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      told.resolve(signal.aborted)
    })
    const server = await AgentServer.start(engine, {}, agent)
    const client = await RawClient.open(server.port)
    await client.frame()
    client.send(text('go'))
    await client.frame()
    const next = checkConfig(
      { web: { engine, listen: '127.0.0.1:0', routes: [{ match: '/', handler: 'action' }] }, channels: {} },
      '/',
    )
    expect(await server.host.reload(next)).toBe(0)
    expect(await dismissed(client)).toBe(1001)
    expect(await told.promise).toBe(true)
  })
})
