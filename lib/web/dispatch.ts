import type { Exchange } from '../engine/port.ts'
import type { Context } from '../websock/context.ts'
import { rFailure } from '../websock/log.ts'
import { type Admission, checkCredential, refuse, type Refused } from './admission.ts'
import { answer } from './answer.ts'
import type { RouteSettings, Settings } from './config/settings.ts'
import type { Handler, Target } from './handler.ts'
import { checkHandshake, wantsUpgrade } from './handshake.ts'
import { askHook, notFound, watch, WEB_HOOK_ACTION, WEB_HOOK_RUN, WEB_HOOK_START, whenKnown } from './hooks.ts'
import type { Host } from './host.ts'
import type { WebObserver } from './observer.ts'
import { parseTarget, rawPath } from './path.ts'
import { findRedirect, type Redirect, type RequestUrl } from './redirect.ts'
import { Response } from './response.ts'
import { findRoute } from './router.ts'
import { upgrade } from './upgrade.ts'
import { Request } from './web.ts'

/** A route, and what stands behind it. */
export interface Route extends RouteSettings {
  readonly serving: Handler
  /** Methods that it answers, GET with HEAD. */
  readonly allowed: readonly string[]
  /** Of its connections. */
  readonly context: Context
}

/** What there is behind a listener. */
export interface Front {
  readonly routes: readonly Route[]
  readonly redirects: readonly Redirect[]
  /** Some of the routes are for paths as they are sent. */
  readonly sent: boolean
}

/** What a request meets. */
export interface Site {
  readonly host: Host
  readonly settings: Settings
  readonly routes: readonly Route[]
  /** By the names of listeners. */
  readonly fronts: ReadonlyMap<string, Front>
  readonly admission: Admission
  readonly observer: WebObserver
}

/** The role that everybody has. */
export const PUBLIC = 'public'
/** A name or address, and a port (RFC 9110 §7.2); also none. */
const HOST = /^(?:[\w.~%-]*|\[[\da-f:.]+\])(?::\d*)?$/i
/** A listener that is no longer there. */
const NOTHING: Front = { routes: [], redirects: [], sent: false }
const NO_WEBSOCKETS = answer(501, 'WebSockets are not served here')

/** Takes one request from the engine to its handler, or answers why not. Never throws. */
export function dispatch(exchange: Exchange, site: Site): void {
  const response = new Response(exchange, site.settings.headers)
  try {
    const upgrades = wantsUpgrade(exchange)
    const full = site.admission.checkRoom(exchange, upgrades)
    if (full !== null) {
      // Whoever is one too many goes with the answer.
      exchange.refuseBody()
      return refuse(response, site.observer, full)
    }
    const target = parseTarget(exchange.target)
    if (target === null || !isHost(exchange.headers['host'])) return response.give(answer(400))
    const request = new Request(response, target.path, site.host)
    if (site.host.hook === null) return route(request, response, upgrades, site)
    watch(request, response)
    askHook(request, WEB_HOOK_START, () => route(request, response, upgrades, site))
  } catch (error) {
    rFailure('web', 'Request failed', error)
    response.fail()
  }
}

/** RFC 9112 §3.2: a request with a Host that is none is answered with 400. */
const isHost = (host: string | undefined): boolean => host === undefined || HOST.test(host)

function route(request: Request, response: Response, asksUpgrade: boolean, site: Site): void {
  const { exchange } = response
  const { settings } = site
  const { routes, redirects, sent } = site.fronts.get(exchange.listener) ?? NOTHING
  const { path } = request
  const elsewhere = redirects.length === 0 ? null : findRedirect(redirects, toUrl(exchange, request, site))
  if (elsewhere !== null) {
    // Not to a name that somebody else has put there.
    const wrongHost = site.admission.checkHost(exchange)
    if (wrongHost !== null) return refuse(response, site.observer, wrongHost)
    return response.give(answer(elsewhere.status, undefined, [['Location', elsewhere.location]]))
  }
  const found = findRoute(routes, path, sent ? rawPath(exchange.target) : path)
  response.toError = found?.serving.toError ?? null
  const upgrades = asksUpgrade && (found === null || found.serving.upgrades)
  const malformed = upgrades ? (settings.upgrades ? checkHandshake(exchange) : NO_WEBSOCKETS) : null
  if (malformed !== null) return refuse(response, site.observer, { refusal: 'handshake', answer: malformed })
  if (found === null) return notFound(request, 'No matching route', 'route')
  response.add(found.headers)
  response.base = response.headers
  response.maxBody = found.maxBody
  const early = checkEarly(exchange, found, upgrades, site)
  if (early !== null) return refuse(response, site.observer, early)
  if (found.redirect !== null) return response.give(answer(302, undefined, [['Location', found.redirect]]))
  if (exchange.method === 'OPTIONS' && found.serving.answersOptions !== true)
    return tellMethods(response, found.allowed)
  if (Number(exchange.headers['content-length'] ?? 0) > found.maxBody) {
    site.observer.refused(exchange, 'body', 413)
    return response.refuseBody()
  }
  if (upgrades) found.context.pace.run(() => enterLater(request, response, found, site))
  else enter(request, response, found, false, site)
}

