import { EventQueue, type QueuedEvent } from './queue.ts'
import type { Socket } from './socket.ts'

/** What waits for a callback, and what that means for the peer: its TCP is paused, where the engine can do that. */

/** Events that may wait, whatever their size. */
const MAX_EVENTS = 4096
const MIN_QUEUE = 1 << 20
/** The peer is paused while the queue is fuller than this, until it is emptier than that. */
const PAUSE_ABOVE = 1 / 4
const RESUME_BELOW = 1 / 8

/** Keeps an event until the callback is free. */
export function enqueue(ws: Socket, item: QueuedEvent): void {
  const queue = (ws.queue ??= new EventQueue())
  queue.push(item)
  if (!queue.paused && !ws.ended && fill(ws, queue) > PAUSE_ABOVE) {
    queue.paused = true
    ws.transport?.pause()
  }
}

/** How full the queue is, or would be with one more message: 1 is the bound. */
function fill(ws: Socket, queue: EventQueue, more = 0): number {
  const bound = ws.context.defaults.maxQueue || Math.max(MIN_QUEUE, 2 * ws.limits.maxMessage)
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
  ws.transport?.resume()
}
