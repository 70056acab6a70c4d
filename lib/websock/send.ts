// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
import type { WebSocket, WebSocketData } from '../../include-types/websock.ts'
import type { Transport } from '../engine/port.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_STATE,
  R_ERR_BUSY,
  R_ERR_WONT_FIT,
  R_ERR_WOULD_BLOCK,
  WEB_MORE,
  WS_MAX_CONTROL,
  WS_MSG_BINARY,
  WS_MSG_CONT,
  WS_MSG_MORE,
  WS_MSG_PING,
  WS_MSG_TEXT,
  WS_STATE_OPEN,
} from './constants.ts'
import { hold } from './backlog.ts'
import { format } from './format.ts'
import { jsonText } from './json.ts'
import { codePointEnd, type Payload, payloadLength, toPayload } from './payload.ts'
import { isClosing, type MoreSequence, Outgoing, refuse, type Socket, toSocket } from './socket.ts'

/*
 * Sends return the payload bytes they accepted, or a negative code, and never throw. A refused send leaves the
 * connection as it was and explains itself in webSocketGetErrorMessage:
 *
 *   -6  bad argument        -14 not open              -18 another message is being sent in parts
 *   -40 over maxMessage     -41 the peer has not read enough; webSocketFlush tells when to try again
 */

/** Bytes of the longest header of a frame that a server sends: RFC 6455 §5.2, without a mask. */
const WS_MAX_HEADER = 10

/** Formats as printf does and sends TEXT. Never pass a peer's text as `fmt`. */
export function webSocketSend(ws: WebSocket | null, fmt: string, ...args: unknown[]): number {
  if (typeof fmt !== 'string') return badArgument(ws, 'A format is a string')
  return sendText(ws, format(fmt, args))
}

/** Sends `text` as it is; -6 for anything but a string. */
export function webSocketSendString(ws: WebSocket | null, text: WebSocketData): number {
  if (typeof text !== 'string') return badArgument(ws, 'Only a string can be sent as text')
  return sendText(ws, text)
}

/**
 * Sends strict JSON: of a tree made with `jsonAlloc`, its node `nid` or what `key` names below it, or of any plain value,
 * whole or what the dotted path `key` names. -6 for what has no JSON text.
 */
export function webSocketSendJson(ws: WebSocket | null, json: unknown, nid = 0, key: string | null = null): number {
  const text = jsonText(json, nid, key)
  if (text === null) return badArgument(ws, 'Not found, or has no JSON text')
  return sendText(ws, text)
}

/**
 * Sends a block as one message, or as a part of one.
 *
 * @param type `WS_MSG_TEXT`, `WS_MSG_BINARY` or `WS_MSG_PING` (125 bytes at most). With `| WS_MSG_MORE` more parts follow
 *   as `WS_MSG_CONT | WS_MSG_MORE`, the last as `WS_MSG_CONT`; each part is at least one frame
 * @param msg bytes sent as TEXT must be UTF-8, which is not checked; they may be changed when the call has returned
 * @param len the first so many bytes of `msg`; for strings ignored
 */
export function webSocketSendBlock(
  ws: WebSocket | null,
  type: number,
  msg: WebSocketData | Uint8Array | ArrayBuffer,
  len?: number,
): number {
  const socket = toSocket(ws)
  const payload = cut(toPayload(msg), len)
  if (socket === null) return R_ERR_BAD_ARGS
  if (payload === null) return refuse(socket, R_ERR_BAD_ARGS, 'Not a block that can be sent')
  if (!Number.isInteger(type)) return refuse(socket, R_ERR_BAD_ARGS, 'Not a message type')
  const more = (type & (WS_MSG_MORE | WEB_MORE)) !== 0
  const opcode = type & ~(WS_MSG_MORE | WEB_MORE)
  if (opcode === WS_MSG_PING && !more) return sendPing(socket, payload)
  if (opcode === WS_MSG_CONT) return sendPart(socket, payload, WS_MSG_CONT, more)
  if (opcode !== WS_MSG_TEXT && opcode !== WS_MSG_BINARY) return refuse(socket, R_ERR_BAD_ARGS, 'Not a message type')
  return more ? sendPart(socket, payload, opcode, true) : sendMessage(socket, payload, opcode)
}

