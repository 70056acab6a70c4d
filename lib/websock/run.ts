import type { WebSocket, WebSocketData, WebSocketEvent, WebSocketProc } from '../../include-types/websock.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_STATE,
  R_ERR_BUSY,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATE_CLOSED,
  WS_STATE_CLOSING,
  WS_STATE_OPEN,
  WS_STATUS_COMMS_ERROR,
  WS_STATUS_INTERNAL_ERROR,
} from './constants.ts'
import { enqueue, relieve } from './backlog.ts'
import { hasRun, RunResult, settle } from './result.ts'
import { setLimits, toLimit } from './limits.ts'
import { arm, type Cause, type Ending, type Initiator, linger, type Socket, toSocket } from './socket.ts'
import { isThenable } from './thenable.ts'

/**
 * Delivery: the one place that calls a callback, and the one place where a connection ends.
 *
 * Events of a connection are delivered one at a time and in order. A callback that returns nothing costs a call. One
 * that returns a promise makes later events wait in the queue, whose bound turns into TCP backpressure.
 */

/** Events delivered in a row before other connections get their turn. */
const TURN = 64

/**
 * Gives the connection its callback: OPEN is delivered at once, then whatever has come in, and so on until CLOSE.
 *
 * @param ws the connection
 * @param callback called for each event; may return a promise
 * @param arg passed to the callback unchanged
 * @param buf bytes that were read from the peer already; processed right after OPEN
 * @param timeout milliseconds without traffic after which the connection is closed with 1001; 0 or Infinity: none;
 *   default: the host's `timeouts.inactivity`, none for a client
 * @returns resolves once, after CLOSE was handled, and never rejects: 0 after an orderly close, minus the
 *   `WS_STATUS_…` otherwise; -6 for bad arguments, -18 when the connection runs already, -14 when it has run
 */
export function webSocketRun<D>(ws: WebSocket<D> | null, callback: WebSocketProc<D, undefined>): Promise<number>
export function webSocketRun<D, A>(
  ws: WebSocket<D> | null,
  callback: WebSocketProc<D, A>,
  arg: A,
  buf?: Uint8Array | null,
  timeout?: number,
): Promise<number>
export function webSocketRun<D, A>(
  ws: WebSocket<D> | null,
  callback: WebSocketProc<D, A>,
  arg?: A,
  buf?: Uint8Array | null,
  timeout?: number,
): Promise<number> {
  const socket = toSocket(ws)
  const wait = timeout ?? 0
  if (ws === null || socket === null || typeof callback !== 'function') return Promise.resolve(R_ERR_BAD_ARGS)
  if (typeof wait !== 'number' || !(wait >= 0)) return Promise.resolve(R_ERR_BAD_ARGS)
  if (socket.proc !== null) return Promise.resolve(hasRun(socket) ? R_ERR_BAD_STATE : R_ERR_BUSY)
  if (buf !== undefined && buf !== null && !(buf instanceof Uint8Array)) return Promise.resolve(R_ERR_BAD_ARGS)

  if (timeout !== undefined) setLimits(socket, { timeout: toLimit(wait) })
  return run(socket, callback, arg, buf ?? null)
}

/** A callback whose data and `arg` are their caller's affair. */
export type AnyProc = WebSocketProc<never, never>

/** What `webSocketRun` does when it has looked at its arguments. */
export function run(socket: Socket, callback: AnyProc, arg: unknown, buf: Uint8Array | null = null): Promise<number> {
  bind(socket, callback, arg)
  return start(socket, buf) ? new RunResult(socket) : Promise.resolve(R_ERR_BAD_ARGS)
}

/**
 * The public signatures see to it that handle, callback and `arg` fit together, and `arg` is left out only where A is
 * undefined. The three are kept apart: bound together they would cost each connection a closure.
 */
function bind(socket: Socket, callback: AnyProc, arg: unknown): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  socket.proc = callback as WebSocketProc
  socket.arg = arg
}

