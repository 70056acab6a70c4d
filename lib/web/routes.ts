import { isDeepStrictEqual } from 'node:util'
import { type Context, forRoute, setDefaults } from '../websock/context.ts'
import { ConfigError } from './config/error.ts'
import { isSameEndpoint } from './config/onebot-identity.ts'
import type { RouteSettings, Settings } from './config/settings.ts'
import { type Front, PUBLIC, type Route } from './dispatch.ts'
import type { HandlerTable } from './handler.ts'
import type { Host } from './host.ts'
import { describe } from './listening.ts'
import { joinHeaders } from './response.ts'

/** A route that is ready to be served, and the one whose connections it takes over. */
export interface Draft {
  readonly route: Omit<Route, 'context'>
  readonly before: Route | null
}

/** What makes a route another one: its connections were let in by these. */
const ESSENTIAL = [
  'match',
  'segments',
  'sent',
  'exact',
  'handler',
  'trim',
  'token',
  'role',
  'module',
] as const satisfies (keyof RouteSettings)[]

const isSame = (one: RouteSettings, other: RouteSettings): boolean =>
  ESSENTIAL.every((key) => isDeepStrictEqual(one[key], other[key])) &&
  (one.onebot === null ? other.onebot === null : other.onebot !== null && isSameEndpoint(one.onebot, other.onebot))

/** Whether nothing at all is new; headers of a running route have those of its host with them. */
const isUnchanged = (route: RouteSettings, running: Route): boolean =>
  Object.entries({ ...route, headers: running.headers }).every(([key, value]) =>
    isDeepStrictEqual(value, Reflect.get(running, key)),
  )

/** Makes the handlers of all routes. Throws ConfigError with all that is wrong with them. */
export async function draftRoutes(
  settings: Settings,
  host: Host,
  handlers: HandlerTable,
  running: readonly Route[],
): Promise<Draft[]> {
  const drafts: Draft[] = []
  const problems: string[] = []
  const left = new Set(running)
  for (const one of settings.routes) {
    const before = [...left].find((route) => isSame(route, one)) ?? null
    if (before !== null) left.delete(before)
    try {
      drafts.push({ route: await draftRoute(one, before, settings, host, handlers), before })
    } catch (error) {
      problems.push(describe(error))
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return drafts
}

async function draftRoute(
  route: RouteSettings,
  before: Route | null,
  settings: Settings,
  host: Host,
  handlers: HandlerTable,
): Promise<Draft['route']> {
  const serving =
    before !== null && isUnchanged(route, before) ? before.serving : await handlers[route.handler](route, host)
  const methods = route.methods ?? serving.methods
  const allowed = methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods
  // With those of the host: what is the same for each request is made once.
  return { ...route, headers: joinHeaders(settings.headers, route.headers), serving, allowed }
}

/** Routes whose role nobody can have. */
export const findClosed = (drafts: readonly Draft[]): string[] =>
  drafts.flatMap(({ route: { match, role } }) =>
    role === null || role === PUBLIC
      ? []
      : [`route '${match}' needs the role '${role}', and no program says who has it: it answers 403`],
  )

/** Opens what handlers need to serve, of those that do not serve yet. */
export async function openHandlers(drafts: readonly Draft[]): Promise<void> {
  for (const { route, before } of drafts) if (route.serving !== before?.serving) await route.serving.open?.()
}

/** Tells handlers that they serve from now on. */
export function beginHandlers(drafts: readonly Draft[]): void {
  for (const { route } of drafts) route.serving.begin?.()
}

/** Tells handlers that serve no longer, after a reload. */
export function endHandlers(before: readonly Route[], now: readonly Route[]): void {
  const serving = new Set(now.map((route) => route.serving))
  for (const handler of new Set(before.map((route) => route.serving))) if (!serving.has(handler)) handler.end?.()
}

/** What there is behind each listener. */
export const toFronts = (
  { endpoints, redirects, webListeners }: Settings,
  routes: readonly Route[],
): ReadonlyMap<string, Front> =>
  new Map(
    endpoints.map(({ name }) => {
      const own = routes.filter(({ listeners }) => listeners.includes(name))
      const front: Front = {
        routes: own,
        redirects: webListeners.includes(name) ? redirects : [],
        sent: own.some(({ sent }) => sent !== null),
      }
      return [name, front]
    }),
  )

/** Begins to serve a route: its limits hold from now on, also for the connections that it takes over. */
export function openRoute({ route, before }: Draft, host: Context): Route {
  const { match, webSockets } = route
  if (before === null) return { ...route, context: forRoute(host, match, webSockets) }
  const { context } = before
  if (!isDeepStrictEqual(context.defaults, webSockets)) setDefaults(context, webSockets)
  return { ...route, context }
}
