import type { WebSocketData, WebSocketEvent } from '../../include-types/websock.ts'
import { WS_EVENT_MESSAGE, WS_EVENT_PARTIAL_MESSAGE } from './constants.ts'

/** What an event costs in a queue beside its payload. */
const EVENT_COST = 64

/** An event that waits for its callback; it owns its payload. */
export interface QueuedEvent {
  readonly event: WebSocketEvent
  readonly buf: WebSocketData
  readonly len: number
  /** `WS_MSG_…` of the message, 0 for other events. */
  readonly type: number
  /** Bytes of the message up to and with this event. */
  readonly total: number
}

const carriesData = ({ event }: QueuedEvent): boolean =>
  event === WS_EVENT_MESSAGE || event === WS_EVENT_PARTIAL_MESSAGE

/** Events of one connection in order. Knows what it weighs; who fills it keeps to the bound. */
export class EventQueue {
  /** Payload + 64 for each event. */
  bytes = 0
  /** It is so full that the peer was told to wait. */
  paused = false
  /** The rest of it is left for a later turn of the event loop. */
  yielding = false
  #items: QueuedEvent[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: QueuedEvent): void {
    this.#items.push(item)
    this.bytes += item.len + EVENT_COST
  }

  shift(): QueuedEvent | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.bytes -= item.len + EVENT_COST
    if (++this.#head === this.#items.length) {
      this.#items.length = 0
      this.#head = 0
    } else if (this.#head === 1024) {
      // Let go of what was delivered; an index beats moving the array for each event.
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Drops undelivered MESSAGE and PARTIAL_MESSAGE events. */
  dropData(): void {
    this.#items = this.#items.slice(this.#head).filter((item) => !carriesData(item))
    this.#head = 0
    this.bytes = this.#items.reduce((sum, item) => sum + item.len + EVENT_COST, 0)
  }
}
