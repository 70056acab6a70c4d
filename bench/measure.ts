import type { Socket } from 'node:net'
import { Load, open, type Sample, ServerProcess } from './load.ts'
import type { ServerName } from './servers/index.ts'
import type { IdleLoad, MessageLoad } from './workload.ts'

/** A server in a run: its name, or that of its second process, which shows how far equal servers are apart. */
export interface Turn {
  readonly key: string
  readonly server: ServerName
}

/** What was measured, in the order in which it was: for each turn a list of values for each round. */
export type Results<T> = ReadonlyMap<string, T[][]>

/** Told how far a measurement is. */
export type Progress = (done: number, of: number) => void

// Milliseconds.
/** Until what is hot is compiled. */
const WARM_UP = 1000
/** Short enough that what disturbs the machine disturbs a whole turn. */
const SLICE = 250

const noResults = <T>(turns: readonly Turn[]): Results<T> => new Map(turns.map(({ key }) => [key, []]))

/** Each round has new processes; in it the servers take turns, slice by slice. */
export async function measureMessages(
  turns: readonly Turn[],
  load: MessageLoad,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  progress: Progress,
): Promise<Results<Sample>> {
  const results = noResults<Sample>(turns)
  for (let round = 0; round < rounds; round++) {
    progress(round, rounds)
    const running: { server: ServerProcess; load: Load; samples: Sample[] }[] = []
    for (const { key, server: name } of turns) {
      const server = await ServerProcess.start(name)
      const samples: Sample[] = []
      results.get(key)?.push(samples)
      running.push({ server, load: await Load.open(server, load), samples })
      await running.at(-1)?.load.run(WARM_UP)
    }
    for (let slice = 0; slice < (seconds * 1000) / SLICE; slice++) {
      for (const one of running) one.samples.push(await one.load.run(SLICE))
      // The next turn begins with another one: it matters who was busy just before.
      running.push(...running.splice(0, 1))
    }
    for (const one of running) {
      one.load.close()
      one.server.stop()
    }
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
  { few, many }: IdleLoad,
  rounds: number,
  progress: Progress,
): Promise<Results<Memory>> {
  const results = noResults<Memory>(turns)
  for (let round = 0; round < rounds; round++) {
    progress(round, rounds)
    for (const { key, server: name } of turns) {
      const server = await ServerProcess.start(name)
      const sockets: Socket[] = []
      const grow = async (count: number): Promise<number[]> => {
        const some = (): Promise<Socket>[] => Array.from({ length: 100 }, () => open(server.port, '/echo', () => {}))
        while (sockets.length < count) sockets.push(...(await Promise.all(some())))
        return server.ask('memory')
      }
      const [low, high] = [await grow(few), await grow(many)]
      const [rss = NaN, heap = NaN, external = NaN] = high.map((bytes, i) => (bytes - (low[i] ?? NaN)) / (many - few))
      results.get(key)?.push([{ rss, heap, external, atFew: low[0] ?? NaN, atMany: high[0] ?? NaN }])
      server.stop()
      for (const socket of sockets) socket.destroy()
    }
  }
  return results
}
