import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Blobs } from '../../../lib/chat/store/blobs.ts'
import { filesIn } from '../../support/stored.ts'
import { makeFolder } from '../../support/world.ts'

const FOG = Buffer.from('fog at six')
const HASH = '1da894553959be9f1c8e8fd037c29acccb6741b49e04c2ad20ad1611757c5caa'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

function setUp(full = false) {
  const folder = makeFolder()
  const sha256 = HASH
  const place = join(folder, 'blobs', sha256.slice(0, 2))
  return { folder, sha256, place, path: join(place, sha256), blobs: new Blobs(folder, full) }
}

describe.each([false, true])('bytes that are kept, where power may be lost: %s', (full) => {
  it('are under their SHA-256, for their owner only', async () => {
    const { folder, sha256, place, path, blobs } = setUp(full)
    expect(blobs.has(sha256)).toBe(false)
    await blobs.keep(FOG, sha256)
    expect(blobs.has(sha256)).toBe(true)
    expect(readFileSync(path)).toEqual(FOG)
    expect(await blobs.read(sha256)).toEqual(FOG)
    expect([join(folder, 'blobs'), place, join(folder, 'tmp'), path].map(modeOf)).toEqual(['700', '700', '700', '600'])
    expect(filesIn(folder, 'tmp')).toEqual([])
  })

  it('of any kind and length come back as they were', async () => {
    const { blobs } = setUp(full)
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), all, Buffer.alloc(3_000_000, all)]) {
      const sha256 = await Blobs.hashOf(bytes)
      await blobs.keep(bytes, sha256)
      expect((await blobs.read(sha256)).equals(bytes)).toBe(true)
    }
  })

  it('are there once, also when they come several times at once', async () => {
    const { folder, sha256, path, blobs } = setUp(full)
    await Promise.all(Array.from({ length: 20 }, () => blobs.keep(FOG, sha256)))
    const { ino } = statSync(path)
    await blobs.keep(FOG, sha256)
    expect([filesIn(folder, 'blobs'), filesIn(folder, 'tmp')]).toEqual([[sha256], []])
    // What is there is not written again.
    expect(statSync(path).ino).toBe(ino)
  })

  it('are gone when they are removed, and can come again', async () => {
    const { sha256, blobs } = setUp(full)
    blobs.remove(sha256)
    await blobs.keep(FOG, sha256)
    blobs.remove(sha256)
    expect(blobs.has(sha256)).toBe(false)
    await expect(blobs.read(sha256)).rejects.toThrow('ENOENT')
    blobs.remove(sha256)
    await blobs.keep(FOG, sha256)
    expect(await blobs.read(sha256)).toEqual(FOG)
  })
})

describe('bytes', () => {
  it('have the hash that other programs find', async () => {
    expect(await Blobs.hashOf(Buffer.alloc(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(await Blobs.hashOf(FOG)).toBe(HASH)
  })

  it('that were not written to their end go when the folder is opened, those that were stay', async () => {
    const { folder, sha256, blobs } = setUp()
    await blobs.keep(FOG, sha256)
    mkdirSync(join(folder, 'tmp', 'deep'), { recursive: true })
    for (const name of ['half', 'deep/half']) writeFileSync(join(folder, 'tmp', name), 'fog a')
    const next = new Blobs(folder, false)
    expect(filesIn(folder, 'tmp')).toEqual([])
    expect(await next.read(sha256)).toEqual(FOG)
    // Also when the folder for what is on its way is gone.
    rmSync(join(folder, 'tmp'), { recursive: true, force: true })
    const other = Buffer.from('fog at seven')
    await next.keep(other, await Blobs.hashOf(other))
    expect(await next.read(await Blobs.hashOf(other))).toEqual(other)
  })

  // Another file system cannot take a file by its name only.
  it.runIf(process.platform === 'linux')('that cannot be put in their place leave nothing behind', async () => {
    const { folder, sha256, place, blobs } = setUp()
    mkdirSync(join(folder, 'blobs'))
    symlinkSync('/proc', place)
    await expect(blobs.keep(FOG, sha256)).rejects.toThrow('EXDEV')
    expect(blobs.has(sha256)).toBe(false)
    expect(filesIn(folder, 'tmp')).toEqual([])
  })
})
