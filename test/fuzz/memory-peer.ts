import type { MemoryTransport } from '../../lib/engine/memory.ts'
import { FRAME_END, MESSAGE_END, PIECE, type PieceEnd, type Receiver } from '../../lib/engine/port.ts'
import type { Random } from './random.ts'
import { must } from './target.ts'

/** The other end of a connection: it keeps to what an engine may do. */
export class MemoryPeer {
  readonly transport: MemoryTransport
  readonly #closesAtOnce: boolean
  /** Nothing but the end of TCP may follow. */
  #quiet = false
  #gone = false
  /** The kind of the message that is under way. */
  #text: boolean | null = null
  /** What we have been sent: whether it is inside of a fragmented message. */
  #inMessage = false

  constructor(transport: MemoryTransport, closesAtOnce: boolean) {
    this.transport = transport
    this.#closesAtOnce = closesAtOnce
  }

  get gone(): boolean {
    return this.#gone || this.transport.aborted || (this.#closesAtOnce && this.transport.closed !== null)
  }

  act(random: Random): void {
    if (this.gone) return
    const { transport } = this
    const dice = random.below(100)
    if (dice < 15) transport.stalled = true
    else if (dice < 21) transport.drain()
    else if (dice < 23) this.leave()
    else if (dice < 26) this.#say(true, (receiver) => receiver.onClose(random.pick([1000, 1005, 3000]), ''))
    else if (dice < 28) this.#say(true, (receiver) => receiver.onEnd())
    else if (dice < 30) this.#say(true, (receiver) => receiver.onFault(1002, 'a fault'))
    else if (dice < 31) this.#say(false, (receiver) => receiver.onOverrun())
    else this.#message(random)
  }

  leave(): void {
    if (this.gone) return
    this.#gone = true
    this.transport.gone()
  }

  /** What was sent must be frames that RFC 6455 §5.4 allows in this order. */
  checkSent(): void {
    for (const { opcode, fin } of this.transport.sent.splice(0)) {
      if (opcode >= 8) continue
      must(
        (opcode === 0) === this.#inMessage,
        `opcode ${opcode} ${this.#inMessage ? 'inside' : 'outside'} of a message`,
      )
      this.#inMessage = !fin
    }
  }

  #message(random: Random): void {
    const text = (this.#text ??= random.chance(0.5))
    const end = random.pick<PieceEnd>([PIECE, FRAME_END, MESSAGE_END, MESSAGE_END])
    const bytes = Buffer.from(text ? 'grüße '.repeat(random.below(4)) : random.bytes(random.pick([0, 5, 300])))
    if (end !== PIECE) {
      this.#data(bytes, bytes.length, !text, end)
      if (end === MESSAGE_END) this.#text = null
    } else {
      // One frame in two pieces: the second half of it comes as it was announced.
      this.#data(bytes, 2 * bytes.length, !text, bytes.length === 0 ? FRAME_END : PIECE)
      if (bytes.length > 0) this.#say(false, (receiver) => receiver.onData(Buffer.from(bytes), !text, FRAME_END))
    }
  }

  #data(bytes: Buffer, announced: number, binary: boolean, end: PieceEnd): void {
    this.#say(false, (receiver) => {
      receiver.onActivity()
      if (receiver.onFrame(announced)) receiver.onData(bytes, binary, end)
      else this.#quiet = true
    })
  }

  #say(last: boolean, fn: (receiver: Receiver) => void): void {
    this.transport.input((receiver) => {
      if (this.#quiet) return
      if (last) this.#quiet = true
      fn(receiver)
    })
  }
}
