import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildServers } from '../../bench/build.ts'
import { measureBusy, measureMemory } from '../../bench/measure.ts'
import { workloads } from '../../bench/options.ts'
import { ServerProcess } from '../../bench/server-process.ts'
import { isServerName, kindOf, type ServerName, servers } from '../../bench/servers/index.ts'
import { CONTENT, tokenOf } from '../../bench/servers/world.ts'
import { Worlds } from '../../bench/fill.ts'
import { removeTemporary } from '../../bench/folder.ts'
import { openPosts } from '../../bench/loads/posts.ts'
import { toTurns } from '../../bench/turns.ts'
import type { BusyLoad, IdleLoad, Workload } from '../../bench/workload.ts'

/* The workloads of gateways, each with few members and for a moment. */

const gateways = Object.keys(servers).filter(
  (name): name is ServerName => isServerName(name) && kindOf(name) === 'gateway',
)
const small = { accounts: 5, servers: 2, channels: 2, unread: 3 }
const plan = { rounds: 1, seconds: 0.1, core: null, profiles: null }

/** With fewer members it is another one. */
const LARGEST = 'gateway-10000.ts'

let program = ''
beforeAll(async () => {
  program = await buildServers(null)
})
afterAll(removeTemporary)

const isWorkload = (value: unknown): value is Workload => typeof value === 'object' && value !== null && 'load' in value

async function loadOf(name: string): Promise<Workload['load']> {
  const module: unknown = await import(join(workloads, name))
  const workload = typeof module === 'object' && module !== null && 'default' in module ? module.default : null
  if (!isWorkload(workload)) throw new Error(`${name} is no workload`)
  return workload.load
}

/** The same with fewer of everything. */
function shrink(load: Workload['load']): BusyLoad | IdleLoad {
  if (load.kind === 'posts') return { ...load, members: Math.min(load.members, 5), clients: 3, world: small }
  if (load.kind === 'idle') return { ...load, few: 100, many: 200, world: { ...small, accounts: 200 } }
  if (load.kind === 'connect') return { ...load, world: small }
  return load
}

describe('gateways', () => {
  it.each(readdirSync(workloads).filter((file) => file.startsWith('gateway-') && file !== LARGEST))(
    '%s runs',
    async (file) => {
      const load = shrink(await loadOf(file))
      const turns = toTurns(['raw gateway', 'ours uws gateway'], program, null).filter(
        ({ key, server }) => key === server,
      )
      const found: ReadonlyMap<string, readonly unknown[][]> =
        load.kind === 'idle'
          ? await measureMemory(turns, load, plan, () => {})
          : await measureBusy(turns, load, plan, () => {})
      expect([...found.keys()]).toEqual(turns.map(({ key }) => key))
      for (const rounds of found.values()) expect(rounds[0]?.length).toBeGreaterThan(0)
    },
    60_000,
  )

  it('what raw uWebSockets.js says is as long as what ours do', async () => {
    const lengths = await Promise.all(
      gateways.map(async (name) => {
        const server = await ServerProcess.start(name, program, { world: await new Worlds(small).of(program) })
        const origin = `http://127.0.0.1:${server.port}`
        const headers = { 'Authorization': `Bot ${tokenOf(4)}`, 'Content-Type': 'application/json' }
        const first = async (path: string): Promise<string> => {
          const text = await (await fetch(origin + path, { headers })).text()
          return /"id":"([^"]+)"/.exec(text)?.[1] ?? text
        }
        const channel = await first(`/servers/${await first('/servers')}/channels`)
        const body = JSON.stringify({ content: CONTENT })
        const answer = await fetch(`${origin}/channels/${channel}/messages`, { method: 'POST', headers, body })
        const text = await answer.text()
        // A frame of another length than the answer says would end this.
        const load = await openPosts(server, { kind: 'posts', members: 2, clients: 1, world: small })
        await load.run(10)
        load.close()
        await server.stop()
        return [answer.status, text.length]
      }),
    )
    expect(new Set(lengths.map(String)).size).toBe(1)
  }, 60_000)
})
