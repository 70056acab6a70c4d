import type { Config, WebAction, WebHost } from '../../include-types/web.ts'
import type { Engine, Exchange, ServerPort } from '../engine/port.ts'
import { webSocketSendClose } from '../websock/close.ts'
import { R_ERR_CANT_OPEN, WS_STATUS_GOING_AWAY } from '../websock/constants.ts'
import { type Context, createContext } from '../websock/context.ts'
import { webSocketSetPartial } from '../websock/handle.ts'
import { rError, rFailure, rInfo } from '../websock/log.ts'
import { logObserver } from '../websock/observer.ts'
import { createConnection } from '../websock/receive.ts'
import { answer, give } from './answer.ts'
import { loadConfig, type RouteSettings, type Settings, toSettings } from './config.ts'
import type { Handler, HandlerTable } from './handler.ts'
import { checkHandshake, checkOrigin, selectProtocol, wantsUpgrade } from './handshake.ts'
import { parseTarget } from './path.ts'
import { findRoute } from './router.ts'
import { Request } from './web.ts'

/** What a host is put together from. */
export interface Parts {
  readonly handlers: HandlerTable
  /** Finds the engine that a config asks for; `notice` is for the log. */
  selectEngine(choice: Settings['engine']): Promise<{ engine: Engine; notice: string | null }>
}

interface Route extends RouteSettings {
  readonly serving: Handler
}

interface Listening {
  readonly url: string
  readonly port: number
}

/** What runs while the host does. */
interface Running {
  readonly engine: Engine
  readonly server: ServerPort
  readonly context: Context
  readonly routes: readonly Route[]
  readonly listening: readonly Listening[]
}

/** A server made from a config. */
export class Host implements WebHost {
  readonly settings: Settings
  readonly #parts: Parts
  readonly #actions: { match: string; action: WebAction }[] = []
  #running: Running | null = null
  #starting: Promise<number> | null = null
  #stopping: Promise<void> | null = null
  /** What the user should hear about, though it works. */
  readonly warnings: string[]
  /** Why the last start failed, for a person. */
  error: string | null = null

  constructor(settings: Settings, parts: Parts) {
    this.settings = settings
    this.warnings = [...settings.warnings]
    this.#parts = parts
  }

  get topics(): WebHost['topics'] {
    return this.#running?.context.topics ?? null
  }

  get engine(): Engine | null {
    return this.#running?.engine ?? null
  }

  /** Where the host can be reached. */
  get listening(): readonly Listening[] {
    return this.#running?.listening ?? []
  }

  get connections(): number {
    return this.#running?.context.connections.size ?? 0
  }

  addAction(match: string, action: WebAction): void {
    this.#actions.push({ match, action })
  }

  get hasActions(): boolean {
    return this.#actions.length > 0
  }

  /** The first registered action for a path: the path itself, or one of its folders. */
  findAction(path: string): WebAction | null {
    const covers = (match: string): boolean =>
      path === match || path.startsWith(match.endsWith('/') ? match : `${match}/`)
    return this.#actions.find(({ match }) => covers(match))?.action ?? null
  }

