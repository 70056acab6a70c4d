import { groupBy } from '../chat/group.ts'
import { otherOf } from '../chat/directs.ts'
import { MAX_SNAPSHOT_OVERRIDES } from '../chat/limits.ts'
import type { StoredOverride } from '../chat/overrides.ts'
import type { User } from '../chat/users.ts'
import type { World } from '../chat/world.ts'
import { findVisible, type View } from './audience.ts'
import { toDirect, toFrame, toOverride, toRole, toSelf, toServer } from './wire.ts'

/** What a connection is told first, and what it gets events of from then on. */
export interface Snapshot extends View {
  /** READY. */
  readonly frame: string
}

/** Everything that somebody needs to begin with, as it is now: a few queries, however many servers and channels there are. */
export function takeSnapshot(world: World, user: User): Snapshot {
  const { id } = user
  const servers = world.servers.of(id)
  const directs = world.directs.of(id)
  const roles = groupBy(world.roles.around(id), ({ server_id }) => server_id)
  const overrides = groupBy(world.overrides.around(id), ({ server_id }) => server_id)
  // Most have no overrides, and no direct messages: what is only for those is not asked for.
  const held = overrides.size === 0 ? new Set<string>() : world.roles.heldBy(id)
  const channels = servers.flatMap(({ id: server, owner_id }) => {
    const own = overrides.get(server)
    if (own === undefined) return []
    const mine = (roles.get(server) ?? []).filter((role) => held.has(role.id))
    const standing = { user_id: id, owner: owner_id === id, roles: mine, silenced: false }
    return findVisible(own, standing).map((channel) => ({ ...channel, server }))
  })
  const hidden = new Set(channels.filter(({ visible }) => !visible).map((channel) => channel.id))
  const unread = world.unreads.inChannels(id).filter((channel) => !hidden.has(channel.id))
  const unreadDirects = directs.length === 0 ? [] : world.unreads.inDirects(id)
  const others = world.users.findAll(directs.map((direct) => otherOf(direct, id)))
  const frame = toFrame('READY', {
    user: toSelf(world, user),
    servers: servers.map(toServer),
    dm_channels: directs.map((direct) => toDirect(world, direct, id, others)),
    unread_counts: [...unread, ...unreadDirects]
      .filter((channel) => channel.unread > 0)
      .map((channel) => ({ channel_id: channel.id, unread_count: channel.unread })),
    mention_counts: unread
      .filter(({ mentions }) => mentions > 0)
      .map((channel) => ({ channel_id: channel.id, count: channel.mentions })),
    server_roles: Object.fromEntries(servers.map((server) => [server.id, (roles.get(server.id) ?? []).map(toRole)])),
    channel_overrides: Object.fromEntries(
      cutAtChannels(channels.filter(({ visible }) => visible)).map((channel) => [
        channel.id,
        channel.overrides.map((override) => toOverride(override, channel.server)),
      ]),
    ),
  })
  const restricted = channels.filter((channel) => channel.visible && channel.restricted).map((channel) => channel.id)
  return { frame: frame.text, servers, restricted }
}

/** As many as a snapshot has, whole channels only: of the rest clients ask over HTTP. */
function cutAtChannels<T extends { readonly overrides: readonly StoredOverride[] }>(
  channels: readonly T[],
): readonly T[] {
  let count = 0
  const end = channels.findIndex(({ overrides }) => (count += overrides.length) > MAX_SNAPSHOT_OVERRIDES)
  return end < 0 ? channels : channels.slice(0, end)
}
