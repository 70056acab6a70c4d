import type { Content } from '../../lib/chat/media.ts'
import type { Town } from '../support/world.ts'

/* What the audit log has an entry of. */

const GIF: Content = { mime: 'image/gif', kind: 'image', size: 6, sha256: 'ab'.repeat(32) }

/** Makes what is needed, and then what is to be logged: again, where that changes nothing. */
export interface Audited {
  readonly action: string
  readonly make: (town: Town) => { readonly target: readonly [string, string]; readonly act: () => unknown }
  /** By bob, who is a member, or somebody else. */
  readonly by?: 'bob' | 'cleo'
  readonly repeats?: boolean
}

export const draft = { name: 'Pilot', permissions: 0, color: null, position: null }
const named = { name: 'pier', type: 'text', topic: null, category: null } as const
const own = { roleId: null, userId: null }

const ofMembers: readonly Audited[] = [
  {
    action: 'server.update',
    repeats: true,
    make: (t) => ({
      target: ['server', t.place],
      act: () => t.do(({ servers }) => servers.change(t.ada, t.place, { name: 'Port', require_invite: 1 })),
    }),
  },
  {
    action: 'server.join',
    by: 'cleo',
    make: (t) => ({ target: ['server', t.place], act: () => t.join(t.cleo, t.place) }),
  },
  {
    action: 'server.leave',
    by: 'bob',
    make: (t) => ({
      target: ['server', t.place],
      act: () => t.do(({ servers }) => servers.leave(t.bob, t.place)),
    }),
  },
  {
    action: 'member.kick',
    make: (t) => ({
      target: ['user', t.bob],
      act: () => t.do(({ moderation }) => moderation.kick(t.ada, t.place, t.bob, 'spam')),
    }),
  },
  {
    action: 'member.ban',
    repeats: true,
    make: (t) => ({
      target: ['user', t.bob],
      act: () => t.do(({ moderation }) => moderation.ban(t.ada, t.place, t.bob, 'spam')),
    }),
  },
  {
    action: 'member.unban',
    repeats: true,
    make: (t) => {
      t.do(({ moderation }) => moderation.ban(t.ada, t.place, t.bob, null))
      return {
        target: ['user', t.bob],
        act: () => t.do(({ moderation }) => moderation.unban(t.ada, t.place, t.bob)),
      }
    },
  },
  {
    action: 'member.timeout',
    make: (t) => ({
      target: ['user', t.bob],
      act: () => t.do(({ moderation }) => moderation.silence(t.ada, t.place, t.bob, 300, null)),
    }),
  },
  {
    action: 'member.timeout_remove',
    repeats: true,
    make: (t) => {
      t.do(({ moderation }) => moderation.silence(t.ada, t.place, t.bob, 300, null))
      return {
        target: ['user', t.bob],
        act: () => t.do(({ moderation }) => moderation.endSilence(t.ada, t.place, t.bob)),
      }
    },
  },
  {
    action: 'member.rename',
    repeats: true,
    make: (t) => ({
      target: ['user', t.bob],
      act: () => t.do(({ members }) => members.rename(t.ada, t.place, t.bob, 'Skipper')),
    }),
  },
  {
    action: 'member.title',
    repeats: true,
    make: (t) => ({
      target: ['user', t.bob],
      act: () => t.do(({ members }) => members.entitle(t.ada, t.place, t.bob, 'Lookout', null)),
    }),
  },
]

const ofRoles: readonly Audited[] = [
  {
    action: 'role.update',
    repeats: true,
    make: (t) => {
      const role = t.role(t.ada, t.place, [], 0)
      return {
        target: ['role', role],
        act: () => t.do(({ roles }) => roles.change(t.ada, t.place, role, { name: 'x' })),
      }
    },
  },
  {
    action: 'role.delete',
    make: (t) => {
      const role = t.role(t.ada, t.place, [t.bob], 0)
      return { target: ['role', role], act: () => t.do(({ roles }) => roles.remove(t.ada, t.place, role)) }
    },
  },
  {
    action: 'member.role_add',
    repeats: true,
    make: (t) => {
      const role = t.role(t.ada, t.place, [], 0)
      return { target: ['role', role], act: () => t.do(({ roles }) => roles.give(t.ada, t.place, t.bob, role)) }
    },
  },
  {
    action: 'member.role_remove',
    repeats: true,
    make: (t) => {
      const role = t.role(t.ada, t.place, [t.bob], 0)
      return { target: ['role', role], act: () => t.do(({ roles }) => roles.take(t.ada, t.place, t.bob, role)) }
    },
  },
]

