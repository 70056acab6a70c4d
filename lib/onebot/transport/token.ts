import { isSecret } from '../../web/credential.ts'

/** What a request has for a credential: a query that is not empty counts more than a header. Null for none. */
export function credentialOf(headers: Readonly<Record<string, string>>, query: string): string | null {
  const asked = query === '' ? null : new URLSearchParams(query).get('access_token')
  if (asked !== null && asked !== '') return asked
  const header = headers['authorization']?.trim() ?? ''
  const [, token = header] = /^(?:Bearer|Token)\s+(.*)$/i.exec(header) ?? []
  return token === '' ? null : token
}

type Verdict = 'good' | 'missing' | 'wrong'

/** @param token null: anybody is let in */
export function judge(headers: Readonly<Record<string, string>>, query: string, token: string | null): Verdict {
  if (token === null) return 'good'
  const given = credentialOf(headers, query)
  if (given === null) return 'missing'
  return isSecret(given, token) ? 'good' : 'wrong'
}
