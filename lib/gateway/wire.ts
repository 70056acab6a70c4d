import type { Bot } from '../chat/bots.ts'
import type { Channel } from '../chat/channels.ts'
import { portraitUrl } from '../chat/portraits.ts'
import { type Direct, type DirectMessage, otherOf } from '../chat/directs.ts'
import type { Emoji } from '../chat/emojis.ts'
import type { Invite } from '../chat/invites.ts'
import type { Member } from '../chat/members.ts'
import type { Ban, Timeout } from '../chat/moderation.ts'
import type { StoredOverride } from '../chat/overrides.ts'
import type { Appearance } from '../chat/presence.ts'
import type { Request } from '../chat/requests.ts'
import type { Role } from '../chat/roles.ts'
import type { CountedServer, Server } from '../chat/servers.ts'
import type { Message } from '../chat/store/messages.ts'
import type { User } from '../chat/users.ts'
import type { World } from '../chat/world.ts'
import type { EventName } from './events.ts'

/*
 * The objects of the gateway as clients read them. Each field is always there, in this order; what has no value is null.
 */

const toProfile = (user: User, { status, custom_status, activity }: Appearance) => ({
  id: user.id,
  username: user.username,
  avatar_url: user.avatar_url,
  bio: user.bio,
  pronouns: user.pronouns,
  status,
  custom_status,
  activity,
  created_at: user.created_at,
})

const withSecrets = (user: User, appearance: Appearance, email: string | null, isAdmin: boolean) => {
  const { id, username, ...profile } = toProfile(user, appearance)
  const { avatar_url, bio, pronouns, status, custom_status, activity, created_at } = profile
  return {
    id,
    username,
    email,
    avatar_url,
    bio,
    pronouns,
    status,
    custom_status,
    activity,
    created_at,
    is_admin: isAdmin,
  }
}

/** As somebody sees themselves. */
export const toSelf = (world: World, user: User) =>
  withSecrets(user, world.presence.own(user), user.email, user.is_admin === 1)

/** The same fields as others see them: no address, and nobody is an admin. */
export const toOther = (world: World, user: User) => withSecrets(user, world.presence.seen(user), null, false)

export const toPublicProfile = (world: World, user: User) => toProfile(user, world.presence.seen(user))

export const toServer = ({ id, name, owner_id, icon_url, is_public, require_invite, ...server }: Server) => ({
  id,
  name,
  owner_id,
  icon_url,
  is_public: is_public === 1,
  require_invite: require_invite === 1,
  created_at: server.created_at,
  updated_at: server.updated_at,
})

export const toCountedServer = (server: CountedServer) => ({
  ...toServer(server),
  member_count: server.member_count,
})

export const toMember = ({ user_id, username, avatar_url, appearance, ...member }: Member) => ({
  user_id,
  username,
  avatar_url,
  status: appearance.status,
  custom_status: appearance.custom_status,
  activity: appearance.activity,
  nickname: member.nickname,
  joined_at: member.joined_at,
  timeout_expires_at: member.timeout_expires_at,
  roles: member.roles.map(({ id, name, color, position }) => ({ id, name, color, position })),
})

export const toRole = ({ id, server_id, name, permissions, color, position, created_at }: Role) => ({
  id,
  server_id,
  name,
  permissions,
  color,
  position,
  created_at,
})

/** A role of a member, as others hear of it. */
export const toMemberRole = ({ id, server_id, name, color }: Role, userId: string) => ({
  server_id,
  user_id: userId,
  role_id: id,
  role_name: name,
  role_color: color,
})

export const toChannel = ({
  id,
  server_id,
  name,
  type,
  position,
  category,
  topic,
  icon_file,
  created_at,
}: Channel) => ({
  id,
  server_id,
  name,
  type,
  position,
  category,
  topic,
  created_at,
  // An addition, as `files` of messages.
  ...(icon_file === null ? {} : { icon_url: portraitUrl(icon_file) }),
})

/** An override for everyone has the server in the place of a role. */
export const toOverride = (override: StoredOverride, server: string) => ({
  id: override.id,
  channel_id: override.channel_id,
  role_id: override.everyone === 1 ? server : override.role_id,
  user_id: override.user_id,
  allow: override.allow,
  deny: override.deny,
})

