import type { Config, WebAction, WebAuthorize, WebHook } from '../../include-types/web.ts'
import type { Engine, Exchange } from '../engine/port.ts'
import { R_ERR_CANT_OPEN } from '../websock/constants.ts'
import { type Context, createContext } from '../websock/context.ts'
import { rError } from '../websock/log.ts'
import type { Socket } from '../websock/socket.ts'
import type { Relay } from '../websock/topics.ts'
import { Actions } from './actions.ts'
import { Admission, refuse, STOPPING } from './admission.ts'
import { renewCertificates, watchCertificates } from './certificates.ts'
import { readConfig } from './config/load.ts'
import type { Settings } from './config/settings.ts'
import { Crowd } from './crowd.ts'
import { dispatch, type Route, type Site } from './dispatch.ts'
import { dismissAll } from './drain.ts'
import { tellEnd } from './hooks.ts'
import { changeListeners, describe, type Listening, openListeners } from './listening.ts'
import type { Meter, Observatory, Observed, Report, Snapshot, WebObserver } from './observer.ts'
import { Response } from './response.ts'
import { keepFixed, type Parts, type Preparation, prepare } from './preparation.ts'
import { beginHandlers, type Draft, endHandlers, openHandlers, openRoute, toFronts } from './routes.ts'
import { isServed, NOBODY, type Running } from './running.ts'
import { openStatus } from './status.ts'
import { Ends } from './ends.ts'
import { within } from './within.ts'
import type { Owner } from './web.ts'

/** A server made from a config. */
export class Host implements Owner, Observed {
  /** What a reload changes. */
  settings: Settings
  readonly observer: WebObserver
  readonly #observatory: Observatory
  readonly #parts: Parts
  readonly actions = new Actions()
  /** Who may use what has a role. */
  authorize: WebAuthorize | null = null
  /** Told of each request, and asked. */
  hook: WebHook | null = null
  #freed = false
  /** Where publishes go in place of our own connections; they come back through `topics`. Null: to our own. */
  relay: Relay | null = null
  #running: Running | null = null
  /** Serves what there is to know about this one, where it was asked for: also while this one stops. */
  #status: Host | null = null
  #starting: Promise<number> | null = null
  #stopping: Promise<void> | null = null
  #reloading: Promise<number> = Promise.resolve(0)
  #dismissing: Promise<void> = Promise.resolve()
  /** What a person at the terminal should be told when it has started. */
  readonly notes: string[] = []
  /** What handlers count, for metrics. */
  readonly meters = new Set<Meter>()
  /** What was made for as long as this runs, in the order in which it was made. */
  readonly ends = new Ends()
  /** Looks at certificates no longer. */
  #unwatch: () => void = () => {}
  /** What the user should hear about, though it works. */
  readonly warnings: string[]
  /** Those that are in the log. */
  #told: ReadonlySet<string> = new Set()
  /** Why the last start or reload has failed, for a person. */
  error: string | null = null

  constructor(settings: Settings, parts: Parts) {
    this.settings = settings
    this.warnings = [...settings.warnings]
    this.#parts = parts
    this.#observatory = parts.createObservatory(this, settings.observe)
    const { observer } = this.#observatory
    this.observer = {
      ...observer,
      opened: (ws, path) => {
        this.#running?.crowd.enter(ws.remoteAddress)
        observer.opened(ws, path)
      },
      ended: (ws) => {
        observer.ended(ws)
        this.#running?.crowd.leave(ws.remoteAddress)
        tellEnd(ws)
      },
    }
  }

  /** What its connections share; null while it does not run. */
  get context(): Context | null {
    return this.#running?.context ?? null
  }

  get topics(): Context['topics'] | null {
    return this.context?.topics ?? null
  }

  get engine(): Engine | null {
    return this.#running?.engine ?? null
  }

  /** Where the host can be reached. */
  get listening(): readonly Listening[] {
    return this.#running?.listening ?? []
  }

  get ready(): boolean {
    return this.#running !== null && this.#starting === null && this.#stopping === null && !this.#freed
  }

  get connections(): number {
    return this.sockets.size
  }

  get pressure(): Context['pressure'] | null {
    return this.context?.pressure ?? null
  }

  get sockets(): ReadonlySet<Socket> {
    return this.context?.connections ?? NOBODY
  }

  /** A page about this host. */
  report(path: string): Promise<Report | null> {
    return this.#observatory.report(path)
  }

  addressOf(exchange: Exchange): string {
    return this.#running?.site.admission.addressOf(exchange) ?? exchange.remoteAddress
  }

  /** What there is to know, to be put together with that of other processes. */
  snapshot(): Promise<Snapshot> {
    return this.#observatory.snapshot()
  }

  addAction(match: string, action: WebAction, role: string | null = null): void {
    this.actions.add(match, action, role)
  }

  /** All listeners or none: 0, or -28 with `error` set. */
  start(): Promise<number> {
    if (this.#running !== null || this.#starting !== null || this.#freed) {
      this.error = this.#freed ? 'The host was freed' : 'The host runs already'
      return Promise.resolve(R_ERR_CANT_OPEN)
    }
    this.#starting = this.#start().finally(() => (this.#starting = null))
    return this.#starting
  }

