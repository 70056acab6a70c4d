import type { Exchange } from '../engine/port.ts'
import type { Context } from '../websock/context.ts'
import { rFailure } from '../websock/log.ts'
import { type Answer, answer } from './answer.ts'
import { checkCredential, checkOrigin } from './admission.ts'
import type { RouteSettings, Settings } from './config/settings.ts'
import type { Handler, Target } from './handler.ts'
import { checkHandshake, wantsUpgrade } from './handshake.ts'
import { askHook, notFound, watch, WEB_HOOK_ACTION, WEB_HOOK_RUN, WEB_HOOK_START, whenKnown } from './hooks.ts'
import type { Host } from './host.ts'
import { parseTarget } from './path.ts'
import { findRedirect, type RequestUrl } from './redirect.ts'
import { Response } from './response.ts'
import { findRoute } from './router.ts'
import { upgrade } from './upgrade.ts'
import { Request } from './web.ts'

/** A route, and what stands behind it. */
export interface Route extends RouteSettings {
  readonly serving: Handler
  /** Methods that it answers, GET with HEAD. */
  readonly allowed: readonly string[]
}

/** What a request meets. */
export interface Site {
  readonly host: Host
  readonly settings: Settings
  readonly routes: readonly Route[]
  readonly context: Context
}

/** The role that everybody has. */
export const PUBLIC = 'public'
/** A name or address, and a port (RFC 9110 §7.2); also none. */
const HOST = /^(?:[\w.~%-]*|\[[\da-f:.]+\])(?::\d*)?$/i
const NO_WEBSOCKETS = answer(501, 'WebSockets are not served here')

/** Takes one request from the engine to its handler, or answers why not. Never throws. */
export function dispatch(exchange: Exchange, site: Site): void {
  const response = new Response(exchange, site.settings.headers)
  try {
    const target = parseTarget(exchange.target)
    if (target === null || !isHost(exchange.headers['host'])) return response.give(answer(400))
    const request = new Request(response, target.path, site.host)
    if (site.host.hook === null) return route(request, response, site)
    watch(request, response)
    askHook(request, WEB_HOOK_START, () => route(request, response, site))
  } catch (error) {
    rFailure('web', 'Request failed', error)
    response.fail()
  }
}

/** RFC 9112 §3.2: a request with a Host that is none is answered with 400. */
const isHost = (host: string | undefined): boolean => host === undefined || HOST.test(host)

function route(request: Request, response: Response, site: Site): void {
  const { exchange } = response
  const { settings, routes } = site
  const { path } = request
  const elsewhere =
    settings.redirects.length === 0 ? null : findRedirect(settings.redirects, toUrl(exchange, request, settings.name))
  if (elsewhere !== null) return response.give(answer(elsewhere.status, undefined, [['Location', elsewhere.location]]))
  const found = findRoute(routes, path)
  const upgrades = wantsUpgrade(exchange) && (found === null || found.serving.upgrades)
  const malformed = upgrades ? (settings.upgrades ? checkHandshake(exchange) : NO_WEBSOCKETS) : null
  if (malformed !== null) return response.give(malformed)
  if (found === null) return notFound(request, 'No matching route')
  response.add(found.headers)
  response.base = response.headers
  response.maxBody = found.limits.body
  const early = answerEarly(exchange, found, upgrades)
  if (early !== null) return response.give(early)
  if (exchange.method === 'OPTIONS') return tellMethods(response, found.allowed)
  if (Number(exchange.headers['content-length'] ?? 0) > found.limits.body) return response.refuseBody()
  const refused = checkCredential(exchange, found.token)
  if (refused !== null) return response.give(refused)
  request.trim(found.trim)
  const target = found.serving.find(request.path)
  const role = target?.role ?? null
  // The usual case, without a closure for each step.
  if (found.role === null && role === null && site.host.hook === null) {
    return serve(request, response, found, target, upgrades, site)
  }
  authorize(request, response, [found.role, role], () =>
    askHook(request, WEB_HOOK_RUN, () => serve(request, response, found, target, upgrades, site)),
  )
}

/** What needs no look at the request's sender: its method, a redirect, its origin. */
function answerEarly(exchange: Exchange, found: Route, upgrades: boolean): Answer | null {
  const { method } = exchange
  const { allowed, redirect, origins } = found
  if (!allowed.includes(method)) return answer(405, undefined, [['Allow', allowed.join(', ')]])
  if (redirect !== null) return answer(302, undefined, [['Location', redirect]])
  return upgrades ? checkOrigin(exchange, origins) : null
}

function tellMethods(response: Response, allowed: readonly string[]): void {
  const sorted = allowed.toSorted((a, b) => (a < b ? -1 : 1))
  response.add([['Access-Control-Allow-Methods', sorted.join(',')]])
  response.end()
}

/** Asks the program for each of the roles. What it answers later may come too late. */
function authorize(
  request: Request,
  response: Response,
  [role, ...others]: readonly (string | null)[],
  go: () => void,
): void {
  if (role === undefined) return go()
  const decide = (granted: unknown): void => {
    if (response.done) response.lost()
    else if (granted === true) authorize(request, response, others, go)
    else response.give(answer(403))
  }
  if (role === null || role === PUBLIC) return authorize(request, response, others, go)
  whenKnown(
    () => request.host.authorize?.(request, role),
    decide,
    (error) => request.fail('Authorisation failed', error),
  )
}

function serve(
  request: Request,
  response: Response,
  found: Route,
  target: Target | null,
  upgrades: boolean,
  site: Site,
): void {
  if (upgrades && !upgrade(request, response, target, found, site)) return
  if (target === null) return notFound(request, 'No action')
  if (found.handler !== 'action' || site.host.hook === null) return run(target, request)
  askHook(request, WEB_HOOK_ACTION, () => run(target, request))
}

function run(target: Target, request: Request): void {
  target.serve(request)?.catch((error: unknown) => request.fail('Request failed', error))
}

/** The whole URL that a request was for. */
function toUrl(exchange: Exchange, { path, query }: Request, name: string | null): RequestUrl {
  const scheme = exchange.secure ? 'https' : 'http'
  const [, given = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(exchange.headers['host'] ?? '') ?? []
  const asked = given === '' ? 'localhost' : given
  return {
    scheme,
    host: name ?? asked,
    asked,
    port: Number(port ?? (exchange.secure ? 443 : 80)),
    path,
    query,
  }
}
