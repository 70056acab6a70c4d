import { EventQueue, type QueuedEvent } from './queue.ts'
import { Outgoing, type Socket } from './socket.ts'

/** What waits for a callback, and what that means for the peer: its TCP is paused, where the engine can do that. */

/** Events that may wait, whatever their size. */
const MAX_EVENTS = 4096
const MIN_QUEUE = 1 << 20
/** The peer is paused while the queue is fuller than this, until it is emptier than that. */
const PAUSE_ABOVE = 1 / 16
const RESUME_BELOW = 1 / 32
/** With `pause` a peer is not read from while more of its `maxBackpressure` than this waits: answers still fit then. */
const HOLD_ABOVE = 1 / 2

/** Keeps an event until the callback is free. */
export function enqueue(ws: Socket, item: QueuedEvent): void {
  const queue = (ws.queue ??= new EventQueue())
  if (queue.length === 0) ws.context.pressure.add(ws, item.len)
  queue.push(item)
  if (!queue.paused && !ws.ended && fill(ws, queue) > PAUSE_ABOVE) {
    queue.paused = true
    ws.transport?.pause()
  }
}

/** How full the queue is, or would be with one more message: 1 is the bound. */
function fill(ws: Socket, queue: EventQueue, more = 0): number {
  const bound = ws.limits.maxQueue || Math.max(MIN_QUEUE, 2 * ws.limits.maxMessage)
  return Math.max((queue.bytes + more) / bound, queue.length / MAX_EVENTS)
}

/** Whether `more` bytes would overfill the queue of a peer that cannot be paused. */
export const overflows = (ws: Socket, more: number): boolean =>
  ws.transport?.canPause === false && fill(ws, (ws.queue ??= new EventQueue()), more) >= 1

/** Lets the peer send again when there is room. */
export function relieve(ws: Socket): void {
  const { queue } = ws
  if (queue === null || !queue.paused || fill(ws, queue) >= RESUME_BELOW) return
  queue.paused = false
  if (ws.outgoing === null || !ws.outgoing.holds) ws.transport?.resume()
}

/** So many bytes that were sent wait for the peer: where its route says so it is not read from until it has read itself. */
export function hold(ws: Socket, bytes: number): void {
  const { transport, limits } = ws
  ws.context.pressure.add(ws, bytes)
  if (limits.backpressure !== 'pause' || transport === null) return
  const outgoing = (ws.outgoing ??= new Outgoing())
  if (outgoing.holds || transport.buffered() <= HOLD_ABOVE * (limits.maxBackpressure || MIN_QUEUE)) return
  outgoing.holds = true
  transport.pause()
  transport.requestDrain()
}

/** The peer has read everything. */
export function release(ws: Socket): void {
  const { outgoing, queue, transport } = ws
  if (outgoing === null || !outgoing.holds) return
  outgoing.holds = false
  if (queue === null || !queue.paused) transport?.resume()
}
