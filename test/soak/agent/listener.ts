import { WebSocket } from 'ws'
import { sinceStamp, toText, type Wish } from './words.ts'

interface Frame {
  readonly event: string
  readonly text?: string
}

const isFrame = (value: unknown): value is Frame => typeof value === 'object' && value !== null && 'event' in value

/** A client of the agent, which asks for one answer after the other and counts what comes. */
export class Listener {
  readonly ws: WebSocket
  /** Text of the answer that comes now. */
  text = ''
  deltas = 0
  /** Milliseconds that stamped pieces were on their way. */
  readonly delays: number[] = []
  /** Code of the end; null before. */
  closed: number | null = null
  #done: (() => void) | null = null
  readonly #ready: Promise<void>

  constructor(port: number, query = '') {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/?${query}`, { perMessageDeflate: false })
    this.#ready = new Promise((resolve, reject) => {
      this.ws.on('error', reject)
      this.ws.on('close', (code) => {
        this.closed = code
        reject(new Error(`closed with ${code}`))
        this.#done?.()
      })
      this.ws.on('message', (data: Buffer) => {
        const frame: unknown = JSON.parse(data.toString())
        if (!isFrame(frame)) throw new Error('not a frame')
        if (frame.event === 'ready') resolve()
        else if (frame.event === 'delta') this.#hear(frame.text ?? '')
        else this.#done?.()
      })
    })
    this.#ready.catch(() => {})
  }

  ready(): Promise<void> {
    return this.#ready
  }

  #hear(text: string): void {
    this.text += text
    this.deltas++
    const [at] = /^\d{10,}(?= )/.exec(text) ?? []
    if (at !== undefined) this.delays.push(sinceStamp(at))
  }

  /** The whole answer. */
  async ask(wish: Wish): Promise<string> {
    this.text = ''
    const over = new Promise<void>((resolve) => (this.#done = resolve))
    this.ws.send(toText(wish))
    await over
    return this.text
  }

  close(): void {
    this.ws.terminate()
  }
}