/** Its peer may have gone meanwhile. */
function enterLater(request: Request, response: Response, found: Route, site: Site): void {
  if (response.done) return response.lost()
  try {
    enter(request, response, found, true, site)
  } catch (error) {
    request.fail('Request failed', error)
  }
}

/** Who asks, whether they may, and what serves them. */
function enter(request: Request, response: Response, found: Route, upgrades: boolean, site: Site): void {
  const stranger = checkCredential(response.exchange, found.token)
  if (stranger !== null) return refuse(response, site.observer, stranger)
  request.trim(found.trim)
  const known = found.serving.find(request.path)
  const target = upgrades ? admit(request, response, known, site) : known
  if (target === undefined) return
  const role = target?.role ?? null
  // The usual case, without a closure for each step.
  if (found.role === null && role === null && site.host.hook === null) {
    return serve(request, response, found, target, upgrades, site)
  }
  authorize(request, response, [found.role, role], site, () =>
    askHook(request, WEB_HOOK_RUN, () => serve(request, response, found, target, upgrades, site)),
  )
}

/** What serves this one who asks for a WebSocket; undefined where it was refused. */
function admit(request: Request, response: Response, target: Target | null, site: Site): Target | null | undefined {
  if (target?.admit === undefined) return target
  const verdict = target.admit(request)
  if ('serve' in verdict) return verdict
  refuse(response, site.observer, { refusal: 'credential', answer: verdict })
  return undefined
}

/** What needs no look at who the sender is: how the host is called, the method, the origin. */
function checkEarly(exchange: Exchange, found: Route, upgrades: boolean, { admission }: Site): Refused | null {
  const { allowed } = found
  const wrongHost = admission.checkHost(exchange)
  if (wrongHost !== null) return wrongHost
  if (!allowed.includes(exchange.method)) {
    return { refusal: 'method', answer: answer(405, undefined, [['Allow', allowed.join(', ')]]) }
  }
  if (found.redirect !== null) return null
  if (upgrades) return admission.checkOrigin(exchange, found)
  return found.serving.checksOrigin === true ? admission.checkPage(exchange, found) : null
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
  site: Site,
  go: () => void,
): void {
  if (role === undefined) return go()
  const decide = (granted: unknown): void => {
    if (response.done) response.lost()
    else if (granted === true) authorize(request, response, others, site, go)
    else refuse(response, site.observer, { refusal: 'role', answer: answer(403) })
  }
  if (role === null || role === PUBLIC) return authorize(request, response, others, site, go)
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
  if (target === null) return notFound(request, 'No action', 'action')
  if (found.handler !== 'action' || site.host.hook === null) return run(target, request)
  askHook(request, WEB_HOOK_ACTION, () => run(target, request))
}

function run(target: Target, request: Request): void {
  target.serve(request)?.catch((error: unknown) => request.fail('Request failed', error))
}

/** The whole URL that a request was for. */
function toUrl(exchange: Exchange, { path, query }: Request, { settings, admission }: Site): RequestUrl {
  const secure = admission.isSecure(exchange)
  const [, given = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(exchange.headers['host'] ?? '') ?? []
  const asked = given === '' ? 'localhost' : given
  return {
    scheme: secure ? 'https' : 'http',
    host: settings.name ?? asked,
    asked,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    path,
    query,
  }
}
