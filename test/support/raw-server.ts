import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import { MAGIC } from '../../lib/rfc6455.ts'
import { RawSocket } from './raw-socket.ts'

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

/** The server's end of a connection. */
export class RawPeer extends RawSocket {
  /** Takes the header of the request. */
  async request(): Promise<RawRequest> {
    const lines = (await this.head()).split('\r\n')
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
}

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
