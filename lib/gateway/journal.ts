import Denque from 'denque'
import type { GatewaySettings } from '../web/config/gateway.ts'
import { withNumber } from './wire.ts'

/** What was told to those of a topic, for whoever may have missed it. */
export interface Entry {
  /** Greater than that of all before. */
  readonly s: number
  readonly topic: string
  /** Users of the topic who have not been told, or otherwise; null: none. */
  readonly except: ReadonlySet<string> | null
  readonly frame: string
  /** Of the frame. */
  readonly bytes: number
  /** Milliseconds of the clock. */
  readonly at: number
}

/**
 * What was told lately, each once whoever was told: bounded in bytes and in time. Kept while anybody is there who can ask for it
 * again, else nothing is.
 */
export class Journal {
  readonly #now: () => number
  readonly #mostBytes: number
  /** Milliseconds. */
  readonly #longest: number
  readonly #entries = new Denque<Entry>()
  /** The same, by topic: who comes back looks at their own only. */
  readonly #byTopic = new Map<string, Denque<Entry>>()
  #bytes = 0
  /** The number of the last one. */
  #last = 0
  #start = 0
  #readers = 0

  constructor({ resumeBytes, resumeFor }: GatewaySettings, now: () => number) {
    this.#now = now
    this.#mostBytes = resumeBytes
    this.#longest = resumeFor
  }

  /** The number of what was told last. */
  get last(): number {
    return this.#last
  }

  /** All behind this number are there. */
  get start(): number {
    return this.#start
  }

  /** Somebody may ask for it again. */
  get kept(): boolean {
    return this.#readers > 0
  }

  open(): void {
    if (this.#readers++ > 0) return
    this.#start = this.#last
  }

  close(): void {
    if (--this.#readers > 0) return
    this.#entries.clear()
    this.#byTopic.clear()
    this.#bytes = 0
    this.#start = this.#last
  }

  /** The frame as those who can ask for it again get it. */
  add(topic: string, text: string, except: ReadonlySet<string> | null): string {
    const s = ++this.#last
    const frame = withNumber(text, s)
    const entry: Entry = { s, topic, except, frame, bytes: Buffer.byteLength(frame), at: this.#now() }
    this.#entries.push(entry)
    const line = this.#byTopic.get(topic)
    if (line === undefined) this.#byTopic.set(topic, new Denque([entry]))
    else line.push(entry)
    this.#bytes += entry.bytes
    this.#trim(entry.at)
    return frame
  }

  /** All of some topics behind a number, the oldest first; null where something behind it is not there any more. */
  since(s: number, topics: Iterable<string>): Entry[] | null {
    this.#trim(this.#now())
    if (s < this.#start || s > this.#last) return null
    const found: Entry[] = []
    for (const topic of topics) {
      const line = this.#byTopic.get(topic)
      for (let i = -1, entry = line?.peekAt(i); entry !== undefined && entry.s > s; entry = line?.peekAt(--i)) {
        found.push(entry)
      }
    }
    return found.toSorted((one, other) => one.s - other.s)
  }

  #trim(now: number): void {
    for (let first = this.#entries.peekFront(); first !== undefined; first = this.#entries.peekFront()) {
      if (this.#bytes <= this.#mostBytes && now - first.at < this.#longest) return
      this.#drop(first)
    }
  }

  /** The oldest goes, which is the oldest of its topic, too. */
  #drop({ s, topic, bytes }: Entry): void {
    this.#entries.shift()
    const line = this.#byTopic.get(topic)
    line?.shift()
    if (line?.isEmpty() === true) this.#byTopic.delete(topic)
    this.#bytes -= bytes
    this.#start = s
  }
}
