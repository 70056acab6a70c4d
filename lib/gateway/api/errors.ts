import { STATUS_CODES } from 'node:http'
import type { RefusalCode } from '../../chat/refusal.ts'
import { type Answer, answer } from '../../web/answer.ts'

/** What a client is told: a sentence for people, and a word for programs. */
interface Told {
  readonly status: number
  readonly code: string
}

/** What the world refuses, as HTTP has it. */
export const OF_REFUSAL: Readonly<Record<RefusalCode, Told>> = {
  NOT_FOUND: { status: 404, code: 'NOT_FOUND' },
  FORBIDDEN: { status: 403, code: 'FORBIDDEN' },
  TIMED_OUT: { status: 403, code: 'TIMED_OUT' },
  BANNED: { status: 403, code: 'BANNED' },
  DISABLED: { status: 403, code: 'ACCOUNT_DISABLED' },
  INVALID: { status: 400, code: 'VALIDATION' },
  CONFLICT: { status: 409, code: 'CONFLICT' },
  LIMIT: { status: 400, code: 'LIMIT' },
  UNAVAILABLE: { status: 503, code: 'UNAVAILABLE' },
}

/** Words of errors that come from elsewhere. */
const CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'TIMEOUT',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_TYPE',
  421: 'WRONG_HOST',
  426: 'UPGRADE_REQUIRED',
  429: 'RATE_LIMITED',
  500: 'INTERNAL',
  503: 'DRAINING',
}

const JSON_TYPE = ['Content-Type', 'application/json'] as const

const toText = (error: string, code: string): string => JSON.stringify({ error, code })

/** An error of ours. */
export const toAnswer = (status: number, code: string, error: string, headers: Answer['headers'] = []): Answer =>
  answer(status, toText(error, code), [JSON_TYPE, ...headers])

/** One that the web layer gives in words of its own. */
export function toError(given: Answer): Answer {
  if (given.headers.some(([name]) => name === 'Content-Type')) return given
  const { status, text, headers } = given
  return toAnswer(status, CODES[status] ?? 'ERROR', text === '' ? (STATUS_CODES[status] ?? 'Error') : text, headers)
}

export const NOT_FOUND = toAnswer(404, 'NOT_FOUND', 'Not found')
/** The same bytes for whatever is wrong with a credential. */
export const toUnauthorized = (error: string): Answer =>
  toAnswer(401, 'UNAUTHORIZED', error, [['WWW-Authenticate', 'Bearer']])
export const UNAUTHORIZED = toUnauthorized('Unauthorized')
export const NEEDS_UPGRADE = toAnswer(426, 'UPGRADE_REQUIRED', 'This is a WebSocket: connect with ws://', [
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
])
