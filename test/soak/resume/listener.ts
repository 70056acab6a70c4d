import { WebSocket } from 'ws'
import { fieldOf } from '../crash/poster.ts'

/** What somebody hears of a channel: what is said there, and when what it gives and takes has changed. */
export type Heard = { readonly said: string } | { readonly denied: number }

/** A client that keeps what it hears, in order. */
export class Listener {
  readonly #ws: WebSocket
  readonly heard: Heard[] = []

  private constructor(ws: WebSocket) {
    this.#ws = ws
  }

  /** Resolves with READY. */
  static async open(port: number, token: string): Promise<Listener> {
    const listener = new Listener(new WebSocket(`ws://127.0.0.1:${port}/ws?token=${token}`))
    await new Promise<void>((resolve, reject) => {
      listener.#ws.on('error', reject)
      listener.#ws.on('message', (data: Buffer) => {
        const frame: unknown = JSON.parse(data.toString())
        if (fieldOf(frame, 't') === 'READY') resolve()
        else listener.#take(String(fieldOf(frame, 't')), fieldOf(frame, 'd'))
      })
    })
    return listener
  }

  #take(type: string, data: unknown): void {
    if (type === 'MESSAGE_CREATE') this.heard.push({ said: String(fieldOf(data, 'content')) })
    if (type === 'CHANNEL_OVERRIDE_UPDATE') this.heard.push({ denied: Number(fieldOf(data, 'deny')) })
  }

  /** Resolves when all that was sent so far has come: the answer comes behind it. */
  async settle(): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#ws.once('pong', () => resolve()))
    this.#ws.ping()
    await answered
  }

  close(): void {
    this.#ws.terminate()
  }
}
