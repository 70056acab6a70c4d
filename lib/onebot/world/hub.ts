import type { OneBotEvent, OneBotNotice } from '../../../include-types/onebot.ts'
import { type Direct, type DirectMessage, otherOf } from '../../chat/directs.ts'
import { dispatch, type EventTable, type EventType, type WorldEvent } from '../../chat/events.ts'
import { ADMIN_PERMISSIONS } from '../../chat/permissions.ts'
import type { Request } from '../../chat/requests.ts'
import type { Message } from '../../chat/store/messages.ts'
import type { World } from '../../chat/world.ts'
import { type BotSettings, toEmojiId, WorldBot } from './bot.ts'
import type { Group } from './groups.ts'
import { secondsOf, toGroupMessage, toPrivateMessage } from './reading.ts'
import { toFriendRequest, toGroupRequest } from './requests.ts'

type Of<T extends EventType> = Extract<WorldEvent, { readonly type: T }>

/** A bot as a config has it. */
export interface BotDraft {
  readonly handle: string
  /** Its number, where it is made; null: the next. */
  readonly selfId: number | null
  /** Servers that it is in, by names or ids: public ones that need no invitation. */
  readonly join: readonly string[]
}

/** What happens in the world, to the bots that hear of it: looked at once for all of them. */
export class Hub {
  readonly #world: World
  readonly #bots = new Map<string, WorldBot>()
  /** Admins of the servers that bots are in, as they were told last. */
  readonly #admins = new Map<string, ReadonlySet<string>>()
  /** Who sends whom away: told before the going. */
  #sending: { readonly serverId: string; readonly userId: string; readonly by: string } | null = null
  readonly #unlisten: () => void

  constructor(world: World) {
    this.#world = world
    this.#unlisten = world.events.on((event) => this.#hear(event))
  }

  close(): void {
    this.#unlisten()
    this.#bots.clear()
  }

  /** The bot of a config, made where there is none. */
  async open({ handle, selfId, join }: BotDraft, settings: BotSettings): Promise<WorldBot> {
    const { bots, users, changes } = this.#world
    const user = await changes.run(() => {
      const { user_id } = bots.ensure(handle, selfId ?? undefined)
      for (const name of join) this.#join(user_id, name)
      return users.find(user_id)
    })
    if (user === null) throw new Error('The bot is nobody')
    const known = this.#bots.get(user.id)
    if (known !== undefined) return known
    const bot = new WorldBot(this.#world, user, settings)
    this.#bots.set(user.id, bot)
    for (const { serverId } of bot.groupsSeen.all) this.#remember(serverId)
    return bot
  }

  /** As whoever runs the host wants it: nobody has to ask the bot in. */
  #join(user: string, name: string): void {
    const { servers, access } = this.#world
    const server = servers.named(name)
    if (server === null || access.isMember(user, server)) return
    servers.checkMayEnter(user, server)
    servers.admit(user, server)
  }

  #remember(server: string): void {
    if (!this.#admins.has(server)) this.#admins.set(server, this.#adminsOf(server))
  }

  #adminsOf(server: string): ReadonlySet<string> {
    return new Set(this.#world.roles.holders(server, ADMIN_PERMISSIONS))
  }

  #hear(event: WorldEvent): void {
    if (this.#bots.size === 0) return
    const { type } = event
    if (type === 'member.kicked' || type === 'member.banned') this.#sending = event
    else {
      dispatch(this.#table, event)
      this.#sending = null
    }
  }

  get #now(): number {
    return Math.floor(this.#world.now() / 1000)
  }

  #num(user: string | null): number {
    return user === null ? 0 : (this.#world.users.find(user)?.num ?? 0)
  }

  /** Bots that see a channel. */
  #viewers(channel: string): { readonly bot: WorldBot; readonly group: Group }[] {
    const found: { bot: WorldBot; group: Group }[] = []
    for (const bot of this.#bots.values()) {
      const group = bot.groupsSeen.byChannel(channel)
      if (group !== null) found.push({ bot, group })
    }
    return found
  }

