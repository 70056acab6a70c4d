import { setTimeout as sleep } from 'node:timers/promises'
import { createFolder } from '../../../bench/build.ts'
import { type Cut, TcpProxy } from '../../support/tcp-proxy.ts'
import { GatewayCommand } from '../crash/command.ts'
import { Poster } from '../crash/poster.ts'
import { type Figures, of } from '../messages.ts'
import { Follower } from '../resume/follower.ts'
import { type Context, judge, type Scenario } from '../scenario.ts'

const WAYS = ['rst', 'fin', 'silence'] as const
/** Bytes of a connection after which it is cut, at most: in the handshake, in READY, in what is told again, or behind it. */
const LONGEST = 12_000
/** Milliseconds between two messages. */
const PACE = 5
/** Milliseconds for which the second half can be resumed, and around which its clients come back. */
const SHORT = 1000

const cutAnywhere = (): Cut => ({
  by: WAYS[Math.floor(Math.random() * WAYS.length)] ?? 'rst',
  after: 1 + Math.floor(Math.random() * LONGEST),
})

/** How often what was said is not what was heard from one READY to the next: what is missing, twice, or in another place. */
function compare(said: readonly string[], runs: readonly (readonly string[])[]): Figures {
  const order = new Map(said.map((one, i) => [one, i]))
  const found = { 'missing': 0, 'twice': 0, 'out of order': 0 }
  for (const heard of runs) {
    const places = heard.map((one) => order.get(one) ?? -1)
    const different = new Set(places)
    // It begins in the middle, and ends there.
    const [first, last] = [Math.min(...places), Math.max(...places)]
    found.missing += heard.length === 0 ? 0 : last - first + 1 - different.size
    found.twice += places.length - different.size
    found['out of order'] += places.filter((place, i) => i > 0 && place <= (places[i - 1] ?? -1)).length
  }
  return found
}

async function follow(context: Context, rounds: number, late: boolean, folder: string): Promise<Figures> {
  const settings = late ? { resumeS: SHORT / 1000 } : { resumeEvents: 100_000 }
  const command = await GatewayCommand.start(folder, context.engine, settings)
  const proxy = await TcpProxy.open(command.port)
  const poster = new Poster(command.port, 4)
  await poster.register(late ? 'ada' : 'brin')
  const server = await poster.make('/servers', { name: 'Harbour' })
  const channel = await poster.make(`/servers/${server}/channels`, { name: 'pier', type: 'text' })
  // It is cut as often as it comes.
  proxy.cuts.push(...Array.from({ length: rounds }, cutAnywhere))
  const pause = (): Promise<void> => (late ? sleep(SHORT * (0.2 + Math.random())) : Promise.resolve())
  const follower = new Follower(proxy.port, poster.token, channel, pause)
  follower.start()
  const said: string[] = []
  while (proxy.cuts.length > 0) {
    said.push(`message ${said.length}`)
    await poster.make(`/channels/${channel}/messages`, { content: said.at(-1) })
    await sleep(PACE)
    if (said.length % 2000 === 0) context.progress(`${rounds - proxy.cuts.length} of ${rounds} cut`)
  }
  // Behind READY nothing of before comes: until it has heard what was said last.
  while (follower.runs.at(-1)?.at(-1) !== said.at(-1)) {
    said.push(`message ${said.length}`)
    await poster.make(`/channels/${channel}/messages`, { content: said.at(-1) })
    await sleep(10 * PACE)
  }
  await follower.stop()
  await proxy.close()
  poster.destroy()
  await command.stop()
  const { resumed, anew, early } = follower.returns
  const { backwards } = follower
  return { said: said.length, resumed, anew, early, backwards, ...compare(said, follower.runs) }
}

export const resume: Scenario = {
  title: 'a client that is cut anywhere, by RST, FIN or silence, and goes on: all that was said, once and in order',
  async run(context) {
    const { rounds: wished, quick } = context.wishes
    const rounds = wished ?? (quick ? 10 : 1000)
    const folder = createFolder('fiberws-resume-')
    const cut = await follow(context, rounds, false, folder)
    context.progress(JSON.stringify(cut))
    const late = await follow(context, Math.ceil(rounds / (quick ? 3 : 10)), true, folder)
    context.progress(JSON.stringify(late))
    const both = (name: string): number => of(cut, name) + of(late, name)
    return {
      rounds: [{ cut, late }],
      bars: [
        judge('events that are missing', both('missing'), 'exactly', 0, ''),
        judge('events twice', both('twice'), 'exactly', 0, ''),
        judge('events out of order', both('out of order') + both('backwards'), 'exactly', 0, ''),
        // The first one, and those that were cut before they knew their session.
        judge('connections that began anew in time', of(cut, 'anew'), 'exactly', 1, ''),
        judge('resumed in time', of(cut, 'resumed'), 'at least', Math.floor(rounds / 4), ''),
        // Else nobody was late.
        judge('late ones that began anew', of(late, 'anew'), 'at least', quick ? 1 : 2, ''),
        judge('late ones that went on', of(late, 'resumed'), 'at least', quick ? 0 : 1, ''),
      ],
    }
  },
}
