import type { Meter } from '../web/observer.ts'
import type { Account } from './account.ts'

/** What is counted of a way to a bot. */
interface Way {
  readonly account: Account
  readonly settings: { readonly name: string }
  /** Events that were lost. */
  readonly lost: number
  /** Events that wait for somebody. */
  readonly waiting: number
  /** Clients that were not let in. */
  readonly refused: number
}

/** What Prometheus is told of bots, by their numbers and the names of the ways to them. */
export function createMeters(ways: () => readonly Way[]): Meter[] {
  const each =
    (value: (way: Way) => number): Meter['read'] =>
    () =>
      ways().map((way) => ({ labels: { bot: String(way.account.id), endpoint: way.settings.name }, value: value(way) }))
  const ofBots =
    (values: (account: Account) => readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[]) =>
    (): ReturnType<Meter['read']> =>
      [...new Set(ways().map(({ account }) => account))].flatMap((account) =>
        values(account).map(([labels, value]) => ({ labels: { bot: String(account.id), ...labels }, value })),
      )
  return [
    {
      name: 'fiberws_bot_frames_total',
      help: 'OneBot: calls of clients (in); answers and events, each once for all of one endpoint (out)',
      type: 'counter',
      read: ofBots(({ packetsReceived, packetsSent }) => [
        [{ direction: 'in' }, packetsReceived],
        [{ direction: 'out' }, packetsSent],
      ]),
    },
    {
      name: 'fiberws_bot_messages_total',
      help: 'OneBot: messages that a bot has seen (in), and said (out)',
      type: 'counter',
      read: ofBots(({ messagesReceived, messagesSent }) => [
        [{ direction: 'in' }, messagesReceived],
        [{ direction: 'out' }, messagesSent],
      ]),
    },
    {
      name: 'fiberws_bot_disconnects_total',
      help: 'OneBot: connections of clients that have ended',
      type: 'counter',
      read: ofBots(({ disconnects }) => [[{}, disconnects]]),
    },
    {
      name: 'fiberws_bot_spooled_bytes',
      help: 'OneBot: files that clients have uploaded in parts, or had downloaded, and not sent',
      type: 'gauge',
      read: ofBots(({ spool }) => [[{}, spool.bytes]]),
    },
    {
      name: 'fiberws_bot_events_lost_total',
      help: 'OneBot: events that waited for a client, and could wait no longer',
      type: 'counter',
      read: each(({ lost }) => lost),
    },
    {
      name: 'fiberws_bot_refusals_total',
      help: 'OneBot: clients that were not let in, without a token or with a wrong one',
      type: 'counter',
      read: each(({ refused }) => refused),
    },
    {
      name: 'fiberws_bot_events_waiting',
      help: 'OneBot: events that are kept for a client that has not heard of them, or may not have',
      type: 'gauge',
      read: each(({ waiting }) => waiting),
    },
  ]
}
