import { afterEach, describe, expect, it } from 'vitest'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { type Client, counts, dataOf, keysOf, pinged, say } from '../support/gateway.ts'
import { CONNECT, NOBODY, NOTHING, PRESENCE, startDeck, VIEW, VOICE } from '../support/deck.ts'
import { engines } from '../support/server.ts'

const SIGNAL = ['VOICE_SIGNAL']
const signal = (to_user_id: unknown, rest: object = {}) => ({
  op: 'VOICE_SIGNAL',
  d: { to_user_id, type: 'offer', ...rest },
})
const signals = (client: Client): unknown[] => dataOf(client, 'VOICE_SIGNAL')
const without = { sdp: null, candidate: null, stream_type: null }

/** Ada and brin, who has two connections, are on deck; cleo is in the cabin, dov on his islet. */
async function startCalls(engine: (typeof engines)[number]) {
  const all = await startDeck(engine)
  const { ada, brin, cleo, dov, deck, cabin, islet } = all
  for (const [who, channel] of [
    [ada, deck],
    [brin, deck],
    [cleo, cabin],
    [dov, islet],
  ] as const) {
    await all.join(who, channel)
  }
  await all.heard()
  return all
}

afterEach(() => rSetLogSink(null))

describe.each(engines)('signals, on %s', (engine) => {
  it('are told to the one whom they are for, on each connection, and to nobody else', async () => {
    const { gateway, ada, brin, clients } = await startCalls(engine)
    const offer = signal(brin.id, { sdp: 'v=0\r\n', candidate: null, stream_type: 'screen' })
    expect(await say(gateway, [offer], ...clients)).toEqual([[], SIGNAL, SIGNAL, [], []])
    for (const client of clients.slice(1, 3)) {
      const told = signals(client)
      expect(told).toEqual([
        { from_user_id: ada.id, type: 'offer', sdp: 'v=0\r\n', candidate: null, stream_type: 'screen' },
      ])
      expect(keysOf(told[0])).toEqual(['from_user_id', 'type', 'sdp', 'candidate', 'stream_type'])
    }
    // And back, from one of two: the other hears nothing of it.
    const [adas, one, two, ...others] = clients
    const back = [
      signal(ada.id, { type: 'answer', sdp: 'v=0' }),
      signal(ada.id, { type: 'candidate', candidate: '{}' }),
    ]
    expect(await say(gateway, back, one, two, adas, ...others)).toEqual([[], [], [...SIGNAL, ...SIGNAL], [], []])
    expect(signals(adas)).toEqual([
      { ...without, from_user_id: brin.id, type: 'answer', sdp: 'v=0' },
      { ...without, from_user_id: brin.id, type: 'candidate', candidate: '{}' },
    ])
  })

  it('gateway trap T33: to somebody in another channel, to oneself, or of another type are dropped', async () => {
    const { gateway, ada, brin, cleo, dov, deck, clients } = await startCalls(engine)
    const bot = await gateway.bot(ada, 'Buoy')
    const bad = [
      ...[cleo.id, dov.id, ada.id, ada.id.toUpperCase(), bot.userId, NOBODY, deck].map((to) => signal(to)),
      ...[
        '',
        'x',
        `${brin.id} `,
        brin.id.replaceAll('-', ''),
        'brin',
        null,
        undefined,
        5,
        [brin.id],
        { id: brin.id },
      ].map((to) => signal(to)),
      ...['bye', 'Offer', 'offer ', '', '__proto__', 'constructor', null, undefined, 0, ['offer'], {}].map((type) =>
        signal(brin.id, { type }),
      ),
      { op: 'VOICE_SIGNAL', d: { to_user_id: brin.id } },
      { op: 'VOICE_SIGNAL', d: null },
      { op: 'VOICE_SIGNAL', d: [brin.id, 'offer'] },
      { op: 'VOICE_SIGNAL', to_user_id: brin.id, type: 'offer' },
      { ...signal(brin.id), t: 5 },
      { op: 'voice_signal', d: signal(brin.id).d },
    ]
    expect(await say(gateway, bad, ...clients)).toEqual(NOTHING)
    // Of what else is in it nothing is passed on: not whom it was for, nor who somebody says that they are.
    const more = { from_user_id: cleo.id, user_id: cleo.id, nested: { a: 1 } }
    expect(await say(gateway, [signal(brin.id.toUpperCase(), more)], ...clients)).toEqual([[], SIGNAL, SIGNAL, [], []])
    expect(signals(clients[1])).toEqual([{ ...without, from_user_id: ada.id, type: 'offer' }])
  })

  it('are dropped as a whole where a part is not as it should be', async () => {
    const { gateway, ada, brin, clients } = await startCalls(engine)
    const values = [5, true, {}, [], ['v=0'], 'a\0b', '\ud800', 'x\udc00']
    const bad = [
      ...values.flatMap((value) => [
        signal(brin.id, { sdp: value }),
        signal(brin.id, { type: 'candidate', candidate: value, sdp: 'v=0' }),
        signal(brin.id, { sdp: 'v=0', stream_type: value }),
      ]),
      signal(brin.id, { stream_type: 'x'.repeat(33) }),
      signal(brin.id, { stream_type: '🛥'.repeat(33) }),
    ]
    expect(await say(gateway, bad, ...clients)).toEqual(NOTHING)
    const good = [
      { sdp: '', candidate: '', stream_type: '' },
      { sdp: null, candidate: null, stream_type: null },
      { sdp: '"\\\u2028\u007f', candidate: '{"sdpMid":"0"}', stream_type: '🛥'.repeat(32) },
    ]
    const names = [...SIGNAL, ...SIGNAL, ...SIGNAL]
    const sent = good.map((rest) => signal(brin.id, rest))
    expect(await say(gateway, sent, ...clients)).toEqual([[], names, names, [], []])
    expect(signals(clients[2])).toEqual(good.map((rest) => ({ from_user_id: ada.id, type: 'offer', ...rest })))
  })

  it('are as long as a message may be', async () => {
    const { gateway, brin, clients } = await startCalls(engine)
    const rest = 16_384 - Buffer.byteLength(JSON.stringify(signal(brin.id, { sdp: '' })))
    const sdp = 'x'.repeat(rest)
    expect(await say(gateway, [signal(brin.id, { sdp })], ...clients)).toEqual([[], SIGNAL, SIGNAL, [], []])
    expect(signals(clients[1])).toMatchObject([{ sdp }])
    clients[0].send(signal(brin.id, { sdp: `${sdp}x` }))
    await clients[0].closed
    const gone = [...VOICE, ...PRESENCE]
    await counts(gateway, 4)
    expect(await gateway.got(...clients.slice(1))).toEqual([gone, gone, gone, []])
  })

  it('need both in one channel when they come', async () => {
    const { gateway, ada, brin, cleo, cabin, clients, heard, join, leave } = await startCalls(engine)
    const [adas, one, two, cleos, dovs] = clients
    const [toBrin, toCleo] = [signal(brin.id), signal(cleo.id)]
    await leave(ada)
    await heard()
    expect(await say(gateway, [toBrin, toCleo], ...clients)).toEqual(NOTHING)
    await join(ada, cabin)
    await heard()
    expect(await say(gateway, [toBrin, toCleo], ...clients)).toEqual([[], [], [], SIGNAL, []])
    await join(brin, cabin)
    await heard()
    expect(await say(gateway, [toBrin, toCleo], ...clients)).toEqual([[], SIGNAL, SIGNAL, SIGNAL, []])
    await gateway.request('DELETE', `/channels/${cabin}/voice/${cleo.id}`, ada)
    await heard()
    expect(await say(gateway, [toBrin, toCleo], ...clients)).toEqual([[], SIGNAL, SIGNAL, [], []])
    expect(await say(gateway, [toBrin, signal(ada.id)], cleos, adas, one, two, dovs)).toEqual(NOTHING)
  })

  it('go to who may no longer see the channel, or speak in it: what is said from peer to peer is theirs', async () => {
    const { gateway, ada, brin, deck, clients, heard } = await startCalls(engine)
    await gateway.override(ada, deck, { userId: brin.id }, 0, VIEW | CONNECT | 64)
    await gateway.request('PATCH', `/channels/${deck}/voice/${brin.id}`, ada, { server_mute: true, server_deaf: true })
    await heard()
    expect(await say(gateway, [signal(brin.id)], ...clients)).toEqual([[], SIGNAL, SIGNAL, [], []])
    const [adas, one, two, ...others] = clients
    expect(await say(gateway, [signal(ada.id)], one, adas, two, ...others)).toEqual([[], SIGNAL, [], [], []])
  })

  it('are not kept for who has no connection', async () => {
    const { gateway, ada, id, deck, clients, heard } = await startCalls(engine)
    const eve = await gateway.person('eve')
    await gateway.request('POST', `/servers/${id}/join`, eve)
    await gateway.request('POST', `/channels/${deck}/voice`, eve)
    await heard()
    expect(await say(gateway, [signal(eve.id, { sdp: 'v=0' })], ...clients)).toEqual(NOTHING)
    const late = await gateway.connect(eve)
    expect(await gateway.got(late)).toEqual([[]])
    await heard()
    expect(await say(gateway, [signal(eve.id)], ...clients, late)).toEqual([...NOTHING, SIGNAL])
    expect(signals(late)).toEqual([{ ...without, from_user_id: ada.id, type: 'offer' }])
  })

  it('come in the order in which they were sent, each once', async () => {
    const { gateway, ada, brin, clients } = await startCalls(engine)
    const [adas, ...others] = clients
    const [one, two] = others
    const sent = Array.from({ length: 200 }, (_, i) => ({ type: 'candidate', candidate: `${i}` }))
    for (const rest of sent) adas.send(signal(brin.id, rest))
    await pinged(adas)
    expect(await gateway.got(...others)).toMatchObject([{ length: 200 }, { length: 200 }, [], []])
    const expected = sent.map((rest) => ({ ...without, from_user_id: ada.id, ...rest }))
    for (const client of [one, two]) expect(signals(client)).toEqual(expected)
  })

  it('gateway trap T55: are in no log, whether they are passed on or not', async () => {
    const lines: string[] = []
    rSetLogSink((...line) => void lines.push(JSON.stringify(line)))
    const { gateway, brin, cleo, clients } = await startCalls(engine)
    const secret = { sdp: 'v=0 192.0.2.7', candidate: 'candidate:1 192.0.2.7', stream_type: '192.0.2.7' }
    const messages = [signal(brin.id, secret), signal(cleo.id, secret), signal(brin.id, { ...secret, type: 'bye' })]
    await say(gateway, messages, ...clients)
    await gateway.host.stop()
    expect(lines.length).toBeGreaterThan(4)
    expect(lines.filter((line) => line.includes('192.0.2.7'))).toEqual([])
  })
})
