import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Client, counts, dataOf, expectError, Gateway, type Person, temporary } from '../support/gateway.ts'
import { NOTHING, PRESENCE, startDeck, STOP, upTo, VIEW, VOICE, voiceChannel } from '../support/deck.ts'
import { engines } from '../support/server.ts'
import { voiceOf } from '../support/voice-state.ts'

const BEGIN = 1_800_000_000_000
const [ENDED, GONE] = [
  [...STOP, ...VOICE],
  [...STOP, ...VOICE, ...PRESENCE],
]

afterEach(() => {
  vi.useRealTimers()
})

/** Brin and cleo, who is there twice, are on deck; cleo is live. */
async function startLive(engine: (typeof engines)[number]) {
  const all = await startDeck(engine, 'cleo')
  await all.join(all.brin)
  await all.join(all.cleo)
  await all.show(all.cleo)
  await all.heard()
  const talking = async (channel = all.deck): Promise<unknown> =>
    (await all.gateway.request('GET', `/channels/${channel}/voice`, channel === all.islet ? all.dov : all.ada)).body
  return { ...all, talking }
}

/** What an end tells of who was live on deck. */
function expectEnd(client: Client, deck: string, who: Person): void {
  expect(dataOf(client, 'GO_LIVE_STOP')).toEqual([{ channel_id: deck, broadcaster_id: who.id }])
  expect(dataOf(client, 'VOICE_STATE_UPDATE').at(-1)).toEqual(voiceOf(who, null))
}

