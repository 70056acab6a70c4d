import { describe, expect, it } from 'vitest'
import { type Client, counts, field, Gateway, idOf, keysOf, type Person, say } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

const [VIEW, SEND] = [1, 2]

const numbersOf = ({ frames }: Pick<Client, 'frames'>): number[] => frames.flatMap(({ s }) => s ?? [])
/** The number of the newest frame. */
const lastOf = (client: Client): number => numbersOf(client).at(-1) ?? NaN
const typesOf = ({ frames }: Client): string[] => frames.flatMap(({ t }) => t ?? [])
const sessionOf = ({ frames }: Client): string => String(field(frames[0]?.d, 'session_id'))

/** Ada's server, in which brin is, with connections that can go on. */
async function harbour(engine: (typeof engines)[number], settings = {}) {
  const gateway = await Gateway.start(engine, settings)
  const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
  const server = await gateway.server(ada, brin)
  const owner = await gateway.connect(ada)
  /** Goes on behind what another has got. */
  const resume = (who: Person, before: Client, seq = lastOf(before), id = sessionOf(before)): Client =>
    gateway.open(`token=${who.token}&resume=${id}&seq=${seq}`)
  const begin = (who: Person): Promise<Client> => gateway.connect(`token=${who.token}&resume=1`)
  /** Cuts a client off, and waits until the gateway knows. */
  const cut = async (client: Client): Promise<void> => {
    const { connections } = gateway.host
    client.cut()
    await counts(gateway, connections - 1)
  }
  return { gateway, ada, brin, cleo, owner, begin, resume, cut, ...server }
}

