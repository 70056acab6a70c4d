import { isClean, isWithin } from '../../chat/content.ts'
import { toTime } from '../../chat/ids.ts'
import { CREATE_INVITES, isAdmin, KICK_MEMBERS, MANAGE_MESSAGES, MUTE_MEMBERS } from '../../chat/permissions.ts'
import type { User } from '../../chat/users.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError, type Reason } from '../failure.ts'
import type { Group } from './groups.ts'
import { changing } from './refusals.ts'

/** Code points of names: as the gateway has them. */
const [MAX_CARD, MAX_TITLE, MAX_NAME] = [64, 18, 100]
/** What the role of admins may do that bots hand out. */
const HANDED_OUT = MANAGE_MESSAGES | MUTE_MEMBERS | KICK_MEMBERS | CREATE_INVITES

/** What a bot does to groups and their members. Its rules are the world's: roles, permissions, who is above whom. */
export class Moderator {
  readonly #world: World
  readonly #bot: string

  constructor(world: World, bot: string) {
    this.#world = world
    this.#bot = bot
  }

  async #change(missing: Reason, change: () => unknown): Promise<void> {
    await changing(this.#world, missing, change, 'PERMISSION_DENIED')
  }

  kick({ serverId }: Group, { id }: User, block: boolean): Promise<void> {
    const { moderation } = this.#world
    return this.#change('MEMBER_NOT_FOUND', () =>
      block ? moderation.ban(this.#bot, serverId, id, null) : moderation.kick(this.#bot, serverId, id, null),
    )
  }

  mute({ serverId }: Group, { id }: User, seconds: number): Promise<void> {
    const { moderation } = this.#world
    return this.#change('MEMBER_NOT_FOUND', () =>
      seconds === 0
        ? moderation.endSilence(this.#bot, serverId, id)
        : moderation.silence(this.#bot, serverId, id, seconds, null),
    )
  }

  muteAll({ channelId }: Group, on: boolean): Promise<void> {
    return this.#change('GROUP_NOT_FOUND', () => this.#world.overrides.shut(this.#bot, channelId, on))
  }

  /** Who is an admin by another role is none that a bot has made. */
  setAdmin({ serverId }: Group, { id }: User, on: boolean): Promise<void> {
    const { roles, members, servers } = this.#world
    return this.#change('MEMBER_NOT_FOUND', () => {
      const managed = roles.managedOf(serverId)
      const { roles: held } = members.get(this.#bot, serverId, id)
      const others = held.filter((role) => role.id !== managed?.id)
      const owner = servers.known(serverId).owner_id === id
      if (isAdmin({ owner, roles: others })) throw new PlatformError('NOT_MANAGEABLE')
      if (!on) return managed === null ? undefined : roles.take(this.#bot, serverId, id, managed.id)
      const role = managed ?? this.#makeRole(serverId)
      roles.give(this.#bot, serverId, id, role.id)
    })
  }

  #makeRole(server: string) {
    const draft = { name: 'Group admin', permissions: HANDED_OUT, color: null, position: null } as const
    return this.#world.roles.create(this.#bot, server, { ...draft, managed: 'group_admin' })
  }

  setCard({ serverId }: Group, { id }: User, card: string): Promise<void> {
    checkName(card, MAX_CARD)
    if (card !== '' && card.trim() === '')
      throw new PlatformError('PERMISSION_DENIED', 'a card needs something to be seen')
    return this.#change('MEMBER_NOT_FOUND', () =>
      this.#world.members.rename(this.#bot, serverId, id, card === '' ? null : card),
    )
  }

  setTitle({ serverId }: Group, { id }: User, title: string, seconds: number): Promise<void> {
    checkName(title, MAX_TITLE)
    const until = seconds > 0 ? toTime(this.#world.now() + 1000 * Math.min(seconds, LONGEST)) : null
    return this.#change('MEMBER_NOT_FOUND', () =>
      this.#world.members.entitle(this.#bot, serverId, id, title === '' ? null : title, until),
    )
  }

  rename({ serverId, channelId }: Group, name: string): Promise<void> {
    if (name.trim() === '') throw new PlatformError('PERMISSION_DENIED', 'a group needs a name')
    checkName(name, MAX_NAME)
    return this.#change('GROUP_NOT_FOUND', () =>
      this.#world.channels.change(this.#bot, serverId, channelId, { name: name.trim() }),
    )
  }

  /** Of its whole server; who owns that stays, and may have the channel alone go. */
  leave({ serverId, channelId }: Group, dissolve: boolean): Promise<void> {
    const { servers, channels } = this.#world
    return this.#change('GROUP_NOT_FOUND', () => {
      if (servers.known(serverId).owner_id !== this.#bot) return servers.leave(this.#bot, serverId)
      if (dissolve) return channels.remove(this.#bot, serverId, channelId)
      throw new PlatformError('PERMISSION_DENIED', 'the owner leaves with is_dismiss only')
    })
  }
}

/** Seconds: a hundred years. */
const LONGEST = 3_155_760_000

function checkName(name: string, most: number): void {
  if (!isWithin(name, most) || !isClean(name)) {
    throw new PlatformError('PERMISSION_DENIED', `a name has ${most} characters at most, and is well-formed text`)
  }
}
