// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
import { BINARY, CONT, NO_STATUS, PING, TEXT } from '../../rfc6455.ts'
import { systemClock } from '../clock.ts'
import { COMPRESS_FROM, MESSAGE_END, type Opcode, type Receiver, type Transport } from '../port.ts'
import { faults } from './causes.ts'
import { rethrow } from './guard.ts'
import { toBuffer } from './buffer.ts'
import type { NativeSocket } from './native.ts'

/** uWebSockets.js's own code for an end without a Close frame (RFC 6455 §7.1.5). */
const NO_CLOSE = 1006
/** What a native send returns when nothing of it waits in this process. */
const SENT = 1
/** What may be sent on a connection: anything; a Close only, for something else was dropped; nothing. */
const OPEN = 0
const MUTED = 1
const OVER = 2

/** What the connections of one server share. */
export interface Shared {
  /** Bytes that may wait in a connection before uWebSockets.js drops what is sent next, a Close included. */
  readonly room: number
  readonly compression: boolean
}

/**
 * One connection of uWebSockets.js. Its methods throw once it is closed, and some misuse ends the process: the native
 * object is let go of at its end, and is not ended while it is corked or has no room for the Close.
 */
export class UwsTransport implements Transport {
  readonly #shared: Shared
  /** Null once the connection is closed: from then on the native object may not be touched. */
  #ws: NativeSocket | null = null
  #receiver: Receiver | null = null
  #phase: typeof OPEN | typeof MUTED | typeof OVER = OVER
  #corked = false
  /** A send has had to wait, or a publish may: only then it is worth a native call to ask how much does. */
  #backlog = false
  /** What waits for the peer to read; null on most connections. */
  #waiting: Waiting | null = null

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get canPause(): boolean {
    return false
  }

  setReceiver(receiver: Receiver): void {
    this.#receiver = receiver
  }

