import { connect, type Socket } from 'node:net'
import { type RawPeer, type RawRequest, RawServer } from './raw-server.ts'

/** A proxy that makes tunnels (CONNECT, RFC 9110 §9.3.6), and notes what was asked of it. */
export class Proxy {
  readonly server: RawServer
  /** Requests in the order of arrival. */
  readonly requests: RawRequest[] = []
  readonly peers: RawPeer[] = []
  /** Where tunnels lead, whatever is asked for; null: where they should. */
  readonly #target: number | null

  private constructor(server: RawServer, target: number | null) {
    this.server = server
    this.#target = target
  }

  /** `answer`: what it says in place of making a tunnel. */
  static async listen(answer: ((peer: RawPeer) => void) | null = null, target: number | null = null): Promise<Proxy> {
    const proxy = new Proxy(await RawServer.listen(), target)
    void proxy.#serve(answer)
    return proxy
  }

  get port(): number {
    return this.server.port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The authorities that tunnels were asked for. */
  get targets(): (string | undefined)[] {
    return this.requests.map(({ lines }) => lines[0])
  }

  async #serve(answer: ((peer: RawPeer) => void) | null): Promise<void> {
    for (;;) {
      const peer = await this.server.next()
      this.peers.push(peer)
      try {
        const request = await peer.request()
        this.requests.push(request)
        if (answer === null) this.#tunnel(peer, request)
        else answer(peer)
      } catch {
        // A peer that leaves before it has asked is no concern of a proxy.
      }
    }
  }

  #tunnel({ socket }: RawPeer, { lines }: RawRequest): void {
    const port = Number(/^CONNECT \S+:(\d+) HTTP\/1\.1$/.exec(lines[0] ?? '')?.[1])
    const onward: Socket = connect(this.#target ?? port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    onward.on('close', () => socket.destroy())
    socket.on('close', () => onward.destroy())
  }
}