describe.each(engines)('a stay in a voice channel, on %s', (engine) => {
  it('gateway trap T34: ends with the last connection: first the stream, then the voice, then the presence', async () => {
    const { gateway, brin, cleo, deck, clients, talking } = await startLive(engine)
    const [ada, brins, one, two, dov] = clients
    await one.close()
    await counts(gateway, 4)
    // One of two connections is nothing to anybody.
    expect(await gateway.got(ada, brins, two, dov)).toEqual([[], [], [], []])
    const told = [ada, brins].map((client) => upTo(client, 'PRESENCE_UPDATE'))
    two.cut()
    expect(await Promise.all(told)).toEqual([GONE, GONE])
    // Of the other server he is not in a channel.
    expect(await gateway.got(ada, brins, dov)).toEqual([[], [], PRESENCE])
    for (const client of [ada, brins]) expectEnd(client, deck, cleo)
    expect(await talking()).toEqual([voiceOf(brin, deck)])
    const again = await gateway.connect(cleo)
    expect(await gateway.got(again)).toEqual([[]])
    expect(await talking()).toEqual([voiceOf(brin, deck)])
  })

  it('ends at once, in that order, with a session that ends', async () => {
    const { gateway, cleo, deck, clients, talking } = await startLive(engine)
    const [ada, brins, one, two, dov] = clients
    expect((await gateway.request('POST', '/auth/logout', cleo)).status).toBe(204)
    expect(await gateway.got(ada, brins, dov)).toEqual([GONE, GONE, PRESENCE])
    for (const client of [one, two]) {
      expect(await client.closed).toEqual({ code: 1000, reason: 'session_revoked' })
      expect(dataOf(client, 'GO_LIVE_STOP')).toEqual([])
    }
    expectEnd(ada, deck, cleo)
    expect(await talking()).toHaveLength(1)
  })

  it('ends with the last connection of who is invisible, of whom nobody hears that they go', async () => {
    const { gateway, cleo, clients, heard } = await startLive(engine)
    await gateway.request('PATCH', '/users/@me', cleo, { status: 'offline' })
    expect(await heard()).toEqual([PRESENCE, PRESENCE, PRESENCE, PRESENCE, PRESENCE])
    const [ada, brins, one, two, dov] = clients
    await one.close()
    const told = upTo(ada, 'VOICE_STATE_UPDATE')
    await two.close()
    expect(await told).toEqual(ENDED)
    expect(await gateway.got(ada, brins, dov)).toEqual([[], ENDED, []])
  })

  it.each([
    ['kick', 'MEMBER_KICK'],
    ['ban', 'MEMBER_BAN'],
  ])('gateway trap T29: ends with a %s, before it is told, and who goes hears all of it', async (act, event) => {
    const { gateway, ada, brin, cleo, id, deck, clients, heard, talking } = await startLive(engine)
    const reply = await gateway.request('POST', `/servers/${id}/members/${cleo.id}/${act}`, ada)
    expect(reply.status).toBe(204)
    const told = [...ENDED, event]
    expect(await heard()).toEqual([told, told, told, told, []])
    for (const client of clients.slice(0, 4)) expectEnd(client, deck, cleo)
    expect(await talking()).toEqual([voiceOf(brin, deck)])
    // Then nothing more, on any connection.
    await gateway.request('DELETE', `/channels/${deck}/voice`, brin)
    expect(await heard()).toEqual([VOICE, VOICE, [], [], []])
  })

  it('ends with leaving the server', async () => {
    const { gateway, brin, cleo, id, deck, clients, heard, talking } = await startLive(engine)
    expect((await gateway.request('DELETE', `/servers/${id}/leave`, cleo)).status).toBe(204)
    expect(await heard()).toEqual([ENDED, ENDED, ENDED, ENDED, []])
    for (const client of clients.slice(0, 4)) expectEnd(client, deck, cleo)
    expect(await talking()).toEqual([voiceOf(brin, deck)])
  })

  it('ends for each who is in a channel that is deleted, who alone could see it, too', async () => {
    const { gateway, ada, brin, cleo, id, deck, cabin, clients, heard, join } = await startLive(engine)
    await join(ada, cabin)
    await gateway.override(ada, deck, {}, 0, VIEW)
    await gateway.override(ada, deck, { userId: cleo.id }, VIEW, 0)
    await heard()
    expect((await gateway.request('DELETE', `/servers/${id}/channels/${deck}`, ada)).status).toBe(204)
    // Brin has lost sight of the channel, and so of the stream.
    const told = [...VOICE, ...ENDED]
    expect(await heard()).toEqual([told, [...VOICE, ...VOICE], told, told, []])
    expectEnd(clients[2], deck, cleo)
    expect(dataOf(clients[1], 'VOICE_STATE_UPDATE').slice(-2)).toEqual([voiceOf(brin, null), voiceOf(cleo, null)])
    const elsewhere = await gateway.request('GET', `/channels/${cabin}/voice`, ada)
    expect(elsewhere.body).toEqual([voiceOf(ada, cabin)])
    expectError(await gateway.request('DELETE', `/channels/${deck}/voice`, cleo), 404, 'NOT_FOUND')
    expect((await join(cleo, cabin)).status).toBe(201)
  })

  it('ends for each who is in a server that is deleted, and for nobody else', async () => {
    const { gateway, ada, brin, dov, id, cabin, islet, clients, heard, join, talking } = await startLive(engine)
    await join(ada, cabin)
    await join(dov, islet)
    await heard()
    expect((await gateway.request('DELETE', `/servers/${id}`, ada)).status).toBe(204)
    const told = [...VOICE, ...ENDED, ...VOICE]
    expect(await heard()).toEqual([told, told, told, told, []])
    expect(dataOf(clients[1], 'VOICE_STATE_UPDATE').at(-1)).toEqual(voiceOf(ada, null))
    expect(dataOf(clients[2], 'VOICE_STATE_UPDATE').at(-3)).toEqual(voiceOf(brin, null))
    expect(await talking(islet)).toEqual([voiceOf(dov, islet)])
  })

  it.each(['kick', 'ban'])(
    'gateway trap T28: a %s leaves alone who is in a voice channel of another server',
    async (act) => {
      const { gateway, ada, cleo, id, islet, heard, join, show, talking } = await startLive(engine)
      await join(cleo, islet)
      await show(cleo, {}, islet)
      await heard()
      await gateway.request('POST', `/servers/${id}/members/${cleo.id}/${act}`, ada)
      const told = [`MEMBER_${act.toUpperCase()}`]
      expect(await heard()).toEqual([told, told, told, told, []])
      expect(await talking(islet)).toEqual([voiceOf(cleo, islet)])
      expect((await gateway.request('GET', `/channels/${islet}/go-live`, cleo)).status).toBe(200)
    },
  )

  it('goes on while another server of theirs is left, or is deleted', async () => {
    const { gateway, cleo, dov, elsewhere, deck, heard, talking } = await startLive(engine)
    await gateway.request('DELETE', `/servers/${elsewhere.id}/leave`, cleo)
    await gateway.request('POST', `/servers/${elsewhere.id}/join`, cleo)
    await gateway.request('DELETE', `/servers/${elsewhere.id}`, dov)
    expect(await heard()).toEqual(NOTHING)
    expect(await talking()).toMatchObject([{ channel_id: deck }, { user_id: cleo.id, channel_id: deck }])
  })

  it('gateway trap T54: nobody is told of each who goes with the server itself', async () => {
    const { gateway, clients } = await startLive(engine)
    const before = clients.map(({ frames }) => frames.length)
    await gateway.host.stop()
    await Promise.all(clients.map(({ closed }) => closed))
    expect(clients.map(({ frames }) => frames.length)).toEqual(before)
  })

  it('gateway trap T21: does not outlast a restart; what was said from above does', async () => {
    const folder = temporary()
    const before = await Gateway.start(engine, {}, folder)
    const [ada, brin] = [await before.person('ada'), await before.person('brin')]
    const { id } = await before.server(ada, brin)
    const deck = await voiceChannel(before, ada, id, 'deck')
    const path = `/channels/${deck}/voice`
    await before.request('POST', path, brin)
    await before.request('POST', `/channels/${deck}/go-live`, brin)
    await before.request('PATCH', `${path}/${brin.id}`, ada, { server_deaf: true })
    await before.host.free()
    const after = await Gateway.start(engine, {}, folder)
    expect((await after.request('GET', path, ada)).body).toEqual([])
    expectError(await after.request('GET', `/channels/${deck}/go-live`, ada), 404, 'NOT_FOUND')
    expect((await after.request('POST', path, brin)).body).toEqual(voiceOf(brin, deck, { server_deaf: true }))
  })
})