/** Most have none: an addition to what clients of before know, where there are some. */
const withFiles = ({ files }: Pick<Message, 'files'>) => (files.length === 0 ? {} : { files })

export const toMessage = (message: Message) => ({
  id: message.id,
  channel_id: message.channel_id,
  author_id: message.author_id,
  content: message.content,
  reply_to: message.reply_to,
  edited_at: message.edited_at,
  deleted: message.deleted === 1,
  created_at: message.created_at,
  mention_user_ids: message.mention_user_ids,
  mention_everyone: message.mention_everyone === 1,
  thread_id: message.thread_id,
  thread_reply_count: message.thread_reply_count,
  pinned: message.pinned === 1,
  pinned_by: message.pinned_by,
  pinned_at: message.pinned_at,
  poll: message.poll,
  ...withFiles(message),
})

export const toDirectMessage = ({ id, channel_id, author_id, content, reply_to, ...message }: DirectMessage) => ({
  id,
  channel_id,
  author_id,
  content,
  ...(reply_to === null ? {} : { reply_to }),
  edited_at: message.edited_at,
  created_at: message.created_at,
  ...withFiles(message),
})

export const toEmoji = ({ id, server_id, created_by, name, content_type, file_size, created_at }: Emoji) => ({
  id,
  server_id,
  created_by,
  name,
  url: `/emojis/${id}`,
  content_type,
  file_size,
  created_at,
})

export const toRequest = ({ id, kind, from_user, to_user, server_id, comment, state, ...request }: Request) => ({
  id,
  kind,
  from_user,
  to_user,
  server_id,
  comment,
  state,
  reason: request.reason,
  decided_by: request.decided_by,
  created_at: request.created_at,
  decided_at: request.decided_at,
})

export const toInvite = ({ id, server_id, code, created_by, max_uses, uses, expires_at, created_at }: Invite) => ({
  id,
  server_id,
  code,
  created_by,
  max_uses,
  uses,
  expires_at,
  created_at,
})

/** Makes JSON of something once, for as long as anybody has it: its author's answer says what everybody's frame says. */
function toText<T extends object>(toWire: (value: T) => unknown): (value: T) => string {
  const texts = new WeakMap<T, string>()
  return (value) => {
    const known = texts.get(value)
    if (known !== undefined) return known
    const text = JSON.stringify(toWire(value))
    texts.set(value, text)
    return text
  }
}

export const messageText = toText(toMessage)
export const directMessageText = toText(toDirectMessage)

/** As one of the two sees it: the other is its recipient. */
export function toDirect(world: World, direct: Direct, viewer: string, known: ReadonlyMap<string, User> | null = null) {
  const other = otherOf(direct, viewer)
  const user = known?.get(other) ?? world.users.find(other)
  if (user === null) throw new Error('A direct channel has a side that is nobody')
  const { id, created_at, last_message_at } = direct
  return { id, recipient: toOther(world, user), created_at, last_message_at }
}

export const toBot = ({ id, user_id, name, description, created_by, revoked_at, created_at }: Bot) => ({
  id,
  user_id,
  name,
  description,
  created_by,
  revoked_at,
  created_at,
})

export const toBan = ({ user_id, server_id, banned_by, reason, created_at }: Ban) => ({
  user_id,
  server_id,
  banned_by,
  reason,
  created_at,
})

export const toTimeout = ({ user_id, server_id, expires_at, reason, created_by, created_at }: Timeout) => ({
  user_id,
  server_id,
  expires_at,
  reason,
  created_by,
  created_at,
})

/** An event on the wire. */
export interface Frame<N extends EventName> {
  readonly type: N
  readonly text: string
}

export const toFrame = <N extends EventName>(type: N, data: unknown): Frame<N> => frameOf(type, JSON.stringify(data))

/** READY with what its connection goes on with after it has ended. */
export const withSession = (ready: string, id: string): string => `${ready.slice(0, -2)},"session_id":"${id}"}}`

/** The frame with its number: for those who have asked for numbers. */
export function withNumber(frame: string, s: number): string {
  const at = frame.indexOf(',"d":')
  return `${frame.slice(0, at)},"s":${s}${frame.slice(at)}`
}

/** The same, of data that is JSON already. */
export const frameOf = <N extends EventName>(type: N, json: string): Frame<N> => ({
  type,
  text: `{"op":"DISPATCH","t":"${type}","d":${json}}`,
})
