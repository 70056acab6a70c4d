import { type FrameHandler, FrameParser } from '../../lib/engine/node/parser.ts'
import { type EngineName, MESSAGE_END, type PieceEnd } from '../../lib/engine/port.ts'
import type { Manner } from './live.ts'

/** Statuses that uWebSockets.js does not take from a peer. */
const isRefused = (status: number): boolean => (status >= 1012 && status <= 1014) || (status >= 3000 && status <= 3999)

/** What a server that echoes should make of the bytes of one connection. The parser is trusted here: it has a target of its own. */
export class Model implements FrameHandler {
  /** The status of the Close that must come; null while the connection is well. */
  ends: number | null = null
  /** Payloads to be echoed. */
  expected: Buffer[] = []
  lastPing: Buffer | null = null
  inMessage = false
  /** The peer has said Close. */
  orderly = false
  /** The engine may read this in another way: see test/support/differences.ts. */
  loose = false
  readonly #parser = new FrameParser(this, true)
  readonly #manner: Manner
  readonly #engine: EngineName
  #message: Buffer[] = []
  #length = 0

  constructor(manner: Manner, engine: EngineName) {
    this.#manner = manner
    this.#engine = engine
  }

  push(bytes: Buffer): void {
    this.lastPing = null
    this.#parser.push(Buffer.from(bytes))
  }

  onFrame(length: number): boolean {
    if (this.#length + length > this.#manner.maxMessage) this.#fail(1009)
    return this.ends === null
  }

  onData(bytes: Buffer, _binary: boolean, end: PieceEnd): void {
    this.#length += bytes.length
    this.#message.push(Buffer.from(bytes))
    this.inMessage = end !== MESSAGE_END
    // Only whole messages come out of uWebSockets.js.
    if ((this.#manner.partial && this.#engine === 'node') || end === MESSAGE_END) {
      this.expected.push(...this.#message)
      this.#message = []
    }
    if (end === MESSAGE_END) this.#length = 0
  }

  onPing(payload: Buffer): void {
    this.lastPing = Buffer.from(payload)
  }

  onPong(): void {}

  onClose(status: number): void {
    this.ends = status
    this.loose = this.#engine === 'uws' && isRefused(status)
    this.orderly = !this.loose
  }

  onFault(status: number): void {
    this.#fail(status)
  }

  #fail(status: number): void {
    this.ends = status
    if (this.#engine === 'uws') this.loose = true
  }
}
