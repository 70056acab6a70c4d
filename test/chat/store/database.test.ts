import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Database, type Param } from '../../../lib/chat/store/database.ts'
import { sqliteCode } from '../../../lib/chat/store/sqlite.ts'
import { codeOf, makeFolder, OpenWorld, START, Town } from '../../support/world.ts'

const openDatabase = (full = false): Database => {
  const db = new Database(join(makeFolder(), 'some.db'), full)
  onTestFinished(() => db.close())
  db.exec('CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER)')
  return db
}
const insertInto = (db: Database) =>
  db.run((q, p: Param<{ name: string; value: number }>) =>
    q.insertInto('counters').values({ name: p('name'), value: p('value') }),
  )
const readOf = (db: Database) =>
  db.first((q, p: Param<{ name: string }>) => q.selectFrom('counters').select('value').where('name', '=', p('name')))

describe('a statement', () => {
  it('counts as written when it has changed something: not when it reads, in whatever spelling, changes nothing, or fails', () => {
    const db = openDatabase()
    const insert = insertInto(db)
    const read = readOf(db)
    const readText = db.first((q, p: Param<{ name: string }>) => ({
      compile: () =>
        sql<{ value: number }>`
        SELECT value FROM counters WHERE name = ${p('name')}`.compile(q),
    }))
    const raise = db.first((q, p: Param<{ name: string }>) =>
      q.updateTable('counters').set({ value: 8 }).where('name', '=', p('name')).returning('value'),
    )
    expect(db.written).toBe(0)
    insert({ name: 'a', value: 7 })
    expect(db.written).toBe(1)
    expect([read({ name: 'a' }), readText({ name: 'a' })]).toEqual([{ value: 7 }, { value: 7 }])
    expect(() => insert({ name: 'a', value: 7 })).toThrow(/UNIQUE/)
    expect(raise({ name: 'b' })).toBeUndefined()
    expect(db.written).toBe(1)
    expect(raise({ name: 'a' })).toEqual({ value: 8 })
    expect(db.written).toBe(2)
  })

  it.each([
    [true, 'boolean'],
    [false, 'boolean'],
    [undefined, 'undefined'],
    [NaN, 'number'],
    [Infinity, 'number'],
    [-Infinity, 'number'],
    [1n, 'bigint'],
    [{}, 'object'],
    [new Date(START), 'object'],
    [Symbol.iterator, 'symbol'],
  ])('refuses %s with a TypeError, and lives on', (value, type) => {
    const db = openDatabase()
    const insert = insertInto(db)
    const call = (values: object): unknown => Reflect.apply(insert, undefined, [values])
    expect(() => call({ name: 'a', value })).toThrow(new TypeError(`value cannot be stored: ${type}`))
    expect(() => call({ name: value, value: 1 })).toThrow(TypeError)
    expect(call({ name: 'a', value: 1 })).toBe(1)
  })

  it('refuses what is missing, in all three ways of running it', () => {
    const db = openDatabase()
    const list = db.all((q, p: Param<{ name: string }>) =>
      q.selectFrom('counters').select('value').where('name', '=', p('name')),
    )
    // @ts-expect-error nothing is given
    expect(() => readOf(db)({})).toThrow(TypeError)
    // @ts-expect-error nothing is given
    expect(() => list({})).toThrow(TypeError)
    // @ts-expect-error one of two is given
    expect(() => insertInto(db)({ name: 'a' })).toThrow(TypeError)
  })

  it('refuses a constant that cannot be bound', () => {
    const db = openDatabase()
    // @ts-expect-error no name is a boolean
    const find = db.first((q) => q.selectFrom('counters').select('value').where('name', '=', true))
    expect(() => find({})).toThrow(new TypeError('A constant cannot be stored: boolean'))
  })

  it('keeps text and numbers as they are', () => {
    const db = openDatabase()
    const insert = insertInto(db)
    const read = readOf(db)
    for (const value of [0, -1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, 0.5]) {
      insert({ name: `n${value}`, value })
      expect(read({ name: `n${value}` })?.value).toBe(value)
    }
    const names = ['', "'; DROP TABLE counters; --", 'ä漢🦊', 'x'.repeat(100_000)]
    for (const name of names) insert({ name, value: 1 })
    for (const name of names) expect(read({ name })?.value).toBe(1)
  })

  it('used as first and as all, the same text does not disturb itself', () => {
    const db = openDatabase()
    const insert = insertInto(db)
    insert({ name: 'a', value: 1 })
    const list = db.all((q) => q.selectFrom('counters').select('value').orderBy('value'))
    const first = db.first((q) => q.selectFrom('counters').select('value').orderBy('value'))
    expect(list({}).map(({ value }) => value)).toEqual([1])
    expect(first({})?.value).toBe(1)
    insert({ name: 'b', value: -1 })
    // libsql 0.5 would give the row of before.
    expect(first({})?.value).toBe(-1)
    expect(list({}).map(({ value }) => value)).toEqual([-1, 1])
    insert({ name: 'c', value: -2 })
    expect(list({}).map(({ value }) => value)).toEqual([-2, -1, 1])
    expect(first({})?.value).toBe(-2)
  })

  it('first reads anew each time, though rows were left over', () => {
    const db = openDatabase()
    const insert = insertInto(db)
    const first = db.first((q) => q.selectFrom('counters').select('value').orderBy('value', 'desc'))
    expect(first({})).toBeUndefined()
    for (let value = 1; value < 5; value++) {
      insert({ name: `${value}`, value })
      expect(first({})?.value).toBe(value)
    }
  })

  // Was wrong: libsql adds `_metadata: {duration}` to rows that `get` reads, so users, servers, channels,
  // messages and directs that the world gives out carry it, into events, too: whoever spreads or serialises one tells it
  // to clients.
  it('gives the columns that were asked for, and nothing else', () => {
    const db = openDatabase()
    insertInto(db)({ name: 'a', value: 1 })
    expect(readOf(db)({ name: 'a' })).toEqual({ value: 1 })
  })

  // Was wrong: the same, as doors see it.
  it('what a message event has does not depend on how it was read', () => {
    const town = new Town()
    const { id } = town.post(town.ada, town.pier)
    town.do(({ messages }) => messages.edit(town.ada, id, 'fog at seven'))
    const [created, updated] = town.told()
    if (created?.type !== 'message.created' || updated?.type !== 'message.updated') throw new Error('other events')
    expect(Object.keys(updated.message).toSorted()).toEqual(Object.keys(created.message).toSorted())
  })

  it('tells how many rows it changed', () => {
    const db = openDatabase()
    const insert = insertInto(db)
    expect(insert({ name: 'a', value: 1 })).toBe(1)
    insert({ name: 'b', value: 1 })
    const clear = db.run((q, p: Param<{ value: number }>) => q.deleteFrom('counters').where('value', '=', p('value')))
    expect(clear({ value: 2 })).toBe(0)
    expect(clear({ value: 1 })).toBe(2)
  })

  it('fails with a code', () => {
    const db = openDatabase()
    const insert = insertInto(db)
    insert({ name: 'a', value: 1 })
    let code = ''
    try {
      insert({ name: 'a', value: 2 })
    } catch (error) {
      code = sqliteCode(error)
    }
    expect(code).toBe('SQLITE_CONSTRAINT_PRIMARYKEY')
    expect(sqliteCode(new Error('other'))).toBe('')
    expect(sqliteCode('SQLITE_BUSY')).toBe('')
  })
})

