import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { describe, expect, it } from 'vitest'
import { AUDIENCES, EVENTS } from '../../lib/gateway/events.ts'
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
  const own = fields.replace(/; and `files`.*$/, '').replaceAll(/`options` of [^,]*, [^,]*, `votes`/g, '`options`')
  return [...own.replaceAll(/ of `.*?(?=$)/g, '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
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

  it('has every operation of the socket', () => {
    expect(firsts('op').toSorted()).toEqual(['HEARTBEAT', ...Object.keys(OPERATIONS)].toSorted())
  })

  it('has the table of events that code has', async () => {
    const page = readFileSync(join(root, FILE), 'utf8')
    const rows = Object.entries(EVENTS).map(
      ([name, { d, heard, causes }]) => `| \`${name}\` | ${d} | ${AUDIENCES[heard]} | ${causes} |`,
    )
    const table = ['| Event | d | Who hears it | What causes it |', '| - | - | - | - |', ...rows].join('\n')
    const next = page.replace(/(<!-- events:.*? -->\n).*?(<!-- \/events -->)/s, `$1\n${table}\n\n$2`)
    const options = await resolveConfig(join(root, FILE))
    await expect(await format(next, { ...options, parser: 'markdown' })).toMatchFileSnapshot(join(root, FILE))
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
    const poll = await gateway.request('POST', `/channels/${idOf(channel.body)}/polls`, ada, {
      question: 'Sail?',
      options: ['yes', 'no'],
    })
    const reactions = `/channels/${idOf(channel.body)}/messages/${idOf(message.body)}/reactions`
    await gateway.request('PUT', `${reactions}/x`, ada)
    const reaction = await gateway.request('GET', reactions, ada)
    const voice = await gateway.request('POST', `${at}/channels`, ada, { name: 'bridge', type: 'voice' })
    const talker = await gateway.request('POST', `/channels/${idOf(voice.body)}/voice`, ada)
    const live = await gateway.request('POST', `/channels/${idOf(voice.body)}/go-live`, ada, {})
    const invite = await gateway.request('POST', `${at}/invites`, ada, {})
    const cleo = await gateway.person('cleo')
    const request = await gateway.request('POST', '/friend-requests', ada, { user_id: cleo.id })
    const send = async (path: string, name: string, value: string, file: string) => {
      const form = new FormData()
      form.set(name, value)
      form.set(file, new Blob([Buffer.from('GIF89a')]), 'fog.gif')
      const headers = { Authorization: `Bearer ${ada.token}` }
      const reply = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { method: 'POST', headers, body: form })
      const body: unknown = await reply.json()
      return body
    }
    const file = await send('/files', 'channel_id', idOf(channel.body), 'file')
    const emoji = await send(`${at}/emojis`, 'name', 'fog', 'image')
    const entries = await gateway.request('GET', `${at}/audit-log`, ada)
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
      Poll: field(poll.body, 'poll'),
      Reaction: field(reaction.body, 0),
      File: file,
      Emoji: emoji,
      Invite: invite.body,
      Request: request.body,
      VoiceState: talker.body,
      Live: live.body,
      AuditEntry: field(entries.body, 0),
    }
    for (const [name, object] of Object.entries(objects)) expect(fieldsOf(name), name).toEqual(keysOf(object))
  })
})
