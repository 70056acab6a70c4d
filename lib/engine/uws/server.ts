import { createServer } from 'node:net'
import { systemClock } from '../clock.ts'
import type { Endpoint, Engine, Exchange, ServerOptions, ServerPort, TopicPort } from '../port.ts'
import { type AppOwner, UwsApp } from './app.ts'
import { loadNative, MAX_HEADER, type Native, type NativeListener, nativeVersion } from './native.ts'
import { UwsTopics } from './topics.ts'

/** Milliseconds for the last Close frames to reach their peers. */
const GOODBYE = 1000

/** The HTTP and WebSocket server of uWebSockets.js. */
class UwsServer implements ServerPort, AppOwner {
  readonly topics: TopicPort
  readonly options: ServerOptions
  readonly onExchange: (exchange: Exchange) => void
  readonly #native: Native
  readonly #apps: UwsApp[] = []
  readonly #listeners: NativeListener[] = []
  #gone: Promise<void> | null = null
  #resolveGone: () => void = () => {}
  /** WebSockets that there were when the server was told to stop. */
  #parting = 0
  #goodbye: NodeJS.Timeout | null = null

  constructor(native: Native, options: ServerOptions, onExchange: (exchange: Exchange) => void) {
    this.#native = native
    this.options = options
    this.onExchange = onExchange
    this.topics = new UwsTopics(this.#apps, options.compression !== false)
  }

  get stopping(): boolean {
    return this.#gone !== null
  }

  async listen({ host, port, tls }: Endpoint): Promise<number> {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`There is no port ${port}`)
    const app = new UwsApp(this.#native, tls, this)
    this.#apps.push(app)
    const listener = await new Promise<NativeListener | false>((resolve) => {
      app.native.listen(host, port, this.#native.LIBUS_LISTEN_EXCLUSIVE_PORT, resolve)
    })
    if (listener === false) throw await listenError(host, port)
    this.#listeners.push(listener)
    return this.#native.us_socket_local_port(listener)
  }

  stopListening(): Promise<void> {
    if (this.#gone === null) {
      this.#gone = new Promise((resolve) => {
        this.#resolveGone = resolve
      })
      for (const listener of this.#listeners) this.#native.us_listen_socket_close(listener)
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
    if (this.#gone === null || this.#count('sockets') > 0 || this.#count('exchanges') > 0) return
    if (this.#parting === 0) this.#resolveGone()
    else this.#goodbye ??= setTimeout(this.#resolveGone, GOODBYE)
  }

  #count(what: 'sockets' | 'exchanges'): number {
    return this.#apps.reduce((sum, app) => sum + app[what], 0)
  }
}

/** The native code only says no: the system's reason comes from trying the same with node. */
function listenError(host: string, port: number): Promise<Error> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', resolve)
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => resolve(new Error(`Cannot listen on ${host}:${port}`)))
    })
  })
}

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
