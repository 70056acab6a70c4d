import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Blobs, type Bytes } from '../../../lib/chat/store/blobs.ts'
import { filesIn } from '../../support/stored.ts'
import { makeFolder } from '../../support/world.ts'

const FOG = Buffer.from('fog at six')
const HASH = '1da894553959be9f1c8e8fd037c29acccb6741b49e04c2ad20ad1611757c5caa'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

/** Has bytes where they are kept. */
async function keep(blobs: Blobs, bytes: Bytes): Promise<string> {
  const arrival = await blobs.receive(bytes)
  await blobs.settle(arrival)
  return arrival.sha256
}

const read = (blobs: Blobs, sha256: string): Buffer => readFileSync(blobs.pathOf(sha256))

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
    await keep(blobs, FOG)
    expect(blobs.has(sha256)).toBe(true)
    expect(readFileSync(path)).toEqual(FOG)
    expect(read(blobs, sha256)).toEqual(FOG)
    expect([join(folder, 'blobs'), place, join(folder, 'tmp'), path].map(modeOf)).toEqual(['700', '700', '700', '600'])
    expect(filesIn(folder, 'tmp')).toEqual([])
  })

  it('of any kind and length come back as they were', async () => {
    const { blobs } = setUp(full)
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), all, Buffer.alloc(3_000_000, all)]) {
      const sha256 = await keep(blobs, bytes)
      expect(read(blobs, sha256).equals(bytes)).toBe(true)
      expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })

  it('are there once, also when they come several times at once', async () => {
    const { folder, sha256, path, blobs } = setUp(full)
    await Promise.all(Array.from({ length: 20 }, () => keep(blobs, FOG)))
    const { ino } = statSync(path)
    await keep(blobs, FOG)
    expect([filesIn(folder, 'blobs'), filesIn(folder, 'tmp')]).toEqual([[sha256], []])
    // What is there is not written again.
    expect(statSync(path).ino).toBe(ino)
  })

  it('are gone when they are removed, and can come again', async () => {
    const { sha256, blobs } = setUp(full)
    blobs.remove(sha256)
    await keep(blobs, FOG)
    blobs.remove(sha256)
    expect(blobs.has(sha256)).toBe(false)
    expect(() => read(blobs, sha256)).toThrow('ENOENT')
    blobs.remove(sha256)
    await keep(blobs, FOG)
    expect(read(blobs, sha256)).toEqual(FOG)
  })
})

describe('bytes', () => {
  it('have the hash that other programs find', async () => {
    const { blobs, sha256 } = setUp()
    expect(await keep(blobs, FOG)).toBe(sha256)
    expect(await keep(blobs, Buffer.alloc(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('come as a stream, too, with what they begin with', async () => {
    const { folder, blobs } = setUp()
    const path = join(folder, 'large')
    writeFileSync(path, Buffer.alloc(5_000_000, 'fog '))
    const { size, head, sha256 } = await blobs.receive(createReadStream(path, { highWaterMark: 10 }).take(20))
    expect([size, head.toString()]).toEqual([200, 'fog '.repeat(16)])
    expect(sha256).toBe(createHash('sha256').update('fog '.repeat(50)).digest('hex'))
    const whole = await blobs.receive(createReadStream(path))
    await blobs.settle(whole)
    expect([whole.size, read(blobs, whole.sha256).equals(readFileSync(path))]).toEqual([5_000_000, true])
  })

  it('that break off leave nothing behind', async () => {
    const { folder, blobs } = setUp()
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield FOG
      await Promise.resolve()
      throw new Error('lost')
    }
    await expect(blobs.receive(broken())).rejects.toThrow('lost')
    expect([filesIn(folder, 'tmp'), filesIn(folder, 'blobs')]).toEqual([[], []])
  })

  it('that were not written to their end go when the folder is opened, those that were stay', async () => {
    const { folder, sha256, blobs } = setUp()
    await keep(blobs, FOG)
    mkdirSync(join(folder, 'tmp', 'deep'), { recursive: true })
    for (const name of ['half', 'deep/half']) writeFileSync(join(folder, 'tmp', name), 'fog a')
    const next = new Blobs(folder, false)
    expect(filesIn(folder, 'tmp')).toEqual([])
    expect(read(next, sha256)).toEqual(FOG)
    // Also when the folder for what is on its way is gone.
    rmSync(join(folder, 'tmp'), { recursive: true, force: true })
    const other = Buffer.from('fog at seven')
    expect(read(next, await keep(next, other))).toEqual(other)
  })

  // Another file system cannot take a file by its name only.
  it.runIf(process.platform === 'linux')('that cannot be put in their place leave nothing behind', async () => {
    const { folder, sha256, place, blobs } = setUp()
    mkdirSync(join(folder, 'blobs'))
    symlinkSync('/proc', place)
    await expect(keep(blobs, FOG)).rejects.toThrow('EXDEV')
    expect(blobs.has(sha256)).toBe(false)
    expect(filesIn(folder, 'tmp')).toEqual([])
  })
})
