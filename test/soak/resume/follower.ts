import { WebSocket } from 'ws'
import { fieldOf } from '../crash/poster.ts'

/** Milliseconds between two heartbeats, and without an answer after which its peer is taken for gone. */
const [BEAT, GONE] = [50, 300]

/** How a follower has come back. */
export interface Returns {
  resumed: number
  anew: number
  /** Cut before it was told anything. */
  early: number
}

/** A client that comes back whenever it is cut, and goes on: it keeps what it gets, in the order in which it comes. */
export class Follower {
  readonly #port: number
  readonly #token: string
  readonly #channel: string
  #session: string | null = null
  #seq = 0
  #stopped = false
  #ws: WebSocket | null = null
  #ended: Promise<void> = Promise.resolve()
  /** What it has heard, each time from READY on. */
  readonly runs: string[][] = []
  /** Numbers that were not greater than the one before. */
  backwards = 0
  readonly returns: Returns = { resumed: 0, anew: 0, early: 0 }
  /** Told before each attempt to come back; it waits for it. */
  readonly #pause: () => Promise<void>

  constructor(port: number, token: string, channel: string, pause: () => Promise<void> = async () => {}) {
    this.#port = port
    this.#token = token
    this.#channel = channel
    this.#pause = pause
  }

  /** From now on. */
  start(): void {
    this.#ended = this.#follow()
  }

  async #follow(): Promise<void> {
    while (!this.#stopped) {
      await this.#connect()
      await this.#pause()
    }
  }

  /** Resolves when this connection is over, however it ended. */
  async #connect(): Promise<void> {
    const going = this.#session === null ? 'resume=1' : `resume=${this.#session}&seq=${this.#seq}`
    const ws = new WebSocket(`ws://127.0.0.1:${this.#port}/ws?token=${this.#token}&${going}`)
    this.#ws = ws
    let told = false
    let last = performance.now()
    const beat = setInterval(() => {
      if (performance.now() - last > GONE) return ws.terminate()
      if (ws.readyState === WebSocket.OPEN) ws.send('{"op":"HEARTBEAT"}')
    }, BEAT)
    await new Promise<void>((resolve) => {
      ws.on('error', () => {})
      ws.on('message', (data: Buffer) => {
        last = performance.now()
        told = this.#take(JSON.parse(data.toString())) || told
      })
      ws.on('close', () => resolve())
    })
    clearInterval(beat)
    if (!told) this.returns.early++
  }

  /** True for what a connection begins with. */
  #take(frame: unknown): boolean {
    const [type, s, data] = [fieldOf(frame, 't'), fieldOf(frame, 's'), fieldOf(frame, 'd')]
    if (typeof s !== 'number') return false
    if (type === 'READY') {
      this.returns.anew++
      this.#session = String(fieldOf(data, 'session_id'))
      this.#seq = s
      this.runs.push([])
      return true
    }
    if (type === 'RESUMED') {
      this.returns.resumed++
      return true
    }
    if (s <= this.#seq) this.backwards++
    this.#seq = s
    if (type === 'MESSAGE_CREATE' && fieldOf(data, 'channel_id') === this.#channel)
      this.runs.at(-1)?.push(String(fieldOf(data, 'content')))
    return false
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#ws?.terminate()
    await this.#ended
  }
}
