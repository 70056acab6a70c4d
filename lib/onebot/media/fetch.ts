import { type LookupAddress, promises } from 'node:dns'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { type BlockList, isIP } from 'node:net'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { PlatformError } from '../failure.ts'
import { mayFetch } from './addresses.ts'

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>

export const systemResolve: Resolve = (host) => promises.lookup(host, { all: true })

export interface FetchOptions {
  /** Bytes of what is fetched. */
  readonly maxBytes: number
  /** Milliseconds for all of it. */
  readonly timeout: number
  /** Addresses that may be fetched from though they are not of the internet. */
  readonly allowed: BlockList
  /** An HTTP proxy that is asked to connect there; null: none. */
  readonly proxy: string | null
  readonly resolve: Resolve
  readonly headers?: Readonly<Record<string, string>>
}

export interface Fetched {
  /** What its address calls it; '' for nothing. */
  readonly name: string
  /** Rejects where there is more than there may be, or it takes too long. */
  readonly bytes: AsyncIterable<Uint8Array>
}

const failed = (why: string): PlatformError => new PlatformError('DOWNLOAD_FILE_ERROR', why)

/**
 * Fetches what a client names. What it is connected to is an address that was looked at, also behind a redirect: a name may be
 * another one's the next time that it is asked for.
 */
export async function fetchMedia(url: string, options: FetchOptions): Promise<Fetched> {
  const signal = AbortSignal.timeout(options.timeout)
  try {
    let at = toUrl(url)
    let given = options.headers ?? {}
    for (let redirects = 0; ; redirects++) {
      const response = await open(at, await within(find(at, options), signal), { ...options, headers: given }, signal)
      const { statusCode: status = 0, headers } = response
      if (!REDIRECTS.has(status)) return { name: nameOf(at), bytes: checked(response, status, options, signal) }
      response.destroy()
      if (redirects === MAX_REDIRECTS) throw failed('leads from one place to another')
      const next = toUrl(new URL(headers.location ?? '', at).href)
      // What a client says to one host is not for another.
      given = next.origin === at.origin ? given : {}
      at = next
    }
  } catch (error) {
    throw toFailed(error, signal)
  }
}

function toFailed(error: unknown, signal: AbortSignal): PlatformError {
  if (error instanceof PlatformError) return error
  // Why a host of ours cannot be reached is nobody's business.
  return failed(signal.aborted ? 'takes too long' : 'cannot be fetched')
}

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw failed('is no URL with http or https')
  return url
}

/** Without the brackets of IPv6. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

/** The addresses of a host, of which each may be fetched from. */
async function find(url: URL, { resolve, allowed }: FetchOptions): Promise<readonly LookupAddress[]> {
  const host = hostOf(url)
  const family = isIP(host)
  const found = family === 0 ? await resolve(host) : [{ address: host, family }]
  if (found.length === 0 || !found.every(({ address }) => mayFetch(address, allowed))) {
    throw failed('is at an address that onebot.media.allow does not name')
  }
  return found
}

/** What the system does not give up by itself. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(failed('takes too long')), { once: true })
    promise.then(resolve, reject)
  })
}

function open(
  url: URL,
  addresses: readonly LookupAddress[],
  options: FetchOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const route = options.proxy === null ? toDirect(addresses) : toProxied(url, addresses, options.proxy)
  const headers = { ...options.headers, 'Host': url.host, 'Accept-Encoding': 'identity' }
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, { ...route, headers, signal }, resolve)
    request.on('error', reject)
    request.end()
  })
}

/** The system is not asked again. */
const toDirect = (addresses: readonly LookupAddress[]): RequestOptions => ({
  agent: false,
  lookup: (_host, { all }, tell) => {
    const [first] = addresses
    if (all === true) tell(null, [...addresses])
    else if (first !== undefined) tell(null, first.address, first.family)
  },
})

/** A proxy is told an address: it would ask for the name again itself. */
function toProxied(url: URL, [first]: readonly LookupAddress[], proxy: string): RequestOptions {
  return {
    agent: new HttpsProxyAgent(proxy),
    hostname: first?.address,
    servername: isIP(hostOf(url)) === 0 ? url.hostname : '',
  }
}

async function* checked(
  response: IncomingMessage,
  status: number,
  { maxBytes }: FetchOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (status !== 200) throw failed(`is answered with ${status}`)
    if ((response.headers['content-encoding'] ?? 'identity') !== 'identity') throw failed('is encoded')
    let size = 0
    for await (const chunk of response) {
      if (!(chunk instanceof Uint8Array)) continue
      size += chunk.length
      if (size > maxBytes) throw failed(`is longer than ${maxBytes} bytes`)
      yield chunk
    }
    if (!response.complete) throw failed('breaks off')
  } catch (error) {
    throw toFailed(error, signal)
  } finally {
    response.destroy()
  }
}

function nameOf({ pathname }: URL): string {
  const last = pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}
