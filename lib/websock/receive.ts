// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
import type { WebSocketEvent } from '../../include-types/websock.ts'
import { MESSAGE_END, PIECE, type PieceEnd, type Receiver, type Transport } from '../engine/port.ts'
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
import { giveBack } from './collector.ts'
import { intern } from './intern.ts'
import type { Context } from './context.ts'
import { Incoming } from './incoming.ts'
import { Slicer } from './partial.ts'
import { fail, finish, LOST, mustWait, post, settleFlushes } from './run.ts'
import { overflows, release } from './backlog.ts'
import { arm, type Cause, isClosing, Socket } from './socket.ts'

/** A connection as its engine sees it: what comes in is measured, put together or cut, and handed to delivery. */
class Connection extends Socket implements Receiver {
  get maxMessage(): number {
    return this.limits.maxMessage
  }

  onActivity(): void {
    this.lastActive = this.context.wheel.now
  }

  onPong(payload: Buffer): void {
    if (this.outgoing === null) return
    this.outgoing.pongBy = 0
    this.outgoing.onPong?.(payload)
  }

  onFrame(length: number): boolean {
    this.announced = length
    return isClosing(this) || fits(this, length)
  }

  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void {
    // Data that was under way when we sent Close is not for the application (RFC 6455 §7.1.1).
    if (isClosing(this) || !fits(this, bytes.length)) return
    const waits = mustWait(this)
    if (waits && overflows(this, bytes.length)) {
      return fail(this, WS_STATUS_POLICY_VIOLATION, WS_STATUS_POLICY_VIOLATION, 'Receive queue overflow')
    }
    const goesOn = this.incoming !== null && this.incoming.open
    if (end === MESSAGE_END && !goesOn && !this.mode.partial) {
      deliver(this, WS_EVENT_MESSAGE, bytes, binary, bytes.length, false, waits)
      return
    }
    const incoming = (this.incoming ??= new Incoming())
    if (!goesOn) incoming.slicing = this.mode.partial
    incoming.open = end !== MESSAGE_END
    incoming.received += bytes.length
    this.announced = Math.max(0, this.announced - bytes.length)
    if (incoming.slicing) slice(this, incoming, bytes, binary, end)
    else collect(this, incoming, bytes, binary, end)
  }

  onDrain(): void {
    this.lastActive = this.context.wheel.now
    // Something was sent behind what the first flush had asked about.
    if (this.transport !== null && this.transport.buffered() > 0) this.transport.requestDrain()
    else {
      release(this)
      settleFlushes(this, 0)
    }
  }

  get dropsNew(): boolean {
    return this.limits.backpressure === 'drop-new'
  }

  onOverrun(): void {
    if (this.dropsNew) this.context.observer.dropped(this)
    else fail(this, WS_STATUS_TRY_AGAIN_LATER, WS_STATUS_TRY_AGAIN_LATER, 'Peer reads too slowly')
  }

  onFault(status: number, text: string): void {
    if (this.closing === null) fail(this, status, status, text)
    else lost(this)
  }

  onClose(status: number, reason: string): void {
    const echo = status === WS_STATUS_NO_STATUS ? 0 : status
    finish(
      this,
      {
        error: 0,
        status,
        reason: reason === '' ? null : reason,
        orderly: true,
        cause: { initiator: 'peer', code: status, reason },
      },
      null,
      isClosing(this) ? null : echo,
    )
  }

  // Where a network goes, all of its connections go at once.
  onEnd(): void {
    this.context.pace.run(() => lost(this))
  }

  onGone(): void {
    this.transport = null
    this.context.pace.run(() => {
      lost(this)
      this.closing = null
      arm(this)
    })
  }
}

/** What an engine's upgraded connection becomes. Nothing is delivered before `webSocketRun`. */
export function createConnection(
  transport: Transport,
  context: Context,
  remoteAddress: string,
  client: boolean,
): Connection {
  const connection = new Connection(transport, context, intern(remoteAddress), client)
  // An engine that cannot is said so when its host starts.
  if (!context.defaults.validateUTF) transport.validateUTF(false)
  context.connections.add(connection)
  transport.setReceiver(connection)
  return connection
}

/** Measures before memory is spent; false when the connection has been failed. */
function fits(ws: Connection, more: number): boolean {
  const { incoming } = ws
  const { maxMessage } = ws.limits
  if (maxMessage === 0 || (incoming === null ? more : incoming.received + more) <= maxMessage) return true
  tooLarge(ws)
  return false
}

const tooLarge = (ws: Connection): void =>
  fail(ws, WS_STATUS_MESSAGE_TOO_LARGE, WS_STATUS_MESSAGE_TOO_LARGE, 'Message too large')

function collect(ws: Connection, incoming: Incoming, bytes: Buffer, binary: boolean, end: PieceEnd): void {
  const { collector } = incoming
  collector.append(bytes, end === PIECE ? ws.announced : 0)
  if (end !== MESSAGE_END) return
  // A long message leaves nothing behind.
  ws.incoming = null
  const whole = collector.take()
  const waits = mustWait(ws)
  const { raw, view } = ws.mode
  deliver(ws, WS_EVENT_MESSAGE, whole, binary, incoming.received, true, waits)
  if ((!binary && !raw) || (view && !waits)) giveBack(whole)
}

function slice(ws: Connection, incoming: Incoming, bytes: Buffer, binary: boolean, end: PieceEnd): void {
  const text = !binary && !ws.mode.raw
  incoming.slicer ??= new Slicer((part, last, isBinary, owned) => {
    incoming.sliced += part.length
    const total = incoming.sliced
    if (last) {
      incoming.sliced = 0
      incoming.received = 0
    }
    deliver(ws, last ? WS_EVENT_MESSAGE : WS_EVENT_PARTIAL_MESSAGE, part, isBinary, total, owned, mustWait(ws))
    return !isClosing(ws)
  })
  incoming.slicer.push(bytes, binary, end, ws.announced, ws.limits.maxFrame, text)
}

/** Text becomes a string; bytes are copied unless they are owned already, or a view was asked for and is safe. */
function deliver(
  ws: Connection,
  event: WebSocketEvent,
  bytes: Buffer,
  binary: boolean,
  total: number,
  owned: boolean,
  waits: boolean,
): void {
  ws.bytesIn += bytes.length
  if (event === WS_EVENT_MESSAGE) ws.messagesIn++
  if (!binary && !ws.mode.raw) {
    const text = toText(bytes)
    if (text === null) tooLarge(ws)
    else post(ws, event, text, bytes.length, WS_MSG_TEXT, total, waits)
  } else {
    const data = owned || (ws.mode.view && !waits) ? bytes : Buffer.from(bytes)
    post(ws, event, data, bytes.length, binary ? WS_MSG_BINARY : WS_MSG_TEXT, total, waits)
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

const GONE: Cause = { initiator: 'network', code: WS_STATUS_COMMS_ERROR, reason: 'Connection lost' }

/** The end came without a Close from the peer: an error, unless we had said Close and did not get an answer. */
function lost(ws: Connection): void {
  finish(ws, { ...LOST, cause: GONE }, ws.closing === null ? 'Connection lost' : null, null)
}
