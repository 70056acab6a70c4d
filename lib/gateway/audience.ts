import { channelPermissions, has, type Standing, VIEW_CHANNEL } from '../chat/permissions.ts'
import { groupBy } from '../chat/group.ts'
import type { StoredOverride } from '../chat/overrides.ts'
import type { Server } from '../chat/servers.ts'
import type { World } from '../chat/world.ts'
import { joinTopic, leaveTopic } from '../websock/topics.ts'
import type { Connection } from './connection.ts'

/*
 * Who hears what. A message to a thousand members is one publish, so those who see the same are on one topic:
 *
 *   g/s/<server>    its members: events of the server, and of all its channels that every member can see
 *   g/c/<channel>   those who can see a channel that not every member can
 *
 * What users can see belongs to the user, and is shared by their connections.
 */

/** A server, as far as somebody of it is connected. */
export interface Room {
  readonly id: string
  readonly topic: string
  readonly attendees: Set<Attendee>
}

/** A user who is connected. */
export interface Attendee {
  readonly userId: string
  readonly connections: Connection[]
  /** Their servers. */
  readonly rooms: Room[]
  /** Channels that they can see, and others of the server cannot; null: none. */
  channels: Set<string> | null
}

/** What a user can see, as was read for the first of their connections. */
export interface View {
  readonly servers: readonly Pick<Server, 'id'>[]
  readonly restricted: readonly string[]
}

export const topicOfServer = (server: string): string => `g/s/${server}`
export const topicOfChannel = (channel: string): string => `g/c/${channel}`

export class Audience {
  readonly #world: World
  readonly #rooms = new Map<string, Room>()
  readonly #attendees = new Map<string, Attendee>()
  /** Channels that not every member can see, by their servers. */
  readonly #restricted = new Map<string, Set<string>>()

  constructor(world: World) {
    this.#world = world
    for (const { server_id, channel_id } of world.overrides.restricted()) this.#restrict(server_id, channel_id, true)
  }

  find(userId: string): Attendee | null {
    return this.#attendees.get(userId) ?? null
  }

  room(serverId: string): Room | null {
    return this.#rooms.get(serverId) ?? null
  }

  /** Where events of a channel are published. */
  topicOf(server: string, channel: string): string {
    return this.#restricted.get(server)?.has(channel) ? topicOfChannel(channel) : topicOfServer(server)
  }

  /** From here on the connection gets events. */
  enter(connection: Connection, view: View): Attendee {
    const { userId } = connection.caller
    const attendee = this.#attendees.get(userId) ?? this.#admit(userId, view)
    attendee.connections.push(connection)
    connection.attendee = attendee
    for (const { topic } of attendee.rooms) joinTopic(connection.ws, topic)
    for (const channel of attendee.channels ?? []) joinTopic(connection.ws, topicOfChannel(channel))
    return attendee
  }

  #admit(userId: string, { servers, restricted }: View): Attendee {
    const attendee: Attendee = {
      userId,
      connections: [],
      rooms: servers.map(({ id }) => this.#roomFor(id)),
      channels: restricted.length === 0 ? null : new Set(restricted),
    }
    for (const { attendees } of attendee.rooms) attendees.add(attendee)
    this.#attendees.set(userId, attendee)
    return attendee
  }

  leave(connection: Connection): void {
    const { attendee } = connection
    connection.attendee = null
    if (attendee === null) return
    // It may still be open: the peer has yet to answer our Close.
    for (const { topic } of attendee.rooms) leaveTopic(connection.ws, topic)
    for (const channel of attendee.channels ?? []) leaveTopic(connection.ws, topicOfChannel(channel))
    const at = attendee.connections.indexOf(connection)
    if (at >= 0) attendee.connections.splice(at, 1)
    if (attendee.connections.length > 0) return
    this.#attendees.delete(attendee.userId)
    for (const room of attendee.rooms) this.#drop(room, attendee)
  }

