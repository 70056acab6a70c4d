import { COMPRESS_FROM, type TopicPort } from '../port.ts'
import type { UwsApp } from './app.ts'

/** The topics of several apps as one. */
export class UwsTopics implements TopicPort {
  readonly #apps: readonly UwsApp[]
  readonly #compression: boolean

  constructor(apps: readonly UwsApp[], compression: boolean) {
    this.#apps = apps
    this.#compression = compression
  }

  publish(topic: string, data: string | Uint8Array, length: number, binary: boolean): number {
    const compress = this.#compression && !binary && length >= COMPRESS_FROM
    let count = 0
    for (const { native: app } of this.#apps) {
      const subscribers = app.numSubscribers(topic)
      if (subscribers > 0) app.publish(topic, data, binary, compress)
      count += subscribers
    }
    return count
  }

  subscribers(topic: string): number {
    return this.#apps.reduce((sum, { native: app }) => sum + app.numSubscribers(topic), 0)
  }
}
