import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { TlsOptions, TLSSocket } from 'node:tls'
import {
  crowdLimit,
  type Endpoint,
  type Engine,
  type Exchange,
  type ServerOptions,
  type ServerPort,
  type TlsFiles,
} from '../port.ts'
import { systemClock } from '../clock.ts'
import { NodeExchange } from './exchange.ts'
import { NodeTopics } from './topics.ts'
import type { Fanout } from './transport.ts'

// What an error on a connection means is told by 'close', which follows it.
const ignore = (): void => {}

/** Two Hosts, or a body in more than one encoding (RFC 9112 §3.2, §6.1). */
function isAmbiguous({ rawHeaders, headers }: http.IncomingMessage): boolean {
  const encoding = headers['transfer-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') return true
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

const NO_LIMIT = 0x7fff_ffff
/**
 * Connections that the system keeps until node takes them, one in a turn of the event loop, or fewer where the system says so
 * (`net.core.somaxconn`). It drops others without a word, and each of those tries again after 1, 3, 7, 15 and 31 s.
 */
const BACKLOG = 65_535

/** node:http(s) with our own RFC 6455 behind its upgrade event. */
class NodeServer implements ServerPort, Fanout {
  readonly topics = new NodeTopics()
  #options: ServerOptions
  readonly #onExchange: (exchange: Exchange) => void
  readonly #servers = new Map<Endpoint, http.Server>()
  /** Those of `unlisten`: some of their connections may still be there. */
  readonly #closed: Promise<void>[] = []
  readonly #sockets = new Set<Socket>()
  /** Connections that have not asked for anything yet. */
  readonly #silent = new Set<Socket>()
  /** Answers that are not with the kernel yet, and their connections. */
  readonly #answering = new Map<http.ServerResponse, Socket>()
  /** Connections of which nothing more is taken. */
  readonly #refused = new WeakSet<Socket>()
  #gone: Promise<void> | null = null

  constructor(options: ServerOptions, onExchange: (exchange: Exchange) => void) {
    this.#options = options
    this.#onExchange = onExchange
  }

  get publishLimit(): number {
    return this.#options.publishLimit
  }

  listen(endpoint: Endpoint): Promise<number> {
    const { name, host, port, tls } = endpoint
    const server = this.#create(name, tls)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: BACKLOG, exclusive: !this.#options.sharesPorts }, () => {
        server.off('error', reject)
        server.on('error', ignore)
        if (this.#gone !== null) {
          server.close()
          return reject(new Error('The server stops'))
        }
        this.#servers.set(endpoint, server)
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  unlisten(endpoint: Endpoint): void {
    const server = this.#servers.get(endpoint)
    this.#servers.delete(endpoint)
    if (server !== undefined) this.#closed.push(this.#sparing(() => closeServer(server)))
  }

  setTls(endpoint: Endpoint, tls: TlsFiles): void {
    const server = this.#servers.get(endpoint)
    if (endpoint.tls?.verify !== tls.verify) throw new Error('tls.verify cannot be changed without a restart')
    if (server instanceof https.Server) server.setSecureContext(toTlsOptions(tls))
  }

  update(options: ServerOptions): readonly string[] {
    this.#options = options
    for (const server of this.#servers.values()) apply(server, options)
    return []
  }

  stopListening(): Promise<void> {
    this.#gone ??= this.#sparing(() => this.#close())
    // A browser's spare connections would hold up the end for nothing.
    for (const socket of this.#silent) socket.destroy()
    return this.#gone
  }

  async close(): Promise<void> {
    const gone = this.stopListening()
    // A server closes before its last sockets say that they have.
    const closed = Array.from(this.#sockets, (socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([gone, ...closed])
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#closed, ...Array.from(this.#servers.values(), closeServer)])
  }

  /** Closes idle connections in `fn`; node takes an answer for sent when the connection has the last of it, read or not. */
  #sparing<T>(fn: () => T): T {
    const sockets = new Set(this.#answering.values())
    for (const socket of sockets) socket.destroy = () => socket
    const result = fn()
    for (const socket of sockets) Reflect.deleteProperty(socket, 'destroy')
    return result
  }

  #answered(res: http.ServerResponse, server: http.Server): void {
    this.#answering.delete(res)
    // Nobody waits for what may be asked next.
    if (!server.listening) this.#sparing(() => server.closeIdleConnections())
  }

  /** What can be read in more than one way, and node's parser takes: 400, and nothing that comes behind it. */
  #begin(exchange: NodeExchange, req: http.IncomingMessage): void {
    if (this.#refused.has(req.socket)) return
    if (!isAmbiguous(req)) return this.#onExchange(exchange)
    this.#refused.add(req.socket)
    req.socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    req.socket.destroySoon()
  }

  #keep(socket: Socket, asks: boolean): void {
    this.#sockets.add(socket)
    if (asks) this.#silent.add(socket)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#silent.delete(socket)
    })
  }

  #create(name: string, tls: Endpoint['tls']): http.Server {
    const options = {
      // What is looked at each second, and for how long a TLS handshake may take: silent peers go before they have asked for anything.
      connectionsCheckingInterval: 1000,
      handshakeTimeout: this.#options.parseTimeout || NO_LIMIT,
    }
    const server = tls === null ? http.createServer(options) : https.createServer({ ...options, ...toTlsOptions(tls) })
    apply(server, this.#options)
    // Of this listener, with those below TLS counted once.
    let connections = 0
    const isCrowded = (): boolean => connections > this.#options.maxConnections
    server.on('request', (req, res) => {
      this.#silent.delete(req.socket)
      this.#answering.set(res, req.socket)
      res.on('close', () => this.#answered(res, server))
      // A peer that is lost while it is answered: told by 'close'.
      res.on('error', ignore)
      this.#begin(new NodeExchange(req, res, name, isCrowded()), req)
    })
    server.on('upgrade', (req: http.IncomingMessage, duplex, head) => {
      const { socket } = req
      this.#silent.delete(socket)
      duplex.on('error', ignore)
      const offer = { socket, head, fanout: this, compression: this.#options.compression }
      this.#begin(new NodeExchange(req, offer, name, isCrowded()), req)
    })
    // Below TLS there is another socket.
    server.on('connection', (socket: Socket) => {
      connections++
      socket.on('close', () => connections--)
      this.#keep(socket, tls === null)
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#keep(socket, true)
      if (tls?.verify === 'any' && socket.getPeerX509Certificate() === undefined) socket.destroy()
    })
    return server
  }
}

/** What can be changed while a server runs. */
function apply(
  server: http.Server,
  { maxHeader, maxConnections, maxRequests, parseTimeout, requestTimeout }: ServerOptions,
): void {
  // To node 0 is its own default; here it is none.
  Object.assign(server, { maxHeaderSize: maxHeader === 0 ? NO_LIMIT : maxHeader })
  server.headersTimeout = requestTimeout === 0 ? parseTimeout : Math.min(parseTimeout, requestTimeout)
  server.requestTimeout = requestTimeout
  server.maxConnections = Number.isFinite(maxConnections) ? crowdLimit(maxConnections) : NO_LIMIT
  server.maxRequestsPerSocket = maxRequests
}

const toTlsOptions = ({ cert, key, ciphers, authority, verify }: TlsFiles): TlsOptions => ({
  cert,
  key,
  minVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ...(ciphers === null ? {} : { ciphers }),
  ...(authority === null ? {} : { ca: authority }),
  requestCert: verify !== 'none',
  rejectUnauthorized: verify === 'issued',
})

/** Resolves when the last connection has gone, upgraded ones included. */
const closeServer = (server: http.Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

export const nodeEngine: Engine = {
  name: 'node',
  version: process.version,
  clock: systemClock,
  unfollowed: [],
  createServer: (options, onExchange) => new NodeServer(options, onExchange),
}
