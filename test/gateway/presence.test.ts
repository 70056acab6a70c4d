import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Client,
  counts,
  dataOf,
  field,
  Gateway,
  keysOf,
  listOf,
  readyOf,
  say,
  temporary,
} from '../support/gateway.ts'
import { engines } from '../support/server.ts'

const PRESENCE = ['PRESENCE_UPDATE']
const START = 1_800_000_000_000

const declare = (status: unknown, rest: object = {}) => ({ op: 'PRESENCE_UPDATE', d: { status, ...rest } })
const lastOf = (client: Client): unknown => dataOf(client, 'PRESENCE_UPDATE').at(-1)
const update = (
  user_id: string,
  status: string,
  custom_status: string | null = null,
  activity: string | null = null,
) => ({
  user_id,
  status,
  custom_status,
  activity,
})

/** Ada and Brin share a server; Cleo shares none with them. */
async function harbour(engine: (typeof engines)[number], config = {}) {
  const gateway = await Gateway.start(engine, { wsRate: 0, ...config })
  const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
  const server = await gateway.server(ada, brin)
  return { gateway, ada, brin, cleo, ...server }
}

afterEach(() => {
  vi.useRealTimers()
})

describe.each(engines)('presence, on %s', (engine) => {
  it('is told to others of a shared server, and to all of one’s own connections', async () => {
    const { gateway, ada, brin, cleo } = await harbour(engine)
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(cleo),
    ]
    await gateway.got(...clients)
    // The one that has caused it, too.
    expect(await say(gateway, [declare('dnd', { custom_status: 'lunch' })], ...clients)).toEqual([
      PRESENCE,
      PRESENCE,
      PRESENCE,
      [],
    ])
    for (const client of clients.slice(0, 3)) expect(lastOf(client)).toEqual(update(ada.id, 'dnd', 'lunch'))
  })

  it('gateway trap T16: what is not as it should be changes nothing', async () => {
    const { gateway, ada, brin } = await harbour(engine)
    const clients = [await gateway.connect(ada), await gateway.connect(brin)]
    await gateway.got(...clients)
    const long = 'x'.repeat(129)
    const bad = [
      { op: 'PRESENCE_UPDATE', d: {} },
      { op: 'PRESENCE_UPDATE', d: { custom_status: 'lunch' } },
      ...['idle', 'Online', 'AWAY', '', ' away', 'invisible', '__proto__', null, 5, true, ['away'], { a: 1 }].map(
        (status) => declare(status),
      ),
      ...[5, true, [], {}, long, 'a\0b', '\ud800', '🛥'.repeat(129)].flatMap((text) => [
        declare('away', { custom_status: text }),
        declare('dnd', { activity: text }),
        declare('away', { custom_status: 'lunch', activity: text }),
      ]),
    ]
    expect(await say(gateway, bad, ...clients)).toEqual([[], []])
    const { body } = await gateway.request('GET', '/users/@me', ada)
    expect(body).toMatchObject({ status: 'online', custom_status: null, activity: null })
    const good = declare('away', { custom_status: '🛥'.repeat(128), activity: '', unknown: 5 })
    expect(await say(gateway, [good], ...clients)).toEqual([PRESENCE, PRESENCE])
    expect(lastOf(clients[1]!)).toEqual(update(ada.id, 'away', '🛥'.repeat(128), ''))
  })

  it('gateway trap T17: what is left out stays, null clears', async () => {
    const { gateway, ada, brin } = await harbour(engine)
    const own = await gateway.connect(ada)
    const peer = await gateway.connect(brin)
    await gateway.got(own, peer)
    const steps: [object, ReturnType<typeof update>][] = [
      [
        declare('away', { custom_status: 'lunch', activity: 'Elden Ring' }),
        update(ada.id, 'away', 'lunch', 'Elden Ring'),
      ],
      [declare('dnd'), update(ada.id, 'dnd', 'lunch', 'Elden Ring')],
      [declare('dnd', { custom_status: null }), update(ada.id, 'dnd', null, 'Elden Ring')],
      [declare('online', { activity: null }), update(ada.id, 'online', null, null)],
      [declare('online', { custom_status: 'tea' }), update(ada.id, 'online', 'tea', null)],
    ]
    for (const [message, expected] of steps) {
      expect(await say(gateway, [message], own, peer)).toEqual([PRESENCE, PRESENCE])
      expect([lastOf(own), lastOf(peer)]).toEqual([expected, expected])
      const { user_id: _, ...rest } = expected
      expect((await gateway.request('GET', '/users/@me', ada)).body).toMatchObject(rest)
    }
    expect(await say(gateway, [declare('online'), declare('online', { custom_status: 'tea' })], own, peer)).toEqual([
      [],
      [],
    ])
    expect(keysOf(lastOf(peer))).toEqual(['user_id', 'status', 'custom_status', 'activity'])
  })

  it('gateway trap T18: the first connection and the last are told, none between', async () => {
    const { gateway, ada, brin } = await harbour(engine)
    const peer = await gateway.connect(brin)
    await gateway.got(peer)
    const first = await gateway.connect(ada)
    expect(await gateway.got(peer, first)).toEqual([PRESENCE, []])
    expect(lastOf(peer)).toEqual(update(ada.id, 'online'))
    const second = await gateway.connect(ada)
    expect(await gateway.got(peer, first, second)).toEqual([[], [], []])
    await first.close()
    await counts(gateway, 2)
    expect(await gateway.got(peer, second)).toEqual([[], []])
    second.cut()
    await peer.next('PRESENCE_UPDATE')
    await counts(gateway, 1)
    expect(await gateway.got(peer)).toEqual([[]])
    expect(dataOf(peer, 'PRESENCE_UPDATE')).toEqual([update(ada.id, 'online'), update(ada.id, 'offline')])
  })

  it('gateway trap T19: a peer of three shared servers is told once', async () => {
    const { gateway, ada, brin, cleo } = await harbour(engine)
    await gateway.server(brin, ada, cleo)
    await gateway.server(ada, brin)
    const peers = [await gateway.connect(brin), await gateway.connect(brin), await gateway.connect(cleo)]
    const dov = await gateway.person('dov')
    await gateway.server(dov, brin)
    const stranger = await gateway.connect(dov)
    await gateway.got(...peers, stranger)
    const own = await gateway.connect(ada)
    expect(await gateway.got(own, ...peers, stranger)).toEqual([[], PRESENCE, PRESENCE, PRESENCE, []])
    expect(await say(gateway, [declare('dnd')], own, ...peers, stranger)).toEqual([
      PRESENCE,
      PRESENCE,
      PRESENCE,
      PRESENCE,
      [],
    ])
    await own.close()
    await peers[0]?.next('PRESENCE_UPDATE')
    expect(await gateway.got(...peers, stranger)).toEqual([[], PRESENCE, PRESENCE, []])
  })

  it('gateway trap T19: so is one who shares two small servers beside a large one', async () => {
    const { gateway, ada, brin, cleo } = await harbour(engine)
    const dov = await gateway.person('dov')
    await gateway.server(ada, brin, dov)
    await gateway.server(cleo, ada)
    await gateway.server(ada, cleo)
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(dov),
      await gateway.connect(cleo),
      await gateway.connect(cleo),
    ]
    await gateway.got(...clients)
    expect(await say(gateway, [declare('dnd')], ...clients)).toEqual(clients.map(() => PRESENCE))
    for (const client of clients) expect(lastOf(client)).toEqual(update(ada.id, 'dnd'))
  })

  it('gateway trap T20: who is invisible stays so over a reconnect, and peers hear nothing at all', async () => {
    const { gateway, ada, brin, id } = await harbour(engine)
    const peer = await gateway.connect(brin)
    const own = await gateway.connect(ada)
    const other = await gateway.connect(ada)
    await gateway.got(peer, own, other)
    expect(await say(gateway, [declare('offline', { custom_status: 'hush' })], own, other, peer)).toEqual([
      PRESENCE,
      PRESENCE,
      PRESENCE,
    ])
    // Others see less than oneself.
    expect(lastOf(peer)).toEqual(update(ada.id, 'offline'))
    expect([lastOf(own), lastOf(other)]).toEqual([update(ada.id, 'offline', 'hush'), update(ada.id, 'offline', 'hush')])
    expect(await say(gateway, [declare('offline', { activity: 'hiding' })], own, other, peer)).toEqual([
      PRESENCE,
      PRESENCE,
      [],
    ])
    await own.close()
    await other.close()
    await counts(gateway, 1)
    const again = await gateway.connect(ada)
    expect(field(readyOf(again), 'user')).toMatchObject({ status: 'offline', custom_status: 'hush' })
    expect((await gateway.request('GET', '/users/@me', ada)).body).toMatchObject({
      status: 'offline',
      custom_status: 'hush',
    })
    await gateway.request('PATCH', '/users/@me', ada, { custom_status: 'still here' })
    expect(await gateway.got(peer)).toEqual([[]])
    const hidden = { status: 'offline', custom_status: null, activity: null }
    expect((await gateway.request('GET', `/users/${ada.id}`, brin)).body).toMatchObject(hidden)
    expect(listOf((await gateway.request('GET', `/servers/${id}/members`, brin)).body)[0]).toMatchObject({
      user_id: ada.id,
      ...hidden,
    })
    await again.close()
    await counts(gateway, 1)
    expect(await gateway.got(peer)).toEqual([[]])
  })

  it('gateway trap T21: after a restart nobody is there', async () => {
    const folder = temporary()
    const before = await Gateway.start(engine, {}, folder)
    const [ada, brin] = [await before.person('ada'), await before.person('brin')]
    const { id } = await before.server(ada, brin)
    const client = await before.connect(ada)
    await say(before, [declare('away', { custom_status: 'lunch', activity: 'Elden Ring' })], client)
    await before.host.free()
    const after = await Gateway.start(engine, {}, folder)
    const members = listOf((await after.request('GET', `/servers/${id}/members`, brin)).body)
    expect(members.map((one) => field(one, 'status'))).toEqual(['offline', 'offline'])
    const again = await after.connect(ada)
    expect(field(readyOf(again), 'user')).toMatchObject({ status: 'online', custom_status: 'lunch', activity: null })
  })

  it('is online while any connection is, else away', async () => {
    const { gateway, ada, brin } = await harbour(engine)
    const peer = await gateway.connect(brin)
    const [one, two] = [await gateway.connect(ada), await gateway.connect(ada)]
    await gateway.got(peer, one, two)
    expect(await say(gateway, [declare('away')], one, two, peer)).toEqual([[], [], []])
    expect(await say(gateway, [declare('away')], two, one, peer)).toEqual([PRESENCE, PRESENCE, PRESENCE])
    expect(lastOf(peer)).toEqual(update(ada.id, 'away'))
    // A new one is online until it says otherwise: the others are told, its own READY has it.
    const three = await gateway.connect(ada)
    expect(await gateway.got(peer, one, two, three)).toEqual([PRESENCE, PRESENCE, PRESENCE, []])
    expect(field(readyOf(three), 'user', 'status')).toBe('online')
    await three.close()
    await peer.next('PRESENCE_UPDATE')
    expect(await gateway.got(peer, one, two)).toEqual([[], PRESENCE, PRESENCE])
    expect([lastOf(peer), lastOf(one)]).toEqual([update(ada.id, 'away'), update(ada.id, 'away')])
  })

  it('is what somebody wants to be on all connections, until they say otherwise on one', async () => {
    const { gateway, ada, brin } = await harbour(engine)
    const peer = await gateway.connect(brin)
    const [one, two] = [await gateway.connect(ada), await gateway.connect(ada)]
    await gateway.got(peer, one, two)
    await say(gateway, [declare('dnd')], one, two, peer)
    expect(lastOf(peer)).toEqual(update(ada.id, 'dnd'))
    const three = await gateway.connect(ada)
    expect(await gateway.got(peer, one, two, three)).toEqual([[], [], [], []])
    expect(field(readyOf(three), 'user', 'status')).toBe('dnd')
    expect(await say(gateway, [declare('away')], two, one, three, peer)).toEqual([
      PRESENCE,
      PRESENCE,
      PRESENCE,
      PRESENCE,
    ])
    // The others have been online all the time.
    expect(lastOf(peer)).toEqual(update(ada.id, 'online'))
    expect((await gateway.request('GET', '/users/@me', ada)).body).toMatchObject({ status: 'online' })
  })

  it('is changed over HTTP for all connections', async () => {
    const { gateway, ada, brin, cleo } = await harbour(engine)
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(cleo),
    ]
    await gateway.got(...clients)
    for (const status of ['away', 'dnd', 'offline', 'online']) {
      const { status: code, body } = await gateway.request('PATCH', '/users/@me', ada, { status })
      expect([code, field(body, 'status'), field(body, 'id')]).toEqual([200, status, ada.id])
      expect(await gateway.got(...clients)).toEqual([PRESENCE, PRESENCE, PRESENCE, []])
      expect(lastOf(clients[2]!)).toEqual(update(ada.id, status))
      await gateway.request('PATCH', '/users/@me', ada, { status })
      expect(await gateway.got(...clients)).toEqual([[], [], [], []])
    }
    const words = { custom_status: 'tea', activity: 'chess', status: 'dnd', bio: 'tides' }
    expect((await gateway.request('PATCH', '/users/@me', ada, words)).body).toMatchObject(words)
    expect(await gateway.got(...clients)).toEqual([PRESENCE, PRESENCE, PRESENCE, []])
    expect(lastOf(clients[2]!)).toEqual(update(ada.id, 'dnd', 'tea', 'chess'))
    // What is not presence is not told.
    await gateway.request('PATCH', '/users/@me', ada, {
      bio: 'waves',
      pronouns: 'she/her',
      avatar_url: 'https://a.test/a.png',
    })
    expect(await gateway.got(...clients)).toEqual([[], [], [], []])
    for (const body of [{ status: 'idle' }, { status: null }, { custom_status: 5 }, {}, { unknown: 1 }]) {
      expect((await gateway.request('PATCH', '/users/@me', ada, body)).status).toBe(400)
    }
    const both = await gateway.request('PATCH', '/users/@me', ada, { status: 'away', activity: 5 })
    expect(both.status).toBe(400)
    expect(await gateway.got(...clients)).toEqual([[], [], [], []])
    expect((await gateway.request('GET', '/users/@me', ada)).body).toMatchObject({ ...words, bio: 'waves' })
  })

  it('stays offline over HTTP without a connection', async () => {
    const { gateway, ada, brin } = await harbour(engine)
    const peer = await gateway.connect(brin)
    await gateway.got(peer)
    for (const status of ['online', 'away', 'dnd']) {
      expect((await gateway.request('PATCH', '/users/@me', ada, { status })).body).toMatchObject({ status: 'offline' })
    }
    expect(await gateway.got(peer)).toEqual([[]])
    expect((await gateway.request('GET', `/users/${ada.id}`, brin)).body).toMatchObject({ status: 'offline' })
    const own = await gateway.connect(ada)
    expect(field(readyOf(own), 'user', 'status')).toBe('dnd')
    expect(await gateway.got(peer)).toEqual([PRESENCE])
    expect(lastOf(peer)).toEqual(update(ada.id, 'dnd'))
  })

  it('is not told to who shares a direct channel only', async () => {
    const { gateway, ada, cleo } = await harbour(engine)
    await gateway.request('POST', '/dm-channels', cleo, { user_id: ada.id })
    const far = await gateway.connect(cleo)
    await gateway.got(far)
    const own = await gateway.connect(ada)
    expect(await say(gateway, [declare('dnd')], own, far)).toEqual([PRESENCE, []])
    // But the list of those channels has it as it is.
    expect(field(readyOf(await gateway.connect(cleo)), 'dm_channels', 0, 'recipient', 'status')).toBe('dnd')
  })

  it('follows who joins and who leaves a server, of which itself it says nothing', async () => {
    const { gateway, ada, brin, cleo, id } = await harbour(engine)
    const clients = [await gateway.connect(ada), await gateway.connect(brin), await gateway.connect(cleo)] as const
    await gateway.got(...clients)
    await gateway.request('POST', `/servers/${id}/join`, cleo)
    expect(await gateway.got(...clients)).toEqual([[], [], []])
    expect(await say(gateway, [declare('dnd')], ...clients)).toEqual([PRESENCE, PRESENCE, PRESENCE])
    await gateway.request('DELETE', `/servers/${id}/leave`, cleo)
    expect(await gateway.got(...clients)).toEqual([[], [], []])
    expect(await say(gateway, [declare('online')], ...clients)).toEqual([PRESENCE, PRESENCE, []])
    const [own, peer, gone] = clients
    expect(await say(gateway, [declare('away')], gone, own, peer)).toEqual([PRESENCE, [], []])
  })

  it('follows who leaves one of two servers', async () => {
    const { gateway, ada, brin, cleo, id } = await harbour(engine)
    await gateway.request('POST', `/servers/${id}/join`, cleo)
    const second = await gateway.server(brin, ada, cleo)
    const dov = await gateway.person('dov')
    const eva = await gateway.person('eva')
    const clients = [await gateway.connect(ada), await gateway.connect(brin), await gateway.connect(cleo)] as const
    await gateway.got(...clients)
    await gateway.request('DELETE', `/servers/${id}/leave`, cleo)
    expect(await say(gateway, [declare('dnd')], ...clients)).toEqual([PRESENCE, PRESENCE, PRESENCE])
    await gateway.request('DELETE', `/servers/${second.id}/leave`, cleo)
    // A larger one, in which the one who has left is not.
    await gateway.server(ada, dov, eva, brin)
    const others = [await gateway.connect(dov), await gateway.connect(eva)]
    await gateway.got(...clients, ...others)
    expect(await say(gateway, [declare('online')], ...clients, ...others)).toEqual([
      PRESENCE,
      PRESENCE,
      [],
      PRESENCE,
      PRESENCE,
    ])
  })

  it('forgets on the last disconnect what somebody did, but not what they say of themselves', async () => {
    const { gateway, ada } = await harbour(engine)
    const client = await gateway.connect(ada)
    await say(gateway, [declare('online', { custom_status: 'tea', activity: 'chess' })], client)
    await client.close()
    await counts(gateway, 0)
    const again = await gateway.connect(ada)
    expect(field(readyOf(again), 'user')).toMatchObject({ custom_status: 'tea', activity: null })
  })

  it('is kept for a moment when a token ends; who is back by then was never gone', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { gateway, ada, brin } = await harbour(engine)
    const own = await gateway.connect(ada)
    await say(gateway, [declare('away', { custom_status: 'tea' })], own)
    vi.setSystemTime(START + 890_000)
    const peer = await gateway.connect(await gateway.login(brin.id))
    await gateway.got(peer)
    vi.setSystemTime(START + 900_000)
    expect(await own.closed).toEqual({ code: 1001, reason: 'token_expired' })
    await counts(gateway, 1)
    expect((await gateway.request('GET', '/users/@me', await gateway.login(ada.id))).body).toMatchObject({
      status: 'away',
    })
    vi.setSystemTime(START + 929_999)
    expect(await gateway.got(peer)).toEqual([[]])
    const back = await gateway.connect(await gateway.login(ada.id))
    expect(dataOf(peer, 'PRESENCE_UPDATE').filter((one) => field(one, 'status') === 'offline')).toEqual([])
    expect(await gateway.got(back)).toEqual([[]])
  })

  it('emits nothing for who comes back in time, online as before', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { gateway, ada, brin } = await harbour(engine)
    const own = await gateway.connect(ada)
    vi.setSystemTime(START + 890_000)
    const peer = await gateway.connect(await gateway.login(brin.id))
    await gateway.got(peer)
    vi.setSystemTime(START + 900_000)
    await own.closed
    const back = await gateway.connect(await gateway.login(ada.id))
    expect(await gateway.got(peer, back)).toEqual([[], []])
    vi.setSystemTime(START + 940_000)
    // Longer than a look at what is due takes.
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(await gateway.got(peer, back)).toEqual([[], []])
  })

  it('ends with the window when nobody comes back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { gateway, ada, brin } = await harbour(engine)
    const own = await gateway.connect(ada)
    vi.setSystemTime(START + 890_000)
    const peer = await gateway.connect(await gateway.login(brin.id))
    await gateway.got(peer)
    vi.setSystemTime(START + 900_000)
    await own.closed
    vi.setSystemTime(START + 931_000)
    await peer.next('PRESENCE_UPDATE')
    expect(lastOf(peer)).toEqual(update(ada.id, 'offline'))
    expect(await gateway.got(peer)).toEqual([[]])
  })

  it('ends at once for who comes back in time and leaves', async () => {
    // Was wrong: lib/gateway/sockets.ts #begin: what is kept for who has gone stays until its time when they are back, so that
    // nobody is told when they leave, and away on the new connection is not seen.
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { gateway, ada, brin } = await harbour(engine)
    const own = await gateway.connect(ada)
    vi.setSystemTime(START + 890_000)
    const peer = await gateway.connect(await gateway.login(brin.id))
    await gateway.got(peer)
    vi.setSystemTime(START + 900_000)
    await own.closed
    const renewed = { ...ada, token: gateway.tokens.forSession(gateway.world.users.find(ada.id)!, ada.session) }
    const back = await gateway.connect(renewed)
    expect(await say(gateway, [declare('away')], back, peer)).toEqual([PRESENCE, PRESENCE])
    await back.close()
    await counts(gateway, 1)
    expect(await gateway.got(peer)).toEqual([PRESENCE])
    expect(lastOf(peer)).toEqual(update(ada.id, 'offline'))
  })

  it('ends at once when the session ends within the window', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { gateway, ada, brin } = await harbour(engine)
    const own = await gateway.connect(ada)
    vi.setSystemTime(START + 890_000)
    const peer = await gateway.connect(await gateway.login(brin.id))
    await gateway.got(peer)
    vi.setSystemTime(START + 900_000)
    await own.closed
    await gateway.world.changes.run(() => gateway.world.sessions.end(ada.session, ada.id, 'logout'))
    expect(await gateway.got(peer)).toEqual([PRESENCE])
    expect(lastOf(peer)).toEqual(update(ada.id, 'offline'))
  })
})
