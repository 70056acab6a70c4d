/** Lower-case names; repeated fields joined. */
type Headers = Readonly<Record<string, string>>

/*
 * The header of a handshake as one short string, for it stays as long as its connection: a line a field, and what most
 * handshakes have in common as one character, in the manner of HPACK's static table (RFC 7541 §2.3.1). No field name
 * starts with a character beyond ASCII.
 */

const FIRST_LINE = 0x80
const LINES = [
  'upgrade:websocket',
  'connection:Upgrade',
  'connection:keep-alive, Upgrade',
  'sec-websocket-version:13',
  'sec-websocket-extensions:permessage-deflate; client_max_window_bits',
  'cache-control:no-cache',
  'pragma:no-cache',
  'accept:*/*',
  'accept-encoding:gzip, deflate',
  'accept-encoding:gzip, deflate, br',
  'accept-encoding:gzip, deflate, br, zstd',
  'sec-fetch-dest:empty',
  'sec-fetch-dest:websocket',
  'sec-fetch-mode:websocket',
  'sec-fetch-site:same-origin',
  'sec-fetch-site:cross-site',
]
const FIRST_NAME = 0xa0
const NAMES = [
  'host',
  'origin',
  'user-agent',
  'cookie',
  'authorization',
  'accept-language',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
]

const toCodes = (texts: readonly string[], first: number): ReadonlyMap<string, string> =>
  new Map(texts.map((text, i) => [text, String.fromCharCode(first + i)]))
const lineCodes = toCodes(LINES, FIRST_LINE)
const nameCodes = toCodes(NAMES, FIRST_NAME)

/** @param without the name of a header that is left out */
export function packHeaders(headers: Headers, without = ''): string {
  let packed = ''
  for (const name in headers) {
    if (name === without) continue
    const value = headers[name] ?? ''
    const line = `${name}:${value}`
    const code = nameCodes.get(name)
    if (packed !== '') packed += '\n'
    packed += lineCodes.get(line) ?? (code === undefined ? line : code + value)
  }
  return packed
}

export function unpackHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const packed of text === '' ? [] : text.split('\n')) {
    const code = packed.charCodeAt(0)
    const named = NAMES[code - FIRST_NAME]
    const line = LINES[code - FIRST_LINE] ?? (named === undefined ? packed : `${named}:${packed.slice(1)}`)
    const colon = line.indexOf(':')
    headers[line.slice(0, colon)] = line.slice(colon + 1)
  }
  return headers
}
