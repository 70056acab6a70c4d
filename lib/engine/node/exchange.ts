import { createHash } from 'node:crypto'
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MAGIC } from '../../rfc6455.ts'
import { validateHeaders } from '../../rfc9110.ts'
import { systemClock } from '../clock.ts'
import type { CompressionMode, Exchange, HeaderList, Transport } from '../port.ts'
import { acceptOffer } from '../extensions.ts'
import { writeQueueSize } from './outbox.ts'
import { type Fanout, NodeTransport } from './transport.ts'

const ignore = (): void => {}

/** Milliseconds in which a peer has to read something of an answer that waits for it. */
const READING = 30_000
/** Bytes that a slow peer is given as long for, where there is TLS. */
const PIECE = 65_536
/** Milliseconds for a refused peer to read its answer. */
const GOODBYE = 5000

/** What an upgrade request brings beside its header: node has let go of the socket. */
export interface UpgradeOffer {
  readonly socket: Socket
  readonly head: Buffer
  /** What connections share; lives longer than the request. */
  readonly fanout: Fanout
  readonly compression: CompressionMode
}

/** One request of node:http. */
export class NodeExchange implements Exchange {
  readonly method: string
  readonly target: string
  readonly version: string
  readonly listener: string
  readonly crowded: boolean
  /** Null once upgraded: an idle connection should not keep its request alive. */
  #req: IncomingMessage | null
  #offer: UpgradeOffer | null
  /** Kept, for a request lets go of its socket when it is over. */
  readonly #socket: Socket
  #res: ServerResponse | null
  #headers: Record<string, string> | null = null
  #upgraded = false
  #body: Promise<Buffer | null> | null = null
  /** The peer is expected to read. */
  #reading = false

  constructor(req: IncomingMessage, answer: ServerResponse | UpgradeOffer, listener = '', crowded = false) {
    this.listener = listener
    this.crowded = crowded
    this.#req = req
    this.#socket = req.socket
    this.method = req.method ?? ''
    this.target = req.url ?? ''
    this.version = req.httpVersion
    this.#res = answer instanceof ServerResponse ? answer : null
    this.#offer = answer instanceof ServerResponse ? null : answer
  }

  get headers(): Readonly<Record<string, string>> {
    if (this.#headers === null) {
      const headers: Record<string, string> = {}
      this.#headers = headers
      for (const [name, value] of Object.entries(this.#req?.headers ?? {})) {
        if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
      }
    }
    return this.#headers
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  get secure(): boolean {
    return this.#socket instanceof TLSSocket
  }

  get done(): boolean {
    return this.#upgraded || this.#socket.destroyed || this.#res?.writableEnded === true
  }

  readBody(limit: number): Promise<Buffer | null> {
    this.#body ??= this.#readBody(limit)
    return this.#body
  }

  #readBody(limit: number): Promise<Buffer | null> {
    const req = this.#req
    const chunks: Buffer[] = []
    let length = 0
    if (req === null) return Promise.resolve(null)
    // Behind an upgrade that is ignored node reads no body.
    const { 'content-length': announced = '0', 'transfer-encoding': encoding } = req.headers
    if (this.#offer !== null) {
      return Promise.resolve(announced === '0' && encoding === undefined ? Buffer.alloc(0) : null)
    }
    return new Promise((resolve) => {
      req.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length <= limit) {
          chunks.push(chunk)
          return
        }
        this.refuseBody()
        chunks.length = 0
        resolve(null)
      })
      req.once('end', () => resolve(Buffer.concat(chunks, length)))
      req.once('close', () => resolve(null))
    })
  }

  /** The rest is read and dropped, so that the peer gets its answer. */
  refuseBody(): void {
    this.#response().shouldKeepAlive = false
    this.#req?.resume()
  }

  writeHead(status: number, headers: HeaderList): void {
    this.#response().writeHead(status, headers.flat())
  }

  write(chunk: string | Uint8Array): boolean {
    const taken = this.#response().write(chunk)
    if (!taken) this.#expectReader()
    return taken
  }

  onDrain(fn: () => void): void {
    this.#response().once('drain', fn)
  }

  onAbort(fn: () => void): void {
    const res = this.#response()
    res.once('close', () => {
      if (!res.writableFinished) fn()
    })
  }

  end(chunk?: string | Uint8Array): void {
    this.#response().end(chunk)
    if (this.#socket.writableLength > 0) this.#expectReader()
  }

  /** What was written waits for the peer: who reads none of it for this long is dropped. */
  #expectReader(): void {
    const [res, socket] = [this.#response(), this.#socket]
    if (this.#reading) return
    this.#reading = true
    // Below TLS nobody tells how much of a write has left: it has as long for each piece of what waits.
    const pieces = socket instanceof TLSSocket ? Math.ceil(socket.writableLength / PIECE) : 1
    // Each byte that the kernel takes begins it again.
    const wait = (): void => void socket.setTimeout(READING * Math.max(1, pieces))
    const look = (): void => {
      const waiting = writeQueueSize(socket)
      // Where this process was busy, the peer may have read meanwhile: first what has come of that is heard.
      systemClock.defer(() => {
        if (!this.#reading) return
        if (writeQueueSize(socket) === waiting) socket.destroy()
        else wait()
      })
    }
    const over = (): void => {
      this.#reading = false
      socket.off('timeout', look)
      res.off('timeout', ignore).off('drain', drained).off('finish', over)
    }
    const drained = (): void => {
      over()
      socket.setTimeout(0)
    }
    wait()
    socket.on('timeout', look)
    // Else the server would drop it at once.
    res.on('timeout', ignore).on('drain', drained)
    // What comes behind an answer has a time limit of its own.
    res.on('finish', over)
  }

  abort(): void {
    this.#socket.destroy()
  }

  upgrade(protocol: string, headers: HeaderList): Transport | null {
    const offer = this.#offer
    if (offer === null || this.#res !== null || this.#upgraded || offer.socket.destroyed) return null
    validateHeaders(headers)
    this.#upgraded = true
    this.#offer = null
    const extensions = this.headers['sec-websocket-extensions']
    const accepted =
      extensions === undefined || offer.compression === false
        ? null
        : acceptOffer(extensions, offer.compression === 'takeover')
    const accept = createHash('sha1')
      .update(this.headers['sec-websocket-key'] + MAGIC)
      .digest('base64')
    this.#req = null
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      ...(protocol === '' ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
      ...(accepted === null ? [] : [`Sec-WebSocket-Extensions: ${accepted.response}`]),
      ...headers.map(([name, value]) => `${name}: ${value}`),
    ]
    offer.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    return new NodeTransport(offer.socket, offer.head, false, offer.fanout, accepted?.compression ?? null)
  }

  /** An upgrade request that is answered like any other: the response is ours to make, the connection ends with it. */
  #response(): ServerResponse {
    if (this.#res !== null) return this.#res
    if (this.#req === null) throw new Error('This request was upgraded')
    const res = new ServerResponse(this.#req)
    this.#res = res
    const socket = this.#socket
    res.shouldKeepAlive = false
    res.assignSocket(socket)
    res.once('finish', () => {
      res.detachSocket(socket)
      socket.end()
      socket.resume()
      socket.setTimeout(GOODBYE, () => socket.destroy())
    })
    return res
  }
}
