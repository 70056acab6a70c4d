/** `npm run bench`: see `help` here, and README.md for how to read what it prints. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ServerProcess } from './load.ts'
import { measureMemory, measureMessages, type Progress, type Turn } from './measure.ts'
import { againOf, type Report, reportMemory, reportMessages } from './report.ts'
import { baseOf, isServerName, type ServerName, servers } from './servers/index.ts'
import { printChange, printReport } from './table.ts'
import type { Workload } from './workload.ts'

const folder = join(import.meta.dirname, 'workloads')
const all = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''))

const help = `npm run bench -- [workload…] [options]

Workloads: ${all.join(', ')}; default: all but fan-out-10000.
fan-out-10000 and memory need 10,100 open files (ulimit -n).

  --rounds N      each with new processes; default 5, of memory 3
  --seconds N     measured for each server and round, in slices that take turns; default 2
  --servers A,B   only these: ${Object.keys(servers).join(', ')}
  --core N        the core that all processes share; default the last one, 'any': no pinning
  --compare FILE  what has changed since a run, by its JSON
  --out FILE      the JSON of this run; default bench/results/DATE.json
  --help

Exit code 1: a bar was missed.`

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

const options = parse()
if (options.help) {
  console.log(help)
  process.exit()
}

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string', default: '2' },
        servers: { type: 'string', default: Object.keys(servers).join(',') },
        core: { type: 'string', default: String(availableParallelism() - 1) },
        compare: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    return {
      ...values,
      workloads: positionals.length > 0 ? positionals : all.filter((name) => name !== 'fan-out-10000'),
    }
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}. Try --help`)
  }
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

/** The servers that run here, those that others are measured against twice. */
async function toTurns(names: readonly string[]): Promise<Turn[]> {
  const turns: Turn[] = []
  for (const name of names) {
    if (!isServerName(name)) return fail(`no server '${name}': ${Object.keys(servers).join(', ')}`)
    try {
      const server = await ServerProcess.start(name)
      server.stop()
      turns.push({ key: name, server: name })
    } catch (error) {
      console.log(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const bases = new Set<ServerName | null>(turns.map(({ server }) => baseOf(server)))
  return turns.flatMap((turn) => (bases.has(turn.server) ? [turn, { ...turn, key: againOf(turn.key) }] : [turn]))
}

const isWorkload = (value: unknown): value is Workload => typeof value === 'object' && value !== null && 'kind' in value

async function loadWorkload(name: string): Promise<Workload> {
  const module: unknown = all.includes(name) ? await import(join(folder, `${name}.ts`)) : null
  const workload = typeof module === 'object' && module !== null && 'default' in module ? module.default : null
  return isWorkload(workload) ? workload : fail(`no workload '${name}': ${all.join(', ')}`)
}

/** What a run leaves behind. */
interface Run {
  readonly date: string
  readonly node: string
  readonly machine: string
  readonly pinned: string
  readonly workloads: Record<string, Report>
}
const isRun = (value: unknown): value is Run => typeof value === 'object' && value !== null && 'workloads' in value

function readRun(file: string): Run {
  const run: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return isRun(run) ? run : fail(`${file} is not the JSON of a run`)
}

const progress: Progress = (done, of) => {
  if (process.stderr.isTTY) process.stderr.write(`\rround ${done + 1} of ${of} \r`)
}

async function measure(workload: Workload, turns: readonly Turn[]): Promise<Report> {
  if (workload.kind === 'memory') {
    const rounds = Number(options.rounds ?? 3)
    return reportMemory(workload, await measureMemory(turns, workload.load, rounds, progress))
  }
  const rounds = Number(options.rounds ?? 5)
  return reportMessages(
    workload,
    await measureMessages(turns, workload.load, { rounds, seconds: Number(options.seconds) }, progress),
  )
}

if (!(Number(options.seconds) > 0) || !(Number(options.rounds ?? 1) >= 1)) {
  fail('--seconds and --rounds are numbers above 0')
}
const before = options.compare === undefined ? null : readRun(options.compare)
const chosen = await Promise.all(options.workloads.map(async (name) => [name, await loadWorkload(name)] as const))
const date = new Date().toISOString()
const run: Run = {
  date,
  node: process.version,
  machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  pinned: pin(options.core),
  workloads: {},
}
console.log(`node ${run.node}, ${run.machine}, ${run.pinned}`)
const turns = await toTurns(options.servers.split(',').map((name) => name.trim()))
for (const [name, workload] of chosen) {
  console.log(
    `\n${name}: ${workload.title}${workload.kind === 'messages' ? ', µs of server CPU per message received' : ''}`,
  )
  const report = await measure(workload, turns)
  run.workloads[name] = report
  printReport(report)
  const old = before?.workloads[name]
  if (before !== null) console.log(`\nsince ${before.date}`)
  if (old !== undefined) printChange(report, old)
}
const out = options.out ?? join(import.meta.dirname, 'results', `${date.slice(0, 19).replaceAll(':', '-')}.json`)
mkdirSync(join(out, '..'), { recursive: true })
writeFileSync(out, JSON.stringify(run))
console.log(`\nall rounds: ${out}`)
const missed = Object.values(run.workloads).some(({ verdicts }) => verdicts.some(({ verdict }) => verdict === 'miss'))
process.exit(missed ? 1 : 0)
