import { randomBytes } from 'node:crypto'
import { type Answer, answer } from '../web/answer.ts'
import type { ChannelSettings } from '../web/config/channel-settings.ts'
import { isSecret } from '../web/credential.ts'
import { rError } from '../websock/log.ts'
import type { IssuedTokens } from './tokens.ts'

/** Code points of a client's name for itself. */
const MAX_CLIENT_ID = 128

/** Who is at the door. */
export interface Visitor {
  readonly clientId: string
  /** The chat to go on with, or '1' for a new one with which that can be done; null: neither. */
  readonly resume: string | null
  /** The last frame that it has of that chat; null: it wants none again. */
  readonly index: number | null
}

// The connection ends with them, as it does at nanobot.
const bare = (status: number, text: string, headers: Answer['headers'] = []): Answer => ({
  ...answer(status, text, [['Content-Type', 'text/plain; charset=utf-8'], ...headers]),
  closes: true,
})
export const NOT_FOUND = bare(404, 'Not Found')
export const FORBIDDEN = bare(403, 'Forbidden')
export const UNAUTHORIZED = bare(401, 'Unauthorized')
export const NEEDS_UPGRADE = bare(426, 'Upgrade Required', [['Upgrade', 'websocket']])

/** The first that is not blank: of repeated ones, and of those that are only named. */
const valueOf = (params: URLSearchParams, name: string): string =>
  params.getAll(name).find((value) => value !== '') ?? ''

const isAllowed = ({ allowFrom }: ChannelSettings, clientId: string): boolean =>
  allowFrom === null || allowFrom.has(clientId)

/** Whether a client may say something: the list may be another one than when it came. */
export { isAllowed as maySpeak }

/** Whether who asks is let in. Only the look at a token may spend one, and it comes last. */
export function admit(query: string, settings: ChannelSettings, tokens: IssuedTokens): Visitor | Answer {
  // It takes one '?' away, which is not part of the query.
  const params = new URLSearchParams(`?${query}`)
  const given = valueOf(params, 'client_id')
  const named = Array.from(given).slice(0, MAX_CLIENT_ID).join('')
  if (!isAllowed(settings, named)) return FORBIDDEN
  if (!isTrusted(valueOf(params, 'token'), settings, tokens)) return UNAUTHORIZED
  if (named !== given) rError('agent', 'a client_id was cut to %s characters', MAX_CLIENT_ID)
  const index = valueOf(params, 'index')
  return {
    clientId: named.trim() || `anon-${randomBytes(6).toString('hex')}`,
    resume: valueOf(params, 'resume') || null,
    index: /^\d{1,15}$/.test(index) ? Number(index) : null,
  }
}

/** A token that was issued is spent also where none is needed. */
function isTrusted(given: string, { token, requiresToken }: ChannelSettings, tokens: IssuedTokens): boolean {
  if (token !== null && isSecret(given, token)) return true
  const issued = given !== '' && tokens.consume(given)
  return issued || (token === null && !requiresToken)
}
