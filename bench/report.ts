import type { Latency, Sample } from './loads/sample.ts'
import type { Memory, Results } from './measure.ts'
import { median, type Spread, spreadOf } from './stats.ts'
import { type Peer, peerOf } from './servers/index.ts'
import type { Turn } from './turns.ts'
import type { Bars, Workload } from './workload.ts'

/** A client busier than this is what a figure says something about: nothing that it measures counts. */
const BUSY = 0.9

/** One turn in one workload. */
export interface Row {
  /** µs of server CPU a message or connection, or bytes a connection. */
  readonly value: Spread
  /** Ratios of what was measured next to each other; null where there is nothing to compare with. */
  readonly toRaw: Spread | null
  readonly toPeer: Spread | null
  readonly toBase: Spread | null
  /** Memory: bytes above raw. */
  readonly aboveRaw: number | null
  /** Messages received, or connections opened, a second; cores used. */
  readonly rate: number | null
  readonly serverCores: number | null
  readonly clientCores: number | null
  readonly latency: Readonly<Record<keyof Latency, Spread>> | null
  readonly invalid: boolean
  /** Key of the server whose A/A says how far equal ones are apart here. */
  readonly weather: string
  /** All that was measured, a list for each round. */
  readonly rounds: readonly (readonly (Sample | Memory)[])[]
}

export interface Verdict {
  readonly server: string
  /** Null: a bar that depends on nobody else. */
  readonly against: 'raw' | Peer | null
  readonly value: number
  readonly bar: number
  /** What equal servers were apart, and is let pass above the bar. */
  readonly spread: number
  readonly verdict: 'pass' | 'miss' | 'invalid'
}

export interface Report {
  readonly title: string
  readonly kind: Workload['load']['kind']
  readonly rows: Readonly<Record<string, Row>>
  /** A/A: for each server that ran twice the ratios of its two processes, round by round. */
  readonly again: Readonly<Record<string, readonly number[]>>
  readonly verdicts: readonly Verdict[]
}

/** Ratios of what was measured next to each other, round by round. */
function ratios<T>(results: Results<T>, key: string, other: string | null, value: (one: T) => number): number[][] {
  const base = other === null ? undefined : results.get(other)
  if (base === undefined) return []
  return (results.get(key) ?? []).map((own, round) =>
    own.flatMap((one, i) => (base[round] ?? []).slice(i, i + 1).map((two) => value(one) / value(two))),
  )
}

const spreadOrNull = (values: readonly number[]): Spread | null => (values.length === 0 ? null : spreadOf(values))

/** How far equal servers were apart, at most: the weather. */
const apart = (rounds: readonly number[]): number => Math.max(0, ...rounds.map((ratio) => Math.abs(ratio - 1)))

export const toBusyReport = (workload: Workload, turns: readonly Turn[], results: Results<Sample>): Report =>
  toReport(workload, turns, results, ({ cost }) => cost)

export const toMemoryReport = (workload: Workload, turns: readonly Turn[], results: Results<Memory>): Report =>
  toReport(workload, turns, results, ({ rss }) => rss)

function toReport<T extends Sample | Memory>(
  workload: Workload,
  turns: readonly Turn[],
  results: Results<T>,
  value: (one: T) => number,
): Report {
  const { kind } = workload.load
  const rows: Record<string, Row> = {}
  const again: Record<string, number[]> = {}
  for (const { key, server, raw, peer, base } of turns) {
    const rounds = results.get(key) ?? []
    const own = spreadOf(rounds.flat().map(value))
    const samples = rounds.flat().filter((one): one is T & Sample => 'rate' in one)
    const of = (field: 'rate' | 'server' | 'client'): number | null =>
      samples.length === 0 ? null : median(samples.map((sample) => sample[field]))
    const compare = (other: string | null): number[][] => ratios(results, key, other, value)
    const rawValues = raw === null ? [] : (results.get(raw) ?? []).flat().map(value)
    const client = of('client')
    rows[key] = {
      value: own,
      toRaw: spreadOrNull(compare(raw).flat()),
      toPeer: spreadOrNull(compare(peer).flat()),
      toBase: spreadOrNull(compare(base).flat()),
      aboveRaw: kind === 'idle' && rawValues.length > 0 ? own.median - median(rawValues) : null,
      rate: of('rate'),
      serverCores: of('server'),
      clientCores: client,
      latency: toLatency(samples.flatMap(({ latency }) => latency ?? [])),
      invalid: client !== null && client > BUSY,
      weather: raw ?? key,
      rounds,
    }
    if (raw === server) again[raw] = compare(raw).map(median)
  }
  const judge = (field: 'toRaw' | 'toPeer' | 'value', bars: Bars): Verdict[] =>
    turns.flatMap(({ key, server }) => {
      const [row, bar] = [rows[key], bars[server]]
      const above = field === 'toRaw' && kind === 'idle'
      const absolute = above || field === 'value'
      const found = above ? row?.aboveRaw : row?.[field]?.median
      if (key !== server || row === undefined || bar === undefined || found === undefined || found === null) return []
      const spread = absolute ? 0 : apart(again[row.weather] ?? [])
      const verdict = row.invalid ? 'invalid' : found <= bar + spread ? 'pass' : 'miss'
      const against = { toRaw: 'raw', toPeer: peerOf(server), value: null } as const
      return [{ server, against: against[field], value: found, bar, spread, verdict }]
    })
  const verdicts = [
    ...judge('toRaw', workload.toRaw),
    ...judge('toPeer', workload.toPeer),
    ...judge('value', workload.atMost ?? {}),
  ]
  return { title: workload.title, kind, rows, again, verdicts }
}

function toLatency(all: readonly Latency[]): Row['latency'] {
  if (all.length === 0) return null
  const of = (field: keyof Latency): Spread => spreadOf(all.map((one) => one[field]))
  return { p50: of('p50'), p99: of('p99'), p999: of('p999'), max: of('max'), late: of('late') }
}

/** What has changed in one row: a ratio now, and the one before. */
export interface Change {
  readonly key: string
  readonly ratio: Spread
  /** Beyond what equal servers are apart, and beyond the quartiles. */
  readonly sure: boolean
}

const isSure = ({ low, high }: Spread, spread: number): boolean => low > 1 + spread || high < 1 - spread

/** Since another checkout, in the same run. */
export const toChanges = ({ rows, again }: Report): Change[] =>
  Object.entries(rows).flatMap(([key, { toBase, weather }]) =>
    toBase === null ? [] : [{ key, ratio: toBase, sure: isSure(toBase, apart(again[weather] ?? [])) }],
  )

/** Since another run: its ratios to raw, or to the peer, for those depend less on the machine than figures do. */
export const toChangesSince = (report: Report, before: Report): Change[] =>
  Object.entries(report.rows).flatMap(([key, row]) => {
    const old = before.rows[key]
    const [now, then] = row.toRaw !== null ? [row.toRaw, old?.toRaw] : [row.toPeer, old?.toPeer]
    if (now === null || then === null || then === undefined) return []
    // The quartiles of both, at their worst.
    const ratio = { median: now.median / then.median, low: now.low / then.high, high: now.high / then.low }
    return [{ key, ratio, sure: isSure(ratio, 0) }]
  })
