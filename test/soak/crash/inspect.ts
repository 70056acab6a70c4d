import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../../lib/chat/store/sqlite.ts'
import { World } from '../../../lib/chat/world.ts'

export interface Row {
  readonly id: string
  readonly seq: number
  readonly content: string
}

/** What is wrong in a database, each a line: whether it is whole, and whether what it counts is right. */
const CHECKS: Readonly<Record<string, string>> = {
  'integrity_check': `SELECT integrity_check AS wrong FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
  'foreign_key_check': `SELECT "table" AS wrong FROM pragma_foreign_key_check`,
  'seq, last_seq and last_message_id': `
    SELECT c.id || ' has ' || COUNT(m.id) || ' up to ' || COALESCE(MAX(m.seq), 0) || ', and last_seq ' || c.last_seq AS wrong
    FROM channels c LEFT JOIN messages m ON m.channel_id = c.id GROUP BY c.id
    HAVING c.last_seq <> COUNT(m.id) OR COALESCE(MAX(m.seq), 0) <> COUNT(m.id) OR COALESCE(MIN(m.seq), 1) <> 1
      OR COUNT(DISTINCT m.seq) <> COUNT(m.id) OR c.last_message_id IS NOT MAX(m.id)`,
  'numbers beyond their counter': `
    SELECT num AS wrong FROM messages WHERE num >= (SELECT value FROM counters WHERE name = 'message')`,
  'ids out of order': `
    SELECT a.id AS wrong FROM messages a JOIN messages b ON b.channel_id = a.channel_id AND b.seq = a.seq + 1
    WHERE b.id <= a.id`,
}

/** Looks into a database that nobody uses; `channel`: whose messages are wanted. */
export function inspect(file: string, channel: string): { readonly wrong: string[]; readonly rows: Row[] } {
  const db = openSqlite(file, 1000)
  try {
    const wrong = Object.entries(CHECKS).flatMap(([name, sql]) =>
      db
        .prepare<{ wrong: unknown }>(sql)
        .all([])
        .map((row) => `${name}: ${String(row.wrong)}`),
    )
    const rows = db
      .prepare<Row>('SELECT id, seq, content FROM messages WHERE channel_id = ? ORDER BY seq')
      .all([channel])
    return { wrong, rows }
  } finally {
    db.close()
  }
}

const [WAL_HEAD, FRAME_HEAD] = [32, 24]
/** Of a log that is there; the index beside it tells which of its frames are in the database already. */
export interface Log {
  /** Bytes. The index is behind the log: one that was killed in between has left a commit more. */
  readonly size: number
  /** Frames before this are on the disk for good before the database is touched: a loss of power cannot take them. */
  readonly safe: number
}

/**
 * https://sqlite.org/walformat.html: what a checkpoint has begun to copy stands behind the two headers of the index; how many
 * frames there are, in the first. */
export function readLog(folder: string): Log {
  const wal = join(folder, 'world.db-wal')
  const shm = join(folder, 'world.db-shm')
  if (!existsSync(wal)) return { size: 0, safe: 0 }
  const log = readFileSync(wal)
  if (log.length < WAL_HEAD || !existsSync(shm)) return { size: log.length, safe: log.length }
  const frame = FRAME_HEAD + log.readUInt32BE(8)
  const index = readFileSync(shm)
  const backfilled = Math.max(index.readUInt32LE(96), index.readUInt32LE(128))
  const toOffset = (frames: number): number => (frames === 0 ? 0 : Math.min(log.length, WAL_HEAD + frames * frame))
  return { size: toOffset(index.readUInt32LE(16)), safe: toOffset(backfilled) }
}

/** Copies what a killed process left, with its log cut, or whole; opens the copy as the server would, and looks into it. */
export function tryCut(
  folder: string,
  cut: number | null,
  channel: string,
): { readonly wrong: string[]; readonly rows: Row[] } {
  const copy = mkdtempSync(join(folder, '..', 'cut-'))
  try {
    const file = join(copy, 'world.db')
    copyFileSync(join(folder, 'world.db'), file)
    if (existsSync(join(folder, 'world.db-wal'))) {
      copyFileSync(join(folder, 'world.db-wal'), `${file}-wal`)
      if (cut !== null) truncateSync(`${file}-wal`, cut)
    }
    const failures: string[] = []
    const failed = (what: string, error: unknown): void => void failures.push(`${what}: ${String(error)}`)
    const world = new World({ folder: copy, file, linkKey: 'a key of this run', full: true, now: Date.now, failed })
    world.close()
    const { wrong, rows } = inspect(file, channel)
    return { wrong: [...failures, ...wrong], rows }
  } catch (error) {
    return { wrong: [`does not open: ${error instanceof Error ? error.message : String(error)}`], rows: [] }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
