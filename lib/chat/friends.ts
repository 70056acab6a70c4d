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
  readonly #insert

  constructor(core: Core, users: Users, requests: Requests) {
    this.#core = core
    this.#users = users
    this.#requests = requests
    const { db } = core
    this.#pair = db.first((q, p: Param<{ lo: string; hi: string }>) =>
      q.selectFrom('friends').select('source').where('user_lo', '=', p('lo')).where('user_hi', '=', p('hi')),
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

  // Changes

  add(one: string, other: string, source: 'dm' | 'request'): void {
    const [lo, hi] = one < other ? [one, other] : [other, one]
    this.#insert({ lo, hi, source, at: toTime(this.#core.now()) })
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
