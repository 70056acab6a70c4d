import { Refusal } from '../chat/refusal.ts'
import type { User } from '../chat/users.ts'
import type { World } from '../chat/world.ts'
import type { Passwords } from './passwords.ts'
import { Throttle } from './throttle.ts'
import { type Caller, hashToken, makeBotToken, makeRefreshToken, type Tokens } from './tokens.ts'
import { toBot, toSelf } from './wire.ts'

/** Milliseconds for which a token that was used may come again without being taken for stolen: an answer may get lost. */
const GRACE = 5000

/** What a credential is refused with, whatever is wrong with it. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized'
}

/** Too many have failed: in how many seconds it may be tried again. */
export class TooSoon extends Error {
  override readonly name = 'TooSoon'
  readonly seconds: number

  constructor(seconds: number) {
    super('Too many failed logins')
    this.seconds = seconds
  }
}

/** Registers people, lets them in, and keeps them in. */
export class Accounts {
  readonly #world: World
  readonly #tokens: Tokens
  readonly #passwords: Passwords
  readonly #throttle: Throttle
  /** Milliseconds for which a login lasts without being used. */
  readonly #lifetime: number

  constructor(world: World, tokens: Tokens, passwords: Passwords, lifetime: number) {
    this.#world = world
    this.#tokens = tokens
    this.#passwords = passwords
    this.#lifetime = lifetime
    this.#throttle = new Throttle(world.now)
  }

  async register(username: string, password: string, email: string | null) {
    // Before the dear part: most names that are taken are known to be.
    if (this.#world.users.findByName(username) !== null) throw new Refusal('CONFLICT', 'User name is taken')
    const passwordHash = await this.#passwords.hash(password)
    return this.#begin(() => this.#world.users.create({ username, email, passwordHash, bot: false }))
  }

  /** One answer for an unknown name and a wrong password, in the same time. */
  async login(username: string, password: string, from: string) {
    const known = this.#world.users.credentialOf(username)
    const hash = known?.password_hash ?? null
    if (!(await this.#matches(username, password, hash, from)) || known === null || hash === null) {
      throw new Unauthorized('Wrong user name or password')
    }
    const better = this.#passwords.isOutdated(hash) ? await this.#passwords.hash(password) : null
    return this.#begin(() => {
      const user = this.#world.users.find(known.id)
      if (user === null) throw new Unauthorized('Wrong user name or password')
      if (user.disabled === 1) throw new Refusal('DISABLED', 'This account is disabled')
      if (better !== null) this.#world.users.setPassword(user.id, better)
      return user
    })
  }

  /** Whether a password is right. Who has failed too often waits, and is not even looked at meanwhile. */
  async #matches(username: string, password: string, hash: string | null, from: string): Promise<boolean> {
    this.#checkWait(username, from)
    this.#throttle.fail(username, from)
    if (await this.#passwords.matches(password, hash)) {
      this.#throttle.succeed(username, from)
      return true
    }
    // This one may be the one too many.
    this.#checkWait(username, from)
    return false
  }

  #checkWait(username: string, from: string): void {
    const seconds = this.#throttle.wait(username, from)
    if (seconds > 0) throw new TooSoon(seconds)
  }

  async #begin(find: () => User) {
    const refresh = makeRefreshToken()
    const { user, session } = await this.#world.changes.run(() => {
      const found = find()
      return { user: found, session: this.#world.sessions.begin(found.id, hashToken(refresh), this.#lifetime) }
    })
    return this.#toAuth(user, session, refresh)
  }

  #toAuth(user: User, session: string, refresh: string) {
    return {
      access_token: this.#tokens.forSession(user, session),
      refresh_token: refresh,
      user: toSelf(this.#world, user),
      expires_in: this.#tokens.lifetime,
    }
  }

  /** Each token once. One that comes back later was stolen from somebody: the session ends. */
  async refresh(token: string, from: string) {
    const { sessions, users, changes } = this.#world
    const next = makeRefreshToken()
    const [hash, nextHash] = [hashToken(token), hashToken(next)]
    const renewed = await changes.run(() => {
      const known = sessions.find(hash)
      const now = this.#world.now()
      if (known === null || known.revoked_at !== null || Date.parse(known.expires_at) <= now) return null
      const user = users.find(known.user_id)
      if (user === null || user.disabled === 1) return null
      if (sessions.renew(known.session_id, hash, nextHash, from, this.#lifetime)) {
        return { user, session: known.session_id }
      }
      const used = Date.parse(known.used_at ?? '')
      if (known.used_from !== from || !(now - used <= GRACE)) sessions.end(known.session_id, user.id, 'reuse')
      return null
    })
    if (renewed === null) throw new Unauthorized('Unauthorized')
    return this.#toAuth(renewed.user, renewed.session, next)
  }

  /** The session of a refresh token, or of who asks. */
  async logout(token: string | null, caller: Caller | null): Promise<void> {
    const { sessions, changes } = this.#world
    await changes.run(() => {
      if (token !== null) {
        const known = sessions.find(hashToken(token))
        if (known !== null) sessions.end(known.session_id, known.user_id, 'logout')
      } else if (caller !== null && caller.session !== null) sessions.end(caller.session, caller.user.id, 'logout')
    })
  }

  async logoutAll({ user }: Caller): Promise<void> {
    await this.#world.changes.run(() => this.#world.sessions.endAll(user.id, 'logout', null))
  }

  /** Other sessions end. */
  async changePassword({ user, session }: Caller, current: string, next: string, from: string): Promise<void> {
    const { users, sessions, changes } = this.#world
    const hash = users.credentialOf(user.username)?.password_hash ?? null
    if (!(await this.#matches(user.username, current, hash, from)))
      throw new Refusal('FORBIDDEN', 'Wrong current password')
    const better = await this.#passwords.hash(next)
    await changes.run(() => {
      users.setPassword(user.id, better)
      sessions.endAll(user.id, 'password', session)
    })
  }

  // Bots

  /** With its token, which is told this once. */
  async createBot({ user }: Caller, name: string, description: string | null) {
    const token = makeBotToken()
    const bot = await this.#world.changes.run(() =>
      this.#world.bots.create(user.id, name, description, hashToken(token)),
    )
    return { bot: toBot(bot), token }
  }

  async regenerateToken({ user }: Caller, id: string) {
    const token = makeBotToken()
    const bot = await this.#world.changes.run(() => this.#world.bots.setToken(user.id, id, hashToken(token)))
    return { bot: toBot(bot), token }
  }

  /** A token that ends soon, for one that does not. */
  connectBot({ user, bot, lasting }: Caller) {
    if (bot === null || !lasting) throw new Refusal('FORBIDDEN', 'This needs the token of a bot')
    return { access_token: this.#tokens.forBot(user, bot), expires_in: this.#tokens.lifetime }
  }
}
