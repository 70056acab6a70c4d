import type { Core } from './core.ts'
import { toTime } from './ids.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Request, Requests } from './requests.ts'
import type { Param } from './store/database.ts'
import type { Users } from './users.ts'

/** Two people who know each other: they have written to each other, or one has asked and the other agreed. */
export class Friends {
  readonly #core: Core
  readonly #users: Users
  readonly #requests: Requests
  readonly #pair
  readonly #ofUser
  readonly #insert
  readonly #delete

  constructor(core: Core, users: Users, requests: Requests) {
    this.#core = core
    this.#users = users
    this.#requests = requests
    const { db } = core
    this.#pair = db.first((q, p: Param<{ lo: string; hi: string }>) =>
      q.selectFrom('friends').select('source').where('user_lo', '=', p('lo')).where('user_hi', '=', p('hi')),
    )
    this.#ofUser = db.all((q, p: Param<{ user: string }>) =>
      q
        .selectFrom((eb) =>
          eb
            .selectFrom('friends')
            .select(['user_hi as id', 'created_at'])
            .where('user_lo', '=', p('user'))
            .unionAll(eb.selectFrom('friends').select(['user_lo as id', 'created_at']).where('user_hi', '=', p('user')))
            .as('own'),
        )
        .select('id')
        .orderBy('created_at')
        .orderBy('id'),
    )
    this.#delete = db.run((q, p: Param<{ lo: string; hi: string }>) =>
      q.deleteFrom('friends').where('user_lo', '=', p('lo')).where('user_hi', '=', p('hi')),
    )
    this.#insert = db.run((q, p: Param<{ lo: string; hi: string; source: 'dm' | 'request'; at: string }>) =>
      q
        .insertInto('friends')
        .values({ user_lo: p('lo'), user_hi: p('hi'), source: p('source'), created_at: p('at') })
        .onConflict((on) => on.doNothing()),
    )
  }

  are(one: string, other: string): boolean {
    const [lo, hi] = one < other ? [one, other] : [other, one]
    return this.#pair({ lo, hi }) !== undefined
  }

  /** What somebody was asked, or has asked, and nobody has decided; the newest first. */
  requests(user: string): Request[] {
    return this.#requests.ofUser(user, 'friend')
  }

  /** The ids of those who somebody knows, whom they have known longest first. */
  of(user: string): string[] {
    return this.#ofUser({ user }).map(({ id }) => id)
  }

  /** What somebody was asked, by the name that bots have for it: pending or not. */
  byFlag(user: string, flag: string): Request | null {
    const request = this.#requests.byFlag(flag)
    return request?.kind === 'friend' && request.to_user === user ? request : null
  }

  // Changes

  /** @param one who has asked, or written first */
  add(one: string, other: string, source: 'dm' | 'request'): void {
    const [lo, hi] = one < other ? [one, other] : [other, one]
    if (this.#insert({ lo, hi, source, at: toTime(this.#core.now()) }) === 0) return
    this.#core.changes.emit({ type: 'friend.added', userId: one, other })
  }

  /** They may still write to each other. NOT_FOUND where they are no friends. */
  remove(user: string, other: string): void {
    const [lo, hi] = user < other ? [user, other] : [other, user]
    if (this.#delete({ lo, hi }) === 0) throw notFound()
    this.#core.changes.emit({ type: 'friend.removed', userId: user, other })
  }

  ask(user: string, other: string, comment: string): Request {
    if (user === other) throw new Refusal('INVALID', 'You cannot ask yourself')
    if (this.#users.find(other)?.disabled !== 0) throw notFound()
    if (this.are(user, other)) throw new Refusal('CONFLICT', 'You are friends already')
    if (this.requests(user).some(({ from_user }) => from_user === other)) {
      throw new Refusal('CONFLICT', 'They have asked you: accept it')
    }
    return this.#requests.make({ kind: 'friend', from_user: user, to_user: other, server_id: null, comment })
  }

  accept(user: string, id: string): Request {
    const request = this.#toUser(user, id)
    this.add(request.from_user, user, 'request')
    return this.#requests.decide(request, 'approved', user, null)
  }

  reject(user: string, id: string, reason: string | null): Request {
    return this.#requests.decide(this.#toUser(user, id), 'rejected', user, reason)
  }

  #toUser(user: string, id: string): Request {
    const request = this.#requests.pending('friend', id)
    if (request.to_user !== user) throw notFound()
    return request
  }
}
