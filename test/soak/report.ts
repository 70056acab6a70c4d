import type { About } from '../../bench/about.ts'
import type { EngineName } from './messages.ts'
import type { Bar, Outcome, Wishes } from './scenario.ts'
import type { ScenarioName } from './scenarios/index.ts'

/** One scenario on one engine. */
export interface Result extends Outcome {
  readonly scenario: ScenarioName
  readonly engine: EngineName
}

/** What a run leaves behind. */
export interface Report {
  readonly about: About
  readonly wishes: Wishes
  readonly results: readonly Result[]
}

export const hasMissed = ({ bars }: Outcome): boolean => bars.some(({ verdict }) => verdict === 'FAIL')

const show = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2))

const toCells = ({ scenario, engine }: Result, { name, found, relation, bar, unit, verdict }: Bar): string[] => [
  scenario,
  engine,
  name,
  show(found),
  `${relation} ${show(bar)} ${unit}`.trimEnd(),
  verdict,
]

/** A table of bars. */
export function* toLines(results: readonly Result[]): Iterable<string> {
  const rows = results.flatMap((result) => result.bars.map((bar) => toCells(result, bar)))
  const table = [['scenario', 'engine', 'what', 'found', 'bar', ''], ...rows]
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((cells) => cells[i]?.length ?? 0)))
  for (const cells of table) {
    const padded = cells.map((cell, i) => (i === 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
    yield padded.join('  ').trimEnd()
  }
}
