/** permessage-deflate in the opening handshake: Sec-WebSocket-Extensions of RFC 6455 §9.1, as RFC 7692 §5 and §7.1 use it. */

/** Bits of the largest window (RFC 1951 §2), and of the smallest that zlib can deflate with. */
export const MAX_BITS = 15
export const MIN_BITS = 9

const NAME = 'permessage-deflate'
/** The parameters of §7.1, and the values that they may have. */
const SERVER_ALONE = 'server_no_context_takeover'
const CLIENT_ALONE = 'client_no_context_takeover'
const SERVER_BITS = 'server_max_window_bits'
const CLIENT_BITS = 'client_max_window_bits'
const BITS = /^(?:[89]|1[0-5])$/
const checks = new Map<string, (value: string | null) => boolean>([
  [SERVER_ALONE, (value) => value === null],
  [CLIENT_ALONE, (value) => value === null],
  [SERVER_BITS, (value) => value !== null && BITS.test(value)],
  [CLIENT_BITS, (value) => value === null || BITS.test(value)],
])

/** What was agreed, as seen from our end. */
export interface Compression {
  /** Whether messages that come may refer to earlier ones (§7.1.1). */
  readonly takeoverIn: boolean
  /** Whether ours may. */
  readonly takeoverOut: boolean
  /** Bits of the window that the peer keeps of what we send (§7.1.2): 9 to 15; 8 is too small for zlib. */
  readonly bits: number
}

/** A server's part: what it agrees to, and says so. */
export interface Acceptance {
  /** Sec-WebSocket-Extensions of the answer. */
  readonly response: string
  readonly compression: Compression
}

/** The first offer that a server can follow; null for none. Without `takeover` each message stands for itself. */
export function acceptOffer(header: string, takeover: boolean): Acceptance | null {
  for (const { name, params } of parseExtensions(header) ?? []) {
    const offer = name === NAME ? readParameters(params) : null
    const bits = offer?.serverBits ?? MAX_BITS
    if (offer === null || bits < MIN_BITS) continue
    const takeoverIn = takeover && !offer.clientAlone
    const takeoverOut = takeover && !offer.serverAlone
    const response = [
      NAME,
      ...(takeoverOut ? [] : [SERVER_ALONE]),
      ...(takeoverIn ? [] : [CLIENT_ALONE]),
      ...(offer.serverBits === null ? [] : [`${SERVER_BITS}=${bits}`]),
    ]
    return { response: response.join('; '), compression: { takeoverIn, takeoverOut, bits } }
  }
  return null
}

/**
 * Of an offer what uWebSockets.js keeps to; '' to decline it. It passes over windows that a client wants smaller, and with
 * takeover over a client that keeps none, and answers as if there was nothing to answer.
 */
export function toSimpleOffer(header: string, takeover: boolean): string {
  const accepted = acceptOffer(header, takeover)
  if (accepted === null || accepted.response.includes(SERVER_BITS)) return ''
  return takeover && !accepted.compression.takeoverOut ? '' : NAME
}

/** Sec-WebSocket-Extensions of a client's request. */
export const createOffer = (takeover: boolean): string =>
  [NAME, CLIENT_BITS, ...(takeover ? [] : [SERVER_ALONE, CLIENT_ALONE])].join('; ')

/**
 * What a server has made of that offer, by the Sec-WebSocket-Extensions of its answer, undefined for none; null when it
 * does not compress. 'error': the client has to fail the handshake (RFC 6455 §4.1, RFC 7692 §7.1).
 */
export function acceptResponse(header: string | undefined, takeover: boolean): Compression | null | 'error' {
  if (header === undefined) return null
  const extensions = parseExtensions(header)
  if (extensions === null || extensions.length > 1) return 'error'
  const [extension] = extensions
  if (extension === undefined) return null
  const response = extension.name === NAME ? readParameters(extension.params) : null
  // A client says that it can keep to a window, a server how large that is (§7.1.2.2).
  if (response === null || response.clientBits === 'any') return 'error'
  return {
    // A server that refers to its earlier messages, though it was asked not to, can be read all the same.
    takeoverIn: !response.serverAlone,
    takeoverOut: takeover && !response.clientAlone,
    bits: response.clientBits ?? MAX_BITS,
  }
}

interface Extension {
  readonly name: string
  readonly params: readonly (readonly [name: string, value: string | null])[]
}

const CHARACTER = "[!#$%&'*+.^_`|~\\w-]"
const TOKEN = `${CHARACTER}+`
/** An extension's name, or a parameter of it; what is quoted has to be a token all the same. */
const PART = new RegExp(`^[ \\t]*(${TOKEN})(?:[ \\t]*=[ \\t]*(?:(${TOKEN})|"((?:\\\\?${CHARACTER})+)"))?[ \\t]*$`)

/** Null when it is malformed. Commas and semicolons in quotes are not valid: cut there, neither piece is. */
function parseExtensions(header: string): Extension[] | null {
  const extensions: Extension[] = []
  for (const item of header.split(',')) {
    // RFC 9110 §5.6.1: lists may have empty elements.
    if (/^[ \t]*$/.test(item)) continue
    const parts = item.split(';').map((part) => PART.exec(part))
    const params: [string, string | null][] = []
    for (const part of parts) {
      if (part?.[1] === undefined) return null
      params.push([part[1], part[2] ?? part[3]?.replaceAll('\\', '') ?? null])
    }
    const [[name, value] = ['', '']] = params.splice(0, 1)
    if (value !== null) return null
    extensions.push({ name, params })
  }
  return extensions
}

interface Parameters {
  /** Each message of that side stands for itself. */
  readonly serverAlone: boolean
  readonly clientAlone: boolean
  /** Null where it is not there. */
  readonly serverBits: number | null
  readonly clientBits: number | 'any' | null
}

/** Null where one is unknown, is there twice, or has a value that it may not have. */
function readParameters(params: Extension['params']): Parameters | null {
  const values = new Map(params)
  if (values.size < params.length) return null
  for (const [name, value] of values) if (checks.get(name)?.(value) !== true) return null
  const toBits = (name: string): number | null => (values.has(name) ? Number(values.get(name)) : null)
  return {
    serverAlone: values.has(SERVER_ALONE),
    clientAlone: values.has(CLIENT_ALONE),
    serverBits: toBits(SERVER_BITS),
    clientBits: values.get(CLIENT_BITS) === null ? 'any' : toBits(CLIENT_BITS),
  }
}
