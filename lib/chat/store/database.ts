import {
  type Compilable,
  DummyDriver,
  Kysely,
  type RawBuilder,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { openSqlite, type Sqlite, type Statement, type Value } from './sqlite.ts'
import type { Tables } from './tables.ts'

/** Where a value of a call goes in a statement. */
class Slot {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

type Values = Readonly<Record<string, Value>>
/** Names a value that each call gives. */
export type Param<P> = <K extends keyof P & string>(name: K) => RawBuilder<P[K]>
type Build<P, R> = (query: Kysely<Tables>, param: Param<P>) => Compilable<R>

/** Of whatever type its statement says. */
const toSlot = <T>(name: string): RawBuilder<T> => sql`${new Slot(name)}`

/** Writes SQL, and checks its types; nothing is run by it. */
const builder = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** A statement that changes nothing. */
const READS = /^\s*select\b/i

/** What cannot be bound would end the process. */
function toValue(given: unknown, name: string): Value {
  if (typeof given === 'string' || given === null || (typeof given === 'number' && Number.isFinite(given))) return given
  throw new TypeError(`${name} cannot be stored: ${typeof given}`)
}

/** A statement that can be run. */
interface Ready<P, R> {
  readonly statement: Statement<R>
  readonly bind: (values: P) => Value[]
  readonly writes: boolean
}

/** A statement, from its first use until its database is closed: what is never asked is never prepared. */
class Prepared<P, R> {
  #make: (() => Ready<P, R>) | null
  #ready: Ready<P, R> | null = null

  constructor(make: () => Ready<P, R>) {
    this.#make = make
  }

  get ready(): Ready<P, R> {
    if (this.#ready !== null) return this.#ready
    if (this.#make === null) throw new Error('The world is closed')
    return (this.#ready = this.#make())
  }

  close(): void {
    this.#ready = null
    this.#make = null
  }
}

/**
 * The world's database: statements are built with types, prepared once, when they are used first, and run synchronously. A statement is a function of
 * its values.
 */
export class Database {
  readonly #sqlite: Sqlite
  #closed = false
  readonly #statements: { close(): void }[] = []
  /** Statements that have changed something, those included that were undone. */
  written = 0

  /** @param full a commit is on the disk when it is over: nothing that was answered is lost when power is */
  constructor(path: string, full: boolean) {
    // Nothing else is done meanwhile: nobody but a person with a tool writes to it beside us.
    this.#sqlite = openSqlite(path, 1000)
    this.exec('PRAGMA journal_mode = WAL')
    this.exec(`PRAGMA synchronous = ${full ? 'FULL' : 'NORMAL'}`)
    this.exec('PRAGMA foreign_keys = ON')
    // Of KiB; a page that is read often is not read from the file each time.
    this.exec('PRAGMA cache_size = -16384')
    this.exec('PRAGMA temp_store = MEMORY')
  }

  exec(text: string): void {
    // The driver would panic.
    if (this.#closed) throw new Error('The world is closed')
    this.#sqlite.exec(text)
  }

  get inTransaction(): boolean {
    return !this.#closed && this.#sqlite.inTransaction
  }

  /**
   * Nothing can be asked or changed any more. The driver closes its files when nobody can reach their statements: here, when the
   * collector comes by.
   */
  close(): void {
    for (const slot of this.#statements) slot.close()
    this.#statements.length = 0
    try {
      // All of it in one file: what can be copied.
      this.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.#closed = true
      this.#sqlite.close()
    }
  }

  /** Its first row. */
  first<P extends Values, R>(build: Build<P, R>): (values: P) => R | undefined {
    const rows = this.all(build)
    // With `get` of the driver a row has a field that nobody has asked for.
    return (values) => rows(values)[0]
  }

  /** Its rows. */
  all<P extends Values, R>(build: Build<P, R>): (values: P) => R[] {
    const prepared = this.#prepare(build)
    return (values) => {
      const { statement, bind, writes } = prepared.ready
      const rows = statement.all(bind(values))
      if (writes && rows.length > 0) this.written++
      return rows
    }
  }

  /** How many rows it has changed. */
  run<P extends Values>(build: Build<P, unknown>): (values: P) => number {
    const prepared = this.#prepare(build)
    return (values) => {
      const { statement, bind } = prepared.ready
      const { changes } = statement.run(bind(values))
      if (changes > 0) this.written++
      return changes
    }
  }

  /** Text that has no values, and does not fail: a statement that did is not let go of. */
  command(text: string): () => void {
    const prepared = this.#keep(
      new Prepared(() => ({ statement: this.#sqlite.prepare(text), bind: () => [], writes: false })),
    )
    return () => void prepared.ready.statement.run([])
  }

  /** A number that SQLite tells of itself. */
  pragma(name: string): unknown {
    const [row] = this.#sqlite.prepare<Record<string, unknown>>(`PRAGMA ${name}`).all([])
    return row?.[name]
  }

  #prepare<P extends Values, R>(build: Build<P, R>): Prepared<P, R> {
    return this.#keep(
      new Prepared(() => {
        const { sql: text, parameters } = build(builder, toSlot).compile()
        const bind = (values: P): Value[] =>
          parameters.map((given) =>
            given instanceof Slot ? toValue(values[given.name], given.name) : toValue(given, 'A constant'),
          )
        return { statement: this.#sqlite.prepare<R>(text), bind, writes: !READS.test(text) }
      }),
    )
  }

  #keep<T extends { close(): void }>(prepared: T): T {
    this.#statements.push(prepared)
    return prepared
  }
}
