import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectSound, makeFolder, OpenWorld, START, Town } from '../support/world.ts'
import { Child } from './child.ts'

/** How often a process is killed; more where somebody looks for what is rare. */
const KILLS = Number(process.env['CHAT_KILLS'] ?? 3)
/** How often a log is cut. */
const CUTS = Number(process.env['CHAT_CUTS'] ?? 40)

describe('kill -9', () => {
  it(
    'loses nothing that was acknowledged, and stores nothing twice',
    { timeout: 20_000 + KILLS * 10_000 },
    async () => {
      let town: OpenWorld = new Town()
      const [ada, bob] = town.rows<{ id: string }>('SELECT id FROM users ORDER BY num').map(({ id }) => id)
      const [pier] = town.rows<{ id: string }>('SELECT id FROM channels')
      const { direct } = town.do(({ directs }) => directs.open(ada ?? '', bob ?? ''))
      const acknowledged: string[] = []
      for (let round = 0; round < KILLS; round++) {
        town.close()
        const child = new Child('test/chat/writer.ts', town.folder, ada ?? '', pier?.id ?? '', direct.id)
        // Somewhere in the midst of it.
        await child.says(randomInt(1, 3000))
        await child.kill()
        // The last line may have been cut off.
        const lines = child.lines.filter((line) => /^[\da-f-]{36} \d+$/.test(line))
        acknowledged.push(...lines)
        town = new OpenWorld({ folder: town.folder })
        expectSound(town)
        const stored = town
          .rows<{ line: string }>(
            `SELECT id || ' ' || num AS line FROM messages UNION ALL SELECT id || ' ' || num FROM dm_messages ORDER BY 1`,
          )
          .map(({ line }) => line)
        // All of them, each once, and in order; of the last batch some may be stored that nobody was told of.
        expect(new Set(stored).size).toBe(stored.length)
        const known = new Set(stored)
        expect(acknowledged.filter((line) => !known.has(line))).toEqual([])
        expect(acknowledged).toEqual(acknowledged.toSorted())
        expect(new Set(acknowledged.map((line) => line.split(' ')[1])).size).toBe(acknowledged.length)
        // What failed on purpose is not among them.
        const numbers = stored.map((line) => Number(line.split(' ')[1]))
        expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
        const message = town.post(ada ?? '', pier?.id ?? '')
        expect(message.id > (stored.at(-1) ?? '')).toBe(true)
        expect(message.num).toBeGreaterThan(numbers.at(-1) ?? 0)
      }
      expect(acknowledged.length).toBeGreaterThan(KILLS)
    },
  )
})

describe('a log that is cut off', () => {
  it('anywhere opens cleanly, and has a prefix of what was acknowledged', { timeout: 20_000 + CUTS * 500 }, () => {
    const town = new Town()
    // All up to here is in world.db.
    town.rows('PRAGMA wal_checkpoint(TRUNCATE)')
    const before = statSync(town.file).size
    const acknowledged: string[] = []
    const ends: number[] = [0]
    const counts: number[] = [0]
    const { changes, messages, servers } = town.world
    for (let batch = 0; batch < 40; batch++) {
      for (let i = 0; i <= batch % 5; i++) {
        changes.submit(
          () => {
            const { id } = messages.post(town.ada, town.pier, { content: `${batch} ${i} @bob`, replyTo: null })
            if (i === 3) servers.leave(town.cleo, town.place)
            return id
          },
          (outcome) => void (outcome.ok && acknowledged.push(outcome.value)),
        )
      }
      town.flush()
      ends.push(statSync(`${town.file}-wal`).size)
      counts.push(acknowledged.length)
    }
    // The log has it all, so that each part of it is a state that a loss of power can leave.
    expect(statSync(town.file).size).toBe(before)
    expect(acknowledged.length).toBeGreaterThan(80)
    const wal = readFileSync(`${town.file}-wal`)
    // Random places, and those next to the end of a commit.
    const cuts = Array.from({ length: CUTS }, (_, i) => {
      const end = ends[randomInt(ends.length)] ?? 0
      return i % 2 === 0 ? randomInt(wal.length + 1) : Math.max(0, Math.min(wal.length, end + randomInt(-1, 2)))
    })
    for (const cut of [0, wal.length, ...cuts]) {
      const folder = makeFolder()
      copyFileSync(town.file, join(folder, 'world.db'))
      writeFileSync(join(folder, 'world.db-wal'), wal.subarray(0, cut))
      const copy = new OpenWorld({ folder })
      expectSound(copy)
      const stored = copy.rows<{ id: string }>('SELECT id FROM messages ORDER BY id').map(({ id }) => id)
      expect(stored, `cut at ${cut}`).toEqual(acknowledged.slice(0, stored.length))
      // All of each batch whose commit is in it, and no part of another.
      const whole = ends.findLastIndex((end) => end <= cut)
      expect(stored.length, `cut at ${cut}`).toBe(counts[whole])
      // It goes on from there.
      const next = copy.post(town.ada, town.pier)
      expect(next.seq).toBe(stored.length + 1)
      expect(next.id > (stored.at(-1) ?? '')).toBe(true)
      copy.close()
    }
  })

  it('bits that are turned in it end it there', () => {
    const town = new Town()
    town.rows('PRAGMA wal_checkpoint(TRUNCATE)')
    const acknowledged = Array.from({ length: 20 }, () => town.post(town.ada, town.pier).id)
    const wal = readFileSync(`${town.file}-wal`)
    for (let i = 0; i < 10; i++) {
      const damaged = Buffer.from(wal)
      const at = randomInt(wal.length)
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << randomInt(8)), at)
      const folder = makeFolder()
      copyFileSync(town.file, join(folder, 'world.db'))
      writeFileSync(join(folder, 'world.db-wal'), damaged)
      const copy = new OpenWorld({ folder, clock: town.clock })
      expectSound(copy)
      const stored = copy.rows<{ id: string }>('SELECT id FROM messages ORDER BY id').map(({ id }) => id)
      expect(stored, `turned at ${at}`).toEqual(acknowledged.slice(0, stored.length))
      copy.close()
    }
    expect(town.clock.ms).toBe(START)
  })
})
