import type { Config, WebAction, WebAuthorize, WebHook } from '../../include-types/web.ts'
import type { Engine, Exchange, ServerPort } from '../engine/port.ts'
import { webSocketSendClose } from '../websock/close.ts'
import { R_ERR_CANT_OPEN, WS_STATUS_GOING_AWAY } from '../websock/constants.ts'
import { createContext, type Observer } from '../websock/context.ts'
import { rError, rInfo } from '../websock/log.ts'
import { logObserver } from '../websock/observer.ts'
import { toTarget } from './action.ts'
import { answer } from './answer.ts'
import { checkConfig, ConfigError, loadConfig } from './config/load.ts'
import type { RouteSettings, Settings } from './config/settings.ts'
import { dispatch, PUBLIC, type Route, type Site } from './dispatch.ts'
import type { HandlerTable, Target } from './handler.ts'
import { tellEnd } from './hooks.ts'
import { joinHeaders, Response } from './response.ts'
import type { Owner } from './web.ts'

/** What a host is put together from. */
export interface Parts {
  readonly handlers: HandlerTable
  /** Finds the engine that a config asks for; `notice` is for the log. */
  selectEngine(choice: Settings['engine']): Promise<{ engine: Engine; notice: string | null }>
}

interface Listening {
  readonly url: string
  readonly port: number
}

/** What runs while the host does. */
interface Running {
  readonly engine: Engine
  readonly server: ServerPort
  readonly site: Site
  readonly listening: readonly Listening[]
}

/** A server made from a config. */
export class Host implements Owner {
  readonly settings: Settings
  readonly #parts: Parts
  readonly #actions: { readonly match: string; readonly target: Target }[] = []
  /** Who may use what has a role. */
  authorize: WebAuthorize | null = null
  /** Told of each request, and asked. */
  hook: WebHook | null = null
  #freed = false
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

  get topics(): Owner['topics'] {
    return this.#running?.site.context.topics ?? null
  }

  get engine(): Engine | null {
    return this.#running?.engine ?? null
  }

  /** Where the host can be reached. */
  get listening(): readonly Listening[] {
    return this.#running?.listening ?? []
  }

  get connections(): number {
    return this.#running?.site.context.connections.size ?? 0
  }

  addAction(match: string, action: WebAction, role: string | null = null): void {
    this.#actions.push({ match, target: toTarget(action, role) })
  }

  get hasActions(): boolean {
    return this.#actions.length > 0
  }

  /** The first registered action for a path: the path itself, or one of its folders. */
  findAction(path: string): Target | null {
    const covers = (match: string): boolean =>
      path === match || path.startsWith(match.endsWith('/') ? match : `${match}/`)
    return this.#actions.find(({ match }) => covers(match))?.target ?? null
  }

  /** All listeners or none: 0, or -28 with `error` set. */
  start(): Promise<number> {
    if (this.#running !== null || this.#starting !== null || this.#freed) {
      this.error = this.#freed ? 'The host was freed' : 'The host runs already'
      return Promise.resolve(R_ERR_CANT_OPEN)
    }
    this.#starting = this.#start().finally(() => {
      this.#starting = null
    })
    return this.#starting
  }

  async #start(): Promise<number> {
    const { settings } = this
    try {
      const { engine, routes } = await this.#prepare()
      const server = engine.createServer(settings.server, (exchange) => this.#onExchange(exchange))
      const context = createContext(engine.clock, server.topics, observer, settings.webSockets)
      const listening: Listening[] = []
      const site = { host: this, settings, routes, context }
      // Requests may come in as soon as the first listener is open.
      this.#running = { engine, server, site, listening }
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

  /** Everything that a start does before it opens a listener: the engine is found, modules are loaded. */
  async check(): Promise<number> {
    try {
      const { engine } = await this.#prepare()
      // What an engine cannot be, it says when it is made.
      engine.createServer(this.settings.server, () => {})
      return 0
    } catch (error) {
      this.error = describe(error)
      return R_ERR_CANT_OPEN
    }
  }

  /** Throws with all that is wrong with the routes. */
  async #prepare(): Promise<{ engine: Engine; routes: Route[] }> {
    const { settings } = this
    this.error = null
    this.warnings.splice(0, Infinity, ...settings.warnings)
    const { engine, notice } = await this.#parts.selectEngine(settings.engine)
    if (notice !== null) rInfo('web', '%s', notice)
    this.warnings.push(...unfollowed(engine, settings))
    const [routes, problems]: [Route[], string[]] = [[], []]
    for (const route of settings.routes) {
      await this.#toRoute(route).then(
        (one) => routes.push(one),
        (error: unknown) => problems.push(describe(error)),
      )
    }
    if (problems.length > 0) throw new ConfigError(problems)
    for (const { match, role } of routes) {
      if (role === null || role === PUBLIC || this.authorize !== null) continue
      this.warnings.push(`route '${match}' needs the role '${role}', and no program says who has it: it answers 403`)
    }
    return { engine, routes }
  }

  async #toRoute(route: RouteSettings): Promise<Route> {
    const serving = await this.#parts.handlers[route.handler](route, this)
    const methods = route.methods ?? serving.methods
    const allowed = methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods
    // With those of the host: what is the same for each request is made once.
    return { ...route, headers: joinHeaders(this.settings.headers, route.headers), serving, allowed }
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
    const { server, site } = this.#running
    const gone = server.stopListening()
    for (const ws of site.context.connections) webSocketSendClose(ws, WS_STATUS_GOING_AWAY)
    await within(gone, this.settings.drain)
    await this.#end()
  }

  /** Drops what is left, and waits for what programs do about it. */
  async #end(): Promise<void> {
    if (this.#running === null) return
    const { server, site } = this.#running
    await server.close()
    await within(site.context.leaving.empty(), this.settings.drain)
  }

  /** Drops all connections, frees the ports, and does not start again. */
  async free(): Promise<void> {
    this.#freed = true
    await this.#starting
    await this.#end()
    if (this.#stopping === null) this.#running = null
    else await this.#stopping
  }

  #onExchange(exchange: Exchange): void {
    if (this.#running === null || this.#stopping !== null) new Response(exchange, []).give(answer(503))
    else dispatch(exchange, this.#running.site)
  }
}

/** What happens in the layer goes into the log, and the end of a connection to the hook. */
const observer: Observer = {
  ...logObserver,
  ended: tellEnd,
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

/** Milliseconds that a timer of node can wait: 25 days. */
const LONGEST = 0x7fff_ffff

/** Waits for a promise, `ms` milliseconds at most. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    if (ms <= LONGEST) timer = setTimeout(resolve, ms)
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
  return new Host(known ? config : checkConfig(config, process.cwd()), parts)
}
