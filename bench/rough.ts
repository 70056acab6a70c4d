/**
 * A first measurement, until the harness is here: server CPU per message, or memory per idle connection, of ours beside
 * raw uWebSockets.js and `ws`. What can be set is in `help`; how the load works is said in `load.ts`.
 */
import { execFileSync } from 'node:child_process'
import type { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Load, open, type Sample, ServerProcess, type Workload } from './load.ts'

const help = `npx tsx bench/rough.ts [options]

  --seconds N     measured for each server and round, in slices that take turns; default 2
  --rounds N      each with new processes; default 5, with --memory 3
  --only WORD     workloads with WORD in their name
  --servers A,B   only these, as they are named in the tables
  --memory        memory per idle connection instead; needs 10,100 open files (ulimit -n)
  --core N        the core that all processes share; default the last one, 'any': no pinning
  --help

Ratios are medians, and quartiles, of slices measured next to each other; min-max is of the medians of the rounds.
'again' is a second process of the same server: ratios of others mean as much as its ratio is near to 1. '!' marks a
client that used more than 90 % of a core, which it can only where it has one of its own (--core any).`

/** Each server, and the one that it is compared with. */
const bases = new Map([
  ['raw string', null],
  ['raw string again', 'raw string'],
  ['ours uws string', 'raw string'],
  ['ours node string', 'raw string'],
  ['raw view', null],
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

// Milliseconds.
/** Until what is hot is compiled. */
const WARM_UP = 1000
/** Short enough that what disturbs the machine disturbs a whole turn. */
const SLICE = 250

/** What was measured of each server: a list for each round. */
type Results<T> = ReadonlyMap<string, T[][]>
const noResults = <T>(names: readonly string[]): Results<T> => new Map(names.map((name) => [name, []]))

async function measureCpu(names: readonly string[], workload: Workload, rounds: number): Promise<Results<Sample>> {
  const results = noResults<Sample>(names)
  for (let round = 0; round < rounds; round++) {
    const turns: { server: ServerProcess; load: Load; samples: Sample[] }[] = []
    for (const [name, all] of results) {
      const server = await start(name)
      const load = await Load.open(server, workload)
      const samples: Sample[] = []
      all.push(samples)
      turns.push({ server, load, samples })
      await load.run(WARM_UP)
    }
    for (let slice = 0; slice < (seconds * 1000) / SLICE; slice++) {
      for (const { load, samples } of turns) samples.push(await load.run(SLICE))
      // The next turn begins with another one: it matters who was busy just before.
      turns.push(...turns.splice(0, 1))
    }
    for (const { load, server } of turns) {
      load.close()
      server.stop()
    }
  }
  return results
}

const column = (i: number) => (values: readonly number[]) => values[i] ?? NaN

const [FEW, MANY] = [2000, 10_000]

/** Bytes for each connection after the first FEW: resident, JavaScript heap, outside of it; then RSS at both. */
async function measureMemory(names: readonly string[], rounds: number): Promise<Results<number[]>> {
  const results = noResults<number[]>(names)
  for (let round = 0; round < rounds; round++) {
    for (const [name, all] of results) {
      const server = await start(name)
      const sockets: Socket[] = []
      const askAt = async (count: number): Promise<number[]> => {
        const some = (): Promise<Socket>[] => Array.from({ length: 100 }, () => open(server.port, '/echo', () => {}))
        while (sockets.length < count) sockets.push(...(await Promise.all(some())))
        return server.ask('memory')
      }
      const few = await askAt(FEW)
      const many = await askAt(MANY)
      const slopes = many.map((bytes, i) => (bytes - column(i)(few)) / (MANY - FEW))
      all.push([[...slopes, column(0)(few), column(0)(many)]])
      server.stop()
      for (const socket of sockets) socket.destroy()
    }
  }
  return results
}

function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * p
  const [low = NaN, high = low] = sorted.slice(Math.floor(at))
  return low + (high - low) * (at % 1)
}
const median = (values: readonly number[]): number => quantile(values, 0.5)
const range = (values: readonly number[], digits: number): string =>
  `${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}`
const percent = (value: number): string => `${(value * 100).toFixed(0)} %`

/** For each round the ratios to another server, of what was measured next to each other; empty when there is none. */
function ratios<T>(results: Results<T>, name: string, base: string | null, value: (one: T) => number): number[][] {
  const other = name === base || base === null ? undefined : results.get(base)
  if (other === undefined) return []
  return (results.get(name) ?? []).map((own, round) =>
    own.flatMap((one, i) => other[round]?.slice(i, i + 1).map((two) => value(one) / value(two)) ?? []),
  )
}

function showRatios(rounds: readonly number[][]): string {
  const all = rounds.flat()
  if (all.length === 0) return ''
  return `${median(all).toFixed(3)} (${quantile(all, 0.25).toFixed(3)}-${quantile(all, 0.75).toFixed(3)})`
}

/** A line for each server, with columns of its own kind from `more`. */
function print<T>(
  results: Results<T>,
  value: (one: T) => number,
  digits: number,
  heads: readonly string[],
  more: (name: string, all: readonly T[]) => string[],
): void {
  const table = [['', 'median', 'min-max', 'to raw (quartiles)', 'to ws (quartiles)', ...heads]]
  const same: string[] = []
  for (const [name, rounds] of results) {
    const medians = rounds.map((all) => median(all.map(value)))
    const all = rounds.flat()
    const toRaw = ratios(results, name, bases.get(name) ?? null, value)
    const toWs = ratios(results, name, 'ws', value)
    const middle = median(all.map(value)).toFixed(digits)
    table.push([name, middle, range(medians, digits), showRatios(toRaw), showRatios(toWs), ...more(name, all)])
    if (name.endsWith(' again') && toRaw.length > 0) same.push(`${name}: ${range(toRaw.map(median), 3)}`)
  }
  const widths = table[0]?.map((_, i) => Math.max(...table.map((line) => line[i]?.length ?? 0))) ?? []
  for (const [name = '', ...cells] of table) {
    console.log([name.padEnd(widths[0] ?? 0), ...cells.map((cell, i) => cell.padStart(widths[i + 1] ?? 0))].join('  '))
  }
  if (same.length > 0) console.log(`A/A from round to round: ${same.join(', ')}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

/** Where processes share a core they run in turns, and nobody pays for waking up another core. Children inherit it. */
function pin(core: string): string {
  if (core === 'any') return 'not pinned'
  try {
    execFileSync('taskset', ['-apc', core, String(process.pid)], { stdio: 'ignore' })
    return `all on core ${core}`
  } catch {
    return `not pinned: no taskset, or no core ${core}`
  }
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    servers: { type: 'string', default: [...bases.keys()].join(',') },
    memory: { type: 'boolean', default: false },
    core: { type: 'string', default: String(availableParallelism() - 1) },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(options.seconds)
const rounds = Number(options.rounds ?? (options.memory ? 3 : 5))
const chosen = workloads.filter(({ name }) => name.includes(options.only))
const wanted = options.servers.split(',').map((name) => name.trim())

if (options.help) {
  console.log(help)
  process.exit()
}
if (!(seconds > 0) || !(rounds >= 1)) fail('--seconds and --rounds are numbers above 0')
if (chosen.length === 0) fail(`no workload has '${options.only}' in its name`)
for (const name of wanted) if (!bases.has(name)) fail(`no server '${name}': ${[...bases.keys()].join(', ')}`)

const names: string[] = []
const pinned = pin(options.core)
console.log(`node ${process.version}, ${rounds} rounds, ${pinned}`)
for (const name of bases.keys()) {
  if (!wanted.includes(name)) continue
  try {
    const server = await start(name)
    server.stop()
    names.push(name)
  } catch (error) {
    console.log(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`)
  }
}