describe('a database', () => {
  it.each([
    [true, 2],
    [false, 1],
  ])('full: %s has synchronous %i', (full, expected) => {
    expect(openDatabase(full).pragma('synchronous')).toBe(expected)
    expect(new OpenWorld({ full }).world.synchronous).toBe(expected)
  })

  it('has foreign keys and a write-ahead log', () => {
    const db = openDatabase()
    expect(db.pragma('foreign_keys')).toBe(1)
    expect(db.pragma('journal_mode')).toBe('wal')
  })

  it('knows whether a transaction is open', () => {
    const db = openDatabase()
    expect(db.inTransaction).toBe(false)
    const [begin, rollback] = [db.command('BEGIN'), db.command('ROLLBACK')]
    for (let i = 0; i < 3; i++) {
      begin()
      expect(db.inTransaction).toBe(true)
      rollback()
      expect(db.inTransaction).toBe(false)
    }
  })

  it('a file that is none is refused', () => {
    const folder = makeFolder()
    expect(() => new Database(join(folder, 'no', 'such', 'folder', 'world.db'), false)).toThrow()
  })

  it('its log does not grow for ever', () => {
    const town = new Town()
    const { changes, messages, users } = town.world
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 1024; i++) {
        changes.submit(
          () => messages.post(town.ada, town.pier, { content: 'x'.repeat(200), replyTo: null }),
          () => {},
        )
      }
      town.flush()
      // A read that is not over would keep the log from being begun anew.
      users.find(town.ada)
      messages.list(town.ada, town.pier, { before: null, after: null, limit: 5 })
    }
    // Some 11 MB were written.
    expect(statSync(`${town.file}-wal`).size).toBeLessThan(8 * 1024 * 1024)
  })

  // The driver keeps a connection for as long as a prepared statement of it can be reached: until the collector comes by.
  it.runIf(process.platform === 'linux')('lets go of its files when it closes', async () => {
    const folder = makeFolder()
    const openFiles = (): string[] =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          const path = readlinkSync(`/proc/self/fd/${fd}`)
          return path.startsWith(folder) ? [path] : []
        } catch {
          return []
        }
      })
    const world = new OpenWorld({ folder })
    world.user('ada')
    expect(openFiles()).not.toEqual([])
    world.close()
    expect(statSync(join(folder, 'world.db-wal')).size).toBe(0)
    for (let i = 0; i < 50 && openFiles().length > 0; i++) await gc?.({ type: 'major', execution: 'async' })
    expect(openFiles()).toEqual([])
    expect(readdirSync(folder)).toEqual(['world.db'])
  })

  // The same.
  it('cannot be used once it is closed', () => {
    const world = new OpenWorld()
    const ada = world.user('ada')
    world.close()
    expect(() => world.world.users.find(ada)).toThrow('The world is closed')
    // Nor does a change that comes late have the driver panic.
    expect(codeOf(() => world.do(({ users }) => users.setPassword(ada, 'x')))).toBe('UNAVAILABLE')
  })
})
