import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib'
import { type PerMessageDeflateOptions, WebSocket } from 'ws'
import { MESSAGE_END, type PieceEnd, type Receiver } from '../../../lib/engine/port.ts'
import type { Random } from '../../fuzz/random.ts'
import { frame, type FrameSpec } from '../../support/frames.ts'

export const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex')

/** RFC 7692 §7.2.1, as a peer with plain zlib does it. */
export const deflated = (data: string | Uint8Array, options: ZlibOptions = {}): Buffer =>
  deflateRawSync(data, { ...options, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)

/** A frame that begins a compressed message; its payload is what is on the wire. */
export const packed = (payload: string | Buffer, spec: Partial<FrameSpec> = {}): Buffer =>
  frame({ opcode: 1, rsv: 0x40, payload, ...spec })

/**
 * Inflates to `length` zeros and is a thousandth of that: blocks of a megabyte that refer to nothing outside of them, one
 * behind the other.
 */
export function bomb(length: number): Buffer {
  const MEGABYTE = 1 << 20
  const block = (bytes: number): Buffer => deflateRawSync(Buffer.alloc(bytes), { finishFlush: constants.Z_FULL_FLUSH })
  const whole = block(MEGABYTE)
  const blocks = Array.from({ length: Math.floor(length / MEGABYTE) }, () => whole)
  return Buffer.concat([...blocks, block(length % MEGABYTE)]).subarray(0, -4)
}

/** What a transport tells: whole messages, and what ends it. */
export class Ears implements Receiver {
  maxMessage = 0
  dropsNew = false
  readonly messages: (string | Buffer)[] = []
  fault: { status: number; text: string } | null = null
  gone = false
  #wake: (() => void)[] = []

  async until(test: () => boolean): Promise<void> {
    while (!test()) {
      if (this.gone) throw new Error('the connection has gone')
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  onFrame(length: number): boolean {
    return this.maxMessage === 0 || length <= this.maxMessage
  }

  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void {
    if (end !== MESSAGE_END) throw new Error('a piece where a message was expected')
    this.#change(() => this.messages.push(binary ? Buffer.from(bytes) : bytes.toString()))
  }

  onActivity(): void {}

  onPong(): void {}

  onDrain(): void {}

  onOverrun(): void {}

  onFault(status: number, text: string): void {
    this.#change(() => (this.fault = { status, text }))
  }

  onClose(): void {}

  onEnd(): void {}

  onGone(): void {
    this.#change(() => (this.gone = true))
  }

  #change(apply: () => void): void {
    apply()
    for (const fn of this.#wake.splice(0)) fn()
  }
}

const WORDS = [
  '{"user":',
  '"grüße"',
  ',"text":',
  '你好',
  ' the quick brown fox ',
  '🎉',
  '[1,2,3]',
  '\u0000',
  'lorem ipsum',
] as const

/** Messages of up to `longest` bytes, short ones more often: text that repeats itself and earlier ones, and any bytes. */
export function messages(random: Random, count: number, longest: number): (string | Buffer)[] {
  const made: string[] = ['']
  const text = (length: number): string => {
    let all = random.chance(0.3) ? (made[random.below(made.length)] ?? '') : ''
    while (all.length < length) all += random.chance(0.1) ? random.uint32().toString(36) : random.pick(WORDS)
    return Buffer.from(all.slice(0, length)).toString()
  }
  return Array.from({ length: count }, () => {
    const size = random.chance(0.1) ? 0 : Math.floor(longest * random.below(1000) ** 4 * 1e-12)
    if (random.chance(0.25)) return random.bytes(size)
    // Characters have four bytes at most.
    const message = text(random.chance(0.5) ? size >> 2 : Math.min(size, 2000))
    made.push(message)
    return message
  })
}

/** Whether they are the same, without a list of all bytes in which they differ. */
export const same = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length &&
  some.every((one, i) => {
    const other = others[i]
    return Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : one === other
  })

/** The other implementation: what a `WebSocket` of `ws` receives. */
export class WsPeer {
  readonly socket: WebSocket
  readonly messages: (string | Buffer)[] = []
  /** The code of its Close. */
  readonly closed: Promise<number>
  #error: Error | null = null
  #wake: (() => void)[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('message', (data, binary) => {
      if (Buffer.isBuffer(data)) this.messages.push(binary ? data : data.toString())
      this.#turn()
    })
    socket.on('error', (error) => {
      this.#error = error
      this.#turn()
    })
    void this.closed.then(() => this.#turn())
  }

  static async open(port: number, perMessageDeflate: PerMessageDeflateOptions | boolean): Promise<WsPeer> {
    const peer = new WsPeer(new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate }))
    await new Promise<void>((resolve, reject) => {
      peer.socket.once('open', resolve)
      peer.socket.once('error', reject)
    })
    return peer
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) {
      if (this.#error !== null) throw this.#error
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the connection has gone')
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  #turn(): void {
    for (const fn of this.#wake.splice(0)) fn()
  }
}

/** Each combination of what a peer may ask for (RFC 7692 §7.1). */
export const combinations: readonly PerMessageDeflateOptions[] = [true, false].flatMap((serverNoContextTakeover) =>
  [true, false].flatMap((clientNoContextTakeover) =>
    [9, 10, 11, 12, 13, 14, 15].flatMap((serverMaxWindowBits) =>
      [9, 10, 11, 12, 13, 14, 15].map((clientMaxWindowBits) => ({
        // To `ws` false is a refusal.
        ...(serverNoContextTakeover ? { serverNoContextTakeover } : {}),
        ...(clientNoContextTakeover ? { clientNoContextTakeover } : {}),
        serverMaxWindowBits,
        clientMaxWindowBits,
        threshold: 0,
      })),
    ),
  ),
)
