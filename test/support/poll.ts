import { dataOf, field, idOf, listOf, type Person } from './gateway.ts'
import { startHarbour } from './harbour.ts'
import type { EngineName } from './server.ts'

export const DRAFT = { question: 'Sail on Sunday?', options: ['yes', 'no'] }

/** The harbour, in whose channel ada asks whether to sail. */
export async function startPoll(engine: EngineName) {
  const all = await startHarbour(engine)
  const { gateway, ada, brin, channel, heard } = all
  const ask = (as: Person, body: unknown = DRAFT, within = channel, headers: Record<string, string> = {}) =>
    gateway.request('POST', `/channels/${within}/polls`, as, body, headers)
  const { body } = await ask(ada)
  const of = (one: unknown) => ({
    poll: String(field(one, 'poll', 'id')),
    yes: String(field(one, 'poll', 'options', 0, 'id')),
    no: String(field(one, 'poll', 'options', 1, 'id')),
  })
  const ids = of(body)
  await heard()
  const vote = (as: Person, option: unknown, poll = ids.poll) =>
    gateway.request('POST', `/polls/${poll}/vote`, as, { option_id: option })
  const get = async (as = brin, poll = ids.poll) => (await gateway.request('GET', `/polls/${poll}`, as)).body
  /** What a poll says: votes for yes and no, of all, and one's own. */
  const tally = (poll: unknown): unknown[] => [
    ...listOf(field(poll, 'options')).map((option) => field(option, 'votes')),
    field(poll, 'total_votes'),
    field(poll, 'user_vote'),
  ]
  /** The same, as each connection was told by its latest event. */
  const told = (): unknown[] =>
    all.clients.slice(0, 4).map((client) => tally(field(dataOf(client, 'POLL_VOTE').at(-1), 'updated_poll')))
  return { ...all, ...ids, server: all.id, message: idOf(body), made: body, ask, of, vote, get, tally, told }
}
