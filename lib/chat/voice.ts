import { type Access, needs, type Seen } from './access.ts'
import type { Core } from './core.ts'
import { Deadlines } from './deadlines.ts'
import type { EventTable } from './events.ts'
import { isPartOf } from './group.ts'
import { toTime } from './ids.ts'
import { type Live, Lives, type Quality } from './lives.ts'
import { CONNECT_VOICE, has, MANAGE_CHANNELS, MUTE_MEMBERS } from './permissions.ts'
import type { Presence } from './presence.ts'
import { forbidden, notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Flag } from './store/flag.ts'
import type { Users } from './users.ts'

/** What somebody says of their own voice. */
export interface OwnFlags {
  readonly self_mute: boolean
  readonly self_deaf: boolean
  readonly self_video: boolean
  readonly self_screen: boolean
}

/** What is said of it by who may: it lasts as long as the membership. */
export interface Sanctions {
  readonly server_mute: boolean
  readonly server_deaf: boolean
}

/** Where somebody's voice is; both nulls: nowhere. */
export interface VoiceState extends OwnFlags, Sanctions {
  readonly user_id: string
  readonly channel_id: string | null
  readonly joined_at: string | null
  readonly username: string
}

interface Talker extends OwnFlags, Sanctions {
  readonly userId: string
  readonly username: string
  readonly serverId: string
  readonly channelId: string
  readonly joinedAt: string
}

const SILENT: OwnFlags = { self_mute: false, self_deaf: false, self_video: false, self_screen: false }
const FREE: Sanctions = { server_mute: false, server_deaf: false }
/** Milliseconds for which somebody may be in a channel without being there themselves. */
const GRACE = 60_000

const toState = ({ userId, channelId, joinedAt, username, ...talker }: Talker): VoiceState => ({
  user_id: userId,
  channel_id: channelId,
  self_mute: talker.self_mute,
  self_deaf: talker.self_deaf,
  self_video: talker.self_video,
  self_screen: talker.self_screen,
  server_mute: talker.server_mute,
  server_deaf: talker.server_deaf,
  joined_at: joinedAt,
  username,
})

/**
 * Whose voice is where: in one channel at a time, whatever the number of servers. What is heard goes from peer to peer; here is kept
 * who is together, in memory: after a crash nobody is anywhere.
 */
export class Voice {
  readonly #core: Core
  readonly #access: Access
  readonly #users: Users
  readonly #presence: Presence
  readonly #lives: Lives
  readonly #talkers = new Map<string, Talker>()
  /** By channel, in the order in which they came. */
  readonly #rooms = new Map<string, Set<string>>()
  readonly #unattended: Deadlines<string>
  readonly #sanctions
  readonly #setSanctions

