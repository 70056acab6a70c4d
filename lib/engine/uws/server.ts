import { createServer } from 'node:net'
import { createSecureContext } from 'node:tls'
import { systemClock } from '../clock.ts'
import type { Endpoint, Engine, Exchange, ServerOptions, ServerPort, TopicPort } from '../port.ts'
import { type Home, UwsExchange } from './exchange.ts'
import {
  loadNative,
  MAX_HEADER,
  type Native,
  type NativeApp,
  type NativeBehavior,
  type NativeContext,
  type NativeListener,
  type NativeRequest,
  type NativeResponse,
  nativeVersion,
} from './native.ts'
import type { UwsTransport } from './transport.ts'

/** Milliseconds for the last Close frames to reach their peers. */
const GOODBYE = 1000
/** Longest message that uWebSockets.js can be told. */
const MAX_PAYLOAD = 0x7fff_ffff
/** Messages a little too long still reach the layer, which closes with a reason. */
const MIN_GRACE = 65_536

/** The topics of all apps as one. */
class UwsTopics implements TopicPort {
  readonly #apps: readonly NativeApp[]
  readonly #compression: boolean

  constructor(apps: readonly NativeApp[], compression: boolean) {
    this.#apps = apps
    this.#compression = compression
  }

  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number {
    let count = 0
    for (const app of this.#apps) {
      const subscribers = app.numSubscribers(topic)
      if (subscribers > 0) app.publish(topic, data, binary, this.#compression && !binary && length >= 1024)
      count += subscribers
    }
    return count
  }

  subscribers(topic: string): number {
    return this.#apps.reduce((sum, app) => sum + app.numSubscribers(topic), 0)
  }
}

/** The HTTP and WebSocket server of uWebSockets.js. */
class UwsServer implements ServerPort {
  readonly topics: TopicPort
  readonly #native: Native
  readonly #options: ServerOptions
  readonly #onExchange: (exchange: Exchange) => void
  readonly #apps: NativeApp[] = []
  readonly #listeners: NativeListener[] = []
  /** What is under way: connections of any kind, requests without an answer, WebSockets. */
  #connections = 0
  #exchanges = 0
  #sockets = 0
  #gone: Promise<void> | null = null
  #resolveGone: () => void = () => {}
  #goodbye: NodeJS.Timeout | null = null

  constructor(native: Native, options: ServerOptions, onExchange: (exchange: Exchange) => void) {
    this.#native = native
    this.#options = options
    this.#onExchange = onExchange
    this.topics = new UwsTopics(this.#apps, options.compression)
  }

  async listen({ host, port, tls }: Endpoint): Promise<number> {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`There is no port ${port}`)
    // Says what is wrong with the files, which the native app does not.
    if (tls !== null) createSecureContext({ cert: tls.cert, key: tls.key })
    const app = this.#createApp(tls)
    const { LIBUS_LISTEN_EXCLUSIVE_PORT, us_socket_local_port } = this.#native
    const listener = await new Promise<NativeListener | false>((resolve) => {
      app.listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, resolve)
    })
    if (listener === false) throw await listenError(host, port)
    this.#listeners.push(listener)
    return us_socket_local_port(listener)
  }

