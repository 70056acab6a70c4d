import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { LRUCache } from 'lru-cache'
import type { Bot } from '../chat/bots.ts'
import type { Key } from '../chat/store/folder.ts'
import type { User } from '../chat/users.ts'
import type { World } from '../chat/world.ts'

/** Who asks: found out of a token, never of what they say. */
export interface Caller {
  readonly user: User
  /** Of a person. */
  readonly session: string | null
  readonly bot: Bot | null
  /** With a bot's own token, which does not end by itself. */
  readonly lasting: boolean
  /** Milliseconds since 1970; Infinity: the token does not end. */
  readonly expires: number
}

/** Whom a token stands for, and until when that is sure unless something about them changes. */
interface Known {
  readonly caller: Caller
  readonly until: number
}

/** Tokens whose callers are remembered. */
const MOST_KNOWN = 20_000

/** No token of ours is as long. */
const LONGEST = 2048

/** What is kept of a token. A hash of 32 random bytes needs no salt. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

export const makeRefreshToken = (): string => `rt_${randomBytes(32).toString('base64url')}`
export const makeBotToken = (): string => randomBytes(32).toString('hex')

/** The claims of an access token. */
interface Claims {
  readonly sub: string
  readonly token_type: 'access'
  readonly exp: number
  readonly sid?: string
  readonly bot?: true
  readonly bid?: string
  readonly tg?: number
}

function isClaims(value: unknown): value is Claims {
  if (typeof value !== 'object' || value === null) return false
  const has = (name: string, type: string): boolean => typeof Reflect.get(value, name) === type
  if (!has('sub', 'string') || !has('exp', 'number') || Reflect.get(value, 'token_type') !== 'access') return false
  return has('sid', 'string') || (Reflect.get(value, 'bot') === true && has('bid', 'string') && has('tg', 'number'))
}

/** Signs access tokens, and finds out whom a token stands for. All of it is synchronous: nothing comes between. */
export class Tokens {
  readonly #world: World
  readonly #lifetime: number
  readonly #sign: (claims: Record<string, unknown>) => string
  readonly #keys: ReadonlyMap<string, { readonly verify: (token: string) => unknown; readonly until: number }>

