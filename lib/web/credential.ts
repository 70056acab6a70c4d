import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Takes as long for any, of any length. */
export const isSecret = (given: string, secret: string): boolean => timingSafeEqual(digest(given), digest(secret))

/** Whether a request has a token: as `Authorization: Bearer …`, or as `token` in its query. Takes as long for any. */
export function hasCredential(headers: Readonly<Record<string, string>>, query: string, token: string): boolean {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers['authorization'] ?? '') ?? []
  const given = bearer ?? new URLSearchParams(query).get('token')
  return given !== null && isSecret(given, token)
}
