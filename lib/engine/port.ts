/**
 * What an engine offers and what it is given: interfaces only. An engine turns bytes into calls of `Receiver` and calls
 * of `Transport` into bytes. It has no queue and no policy: order, limits, timers and close causes live in `websock`.
 */
import type { Agent, IncomingHttpHeaders } from 'node:http'

export type EngineName = 'uws' | 'node'

/** Opcodes that a transport is asked to send, RFC 6455 §5.2. */
export type Opcode = 0x0 | 0x1 | 0x2 | 0x9

/** Where a piece of a data message ends. */
export const PIECE = 0
export const FRAME_END = 1
export const MESSAGE_END = 2
export type PieceEnd = typeof PIECE | typeof FRAME_END | typeof MESSAGE_END

/** Text of as many bytes is worth compressing, where the peer understands that: whole messages, not fragments. */
export const COMPRESS_FROM = 1024
/** Whether permessage-deflate (RFC 7692) is used; with 'takeover' messages may refer to earlier ones (§7.1.1). */
export type CompressionMode = boolean | 'takeover'

/** Time, so that tests can hold it still. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls `fn` every `ms` until the returned function is called. Does not keep the process alive. */
  every(ms: number, fn: () => void): () => void
  /** Calls `fn` once, unless the returned function is called before. `ref`: the process lives until then. */
  after(ms: number, fn: () => void, ref: boolean): () => void
  /** Calls `fn` once, after pending input has been read. */
  defer(fn: () => void): void
}

/** Downward: one upgraded connection. No method throws; all are harmless once the connection is gone. */
export interface Transport {
  /** Whether `pause` stops the peer. Where it cannot, the layer bounds its queue by closing. */
  readonly canPause: boolean
  setReceiver(receiver: Receiver): void
  /**
   * Sends one frame, unconditionally. `length` is the payload in bytes (for text: encoded).
   * Returns true when nothing is left waiting in this process.
   */
  send(data: string | Uint8Array, length: number, opcode: Opcode, fin: boolean): boolean
  /** Sends the Close frame, status 0 for one without payload (RFC 6455 §5.5.1). Nothing may be sent after it. */
  close(status: number, reason: string): void
  /** Ends TCP after what is queued; input is read and dropped from here on. */
  end(): void
  /** Ends TCP at once. */
  abort(): void
  /** The process need not stay for the end of this connection. */
  unref(): void
  /** Bytes that the kernel has not taken yet. */
  buffered(): number
  /** Bytes of memory that they would take with `more` behind them: buffers grow in steps. 0 where the kernel has taken all. */
  held(more: number): number
  /** Falls while the peer reads what was sent, as long as some of it waits in this process; no number of bytes. */
  pressure(): number
  /** Whether more than `limit` bytes wait, as far as the last send has shown. */
  congested(limit: number): boolean
  /** Bytes that may be sent in several frames before some would be dropped. A single frame never is. */
  room(): number
  /** Asks for one `onDrain` when `buffered()` is 0. */
  requestDrain(): void
  /** Sends made while `fn` runs leave together. */
  cork(fn: () => void): void
  /** Stops calls of the receiver, and reading, until `resume`. */
  pause(): void
  resume(): void
  /** Bytes that somebody else has read from this connection already: false when it is too late or impossible. */
  inject(bytes: Uint8Array): boolean
  /** False when this engine cannot do without checking. */
  validateUTF(on: boolean): boolean
  subscribe(topic: string): boolean
  unsubscribe(topic: string): boolean
  isSubscribed(topic: string): boolean
}

/** Upward: what the layer does with a connection. `bytes` are valid during the call only. */
export interface Receiver {
  /** Bytes of the longest message that the layer takes, 0: any. For engines that have to know while they decompress. */
  readonly maxMessage: number
  /** The header of a data frame is complete. False: the layer has failed the connection, stop. Engines that see whole messages only never call it. */
  onFrame(length: number): boolean
  /** Payload. Text is valid UTF-8 as far as it goes, unless validation was switched off. */
  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void
  /** Bytes of any kind have arrived. */
  onActivity(): void
  /** A Pong, whatever it answers (RFC 6455 §5.5.3): what it says is good during the call. */
  onPong(payload: Buffer): void
  onDrain(): void
  /** Whether the connection goes on where a publish does not fit; read before `onOverrun`. */
  readonly dropsNew: boolean
  /** A publish found this connection over its limit. */
  onOverrun(): void
  /** The peer broke the protocol; `status` is the code that RFC 6455 has for it. Nothing but `onGone` follows. */
  onFault(status: number, text: string): void
  /** The peer's Close frame; status 1005 when it had none. Nothing but `onGone` follows. */
  onClose(status: number, reason: string): void
  /** The peer has ended its side without Close. Nothing but `onGone` follows. */
  onEnd(): void
  /** TCP is gone. The last call. */
  onGone(): void
}

/** Fan-out of one server. A frame is made once, however many receive it. */
export interface TopicPort {
  /** Returns the number of subscribers. */
  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number
  subscribers(topic: string): number
}

export type HeaderList = readonly (readonly [name: string, value: string])[]

