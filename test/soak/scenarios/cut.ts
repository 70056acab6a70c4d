import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../../../bench/stats.ts'
import { createFolder } from '../../../bench/build.ts'
import { GatewayCommand } from '../crash/command.ts'
import { Child } from '../child.ts'
import type { MembersCommand, OthersCommand } from '../cut/commands.ts'
import { fill, MEMBERS } from '../cut/world.ts'
import { type Figures, of } from '../messages.ts'
import { checkFiles } from '../open-files.ts'
import { type Context, greatest, judge, type Scenario } from '../scenario.ts'

/** Seconds in which all have to be back. */
const BACK = 30
/**
 * How much longer others may wait meanwhile, at p99; and milliseconds that nobody waits longer than. Node itself takes 40 µs for each
 * connection that is reset, all of them in one turn of the event loop: with 10,000 of them that is the longest wait there.
 */
const LONGER = { uws: 2, node: Infinity } as const
const LONGEST = { uws: 500, node: 1500 } as const
/** Messages a second, of the others. */
const RATE = 100

interface Plan {
  readonly rounds: number
  readonly clients: number
  /** Of looking at the others before anybody is cut. */
  readonly seconds: number
  /** Seconds in which all have to be back, and for which the others are looked at. */
  readonly back: number
}

const toPlan = ({ wishes: { rounds, clients, seconds, quick } }: Context): Plan => ({
  rounds: rounds ?? (quick ? 1 : 3),
  clients: clients ?? (quick ? 200 : 10_000),
  seconds: seconds ?? (quick ? 1 : 15),
  back: quick ? 3 : BACK,
})

const named = (name: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([what, value]) => [`${name} ${what}`, value]))

async function measure(context: Context, { clients, seconds, back }: Plan, resumes: boolean): Promise<Figures> {
  const folder = createFolder('fiberws-cut-')
  const channels = await fill(folder, clients, Math.min(clients, MEMBERS))
  const command = await GatewayCommand.start(folder, context.engine, { wsIdleS: 86_400 })
  const { port } = command
  const { child: members } = await Child.start<MembersCommand>(context.programs.members, {}, 'the process of members')
  const { child: others } = await Child.start<OthersCommand>(context.programs.others, {}, 'the process of others')
  try {
    await members.ask({ do: 'enter', port, count: clients, resumes }, 60)
    await others.ask({ do: 'enter', port, first: clients, channels })
    await others.ask({ do: 'talk', rate: RATE })
    await sleep(2000)
    await others.ask({ do: 'look', forget: true })
    await sleep(seconds * 1000)
    const before = await others.ask({ do: 'look', forget: true })
    context.progress(`${clients} clients are cut`)
    const { cpu } = command
    const found = await members.ask({ do: 'cut', seconds: 2 * BACK }, 2 * BACK)
    const returning = await others.ask({ do: 'look', forget: false })
    const figures = { ...found, 'server CPU': command.cpu - cpu }
    // For as long as they may be away.
    await sleep(Math.max(0, back - of(found, 'took')) * 1000)
    const within = await others.ask({ do: 'look', forget: true })
    const there = of(await members.ask({ do: 'count' }), 'there')
    const failed = of(await others.ask({ do: 'hush' }), 'failed')
    return {
      ...figures,
      there,
      failed,
      ...named('before', before),
      ...named('returning', returning),
      ...named('within', within),
    }
  } finally {
    await members.stop()
    await others.stop()
    await command.stop()
  }
}

export const cut: Scenario = {
  title: 'clients that are cut all at once, and come back anew or go on: how long that takes, and how long others wait',
  async run(context) {
    const plan = toPlan(context)
    checkFiles(plan.clients)
    const { engine, progress } = context
    const rounds: { readonly anew: Figures; readonly resumed: Figures }[] = []
    for (let i = 0; i < plan.rounds; i++) {
      const anew = await measure(context, plan, false)
      progress(JSON.stringify(anew))
      const resumed = await measure(context, plan, true)
      progress(JSON.stringify(resumed))
      rounds.push({ anew, resumed })
    }
    const all = rounds.flatMap(({ anew, resumed }) => [anew, resumed])
    const most = (one: Figures[], name: string): number => greatest(one.map((figures) => of(figures, name)))
    const anew = rounds.map((round) => round.anew)
    const resumed = rounds.map((round) => round.resumed)
    const longer = (some: Figures[]): number => median(some.map((one) => of(one, 'within p99') / of(one, 'before p99')))
    return {
      rounds,
      bars: [
        judge('the last is back, anew', most(anew, 'took'), 'at most', plan.back, 's'),
        judge('the last is back, resumed', most(resumed, 'took'), 'at most', plan.back, 's'),
        judge('clients that are there', Math.min(...all.map((one) => of(one, 'there'))), 'exactly', plan.clients, ''),
        judge(
          'clients that went on',
          Math.min(...resumed.map((one) => of(one, 'resumed'))),
          'exactly',
          plan.clients,
          '',
        ),
        judge('p99 of the others, to before, anew', longer(anew), 'at most', LONGER[engine], ''),
        judge('p99 of the others, to before, resumed', longer(resumed), 'at most', LONGER[engine], ''),
        judge('the longest wait of the others', most(all, 'within max'), 'at most', LONGEST[engine], 'ms'),
        judge('messages of others that failed', most(all, 'failed'), 'exactly', 0, ''),
      ],
    }
  },
}
