import { App, us_socket_local_port as portOf, type WebSocketBehavior } from 'uWebSockets.js'

const decode = (message: ArrayBuffer): string => Buffer.from(message).toString()

/** uWebSockets.js without a layer: text decoded to a string, or the ArrayBuffer as it comes. */
export function startRaw(mode: 'string' | 'view'): Promise<number> {
  const app = App()
  // Compression is off unless it is asked for.
  const options: WebSocketBehavior<unknown> = {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 64 << 20,
    maxBackpressure: 64 << 20,
  }
  app.ws('/fan', {
    ...options,
    open: (ws) => void ws.subscribe('all'),
    message:
      mode === 'view'
        ? (_ws, message, isBinary) => void app.publish('all', message, isBinary)
        : (_ws, message, isBinary) => void app.publish('all', decode(message), isBinary),
  })
  app.ws('/*', {
    ...options,
    message:
      mode === 'view'
        ? (ws, message, isBinary) => void ws.send(message, isBinary)
        : (ws, message, isBinary) => void ws.send(decode(message), isBinary),
  })
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) =>
      socket === false ? reject(new Error('uWebSockets.js cannot listen')) : resolve(portOf(socket)),
    )
  })
}
