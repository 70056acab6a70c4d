import { join } from 'node:path'
import type { OneBotEvent, OneBotPlatform } from '../../include-types/onebot.ts'
import type { Clock } from '../engine/port.ts'
import type { OneBotExtras } from '../web/config/onebot-settings.ts'
import { rFailure } from '../websock/log.ts'
import type { Status } from './actions/action.ts'
import type { SourceOptions } from './media/source.ts'
import { hasExtras, withExtras } from './message/extras.ts'
import { Spool } from './media/spool.ts'
import { Uploads } from './media/uploads.ts'
import { Turns } from './turns.ts'

/** What tells clients of a bot what happens. */
export interface Outlet {
  tell(event: OneBotEvent): void
  /** Reads again which events are told, where a file says so. */
  refilter(): void
}

export interface AccountOptions {
  /** Where files come from that its clients name. */
  readonly media: SourceOptions
  /** Where what they upload is kept for a while: a folder of its own in that. */
  readonly folder: string
  /** Files that they ask for come with their bytes. */
  readonly inlines: boolean
  /** What messages come with, where the platform has that at hand. */
  readonly extras: OneBotExtras
}

const UNREAD = 'What comes with a message cannot be read'

/** A bot, with all ways to it: what happens is told on all of them in one order. */
export class Account implements Status {
  readonly platform: OneBotPlatform
  readonly id: number
  readonly media: SourceOptions
  readonly turns = new Turns()
  readonly spool: Spool
  readonly uploads: Uploads
  readonly inlines: boolean
  readonly extras: OneBotExtras
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

  constructor(platform: OneBotPlatform, clock: Clock, { media, folder, inlines, extras }: AccountOptions) {
    this.platform = platform
    this.inlines = inlines
    this.extras = extras
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

  refilter(): void {
    for (const outlet of this.#outlets) outlet.refilter()
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
    if (this.#events.push(this.#expand(event)) === 1) this.#clock.defer(() => this.flush())
  }

  /** What is not at hand is not waited for: events stay in order. */
  #expand(event: OneBotEvent): OneBotEvent {
    if (event.kind !== 'message' || !hasExtras(event.message, this.extras)) return event
    const { message: given } = event
    const message = guard(UNREAD, () => withExtras(this.platform, given, this.extras), given)
    if (!(message instanceof Promise)) return { ...event, message }
    message.catch((error: unknown) => rFailure('onebot', UNREAD, error))
    return event
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
