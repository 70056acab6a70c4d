import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { close } from '../../support/frames.ts'
import type { Figures, Opening } from '../messages.ts'
import { now, readStamp } from '../stamp.ts'
import { openPeer, openPeers, type Peer } from './peer.ts'

const CLOSE = 8

/** A client that reads. */
interface Reader {
  readonly peer: Peer
  /** Messages that have come, and the number of the last. */
  arrived: number
  last: number
}

/** A Close that has come: when, in milliseconds, and its status; 1005 without one. */
export interface Goodbye {
  readonly at: number
  readonly status: number
}

/** Clients that read what is published, and answer a Close. */
export class Readers {
  readonly goodbyes: Goodbye[] = []
  #readers: Reader[] = []
  // Nanoseconds, of all readers together.
  #sent = createHistogram()
  #due = createHistogram()
  #gaps = 0
  /** Messages that have come before they were published, by the clocks. */
  #early = 0
  #wanted = 0
  #missing = 0
  #whenArrived: () => void = () => {}

  get peers(): readonly Peer[] {
    return this.#readers.map(({ peer }) => peer)
  }

  async open({ port, path, count }: Opening): Promise<void> {
    this.#readers.push(...(await openPeers(count, () => this.#open(port, path))))
  }

  reset(): void {
    this.#sent = createHistogram()
    this.#due = createHistogram()
    this.#gaps = this.#early = this.#wanted = 0
    for (const reader of this.#readers) Object.assign(reader, { arrived: 0, last: -1 })
  }

  /** Waits until each has so many messages. */
  async arrived(count: number): Promise<Figures> {
    this.#wanted = count
    this.#missing = this.#readers.filter(({ arrived }) => arrived < count).length
    if (this.#missing > 0) await new Promise<void>((resolve) => (this.#whenArrived = resolve))
    return {
      ...quantiles('', this.#sent),
      ...quantiles('due ', this.#due),
      messages: this.#sent.count,
      gaps: this.#gaps,
      early: this.#early,
    }
  }

  async #open(port: number, path: string): Promise<Reader> {
    const early: [number, Buffer][] = []
    let reader: Reader | null = null
    const peer = await openPeer(port, path, (opcode, payload) => {
      if (reader === null) early.push([opcode, Buffer.from(payload)])
      else this.#take(reader, opcode, payload)
    })
    reader = { peer, arrived: 0, last: -1 }
    for (const [opcode, payload] of early) this.#take(reader, opcode, payload)
    return reader
  }

  #take(reader: Reader, opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) {
      const status = payload.length < 2 ? 1005 : payload.readUInt16BE(0)
      this.goodbyes.push({ at: performance.now(), status })
      reader.peer.socket.end(close(status))
      return
    }
    const { number, due, sent } = readStamp(payload)
    const at = now()
    if (number !== reader.last + 1) this.#gaps++
    if (at < sent) this.#early++
    reader.last = number
    record(this.#sent, at - sent)
    record(this.#due, at - due)
    if (++reader.arrived === this.#wanted && --this.#missing === 0) this.#whenArrived()
  }
}

const record = (histogram: RecordableHistogram, ms: number): void => histogram.record(Math.max(1, Math.round(ms * 1e6)))

/** Microseconds. */
const quantiles = (prefix: string, histogram: RecordableHistogram): Figures => ({
  [`${prefix}p50`]: histogram.percentile(50) / 1000,
  [`${prefix}p99`]: histogram.percentile(99) / 1000,
  [`${prefix}p99.9`]: histogram.percentile(99.9) / 1000,
  [`${prefix}max`]: histogram.max / 1000,
})
