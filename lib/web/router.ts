/** What a route says about the paths that it is for. */
export interface Match {
  /** '' is every path, 'x/' what begins so, anything else exactly itself. */
  readonly match: string
  /** Also what ends in '/' only itself. */
  readonly exact: boolean
  /** Not `match` alone, but all paths that begin with one of these, below it. */
  readonly segments?: readonly string[] | null
  /** Not what a path means, but how it is sent, without slashes at its end: exactly so. */
  readonly sent?: string | null
}

/** Whether a route is for a normalised path. */
export const matches = ({ match, exact, segments = null, sent = null }: Match, path: string, raw = path): boolean =>
  sent !== null
    ? raw === sent
    : segments !== null
      ? path.startsWith(`${match}/`) && segments.includes(path.slice(match.length + 1).split('/', 1)[0] ?? '')
      : exact
        ? path === match
        : match === '' || (match.endsWith('/') ? path.startsWith(match) : path === match)

/** The first route that is for a path. */
export const findRoute = <R extends Match>(routes: readonly R[], path: string, raw = path): R | null =>
  routes.find((route) => matches(route, path, raw)) ?? null

/** What is left of a path behind what the route takes off its front. */
export function trimPath(path: string, trim: string): string {
  if (trim === '' || !path.startsWith(trim)) return path
  const rest = path.slice(trim.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
