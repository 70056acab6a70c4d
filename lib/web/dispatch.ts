import type { WebAuthorize } from '../../include-types/web.ts'
import type { Exchange } from '../engine/port.ts'
import type { Context } from '../websock/context.ts'
import { webSocketSetLimits, webSocketSetPartial } from '../websock/handle.ts'
import { rFailure } from '../websock/log.ts'
import { createConnection } from '../websock/receive.ts'
import { type Answer, answer } from './answer.ts'
import { checkCredential, checkOrigin } from './admission.ts'
import type { RouteSettings, Settings } from './config/settings.ts'
import type { Handler } from './handler.ts'
import { checkHandshake, selectProtocol, wantsUpgrade } from './handshake.ts'
import type { Host } from './host.ts'
import { parseTarget } from './path.ts'
import { findRedirect, type RequestUrl } from './redirect.ts'
import { Response } from './response.ts'
import { findRoute, trimPath } from './router.ts'
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
  readonly authorize: WebAuthorize | null
}

const PUBLIC = 'public'

/** Takes one request from the engine to its handler, or answers why not. Never throws. */
export function dispatch(exchange: Exchange, site: Site): void {
  const response = new Response(exchange, site.settings.headers)
  try {
    route(exchange, response, site)
  } catch (error) {
    failed(response, error)
  }
}

/** What is ours to mend is logged in full and tells the peer nothing. */
function failed(response: Response, error: unknown): void {
  rFailure('web', 'Request failed', error)
  try {
    if (response.started) response.abort()
    else response.give(answer(500))
  } catch {
    response.abort()
  }
}

function route(exchange: Exchange, response: Response, site: Site): void {
  const { settings, routes } = site
  const target = parseTarget(exchange.target)
  if (target === null) return response.give(answer(400))
  const elsewhere =
    settings.redirects.length === 0 ? null : findRedirect(settings.redirects, toUrl(exchange, target, settings.name))
  if (elsewhere !== null) return response.give(answer(elsewhere.status, undefined, [['Location', elsewhere.location]]))
  const found = findRoute(routes, target.path)
  const upgrade = settings.upgrades && wantsUpgrade(exchange) && (found === null || found.serving.upgrades)
  const malformed = upgrade ? checkHandshake(exchange) : null
  if (malformed !== null) return response.give(malformed)
  if (found === null) return response.give(answer(404, 'No matching route'))
  response.add(found.headers)
  response.maxBody = found.limits.body
  const early = answerEarly(exchange, found, upgrade)
  if (early !== null) return response.give(early)
  if (exchange.method === 'OPTIONS') return tellMethods(response, found.allowed)
  if (Number(exchange.headers['content-length'] ?? 0) > found.limits.body) return response.refuseBody()
  const request = new Request(response, trimPath(target.path, found.trim), site.host)
  const proceed = (): void => serve(request, response, found, upgrade, site)
  const refused = checkCredential(exchange, found.token)
  if (refused !== null) return response.give(refused)
  if (found.role === null || found.role === PUBLIC) return proceed()
  authorize(request, response, found.role, site.authorize, proceed)
}

/** What needs no look at the request's sender: its method, a redirect, its origin. */
function answerEarly(exchange: Exchange, found: Route, upgrade: boolean): Answer | null {
  const { method } = exchange
  const { allowed, redirect, origins } = found
  if (!allowed.includes(method)) return answer(405, undefined, [['Allow', allowed.join(', ')]])
  if (redirect !== null) return answer(302, undefined, [['Location', redirect]])
  return upgrade ? checkOrigin(exchange, origins) : null
}

function tellMethods(response: Response, allowed: readonly string[]): void {
  const sorted = allowed.toSorted((a, b) => (a < b ? -1 : 1))
  response.add([['Access-Control-Allow-Methods', sorted.join(',')]])
  response.end()
}

/** Asks the program. What it answers later may come too late. */
function authorize(
  request: Request,
  response: Response,
  role: string,
  ask: WebAuthorize | null,
  proceed: () => void,
): void {
  const decide = (granted: boolean): void => {
    if (response.done) return
    if (granted) proceed()
    else response.give(answer(403))
  }
  if (ask === null) return decide(false)
  const granted = ask(request, role)
  if (typeof granted === 'boolean') return decide(granted)
  Promise.resolve(granted)
    .then((value) => decide(value === true))
    .catch((error: unknown) => failed(response, error))
}

function serve(request: Request, response: Response, found: Route, upgrade: boolean, site: Site): void {
  if (upgrade && !becomeConnection(request, response, found, site)) return
  found.serving.serve(request)?.catch((error: unknown) => failed(response, error))
}

/** Answers 101 and makes the connection, or answers why not. */
function becomeConnection(request: Request, response: Response, found: Route, { settings, context }: Site): boolean {
  const { exchange } = response
  const protocol = selectProtocol(exchange, settings.protocols)
  if (protocol === null) response.give(answer(400, 'Unsupported Sec-WebSocket-Protocol'))
  else if (!found.serving.has(request.path)) response.give(answer(404, 'No action'))
  else {
    const transport = exchange.upgrade(protocol, response.headers)
    if (transport === null) return false
    const ws = createConnection(transport, context, exchange.remoteAddress, false)
    ws.protocol = protocol === '' ? null : protocol
    webSocketSetPartial(ws, found.partial)
    const { maxFrame, maxMessage } = found.limits
    if (maxFrame !== settings.webSockets.maxFrame || maxMessage !== settings.webSockets.maxMessage) {
      webSocketSetLimits(ws, maxFrame, maxMessage)
    }
    request.become(ws)
    return true
  }
  return false
}

/** The whole URL that a request was for. */
function toUrl(exchange: Exchange, { path, query }: { path: string; query: string }, name: string | null): RequestUrl {
  const scheme = exchange.secure ? 'https' : 'http'
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(exchange.headers['host'] ?? '') ?? []
  return {
    scheme,
    host: name ?? (host === '' ? 'localhost' : host),
    port: Number(port ?? (exchange.secure ? 443 : 80)),
    path,
    query,
  }
}
