import type { Core } from './core.ts'
import type { EventTable } from './events.ts'
import type { User, Users } from './users.ts'

/** What a connection says of whoever uses it. */
export type Declared = 'online' | 'away'
export type Status = Declared | 'dnd' | 'offline'

/** How somebody appears. */
export interface Appearance {
  readonly status: Status
  readonly custom_status: string | null
  readonly activity: string | null
}

/** Told when what somebody sees of a user has changed; null: nothing has. */
export interface PresenceChange {
  readonly userId: string
  /** What others see. */
  readonly seen: Appearance | null
  /** What the user sees of themselves. */
  readonly own: Appearance | null
}

/** What keeps somebody present: a connection, or anything else that lasts. */
export interface Link {
  declare(status: Declared): void
  /** Ends it; again has no effect. */
  detach(): void
}

const INVISIBLE: Appearance = { status: 'offline', custom_status: null, activity: null }

const isSame = (one: Appearance, other: Appearance): boolean =>
  one.status === other.status && one.custom_status === other.custom_status && one.activity === other.activity

interface Present {
  /** What each link declares. */
  readonly links: Map<Link, Declared>
  /** As was told last. */
  seen: Appearance
  own: Appearance
}

/** Who is there. Nothing of it is stored but what people want to be: after a crash nobody is. */
export class Presence {
  readonly #core: Core
  readonly #users: Users
  readonly #present = new Map<string, Present>()

  constructor(core: Core, users: Users) {
    this.#core = core
    this.#users = users
  }

  /** What somebody is, by what is stored of them and who is there. */
  own(user: Pick<User, 'id' | 'status_sticky' | 'custom_status' | 'activity'>): Appearance {
    const links = this.#present.get(user.id)?.links
    const { custom_status, activity } = user
    return { status: statusOf(links, user.status_sticky), custom_status, activity }
  }

  /** What others see. */
  seen(user: Pick<User, 'id' | 'status_sticky' | 'custom_status' | 'activity'>): Appearance {
    const own = this.own(user)
    return own.status === 'offline' ? INVISIBLE : own
  }

  // What is stored of somebody has changed.
  readonly events: EventTable = { 'user.changed': ({ userId }) => this.refresh(userId) }

  isPresent(user: string): boolean {
    return this.#present.has(user)
  }

  /** Somebody is there, until the link is detached. Others hear of it with the next `refresh`. */
  attach(userId: string): Link {
    const known = this.#present.get(userId)
    const present = known ?? { links: new Map<Link, Declared>(), ...this.#look(userId) }
    const link: Link = {
      declare: (status) => {
        if (present.links.has(link)) present.links.set(link, status)
        this.refresh(userId)
      },
      detach: () => {
        if (present.links.delete(link)) this.refresh(userId)
      },
    }
    present.links.set(link, 'online')
    this.#present.set(userId, present)
    // Who comes alone has nobody else of themselves to tell.
    if (known === undefined) present.own = this.#look(userId).own
    return link
  }

  /** All links of a user say the same. */
  declareAll(userId: string, status: Declared): void {
    const links = this.#present.get(userId)?.links
    for (const link of links?.keys() ?? []) links?.set(link, status)
  }

  /** Looks whether somebody appears as they did, and tells. */
  refresh(userId: string): void {
    const present = this.#present.get(userId)
    if (present === undefined) return
    const { seen, own } = this.#look(userId)
    const gone = present.links.size === 0
    if (gone) {
      this.#leave(userId)
      this.#core.events.tell({ type: 'presence.ended', userId })
    }
    const change = {
      userId,
      seen: isSame(seen, present.seen) ? null : seen,
      own: gone || isSame(own, present.own) ? null : own,
    }
    present.seen = seen
    present.own = own
    if (change.seen !== null || change.own !== null) this.#core.events.tell({ type: 'presence.changed', ...change })
  }

  /** What somebody did ends when they go; what they say of themselves stays. */
  #leave(userId: string): void {
    this.#present.delete(userId)
    // A user that is gone has none.
    if ((this.#users.find(userId)?.activity ?? null) === null) return
    this.#core.changes.submit(
      // They may be back.
      () => (this.isPresent(userId) ? null : this.#users.change(userId, { activity: null })),
      () => {},
    )
  }

  #look(userId: string): { seen: Appearance; own: Appearance } {
    const user = this.#users.find(userId)
    return user === null ? { seen: INVISIBLE, own: INVISIBLE } : { seen: this.seen(user), own: this.own(user) }
  }
}

function statusOf(links: ReadonlyMap<Link, Declared> | undefined, sticky: User['status_sticky']): Status {
  if (links === undefined || links.size === 0) return 'offline'
  if (sticky !== null) return sticky
  for (const declared of links.values()) if (declared === 'online') return 'online'
  return 'away'
}
