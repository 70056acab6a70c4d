import { readFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { afterEach } from 'vitest'
import { WebSocketServer } from 'ws'

const folder = join(import.meta.dirname, 'tls')
/** Self-signed, for localhost and 127.0.0.1. */
export const cert = readFileSync(join(folder, 'cert.pem'))
export const key = readFileSync(join(folder, 'key.pem'))

const servers = new Set<https.Server>()
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  servers.clear()
})

export interface TlsServer {
  readonly port: number
  /** TLS connections that were made. */
  readonly sockets: TLSSocket[]
  /** Request headers of the handshakes that arrived. */
  readonly requests: object[]
}

/** An echo of npm ws behind a https server of node. */
export async function tlsServer(options: TlsOptions = {}): Promise<TlsServer> {
  const server = https.createServer({ cert, key, ...options })
  servers.add(server)
  const sockets: TLSSocket[] = []
  const requests: object[] = []
  server.on('secureConnection', (socket) => sockets.push(socket))
  server.on('tlsClientError', () => {})
  const echo = new WebSocketServer({ server })
  echo.on('connection', (socket, request) => {
    requests.push(request.headers)
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, sockets, requests }
}
