import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fiberws from '../../lib/index.ts'
import { start } from './ours.ts'

/** The gateway of fiberws, as a config has it, on a world of its own: a copy of a folder, or nobody. */
export function startOursGateway(
  engine: 'uws' | 'node',
  synchronous: 'full' | 'normal',
  world: string | null,
): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fiberws-bench-world-'))
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))
  if (world !== null) cpSync(world, dataDir, { recursive: true })
  const host = fiberws.webAllocHost({
    dataDir,
    synchronous,
    // Who is silent for long was not forgotten: others have their turn.
    gateway: { wsRate: 0, rateLimits: 'off', wsIdleS: 86_400 },
    web: {
      engine,
      listen: 'http://127.0.0.1:0',
      // uWebSockets.js does not count the requests of a connection.
      limits: { connections: 'unlimited', ...(engine === 'node' ? { requests: 'unlimited' } : {}) },
      routes: [{ match: '/ws', handler: 'gateway' }],
    },
  })
  return start(host)
}