/** Resolves with 0 when the peer's kernel has been given everything, with -14 when the connection ended first. */
export function webSocketFlush(ws: WebSocket | null): Promise<number> {
  const socket = toSocket(ws)
  if (socket === null) return Promise.resolve(R_ERR_BAD_ARGS)
  const { transport } = socket
  if (socket.ended || transport === null) return Promise.resolve(R_ERR_BAD_STATE)
  if (transport.buffered() === 0) return Promise.resolve(0)
  return new Promise((resolve) => {
    const outgoing = (socket.outgoing ??= new Outgoing())
    if (outgoing.flushes !== null) {
      outgoing.flushes.push(resolve)
      return
    }
    // In place before it is asked for: what is written now may end the connection at once.
    outgoing.flushes = [resolve]
    transport.requestDrain()
  })
}

/** Bytes that the kernel has not taken yet; 0 after close. */
export function webSocketGetBufferedAmount(ws: WebSocket | null): number {
  const socket = toSocket(ws)
  if (socket === null || socket.ended) return 0
  return (socket.transport?.buffered() ?? 0) + heldBytes(socket)
}

/** The sends that `fn` makes leave together, in as few writes as possible; a Close made inside leaves behind them. */
export function webSocketCork(ws: WebSocket | null, fn: () => void): void {
  const transport = toSocket(ws)?.transport
  if (typeof fn !== 'function') return
  if (!transport) return fn()
  let failure: { error: unknown } | null = null
  transport.cork(() => {
    // Nothing may be thrown through an engine.
    try {
      fn()
    } catch (error) {
      failure = { error }
    }
  })
  rethrow(failure)
}

function rethrow(failure: { error: unknown } | null): void {
  if (failure !== null) throw failure.error
}

function badArgument(ws: WebSocket | null, message: string): number {
  const socket = toSocket(ws)
  return socket === null ? R_ERR_BAD_ARGS : refuse(socket, R_ERR_BAD_ARGS, message)
}

function cut(payload: Payload | null, len: number | undefined): Payload | null {
  if (len === undefined || payload === null || typeof payload === 'string') return payload
  return Number.isInteger(len) && len >= 0 ? payload.subarray(0, len) : null
}

function sendText(ws: WebSocket | null, text: string): number {
  const socket = toSocket(ws)
  return socket === null ? R_ERR_BAD_ARGS : sendMessage(socket, text, WS_MSG_TEXT)
}

function sendMessage(socket: Socket, payload: Payload, opcode: 1 | 2): number {
  const length = payloadLength(payload)
  const refused = check(socket, length)
  if (refused !== 0) return refused
  if (sequenceOf(socket) !== null) return refuse(socket, R_ERR_BUSY, 'Another message is being sent in parts')
  emit(socket, payload, length, opcode, true)
  return length
}

function sendPing(socket: Socket, payload: Payload): number {
  const length = payloadLength(payload)
  if (length > WS_MAX_CONTROL) return refuse(socket, R_ERR_WONT_FIT, 'A ping carries 125 bytes at most')
  const refused = check(socket, 0)
  if (refused !== 0) return refused
  socket.transport?.send(payload, length, WS_MSG_PING, true)
  return length
}

/** A part of a `WS_MSG_MORE` sequence: its first when `opcode` is TEXT or BINARY, its last when `more` is false. */
function sendPart(socket: Socket, payload: Payload, opcode: 0 | 1 | 2, more: boolean): number {
  const length = payloadLength(payload)
  const begun = sequenceOf(socket)
  const refused = check(socket, length + (begun?.bytes ?? 0))
  if (refused !== 0) return refused
  if (opcode === WS_MSG_CONT) {
    if (begun === null) return refuse(socket, R_ERR_BAD_ARGS, 'There is no message to continue')
  } else if (begun !== null) {
    return refuse(socket, R_ERR_BUSY, 'Another message is being sent in parts')
  }
  // Once subscribed, a publish could land between two parts: they wait for the last one.
  const outgoing = (socket.outgoing ??= new Outgoing())
  const sequence = begun ?? { bytes: 0, held: outgoing.subscribed ? [] : null }
  sequence.bytes += length
  outgoing.more = more ? sequence : null
  if (sequence.held === null) {
    emit(socket, payload, length, opcode, !more)
  } else {
    sequence.held.push({ payload: typeof payload === 'string' ? payload : Buffer.from(payload), opcode })
    if (!more) release(socket, sequence.held)
  }
  return length
}

