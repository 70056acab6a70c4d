import type { OneBotEvent, OneBotNotice, OneBotRequest } from '../../../include-types/onebot.ts'
import { type Direct, type DirectMessage, otherOf } from '../../chat/directs.ts'
import { dispatch, type EventTable, type WorldEvent } from '../../chat/events.ts'
import { ADMIN_PERMISSIONS } from '../../chat/permissions.ts'
import type { Request } from '../../chat/requests.ts'
import type { Message } from '../../chat/store/messages.ts'
import type { World } from '../../chat/world.ts'
import type { OneBotBot } from '../../web/config/onebot-settings.ts'
import { rError, rInfo } from '../../websock/log.ts'
import { errorText } from '../../websock/run.ts'
import { type BotSettings, WorldBot } from './bot.ts'
import type { Group } from './groups.ts'
import { createNotices, type Means, type Told, toOffline, toUploads } from './notices.ts'
import { secondsOf, toGroupMessage, toPrivateMessage } from './reading.ts'
import { toFriendRequest, toGroupRequest } from './requests.ts'

interface Wanted {
  readonly user: string
  readonly server: string
}

/** What happens in the world, to the bots that hear of it: looked at once for all of them. */
export class Hub implements Means {
  readonly world: World
  readonly #bots = new Map<string, WorldBot>()
  /** Admins of the servers that bots are in, as they were told last. */
  readonly #admins = new Map<string, ReadonlySet<string>>()
  /** Servers that bots are to be in, and that are not there yet: by the user. */
  #wanted: Wanted[] = []
  /** Who sends whom away: told before the going. */
  #sending: { readonly serverId: string; readonly userId: string; readonly by: string } | null = null
  readonly #unlisten: () => void

  constructor(world: World) {
    this.world = world
    this.#unlisten = world.events.on((event) => this.#hear(event))
  }

  close(): void {
    this.#unlisten()
    this.#bots.clear()
  }

  /** The bot of a config, made where there is none. */
  async open({ handle, selfId, join }: OneBotBot, settings: BotSettings): Promise<WorldBot> {
    const { bots, users, changes } = this.world
    const user = await changes.run(() => users.find(bots.ensure(handle, selfId ?? undefined).user_id))
    if (user === null) throw new Error('The bot is nobody')
    const bot = new WorldBot(this.world, user, settings, () => this.#leave(user.id))
    this.#bots.set(user.id, bot)
    for (const { serverId } of bot.groupsSeen.all) this.#remember(serverId)
    this.#wanted.push(...join.map((server) => ({ user: user.id, server })))
    await this.#joinAll()
    for (const { server, user: who } of this.#wanted) {
      if (who === user.id) rInfo('onebot', "%s: there is no server '%s' yet", handle, server)
    }
    return bot
  }

  /** Nobody uses a bot any more. */
  #leave(user: string): void {
    this.#bots.delete(user)
    this.#wanted = this.#wanted.filter((wanted) => wanted.user !== user)
  }

