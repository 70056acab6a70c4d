import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import { sqliteCode } from './store/sqlite.ts'
import type { Flag } from './store/flag.ts'

/** Somebody in the world: a person, or a bot. */
export interface User {
  readonly num: number
  readonly id: string
  readonly username: string
  readonly email: string | null
  readonly avatar_url: string | null
  /** Where that is an image that was given here. */
  readonly avatar_file: string | null
  readonly bio: string | null
  readonly pronouns: string | null
  /** What they want to be, wherever they are; null: what they are. */
  readonly status_sticky: 'dnd' | 'offline' | null
  readonly custom_status: string | null
  readonly activity: string | null
  readonly is_admin: Flag
  readonly is_bot: Flag
  readonly disabled: Flag
  readonly created_at: string
}

export const USER_COLUMNS = [
  'num',
  'id',
  'username',
  'email',
  'avatar_url',
  'avatar_file',
  'bio',
  'pronouns',
  'status_sticky',
  'custom_status',
  'activity',
  'is_admin',
  'is_bot',
  'disabled',
  'created_at',
] as const

/** What is needed of a new one. */
export interface NewUser {
  readonly username: string
  readonly email: string | null
  /** Null: nobody logs in as it. */
  readonly passwordHash: string | null
  readonly bot: boolean
  /** Its number, where it has to be this one. */
  readonly num?: number
}

/** What can be changed; what is left out stays. */
export type Profile = Partial<
  Pick<User, 'avatar_url' | 'avatar_file' | 'bio' | 'pronouns' | 'status_sticky' | 'custom_status' | 'activity'>
>

/** Users who are remembered. */
const MOST_RECENT = 20_000

export class Users {
  readonly #core: Core
  /** Those who were looked for lately, as they are stored: whatever concerns somebody asks for them. */
  readonly #recent = new LRUCache<string, User>({ max: MOST_RECENT })
  readonly #byId
  readonly #byNum
  readonly #byName
  readonly #credential
  readonly #people
  readonly #some
  readonly #members
  readonly #insert
  readonly #update
  readonly #rename
  readonly #setPassword
  readonly #disable