describe.each(engines)('a session, on %s', (engine) => {
  it('is for those who ask: for others each byte is as before', async () => {
    const { gateway, ada, brin, channel, begin } = await harbour(engine)
    const plain = await gateway.connect(brin)
    for (const query of ['resume=', 'resume']) await gateway.connect(`token=${brin.token}&${query}`)
    const asked = await begin(brin)
    await gateway.post(ada, channel, 'fog')
    await asked.next('MESSAGE_CREATE')
    await plain.next('MESSAGE_CREATE')
    expect(keysOf(plain.frames[0])).toEqual(['op', 't', 'd'])
    expect(keysOf(plain.frames[0]?.d)).not.toContain('session_id')
    expect(plain.frames.every((frame) => !('s' in frame))).toBe(true)
    expect(keysOf(asked.frames[0])).toEqual(['op', 't', 's', 'd'])
    expect(keysOf(asked.frames[0]?.d)).toEqual([...keysOf(plain.frames[0]?.d), 'session_id'])
    expect(sessionOf(asked)).toMatch(/^[\w-]{22}$/)
    const { s: _s, ...frame } = { s: 0, ...asked.frames.at(-1) }
    expect(frame).toEqual(plain.frames.at(-1))
  })

  it('goes on with all that was missed, in order, and then with what comes', async () => {
    const { gateway, ada, brin, channel, begin, resume, cut, owner } = await harbour(engine)
    const before = await begin(brin)
    const witness = await gateway.connect(brin)
    await gateway.post(ada, channel, 'one')
    await before.next('MESSAGE_CREATE')
    await cut(before)
    await gateway.post(ada, channel, 'two')
    await say(gateway, [{ op: 'TYPING_START', d: { channel_id: channel } }], owner)
    await gateway.request('POST', '/dm-channels', ada, { user_id: brin.id })
    await gateway.post(ada, channel, 'three')
    const after = resume(brin, before)
    await after.next('RESUMED')
    await gateway.post(ada, channel, 'four')
    await gateway.got(after, witness)
    expect(typesOf(after)).toEqual([
      'RESUMED',
      'MESSAGE_CREATE',
      'TYPING_START',
      'DM_CHANNEL_CREATE',
      'MESSAGE_CREATE',
      'MESSAGE_CREATE',
    ])
    expect(after.frames[0]).toEqual({
      op: 'DISPATCH',
      t: 'RESUMED',
      s: lastOf(before),
      d: { session_id: sessionOf(before), events: 4 },
    })
    // As who was there all the time has heard it.
    const told = [...before.frames, ...after.frames].filter(({ t }) => t !== undefined && !/READY|RESUMED/.test(t))
    const heard = witness.frames.filter(({ t }) => t !== undefined && t !== 'READY')
    expect(told.map(({ t, d }) => ({ t, d }))).toEqual(heard.map(({ t, d }) => ({ t, d })))
    const numbers = numbersOf(before).concat(numbersOf(after).slice(1))
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  })

  it('goes on as often as it is cut, also with what was on its way', async () => {
    const { gateway, ada, brin, channel, begin, resume, cut } = await harbour(engine)
    let client = await begin(brin)
    const [session, seq] = [sessionOf(client), lastOf(client)]
    for (const content of ['one', 'two', 'three']) {
      await gateway.post(ada, channel, content)
      await client.next('MESSAGE_CREATE')
      await cut(client)
      client = resume(brin, client, lastOf(client), session)
      await client.next('RESUMED')
      expect(typesOf(client)).toEqual(['RESUMED'])
    }
    await cut(client)
    // What came may have been lost behind the last that its client kept.
    const again = resume(brin, client, seq, session)
    await again.next('RESUMED')
    await again.settle()
    expect(again.frames.flatMap(({ d }) => field(d, 'content') ?? [])).toEqual(['one', 'two', 'three'])
  })

  it('takes the place of a connection whose peer is gone without a word', async () => {
    const { gateway, ada, brin, channel, begin, resume } = await harbour(engine)
    const before = await begin(brin)
    await gateway.post(ada, channel, 'one')
    const after = resume(brin, before)
    await after.next('RESUMED')
    expect(await before.closed).toEqual({ code: 1001, reason: 'resumed' })
    await after.settle()
    expect(typesOf(after)).toEqual(['RESUMED', 'MESSAGE_CREATE'])
    await gateway.post(ada, channel, 'two')
    expect(await after.settle()).toEqual(['MESSAGE_CREATE'])
    expect(gateway.host.connections).toBe(2)
  })

  it('does not go on where it was left, was ended, is unknown, or is of somebody else: READY begins anew', async () => {
    const { gateway, ada, brin, cleo, channel, begin, resume, cut } = await harbour(engine)
    const expectAnew = async (client: Client): Promise<void> => {
      await client.next('READY')
      expect(typesOf(client)).toEqual(['READY'])
      expect(sessionOf(client)).toMatch(/^[\w-]{22}$/)
    }
    const left = await begin(brin)
    await left.close(1000)
    await expectAnew(resume(brin, left))
    const mine = await begin(brin)
    await cut(mine)
    const thief = resume(cleo, mine)
    await expectAnew(thief)
    expect(sessionOf(thief)).not.toBe(sessionOf(mine))
    await expectAnew(resume(brin, mine, 0, 'x'.repeat(22)))
    for (const seq of [-1, 1e9, NaN]) {
      const next = await begin(brin)
      await cut(next)
      await expectAnew(resume(brin, next, seq))
      // It has gone for good.
      await expectAnew(resume(brin, next))
    }
    await gateway.post(ada, channel, 'fog')
    const after = resume(brin, mine)
    await after.next('RESUMED')
    await after.settle()
    expect(typesOf(after)).toEqual(['RESUMED', 'MESSAGE_CREATE'])
  })

  it('ends with the login that it was begun with, also while nobody is connected', async () => {
    const { gateway, brin, begin, resume, cut } = await harbour(engine)
    const before = await begin(brin)
    const other = await gateway.login(brin.id)
    await cut(before)
    await gateway.request('POST', '/auth/logout', brin)
    expect((await gateway.request('GET', '/users/@me', brin)).status).toBe(401)
    const after = resume(other, before)
    await after.next('READY')
    expect(typesOf(after)).toEqual(['READY'])
  })

  it('ends with the login that it has gone on with, and not with the one before', async () => {
    const { gateway, brin, begin, resume, cut } = await harbour(engine)
    const before = await begin(brin)
    const [id, other, third] = [sessionOf(before), await gateway.login(brin.id), await gateway.login(brin.id)]
    await cut(before)
    const moved = resume(other, before)
    await moved.next('RESUMED')
    await cut(moved)
    await gateway.request('POST', '/auth/logout', brin)
    const again = resume(other, moved, lastOf(moved), id)
    await again.next('RESUMED')
    await cut(again)
    await gateway.request('POST', '/auth/logout', other)
    const after = resume(third, again, lastOf(again), id)
    await after.next('READY')
    expect(typesOf(after)).toEqual(['READY'])
  })

  it('of one user there wait as many as they may have connections: the oldest is over', async () => {
    const { brin, begin, resume, cut } = await harbour(engine, { wsMaxConnsPerUser: 2 })
    const cutOnes: Client[] = []
    for (let i = 0; i < 3; i++) {
      const client = await begin(brin)
      cutOnes.push(client)
      await cut(client)
    }
    for (const [i, client] of cutOnes.entries()) {
      const after = resume(brin, client)
      await after.next(i === 0 ? 'READY' : 'RESUMED')
      expect(typesOf(after)).toHaveLength(1)
    }
  })

  it('is looked at anew: what somebody may not see any more, or not yet, is not in it', async () => {
    const { gateway, ada, brin, id, begin, resume, cut } = await harbour(engine)
    const [bridge, deck] = [await gateway.channel(ada, id, 'bridge'), await gateway.channel(ada, id, 'deck')]
    await gateway.override(ada, deck, {}, 0, VIEW)
    const before = await begin(brin)
    await cut(before)
    await gateway.post(ada, bridge, 'seen')
    await gateway.override(ada, bridge, { userId: brin.id }, 0, VIEW)
    await gateway.post(ada, bridge, 'hidden')
    await gateway.post(ada, deck, 'hidden')
    await gateway.override(ada, deck, { userId: brin.id }, VIEW | SEND, 0)
    await gateway.post(ada, deck, 'seen')
    await gateway.request('POST', `/servers/${id}/members/${brin.id}/kick`, ada, {})
    await gateway.post(ada, deck, 'hidden')
    const after = resume(brin, before)
    await after.next('RESUMED')
    await gateway.post(ada, bridge, 'hidden')
    await after.settle()
    expect(after.frames.flatMap(({ d }) => field(d, 'content') ?? [])).toEqual(['seen', 'seen'])
    expect(typesOf(after)).toEqual([
      'RESUMED',
      'MESSAGE_CREATE',
      'CHANNEL_OVERRIDE_UPDATE',
      'CHANNEL_OVERRIDE_UPDATE',
      'MESSAGE_CREATE',
      'MEMBER_KICK',
    ])
  })

  it('has each vote as its own user sees it, and nothing of who types themselves', async () => {
    const { gateway, ada, brin, channel, begin, resume, cut } = await harbour(engine)
    const ask = { question: 'Sail?', options: ['yes', 'no'] }
    const { body } = await gateway.request('POST', `/channels/${channel}/polls`, ada, ask)
    const [poll, yes] = [field(body, 'poll', 'id'), field(body, 'poll', 'options', 0, 'id')]
    const before = await begin(brin)
    const other = await gateway.connect(brin)
    await gateway.request('POST', `/polls/${String(poll)}/vote`, brin, { option_id: yes })
    await before.next('POLL_VOTE')
    await cut(before)
    await gateway.request('POST', `/polls/${String(poll)}/vote`, ada, { option_id: yes })
    await say(gateway, [{ op: 'TYPING_START', d: { channel_id: channel } }], other)
    const after = resume(brin, before)
    await after.next('RESUMED')
    await after.settle()
    expect(typesOf(after)).toEqual(['RESUMED', 'POLL_VOTE'])
    expect(field(after.frames[1]?.d, 'updated_poll', 'user_vote')).toBe(yes)
  })

  it('is over where more was missed than it may: never a part of it', async () => {
    const { gateway, ada, brin, channel, begin, resume, cut } = await harbour(engine, { resumeEvents: 2 })
    for (const [count, first] of [
      [2, 'RESUMED'],
      [3, 'READY'],
    ] as const) {
      const before = await begin(brin)
      await cut(before)
      for (let i = 0; i < count; i++) await gateway.post(ada, channel, 'fog')
      const after = resume(brin, before)
      await after.next(first)
      await after.settle()
      expect(typesOf(after)).toEqual(first === 'READY' ? ['READY'] : ['RESUMED', 'MESSAGE_CREATE', 'MESSAGE_CREATE'])
      await after.close()
    }
  })

  it('is over where what was missed is more than half of what may wait for a client', async () => {
    const { gateway, ada, brin, channel, begin, resume, cut } = await harbour(engine, { maxBackpressure: '64K' })
    for (const [count, first] of [
      [5, 'RESUMED'],
      [9, 'READY'],
    ] as const) {
      const before = await begin(brin)
      await cut(before)
      for (let i = 0; i < count; i++) await gateway.post(ada, channel, 'x'.repeat(4000))
      const after = resume(brin, before)
      await after.next(first)
      await after.settle()
      expect(typesOf(after)).toHaveLength(first === 'READY' ? 1 : count + 1)
      await after.close()
    }
  })

  it('is over after its time', async () => {
    const { gateway, ada, brin, channel, begin, resume, cut } = await harbour(engine, { resumeS: 0 })
    const before = await begin(brin)
    await cut(before)
    await gateway.post(ada, channel, 'fog')
    const after = resume(brin, before)
    await after.next('READY')
    expect(typesOf(after)).toEqual(['READY'])
  })

  it('is not presence: others see that somebody goes and comes, and voice ends', async () => {
    const { gateway, ada, brin, id, owner, begin, resume, cut } = await harbour(engine)
    const voice = await gateway.request('POST', `/servers/${id}/channels`, ada, { name: 'bridge', type: 'voice' })
    const before = await begin(brin)
    await gateway.request('POST', `/channels/${idOf(voice.body)}/voice`, brin)
    await before.next('VOICE_STATE_UPDATE')
    await owner.settle()
    await cut(before)
    expect(await owner.settle()).toEqual(['VOICE_STATE_UPDATE', 'PRESENCE_UPDATE'])
    const after = resume(brin, before)
    await after.next('RESUMED')
    expect(await owner.settle()).toEqual(['PRESENCE_UPDATE'])
    await after.settle()
    // Of the own voice, too: it has left.
    expect(typesOf(after)).toEqual(['RESUMED', 'VOICE_STATE_UPDATE'])
  })
})