  /** As whoever runs the host wants it: nobody has to ask a bot in. */
  async #joinAll(): Promise<void> {
    for (const wanted of this.#wanted) {
      try {
        if (!(await this.world.changes.run(() => this.#join(wanted)))) continue
      } catch (error) {
        rError('onebot', "a bot cannot join '%s': %s", wanted.server, errorText(error))
      }
      this.#wanted = this.#wanted.filter((one) => one !== wanted)
    }
  }

  /** Whether there is such a server. */
  #join({ user, server }: Wanted): boolean {
    const { servers, access } = this.world
    const id = servers.named(server)
    if (id === null) return false
    if (access.isMember(user, id)) return true
    servers.checkMayEnter(user, id)
    servers.admit(user, id)
    return true
  }

  num(user: string | null): number {
    return user === null ? 0 : (this.world.users.find(user)?.num ?? 0)
  }

  visible(user: string, server: string): readonly string[] {
    return this.world.access.isMember(user, server) ? this.world.access.visible(user, server) : []
  }

  get sentBy(): string | null {
    return this.#sending?.by ?? null
  }

  #hear(event: WorldEvent): void {
    if (this.#bots.size === 0) return
    const { type } = event
    if (type === 'member.kicked' || type === 'member.banned') {
      this.#sending = event
      return
    }
    const { serverId, userId } = this.#sending ?? {}
    if (type !== 'member.left' || event.serverId !== serverId || event.userId !== userId) this.#sending = null
    // What a bot hears of itself it hears once.
    if (type === 'member.left') this.#gone(event.userId, event.serverId)
    dispatch(this.#notices, event)
    dispatch(this.#table, event)
    this.#sending = null
  }

  get #now(): number {
    return Math.floor(this.world.now() / 1000)
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

  /** One event for all bots that see a channel. */
  #notice({ channels, notice }: Told): void {
    for (const channel of channels) {
      const viewers = this.#viewers(channel)
      const [first] = viewers
      if (first === undefined) continue
      const event: OneBotEvent = { kind: 'notice', time: this.#now, notice: notice(first.group.id) }
      for (const { bot } of viewers) bot.tell(event)
    }
  }

  #one(bot: WorldBot | undefined, notice: OneBotNotice): void {
    bot?.tell({ kind: 'notice', time: this.#now, notice })
  }

  #remember(server: string): void {
    if (!this.#admins.has(server)) this.#admins.set(server, this.#adminsOf(server))
  }

  #adminsOf(server: string): ReadonlySet<string> {
    return new Set(this.world.roles.holders(server, ADMIN_PERMISSIONS))
  }

  readonly #notices = createNotices(this, (told) => this.#notice(told))

  readonly #table: EventTable = {
    'message.created': ({ message }) => {
      this.#message(message)
      for (const upload of toUploads(message, this)) this.#notice(upload)
    },
    'message.updated': ({ message, completed }) => {
      if (completed) this.#message(message)
    },
    'direct.message': ({ direct, message }) => this.#direct(direct, message),
    'direct.deleted': ({ direct, message }) => {
      for (const side of [direct.user_lo, direct.user_hi]) {
        const user_id = this.num(otherOf(direct, side))
        this.#one(this.#bots.get(side), { notice_type: 'friend_recall', user_id, message_id: message.num })
      }
    },
    'friend.added': ({ userId, other }) => {
      this.#one(this.#bots.get(userId), { notice_type: 'friend_add', user_id: this.num(other) })
      this.#one(this.#bots.get(other), { notice_type: 'friend_add', user_id: this.num(userId) })
    },
    'user.liked': ({ from, to, times }) => {
      const user = this.world.users.find(from)
      const [operator_id, operator_nick] = [user?.num ?? 0, user?.username ?? '']
      const like = { notice_type: 'notify', sub_type: 'profile_like', operator_id, operator_nick, times } as const
      this.#one(this.#bots.get(to), like)
    },
    'poke': ({ from, to, channelId }) => {
      if (channelId !== null) return
      const [sender_id, target_id] = [this.num(from), this.num(to)]
      const poke = { notice_type: 'notify', sub_type: 'poke', user_id: sender_id, sender_id, target_id } as const
      for (const side of [from, to]) this.#one(this.#bots.get(side), poke)
    },
    'typing': ({ user, to }) => {
      if (to === null) return
      const [event_type, status_text] = [1, 'typing']
      const typing = { notice_type: 'notify', sub_type: 'input_status', group_id: 0, event_type, status_text } as const
      this.#one(this.#bots.get(to), { ...typing, user_id: this.num(user.id) })
    },
    'request.made': ({ request }) => this.#request(request),
    'member.joined': ({ serverId, userId, by, invited }) =>
      this.#look(this.#bots.get(userId), serverId, invited ? 'invite' : 'approve', this.num(by)),
    'member.left': ({ serverId }) => this.#lookAtAdmins(serverId),
    'member.role': ({ role }) => this.#lookAtAdmins(role.server_id),
    'role.updated': ({ role }) => this.#lookAtAdmins(role.server_id),
    'role.deleted': ({ serverId }) => this.#lookAtAdmins(serverId),
    'channel.created': ({ serverId }) => {
      this.#lookAll(serverId)
      if (this.#wanted.length > 0) void this.#joinAll()
    },
    'channel.visibility': ({ serverId, channelId, deleted }) => {
      if (deleted) this.#dissolved(serverId, channelId)
      else this.#lookAll(serverId)
    },
    'override.set': ({ serverId }) => this.#lookAll(serverId),
    'override.removed': ({ serverId }) => this.#lookAll(serverId),
    'member.visibility': ({ serverId, userId }) => this.#look(this.#bots.get(userId), serverId, 'approve', 0),
    'server.deleted': ({ serverId }) => {
      this.#dissolved(serverId, null)
      this.#admins.delete(serverId)
    },
  }

  #message(message: Message): void {
    const viewers = this.#viewers(message.channel_id)
    const [first] = viewers
    if (first === undefined || message.draft === 1) return
    const { bot, group } = first
    const event: OneBotEvent = {
      kind: 'message',
      message: toGroupMessage(this.world, group, message, bot.base),
    }
    for (const viewer of viewers) viewer.bot.tell(event)
  }

  #direct(direct: Direct, message: DirectMessage): void {
    for (const side of [direct.user_lo, direct.user_hi]) {
      const bot = this.#bots.get(side)
      if (bot === undefined) continue
      bot.tell({ kind: 'message', message: toPrivateMessage(this.world, side, direct, message, bot.base) })
      if (message.author_id === side) continue
      for (const notice of toOffline(message, this, bot.base)) this.#one(bot, notice)
    }
  }

  /** Those that the bot decides. */
  #request(request: Request): void {
    const { kind, to_user, server_id } = request
    const tell = (bot: WorldBot, asked: OneBotRequest): void =>
      bot.tell({ kind: 'request', time: secondsOf(request.id), request: asked })
    const own = to_user === null ? undefined : this.#bots.get(to_user)
    if (kind === 'friend' && own !== undefined) return tell(own, toFriendRequest(this.world, request))
    if (server_id === null) return
    if (kind === 'invite' && own !== undefined) {
      // It does not see the server yet: its first channel stands for it, where there is one.
      const [first] = this.world.channels.textOf(server_id)
      tell(own, toGroupRequest(this.world, request, { id: first?.num ?? 0 }))
    }
    if (kind !== 'join') return
    for (const bot of this.#bots.values()) {
      const [group] = bot.groupsSeen.of(server_id)
      if (group === undefined || !this.world.arrivals.mayDecide(bot.userId, server_id)) continue
      tell(bot, toGroupRequest(this.world, request, group))
    }
  }

