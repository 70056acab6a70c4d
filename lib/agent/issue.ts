import { type Answer, answer } from '../web/answer.ts'
import type { ChannelSettings } from '../web/config/channel-settings.ts'
import { isSecret } from '../web/credential.ts'
import type { Request } from '../web/web.ts'
import { rError } from '../websock/log.ts'
import { UNAUTHORIZED } from './door.ts'
import type { IssuedTokens } from './tokens.ts'

const NO_STORE = ['Cache-Control', 'no-store'] as const
const json = (status: number, value: unknown): Answer =>
  answer(status, JSON.stringify(value), [['Content-Type', 'application/json; charset=utf-8'], NO_STORE])

const REFUSED: Answer = { ...UNAUTHORIZED, headers: [...UNAUTHORIZED.headers, NO_STORE] }
const ONLY_GET = answer(405, '', [['Allow', 'GET'], ['Content-Type', 'text/plain; charset=utf-8'], NO_STORE])
const TOO_MANY = json(429, { error: 'too many outstanding tokens' })

/** What was sent as a credential. Whoever says Bearer is judged by that alone. */
function credentialOf(headers: Readonly<Record<string, string>>): string {
  const [, bearer] = /^bearer (.*)$/is.exec(headers['authorization'] ?? '') ?? []
  return toUtf8(bearer ?? headers['x-nanobot-auth'] ?? '').trim()
}

/** A token for one connection, for whoever has the secret. */
export function issue({ method, headers }: Request, settings: ChannelSettings, tokens: IssuedTokens): Answer {
  const { name, issueSecret, tokenTtlS } = settings
  if (method !== 'GET') return ONLY_GET
  if (issueSecret === null) rError('agent', 'warning: %s.tokenIssueSecret is empty: anybody can get tokens', name)
  else if (!isSecret(credentialOf(headers), issueSecret)) return REFUSED
  const token = tokens.issue(tokenTtlS)
  if (token === null) {
    rError('agent', '%s: too many tokens are out', name)
    return TOO_MANY
  }
  return json(200, { token, expires_in: tokenTtlS })
}

/** Headers are bytes, of which engines make a character each. */
const toUtf8 = (text: string): string => Buffer.from(text, 'latin1').toString()
