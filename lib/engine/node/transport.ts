// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
import { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { CLOSE, FIN, PONG, RSV1, TEXT } from '../../rfc6455.ts'
import { COMPRESS_FROM, type Opcode, type PieceEnd, type Receiver, type Transport } from '../port.ts'
import { Deflater, Inflater } from './compression.ts'
import { closePayload, firstByte } from './encoder.ts'
import { type Compression, MAX_BITS, MIN_BITS } from '../extensions.ts'
import { Outbox } from './outbox.ts'
import { type FrameHandler, FrameParser } from './parser.ts'
import type { NodeTopics, Publication, Subscriber } from './topics.ts'

/** A peer that sends pings and does not read gets the latest one answered (RFC 6455 §5.5.3), not all of them stored. */
const PONG_BACKLOG = 65536
const NOTHING = Buffer.alloc(0)
// What an error means is told by 'close', which follows it.
const ignore = (): void => {}

/** What a connection has of its server. */
export interface Fanout {
  readonly topics: NodeTopics
  /** Bytes that may wait in a connection before it is too slow for a publish. */
  readonly publishLimit: number
}

/** Where a stream has its connection: the listeners below are one for all of them, as a closure each would cost memory. */
const TRANSPORT = Symbol('transport')
type Carrier = Duplex & { [TRANSPORT]?: NodeTransport }

function onData(this: Carrier, chunk: Buffer): void {
  this[TRANSPORT]?.read(chunk)
}
function onEnd(this: Carrier): void {
  this[TRANSPORT]?.ended()
}
function onDrain(this: Carrier): void {
  this[TRANSPORT]?.written()
}
function onClose(this: Carrier): void {
  this[TRANSPORT]?.gone()
}

/** One connection on a stream: frames in, frames out, TCP backpressure both ways. */
export class NodeTransport implements Transport, FrameHandler, Subscriber {
  readonly canPause = true
  readonly #stream: Duplex
  readonly #outbox: Outbox
  readonly #parser: FrameParser
  /** Null where nothing may be compressed. */
  readonly #deflater: Deflater | null
  /** Null where nothing is published. */
  readonly #fanout: Fanout | null
  #subscriptions: Set<string> | null = null
  #receiver: Receiver | null = null
  #latePong: Buffer | null = null
  #touched = false
  #inputEnded = false
  #closeSent = false
  #ended = false

  /**
   * @param head bytes that came behind the handshake
   * @param fanout null where there is no server
   * @param compression what the handshake has agreed on; null for none
   */
  constructor(
    stream: Duplex,
    head: Buffer,
    client: boolean,
    fanout: Fanout | null,
    compression: Compression | null = null,
  ) {
    this.#stream = stream
    this.#fanout = fanout
    const inflater = compression === null ? null : new Inflater(compression, () => this.#receiver?.maxMessage ?? 0)
    this.#parser = new FrameParser(this, !client, inflater)
    this.#deflater = compression === null || compression.bits < MIN_BITS ? null : new Deflater(compression)
    if (stream.listenerCount('error') === 0) stream.on('error', ignore)
    const tcp = stream instanceof NetSocket ? stream : null
    this.#outbox = new Outbox(stream, client, tcp !== null && !(tcp instanceof TLSSocket))
    tcp?.setTimeout(0)
    tcp?.setNoDelay(true)
    tcp?.setKeepAlive(true)
    if (head.length > 0) stream.unshift(head)
  }

  setReceiver(receiver: Receiver): void {
    this.#receiver = receiver
    const stream: Carrier = this.#stream
    stream[TRANSPORT] = this
    stream.on('data', onData).on('end', onEnd).on('drain', onDrain).on('close', onClose)
    if (stream.destroyed) queueMicrotask(() => receiver.onGone())
    // It has ended while nobody listened.
    else if (stream.readableEnded) queueMicrotask(() => this.ended())
    // Whoever hands over a stream may have paused it.
    else stream.resume()
  }

  send(data: string | Uint8Array, length: number, opcode: Opcode | typeof CLOSE | typeof PONG, fin: boolean): boolean {
    if (this.#closeSent) return false
    if (length >= COMPRESS_FROM && opcode === TEXT && fin && this.#deflater !== null) {
      const deflated = this.#deflater.deflate(data, length)
      if (deflated !== null) return this.#outbox.add(deflated, deflated.length, FIN | RSV1 | TEXT)
    }
    return this.#outbox.add(data, length, firstByte(opcode, fin))
  }

  publish(publication: Publication): void {
    if (this.#closeSent) return
    if (this.#fanout !== null && this.buffered() > this.#fanout.publishLimit) return this.#receiver?.onOverrun()
    const compressed = this.#deflater?.bits === MAX_BITS ? publication.compressed : null
    if (compressed !== null) this.#deflater?.note(publication.payload)
    const frame = compressed ?? publication.frame
    if (this.#fanout !== null) this.#outbox.publish(frame, this.#fanout.topics)
  }

  close(status: number, reason: string): void {
    const payload = closePayload(status, reason)
    this.send(payload, payload.length, CLOSE, true)
    this.#closeSent = true
    this.#parser.inflates = false
    this.#leaveTopics()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#closeSent = true
    this.#leaveTopics()
    this.#parser.stop()
    this.#outbox.flush()
    this.#stream.end()
    // Input is read on and dropped, so that the peer's end of TCP is seen.
    this.#stream.resume()
  }

  abort(): void {
    this.#ended = true
    this.#closeSent = true
    this.#leaveTopics()
    this.#parser.stop()
    this.#outbox.flush()
    this.#stream.destroy()
  }

  unref(): void {
    if (this.#stream instanceof NetSocket) this.#stream.unref()
  }

  buffered(): number {
    return this.#outbox.used
  }

  held(more: number): number {
    const buffered = this.buffered()
    return buffered === 0 ? 0 : buffered + more
  }

  pressure(): number {
    return this.#outbox.pressure
  }

  congested(limit: number): boolean {
    return this.buffered() > limit
  }

  room(): number {
    return Infinity
  }

  requestDrain(): void {
    this.#outbox.whenWritten(() => this.#receiver?.onDrain())
  }

  cork(fn: () => void): void {
    this.#outbox.cork(fn)
  }

  pause(): void {
    this.#parser.pause()
    this.#stream.pause()
  }

  resume(): void {
    this.cork(() => this.#parser.resume())
    this.#reportEnd()
    if (!this.#parser.paused) this.#stream.resume()
  }

  inject(bytes: Uint8Array): boolean {
    if (this.#touched) return false
    this.read(Buffer.from(bytes))
    return true
  }

  validateUTF(on: boolean): boolean {
    this.#parser.validate = on
    return true
  }

  subscribe(topic: string): boolean {
    if (this.#closeSent || !this.#fanout?.topics.add(topic, this)) return false
    this.#subscriptions ??= new Set()
    this.#subscriptions.add(topic)
    return true
  }

  unsubscribe(topic: string): boolean {
    return this.#subscriptions?.delete(topic) === true && this.#fanout?.topics.remove(topic, this) === true
  }

  isSubscribed(topic: string): boolean {
    return this.#subscriptions?.has(topic) === true
  }

  // What the parser finds

  onFrame(length: number): boolean {
    return this.#receiver?.onFrame(length) ?? false
  }

  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void {
    this.#receiver?.onData(bytes, binary, end)
  }

  onPing(payload: Buffer): void {
    if (this.buffered() <= PONG_BACKLOG) {
      this.send(payload, payload.length, PONG, true)
      return
    }
    const first = this.#latePong === null
    this.#latePong = Buffer.from(payload)
    if (first) {
      this.#outbox.whenWritten(() => {
        const late = this.#latePong ?? NOTHING
        this.#latePong = null
        this.send(late, late.length, PONG, true)
      })
    }
  }

  onPong(payload: Buffer): void {
    this.#receiver?.onPong(payload)
  }

  onClose(status: number, reason: string): void {
    this.#receiver?.onClose(status, reason)
  }

  onFault(status: number, text: string): void {
    this.#receiver?.onFault(status, text)
  }

  // What the stream tells

  read(chunk: Buffer): void {
    this.#touched = true
    this.#receiver?.onActivity()
    const outermost = this.#outbox.start()
    this.#parser.push(chunk)
    if (outermost) this.#outbox.finish()
  }

  ended(): void {
    this.#inputEnded = true
    this.#reportEnd()
  }

  /** A write that the kernel took later than at once is traffic too. */
  written(): void {
    this.#receiver?.onActivity()
  }

  gone(): void {
    // What has been read is still the peer's word, and no more than one chunk: it goes in front of the end.
    this.#parser.resume()
    this.#leaveTopics()
    this.#receiver?.onGone()
  }

  /** A stream that is paused may end all the same: the frames that are held come first. */
  #reportEnd(): void {
    if (this.#inputEnded && !this.#parser.holds && !this.#ended) this.#receiver?.onEnd()
  }

  #leaveTopics(): void {
    if (this.#subscriptions === null) return
    for (const topic of this.#subscriptions) this.#fanout?.topics.remove(topic, this)
    this.#subscriptions = null
  }
}