  /** What bots see of a server may be other than before. */
  #lookAll(server: string): void {
    for (const bot of this.#bots.values()) this.#look(bot, server, 'approve', 0)
  }

  /** To a bot, what it sees anew is a group that it has come into, and the other way round. */
  #look(bot: WorldBot | undefined, server: string, how: 'approve' | 'invite', operator_id: number): void {
    if (bot === undefined) return
    const { gained, lost } = bot.groupsSeen.look(server)
    if (gained.length > 0) this.#remember(server)
    const user_id = this.num(bot.userId)
    for (const { id } of gained) {
      this.#one(bot, { notice_type: 'group_increase', sub_type: how, group_id: id, operator_id, user_id })
    }
    for (const { id } of lost) {
      this.#one(bot, { notice_type: 'group_decrease', sub_type: 'leave', group_id: id, operator_id, user_id })
    }
  }

  /** A bot has left, or was sent away. */
  #gone(userId: string, server: string): void {
    const bot = this.#bots.get(userId)
    if (bot === undefined) return
    const { sentBy } = this
    const user_id = this.num(userId)
    const operator_id = sentBy === null ? user_id : this.num(sentBy)
    const sub_type = sentBy === null ? 'leave' : 'kick_me'
    for (const { id } of bot.groupsSeen.look(server).lost) {
      this.#one(bot, { notice_type: 'group_decrease', sub_type, group_id: id, operator_id, user_id })
    }
  }

  /** A channel has gone, or all of a server. */
  #dissolved(server: string, channel: string | null): void {
    for (const bot of this.#bots.values()) {
      const user_id = this.num(bot.userId)
      for (const { id, channelId } of bot.groupsSeen.look(server).lost) {
        const sub_type = channel === null || channelId === channel ? 'disband' : 'leave'
        this.#one(bot, { notice_type: 'group_decrease', sub_type, group_id: id, operator_id: 0, user_id })
      }
    }
  }

  /** Who is an admin now and was none, and the other way round. */
  #lookAtAdmins(server: string): void {
    const before = this.#admins.get(server)
    if (before === undefined) return
    const now = this.#adminsOf(server)
    this.#admins.set(server, now)
    const changed = [...now, ...before].filter((user) => now.has(user) !== before.has(user))
    for (const user of changed) {
      const sub_type = now.has(user) ? 'set' : 'unset'
      const notice = { notice_type: 'group_admin', sub_type, user_id: this.num(user) } as const
      this.#notice({ channels: this.visible(user, server), notice: (group_id) => ({ ...notice, group_id }) })
    }
  }
}