  send(data: string | Uint8Array, length: number, opcode: Opcode, fin: boolean): boolean {
    const ws = this.#ws
    if (ws === null || this.#phase !== OPEN) return false
    const sent =
      (opcode === TEXT || opcode === BINARY) && fin
        ? ws.send(data, opcode === BINARY, opcode === TEXT && this.#shared.compression && length >= COMPRESS_FROM)
        : sendOther(ws, data, opcode, fin)
    if (sent === SENT) return true
    this.#backlog = true
    return false
  }

  close(status: number, reason: string): void {
    if (this.#phase === OVER) return
    this.#phase = OVER
    const waiting = (this.#waiting ??= { drain: false, close: null })
    waiting.close = { status, reason }
    // What was published before goes in front of the Close, where there is room for it.
    if (this.room() < 0) this.#leaveTopics()
    this.proceed()
  }

  end(): void {
    // The Close has ended TCP, or will when there is room for it.
    if (this.#phase !== OVER) this.abort()
  }

  abort(): void {
    this.#phase = OVER
    // Not from inside a handler: what it has sent would be lost with it, the handshake's answer included.
    systemClock.defer(() => this.#ws?.close())
  }

  // Its connections do not keep the process.
  unref(): void {}

  buffered(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }

  // Its buffer is twice as large each time that it is full.
  held(more: number): number {
    const buffered = this.buffered()
    return buffered === 0 ? 0 : 2 * (buffered + more)
  }

  pressure(): number {
    return this.buffered()
  }

  congested(limit: number): boolean {
    return this.#backlog && this.buffered() > limit
  }

  room(): number {
    return this.#shared.room - this.buffered()
  }

  requestDrain(): void {
    const waiting = (this.#waiting ??= { drain: false, close: null })
    waiting.drain = true
    // What is corked counts as sent, and leaves without an event.
    systemClock.defer(() => this.proceed())
  }

  cork(fn: () => void): void {
    const ws = this.#ws
    if (ws === null || this.#corked) return fn()
    this.#corked = true
    ws.cork(fn)
    this.#corked = false
    this.proceed()
  }

  // There is no way to make the peer wait: the layer closes who sends too much.
  pause(): void {}

  resume(): void {}

  inject(): boolean {
    return false
  }

  validateUTF(on: boolean): boolean {
    return on
  }

  subscribe(topic: string): boolean {
    const ws = this.#ws
    if (ws === null || this.#phase !== OPEN || ws.isSubscribed(topic) || !ws.subscribe(topic)) return false
    this.#backlog = true
    return true
  }

  unsubscribe(topic: string): boolean {
    const ws = this.#ws
    return ws !== null && this.#phase === OPEN && ws.isSubscribed(topic) && ws.unsubscribe(topic)
  }

  isSubscribed(topic: string): boolean {
    return this.#ws?.isSubscribed(topic) === true
  }

  // Calls of the native object; none may throw.

  opened(ws: NativeSocket): void {
    this.#ws = ws
    this.#phase = OPEN
  }

  received(message: ArrayBuffer, binary: boolean): void {
    const receiver = this.#receiver
    if (receiver === null) return
    try {
      receiver.onActivity()
      receiver.onData(toBuffer(message), binary, MESSAGE_END)
    } catch (error) {
      this.abort()
      rethrow(error)
    }
  }

  active(): void {
    this.#receiver?.onActivity()
  }

  ponged(message: ArrayBuffer): void {
    this.#receiver?.onActivity()
    this.#receiver?.onPong(toBuffer(message))
  }

  drained(): void {
    this.#backlog = this.buffered() > 0 || (this.#ws?.getTopics().length ?? 0) > 0
    this.#receiver?.onActivity()
    // What is sent inside this handler and does not fit would never be reported as drained.
    systemClock.defer(() => this.proceed())
  }

  /** Something for this connection was dropped: it will not be sent anything behind the gap. */
  dropped(): void {
    if (this.#phase !== OPEN) return
    if (this.#receiver?.dropsNew === true) return this.#receiver.onOverrun()
    this.#phase = MUTED
    // Topics are being worked through: a connection may not be closed under them.
    systemClock.defer(() => {
      if (this.#phase !== MUTED) return
      this.#leaveTopics()
      this.#receiver?.onOverrun()
    })
  }

  closed(code: number, message: ArrayBuffer): void {
    this.#ws = null
    this.#phase = OVER
    const receiver = this.#receiver
    if (receiver === null) return
    const text = message.byteLength === 0 ? '' : Buffer.from(message).toString()
    const fault = faults.get(text)
    if (code !== NO_CLOSE) receiver.onClose(code === 0 ? NO_STATUS : code, text)
    else if (fault !== undefined) receiver.onFault(fault.status, fault.text)
    else receiver.onEnd()
    receiver.onGone()
  }

  /** With its last topic a connection loses what was published to it and has not been sent. */
  #leaveTopics(): void {
    const ws = this.#ws
    for (const topic of ws?.getTopics() ?? []) ws?.unsubscribe(topic)
  }

  /** Does what has waited, as far as the peer has read. Inside a cork TCP would stay for seconds behind a Close. */
  proceed(): void {
    const [ws, waiting] = [this.#ws, this.#waiting]
    if (ws === null || waiting === null || this.#corked) return
    const buffered = ws.getBufferedAmount()
    const { drain, close } = waiting
    if (drain && buffered === 0) waiting.drain = false
    if (close !== null && buffered <= this.#shared.room) {
      waiting.close = null
      ws.end(close.status, close.reason)
    } else if (drain && buffered === 0) this.#receiver?.onDrain()
  }
}

/** Pings, and fragments: compressed one by one, they could not be read. */
function sendOther(ws: NativeSocket, data: string | Uint8Array, opcode: Opcode, fin: boolean): number {
  if (opcode === PING) return ws.ping(data)
  if (opcode !== CONT) return ws.sendFirstFragment(data, opcode === BINARY)
  return fin ? ws.sendLastFragment(data) : ws.sendFragment(data)
}

interface Waiting {
  /** `onDrain` was asked for. */
  drain: boolean
  /** The Close that is to be sent. */
  close: { readonly status: number; readonly reason: string } | null
}
