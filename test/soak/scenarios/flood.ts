import { type Figures, of } from '../messages.ts'
import {
  type Bar,
  type Context,
  greatest,
  judge,
  KIB,
  MIB,
  type Scenario,
  unpaired,
  weigh,
  withPair,
} from '../scenario.ts'

/** Bytes of a message. */
const SIZE = 64 * KIB
/** Milliseconds that the handler takes for one. */
const SLOW = 10
/** Bytes that the server may grow by. */
const GROWTH = 64 * MIB

interface Plan {
  readonly rounds: number
  readonly bytes: number
  readonly seconds: number
}

const toPlan = ({ wishes: { rounds, seconds, quick } }: Context): Plan => ({
  rounds: rounds ?? 1,
  bytes: quick ? 16 * MIB : 512 * MIB,
  seconds: seconds ?? (quick ? 1.5 : 120),
})

const measure = (context: Context, { bytes, seconds }: Plan): Promise<Figures> =>
  withPair(context, { limits: {}, slow: SLOW }, ({ server, peers, port }) => {
    return weigh(server, 0, async () => ({
      ...(await peers.ask({ do: 'flood', port, path: '/slow', bytes, size: SIZE, seconds }, seconds)),
      ...(await server.ask({ do: 'settled' })),
    }))
  })

export const flood: Scenario = {
  title: `messages of ${SIZE / KIB} KB as fast as they can be sent, to a handler that takes ${SLOW} ms for each`,
  async run(context) {
    const plan = toPlan(context)
    const rounds: Record<string, Figures>[] = []
    for (let i = 0; i < plan.rounds; i++) {
      context.progress(`round ${i + 1} of ${plan.rounds}: ${plan.bytes / MIB} MiB, ${plan.seconds} s at most`)
      rounds.push({ flood: await measure(context, plan) })
    }
    const all = rounds.map((round) => round['flood'] ?? {})
    const sum = (what: (one: Figures) => number): number => all.reduce((total, one) => total + what(one), 0)
    return {
      rounds,
      bars: [
        judge(
          'growth of RSS',
          greatest(all.map((one) => of(one, 'peak') - of(one, 'start'))) / MIB,
          'at most',
          GROWTH / MIB,
          'MiB',
        ),
        judge(
          'without one CLOSE',
          sum((one) => unpaired(one, 'slow')),
          'exactly',
          0,
          'connections',
        ),
        ...ownBars(context, plan, all, sum),
      ],
    }
  },
}

/** Node makes the client wait, and takes as much as its handler has time for; uws cannot, and closes it. */
function ownBars(
  { engine }: Context,
  { bytes, seconds }: Plan,
  all: readonly Figures[],
  sum: (what: (one: Figures) => number) => number,
): Bar[] {
  const got = Math.min(...all.map((one) => of(one, 'got'))) / MIB
  if (engine === 'uws') {
    // The last one may be closed as it leaves.
    const strange = sum((one) => Math.max(0, of(one, 'closed') - of(one, 'slow.1008')))
    return [
      judge('offered', got, 'at least', bytes / MIB, 'MiB'),
      judge('closed, and not with 1008', strange, 'exactly', 0, 'connections'),
    ]
  }
  // Timers are late, on a machine with other work by more.
  const expected = Math.min(bytes, ((seconds * 1000) / SLOW) * SIZE * 0.5) / MIB
  return [
    judge('taken in that time', got, 'at least', expected, 'MiB'),
    judge(
      'closed by the server',
      sum((one) => of(one, 'closed')),
      'exactly',
      0,
      'connections',
    ),
  ]
}
