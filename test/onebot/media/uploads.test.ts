import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../lib/engine/memory.ts'
import { Spool } from '../../../lib/onebot/media/spool.ts'
import { Uploads } from '../../../lib/onebot/media/uploads.ts'
import { makeFolder } from '../../support/world.ts'

const PLAN = { name: 'menu.txt', parts: 2, size: null, sha256: null, stay: 0 }
const MINUTE = 60_000

function setUp() {
  const clock = new ManualClock()
  const folder = join(makeFolder(), 'spool')
  const spool = new Spool(folder, clock)
  const uploads = new Uploads(spool, clock, 1000)
  const files = (): string[] => (existsSync(folder) ? readdirSync(folder) : [])
  return { clock, spool, uploads, files }
}

describe('an upload', () => {
  it('of a process that was there before is nobody’s', () => {
    const { spool, uploads, files } = setUp()
    uploads.begin('s', PLAN)
    expect(files()).toHaveLength(1)
    const next = new Spool(spool.folder, new ManualClock())
    expect([files(), next.bytes]).toEqual([[], 0])
  })

  it('is given up ten minutes after its last part', () => {
    const { clock, uploads, files } = setUp()
    uploads.begin('s', PLAN)
    clock.advance(9 * MINUTE)
    uploads.take('s', 0, 'Zm9n')
    clock.advance(9 * MINUTE)
    expect([uploads.has('s'), files()]).toEqual([true, [expect.any(String)]])
    clock.advance(MINUTE)
    expect([uploads.has('s'), files()]).toEqual([false, []])
    expect(() => uploads.progressOf('s')).toThrow('FILE_NOT_FOUND')
  })

  it('that is complete is there as long as that was wanted, a day at most', async () => {
    const { clock, spool, uploads, files } = setUp()
    for (const [stay, ms] of [
      [5 * MINUTE, 5 * MINUTE],
      [0, 1440 * MINUTE],
      [10_000 * MINUTE, 1440 * MINUTE],
    ] as const) {
      uploads.begin('s', { ...PLAN, parts: 1, stay })
      uploads.take('s', 0, 'Zm9n')
      const { path } = await uploads.complete('s')
      clock.advance(ms - 1000)
      expect([readFileSync(path, 'utf8'), spool.bytes]).toEqual(['fog', 3])
      clock.advance(1000)
      expect([files(), spool.bytes]).toEqual([[], 0])
    }
  })
})
