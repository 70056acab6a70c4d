import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { MAGIC } from '../../lib/rfc6455.ts'
import { type Frame, readFrames } from './frames.ts'

/** The opening handshake that a client has sent. */
export interface RawRequest {
  /** As they came, without line ends; the first is the request line. */
  readonly lines: readonly string[]
  /** The values of a field, whatever the case of its name. */
  readonly all: (name: string) => string[]
  readonly key: string
}

/** RFC 6455 §4.2.2: the Sec-WebSocket-Accept that belongs to a key. */
export const acceptOf = (key: string): string => createHash('sha1').update(`${key}${MAGIC}`).digest('base64')

/** The lines of a valid answer; a null takes one out. */
export function answer(key: string, changes: Record<string, string | null> = {}, first?: string): Buffer {
  const headers: Record<string, string | null> = {
    'Upgrade': 'websocket',
    'Connection': 'Upgrade',
    'Sec-WebSocket-Accept': acceptOf(key),
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  return Buffer.from([first ?? 'HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'), 'latin1')
}

/** The server's end of a connection: says exactly what it is told to, and hears every byte. */
export class RawPeer {
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

  #take(count: number): void {
    this.#chunks = [this.received.subarray(count)]
    this.length -= count
  }

  #change(apply: () => void): void {
    apply()
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  /** Waits for `test` to hold; looks whenever something has come. */
  async until<T>(test: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const value = test()
      if (value !== null && value !== undefined && value !== false) return value
      if (this.closed) throw new Error(`connection closed while waiting; received ${this.received.toString('hex')}`)
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  /** Takes the header of the request. */
  async request(): Promise<RawRequest> {
    const { end } = await this.until(() => {
      const at = this.received.indexOf('\r\n\r\n')
      return at !== -1 && { end: at }
    })
    const lines = this.received.toString('latin1', 0, end).split('\r\n')
    this.#take(end + 4)
    const all = (name: string): string[] =>
      lines
        .slice(1)
        .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
        .map((line) => line.slice(name.length + 1).trim())
    return { lines, all, key: all('Sec-WebSocket-Key')[0] ?? '' }
  }

  /** Reads the request and accepts it; `behind` leaves in the same write. */
  async accept(changes: Record<string, string | null> = {}, behind: Buffer = Buffer.alloc(0)): Promise<RawRequest> {
    const request = await this.request()
    this.send(Buffer.concat([answer(request.key, changes), behind]))
    return request
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** One byte a turn, so that they are read apart. Long input goes byte by byte at its ends, in odd pieces between. */
  async sendSplit(bytes: Buffer, edge = 40_000): Promise<void> {
    const inMiddle = (at: number): boolean => at >= edge && bytes.length - at > edge
    for (let at = 0; at < bytes.length && this.socket.writable;) {
      const size = inMiddle(at) ? Math.min(9973, bytes.length - edge - at) : 1
      this.socket.write(bytes.subarray(at, at + size))
      at += size
      await turn()
    }
  }

  /** Takes the next frame. */
  async frame(): Promise<Frame> {
    const { first, size } = await this.until(() => {
      const { frames, rest } = readFrames(this.received)
      if (frames[0] === undefined) return null
      const behind = frames.slice(1).reduce((sum, { payload }) => sum + frameSize(payload.length), 0)
      return { first: frames[0], size: this.received.length - rest.length - behind }
    })
    this.#take(size)
    return first
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
}

/** Bytes of a masked frame whose length is minimal. */
const frameSize = (length: number): number => length + (length < 126 ? 6 : length < 65_536 ? 8 : 14)

const servers = new Set<RawServer>()

afterEach(async () => {
  await Promise.all(Array.from(servers, (server) => server.close()))
  servers.clear()
})

/** A listener on a free port; each connection is handed to whoever waits for the next one. */
export class RawServer {
  port = 0
  /** How many connections there were. */
  count = 0
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true })
  readonly #peers: RawPeer[] = []
  readonly #all = new Set<Socket>()
  #wake: (() => void)[] = []

  /** Closed after the test. */
  static async listen(host?: string): Promise<RawServer> {
    const server = await RawServer.start(host)
    servers.add(server)
    return server
  }

  /** The same; whoever starts it closes it. */
  static async start(host = '127.0.0.1'): Promise<RawServer> {
    const server = new RawServer()
    await server.#listen(host)
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`
  }

  async #listen(host: string): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.count++
      this.#all.add(socket)
      socket.once('close', () => this.#all.delete(socket))
      this.#peers.push(new RawPeer(socket))
      const wake = this.#wake
      this.#wake = []
      for (const fn of wake) fn()
    })
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve))
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
  }

  /** The next connection. */
  async next(): Promise<RawPeer> {
    for (;;) {
      const peer = this.#peers.shift()
      if (peer !== undefined) return peer
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#all) socket.destroy()
    return closed
  }
}

/** A port on which nobody listens: one that has just been given back. */
export async function closedPort(): Promise<number> {
  const server = await RawServer.listen()
  await server.close()
  return server.port
}
