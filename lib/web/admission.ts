import type { Exchange } from '../engine/port.ts'
import { type Answer, answer } from './answer.ts'
import { hasCredential } from './credential.ts'
import { queryOf } from './path.ts'

/**
 * Whether the page that opens the connection may: loopback is no protection against a page in the user's browser. Programs
 * send no Origin.
 */
export function checkOrigin({ headers }: Exchange, origins: readonly string[]): Answer | null {
  const origin = headers['origin']
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return null
  return URL.canParse(origin) && new URL(origin).host === headers['host'] ? null : answer(403, 'Origin not allowed')
}

/** Whether a request has the token of its route. */
export function checkCredential({ headers, target }: Exchange, token: string | null): Answer | null {
  if (token === null || hasCredential(headers, queryOf(target), token)) return null
  return answer(401, undefined, [['WWW-Authenticate', 'Bearer']])
}
