import { Compile } from 'typebox/schema'
import type { ServerDraft } from '../../chat/servers.ts'
import type { World } from '../../chat/world.ts'
import { toChannel, toCountedServer, toMember } from '../wire.ts'
import { bool, given, text, textOrNull, url } from './body.ts'
import { idOf, limitOf, pageOf, toId, userOf } from './call.ts'
import { once } from './once.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const properties = { name: text(1, 100), icon_url: url, is_public: bool, require_invite: bool } as const
const New = Compile({ type: 'object', required: ['name'], properties })
const Changes = Compile({ type: 'object', properties })

const NewChannel = Compile({
  type: 'object',
  required: ['name', 'type'],
  properties: {
    name: text(1, 100),
    type: { enum: ['text', 'voice'] },
    topic: textOrNull(1024),
    category: textOrNull(100),
  },
})
const ChannelChanges = Compile({
  type: 'object',
  properties: {
    name: text(1, 100),
    topic: textOrNull(1024),
    category: textOrNull(100),
    position: { type: 'integer', minimum: 0, maximum: 1_000_000 },
    // It is what it was made.
    type: false,
  },
})
/** Members that are listed at once. */
const MEMBERS = 1000

const called = { anyOf: [{ ...text(1, 64), pattern: '\\S' }, { type: 'null' }] } as const
const Rename = Compile({ type: 'object', additionalProperties: false, properties: { nickname: called } })

const flag = (value: boolean): 0 | 1 => (value ? 1 : 0)

export const serverRoutes = (world: World): Route[] => [
  routeWithBody('POST /servers', 'user', New, (call) => {
    const { name, icon_url = null, is_public = false, require_invite = false } = call.body
    const draft = { name, icon_url, is_public: flag(is_public), require_invite: flag(require_invite) }
    return once(world, call, () => created(toCountedServer(world.servers.create(userOf(call), draft))))
  }),
  route('GET /servers', 'user', (call) => ok(world.servers.countedOf(userOf(call)).map(toCountedServer))),
  route('GET /servers/browse', 'user', () => ok(world.servers.browse().map(toCountedServer))),
  route('GET /servers/:id', 'user', (call) => ok(toCountedServer(world.servers.get(userOf(call), idOf(call))))),
  routeWithBody('PATCH /servers/:id', 'user', Changes, async (call) => {
    const { name, icon_url, is_public, require_invite } = call.body
    const next = given<ServerDraft>({
      name,
      icon_url,
      is_public: is_public === undefined ? undefined : flag(is_public),
      require_invite: require_invite === undefined ? undefined : flag(require_invite),
    })
    return ok(toCountedServer(await world.changes.run(() => world.servers.change(userOf(call), idOf(call), next))))
  }),
  route('DELETE /servers/:id', 'user', async (call) => {
    await world.changes.run(() => world.servers.remove(userOf(call), idOf(call)))
    return NO_CONTENT
  }),
  route('POST /servers/:id/join', 'user', (call) => {
    const id = idOf(call)
    return once(world, call, () => {
      world.servers.join(userOf(call), id)
      return created({ message: 'Joined', server_id: id })
    })
  }),
  route('DELETE /servers/:id/leave', 'user', async (call) => {
    await world.changes.run(() => world.servers.leave(userOf(call), idOf(call)))
    return NO_CONTENT
  }),
  route('GET /servers/:id/members', 'user', (call) => {
    const after = call.query.get('after')
    const limit = limitOf(call, MEMBERS, MEMBERS)
    const members = world.members.list(userOf(call), idOf(call), after === null ? null : toId(after), limit)
    return ok(members.map(toMember))
  }),
  routeWithBody('PATCH /servers/:id/members/:user_id', 'user', Rename, async (call) => {
    const { nickname } = given({ nickname: call.body.nickname })
    const [server, member] = [idOf(call), idOf(call, 'user_id')]
    return ok(
      toMember(await world.changes.run(() => world.members.rename(userOf(call), server, member, nickname ?? null))),
    )
  }),
  route('GET /servers/:id/audit-log', 'user', (call) =>
    ok(world.audit.list(world.access, userOf(call), idOf(call), pageOf(call))),
  ),

  route('GET /servers/:id/channels', 'user', (call) =>
    ok(world.channels.visible(userOf(call), idOf(call)).map(toChannel)),
  ),
  routeWithBody('POST /servers/:id/channels', 'user', NewChannel, (call) => {
    const { name, type, topic = null, category = null } = call.body
    const draft = { name, type, topic, category }
    return once(world, call, () => created(toChannel(world.channels.create(userOf(call), idOf(call), draft))))
  }),
  route('GET /servers/:id/channels/:channel_id', 'user', (call) =>
    ok(toChannel(world.channels.get(userOf(call), idOf(call), idOf(call, 'channel_id')))),
  ),
  routeWithBody('PATCH /servers/:id/channels/:channel_id', 'user', ChannelChanges, async (call) => {
    const { name, topic, category, position } = call.body
    const next = given({ name, topic, category, position })
    const change = () => world.channels.change(userOf(call), idOf(call), idOf(call, 'channel_id'), next)
    return ok(toChannel(await world.changes.run(change)))
  }),
  route('DELETE /servers/:id/channels/:channel_id', 'user', async (call) => {
    await world.changes.run(() => world.channels.remove(userOf(call), idOf(call), idOf(call, 'channel_id')))
    return NO_CONTENT
  }),
]
