import { Compile } from 'typebox/schema'
import { isRecord } from '../../web/config/check.ts'
import { badRequest } from '../failure.ts'

/* What actions take, as JSON Schema: types that say what a parameter is converted to, where it comes as another. */

/** Of a user, a group, a message: `123` or `"123"`. */
export const ID = { type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 } as const
export const NUMBER = ID
export const TEXT = { type: 'string' } as const
export const FLAG = { type: 'boolean' } as const
/** Anything: its action looks for itself. */
export const ANY = {} as const

interface Node {
  readonly type?: string
  readonly items?: Node
}

/** What many actions take. */
export const Nothing = Compile({ type: 'object', required: [], properties: {} })
export const OfGroup = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID } })
export const OfMessage = Compile({ type: 'object', required: ['message_id'], properties: { message_id: ID } })

/** The schema of an action's parameters. */
export interface ParamsSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Node>>
  readonly required: readonly string[]
}

/** What `Compile` makes of a schema. */
export interface Validator<T> extends Pick<ReturnType<typeof Compile>, 'Errors'> {
  Check(value: unknown): value is T
}

/** Checked, and converted where that is clear. Throws 1400 with the name of what is wrong. */
export function readParams<T>(given: unknown, schema: ParamsSchema, validator: Validator<T>): T {
  // As NapCat: whatever is nothing is no parameter.
  const params = given === undefined || given === null || given === '' || given === 0 || given === false ? {} : given
  if (validator.Check(params)) return params
  const converted = isRecord(params) ? convertAll(params, schema.properties) : params
  if (validator.Check(converted)) return converted
  throw badRequest(explain(converted, schema))
}

function convertAll(params: Readonly<Record<string, unknown>>, nodes: ParamsSchema['properties']): object {
  const converted: Record<string, unknown> = { ...params }
  for (const [key, { type, items }] of Object.entries(nodes)) {
    if (type === undefined || !Object.hasOwn(params, key)) continue
    const value = convert(params[key], type)
    const each = items?.type
    converted[key] =
      each !== undefined && Array.isArray(value) ? value.map((one: unknown) => convert(one, each)) : value
  }
  return converted
}

const FLAGS = new Map<unknown, boolean>([
  ...['true', 'yes', '1', 1].map((word) => [word, true] as const),
  ...['false', 'no', '0', 0].map((word) => [word, false] as const),
])

/** What cannot be converted stays, and is wrong. */
function convert(value: unknown, type: string): unknown {
  // A parameter of a query that is there twice: the last one counts.
  if (Array.isArray(value) && type !== 'array' && value.length > 0 && value.every((one) => typeof one === 'string')) {
    return convert(value.at(-1), type)
  }
  if (type === 'boolean') return FLAGS.get(typeof value === 'string' ? value.toLowerCase() : value) ?? value
  if (type === 'string') return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  if (type === 'integer') {
    if (typeof value === 'string' && /^\s*[+-]?\d{1,16}\s*$/.test(value)) return Number(value)
    return typeof value === 'boolean' ? Number(value) : value
  }
  if (type === 'array') return Array.isArray(value) || value === undefined ? value : [value]
  return value
}

const KINDS: Readonly<Record<string, string>> = {
  integer: 'an integer',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

function explain(params: unknown, { properties, required }: ParamsSchema): string {
  if (!isRecord(params)) return 'params: must be an object'
  for (const key of required) if (params[key] === undefined) return `${key}: is needed`
  for (const [key, { type = '' }] of Object.entries(properties)) {
    const value = params[key]
    if (value !== undefined && !isOf(value, type)) return `${key}: must be ${KINDS[type] ?? type}`
  }
  return 'params: are not as they should be'
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isSafeInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isRecord(value)
  return type === '' || typeof value === type
}