const ofChannels: readonly Audited[] = [
  {
    action: 'channel.update',
    repeats: true,
    make: (t) => ({
      target: ['channel', t.pier],
      act: () => t.do(({ channels }) => channels.change(t.ada, t.place, t.pier, { topic: 'ships' })),
    }),
  },
  {
    action: 'channel.delete',
    make: (t) => ({
      target: ['channel', t.pier],
      act: () => t.do(({ channels }) => channels.remove(t.ada, t.place, t.pier)),
    }),
  },
  {
    action: 'override.set',
    repeats: true,
    make: (t) => {
      const { id } = t.do(({ overrides }) => overrides.set(t.ada, t.pier, own, 0, 0))
      return { target: ['override', id], act: () => t.do(({ overrides }) => overrides.set(t.ada, t.pier, own, 0, 2)) }
    },
  },
  {
    action: 'override.remove',
    make: (t) => {
      const { id } = t.do(({ overrides }) => overrides.set(t.ada, t.pier, own, 0, 2))
      return { target: ['override', id], act: () => t.do(({ overrides }) => overrides.remove(t.ada, t.pier, id)) }
    },
  },
]

export const invite = (t: Town) => t.do(({ invites }) => invites.create(t.ada, t.place, 1, null))
const emoji = (t: Town) => t.do(({ emojis }) => emojis.create(t.ada, t.place, 'buoy', GIF))
const wish = (t: Town): string => {
  t.do(({ servers }) => servers.change(t.ada, t.place, { require_invite: 1 }))
  return t.do(({ arrivals }) => arrivals.askToJoin(t.cleo, t.place, '')).id
}

const ofArrivals: readonly Audited[] = [
  {
    action: 'invite.delete',
    make: (t) => {
      const { id } = invite(t)
      return { target: ['invite', id], act: () => t.do(({ invites }) => invites.remove(t.ada, t.place, id)) }
    },
  },
  {
    action: 'invite.accept',
    by: 'cleo',
    make: (t) => {
      const { id, code } = invite(t)
      return { target: ['invite', id], act: () => t.do(({ invites }) => invites.accept(t.cleo, code)) }
    },
  },
  {
    action: 'emoji.delete',
    make: (t) => {
      const { id } = emoji(t)
      return { target: ['emoji', id], act: () => t.do(({ emojis }) => emojis.remove(t.ada, t.place, id)) }
    },
  },
  {
    action: 'member.invite',
    make: (t) => ({
      target: ['user', t.cleo],
      act: () => t.do(({ arrivals }) => arrivals.invite(t.ada, t.place, t.cleo, '')),
    }),
  },
  {
    action: 'join.accept',
    make: (t) => {
      const id = wish(t)
      return { target: ['user', t.cleo], act: () => t.do(({ arrivals }) => arrivals.acceptJoin(t.ada, t.place, id)) }
    },
  },
  {
    action: 'join.reject',
    make: (t) => {
      const id = wish(t)
      const act = () => t.do(({ arrivals }) => arrivals.rejectJoin(t.ada, t.place, id, null))
      return { target: ['user', t.cleo], act }
    },
  },
]

/** What makes something: its id is known afterwards. */
export const MAKING = {
  'role.create': ['role', (t: Town) => t.do(({ roles }) => roles.create(t.ada, t.place, draft)).id],
  'channel.create': ['channel', (t: Town) => t.do(({ channels }) => channels.create(t.ada, t.place, named)).id],
  'override.set': ['override', (t: Town) => t.do(({ overrides }) => overrides.set(t.ada, t.pier, own, 0, 2)).id],
  'invite.create': ['invite', (t: Town) => invite(t).id],
  'emoji.create': ['emoji', (t: Town) => emoji(t).id],
} as const

export const AUDITED = [...ofMembers, ...ofRoles, ...ofChannels, ...ofArrivals]
