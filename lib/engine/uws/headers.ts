import { SocketAddress } from 'node:net'
import type { NativeRequest } from './native.ts'

/** Fields of which node:http keeps the first, for there can be but one. */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

/** Bytes beyond ASCII come as UTF-8; node:http gives them one by one. */
// oxlint-disable-next-line no-control-regex
const ASCII = /^[\0-\x7f]*$/

/** Fields that say where a request ends or whom it is for: with two of them others may read it in another way. */
const DECISIVE = new Set(['content-length', 'host', 'transfer-encoding'])

/** What a request's header block has. */
export interface HeaderBlock {
  /** Repeated fields joined as node:http joins them. */
  readonly headers: Record<string, string>
  readonly bytes: number
  /** It can be read in more than one way (RFC 9112 §3.2, §6.3). */
  readonly ambiguous: boolean
}

export function readHeaders(req: NativeRequest): HeaderBlock {
  const headers: Record<string, string> = {}
  let bytes = 0
  let ambiguous = false
  req.forEach((name, value) => {
    bytes += name.length + value.length + 4
    // Most names are new, and few are those of what every object has.
    const before = headers[name] !== undefined && Object.hasOwn(headers, name) ? headers[name] : undefined
    const field = ASCII.test(value) ? value : Buffer.from(value).toString('latin1')
    if (before !== undefined && DECISIVE.has(name)) ambiguous = true
    if (before === undefined) headers[name] = field
    else if (!SINGLE.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${field}`
  })
  const encoding = headers['transfer-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') ambiguous = true
  return { headers, bytes, ambiguous }
}

/** Addresses of four bytes, by their number: a client has more than one request. */
const known = new Map<number, string>()
const MOST_KNOWN = 1024

/** The canonical spelling of an address that uWebSockets.js gives as 4 or 16 bytes, valid during the call; '' for none. */
export function toAddress(bytes: ArrayBuffer): string {
  const view = Buffer.from(bytes)
  if (view.length === 4) {
    const number = view.readUInt32BE()
    const text = known.get(number) ?? view.join('.')
    if (known.size === MOST_KNOWN) known.clear()
    known.set(number, text)
    return text
  }
  if (view.length !== 16) return ''
  const long = view.toString('hex').match(/.{4}/g)?.join(':') ?? ''
  return new SocketAddress({ address: long, family: 'ipv6' }).address
}