/** For a client that could not connect: ERROR and CLOSE on a handle that never opens. Resolves with `code`. */
export function runFailed(
  socket: Socket,
  callback: AnyProc,
  arg: unknown,
  code: number,
  text: string,
): Promise<number> {
  bind(socket, callback, arg)
  const cause: Cause = { initiator: 'network', code: WS_STATUS_COMMS_ERROR, reason: text }
  socket.ending = { ...LOST, error: -code, cause, at: socket.context.wheel.touch(), buffered: 0 }
  socket.errorMessage = text
  post(socket, WS_EVENT_ERROR, text, Buffer.byteLength(text), 0, 0)
  post(socket, WS_EVENT_CLOSE, null, 0, 0, 0)
  return new RunResult(socket)
}

/** False when it is too late for `buf`. */
function start(ws: Socket, buf: Uint8Array | null): boolean {
  // What is in `buf` comes behind OPEN.
  ws.busy = true
  if (buf !== null && buf.length > 0 && !(ws.transport?.inject(buf) ?? false)) {
    ws.busy = false
    ws.proc = null
    return false
  }
  if (!ws.ended) {
    const now = ws.context.wheel.touch()
    ws.lastActive = now
    const { pingPeriod } = ws.limits
    if (ws.pingAt === 0 && pingPeriod !== 0) ws.pingAt = now + pingPeriod
    arm(ws)
  }
  // OPEN always sees an open connection, also one that has gone meanwhile; what happened comes behind it.
  ws.state = WS_STATE_OPEN
  if (ws.ended) ws.context.leaving.add(ws)
  if (invoke(ws, WS_EVENT_OPEN, null, 0, 0, 0)) drain(ws)
  return true
}

/** Hands an event to the callback now, or to the queue when it has to wait. `buf` must be owned if it does. */
export function post(
  ws: Socket,
  event: WebSocketEvent,
  buf: WebSocketData,
  len: number,
  type: number,
  total: number,
  waits = mustWait(ws),
): void {
  if (waits) enqueue(ws, { event, buf, len, type, total })
  else if (invoke(ws, event, buf, len, type, total) && ws.queue !== null && ws.queue.length > 0) drain(ws)
}

/** Whether an event that arises now goes to the queue. */
export const mustWait = (ws: Socket): boolean =>
  ws.busy || ws.proc === null || (ws.queue !== null && ws.queue.length > 0)

/** Calls the callback. True when it has finished, false when it is pending. */
function invoke(
  ws: Socket,
  event: WebSocketEvent,
  buf: WebSocketData,
  len: number,
  type: number,
  total: number,
): boolean {
  ws.busy = true
  ws.type = type
  ws.fin = event === WS_EVENT_MESSAGE
  ws.messageLength = total
  const { proc } = ws
  try {
    const result = proc?.(ws, event, buf, len, ws.arg)
    if (isThenable(result)) {
      whenSettled(ws, event, result)
      return false
    }
  } catch (error) {
    callbackFailed(ws, event, error)
  }
  release(ws, event)
  return true
}

/** Apart from `invoke`, which would pay for these closures each time. */
function whenSettled(ws: Socket, event: WebSocketEvent, result: PromiseLike<unknown>): void {
  void Promise.resolve(result).then(
    () => resume(ws, event),
    (error: unknown) => {
      callbackFailed(ws, event, error)
      resume(ws, event)
    },
  )
}

/** The callback of `event` has settled. */
function release(ws: Socket, event: WebSocketEvent): void {
  ws.busy = false
  ws.type = 0
  ws.fin = false
  ws.messageLength = 0
  if (event === WS_EVENT_OPEN) {
    if (ws.ended) ws.state = WS_STATE_CLOSED
    else if (ws.closing !== null) ws.state = WS_STATE_CLOSING
  } else if (event === WS_EVENT_CLOSE) {
    settle(ws, 0 - ws.error)
    ws.context.leaving.delete(ws)
  }
}

function resume(ws: Socket, event: WebSocketEvent): void {
  release(ws, event)
  drain(ws)
}

