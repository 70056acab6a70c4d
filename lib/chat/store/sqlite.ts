import libsql from 'libsql'

/*
 * The database driver as it is at run time, as far as it is used here; its own types say less.
 *
 * Measured of libsql 0.5: a statement that was read with `all` returns the row of before when it is read with `get` next, and
 * rows of `get` have a field of its own: only `all` is used. `undefined` is bound as NULL, and a boolean ends the process: what
 * is bound is looked at before. A connection stays open for as long as one of its statements can be reached.
 */

/** What can be bound, and what comes back. */
export type Value = string | number | null

export interface Statement<R> {
  run(values: readonly Value[]): { readonly changes: number }
  all(values: readonly Value[]): R[]
}

export interface Sqlite {
  readonly inTransaction: boolean
  prepare<R>(sql: string): Statement<R>
  exec(sql: string): void
  close(): void
}

type SqliteConstructor = new (path: string, options: { readonly timeout: number }) => Sqlite

const isConstructor = (value: unknown): value is SqliteConstructor => typeof value === 'function'

/** Opens a database file; `timeout`: milliseconds to wait for others who write to it. Throws what the system says. */
export function openSqlite(path: string, timeout = 0): Sqlite {
  const loaded: unknown = libsql
  if (!isConstructor(loaded)) throw new Error('The installed libsql is not one that fiberws knows')
  return new loaded(path, { timeout })
}

/** The code of an error of SQLite, such as SQLITE_CONSTRAINT_UNIQUE; '' for any other. */
export const sqliteCode = (error: unknown): string =>
  error instanceof Error && error.name === 'SqliteError' && 'code' in error ? String(error.code) : ''
