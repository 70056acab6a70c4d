import { randomBytes } from 'node:crypto'
import Denque from 'denque'
import type { Response } from '../../web/response.ts'
import type { Backlog } from '../backlog.ts'

const HEADERS = [
  ['Content-Type', 'text/event-stream'],
  ['Cache-Control', 'no-cache'],
] as const

/** Bytes that may wait for a client: more, and it is dropped. */
const MAX_WAITING = 67_108_864

/** Tells the numbers of this process from those of one before. */
const EPOCH = randomBytes(6).toString('hex')

interface Client {
  readonly response: Response
  /** It reads more slowly than events come: all go through `waiting`, so that they stay in order. */
  isBehind: boolean
  /** What it has not read yet. */
  readonly waiting: Denque<string>
  bytes: number
}

const toFrame = (event: string, number: number | null): string =>
  number === null ? `data: ${event}\n\n` : `id: ${EPOCH}-${number}\ndata: ${event}\n\n`

export interface StreamHooks {
  /** Somebody comes. */
  attend(): void
  /** Somebody has gone. */
  part(): void
  /** What somebody has missed is not kept any longer. */
  lose(events: number): void
}

/** Clients that are told of events as server-sent events. */
export class Streams {
  readonly #clients = new Set<Client>()
  readonly #backlog: Backlog
  readonly #hooks: StreamHooks

  /** @param backlog what somebody may have missed who comes again */
  constructor(backlog: Backlog, hooks: StreamHooks) {
    this.#backlog = backlog
    this.#hooks = hooks
  }

  get count(): number {
    return this.#clients.size
  }

  /** @param last what it has heard last, as its id says it; '': it says nothing of that, and is told what comes */
  add(response: Response, last: string): void {
    const client: Client = { response, isBehind: false, waiting: new Denque(), bytes: 0 }
    this.#clients.add(client)
    response.exchange.onAbort(() => this.#remove(client))
    response.add(HEADERS)
    // Headers leave with the first part of the body: a comment.
    response.write(':\n\n')
    this.#hooks.attend()
    if (last !== '') this.#replay(client, last)
  }

  /** Of another process it has heard, and of this one nothing: then it is all new to it. */
  #replay(client: Client, last: string): void {
    const [epoch = '', number] = last.split('-')
    let heard = epoch === EPOCH ? Number(number) : 0
    if (!Number.isSafeInteger(heard)) return
    for (let next = this.#backlog.after(heard); next !== undefined; next = this.#backlog.after(heard)) {
      if (heard > 0 && next.number > heard + 1) this.#hooks.lose(next.number - heard - 1)
      this.#write(client, toFrame(next.text, next.number))
      heard = next.number
    }
  }

  /** @param number that of the event, where it is kept; null: it is not */
  send(event: string, number: number | null): void {
    if (this.#clients.size === 0) return
    const text = toFrame(event, number)
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
    if (this.#clients.delete(client)) this.#hooks.part()
  }

  close(): void {
    for (const client of this.#clients) {
      this.#clients.delete(client)
      client.response.end()
    }
  }
}