/** Delivers what waits, until a callback is pending or others should have a turn. */
function drain(ws: Socket): void {
  const { queue } = ws
  if (queue === null || queue.yielding) return
  for (let left = TURN; !ws.busy; left--) {
    if (queue.length === 0) break
    if (left === 0) {
      queue.yielding = true
      ws.context.clock.defer(() => {
        queue.yielding = false
        drain(ws)
      })
      return
    }
    const item = queue.shift()
    if (item !== undefined) invoke(ws, item.event, item.buf, item.len, item.type, item.total)
    relieve(ws)
  }
  relieve(ws)
}

/** A callback threw or rejected: it hurts its own connection only. */
function callbackFailed(ws: Socket, event: WebSocketEvent, error: unknown): void {
  ws.context.observer.callbackFailed(ws, event, error)
  if (event === WS_EVENT_CLOSE) return
  ws.queue?.dropData()
  if (!ws.ended) ws.errorMessage = `Callback failed: ${errorText(error)}`
  fail(ws, WS_STATUS_INTERNAL_ERROR, WS_STATUS_INTERNAL_ERROR, null)
  // It may have ended otherwise before; what the caller must hear is that its own code failed.
  if (ws.ending !== null) ws.ending = { ...ws.ending, error: WS_STATUS_INTERNAL_ERROR, orderly: false }
}

/** What is thrown may be anything, also something that has no text. */
export function errorText(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'unknown'
  }
}

/** The connection was lost, or is not waited for any longer. */
export const LOST: Omit<Ending, 'at' | 'cause' | 'buffered'> = {
  error: WS_STATUS_COMMS_ERROR,
  status: WS_STATUS_COMMS_ERROR,
  reason: null,
  orderly: false,
}

/**
 * Ends the connection, whatever the cause: once, with CLOSE as the last event.
 *
 * @param text the text of the ERROR event; null: there is none
 * @param close the Close to send first: the answer to the peer's, with its reason, or the fault that was found; 0: one
 *   without status; null: none
 * @param closeReason the reason in it
 */
export function finish(
  ws: Socket,
  ending: Omit<Ending, 'at' | 'buffered'>,
  text: string | null,
  close: number | null,
  closeReason = ending.reason ?? '',
): void {
  if (ws.ending !== null) return
  // Whoever said Close first, began.
  const cause = ws.closing?.cause ?? ending.cause
  ws.ending = { ...ending, cause, at: ws.context.wheel.touch(), buffered: ws.transport?.buffered() ?? 0 }
  ws.state = WS_STATE_CLOSED
  if (ws.outgoing !== null) ws.outgoing.more = null
  ws.incoming = null
  ws.context.connections.delete(ws)
  if (close !== null) ws.transport?.close(close, closeReason)
  // A client leaves the end of TCP to the server (RFC 6455 §7.1.1), unless the connection has failed.
  if (!ws.client || !ending.orderly) ws.transport?.end()
  // It is over: that server need not be waited for by a process that has nothing else to do.
  if (ws.client) ws.transport?.unref()
  linger(ws, cause)
  settleFlushes(ws, R_ERR_BAD_STATE)
  if (text !== null) {
    ws.errorMessage = text
    post(ws, WS_EVENT_ERROR, text, Buffer.byteLength(text), 0, 0)
  }
  post(ws, WS_EVENT_CLOSE, null, 0, 0, 0)
  if (ws.proc !== null && !hasRun(ws)) ws.context.leaving.add(ws)
  ws.context.observer.ended(ws)
}

/** Fails the connection from this side (RFC 6455 §7.1.7): Close `close`, the end of TCP, ERROR, CLOSE. */
export const fail = (
  ws: Socket,
  close: number,
  error: number,
  text: string | null,
  initiator: Initiator = 'us',
): void =>
  finish(ws, { ...LOST, error, cause: { initiator, code: close, reason: text ?? ws.errorMessage ?? '' } }, text, close)

/** Resolves the calls of `webSocketFlush`. */
export function settleFlushes(ws: Socket, result: number): void {
  const { outgoing } = ws
  if (outgoing === null) return
  const { flushes } = outgoing
  outgoing.flushes = null
  if (flushes !== null) for (const resolve of flushes) resolve(result)
}
