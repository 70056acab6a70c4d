// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer, isUtf8 } from 'node:buffer'
import {
  BINARY,
  CLOSE,
  CONT,
  INVALID_UTF8,
  isCloseStatus,
  MAX_CONTROL,
  NO_STATUS,
  PING,
  PONG,
  PROTOCOL_ERROR,
  RSV1,
  TEXT,
} from '../../rfc6455.ts'
import { FRAME_END, MESSAGE_END, PIECE, type PieceEnd } from '../port.ts'
import type { Inflater } from './compression.ts'
import { type Fault, TOO_LARGE } from './deflate.ts'
import { applyMask, turnMask } from './mask.ts'
import { Utf8Validator } from './utf8.ts'

const MAX_HEADER = 14
const EMPTY = Buffer.alloc(0)
const INVALID_TEXT: Fault = { status: INVALID_UTF8, text: 'Text message has invalid UTF-8' }

/**
 * What the parser finds. Buffers are views of the chunk, unmasked; a message that was compressed is one frame, inflated.
 * Any call may stop or pause the parser.
 */
export interface FrameHandler {
  onFrame(length: number): boolean
  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void
  onPing(payload: Buffer): void
  onPong(payload: Buffer): void
  onClose(status: number, reason: string): void
  onFault(status: number, text: string): void
}

/** Bytes of a header, from its second byte (RFC 6455 §5.2). */
function headerSize(second: number): number {
  const length = second & 0x7f
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0)
}

/**
 * Reads frames from chunks that may be cut anywhere (RFC 6455 §5). Nothing of a header counts before all of it is there;
 * payload is handed on as it comes, unmasked in place: chunks belong to the parser.
 */
export class FrameParser {
  /** Whether text is checked. */
  validate = true
  /** Whether compressed messages are of interest; else they are passed over. */
  inflates = true
  readonly #handler: FrameHandler
  readonly #masked: boolean
  readonly #inflater: Inflater | null
  #running = false
  #paused = false
  #stopped = false
  /** Input that waits for `resume`. */
  #held: Buffer | null = null
  /** A header that the end of a chunk has cut off. */
  #head: Buffer | null = null
  #headLength = 0

  // The current frame; #rest is its payload still to come, -1 between frames
  #rest = -1
  #opcode = 0
  #fin = false
  #mask = 0
  #control: Buffer | null = null
  #controlLength = 0

  /** The opcode of the data message that is coming in, 0 between messages. */
  #message = 0
  /** For a message that is compressed. */
  #inflating: Inflater | null = null
  #utf8: Utf8Validator | null = null

  /** A server wants masked frames, a client wants none (§5.1). `inflater`: null where compression was not agreed on. */
  constructor(handler: FrameHandler, masked: boolean, inflater: Inflater | null = null) {
    this.#handler = handler
    this.#masked = masked
    this.#inflater = inflater
  }

