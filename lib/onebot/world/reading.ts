import type {
  OneBotGroup,
  OneBotMember,
  OneBotMessage,
  OneBotRole,
  OneBotSender,
  OneBotUser,
} from '../../../include-types/onebot.ts'
import type { OneBotPerson } from '../../../include-types/onebot-parts.ts'
import type { Direct, DirectMessage } from '../../chat/directs.ts'
import { otherOf } from '../../chat/directs.ts'
import { timeOf } from '../../chat/ids.ts'
import type { Member } from '../../chat/members.ts'
import { channelPermissions, isAdmin } from '../../chat/permissions.ts'
import type { Message } from '../../chat/store/messages.ts'
import type { User } from '../../chat/users.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import { type Said, toSegments } from './content.ts'
import type { Group } from './groups.ts'

/* The world's objects as OneBot has them. */

export const toSeconds = (time: string | null): number => (time === null ? 0 : Math.floor(Date.parse(time) / 1000))
export const secondsOf = (id: string): number => Math.floor(timeOf(id) / 1000)

const GONE = { num: 0, username: 'deleted' } as const

/** Throws USER_NOT_FOUND. */
export function findUser(world: World, num: number): User {
  const user = world.users.byNum(num)
  if (user === null) throw new PlatformError('USER_NOT_FOUND')
  return user
}

export const toPerson = (world: World, id: string | null): OneBotPerson => {
  const user = id === null ? null : world.users.find(id)
  return { id: user?.num ?? 0, name: user?.username ?? '' }
}

export const toUser = (world: World, user: User, remark = ''): OneBotUser => ({
  id: user.num,
  nickname: user.username,
  bio: user.bio ?? '',
  isBot: user.is_bot === 1,
  online: world.presence.isPresent(user.id),
  registeredAt: toSeconds(user.created_at),
  remark,
})

export function roleOf({ user_id, roles }: Pick<Member, 'user_id' | 'roles'>, owner: string): OneBotRole {
  if (user_id === owner) return 'owner'
  return isAdmin({ owner: false, roles }) ? 'admin' : 'member'
}

export const toMember = (world: World, group: Group, member: Member, owner: string): OneBotMember => {
  const user = world.users.find(member.user_id)
  return {
    groupId: group.id,
    userId: user?.num ?? GONE.num,
    nickname: member.username,
    card: member.nickname ?? '',
    role: roleOf(member, owner),
    title: member.title ?? '',
    titleExpiresAt: toSeconds(member.title_expires_at),
    joinedAt: toSeconds(member.joined_at),
    lastSentAt: toSeconds(world.messages.lastOf(member.user_id, group.channelId)),
    mutedUntil: toSeconds(member.timeout_expires_at),
    isBot: user?.is_bot === 1,
  }
}

/** @param members null: all members of the server see it */
export function toGroup(world: World, group: Group, members: number | null, remark: string): OneBotGroup {
  const channel = world.channels.find(group.channelId)
  return {
    id: group.id,
    name: channel?.name ?? '',
    memberCount: members ?? world.servers.known(group.serverId).member_count,
    maxMemberCount: MAX_MEMBERS,
    createdAt: channel === null ? 0 : toSeconds(channel.created_at),
    shut: channel?.shut === 1,
    remark,
  }
}

/** Members of a server who see a group. */
export function inChannel(world: World, bot: string, { serverId, channelId }: Group): Member[] {
  const { access, members, servers } = world
  const all = members.list(bot, serverId, null, MAX_MEMBERS)
  const overrides = access.overrides(channelId)
  if (overrides.length === 0) return all
  const { owner_id } = servers.known(serverId)
  return all.filter(({ user_id, roles }) => {
    const standing = { user_id, owner: user_id === owner_id, roles, silenced: false }
    return channelPermissions(standing, overrides) !== 0
  })
}

/** What clients want to know of a group: there is no such limit here. */
const MAX_MEMBERS = 100_000

/** Who has said something; who has gone is still called by name. */
function toSender(world: World, serverId: string, author: string | null): OneBotSender {
  const user = author === null ? null : world.users.find(author)
  if (user === null) return { id: GONE.num, nickname: GONE.username, card: '', role: 'member' }
  const from = { id: user.num, nickname: user.username }
  const member = world.members.find(serverId, user.id)
  if (member === null) return { ...from, card: '', role: 'member' }
  const { owner_id } = world.servers.known(serverId)
  return { ...from, card: member.nickname ?? '', role: roleOf(member, owner_id), title: member.title ?? '' }
}

export function toGroupMessage(world: World, group: Group, message: Message, base: string): OneBotMessage {
  const root = message.reply_to ?? message.thread_id
  return {
    id: message.num,
    seq: message.seq,
    time: secondsOf(message.id),
    group: { id: group.id, name: world.channels.find(group.channelId)?.name ?? '' },
    peer: null,
    subType: 'normal',
    sender: toSender(world, group.serverId, message.author_id),
    segments: toSegments({
      content: message.content,
      segments: message.segments,
      files: message.files,
      // What continues a thread answers its beginning.
      replyTo: root === null ? null : (world.messages.named(root)?.num ?? null),
      everyone: message.mention_everyone === 1,
      base,
      called: calledBy(world, message.mention_user_ids),
    }),
    native: message,
  }
}

function calledBy(world: World, ids: readonly string[]): Said['called'] {
  const users = [...world.users.findAll(ids).values()]
  return new Map(users.map(({ num, username }) => [username.toLowerCase(), { id: num, name: username }]))
}

/** Who does not know the bot has met it in a group. */
function toRelation(world: World, bot: string, direct: Direct): Pick<OneBotMessage, 'subType' | 'via'> {
  if (world.friends.are(direct.user_lo, direct.user_hi)) return { subType: 'friend' }
  const other = otherOf(direct, bot)
  for (const { id } of world.servers.of(bot)) {
    if (!world.access.isMember(other, id)) continue
    const shared = world.channels
      .textOf(id)
      .find((channel) => world.access.see(bot, channel.id) !== null && world.access.see(other, channel.id) !== null)
    if (shared !== undefined) return { subType: 'group', via: shared.num }
  }
  return { subType: 'other' }
}

export function toPrivateMessage(
  world: World,
  bot: string,
  direct: Direct,
  message: DirectMessage,
  base: string,
): OneBotMessage {
  const other = world.users.find(otherOf(direct, bot))
  const author = message.author_id === null ? null : world.users.find(message.author_id)
  return {
    id: message.num,
    seq: message.seq,
    time: secondsOf(message.id),
    group: null,
    peer: other?.num ?? GONE.num,
    ...toRelation(world, bot, direct),
    sender: { id: author?.num ?? GONE.num, nickname: author?.username ?? GONE.username, card: '' },
    segments: toSegments({
      content: message.content,
      segments: message.segments,
      files: message.files,
      replyTo: message.reply_to === null ? null : world.directs.numOf(message.reply_to),
      everyone: false,
      base,
      called: new Map(),
    }),
    native: message,
  }
}
