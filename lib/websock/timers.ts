import { WS_MSG_PING, WS_STATUS_COMMS_ERROR, WS_STATUS_GOING_AWAY, WS_STATUS_INTERNAL_ERROR } from './constants.ts'
import { fail, finish, LOST } from './run.ts'
import { arm, deadline, isReading, linger, Outgoing, type Socket } from './socket.ts'

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
    if (ws.outgoing !== null && ws.outgoing.pongBy !== 0 && now >= ws.outgoing.pongBy) return noPong(ws)
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
  // Who does not read is asked as well, as far as he knows.
  const { pongTimeout } = ws.limits
  if (pongTimeout === 0) return
  const outgoing = (ws.outgoing ??= new Outgoing())
  outgoing.pongBy ||= now + pongTimeout
}

/** Whatever else a peer has sent: what it does not read, it does not answer. */
function noPong(ws: Socket): void {
  const text = 'keepalive ping timeout'
  const cause = { initiator: 'timeout', code: WS_STATUS_INTERNAL_ERROR, reason: text } as const
  finish(ws, { ...LOST, error: WS_STATUS_COMMS_ERROR, cause }, text, WS_STATUS_INTERNAL_ERROR, text)
}
