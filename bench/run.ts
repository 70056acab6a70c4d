/** `npm run bench`: `--help` for what it can do, README.md for how to read what it prints. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { type About, toAbout, toAboutLines } from './about.ts'
import { buildServers } from './build.ts'
import { measureBusy, measureMemory, type Plan, type Progress } from './measure.ts'
import { help, type Options, parseOptions, workloads } from './options.ts'
import { type Report, toBusyReport, toChanges, toChangesSince, toMemoryReport } from './report.ts'
import { pin, ServerProcess } from './server-process.ts'
import { kindOf, type ServerName } from './servers/index.ts'
import { toChangeLines, toLines } from './table.ts'
import { toTurns, type Turn } from './turns.ts'
import { kindFor, type Workload } from './workload.ts'

/** What a run leaves behind. */
interface Run {
  readonly about: About
  readonly workloads: Record<string, Report>
}

const isRun = (value: unknown): value is Run =>
  typeof value === 'object' && value !== null && 'workloads' in value && 'about' in value
const isWorkload = (value: unknown): value is Workload => typeof value === 'object' && value !== null && 'load' in value

const print = (lines: Iterable<string>): void => {
  for (const line of lines) console.log(line)
}

function readRun(file: string): Run {
  const run: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isRun(run)) throw new Error(`${file} is not the JSON of a run`)
  return run
}

async function loadWorkload(name: string): Promise<Workload> {
  const module: unknown = await import(join(workloads, `${name}.ts`))
  const workload = typeof module === 'object' && module !== null && 'default' in module ? module.default : null
  if (!isWorkload(workload)) throw new Error(`workloads/${name}.ts has no workload as its default export`)
  return workload
}

/** Those that run here. */
async function toRunning(names: readonly ServerName[], program: string): Promise<ServerName[]> {
  const running: ServerName[] = []
  for (const name of names) {
    try {
      const server = await ServerProcess.start(name, program)
      await server.stop()
      running.push(name)
    } catch (error) {
      console.log(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return running
}

/** Before anything is pinned: then it is fewer. */
const CORES = availableParallelism()

/**
 * Where processes share a core they run in turns, and nobody pays for waking up another core. Not so where it matters
 * how long an answer takes: the client is elsewhere then.
 */
function place(kind: Report['kind'], core: string): { readonly core: string | null; readonly text: string } {
  const apart = kind === 'paced' && CORES > 1
  const client = apart ? (core === '0' ? '1' : '0') : core
  if (core === 'any') return { core: null, text: 'not pinned' }
  if (!pin(process.pid, client)) return { core: null, text: `not pinned: no taskset, or no core ${client}` }
  return { core, text: apart ? `servers on core ${core}, client on core ${client}` : `all on core ${core}` }
}

const progress: Progress = (done, of) => {
  if (process.stderr.isTTY) process.stderr.write(`\rround ${done + 1} of ${of} \r`)
}

async function measure(
  name: string,
  workload: Workload,
  turns: readonly Turn[],
  options: Options,
  core: string | null,
): Promise<Report> {
  const { load } = workload
  const plan = (rounds: number, seconds: number): Plan => ({
    rounds: options.rounds ?? rounds,
    seconds: options.seconds ?? seconds,
    core,
    profiles: options.profile === null ? null : join(options.profile, name),
  })
  return load.kind === 'idle'
    ? toMemoryReport(workload, turns, await measureMemory(turns, load, plan(3, 0), progress))
    : toBusyReport(
        workload,
        turns,
        await measureBusy(turns, load, plan(5, load.kind === 'paced' || load.kind === 'stream' ? 5 : 2), progress),
      )
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (options.help) {
    console.log(help)
    return 0
  }
  const before = options.compare === null ? null : readRun(options.compare)
  const chosen = await Promise.all(options.workloads.map(async (name) => [name, await loadWorkload(name)] as const))
  const program = await buildServers(null)
  const base = options.base === null ? null : { name: options.base, program: await buildServers(options.base) }
  const run: Run = { about: toAbout(args), workloads: {} }
  print(toAboutLines(run.about))
  const running = await toRunning(options.servers, program)
  for (const [name, workload] of chosen) {
    const fit = running.filter(
      (server) => kindOf(server) === kindFor(workload.load) && (workload.servers?.includes(server) ?? true),
    )
    if (fit.length === 0) throw new Error(`no server runs here for ${name}`)
    const turns = toTurns(fit, program, base)
    const { core, text } = place(workload.load.kind, options.core)
    console.log(`\n${options.markdown ? '### ' : ''}${name}: ${workload.title}\n\n${text}\n`)
    const report = await measure(name, workload, turns, options, core)
    run.workloads[name] = report
    print(toLines(report, options.markdown))
    if (base !== null) {
      console.log(`\nsince ${base.name}, side by side`)
      print(toChangeLines(toChanges(report), options.markdown))
    }
    const old = before?.workloads[name]
    if (before !== null && old !== undefined) {
      console.log(`\nsince ${before.about.date}, ${before.about.commit}: ratios to raw, else to ws, sirv or python`)
      print(toChangeLines(toChangesSince(report, old), options.markdown))
    }
  }
  const out =
    options.out ?? join(import.meta.dirname, 'results', `${run.about.date.slice(0, 19).replaceAll(':', '-')}.json`)
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, JSON.stringify(run))
  console.log(`\nall rounds: ${out}`)
  const missed = Object.values(run.workloads).some(({ verdicts }) => verdicts.some(({ verdict }) => verdict === 'miss'))
  return missed ? 1 : 0
}

// So that what was made for the run is removed: its servers go with it, too.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143))
try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  console.error(
    `${error instanceof Error ? error.message : String(error)}\nnpm run bench -- --help says what it can do.`,
  )
  process.exit(2)
}