  /** All listeners or none: 0, or -28 with `error` set. */
  start(): Promise<number> {
    if (this.#running !== null || this.#starting !== null) {
      this.error = 'The host runs already'
      return Promise.resolve(R_ERR_CANT_OPEN)
    }
    this.#starting = this.#start().finally(() => {
      this.#starting = null
    })
    return this.#starting
  }

  async #start(): Promise<number> {
    const { settings } = this
    this.error = null
    this.warnings.splice(0, Infinity, ...settings.warnings)
    try {
      const { engine, notice } = await this.#parts.selectEngine(settings.engine)
      if (notice !== null) rInfo('web', '%s', notice)
      this.warnings.push(...unfollowed(engine, settings))
      const routes: Route[] = []
      for (const route of settings.routes) {
        routes.push({ ...route, serving: await this.#parts.handlers[route.handler](route, this) })
      }
      const server = engine.createServer(settings.server, (exchange) => this.#onExchange(exchange))
      const context = createContext(engine.clock, server.topics, logObserver, settings.webSockets)
      const listening: Listening[] = []
      // Requests may come in as soon as the first listener is open.
      this.#running = { engine, server, context, routes, listening }
      for (const endpoint of settings.endpoints) {
        const port = await server.listen(endpoint)
        listening.push({ url: `${endpoint.tls === null ? 'http' : 'https'}://${urlHost(endpoint.host)}:${port}`, port })
      }
    } catch (error) {
      this.error = describe(error)
      await this.#running?.server.close()
      this.#running = null
      return R_ERR_CANT_OPEN
    }
    for (const warning of this.warnings) rError('web', 'warning: %s', warning)
    return 0
  }

  /** No new connections, Close 1001 to those there are; what has not gone after `timeouts.drain` is dropped. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null
      this.#running = null
    })
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#starting
    if (this.#running === null) return
    const { server, context } = this.#running
    const gone = server.stopListening()
    for (const ws of context.connections) webSocketSendClose(ws, WS_STATUS_GOING_AWAY)
    await within(gone, this.settings.drain)
    await server.close()
  }

  #onExchange(exchange: Exchange): void {
    try {
      this.#route(exchange)
    } catch (error) {
      failed(exchange, error)
    }
  }

  #route(exchange: Exchange): void {
    if (this.#running === null || this.#stopping !== null) return give(exchange, answer(503))
    const target = parseTarget(exchange.target)
    if (target === null) return give(exchange, answer(400))
    const { routes, context } = this.#running
    const route = findRoute(routes, target.path)
    const upgrade = wantsUpgrade(exchange) && (route === null || route.serving.upgrades)
    const refused = upgrade ? checkHandshake(exchange) : null
    if (refused !== null) return give(exchange, refused)
    if (route === null) return give(exchange, answer(404, 'No matching route'))
    const { serving } = route
    if (!serving.methods.includes(exchange.method)) {
      return give(exchange, answer(405, undefined, [['Allow', serving.methods.join(', ')]]))
    }
    const request = new Request(exchange, target, this)
    if (upgrade && !this.#upgrade(exchange, request, route, context)) return
    serving.serve(request, exchange)?.catch((error: unknown) => failed(exchange, error))
  }

  /** Answers 101 and makes the connection, or answers why not. */
  #upgrade(exchange: Exchange, request: Request, { serving, origins, partial }: Route, context: Context): boolean {
    const refused = checkOrigin(exchange, origins)
    const protocol = selectProtocol(exchange, this.settings.protocols)
    if (refused !== null) give(exchange, refused)
    else if (protocol === null) give(exchange, answer(400, 'Unsupported Sec-WebSocket-Protocol'))
    else if (!serving.has(request.path)) give(exchange, answer(404, 'No action'))
    else {
      const transport = exchange.upgrade(protocol, [])
      if (transport === null) return false
      const ws = createConnection(transport, context, exchange.remoteAddress, false)
      ws.protocol = protocol === '' ? null : protocol
      webSocketSetPartial(ws, partial)
      request.become(ws)
      return true
    }
    return false
  }
}

/** What is ours to mend is logged in full and tells the peer nothing. */
function failed(exchange: Exchange, error: unknown): void {
  rFailure('web', 'Request failed', error)
  if (exchange.done) return
  try {
    give(exchange, answer(500))
  } catch {
    exchange.abort()
  }
}

/** What the config asks for and the engine does not do, a line each. */
const unfollowed = (engine: Engine, { stated }: Settings): string[] =>
  engine.unfollowed
    .filter(({ setting, unless }) => stated.has(setting) && stated.get(setting) !== unless)
    .map(({ setting, instead }) => `web.${setting} has no effect on the ${engine.name} engine: ${instead}`)

/** How a person on this machine spells a listener's host. */
function urlHost(host: string): string {
  if (host === '::' || host === '0.0.0.0') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** Waits for a promise, `ms` milliseconds at most. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    if (ms !== Infinity) timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}

/** What the system says about a listener, as a sentence that says what to do. */
const LISTEN_ERRORS: Readonly<
  Record<string, (error: NodeJS.ErrnoException & { port?: unknown; hostname?: unknown }) => string>
> = {
  EADDRINUSE: ({ port }) => `Port ${String(port)} is in use: stop what listens there, or choose another with --listen`,
  EACCES: ({ port }) => `Port ${String(port)} needs privileges: choose one above 1023`,
  EADDRNOTAVAIL: ({ message }) => `This machine does not have that address: ${message}`,
  ENOTFOUND: ({ hostname }) => `There is no host '${String(hostname)}': check listen`,
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const known = 'code' in error ? LISTEN_ERRORS[String(error.code)] : undefined
  return known?.(error) ?? error.message
}

/** Makes a host from a config file or object. Throws ConfigError with every problem, a line each. */
export function createHost(config: string | Config | Settings, parts: Parts): Host {
  if (typeof config === 'string') return new Host(loadConfig(config), parts)
  // What a program hands over may be anything.
  const known = typeof config === 'object' && config !== null && 'endpoints' in config
  return new Host(known ? config : toSettings(config, process.cwd()), parts)
}
