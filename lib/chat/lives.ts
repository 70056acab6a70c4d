import type { Core } from './core.ts'
import { toTime } from './ids.ts'

export const QUALITIES = ['480p', '720p', '1080p'] as const
export type Quality = (typeof QUALITIES)[number]

/** Somebody shows something to all who are in a voice channel. */
export interface Live {
  readonly channel_id: string
  readonly broadcaster_id: string
  readonly quality: Quality
  readonly started_at: string
}

/** Streams: one in a channel at most, by somebody who is in it. Nothing of it is stored. */
export class Lives {
  readonly #core: Core
  readonly #byChannel = new Map<string, Live>()

  constructor(core: Core) {
    this.#core = core
  }

  of(channel: string): Live | null {
    return this.#byChannel.get(channel) ?? null
  }

  /** In another quality it has begun when it did. */
  begin(server: string, channel: string, user: string, quality: Quality): Live {
    const before = this.of(channel)
    if (before?.quality === quality) return before
    const started_at = before?.started_at ?? toTime(this.#core.now())
    const live = { channel_id: channel, broadcaster_id: user, quality, started_at }
    this.#byChannel.set(channel, live)
    this.#core.events.tell({ type: 'live.started', serverId: server, live })
    return live
  }

  /** Where that user is the one who shows. */
  end(server: string, channel: string, user: string): void {
    if (this.of(channel)?.broadcaster_id !== user) return
    this.#byChannel.delete(channel)
    this.#core.events.tell({ type: 'live.stopped', serverId: server, channelId: channel, userId: user })
  }
}
