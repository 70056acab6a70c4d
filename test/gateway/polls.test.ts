import { describe, expect, it } from 'vitest'
import { dataOf, expectError, field, idOf, keysOf, listOf } from '../support/gateway.ts'
import { DRAFT, startPoll } from '../support/poll.ts'
import { engines } from '../support/server.ts'
import { TIME } from '../support/time.ts'
import { countsIn } from '../support/unread.ts'
import { type Attempt, expectRefused, expectUnseen, NOWHERE } from '../support/unseen.ts'

const [VIEW, SEND] = [1, 2]
const [VOTED, CREATED] = [['POLL_VOTE'], ['MESSAGE_CREATE']]
const SILENCE = [[], [], [], [], []]

describe.each(engines)('polls, on %s', (engine) => {
  it('are asked in a message, which all who see the channel get', async () => {
    const { gateway, brin, cleo, channel, clients, heard, ask, made, get } = await startPoll(engine)
    const { status, body } = await ask(cleo, { question: ' Is it fog, @brin?\n', options: [' yes', 'Yes ', 'a  b'] })
    expect(status).toBe(201)
    const [poll, option] = [
      field(body, 'poll'),
      (n: number, text: string) => ({ id: field(body, 'poll', 'options', n, 'id'), text, votes: 0 }),
    ]
    expect(body).toEqual({
      ...Object(made),
      id: idOf(body),
      author_id: cleo.id,
      // Without the space around it.
      content: 'Is it fog, @brin?',
      created_at: TIME,
      mention_user_ids: [brin.id],
      poll: {
        id: field(poll, 'id'),
        question: 'Is it fog, @brin?',
        options: [option(0, 'yes'), option(1, 'Yes'), option(2, 'a  b')],
        total_votes: 0,
        user_vote: null,
      },
    })
    expect(keysOf(poll)).toEqual(['id', 'question', 'options', 'total_votes', 'user_vote'])
    expect(keysOf(field(poll, 'options', 0))).toEqual(['id', 'text', 'votes'])
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, CREATED, []])
    for (const client of clients.slice(0, 4)) expect(dataOf(client, 'MESSAGE_CREATE')).toEqual([made, body])
    const { body: list } = await gateway.request('GET', `/channels/${channel}/messages`, brin)
    expect(list).toEqual([body, made])
    expect(await get(brin, String(field(poll, 'id')))).toEqual(poll)
    // Asking is a message like any other.
    expect(countsIn(await gateway.connect(brin), channel)).toEqual([2, 1])
    expect(countsIn(await gateway.connect(cleo), channel)).toEqual([1, 0])
  })

  it('gateway trap T24: who cannot see the channel hears nothing of them, and gets 404', async () => {
    const { gateway, ada, brin, cleo, dov, server, channel, poll, yes, heard, ask, of, vote } = await startPoll(engine)
    const bridge = await gateway.channel(ada, server, 'bridge')
    await gateway.override(ada, bridge, { userId: brin.id }, 0, VIEW)
    const hidden = of((await ask(ada, DRAFT, bridge)).body)
    await heard()
    const attempts = (one: string, option: string): Attempt[] => [
      ['GET', `/polls/${one}`],
      ['POST', `/polls/${one}/vote`, { option_id: option }],
      ['POST', `/polls/${one}/vote`, { option_id: NOWHERE }],
    ]
    const [asks, nowhere] = [
      (at: string): Attempt[] => [['POST', `/channels/${at}/polls`, DRAFT]],
      attempts(NOWHERE, yes),
    ]
    await expectUnseen(gateway, [brin, dov], attempts(hidden.poll, hidden.yes), nowhere)
    await expectUnseen(gateway, [brin, dov], asks(bridge), asks(NOWHERE))
    await expectUnseen(gateway, [dov], [...attempts(poll, yes), ...asks(channel)], [...nowhere, ...asks(NOWHERE)])
    expect(await heard()).toEqual(SILENCE)
    await ask(cleo, { ...DRAFT, question: '@brin @everyone' }, bridge)
    await vote(cleo, hidden.yes, hidden.poll)
    const told = [...CREATED, ...VOTED]
    expect(await heard()).toEqual([told, [], [], told, []])
    expect(countsIn(await gateway.connect(brin), bridge)).toEqual([0, 0])
  })

  it('gateway trap T43: go with their message, of which nothing is left', async () => {
    const { gateway, ada, brin, channel, message, made, poll, yes, heard, vote } = await startPoll(engine)
    await vote(brin, yes)
    await heard()
    await gateway.request('DELETE', `/messages/${message}`, ada)
    const DELETED = ['MESSAGE_DELETE']
    expect(await heard()).toEqual([DELETED, DELETED, DELETED, DELETED, []])
    const { body } = await gateway.request('GET', `/channels/${channel}/messages/${message}`, brin)
    expect(body).toEqual({ ...Object(made), deleted: true, content: '', poll: null })
    expectError(await gateway.request('GET', `/polls/${poll}`, brin), 404, 'NOT_FOUND')
    expectError(await vote(brin, yes), 404, 'NOT_FOUND')
    expectError(await vote(ada, NOWHERE), 404, 'NOT_FOUND')
    expect(await heard()).toEqual(SILENCE)
  })

  it('ask questions of 500 characters, with 2 to 10 different options of 200', async () => {
    const { ada, clients, heard, ask } = await startPoll(engine)
    const many = Array.from({ length: 10 }, (_, i) => `${i}`)
    for (const [question, options] of [
      ['🦊'.repeat(500), ['🦊'.repeat(200), 'x'.repeat(200)]],
      [` ${'x'.repeat(500)} `, many],
      ['?', ['yes', 'YES']],
    ] as const) {
      const { status, body } = await ask(ada, { question, options, votes: 5 })
      expect([status, field(body, 'content')]).toEqual([201, question.trim()])
      expect(listOf(field(body, 'poll', 'options')).map((option) => field(option, 'text'))).toEqual(options)
    }
    const THREE = [...CREATED, ...CREATED, ...CREATED]
    expect(await heard()).toEqual([THREE, THREE, THREE, THREE, []])
    for (const wrong of [
      ...['', ' \n', 'x'.repeat(501), '🦊'.repeat(501), 'a\0', null, 5, ['x']].map((question) => ({ question })),
      ...[[], ['yes'], [...many, 'x'], ['yes', ' yes '], ['yes', ''], ['yes', '\u2003'], ['yes', 'x'.repeat(201)]].map(
        (options) => ({ options }),
      ),
      ...[['yes', 'a\0'], ['yes', 5], ['yes', null], 'yes', null, { 0: 'yes', 1: 'no' }].map((options) => ({
        options,
      })),
      { question: undefined },
      { options: undefined },
    ]) {
      const { status, body } = await ask(ada, { ...DRAFT, ...wrong })
      expect([wrong, status, field(body, 'code')]).toEqual([wrong, 400, 'VALIDATION'])
    }
    for (const text of [
      '{"question":"\\ud83e","options":["a","b"]}',
      '{"question":"?","options":["a","\\udd8a"]}',
      '[]',
    ]) {
      expectError(await ask(ada, text), 400, 'VALIDATION')
    }
    expect(await heard()).toEqual(SILENCE)
    expect(dataOf(clients[0], 'MESSAGE_CREATE')).toHaveLength(4)
  })

  it('are refused in order: who, ids, body, what is there, the right to send, the option', async () => {
    const { gateway, ada, brin, server, channel, poll, yes, heard, ask, of, vote, get } = await startPoll(engine)
    const other = of((await ask(ada)).body)
    await gateway.override(ada, channel, { userId: brin.id }, 0, SEND)
    await heard()
    const at = (where: string): string => `/channels/${where}/polls`
    const votes = (where: string): string => `/polls/${where}/vote`
    await expectRefused(gateway, [
      [401, 'UNAUTHORIZED', null, 'POST', at('x'), {}],
      [400, 'BAD_ID', brin, 'POST', at('x'), {}],
      [400, 'BAD_JSON', brin, 'POST', at(NOWHERE), '{'],
      [413, 'TOO_LARGE', brin, 'POST', at(NOWHERE), { ...DRAFT, rest: 'x'.repeat(65_536) }],
      [400, 'VALIDATION', brin, 'POST', at(NOWHERE), { ...DRAFT, options: ['a', 'a'] }],
      [404, 'NOT_FOUND', brin, 'POST', at(NOWHERE), DRAFT],
      [403, 'FORBIDDEN', brin, 'POST', at(channel), DRAFT],
      [401, 'UNAUTHORIZED', null, 'POST', votes('x'), {}],
      [401, 'UNAUTHORIZED', null, 'GET', '/polls/x'],
      [400, 'BAD_ID', brin, 'POST', votes('x'), {}],
      [400, 'BAD_ID', brin, 'GET', '/polls/x'],
      [400, 'BAD_JSON', brin, 'POST', votes(NOWHERE), '{'],
      [400, 'VALIDATION', brin, 'POST', votes(NOWHERE), {}],
      [400, 'VALIDATION', brin, 'POST', votes(poll), { option_id: null }],
      [400, 'VALIDATION', brin, 'POST', votes(poll), { option_id: 'x' }],
      [400, 'VALIDATION', brin, 'POST', votes(poll), { option_id: [yes] }],
      [404, 'NOT_FOUND', brin, 'POST', votes(NOWHERE), { option_id: yes }],
      [404, 'NOT_FOUND', brin, 'POST', votes(channel), { option_id: yes }],
      [404, 'NOT_FOUND', brin, 'GET', `/polls/${NOWHERE}`],
      [400, 'VALIDATION', brin, 'POST', votes(poll), { option_id: NOWHERE }],
      [400, 'VALIDATION', brin, 'POST', votes(poll), { option_id: other.yes }],
      [400, 'VALIDATION', brin, 'POST', votes(poll), { option_id: poll }],
    ])
    await gateway.override(ada, channel, { userId: brin.id }, 0, 0)
    await gateway.request('POST', `/servers/${server}/members/${brin.id}/timeout`, ada, { duration_minutes: 5 })
    await heard()
    expectError(await ask(brin), 403, 'TIMED_OUT')
    expect(await get()).toEqual(await get(ada))
    expect(await heard()).toEqual(SILENCE)
    // A vote says nothing.
    expect((await vote(brin, yes)).status).toBe(200)
    expect(await heard()).toEqual([VOTED, VOTED, VOTED, VOTED, []])
  })

  it('take an Idempotency-Key when asked: what is sent again asks nothing', async () => {
    const { ada, brin, heard, ask } = await startPoll(engine)
    const key = { 'Idempotency-Key': 'one' }
    const [first, second] = await Promise.all([ask(brin, DRAFT, undefined, key), ask(brin, DRAFT, undefined, key)])
    const third = await ask(brin, { ...DRAFT, question: 'Else?' }, undefined, key)
    for (const again of [second, third]) expect([again.status, again.body]).toEqual([201, first.body])
    expect(await heard()).toEqual([CREATED, CREATED, CREATED, CREATED, []])
    expect(idOf((await ask(ada, DRAFT, undefined, key)).body)).not.toBe(idOf(first.body))
  })
})
