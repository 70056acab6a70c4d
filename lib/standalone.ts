import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { WebSocket } from '../include-types/websock.ts'
import { createStreamEngine } from './engine/select.ts'
import { type Context, createContext, DEFAULTS, publishLimit } from './websock/context.ts'
import { logObserver } from './websock/observer.ts'
import { createConnection } from './websock/receive.ts'

const engine = createStreamEngine(publishLimit(DEFAULTS))
let context: Context | null = null

/**
 * Makes a handle for a stream that has been upgraded already, outside of any host; always on the node engine. Limits are
 * those of the C library (128 KiB a frame, 1 MiB a message), there is no inactivity timeout unless `webSocketRun` is
 * given one, and all such handles share one set of topics.
 *
 * @param sock the stream behind the handshake; bytes that were read from it already go to `webSocketRun` as `buf`
 * @param client true when this end opened the connection: its frames are masked (RFC 6455 §5.1)
 * @returns null when `sock` is no stream
 */
export function webSocketAlloc<D = unknown>(sock: Duplex, client: boolean): WebSocket<D> | null
export function webSocketAlloc(sock: Duplex, client: boolean): WebSocket | null {
  if (!(sock instanceof Duplex)) return null
  context ??= createContext(engine.clock, engine.topics, logObserver)
  const address = sock instanceof Socket ? sock.remoteAddress : undefined
  return createConnection(engine.open(sock, client === true), context, address ?? '', client === true)
}
