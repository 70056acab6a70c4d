import type { OneBotEvent, OneBotPlatform } from '../../include-types/onebot.ts'
import type { Clock } from '../engine/port.ts'
import { rFailure } from '../websock/log.ts'
import type { Status } from './actions/action.ts'

/** What tells clients of a bot what happens. */
export interface Outlet {
  tell(event: OneBotEvent): void
}

/** A bot, with all ways to it: what happens is told on all of them in one order. */
export class Account implements Status {
  readonly platform: OneBotPlatform
  readonly #clock: Clock
  readonly #outlets = new Set<Outlet>()
  /** What has happened, and is not told yet. */
  #events: OneBotEvent[] = []
  readonly #unlisten: () => void
  packetsReceived = 0
  packetsSent = 0
  messagesReceived = 0
  messagesSent = 0
  disconnects = 0

  constructor(platform: OneBotPlatform, clock: Clock) {
    this.platform = platform
    this.#clock = clock
    this.#unlisten = platform.listen((event) => this.#hear(event))
  }

  get id(): number {
    return this.platform.self().id
  }

  add(outlet: Outlet): void {
    this.#outlets.add(outlet)
  }

  remove(outlet: Outlet): void {
    this.#outlets.delete(outlet)
  }

  /** Told a turn later: whoever has caused it has their answer by then. */
  #hear(event: OneBotEvent): void {
    if (event.kind === 'message') {
      if (event.message.sender.id === this.id) this.messagesSent++
      else this.messagesReceived++
    }
    if (this.#outlets.size === 0) return
    if (this.#events.push(event) === 1) this.#clock.defer(() => this.#tell())
  }

  #tell(): void {
    const events = this.#events
    this.#events = []
    for (const event of events) {
      for (const outlet of this.#outlets) {
        try {
          outlet.tell(event)
        } catch (error) {
          rFailure('onebot', 'An event could not be told', error)
        }
      }
    }
  }

  close(): void {
    this.#unlisten()
    this.#events = []
    this.platform.close?.()
  }
}
