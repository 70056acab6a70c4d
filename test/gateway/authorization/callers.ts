/*
 * Who calls, and what a rule says to each of them: the answers of the matrix are made of it, none is written out.
 */

/** Members of the server that a request is about. */
export const MEMBERS = ['owner', 'admin', 'moderator', 'member', 'bot'] as const
/** The stranger is in a server of their own; a token that is expired is the owner's. */
export const CALLERS = [...MEMBERS, 'stranger', 'banned', 'nobody', 'expired'] as const
export type Caller = (typeof CALLERS)[number]

/** The bits of the specification. */
export const SEND_MESSAGES = 2
export const MANAGE_MESSAGES = 4
export const ATTACH_FILES = 8
export const ADD_REACTIONS = 16
export const CONNECT_VOICE = 32
export const MUTE_MEMBERS = 128
export const KICK_MEMBERS = 256
export const BAN_MEMBERS = 512
export const MANAGE_CHANNELS = 1024
export const MANAGE_ROLES = 2048
export const MANAGE_SERVER = 4096
export const CREATE_INVITES = 16_384

/** What the roles of the server give. */
export const ROLES = {
  admin: 8192,
  moderator: MANAGE_MESSAGES | MUTE_MEMBERS | KICK_MEMBERS | BAN_MEMBERS,
} as const

const [EVERYTHING, BY_DEFAULT] = [32_767, 123]
/** What each may do in the whole server; null: they are not in it. */
const HELD: Readonly<Record<Caller, number | null>> = {
  owner: EVERYTHING,
  admin: EVERYTHING,
  moderator: BY_DEFAULT | ROLES.moderator,
  member: BY_DEFAULT,
  bot: BY_DEFAULT,
  stranger: null,
  banned: null,
  nobody: null,
  expired: null,
}

const UNAUTHORIZED = '401 UNAUTHORIZED'
const FORBIDDEN = '403 FORBIDDEN'
const TIMED_OUT = '403 TIMED_OUT'
export const NOT_FOUND = '404 NOT_FOUND'
export const CONFLICT = '409 CONFLICT'

/** Who may call a route: whom no part of it sends away. */
export interface Rule {
  /** Where what it is about can be seen: by all, by all who are known, by members, by those who see the channel. */
  readonly seen: 'public' | 'known' | 'server' | 'channel'
  /** What account it is for. */
  readonly kind: 'any' | 'human' | 'bot'
  /** Permissions in the server, or in the channel. */
  readonly needs: number
  readonly may: (caller: Caller, has: boolean) => boolean
  /** What those who see it, and may not, are told. */
  readonly otherwise: string
}

const rule = (seen: Rule['seen'], rest: Partial<Rule> = {}): Rule => ({
  seen,
  kind: 'any',
  needs: 0,
  may: (_caller, has) => has,
  otherwise: FORBIDDEN,
  ...rest,
})

export const PUBLIC = rule('public')
export const USER = rule('known')
export const HUMAN = rule('known', { kind: 'human' })
export const BOT = rule('known', { kind: 'bot' })
export const MEMBER = rule('server')
export const VIEWER = rule('channel')
export const OWNER = rule('server', { may: (caller) => caller === 'owner' })
/** Members with a permission: in the server, in the channel. */
export const inServer = (needs: number): Rule => rule('server', { needs })
export const inChannel = (needs: number): Rule => rule('channel', { needs })
/** Of what the member has made; others may with a permission, or that as well. */
export const authorWith = (needs: number): Rule =>
  rule('channel', { needs, may: (caller, has) => caller === 'member' && has })
export const authorOr = (needs: number): Rule =>
  rule('channel', { needs, may: (caller, has) => caller === 'member' || has })
/** For some, whom it is for: for others it is not there. */
export const only = (...callers: readonly Caller[]): Rule =>
  rule('known', { may: (caller) => callers.includes(caller), otherwise: NOT_FOUND })
/** The same, of people. */
export const onlyHuman = (...callers: readonly Caller[]): Rule => ({ ...only(...callers), kind: 'human' })

/** How a channel is: as channels are; hidden; with what is needed denied to everyone, or allowed; all are in a timeout. */
export const MODES = ['plain', 'hidden', 'denied', 'allowed', 'silenced'] as const
export type Mode = (typeof MODES)[number]

const [VIEW_CHANNEL, SPEAKING] = [1, SEND_MESSAGES | ATTACH_FILES | ADD_REACTIONS]

/** What its override for everyone gives and takes. */
export const overrideIn = (mode: Mode, { needs }: Rule): { readonly allow: number; readonly deny: number } => ({
  allow: mode === 'allowed' ? needs : 0,
  deny: mode === 'hidden' ? VIEW_CHANNEL : mode === 'denied' ? needs : 0,
})

/** Whether a mode makes a difference. */
export function matters(mode: Mode, { seen, needs }: Rule): boolean {
  if (mode === 'plain') return true
  if (seen !== 'channel') return false
  if (mode === 'allowed') return (needs & ~BY_DEFAULT) !== 0
  return mode === 'hidden' || (needs & (mode === 'silenced' ? SPEAKING : needs)) !== 0
}

/** What a caller is told; null: what the route answers where all is well. */
export function refusalOf(asked: Rule, caller: Caller, mode: Mode): string | null {
  const { seen, kind, needs, may, otherwise } = asked
  if (seen === 'public') return null
  if (caller === 'nobody' || caller === 'expired') return UNAUTHORIZED
  if (kind !== 'any' && (kind === 'bot') !== (caller === 'bot')) return FORBIDDEN
  if (seen === 'known') return may(caller, true) ? null : otherwise
  const held = HELD[caller]
  if (held === null) return NOT_FOUND
  // Neither overrides nor timeouts are for those who may do everything.
  if (seen === 'server' || held === EVERYTHING) return may(caller, (held & needs) === needs) ? null : otherwise
  if (mode === 'hidden') return NOT_FOUND
  const { allow, deny } = overrideIn(mode, asked)
  const bits = (held & ~deny) | allow
  if (!may(caller, (bits & needs) === needs)) return otherwise
  return mode === 'silenced' && !may(caller, (bits & ~SPEAKING & needs) === needs) ? TIMED_OUT : null
}
