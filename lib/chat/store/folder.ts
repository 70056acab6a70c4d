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

interface Secrets {
  readonly jwt: readonly Key[]
  /** Null: there is none yet. */
  readonly links: string | null
  /** Of what needs one that nobody has chosen, by name. */
  readonly tokens: Readonly<Record<string, string>>
}

const makeSecret = (): string => randomBytes(32).toString('base64url')

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((one) => typeof one === 'string')

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
    const secrets = this.#read()
    const before = secrets.jwt.filter(({ until }) => until === null || until > now)
    const current = before.find(({ until }) => until === null)
    const secret = given ?? current?.secret ?? makeSecret()
    if (current?.secret === secret) return [current, ...before.filter((key) => key !== current)]
    const keys = [
      { kid: toKid(secret), secret, until: null },
      ...before.map((key) => ({ ...key, until: key.until ?? now + grace })).filter((key) => key.secret !== secret),
    ]
    this.#write({ ...secrets, jwt: keys })
    return keys
  }

  /** What signs links to files. */
  linkKey(): string {
    const secrets = this.#read()
    if (secrets.links !== null) return secrets.links
    const links = makeSecret()
    this.#write({ ...secrets, links })
    return links
  }

  /** The token that was made for something of that name, and whether it was made now. */
  tokenOf(name: string): { readonly token: string; readonly made: boolean } {
    const secrets = this.#read()
    const known = Object.hasOwn(secrets.tokens, name) ? secrets.tokens[name] : undefined
    if (known !== undefined) return { token: known, made: false }
    const token = makeSecret()
    this.#write({ ...secrets, tokens: { ...secrets.tokens, [name]: token } })
    return { token, made: true }
  }

  get #secrets(): string {
    return join(this.path, 'secrets.json')
  }

  #read(): Secrets {
    return existsSync(this.#secrets) ? readSecrets(this.#secrets) : { jwt: [], links: null, tokens: {} }
  }

  /** A new file first: who ends in between leaves the old one whole. */
  #write(secrets: Secrets): void {
    writeFileSync(`${this.#secrets}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 })
    renameSync(`${this.#secrets}.new`, this.#secrets)
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

function readSecrets(file: string): Secrets {
  const content = parse(readFileSync(file, 'utf8'))
  const { jwt = null, links = null, tokens = {} } = isObject(content) ? content : {}
  const isGood = Array.isArray(jwt) && jwt.every(isKey) && (links === null || typeof links === 'string')
  if (isGood && isTexts(tokens)) return { jwt, links, tokens }
  throw new Error(`${file} is not as it was written: mend it, or remove it, which ends all sessions`)
}
