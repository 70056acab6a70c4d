import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Database } from '../../../lib/chat/store/database.ts'
import { migrate, STEPS } from '../../../lib/chat/store/migrations.ts'
import { openSqlite, type Sqlite } from '../../../lib/chat/store/sqlite.ts'
import { addFile, png } from '../../support/stored.ts'
import { expectSound, makeFolder, OpenWorld, Town } from '../../support/world.ts'

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

type Columns = ReadonlyMap<string, readonly string[]>
const NOW = '2026-05-04T09:30:00.000Z'

/** The tables there are, and what they have. */
const columnsOf = (sqlite: Sqlite): Columns => {
  const tables = sqlite
    .prepare<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all([])
  return new Map(
    tables.map(({ name }) => [
      name,
      sqlite
        .prepare<{ name: string }>(`PRAGMA table_info(${name})`)
        .all([])
        .map((column) => column.name),
    ]),
  )
}

const rowsOf = (sqlite: Sqlite, columns: Columns): Map<string, unknown[]> =>
  new Map(
    [...columns].map(([table, names]) => [
      table,
      sqlite.prepare(`SELECT ${names.join()} FROM ${table} ORDER BY ${names.map((_, i) => i + 1).join()}`).all([]),
    ]),
  )

/** Something of everything that the second version had. */
async function makeLively(): Promise<Town> {
  const town = new Town()
  const { ada, bob, cleo, place, pier } = town
  const file = await addFile(town, bob, pier, 'fog')
  const image = await addFile(town, ada, pier, png('buoy'))
  town.do((world) => {
    const root = world.messages.post(ada, pier, { content: '@bob @everyone', replyTo: null })
    world.messages.post(bob, pier, { content: 'charts', replyTo: root.id, files: [file.id] })
    world.messages.reply(bob, pier, root.id, 'radar agrees')
    world.messages.remove(ada, world.messages.post(ada, pier, { content: 'gone', replyTo: null }).id)
    world.messages.pin(ada, pier, root.id)
    world.reactions.add(bob, pier, root.id, '⚓')
    const { poll } = world.messages.ask(ada, pier, { question: 'Sail?', options: ['yes', 'no'] })
    world.polls.vote(bob, poll?.id ?? '', poll?.options[0]?.id ?? '')
    world.messages.begin(bob, pier, root.id, 'I', false)
    const { direct } = world.directs.open(bob, ada)
    for (const author of [ada, bob]) world.directs.post(author, direct.id, { content: 'tides' })
    world.friends.ask(cleo, ada, 'hello')
    world.overrides.set(ada, pier, { roleId: null, userId: bob }, 4, 64)
    world.moderation.silence(ada, place, bob, 1, 'spam')
    world.moderation.ban(ada, place, cleo, null)
    world.invites.create(ada, place, 3, 24)
    world.bots.create(ada, 'helper', null, 'hash')
    world.bots.ensure('buoy')
    world.sessions.begin(bob, 'token', 1000)
    world.unreads.readChannel(bob, pier, null)
    world.members.rename(bob, place, bob, 'Bobby')
  })
  town.role(ada, place, [bob], 8192)
  const insert =
    'INSERT INTO custom_emojis (id, server_id, created_by, name, file_id, created_at) VALUES (?, ?, ?, ?, ?, ?)'
  town.write(
    insert,
    town.do(({ ids }) => ids.next()),
    place,
    ada,
    'buoy',
    image.id,
    NOW,
  )
  town.write("INSERT INTO idempotency_keys VALUES (?, 'POST /x', 'key', 201, '{}', ?)", ada, NOW)
  return town
}

