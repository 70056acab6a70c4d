/** What a request target may consist of: RFC 3986 §2.2, §2.3 and percent signs. */
const TARGET = /^[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/
/** The usual case: a path that is normal, and has nothing to decode. */
const PLAIN = /^(?:\/[\w-][\w.-]*)+\/?$|^\/$/
const AUTHORITY = /^https?:\/\/[^/?#]*/i

export interface Target {
  /** Decoded once, normalised, absolute. */
  readonly path: string
  /** As sent, without '?'. */
  readonly query: string
}

/** What is behind the '?' of a request target, as sent. */
export function queryOf(raw: string): string {
  const [local = ''] = raw.split('#', 1)
  const mark = local.indexOf('?')
  return mark === -1 ? '' : local.slice(mark + 1)
}

/** A path without the slashes at its end; the root is one. */
export const withoutSlashes = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path)

/** A path of a config, as paths of requests are compared with it. */
export const toPath = (path: string): string => withoutSlashes(path) || '/'

/** The path of a request target as sent, without slashes at its end: '' for several that are alone. */
export function rawPath(raw: string): string {
  const [path = ''] = raw.replace(AUTHORITY, '').split(/[?#]/, 1)
  return withoutSlashes(path || '/')
}

/** The path and query of a request target; null for one that is answered with 400. */
export function parseTarget(raw: string): Target | null {
  if (PLAIN.test(raw)) return { path: raw, query: '' }
  if (!TARGET.test(raw)) return null
  const [local = ''] = raw.replace(AUTHORITY, '').split('#', 1)
  const mark = local.indexOf('?')
  const path = decodePath(mark === -1 ? local : local.slice(0, mark))
  if (path === null) return null
  const normal = normalizePath(path === '' ? '/' : path)
  return normal?.startsWith('/') ? { path: normal, query: queryOf(raw) } : null
}

function decodePath(encoded: string): string | null {
  try {
    const path = decodeURIComponent(encoded)
    return path.includes('\0') || path.includes('\\') ? null : path
  } catch {
    return null
  }
}

/** Collapses '//', drops '.', resolves '..'; null for a path that climbs above its root. */
export function normalizePath(path: string): string | null {
  const absolute = path.startsWith('/')
  const segments = path.split('/')
  const kept: string[] = []
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') kept.push(segment)
    else if (kept.pop() === undefined) return null
  }
  const slash = kept.length > 0 && segments.at(-1) === '' ? '/' : ''
  return `${absolute ? '/' : ''}${kept.join('/')}${slash}`
}
