import { availableParallelism } from 'node:os'

/** A configuration value outside the grammar. The message does not name the key: whoever reads the key adds that. */
export class UnitError extends Error {
  override readonly name = 'UnitError'
}

/** Processes that a host may have. */
export const MOST_WORKERS = 256

interface Kind {
  name: string
  allowed: string
  /** In bytes, milliseconds or things; '' is the unit of a bare number. */
  units: Map<string, number>
  /** Units that do not exist, and what their writers mean */
  hints: Map<string, string>
  /** Ending of a hint when the number is not 1 */
  plural: string
}

const KEYWORDS = new Set(['unlimited', 'infinite', 'never', 'forever'])
const VALUE = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/

// Columns: the factor, then the units that have it
type Row = [factor: number, ...units: string[]]
const byName = (rows: Row[]) => new Map(rows.flatMap(([factor, ...units]) => units.map((unit) => [unit, factor])))

const SIZE: Kind = {
  name: 'size',
  allowed: 'a number of bytes from 0 up, or a number with b, byte(s), k, kb, m, mb, g or gb (1kb is 1024 bytes)',
  units: byName([
    [1, '', 'b', 'byte', 'bytes'],
    [1024, 'k', 'kb'],
    [1024 ** 2, 'm', 'mb'],
    [1024 ** 3, 'g', 'gb'],
  ]),
  hints: new Map([
    ['kib', 'kb'],
    ['mib', 'mb'],
    ['gib', 'gb'],
  ]),
  plural: '',
}

const TIME: Kind = {
  name: 'time',
  allowed:
    'a number of seconds from 0 up, or a number with ms, sec(s), min(s), hour(s), day(s), week(s), month(s) or year(s)',
  units: byName([
    [1, 'ms'],
    [1000, '', 'sec', 'secs', 'second', 'seconds'],
    [60_000, 'min', 'mins', 'minute', 'minutes'],
    [3_600_000, 'hr', 'hrs', 'hour', 'hours'],
    [86_400_000, 'day', 'days'],
    [7 * 86_400_000, 'week', 'weeks'],
    [30 * 86_400_000, 'month', 'months'],
    [365 * 86_400_000, 'year', 'years'],
  ]),
  hints: new Map([
    ['s', 'sec'],
    ['m', 'min'],
    ['h', 'hour'],
    ['d', 'day'],
    ['w', 'week'],
    ['y', 'year'],
  ]),
  plural: 's',
}

const COUNT: Kind = {
  name: 'count',
  allowed: 'a whole number from 0 up',
  units: byName([[1, '']]),
  hints: new Map(),
  plural: '',
}

function hintFor(kind: Kind, number: string, unit: string): string {
  const meant = number.length > 20 ? undefined : kind.hints.get(unit)
  const mean =
    meant === undefined ? '' : ` (did you mean '${number}${meant}${Number(number) === 1 ? '' : kind.plural}'?)`
  const other = [SIZE, TIME].find((candidate) => candidate !== kind && candidate.units.has(unit))
  return other ? `: '${unit}' is a unit of ${other.name}${mean}` : mean
}

function parse(value: unknown, kind: Kind): number {
  const refuse = (hint = '') =>
    new UnitError(`is not a ${kind.name}${hint}. Allowed: ${kind.allowed}; or unlimited, infinite, never or forever`)
  const text = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (KEYWORDS.has(text)) return Infinity
  const [, number = '', unit = ''] = VALUE.exec(text) ?? []
  const factor = kind.units.get(unit)
  if (factor === undefined) throw refuse(hintFor(kind, number, unit))
  const amount = typeof value === 'number' ? value : number === '' ? NaN : Number(number)
  const exact = amount * factor
  const valid = exact >= 0 && exact <= Number.MAX_SAFE_INTEGER && (kind !== COUNT || Number.isInteger(exact))
  if (!valid) throw refuse()
  // Something small is not nothing: 0 would mean "no limit"
  return exact > 0 ? Math.max(1, Math.round(exact)) : 0
}

/** Bytes of a size such as 1024, '10 KB' or 'unlimited' (Infinity). Throws UnitError. */
export const parseSize = (value: unknown): number => parse(value, SIZE)

/** Milliseconds of a time such as 30 (seconds), '5mins' or 'never' (Infinity). Throws UnitError. */
export const parseTime = (value: unknown): number => parse(value, TIME)

/** A count such as 100 or 'unlimited' (Infinity). Throws UnitError. */
export const parseCount = (value: unknown): number => parse(value, COUNT)

/** Processes of a number such as 4, or 'auto'. Throws UnitError. */
export function parseWorkers(value: unknown): number {
  if (value === 'auto') return availableParallelism()
  const number = Number(value)
  if (value === '' || !Number.isInteger(number) || number < 1 || number > MOST_WORKERS) {
    throw new UnitError(`is not a number of processes. Allowed: 1 to ${MOST_WORKERS}, or 'auto'`)
  }
  return number
}
