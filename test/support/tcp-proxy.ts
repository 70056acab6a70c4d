import { connect, createServer, type Server, type Socket } from 'node:net'

/** How a proxied connection ends: the end of TCP, a reset, or nothing more that is forwarded while both sides stay. */
export type Cut = { by: 'fin' | 'rst' | 'silence'; after: number }

/** Forwards TCP, and cuts connections when a number of bytes have gone through, whichever way they went. */
export class TcpProxy {
  /** Where connections go. */
  target: number
  /** One for each connection that is to come; those beyond the list are not cut. */
  readonly cuts: Cut[] = []
  /** When each connection came. */
  readonly times: number[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number) {
    this.target = target
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#forward(client))
  }

  static async open(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return address.port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #forward(client: Socket): void {
    this.times.push(performance.now())
    const cut = this.cuts.shift()
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    let left = cut?.after ?? Infinity
    let over = false
    const both = [client, server] as const
    const end = (): void => {
      over = true
      if (cut?.by === 'silence') return
      for (const socket of both) {
        if (cut?.by === 'rst') socket.resetAndDestroy()
        else socket.end()
      }
    }
    for (const [from, to] of [both, [server, client]] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.on('data', (chunk) => {
        if (over) return
        to.write(chunk.subarray(0, left))
        left -= chunk.length
        if (left <= 0) end()
      })
      from.on('end', () => {
        if (!over || cut?.by === 'fin') to.end()
      })
      from.on('close', () => {
        this.#sockets.delete(from)
        if (!over) to.destroy()
      })
    }
  }
}