/** Ada's token has ended: she was live on deck, and brin hears of it. */
async function startExpired(engine: (typeof engines)[number]) {
  vi.useFakeTimers({ toFake: ['Date'], now: BEGIN })
  const gateway = await Gateway.start(engine, { wsRate: 0 })
  const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
  const { id } = await gateway.server(ada, brin)
  const deck = await voiceChannel(gateway, ada, id, 'deck')
  const own = await gateway.connect(ada)
  await gateway.request('POST', `/channels/${deck}/voice`, ada)
  await gateway.request('POST', `/channels/${deck}/go-live`, ada)
  vi.setSystemTime(BEGIN + 890_000)
  const peer = await gateway.connect(await gateway.login(brin.id))
  await gateway.got(peer)
  vi.setSystemTime(BEGIN + 900_000)
  await own.closed
  const talking = async (): Promise<unknown> =>
    (await gateway.request('GET', `/channels/${deck}/voice`, await gateway.login(brin.id))).body
  return { gateway, ada, deck, peer, talking }
}

describe.each(engines)('a stay in a voice channel whose token has ended, on %s', (engine) => {
  it('is kept for a moment: who is back by then was never gone', async () => {
    const { gateway, ada, deck, peer, talking } = await startExpired(engine)
    vi.setSystemTime(BEGIN + 929_999)
    const back = await gateway.connect(await gateway.login(ada.id))
    expect(await gateway.got(peer, back)).toEqual([[], []])
    expect(await talking()).toEqual([voiceOf(ada, deck)])
    const told = upTo(peer, 'PRESENCE_UPDATE')
    await back.close()
    expect(await told).toEqual(GONE)
  })

  it('ends with that moment, in order', async () => {
    const { gateway, ada, deck, peer, talking } = await startExpired(engine)
    expect(await gateway.got(peer)).toEqual([[]])
    const told = upTo(peer, 'PRESENCE_UPDATE')
    vi.setSystemTime(BEGIN + 930_000)
    expect(await told).toEqual(GONE)
    expectEnd(peer, deck, ada)
    expect(await talking()).toEqual([])
  })

  it('ends at once with the session', async () => {
    const { gateway, ada, deck, peer } = await startExpired(engine)
    const { world } = gateway
    await world.changes.run(() => world.sessions.end(ada.session, ada.id, 'logout'))
    expect(await gateway.got(peer)).toEqual([GONE])
    expectEnd(peer, deck, ada)
  })

  it('may go elsewhere meanwhile, and ends there', async () => {
    const { gateway, ada, deck, peer } = await startExpired(engine)
    const again = await gateway.login(ada.id)
    await gateway.request('POST', `/channels/${deck}/voice`, again)
    expect(await gateway.got(peer)).toEqual([ENDED])
    const told = upTo(peer, 'PRESENCE_UPDATE')
    vi.setSystemTime(BEGIN + 930_000)
    expect(await told).toEqual([...VOICE, ...PRESENCE])
  })
})