  /** Who has been found out, by the hash of their token, until something about them changes. */
  readonly #known = new LRUCache<string, Known>({
    max: MOST_KNOWN,
    dispose: ({ caller }, hash) => this.#drop(caller, hash),
  })
  /** Those of them: nothing about them has changed. */
  readonly #unchanged = new WeakSet<Caller>()
  /** Those of each user. */
  readonly #hashes = new Map<string, Set<string>>()

  /** @param lifetime milliseconds */
  constructor(world: World, keys: readonly Key[], lifetime: number) {
    this.#world = world
    world.events.on((event) => {
      if (event.type === 'session.ended' || event.type === 'bot.ended' || event.type === 'user.changed') {
        this.#forget(event.userId)
      }
    })
    this.#lifetime = lifetime
    const [current] = keys
    if (current === undefined) throw new Error('There is no key to sign tokens with')
    this.#sign = createSigner({ algorithm: 'HS256', key: current.secret, kid: current.kid })
    this.#keys = new Map(
      keys.map(({ kid, secret, until }) => {
        // The library allows for clocks that differ; ours is one.
        const verify = createVerifier({ key: secret, algorithms: ['HS256'], cache: false, ignoreExpiration: true })
        return [kid, { verify, until: until ?? Infinity }]
      }),
    )
  }

  /** Seconds for which an access token is good. */
  get lifetime(): number {
    return Math.floor(this.#lifetime / 1000)
  }

  /** An access token of a session. */
  forSession(user: User, session: string): string {
    return this.#make(user, { sid: session })
  }

  /** An access token of a bot. */
  forBot(user: User, bot: Bot): string {
    return this.#make(user, { bot: true, bid: bot.id, tg: bot.token_gen })
  }

  #make(user: User, rest: Record<string, unknown>): string {
    const iat = Math.floor(this.#world.now() / 1000)
    const { id, username } = user
    const claims = { sub: id, username, token_type: 'access', iat, exp: iat + this.lifetime, jti: randomUUID() }
    return this.#sign({ ...claims, ...rest })
  }

  /** Whom an access token stands for; null for one that is not good, for whatever reason. */
  verify(token: string): Caller | null {
    return this.#remember('access', token, () => this.#verify(token))
  }

  /** Whom a bot's own token stands for; found by its hash, so that how long it takes tells nothing. */
  verifyBot(token: string): Caller | null {
    return this.#remember('bot', token, (hash) => this.#verifyBot(hash))
  }

  /** `kind`: what is good as one kind of token is not as another. */
  #remember(kind: 'access' | 'bot', token: string, find: (hash: string) => Known | null): Caller | null {
    if (token.length > LONGEST) return null
    const hash = hashToken(token)
    const key = `${kind} ${hash}`
    const before = this.#known.get(key)
    if (before !== undefined && before.until > this.#world.now()) return before.caller
    const known = find(hash)
    if (known === null) return null
    const { id } = known.caller.user
    this.#known.set(key, known)
    this.#unchanged.add(known.caller)
    this.#hashes.set(id, (this.#hashes.get(id) ?? new Set()).add(key))
    return known.caller
  }

  /** Nothing is kept of a user of whom no token is remembered. */
  #drop(caller: Caller, hash: string): void {
    const { id } = caller.user
    const hashes = this.#hashes.get(id)
    this.#unchanged.delete(caller)
    if (hashes?.delete(hash) && hashes.size === 0) this.#hashes.delete(id)
  }

  #forget(user: string): void {
    const hashes = this.#hashes.get(user)
    this.#hashes.delete(user)
    for (const hash of hashes ?? []) this.#known.delete(hash)
  }

  #verify(token: string): Known | null {
    const key = this.#keys.get(readKid(token) ?? '')
    const now = this.#world.now()
    const claims = key === undefined || now >= key.until ? null : read(token, key.verify)
    if (key === undefined || claims === null || now >= claims.exp * 1000) return null
    const user = this.#world.users.find(claims.sub)
    if (user === null || user.disabled === 1) return null
    const expires = claims.exp * 1000
    const known = { user, session: null, bot: null, lasting: false, expires }
    if (claims.sid !== undefined) {
      const { sessions } = this.#world
      if (!sessions.isLive(claims.sid, user.id)) return null
      // It may end before the token does, unless it is renewed.
      const until = Math.min(expires, key.until, sessions.endOf(claims.sid))
      return { caller: { ...known, session: claims.sid }, until }
    }
    const bot = this.#world.bots.findLive(claims.bid ?? '')
    const good = bot !== null && bot.user_id === user.id && bot.token_gen === claims.tg
    return good ? { caller: { ...known, bot }, until: Math.min(expires, key.until) } : null
  }

  #verifyBot(hash: string): Known | null {
    const bot = this.#world.bots.findByToken(hash)
    const user = bot === null ? null : this.#world.users.find(bot.user_id)
    if (user === null || user.disabled === 1) return null
    return { caller: { user, session: null, bot, lasting: true, expires: Infinity }, until: Infinity }
  }

  /** Whether somebody may still do what they could when they came. */
  isLive(caller: Caller): boolean {
    if (this.#unchanged.has(caller)) return true
    const { user, session, bot } = caller
    const now = this.#world.users.find(user.id)
    if (now === null || now.disabled === 1) return false
    if (session !== null) return this.#world.sessions.isLive(session, user.id)
    return bot !== null && this.#world.bots.findLive(bot.id)?.token_gen === bot.token_gen
  }
}

/** The claims of a token, where it is signed as it should be. */
function read(token: string, verify: (token: string) => unknown): Claims | null {
  try {
    const claims = verify(token)
    return isClaims(claims) ? claims : null
  } catch {
    return null
  }
}

/** Which key a token says that it was signed with. */
function readKid(token: string): string | null {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    return typeof header === 'object' && header !== null && 'kid' in header && typeof header.kid === 'string'
      ? header.kid
      : null
  } catch {
    return null
  }
}
