import type { Change, Report, Row, Verdict } from './report.ts'
import type { Spread } from './stats.ts'

/** Lines of cells, the head first. */
type Table = readonly (readonly string[])[]

const show = (spread: Spread | null, digits: number): string =>
  spread === null
    ? ''
    : `${spread.median.toFixed(digits)} (${spread.low.toFixed(digits)}-${spread.high.toFixed(digits)})`
const orNothing = (value: number | null, format: (value: number) => string): string =>
  value === null ? '' : format(value)
const percent = (value: number): string => `${(value * 100).toFixed(0)} %`

const VALUES: Readonly<Record<Report['kind'], readonly [head: string, digits: number]>> = {
  lockstep: ['µs of server CPU a message', 2],
  paced: ['µs of server CPU a message', 2],
  files: ['µs of server CPU a request', 2],
  connect: ['µs of server CPU a connection', 1],
  posts: ['µs of server CPU a delivery or post', 2],
  stream: ['µs of server CPU a delta', 2],
  calls: ['µs of server CPU a call', 2],
  idle: ['bytes of RSS a connection', 0],
}

/** Where the peer is another one than `ws`. */
const PEERS: Partial<Record<Report['kind'], string>> = { files: 'to sirv', stream: 'to python', calls: 'to napcat' }

const columnsOf = (kind: Report['kind']): readonly (readonly [head: string, cell: (row: Row) => string])[] => [
  [VALUES[kind][0], (row) => show(row.value, VALUES[kind][1])],
  ['to raw', (row) => show(row.toRaw, 3)],
  ['above raw', (row) => orNothing(row.aboveRaw, (bytes) => bytes.toFixed(0))],
  [PEERS[kind] ?? 'to ws', (row) => show(row.toPeer, 3)],
  ['p50 µs', (row) => show(row.latency?.p50 ?? null, 0)],
  ['p99', (row) => show(row.latency?.p99 ?? null, 0)],
  ['p99.9', (row) => show(row.latency?.p999 ?? null, 0)],
  ['max', (row) => show(row.latency?.max ?? null, 0)],
  ['of it client, p99', (row) => show(row.latency?.late ?? null, 0)],
  ['a second', (row) => orNothing(row.rate, (rate) => rate.toFixed(0))],
  ['server', (row) => orNothing(row.serverCores, percent)],
  ['client', (row) => orNothing(row.clientCores, (cores) => (row.invalid ? '! ' : '') + percent(cores))],
]

function toTable({ rows, kind }: Report): Table {
  const columns = columnsOf(kind).filter(([, cell]) => Object.values(rows).some((row) => cell(row) !== ''))
  const head = ['median (quartiles)', ...columns.map(([name]) => name)]
  return [head, ...Object.entries(rows).map(([key, row]) => [key, ...columns.map(([, cell]) => cell(row))])]
}

const digitsOf = (bar: number): number => (bar > 10 ? 0 : 3)
const allowed = ({ bar, spread }: Verdict): string => `${bar}${spread > 0 ? ` + ${spread.toFixed(3)}` : ''}`

/** A report as text. */
export function* toLines(report: Report, markdown: boolean): Iterable<string> {
  yield* layOut(toTable(report), markdown)
  for (const [server, ratios] of Object.entries(report.again)) {
    yield `A/A ${server}: ${ratios.map((ratio) => ratio.toFixed(3)).join(' ')} round by round`
  }
  if (report.verdicts.length === 0) return
  yield ''
  const lines = report.verdicts.map((one) => [
    one.against === null ? one.server : `${one.server} to ${one.against}`,
    one.value.toFixed(digitsOf(one.bar)),
    allowed(one),
    one.verdict,
  ])
  yield* layOut([['', 'found', 'bar + A/A', ''], ...lines], markdown)
}

/** What has changed, as text. */
export function* toChangeLines(changes: readonly Change[], markdown: boolean): Iterable<string> {
  if (changes.length === 0) {
    yield 'nothing to compare with'
    return
  }
  const lines = changes.map(({ key, ratio, sure }) => [
    key,
    show(ratio, 3),
    `${ratio.median >= 1 ? '+' : ''}${((ratio.median - 1) * 100).toFixed(1)} %`,
    sure ? (ratio.median > 1 ? 'worse' : 'better') : 'not sure',
  ])
  yield* layOut([['', 'ratio (quartiles)', 'change', ''], ...lines], markdown)
}

function* layOut(table: Table, markdown: boolean): Iterable<string> {
  const widths = (table[0] ?? []).map((_, i) => Math.max(3, ...table.map((cells) => cells[i]?.length ?? 0)))
  const toLine = (cells: readonly string[]): string => {
    const padded = widths.map((width, i) =>
      i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width),
    )
    return markdown ? `| ${padded.join(' | ')} |` : padded.join('  ').trimEnd()
  }
  for (const [i, cells] of table.entries()) {
    yield toLine(cells)
    if (i === 0 && markdown)
      yield `| ${widths.map((width, at) => '-'.repeat(width - 1) + (at === 0 ? '-' : ':')).join(' | ')} |`
  }
}
