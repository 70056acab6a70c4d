import { createHash, randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openSqlite, type Sqlite, sqliteCode } from './sqlite.ts'

/*
 * Where the world is kept: world.db with what belongs to it, secrets.json with keys that were made for this folder, and lock,
 * which shows that a process uses it.
 */

/** What signs tokens. */
export interface Key {
  /** Its name, in each token: says nothing about the key. */
  readonly kid: string
  readonly secret: string
  /** Milliseconds since 1970 at which it ends; null: it is the one in use. */
  readonly until: number | null
}

const SECRET_BYTES = 32

const isKey = (value: unknown): value is Key =>
  typeof value === 'object' &&
  value !== null &&
  'kid' in value &&
  typeof value.kid === 'string' &&
  'secret' in value &&
  typeof value.secret === 'string' &&
  'until' in value &&
  (value.until === null || typeof value.until === 'number')

const toKid = (secret: string): string => createHash('sha256').update(`kid:${secret}`).digest('hex').slice(0, 16)

/**
 * Throws where a folder cannot be, or cannot be written to, as far as that can be said without making it. Returns those that
 * have to be made, the outermost first.
 */
export function checkFolder(path: string): readonly string[] {
  const missing: string[] = []
  try {
    let at = resolve(path)
    for (; !existsSync(at); at = dirname(at)) missing.unshift(at)
    if (!statSync(at).isDirectory()) throw new Error(`${at} is a file`)
    accessSync(at, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unusable(path, error)
  }
  return missing
}

const unusable = (path: string, cause: unknown): Error => {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Error(`${path} cannot be the data folder: ${why}: name another one with dataDir, or --data`, { cause })
}

export class Folder {
  readonly path: string
  readonly #lock: Sqlite

  /** Makes the folder where there is none. Throws where another process uses it, or it cannot be used. */
  constructor(path: string) {
    this.path = path
    const missing = checkFolder(path)
    try {
      // One at a time: for several at once node asks on and on where a system has none, such as below /proc.
      for (const one of missing) mkdirSync(one, 0o700)
      // One that was there keeps what others can read to itself from now on.
      chmodSync(path, 0o700)
    } catch (error) {
      throw unusable(path, error)
    }
    this.#lock = openSqlite(join(path, 'lock'))
    try {
      // The system lets go of it when the process ends, however it does.
      this.#lock.exec('PRAGMA locking_mode = EXCLUSIVE')
      this.#lock.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      this.#lock.close()
      const busy = `${path}: another process uses this data folder: stop it, or name another one with dataDir`
      const broken = `${join(path, 'lock')}: ${String(error)}: remove it`
      throw new Error(sqliteCode(error) === 'SQLITE_BUSY' ? busy : broken, { cause: error })
    }
  }

  get database(): string {
    return join(this.path, 'world.db')
  }

  /**
   * Keys that sign tokens: the one in use first. `given`: the one that a config names, else one is made and kept. One that is
   * replaced is good for another `grace` ms, so that tokens of before live on until they end.
   */
  keys(given: string | null, now: number, grace: number): readonly Key[] {
    const file = join(this.path, 'secrets.json')
    const before = existsSync(file) ? readKeys(file).filter(({ until }) => until === null || until > now) : []
    const current = before.find(({ until }) => until === null)
    const secret = given ?? current?.secret ?? randomBytes(SECRET_BYTES).toString('base64url')
    if (current?.secret === secret) return [current, ...before.filter((key) => key !== current)]
    const keys = [
      { kid: toKid(secret), secret, until: null },
      ...before.map((key) => ({ ...key, until: key.until ?? now + grace })).filter((key) => key.secret !== secret),
    ]
    // A new file first: who ends in between leaves the old one whole.
    writeFileSync(`${file}.new`, JSON.stringify({ jwt: keys }, null, 2), { mode: 0o600 })
    renameSync(`${file}.new`, file)
    return keys
  }

  close(): void {
    this.#lock.close()
  }
}

/** An error of JSON.parse would quote what it reads. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function readKeys(file: string): readonly Key[] {
  const content = parse(readFileSync(file, 'utf8'))
  const keys = typeof content === 'object' && content !== null && 'jwt' in content ? content.jwt : null
  if (Array.isArray(keys) && keys.every(isKey)) return keys
  throw new Error(`${file} is not as it was written: mend it, or remove it, which ends all sessions`)
}