/** The same in a folder of its own, as the second version would have left it. */
function toSecondVersion(town: Town) {
  const folder = makeFolder()
  const file = join(folder, 'world.db')
  const db = new Database(file, false)
  migrate(db, STEPS.slice(0, 2))
  db.close()
  const sqlite = openSqlite(file, 1000)
  try {
    const columns = columnsOf(sqlite)
    sqlite.exec('PRAGMA foreign_keys = OFF')
    sqlite.exec(`ATTACH '${town.file}' AS lively`)
    for (const [table, names] of columns) {
      sqlite.exec(`INSERT INTO ${table} (${names.join()}) SELECT ${names.join()} FROM lively.${table}`)
    }
    return { folder, file, columns, rows: rowsOf(sqlite, columns) }
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
        'channel_activity',
        'custom_emojis',
        'files',
        'forward_nodes',
        'forwards',
        'friends',
        'group_files',
        'group_folders',
        'notices',
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

  it('brings a database of the second version up to date: each row is what it was, what is new says nothing', async () => {
    const town = await makeLively()
    const { file, columns, rows } = toSecondVersion(town)
    // Else this would compare nothing with nothing.
    expect([...rows].filter(([, all]) => all.length === 0)).toEqual([])
    // By itself: a world that opens it ends what was growing.
    const db = new Database(file, false)
    onTestFinished(() => db.close())
    migrate(db)
    expect(db.pragma('user_version')).toBe(STEPS.length)
    const sqlite = openSqlite(file, 1000)
    onTestFinished(() => sqlite.close())
    expect(rowsOf(sqlite, columns)).toEqual(rows)
    const ask = (sql: string) => sqlite.prepare<object>(sql).all([])
    const added = {
      messages: { segments: null },
      dm_messages: { segments: null },
      server_members: { title: null, title_expires_at: null },
      roles: { managed: null },
      channels: { shut: 0, icon_file: null },
      users: { avatar_file: null },
    }
    for (const [table, fields] of Object.entries(added)) {
      const names = Object.keys(fields).join()
      expect([table, ask(`SELECT DISTINCT ${names} FROM ${table}`)]).toEqual([table, [fields]])
    }
    for (const table of ['remarks', 'likes', 'forwards', 'forward_nodes', 'group_folders', 'notices']) {
      expect([table, ask(`SELECT * FROM ${table}`)]).toEqual([table, []])
    }
    // What was sent with messages, and is no image, is a file of the channel.
    const sent = ask('SELECT file_id, channel_id, folder_id, name, uploader_id, downloads FROM group_files')
    const shared = { channel_id: town.pier, folder_id: '', name: 'fog.txt', uploader_id: town.bob, downloads: 0 }
    expect(sent).toEqual(
      ask("SELECT id AS file_id FROM files WHERE kind = 'file'").map((one) => ({ ...one, ...shared })),
    )
    expect(sent).toHaveLength(1)
    // When somebody spoke last is what their messages say: those that are deleted and those of threads count.
    const spoken = ask(
      `SELECT channel_id, author_id AS user_id, MAX(created_at) AS last_sent_at FROM messages
       WHERE author_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    expect(ask('SELECT * FROM channel_activity ORDER BY 1, 2')).toEqual(spoken)
    expect(spoken).toEqual(
      [town.ada, town.bob].toSorted().map((user_id) => ({ channel_id: town.pier, user_id, last_sent_at: NOW })),
    )
    expect(ask('PRAGMA foreign_key_check')).toEqual([])
  })

  it('has tables as a fresh database has them, from whatever version it came', () => {
    const { db: fresh, file } = openEmpty()
    migrate(fresh)
    const schema = schemaOf(file)
    for (let version = 0; version <= STEPS.length; version++) {
      const { db, file: older } = openEmpty()
      migrate(db, STEPS.slice(0, version))
      expect(db.pragma('user_version')).toBe(version)
      migrate(db)
      expect(schemaOf(older)).toEqual(schema)
    }
  })

  it('of a database in use: it goes on with what was there', async () => {
    const town = await makeLively()
    const { folder } = toSecondVersion(town)
    const old = new OpenWorld({ folder, clock: town.clock })
    const { ada, bob, pier, place } = town
    const { world } = old
    // What can be done to it now, to what was there before.
    const [said] = world.messages.list(bob, pier, { before: null, after: null, limit: 1 })
    if (said === undefined) throw new Error('it was said')
    expect(world.messages.byNum(bob, said.num)).toEqual(said)
    expect(world.messages.lastOf(said.author_id ?? '', pier)).toBe(NOW)
    old.do(({ overrides }) => overrides.shut(ada, pier, true))
    expect(world.channels.find(pier)?.shut).toBe(1)
    old.do(({ members }) => members.entitle(ada, place, bob, 'Lookout', null))
    expect(world.members.get(ada, place, bob).title).toBe('Lookout')
    const direct = world.directs.between(ada, bob)
    const [other] = world.directs.list(ada, direct?.id ?? '', { before: null, after: null, limit: 1 })
    old.do(({ directs }) => directs.remove(other?.author_id ?? '', direct?.id ?? '', other?.id ?? ''))
    expect(world.friends.of(ada)).toEqual([bob])
    old.do(({ friends }) => friends.remove(ada, bob))
    // Numbers and ids go on behind those of before.
    const next = old.post(ada, pier)
    expect([next.num > said.num, next.id > said.id, next.seq]).toEqual([true, true, said.seq + 1])
    expectSound(old)
  })

  it('a third step that fails leaves a database of the second version as it was', () => {
    const { db, file } = openEmpty()
    migrate(db, STEPS.slice(0, 2))
    // In the way of its last table: columns were added before.
    db.exec('CREATE TABLE forward_nodes (a)')
    const before = schemaOf(file)
    expect(() => migrate(db)).toThrow('forward_nodes')
    expect([db.inTransaction, db.pragma('user_version'), schemaOf(file)]).toEqual([false, 2, before])
    db.exec('DROP TABLE forward_nodes')
    migrate(db)
    expect(db.pragma('user_version')).toBe(STEPS.length)
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
    refuses(town, 'UPDATE channels SET shut = ?', 2)
    refuses(town, 'UPDATE roles SET managed = ?', 'friends')
    town.role(town.ada, town.place, [], 0)
    refuses(town, 'UPDATE roles SET managed = ?', 'group_admin')
    refuses(town, 'INSERT INTO remarks VALUES (?, ?, ?, ?)', town.ada, 'server', town.place, 'x')
    refuses(town, 'INSERT INTO remarks VALUES (?, ?, ?, ?)', 'nobody', 'user', town.bob, 'x')
    const insertLikes = 'INSERT INTO likes (from_user, to_user, day, times, last_at) VALUES (?, ?, ?, ?, ?)'
    for (const times of [-1, 0, 11]) refuses(town, insertLikes, town.ada, town.bob, '2026-05-04', times, '')
    refuses(town, insertLikes, town.ada, 'nobody', '2026-05-04', 1, '')
    refuses(town, 'INSERT INTO forward_nodes VALUES (?, ?, ?, ?, ?, ?)', 'none', 0, 1, '', 0, '[]')
  })
})