  /** Whether input waits for `resume`. */
  get holds(): boolean {
    return this.#held !== null
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Drops what is held and all further input. */
  stop(): void {
    this.#stopped = true
    this.#held = null
  }

  /** Keeps what has not been parsed yet, also of the chunk at hand. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const held = this.#held
    if (held === null || this.#running) return
    this.#held = null
    this.push(held)
  }

  push(chunk: Buffer): void {
    if (this.#paused && !this.#stopped) {
      this.#held = this.#held === null ? chunk : Buffer.concat([this.#held, chunk])
      return
    }
    this.#running = true
    let at = 0
    while (at < chunk.length && !this.#stopped && !this.#paused) {
      at = this.#rest === -1 ? this.#readHeader(chunk, at) : this.#readPayload(chunk, at)
    }
    this.#running = false
    if (at < chunk.length && !this.#stopped) this.#held = chunk.subarray(at)
  }

  #readHeader(chunk: Buffer, at: number): number {
    if (this.#headLength === 0 && chunk.length - at >= 2) {
      const end = at + headerSize(chunk[at + 1]!)
      if (end <= chunk.length) {
        this.#openFrame(chunk, at)
        return end
      }
    }
    const head = (this.#head ??= Buffer.allocUnsafe(MAX_HEADER))
    head[this.#headLength++] = chunk[at]!
    if (this.#headLength >= 2 && this.#headLength === headerSize(head[1]!)) {
      this.#headLength = 0
      this.#openFrame(head, 0)
    }
    return at + 1
  }

  #openFrame(head: Buffer, at: number): void {
    const first = head[at]!
    const second = head[at + 1]!
    const opcode = first & 0x0f
    const fin = (first & 0x80) !== 0
    const masked = (second & 0x80) !== 0
    const short = second & 0x7f
    const length = short < 126 ? short : short === 126 ? head.readUInt16BE(at + 2) : readUInt64(head, at + 2)

    const fault = this.#check(first, opcode, fin, masked, short, length)
    if (fault !== null) return this.#fail(PROTOCOL_ERROR, fault)
    if (opcode < CLOSE) {
      if (opcode !== CONT) {
        this.#message = opcode
        this.#inflating = (first & RSV1) === 0 ? null : this.#inflater
        this.#utf8?.reset()
      }
      if (this.#inflating === null) {
        if (!this.#handler.onFrame(length) || this.#stopped) return this.stop()
      } else if (this.inflates && !this.#inflating.fits(length)) return this.#failWith(TOO_LARGE)
    }
    this.#opcode = opcode
    this.#fin = fin
    this.#mask = masked ? head.readInt32LE(at + headerSize(second) - 4) : 0
    this.#rest = length
    if (length === 0) this.#take(EMPTY)
  }

  /** The rules of §5.2, §5.4 and §5.5, as the sentence that was broken. */
  #check(first: number, opcode: number, fin: boolean, masked: boolean, short: number, length: number): string | null {
    if ((first & 0x70) !== 0 && !this.#mayBeCompressed(first, opcode)) return 'Reserved bits are set'
    if ((opcode > BINARY && opcode < CLOSE) || opcode > PONG) return 'Reserved opcode'
    if (opcode >= CLOSE) {
      if (!fin) return 'Control frame is fragmented'
      if (short > MAX_CONTROL) return 'Control frame is too long'
    } else if (opcode === CONT) {
      if (this.#message === 0) return 'Continuation without a message'
    } else if (this.#message !== 0) {
      return 'New message inside a fragmented one'
    }
    if (masked !== this.#masked) return masked ? 'Frame from a server is masked' : 'Frame from a client is not masked'
    if (short === 126 ? length < 126 : short === 127 && length < 65536) return 'Length is not minimal'
    return length > Number.MAX_SAFE_INTEGER ? 'Length is out of range' : null
  }

  /** RFC 7692 §6: the first frame of a data message says whether it is compressed. */
  #mayBeCompressed(first: number, opcode: number): boolean {
    return (first & 0x70) === RSV1 && this.#inflater !== null && (opcode === TEXT || opcode === BINARY)
  }

  #readPayload(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#rest, chunk.length)
    if (this.#mask !== 0) {
      applyMask(chunk, at, end, this.#mask)
      this.#mask = turnMask(this.#mask, end - at)
    }
    this.#rest -= end - at
    this.#take(chunk.subarray(at, end))
    return end
  }

  /** A piece of the current frame; `#rest` is what is missing behind it. */
  #take(bytes: Buffer): void {
    const last = this.#rest === 0
    if (last) this.#rest = -1
    if (this.#opcode >= CLOSE) this.#takeControl(bytes, last)
    else this.#takeData(bytes, !last ? PIECE : this.#fin ? MESSAGE_END : FRAME_END)
  }

  #takeData(bytes: Buffer, end: PieceEnd): void {
    if (this.#inflating !== null) return this.#takeCompressed(this.#inflating, bytes, end)
    const binary = this.#message === BINARY
    if (!binary && this.validate && !this.#isText(bytes, end)) return this.#failWith(INVALID_TEXT)
    if (end === MESSAGE_END) this.#message = 0
    this.#handler.onData(bytes, binary, end)
  }

  #takeCompressed(inflater: Inflater, bytes: Buffer, end: PieceEnd): void {
    const binary = this.#message === BINARY
    if (end === MESSAGE_END) this.#message = 0
    if (!this.inflates) return
    if (end !== MESSAGE_END) return inflater.append(bytes)
    const message = inflater.finish(bytes)
    if (!Buffer.isBuffer(message)) return this.#failWith(message)
    if (!binary && this.validate && !isUtf8(message)) return this.#failWith(INVALID_TEXT)
    if (!this.#handler.onFrame(message.length) || this.#stopped) return this.stop()
    this.#handler.onData(message, binary, MESSAGE_END)
  }

  #isText(bytes: Buffer, end: PieceEnd): boolean {
    const whole = end === MESSAGE_END
    if (whole && (this.#utf8 === null || this.#utf8.complete)) return isUtf8(bytes)
    const utf8 = (this.#utf8 ??= new Utf8Validator())
    return utf8.push(bytes) && (!whole || utf8.complete)
  }

  #takeControl(bytes: Buffer, last: boolean): void {
    let payload = bytes
    if (!last || this.#controlLength > 0) {
      const control = (this.#control ??= Buffer.allocUnsafe(MAX_CONTROL))
      control.set(bytes, this.#controlLength)
      this.#controlLength += bytes.length
      payload = control.subarray(0, this.#controlLength)
    }
    if (!last) return
    this.#controlLength = 0
    if (this.#opcode === PING) this.#handler.onPing(payload)
    else if (this.#opcode === PONG) this.#handler.onPong(payload)
    else if (this.#opcode === CLOSE) this.#takeClose(payload)
  }

  /** §5.5.1 and §7.4 */
  #takeClose(payload: Buffer): void {
    if (payload.length === 0) {
      this.stop()
      return this.#handler.onClose(NO_STATUS, '')
    }
    if (payload.length === 1) return this.#fail(PROTOCOL_ERROR, 'Bad close payload')
    const status = payload.readUInt16BE(0)
    if (!isCloseStatus(status)) return this.#fail(PROTOCOL_ERROR, 'Bad close status')
    const reason = payload.subarray(2)
    if (!isUtf8(reason)) return this.#fail(INVALID_UTF8, 'Close reason has invalid UTF-8')
    this.stop()
    this.#handler.onClose(status, reason.toString())
  }

  #failWith({ status, text }: Fault): void {
    this.#fail(status, text)
  }

  #fail(status: number, text: string): void {
    this.stop()
    this.#handler.onFault(status, text)
  }
}

/** Beyond 2^53 the value is no longer exact, and out of range all the same. */
const readUInt64 = (bytes: Buffer, at: number): number =>
  bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
