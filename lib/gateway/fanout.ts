import { dispatch, type EventTable, type EventType, type WorldEvent } from '../chat/events.ts'
import { groupBy } from '../chat/group.ts'
import { CREATE_INVITES } from '../chat/permissions.ts'
import type { Poll, Vote } from '../chat/store/polls.ts'
import type { World } from '../chat/world.ts'
import { joinTopic, leaveTopic, type Topics } from '../websock/topics.ts'
import { webSocketCork, webSocketSendString } from '../websock/send.ts'
import { type Attendee, type Audience, hears, numbered, topicFor, topicOfServer, topicOfUser } from './audience.ts'
import type { Connection } from './connection.ts'
import type { EventFor, EventName } from './events.ts'
import type { Journal } from './journal.ts'
import {
  directMessageText,
  type Frame,
  frameOf,
  messageText,
  toDirect,
  toEmoji,
  toFrame,
  toInvite,
  toMemberRole,
  toMessage,
  toOverride,
  toRole,
} from './wire.ts'

type Of<T extends EventType> = Extract<WorldEvent, { readonly type: T }>

/** What happens in the world, to whoever may hear of it: each event is made into text once. */
export class Fanout {
  readonly #world: World
  readonly #audience: Audience
  readonly #journal: Journal
  readonly #topics: () => Topics | null
  /** Ends a connection that cannot take what it should get. */
  readonly #overrun: (connection: Connection) => void

  constructor(
    world: World,
    audience: Audience,
    journal: Journal,
    topics: () => Topics | null,
    overrun: (connection: Connection) => void,
  ) {
    this.#world = world
    this.#audience = audience
    this.#journal = journal
    this.#topics = topics
    this.#overrun = overrun
  }

  readonly #table: EventTable = {
    'message.created': ({ serverId, message }) => {
      const text = messageText(message)
      const inThread = message.thread_id !== null
      const frame = inThread ? frameOf('THREAD_MESSAGE_CREATE', text) : frameOf('MESSAGE_CREATE', text)
      this.#toViewers(serverId, message.channel_id, frame)
    },
    'message.updated': ({ serverId, message, votes }) => {
      const { channel_id, poll } = message
      if (poll === null) return this.#toViewers(serverId, channel_id, frameOf('MESSAGE_UPDATE', messageText(message)))
      this.#toVoters(serverId, channel_id, poll, votes, (own) =>
        toFrame('MESSAGE_UPDATE', toMessage({ ...message, poll: own })),
      )
    },
    'message.deleted': ({ serverId, channelId, messageId }) =>
      this.#toViewers(serverId, channelId, toFrame('MESSAGE_DELETE', { id: messageId, channel_id: channelId })),
    'message.pinned': ({ by, ...event }) =>
      this.#toViewers(event.serverId, event.channelId, toFrame('MESSAGE_PIN', { ...toPlace(event), pinned_by: by })),
    'message.unpinned': ({ by, ...event }) =>
      this.#toViewers(
        event.serverId,
        event.channelId,
        toFrame('MESSAGE_UNPIN', { ...toPlace(event), unpinned_by: by }),
      ),
    'reaction.added': (event) =>
      this.#toViewers(event.serverId, event.channelId, toFrame('REACTION_ADD', toReaction(event))),
    'reaction.removed': (event) =>
      this.#toViewers(event.serverId, event.channelId, toFrame('REACTION_REMOVE', toReaction(event))),
    'poll.voted': ({ serverId, channelId, poll, votes }) =>
      this.#toVoters(serverId, channelId, poll, votes, (own) =>
        toFrame('POLL_VOTE', { poll_id: poll.id, channel_id: channelId, updated_poll: own }),
      ),
    'direct.opened': ({ direct }) => {
      for (const side of [direct.user_lo, direct.user_hi]) {
        this.#toUser(side, () => toFrame('DM_CHANNEL_CREATE', toDirect(this.#world, direct, side)))
      }
    },
    'direct.message': ({ direct, message }) => {
      const frame = frameOf('DM_MESSAGE_CREATE', directMessageText(message))
      for (const side of [direct.user_lo, direct.user_hi]) this.#toUser(side, () => frame)
    },
    'direct.deleted': ({ direct, message: { id, channel_id } }) => {
      const frame = toFrame('DM_MESSAGE_DELETE', { id, channel_id })
      for (const side of [direct.user_lo, direct.user_hi]) this.#toUser(side, () => frame)
    },
    'role.created': ({ role }) => this.#toServer(role.server_id, toFrame('ROLE_CREATE', toRole(role))),
    'role.updated': ({ role }) => this.#toServer(role.server_id, toFrame('ROLE_UPDATE', toRole(role))),
    'role.deleted': ({ serverId, roleId }) =>
      this.#toServer(serverId, toFrame('ROLE_DELETE', { server_id: serverId, role_id: roleId })),
    'member.role': ({ userId, role, held }) => {
      const data = toMemberRole(role, userId)
      this.#toServer(role.server_id, held ? toFrame('MEMBER_ROLE_ADD', data) : toFrame('MEMBER_ROLE_REMOVE', data))
    },
    'member.kicked': (event) => this.#toServer(event.serverId, toFrame('MEMBER_KICK', toRemoval(event))),
    'member.banned': (event) => this.#toServer(event.serverId, toFrame('MEMBER_BAN', toRemoval(event))),
    'member.unbanned': (event) => this.#toServer(event.serverId, toFrame('MEMBER_UNBAN', toMembership(event))),
    'member.silenced': ({ timeout }) => {
      const { server_id, user_id, expires_at, reason } = timeout
      this.#toServer(server_id, toFrame('MEMBER_TIMEOUT', { server_id, user_id, expires_at, reason }))
    },
    'member.unsilenced': (event) =>
      this.#toServer(event.serverId, toFrame('MEMBER_TIMEOUT_REMOVE', toMembership(event))),
    'override.set': ({ serverId, override }) => {
      const frame = toFrame('CHANNEL_OVERRIDE_UPDATE', toOverride(override, serverId))
      this.#toViewersAround(serverId, override.channel_id, frame)
    },
    'override.removed': ({ serverId, channelId, overrideId }) => {
      const data = { channel_id: channelId, override_id: overrideId }
      this.#toViewersAround(serverId, channelId, toFrame('CHANNEL_OVERRIDE_DELETE', data))
    },
    'voice.changed': ({ serverId, state }) => this.#toServer(serverId, toFrame('VOICE_STATE_UPDATE', state)),
    'voice.signal': ({ to, signal }) => this.#toUser(to, () => toFrame('VOICE_SIGNAL', signal)),
    'live.started': ({ serverId, live }) => this.#toViewers(serverId, live.channel_id, toFrame('GO_LIVE_START', live)),
    'live.stopped': ({ serverId, channelId, userId }) =>
      this.#toViewers(serverId, channelId, toFrame('GO_LIVE_STOP', { channel_id: channelId, broadcaster_id: userId })),
    'invite.created': ({ invite }) => this.#toInviters(invite.server_id, toFrame('INVITE_CREATE', toInvite(invite))),
    'invite.removed': ({ serverId, inviteId }) => {
      const data = { server_id: serverId, invite_id: inviteId }
      this.#toInviters(serverId, toFrame('INVITE_DELETE', data))
    },
    'emoji.created': ({ emoji }) => this.#toServer(emoji.server_id, toFrame('CUSTOM_EMOJI_CREATE', toEmoji(emoji))),
    'emoji.removed': ({ serverId, emojiId }) =>
      this.#toServer(serverId, toFrame('CUSTOM_EMOJI_DELETE', { server_id: serverId, emoji_id: emojiId })),
    'member.joined': ({ serverId, userId }) => this.#audience.joined(serverId, userId),
    'member.left': ({ serverId, userId }) => this.#audience.left(serverId, userId),
    'member.visibility': ({ serverId, userId }) => this.#audience.lookAgain(serverId, userId),
    'channel.visibility': ({ serverId, channelId, deleted }) =>
      this.#audience.channelChanged(serverId, channelId, deleted),
    'server.deleted': ({ serverId }) => this.#audience.closed(serverId),
    'typing': (event) => this.#typing(event),
    'presence.changed': (event) => this.#presence(event),
  }

  readonly tell = (event: WorldEvent): void => dispatch(this.#table, event)

  /** To all of a topic, once whoever hears it; and once with its number, where anybody may ask for it again. */
  #publish(topic: string, { text }: Frame<EventName>, except: ReadonlySet<string> | null = null): void {
    const topics = this.#topics()
    topics?.publish(topic, text, false)
    if (this.#journal.kept) topics?.publish(numbered(topic), this.#journal.add(topic, text, except), false)
  }

  #toViewers(server: string, channel: string, frame: Frame<EventFor<'viewers'>>): void {
    this.#publish(this.#audience.topicOf(server, channel), frame)
  }

  /** Each who has voted sees their own vote: one frame for each option, and one for all others. */
  #toVoters(
    server: string,
    channel: string,
    poll: Poll,
    votes: readonly Vote[],
    frameFor: (poll: Poll) => Frame<EventFor<'viewers'>>,
  ): void {
    const topic = this.#audience.topicOf(server, channel)
    const voters = votes.flatMap(({ user_id, option_id }) => {
      const attendee = this.#audience.find(user_id)
      return attendee !== null && hears(attendee, topic) ? { attendee, option_id } : []
    })
    this.#without(
      voters.map(({ attendee }) => attendee),
      topic,
      frameFor(poll),
    )
    for (const [option, group] of groupBy(voters, ({ option_id }) => option_id)) {
      const frame = frameFor({ ...poll, user_vote: option })
      for (const { attendee } of group) this.#toAttendee(attendee, frame)
    }
  }

  /** Who sees a channel is other than before: those who did, and those who do, hear why. */
  #toViewersAround(server: string, channel: string, frame: Frame<EventFor<'around'>>): void {
    this.#audience.channelChanged(server, channel, false, (topic) => this.#publish(topic, frame))
  }

  #toServer(server: string, frame: Frame<EventFor<'server' | 'leaving'>>): void {
    this.#publish(topicOfServer(server), frame)
  }

  /** A code is a key: those who could make one hear of it. */
  #toInviters(server: string, frame: Frame<EventFor<'inviters'>>): void {
    for (const user of this.#world.roles.holders(server, CREATE_INVITES)) this.#toUser(user, () => frame)
  }

  /** Nothing is made where nobody is there to get it. */
  #toUser(user: string, frame: () => Frame<EventFor<'user' | 'sides' | 'inviters' | 'peers' | 'others'>>): void {
    const attendee = this.#audience.find(user)
    if (attendee !== null) this.#toAttendee(attendee, frame())
  }

  #toAttendee({ userId, connections, sessions }: Attendee, { text }: Frame<EventName>): void {
    const again = sessions.size === 0 ? text : this.#journal.add(topicOfUser(userId), text, null)
    // Who is closed for it leaves the list.
    for (const connection of connections.slice()) this.#send(connection, connection.session === null ? text : again)
  }

  #send(connection: Connection, text: string): void {
    const { ws } = connection
    // Outside of a cork each send is a write of its own.
    webSocketCork(ws, () => {
      if (webSocketSendString(ws, text) < 0) this.#overrun(connection)
    })
  }

  /** To all of a topic but some users. */
  #without(users: readonly Attendee[], topic: string, frame: Frame<EventName>): void {
    const left = users.flatMap(({ connections }) =>
      connections.filter((connection) => leaveTopic(connection.ws, topicFor(connection, topic))),
    )
    this.#publish(topic, frame, new Set(users.map(({ userId }) => userId)))
    for (const connection of left) joinTopic(connection.ws, topicFor(connection, topic))
  }

  #typing({ user, channelId, serverId, to, at }: Of<'typing'>): void {
    const frame = toFrame('TYPING_START', {
      user_id: user.id,
      username: user.username,
      channel_id: channelId,
      timestamp: at,
    })
    if (to !== null) return this.#toUser(to, () => frame)
    if (serverId === null) return
    const topic = this.#audience.topicOf(serverId, channelId)
    const typist = this.#audience.find(user.id)
    this.#without(typist === null ? [] : [typist], topic, frame)
  }

  /** Others of shared servers, each once, see what is public; the user's own connections what is theirs. */
  #presence({ userId, seen, own }: Of<'presence.changed'>): void {
    if (seen !== null) {
      const frame = toFrame('PRESENCE_UPDATE', { user_id: userId, ...seen })
      const rooms = this.#world.servers.of(userId).flatMap(({ id }) => this.#audience.room(id) ?? [])
      const [largest, ...others] = rooms.toSorted((a, b) => b.attendees.size - a.attendees.size)
      if (largest !== undefined) {
        const self = this.#audience.find(userId)
        this.#without(self === null ? [] : [self], largest.topic, frame)
        const told = new Set<Attendee>(largest.attendees)
        for (const { attendees } of others) {
          for (const attendee of attendees) {
            if (told.has(attendee) || attendee.userId === userId) continue
            told.add(attendee)
            this.#toAttendee(attendee, frame)
          }
        }
      }
    }
    if (own !== null) this.#toUser(userId, () => toFrame('PRESENCE_UPDATE', { user_id: userId, ...own }))
  }
}

type OfMessage = Pick<Of<'message.deleted'>, 'channelId' | 'messageId'>

const toPlace = ({ channelId, messageId }: OfMessage) => ({ message_id: messageId, channel_id: channelId })
const toReaction = ({ userId, emoji, ...event }: Of<'reaction.added' | 'reaction.removed'>) => ({
  ...toPlace(event),
  user_id: userId,
  emoji,
})
const toMembership = ({ serverId, userId }: { readonly serverId: string; readonly userId: string }) => ({
  server_id: serverId,
  user_id: userId,
})
const toRemoval = ({ reason, ...event }: Of<'member.kicked' | 'member.banned'>) => ({ ...toMembership(event), reason })
