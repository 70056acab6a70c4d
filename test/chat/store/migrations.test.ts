import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Database } from '../../../lib/chat/store/database.ts'
import { migrate, STEPS } from '../../../lib/chat/store/migrations.ts'
import { openSqlite } from '../../../lib/chat/store/sqlite.ts'
import { makeFolder, type OpenWorld, Town } from '../../support/world.ts'

const openEmpty = (): { db: Database; file: string } => {
  const file = join(makeFolder(), 'world.db')
  const db = new Database(file, false)
  onTestFinished(() => db.close())
  return { db, file }
}
const schemaOf = (file: string): unknown[] => {
  const sqlite = openSqlite(file, 1000)
  try {
    return sqlite
      .prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
      .all([])
  } finally {
    sqlite.close()
  }
}

describe('migration', () => {
  it('makes the tables of a fresh database, and tells their version', () => {
    const { db, file } = openEmpty()
    expect(schemaOf(file)).toEqual([])
    migrate(db)
    expect(db.pragma('user_version')).toBe(STEPS.length)
    expect(db.inTransaction).toBe(false)
    const tables = schemaOf(file).flatMap((row) => JSON.stringify(row).match(/"CREATE TABLE (\w+)/)?.[1] ?? [])
    expect(tables).toEqual(
      [
        'audit_logs',
        'blobs',
        'bots',
        'custom_emojis',
        'files',
        'forward_nodes',
        'forwards',
        'friends',
        'likes',
        'message_files',
        'message_reactions',
        'poll_options',
        'poll_votes',
        'polls',
        'remarks',
        'requests',
        'server_invites',
        'channel_overrides',
        'idempotency_keys',
        'channels',
        'counters',
        'dm_channels',
        'dm_messages',
        'member_roles',
        'member_timeouts',
        'message_mentions',
        'messages',
        'read_states',
        'refresh_tokens',
        'roles',
        'server_bans',
        'server_members',
        'servers',
        'sessions',
        'users',
      ].toSorted(),
    )
  })

  it('twice does no harm', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    const before = schemaOf(town.file)
    const again = town.reopen().reopen()
    expect(schemaOf(again.file)).toEqual(before)
    expect(again.rows('SELECT content FROM messages')).toEqual([{ content: 'fog at six' }])
    expect(again.rows('PRAGMA user_version')).toEqual([{ user_version: STEPS.length }])
  })

  it('refuses a database of a newer program with a sentence, and leaves it alone', () => {
    const town = new Town()
    town.post(town.ada, town.pier)
    town.write('UPDATE users SET activity = ? WHERE id = ?', 'sailing', town.ada)
    const newer = STEPS.length + 1
    town.sqlite.exec(`PRAGMA user_version = ${newer}`)
    expect(() => town.reopen()).toThrow(
      `the data folder was written by a newer fiberws (version ${newer} of its tables): use that one`,
    )
    const sqlite = openSqlite(town.file)
    onTestFinished(() => sqlite.close())
    expect(sqlite.prepare('PRAGMA user_version').all([])).toEqual([{ user_version: newer }])
    expect(sqlite.prepare('SELECT activity FROM users WHERE activity IS NOT NULL').all([])).toEqual([
      { activity: 'sailing' },
    ])
  })

  it('brings a database of the first version up to date, and what is in it with it', () => {
    const { db, file } = openEmpty()
    migrate(db, STEPS.slice(0, 1))
    const insert = 'INSERT INTO users (num, id, username, username_lc, created_at, updated_at) VALUES'
    db.exec(`${insert} (10001, 'a', 'ada', 'ada', '', ''), (10002, 'b', 'bob', 'bob', '', '')`)
    db.exec("INSERT INTO dm_channels (id, user_lo, user_hi, created_at) VALUES ('d', 'a', 'b', 'then')")
    migrate(db)
    expect(db.pragma('user_version')).toBe(STEPS.length)
    const sqlite = openSqlite(file)
    onTestFinished(() => sqlite.close())
    expect(sqlite.prepare('SELECT * FROM friends').all([])).toEqual([
      { user_lo: 'a', user_hi: 'b', source: 'dm', created_at: 'then' },
    ])
  })

  it('a step that fails leaves nothing behind', () => {
    const { db, file } = openEmpty()
    // In the way of one of the last tables.
    db.exec('CREATE TABLE server_bans (a)')
    const before = schemaOf(file)
    expect(() => migrate(db)).toThrow('server_bans')
    expect(db.inTransaction).toBe(false)
    expect(schemaOf(file)).toEqual(before)
    expect(db.pragma('user_version')).toBe(0)
  })

  it('what somebody did when the last process ended, nobody does', () => {
    const town = new Town()
    town.do(({ users }) => users.change(town.ada, { activity: 'sailing', custom_status: 'mapping' }))
    expect(town.reopen().world.users.find(town.ada)).toMatchObject({ activity: null, custom_status: 'mapping' })
  })
})

describe('the tables', () => {
  const refuses = (world: OpenWorld, sql: string, ...values: (string | number | null)[]): void =>
    expect(() => world.write(sql, ...values), sql).toThrow(/constraint failed/)

  it('keep what must hold', () => {
    const town = new Town()
    town.sqlite.exec('PRAGMA foreign_keys = ON')
    const { id: root } = town.post(town.ada, town.pier)
    const { direct } = town.do(({ directs }) => directs.open(town.ada, town.bob))
    const insertMessage =
      'INSERT INTO messages (num, id, channel_id, seq, content, mention_everyone, created_at) VALUES (?, ?, ?, ?, ?, 0, ?)'
    refuses(town, insertMessage, 1, 'new', town.pier, 2, 'x', '')
    refuses(town, insertMessage, 2, root, town.pier, 2, 'x', '')
    refuses(town, insertMessage, 2, 'new', town.pier, 1, 'x', '')
    refuses(town, insertMessage, 2, 'new', 'no channel', 2, 'x', '')
    refuses(town, 'UPDATE users SET status_sticky = ?', 'idle')
    refuses(town, 'UPDATE users SET username_lc = ?', 'ada')
    refuses(town, 'UPDATE channels SET type = ?', 'video')
    refuses(town, 'DELETE FROM users WHERE id = ?', town.ada)
    refuses(town, 'UPDATE dm_channels SET user_lo = user_hi WHERE id = ?', direct.id)
    const insertDirect = 'INSERT INTO dm_channels (id, user_lo, user_hi, created_at) VALUES (?, ?, ?, ?)'
    refuses(town, insertDirect, 'new', direct.user_lo, direct.user_hi, '')
    const insertOverride =
      'INSERT INTO channel_overrides (id, channel_id, role_id, user_id, everyone, allow, deny) VALUES (?, ?, ?, ?, ?, ?, ?)'
    refuses(town, insertOverride, 'x', town.pier, null, null, 0, 0, 0)
    refuses(town, insertOverride, 'x', town.pier, null, town.bob, 1, 0, 0)
    refuses(town, insertOverride, 'x', town.pier, null, town.bob, 0, 3, 1)
    refuses(town, insertOverride, 'x', town.pier, null, town.bob, 0, 32_768, 0)
    town.write(insertOverride, 'x', town.pier, null, null, 1, 0, 1)
    refuses(town, insertOverride, 'y', town.pier, null, null, 1, 0, 1)
    const role = town.role(town.ada, town.place, [], 0)
    refuses(town, 'UPDATE roles SET permissions = 32768')
    refuses(town, 'INSERT INTO member_roles VALUES (?, ?, ?)', town.place, town.cleo, role)
  })
})
