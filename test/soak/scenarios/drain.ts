import { type Figures, of } from '../messages.ts'
import { checkFiles } from '../open-files.ts'
import { type Context, greatest, judge, type Scenario, unpaired, withPair } from '../scenario.ts'

/** Milliseconds in which closes are counted, and how far above the rate they may be there. */
const WINDOW = 500
const FASTER = 1.2

interface Plan {
  readonly rounds: number
  readonly clients: number
  /** `limits.drainRate`: connections a second. */
  readonly rate: number
}

const toPlan = ({ wishes: { rounds, clients, quick } }: Context): Plan => ({
  rounds: rounds ?? 1,
  clients: clients ?? (quick ? 200 : 10_000),
  rate: quick ? 100 : 2000,
})

const measure = (context: Context, { clients, rate }: Plan): Promise<Figures> =>
  withPair(context, { limits: { connections: 'unlimited', drainRate: rate } }, async ({ server, peers, port }) => {
    await peers.ask({ do: 'open', port, path: '/idle', count: clients, reads: true }, clients / 1000)
    const seconds = (clients / rate) * 2 + 10
    const heard = peers.ask({ do: 'closes', seconds, window: WINDOW }, seconds)
    const [counters, found] = await Promise.all([server.ask({ do: 'stop' }, seconds), heard])
    return { ...counters, ...found, 'exits by itself': (await server.exits()) ? 1 : 0 }
  })

export const drain: Scenario = {
  title: 'a server that stops, and closes so many connections a second',
  async run(context) {
    const plan = toPlan(context)
    checkFiles(plan.clients)
    const rounds: Record<string, Figures>[] = []
    for (let i = 0; i < plan.rounds; i++) {
      context.progress(`round ${i + 1} of ${plan.rounds}: ${plan.clients} clients, ${plan.rate} a second`)
      rounds.push({ drain: await measure(context, plan) })
    }
    const all = rounds.map((round) => round['drain'] ?? {})
    const sum = (what: (one: Figures) => number): number => all.reduce((total, one) => total + what(one), 0)
    const most = plan.rate * (WINDOW / 1000) * FASTER
    return {
      rounds,
      bars: [
        judge(`closes in any ${WINDOW} ms`, greatest(all.map((one) => of(one, 'busiest'))), 'at most', most, ''),
        judge(
          'clients that got 1001',
          sum((one) => of(one, '1001')),
          'exactly',
          plan.clients * plan.rounds,
          '',
        ),
        judge(
          'without one CLOSE',
          sum((one) => unpaired(one, 'idle')),
          'exactly',
          0,
          'connections',
        ),
        judge(
          'exited by itself with 0',
          sum((one) => of(one, 'exits by itself')),
          'exactly',
          plan.rounds,
          'rounds',
        ),
      ],
    }
  },
}
