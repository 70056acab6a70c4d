import type { Report, Row } from './report.ts'
import type { Spread } from './stats.ts'

const show = (spread: Spread | null, digits: number): string =>
  spread === null
    ? ''
    : `${spread.median.toFixed(digits)} (${spread.low.toFixed(digits)}-${spread.high.toFixed(digits)})`
const orNothing = (value: number | null, format: (value: number) => string): string =>
  value === null ? '' : format(value)
const percent = (value: number): string => `${(value * 100).toFixed(0)} %`

const COLUMNS: readonly (readonly [head: string, cell: (row: Row) => string])[] = [
  ['median (quartiles)', (row) => show(row.value, row.rate === null ? 0 : 2)],
  ['to raw', (row) => show(row.toRaw, 3)],
  ['above raw', (row) => orNothing(row.aboveRaw, (bytes) => bytes.toFixed(0))],
  ['to ws', (row) => show(row.toWs, 3)],
  ['msg/s', (row) => orNothing(row.rate, (rate) => rate.toFixed(0))],
  ['server', (row) => orNothing(row.serverCores, percent)],
  ['client', (row) => orNothing(row.clientCores, (cores) => (row.invalid ? '! ' : '') + percent(cores))],
]

export function printReport(report: Report): void {
  const rows = Object.entries(report.rows)
  const columns = COLUMNS.map(([head, cell]) => [head, ...rows.map(([, row]) => cell(row))]).filter((column) =>
    column.slice(1).some((cell) => cell !== ''),
  )
  print([['', ...rows.map(([key]) => key)], ...columns])
  for (const [server, ratios] of Object.entries(report.again)) {
    console.log(`A/A ${server}: ${ratios.map((ratio) => ratio.toFixed(3)).join(' ')} round by round`)
  }
  for (const { server, against, value, bar, spread, verdict } of report.verdicts) {
    const digits = bar > 10 ? 0 : 3
    const allowed = spread > 0 ? ` + ${spread.toFixed(3)}` : ''
    console.log(`${verdict.padEnd(7)} ${server} to ${against}: ${value.toFixed(digits)}, bar ${bar}${allowed}`)
  }
}

/** What has changed since a run whose JSON was kept: ratios to raw, or to `ws`, for those do not depend on the machine. */
export function printChange(report: Report, before: Report): void {
  const changes = Object.entries(report.rows).flatMap(([key, row]) => {
    const old = before.rows[key]
    const [now, then] = row.toRaw !== null ? [row.toRaw, old?.toRaw] : [row.toWs, old?.toWs]
    if (now === null || then === null || then === undefined) return []
    const change = now.median / then.median - 1
    // Beyond both quartiles it is not the weather.
    const sure = now.low > then.high || now.high < then.low
    return [
      [
        key,
        then.median.toFixed(3),
        now.median.toFixed(3),
        `${change >= 0 ? '+' : ''}${percent(change)}${sure ? ' *' : ''}`,
      ],
    ]
  })
  if (changes.length === 0) return console.log('nothing to compare with')
  const heads = ['', 'before', 'now', 'change']
  print(heads.map((head, i) => [head, ...changes.map((line) => line[i] ?? '')]))
  console.log('ratios to raw, else to ws; * is beyond the quartiles of both runs')
}

/** Columns side by side, the first to the left. */
function print(columns: readonly (readonly string[])[]): void {
  const widths = columns.map((cells) => Math.max(...cells.map(({ length }) => length)))
  for (let line = 0; line < (columns[0]?.length ?? 0); line++) {
    const cells = columns.map((column, i) => {
      const cell = column[line] ?? ''
      return i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
    })
    console.log(cells.join('  ').trimEnd())
  }
}
