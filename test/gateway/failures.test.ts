import { afterEach, describe, expect, it, vi } from 'vitest'
import { counts, dataOf, expectError, field, Gateway, idOf, say } from '../support/gateway.ts'
import { hush } from '../support/log-lines.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const PRESENCE = ['PRESENCE_UPDATE']

afterEach(() => {
  vi.restoreAllMocks()
})

const fails = (): never => {
  throw new Error('The disk is gone')
}

async function harbour(engine: (typeof engines)[number], config = {}) {
  const gateway = await Gateway.start(engine, { wsRate: 0, ...config })
  const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
  return { gateway, ada, brin, ...(await gateway.server(ada, brin)) }
}

describe.each(engines)('what goes wrong, on %s', (engine) => {
  it('drops an operation that the store cannot serve, and stays open', async () => {
    // Was wrong: lib/gateway/sockets.ts #proc: what an operation throws ends the connection (spec §2.3, step 13).
    hush()
    const { gateway, ada, brin, channel } = await harbour(engine)
    const clients = [await gateway.connect(ada), await gateway.connect(brin)] as const
    await gateway.got(...clients)
    const look = vi.spyOn(gateway.world.access, 'see').mockImplementation(fails)
    expect(await say(gateway, [{ op: 'TYPING_START', d: { channel_id: channel } }], ...clients)).toEqual([[], []])
    look.mockRestore()
    const change = vi.spyOn(gateway.world.users, 'change').mockImplementation(fails)
    expect(await say(gateway, [{ op: 'PRESENCE_UPDATE', d: { status: 'away' } }], ...clients)).toEqual([[], []])
    change.mockRestore()
    expect(await say(gateway, [{ op: 'TYPING_START', d: { channel_id: channel } }], ...clients)).toEqual([
      [],
      ['TYPING_START'],
    ])
  })

  it('answers 500 without a word of what it was, and no event', async () => {
    hush()
    const { gateway, ada, brin, channel } = await harbour(engine)
    const clients = [await gateway.connect(ada), await gateway.connect(brin)]
    await gateway.got(...clients)
    const broken = [
      vi.spyOn(gateway.world.messages, 'post').mockImplementation(fails),
      vi.spyOn(gateway.world.messages, 'list').mockImplementation(fails),
    ]
    const replies = [
      await gateway.request('POST', `/channels/${channel}/messages`, ada, { content: 'x' }),
      await gateway.request('GET', `/channels/${channel}/messages`, ada),
    ]
    for (const reply of replies) {
      expectError(reply, 500, 'INTERNAL')
      expect(reply.text).not.toContain('disk')
    }
    for (const one of broken) one.mockRestore()
    expect(await gateway.got(...clients)).toEqual([[], []])
    await gateway.post(ada, channel, 'x')
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_CREATE'], ['MESSAGE_CREATE']])
  })

  it('closes who cannot have READY, and nobody has seen them', async () => {
    // Was wrong: lib/gateway/sockets.ts #begin: presence is told before READY is made (spec §1.4 "never became visible").
    hush()
    const { gateway, ada, brin } = await harbour(engine)
    const peer = await gateway.connect(brin)
    await gateway.got(peer)
    const broken = vi.spyOn(gateway.world.directs, 'of').mockImplementation(fails)
    const client = gateway.open(`token=${ada.token}`)
    expect(await client.closed).toEqual({ code: 1001, reason: 'unavailable' })
    expect(client.frames).toEqual([])
    broken.mockRestore()
    expect(await gateway.got(peer)).toEqual([[]])
    await gateway.connect(ada)
    expect(await gateway.got(peer)).toEqual([PRESENCE])
  })

  it('closes who does not read, and goes on with all others', async () => {
    const { gateway, ada, brin, id, channel } = await harbour(engine, { maxBackpressure: 100_000 })
    const cleo = await gateway.person('cleo')
    await gateway.request('POST', `/servers/${id}/join`, cleo)
    const peer = await gateway.connect(brin)
    const slow = await RawClient.open(gateway.port, `/ws?token=${cleo.token}`)
    await slow.frame()
    slow.socket.pause()
    await gateway.got(peer)
    const { messages, changes } = gateway.world
    const posted: string[] = []
    for (let round = 0; gateway.host.connections === 2 && round < 4000; round++) {
      const content = '🛥'.repeat(4000)
      const posts = Array.from({ length: 4 }, () =>
        changes.run(() => messages.post(ada.id, channel, { content, replyTo: null })),
      )
      posted.push(...(await Promise.all(posts)).map((message) => message.id))
      await gateway.got(peer)
    }
    await counts(gateway, 1)
    await gateway.got(peer)
    expect(dataOf(peer, 'MESSAGE_CREATE').map(idOf)).toEqual(posted)
    expect(dataOf(peer, 'PRESENCE_UPDATE').at(-1)).toMatchObject({ user_id: cleo.id, status: 'offline' })
    slow.destroy()
  })

  it('does not take sockets on the paths of its API', async () => {
    const { gateway, ada } = await harbour(engine)
    for (const path of ['/users/@me', '/health', '/ws/x', '/wss', '/WS']) {
      const client = await RawClient.connect(gateway.port)
      client.send(handshake(`${path}?token=${ada.token}`, { Authorization: `Bearer ${ada.token}` }))
      const { status } = await client.response()
      expect([path, status >= 200 && status < 500]).toEqual([path, true])
      client.destroy()
    }
    expect(gateway.host.connections).toBe(0)
  })

  it('forgets clients that go in the middle of anything', async () => {
    const { gateway, ada, brin, channel } = await harbour(engine)
    const peer = await gateway.connect(brin)
    for (let round = 0; round < 20; round++) {
      const client = await RawClient.connect(gateway.port)
      client.send(handshake(`/ws?token=${ada.token}`))
      if (round % 4 === 0) client.reset()
      else if (round % 4 === 1) client.socket.end()
      else {
        await client.response()
        if (round % 4 === 2) client.send(Buffer.from([0x81, 0xfe, 0x10]))
        client.reset()
      }
      await gateway.post(ada, channel, `${round}`)
    }
    await counts(gateway, 1)
    await gateway.got(peer)
    expect(gateway.world.presence.isPresent(ada.id)).toBe(false)
    expect(dataOf(peer, 'MESSAGE_CREATE')).toHaveLength(20)
    const told = dataOf(peer, 'PRESENCE_UPDATE').map((one) => field(one, 'status'))
    expect(told.filter((_, index) => index % 2 === 0).every((status) => status === 'online')).toBe(true)
    expect(told.filter((_, index) => index % 2 === 1).every((status) => status === 'offline')).toBe(true)
  })
})