  stopListening(): Promise<void> {
    if (this.#gone === null) {
      this.#gone = new Promise((resolve) => {
        this.#resolveGone = resolve
      })
      for (const listener of this.#listeners) this.#native.us_listen_socket_close(listener)
      this.#look()
    }
    return this.#gone
  }

  close(): Promise<void> {
    const gone = this.stopListening()
    for (const app of this.#apps) app.close()
    // These are not told to the filter.
    this.#connections = 0
    this.#look()
    return gone
  }

  #createApp(tls: Endpoint['tls']): NativeApp {
    const { App, SSLApp } = this.#native
    const { maxConnections, maxHeader } = this.#options
    const app = tls === null ? App() : SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile })
    const home = this.#createHome(tls !== null)
    let connections = 0
    app.filter((res, change) => {
      connections += change
      this.#connections += change
      if (change > 0 && connections > maxConnections) res.close()
      if (change < 0) this.#look()
    })
    const onRequest = (res: NativeResponse, req: NativeRequest, context: NativeContext | null): void => {
      this.#exchanges++
      const exchange = new UwsExchange(res, req, context, home)
      // What is thrown through the native code ends the process without a word.
      try {
        if (maxHeader !== 0 && exchange.headerBytes > maxHeader) refuse(exchange)
        else this.#onExchange(exchange)
      } catch (error) {
        exchange.abort()
        rethrow(error)
      }
    }
    app.ws('/*', this.#createBehavior(onRequest))
    app.any('/*', (res, req) => onRequest(res, req, null))
    this.#apps.push(app)
    return app
  }

  #createHome(secure: boolean): Home {
    const { publishLimit, compression, maxBody } = this.#options
    const isStopping = (): boolean => this.#gone !== null
    return {
      room: publishLimit,
      compression,
      secure,
      maxBody,
      get stopping() {
        return isStopping()
      },
      onDone: () => {
        this.#exchanges--
        this.#look()
      },
    }
  }

  /** Limits and timers of uWebSockets.js are off, or beyond the layer's own, which closes with a reason. */
  #createBehavior(upgrade: (res: NativeResponse, req: NativeRequest, context: NativeContext) => void): NativeBehavior {
    const { maxMessage, publishLimit, compression } = this.#options
    const { DISABLED, SHARED_COMPRESSOR, SHARED_DECOMPRESSOR } = this.#native
    return {
      compression: compression ? SHARED_COMPRESSOR | SHARED_DECOMPRESSOR : DISABLED,
      maxPayloadLength: Math.min(
        MAX_PAYLOAD,
        maxMessage === 0 ? Infinity : maxMessage + Math.max(MIN_GRACE, maxMessage >> 2),
      ),
      maxBackpressure: Number.isFinite(publishLimit) ? Math.min(publishLimit, MAX_PAYLOAD) : 0,
      closeOnBackpressureLimit: false,
      idleTimeout: 0,
      sendPingsAutomatically: false,
      maxLifetime: 0,
      upgrade,
      open: (ws) => {
        this.#sockets++
        ws.transport.opened(ws)
      },
      message: ({ transport }, message, binary) => {
        try {
          transport.received(message, binary)
        } catch (error) {
          failed(transport, error)
        }
      },
      ping: ({ transport }) => transport.active(),
      pong: ({ transport }) => transport.active(),
      drain: ({ transport }) => guard(transport, () => transport.drained()),
      dropped: ({ transport }) => guard(transport, () => transport.dropped()),
      close: ({ transport }, code, message) => {
        this.#sockets--
        guard(transport, () => transport.closed(code, message))
        this.#look()
      },
    }
  }

  /** Whether all have gone. Connections that only wait for another request are not waited for. */
  #look(): void {
    if (this.#gone === null) return
    if (this.#connections === 0) {
      if (this.#goodbye !== null) clearTimeout(this.#goodbye)
      this.#resolveGone()
    } else if (this.#sockets === 0 && this.#exchanges === 0) {
      this.#goodbye ??= setTimeout(this.#resolveGone, GOODBYE)
    }
  }
}

/** An error of ours: as on the node engine it is an uncaught exception, not the end of the process without a trace. */
const rethrow = (error: unknown): void => {
  setImmediate(() => {
    throw error
  })
}

/** Nothing may be thrown through the native code: it ends the process without a word. */
function guard(transport: UwsTransport, fn: () => void): void {
  try {
    fn()
  } catch (error) {
    failed(transport, error)
  }
}

const failed = (transport: UwsTransport, error: unknown): void => {
  transport.abort()
  rethrow(error)
}

function refuse(exchange: Exchange): void {
  exchange.writeHead(431, [])
  exchange.end()
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
      if (options.maxHeader > MAX_HEADER)
        throw new Error(`limits.header: the uws engine takes ${MAX_HEADER} bytes at most`)
      return new UwsServer(native, options, onExchange)
    },
  }
}
