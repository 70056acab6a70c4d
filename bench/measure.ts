import type { Socket } from 'node:net'
import { join } from 'node:path'
import { openLoad } from './loads/index.ts'
import { Worlds } from './fill.ts'
import { openSilent } from './loads/peer.ts'
import type { Load, Sample } from './loads/sample.ts'
import { ServerProcess } from './server-process.ts'
import type { Turn } from './turns.ts'
import { type BusyLoad, type IdleLoad, worldOf } from './workload.ts'

/** What was measured, in the order in which it was: for the key of each turn a list of values for each round. */
export type Results<T> = ReadonlyMap<string, T[][]>

/** Told how far a measurement is. */
export type Progress = (done: number, of: number) => void

export interface Plan {
  readonly rounds: number
  /** Measured for each server and round. */
  readonly seconds: number
  /** The core of the servers; null: where this process is. */
  readonly core: string | null
  /** Folder for the CPU profiles of the first round; null: none are made. */
  readonly profiles: string | null
}

// Milliseconds.
/** Until what is hot is compiled; less where less is measured. */
const WARM_UP = 1000
/** Of what runs a thousand times a second, not a hundred thousand: the first thousands of posts, or deltas, cost twice as much. */
const LONG_WARM_UP = 4000
/** Short enough that what disturbs the machine disturbs a whole turn. */
const SLICE = 250

/** Connections that are open at the same time, with those of other servers. */
const MOST_OPEN = 15_000
/** Idle connections are opened so many at a time. */
const AT_ONCE = 100

const noResults = <T>(turns: readonly Turn[]): Results<T> => new Map(turns.map(({ key }) => [key, []]))

/** Servers that run at the same time: all, as far as open files go. */
function toGroups(turns: readonly Turn[], load: BusyLoad): (readonly Turn[])[] {
  const connections = 'connections' in load ? load.connections : load.kind === 'posts' ? load.members : 0
  return connections * turns.length > MOST_OPEN ? turns.map((turn) => [turn]) : [turns]
}

/** Measures servers slice by slice, in turns. */
async function takeTurns(
  turns: readonly Turn[],
  load: BusyLoad,
  slice: number,
  round: number,
  results: Results<Sample>,
  worlds: Worlds,
  { seconds, core, profiles }: Plan,
): Promise<void> {
  const running: { server: ServerProcess; load: Load; samples: Sample[] }[] = []
  // The posts of a burst come on connections of their own. With the first answered alone each member is written to twice.
  const yields = load.kind === 'posts'
  try {
    for (const { key, server: name, program } of turns) {
      const profile = profiles === null || round > 0 ? null : join(profiles, `${key}.cpuprofile`)
      const world = await worlds.of(program)
      const server = await ServerProcess.start(name, program, { core, profile, world, yields })
      const samples: Sample[] = []
      results.get(key)?.push(samples)
      running.push({ server, load: await openLoad(server, load), samples })
      const warmUp = worldOf(load) === null && load.kind !== 'stream' ? WARM_UP : LONG_WARM_UP
      await running.at(-1)?.load.run(Math.min(warmUp, (seconds * warmUp) / 2))
    }
    for (let at = 0; at < (seconds * 1000) / slice; at++) {
      for (const one of running) one.samples.push(await one.load.run(slice))
      running.push(...running.splice(0, 1))
    }
  } finally {
    for (const one of running) {
      one.load.close()
      await one.server.stop()
    }
  }
}

/** Each round has new processes; in it the servers take turns, slice by slice. */
export async function measureBusy(
  turns: readonly Turn[],
  load: BusyLoad,
  plan: Plan,
  progress: Progress,
): Promise<Results<Sample>> {
  const { rounds, seconds } = plan
  const results = noResults<Sample>(turns)
  const worlds = new Worlds(worldOf(load))
  // The slow answers of a slice are too few to say how slow the slowest are; and an answer of an agent takes its time.
  const slice = load.kind === 'paced' || load.kind === 'stream' ? seconds * 1000 : Math.min(SLICE, seconds * 1000)
  for (let round = 0; round < rounds; round++) {
    progress(round, rounds)
    // The next round begins with another one: it matters who was busy just before.
    const order = [...turns.slice(round % turns.length), ...turns.slice(0, round % turns.length)]
    for (const group of toGroups(order, load)) await takeTurns(group, load, slice, round, results, worlds, plan)
  }
  return results
}

/** What a connection takes: resident, JavaScript heap, outside of it; then the process at `few` and at `many`. */
export interface Memory {
  readonly rss: number
  readonly heap: number
  readonly external: number
  readonly atFew: number
  readonly atMany: number
}

export async function measureMemory(
  turns: readonly Turn[],
  { few, many, world }: IdleLoad,
  { rounds, core }: Plan,
  progress: Progress,
): Promise<Results<Memory>> {
  const results = noResults<Memory>(turns)
  const worlds = new Worlds(world ?? null)
  for (let round = 0; round < rounds; round++) {
    progress(round, rounds)
    for (const { key, server: name, program } of turns) {
      const server = await ServerProcess.start(name, program, { core, world: await worlds.of(program) })
      const { port } = server
      const sockets: Socket[] = []
      const grow = async (count: number, account = 0): Promise<void> => {
        while (sockets.length < count) {
          const first = account + sockets.length
          const some = Array.from({ length: AT_ONCE }, (_, i) => openSilent(port, first + i, world))
          sockets.push(...(await Promise.all(some)))
        }
      }
      const weigh = async (count: number): Promise<number[]> => {
        await grow(count)
        return server.ask('memory')
      }
      // What a process takes for good when it has first been busy is not what a connection takes; nor is what a database keeps
      // of each account at hand.
      for (let past = 0; past < 2 * many; past += AT_ONCE) {
        await grow(AT_ONCE, past)
        for (const socket of sockets.splice(0)) socket.resetAndDestroy()
      }
      const [low, high] = [await weigh(few), await weigh(many)]
      const [rss = NaN, heap = NaN, external = NaN] = high.map((bytes, i) => (bytes - (low[i] ?? NaN)) / (many - few))
      results.get(key)?.push([{ rss, heap, external, atFew: low[0] ?? NaN, atMany: high[0] ?? NaN }])
      for (const socket of sockets) socket.destroy()
      await server.stop()
    }
  }
  return results
}
