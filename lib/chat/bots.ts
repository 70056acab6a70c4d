import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_BOTS } from './limits.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Users } from './users.ts'

/** An account that a program uses. */
export interface Bot {
  readonly id: string
  readonly user_id: string
  readonly name: string
  readonly description: string | null
  readonly created_by: string | null
  readonly revoked_at: string | null
  readonly created_at: string
  /** Which of its tokens count: a newer one ends all before. */
  readonly token_gen: number
}

const COLUMNS = ['id', 'user_id', 'name', 'description', 'created_by', 'revoked_at', 'created_at', 'token_gen'] as const

export class Bots {
  readonly #core: Core
  readonly #users: Users
  readonly #byId
  readonly #byToken
  readonly #byHandle
  readonly #ofCreator
  readonly #insert
  readonly #update
  readonly #setToken
  readonly #revoke

  constructor(core: Core, users: Users) {
    this.#core = core
    this.#users = users
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('bots').select(COLUMNS).where('id', '=', p('id')),
    )
    this.#byToken = db.first((q, p: Param<{ hash: string }>) =>
      q.selectFrom('bots').select(COLUMNS).where('token_hash', '=', p('hash')).where('revoked_at', 'is', null),
    )
    this.#byHandle = db.first((q, p: Param<{ handle: string }>) =>
      q.selectFrom('bots').select(COLUMNS).where('handle', '=', p('handle')),
    )
    this.#ofCreator = db.all((q, p: Param<{ user: string }>) =>
      q.selectFrom('bots').select(COLUMNS).where('created_by', '=', p('user')).orderBy('id'),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          user: string
          name: string
          description: string | null
          hash: string
          creator: string | null
          handle: string | null
          at: string
        }>,
      ) =>
        q.insertInto('bots').values({
          id: p('id'),
          user_id: p('user'),
          name: p('name'),
          description: p('description'),
          token_hash: p('hash'),
          token_gen: 1,
          created_by: p('creator'),
          handle: p('handle'),
          created_at: p('at'),
        }),
    )
    this.#update = db.run((q, p: Param<{ id: string; name: string; description: string | null }>) =>
      q
        .updateTable('bots')
        .set({ name: p('name'), description: p('description') })
        .where('id', '=', p('id')),
    )
    this.#setToken = db.run((q, p: Param<{ id: string; hash: string }>) =>
      q
        .updateTable('bots')
        .set((eb) => ({ token_hash: p('hash'), token_gen: eb('token_gen', '+', 1) }))
        .where('id', '=', p('id')),
    )
    this.#revoke = db.run((q, p: Param<{ id: string; at: string }>) =>
      q
        .updateTable('bots')
        .set((eb) => ({ revoked_at: p('at'), token_gen: eb('token_gen', '+', 1) }))
        .where('id', '=', p('id')),
    )
  }

  /** One that has not been revoked. */
  findLive(id: string): Bot | null {
    const bot = this.#byId({ id })
    return bot === undefined || bot.revoked_at !== null ? null : bot
  }

  findByToken(tokenHash: string): Bot | null {
    return this.#byToken({ hash: tokenHash }) ?? null
  }

  /** Those that somebody has made, revoked ones with them. */
  madeBy(user: string): Bot[] {
    return this.#ofCreator({ user })
  }

  /** One's own; else NOT_FOUND. */
  get(creator: string, id: string): Bot {
    const bot = this.#byId({ id })
    if (bot === undefined || bot.created_by !== creator) throw notFound()
    return bot
  }

  // Changes

  /** LIMIT for one too many. */
  create(creator: string, name: string, description: string | null, tokenHash: string): Bot {
    const { ids } = this.#core
    const own = this.madeBy(creator).filter(({ revoked_at }) => revoked_at === null)
    if (own.length >= MAX_BOTS) throw new Refusal('LIMIT', `You can have ${MAX_BOTS} bots`)
    const id = ids.next()
    let username = toUsername(name, id)
    // With 10,000 bots of the same name one in a hundred times two have the same digits.
    while (this.#users.findByName(username) !== null) username = toUsername(name, ids.next())
    this.#add({ id, username, name, description, hash: tokenHash, creator, handle: null })
    return this.get(creator, id)
  }

  /** The bot that a config names, made where there is none: nobody's, and nobody logs in as it. `num`: its number then. */
  ensure(handle: string, num?: number): Bot {
    const known = this.#byHandle({ handle })
    if (known !== undefined) return known
    const id = this.#core.ids.next()
    const free = CALLABLE.test(handle) && this.#users.findByName(handle) === null
    const username = free ? handle : toUsername(handle, id)
    this.#add({ id, username, name: handle, description: null, hash: `config:${id}`, creator: null, handle }, num)
    const made = this.#byHandle({ handle })
    if (made === undefined) throw new Error('The bot was not made')
    return made
  }

  #add(
    bot: {
      readonly id: string
      readonly username: string
      readonly name: string
      readonly description: string | null
      readonly hash: string
      readonly creator: string | null
      readonly handle: string | null
    },
    num?: number,
  ): void {
    const { id, username, name, description, hash, creator, handle } = bot
    const user = this.#users.create({
      username,
      email: null,
      passwordHash: null,
      bot: true,
      ...(num === undefined ? {} : { num }),
    })
    this.#insert({ id, user: user.id, name, description, hash, creator, handle, at: createdAt(id) })
  }

  change(creator: string, id: string, next: { readonly name?: string; readonly description?: string | null }): Bot {
    const { name, description } = { ...this.#usable(creator, id), ...next }
    this.#update({ id, name, description })
    return this.get(creator, id)
  }

  /** What a bot is called from now on. INVALID for a name that nobody could say with @. */
  rename(user: string, username: string): void {
    if (!CALLABLE.test(username)) throw new Refusal('INVALID', 'A name has 2 to 32 letters, digits and . _ -')
    this.#users.rename(user, username)
  }

  /** Another token in the place of the one there is. */
  setToken(creator: string, id: string, tokenHash: string): Bot {
    const { user_id } = this.#usable(creator, id)
    this.#setToken({ id, hash: tokenHash })
    this.#core.changes.emit({ type: 'bot.ended', botId: id, userId: user_id })
    return this.get(creator, id)
  }

  /** For good. NOT_FOUND the second time. */
  revoke(creator: string, id: string): void {
    const bot = this.get(creator, id)
    if (bot.revoked_at !== null) throw notFound()
    this.#revoke({ id, at: toTime(this.#core.now()) })
    this.#core.changes.emit({ type: 'bot.ended', botId: id, userId: bot.user_id })
  }

  #usable(creator: string, id: string): Bot {
    const bot = this.get(creator, id)
    if (bot.revoked_at !== null) throw new Refusal('INVALID', 'This bot is revoked')
    return bot
  }
}

/** A name that is found again in `@name`. */
const CALLABLE = /^\w[\w.-]{0,30}\w$/

/** `<slug>-bot-<8 hex>`: the last digits of the id are random. */
function toUsername(name: string, id: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32)
  return `${slug || 'a'}-bot-${id.slice(-8)}`
}
