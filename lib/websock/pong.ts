import type { WebSocket } from '../../include-types/websock.ts'
import { Outgoing, toSocket } from './socket.ts'

/** Has `hear` told what each Pong says from now on: that of a Ping comes behind all that was sent before it was read. */
export function hearPongs(ws: WebSocket, hear: (text: string) => void): void {
  const socket = toSocket(ws)
  if (socket === null || socket.ended) return
  socket.outgoing ??= new Outgoing()
  socket.outgoing.onPong = (payload) => hear(payload.toString('latin1'))
}
