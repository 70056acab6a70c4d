import { readdirSync, readlinkSync } from 'node:fs'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import {
  type Web,
  type WebSocket,
  type WebSocketData,
  type WebSocketEvent,
  WS_EVENT_MESSAGE,
  WS_EVENT_PARTIAL_MESSAGE,
  rSetLogSink,
  webSocketRun,
  webSocketSendBlock,
  webSocketSetLimits,
  webSocketSetRaw,
  webSocketSetView,
} from '../../lib/index.ts'
import type { EngineName } from '../../lib/engine/port.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { text } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { must, Problem } from './target.ts'

/** Milliseconds for anything that must happen: far more than it takes, and less than the server's own patience of 5 s. */
const BOUND = 4000
/** Between two messages of the healthy connection. */
const BEAT = 5

/** How connections of a path are served: in parts, as bytes of the engine, each message a turn later. */
export interface Manner {
  readonly path: string
  readonly maxFrame: number
  readonly maxMessage: number
  readonly partial?: true
  readonly view?: true
  readonly slow?: true
}
const WHOLE: Manner = { path: '/echo', maxFrame: 0, maxMessage: 100_000 }
export const MANNERS: readonly [Manner, ...Manner[]] = [
  WHOLE,
  { path: '/partial', maxFrame: 1000, maxMessage: 100_000, partial: true },
  { path: '/view', maxFrame: 0, maxMessage: 300, view: true },
  { path: '/slow', maxFrame: 50, maxMessage: 3000, slow: true },
]

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Problem(`${what}: not within ${BOUND} ms`)), BOUND)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A server on loopback that answers every message with itself, and a healthy connection that must never suffer. */
export class Live {
  readonly engine: EngineName
  readonly port: number
  /** Messages, and parts of them, that callbacks were given; by the query of the connection. */
  readonly delivered = new Map<string, number>()
  beats = 0
  readonly #host: Host
  readonly #healthy: RawClient
  readonly #sockets: number
  readonly #beating: Promise<void>
  #stopping = false
  #problem: unknown = null

  private constructor(engine: EngineName, host: Host, port: number, healthy: RawClient) {
    this.engine = engine
    this.#host = host
    this.port = port
    this.#healthy = healthy
    this.#sockets = openSockets()
    // A line in the log is a callback or a request that has failed: ours do not.
    rSetLogSink((level, source, message) => {
      if (level === 'error') this.#problem ??= new Problem(`logged by ${source}: ${message}`)
    })
    this.#beating = this.#beat().catch((error: unknown) => {
      this.#problem ??= error
    })
  }

  static async start(engine: EngineName): Promise<Live> {
    const host = createHost(
      {
        web: {
          engine,
          listen: 'http://127.0.0.1:0',
          webSockets: { protocol: null },
          // So that slow callbacks make it pause the peer, or close where it cannot (uws)
          limits: { maxQueue: 1000 },
          timeouts: { inactivity: 'never', drain: 0.1 },
          routes: [
            { match: '/partial', handler: 'action', partial: true },
            { match: '/', handler: 'action' },
          ],
        },
      },
      parts,
    )
    let live: Live | null = null
    host.addAction('/', (web) => echo(web, live))
    must((await host.start()) === 0, () => host.error ?? 'no start')
    const port = host.listening[0]?.port ?? 0
    live = new Live(engine, host, port, await RawClient.open(port, '/echo'))
    return live
  }

  /** Throws what went wrong meanwhile. */
  check(): void {
    if (this.#problem !== null) throw this.#problem
  }

  /** Waits until nobody but the healthy connection is left. */
  async settle(): Promise<void> {
    const start = performance.now()
    const left = (): string => `${this.#host.connections} connections, ${openSockets() - this.#sockets} more sockets`
    while (this.#host.connections !== 1 || openSockets() > this.#sockets) {
      must(performance.now() - start < BOUND, () => `left over: ${left()}`)
      await sleep(1)
    }
    const { beats } = this
    while (this.beats < beats + 2) {
      this.check()
      await turn()
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#beating
    this.#healthy.destroy()
    await this.#host.stop()
    rSetLogSink(null)
  }

  async #beat(): Promise<void> {
    while (!this.#stopping) {
      const words = `${this.beats} ${'·'.repeat(this.beats % 80)}`
      this.#healthy.send(text(words))
      const { opcode, payload } = await within(this.#healthy.frame(), 'echo to the healthy connection')
      must(opcode === 1 && payload.toString() === words, () => `the healthy connection got ${payload.toString()}`)
      this.beats++
      await sleep(BEAT)
    }
  }
}

function echo(web: Web, live: Live | null): void {
  const { path, query, webSocket } = web
  const answer = (ws: WebSocket, event: WebSocketEvent, buf: WebSocketData): void => {
    if (event !== WS_EVENT_MESSAGE && event !== WS_EVENT_PARTIAL_MESSAGE) return
    live?.delivered.set(query, (live.delivered.get(query) ?? 0) + 1)
    webSocketSendBlock(ws, ws.type, buf)
  }
  const later = async (ws: WebSocket, event: WebSocketEvent, buf: WebSocketData): Promise<void> => {
    await turn()
    answer(ws, event, buf)
  }
  const { maxFrame, maxMessage, view, slow } = MANNERS.find((manner) => manner.path === path) ?? WHOLE
  webSocketSetLimits(webSocket, maxFrame, maxMessage)
  webSocketSetView(webSocket, view === true)
  webSocketSetRaw(webSocket, view === true)
  void webSocketRun(webSocket, slow ? later : answer)
}

/** Ours and the peers': those of uWebSockets.js are not known to node. */
export function openSockets(): number {
  const isSocket = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }
  try {
    return readdirSync('/proc/self/fd').filter(isSocket).length
  } catch {
    // Not on Linux
    return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  }
}
