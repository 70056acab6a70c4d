import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, keysOf, listOf } from '../support/gateway.ts'
import { CONNECT, MUTE, NOBODY, NOTHING, startDeck, VIEW, VOICE } from '../support/deck.ts'
import { engines } from '../support/server.ts'
import { voiceOf } from '../support/voice-state.ts'

/** In the order of the specification. */
const STATE =
  'user_id channel_id self_mute self_deaf self_video self_screen server_mute server_deaf joined_at username'.split(' ')
const EVENT = 'VOICE_STATE_UPDATE'
const TOLD = [VOICE, VOICE, VOICE, VOICE, []]

describe.each(engines)('voice channels, on %s', (engine) => {
  it('are joined and left, and all members hear of it, once on each connection', async () => {
    const { gateway, ada, brin, deck, clients, heard, join, leave } = await startDeck(engine)
    const joined = await join(brin)
    expect([joined.status, keysOf(joined.body)]).toEqual([201, STATE])
    expect(joined.body).toEqual(voiceOf(brin, deck))
    expect(await heard()).toEqual(TOLD)
    for (const client of clients.slice(0, 4)) expect(dataOf(client, EVENT)).toEqual([joined.body])
    expect(keysOf(dataOf(clients[3], EVENT)[0])).toEqual(STATE)
    const list = await gateway.request('GET', `/channels/${deck.toUpperCase()}/voice`, ada)
    expect([list.status, list.body]).toEqual([200, [joined.body]])

    const left = await leave(brin)
    expect([left.status, left.text]).toEqual([204, ''])
    expect(await heard()).toEqual(TOLD)
    expect(dataOf(clients[0], EVENT)[1]).toEqual(voiceOf(brin, null))
    expect(keysOf(dataOf(clients[0], EVENT)[1])).toEqual(STATE)
    expect((await gateway.request('GET', `/channels/${deck}/voice`, ada)).body).toEqual([])
    expectError(await leave(brin), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(NOTHING)
  })

  it('list who is there in the order in which they came, joining again is coming anew', async () => {
    const { gateway, ada, brin, cleo, cabin, deck, heard, join } = await startDeck(engine)
    const names = async (channel: string): Promise<unknown[]> => {
      const { body } = await gateway.request('GET', `/channels/${channel}/voice`, ada)
      return listOf(body).map((one) => field(one, 'username'))
    }
    for (const who of [cleo, ada, brin]) await join(who)
    expect(await names(deck)).toEqual(['cleo', 'ada', 'brin'])
    await join(cleo)
    expect(await names(deck)).toEqual(['ada', 'brin', 'cleo'])
    await join(brin, cabin)
    expect([await names(deck), await names(cabin)]).toEqual([['ada', 'cleo'], ['brin']])
    const told = [EVENT, EVENT, EVENT, EVENT, EVENT]
    expect(await heard()).toEqual([told, told, told, told, []])
  })

  it('are joined also by a bot, and by who has no connection', async () => {
    const { gateway, ada, dov, id, deck, clients, heard } = await startDeck(engine)
    const bot = await gateway.bot(ada, 'Buoy')
    await gateway.request('POST', `/servers/${id}/join`, `Bot ${bot.token}`)
    await heard()
    const joined = await gateway.request('POST', `/channels/${deck}/voice`, `Bot ${bot.token}`, {})
    expect([joined.status, field(joined.body, 'user_id')]).toEqual([201, bot.userId])
    expect(await heard()).toEqual(TOLD)
    expect(dataOf(clients[3], EVENT)).toEqual([joined.body])
    expectError(await gateway.request('GET', `/channels/${deck}/voice`, dov), 404, 'NOT_FOUND')
  })

  it('gateway trap T30: between channels of one server there is one update and no leave, between servers the leave comes first', async () => {
    const { cleo, deck, cabin, islet, clients, heard, join } = await startDeck(engine, 'cleo')
    await join(cleo)
    await heard()
    expect((await join(cleo, cabin)).body).toEqual(voiceOf(cleo, cabin))
    expect(await heard()).toEqual(TOLD)
    expect((await join(cleo, islet)).status).toBe(201)
    const BOTH = [EVENT, EVENT]
    // Who is in both servers hears both, the others what happens in theirs.
    expect(await heard()).toEqual([VOICE, VOICE, BOTH, BOTH, VOICE])
    const [stays, moved, gone, there] = [
      voiceOf(cleo, deck),
      voiceOf(cleo, cabin),
      voiceOf(cleo, null),
      voiceOf(cleo, islet),
    ]
    for (const client of clients.slice(0, 2)) expect(dataOf(client, EVENT)).toEqual([stays, moved, gone])
    for (const client of clients.slice(2, 4)) expect(dataOf(client, EVENT)).toEqual([stays, moved, gone, there])
    expect(dataOf(clients[4], EVENT)).toEqual([there])
  })

  it('one’s own flags are told when they change, and only then', async () => {
    const { gateway, ada, brin, deck, cabin, clients, heard, join } = await startDeck(engine)
    const patch = (body: unknown, channel = deck, as = brin) =>
      gateway.request('PATCH', `/channels/${channel}/voice`, as, body)
    expectError(await patch({ self_mute: true }), 404, 'NOT_FOUND')
    const joined = await join(brin)
    await heard()
    const at = field(joined.body, 'joined_at')
    const muted = await patch({ self_mute: true, self_video: false })
    expect([muted.status, muted.body]).toEqual([200, voiceOf(brin, deck, { self_mute: true, joined_at: at })])
    expect(await heard()).toEqual(TOLD)
    expect(dataOf(clients[3], EVENT).at(-1)).toEqual(muted.body)
    expect((await patch({ self_mute: true })).body).toEqual(muted.body)
    expect(await heard()).toEqual(NOTHING)
    const all = { self_mute: false, self_deaf: true, self_video: true, self_screen: true }
    expect((await patch(all)).body).toEqual(voiceOf(brin, deck, { ...all, joined_at: at }))
    expect(await heard()).toEqual(TOLD)
    for (const [channel, as] of [
      [cabin, brin],
      [deck, ada],
    ] as const) {
      expectError(await patch({ self_mute: true }, channel, as), 404, 'NOT_FOUND')
    }
    // Joining again takes all of it back.
    expect((await join(brin)).body).toEqual(voiceOf(brin, deck))
    expect(await heard()).toEqual(TOLD)
  })

  it('gateway trap T32: what others say of it, or anything else, is 400 in one’s own and changes nothing', async () => {
    const { gateway, brin, deck, heard, join } = await startDeck(engine)
    const joined = await join(brin)
    await heard()
    for (const body of [
      {},
      { server_mute: true },
      { self_mute: true, server_mute: true },
      { self_mute: true, server_deaf: false },
      { self_mute: true, channel_id: deck },
      { self_mute: 'true' },
      { self_mute: 1 },
      { self_mute: null },
      { self_mute: true, self_deaf: null },
      [{ self_mute: true }],
      'true',
      'null',
    ]) {
      expectError(await gateway.request('PATCH', `/channels/${deck}/voice`, brin, body), 400, 'VALIDATION')
    }
    const torn = await gateway.request('PATCH', `/channels/${deck}/voice`, brin, '{"self_mute":true')
    expectError(torn, 400, 'BAD_JSON')
    expect((await gateway.request('GET', `/channels/${deck}/voice`, brin)).body).toEqual([joined.body])
    expect(await heard()).toEqual(NOTHING)
  })

  it('need the right to connect, and to be what they are: who is refused stays where they were', async () => {
    const { gateway, ada, brin, cleo, id, channel, deck, cabin, heard, join } = await startDeck(engine)
    await gateway.override(ada, cabin, { userId: brin.id }, 0, CONNECT)
    await gateway.override(ada, cabin, { userId: cleo.id }, 0, VIEW)
    const list = (as: typeof ada, at: string) => gateway.request('GET', `/channels/${at}/voice`, as)
    const joined = await join(brin)
    await heard()
    expectError(await join(brin, cabin), 403, 'FORBIDDEN')
    expectError(await join(cleo, cabin), 404, 'NOT_FOUND')
    for (const reply of [await join(brin, channel), await list(brin, channel)]) expectError(reply, 400, 'VALIDATION')
    expect((await list(brin, cabin)).body).toEqual([])
    expect((await list(cleo, deck)).body).toEqual([joined.body])
    expect(await heard()).toEqual(NOTHING)
    // Who may say nothing for a while may listen.
    await gateway.request('POST', `/servers/${id}/members/${cleo.id}/timeout`, ada, { duration_minutes: 5 })
    expect((await join(cleo)).status).toBe(201)
  })

  it('gateway trap T31: joining again, moving, and leaving and coming back keep what was said from above', async () => {
    const { gateway, ada, brin, deck, cabin, clients, heard, join, leave } = await startDeck(engine)
    await join(brin)
    await gateway.request('PATCH', `/channels/${deck}/voice`, brin, { self_mute: true })
    await heard()
    const mute = (body: object) => gateway.request('PATCH', `/channels/${deck}/voice/${brin.id}`, ada, body)
    const muted = await mute({ server_mute: true })
    const server_mute = true
    expect([muted.status, muted.body]).toEqual([200, voiceOf(brin, deck, { self_mute: true, server_mute })])
    expect(await heard()).toEqual(TOLD)
    expect(dataOf(clients[1], EVENT).at(-1)).toEqual(muted.body)
    expect((await mute({ server_mute, server_deaf: false })).body).toEqual(muted.body)
    expect(await heard()).toEqual(NOTHING)

    expect((await join(brin)).body).toEqual(voiceOf(brin, deck, { server_mute }))
    expect((await join(brin, cabin)).body).toEqual(voiceOf(brin, cabin, { server_mute }))
    await leave(brin, cabin)
    await heard()
    expect(dataOf(clients[0], EVENT).at(-1)).toEqual(voiceOf(brin, null))
    expect((await join(brin)).body).toEqual(voiceOf(brin, deck, { server_mute }))
    const freed = await mute({ server_mute: false, server_deaf: true })
    expect(freed.body).toEqual(voiceOf(brin, deck, { server_deaf: true }))
    await heard()
    expect(dataOf(clients[3], EVENT).at(-1)).toEqual(freed.body)
  })

  it('what is said from above is for who may, of who is below them and there', async () => {
    const { gateway, ada, brin, cleo, dov, deck, cabin, heard, join, promote } = await startDeck(engine)
    const to = (as: typeof ada, who: string, channel = deck, body: object = { server_mute: true }) =>
      gateway.request('PATCH', `/channels/${channel}/voice/${who}`, as, body)
    for (const who of [ada, brin, cleo]) await join(who)
    await heard()
    // To be above is one thing, to hold it another.
    await promote(cleo, 0)
    expectError(await to(cleo, brin.id), 403, 'FORBIDDEN')
    await promote(brin, MUTE)
    for (const who of [ada, brin, cleo]) expectError(await to(brin, who.id), 403, 'FORBIDDEN')
    expectError(await to(ada, ada.id), 403, 'FORBIDDEN')
    for (const who of [dov.id, NOBODY]) expectError(await to(ada, who), 404, 'NOT_FOUND')
    for (const channel of [cabin, NOBODY]) expectError(await to(ada, cleo.id, channel), 404, 'NOT_FOUND')
    expectError(await to(dov, cleo.id), 404, 'NOT_FOUND')
    for (const body of [{}, { server_mute: null }, { server_mute: 1 }, { server_mute: true, self_mute: true }]) {
      expectError(await to(ada, cleo.id, deck, body), 400, 'VALIDATION')
    }
    expect(await heard()).toEqual(NOTHING)
    await promote(brin, MUTE, 6)
    expect((await to(brin, cleo.id)).body).toEqual(voiceOf(cleo, deck, { server_mute: true }))
    expect(await heard()).toEqual(TOLD)
  })

  it('gateway trap T29: who is sent out of a channel is named as they were, and may come back', async () => {
    const { gateway, ada, brin, cleo, deck, cabin, clients, heard, join, promote } = await startDeck(engine)
    const send = (as: typeof ada, who: string, channel = deck) =>
      gateway.request('DELETE', `/channels/${channel}/voice/${who}`, as)
    for (const who of [ada, brin, cleo]) await join(who)
    await heard()
    await promote(brin, 0)
    expectError(await send(brin, cleo.id), 403, 'FORBIDDEN')
    expectError(await send(ada, brin.id, cabin), 404, 'NOT_FOUND')
    expectError(await send(ada, NOBODY), 404, 'NOT_FOUND')
    await gateway.override(ada, deck, { userId: brin.id }, MUTE, 0)
    await heard()
    expectError(await send(brin, ada.id), 403, 'FORBIDDEN')
    expect(await heard()).toEqual(NOTHING)
    const sent = await send(brin, cleo.id)
    expect([sent.status, sent.text]).toEqual([204, ''])
    expect(await heard()).toEqual(TOLD)
    for (const client of clients.slice(0, 4)) expect(dataOf(client, EVENT).at(-1)).toEqual(voiceOf(cleo, null))
    expectError(await send(brin, cleo.id), 404, 'NOT_FOUND')
    expect((await join(cleo)).status).toBe(201)
  })

  it('are told of to all members, also those who cannot see them', async () => {
    const { gateway, ada, cleo, deck, clients, heard, join } = await startDeck(engine)
    await gateway.override(ada, deck, { userId: cleo.id }, 0, VIEW)
    await heard()
    const joined = await join(ada)
    expect(await heard()).toEqual(TOLD)
    expect(dataOf(clients[3], EVENT)).toEqual([joined.body])
  })

  it('who may no longer see or enter a channel stays in it until they leave', async () => {
    const { gateway, ada, brin, deck, heard, join, leave } = await startDeck(engine)
    await join(brin)
    await gateway.override(ada, deck, { userId: brin.id }, 0, VIEW | CONNECT)
    await heard()
    expect((await gateway.request('GET', `/channels/${deck}/voice`, ada)).body).toEqual([voiceOf(brin, deck)])
    const muted = await gateway.request('PATCH', `/channels/${deck}/voice`, brin, { self_mute: true })
    expect(muted.body).toEqual(voiceOf(brin, deck, { self_mute: true }))
    expect((await leave(brin)).status).toBe(204)
    expect(await heard()).toEqual([[EVENT, EVENT], [EVENT, EVENT], [EVENT, EVENT], [EVENT, EVENT], []])
    expectError(await join(brin), 404, 'NOT_FOUND')
  })

  it('gateway trap T24: answer 401 before ids, ids before the body, the body before what there is; what is hidden is not there', async () => {
    const { gateway, ada, brin, dov, deck, heard } = await startDeck(engine)
    await gateway.override(ada, deck, { userId: brin.id }, 0, VIEW)
    await heard()
    const routes: readonly (readonly [method: string, path: string, body?: object])[] = [
      ['GET', 'voice'],
      ['POST', 'voice'],
      ['PATCH', 'voice', { self_mute: true }],
      ['DELETE', 'voice'],
      ['PATCH', `voice/${ada.id}`, { server_mute: true }],
      ['DELETE', `voice/${ada.id}`],
      ['GET', 'go-live'],
      ['POST', 'go-live', { quality: '480p' }],
      ['DELETE', 'go-live'],
    ]
    for (const [method, path, body] of routes) {
      const ask = (as: typeof ada | null, channel: string, given: unknown = body) =>
        gateway.request(method, `/channels/${channel}/${path}`, as, given)
      const torn = body && '{'
      expectError(await ask(null, 'x', torn), 401, 'UNAUTHORIZED')
      expectError(await ask(ada, 'x', torn), 400, 'BAD_ID')
      if (body !== undefined) {
        expectError(await ask(ada, NOBODY, '{'), 400, 'BAD_JSON')
        expectError(await ask(ada, NOBODY, [body]), 400, 'VALIDATION')
      }
      const unknown = await ask(brin, NOBODY)
      expectError(unknown, 404, 'NOT_FOUND')
      for (const hidden of [await ask(brin, deck), await ask(dov, deck)]) {
        expect([hidden.status, hidden.text]).toEqual([404, unknown.text])
      }
    }
    expectError(await gateway.request('DELETE', `/channels/${NOBODY}/voice/x`, ada), 400, 'BAD_ID')
    expectError(await gateway.request('PUT', `/channels/${deck}/voice`, ada), 405, 'METHOD_NOT_ALLOWED')
    expect(await heard()).toEqual(NOTHING)
  })
})
