import { readFileSync } from 'node:fs'
import JSON5 from 'json5'
import { isRecord } from './check.ts'

/* Which events an endpoint is told of, in go-cqhttp's words (its docs, "event filter"). */

export type Filter = (event: unknown) => boolean

type Operator = (operand: unknown) => Filter

/** Values are compared as text. */
function toText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === undefined ? '' : JSON.stringify(value)
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  '.not': (operand) => {
    const inner = parseAll(operand, '.not')
    return (value) => !inner(value)
  },
  '.and': (operand) => parseAll(operand, '.and'),
  '.or': (operand) => {
    if (!Array.isArray(operand)) throw new Error('.or needs a list of objects')
    const any = operand.map((one: unknown) => parseAll(one, '.or'))
    return (value) => any.some((inner) => inner(value))
  },
  '.eq': (operand) => (value) => toText(value) === toText(operand),
  '.neq': (operand) => (value) => toText(value) !== toText(operand),
  '.in': (operand) => {
    if (typeof operand === 'string') return (value) => operand.includes(toText(value))
    if (!Array.isArray(operand)) throw new Error('.in needs a list, or text')
    const all = new Set(operand.map((one: unknown) => toText(one)))
    return (value) => all.has(toText(value))
  },
  '.contains': (operand) => {
    if (typeof operand !== 'string') throw new Error('.contains needs text')
    return (value) => toText(value).includes(operand)
  },
  '.regex': (operand) => {
    if (typeof operand !== 'string') throw new Error('.regex needs an expression')
    const expression = new RegExp(operand)
    return (value) => expression.test(toText(value))
  },
}

/** Makes a filter, once. Throws what is wrong with it. */
export const parseFilter = (given: unknown): Filter => parseAll(given, 'a filter')

/** One that is not there, or is none, filters nothing, as in go-cqhttp: a start warns of it. */
export function readFilter(file: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON5.parse(readFileSync(file, 'utf8'))
    if (!isRecord(value)) return null
    parseFilter(value)
    return value
  } catch {
    return null
  }
}

/** All of its entries have to fit. */
function parseAll(given: unknown, what: string): Filter {
  if (!isRecord(given)) throw new Error(`${what} needs an object`)
  const all = Object.entries(given).map(([key, operand]) => parseEntry(key, operand))
  return (value) => all.every((inner) => inner(value))
}

function parseEntry(key: string, operand: unknown): Filter {
  if (key.startsWith('.')) {
    const make = Object.hasOwn(OPERATORS, key) ? OPERATORS[key] : undefined
    if (make === undefined) throw new Error(`there is no operator ${key}: ${Object.keys(OPERATORS).join(', ')}`)
    return make(operand)
  }
  const path = key.split('.')
  const inner = isRecord(operand) ? parseAll(operand, key) : OPERATORS['.eq']?.(operand)
  if (inner === undefined) throw new Error('There is .eq')
  return (value) => inner(at(value, path))
}

/** A part of an event: numbers count in lists. */
function at(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const part of path) {
    if (Array.isArray(found)) found = found[Number(part)]
    else found = isRecord(found) && Object.hasOwn(found, part) ? found[part] : undefined
  }
  return found
}
