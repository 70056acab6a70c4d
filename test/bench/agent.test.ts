import { fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { buildServers } from '../../bench/build.ts'
import { removeTemporary } from '../../bench/folder.ts'
import { openLoad } from '../../bench/loads/index.ts'
import { AGENT, PYTHON, ServerProcess } from '../../bench/server-process.ts'
import { isServerName, kindOf, servers } from '../../bench/servers/index.ts'

/* The servers of agents, each with few clients and for a moment. */

const NEEDS = 'apt-get install python3-websockets'
const hasPython = existsSync(PYTHON)
const agents = Object.keys(servers)
  .filter(isServerName)
  .filter((name) => kindOf(name) === 'agent')

let program = ''
beforeAll(async () => {
  program = await buildServers(null)
})
afterAll(removeTemporary)

/** Null where it cannot run here. */
async function start(name: (typeof agents)[number]): Promise<ServerProcess | null> {
  try {
    return await ServerProcess.start(name, program)
  } catch (error) {
    if (error instanceof Error && error.message.includes(NEEDS)) return null
    throw error
  }
}

/** What an agent says when it is asked twice, without what is different each time. */
async function listen(port: number): Promise<string[]> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`)
  const frames: string[] = []
  ws.on('message', (data: Buffer) => {
    const text = data.toString()
    frames.push(text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|(?<=anon-)[0-9a-f]{12}|[0-9a-f]{8}(?=\.\d)/g, 'x'))
    if (frames.length === 1) {
      ws.send('3 5')
      ws.send('1 5')
    }
    if (frames.length === 7) ws.close()
  })
  await once(ws, 'close')
  return frames
}

describe('agents', () => {
  it('what Python says is what ours say', async () => {
    for (const name of agents) {
      const server = await start(name)
      if (server === null) continue
      const delta = (turn: number): string =>
        `{"event":"delta","text":"the next few words, ","stream_id":"x.${turn}.0"}`
      expect(await listen(server.port), name).toEqual([
        '{"event":"ready","chat_id":"x","client_id":"anon-x"}',
        delta(1),
        delta(1),
        delta(1),
        '{"event":"stream_end","stream_id":"x.1.0"}',
        delta(2),
        '{"event":"stream_end","stream_id":"x.2.0"}',
      ])
      await server.stop()
    }
  }, 60_000)

  it('each says as much as it is asked for, at its pace, and what that has cost', async () => {
    for (const name of agents) {
      const server = await start(name)
      if (server === null) continue
      const load = await openLoad(server, { kind: 'stream', connections: 50, deltas: 10, every: 10 })
      const { cost, rate } = await load.run(200)
      load.close()
      await server.stop()
      expect(cost, name).toBeGreaterThan(1)
      expect(cost, name).toBeLessThan(1000)
      expect(rate, name).toBeLessThan(5500)
    }
  }, 60_000)

  it.skipIf(!hasPython || !existsSync('/proc/self/stat'))('the CPU of Python is that of its own process', async () => {
    const child = fork(AGENT, [], { execPath: PYTHON, execArgv: ['-I'] })
    await once(child, 'message')
    const answer = once(child, 'message')
    child.send('cpu')
    const used: unknown = (await answer)[0]
    // Ticks of ten milliseconds, user and system.
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number)
    const ticks = (fields[11] ?? NaN) + (fields[12] ?? NaN)
    expect(Array.isArray(used) ? Number(used[0]) / 10_000 - ticks : used).toBeCloseTo(0, -1)
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it.skipIf(!hasPython)('without its package it is a sentence', async () => {
    // Without any packages.
    const child = fork(AGENT, [], { execPath: PYTHON, execArgv: ['-I', '-S'] })
    expect(await once(child, 'message')).toEqual([`${PYTHON} has no websockets: ${NEEDS}`, undefined])
    child.disconnect()
    await once(child, 'exit')
  })
})
