import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../include-types/agent.ts'
import { type AgentClient, agentOf, AgentServer } from '../support/agent.ts'
import { text } from '../support/frames.ts'
import { hush } from '../support/log-lines.ts'
import { deferred } from '../support/memory.ts'
import { patiently } from '../support/patience.ts'
import { RawClient } from '../support/raw.ts'
import { engines, type EngineName } from '../support/server.ts'

const CHUNK = 32 << 10
const COUNT = (50 << 20) / CHUNK
/** What kernels take of it on loopback, at both ends, and what may wait here. */
const BOUND = 16 << 20

const chunkOf = (i: number): string => `${i} `.padEnd(CHUNK, 'x')

/** Streams 50 MB to whoever says so, and counts how far it got; others get an echo. */
async function start(engine: EngineName, count = COUNT) {
  const closed = deferred<Session>()
  const told = deferred<boolean>()
  const progress = { pulled: 0, mostHeld: 0, finished: false }
  const agent = agentOf(
    async function* (_session, said, { signal }) {
      if (said !== 'go') {
        yield said
        return
      }
      try {
        for (let i = 0; i < count; i++) {
          // Once in a while, as a model does.
          if (i % 16 === 0) await turn()
          progress.mostHeld = Math.max(progress.mostHeld, server.host.pressure?.bytes ?? 0)
          progress.pulled += CHUNK
          yield chunkOf(i)
        }
        progress.finished = true
      } finally {
        told.resolve(signal.aborted)
      }
    },
    { sessionClosed: closed.resolve },
  )
  const server: AgentServer = await AgentServer.start(
    engine,
    { maxReplyBytes: '64M', pingIntervalS: 5, pingTimeoutS: 5, resumeBytes: '1M' },
    agent,
  )
  return { server, progress, closed: closed.promise, told: told.promise }
}

type Started = Awaited<ReturnType<typeof start>>

/** Waits until the agent is pulled no more; another chat is served all the time. */
async function stall({ progress }: Started, other: AgentClient): Promise<void> {
  let before = -1
  for (let still = 0, i = 0; still < 200; i++) {
    expect(await other.ask(`${i}`)).toBe(`${i}`)
    still = progress.pulled === before && before > 0 ? still + 1 : 0
    before = progress.pulled
  }
  expect(progress.finished).toBe(false)
}

/** What 50 MB come to. */
function digest(chunks: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

function* all(): Generator<string> {
  for (let i = 0; i < COUNT; i++) yield chunkOf(i)
}

describe.each(engines)('clients that do not read, on %s', (engine) => {
  it('trap 37: their agents wait, little is held, others are served, and in the end they are dropped', async () => {
    hush()
    const started = await start(engine)
    const { server, progress } = started
    const other = await server.connect()
    const client = await RawClient.open(server.port, '/?client_id=stalled')
    // READY.
    await client.frame()
    client.socket.pause()
    const before = performance.now()
    client.send(text('go'))
    await stall(started, other)
    expect(progress.pulled).toBeLessThan(BOUND)
    expect(server.host.pressure?.bytes).toBeLessThan(1 << 20)
    expect((await patiently(started.closed, () => 'not dropped')).clientId).toBe('stalled')
    const took = performance.now() - before
    expect(await patiently(started.told, () => 'not told')).toBe(true)
    // Kernels may take a little more meanwhile: where too little waits then, it is the ping without a pong that ends it.
    expect(took).toBeGreaterThan(4900)
    expect(took).toBeLessThan(11_500)
    expect([progress.pulled < BOUND, progress.mostHeld < 1 << 20]).toEqual([true, true])
    expect(await other.ask('still there?')).toBe('still there?')
    client.destroy()
  })

  it('who reads on in time gets everything', async () => {
    const started = await start(engine)
    const { server, progress } = started
    const other = await server.connect()
    const client = await server.connect('client_id=slow')
    client.ws.pause()
    client.send('go')
    for (let pause = 0; pause < 2; pause++) {
      await stall(started, other)
      expect(progress.pulled).toBeLessThan(BOUND * (pause + 1))
      client.ws.resume()
      for (let i = 0; i < 100; i++) await client.next('delta')
      client.ws.pause()
    }
    client.ws.resume()
    await client.next('stream_end')
    const deltas = client.frames.filter(({ event }) => event === 'delta')
    expect(digest(deltas.map(({ text: said = '' }) => said))).toBe(digest(all()))
    expect([progress.finished, progress.mostHeld < 1 << 20]).toEqual([true, true])
  })

  it('one of two connections of a chat: the other gets everything, and little is held', async () => {
    hush()
    const { server, progress } = await start(engine)
    const reader = await server.connect('client_id=ada&resume=1')
    const id = reader.frames[0]?.chat_id ?? ''
    const stalled = await RawClient.open(server.port, `/?client_id=ada&resume=${id}`)
    await stalled.frame()
    stalled.socket.pause()
    reader.send('go')
    await reader.next('stream_end')
    const deltas = reader.frames.filter(({ event }) => event === 'delta')
    expect(digest(deltas.map(({ text: said = '' }) => said))).toBe(digest(all()))
    // What has waited for the other was dropped with it.
    expect([progress.finished, progress.mostHeld < 6 << 20]).toEqual([true, true])
    expect(server.host.connections).toBe(1)
    stalled.destroy()
  })

  it('a chat that nobody hears keeps what it may, however much is said', async () => {
    const { server, progress, told } = await start(engine)
    const client = await server.connect('client_id=ada&resume=1')
    client.send('go')
    await client.next('delta')
    client.cut()
    expect(await patiently(told, () => 'no end')).toBe(false)
    expect(progress.finished).toBe(true)
    const id = client.frames[0]?.chat_id ?? ''
    const gone = await server.connect(`client_id=ada&resume=${id}&index=1`)
    expect(gone.frames[0]).toMatchObject({ resumed: false, index: COUNT + 1 })
    const last = await server.connect(`client_id=ada&resume=${id}&index=${COUNT - 10}`)
    expect(last.frames[0]).toMatchObject({ resumed: true })
    await last.next('stream_end')
    expect(last.frames.length).toBe(12)
  })
})
