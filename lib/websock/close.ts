import type { WebSocket } from '../../include-types/websock.ts'
import { isCloseStatus } from '../rfc6455.ts'
import {
  R_ERR_BAD_ARGS,
  WS_MAX_CONTROL,
  WS_STATE_CLOSING,
  WS_STATUS_COMMS_ERROR,
  WS_STATUS_NO_STATUS,
  WS_STATUS_OK,
} from './constants.ts'
import { payloadLength, truncate } from './payload.ts'
import { settle } from './result.ts'
import { relieve } from './backlog.ts'
import { finish, LOST } from './run.ts'
import { type Cause, isClosing, linger, refuse, type Socket, toSocket } from './socket.ts'

/**
 * Closes the connection: sends Close, waits for the peer's, 5 s or as long as the peer still reads what was sent before,
 * then ends TCP. MESSAGE events that wait are dropped, CLOSE follows the callback that runs now. Sends are refused from
 * here on.
 *
 * @param status 1000-1003, 1007-1014, 3000-4999; 0 or 1005 sends a Close without payload
 * @param reason cut to 123 bytes on a code point boundary
 * @returns bytes of the Close payload; 0 when the connection closes or has closed already; -6 for a status that may not
 *   be sent, nothing has happened then
 */
export function webSocketSendClose(ws: WebSocket | null, status: number = WS_STATUS_OK, reason = ''): number {
  const socket = toSocket(ws)
  if (socket === null) return R_ERR_BAD_ARGS
  if (isClosing(socket)) return 0
  const empty = status === 0 || status === WS_STATUS_NO_STATUS
  if (!empty && !isCloseStatus(status)) return refuse(socket, R_ERR_BAD_ARGS, 'Not a close status that may be sent')
  if (reason !== null && typeof reason !== 'string') return refuse(socket, R_ERR_BAD_ARGS, 'A close reason is a string')
  const text = empty ? '' : truncate(reason ?? '', WS_MAX_CONTROL - 2)
  startClose(socket, empty ? 0 : status, text, {
    initiator: 'us',
    code: empty ? WS_STATUS_NO_STATUS : status,
    reason: text,
  })
  return empty ? 0 : 2 + payloadLength(text)
}

/** Closes a connection for a reason that its peer is not told. */
export function dismiss(socket: Socket, status: number, reason: string): void {
  if (!isClosing(socket)) startClose(socket, status, '', { initiator: 'us', code: status, reason })
}

function startClose(socket: Socket, status: number, reason: string, cause: Cause): void {
  socket.state = WS_STATE_CLOSING
  if (socket.outgoing !== null) socket.outgoing.more = null
  socket.queue?.dropData()
  linger(socket, cause)
  socket.transport?.close(status, reason)
  relieve(socket)
}

const FREED: Cause = { initiator: 'us', code: WS_STATUS_COMMS_ERROR, reason: 'Dropped' }

/**
 * Drops the connection: no Close frame, CLOSE with 1006. While a callback is pending `webSocketRun` resolves at once
 * with -1006, and CLOSE follows if that callback ever settles.
 */
export function webSocketFree(ws: WebSocket | null): void {
  const socket = toSocket(ws)
  if (socket === null) return
  const { transport } = socket
  socket.queue?.dropData()
  finish(socket, { ...LOST, cause: FREED }, null, null)
  transport?.abort()
  if (socket.busy) settle(socket, -WS_STATUS_COMMS_ERROR)
}
