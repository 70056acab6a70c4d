import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toPositive } from './positive.ts'
import { isServerName, type ServerName, servers } from './servers/index.ts'

/** The folder of the workloads, a file each. */
export const workloads = join(import.meta.dirname, 'workloads')
const all = readdirSync(workloads).map((file) => file.replace(/\.ts$/, ''))
/** Longer than the others together. */
const LONG: readonly string[] = ['fan-out-10000-16', 'gateway-10000']
const names = Object.keys(servers).filter(isServerName)

export const help = `npm run bench -- [workload…] [options]

Workloads: ${all.join(', ')}; default: all but ${LONG.join(' and ')}.
These, memory and gateway-memory need 10,100 open files (ulimit -n).

  --rounds N      each with new processes; default 5, of idle memory 3
  --seconds N     measured for each server and round, in slices that take turns; default 2, of latency and agent-stream 5
  --servers A,B   only these, or all whose names begin so:
                  ${names.join(', ')}
  --base COMMIT   ours also as of another commit, side by side: what has changed since
  --compare FILE  what has changed since a run, by its JSON
  --core N        the core of the servers, and of the client except where latency is measured;
                  default the last one, 'any': no pinning
  --out FILE      the JSON of this run; default bench/results/DATE.json
  --profile DIR   a CPU profile of each server and workload, of its first round
  --markdown      tables in Markdown
  --help

Exit code 1: a bar was missed. 2: it could not run.`

export interface Options {
  readonly workloads: readonly string[]
  readonly servers: readonly ServerName[]
  readonly rounds: number | null
  readonly seconds: number | null
  readonly base: string | null
  readonly compare: string | null
  readonly core: string
  readonly out: string | null
  readonly profile: string | null
  readonly markdown: boolean
  readonly help: boolean
}

/** Throws with a text for the user. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      servers: { type: 'string', default: '' },
      base: { type: 'string' },
      compare: { type: 'string' },
      core: { type: 'string', default: String(availableParallelism() - 1) },
      out: { type: 'string' },
      profile: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`no workload '${unknown}': ${all.join(', ')}`)
  return {
    workloads: positionals.length > 0 ? positionals : all.filter((name) => !LONG.includes(name)),
    servers: toServers(values.servers),
    rounds: toPositive('rounds', values.rounds, Number.isInteger),
    seconds: toPositive('seconds', values.seconds, Number.isFinite),
    base: values.base ?? null,
    compare: values.compare ?? null,
    core: values.core,
    out: values.out ?? null,
    profile: values.profile ?? null,
    markdown: values.markdown,
    help: values.help,
  }
}

function toServers(list: string): ServerName[] {
  const wanted = list.split(',').map((name) => name.trim())
  const unknown = wanted.find((start) => !names.some((name) => name.startsWith(start)))
  if (unknown !== undefined) throw new Error(`no server '${unknown}': ${names.join(', ')}`)
  return names.filter((name) => wanted.some((start) => name.startsWith(start)))
}
