import type { Appearance } from '../../../lib/chat/presence.ts'
import type { WorldEvent } from '../../../lib/chat/events.ts'
import type { World } from '../../../lib/chat/world.ts'
import { must } from '../target.ts'
import { isStatus, isWords, type PresenceWish } from './meaning.ts'

/** Somebody, as they should be after what their connections have said (§6.1). */
export class Person {
  readonly id: string
  /** What each connection declares. */
  readonly declared: ('online' | 'away')[]
  #sticky: 'dnd' | 'offline' | null = null
  #custom: string | null = null
  #activity: string | null = null

  constructor(id: string, connections: number) {
    this.id = id
    this.declared = Array.from({ length: connections }, () => 'online')
  }

  wish(connection: number, { status, custom_status, activity }: PresenceWish): void {
    if (status === 'dnd' || status === 'offline') this.#sticky = status
    else {
      this.#sticky = null
      this.declared[connection] = status
    }
    if (custom_status !== undefined) this.#custom = custom_status
    if (activity !== undefined) this.#activity = activity
  }

  get appearance(): Appearance {
    const status = this.#sticky ?? (this.declared.includes('online') ? 'online' : 'away')
    return { status, custom_status: this.#custom, activity: this.#activity }
  }

  /** The world has them as they are here. */
  check(world: World): void {
    const user = world.users.find(this.id)
    must(user !== null, 'a user is gone')
    const sticky = user.status_sticky
    must(sticky === null || sticky === 'dnd' || sticky === 'offline', () => `status_sticky is ${String(sticky)}`)
    const found = JSON.stringify([sticky, user.custom_status, user.activity])
    const right = JSON.stringify([this.#sticky, this.#custom, this.#activity])
    must(found === right, () => `stored is ${found} in place of ${right}`)
    const seen = JSON.stringify(world.presence.own(user))
    must(seen === JSON.stringify(this.appearance), () => `present as ${seen}, not ${JSON.stringify(this.appearance)}`)
  }
}

function checkAppearance({ status, custom_status, activity }: Appearance, isPublic: boolean): void {
  must(isStatus(status), () => `the status ${status}`)
  must(isWords(custom_status) && isWords(activity), () => `words ${JSON.stringify([custom_status, activity])}`)
  const hidden = isPublic && status === 'offline'
  must(!hidden || (custom_status === null && activity === null), 'who is invisible is seen')
}

/** An event that operations may cause; what was typed is returned as text. */
export function checkEvent(event: WorldEvent): string | null {
  if (event.type === 'typing') return `${event.user.id} ${event.channelId}`
  if (event.type === 'presence.changed') {
    if (event.seen !== null) checkAppearance(event.seen, true)
    if (event.own !== null) checkAppearance(event.own, false)
  } else must(event.type === 'user.changed', () => `the event ${JSON.stringify(event)}`)
  return null
}
