/** The part of Bun that is used here; its types are no dependency of ours. */
declare const Bun: {
  gc(force: boolean): void
  serve(options: {
    hostname: string
    port: number
    fetch(request: Request, server: BunServer): Response | undefined
    websocket: {
      idleTimeout: number
      perMessageDeflate: boolean
      maxPayloadLength: number
      backpressureLimit: number
      open(ws: BunWebSocket): void
      message(ws: BunWebSocket, message: string | Buffer): void
    }
  }): BunServer
}
interface BunServer {
  readonly port: number
  upgrade(request: Request, options: { data: { fan: boolean } }): boolean
  publish(topic: string, message: string | Buffer): number
}
interface BunWebSocket {
  readonly data: { fan: boolean }
  send(message: string | Buffer): number
  subscribe(topic: string): void
}

/** Bun's own WebSocket server; its process runs in Bun. */
export function startBun(): Promise<number> {
  // As --expose-gc has it.
  Object.assign(globalThis, { gc: () => Bun.gc(true) })
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, self) => {
      const fan = new URL(request.url).pathname === '/fan'
      return self.upgrade(request, { data: { fan } }) ? undefined : new Response(null, { status: 426 })
    },
    websocket: {
      idleTimeout: 0,
      perMessageDeflate: false,
      maxPayloadLength: 64 << 20,
      backpressureLimit: 64 << 20,
      open: (ws) => {
        if (ws.data.fan) ws.subscribe('all')
      },
      message: (ws, message) => void (ws.data.fan ? server.publish('all', message) : ws.send(message)),
    },
  })
  return Promise.resolve(server.port)
}
