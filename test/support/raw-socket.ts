import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { type Frame, readFrames } from './frames.ts'
import { patiently } from './patience.ts'

/** One end of a connection that says exactly what it is told to, and hears every byte. */
export class RawSocket {
  readonly socket: Socket
  ended = false
  closed = false
  /** Bytes that have come and were not taken. */
  length = 0
  #chunks: Buffer[] = []
  #wake: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) =>
      this.#change(() => {
        this.#chunks.push(chunk)
        this.length += chunk.length
      }),
    )
    socket.on('end', () => this.#change(() => (this.ended = true)))
    socket.on('error', () => {})
    socket.on('close', () => this.#change(() => (this.ended = this.closed = true)))
  }

  /** What they are. Put together when somebody looks: long messages come in many chunks. */
  get received(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }

  /** Whoever takes some of it leaves the rest. */
  set received(rest: Buffer) {
    this.#chunks = [rest]
    this.length = rest.length
  }

  #change(apply: () => void): void {
    apply()
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  #state(): string {
    const { bytesWritten, bytesRead, localPort, remotePort } = this.socket
    const bytes = this.received.toString('hex', 0, 500)
    return `${localPort} to ${remotePort}, sent ${bytesWritten}, got ${bytesRead}, ended ${this.ended}, not taken: ${bytes}`
  }

  /** Waits for `test` to hold; looks whenever something has come. */
  async until<T>(test: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const value = test()
      if (value !== null && value !== undefined && value !== false) return value
      if (this.closed) throw new Error(`connection closed while waiting; ${this.#state()}`)
      await patiently(new Promise<void>((resolve) => this.#wake.push(resolve)), () => `nothing came; ${this.#state()}`)
    }
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** One byte a turn, so that they are read apart. Long input goes byte by byte at its ends, in odd pieces between. */
  async sendSplit(bytes: Buffer, edge = 5000): Promise<void> {
    const inMiddle = (at: number): boolean => at >= edge && bytes.length - at > edge
    for (let at = 0; at < bytes.length && !this.socket.destroyed && this.socket.writable;) {
      const size = inMiddle(at) ? Math.min(9973, bytes.length - edge - at) : 1
      if (!this.socket.write(bytes.subarray(at, at + size))) await turn()
      at += size
      await turn()
    }
  }

  /** Takes the header of an HTTP message. */
  async head(): Promise<string> {
    const { end } = await this.until(() => {
      const at = this.received.indexOf('\r\n\r\n')
      return at !== -1 && { end: at }
    })
    const head = this.received.toString('latin1', 0, end)
    this.received = this.received.subarray(end + 4)
    return head
  }

  /** Takes the next frame. */
  async frame(): Promise<Frame> {
    const { frame, rest } = await this.until(() => {
      const { frames, rest: behind } = readFrames(this.received, 1)
      return frames[0] !== undefined && { frame: frames[0], rest: behind }
    })
    this.received = rest
    return frame
  }

  /** Everything up to the end of TCP; our side is ended then. */
  async rest(): Promise<Buffer> {
    await this.until(() => this.ended)
    this.socket.end()
    return this.received
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  destroy(): void {
    this.socket.destroy()
  }
}