  #roomFor(id: string): Room {
    const room = this.#rooms.get(id) ?? { id, topic: topicOfServer(id), attendees: new Set<Attendee>() }
    this.#rooms.set(id, room)
    return room
  }

  #drop(room: Room, attendee: Attendee): void {
    room.attendees.delete(attendee)
    if (room.attendees.size === 0) this.#rooms.delete(room.id)
  }

  // What has changed in the world

  joined(server: string, user: string): void {
    const attendee = this.#attendees.get(user)
    if (attendee === undefined || attendee.rooms.some(({ id }) => id === server)) return
    const room = this.#roomFor(server)
    room.attendees.add(attendee)
    attendee.rooms.push(room)
    for (const { ws } of attendee.connections) joinTopic(ws, room.topic)
    this.lookAgain(server, user)
  }

  left(server: string, user: string): void {
    const attendee = this.#attendees.get(user)
    if (attendee !== undefined) this.#part(attendee, server)
  }

  #part(attendee: Attendee, server: string): void {
    const at = attendee.rooms.findIndex(({ id }) => id === server)
    const [room] = at < 0 ? [] : attendee.rooms.splice(at, 1)
    if (room === undefined) return
    for (const { ws } of attendee.connections) leaveTopic(ws, room.topic)
    this.#drop(room, attendee)
    // Channels of a server that is left are no longer seen.
    for (const channel of attendee.channels ?? []) {
      if (this.#world.access.see(attendee.userId, channel) === null) this.#see(attendee, channel, false)
    }
  }

  /** A server has gone, with all its channels. */
  closed(server: string): void {
    this.#restricted.delete(server)
    for (const attendee of this.#rooms.get(server)?.attendees ?? []) this.#part(attendee, server)
  }

  /**
   * Others than before may see a channel. `between` runs when those who gained have joined, and nobody has left: with the topic of
   * those who saw it before, and those who see it now.
   */
  channelChanged(server: string, channel: string, deleted: boolean, between: (topic: string) => void = () => {}): void {
    const before = this.topicOf(server, channel)
    const overrides = deleted ? [] : this.#world.access.overrides(channel)
    const restricted = overrides.some(({ deny }) => has(deny, VIEW_CHANNEL))
    const attendees = [...(this.#rooms.get(server)?.attendees ?? [])]
    const seeing = attendees.filter(({ userId }) => restricted && this.#world.access.see(userId, channel) !== null)
    for (const attendee of seeing) this.#see(attendee, channel, true)
    between(restricted ? before : topicOfServer(server))
    this.#restrict(server, channel, restricted)
    for (const attendee of attendees) if (!seeing.includes(attendee)) this.#see(attendee, channel, false)
  }

  #restrict(server: string, channel: string, restricted: boolean): void {
    const channels = this.#restricted.get(server) ?? new Set()
    if (restricted) this.#restricted.set(server, channels.add(channel))
    else if (channels.delete(channel) && channels.size === 0) this.#restricted.delete(server)
  }

  /** A member may see more or less of a server than before. */
  lookAgain(server: string, user: string): void {
    const attendee = this.#attendees.get(user)
    if (attendee === undefined) return
    const restricted = this.#world.overrides.restrictedOf(server)
    for (const channel of restricted) {
      this.#see(attendee, channel, this.#world.access.see(user, channel) !== null)
    }
  }

  #see(attendee: Attendee, channel: string, sees: boolean): void {
    if ((attendee.channels?.has(channel) ?? false) === sees) return
    const channels = (attendee.channels ??= new Set())
    if (sees) channels.add(channel)
    else channels.delete(channel)
    for (const { ws } of attendee.connections) {
      if (sees) joinTopic(ws, topicOfChannel(channel))
      else leaveTopic(ws, topicOfChannel(channel))
    }
  }
}

/** Which channels with overrides a member can see. */
export function findVisible(
  overrides: readonly StoredOverride[],
  standing: Standing,
): {
  readonly id: string
  readonly visible: boolean
  readonly restricted: boolean
  readonly overrides: StoredOverride[]
}[] {
  return Array.from(
    groupBy(overrides, ({ channel_id }) => channel_id),
    ([id, own]) => ({
      id,
      visible: channelPermissions(standing, own) !== 0,
      restricted: own.some(({ deny }) => has(deny, VIEW_CHANNEL)),
      overrides: own,
    }),
  )
}
