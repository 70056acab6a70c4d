/** Whether a route's `match` covers a normalised path: '' and '/' everything, 'x/' what is below, else exactly itself. */
export function matches(match: string, path: string): boolean {
  return match === '' || (match.endsWith('/') ? path.startsWith(match) : path === match)
}

/** The first route that covers a path. */
export const findRoute = <R extends { readonly match: string }>(routes: readonly R[], path: string): R | null =>
  routes.find((route) => matches(route.match, path)) ?? null
