import type { World } from '../../chat/world.ts'

/** A text channel that a bot sees: to it a group. */
export interface Group {
  readonly id: number
  readonly channelId: string
  readonly serverId: string
}

/** What has changed for a bot. */
export interface GroupsChange {
  readonly gained: readonly Group[]
  readonly lost: readonly Group[]
}

/** The groups of a bot: looked at again when what it sees may have changed. */
export class Groups {
  readonly #world: World
  readonly #user: string
  readonly #byNumber = new Map<number, Group>()
  readonly #byChannel = new Map<string, Group>()

  constructor(world: World, user: string) {
    this.#world = world
    this.#user = user
    for (const { id } of world.servers.of(user)) this.look(id)
  }

  get all(): readonly Group[] {
    return [...this.#byNumber.values()]
  }

  byNumber(id: number): Group | null {
    return this.#byNumber.get(id) ?? null
  }

  byChannel(id: string): Group | null {
    return this.#byChannel.get(id) ?? null
  }

  of(server: string): Group[] {
    return this.all.filter(({ serverId }) => serverId === server)
  }

  /** What the bot sees of a server now: nothing where it is no member. */
  look(server: string): GroupsChange {
    const { access, channels } = this.#world
    const seen = access.isMember(this.#user, server)
      ? channels.visible(this.#user, server).filter(({ type }) => type === 'text')
      : []
    const now = new Set(seen.map(({ id }) => id))
    const lost = this.of(server).filter(({ channelId }) => !now.has(channelId))
    const gained = seen
      .filter(({ id }) => !this.#byChannel.has(id))
      .map(({ id, num }) => ({ id: num, channelId: id, serverId: server }))
    for (const group of lost) {
      this.#byNumber.delete(group.id)
      this.#byChannel.delete(group.channelId)
    }
    for (const group of gained) {
      this.#byNumber.set(group.id, group)
      this.#byChannel.set(group.channelId, group)
    }
    return { gained, lost }
  }
}
