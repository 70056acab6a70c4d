import type { Content } from '../../../lib/chat/media.ts'
import type { World } from '../../../lib/chat/world.ts'
import { hashToken, makeRefreshToken } from '../../../lib/gateway/tokens.ts'
import { type Caller, MEMBERS, ROLES } from './callers.ts'

/** Those of the callers who have an account. */
export type Account = Exclude<Caller, 'nobody' | 'expired'>

const KINDS = [
  'server',
  'channel',
  'voice',
  'message',
  'pinned',
  'poll',
  'option',
  'role',
  'held',
  'override',
  'invite',
  'code',
  'emoji',
  'portrait',
  'file',
  'signature',
  'direct',
  'directMessage',
  'friendRequest',
  'joinRequest',
  'invitation',
  'app',
  'refresh',
  'reaction',
  'other',
  'name',
  'target',
  'somebody',
  'me',
] as const
/** What a request can be about: a thing, or somebody. */
export type Thing = (typeof KINDS)[number] | Account
export type Things = Readonly<Record<Thing, string>>

/** A server with all that there is in one, and what its people have besides. */
export interface Scene {
  readonly world: World
  readonly things: Things
}

export const IMAGE = 'GIF89a'
export const PASSWORD = 'a passphrase of the harbour'
/** Emoji as a path has them: one that all have said, and one that nobody has. */
const [ANCHOR, BOAT] = ['⚓', '⛵']

export interface SceneOptions {
  readonly people: Readonly<Record<Account, string>>
  readonly passwordHash: string
  /** Of the image. */
  readonly content: Content
  /** The server needs no invite. */
  readonly open: boolean
}

let serial = 0

/**
 * Part of a change. The target is a plain member, somebody is in no server; both are new. The member has written the message;
 * all have reacted to it.
 */
export function makeScene(world: World, { people, passwordHash, content, open }: SceneOptions): Scene {
  const { users, servers, roles, channels, messages, arrivals } = world
  const { owner, admin, moderator, member, bot, stranger, banned } = people
  const name = `x${++serial}`
  const add = (kind: string): string =>
    users.create({ username: `${name}_${kind}`, email: null, passwordHash, bot: false }).id
  const [target, somebody] = [add('target'), add('somebody')]
  const draft = { name: 'Harbour', icon_url: null, is_public: 1, require_invite: open ? 0 : 1 } as const
  const server = servers.create(owner, draft).id
  for (const user of [admin, moderator, member, bot, target]) servers.admit(user, server)
  world.moderation.ban(owner, server, banned, null)
  const role = (permissions: number, position: number): string =>
    roles.create(owner, server, { name: 'Pilot', permissions, color: null, position }).id
  roles.give(owner, server, admin, role(ROLES.admin, 10))
  roles.give(owner, server, moderator, role(ROLES.moderator, 5))
  const [free, held, above] = [role(0, 1), role(0, 2), role(0, 3)]
  // What they lack is the permission: they are above the target.
  for (const user of [member, bot]) roles.give(owner, server, user, above)
  roles.give(owner, server, target, held)

  const room = (type: 'text' | 'voice'): string =>
    channels.create(owner, server, { name: 'pier', type, topic: null, category: null }).id
  const [channel, voice] = [room('text'), room('voice')]
  const said = { content: 'fog at six', replyTo: null }
  const message = messages.post(member, channel, said).id
  const pinned = messages.post(owner, channel, said).id
  messages.pin(owner, channel, pinned)
  for (const caller of MEMBERS) world.reactions.add(people[caller], channel, message, ANCHOR)
  const { poll } = messages.ask(owner, channel, { question: 'Sail?', options: ['yes', 'no'] })
  const override = world.overrides.set(owner, channel, { roleId: free, userId: null }, 0, 64).id
  const invite = world.invites.create(owner, server, null, null)
  const { url } = world.files.add(member, channel, 'chart.gif', content)
  const [path = '', signature = ''] = url.split('?')
  const { direct } = world.directs.open(owner, member)
  const refresh = makeRefreshToken()
  world.sessions.begin(somebody, hashToken(refresh), 3_600_000)

  world.portraits.setOfUser(owner, content)
  const things: Things = {
    ...people,
    server,
    channel,
    voice,
    message,
    pinned,
    poll: poll?.id ?? '',
    option: poll?.options[0]?.id ?? '',
    role: free,
    held,
    override,
    invite: invite.id,
    code: invite.code,
    emoji: world.emojis.create(owner, server, 'buoy', content).id,
    portrait: world.users.find(owner)?.avatar_file ?? '',
    file: path.replace('/files/', ''),
    signature,
    direct: direct.id,
    directMessage: world.directs.post(owner, direct.id, { content: 'tides' }).id,
    friendRequest: world.friends.ask(somebody, member, '').id,
    joinRequest: open ? '' : arrivals.askToJoin(somebody, server, '').id,
    invitation: arrivals.invite(owner, server, stranger, '').id,
    app: '',
    refresh,
    reaction: encodeURIComponent(ANCHOR),
    other: encodeURIComponent(BOAT),
    name,
    target,
    somebody,
    me: '',
  }
  return { world, things }
}
