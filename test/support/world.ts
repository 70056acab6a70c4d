import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import type { Outcome } from '../../lib/chat/changes.ts'
import type { WorldEvent } from '../../lib/chat/events.ts'
import { Refusal } from '../../lib/chat/refusal.ts'
import { openSqlite, type Sqlite, type Value } from '../../lib/chat/store/sqlite.ts'
import { World } from '../../lib/chat/world.ts'

type Message = ReturnType<World['messages']['post']>

/** When the time of tests begins. */
export const START = Date.UTC(2026, 4, 4, 9, 30)

const folders = new Set<string>()
const open = new Set<{ close(): void }>()

afterEach(() => {
  for (const one of open) one.close()
  open.clear()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
})

/** A folder of its own, which goes when the test is over. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-chat-'))
  folders.add(folder)
  return folder
}

/** Time that passes only when a test says so. */
export class Clock {
  ms = START

  readonly now = (): number => this.ms
}

export interface Setup {
  readonly folder?: string
  readonly full?: boolean
  readonly clock?: Clock
}

/** A world in a folder of its own, with what it tells; another connection to its database looks behind it. */
export class OpenWorld {
  readonly folder: string
  readonly file: string
  readonly clock: Clock
  readonly world: World
  readonly events: WorldEvent[] = []
  readonly failures: { readonly what: string; readonly error: unknown }[] = []
  #sqlite: Sqlite | null = null

  constructor({ folder = makeFolder(), full = false, clock = new Clock() }: Setup = {}) {
    this.folder = folder
    this.file = join(folder, 'world.db')
    this.clock = clock
    this.world = new World({
      folder,
      file: this.file,
      linkKey: 'a key of this test',
      full,
      now: clock.now,
      failed: (what, error) => void this.failures.push({ what, error }),
    })
    this.world.events.on((event) => void this.events.push(event))
    open.add(this)
  }

  /** Another connection, made when it is used first. */
  get sqlite(): Sqlite {
    this.#sqlite ??= openSqlite(this.file, 1000)
    return this.#sqlite
  }

  /** A change, done when this returns: throws what it throws. */
  do<T>(change: (world: World) => T): T {
    const told: Outcome<T>[] = []
    this.world.changes.submit(
      () => change(this.world),
      (outcome) => void told.push(outcome),
    )
    this.flush()
    const [outcome] = told
    if (outcome === undefined || told.length > 1) throw new Error(`told ${told.length} times`)
    if (!outcome.ok) throw outcome.error
    return outcome.value
  }

  /** Runs all that waits. */
  flush(): void {
    while (this.world.changes.waiting > 0) this.world.changes.flush()
  }

  /** What is in the database. */
  rows<R>(sql: string, ...values: readonly Value[]): R[] {
    return this.sqlite.prepare<R>(sql).all(values)
  }

  /** Changes the database behind the world: for what it cannot do yet, such as timeouts. */
  write(sql: string, ...values: readonly Value[]): void {
    this.sqlite.prepare(sql).run(values)
  }

  /** What was told since the last call. */
  told(): WorldEvent[] {
    return this.events.splice(0)
  }

  /** Another world in the same folder, after this one has ended. */
  reopen(): OpenWorld {
    this.close()
    return new OpenWorld({ folder: this.folder, clock: this.clock })
  }

  close(): void {
    if (!open.delete(this)) return
    this.#sqlite?.close()
    this.world.close()
  }

  // What most tests need

  user(username: string): string {
    return this.do(({ users }) => users.create({ username, email: null, passwordHash: null, bot: false })).id
  }

  server(owner: string, isPublic = true): string {
    const draft = { name: 'Harbour', icon_url: null, is_public: isPublic ? 1 : 0, require_invite: 0 } as const
    return this.do(({ servers }) => servers.create(owner, draft)).id
  }

  channel(owner: string, server: string, name = 'pier'): string {
    const draft = { name, type: 'text', topic: null, category: null } as const
    return this.do(({ channels }) => channels.create(owner, server, draft)).id
  }

