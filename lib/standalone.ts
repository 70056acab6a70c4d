import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { ClientLoop, ReconnectOptions, UrlWebSocketOptions } from '../include-types/client.ts'
import type { WebSocket, WebSocketProc } from '../include-types/websock.ts'
import { createStreamEngine } from './engine/select.ts'
import { ClientError } from './websock/client/error.ts'
import { Loop, type UrlSource } from './websock/client/loop.ts'
import { type ClientSide, connect, open } from './websock/client/open.ts'
import { R_ERR_BAD_ARGS } from './websock/constants.ts'
import { createContext, DEFAULTS, publishLimit } from './websock/context.ts'
import { logObserver } from './websock/observer.ts'
import { createConnection } from './websock/receive.ts'
import type { AnyProc } from './websock/run.ts'

/*
 * Connections outside of any host, always on the node engine. Limits are those of the C library (128 KiB a frame, 1 MiB a
 * message) unless something else is asked for.
 */

const engine = createStreamEngine(publishLimit(DEFAULTS))
let made: ClientSide | null = null
const side = (): ClientSide =>
  (made ??= { port: engine.client, context: createContext(engine.clock, engine.topics, logObserver) })

/**
 * Makes a handle for a stream that has been upgraded already. There is no inactivity timeout unless `webSocketRun` is
 * given one; all such handles share one set of topics.
 *
 * @param sock the stream behind the handshake; bytes that were read from it already go to `webSocketRun` as `buf`
 * @param client true when this end opened the connection: its frames are masked (RFC 6455 §5.1)
 * @returns null when `sock` is no stream
 */
export function webSocketAlloc<D = unknown>(sock: Duplex, client: boolean): WebSocket<D> | null
export function webSocketAlloc(sock: Duplex, client: boolean): WebSocket | null {
  if (!(sock instanceof Duplex)) return null
  const address = sock instanceof Socket ? sock.remoteAddress : undefined
  return createConnection(engine.open(sock, client === true), side().context, address ?? '', client === true)
}

/**
 * Connects to a WebSocket server and runs the connection, as `webSocketRun` does. Where there is no connection, the
 * callback gets ERROR and CLOSE without an OPEN.
 *
 * @param url `ws:` or `wss:` (`http:` and `https:` mean the same); a user in it becomes Basic credentials
 * @param callback called for each event
 * @param arg passed to the callback unchanged
 * @param options or the headers to send, as lines
 * @returns resolves once, after CLOSE was handled, and never rejects: what `webSocketRun` resolves with, or -6 bad
 *   argument, -12 the server's answer is not that of a WebSocket, -21 aborted, -22 cannot connect, -38 timeout
 */
export function urlWebSocket<D = unknown, A = undefined>(
  url: string | URL,
  callback: WebSocketProc<D, A>,
  arg?: A,
  options?: UrlWebSocketOptions | string | null,
): Promise<number>
export function urlWebSocket(
  url: string | URL,
  callback: AnyProc,
  arg?: unknown,
  options?: UrlWebSocketOptions | string | null,
): Promise<number> {
  if (typeof callback !== 'function') return Promise.resolve(R_ERR_BAD_ARGS)
  return connect(side(), url, callback, arg, typeof options === 'string' ? { headers: options } : (options ?? {}))
}

/**
 * Connects to a WebSocket server. What it sends meanwhile waits for `webSocketRun`.
 *
 * @param options `signal` ends the attempt only
 * @returns the connection; rejects with a `UrlError`
 */
export function urlWebSocketOpen<D = unknown>(
  url: string | URL,
  options?: UrlWebSocketOptions | null,
): Promise<WebSocket<D>>
export async function urlWebSocketOpen(url: string | URL, options?: UrlWebSocketOptions | null): Promise<WebSocket> {
  const opened = await open(side(), url, options ?? {})
  if (opened instanceof ClientError) throw opened
  return opened
}

/**
 * Keeps a connection to a server: connects, runs it, and when it has ended waits and connects again, until `stop`. Each
 * attempt has a handle of its own, and the callback gets OPEN … CLOSE, or ERROR and CLOSE where there was no connection.
 * Nothing that is sent in between is kept: sends on an old handle return -14, on `loop.ws`, null then, -6.
 *
 * A loss is noticed by the end of TCP, a reset, or silence: pings are sent each 30 s, and 2.5 periods without an answer
 * end the connection, unless `pingPeriod` and `timeout` say otherwise.
 *
 * @param url or a function, also an async one, that is asked before each attempt: for tokens in it that expire
 * @returns at once. Arguments that are wrong from the start resolve `done` with -6
 */
export function webSocketClientLoop<D = unknown, A = undefined>(
  url: UrlSource,
  callback: WebSocketProc<D, A>,
  arg?: A,
  options?: ReconnectOptions | string | null,
): ClientLoop<D>
export function webSocketClientLoop(
  url: UrlSource,
  callback: AnyProc,
  arg?: unknown,
  options?: ReconnectOptions | string | null,
): ClientLoop {
  return new Loop(side(), url, callback, arg, typeof options === 'string' ? { headers: options } : (options ?? {}))
}
