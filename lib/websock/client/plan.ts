import type { UrlHeaders, UrlWebSocketOptions } from '../../../include-types/client.ts'
import type { DialOptions } from '../../engine/port.ts'
import { DEFAULTS } from '../context.ts'
import { type Limits, toLimit } from '../limits.ts'
import { errorText } from '../run.ts'
import { badArgument, ClientError } from './error.ts'

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
export const HANDSHAKE_TIMEOUT = 10_000
/** Longest wait of a timer, in milliseconds. */
export const MAX_WAIT = 0x7fff_ffff

type Header = [name: string, value: string]

/** What a call has asked for, checked. */
export interface Plan extends Omit<DialOptions, 'signal'> {
  readonly limits: Pick<Limits, 'maxFrame' | 'maxMessage' | 'timeout' | 'pingPeriod'>
  readonly partial: boolean
  /** Milliseconds; 0: any. */
  readonly handshakeTimeout: number
}

/** Looks at everything before anything is done. Programs in JavaScript may pass anything. */
export function toPlan(url: unknown, options: UrlWebSocketOptions): Plan | ClientError {
  try {
    return makePlan(toUrl(url), options)
  } catch (error) {
    return error instanceof ClientError ? error : badArgument(errorText(error))
  }
}

function makePlan(url: URL, options: UrlWebSocketOptions): Plan {
  if (typeof options !== 'object') throw badArgument('Options are an object')
  const { compression = false, signal, agent = null } = options
  if (![false, true, 'takeover'].includes(compression)) throw badArgument("compression is true, false or 'takeover'")
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw badArgument('signal is an AbortSignal')
  const headers = toHeaderList(options.headers ?? '')
  addUnlessThere(headers, 'Authorization', toCredentials(url))
  if (options.origin !== undefined) {
    if (!isValue(options.origin) || has(headers, 'origin')) throw badArgument('An origin is given once, as text')
    headers.push(['Origin', options.origin])
  }
  url.username = ''
  url.password = ''
  return {
    url,
    headers,
    protocols: toProtocols(options.protocols ?? []),
    compression,
    tls: { ...options.tls },
    agent,
    limits: {
      maxFrame: toAmount('maxFrame', options.maxFrame ?? DEFAULTS.maxFrame),
      maxMessage: toAmount('maxMessage', options.maxMessage ?? DEFAULTS.maxMessage),
      timeout: toAmount('timeout', options.timeout ?? 0),
      pingPeriod: toAmount('pingPeriod', options.pingPeriod ?? 0),
    },
    partial: options.partial === true,
    handshakeTimeout: Math.min(MAX_WAIT, toAmount('handshakeTimeout', options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)),
  }
}

function toUrl(given: unknown): URL {
  const text = given instanceof URL ? given.href : given
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null
  const scheme = SCHEMES.get(url?.protocol ?? '')
  // An empty fragment leaves no trace but the sign; port 0 is taken for none by node.
  if (url === null || scheme === undefined || String(text).includes('#') || url.port === '0') {
    throw badArgument('A URL is ws://host[:port]/path or wss://…, without #fragment')
  }
  return new URL(scheme + url.href.slice(url.protocol.length))
}

/** The user of a URL as Basic credentials (RFC 7617); '' without one. */
function toCredentials({ username, password }: URL): string {
  if (username === '' && password === '') return ''
  try {
    const [user, word] = [decodeURIComponent(username), decodeURIComponent(password)]
    if (!user.includes(':')) return `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`
  } catch {
    // What it is goes into no message.
  }
  throw badArgument('The user or password of the URL cannot be sent as Basic credentials')
}

const has = (headers: readonly Header[], wanted: string): boolean =>
  headers.some(([name]) => name.toLowerCase() === wanted.toLowerCase())

function addUnlessThere(headers: Header[], name: string, value: string): void {
  if (value !== '' && !has(headers, name)) headers.push([name, value])
}

/** Refuses what could break out of its line. */
function toHeaderList(given: UrlHeaders): Header[] {
  if (typeof given !== 'string' && (typeof given !== 'object' || Array.isArray(given))) {
    throw badArgument('Headers are an object of names and values, or lines of text')
  }
  const headers = typeof given === 'string' ? toLines(given) : Object.entries(given)
  for (const [name, value] of headers) {
    if (!TOKEN.test(name) || !isValue(value)) throw badArgument('A header is not one that can be sent')
    if (OURS.test(name)) throw badArgument(`The handshake has its own ${name}`)
  }
  if (headers.filter(([name]) => /^host$/i.test(name)).length > 1) throw badArgument('There is one Host at most')
  return headers
}

/** Lines as C has them. What is no field gets a name that is none. */
const toLines = (text: string): Header[] =>
  text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()]
    })

function toProtocols(given: string | readonly string[]): string[] {
  const names: unknown[] = Array.isArray(given) ? given : [given]
  const tokens = names.filter((name) => typeof name === 'string').filter((name) => TOKEN.test(name))
  if (tokens.length === names.length && new Set(tokens).size === names.length) return tokens
  throw badArgument('Sub-protocols are different tokens (RFC 6455 §4.1)')
}

const isValue = (value: unknown): boolean => typeof value === 'string' && VALUE.test(value)

function toAmount(name: string, given: number): number {
  const value = toLimit(given)
  if (!Number.isSafeInteger(value) || value < 0) throw badArgument(`${name} is a whole number, 0 for none`)
  return value
}