  #tell(bots: readonly { readonly bot: WorldBot }[], event: OneBotEvent): void {
    for (const { bot } of bots) bot.tell(event)
  }

  /** To the bots that see a channel: one event for all. */
  #notice(channel: string, notice: (group: Group) => OneBotNotice): void {
    const viewers = this.#viewers(channel)
    const [first] = viewers
    if (first !== undefined) this.#tell(viewers, { kind: 'notice', time: this.#now, notice: notice(first.group) })
  }

  /** What is of a whole server: one event for each of its channels, to the bots that see it. */
  #noticeAll(channels: readonly string[], notice: (group: Group) => OneBotNotice): void {
    for (const channel of channels) this.#notice(channel, notice)
  }

  #visibleTo(user: string, server: string): readonly string[] {
    return this.#world.access.isMember(user, server) ? this.#world.access.visible(user, server) : []
  }

  /** What bots see of a server may be other than before. */
  #look(server: string, operator = 0): void {
    for (const bot of this.#bots.values()) this.#lookFor(bot, server, 'approve', operator)
  }

  #lookFor(bot: WorldBot, server: string, how: 'approve' | 'invite', operator: number): void {
    const { gained, lost } = bot.groupsSeen.look(server)
    if (gained.length > 0) this.#remember(server)
    const user_id = this.#num(bot.userId)
    for (const { id } of gained) {
      this.#one(bot, { notice_type: 'group_increase', sub_type: how, group_id: id, operator_id: operator, user_id })
    }
    for (const { id } of lost) {
      this.#one(bot, { notice_type: 'group_decrease', sub_type: 'leave', group_id: id, operator_id: operator, user_id })
    }
  }

  #one(bot: WorldBot, notice: OneBotNotice): void {
    bot.tell({ kind: 'notice', time: this.#now, notice })
  }

  #message(message: Message): void {
    const viewers = this.#viewers(message.channel_id)
    const [first] = viewers
    if (first === undefined || message.draft === 1) return
    const { bot, group } = first
    this.#tell(viewers, {
      kind: 'message',
      message: toGroupMessage(this.#world, bot.userId, group, message, bot.base),
    })
  }

  #direct(direct: Direct, message: DirectMessage): void {
    for (const side of [direct.user_lo, direct.user_hi]) {
      const bot = this.#bots.get(side)
      if (bot === undefined) continue
      bot.tell({ kind: 'message', message: toPrivateMessage(this.#world, side, direct, message, bot.base) })
    }
  }

  readonly #table: EventTable = {
    'message.created': ({ message }) => this.#message(message),
    'message.updated': ({ message, completed }) => {
      if (completed) this.#message(message)
    },
    'message.deleted': ({ channelId, num, authorId, by }) =>
      this.#notice(channelId, ({ id }) => ({
        notice_type: 'group_recall',
        group_id: id,
        user_id: this.#num(authorId),
        operator_id: this.#num(by),
        message_id: num,
      })),
    'message.pinned': (event) => this.#essence(event, 'add'),
    'message.unpinned': (event) => this.#essence(event, 'delete'),
    'reaction.added': (event) => this.#reaction(event, true),
    'reaction.removed': (event) => this.#reaction(event, false),
    'direct.message': ({ direct, message }) => this.#direct(direct, message),
    'direct.deleted': ({ direct, message }) => {
      for (const side of [direct.user_lo, direct.user_hi]) {
        const bot = this.#bots.get(side)
        const user_id = this.#num(otherOf(direct, side))
        if (bot !== undefined) this.#one(bot, { notice_type: 'friend_recall', user_id, message_id: message.num })
      }
    },
    'friend.added': ({ userId, other }) => {
      for (const [side, friend] of [
        [userId, other],
        [other, userId],
      ] as const) {
        const bot = this.#bots.get(side)
        if (bot !== undefined) this.#one(bot, { notice_type: 'friend_add', user_id: this.#num(friend) })
      }
    },
    'user.liked': ({ from, to, times }) => {
      const bot = this.#bots.get(to)
      const user = this.#world.users.find(from)
      if (bot === undefined || user === null) return
      this.#one(bot, {
        notice_type: 'notify',
        sub_type: 'profile_like',
        operator_id: user.num,
        operator_nick: user.username,
        times,
      })
    },
    'poke': (event) => this.#poke(event),
    'request.made': ({ request }) => this.#request(request),
    'member.joined': ({ serverId, userId, by, invited }) => {
      const operator = this.#num(by)
      const how = invited ? 'invite' : 'approve'
      const own = this.#bots.get(userId)
      // One by itself is told first: it has no groups there yet.
      this.#noticeAll(this.#visibleTo(userId, serverId), ({ id }) => ({
        notice_type: 'group_increase',
        sub_type: how,
        group_id: id,
        operator_id: operator,
        user_id: this.#num(userId),
      }))
      if (own !== undefined) this.#lookFor(own, serverId, how, operator)
    },
    'member.left': (event) => this.#left(event),
    'member.silenced': ({ timeout: { server_id, user_id, created_by, created_at, expires_at } }) =>
      this.#noticeAll(this.#visibleTo(user_id, server_id), ({ id }) => ({
        notice_type: 'group_ban',
        sub_type: 'ban',
        group_id: id,
        operator_id: this.#num(created_by),
        user_id: this.#num(user_id),
        duration: Math.round((Date.parse(expires_at) - Date.parse(created_at)) / 1000),
      })),
    'member.unsilenced': ({ serverId, userId, by }) =>
      this.#noticeAll(this.#visibleTo(userId, serverId), ({ id }) => ({
        notice_type: 'group_ban',
        sub_type: 'lift_ban',
        group_id: id,
        operator_id: this.#num(by),
        user_id: this.#num(userId),
        duration: 0,
      })),
    'channel.shut': ({ channelId, by, shut }) =>
      this.#notice(channelId, ({ id }) => ({
        notice_type: 'group_ban',
        sub_type: shut ? 'ban' : 'lift_ban',
        group_id: id,
        operator_id: this.#num(by),
        user_id: 0,
        duration: shut ? -1 : 0,
      })),
    'member.renamed': ({ serverId, userId, before, after }) =>
      this.#noticeAll(this.#visibleTo(userId, serverId), ({ id }) => ({
        notice_type: 'group_card',
        group_id: id,
        user_id: this.#num(userId),
        card_new: after ?? '',
        card_old: before ?? '',
      })),
    'member.titled': ({ serverId, userId, title }) =>
      this.#noticeAll(this.#visibleTo(userId, serverId), ({ id }) => ({
        notice_type: 'notify',
        sub_type: 'title',
        group_id: id,
        user_id: this.#num(userId),
        title: title ?? '',
      })),
    'channel.renamed': ({ channelId, by, name }) =>
      this.#notice(channelId, ({ id }) => ({
        notice_type: 'notify',
        sub_type: 'group_name',
        group_id: id,
        user_id: this.#num(by),
        name_new: name,
      })),
    'member.role': ({ role }) => this.#lookAtAdmins(role.server_id),
    'role.updated': ({ role }) => this.#lookAtAdmins(role.server_id),
    'role.deleted': ({ serverId }) => this.#lookAtAdmins(serverId),
    'channel.created': ({ serverId }) => this.#look(serverId),
    'channel.visibility': ({ serverId, channelId, deleted }) => {
      if (deleted) this.#dissolved(serverId, channelId)
      else this.#look(serverId)
    },
    'override.set': ({ serverId }) => this.#look(serverId),
    'override.removed': ({ serverId }) => this.#look(serverId),
    'member.visibility': ({ serverId, userId }) => {
      const bot = this.#bots.get(userId)
      if (bot !== undefined) this.#lookFor(bot, serverId, 'approve', 0)
    },
    'server.deleted': ({ serverId }) => {
      this.#dissolved(serverId, null)
      this.#admins.delete(serverId)
    },
  }

  #essence({ channelId, messageId, by }: Of<'message.pinned' | 'message.unpinned'>, what: 'add' | 'delete'): void {
    const place = this.#world.messages.named(messageId)
    if (place === null) return
    const sender = this.#num(place.author_id)
    this.#notice(channelId, ({ id }) => ({
      notice_type: 'essence',
      sub_type: what,
      group_id: id,
      user_id: sender,
      sender_id: sender,
      operator_id: this.#num(by),
      message_id: place.num,
    }))
  }

  #reaction({ channelId, messageId, userId, emoji }: Of<'reaction.added' | 'reaction.removed'>, added: boolean): void {
    const num = this.#world.messages.named(messageId)?.num ?? null
    if (num === null) return
    this.#notice(channelId, ({ id }) => ({
      notice_type: 'group_msg_emoji_like',
      group_id: id,
      user_id: this.#num(userId),
      message_id: num,
      likes: [{ emoji_id: toEmojiId(emoji), count: 1 }],
      is_add: added,
    }))
  }

  #poke({ from, to, channelId }: Of<'poke'>): void {
    const [sender_id, target_id] = [this.#num(from), this.#num(to)]
    const poke = { notice_type: 'notify', sub_type: 'poke', user_id: sender_id, sender_id, target_id } as const
    if (channelId !== null) return this.#notice(channelId, ({ id }) => ({ ...poke, group_id: id }))
    for (const side of [from, to]) {
      const bot = this.#bots.get(side)
      if (bot !== undefined) this.#one(bot, poke)
    }
  }

  /** Those that the bot decides. */
  #request(request: Request): void {
    const { kind, to_user, server_id } = request
    const tell = (bot: WorldBot, asked: ReturnType<typeof toFriendRequest>): void =>
      bot.tell({ kind: 'request', time: secondsOf(request.id), request: asked })
    const own = to_user === null ? undefined : this.#bots.get(to_user)
    if (kind === 'friend' && own !== undefined) return tell(own, toFriendRequest(this.#world, request))
    if (server_id === null) return
    if (kind === 'invite' && own !== undefined) {
      // It does not see the server yet: its first channel stands for it.
      const [first] = this.#world.channels.textOf(server_id)
      if (first !== undefined) tell(own, toGroupRequest(this.#world, request, { id: first.num }))
    }
    if (kind !== 'join') return
    for (const bot of this.#bots.values()) {
      const [group] = bot.groupsSeen.of(server_id)
      if (group === undefined || !this.#world.arrivals.mayDecide(bot.userId, server_id)) continue
      tell(bot, toGroupRequest(this.#world, request, group))
    }
  }

  #left({ serverId, userId, channelIds }: Of<'member.left'>): void {
    const sent = this.#sending?.serverId === serverId && this.#sending.userId === userId ? this.#sending : null
    const user_id = this.#num(userId)
    const operator_id = sent === null ? user_id : this.#num(sent.by)
    const own = this.#bots.get(userId)
    if (own !== undefined) {
      const sub_type = sent === null ? 'leave' : 'kick_me'
      for (const { id } of own.groupsSeen.look(serverId).lost) {
        this.#one(own, { notice_type: 'group_decrease', sub_type, group_id: id, operator_id, user_id })
      }
    }
    this.#noticeAll(channelIds, ({ id }) => ({
      notice_type: 'group_decrease',
      sub_type: sent === null ? 'leave' : 'kick',
      group_id: id,
      operator_id,
      user_id,
    }))
    this.#lookAtAdmins(serverId)
  }

  /** A channel has gone, or all of a server. */
  #dissolved(server: string, channel: string | null): void {
    for (const bot of this.#bots.values()) {
      const user_id = this.#num(bot.userId)
      for (const { id, channelId } of bot.groupsSeen.look(server).lost) {
        const gone = channel === null || channelId === channel
        const sub_type = gone ? 'disband' : 'leave'
        this.#one(bot, { notice_type: 'group_decrease', sub_type, group_id: id, operator_id: 0, user_id })
      }
    }
  }

  /** Who is an admin now and was none, and the other way round; who has left is told of as gone. */
  #lookAtAdmins(server: string): void {
    const before = this.#admins.get(server)
    if (before === undefined) return
    const now = this.#adminsOf(server)
    this.#admins.set(server, now)
    const changed = [
      ...[...now].filter((user) => !before.has(user)).map((user) => ({ user, sub_type: 'set' as const })),
      ...[...before].filter((user) => !now.has(user)).map((user) => ({ user, sub_type: 'unset' as const })),
    ]
    for (const { user, sub_type } of changed) {
      const notice = { notice_type: 'group_admin', sub_type, user_id: this.#num(user) } as const
      this.#noticeAll(this.#visibleTo(user, server), ({ id }) => ({ ...notice, group_id: id }))
    }
  }
}
