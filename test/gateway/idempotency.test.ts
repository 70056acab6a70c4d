import { describe, expect, it } from 'vitest'
import { expectError, field, Gateway, type Reply } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('Idempotency-Key, on %s', (engine) => {
  it('a request that comes again gets the answer of the first, and nothing happens', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { channel } = await gateway.server(ada, brin)
    const other = await gateway.channel(ada, String(field(gateway.world.servers.of(ada.id), 0, 'id')), 'other')
    const client = await gateway.connect(brin)
    const post = (content: string, key: string, to = channel, as = ada) =>
      gateway.request('POST', `/channels/${to}/messages`, as, { content }, { 'Idempotency-Key': key })
    // At once, too.
    const [first, second] = await Promise.all([post('hello', 'one'), post('hello', 'one')])
    const third = await post('something else', 'one')
    expect([first?.status, second?.status, third.status]).toEqual([201, 201, 201])
    expect(second?.body).toEqual(first?.body)
    expect(third.body).toEqual(first?.body)
    expect(await gateway.got(client)).toEqual([['MESSAGE_CREATE']])
    // Another key, another channel, somebody else.
    await post('hello', 'two')
    await post('hello', 'one', other)
    await post('hello', 'one', channel, brin)
    expect(await gateway.got(client)).toEqual([['MESSAGE_CREATE', 'MESSAGE_CREATE', 'MESSAGE_CREATE']])
  })

  it('a request that failed may be tried again with its key', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { id } = await gateway.server(ada)
    const channels = (name: string) =>
      gateway.request('POST', `/servers/${id}/channels`, brin, { name, type: 'text' }, { 'Idempotency-Key': 'k' })
    expectError(await channels('lounge'), 404, 'NOT_FOUND')
    await gateway.world.changes.run(() => gateway.world.servers.join(brin.id, id))
    expectError(await channels('lounge'), 403, 'FORBIDDEN')
  })

  it.each(['', 'x'.repeat(65), 'a b'])('%j is none', async (key) => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const reply = await gateway.request('POST', '/servers', ada, { name: 'x' }, { 'Idempotency-Key': key })
    expectError(reply, 400, 'VALIDATION')
    expect(gateway.world.servers.of(ada.id)).toEqual([])
  })
})

describe.each(engines)('rates, on %s', (engine) => {
  it('of an address, of logins, and of a bot, each for itself', async () => {
    const gateway = await Gateway.start(engine, { rateLimits: 'on' })
    const ada = await gateway.person('ada')
    const bot = await gateway.bot(ada, 'helper')
    const ask = async (count: number, path: string, as: string) =>
      Promise.all(Array.from({ length: count }, () => gateway.request('GET', path, as)))
    const refused = (replies: readonly Reply[]): number => {
      const those = replies.filter(({ status }) => status === 429)
      for (const reply of those) {
        expectError(reply, 429, 'RATE_LIMITED')
        expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
      }
      return those.length
    }
    // Some may come back while the others are answered.
    expect(refused(await ask(40, '/users/@me', `Bearer ${ada.token}`))).toBeGreaterThan(10)
    expect(refused(await ask(15, '/auth/login', `Bearer ${ada.token}`))).toBeGreaterThan(5)
    expect(refused(await ask(100, '/users/@me', `Bot ${bot.token}`))).toBe(0)
  })
})
