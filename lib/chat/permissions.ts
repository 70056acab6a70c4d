/** What a member may do: bits of roles and overrides. */
export const VIEW_CHANNEL = 1 << 0
export const SEND_MESSAGES = 1 << 1
/** Delete those of others, pin. */
export const MANAGE_MESSAGES = 1 << 2
export const ATTACH_FILES = 1 << 3
export const ADD_REACTIONS = 1 << 4
export const CONNECT_VOICE = 1 << 5
export const SPEAK = 1 << 6
/** Have others say nothing for a while; their voice, too. */
export const MUTE_MEMBERS = 1 << 7
export const KICK_MEMBERS = 1 << 8
export const BAN_MEMBERS = 1 << 9
export const MANAGE_CHANNELS = 1 << 10
export const MANAGE_ROLES = 1 << 11
export const MANAGE_SERVER = 1 << 12
/** Everything, whatever an override says. */
export const ADMINISTRATOR = 1 << 13
export const CREATE_INVITES = 1 << 14

export const ALL_PERMISSIONS = 0x7fff
/** Of a member without roles. */
export const DEFAULT_PERMISSIONS = VIEW_CHANNEL | SEND_MESSAGES | ATTACH_FILES | ADD_REACTIONS | CONNECT_VOICE | SPEAK
/** What an override can change: other bits in it have no effect. */
export const CHANNEL_PERMISSIONS = 0xff | MANAGE_CHANNELS
/** What a timeout takes away. */
export const SPEAKING = SEND_MESSAGES | ATTACH_FILES | ADD_REACTIONS

/** What a channel gives or takes, for everyone, a role or a user. */
export interface Override {
  readonly role_id: string | null
  readonly user_id: string | null
  readonly allow: number
  readonly deny: number
}

/** A member as far as permissions are concerned. */
export interface Standing {
  readonly user_id: string
  readonly owner: boolean
  readonly roles: readonly { readonly id: string; readonly permissions: number }[]
  /** May say nothing for now. */
  readonly silenced: boolean
}

/** Whether all bits of `needed` are there. */
export const has = (permissions: number, needed: number): boolean => (permissions & needed) === needed

/** In a whole server. */
export function serverPermissions({ owner, roles }: Pick<Standing, 'owner' | 'roles'>): number {
  if (owner) return ALL_PERMISSIONS
  const sum = roles.reduce((bits, { permissions }) => bits | permissions, DEFAULT_PERMISSIONS)
  return has(sum, ADMINISTRATOR) ? ALL_PERMISSIONS : sum
}

/** Who has one of these is an admin to bots, and speaks where others do not. */
export const ADMIN_PERMISSIONS = ADMINISTRATOR | MANAGE_MESSAGES | MANAGE_CHANNELS | MANAGE_ROLES | MANAGE_SERVER

export const isAdmin = ({ owner, roles }: Pick<Standing, 'owner' | 'roles'>): boolean =>
  owner || roles.some(({ permissions }) => (permissions & ADMIN_PERMISSIONS) !== 0)

/** In one channel: 0 where it cannot be seen. */
export function channelPermissions(member: Standing, overrides: readonly Override[]): number {
  const base = serverPermissions(member)
  if (has(base, ADMINISTRATOR)) return ALL_PERMISSIONS
  const roles = new Set(member.roles.map(({ id }) => id))
  // From the widest to the narrowest; what one role allows beats what another denies.
  const steps = [
    overrides.filter(({ role_id, user_id }) => role_id === null && user_id === null),
    overrides.filter(({ role_id }) => role_id !== null && roles.has(role_id)),
    overrides.filter(({ user_id }) => user_id === member.user_id),
  ]
  const bits = steps.reduce((sum, step) => {
    const deny = step.reduce((all, override) => all | override.deny, 0) & CHANNEL_PERMISSIONS
    const allow = step.reduce((all, override) => all | override.allow, 0) & CHANNEL_PERMISSIONS
    return (sum & ~deny) | allow
  }, base)
  if (!has(bits, VIEW_CHANNEL)) return 0
  return member.silenced ? bits & ~SPEAKING : bits
}
