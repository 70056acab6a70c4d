import { median, quantile } from '../../../bench/stats.ts'
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

const MAX_MESSAGE = 100 * KIB
/** What a publish may go beyond both limits. */
const BEYOND = 64 * KIB
/** Half as much again as a server grows by, up to 10 MiB, that publishes and queues nothing: V8 lets garbage lie. */
const NOISE = 16 * MIB
/** How much slower a healthy subscriber may hear. */
const SLOWER = 1.1
/**
 * Published by the end of a run, at least: the kernel takes up to 4 MB for a peer that does not read before anything waits
 * in the server. A run of less than a minute has longer messages.
 */
const ENOUGH = 12 * MIB

interface Plan {
  readonly rounds: number
  readonly healthy: number
  readonly seconds: number
  readonly warmUp: number
  readonly recover: number
  readonly maxBackpressure: number
  /** Of messages: bytes, and milliseconds from one to the next. */
  readonly size: number
  readonly every: number
}

function toPlan({ wishes: { rounds, clients, seconds: wished, recover, quick } }: Context): Plan {
  const seconds = wished ?? (quick ? 1 : 60)
  const every = 5
  const enough = quick ? ENOUGH / 2 : ENOUGH
  const size = Math.min(MAX_MESSAGE, Math.max(KIB, Math.ceil((enough * every) / (seconds * 1000))))
  return {
    rounds: rounds ?? (quick ? 1 : 5),
    healthy: clients ?? (quick ? 10 : 100),
    seconds,
    warmUp: quick ? 0.2 : 2,
    recover: recover ?? (quick ? 0.2 : 60),
    maxBackpressure: quick ? 256 * KIB : MIB,
    size,
    every,
  }
}

/** One run with new processes, with so many subscribers that do not read. */
async function measure(context: Context, plan: Plan, stalled: number): Promise<Figures> {
  const { healthy, seconds, warmUp, size, every, maxBackpressure } = plan
  return withPair(
    context,
    { limits: { maxBackpressure, maxMessage: MAX_MESSAGE } },
    async ({ server, peers, port }) => {
      const publish = async (topic: string, duration: number): Promise<Figures> => {
        const published = await server.ask({ do: 'publish', topic, size, every, seconds: duration }, duration * 2)
        return { ...published, ...(await peers.ask({ do: 'arrived', count: of(published, 'published') })) }
      }
      // First in the order of the topic: whoever is held up by it comes behind it.
      await peers.ask({ do: 'open', port, path: '/stalled', count: stalled, reads: false })
      await peers.ask({ do: 'open', port, path: '/healthy', count: healthy, reads: true })
      await peers.ask({ do: 'reset' })
      await publish('warm-up', warmUp)
      await peers.ask({ do: 'reset' })
      const found = await weigh(server, stalled > 0 ? plan.recover : 0, async () => ({
        ...(await publish('all', seconds)),
        ...(await endings(server, 'stalled')),
      }))
      await peers.ask({ do: 'leave' })
      return { ...found, ...(await server.ask({ do: 'settled' })) }
    },
  )
}

/** Where the run with the stalled one is among those without: not always behind the same. */
const ORDERS = [
  ['A', 'B', 'A again'],
  ['B', 'A', 'A again'],
  ['A', 'A again', 'B'],
] as const

export const stalled: Scenario = {
  title: 'one subscriber that does not read (B), beside healthy ones (A)',
  async run(context) {
    const plan = toPlan(context)
    const rounds: Record<string, Figures>[] = []
    for (let i = 0; i < plan.rounds; i++) {
      const round: Record<string, Figures> = {}
      for (const run of ORDERS[i % ORDERS.length] ?? []) {
        context.progress(`round ${i + 1} of ${plan.rounds}: ${run}, ${plan.seconds} s`)
        round[run] = await measure(context, plan, run === 'B' ? 1 : 0)
      }
      rounds.push(round)
    }
    const ratios = (run: string, name: string): number[] =>
      rounds.map((round) => of(round[run] ?? {}, name) / of(round['A'] ?? {}, name))
    /** How far runs without a stalled one are apart; not the furthest: one that was disturbed would let anything pass. */
    const spread = (name: string): number =>
      quantile(
        ratios('A again', name).map((ratio) => Math.max(ratio, 1 / ratio)),
        0.75,
      )
    const stalls = rounds.map((round) => round['B'] ?? {})
    const all = rounds.flatMap((round) => Object.values(round))
    const once = stalls.filter(
      (one) => of(one, 'closed for it') === 1 && of(one, 'closed with 1013') === 1 && unpaired(one, 'stalled') === 0,
    )
    const caps = plan.maxBackpressure + MAX_MESSAGE + BEYOND
    const slower = (what: string, name: string) =>
      judge(what, median(ratios('B', name)), 'at most', Math.max(SLOWER, spread(name)), 'of A')
    return {
      rounds,
      bars: [
        slower('p99 from publish', 'p99'),
        slower('p99 from when it was due', 'due p99'),
        judge(
          'lost or out of order',
          all.reduce((sum, one) => sum + of(one, 'gaps'), 0),
          'exactly',
          0,
          'messages',
        ),
        judge(
          'growth of RSS',
          greatest(stalls.map((one) => of(one, 'peak') - of(one, 'start'))) / MIB,
          'at most',
          (caps + NOISE) / MIB,
          'MiB',
        ),
        judge(
          `RSS ${plan.recover} s after`,
          greatest(stalls.map((one) => of(one, 'after') / of(one, 'start'))),
          'at most',
          RECOVERED,
          'of start',
        ),
        judge('stalled one closed once, 1013', once.length, 'exactly', plan.rounds, 'rounds'),
        judge(
          'without one CLOSE',
          all.reduce((sum, one) => sum + unpaired(one, 'healthy'), 0),
          'exactly',
          0,
          'connections',
        ),
      ],
    }
  },
}