if (options.memory) {
  console.log(`\nBytes of RSS for each idle connection from ${FEW} to ${MANY}`)
  const results = await measureMemory(names, rounds)
  const rss = (name: string): number => median((results.get(name) ?? []).flat().map(column(0)))
  print(results, column(0), 0, ['over raw', 'heap', 'external', 'MB at few', 'at many'], (name, all) => {
    const base = bases.get(name) ?? null
    const [heap = 0, external = 0, few = 0, many = 0] = [1, 2, 3, 4].map((i) => median(all.map(column(i))))
    const over = base !== null && results.has(base) ? (rss(name) - rss(base)).toFixed(0) : ''
    return [over, heap.toFixed(0), external.toFixed(0), (few / 1e6).toFixed(1), (many / 1e6).toFixed(1)]
  })
} else {
  for (const workload of chosen) {
    console.log(`\n${workload.name}, ${workload.connections} connections: µs of server CPU per message received`)
    const results = await measureCpu(names, workload, rounds)
    print(
      results,
      ({ cost }) => cost,
      2,
      ['msg/s', 'server', 'client'],
      (_name, all) => {
        const rate = median(all.map((sample) => sample.rate))
        const server = median(all.map((sample) => sample.server))
        const client = median(all.map((sample) => sample.client))
        return [rate.toFixed(0), percent(server), `${client > 0.9 ? '! ' : ''}${percent(client)}`]
      },
    )
  }
}
