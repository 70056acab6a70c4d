import { parseArgs } from 'node:util'
import { toPositive } from '../../bench/positive.ts'
import type { EngineName } from './messages.ts'
import type { Wishes } from './scenario.ts'
import { isScenarioName, type ScenarioName, scenarioNames, scenarios } from './scenarios/index.ts'

const titles = scenarioNames.map((name) => `  ${name.padEnd(9)}${scenarios[name].title}`).join('\n')

export const help = `tsx test/soak/run.ts [scenario…] [options]

Scenarios; default: all
${titles}

  --engine uws|node  default: both
  --seconds N        stalled: how long is published, default 60; flood: how long it may take, default 120;
                     crowd: how long is published, default 20; agent: length of an answer, default 30; reader: default 15;
                     bots: of the outage, default 30
  --rounds N         stalled: pairs of runs, default 5; crash: default 20; resume, answers: cuts, default 1000; cut: default 3;
                     restart: default 10; others: how often, default 1
  --clients N        healthy ones of stalled, default 100; of crowd, default 1000; of drain and cut, default 10000;
                     of restart, default 20; of agent, default 1000; of reader, default 16
  --recover N        seconds until memory is looked at again, default 60: stalled, crowd
  --quick            a few seconds for each, with small numbers: whether the harness works
  --json FILE        all rounds
  --help

In full stalled takes some 20 minutes for each engine, flood and crowd two at most, crash and cut five, drain seconds. drain and cut need 10,200
open files in a process (ulimit -n); crowd takes up to 4 MB of the kernel's memory for each client. Exit code 1: a bar was missed. 2: it could not run.`

export interface Options {
  readonly scenarios: readonly ScenarioName[]
  readonly engines: readonly EngineName[]
  readonly wishes: Wishes
  readonly json: string | null
  readonly help: boolean
}

/** Throws with a text for the user. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      engine: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      clients: { type: 'string' },
      recover: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !isScenarioName(name))
  if (unknown !== undefined) throw new Error(`no scenario '${unknown}': ${scenarioNames.join(', ')}`)
  return {
    scenarios: positionals.length > 0 ? positionals.filter(isScenarioName) : scenarioNames,
    engines: toEngines(values.engine),
    wishes: {
      seconds: toPositive('seconds', values.seconds, Number.isFinite),
      rounds: toPositive('rounds', values.rounds, Number.isInteger),
      clients: toPositive('clients', values.clients, Number.isInteger),
      recover: toPositive('recover', values.recover, Number.isFinite),
      quick: values.quick,
    },
    json: values.json ?? null,
    help: values.help,
  }
}

function toEngines(name: string | undefined): EngineName[] {
  if (name === undefined) return ['uws', 'node']
  if (name !== 'uws' && name !== 'node') throw new Error(`no engine '${name}': uws, node`)
  return [name]
}