/** One HTTP request and its answer. Plain values: reading them is safe at any time. */
export interface Exchange {
  readonly method: string
  /** As sent: path and query, undecoded. */
  readonly target: string
  /** '1.0' or '1.1' */
  readonly version: string
  /** Lower-case names; repeated fields joined as RFC 9110 §5.3 has it. */
  readonly headers: Readonly<Record<string, string>>
  /** The peer's IP address, '' when unknown, as it is when nobody has asked before the end. */
  readonly remoteAddress: string
  readonly secure: boolean
  /** The name of the endpoint that it came to. */
  readonly listener: string
  /** Its listener has more connections than it should. */
  readonly crowded: boolean
  /** True once the peer has gone or the answer has been ended. */
  readonly done: boolean
  /** Reads the body; null when it is longer than `limit` bytes, or the server's `maxBody`, or the peer has gone. */
  readBody(limit: number): Promise<Buffer | null>
  /** Nobody wants the body: what comes of it is dropped, and the connection ends with the answer. */
  refuseBody(): void
  writeHead(status: number, headers: HeaderList): void
  /** False: wait for `onDrain` before writing more. */
  write(chunk: string | Uint8Array): boolean
  onDrain(fn: () => void): void
  onAbort(fn: () => void): void
  /** The end of the answer. Nobody changes `chunk` any more. */
  end(chunk?: string | Uint8Array): void
  /** Drops the connection without an answer. */
  abort(): void
  /** Answers 101; null when the peer has gone. `protocol` '' leaves the header out. */
  upgrade(protocol: string, headers: HeaderList): Transport | null
}

export interface ServerOptions {
  /** Bytes of one request's header block. */
  maxHeader: number
  /** Other processes listen on the same ports. */
  sharesPorts: boolean
  /** Connections of any kind on one listener: exchanges of more are `crowded`, and beyond `crowdLimit` they are closed at once. */
  maxConnections: number
  /** Requests on one connection before it is closed; 0: any. */
  maxRequests: number
  /** Milliseconds for the header block, and for a whole request; 0: any. */
  parseTimeout: number
  requestTimeout: number
  /** Bytes of a request's body. */
  maxBody: number
  /** Bytes of the longest message that the layer takes, 0: any. For engines that have to know before the layer can. */
  maxMessage: number
  /** Paths of listeners, as they are sent, on which messages are shorter, with '*' at the end for all that begin so: an engine that has to know before keeps no more of one. */
  paths?: readonly { readonly path: string; readonly listeners: readonly string[]; readonly maxMessage: number }[]
  /** A publish is not sent to a connection, and `onOverrun` called, while more bytes than this wait in it. */
  publishLimit: number
  /** Milliseconds of silence that the host allows, Infinity: any. For engines that drop who has closed and does not read. */
  inactivity: number
  /** What clients may ask for. */
  compression: CompressionMode
}

/** Connections of a listener that are taken so that they can be told that there are too many. */
export const crowdLimit = (maxConnections: number): number =>
  maxConnections + Math.max(16, Math.ceil(maxConnections / 8))

export interface Endpoint {
  /** What comes in is told apart by it; several may share one. */
  readonly name: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Null for plain TCP. */
  readonly tls: TlsFiles | null
}

/** A certificate and its key in PEM, their paths and what was read from them, and what is asked of clients. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: Buffer
  readonly key: Buffer
  /** OpenSSL's list; null for the engine's own. */
  readonly ciphers: string | null
  /** Who signs the certificates of clients; null: those that the system trusts. */
  readonly authority: Buffer | null
  /** Whether a client needs a certificate: none, any, or one that is issued by the authority. */
  readonly verify: 'none' | 'any' | 'issued'
}

export interface ServerPort {
  readonly topics: TopicPort
  /** Resolves with the bound port, or rejects with the system's error. */
  listen(endpoint: Endpoint): Promise<number>
  /** No new connections on one listener; those that exist go on. */
  unlisten(endpoint: Endpoint): void
  /** Other certificates for connections that come from now on. Rejects when they cannot be used: those of before stay. */
  setTls(endpoint: Endpoint, tls: TlsFiles): Promise<void> | void
  /** Other options from now on; returns the settings, as a config names them, that this cannot change. */
  update(options: ServerOptions): readonly string[]
  /** No new connections; those that exist go on. Resolves when the last of them has gone. */
  stopListening(): Promise<void>
  /** Drops what is left; resolves when it has gone. */
  close(): Promise<void>
}

/** A setting that an engine cannot follow. */
export interface Unfollowed {
  /** As a config names it, below `web`. */
  readonly setting: string
  /** The value that makes no difference; undefined: each does. */
  readonly unless?: unknown
  /** What the engine does. */
  readonly instead: string
}

/** A connection that a client is to make. */
export interface DialOptions {
  /** http: or https: */
  readonly url: URL
  /** Sent beside those of the handshake itself. */
  readonly headers: HeaderList
  /** Sub-protocols to offer. */
  readonly protocols: readonly string[]
  readonly compression: CompressionMode
  /** As `tls.connect` of node takes them. */
  readonly tls: Readonly<Record<string, unknown>>
  /** Makes the connection in place of the engine. */
  readonly agent: Agent | null
  readonly signal: AbortSignal
}

/** A connection that was made: RFC 6455 §4.1 holds for the server's answer. */
export interface Dialed {
  readonly transport: Transport
  /** What the server has chosen; '' for none. */
  readonly protocol: string
  /** The Sec-WebSocket-Key that was sent. */
  readonly key: string
  readonly remoteAddress: string
}

/** Why there is none. */
export interface DialFailure {
  /** There was no connection, or its answer is not that of a WebSocket server. */
  readonly cause: 'connect' | 'answer'
  readonly message: string
  /** Of the answer; 0 without one. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** What was kept of its body. */
  readonly body: string
}

/** The client side. */
export interface ClientPort {
  /** Never rejects. */
  dial(options: DialOptions): Promise<Dialed | DialFailure>
}

export interface Engine {
  readonly name: EngineName
  /** For the start line: what does the work, and its version. */
  readonly version: string
  readonly clock: Clock
  readonly unfollowed: readonly Unfollowed[]
  createServer(options: ServerOptions, onExchange: (exchange: Exchange) => void): ServerPort
}
