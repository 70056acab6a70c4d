import type { Compile } from 'typebox/schema'
import { isClean } from '../../chat/content.ts'
import { Refusal } from '../../chat/refusal.ts'

/** Text of so many code points. */
export const text = <const Min extends number, const Max extends number>(min: Min, max: Max) =>
  ({ type: 'string', minLength: min, maxLength: max }) as const
/** The same, or null to clear it. */
export const textOrNull = <const Max extends number>(max: Max) =>
  ({ type: ['string', 'null'], maxLength: max }) as const
/** Text that fits an expression. */
export const word = <const P extends string>(pattern: P) => ({ type: 'string', pattern }) as const
export const bool = { type: 'boolean' } as const
/** An id, in any case. */
export const ID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
export const idOrNull = { anyOf: [{ type: 'string', pattern: ID }, { type: 'null' }] } as const
export const url = { anyOf: [{ type: 'string', pattern: '^https?://', maxLength: 512 }, { type: 'null' }] } as const

/** What `Compile` makes of a schema. */
export interface Validator<T> extends Pick<ReturnType<typeof Compile>, 'Errors'> {
  Check(value: unknown): value is T
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A body as its route has it; throws INVALID with the field that is wrong. */
export function checkBody<T>(value: unknown, validator: Validator<T>): T {
  if (!validator.Check(value)) {
    const [, errors] = validator.Errors(value)
    throw new Refusal('INVALID', describe(errors))
  }
  const dirty = isObject(value)
    ? Object.entries(value).find(([, field]) => typeof field === 'string' && !isClean(field))
    : undefined
  if (dirty !== undefined) throw new Refusal('INVALID', `${dirty[0]} is not well-formed text`)
  return value
}

/** What of an object is there: at least something. */
export function given<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  const all: Partial<T> = {}
  for (const key in fields) if (fields[key] !== undefined) all[key] = fields[key]
  if (Object.keys(all).length === 0) throw new Refusal('INVALID', 'There is nothing to change')
  return all
}

interface Problem {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** Of what is wrong, the first that says how it should be. */
function describe(errors: readonly Problem[]): string {
  const found = errors.find(({ keyword }) => keyword !== 'boolean' && keyword !== 'anyOf') ?? errors[0]
  if (found === undefined) return 'The body is not as it should be'
  const { keyword, instancePath, params, message } = found
  const list = Object.values(params).flat().map(String).join(', ')
  if (keyword === 'required') return `${list} is needed`
  if (keyword === 'additionalProperties') return `${list} is not known here`
  const name = instancePath.slice(1)
  return name === '' ? `The body ${message}` : `${name} ${message}`
}
