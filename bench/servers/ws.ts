import { once } from 'node:events'
import { WebSocketServer } from 'ws'

/** The `ws` package, as its README has an echo and a broadcast. */
export async function startWs(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.on('connection', (ws, { url }) => {
    ws.on('message', (data, isBinary) => {
      if (url !== '/fan') ws.send(data, { binary: isBinary })
      else for (const client of server.clients) client.send(data, { binary: isBinary })
    })
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
