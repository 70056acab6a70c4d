import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { patiently } from './patience.ts'

/*
 * A server with the chat completions of OpenAI on loopback that says exactly what it is told to: one script for each request.
 */

/** What is sent in a piece of its own; or what is waited for before the next one. */
export type Step = string | Buffer | Promise<unknown>

export interface Script {
  /** What the status waits for. */
  readonly after?: Promise<unknown>
  /** Default 200. */
  readonly status?: number
  /** Beside those of the framing; default is a stream of events. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Step[]
  /** chunked: each piece is a chunk of HTTP's. close: there is no length, the end of TCP is the end. Default chunked. */
  readonly framing?: 'chunked' | 'close'
  /** done: as HTTP has it. fin and rst: TCP ends, nothing else does. stall: nothing more comes. Default done. */
  readonly end?: 'done' | 'fin' | 'rst' | 'stall'
  /** Nothing is sent at all, not even a status: only waits, and the end. */
  readonly silent?: boolean
}

export interface ModelRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Of JSON. */
  readonly body: Readonly<Record<string, unknown>>
  /** When it came, as performance.now() has it. */
  readonly at: number
  /** Its connection is over. */
  readonly gone: Promise<void>
}

const EVENTS = { 'Content-Type': 'text/event-stream' }

/** A stream of events. */
export const events = (...body: readonly Step[]): Script => ({ body })

/** An answer that is no stream. */
export const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Script => ({
  status,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: [typeof value === 'string' ? value : JSON.stringify(value)],
})

/** One event. */
export const event = (value: unknown, lineEnd = '\n'): string => `data: ${JSON.stringify(value)}${lineEnd}${lineEnd}`

const chunk = (choice: Readonly<Record<string, unknown>>): string =>
  event({ id: 'c1', object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }], usage: null })

export const delta = (content: unknown, more: Readonly<Record<string, unknown>> = {}): string =>
  chunk({ delta: { content, ...more }, finish_reason: null })
export const finish = (reason = 'stop'): string => chunk({ delta: {}, finish_reason: reason })
export const usage = (prompt: number, completion: number): string =>
  event({
    choices: [],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  })
export const DONE = 'data: [DONE]\n\n'

/** A whole answer, as servers give it. */
export const answer = (...words: readonly string[]): Script =>
  events(chunk({ delta: { role: 'assistant' }, finish_reason: null }), ...words.map((w) => delta(w)), finish(), DONE)

/** Each byte in a piece of its own. */
export const apart = (text: string): Buffer[] => Array.from(Buffer.from(text), (byte) => Buffer.from([byte]))

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const servers = new Set<ModelServer>()
afterEach(async () => {
  await Promise.all(Array.from(servers, (server) => server.close()))
  servers.clear()
})

export class ModelServer {
  /** All that came, in order. */
  readonly requests: ModelRequest[] = []
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  readonly #sockets = new Set<Socket>()
  #scripts: Script[] = []
  #taken = 0
  #wake: (() => void)[] = []
  /** What it did wrong itself. */
  #problem: unknown = null

  private constructor() {
    this.#server.on('connection', (socket) => {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** On a free port, closed after the test. A request for which there is no script is answered with 418. */
  static async start(...scripts: readonly Script[]): Promise<ModelServer> {
    const server = new ModelServer()
    servers.add(server)
    server.#scripts = [...scripts]
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address()
    if (typeof address === 'object' && address !== null) return address.port
    throw new Error('the server of the model does not listen')
  }

  /** As a config has it. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`
  }

  /** The next request that nobody has looked at. */
  async next(): Promise<ModelRequest> {
    for (;;) {
      const request = this.requests[this.#taken]
      if (request !== undefined) {
        this.#taken++
        return request
      }
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `no request behind ${this.requests.length}`)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now()
    const { socket } = request
    const gone = new Promise<void>((resolve) => socket.once('close', resolve))
    const parts: Buffer[] = []
    try {
      for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part)
      const body: unknown = JSON.parse(Buffer.concat(parts).toString())
      const { method = '', url = '', headers } = request
      this.requests.push({ method, path: url, headers, body: isObject(body) ? body : {}, at, gone })
      const wake = this.#wake
      this.#wake = []
      for (const fn of wake) fn()
      await this.#play(this.#scripts.shift() ?? json('no script', 418), socket, response)
    } catch (error) {
      // Whoever hangs up in the middle of a request is not interested.
      if (!socket.destroyed) this.#problem ??= error
      socket.destroy()
    }
  }

  async #play(script: Script, socket: Socket, response: ServerResponse): Promise<void> {
    const { status = 200, headers = EVENTS, body = [], framing = 'chunked', end = 'done', silent = false } = script
    await script.after
    if (framing === 'close') response.useChunkedEncodingByDefault = false
    if (!silent) {
      response.writeHead(status, { ...headers, ...(framing === 'close' ? { Connection: 'close' } : {}) })
      response.flushHeaders()
      await turn()
    }
    for (const step of body) {
      if (socket.destroyed) return
      if (step instanceof Promise) await step
      else {
        response.write(step)
        // So that it is read before the next one comes.
        await turn()
        await turn()
      }
    }
    if (end === 'done') response.end()
    else if (end === 'fin') socket.end()
    else if (end === 'rst') socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    if (this.#problem !== null) throw new Error('the server of the model failed', { cause: this.#problem })
  }
}
