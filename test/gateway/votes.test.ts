import { describe, expect, it } from 'vitest'
import { type Client, dataOf, expectError, field, keysOf } from '../support/gateway.ts'
import { startPoll } from '../support/poll.ts'
import { engines } from '../support/server.ts'

const VIEW = 1
const [VOTED, CREATED, UPDATED] = [['POLL_VOTE'], ['MESSAGE_CREATE'], ['MESSAGE_UPDATE']]
const SILENCE = [[], [], [], [], []]

describe.each(engines)('votes, on %s', (engine) => {
  it('gateway trap T35: a vote shows each receiver their own, and nobody whose it is', async () => {
    const { ada, brin, cleo, channel, clients, poll, yes, no, made, heard, vote, get, tally, told } =
      await startPoll(engine)
    const voted = await vote(brin, yes.toUpperCase())
    expect([voted.status, tally(voted.body)]).toEqual([200, [1, 0, 1, yes]])
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, VOTED, []])
    expect(told()).toEqual([
      [1, 0, 1, null],
      [1, 0, 1, yes],
      [1, 0, 1, yes],
      [1, 0, 1, null],
    ])
    expect(clients[1].frames.at(-2)).toEqual({
      op: 'DISPATCH',
      t: 'POLL_VOTE',
      d: { poll_id: poll, channel_id: channel, updated_poll: voted.body },
    })
    expect(keysOf(dataOf(clients[0], 'POLL_VOTE')[0])).toEqual(['poll_id', 'channel_id', 'updated_poll'])
    expect(keysOf(field(dataOf(clients[0], 'POLL_VOTE')[0], 'updated_poll'))).toEqual(keysOf(field(made, 'poll')))
    for (const client of clients) expect(JSON.stringify(dataOf(client, 'POLL_VOTE'))).not.toContain(brin.id)

    await vote(cleo, no)
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, VOTED, []])
    expect(told()).toEqual([
      [1, 1, 2, null],
      [1, 1, 2, yes],
      [1, 1, 2, yes],
      [1, 1, 2, no],
    ])
    await vote(ada, no)
    // It takes the place of the one before.
    const changed = await vote(brin, no)
    expect(tally(changed.body)).toEqual([0, 3, 3, no])
    const TWO = [...VOTED, ...VOTED]
    expect(await heard()).toEqual([TWO, TWO, TWO, TWO, []])
    expect(told()).toEqual(Array.from({ length: 4 }, () => [0, 3, 3, no]))
    expect(await get(brin)).toEqual(changed.body)
  })

  it('gateway trap T35: also in a channel that some do not see, and of those who have gone', async () => {
    const { gateway, ada, brin, cleo, server, channel, yes, no, poll, heard, vote, told, get, tally } =
      await startPoll(engine)
    await vote(brin, yes)
    await vote(cleo, no)
    // With this, it has a topic of its own.
    await gateway.override(ada, channel, { userId: brin.id }, 0, VIEW)
    await heard()
    await vote(ada, yes)
    expect(await heard()).toEqual([VOTED, [], [], VOTED, []])
    expect(told()[0]).toEqual([2, 1, 3, yes])
    expect(told()[3]).toEqual([2, 1, 3, no])
    await gateway.override(ada, channel, { userId: brin.id }, 0, 0)
    await heard()
    await vote(ada, no)
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, VOTED, []])
    expect(told()).toEqual([
      [1, 2, 3, no],
      [1, 2, 3, yes],
      [1, 2, 3, yes],
      [1, 2, 3, no],
    ])
    // What somebody else is told next comes to all of them.
    await gateway.post(ada, channel, 'fog')
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, CREATED, []])
    await gateway.request('DELETE', `/servers/${server}/leave`, cleo)
    await heard()
    await vote(ada, yes)
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, [], []])
    expect(tally(await get())).toEqual([2, 1, 3, yes])
    expectError(await vote(cleo, yes, poll), 404, 'NOT_FOUND')
  })

  it('gateway trap T35: an edit of the message shows each receiver their own vote, too', async () => {
    const { gateway, ada, brin, cleo, channel, message, yes, no, clients, heard, vote, tally } = await startPoll(engine)
    await vote(ada, yes)
    await vote(brin, no)
    await heard()
    const edited = await gateway.request('PATCH', `/messages/${message}`, ada, { content: 'Sail on Monday?' })
    expect([field(edited.body, 'content'), tally(field(edited.body, 'poll'))]).toEqual([
      'Sail on Monday?',
      [1, 1, 2, yes],
    ])
    expect(await heard()).toEqual([UPDATED, UPDATED, UPDATED, UPDATED, []])
    const [toAda, toBrin, again, toCleo] = clients.map((client) => dataOf(client, 'MESSAGE_UPDATE')[0])
    expect([toAda, again]).toEqual([edited.body, toBrin])
    expect(tally(field(toBrin, 'poll'))).toEqual([1, 1, 2, no])
    expect(tally(field(toCleo, 'poll'))).toEqual([1, 1, 2, null])
    const read = await gateway.request('GET', `/channels/${channel}/messages/${message}`, brin)
    expect(read.body).toEqual(toBrin)
    await vote(cleo, no)
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, VOTED, []])
  })

  it('tell of votes of one moment what each of them was', async () => {
    const { gateway, ada, brin, cleo, message, poll, yes, no, clients, heard, tally, told } = await startPoll(engine)
    const { messages, polls, changes } = gateway.world
    const votes = [
      [brin, yes],
      [cleo, yes],
      [brin, no],
    ] as const
    await Promise.all(votes.map(([who, option]) => changes.run(() => polls.vote(who.id, poll, option))))
    const THREE = [...VOTED, ...VOTED, ...VOTED]
    expect(await heard()).toEqual([THREE, THREE, THREE, THREE, []])
    const seen = (client: Client) => dataOf(client, 'POLL_VOTE').map((one) => tally(field(one, 'updated_poll')))
    expect(seen(clients[0])).toEqual([
      [1, 0, 1, null],
      [2, 0, 2, null],
      [1, 1, 2, null],
    ])
    // Nobody has chosen what has no votes.
    expect(seen(clients[1])).toEqual([
      [1, 0, 1, yes],
      [2, 0, 2, yes],
      [1, 1, 2, no],
    ])
    expect(seen(clients[3])).toEqual([
      [1, 0, 1, null],
      [2, 0, 2, yes],
      [1, 1, 2, yes],
    ])
    // Also where the poll goes in the same moment.
    await Promise.all([
      changes.run(() => polls.vote(brin.id, poll, yes)),
      changes.run(() => messages.remove(ada.id, message)),
    ])
    const GONE = [...VOTED, 'MESSAGE_DELETE']
    expect(await heard()).toEqual([GONE, GONE, GONE, GONE, []])
    expect(told()).toEqual([
      [2, 0, 2, null],
      [2, 0, 2, yes],
      [2, 0, 2, yes],
      [2, 0, 2, yes],
    ])
  })

  it('gateway trap T36: the same vote again is 200, and no event, also at once', async () => {
    const { brin, yes, heard, vote, get, tally } = await startPoll(engine)
    const replies = await Promise.all(Array.from({ length: 5 }, () => vote(brin, yes)))
    for (const { status, body } of replies) expect([status, tally(body)]).toEqual([200, [1, 0, 1, yes]])
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, VOTED, []])
    expect((await vote(brin, yes)).body).toEqual(await get())
    expect(await heard()).toEqual(SILENCE)
  })

  it('keep their place among all other events, on every connection', async () => {
    const { gateway, ada, brin, cleo, channel, poll, yes, no, clients, heard, tally } = await startPoll(engine)
    const { messages, polls, changes } = gateway.world
    const voters = [ada, brin, cleo]
    const turns = Array.from({ length: 60 }, (_, i) =>
      changes.run(() => {
        const who = voters[i % 3] ?? ada
        if (i % 2 === 0) return messages.post(who.id, channel, { content: `${i}`, replyTo: null }).content
        const { total_votes, options } = polls.vote(who.id, poll, i % 4 === 1 ? yes : no)
        return JSON.stringify([...options.map(({ votes }) => votes), total_votes])
      }),
    )
    const expected = await Promise.all(turns)
    await heard()
    for (const { frames } of clients.slice(0, 4)) {
      const those = frames.filter(({ t }) => t === 'POLL_VOTE' || t === 'MESSAGE_CREATE').slice(1)
      const lines = those.map(({ t, d }) =>
        t === 'POLL_VOTE' ? JSON.stringify(tally(field(d, 'updated_poll')).slice(0, 3)) : field(d, 'content'),
      )
      expect(lines).toEqual(expected)
    }
  })
})
