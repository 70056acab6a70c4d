import { channelPermissions, has, type Standing, VIEW_CHANNEL } from '../chat/permissions.ts'
import { groupBy } from '../chat/group.ts'
import type { StoredOverride } from '../chat/overrides.ts'
import type { Server } from '../chat/servers.ts'
import type { World } from '../chat/world.ts'
import { joinTopic, leaveTopic } from '../websock/topics.ts'
import type { Connection, Session } from './connection.ts'
import type { Entry, Journal } from './journal.ts'

/*
 * Who hears what. A message to a thousand members is one publish, so those who see the same are on one topic:
 *
 *   g/s/<server>    its members: events of the server, and of all its channels that every member can see
 *   g/c/<channel>   those who can see a channel that not every member can
 *
 * What users can see belongs to the user, and is shared by their connections. Connections that may go on after they have ended get
 * the same with numbers: on topics of the same names with a '+' behind them.
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
  /** Of connections that can go on where they ended: those that have ended keep the user here, too. */
  readonly sessions: Set<Session>
  /** When they were on which topics, while there are such sessions. */
  spans: Span[]
}

/** On a topic from behind one entry of the journal up to another. */
interface Span {
  readonly topic: string
  readonly from: number
  to: number
}

/** What a user can see, as was read for the first of their connections. */
export interface View {
  readonly servers: readonly Pick<Server, 'id'>[]
  readonly restricted: readonly string[]
}

export const topicOfServer = (server: string): string => `g/s/${server}`
export const topicOfChannel = (channel: string): string => `g/c/${channel}`
/** In the journal only. */
export const topicOfUser = (user: string): string => `g/u/${user}`
/** Where a topic is told with numbers. */
export const numbered = (topic: string): string => `${topic}+`

/** A topic as a connection hears of it. */
export const topicFor = ({ session }: Connection, topic: string): string => (session === null ? topic : numbered(topic))

export class Audience {
  readonly #world: World
  readonly #journal: Journal
  readonly #rooms = new Map<string, Room>()
  readonly #attendees = new Map<string, Attendee>()
  /** Channels that not every member can see, by their servers. */
  readonly #restricted = new Map<string, Set<string>>()

  constructor(world: World, journal: Journal) {
    this.#world = world
    this.#journal = journal
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
    if (connection.session !== null) this.#remember(attendee, connection.session)
    for (const topic of topicsOf(attendee)) joinTopic(connection.ws, topicFor(connection, topic))
    return attendee
  }

  /** From here on it is known when the user was on which topics. */
  #remember(attendee: Attendee, session: Session): void {
    if (attendee.sessions.has(session)) return
    if (attendee.sessions.size === 0) {
      this.#journal.open()
      const from = this.#journal.last
      attendee.spans = Array.from(topicsOf(attendee), (topic) => ({ topic, from, to: Infinity }))
    }
    attendee.sessions.add(session)
  }

  /** A session that does not go on. */
  forget(session: Session): void {
    const attendee = this.#attendees.get(session.userId)
    if (attendee?.sessions.delete(session) !== true) return
    if (attendee.sessions.size === 0) {
      attendee.spans = []
      this.#journal.close()
    }
    this.#release(attendee)
  }

  /** The same, of one that goes on: what its user sees is known. */
  reenter(connection: Connection): void {
    this.enter(connection, { servers: [], restricted: [] })
  }

  #admit(userId: string, { servers, restricted }: View): Attendee {
    const attendee: Attendee = {
      userId,
      connections: [],
      rooms: servers.map(({ id }) => this.#roomFor(id)),
      channels: restricted.length === 0 ? null : new Set(restricted),
      sessions: new Set(),
      spans: [],
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
    for (const topic of topicsOf(attendee)) leaveTopic(connection.ws, topicFor(connection, topic))
    const at = attendee.connections.indexOf(connection)
    if (at >= 0) attendee.connections.splice(at, 1)
    this.#release(attendee)
  }

  /** Nothing is kept of who is not there, and does not come back. */
  #release(attendee: Attendee): void {
    if (attendee.connections.length > 0 || attendee.sessions.size > 0) return
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
    this.#join(attendee, room.topic)
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
    this.#leave(attendee, room.topic)
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
    if (sees) {
      channels.add(channel)
      this.#join(attendee, topicOfChannel(channel))
    } else {
      channels.delete(channel)
      this.#leave(attendee, topicOfChannel(channel))
    }
  }

  #join(attendee: Attendee, topic: string): void {
    for (const connection of attendee.connections) joinTopic(connection.ws, topicFor(connection, topic))
    if (attendee.sessions.size === 0) return
    // What ended before all that is known need not be known.
    attendee.spans = attendee.spans.filter(({ to }) => to > this.#journal.start)
    attendee.spans.push({ topic, from: this.#journal.last, to: Infinity })
  }

  #leave(attendee: Attendee, topic: string): void {
    for (const connection of attendee.connections) leaveTopic(connection.ws, topicFor(connection, topic))
    for (const span of attendee.spans) {
      if (span.topic === topic && span.to === Infinity) span.to = this.#journal.last
    }
  }

  /** What a user was told behind a number, in order; null where that is not known any more. */
  missed(userId: string, s: number): Entry[] | null {
    const attendee = this.#attendees.get(userId)
    if (attendee === undefined) return null
    const own = topicOfUser(userId)
    const spans = groupBy(attendee.spans, ({ topic }) => topic)
    const entries = this.#journal.since(s, [own, ...spans.keys()])
    return (
      entries?.filter(({ topic, except, s: at }) => {
        if (except?.has(userId) === true) return false
        return topic === own || (spans.get(topic)?.some(({ from, to }) => from < at && at <= to) ?? false)
      }) ?? null
    )
  }
}

function* topicsOf({ rooms, channels }: Attendee): Generator<string> {
  for (const { topic } of rooms) yield topic
  for (const channel of channels ?? []) yield topicOfChannel(channel)
}

/** Whether what is told on a topic is for a user. */
export const hears = (attendee: Attendee, topic: string): boolean => {
  for (const one of topicsOf(attendee)) if (one === topic) return true
  return false
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
