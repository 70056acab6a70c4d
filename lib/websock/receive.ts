import type { WebSocketEvent } from '../../include-types/websock.ts'
import { MESSAGE_END, PIECE, type PieceEnd, type Receiver, type Transport } from '../engine/port.ts'
import { Collector } from './collector.ts'
import {
  WS_EVENT_MESSAGE,
  WS_EVENT_PARTIAL_MESSAGE,
  WS_MSG_BINARY,
  WS_MSG_TEXT,
  WS_STATUS_COMMS_ERROR,
  WS_STATUS_MESSAGE_TOO_LARGE,
  WS_STATUS_NO_STATUS,
  WS_STATUS_POLICY_VIOLATION,
  WS_STATUS_TRY_AGAIN_LATER,
} from './constants.ts'
import type { Context } from './context.ts'
import { Slicer } from './partial.ts'
import { fail, finish, mustWait, overflows, post, settleFlushes } from './run.ts'
import { arm, isClosing, Socket } from './socket.ts'

/** A connection as its engine sees it: what comes in is measured, put together or cut, and handed to delivery. */
class Connection extends Socket implements Receiver {
  onActivity(): void {
    this.lastActive = this.context.wheel.now
  }

  onFrame(length: number): boolean {
    this.announced = length
    return isClosing(this) || fits(this, length)
  }

  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void {
    // Data that was under way when we sent Close is not for the application (RFC 6455 §7.1.1).
    if (isClosing(this) || !fits(this, bytes.length)) return
    if (mustWait(this) && overflows(this, bytes.length)) {
      return fail(this, WS_STATUS_POLICY_VIOLATION, WS_STATUS_POLICY_VIOLATION, 'Receive queue overflow')
    }
    const first = !this.inMessage
    if (first) this.slicing = this.partial
    this.inMessage = end !== MESSAGE_END
    this.received += bytes.length
    this.announced = Math.max(0, this.announced - bytes.length)
    if (this.slicing) slice(this, bytes, binary, end)
    else if (first && end === MESSAGE_END) whole(this, bytes, binary, false)
    else collect(this, bytes, binary, end)
  }

  onDrain(): void {
    this.lastActive = this.context.wheel.now
    // Something was sent behind what the first flush had asked about.
    if (this.transport !== null && this.transport.buffered() > 0) this.transport.requestDrain()
    else settleFlushes(this, 0)
  }

  onOverrun(): void {
    fail(this, WS_STATUS_TRY_AGAIN_LATER, WS_STATUS_TRY_AGAIN_LATER, 'Peer reads too slowly')
  }

  onFault(status: number, text: string): void {
    if (this.closeBy === 0) fail(this, status, status, text)
    else lost(this)
  }

  onClose(status: number, reason: string): void {
    const echo = status === WS_STATUS_NO_STATUS ? 0 : status
    finish(this, {
      error: 0,
      status,
      reason: reason === '' ? null : reason,
      orderly: true,
      text: null,
      close: isClosing(this) ? null : echo,
    })
  }

  onEnd(): void {
    lost(this)
  }

  onGone(): void {
    this.transport = null
    lost(this)
    this.closeBy = 0
    arm(this)
  }
}

/** What an engine's upgraded connection becomes. Nothing is delivered before `webSocketRun`. */
export function createConnection(transport: Transport, context: Context, client: boolean): Connection {
  const connection = new Connection(transport, context, client)
  // An engine that cannot is said so when its host starts.
  if (!context.defaults.validateUTF) transport.validateUTF(false)
  context.connections.add(connection)
  transport.setReceiver(connection)
  return connection
}

/** Measures before memory is spent; false when the connection has been failed. */
function fits(ws: Connection, more: number): boolean {
  if (ws.maxMessage === 0 || ws.received + more <= ws.maxMessage) return true
  tooLarge(ws)
  return false
}

const tooLarge = (ws: Connection): void =>
  fail(ws, WS_STATUS_MESSAGE_TOO_LARGE, WS_STATUS_MESSAGE_TOO_LARGE, 'Message too large')

function whole(ws: Connection, bytes: Buffer, binary: boolean, owned: boolean): void {
  const total = ws.received
  ws.received = 0
  deliver(ws, WS_EVENT_MESSAGE, bytes, binary, total, owned)
}

function collect(ws: Connection, bytes: Buffer, binary: boolean, end: PieceEnd): void {
  const collector = (ws.collector ??= new Collector())
  collector.append(bytes, end === PIECE ? ws.announced : 0)
  if (end === MESSAGE_END) {
    ws.collector = null
    whole(ws, collector.take(), binary, true)
  }
}

function slice(ws: Connection, bytes: Buffer, binary: boolean, end: PieceEnd): void {
  const text = !binary && !ws.raw
  ws.slicer ??= new Slicer((part, last, isBinary, owned) => {
    ws.sliced += part.length
    const total = ws.sliced
    if (last) {
      ws.sliced = 0
      ws.received = 0
    }
    deliver(ws, last ? WS_EVENT_MESSAGE : WS_EVENT_PARTIAL_MESSAGE, part, isBinary, total, owned)
    return !isClosing(ws)
  })
  ws.slicer.push(bytes, binary, end, ws.announced, ws.maxFrame, text)
}

/** Text becomes a string; bytes are copied unless they are owned already, or a view was asked for and is safe. */
function deliver(
  ws: Connection,
  event: WebSocketEvent,
  bytes: Buffer,
  binary: boolean,
  total: number,
  owned: boolean,
): void {
  if (!binary && !ws.raw) {
    const text = toText(bytes)
    if (text === null) tooLarge(ws)
    else post(ws, event, text, bytes.length, WS_MSG_TEXT, total)
  } else {
    const keep = owned || (ws.view && !mustWait(ws))
    post(ws, event, keep ? bytes : Buffer.from(bytes), bytes.length, binary ? WS_MSG_BINARY : WS_MSG_TEXT, total)
  }
}

/** Null for what is longer than a string can be (half a gigabyte, with `maxMessage` unlimited). */
function toText(bytes: Buffer): string | null {
  try {
    return bytes.toString()
  } catch {
    return null
  }
}

/** The end came without a Close from the peer: an error, unless we had said Close and did not get an answer. */
function lost(ws: Connection): void {
  finish(ws, {
    error: WS_STATUS_COMMS_ERROR,
    status: WS_STATUS_COMMS_ERROR,
    reason: null,
    orderly: false,
    text: ws.closeBy === 0 ? 'Connection lost' : null,
    close: null,
  })
}
