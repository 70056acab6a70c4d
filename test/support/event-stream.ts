import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { afterEach, expect } from 'vitest'
import { patiently } from './patience.ts'

const opened = new Set<ClientRequest>()
afterEach(() => {
  for (const one of opened) one.destroy()
  opened.clear()
})

/** Characters. */
const TAIL = 100_000

/** A client of a stream: it keeps all that comes. */
export class Listener {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly #chunks: string[] = []
  /** The end of what has come: all of it is too long to be looked at with each part. */
  tail = ''
  ended = false
  readonly #response: IncomingMessage
  #wake: (() => void)[] = []

  private constructor(response: IncomingMessage) {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    const tell = (): void => {
      for (const fn of this.#wake.splice(0)) fn()
    }
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      this.#chunks.push(chunk)
      this.tail = (this.tail + chunk).slice(-TAIL)
      tell()
    })
    response.on('close', () => {
      this.ended = true
      tell()
    })
    response.on('error', () => {})
  }

  static connect(port: number, path = '/onebot/_events', headers: Record<string, string> = {}, method = 'GET') {
    return new Promise<Listener>((resolve, reject) => {
      // As clients of streams ask: the connection is not over with the answer.
      const kept = { Connection: 'keep-alive', ...headers }
      const out = request({ host: '127.0.0.1', port, path, headers: kept, method, agent: false }, (response) =>
        resolve(new Listener(response)),
      )
      opened.add(out)
      out.on('error', reject)
      out.end()
    })
  }

  get text(): string {
    return this.#chunks.join('')
  }

  /** Events that have come whole. Whatever else is in the stream is a comment. */
  get events(): unknown[] {
    return this.text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((block) => {
        if (block.startsWith(':')) return []
        expect(block).toMatch(/^(?:id: [^\n]+\n)?data: [^\n]*$/)
        const event: unknown = JSON.parse(block.slice(block.indexOf('data: ') + 'data: '.length))
        return [event]
      })
  }

  async until(fits: () => boolean): Promise<void> {
    while (!fits()) {
      if (this.ended) throw new Error(`ended with ${this.tail.slice(-200)}`)
      await patiently(new Promise<void>((resolve) => this.#wake.push(resolve)), () => `only ${this.tail.slice(-200)}`)
    }
  }

  async end(): Promise<void> {
    if (!this.ended)
      await patiently(new Promise<void>((resolve) => this.#response.on('close', () => resolve())), () => 'no end')
  }

  /** Whether it was ended, and not cut. */
  get complete(): boolean {
    return this.#response.complete
  }

  /** Nothing is read any more. */
  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }
}
