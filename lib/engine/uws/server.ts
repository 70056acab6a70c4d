import { systemClock } from '../clock.ts'
import { findFreePort } from '../free-port.ts'
import type { Endpoint, Engine, Exchange, ServerOptions, ServerPort, TlsFiles, TopicPort } from '../port.ts'
import { type AppOwner, type Door, UwsApp } from './app.ts'
import { loadNative, MAX_HEADER, type Native, type NativeListener, nativeVersion } from './native.ts'
import { UwsTopics } from './topics.ts'

/** Others may listen on the port, too: SO_REUSEPORT. */
const SHARED_PORT = 0
/** Milliseconds for the last Close frames to reach their peers. */
const GOODBYE = 1000

/** A listener, and the app that it belongs to. */
interface Open {
  readonly door: Door
  readonly port: number
  readonly app: UwsApp
  readonly listener: NativeListener
}

/** The HTTP and WebSocket server of uWebSockets.js. */
class UwsServer implements ServerPort, AppOwner {
  readonly topics: TopicPort
  options: ServerOptions
  readonly onExchange: (exchange: Exchange) => void
  readonly #native: Native
  /** Also those without a listener, for as long as they have connections. */
  readonly #apps = new Set<UwsApp>()
  readonly #listeners = new Map<Endpoint, Open>()
  #retired = 0
  #gone: Promise<void> | null = null
  #resolveGone: () => void = () => {}
  /** WebSockets that there were when the server was told to stop. */
  #parting = 0
  #goodbye: NodeJS.Timeout | null = null

  constructor(native: Native, options: ServerOptions, onExchange: (exchange: Exchange) => void) {
    this.#native = native
    this.options = options
    this.onExchange = onExchange
    this.topics = new UwsTopics(this.#apps)
  }

  get stopping(): boolean {
    return this.#gone !== null
  }

  async listen(endpoint: Endpoint): Promise<number> {
    const { host, port, tls } = endpoint
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`There is no port ${port}`)
    // Another certificate is another app on the same port: it has to be one that can be shared, and is free now.
    const shared = tls !== null || this.options.sharesPorts
    const free = shared && !this.options.sharesPorts ? await findFreePort(host, port) : port
    const open = await this.#open(endpoint, tls, free, shared, { name: endpoint.name, connections: 0 })
    if (this.stopping) {
      this.#retire(open)
      throw new Error('The server stops')
    }
    this.#listeners.set(endpoint, open)
    return open.port
  }

  async #open({ host }: Endpoint, tls: Endpoint['tls'], port: number, shared: boolean, door: Door): Promise<Open> {
    const native = this.#native
    const app = new UwsApp(native, tls, this, door)
    const listener = await new Promise<NativeListener | false>((resolve) => {
      app.native.listen(host, port, shared ? SHARED_PORT : native.LIBUS_LISTEN_EXCLUSIVE_PORT, resolve)
    })
    if (listener === false) throw await listenError(host, port)
    this.#apps.add(app)
    return { door, app, listener, port: native.us_socket_local_port(listener) }
  }

  unlisten(endpoint: Endpoint): void {
    const open = this.#listeners.get(endpoint)
    this.#listeners.delete(endpoint)
    if (open !== undefined) this.#retire(open)
  }

  /** No new connections; the app goes with its last one. */
  #retire({ app, listener }: Open): void {
    this.#native.us_listen_socket_close(listener)
    app.retired = true
    this.#retired++
    this.onEnd()
  }

  #dropRetired(): void {
    for (const app of this.#apps) {
      // Also those that have not finished their TLS handshake.
      if (!app.retired || app.connections > 0) continue
      this.#retired--
      this.#apps.delete(app)
      // Not while it tells of its last connection.
      systemClock.defer(() => app.close())
    }
  }

  async setTls(endpoint: Endpoint, tls: TlsFiles): Promise<void> {
    const before = this.#listeners.get(endpoint)
    if (before === undefined) return
    // Both listen for a moment, so that nobody is turned away.
    const open = await this.#open(endpoint, tls, before.port, true, before.door)
    this.#listeners.set(endpoint, open)
    this.#retire(before)
  }

  update(options: ServerOptions): readonly string[] {
    this.options = options
    const names = new Set<string>()
    for (const { longest, fixed } of this.#apps) {
      if (options.maxMessage === 0 || options.maxMessage > longest) names.add('limits.maxMessage')
      if (waiting(options) !== waiting(fixed)) names.add('limits.maxBackpressure')
      if (options.compression !== fixed.compression) names.add('webSockets.compression')
    }
    return [...names]
  }

  stopListening(): Promise<void> {
    if (this.#gone === null) {
      this.#gone = new Promise((resolve) => {
        this.#resolveGone = resolve
      })
      for (const { listener } of this.#listeners.values()) this.#native.us_listen_socket_close(listener)
      this.#parting = this.#count('sockets')
      this.onEnd()
    }
    return this.#gone
  }

  close(): Promise<void> {
    const gone = this.stopListening()
    for (const app of this.#apps) app.close()
    if (this.#goodbye !== null) clearTimeout(this.#goodbye)
    this.#resolveGone()
    return gone
  }

  /**
   * Looks whether all have gone. Connections that only wait for another request are not waited for; a Close that was sent
   * may still be on its way, which nothing tells, and gets a moment.
   */
  onEnd(): void {
    if (this.#retired > 0) this.#dropRetired()
    if (this.#gone === null || this.#count('sockets') > 0 || this.#count('exchanges') > 0) return
    // What was answered in this turn leaves at its end.
    if (this.#parting === 0) systemClock.defer(this.#resolveGone)
    else this.#goodbye ??= setTimeout(this.#resolveGone, GOODBYE)
  }

  #count(what: 'sockets' | 'exchanges'): number {
    let count = 0
    for (const app of this.#apps) count += app[what]
    return count
  }
}

/** Bytes that may wait for a peer when something is published to it, beside the message. */
const waiting = ({ publishLimit, maxMessage }: ServerOptions): number => publishLimit - maxMessage

/** The native code only says no: the system's reason comes from trying the same with node. */
const listenError = (host: string, port: number): Promise<unknown> =>
  findFreePort(host, port).then(
    () => new Error(`Cannot listen on ${host}:${port}`),
    (error: unknown) => error,
  )

/** Loads uWebSockets.js; rejects where it has no binary for this machine and this version of Node. */
export async function loadUwsEngine(): Promise<Engine> {
  const native = await loadNative()
  return {
    name: 'uws',
    version: `uWebSockets.js ${nativeVersion()}`,
    clock: systemClock,
    unfollowed: [
      { setting: 'webSockets.validateUTF', unless: true, instead: 'text is always checked' },
      { setting: 'limits.requests', instead: 'a connection takes any number of requests' },
      { setting: 'timeouts.parse', instead: 'a header block has about 12 seconds' },
      { setting: 'timeouts.request', instead: 'a body has to come at 16 KB a second' },
    ],
    createServer(options, onExchange) {
      if (options.maxHeader > MAX_HEADER) {
        throw new Error(
          `limits.header: the uws engine takes ${MAX_HEADER} bytes at most: lower it, or set engine to 'node'`,
        )
      }
      return new UwsServer(native, options, onExchange)
    },
  }
}