  constructor(core: Core, access: Access, users: Users, presence: Presence) {
    this.#core = core
    this.#access = access
    this.#users = users
    this.#presence = presence
    this.#lives = new Lives(core)
    this.#unattended = new Deadlines(core.now, (user) => {
      if (!presence.isPresent(user)) this.#drop(user)
    })
    this.#sanctions = core.db.first((q, p: Param<{ server: string; user: string }>) =>
      q
        .selectFrom('server_members')
        .select(['server_mute', 'server_deaf'])
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user')),
    )
    this.#setSanctions = core.db.run((q, p: Param<{ server: string; user: string; mute: Flag; deaf: Flag }>) =>
      q
        .updateTable('server_members')
        .set({ server_mute: p('mute'), server_deaf: p('deaf') })
        .where('server_id', '=', p('server'))
        .where('user_id', '=', p('user')),
    )
  }

  close(): void {
    this.#unattended.close()
  }

  /** Who is there, in the order in which they came. */
  list(user: string, channel: string): VoiceState[] {
    this.#room(user, channel)
    return Array.from(this.#rooms.get(channel) ?? [], (id) => this.#talkers.get(id)).flatMap((talker) =>
      talker === undefined ? [] : toState(talker),
    )
  }

  /** Whether two are in one channel: they may set up a connection. */
  areTogether(one: string, other: string): boolean {
    const channel = this.#talkers.get(one)?.channelId
    return one !== other && channel !== undefined && this.#talkers.get(other)?.channelId === channel
  }

  /** From wherever they were. What they said of themselves begins anew. */
  join(user: string, channel: string): VoiceState {
    const { server_id: serverId } = needs(this.#access.channel(user, channel), CONNECT_VOICE)
    this.#room(user, channel)
    const before = this.#talkers.get(user)
    if (before !== undefined) {
      this.#lives.end(before.serverId, before.channelId, user)
      // Members of both servers hear last where the user is.
      if (before.serverId !== serverId) this.#leave(before)
      else this.#remove(before)
    }
    const username = this.#users.find(user)?.username ?? ''
    const sanctions = this.#sanctionsOf(serverId, user)
    const joinedAt = toTime(this.#core.now())
    const talker = { ...SILENT, ...sanctions, userId: user, username, serverId, channelId: channel, joinedAt }
    this.#talkers.set(user, talker)
    this.#rooms.set(channel, (this.#rooms.get(channel) ?? new Set()).add(user))
    if (!this.#presence.isPresent(user)) this.#unattended.add(user, this.#core.now() + GRACE)
    return this.#tell(talker)
  }

  leave(user: string, channel: string): void {
    this.#end(this.#in(user, channel))
  }

  /** Of one's own voice. */
  change(user: string, channel: string, flags: Partial<OwnFlags>): VoiceState {
    const before = this.#in(user, channel)
    if (isPartOf<OwnFlags>(flags, before)) return toState(before)
    const talker = { ...before, ...flags }
    this.#talkers.set(user, talker)
    return this.#tell(talker)
  }

  /** Sends somebody off, from above. */
  disconnect(user: string, channel: string, other: string): void {
    this.#end(this.#below(user, channel, other))
  }

  /** Shows something to all in the channel that one is in; again in another quality. */
  goLive(user: string, channel: string, quality: Quality): { readonly live: Live; readonly created: boolean } {
    const { server_id } = this.#room(user, channel)
    if (this.#talkers.get(user)?.channelId !== channel) throw new Refusal('INVALID', 'You are not in this channel')
    const before = this.#lives.of(channel)
    if (before !== null && before.broadcaster_id !== user) throw new Refusal('CONFLICT', 'Somebody else is live')
    return { live: this.#lives.begin(server_id, channel, user, quality), created: before === null }
  }

  /** One's own, or with MANAGE_CHANNELS anybody's. */
  endLive(user: string, channel: string): void {
    const seen = this.#room(user, channel)
    const { broadcaster_id } = this.live(user, channel)
    if (broadcaster_id !== user && !has(seen.permissions, MANAGE_CHANNELS)) throw forbidden()
    this.#lives.end(seen.server_id, channel, broadcaster_id)
  }

  live(user: string, channel: string): Live {
    this.#room(user, channel)
    const live = this.#lives.of(channel)
    if (live === null) throw notFound()
    return live
  }

  // Changes

  /** Has somebody say or hear nothing, from above: wherever in this server they are, until it is taken back. */
  sanction(user: string, channel: string, other: string, sanctions: Partial<Sanctions>): VoiceState {
    const talker = this.#below(user, channel, other)
    const { serverId } = talker
    const before = this.#sanctionsOf(serverId, other)
    const next = { ...before, ...sanctions }
    if (!isPartOf(sanctions, before)) {
      const [mute, deaf] = [next.server_mute ? 1 : 0, next.server_deaf ? 1 : 0] as const
      // Who was sent off a moment ago is still in the channel, and no member any more.
      if (this.#setSanctions({ server: serverId, user: other, mute, deaf }) === 0) throw notFound()
      this.#core.changes.emit({ type: 'member.sanctioned', serverId, userId: other, sanctions: next })
    }
    return toState({ ...talker, ...next })
  }

  // What happens elsewhere

  /** What ends a stay: told of before doors are, so that they hear of a voice before they hear why it has gone. */
  readonly events: EventTable = {
    'presence.ended': ({ userId }) => this.#drop(userId),
    'member.kicked': ({ serverId, userId }) => this.#dropFrom(serverId, userId),
    'member.banned': ({ serverId, userId }) => this.#dropFrom(serverId, userId),
    'member.left': ({ serverId, userId }) => this.#dropFrom(serverId, userId),
    'member.sanctioned': ({ serverId, userId, sanctions }) => {
      const talker = this.#talkers.get(userId)
      if (talker?.serverId !== serverId) return
      const sanctioned = { ...talker, ...sanctions }
      this.#talkers.set(userId, sanctioned)
      this.#tell(sanctioned)
    },
    'channel.visibility': ({ channelId, deleted }) => {
      if (deleted) for (const userId of this.#rooms.get(channelId) ?? []) this.#drop(userId)
    },
    'server.deleted': ({ serverId }) => {
      for (const { userId, ...talker } of this.#talkers.values()) if (talker.serverId === serverId) this.#drop(userId)
    },
  }

  #drop(user: string): void {
    const talker = this.#talkers.get(user)
    if (talker !== undefined) this.#end(talker)
  }

  #dropFrom(server: string, user: string): void {
    if (this.#talkers.get(user)?.serverId === server) this.#drop(user)
  }

  #end(talker: Talker): void {
    this.#lives.end(talker.serverId, talker.channelId, talker.userId)
    this.#leave(talker)
  }

  #leave(talker: Talker): void {
    this.#remove(talker)
    const state = { ...toState({ ...talker, ...SILENT, ...FREE }), channel_id: null, joined_at: null }
    this.#core.events.tell({ type: 'voice.changed', serverId: talker.serverId, state })
  }

  #remove({ userId, channelId }: Talker): void {
    this.#talkers.delete(userId)
    this.#unattended.delete(userId)
    const room = this.#rooms.get(channelId)
    if (room?.delete(userId) && room.size === 0) this.#rooms.delete(channelId)
  }

  #tell(talker: Talker): VoiceState {
    const state = toState(talker)
    this.#core.events.tell({ type: 'voice.changed', serverId: talker.serverId, state })
    return state
  }

  /** A voice channel that the user can see. */
  #room(user: string, channel: string): Seen {
    const seen = this.#access.channel(user, channel)
    if (seen.type !== 'voice') throw new Refusal('INVALID', 'This is not a voice channel')
    return seen
  }

  /** Whoever is in that channel; else NOT_FOUND. */
  #in(user: string, channel: string): Talker {
    const talker = this.#talkers.get(user)
    if (talker?.channelId !== channel) throw notFound()
    return talker
  }

  /** Somebody in that channel whom the user may act on. */
  #below(user: string, channel: string, other: string): Talker {
    const seen = this.#access.channel(user, channel)
    const talker = this.#in(other, channel)
    const { server_id } = needs(seen, MUTE_MEMBERS)
    if (!this.#access.isAbove(user, other, server_id)) throw forbidden()
    return talker
  }

  #sanctionsOf(server: string, user: string): Sanctions {
    const found = this.#sanctions({ server, user })
    return { server_mute: found?.server_mute === 1, server_deaf: found?.server_deaf === 1 }
  }
}
