import { type WebSocket, webSocketGetBufferedAmount, webSocketGetData, webSocketSetData } from '../../../lib/index.ts'
import type { Figures } from '../messages.ts'

/** What is known of a connection. */
export interface Session {
  readonly path: string
  closes: number
}

/** Counts what callbacks are told, by the path of the connection. */
export class Tally {
  readonly #counts = new Map<string, number>()
  readonly #open = new Set<WebSocket<Session>>()
  #waiting: (() => void)[] = []

  add(path: string, what: string, amount = 1): void {
    const name = `${path.slice(1)}.${what}`
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + amount)
  }

  opened(ws: WebSocket<Session>, path: string): void {
    webSocketSetData(ws, { path, closes: 0 })
    this.#open.add(ws)
    this.add(path, 'opens')
  }

  /** Also under the status that its `webSocketRun` returns, 0 for an orderly end. */
  closed(ws: WebSocket<Session>): void {
    const session = webSocketGetData(ws)
    if (session === undefined) throw new Error('CLOSE without OPEN')
    this.add(session.path, ++session.closes > 1 ? 'twice' : 'closes')
    this.add(session.path, String(ws.error))
    this.#open.delete(ws)
    if (this.#open.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Bytes that wait in this process for peers to read. */
  get queued(): number {
    let sum = 0
    for (const ws of this.#open) sum += webSocketGetBufferedAmount(ws)
    return sum
  }

  /** Resolves when no connection is left. */
  async settled(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  get figures(): Figures {
    return { ...Object.fromEntries(this.#counts), open: this.#open.size, queued: this.queued }
  }
}
