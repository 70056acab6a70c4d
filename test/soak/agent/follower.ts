import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { toText, type Wish } from './words.ts'

interface Frame {
  readonly event: string
  readonly text?: string
  readonly stream_id?: string
  readonly chat_id?: string
  readonly index?: number
  readonly resumed?: boolean
}

const isFrame = (value: unknown): value is Frame => typeof value === 'object' && value !== null && 'event' in value

/** Milliseconds without anything, after which a client takes its connection for dead. */
const SILENCE = 400

/** A client that goes on where its connection has ended. */
export class AgentFollower {
  readonly #port: number
  #ws: WebSocket | null = null
  #chat: string | null = null
  /** The number of the last frame. */
  #index = 0
  #heardAt = performance.now()
  #stopped = false
  /** What each stream has said. */
  readonly streams = new Map<string, string>()
  readonly ended = new Set<string>()
  /** How it has come back, and frames that came in another order than that of their numbers. */
  readonly counts = { connections: 0, resumed: 0, anew: 0, gaps: 0, twice: 0 }
  #question: Wish | null = null
  /** Told of the end of each stream. */
  onEnd: (stream: string) => void = () => {}

  constructor(port: number) {
    this.#port = port
  }

  /** Until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#once()
      await sleep(Math.random() * 20)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#ws?.terminate()
  }

  /** What it asks, again on each new connection: it cannot know whether it has arrived. */
  ask(wish: Wish): void {
    this.#question = wish
    this.#say()
  }

  answered(): void {
    this.#question = null
  }

  #say(): void {
    if (this.#question === null || this.#ws?.readyState !== WebSocket.OPEN || this.#chat === null) return
    this.#ws.send(JSON.stringify({ id: `q${this.#question.answer}`, content: toText(this.#question) }))
  }

  #once(): Promise<void> {
    const wanted = this.#chat === null ? 'resume=1' : `resume=${this.#chat}&index=${this.#index}`
    const ws = new WebSocket(`ws://127.0.0.1:${this.#port}/?client_id=soak&${wanted}`, { handshakeTimeout: 1000 })
    this.#ws = ws
    this.#heardAt = performance.now()
    const timer = setInterval(() => {
      if (
        performance.now() - this.#heardAt > SILENCE &&
        (this.#question !== null || ws.readyState !== WebSocket.OPEN)
      ) {
        ws.terminate()
      }
    }, 50)
    ws.on('message', (data: Buffer) => {
      const frame: unknown = JSON.parse(data.toString())
      if (isFrame(frame)) this.#hear(frame)
    })
    return new Promise((resolve) => {
      ws.on('error', () => {})
      ws.on('close', () => {
        clearInterval(timer)
        resolve()
      })
    })
  }

  #hear(frame: Frame): void {
    this.#heardAt = performance.now()
    const { event, index = 0, stream_id: stream = '', text = '' } = frame
    if (event === 'ready') {
      this.counts.connections++
      if (frame.resumed === true) this.counts.resumed++
      else {
        this.counts.anew++
        this.#index = index
      }
      this.#chat = frame.chat_id ?? null
      return this.#say()
    }
    if (index <= this.#index) this.counts.twice++
    else if (index > this.#index + 1) this.counts.gaps++
    this.#index = Math.max(index, this.#index)
    if (event === 'delta') this.streams.set(stream, (this.streams.get(stream) ?? '') + text)
    if (event === 'stream_end') {
      this.ended.add(stream)
      this.onEnd(stream)
    }
  }
}
