import { WS_MSG_PING, WS_STATUS_COMMS_ERROR, WS_STATUS_GOING_AWAY } from './constants.ts'
import { fail } from './run.ts'
import { arm, deadline, isReading, linger, type Socket } from './socket.ts'

/** Something may be due for this connection: the wheel's callback. Looks, acts, and asks for the next time. */
export function expire(ws: Socket): void {
  const { now } = ws.context.wheel
  if (ws.closing !== null) {
    if (now >= ws.closing.by) {
      if (isReading(ws)) linger(ws, ws.closing.cause)
      else ws.transport?.abort()
      return
    }
  } else if (!ws.ended) {
    // Whoever has input waiting for a slow callback is not silent.
    if (ws.queue !== null && ws.queue.length > 0) ws.lastActive = now
    if (ws.limits.timeout !== 0 && now >= deadline(ws)) {
      fail(ws, WS_STATUS_GOING_AWAY, WS_STATUS_COMMS_ERROR, 'Timeout waiting for WebSocket data', 'timeout')
      return
    }
    if (ws.pingAt !== 0 && now >= ws.pingAt) ping(ws, now)
  }
  arm(ws)
}

/** Our own pings do not count as activity: only what the peer does with them shows that it lives. */
function ping(ws: Socket, now: number): void {
  ws.pingAt = Math.max(ws.pingAt + ws.limits.pingPeriod, now + 1)
  // Behind a backlog a ping would only add to it.
  const limit = ws.limits.maxBackpressure || Infinity
  if (ws.transport !== null && ws.transport.buffered() <= limit) {
    ws.transport.send('', 0, WS_MSG_PING, true)
  }
}
