import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { fieldOf, pageThrough, type Poster } from '../crash/poster.ts'

/** Milliseconds before it comes back, and as much again by chance. */
const WAIT = 50
/** Milliseconds that it may take until a mirror has everything. */
const PATIENCE = 30_000

/** A client that keeps what is said in a channel as its user would see it: what is there at READY, and what it hears from then on. */
export class Mirror {
  readonly #poster: Poster
  readonly #channel: string
  /** What each message says, by id. */
  messages = new Map<string, string>()
  /** Told to be unread with READY; and heard since. */
  #unread = 0
  #heard = 0
  /** Of `messages`, what was there at READY is there. */
  #complete = false
  /** How often it has begun; how often it was told that it goes on where it was. */
  readonly returns = { anew: 0, resumed: 0 }
  /** Messages that it was told of twice from one READY to the next. */
  twice = 0
  #session = ''
  #ws: WebSocket | null = null
  #stopped = false
  #ended: Promise<void> = Promise.resolve()
  #changed: () => void = () => {}

  /** @param poster whose account and port it has */
  constructor(poster: Poster, channel: string) {
    this.#poster = poster
    this.#channel = channel
  }

  start(): void {
    this.#ended = this.#follow()
  }

  async #follow(): Promise<void> {
    let going = 'resume=1'
    while (!this.#stopped) {
      const { port, token } = this.#poster
      const ws = new WebSocket(`ws://127.0.0.1:${port}/ws?token=${token}&${going}`)
      this.#ws = ws
      await new Promise<void>((resolve) => {
        ws.on('error', () => {})
        ws.on('close', () => resolve())
        ws.on('message', (data: Buffer) => {
          const session = this.#take(JSON.parse(data.toString()))
          if (session !== null) going = `resume=${session}`
        })
      })
      await sleep(WAIT * (1 + Math.random()))
    }
  }

  /** How to go on from here; null: as before. */
  #take(frame: unknown): string | null {
    const [type, seq, data] = [fieldOf(frame, 't'), fieldOf(frame, 's'), fieldOf(frame, 'd')]
    if (type === 'READY') this.#begin(data)
    if (type === 'RESUMED') this.returns.resumed++
    if (type === 'MESSAGE_CREATE' && fieldOf(data, 'channel_id') === this.#channel) this.#hear(data)
    return typeof seq === 'number' ? `${this.#session}&seq=${seq}` : null
  }

  #begin(ready: unknown): void {
    const counts = fieldOf(ready, 'unread_counts')
    const all: readonly unknown[] = Array.isArray(counts) ? counts : []
    const own = all.find((one) => fieldOf(one, 'channel_id') === this.#channel)
    const messages = new Map<string, string>()
    this.returns.anew++
    this.#session = String(fieldOf(ready, 'session_id'))
    this.messages = messages
    this.#unread = Number(fieldOf(own, 'unread_count') ?? 0)
    this.#heard = 0
    this.#complete = false
    void this.#fetch(messages)
  }

  /** What was there at READY. */
  async #fetch(messages: Map<string, string>): Promise<void> {
    try {
      const all = await pageThrough(this.#poster, this.#channel)
      if (this.messages !== messages) return
      for (const { id, content } of all) messages.set(id, content)
      this.#complete = true
      this.#changed()
    } catch {
      // The server has ended once more: so has the connection.
    }
  }

  #hear(message: unknown): void {
    const id = String(fieldOf(message, 'id'))
    // What is in a page may be heard, too; what was heard is not heard again.
    if (this.#complete && this.messages.has(id)) this.twice++
    this.messages.set(id, String(fieldOf(message, 'content')))
    this.#heard++
    this.#changed()
  }

  /** What it takes for unread: nobody reads here. */
  get unread(): number {
    return this.#unread + this.#heard
  }

  /** Resolves when it has so many messages, or has had the time for it. */
  async has(count: number): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE)
    const isLate = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve()))
    while (!late.aborted && !(this.#complete && this.messages.size >= count)) {
      await Promise.race([isLate, new Promise<void>((resolve) => (this.#changed = resolve))])
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#ws?.terminate()
    await this.#ended
  }
}
