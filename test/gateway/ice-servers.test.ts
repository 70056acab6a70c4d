import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { expectError, Gateway, keysOf } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

const NOW = 1_800_000_000_999
const SECRET = 'shared with the TURN server'

afterEach(() => {
  vi.useRealTimers()
})

describe.each(engines)('ice-servers, on %s', (engine) => {
  it('are none unless there are some', async () => {
    const gateway = await Gateway.start(engine)
    const { status, text } = await gateway.request('GET', '/ice-servers', await gateway.person('ada'))
    expect([status, text]).toEqual([200, '{"iceServers":[],"ttl":43200}'])
  })

  it('are for people and bots, as they are: what there is not is left out', async () => {
    const iceServers = [
      { urls: ['stun:stun.harbour.test:3478', 'stuns:[2001:db8::1]:5349'] },
      { urls: ['turn:turn.harbour.test?transport=udp'], username: 'harbour', credential: 'the same for all' },
    ]
    const gateway = await Gateway.start(engine, { iceServers, iceTtlS: 60 })
    const ada = await gateway.person('ada')
    const bot = await gateway.bot(ada, 'Buoy')
    for (const as of [ada, `Bot ${bot.token}`]) {
      const { status, body } = await gateway.request('GET', '/ice-servers', as)
      expect([status, keysOf(body)]).toEqual([200, ['iceServers', 'ttl']])
      expect(body).toEqual({ iceServers, ttl: 60 })
    }
    expectError(await gateway.request('GET', '/ice-servers'), 401, 'UNAUTHORIZED')
    expectError(await gateway.request('POST', '/ice-servers', ada, {}), 405, 'METHOD_NOT_ALLOWED')
    expectError(await gateway.request('GET', `/ice-servers?token=${ada.token}`), 401, 'UNAUTHORIZED')
  })

  it('give each who asks a credential of their own, until a time, and keep the secret', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW })
    const urls = ['turns:turn.harbour.test:5349']
    const gateway = await Gateway.start(engine, { iceServers: [{ urls, secret: SECRET }], iceTtlS: 3600 })
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    for (const { id, token } of [ada, brin]) {
      const { body, text } = await gateway.request('GET', '/ice-servers', { token })
      const username = `1800003600:${id}`
      const credential = createHmac('sha1', SECRET).update(username).digest('base64')
      expect(body).toEqual({ iceServers: [{ urls, username, credential }], ttl: 3600 })
      expect(text).not.toContain(SECRET)
    }
  })

  it.each(['http://turn.harbour.test', 'turn.harbour.test', 'turn:', 'turn:ada@turn.harbour.test', 'stun://x', ''])(
    'are not at %j: the gateway does not start',
    async (url) => {
      const settings = { iceServers: [{ urls: [url] }] }
      await expect(Gateway.start(engine, settings)).rejects.toThrow(/is not where a server is/)
    },
  )
})
