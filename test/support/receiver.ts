import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { afterEach } from 'vitest'
import { patiently } from './patience.ts'

export type Json = Readonly<Record<string, unknown>>

export interface Post {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: Json
  readonly path: string
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null
const parse = (text: string): Json => {
  const value: unknown = JSON.parse(text)
  return isRecord(value) ? value : {}
}

/** Where events are posted to; `answer` answers each. */
export class Receiver {
  readonly posts: Post[] = []
  readonly server: Server
  answer: (response: ServerResponse, post: Post, n: number) => void = (response) => void response.writeHead(204).end()
  #wake: (() => void)[] = []

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        const post = { headers: request.headers, body, event: parse(body), path: `${request.method} ${request.url}` }
        this.posts.push(post)
        this.answer(response, post, this.posts.length)
        for (const fn of this.#wake.splice(0)) fn()
      })
    })
    cleanups.push(() => {
      this.server.closeAllConnections()
      this.server.close()
    })
  }

  static async start(port = 0): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.server.listen(port, '127.0.0.1')
    await once(receiver.server, 'listening')
    return receiver
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`
  }

  /** The first that fits, also one that has come. */
  async post(fits: (event: Json) => boolean): Promise<Post> {
    for (;;) {
      const found = this.posts.find(({ event }) => fits(event))
      if (found !== undefined) return found
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `not posted, but ${JSON.stringify(this.posts.slice(-3))}`)
    }
  }

  says(text: string): Promise<Post> {
    return this.post(({ raw_message }) => raw_message === text)
  }
}
