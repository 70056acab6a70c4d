import { type CompressionMode, crowdLimit, type Endpoint, type Exchange, type ServerOptions } from '../port.ts'
import { type Home, UwsExchange } from './exchange.ts'
import { guard, rethrow } from './guard.ts'
import type {
  Native,
  NativeApp,
  NativeBehavior,
  NativeContext,
  NativeRequest,
  NativeResponse,
  NativeSocket,
} from './native.ts'

/** Longest message that uWebSockets.js can be told. */
const MAX_PAYLOAD = 0x7fff_ffff
/** Messages a little too long still reach the layer, which closes with a reason. */
const MIN_GRACE = 65_536
/**
 * Seconds, the most that uWebSockets.js takes. The layer has timers of its own, but one thing only uWebSockets.js can do:
 * drop who has closed and does not read what still waits for him. With an idle timeout he has 12 to 16 seconds for that,
 * again after each piece that he reads; without one up to 4 for the first piece, and then forever. The price: who says
 * nothing for this long is sent a ping.
 */
const LONGEST_IDLE = 960

/** What an app tells its server. */
export interface AppOwner {
  readonly options: ServerOptions
  /** Whether connections end with their answer. */
  readonly stopping: boolean
  onExchange(exchange: Exchange): void
  /** Something has ended. */
  onEnd(): void
}

/** What the apps of one listener share. */
export interface Door {
  readonly name: string
  connections: number
}

/** One listener's part of uWebSockets.js: an app of its own, so that its connections can be counted. */
export class UwsApp implements Home {
  readonly native: NativeApp
  readonly secure: boolean
  #owner: AppOwner
  /** What holds for as long as it lives, as uWebSockets.js was told. */
  readonly fixed: ServerOptions
  /** Connections of any kind: its own, and together with other apps of its listener. */
  connections = 0
  readonly #door: Door
  /** Those that are WebSockets. */
  sockets = 0
  /** It has no listener any more, and goes with its last connection. */
  retired = false
  /** Requests that have not been answered. */
  exchanges = 0
  /** The socket of an upgrade that is being made. */
  readonly #opened: NativeSocket[] = []

  constructor(native: Native, tls: Endpoint['tls'], owner: AppOwner, door: Door) {
    this.#owner = owner
    this.fixed = owner.options
    this.#door = door
    this.secure = tls !== null
    this.native =
      tls === null
        ? native.App()
        : native.SSLApp({
            cert_file_name: tls.certFile,
            key_file_name: tls.keyFile,
            ...(tls.ciphers === null ? {} : { ssl_ciphers: tls.ciphers }),
          })
    this.native.filter((res, change) => {
      this.connections += change
      door.connections += change
      if (this.retired) this.#owner.onEnd()
      if (door.connections > crowdLimit(this.#owner.options.maxConnections)) res.close()
    })
    for (const { path, listeners, maxMessage } of this.fixed.paths ?? []) {
      if (listeners.includes(door.name)) this.native.ws(path, this.#createBehavior(native, longest(maxMessage)))
    }
    this.native.ws('/*', this.#createBehavior(native, this.longest))
    this.native.any('/*', (res, req) => this.#request(res, req, null))
  }

  /** Drops all connections, and what the handlers hold on to: the native app, and they with it, is never freed. */
  close(): void {
    this.native.close()
    this.#owner = { options: this.#owner.options, stopping: true, onExchange: () => {}, onEnd: () => {} }
  }

  // For exchanges and transports

  get room(): number {
    return this.fixed.publishLimit
  }

  get compression(): boolean {
    return this.fixed.compression !== false
  }

  get takeover(): boolean {
    return this.fixed.compression === 'takeover'
  }

  get maxBody(): number {
    return this.#owner.options.maxBody
  }

  get stopping(): boolean {
    return this.#owner.stopping
  }

  get listener(): string {
    return this.#door.name
  }

  get crowded(): boolean {
    return this.#door.connections > this.#owner.options.maxConnections
  }

  /** Bytes of a message that uWebSockets.js takes. */
  get longest(): number {
    return longest(this.fixed.maxMessage)
  }

  takeOpened(): NativeSocket | null {
    const ws = this.#opened.pop() ?? null
    if (ws !== null) this.sockets++
    return ws
  }

  onDone(): void {
    this.exchanges--
    this.#owner.onEnd()
  }

  #request(res: NativeResponse, req: NativeRequest, context: NativeContext | null): void {
    const { maxHeader } = this.#owner.options
    this.exchanges++
    const exchange = new UwsExchange(res, req, context, this)
    // The path of every request, too.
    try {
      if (maxHeader !== 0 && exchange.headerBytes > maxHeader) exchange.refuse(431)
      // Behind an answer it would go on reading.
      else if (exchange.ambiguous) exchange.abort()
      else this.#owner.onExchange(exchange)
    } catch (error) {
      exchange.abort()
      rethrow(error)
    }
    exchange.leave()
  }

  /** Limits and timers of uWebSockets.js are off, or beyond the layer's own, which closes with a reason. */
  #createBehavior(native: Native, maxPayloadLength: number): NativeBehavior {
    const { publishLimit, compression, inactivity } = this.fixed
    const forever = inactivity === Infinity
    return {
      compression: toNativeCompression(native, compression),
      maxPayloadLength,
      maxBackpressure: publishLimit < MAX_PAYLOAD ? publishLimit : 0,
      closeOnBackpressureLimit: false,
      idleTimeout: forever ? 0 : LONGEST_IDLE,
      sendPingsAutomatically: !forever,
      maxLifetime: 0,
      upgrade: (res, req, context) => this.#request(res, req, context),
      // No code of ours, but a function of the engine itself: while an upgrade that comes later is made, uWebSockets.js still
      // looks at memory that it has given back. A function that has to be compiled first may take it, and the connection
      // ends behind its 101.
      open: this.#opened.push.bind(this.#opened),
      // The path of every message: no closure is made on it.
      message: ({ transport }, message, binary) => transport.received(message, binary),
      ping: ({ transport }) => transport.active(),
      pong: ({ transport }, message) => guard(() => transport.ponged(message)),
      drain: ({ transport }) => guard(() => transport.drained()),
      dropped: ({ transport }) => transport.dropped(),
      close: ({ transport }, code, message) => {
        // The filter is told of plain requests only.
        this.connections--
        this.#door.connections--
        if (this.#opened.pop() === undefined) this.sockets--
        guard(() => transport.closed(code, message))
        this.#owner.onEnd()
      },
    }
  }
}

/** Bytes of a message that uWebSockets.js takes where the layer takes so many. */
function longest(maxMessage: number): number {
  const most = maxMessage === 0 ? Infinity : maxMessage + Math.max(MIN_GRACE, maxMessage / 4)
  return Math.min(MAX_PAYLOAD, Math.floor(most))
}

/** A dedicated compressor and decompressor keep the window of each connection, some 300 KB for it. */
function toNativeCompression(native: Native, mode: CompressionMode): number {
  if (mode === false) return native.DISABLED
  return mode === 'takeover'
    ? native.DEDICATED_COMPRESSOR | native.DEDICATED_DECOMPRESSOR
    : native.SHARED_COMPRESSOR | native.SHARED_DECOMPRESSOR
}
