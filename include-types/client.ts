/**
 * Public types of the client side. Types only: importing them costs nothing at run time.
 */
import type { Agent, IncomingHttpHeaders } from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import type { WebSocket } from './websock.ts'

/** Header fields: by name, or lines as C has them (`'Name: value\r\nName: value'`). */
export type UrlHeaders = Readonly<Record<string, string>> | string

/** What `tls.connect` of node knows under these names. Read anew for each connection: certificates may be renewed. */
export interface UrlTlsOptions extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'ciphers'> {
  /** Name for SNI and for the check of the certificate; default: the host of the URL. */
  readonly servername?: string
  /** Default true: a certificate that does not check out fails the connection. */
  readonly rejectUnauthorized?: boolean
  /** Default 'TLSv1.2'. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** Bytes and milliseconds; 0 or Infinity: none. */
export interface UrlWebSocketOptions {
  /** Sent with the handshake. Upgrade, Connection and Sec-WebSocket-… are ours to set and refused (-6). */
  readonly headers?: UrlHeaders
  /** Sub-protocols to offer; the server takes one of them or none. */
  readonly protocols?: string | readonly string[]
  /** The Origin header. */
  readonly origin?: string
  /** Silence after which the connection is closed with 1001; default none. */
  readonly timeout?: number
  /** For the connection and the handshake together; default 10,000. */
  readonly handshakeTimeout?: number
  /** Default none. */
  readonly pingPeriod?: number
  /** Default 1 MiB. */
  readonly maxMessage?: number
  /** Default 128 KiB. */
  readonly maxFrame?: number
  /** Deliver PARTIAL_MESSAGE events; default false. */
  readonly partial?: boolean
  /** Offer permessage-deflate (RFC 7692), 'takeover': with context takeover; default false. */
  readonly compression?: boolean | 'takeover'
  readonly tls?: UrlTlsOptions
  /** Makes the connection in place of ours, which goes by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. */
  readonly agent?: Agent
  /** Ends the attempt; of `urlWebSocket` and the loop also the connection, with 1001. */
  readonly signal?: AbortSignal
}

/** Why there is no connection: what `urlWebSocketOpen` rejects with. */
export interface UrlError extends Error {
  /** -6 bad argument, -12 the answer is not that of a WebSocket, -21 aborted, -22 cannot connect, -38 timeout */
  readonly code: number
  /** Of the answer; 0 without one. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The first 4 KiB of the answer's body. */
  readonly body: string
}

/** How long to wait before the next attempt. */
export interface ReconnectDelay {
  /** Milliseconds before the first attempt after a loss, and the least that there are between two attempts. */
  readonly min: number
  /** The longest. */
  readonly max: number
  /** Each attempt that fails multiplies the wait; default 2. */
  readonly factor?: number
  /** 'full': a random time between `min` and the wait after the next failure; default 'none'. */
  readonly jitter?: 'none' | 'full'
}

export interface ReconnectOptions extends Omit<UrlWebSocketOptions, 'headers'> {
  /** A function is asked before each attempt: for tokens that expire. It has `handshakeTimeout`; what it throws fails the attempt. */
  readonly headers?: UrlHeaders | (() => UrlHeaders | PromiseLike<UrlHeaders>)
  /** Milliseconds between the end of a connection and the next attempt; default 5000. */
  readonly reconnectInterval?: number | ReconnectDelay
  /** Milliseconds that a connection has to last before waits begin at `min` again; default 10,000. */
  readonly stableAfter?: number
  /**
   * Asked after each end that was not `stop`; false ends the loop. `httpStatus` is that of a refused handshake, else 0.
   * Default: always; after 401 and 403 the wait is the longest one, with jitter from the upper half.
   */
  readonly shouldReconnect?: (status: number, reason: string | null, httpStatus: number) => boolean
  /** The wait does not keep the process alive; default false. */
  readonly unref?: boolean
}

/** What `webSocketClientLoop` returns. */
export interface ClientLoop<D = unknown> {
  /** The open connection; null in between. */
  readonly ws: WebSocket<D> | null
  /** Attempts so far. */
  readonly attempts: number
  /**
   * Resolves when the loop has ended and the last CLOSE was handled: 0 after `stop` or `signal`, else what has ended it:
   * -6 for arguments that are wrong from the start, or the last result where `shouldReconnect` has said no.
   */
  readonly done: Promise<number>
  /**
   * Closes the connection, for which a server has 5 s, or gives up the attempt or the wait; no attempt follows. Does
   * nothing the second time.
   */
  stop(code?: number, reason?: string): void
}
