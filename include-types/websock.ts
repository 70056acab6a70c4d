/**
 * Public types of the webSocketRun layer. Types only: importing them costs nothing at run time.
 */

/** What an event carries: text as string, binary as Buffer, an error text, or nothing. */
export type WebSocketData = string | Buffer | null

/** `WS_EVENT_…` */
export type WebSocketEvent = 0 | 1 | 2 | 3 | 4

/**
 * The callback of one connection. It may return a promise: the next event of the same connection waits for it, other
 * connections do not. `this` is undefined, `arg` is what `webSocketRun` was given.
 *
 * | event             | buf                                  | len                       |
 * | ----------------- | ------------------------------------ | ------------------------- |
 * | `OPEN`            | `null`                               | 0                         |
 * | `MESSAGE`         | `string` (text) or `Buffer` (binary) | payload bytes             |
 * | `PARTIAL_MESSAGE` | same, a part with more to follow     | payload bytes of the part |
 * | `ERROR`           | `string`, what went wrong            | its bytes                 |
 * | `CLOSE`           | `null`                               | 0                         |
 */
export type WebSocketProc<D = unknown, A = unknown> = (
  ws: WebSocket<D>,
  event: WebSocketEvent,
  buf: WebSocketData,
  len: number,
  arg: A,
) => unknown

/** One connection. Opaque: the `webSocket…` functions work on it, the fields are for reading. */
export interface WebSocket<D = unknown> {
  /** True when this end made the connection. */
  readonly client: boolean
  /** `WS_MSG_TEXT` or `WS_MSG_BINARY` while MESSAGE or PARTIAL_MESSAGE is delivered, else 0. */
  readonly type: number
  /** True for MESSAGE, false for PARTIAL_MESSAGE. */
  readonly fin: boolean
  /** `WS_STATE_…` */
  readonly state: number
  /** 0, or the `WS_STATUS_…` that ended the connection abnormally; where a client could not connect, 6, 12, 21, 22 or 38. */
  readonly error: number
  /** The peer's status; 1005 until known. */
  readonly closeStatus: number
  /** What `webSocketSetData` stored; readable after close. */
  readonly data: D | undefined
  /** Where `webSocketPublish` reaches this connection's subscribers; the same object as its host's. */
  readonly topics: WebSocketTopics
  /** Server: the web request. Client: the options of the connection. */
  parent: unknown
}

/** The topics of one host: what `webSocketPublish` takes. */
export interface WebSocketTopics {
  /** Number of connections that have subscribed. */
  subscribers(topic: string): number
}

/** Limits and times that a connection starts with; bytes and milliseconds. 0 or Infinity: none. */
export interface WebSocketDefaults {
  /** Longest frame that is sent, and longest part that is delivered in partial mode. */
  maxFrame: number
  /** Longest message, sent or received. */
  maxMessage: number
  /** Longest message that is sent, where it is another than `maxMessage`. */
  maxSent?: number
  /** Sends are refused with -41 while more than this waits to be read by the peer. */
  maxBackpressure: number
  /** Bytes (payload + 64 an event) that may wait for a callback. 0: the greater of 1 MiB and twice `maxMessage`. */
  maxQueue: number
  /** Without traffic for this long the connection is closed. */
  timeout: number
  /** Only what the peer sends is traffic. Default false. */
  inboundOnly?: boolean
  /** A ping is sent this often. */
  pingPeriod: number
  /** No pong within so many milliseconds of a ping, whatever else comes: Close 1011. Default 0: none is waited for. */
  pongTimeout?: number
  /**
   * What becomes of a peer that reads too slowly. `close`: what is published to it beyond `maxBackpressure` ends it with Close
   * 1013. `drop-new`: it misses that. `pause`: as `close`, and while half of `maxBackpressure` waits nothing is read from it; node engine.
   */
  backpressure: 'close' | 'drop-new' | 'pause'
  /** Deliver PARTIAL_MESSAGE events. */
  partial: boolean
  /** Check that text is UTF-8 (RFC 6455 §8.1). */
  validateUTF: boolean
}

/** A JSON tree under construction: what `jsonAlloc` makes. */
export interface Json {
  readonly root: JsonObject
}
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject
export interface JsonObject {
  [key: string]: JsonValue
}

/** Where log lines go. `fields`: what there is to know about an event, such as the end of a connection, by name. */
export type LogSink = (
  level: 'error' | 'info' | 'trace',
  source: string,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void