  async #start(): Promise<number> {
    const { settings } = this
    try {
      const { engine, drafts } = await this.#prepare(settings, [])
      const server = engine.createServer(settings.server, (exchange) => this.#onExchange(exchange))
      const context = createContext(engine.clock, server.topics, this.observer, settings.webSockets)
      context.topics.relay = this.relay
      const crowd = new Crowd(() => engine.clock.now())
      // Requests may come in as soon as the first listener is open.
      const site = this.#toSite(settings, drafts, context, crowd)
      this.#running = { engine, server, context, crowd, site, listening: [] }
      await openHandlers(drafts)
      this.#running.listening = await openListeners(server, settings.endpoints)
      this.#status = await openStatus(settings.observe, this.#parts, this, createHost)
      beginHandlers(drafts)
    } catch (error) {
      this.error = describe(error)
      await this.#running?.server.close()
      await this.ends.run()
      this.#running = null
      return R_ERR_CANT_OPEN
    }
    this.#adopt(settings)
    return 0
  }

  /** Where there is what there is to know about this host; null where nobody has asked for it. */
  get status(): Listening | null {
    return this.#status?.listening[0] ?? null
  }

  /** Everything that a start does before it opens a listener: the engine is found, modules are loaded. */
  async check(): Promise<number> {
    try {
      const { engine } = await this.#prepare(this.settings, [])
      // What an engine cannot be, it says when it is made.
      engine.createServer(this.settings.server, () => {})
      return 0
    } catch (error) {
      this.error = describe(error)
      return R_ERR_CANT_OPEN
    }
  }

  /** Other settings. Connections of routes that stay, stay; others are told to leave. 0; or -28 with `error` set, and all as it was. */
  reload(wanted: Settings | ((now: Settings) => Settings)): Promise<number> {
    this.#reloading = this.#reloading.then(() => this.#reload(wanted))
    return this.#reloading
  }

  async #reload(next: Settings | ((now: Settings) => Settings)): Promise<number> {
    await this.#starting
    const running = this.#running
    if (running === null || this.#stopping !== null) {
      this.error = 'The host does not run'
      return R_ERR_CANT_OPEN
    }
    const { server, context, crowd, site: before } = running
    let settings = this.settings
    try {
      settings = typeof next === 'function' ? next(settings) : next
      if (settings === this.settings) return 0
      const { engine, drafts } = await this.#prepare(settings, before.routes)
      await openHandlers(drafts)
      this.#checkRuns(running)
      if (engine.name !== running.engine.name) throw new Error('web.engine cannot be changed without a restart')
      running.listening = await changeListeners(server, running.listening, settings.endpoints)
      this.#checkRuns(running)
      running.site = this.#toSite(settings, drafts, context, crowd)
      beginHandlers(drafts)
    } catch (error) {
      this.error = describe(error)
      return R_ERR_CANT_OPEN
    }
    endHandlers(before.routes, running.site.routes)
    const fixed = keepFixed(settings, this.settings)
    this.warnings.push(...fixed.warnings)
    for (const name of server.update(settings.server)) this.warnings.push(`${name} counts after a restart`)
    this.#adopt(fixed.settings)
    void this.#dismiss(running, (ws) => !isServed(running.site, ws.context), 'Its route has gone')
    return 0
  }

  /** Throws when a run is over, or about to be. */
  #checkRuns(running: Running): void {
    if (this.#running !== running || this.#stopping !== null || this.#freed) throw new Error('The host stops')
  }

  /** Tells connections to leave. One group after the other: the rate is that of all together. */
  #dismiss({ context }: Running, which: (ws: Socket) => boolean, why: string): Promise<void> {
    const those = (): Socket[] => [...context.connections].filter(which)
    this.#dismissing = this.#dismissing.then(() => dismissAll(those, this.settings.drainRate, why, context.clock))
    return this.#dismissing
  }

  /** Whether a route takes connections: it may have gone while a request was on its way. */
  takes(context: Context): boolean {
    return this.#running !== null && this.#stopping === null && isServed(this.#running.site, context)
  }

  /** These are the settings from now on. */
  #adopt(settings: Settings): void {
    this.settings = settings
    for (const warning of this.warnings) if (!this.#told.has(warning)) rError('web', 'warning: %s', warning)
    this.#told = new Set(this.warnings)
    this.#unwatch()
    this.#unwatch = watchCertificates(settings.endpoints, () => void renewCertificates(this))
  }

  #prepare(settings: Settings, running: readonly Route[]): Promise<Preparation> {
    this.error = null
    this.warnings.length = 0
    return prepare(settings, this, this.#parts, running)
  }

  #toSite(settings: Settings, drafts: readonly Draft[], context: Context, crowd: Crowd): Site {
    context.pressure.limit = settings.maxBuffered
    const routes = drafts.map((draft) => openRoute(draft, context))
    const admission = new Admission(settings.admission, crowd)
    return { host: this, settings, routes, fronts: toFronts(settings, routes), admission, observer: this.observer }
  }

  /** No new connections, Close 1001 to those there are; what has not gone after `timeouts.drain` is dropped. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => (this.#stopping = this.#running = null))
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#starting
    if (this.#running === null) return
    this.#unwatch()
    const gone = this.#running.server.stopListening()
    endHandlers(this.#running.site.routes, [])
    await this.#dismiss(this.#running, () => true, 'The server stops')
    await within(gone, this.settings.drain)
    await this.#end()
  }

  /** Drops what is left, and waits for what programs do about it. */
  async #end(): Promise<void> {
    if (this.#running === null) return
    this.#unwatch()
    const { server, context } = this.#running
    await server.close()
    context.pace.finish()
    await within(context.leaving.empty(), this.settings.drain)
    await this.#status?.free()
    this.#status = null
    await this.ends.run()
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
    if (this.#running !== null && this.#stopping === null) dispatch(exchange, this.#running.site)
    else refuse(new Response(exchange, []), this.observer, STOPPING)
  }
}

/** Makes a host from a config file or object. Throws ConfigError with every problem, a line each. */
export const createHost = (config: string | Config | Settings, parts: Parts): Host =>
  new Host(readConfig(config), parts)
