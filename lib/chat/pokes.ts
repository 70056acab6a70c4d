import { type Access, needs } from './access.ts'
import type { Core } from './core.ts'
import type { Directs } from './directs.ts'
import { SEND_MESSAGES } from './permissions.ts'
import { toTime } from './ids.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Users } from './users.ts'

/** Somebody has somebody else look up: nothing of it is kept. */
export class Pokes {
  readonly #core: Core
  readonly #access: Access
  readonly #users: Users
  readonly #directs: Directs

  constructor(core: Core, access: Access, users: Users, directs: Directs) {
    this.#core = core
    this.#access = access
    this.#users = users
    this.#directs = directs
  }

  /** In a channel that both see. */
  inChannel(user: string, channel: string, other: string): void {
    const { server_id } = needs(this.#access.channel(user, channel), SEND_MESSAGES)
    if (this.#access.see(other, channel) === null) throw notFound()
    this.#core.events.tell({ type: 'poke', from: user, to: other, channelId: channel, serverId: server_id })
  }

  /** Somebody writes to another, with whom they have a channel. */
  typeTo(user: string, other: string): void {
    const direct = this.#directs.between(user, other)
    const username = this.#users.find(user)?.username
    if (direct === null || username === undefined) throw notFound()
    const { events, now } = this.#core
    const at = toTime(now())
    events.tell({ type: 'typing', user: { id: user, username }, channelId: direct.id, serverId: null, to: other, at })
  }

  /** Between two who have written to each other. FORBIDDEN for people: nothing would tell them. */
  direct(user: string, other: string): void {
    const poked = this.#users.find(other)
    if (poked?.disabled !== 0 || this.#directs.between(user, other) === null) throw notFound()
    if (poked.is_bot === 0) throw new Refusal('FORBIDDEN', 'People are not told of pokes')
    this.#core.events.tell({ type: 'poke', from: user, to: other, channelId: null, serverId: null })
  }
}
