import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../lib/gateway/operations.ts'
import { findRoutes } from '../fuzz/gateway/routes.ts'
import { field, Gateway, idOf } from '../support/gateway.ts'
import { readTable, root } from './tables.ts'

const FILE = 'docs/gateway.md'
const unquote = (cell = ''): string => cell.replaceAll('`', '')
const firsts = (header: string): string[] => readTable(FILE, header).map(([first]) => unquote(first))
const fieldsOf = (object: string): string[] => {
  const [, fields = ''] = readTable(FILE, 'Object').find(([name]) => name === object) ?? []
  // What stands behind 'of' is what an element of it has.
  return [...fields.replaceAll(/ of `.*?(?=$)/g, '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
}
/** The first of a list. */
const firstOf = ([first]: readonly unknown[]): unknown => first
const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : [])

describe(FILE, () => {
  it('has every route, once', () => {
    expect(firsts('Route').toSorted()).toEqual(
      findRoutes()
        .map(({ spec }) => spec)
        .toSorted(),
    )
  })

  it('has every operation of the socket, and every event', () => {
    expect(firsts('op').toSorted()).toEqual(['HEARTBEAT', ...Object.keys(OPERATIONS)].toSorted())
    const sources = ['fanout', 'ready'].map((name) => readFileSync(join(root, `lib/gateway/${name}.ts`), 'utf8'))
    const events = [...sources.join('').matchAll(/(?:toFrame|frameOf)\('([A-Z_]+)'/g)].map(([, name]) => name)
    expect(events.length).toBeGreaterThan(6)
    expect(firsts('Event').toSorted()).toEqual(Array.from(new Set(events), String).toSorted())
  })

  it('has every field of what is answered, in order', async () => {
    const gateway = await Gateway.start('node')
    const { body: auth } = await gateway.request('POST', '/auth/register', null, {
      username: 'ada',
      password: 'a secret',
    })
    const ada = { token: String(field(auth, 'access_token')) }
    const brin = await gateway.person('brin')
    const bot = await gateway.request('POST', '/bots', ada, { name: 'Buoy' })
    const server = await gateway.request('POST', '/servers', ada, { name: 'Harbour', is_public: true })
    const at = `/servers/${idOf(server.body)}`
    const channel = await gateway.request('POST', `${at}/channels`, ada, { name: 'pier', type: 'text' })
    const message = await gateway.request('POST', `/channels/${idOf(channel.body)}/messages`, ada, { content: 'fog' })
    const direct = await gateway.request('POST', '/dm-channels', ada, { user_id: brin.id })
    const said = await gateway.request('POST', `/dm-channels/${idOf(direct.body)}/messages`, ada, { content: 'fog' })
    const override = { user_id: brin.id, allow: 1, deny: 0 }
    await gateway.world.changes.run(() => gateway.world.servers.join(brin.id, idOf(server.body)))
    const set = await gateway.request('PUT', `/channels/${idOf(channel.body)}/overrides`, ada, override)
    const members = await gateway.request('GET', `${at}/members`, ada)
    const role = await gateway.request('POST', `${at}/roles`, ada, { name: 'Pilot' })
    const silenced = await gateway.request('POST', `${at}/members/${brin.id}/timeout`, ada, { duration_minutes: 1 })
    await gateway.request('POST', `${at}/members/${brin.id}/ban`, ada, {})
    const bans = await gateway.request('GET', `${at}/bans`, ada)
    const objects = {
      User: field(auth, 'user'),
      Bot: field(bot.body, 'bot'),
      Server: server.body,
      Member: Array.isArray(members.body) ? firstOf(members.body) : null,
      Ban: Array.isArray(bans.body) ? firstOf(bans.body) : null,
      Timeout: silenced.body,
      Role: role.body,
      Override: set.body,
      Channel: channel.body,
      Message: message.body,
      DmChannel: direct.body,
      DmMessage: said.body,
    }
    for (const [name, object] of Object.entries(objects)) expect(fieldsOf(name), name).toEqual(keysOf(object))
  })
})
