import Denque from 'denque'
import type { Response } from '../../web/response.ts'

const HEADERS = [
  ['Content-Type', 'text/event-stream'],
  ['Cache-Control', 'no-cache'],
] as const

/** Bytes that may wait for a client: more, and it is dropped. */
const MAX_WAITING = 67_108_864

interface Client {
  readonly response: Response
  /** It reads more slowly than events come: all go through `waiting`, so that they stay in order. */
  isBehind: boolean
  /** What it has not read yet. */
  readonly waiting: Denque<string>
  bytes: number
}

/** Clients that are told of events as server-sent events. */
export class Streams {
  readonly #clients = new Set<Client>()
  readonly #attend: () => void
  readonly #part: () => void

  /** Told when somebody comes, and when somebody has gone. */
  constructor(attend: () => void, part: () => void) {
    this.#attend = attend
    this.#part = part
  }

  get count(): number {
    return this.#clients.size
  }

  add(response: Response): void {
    const client: Client = { response, isBehind: false, waiting: new Denque(), bytes: 0 }
    this.#clients.add(client)
    response.exchange.onAbort(() => this.#remove(client))
    response.add(HEADERS)
    // Headers leave with the first part of the body: a comment.
    response.write(':\n\n')
    this.#attend()
  }

  send(event: string): void {
    if (this.#clients.size === 0) return
    const text = `data: ${event}\n\n`
    for (const client of this.#clients) this.#write(client, text)
  }

  #write(client: Client, text: string): void {
    const { response } = client
    if (response.done) return this.#remove(client)
    if (client.isBehind) {
      client.waiting.push(text)
      client.bytes += Buffer.byteLength(text)
      if (client.bytes > MAX_WAITING) {
        this.#remove(client)
        response.abort()
      }
    } else if (!response.write(text)) void this.#drain(client)
  }

  /** What came while it did not read, as fast as it does. */
  async #drain(client: Client): Promise<void> {
    const { response, waiting } = client
    client.isBehind = true
    for (;;) {
      await response.flushed()
      if (response.done) return this.#remove(client)
      const next = waiting.shift()
      if (next === undefined) break
      client.bytes -= Buffer.byteLength(next)
      response.write(next)
    }
    client.isBehind = false
  }

  #remove(client: Client): void {
    if (this.#clients.delete(client)) this.#part()
  }

  close(): void {
    for (const client of this.#clients) {
      this.#clients.delete(client)
      client.response.end()
    }
  }
}
