import { describe, expect, it } from 'vitest'
import { dataOf, expectError, keysOf, sorted } from '../support/gateway.ts'
import { MANAGE_CHANNELS, MUTE, NOTHING, START, startDeck, STOP, VIEW, VOICE } from '../support/deck.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'
import { voiceOf } from '../support/voice-state.ts'

const [STARTED, STOPPED] = [
  [START, START, START, START, []],
  [STOP, STOP, STOP, STOP, []],
]

/** Brin, who is there twice, and cleo are on deck. */
async function startShow(engine: (typeof engines)[number]) {
  const all = await startDeck(engine)
  await all.join(all.brin)
  await all.join(all.cleo)
  await all.heard()
  const at = `/channels/${all.deck}/go-live`
  const look = (as = all.ada) => all.gateway.request('GET', at, as)
  const stop = (as = all.brin) => all.gateway.request('DELETE', at, as)
  return { ...all, at, look, stop }
}

describe.each(engines)('going live, on %s', (engine) => {
  it('is told to all who see the channel, and so is its end, once on each connection', async () => {
    const { brin, deck, clients, heard, show, look, stop } = await startShow(engine)
    const live = await show(brin)
    expect([live.status, keysOf(live.body)]).toEqual([201, ['channel_id', 'broadcaster_id', 'quality', 'started_at']])
    expect(live.body).toEqual({ channel_id: deck, broadcaster_id: brin.id, quality: '720p', started_at: TIME })
    expect(await heard()).toEqual(STARTED)
    for (const client of clients.slice(0, 4)) {
      expect(dataOf(client, 'GO_LIVE_START')).toEqual([live.body])
      expect(keysOf(dataOf(client, 'GO_LIVE_START')[0])).toEqual(keysOf(live.body))
    }
    const seen = await look()
    expect([seen.status, seen.body]).toEqual([200, live.body])
    const ended = await stop()
    expect([ended.status, ended.text]).toEqual([204, ''])
    expect(await heard()).toEqual(STOPPED)
    const told = { channel_id: deck, broadcaster_id: brin.id }
    expect(dataOf(clients[3], 'GO_LIVE_STOP')).toEqual([told])
    expect(keysOf(dataOf(clients[3], 'GO_LIVE_STOP')[0])).toEqual(keysOf(told))
    for (const reply of [await look(), await stop()]) expectError(reply, 404, 'NOT_FOUND')
    expect(await heard()).toEqual(NOTHING)
  })

  it('in another quality is told again, as it has begun when it did; in the same it is not', async () => {
    const { brin, clients, heard, show } = await startShow(engine)
    const first = await show(brin, { quality: '480p', unknown: 1 })
    expect(await heard()).toEqual(STARTED)
    for (const quality of ['1080p', '720p'] as const) {
      const next = await show(brin, { quality })
      expect([next.status, next.body]).toEqual([200, { ...Object(first.body), quality }])
      expect(await heard()).toEqual(STARTED)
      expect(dataOf(clients[0], 'GO_LIVE_START').at(-1)).toEqual(next.body)
      // Without one it is 720p.
      const same = await show(brin, quality === '720p' ? undefined : { quality })
      expect([same.status, same.body]).toEqual([200, next.body])
      expect(await heard()).toEqual(NOTHING)
    }
  })

  it('is for one at a time in a channel, who has to be in it', async () => {
    const { ada, brin, cleo, channel, deck, cabin, heard, show, join, look, stop } = await startShow(engine)
    expectError(await show(ada), 400, 'VALIDATION')
    expectError(await show(brin, {}, cabin), 400, 'VALIDATION')
    expectError(await show(brin, {}, channel), 400, 'VALIDATION')
    const replies = await Promise.all([show(brin), show(cleo), show(brin), show(cleo)])
    expect(sorted(replies.map(({ status }) => status))).toEqual(['200', '201', '409', '409'])
    expect(await heard()).toEqual(STARTED)
    await stop(ada)
    expect((await show(cleo)).status).toBe(201)
    expectError(await show(brin, { quality: '480p' }), 409, 'CONFLICT')
    // Elsewhere is another channel.
    await join(ada, cabin)
    await heard()
    expect((await show(ada, {}, cabin)).status).toBe(201)
    expect(await heard()).toEqual(STARTED)
    expect((await look()).body).toMatchObject({ channel_id: deck, broadcaster_id: cleo.id })
  })

  it.each([{ quality: '4k' }, { quality: '720P' }, { quality: 720 }, { quality: ['720p'] }, [], 'null', '"720p"'])(
    'with %j is 400 and nothing',
    async (body) => {
      const { brin, heard, show, look } = await startShow(engine)
      expectError(await show(brin, body), 400, 'VALIDATION')
      expectError(await look(), 404, 'NOT_FOUND')
      expect(await heard()).toEqual(NOTHING)
    },
  )

  it('gateway trap T34: is ended by who does it, or may manage the channel, and named is who did it', async () => {
    const { gateway, ada, brin, cleo, dov, channel, deck, at, clients, heard, show, stop, promote } =
      await startShow(engine)
    await show(brin)
    await promote(cleo, MUTE, 9)
    await heard()
    expectError(await stop(cleo), 403, 'FORBIDDEN')
    expectError(await stop(dov), 404, 'NOT_FOUND')
    for (const method of ['GET', 'DELETE']) {
      expectError(await gateway.request(method, at.replace(deck, channel), brin), 400, 'VALIDATION')
    }
    expect(await heard()).toEqual(NOTHING)
    await gateway.override(ada, deck, { userId: cleo.id }, MANAGE_CHANNELS, 0)
    await heard()
    for (const who of [cleo, ada]) {
      await show(brin)
      await heard()
      expect((await stop(who)).status).toBe(204)
      expect(await heard()).toEqual(STOPPED)
      expect(dataOf(clients[1], 'GO_LIVE_STOP').at(-1)).toEqual({ channel_id: deck, broadcaster_id: brin.id })
    }
    // It ends what is shown, not who is there.
    expect((await gateway.request('GET', `/channels/${deck}/voice`, ada)).body).toMatchObject([{}, {}])
  })

  it('gateway trap T34: ends before the voice of who joins again, moves, leaves or is sent out is told', async () => {
    const { gateway, ada, brin, deck, cabin, clients, heard, show, join, leave, look } = await startShow(engine)
    const ends: readonly (() => Promise<unknown>)[] = [
      () => join(brin),
      () => join(brin, cabin),
      () => leave(brin),
      () => gateway.request('DELETE', `/channels/${deck}/voice/${brin.id}`, ada),
    ]
    for (const [i, end] of ends.entries()) {
      await join(brin)
      await show(brin)
      await heard()
      await end()
      const told = [...STOP, ...VOICE]
      expect(await heard()).toEqual([told, told, told, told, []])
      for (const client of clients.slice(0, 4)) {
        expect(dataOf(client, 'GO_LIVE_STOP')).toHaveLength(i + 1)
        expect(dataOf(client, 'GO_LIVE_STOP').at(-1)).toEqual({ channel_id: deck, broadcaster_id: brin.id })
      }
      expectError(await look(), 404, 'NOT_FOUND')
    }
    expect(dataOf(clients[0], 'VOICE_STATE_UPDATE').at(-1)).toEqual(voiceOf(brin, null))
  })

  it('ends before the leave and the join of who goes to another server', async () => {
    const { cleo, deck, islet, clients, heard, show, join, look } = await startShow(engine)
    await show(cleo)
    await heard()
    await join(cleo, islet)
    const told = [...STOP, ...VOICE]
    expect(await heard()).toEqual([told, told, told, [...told, ...VOICE], VOICE])
    expect(dataOf(clients[3], 'GO_LIVE_STOP')).toEqual([{ channel_id: deck, broadcaster_id: cleo.id }])
    expectError(await look(), 404, 'NOT_FOUND')
  })

  it('goes on while others come and go, and whatever flags say', async () => {
    const { gateway, brin, cleo, deck, heard, show, join, leave, look } = await startShow(engine)
    const live = await show(brin)
    await heard()
    await leave(cleo)
    await join(cleo)
    const said = await gateway.request('PATCH', `/channels/${deck}/voice`, brin, { self_screen: true, self_mute: true })
    expect(said.body).toEqual(voiceOf(brin, deck, { self_screen: true, self_mute: true }))
    await gateway.request('PATCH', `/channels/${deck}/voice`, brin, { self_screen: false })
    const told = [...VOICE, ...VOICE, ...VOICE, ...VOICE]
    expect(await heard()).toEqual([told, told, told, told, []])
    expect((await look()).body).toEqual(live.body)
  })

  it('gateway trap T24: is not told to who does not see the channel, nor looked at by them', async () => {
    const { gateway, ada, brin, cleo, deck, heard, show, look, stop, leave } = await startShow(engine)
    await gateway.override(ada, deck, { userId: cleo.id }, 0, VIEW)
    await heard()
    await show(brin)
    expect(await heard()).toEqual([START, START, START, [], []])
    expectError(await look(cleo), 404, 'NOT_FOUND')
    expectError(await show(cleo), 404, 'NOT_FOUND')
    expectError(await stop(cleo), 404, 'NOT_FOUND')
    await leave(brin)
    const told = [...STOP, ...VOICE]
    expect(await heard()).toEqual([told, told, told, VOICE, []])
  })
})
