import { type Figures, of } from '../messages.ts'
import {
  type Context,
  endings,
  greatest,
  judge,
  KIB,
  MIB,
  RECOVERED,
  type Scenario,
  unpaired,
  weigh,
  withPair,
} from '../scenario.ts'

/** Bytes of a message. */
const SIZE = 64 * KIB
/** Milliseconds from one to the next, at most. */
const EVERY = 100
/**
 * Messages, at least: the kernel takes up to 4 MB for a peer that does not read before anything waits in the server, and with
 * as many each peer is over `maxBackpressure` by the end.
 */
const ENOUGH = 120
/** `limits.maxBuffered`. */
const BUFFERED = 64 * MIB
/** As in `stalled`. */
const NOISE = 16 * MIB

interface Plan {
  readonly rounds: number
  readonly clients: number
  readonly seconds: number
  readonly every: number
  readonly recover: number
}

function toPlan({ wishes: { rounds, clients, seconds: wished, recover, quick } }: Context): Plan {
  const seconds = wished ?? (quick ? 2 : 20)
  return {
    rounds: rounds ?? 1,
    clients: clients ?? (quick ? 20 : 1000),
    seconds,
    every: Math.min(EVERY, (seconds * 1000) / ENOUGH),
    recover: recover ?? (quick ? 0.5 : 60),
  }
}

const measure = (context: Context, { clients, seconds, every, recover }: Plan): Promise<Figures> =>
  withPair(
    context,
    { limits: { maxBackpressure: '1MB', maxBuffered: '64MB', connections: 'unlimited' } },
    async ({ server, peers, port }) => {
      await peers.ask({ do: 'open', port, path: '/stalled', count: clients, reads: false })
      const found = await weigh(server, recover, async () => ({
        ...(await server.ask({ do: 'publish', topic: 'all', size: SIZE, every, seconds }, seconds * 2)),
        ...(await endings(server, 'stalled')),
      }))
      await peers.ask({ do: 'leave' })
      return { ...found, ...(await server.ask({ do: 'settled' })) }
    },
  )

export const crowd: Scenario = {
  title: `subscribers of which none reads, ${SIZE / KIB} KB at a time, and ${BUFFERED / MIB} MB for all that waits`,
  async run(context) {
    const plan = toPlan(context)
    const rounds: Record<string, Figures>[] = []
    for (let i = 0; i < plan.rounds; i++) {
      context.progress(`round ${i + 1} of ${plan.rounds}: ${plan.clients} clients, ${plan.seconds} s`)
      rounds.push({ crowd: await measure(context, plan) })
    }
    const all = rounds.map((round) => round['crowd'] ?? {})
    const sum = (what: (one: Figures) => number): number => all.reduce((total, one) => total + what(one), 0)
    // On uws a subscriber keeps memory for the longest message, whether it reads or not.
    const kept = context.engine === 'uws' ? plan.clients * SIZE : 0
    return {
      rounds,
      bars: [
        judge(
          'growth of RSS',
          greatest(all.map((one) => of(one, 'peak') - of(one, 'start'))) / MIB,
          'at most',
          (BUFFERED + kept + NOISE) / MIB,
          'MiB',
        ),
        judge(
          'queued at a time',
          greatest(all.map((one) => of(one, 'most queued'))) / MIB,
          'at most',
          // Who has read everything so far is counted when the kernel takes no more: one publish may come between.
          (BUFFERED + plan.clients * SIZE) / MIB,
          'MiB',
        ),
        judge(
          `RSS ${plan.recover} s after`,
          greatest(all.map((one) => of(one, 'after') / of(one, 'start'))),
          'at most',
          RECOVERED,
          'of start',
        ),
        judge(
          'closed, and not with 1013',
          sum((one) => of(one, 'closed for it') - of(one, 'closed with 1013')),
          'exactly',
          0,
          'connections',
        ),
        judge(
          'without one CLOSE',
          sum((one) => unpaired(one, 'stalled')),
          'exactly',
          0,
          'connections',
        ),
      ],
    }
  },
}
