import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { type Frame, readFrames } from './frames.ts'
import { patiently } from './patience.ts'

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
/** RFC 6455 §1.3: the answer to that key. */
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** The lines of an opening handshake; a null takes one out. */
export function handshake(path = '/', changes: Record<string, string | null> = {}, first?: string): Buffer {
  const headers: Record<string, string | null> = {
    'Host': 'localhost',
    'Upgrade': 'websocket',
    'Connection': 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  return Buffer.from([first ?? `GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
}

/** A peer that says exactly what it is told to, and hears every byte. */
export class RawClient {
  readonly socket: Socket
  /** What has come and was not taken. */
  received = Buffer.alloc(0)
  ended = false
  closed = false
  #wake: (() => void)[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#change(() => (this.received = Buffer.concat([this.received, chunk]))))
    socket.on('end', () => this.#change(() => (this.ended = true)))
    socket.on('error', () => {})
    socket.on('close', () => this.#change(() => (this.ended = this.closed = true)))
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
      const client = new RawClient(socket)
      socket.once('error', reject)
      socket.once('connect', () => resolve(client))
    })
  }

  /** A connection past its opening handshake. */
  static async open(port: number, path = '/', headers: Record<string, string | null> = {}): Promise<RawClient> {
    const client = await RawClient.connect(port)
    client.send(handshake(path, headers))
    const { status, head } = await client.response()
    if (status !== 101) throw new Error(`no upgrade: ${head}`)
    return client
  }

  #change(apply: () => void): void {
    apply()
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  /** Waits for `test` to hold; checks whenever something has come. */
  async until<T>(test: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const value = test()
      if (value !== null && value !== undefined && value !== false) return value
      if (this.closed) throw new Error(`connection closed while waiting; ${this.#state()}`)
      await patiently(new Promise<void>((resolve) => this.#wake.push(resolve)), () => `nothing came; ${this.#state()}`)
    }
  }

  #state(): string {
    const { bytesWritten, bytesRead, localPort, remotePort } = this.socket
    const bytes = this.received.toString('hex', 0, 500)
    return `${localPort} to ${remotePort}, sent ${bytesWritten}, got ${bytesRead}, ended ${this.ended}, not taken: ${bytes}`
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** One byte a turn, so that they are read apart. Long input goes byte by byte at its ends, in odd pieces between. */
  async sendSplit(bytes: Buffer, edge = 40_000): Promise<void> {
    const inMiddle = (at: number): boolean => at >= edge && bytes.length - at > edge
    for (let at = 0; at < bytes.length && !this.socket.destroyed && this.socket.writable;) {
      const size = inMiddle(at) ? Math.min(9973, bytes.length - edge - at) : 1
      if (!this.socket.write(bytes.subarray(at, at + size))) await new Promise((resolve) => setImmediate(resolve))
      at += size
      await turn()
    }
  }

  /** Takes the header of an HTTP response. */
  async response(): Promise<{ status: number; head: string }> {
    const end = await this.until(() => {
      const at = this.received.indexOf('\r\n\r\n')
      return at === -1 ? null : { at }
    })
    const head = this.received.toString('latin1', 0, end.at)
    this.received = this.received.subarray(end.at + 4)
    return { status: Number(head.split(' ')[1]), head }
  }

  /** Takes the next frame. */
  async frame(): Promise<Frame> {
    return this.until(() => {
      const { frames } = readFrames(this.received)
      const first = frames[0]
      if (first === undefined) return null
      const size = first.payload.length
      this.received = this.received.subarray(2 + (size < 126 ? 0 : size < 65536 ? 2 : 8) + size)
      return first
    })
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