  join(user: string, server: string): void {
    this.do(({ servers }) => servers.join(user, server))
  }

  post(author: string, channel: string, content = 'fog at six', replyTo: string | null = null): Message {
    return this.do(({ messages }) => messages.post(author, channel, { content, replyTo }))
  }

  /** A role that the owner makes and gives. */
  role(
    owner: string,
    server: string,
    to: readonly string[],
    permissions: number,
    position: number | null = null,
  ): string {
    const draft = { name: 'Pilot', permissions, color: null, position }
    const { id } = this.do(({ roles }) => roles.create(owner, server, draft))
    for (const member of to) this.do(({ roles }) => roles.give(owner, server, member, id))
    return id
  }

  /** May say nothing until then. */
  silence(server: string, user: string, until: number): void {
    this.write(
      'INSERT INTO member_timeouts (server_id, user_id, expires_at, created_at) VALUES (?, ?, ?, ?)',
      server,
      user,
      new Date(until).toISOString(),
      new Date(this.clock.ms).toISOString(),
    )
  }

  /** A reply in the thread of a message; its id. */
  reply(root: Message, author: string, content = 'radar agrees'): string {
    return this.do(({ messages }) => messages.reply(author, root.channel_id, root.id, content)).id
  }
}

/** Ada owns a server with one channel, Bob is a member, Cleo is not. */
export class Town extends OpenWorld {
  readonly ada: string
  readonly bob: string
  readonly cleo: string
  readonly place: string
  readonly pier: string

  constructor(setup: Setup = {}) {
    super(setup)
    this.ada = this.user('ada')
    this.bob = this.user('bob')
    this.cleo = this.user('cleo')
    this.place = this.server(this.ada)
    this.pier = this.channel(this.ada, this.place)
    this.join(this.bob, this.place)
    this.told()
  }
}

/** How something is refused. */
export function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'nothing was refused'
}

/**
 * Commits that the write-ahead log has: the last frame of each tells how large the database is after it. Frames of
 * before it was begun anew have another salt.
 */
export function countCommits(file: string): number {
  const wal = readFileSync(`${file}-wal`)
  const frame = 24 + wal.readUInt32BE(8)
  const salt = wal.subarray(16, 24)
  let count = 0
  for (let at = 32; at + frame <= wal.length; at += frame) {
    if (!wal.subarray(at + 8, at + 16).equals(salt)) break
    if (wal.readUInt32BE(at + 4) !== 0) count++
  }
  return count
}

/** Nothing in the database is broken, and what it counts is right. */
export function expectSound(world: OpenWorld): void {
  expect(world.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  expect(world.rows('PRAGMA foreign_key_check')).toEqual([])
  for (const [channels, messages] of [
    ['channels', 'messages'],
    ['dm_channels', 'dm_messages'],
  ]) {
    const wrong = world.rows(
      `SELECT c.id, c.last_seq, c.last_message_id, COUNT(m.id) AS count, MAX(m.seq) AS top, MIN(m.seq) AS low,
         MAX(m.id) AS last
       FROM ${channels} c LEFT JOIN ${messages} m ON m.channel_id = c.id GROUP BY c.id
       HAVING c.last_seq <> count OR COALESCE(top, 0) <> count OR COALESCE(low, 1) <> 1
         OR c.last_message_id IS NOT last`,
    )
    expect(wrong).toEqual([])
  }
  const twice = world.rows(
    `SELECT num FROM (SELECT num FROM messages UNION ALL SELECT num FROM dm_messages) GROUP BY num HAVING COUNT(*) > 1`,
  )
  expect(twice).toEqual([])
  const beyond = world.rows(
    `SELECT num FROM (SELECT num FROM messages UNION ALL SELECT num FROM dm_messages)
     WHERE num >= (SELECT value FROM counters WHERE name = 'message')`,
  )
  expect(beyond).toEqual([])
}
