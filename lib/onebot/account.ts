import { join } from 'node:path'
import type { OneBotEvent, OneBotPlatform } from '../../include-types/onebot.ts'
import type { Clock } from '../engine/port.ts'
import { rFailure } from '../websock/log.ts'
import type { Status } from './actions/action.ts'
import type { SourceOptions } from './media/source.ts'
import { Spool } from './media/spool.ts'
import { Uploads } from './media/uploads.ts'
import { Turns } from './turns.ts'

/** What tells clients of a bot what happens. */
export interface Outlet {
  tell(event: OneBotEvent): void
}

/** A bot, with all ways to it: what happens is told on all of them in one order. */
export class Account implements Status {
  readonly platform: OneBotPlatform
  readonly id: number
  readonly media: SourceOptions
  readonly turns = new Turns()
  readonly spool: Spool
  readonly uploads: Uploads
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
  packetsLost = 0

  /** @param folder where what its clients upload is kept for a while: a folder of its own in that */
  constructor(platform: OneBotPlatform, clock: Clock, media: SourceOptions, folder: string) {
    this.platform = platform
    this.id = platform.self().id
    this.spool = new Spool(join(folder, String(this.id)), clock)
    this.uploads = new Uploads(this.spool, clock, media.maxBytes)
    this.media = { ...media, folders: [...media.folders, this.spool.folder] }
    this.#clock = clock
    this.#unlisten = platform.listen((event) => this.#hear(event))
  }

  add(outlet: Outlet): void {
    this.#outlets.add(outlet)
  }

  remove(outlet: Outlet): void {
    this.#outlets.delete(outlet)
  }

  /** The bot is there for others, until what this returns is called. */
  attach(): () => void {
    const detach = guard('A bot cannot be there', () => this.platform.attach(), null)
    return () => guard('A bot cannot go', () => detach?.(), undefined)
  }

  get isOnline(): boolean {
    return guard('A bot does not say whether it is online', () => this.platform.isOnline(), false)
  }

  /** Told a turn later: whoever has caused it has their answer by then. */
  #hear(event: OneBotEvent): void {
    if (event.kind === 'message') {
      if (event.message.sender.id === this.id) this.messagesSent++
      else this.messagesReceived++
    }
    if (this.#outlets.size === 0) return
    if (this.#events.push(event) === 1) this.#clock.defer(() => this.flush())
  }

  /** Tells what has happened. */
  flush(): void {
    const events = this.#events
    this.#events = []
    for (const event of events) {
      for (const outlet of this.#outlets) {
        guard('An event could not be told', () => outlet.tell(event), undefined)
      }
    }
  }

  close(): void {
    this.#events = []
    this.uploads.clean()
    this.spool.clean()
    guard('A bot cannot stop to listen', this.#unlisten, undefined)
    guard('A bot cannot be closed', () => this.platform.close?.(), undefined)
  }
}

/** Of a platform, which may be anybody's, `fails` in place of what it throws: nothing that belongs to others ends with it. */
function guard<T>(what: string, ask: () => T, fails: T): T {
  try {
    return ask()
  } catch (error) {
    rFailure('onebot', what, error)
    return fails
  }
}
