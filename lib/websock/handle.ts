import type { WebSocket } from '../../include-types/websock.ts'
import { R_ERR_BAD_ARGS, WS_STATE_CLOSED, WS_STATE_CONNECTING, WS_STATUS_NO_STATUS } from './constants.ts'
import { setLimits, toLimit } from './limits.ts'
import { arm, refuse, toMode, toSocket } from './socket.ts'

/*
 * Getters and setters of one connection. Getters work on any handle, also long after close; on something that is no
 * handle they answer as for a connection that never was.
 */

/** The peer's reason; null if it gave none. Never the local one. */
export const webSocketGetCloseReason = (ws: WebSocket | null): string | null => toSocket(ws)?.ending?.reason ?? null

/** 1005 before close; then the peer's status, 1005 if it gave none, 1006 if there was no orderly close. */
export const webSocketGetCloseStatus = (ws: WebSocket | null): number =>
  toSocket(ws)?.closeStatus ?? WS_STATUS_NO_STATUS

/** The last error, refused sends included; null if there was none. */
export const webSocketGetErrorMessage = (ws: WebSocket | null): string | null => toSocket(ws)?.errorMessage ?? null

/** Bytes of the current message up to and with this part; 0 outside MESSAGE and PARTIAL_MESSAGE. */
export const webSocketGetMessageLength = (ws: WebSocket | null): number => toSocket(ws)?.messageLength ?? 0

/** True once the closing handshake was completed. */
export const webSocketGetOrderlyClosed = (ws: WebSocket | null): boolean => {
  const socket = toSocket(ws)
  return socket !== null && socket.state === WS_STATE_CLOSED && socket.ending?.orderly === true
}

/** The negotiated sub-protocol; null without one. */
export const webSocketGetProtocol = (ws: WebSocket | null): string | null => toSocket(ws)?.protocol ?? null

/** What `webSocketGetProtocol` says from now on; the handshake is over. */
export function webSocketSelectProtocol(ws: WebSocket | null, protocol: string): void {
  const socket = toSocket(ws)
  if (socket !== null && typeof protocol === 'string' && protocol !== '') socket.protocol = protocol
}

/** `WS_STATE_…`; 0 for no handle. */
export const webSocketGetState = (ws: WebSocket | null): number => toSocket(ws)?.state ?? WS_STATE_CONNECTING

/** The peer's IP address as its engine saw it, '' when unknown. */
export const webSocketGetRemoteAddress = (ws: WebSocket | null): string => toSocket(ws)?.remoteAddress ?? ''

/** What `webSocketSetData` stored. */
export const webSocketGetData = <D>(ws: WebSocket<D> | null): D | undefined =>
  toSocket(ws) === null ? undefined : ws?.data

/** Keeps a value with the connection for as long as the handle lives. */
export function webSocketSetData<D>(ws: WebSocket<D> | null, data: D): void {
  const socket = toSocket(ws)
  if (socket !== null) socket.data = data
}

/** The Sec-WebSocket-Key: received by a server, sent by a client. */
export const webSocketGetClientKey = (ws: WebSocket | null): string | null => toSocket(ws)?.clientKey ?? null

export function webSocketSetClientKey(ws: WebSocket | null, key: string): void {
  const socket = toSocket(ws)
  if (socket !== null && typeof key === 'string') socket.clientKey = key
}

/**
 * Limits of this connection in bytes, 0 or Infinity for none. `maxFrame` cuts what is sent, and parts in partial mode;
 * `maxMessage` refuses what is sent and received. Values that are no limits are ignored.
 */
export function webSocketSetLimits(ws: WebSocket | null, maxFrame: number, maxMessage: number): void {
  const socket = toSocket(ws)
  if (socket === null) return
  if (!isLimit(maxFrame) || !isLimit(maxMessage)) {
    refuse(socket, R_ERR_BAD_ARGS, 'A limit is a number of bytes, 0 for none')
    return
  }
  setLimits(socket, { maxFrame: toLimit(maxFrame), maxMessage: toLimit(maxMessage) })
}

/** Sends a ping each `ms` milliseconds from now on; 0 or Infinity: never. */
export function webSocketSetPingPeriod(ws: WebSocket | null, ms: number): void {
  const socket = toSocket(ws)
  if (socket === null) return
  if (typeof ms !== 'number' || !(ms >= 0)) {
    refuse(socket, R_ERR_BAD_ARGS, 'A ping period is a number of milliseconds, 0 for none')
    return
  }
  const pingPeriod = toLimit(ms)
  setLimits(socket, { pingPeriod })
  socket.pingAt = pingPeriod === 0 ? 0 : socket.context.wheel.touch() + pingPeriod
  arm(socket)
}

/** Whether messages arrive in parts as they come in; from the next message on. */
export function webSocketSetPartial(ws: WebSocket | null, on: boolean): void {
  const socket = toSocket(ws)
  if (socket !== null) socket.mode = toMode(socket.mode.raw, socket.mode.view, on === true)
}

/** Whether text arrives as a Buffer too. */
export function webSocketSetRaw(ws: WebSocket | null, on: boolean): void {
  const socket = toSocket(ws)
  if (socket !== null) socket.mode = toMode(on === true, socket.mode.view, socket.mode.partial)
}

/** Whether Buffers may be views of the engine's memory, valid until the callback returns or first awaits. */
export function webSocketSetView(ws: WebSocket | null, on: boolean): void {
  const socket = toSocket(ws)
  if (socket !== null) socket.mode = toMode(socket.mode.raw, on === true, socket.mode.partial)
}

/** Whether text is checked to be UTF-8 (default). Switching it off works on the node engine only. */
export function webSocketSetValidateUTF(ws: WebSocket | null, on: boolean): void {
  const socket = toSocket(ws)
  if (socket === null || socket.transport === null) return
  if (!socket.transport.validateUTF(on !== false)) {
    socket.context.observer.warn('webSocketSetValidateUTF is ignored: this engine always checks text')
  }
}

const isLimit = (value: unknown): boolean =>
  typeof value === 'number' && (Number.isInteger(value) || value === Infinity) && value >= 0
