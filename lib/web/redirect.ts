/** A URL, or a part of one; null: it does not say. */
export interface PartialUrl {
  readonly scheme: string | null
  readonly host: string | null
  readonly port: number | null
  readonly path: string | null
  /** Without its '?' and '#'. */
  readonly query: string | null
  readonly hash: string | null
}

/** What a request was for. */
export interface RequestUrl {
  readonly scheme: 'http' | 'https'
  /** What it is to be called: the host's own name, where it has one. */
  readonly host: string
  /** What the request calls it. */
  readonly asked: string
  readonly port: number
  /** Decoded and normalised. */
  readonly path: string
  readonly query: string
}

export interface Redirect {
  /** Null matches everything. */
  readonly from: PartialUrl | null
  readonly to: PartialUrl
  readonly status: number
}

const PARTS = /^(?:(https?|wss?):\/\/)?(\[[\da-f:.]+\]|[^:/?#[\]]*)(?::(\d+))?(\/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$/i
const SCHEME = /^(?:https?|wss?)$/i

/** `[scheme://][host][:port][/path][?query][#hash]`, or a scheme alone. Throws what is wrong. */
export function parsePartialUrl(text: string): PartialUrl {
  const nothing = { scheme: null, host: null, port: null, path: null, query: null, hash: null }
  if (SCHEME.test(text)) return { ...nothing, scheme: text.toLowerCase() }
  const match = PARTS.exec(text)
  const port = match?.[3] === undefined ? null : Number(match[3])
  if (text === '' || match === null || (port !== null && (port < 1 || port > 65_535))) {
    throw new Error('is not [scheme://][host][:port][/path][?query][#hash], with a scheme of http, https, ws or wss')
  }
  const [, scheme, host = '', , path, query, hash] = match
  return {
    scheme: scheme?.toLowerCase() ?? null,
    host: host === '' ? null : host.toLowerCase(),
    port,
    path: path ?? null,
    query: query ?? null,
    hash: hash ?? null,
  }
}

const plain = (scheme: string): string => scheme.replace(/^ws/, 'http')
const isDefault = (scheme: string, port: number): boolean => port === (plain(scheme) === 'https' ? 443 : 80)

/** Whether a request is one that `from` names. The root is never: a list of old addresses would close the site. */
function isNamed(from: PartialUrl | null, url: RequestUrl): boolean {
  if (from === null) return true
  const { scheme, host, port, path, query } = from
  return (
    (scheme === null || plain(scheme) === url.scheme) &&
    (host === null || host === url.host.toLowerCase() || host === url.asked.toLowerCase()) &&
    (port === null || port === url.port) &&
    (path === null || (path === url.path && path !== '/')) &&
    (query === null || query === url.query)
  )
}

/** Where a request is sent: by the first redirect that names it and leads elsewhere. Null: nowhere. */
export function findRedirect(
  redirects: readonly Redirect[],
  url: RequestUrl,
): { readonly status: number; readonly location: string } | null {
  for (const { from, to, status } of redirects) {
    const location = isNamed(from, url) ? toLocation(to, url) : null
    if (location !== null && location !== toOwn(url)) return { status, location }
  }
  return null
}

const withQuery = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`)

const toOrigin = (scheme: string, host: string, port: number | null): string =>
  `${scheme}://${host}${port === null || isDefault(scheme, port) ? '' : `:${port}`}`

const toOwn = ({ scheme, asked, port, path, query }: RequestUrl): string =>
  toOrigin(scheme, asked, port) + withQuery(encodePath(path), query)

/** What `to` leaves out is that of the request; query and hash only where it names no path. */
function toLocation(to: PartialUrl, url: RequestUrl): string {
  // A port belongs to its scheme and host: another one of these has its own.
  const same = to.host === null && (to.scheme === null || plain(to.scheme) === url.scheme)
  const inherited = same ? url.port : null
  const origin = toOrigin(to.scheme ?? url.scheme, to.host ?? url.host, to.port ?? inherited)
  const path =
    to.path === null
      ? withQuery(encodePath(url.path), to.query ?? url.query)
      : // As it is written, but for what no URL may hold.
        withQuery(encodeURI(to.path).replaceAll('%25', '%'), to.query ?? '')
  return origin + path + (to.hash === null ? '' : `#${to.hash}`)
}

/** A decoded path as a URL has it. */
export const encodePath = (path: string): string => encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23')
