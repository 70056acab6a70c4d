import { COMPRESS_FROM, type TopicPort } from '../port.ts'
import type { UwsApp } from './app.ts'

/** The topics of several apps as one. */
export class UwsTopics implements TopicPort {
  readonly #apps: ReadonlySet<UwsApp>

  constructor(apps: ReadonlySet<UwsApp>) {
    this.#apps = apps
  }

  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number {
    let count = 0
    for (const { native: app, compression } of this.#apps) {
      const subscribers = app.numSubscribers(topic)
      if (subscribers > 0) app.publish(topic, data, binary, compression && !binary && length >= COMPRESS_FROM)
      count += subscribers
    }
    return count
  }

  subscribers(topic: string): number {
    let count = 0
    for (const { native: app } of this.#apps) count += app.numSubscribers(topic)
    return count
  }
}
