import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Blobs } from '../../lib/chat/store/blobs.ts'
import { deferred } from '../support/memory.ts'
import { addFile, codeOfLate, filesIn, png } from '../support/stored.ts'
import { START, Town } from '../support/world.ts'

const [HOUR, DAY] = [3_600_000, 86_400_000]

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function setUp() {
  const town = new Town()
  const { world, bob, pier } = town
  const add = (content: string | Buffer) => addFile(town, bob, pier, content)
  const post = (id: string) =>
    town.do(({ messages }) => messages.post(bob, pier, { content: '', replyTo: null, files: [id] }))
  const sweep = async (at = town.clock.ms): Promise<void> => {
    town.clock.ms = at
    const swept = world.files.sweep()
    town.flush()
    await swept
  }
  /** Rows of files, rows of bytes, and bytes. */
  const counts = (): number[] => [
    town.rows('SELECT * FROM files').length,
    town.rows('SELECT * FROM blobs').length,
    filesIn(town.folder, 'blobs').length,
  ]
  const read = async (id: string): Promise<string> => {
    const file = world.files.find(id)
    return file === null ? 'no file' : (await world.files.bytesOf(file)).toString()
  }
  return { town, world, add, post, sweep, counts, read }
}

describe('what nobody needs', () => {
  it('goes after a day, what a message or an emoji has does not', async () => {
    const { town, world, add, post, sweep, counts, read } = setUp()
    const [kept, left] = [await add('kept'), await add('left')]
    post(kept.id)
    const image = png('buoy')
    await world.files.keep(image, (content) => world.emojis.create(town.ada, town.place, 'buoy', content))
    await sweep(START + DAY)
    expect(counts()).toEqual([3, 3, 3])
    await sweep(START + DAY + 1)
    expect(counts()).toEqual([2, 2, 2])
    expect([await read(kept.id), await read(left.id)]).toEqual(['kept', 'no file'])
    await sweep(START + 100 * DAY)
    expect(counts()).toEqual([2, 2, 2])
    expect(await read(kept.id)).toBe('kept')
  })

  it('bytes that two files have go with the last of them', async () => {
    const { town, add, post, sweep, counts, read } = setUp()
    const [one, other] = [await add('fog'), await add('fog')]
    const [message, second] = [post(one.id), post(other.id)]
    expect(counts()).toEqual([2, 1, 1])
    town.do(({ messages }) => messages.remove(town.bob, message.id))
    await sweep(START + 2 * DAY)
    expect([counts(), await read(other.id)]).toEqual([[1, 1, 1], 'fog'])
    town.do(({ messages }) => messages.remove(town.bob, second.id))
    await sweep(START + 4 * DAY)
    expect(counts()).toEqual([0, 0, 0])
  })

  it.each(['channel', 'server'])('goes with the %s that had it, what direct messages have stays', async (what) => {
    const { town, add, post, sweep, counts, read } = setUp()
    post((await add('fog')).id)
    const { direct } = town.do(({ directs }) => directs.open(town.bob, town.cleo))
    const there = await addFile(town, town.bob, direct.id, 'there')
    town.do(({ directs }) => directs.post(town.bob, direct.id, { content: '', files: [there.id] }))
    town.do(({ channels, servers }) =>
      what === 'channel' ? channels.remove(town.ada, town.place, town.pier) : servers.remove(town.ada, town.place),
    )
    await sweep(START + 2 * DAY)
    expect([counts(), await read(there.id)]).toEqual([[1, 1, 1], 'there'])
    expect(town.rows('SELECT file_id FROM message_files')).toEqual([{ file_id: there.id }])
  })

  it('is looked for each hour, until the world is closed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { town, add, counts } = setUp()
    await add('fog')
    town.clock.ms += 2 * DAY
    vi.advanceTimersByTime(HOUR - 1)
    town.flush()
    expect(counts()).toEqual([1, 1, 1])
    vi.advanceTimersByTime(1)
    town.flush()
    // Bytes go behind their rows.
    await expect.poll(counts).toEqual([0, 0, 0])
    // Not only once.
    await add('fog')
    town.clock.ms += 2 * DAY
    vi.advanceTimersByTime(HOUR)
    town.flush()
    await expect.poll(counts).toEqual([0, 0, 0])
    town.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('bytes that come again', () => {
  it('while they are swept away are there', async () => {
    for (const sweepFirst of [true, false]) {
      const { town, world, add, counts, read } = setUp()
      await add('fog')
      town.clock.ms += 2 * DAY
      const early = sweepFirst ? world.files.sweep() : null
      const adding = add('fog')
      const late = sweepFirst ? null : world.files.sweep()
      town.flush()
      const { id } = await adding
      town.flush()
      await Promise.all([early, late])
      expect([counts(), await read(id)]).toEqual([[1, 1, 1], 'fog'])
    }
  })

  it('after they were swept away are written again', async () => {
    const { add, sweep, counts, read } = setUp()
    await add('fog')
    await sweep(START + 2 * DAY)
    expect(counts()).toEqual([0, 0, 0])
    const { id } = await add('fog')
    expect([counts(), await read(id)]).toEqual([[1, 1, 1], 'fog'])
  })

  it('twice, of which the first is refused, are not swept away before the second', async () => {
    const { town, world, add, sweep, counts, read } = setUp()
    await add('fog')
    const [reached, gate] = [deferred(), deferred()]
    vi.spyOn(Blobs.prototype, 'settle').mockImplementationOnce(() => {
      reached.resolve()
      return gate.promise
    })
    const second = add('fog')
    await reached.promise
    const bytes = Buffer.from('fog')
    const refused = world.files.keep(bytes, (content) => world.uploads.add(town.cleo, town.pier, 'fog', content))
    expect(await codeOfLate(refused)).toBe('NOT_FOUND')
    await sweep(START + 2 * DAY)
    gate.resolve()
    const { id } = await second
    expect([counts(), await read(id)]).toEqual([[1, 1, 1], 'fog'])
  })

  it('when they have come, those that nobody needs are swept away as before', async () => {
    const { add, sweep, counts } = setUp()
    await Promise.all([add('fog'), add('fog')])
    await sweep(START + 2 * DAY)
    expect(counts()).toEqual([0, 0, 0])
  })
})

/** The system has a clock of its own: what is on the disk is as old as the world. */
function age(folder: string): void {
  const all = readdirSync(join(folder, 'blobs'), { recursive: true, encoding: 'utf8' })
  for (const name of all) utimesSync(join(folder, 'blobs', name), START / 1000, START / 1000)
}

describe('bytes that nothing knows', () => {
  it('of what was refused go at once', async () => {
    const { town, world, add, sweep, counts } = setUp()
    await add('fog at six')
    town.write('UPDATE blobs SET size = ?', 2 ** 30)
    expect(await codeOfLate(add('too much'))).toBe('LIMIT')
    const [image, other] = [png('buoy'), png('another')]
    const make = (bytes: Buffer) =>
      world.files.keep(bytes, (content) => world.emojis.create(town.ada, town.place, 'buoy', content))
    await make(image)
    expect(await codeOfLate(make(other))).toBe('CONFLICT')
    expect(await codeOfLate(make(Buffer.from('<svg/>')))).toBe('INVALID')
    expect(counts()).toEqual([2, 2, 2])
    age(town.folder)
    await sweep(START + 2 * DAY)
    // The emoji is left.
    expect(counts()).toEqual([1, 1, 1])
  })

  it('of a process that ended before it said what they are for go after a day', async () => {
    const { town, add } = setUp()
    await add('fog')
    // They are in their place, and no row says so.
    const path = join(town.folder, 'blobs', 'ab', `ab${'0'.repeat(62)}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'of no use')
    const next = town.reopen()
    const { id } = await addFile(next, town.bob, town.pier, 'fog')
    next.do(({ messages }) => messages.post(town.bob, town.pier, { content: '', replyTo: null, files: [id] }))
    age(town.folder)
    next.clock.ms = START + 2 * DAY
    const swept = next.world.files.sweep()
    next.flush()
    await swept
    expect([existsSync(path), filesIn(next.folder, 'blobs').length]).toEqual([false, 1])
  })
})