  constructor(core: Core) {
    this.#core = core
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('users').select(USER_COLUMNS).where('id', '=', p('id')),
    )
    this.#byNum = db.first((q, p: Param<{ num: number }>) =>
      q.selectFrom('users').select(USER_COLUMNS).where('num', '=', p('num')),
    )
    this.#byName = db.first((q, p: Param<{ name: string }>) =>
      q.selectFrom('users').select(USER_COLUMNS).where('username_lc', '=', p('name')),
    )
    this.#credential = db.first((q, p: Param<{ name: string }>) =>
      q.selectFrom('users').select(['id', 'password_hash']).where('username_lc', '=', p('name')),
    )
    this.#some = db.all((q, p: Param<{ ids: string }>) =>
      q
        .selectFrom(sql<{ value: string }>`json_each(${p('ids')})`.as('who'))
        .innerJoin('users', 'users.id', 'who.value')
        .select(USER_COLUMNS.map((name) => `users.${name}` as const)),
    )
    // A list of any length is one value; PostgreSQL has json_array_elements_text for it.
    this.#members = db.all((q, p: Param<{ names: string; server: string }>) =>
      q
        .selectFrom(sql<{ key: number; value: string }>`json_each(${p('names')})`.as('name'))
        .innerJoin('users as u', 'u.username_lc', 'name.value')
        .innerJoin('server_members as m', (join) =>
          join.onRef('m.user_id', '=', 'u.id').on('m.server_id', '=', p('server')),
        )
        .select('u.id')
        .orderBy('name.key'),
    )
    this.#people = db.first((q) => q.selectFrom('users').select('id').where('is_bot', '=', 0).limit(1))
    this.#insert = db.run(
      (
        q,
        p: Param<{
          num: number
          id: string
          username: string
          username_lc: string
          email: string | null
          email_lc: string | null
          password_hash: string | null
          is_admin: Flag
          is_bot: Flag
          at: string
        }>,
      ) =>
        q.insertInto('users').values({
          num: p('num'),
          id: p('id'),
          username: p('username'),
          username_lc: p('username_lc'),
          email: p('email'),
          email_lc: p('email_lc'),
          password_hash: p('password_hash'),
          is_admin: p('is_admin'),
          is_bot: p('is_bot'),
          disabled: 0,
          created_at: p('at'),
          updated_at: p('at'),
        }),
    )
    this.#update = db.run(
      (
        q,
        p: Param<{
          id: string
          avatar_url: string | null
          avatar_file: string | null
          bio: string | null
          pronouns: string | null
          status_sticky: 'dnd' | 'offline' | null
          custom_status: string | null
          activity: string | null
          at: string
        }>,
      ) =>
        q
          .updateTable('users')
          .set({
            avatar_url: p('avatar_url'),
            avatar_file: p('avatar_file'),
            bio: p('bio'),
            pronouns: p('pronouns'),
            status_sticky: p('status_sticky'),
            custom_status: p('custom_status'),
            activity: p('activity'),
            updated_at: p('at'),
          })
          .where('id', '=', p('id')),
    )
    this.#rename = db.run((q, p: Param<{ id: string; username: string; lower: string; at: string }>) =>
      q
        .updateTable('users')
        .set({ username: p('username'), username_lc: p('lower'), updated_at: p('at') })
        .where('id', '=', p('id')),
    )
    this.#setPassword = db.run((q, p: Param<{ id: string; hash: string }>) =>
      q
        .updateTable('users')
        .set({ password_hash: p('hash') })
        .where('id', '=', p('id')),
    )
    this.#disable = db.run((q, p: Param<{ id: string; at: string }>) =>
      q
        .updateTable('users')
        .set({ disabled: 1, disabled_at: p('at') })
        .where('id', '=', p('id')),
    )
  }

  find(id: string): User | null {
    // What a change writes may be undone.
    if (this.#core.db.inTransaction) return this.#byId({ id }) ?? null
    const recent = this.#recent.get(id)
    if (recent !== undefined) return recent
    const user = this.#byId({ id })
    if (user !== undefined) this.#recent.set(id, user)
    return user ?? null
  }

  byNum(num: number): User | null {
    return this.#byNum({ num }) ?? null
  }

  /** In any case. */
  findByName(username: string): User | null {
    return this.#byName({ name: username.toLowerCase() }) ?? null
  }

  /** What a login is compared with. */
  credentialOf(username: string): { readonly id: string; readonly password_hash: string | null } | null {
    return this.#credential({ name: username.toLowerCase() }) ?? null
  }

  /** By their ids. */
  findAll(ids: readonly string[]): Map<string, User> {
    if (ids.length === 0) return new Map()
    return new Map(this.#some({ ids: JSON.stringify(ids) }).map((user) => [user.id, user]))
  }

  /** Those of these names, in lower case, that are members of a server; in the order of the names. */
  findMembers(names: readonly string[], server: string): string[] {
    return this.#members({ names: JSON.stringify(names), server }).map(({ id }) => id)
  }

  /** Whether anybody has an account. */
  any(): boolean {
    return this.#people({}) !== undefined
  }

  // Changes

  /** CONFLICT where name or address is taken. The first person is the instance's admin. */
  create({ username, email, passwordHash, bot, num }: NewUser): User {
    const { ids } = this.#core
    const first = !bot && !this.any()
    const id = ids.next()
    const free = num ?? this.#takeNumber()
    try {
      this.#insert({
        num: free,
        id,
        username,
        username_lc: username.toLowerCase(),
        email,
        email_lc: email?.toLowerCase() ?? null,
        password_hash: passwordHash,
        is_admin: first ? 1 : 0,
        is_bot: bot ? 1 : 0,
        at: createdAt(id),
      })
    } catch (error) {
      if (sqliteCode(error) === 'SQLITE_CONSTRAINT_PRIMARYKEY')
        throw new Refusal('CONFLICT', `The number ${free} is taken`)
      if (sqliteCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new Refusal('CONFLICT', 'User name or e-mail address is taken')
    }
    return this.#known(id)
  }

  /** Some were chosen: they are left out. */
  #takeNumber(): number {
    for (;;) {
      const num = this.#core.numbers.take('user')
      if (this.byNum(num) === null) return num
    }
  }

  change(id: string, profile: Profile): User {
    const before = this.#known(id)
    const { avatar_url, bio, pronouns, status_sticky, custom_status, activity } = { ...before, ...profile }
    // With another address the image that was given is of no use.
    const avatar_file = profile.avatar_file ?? (avatar_url === before.avatar_url ? before.avatar_file : null)
    const at = toTime(this.#core.now())
    this.#update({ id, avatar_url, avatar_file, bio, pronouns, status_sticky, custom_status, activity, at })
    this.#recent.delete(id)
    this.#core.changes.emit({ type: 'user.changed', userId: id })
    return this.#known(id)
  }

  /** CONFLICT where the name is taken. */
  rename(id: string, username: string): void {
    try {
      this.#rename({ id, username, lower: username.toLowerCase(), at: toTime(this.#core.now()) })
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new Refusal('CONFLICT', 'This name is taken')
    }
    this.#recent.delete(id)
    this.#core.changes.emit({ type: 'user.changed', userId: id })
  }

  setPassword(id: string, hash: string): void {
    this.#setPassword({ id, hash })
  }

  disable(id: string): void {
    this.#disable({ id, at: toTime(this.#core.now()) })
    this.#recent.delete(id)
    this.#core.changes.emit({ type: 'user.changed', userId: id })
  }

  #known(id: string): User {
    const user = this.find(id)
    if (user === null) throw new Refusal('NOT_FOUND', 'Not found')
    return user
  }
}
