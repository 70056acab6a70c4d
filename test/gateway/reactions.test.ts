import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, keysOf, type Person } from '../support/gateway.ts'
import { startHarbour } from '../support/harbour.ts'
import { engines } from '../support/server.ts'
import { type Attempt, expectRefused, expectUnseen, NOWHERE } from '../support/unseen.ts'

const [VIEW, ADD_REACTIONS] = [1, 16]
const [ADD, REMOVE] = [['REACTION_ADD'], ['REACTION_REMOVE']]
const SILENCE = [[], [], [], [], []]
const [ANCHOR, FOX] = ['⚓', '🦊']

/** With a message of ada's in the channel. */
async function harbour(engine: (typeof engines)[number]) {
  const all = await startHarbour(engine)
  const { gateway, ada, channel, heard } = all
  const id = await gateway.post(ada, channel, 'fog')
  await heard()
  const at = `/channels/${channel}/messages/${id}/reactions`
  const put = (as: Person, emoji = ANCHOR, path = at) =>
    gateway.request('PUT', `${path}/${encodeURIComponent(emoji)}`, as)
  const take = (as: Person, emoji = ANCHOR, path = at) =>
    gateway.request('DELETE', `${path}/${encodeURIComponent(emoji)}`, as)
  const list = async (as: Person): Promise<unknown> => (await gateway.request('GET', at, as)).body
  return { ...all, server: all.id, id, at, put, take, list }
}

