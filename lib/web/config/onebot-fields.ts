import { flag, range, size } from './fields.ts'

/* What entries of NapCat's and of go-cqhttp's have in common. */

export const secret = (description: string) => ({ type: 'string', default: '', secret: true, description }) as const
export const text = <const D extends string>(byDefault: D, description: string) =>
  ({ type: 'string', default: byDefault, description }) as const
export const ms = <const D extends number>(byDefault: D, description: string) =>
  range(0, 2_147_483_647, byDefault, description)

export const rateLimit = {
  type: 'object',
  description: 'Calls of one client beyond this wait, they are not refused. Default: none do.',
  properties: {
    enabled: flag(false, 'Whether it counts.'),
    frequency: { type: 'number', minimum: 0.001, default: 1, description: 'Calls a second.' },
    bucket: range(1, 1_000_000, 1, 'Calls at once.'),
  },
} as const

export const replay = {
  type: 'object',
  description: 'Events are kept for who is away, and told later in their order. Default: they are lost.',
  properties: {
    events: range(1, 1_000_000, 10_000, 'So many: the oldest are lost first.'),
    bytes: size('16M', 'All of them.'),
    age: range(1, 2_147_483_647, 600_000, 'Milliseconds that one is kept.'),
  },
} as const

export const filter = {
  type: 'object',
  additionalProperties: {},
  description: 'Only events that fit are told, as a filter of go-cqhttp has it. Default: all.',
} as const

export const allowUnauthenticated = flag(false, 'An open door to the network is meant.')
