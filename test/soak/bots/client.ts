import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { fieldOf } from '../crash/poster.ts'

/** A message of a group, as it was told. */
export interface Heard {
  readonly text: string
  /** It says that it may have come before. */
  readonly retry: boolean
}

/** The server of a bot's client, which the bot connects to. */
export class BotsClient {
  readonly port: number
  readonly heard: Heard[] = []
  readonly #server: WebSocketServer
  #link: WebSocket | null = null
  readonly #answers = new Map<string, (answer: unknown) => void>()
  #wake: (() => void)[] = []

  private constructor(server: WebSocketServer, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (ws) => {
      this.#link = ws
      ws.on('message', (data: RawData) => this.#hear(data))
      ws.on('close', () => {
        if (this.#link === ws) this.#link = null
        this.#tell()
      })
      this.#tell()
    })
  }

  static async open(port = 0): Promise<BotsClient> {
    const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 0 })
    await once(server, 'listening')
    const address = server.address()
    return new BotsClient(server, typeof address === 'object' && address !== null ? address.port : port)
  }

  #tell(): void {
    for (const fn of this.#wake.splice(0)) fn()
  }

  #hear(data: RawData): void {
    // oxlint-disable-next-line no-base-to-string
    const frame: unknown = JSON.parse(data.toString())
    if (fieldOf(frame, 'post_type') === 'message') {
      this.heard.push({ text: String(fieldOf(frame, 'raw_message')), retry: fieldOf(frame, 'retry') === true })
    }
    const echo = String(fieldOf(frame, 'echo'))
    this.#answers.get(echo)?.(frame)
    this.#answers.delete(echo)
    this.#tell()
  }

  async until(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((resolve) => void this.#wake.push(resolve))
  }

  linked(): Promise<void> {
    return this.until(() => this.#link !== null)
  }

  /** Its answer; rejects where the connection ends before. */
  async call(action: string, params: object): Promise<unknown> {
    await this.linked()
    const link = this.#link
    if (link === null) throw new Error('there is no link')
    const echo = randomUUID()
    const answer = new Promise<unknown>((resolve, reject) => {
      const gone = (): void => reject(new Error('cut'))
      link.once('close', gone)
      this.#answers.set(echo, (given) => {
        link.off('close', gone)
        resolve(given)
      })
    })
    link.send(JSON.stringify({ action, params, echo }))
    return answer
  }

  cut(): void {
    this.#link?.terminate()
    this.#link = null
  }

  async close(): Promise<void> {
    for (const ws of this.#server.clients) ws.terminate()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
