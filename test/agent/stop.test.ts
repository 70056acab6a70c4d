import { describe, expect, it } from 'vitest'
import type { Agent } from '../../include-types/agent.ts'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { AgentClient, agentOf, AgentServer } from '../support/agent.ts'
import { knock } from '../support/knock.ts'
import { LogLines } from '../support/log-lines.ts'
import { deferred } from '../support/memory.ts'
import { patiently } from '../support/patience.ts'
import { engines } from '../support/server.ts'

const ISSUING = { path: '/ws', tokenIssuePath: '/token', tokenIssueSecret: 'hush-hush', websocketRequiresToken: true }

/** Notes what happens to it, in order. */
function noting(more: Partial<Agent> = {}) {
  const notes: string[] = []
  const begun = deferred()
  const agent = agentOf(
    async function* ({ clientId }, text, { signal }) {
      signal.addEventListener('abort', () => notes.push(`aborted ${clientId}`))
      yield `${text} `
      begun.resolve()
      await new Promise(() => {})
    },
    {
      start: () => void notes.push('start'),
      sessionClosed: ({ clientId }) => void notes.push(`closed ${clientId}`),
      stop: () => void notes.push('stop'),
      ...more,
    },
  )
  return { agent, notes, begun: () => patiently(begun.promise, () => 'not asked') }
}

async function tokenOf(server: AgentServer): Promise<string> {
  const { status, body } = await server.request('/token', { Authorization: 'Bearer hush-hush' })
  const token = /nbwt_[\w-]{43}/.exec(body.toString())?.[0]
  if (status !== 200 || token === undefined) throw new Error(`no token: ${status}`)
  return token
}

describe.each(engines)('the end of the agent channel on %s', (engine) => {
  it('trap 38: clients get 1001, agents are told in order, tokens are void, and to stop twice is fine', async () => {
    const log = new LogLines()
    const { agent, notes, begun } = noting()
    const server = await AgentServer.start(engine, ISSUING, agent)
    const { host } = server
    const [first, second] = [await tokenOf(server), await tokenOf(server)]
    const client = await server.connect(`client_id=ada&token=${first}`, '/ws')
    client.send('go')
    client.send('waits')
    await begun()
    const before = performance.now()
    await Promise.all([host.stop(), host.stop()])
    expect(performance.now() - before).toBeLessThan(5000)
    expect((await client.closed).code).toBe(1001)
    expect(notes).toEqual(['start', 'aborted ada', 'closed ada', 'stop'])
    // What had begun, and nothing behind it.
    expect(client.frames.slice(1).map(({ event }) => event)).toEqual(['delta'])
    await host.stop()
    expect(notes.length).toBe(4)

    expect(await host.start()).toBe(0)
    const port = host.listening.at(-1)?.port ?? 0
    expect((await knock(port, `/ws?token=${second}`)).status).toBe(401)
    expect(log.lines.filter((line) => line.includes('fail'))).toEqual([])
  })

  it('trap 38: the Close has an empty reason', async () => {
    const server = await AgentServer.start(engine)
    const client = await server.connect()
    await server.host.stop()
    expect(await client.closed).toEqual({ code: 1001, reason: '' })
  })

  it('trap 38: to stop before the start is fine', async () => {
    const host = createHost({ web: { engine }, channels: { websocket: { enabled: true, port: 0 } } }, parts)
    await host.stop()
    await host.stop()
    expect(await host.start()).toBe(0)
    await host.stop()
    await host.free()
  })

  it('chats that wait for their clients end, too, with what runs in them', async () => {
    const { agent, notes, begun } = noting()
    const server = await AgentServer.start(engine, {}, agent)
    const client = await server.connect('client_id=ada&resume=1')
    client.send('go')
    await begun()
    await client.next('delta')
    await client.close()
    await server.host.stop()
    expect(notes).toEqual(['start', 'aborted ada', 'closed ada', 'stop'])
  })

  it('a client that comes back after a restart has nothing to go on with', async () => {
    const server = await AgentServer.start(engine)
    const client = await server.connect('client_id=ada&resume=1')
    await client.ask('x')
    const id = client.frames[0]?.chat_id
    await server.host.stop()
    expect(await server.host.start()).toBe(0)
    const port = server.host.listening.at(-1)?.port
    const again = new AgentClient(`ws://127.0.0.1:${port}/?client_id=ada&resume=${id}&index=1`)
    expect(await again.next('ready')).toMatchObject({ resumed: false, index: 0 })
    again.cut()
  })

  it.each<[string, () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('on purpose')
      },
    ],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
  ])('an agent whose stop %s is in the log', async (_how, stop) => {
    const log = new LogLines()
    const server = await AgentServer.start(engine, {}, noting({ stop }).agent)
    await server.host.stop()
    await log.until(/^agent test: stop failed.*on purpose/)
  })

  it('an agent that does not start keeps the server from it', async () => {
    const start = (): Promise<void> => Promise.reject(new Error('no model there'))
    await expect(AgentServer.start(engine, {}, noting({ start }).agent)).rejects.toThrow('no model there')
  })
})