describe.each(engines)('reactions, on %s', (engine) => {
  it('come and go, and all who see the channel hear of it, once on each connection', async () => {
    const { brin, cleo, ada, id, channel, clients, heard, put, take, list } = await harbour(engine)
    const added = await put(cleo)
    expect([added.status, added.text]).toEqual([204, ''])
    expect(await heard()).toEqual([ADD, ADD, ADD, ADD, []])
    const reaction = { message_id: id, channel_id: channel, user_id: cleo.id, emoji: ANCHOR }
    for (const client of clients.slice(0, 4)) {
      expect(client.frames.at(-2)).toEqual({ op: 'DISPATCH', t: 'REACTION_ADD', d: reaction })
    }
    expect(keysOf(dataOf(clients[0], 'REACTION_ADD')[0])).toEqual(['message_id', 'channel_id', 'user_id', 'emoji'])
    await put(brin)
    await put(brin, FOX)
    expect(await list(brin)).toEqual([
      { emoji: ANCHOR, count: 2, me: true },
      { emoji: FOX, count: 1, me: true },
    ])
    expect(await list(ada)).toEqual([
      { emoji: ANCHOR, count: 2, me: false },
      { emoji: FOX, count: 1, me: false },
    ])
    await heard()

    // One's own only.
    expectError(await take(ada), 404, 'NOT_FOUND')
    expectError(await take(cleo, FOX), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
    const taken = await take(cleo)
    expect([taken.status, taken.text]).toEqual([204, ''])
    expect(await heard()).toEqual([REMOVE, REMOVE, REMOVE, REMOVE, []])
    for (const client of clients.slice(0, 4)) expect(dataOf(client, 'REACTION_REMOVE')).toEqual([reaction])
    expectError(await take(cleo), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
    expect(await list(cleo)).toEqual([
      { emoji: ANCHOR, count: 1, me: false },
      { emoji: FOX, count: 1, me: false },
    ])
  })

  it('gateway trap T36: again is 204, and no event, also at once', async () => {
    const { brin, cleo, at, heard, put, list } = await harbour(engine)
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await put(brin)).status))
    expect(statuses).toEqual([204, 204, 204, 204, 204])
    expect(await heard()).toEqual([ADD, ADD, ADD, ADD, []])
    expect((await put(brin)).status).toBe(204)
    const [, , place = '', , message = ''] = at.split('/')
    const shout = `/channels/${place.toUpperCase()}/messages/${message.toUpperCase()}/reactions`
    expect((await put(brin, ANCHOR, shout)).status).toBe(204)
    expect(await heard()).toEqual(SILENCE)
    expect(await list(cleo)).toEqual([{ emoji: ANCHOR, count: 1, me: false }])
  })

  it('gateway trap T24: who cannot see the channel hears nothing of them, and gets 404', async () => {
    const { gateway, ada, brin, cleo, dov, server, id, at, heard, put, take } = await harbour(engine)
    const bridge = await gateway.channel(ada, server, 'bridge')
    await gateway.override(ada, bridge, { userId: brin.id }, 0, VIEW)
    const hidden = await gateway.post(ada, bridge, 'fog')
    const there = `/channels/${bridge}/messages/${hidden}/reactions`
    await put(ada, ANCHOR, there)
    await heard()
    const attempts = (path: string): Attempt[] => [
      ['PUT', `${path}/%E2%9A%93`],
      ['DELETE', `${path}/%E2%9A%93`],
      ['GET', path],
    ]
    const nowhere = attempts(`/channels/${NOWHERE}/messages/${NOWHERE}/reactions`)
    await expectUnseen(gateway, [brin, dov], attempts(there), nowhere)
    await expectUnseen(gateway, [dov], attempts(at), nowhere)
    // A message is found in its own channel only.
    await expectUnseen(gateway, [ada], attempts(`/channels/${bridge}/messages/${id}/reactions`), nowhere)
    await expectUnseen(gateway, [ada], attempts(`/channels/${bridge}/messages/${NOWHERE}/reactions`), nowhere)
    expect(await heard()).toEqual(SILENCE)
    await put(cleo, FOX, there)
    await take(ada, ANCHOR, there)
    expect(await heard()).toEqual([[...ADD, ...REMOVE], [], [], [...ADD, ...REMOVE], []])
  })

  it('take an emoji of 1 to 64 bytes from the path, which is decoded once', async () => {
    const { gateway, at, brin, clients, heard, take, put, list } = await harbour(engine)
    const good = [
      FOX.repeat(16),
      'x'.repeat(64),
      '👨‍👩‍👧‍👦',
      '*️⃣',
      ':face14:',
      '?',
      '#',
      '%',
      '%41',
      '+',
      '&=;',
      '"',
      'constructor',
    ]
    for (const emoji of good) expect([emoji, (await put(brin, emoji)).status]).toEqual([emoji, 204])
    // What need not be encoded may be as it is.
    for (const raw of ['@!$', '%40%21%24'])
      expect((await gateway.request('PUT', `${at}/${raw}`, brin)).status).toBe(204)
    await heard()
    const told = dataOf(clients[3], 'REACTION_ADD')
    expect(told.map((one) => field(one, 'emoji'))).toEqual([...good, '@!$'])
    expect(await list(brin)).toEqual([...good, '@!$'].map((emoji) => ({ emoji, count: 1, me: true })))
    for (const emoji of good) expect([emoji, (await take(brin, emoji)).status]).toEqual([emoji, 204])
    await heard()

    for (const emoji of [
      'x'.repeat(65),
      `${FOX.repeat(16)}x`,
      ' ',
      'a b',
      '\t',
      '\u0001',
      '\u007F',
      'a\u0085',
      '\u3000',
    ]) {
      expectError(await put(brin, emoji), 400, 'VALIDATION')
    }
    for (const raw of ['%00', '%FF', '%C3%28', '%ED%A0%80', '%F0%9F', '%', '%4', '%ZZ']) {
      expect([raw, (await gateway.request('PUT', `${at}/${raw}`, brin)).status]).toEqual([raw, 400])
    }
    // What would make another path of it.
    for (const raw of ['', '.', '..', '%2E', '%2E%2E', '%2E%2E%2Fpin', '%2F', 'a%2Fb', '..%2F..', '%5C']) {
      const { status } = await gateway.request('PUT', `${at}/${raw}`, brin)
      expect([raw, [400, 404, 405].includes(status)]).toEqual([raw, true])
    }
    expect(await heard()).toEqual(SILENCE)
    expect(await list(brin)).toEqual([{ emoji: '@!$', count: 1, me: true }])
  })

  it('are 50 different ones of a message at most', async () => {
    const { gateway, ada, brin, cleo, id, channel, heard, put } = await harbour(engine)
    const { reactions, changes } = gateway.world
    for (let i = 0; i < 49; i++) await changes.run(() => reactions.add(ada.id, channel, id, `e${i}`))
    expect((await put(brin, 'e49')).status).toBe(204)
    await heard()
    expectError(await put(brin, 'e50'), 400, 'LIMIT')
    expectError(await put(cleo, ANCHOR), 400, 'LIMIT')
    expect(await heard()).toEqual(SILENCE)
    for (const [who, emoji] of [
      [brin, 'e49'],
      [cleo, 'e49'],
      [brin, 'e0'],
    ] as const) {
      expect((await put(who, emoji)).status).toBe(204)
    }
    const TWO = [...ADD, ...ADD]
    expect(await heard()).toEqual([TWO, TWO, TWO, TWO, []])
  })

  it('are refused in order: who, ids, emoji, what is there, the right to react', async () => {
    const { gateway, ada, brin, server, channel, id, at, heard, put, take } = await harbour(engine)
    const gone = await gateway.post(ada, channel, 'sun')
    await put(brin, ANCHOR, at.replace(id, gone))
    await put(brin)
    await gateway.request('DELETE', `/messages/${gone}`, ada)
    await gateway.override(ada, channel, { userId: brin.id }, 0, ADD_REACTIONS)
    await heard()
    const [bad, none] = [`/channels/x/messages/${id}/reactions`, at.replace(id, NOWHERE)]
    const SPACE = '%20'
    await expectRefused(gateway, [
      [401, 'UNAUTHORIZED', null, 'PUT', `${bad}/${SPACE}`],
      [401, 'UNAUTHORIZED', null, 'GET', bad],
      [400, 'BAD_ID', brin, 'PUT', `${bad}/${SPACE}`],
      [400, 'BAD_ID', brin, 'DELETE', `${at.replace(id, 'x')}/${SPACE}`],
      [400, 'BAD_ID', brin, 'GET', at.replace(id, `${id}0`)],
      [400, 'VALIDATION', brin, 'PUT', `${none}/${SPACE}`],
      [404, 'NOT_FOUND', brin, 'PUT', `${none}/x`],
      [404, 'NOT_FOUND', brin, 'PUT', `${at.replace(id, gone)}/x`],
      [404, 'NOT_FOUND', brin, 'DELETE', `${at.replace(id, gone)}/%E2%9A%93`],
      [404, 'NOT_FOUND', brin, 'GET', at.replace(id, gone)],
      [403, 'FORBIDDEN', brin, 'PUT', `${at}/x`],
      [405, 'METHOD_NOT_ALLOWED', brin, 'POST', `${at}/x`],
    ])
    expect(await heard()).toEqual(SILENCE)
    // What one has said can be taken back all the same.
    expect((await take(brin)).status).toBe(204)
    await gateway.override(ada, channel, { userId: brin.id }, 0, 0)
    await put(brin)
    await gateway.request('POST', `/servers/${server}/members/${brin.id}/timeout`, ada, { duration_minutes: 5 })
    await heard()
    expectError(await put(brin, 'x'), 403, 'TIMED_OUT')
    expectError(await put(brin, 'x', none), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
    expect((await take(brin)).status).toBe(204)
    expect(await heard()).toEqual([REMOVE, REMOVE, REMOVE, REMOVE, []])
  })

  it('may be given by bots, and go without a word with their message', async () => {
    const { gateway, ada, server, id, at, clients, heard, put } = await harbour(engine)
    const bot = await gateway.bot(ada, 'helper')
    await gateway.world.changes.run(() => gateway.world.servers.join(bot.userId, server))
    expect((await gateway.request('PUT', `${at}/x`, `Bot ${bot.token}`)).status).toBe(204)
    expect(await heard()).toEqual([ADD, ADD, ADD, ADD, []])
    expect(dataOf(clients[1], 'REACTION_ADD')[0]).toMatchObject({ user_id: bot.userId, emoji: 'x' })
    await put(ada)
    await heard()
    const DELETED = ['MESSAGE_DELETE']
    expect((await gateway.request('DELETE', `/messages/${id}`, ada)).status).toBe(204)
    expect(await heard()).toEqual([DELETED, DELETED, DELETED, DELETED, []])
    expectError(await gateway.request('GET', at, ada), 404, 'NOT_FOUND')
  })
})
