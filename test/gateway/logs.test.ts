import { afterEach, describe, expect, it } from 'vitest'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { hashToken } from '../../lib/gateway/tokens.ts'
import { counts, field, Gateway, idOf, knock, say } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

afterEach(() => rSetLogSink(null))

describe.each(engines)('the log, on %s', (engine) => {
  it('gateway trap T55: has no token, no password and no text in it', async () => {
    const lines: string[] = []
    rSetLogSink((...line) => void lines.push(JSON.stringify(line)))
    const gateway = await Gateway.start(engine)
    const secrets = new Set(['correct horse battery', 'wrong horse battery', 'ada@harbour.test', 'rt_bad', 'badbadbad'])
    const keep = (value: unknown): string => {
      const text = String(value)
      expect(text.length).toBeGreaterThan(8)
      secrets.add(text)
      secrets.add(hashToken(text))
      return text
    }
    const account = { username: 'ada', password: 'correct horse battery', email: 'ada@harbour.test' }
    const made = await gateway.request('POST', '/auth/register', null, account)
    const again = await gateway.request('POST', '/auth/login', null, account)
    const ada = { token: keep(field(again.body, 'access_token')) }
    keep(field(made.body, 'access_token'))
    keep(field(made.body, 'refresh_token'))
    const refresh = keep(field(again.body, 'refresh_token'))
    await gateway.request('POST', '/auth/login', null, { ...account, password: 'wrong horse battery' })
    await gateway.request('POST', '/auth/login', null, '{"username":"ada","password":"correct horse battery"')
    await gateway.request('POST', '/auth/login', null, { ...account, password: ['correct horse battery'] })
    await gateway.request('POST', '/auth/refresh', null, { refresh_token: 'rt_bad' })
    const next = await gateway.request('POST', '/auth/refresh', null, { refresh_token: refresh })
    keep(field(next.body, 'access_token'))
    keep(field(next.body, 'refresh_token'))
    await gateway.request('POST', '/auth/refresh', null, { refresh_token: refresh })
    const bot = await gateway.request('POST', '/bots', ada, { name: 'Buoy' })
    const token = keep(field(bot.body, 'token'))
    const exchanged = await gateway.request('POST', '/bots/connect', `Bot ${token}`)
    const jwt = keep(field(exchanged.body, 'access_token'))

    const brin = await gateway.person('brin')
    keep(brin.token)
    const user = field(again.body, 'user')
    const server = await gateway.request('POST', '/servers', ada, { name: 'Harbour', is_public: true })
    await gateway.request('POST', `/servers/${idOf(server.body)}/join`, brin)
    const channel = await gateway.request('POST', `/servers/${idOf(server.body)}/channels`, ada, {
      name: 'x',
      type: 'text',
    })
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(`bot_token=${token}`),
      await gateway.connect(`token=${jwt}&x=badbadbad`),
    ] as const
    const words = [
      'secret of the sea',
      'secret of the deep',
      'secret of the crew',
      'secret status',
      'secret activity',
      'secret garbage',
    ]
    for (const word of words) secrets.add(word)
    const said = await gateway.request('POST', `/channels/${idOf(channel.body)}/messages`, ada, {
      content: 'secret of the sea',
    })
    await gateway.request('PATCH', `/messages/${idOf(said.body)}`, ada, { content: 'secret of the deep' })
    await gateway.request('PATCH', `/messages/${idOf(said.body)}`, ada, '{"content":"secret of the deep')
    await gateway.request('POST', '/channels/x/messages', ada, { content: 'secret of the deep' })
    const direct = await gateway.request('POST', '/dm-channels', brin, { user_id: idOf(user) })
    await gateway.request('POST', `/dm-channels/${idOf(direct.body)}/messages`, brin, { content: 'secret of the crew' })
    const messages = [
      { op: 'TYPING_START', d: { channel_id: idOf(channel.body) } },
      { op: 'PRESENCE_UPDATE', d: { status: 'away', custom_status: 'secret status', activity: 'secret activity' } },
      'secret garbage',
      { op: 'secret garbage', d: { sdp: 'secret garbage' } },
    ]
    await say(gateway, messages, ...clients)

    for (const query of [
      'token=badbadbad',
      `token=${jwt}badbadbad`,
      'bot_token=badbadbad',
      `token=${jwt}&token=${jwt}`,
    ]) {
      expect((await knock(gateway, query)).status).toBe(401)
      await gateway.request('GET', `/ws?${query}`)
      await gateway.request('GET', `/users/@me?${query}`, 'Bearer badbadbad')
      await gateway.request('GET', `/nothing?${query}`, `Bot ${token}badbadbad`)
    }
    expect((await knock(gateway, `token=${jwt}`, { Authorization: `Bearer ${jwt}` })).status).toBe(101)
    clients[0].send('x'.repeat(20_000).replace('x', 'secret garbage'))
    await clients[0].closed
    await gateway.request('POST', '/auth/password', ada, {
      current_password: 'wrong horse battery',
      new_password: 'correct horse battery',
    })
    await gateway.request('DELETE', `/bots/${idOf(field(bot.body, 'bot'))}`, ada)
    await gateway.request('POST', '/auth/logout', null, { refresh_token: String(field(next.body, 'refresh_token')) })
    await counts(gateway, 1)
    await gateway.host.stop()
    // Something is logged of all this: connections are.
    expect(lines.length).toBeGreaterThan(4)
    for (const secret of secrets) expect(lines.filter((line) => line.includes(secret))).toEqual([])
  })
})
