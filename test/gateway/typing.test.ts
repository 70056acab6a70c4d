import { describe, expect, it } from 'vitest'
import { dataOf, Gateway, idOf, keysOf, say } from '../support/gateway.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'

const [VIEW, SEND] = [1, 2]
const typing = (channel_id: unknown) => ({ op: 'TYPING_START', d: { channel_id } })
const TYPING = ['TYPING_START']

describe.each(engines)('typing, on %s', (engine) => {
  it('gateway trap T22: others who can see the channel are told, on all their connections, the typist on none', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const dov = await gateway.person('dov')
    const { channel } = await gateway.server(ada, brin, dov)
    await gateway.override(ada, channel, { userId: dov.id }, 0, VIEW)
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(brin),
      await gateway.connect(cleo),
      await gateway.connect(dov),
    ] as const
    await gateway.got(...clients)
    expect(await say(gateway, [typing(channel)], ...clients)).toEqual([[], [], TYPING, TYPING, [], []])
    const [, , brins] = clients
    const [data] = dataOf(brins, 'TYPING_START')
    expect(keysOf(data)).toEqual(['user_id', 'username', 'channel_id', 'timestamp'])
    expect(data).toEqual({
      user_id: ada.id,
      username: 'ada',
      channel_id: channel,
      timestamp: TIME,
    })
    // The typist gets what comes next.
    await gateway.post(ada, channel, 'fog')
    const created = ['MESSAGE_CREATE']
    expect(await gateway.got(...clients)).toEqual([created, created, created, created, [], []])
    const names = clients.flatMap(({ frames }) => frames.map(({ t }) => t))
    expect(names).not.toContain('TYPING_STOP')
  })

  it('is told in channels that every member can see, each time', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const { channel } = await gateway.server(ada, brin)
    const clients = [
      await gateway.connect(brin),
      await gateway.connect(brin),
      await gateway.connect(ada),
      await gateway.connect(cleo),
    ]
    await gateway.got(...clients)
    expect(await say(gateway, [typing(channel), typing(channel.toUpperCase())], ...clients)).toEqual([
      [],
      [],
      [...TYPING, ...TYPING],
      [],
    ])
    await gateway.post(ada, channel, 'fog')
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_CREATE'], ['MESSAGE_CREATE'], ['MESSAGE_CREATE'], []])
  })

  it('is told in voice channels, too', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { id } = await gateway.server(ada, brin)
    const { body } = await gateway.request('POST', `/servers/${id}/channels`, ada, { name: 'deck', type: 'voice' })
    const clients = [await gateway.connect(ada), await gateway.connect(brin)]
    await gateway.got(...clients)
    expect(await say(gateway, [typing(idOf(body))], ...clients)).toEqual([[], TYPING])
  })

  it('is not told by who may not, or of what is not there', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 0 })
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const { id, channel } = await gateway.server(ada, brin)
    const hidden = await gateway.channel(ada, id, 'bridge')
    await gateway.override(ada, hidden, { userId: brin.id }, 0, VIEW)
    const mute = await gateway.channel(ada, id, 'board')
    await gateway.override(ada, mute, {}, 0, SEND)
    const direct = idOf((await gateway.request('POST', '/dm-channels', ada, { user_id: cleo.id })).body)
    const clients = [await gateway.connect(brin), await gateway.connect(ada), await gateway.connect(cleo)]
    await gateway.got(...clients)
    const bad = [
      hidden,
      mute,
      direct,
      id,
      brin.id,
      ada.id,
      '',
      'x',
      `${channel} `,
      5,
      null,
      [channel],
      { id: channel },
      undefined,
    ]
    expect(await say(gateway, bad.map(typing), ...clients)).toEqual([[], [], []])
    const [, , cleos] = clients
    expect(await say(gateway, [typing(channel)], cleos!, ...clients.slice(0, 2))).toEqual([[], [], []])
  })

  it('is told to the other side of a direct channel only', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    await gateway.server(ada, brin, cleo)
    const direct = idOf((await gateway.request('POST', '/dm-channels', ada, { user_id: brin.id })).body)
    const [one, two] = [await gateway.connect(ada), await gateway.connect(ada)]
    const others = [await gateway.connect(brin), await gateway.connect(brin), await gateway.connect(cleo)] as const
    await gateway.got(one, two, ...others)
    expect(await say(gateway, [typing(direct)], one, two, ...others)).toEqual([[], [], TYPING, TYPING, []])
    expect(dataOf(others[0], 'TYPING_START')).toMatchObject([{ user_id: ada.id, username: 'ada', channel_id: direct }])
    expect(await say(gateway, [typing(direct)], others[0], others[1], one, two, others[2])).toEqual([
      [],
      [],
      TYPING,
      TYPING,
      [],
    ])
  })

  it('is told by an invisible user who types, for that is their wish', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { channel } = await gateway.server(ada, brin)
    const [own, peer] = [await gateway.connect(ada), await gateway.connect(brin)]
    await say(gateway, [{ op: 'PRESENCE_UPDATE', d: { status: 'offline' } }], own, peer)
    expect(await say(gateway, [typing(channel)], own, peer)).toEqual([[], TYPING])
  })
})
