import type { OneBotTarget } from '../../../include-types/onebot.ts'
import type {
  OneBotContacts,
  OneBotGroupRequest,
  OneBotLikes,
  OneBotRecent,
} from '../../../include-types/onebot-parts.ts'
import { otherOf } from '../../chat/directs.ts'
import type { Request } from '../../chat/requests.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import type { BotMeans } from './means.ts'
import { findUser, toPerson, toSeconds, toUser } from './reading.ts'
import { asking, changing } from './refusals.ts'
import { MAX_REMARK, toGroupRequest } from './requests.ts'

/** Those that a bot has to do with. */
export class WorldContacts implements OneBotContacts {
  readonly #world: World
  readonly #means: BotMeans

  constructor(world: World, means: BotMeans) {
    this.#world = world
    this.#means = means
  }

  async removeFriend(num: number): Promise<void> {
    const { id } = findUser(this.#world, num)
    await this.#change(() => this.#world.friends.remove(this.#means.bot, id))
  }

  async setRemark(target: OneBotTarget, remark: string): Promise<void> {
    if (remark.length > MAX_REMARK) {
      throw new PlatformError('SEND_MSG_API_ERROR', `a remark has ${MAX_REMARK} characters at most`)
    }
    const { bot } = this.#means
    const [kind, id] =
      'group' in target
        ? (['channel', this.#means.group(target.group).channelId] as const)
        : (['user', findUser(this.#world, target.user).id] as const)
    await this.#change(() => this.#world.remarks.set(bot, kind, id, remark))
  }

  recent(count: number): OneBotRecent[] {
    const { history, directs, users, channels, remarks } = this.#world
    const { bot, groups } = this.#means
    const inGroups = groups.all.map(({ id, channelId }) => ({
      num: history.ofChannel(channelId, null, 1)[0] ?? 0,
      read: () => ({
        id,
        name: channels.find(channelId)?.name ?? '',
        remark: remarks.find(bot, 'channel', channelId),
      }),
    }))
    const inDirects = directs.of(bot).map((direct) => ({
      num: history.ofDirect(direct.id, null, 1)[0] ?? 0,
      read: () => {
        const other = otherOf(direct, bot)
        const user = users.find(other)
        return { id: user?.num ?? 0, name: user?.username ?? '', remark: remarks.find(bot, 'user', other) }
      },
    }))
    // Numbers of messages grow, wherever they are.
    return [...inGroups, ...inDirects]
      .filter(({ num }) => num > 0)
      .toSorted((one, other) => other.num - one.num)
      .slice(0, Math.max(0, count))
      .map(({ num, read }) => ({ message: this.#means.message(num), chat: read() }))
  }

  requests(count: number): OneBotGroupRequest[] {
    const { arrivals, channels } = this.#world
    const { bot, groups } = this.#means
    const servers = [...new Set(groups.all.map(({ serverId }) => serverId))]
    const joins = servers.filter((id) => arrivals.mayDecide(bot, id)).flatMap((id) => arrivals.joinRequests(bot, id))
    return [...arrivals.invitations(bot), ...joins]
      .toSorted((one, other) => (one.id < other.id ? 1 : -1))
      .slice(0, Math.max(0, count))
      .map((request) => {
        // A server that the bot does not see yet is its first channel, as it was told.
        const [first] = channels.textOf(request.server_id ?? '')
        return this.#toRequest(request, { id: first?.num ?? 0, name: first?.name ?? '' })
      })
  }

  #toRequest(request: Request, group: OneBotGroupRequest['group']): OneBotGroupRequest {
    return {
      request: toGroupRequest(this.#world, request, group),
      from: toPerson(this.#world, request.from_user),
      group,
    }
  }

  type(num: number): void {
    const { id } = findUser(this.#world, num)
    asking('FRIEND_NOT_FOUND', () => this.#world.pokes.typeTo(this.#means.bot, id))
  }

  likes(num: number, start: number, count: number): OneBotLikes {
    const { likes, users, friends } = this.#world
    const { bot } = this.#means
    const { id } = findUser(this.#world, num)
    const own = id === bot ? likes.likers(bot, Math.max(0, start), Math.max(0, count)) : []
    return {
      ...likes.of(id),
      users: own.flatMap(({ from_user, times, today, last_at }) => {
        const user = users.find(from_user)
        const isFriend = friends.are(bot, from_user)
        return user === null
          ? []
          : [{ user: toUser(this.#world, user), times, today: today ?? 0, at: toSeconds(last_at), isFriend }]
      }),
    }
  }

  async #change(change: () => void): Promise<void> {
    await changing(this.#world, 'FRIEND_NOT_FOUND', change)
  }
}
