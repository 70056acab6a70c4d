import { afterEach } from 'vitest'
import { WebSocket } from 'ws'
import type { Agent, ChannelConfig, ReplyFunction } from '../../include-types/agent.ts'
import type { Config } from '../../include-types/web.ts'
import { createAgentHandler } from '../../lib/agent/handler.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { ask, type Reply } from './http.ts'
import { patiently } from './patience.ts'
import type { EngineName } from './server.ts'

/*
 * An agent channel on loopback, and clients of it. Each client keeps every frame that it gets.
 */

const started = new Set<AgentServer>()
afterEach(async () => {
  await Promise.all(Array.from(started, (server) => server.free()))
  started.clear()
})

/** A frame of the server. */
export interface Frame {
  readonly event: string
  readonly text?: string
  readonly stream_id?: string
  readonly chat_id?: string
  readonly client_id?: string
  readonly index?: number
  readonly resumed?: boolean
  readonly error?: { readonly code: string }
  readonly [key: string]: unknown
}

const isFrame = (value: unknown): value is Frame =>
  typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'

export function toFrame(text: string): Frame {
  const value: unknown = JSON.parse(text)
  if (!isFrame(value)) throw new Error(`not a frame: ${text}`)
  return value
}

/** Whatever a test wants to happen. */
export const agentOf = (reply: ReplyFunction, more: Partial<Agent> = {}): Agent => ({ name: 'test', reply, ...more })

const noWorld = (): never => {
  throw new Error('there is no world here')
}

export class AgentServer {
  readonly host: Host
  readonly port: number
  readonly #clients = new Set<AgentClient>()

  private constructor(host: Host) {
    this.host = host
    this.port = host.listening.at(-1)?.port ?? 0
  }

  /** The block as it would stand in a file, on a free port; freed after the test. Without an agent: the config's. */
  static async start(
    engine: EngineName,
    channel: Readonly<Record<string, unknown>> & ChannelConfig = {},
    agent: Agent | null = null,
    more: Config = {},
  ): Promise<AgentServer> {
    const { web, ...others } = more
    const host = createHost(
      {
        web: { ...web, engine },
        channels: { websocket: { enabled: true, port: 0, websocketRequiresToken: false, ...channel } },
        ...others,
      },
      agent === null
        ? parts
        : { ...parts, handlers: { ...parts.handlers, agent: createAgentHandler(noWorld, () => agent) } },
    )
    if ((await host.start()) !== 0) throw new Error(host.error ?? 'no start')
    const server = new AgentServer(host)
    started.add(server)
    return server
  }

  async free(): Promise<void> {
    for (const client of this.#clients) client.cut()
    await this.host.free()
  }

  request(target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
    return ask(this.port, target, { headers, method })
  }

  /** A client that has had its `ready`. `query` as it would stand behind the path. */
  async connect(query = '', path = '/'): Promise<AgentClient> {
    const client = this.open(query, path)
    await client.next('ready')
    return client
  }

  /** A client on its way. */
  open(query = '', path = '/'): AgentClient {
    const client = new AgentClient(`ws://127.0.0.1:${this.port}${path}${query === '' ? '' : `?${query}`}`)
    this.#clients.add(client)
    return client
  }
}

export class AgentClient {
  readonly ws: WebSocket
  /** All that came, in order; and as it came. */
  readonly frames: Frame[] = []
  readonly texts: string[] = []
  /** What was looked at. */
  #seen = 0
  #wake: (() => void)[] = []
  /** Code and reason of the end; 0 and what the client says where it never opened. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #ended: string | null = null

  constructor(url: string) {
    this.ws = new WebSocket(url)
    this.ws.on('message', (data: Buffer) => {
      this.texts.push(data.toString())
      this.frames.push(toFrame(data.toString()))
      this.#tell()
    })
    this.closed = new Promise((resolve) => {
      const end = (code: number, reason: string): void => {
        this.#ended ??= `${code} ${reason}`
        this.#tell()
        resolve({ code, reason })
      }
      this.ws.on('close', (code: number, reason: Buffer) => end(code, reason.toString()))
      this.ws.on('error', (error) => end(0, error.message))
    })
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  send(message: unknown): void {
    this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  }

  /** Waits for the next frame of an event; those before it are passed over. */
  async next(event: string): Promise<Frame> {
    for (;;) {
      const frame = await this.one()
      if (frame.event === event) return frame
    }
  }

  /** The next frame, whatever it is. */
  async one(): Promise<Frame> {
    for (;;) {
      const frame = this.frames[this.#seen]
      if (frame !== undefined) {
        this.#seen++
        return frame
      }
      if (this.#ended !== null) throw new Error(`ended: ${this.#ended}`)
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `nothing, but ${JSON.stringify(this.frames.slice(-3))}`)
    }
  }

  /** The whole answer to something: its text, and the frames that it came in. */
  async answer(): Promise<{ readonly text: string; readonly frames: readonly Frame[] }> {
    const frames: Frame[] = []
    for (;;) {
      const frame = await this.one()
      frames.push(frame)
      if (frame.event === 'stream_end' || frame.event === 'message') {
        return { frames, text: frames.map(({ event, text }) => (event === 'stream_end' ? '' : (text ?? ''))).join('') }
      }
    }
  }

  async ask(text: unknown): Promise<string> {
    this.send(text)
    return (await this.answer()).text
  }

  /** Ends TCP. */
  cut(): void {
    this.ws.on('error', () => {})
    this.ws.terminate()
  }

  async close(code = 1000): Promise<void> {
    this.ws.close(code)
    await this.closed
  }
}