function release(socket: Socket, parts: readonly { payload: Payload; opcode: 0 | 1 | 2 }[]): void {
  const { transport } = socket
  const total = parts.reduce((sum, { payload }) => sum + payloadLength(payload), 0)
  const first = parts[0]
  if (
    first !== undefined &&
    transport !== null &&
    transport.room() < framed(total, socket.limits.maxFrame) + framed(parts.length, 1)
  ) {
    emit(
      socket,
      Buffer.concat(
        parts.map(({ payload }) => Buffer.from(payload)),
        total,
      ),
      total,
      first.opcode,
      true,
    )
    return
  }
  transport?.cork(() => {
    for (const [i, { payload, opcode }] of parts.entries()) {
      emit(socket, payload, payloadLength(payload), opcode, i === parts.length - 1)
    }
  })
}

/** Bytes of a message with the headers of its frames (RFC 6455 §5.2), at most. */
const framed = (length: number, maxFrame: number): number =>
  length + WS_MAX_HEADER * (maxFrame === 0 ? 1 : Math.ceil(length / maxFrame))

/** The message that is being sent in parts. */
const sequenceOf = ({ outgoing }: Socket): MoreSequence | null => (outgoing === null ? null : outgoing.more)

/** Bytes of it that are kept back. */
function heldBytes(socket: Socket): number {
  const sequence = sequenceOf(socket)
  return sequence === null || sequence.held === null ? 0 : sequence.bytes
}

/** What every send is held to; 0 when it may go. */
function check(socket: Socket, length: number): number {
  const { transport } = socket
  if (socket.state !== WS_STATE_OPEN || isClosing(socket) || transport === null) {
    return refuse(socket, R_ERR_BAD_STATE, 'Connection is not open')
  }
  const { maxMessage, maxSent = maxMessage, maxBackpressure } = socket.limits
  if (maxSent !== 0 && length > maxSent) {
    return refuse(socket, R_ERR_WONT_FIT, 'Message exceeds maxMessage')
  }
  const held = heldBytes(socket)
  if (maxBackpressure !== 0 && (held > maxBackpressure || transport.congested(maxBackpressure - held))) {
    return refuse(socket, R_ERR_WOULD_BLOCK, 'Peer has not read what was sent before')
  }
  return 0
}

/** Puts one message, or one part, on the wire in frames of at most `maxFrame` bytes (RFC 6455 §5.4). */
function emit(socket: Socket, payload: Payload, length: number, opcode: 0 | 1 | 2, fin: boolean): void {
  const { transport } = socket
  const { maxFrame } = socket.limits
  if (transport === null) return
  socket.bytesOut += length
  if (fin) socket.messagesOut++
  // Where a message has to wait as a whole it is not cut: behind a part that is dropped the rest would be garbage.
  if (maxFrame === 0 || length <= maxFrame || transport.room() < framed(length, maxFrame)) {
    sent(socket, transport.send(payload, length, opcode, fin), length)
  } else {
    split(transport, typeof payload === 'string' ? Buffer.from(payload) : payload, maxFrame, opcode, fin)
    sent(socket, transport.buffered() === 0, length)
  }
}

/** `left`: nothing of it waits in this process. */
function sent(socket: Socket, left: boolean, length: number): void {
  if (!left) hold(socket, length)
  else if (socket.limits.sendsCount) socket.lastActive = socket.context.wheel.now
}

/** Text is cut between code points: not required, but kind to peers that look at frames. */
function split(transport: Transport, bytes: Uint8Array, maxFrame: number, opcode: 0 | 1 | 2, fin: boolean): void {
  const text = opcode === WS_MSG_TEXT
  transport.cork(() => {
    for (let start = 0, next = 0; start < bytes.length; start = next) {
      const rest = bytes.subarray(start)
      const end = text ? codePointEnd(rest, maxFrame) || maxFrame : maxFrame
      next = Math.min(start + end, bytes.length)
      const frame = rest.subarray(0, end)
      transport.send(frame, frame.length, start === 0 ? opcode : WS_MSG_CONT, fin && next === bytes.length)
    }
  })
}
