import { EventEmitter, once } from 'node:events'
import {
  type ClientLoop,
  type WebSocket,
  webSocketClientLoop,
  webSocketSendJson,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../lib/index.ts' // Outside of this repository: 'fiberws'

type Fields = Readonly<Record<string, unknown>>
export interface Segment {
  readonly type: string
  readonly data: Readonly<Record<string, string>>
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
/** The server is believed: its specification says what a message is made of. */
const isSegments = (value: unknown): value is readonly Segment[] => Array.isArray(value)
export const segmentsOf = ({ message }: Fields): readonly Segment[] => (isSegments(message) ? message : [])

/** A client of a bot: it asks for actions, and hears events, on one WebSocket. */
export class Bot {
  readonly events: Fields[] = []
  readonly #news = new EventEmitter()
  readonly #answers = new Map<number, Fields>()
  readonly #loop: ClientLoop
  #ws: WebSocket | null = null
  #asked = 0

  constructor(url: string) {
    this.#loop = webSocketClientLoop(
      url,
      (ws, event, buf) => {
        if (event === WS_EVENT_OPEN) this.#ws = ws
        if (event === WS_EVENT_MESSAGE && typeof buf === 'string') this.#hear(JSON.parse(buf))
      },
      null,
      { maxMessage: 8 << 20 },
    )
  }

  #hear(told: unknown): void {
    if (!isFields(told)) return
    if ('post_type' in told) this.events.push(told)
    else this.#answers.set(Number(told['echo']), told)
    this.#news.emit('news')
  }

  /** Waits until there is something. */
  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await once(this.#news, 'news')
    }
  }

  event(fits: (event: Fields) => boolean): Promise<Fields> {
    return this.#until(() => this.events.find(fits))
  }

  /** What an action answers. */
  async get(action: string, params: object = {}): Promise<Fields> {
    // The first frame says that it is there.
    await this.event(({ sub_type }) => sub_type === 'connect')
    const echo = ++this.#asked
    webSocketSendJson(this.#ws, { action, params, echo })
    const { data, status, message } = await this.#until(() => this.#answers.get(echo))
    if (status !== 'ok') throw new Error(`${action}: ${String(message)}`)
    return isFields(data) ? data : {}
  }

  async stop(): Promise<void> {
    this.#loop.stop()
    await this.#loop.done
  }
}
