import type { Sample } from './load.ts'
import type { Memory, Results } from './measure.ts'
import { baseOf, isServerName } from './servers/index.ts'
import { median, type Spread, spreadOf } from './stats.ts'
import type { Bars, Workload } from './workload.ts'

/** A client busier than this is what a rate says something about: nothing that it measures counts. */
const BUSY = 0.9
const AGAIN = ' again'
export const againOf = (name: string): string => name + AGAIN

/** One server in one workload. */
export interface Row {
  /** µs of server CPU a message, or bytes a connection. */
  readonly value: Spread
  /** The same measured next to each other; null where there is nothing to compare with. */
  readonly toRaw: Spread | null
  readonly toWs: Spread | null
  /** Memory: bytes above raw. */
  readonly aboveRaw: number | null
  /** Messages received a second; cores used. */
  readonly rate: number | null
  readonly serverCores: number | null
  readonly clientCores: number | null
  readonly invalid: boolean
  /** All that was measured, a list for each round. */
  readonly rounds: readonly (readonly (Sample | Memory)[])[]
}

export interface Verdict {
  readonly server: string
  readonly against: 'raw' | 'ws'
  readonly value: number
  readonly bar: number
  /** What equal servers were apart, and is let pass above the bar. */
  readonly spread: number
  readonly verdict: 'pass' | 'miss' | 'invalid'
}

export interface Report {
  readonly title: string
  readonly rows: Readonly<Record<string, Row>>
  /** For each server that ran twice the ratios of its two processes, round by round. */
  readonly again: Readonly<Record<string, readonly number[]>>
  readonly verdicts: readonly Verdict[]
}

/** Ratios of what was measured next to each other, round by round. */
function ratios<T>(results: Results<T>, key: string, base: string | null, value: (one: T) => number): number[][] {
  const other = base === null || key === base ? undefined : results.get(base)
  if (other === undefined) return []
  return (results.get(key) ?? []).map((own, round) =>
    own.flatMap((one, i) => (other[round] ?? []).slice(i, i + 1).map((two) => value(one) / value(two))),
  )
}

const spreadOrNull = (rounds: readonly number[][]): Spread | null =>
  rounds.length === 0 ? null : spreadOf(rounds.flat())

export const reportMessages = (workload: Workload, results: Results<Sample>): Report =>
  report(workload, results, ({ cost }) => cost)

export const reportMemory = (workload: Workload, results: Results<Memory>): Report =>
  report(workload, results, ({ rss }) => rss)

function report<T extends Sample | Memory>(workload: Workload, results: Results<T>, value: (one: T) => number): Report {
  const rows: Record<string, Row> = {}
  const again: Record<string, number[]> = {}
  for (const [key, rounds] of results) {
    const all = rounds.flat()
    const base = key.endsWith(AGAIN) ? key.slice(0, -AGAIN.length) : isServerName(key) ? baseOf(key) : null
    const samples = all.filter((one): one is T & Sample => 'rate' in one)
    const of = (field: 'rate' | 'server' | 'client'): number | null =>
      samples.length === 0 ? null : median(samples.map((sample) => sample[field]))
    const toBase = ratios(results, key, base, value)
    const baseValue = base === null ? [] : (results.get(base) ?? []).flat().map(value)
    const own = spreadOf(all.map(value))
    const client = of('client')
    rows[key] = {
      value: own,
      toRaw: spreadOrNull(toBase),
      toWs: spreadOrNull(ratios(results, key, 'ws', value)),
      aboveRaw: workload.kind === 'memory' && baseValue.length > 0 ? own.median - median(baseValue) : null,
      rate: of('rate'),
      serverCores: of('server'),
      clientCores: client,
      invalid: client !== null && client > BUSY,
      rounds,
    }
    if (key.endsWith(AGAIN)) again[key.slice(0, -AGAIN.length)] = toBase.map(median)
  }
  return { title: workload.title, rows, again, verdicts: [...judge('raw'), ...judge('ws')] }

  function judge(against: 'raw' | 'ws'): Verdict[] {
    const bars: Bars = against === 'raw' ? workload.toRaw : workload.toWs
    return Object.entries(bars).flatMap(([server, bar]) => {
      const row = rows[server]
      const absolute = against === 'raw' && workload.kind === 'memory'
      const found = absolute ? row?.aboveRaw : (against === 'raw' ? row?.toRaw : row?.toWs)?.median
      if (row === undefined || found === undefined || found === null || !isServerName(server)) return []
      const apart = again[baseOf(server) ?? ''] ?? []
      const spread = absolute ? 0 : Math.max(0, ...apart.map((ratio) => Math.abs(ratio - 1)))
      const verdict = row.invalid ? 'invalid' : found <= bar + spread ? 'pass' : 'miss'
      return [{ server, against, value: found, bar, spread, verdict }]
    })
  }
}
