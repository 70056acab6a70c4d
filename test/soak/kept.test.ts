import { expect, it } from 'vitest'
import { byEngine } from '../support/differences.ts'
import { buildPrograms } from './build.ts'
import { of } from './messages.ts'
import { KIB, MIB, withPair } from './scenario.ts'

const READERS = 200
const SIZE = 256 * KIB

it.each(['node', 'uws'] as const)(
  'what subscribers keep of a long message that all have read, on %s',
  async (engine) => {
    const wishes = { seconds: null, rounds: null, clients: null, recover: null, quick: true }
    const context = { engine, wishes, programs: await buildPrograms(), progress: () => {} }
    const grown = await withPair(context, { limits: { maxBackpressure: '1MB' } }, async ({ server, peers, port }) => {
      await peers.ask({ do: 'open', port, path: '/healthy', count: READERS, reads: true })
      const before = of(await server.ask({ do: 'memory' }), 'rss')
      const published = await server.ask({ do: 'publish', topic: 'all', size: SIZE, every: 100, seconds: 0.3 })
      await peers.ask({ do: 'arrived', count: of(published, 'published') })
      return of(await server.ask({ do: 'memory' }), 'rss') - before
    })
    const kept = byEngine(engine, 'memory of a connection that has read everything', { node: 0, uws: READERS * SIZE })
    expect(grown / MIB).toBeGreaterThan(kept / 2 / MIB - 16)
    expect(grown / MIB).toBeLessThan(kept / MIB + 16)
  },
)
