/** What schema.ts is made of. */

/** What a number or text is read as: check.ts has the readers. */
export type Reads =
  | 'size'
  | 'time'
  | 'count'
  | 'endpoint'
  | 'header'
  | 'method'
  | 'origin'
  | 'url'
  | 'certificate'
  | 'key'
  | 'module'
  | 'network'
  | 'host'
  | 'token'
  | 'credential'
  | 'workers'
  | 'whole'
  | 'prefix'
  | 'secret'
  | 'ice'
  | 'address'
  | 'path'
  | 'issuePath'
  | 'http'
  | 'httpOrNone'
  | 'place'
  | 'ws'
  | 'wsOrNone'
  | 'cqAddress'

/** `secret`: never shown. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode
  readonly items?: SchemaNode
  readonly reads?: Reads
  readonly secret?: true
  readonly minimum?: number
  readonly maximum?: number
  /** An object whose keys may be written in snake_case, and whose values as text. */
  readonly lenient?: true
  /** Text stands for an object that has it there. */
  readonly short?: string
}

export const MEASURE = ['number', 'string'] as const
export const size = <const D>(byDefault: D, description: string) =>
  ({ type: MEASURE, reads: 'size', default: byDefault, description }) as const
export const time = <const D>(byDefault: D, description: string) =>
  ({ type: MEASURE, reads: 'time', default: byDefault, description }) as const
export const count = <const D>(byDefault: D, description: string) =>
  ({ type: MEASURE, reads: 'count', default: byDefault, description }) as const
export const whole = <const D extends number>(byDefault: D, description: string) =>
  ({ type: 'number', reads: 'whole', default: byDefault, description }) as const
export const range = <const D extends number>(minimum: number, maximum: number, byDefault: D, description: string) =>
  ({ type: 'integer', minimum, maximum, default: byDefault, description }) as const
export const span = <const D extends number>(minimum: number, maximum: number, byDefault: D, description: string) =>
  ({ type: 'number', minimum, maximum, default: byDefault, description }) as const
export const text = (description: string) => ({ type: 'string', description }) as const
export const textOr = <const D>(byDefault: D, description: string) =>
  ({ type: 'string', default: byDefault, description }) as const
export const flag = <const D extends boolean>(byDefault: D, description: string) =>
  ({ type: 'boolean', default: byDefault, description }) as const
export const texts = <const R extends Reads>(description: string, reads?: R) =>
  ({ type: 'array', items: { type: 'string', ...(reads === undefined ? {} : { reads }) }, description }) as const
export const headers = (description: string) =>
  ({ type: 'object', additionalProperties: { type: 'string', reads: 'header' }, description }) as const
