import type { UrlWebSocketOptions } from '../../../include-types/client.ts'
import type { ClientPort, Dialed, DialFailure } from '../../engine/port.ts'
import { webSocketSendClose } from '../close.ts'
import { WS_STATUS_GOING_AWAY } from '../constants.ts'
import type { Context } from '../context.ts'
import { createConnection } from '../receive.ts'
import { type AnyProc, run, runFailed } from '../run.ts'
import { setLimits } from '../limits.ts'
import { Socket, toMode } from '../socket.ts'
import { aborted, ClientError, dialFailed, timedOut } from './error.ts'
import { toPlan } from './plan.ts'

/** What the connections of clients share. */
export interface ClientSide {
  readonly port: ClientPort
  readonly context: Context
}

/** Makes a connection: nothing is delivered before it runs. Never rejects. */
export async function open(
  { port, context }: ClientSide,
  url: unknown,
  options: UrlWebSocketOptions,
): Promise<Socket | ClientError> {
  const plan = toPlan(url, options)
  if (plan instanceof ClientError) return plan
  const attempt = new AbortController()
  const abort = (): void => attempt.abort()
  const release = onAbort(options.signal, abort)
  const { handshakeTimeout: ms } = plan
  const cancel = ms === 0 ? null : context.clock.after(ms, abort, true)
  const dialed = attempt.signal.aborted ? null : await port.dial({ ...plan, signal: attempt.signal })
  cancel?.()
  release()
  if (options.signal?.aborted === true || dialed === null) return drop(dialed, aborted())
  // What a server has said counts more than that it did not finish.
  if ('cause' in dialed && dialed.cause === 'answer') return dialFailed(dialed)
  if (attempt.signal.aborted) return drop(dialed, timedOut(ms))
  if ('cause' in dialed) return dialFailed(dialed)
  const ws = createConnection(dialed.transport, context, dialed.remoteAddress, true)
  setLimits(ws, plan.limits)
  ws.mode = toMode(false, false, plan.partial)
  ws.protocol = dialed.protocol === '' ? null : dialed.protocol
  ws.clientKey = dialed.key
  ws.parent = options
  return ws
}

/** A connection that came too late. */
function drop(dialed: Dialed | DialFailure | null, error: ClientError): ClientError {
  if (dialed !== null && 'transport' in dialed) dialed.transport.abort()
  return error
}

/** Makes a connection and runs it; where there is none, ERROR and CLOSE are delivered on a handle that never opens. */
export async function connect(
  side: ClientSide,
  url: unknown,
  callback: AnyProc,
  arg: unknown,
  options: UrlWebSocketOptions,
): Promise<number> {
  const opened = await open(side, url, options)
  if (opened instanceof ClientError) return fail(side, callback, arg, options, opened)
  const release = onAbort(options.signal, () => webSocketSendClose(opened, WS_STATUS_GOING_AWAY))
  const result = await run(opened, callback, arg)
  release()
  return result
}

export function fail(
  { context }: ClientSide,
  callback: AnyProc,
  arg: unknown,
  options: unknown,
  { code, message }: ClientError,
): Promise<number> {
  const ws = new Socket(null, context, '', true)
  ws.parent = options
  return runFailed(ws, callback, arg, code, message)
}

/** Calls `fn` when the signal is aborted, also where it was before; until the returned function is called. */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  if (signal?.aborted === true) fn()
  signal?.addEventListener('abort', fn, { once: true })
  return () => signal?.removeEventListener('abort', fn)
}
