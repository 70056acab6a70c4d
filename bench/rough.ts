/**
 * A first measurement, until the harness is here: server CPU per message, or memory per idle connection, of ours beside
 * raw uWebSockets.js and `ws`. See `help` below.
 */
import { execFileSync } from 'node:child_process'
import type { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Load, open, type Sample, ServerProcess, type Workload } from './load.ts'

const help = `npx tsx bench/rough.ts [options]

  --seconds N     measured per server and round, in slices of ${250} ms that take turns; default 2
  --rounds N      each with new processes; default 5, with --memory 3
  --only WORD     workloads with WORD in their name
  --servers A,B   only these; 'raw string', 'raw view' and 'ws' are what the others are compared with
  --memory        bytes per idle connection instead
  --core N        where all processes run; default the last core, 'any' for no pinning
  --help`

/** Each server, and the raw one that it is compared with. 'again' is another process of the same: A/A. */
const rows = new Map([
  ['raw string', 'raw string'],
  ['raw string again', 'raw string'],
  ['ours uws string', 'raw string'],
  ['ours node string', 'raw string'],
  ['raw view', 'raw view'],
  ['raw view again', 'raw view'],
  ['ours uws view', 'raw view'],
  ['ours node view', 'raw view'],
  ['ws', null],
])
const start = (name: string): Promise<ServerProcess> => ServerProcess.start(name.replace(' again', ''))

const workloads: readonly Workload[] = [
  { name: 'echo 64 B, 1 in flight', connections: 50, inFlight: 1, size: 64, path: '/echo' },
  { name: 'echo 64 B, 16 in flight', connections: 50, inFlight: 16, size: 64, path: '/echo' },
  { name: 'echo 1 KB, 1 in flight', connections: 50, inFlight: 1, size: 1024, path: '/echo' },
  { name: 'echo 64 KB, 1 in flight', connections: 20, inFlight: 1, size: 65_536, path: '/echo' },
  { name: 'fan-out to 1,000', connections: 1000, inFlight: 1, size: 64, path: '/fan' },
]

const SLICE = 250
/** A client that uses more of a core decides what the server gets to do: such rows are marked. */
const BUSY = 0.9

function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * p
  const [low = NaN, high = low] = sorted.slice(Math.floor(at), Math.floor(at) + 2)
  return low + (high - low) * (at % 1)
}
const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The samples of each server, a list for each round. */
type Results = ReadonlyMap<string, Sample[][]>

async function measure(names: readonly string[], workload: Workload, seconds: number, rounds: number): Promise<Results> {
  const results = new Map(names.map((name): [string, Sample[][]] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const servers: ServerProcess[] = []
    const loads: { load: Load; samples: Sample[] }[] = []
    for (const [name, all] of results) {
      const server = await start(name)
      const load = await Load.open(server, workload)
      const samples: Sample[] = []
      servers.push(server)
      loads.push({ load, samples })
      all.push(samples)
      await load.run(500 + seconds * 250) // Until what is hot is compiled
    }
    for (let slice = 0; slice < Math.max(1, (seconds * 1000) / SLICE); slice++) {
      // Everybody is first in turn: what runs after a slower one, or an idle moment, is not always the same.
      const first = (slice + round) % loads.length
      for (const { load, samples } of [...loads.slice(first), ...loads.slice(0, first)]) {
        samples.push(await load.run(SLICE))
      }
    }
    for (const { load } of loads) load.close()
    for (const server of servers) server.stop()
  }
  return results
}

const fixed = (digits: number) => (value: number) => value.toFixed(digits)

/** Ratios of slices that were measured next to each other: what disturbs the machine, disturbs both. */
function paired(results: Results, name: string, base: string | null): number[][] {
  const below = base === null ? undefined : results.get(base)
  if (below === undefined || name === base) return []
  return (results.get(name) ?? []).map((samples, round) =>
    samples.map(({ cost }, slice) => cost / (below[round]?.[slice]?.cost ?? NaN)),
  )
}

function ratio(rounds: readonly number[][]): string {
  const all = rounds.flat()
  if (all.length === 0) return ''
  return [median(all), quantile(all, 0.25), quantile(all, 0.75)].map(fixed(3)).join(' ')
}

function report(workload: Workload, results: Results): void {
  console.log(`\n${workload.name}, ${workload.connections} connections`)
  const table = [['', 'µs', 'rounds min-max', 'to raw: median, quartiles', 'to ws', 'msg/s', 'server', 'client']]
  const again: string[] = []
  for (const [name, rounds] of results) {
    const all = rounds.flat()
    const of = (key: keyof Sample): number => median(all.map((sample) => sample[key]))
    const medians = rounds.map((samples) => median(samples.map(({ cost }) => cost)))
    const toRaw = paired(results, name, rows.get(name) ?? null)
    const toWs = paired(results, name, 'ws').flat()
    table.push([
      name,
      of('cost').toFixed(2),
      [Math.min(...medians), Math.max(...medians)].map(fixed(2)).join('-'),
      ratio(toRaw),
      toWs.length === 0 ? '' : median(toWs).toFixed(3),
      of('rate').toFixed(0),
      `${(of('server') * 100).toFixed(0)} %`,
      `${(of('client') * 100).toFixed(0)} %${of('client') > BUSY ? ' !' : ''}`,
    ])
    if (!name.endsWith(' again') || toRaw.length === 0) continue
    const each = toRaw.map(median)
    again.push(`${rows.get(name)} ${[Math.min(...each), Math.max(...each)].map(fixed(3)).join('-')}`)
  }
  print(table)
  if (again.length > 0) console.log(`A/A, medians of rounds: ${again.join(', ')}`)
}

function print(table: readonly string[][]): void {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)))
  for (const line of table) {
    console.log(line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   '))
  }
}

const [FEW, MANY] = [2000, 10_000]

/** Resident, heap, and external bytes for each connection beyond the first FEW. */
async function slope(name: string): Promise<number[]> {
  const server = await start(name)
  const sockets: Socket[] = []
  const fill = async (count: number): Promise<number[]> => {
    while (sockets.length < count) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(server.port, '/echo', () => {})))))
    }
    return server.ask('memory')
  }
  const few = await fill(FEW)
  const many = await fill(MANY)
  server.stop()
  for (const socket of sockets) socket.destroy()
  return many.map((bytes, i) => (bytes - (few[i] ?? NaN)) / (MANY - FEW)).concat(few[0] ?? NaN, many[0] ?? NaN)
}

async function memory(names: readonly string[], rounds: number): Promise<void> {
  const results = new Map(names.map((name): [string, number[][]] => [name, []]))
  for (let round = 0; round < rounds; round++) for (const [name, all] of results) all.push(await slope(name))
  const of = (name: string, i: number): number[] => (results.get(name) ?? []).map((values) => values[i] ?? NaN)
  const table = [['', 'RSS', 'min-max', 'heap', 'external', 'to raw', 'to ws', `RSS at ${FEW}, ${MANY}`]]
  for (const name of names) {
    const rss = of(name, 0)
    const [own, base, ws] = [name, rows.get(name) ?? '', 'ws'].map((key) => median(of(key, 0)))
    table.push([name, ...[rss].map(median).map(fixed(0))])
    void [own, base, ws]
  }
  print(table)
}
