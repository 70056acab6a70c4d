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
  readonly #entries: Entry[] = []
  /** Of the entries, how many have gone. */
  #gone = 0
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
    if (--this.#readers === 0) this.#drop(this.#entries.length - this.#gone)
  }

  /** The frame as those who can ask for it again get it. */
  add(topic: string, text: string, except: ReadonlySet<string> | null): string {
    const s = ++this.#last
    const frame = withNumber(text, s)
    const at = this.#now()
    this.#entries.push({ s, topic, except, frame, at })
    this.#bytes += frame.length
    this.#trim(at)
    return frame
  }

  /** All behind a number, the oldest first; null where something of it is not there any more. */
  since(s: number): readonly Entry[] | null {
    this.#trim(this.#now())
    if (s < this.#start || s > this.#last) return null
    return this.#entries.slice(this.#gone).filter((entry) => entry.s > s)
  }

  #trim(now: number): void {
    let count = 0
    for (let at = this.#gone, bytes = this.#bytes; at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      if (entry === undefined || (bytes <= this.#mostBytes && now - entry.at < this.#longest)) break
      bytes -= entry.frame.length
      count++
    }
    if (count > 0) this.#drop(count)
  }

  /** The oldest go. */
  #drop(count: number): void {
    const end = this.#gone + count
    for (; this.#gone < end; this.#gone++) {
      const entry = this.#entries[this.#gone]
      if (entry === undefined) continue
      this.#bytes -= entry.frame.length
      this.#start = entry.s
    }
    // Moving all that is left once in a while is cheaper than each time.
    if (this.#gone * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#gone)
      this.#gone = 0
    }
  }
}
