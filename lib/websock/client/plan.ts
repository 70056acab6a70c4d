import type { UrlHeaders, UrlWebSocketOptions } from '../../../include-types/client.ts'
import type { DialOptions } from '../../engine/port.ts'
import { DEFAULTS } from '../context.ts'
import { type Settable, toLimit } from '../socket.ts'
import { badArgument, type ClientError } from './error.ts'

const SCHEMES = new Map([
  ['ws:', 'http:'],
  ['wss:', 'https:'],
  ['http:', 'http:'],
  ['https:', 'https:'],
])
/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: no control characters, and what is beyond Latin-1 has no byte. */
// oxlint-disable-next-line no-control-regex
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** What belongs to the handshake, and would break it. */
const OURS = /^(?:upgrade|connection|sec-websocket-.*|content-length|transfer-encoding)$/i
const HANDSHAKE_TIMEOUT = 10_000
/** Longest wait of a timer, in milliseconds. */
export const MAX_WAIT = 0x7fff_ffff

/** What a call has asked for, checked. */
export interface Plan extends Omit<DialOptions, 'signal'> {
  readonly limits: Settable
  readonly partial: boolean
  /** Milliseconds; 0: any. */
  readonly handshakeTimeout: number
}

/** Looks at everything before anything is done. */
export function toPlan(url: unknown, options: UrlWebSocketOptions): Plan | ClientError {
  const target = toUrl(url)
  if (target === null) return badArgument('A URL is ws://host[:port]/path or wss://…, without #fragment')
  const headers = toHeaderList(options.headers ?? '')
  const credentials = toCredentials(target)
  if (headers === null || credentials === null) return badArgument('A header is not one that can be sent')
  const ours = headers.find(([name]) => OURS.test(name))
  if (ours !== undefined) return badArgument(`The handshake has its own ${ours[0]}`)
  const has = (wanted: string): boolean => headers.some(([name]) => name.toLowerCase() === wanted)
  if (credentials !== '' && !has('authorization')) headers.push(['Authorization', `Basic ${credentials}`])
  if (options.origin !== undefined) {
    if (!isValue(options.origin) || has('origin')) return badArgument('An origin is given once, as text')
    headers.push(['Origin', options.origin])
  }
  const protocols = typeof options.protocols === 'string' ? [options.protocols] : (options.protocols ?? [])
  if (!isTokens(protocols)) return badArgument('Sub-protocols are different tokens (RFC 6455 §4.1)')
  const limits: Settable = {
    maxFrame: toLimit(options.maxFrame ?? DEFAULTS.maxFrame),
    maxMessage: toLimit(options.maxMessage ?? DEFAULTS.maxMessage),
    timeout: toLimit(options.timeout ?? 0),
    pingPeriod: toLimit(options.pingPeriod ?? 0),
  }
  const handshakeTimeout = toLimit(options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)
  const wrong = Object.entries({ ...limits, handshakeTimeout }).find(([, value]) => !isAmount(value))
  if (wrong !== undefined) return badArgument(`${wrong[0]} is a whole number, 0 for none`)
  const { compression = false } = options
  if (![false, true, 'takeover'].includes(compression)) return badArgument("compression is true, false or 'takeover'")
  target.username = ''
  target.password = ''
  return {
    url: target,
    headers,
    protocols,
    compression,
    tls: { ...options.tls },
    agent: options.agent ?? null,
    limits,
    partial: options.partial === true,
    handshakeTimeout,
  }
}

function toUrl(given: unknown): URL | null {
  const text = given instanceof URL ? given.href : given
  if (typeof text !== 'string' || !URL.canParse(text)) return null
  const url = new URL(text)
  const scheme = SCHEMES.get(url.protocol)
  // An empty fragment leaves no trace but the sign.
  if (scheme === undefined || text.includes('#')) return null
  return new URL(scheme + url.href.slice(url.protocol.length))
}

/** The user of a URL as Basic credentials (RFC 7617), '' without one; null for one that cannot be decoded. */
function toCredentials({ username, password }: URL): string | null {
  if (username === '' && password === '') return ''
  try {
    return Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  } catch {
    return null
  }
}

/** Null where a name or value could break out of its line. */
function toHeaderList(given: UrlHeaders): [name: string, value: string][] | null {
  const lines = typeof given === 'string' ? toLines(given) : Object.entries(given)
  return lines.every(([name, value]) => TOKEN.test(name) && isValue(value)) ? lines : null
}

/** Lines as C has them. What is no field gets a name that is none. */
const toLines = (text: string): [name: string, value: string][] =>
  text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()]
    })

const isValue = (value: unknown): boolean => typeof value === 'string' && VALUE.test(value)

const isTokens = (values: readonly string[]): boolean =>
  new Set(values).size === values.length && values.every((value) => typeof value === 'string' && TOKEN.test(value))

const isAmount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER
