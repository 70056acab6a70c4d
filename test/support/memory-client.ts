import { setImmediate as turn } from 'node:timers/promises'
import type { ClientLoop, ReconnectOptions } from '../../include-types/client.ts'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../include-types/websock.ts'
import { MemoryTransport } from '../../lib/engine/memory.ts'
import type { ClientPort, Clock, Dialed, DialFailure, DialOptions } from '../../lib/engine/port.ts'
import { Loop, type UrlSource } from '../../lib/websock/client/loop.ts'
import { type Bench, bench, traits } from './memory.ts'

/** One dial; the test is the server. */
export class Dial {
  /** When it began. */
  readonly at: number
  readonly options: DialOptions
  readonly result: Promise<Dialed | DialFailure>
  /** Its connection, once it was accepted. */
  transport: MemoryTransport | null = null
  /** The server's end of that connection is there. */
  connected = false
  pending = true
  #resolve: (result: Dialed | DialFailure) => void = () => {}

  /** A `deaf` one does not hear that it is aborted, like one that succeeds at that moment. */
  constructor(at: number, options: DialOptions, deaf: boolean) {
    this.at = at
    this.options = options
    this.result = new Promise((resolve) => (this.#resolve = resolve))
    if (!deaf) options.signal.addEventListener('abort', () => this.refuse(0, 'aborted'), { once: true })
  }

  get aborted(): boolean {
    return this.options.signal.aborted
  }

  header(name: string): string | undefined {
    return this.options.headers.find(([given]) => given === name)?.[1]
  }

  accept(protocol = ''): MemoryTransport {
    const transport = new MemoryTransport(traits.node)
    this.transport = transport
    this.connected = true
    this.#settle({ transport, protocol, key: `key ${this.at}`, remoteAddress: '127.0.0.1' })
    return transport
  }

  /** `status` 0: there was not even an answer. */
  refuse(status = 0, message = 'refused'): void {
    this.#settle({ cause: status === 0 ? 'connect' : 'answer', message, status, headers: {}, body: '' })
  }

  #settle(result: Dialed | DialFailure): void {
    this.pending = false
    this.#resolve(result)
  }

  /** RST, or FIN and then the end of TCP. */
  lose(by: 'rst' | 'fin' = 'rst'): void {
    if (!this.connected) return
    this.connected = false
    if (by === 'fin') this.transport?.input((receiver) => receiver.onEnd())
    this.transport?.gone()
  }

  /** The server's Close, or its answer to the client's, and the end of TCP. */
  close(status = 1000, reason = ''): void {
    if (!this.connected) return
    this.connected = false
    this.transport?.input((receiver) => receiver.onClose(status, reason))
    this.transport?.gone()
  }
}

/** The client side without a network: what becomes of a dial is decided by `answer`, or by the test later. */
export class MemoryClient implements ClientPort {
  readonly dials: Dial[] = []
  deaf = false
  answer: (dial: Dial) => void = () => {}
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  dial(options: DialOptions): Promise<Dialed | DialFailure> {
    const dial = new Dial(this.#clock.now(), options, this.deaf)
    this.dials.push(dial)
    this.answer(dial)
    return dial.result
  }

  /** Dials and connections that a server would see now. */
  get underWay(): number {
    return this.dials.filter(({ pending, connected, transport }) => pending || (connected && transport?.ended !== true))
      .length
  }

  get last(): Dial {
    const dial = this.dials.at(-1)
    if (dial === undefined) throw new Error('no dial')
    return dial
  }

  /** When each dial began. */
  get times(): number[] {
    return this.dials.map(({ at }) => at)
  }

  /** Milliseconds from each dial to the next. */
  get gaps(): number[] {
    return this.times.slice(1).map((at, i) => at - this.times[i]!)
  }
}

export interface LoopEvent {
  ws: WebSocket
  event: WebSocketEvent
  buf: WebSocketData
  at: number
  state: number
}

/** A loop that a test drives from all sides. */
export interface Driven {
  loop: ClientLoop
  events: LoopEvent[]
  /** What `done` has resolved with; null before. It must not reject. */
  readonly result: () => number | 'rejected' | null
}

export type LoopCallback = (event: WebSocketEvent, ws: WebSocket, buf: WebSocketData) => unknown

export interface ClientBench extends Bench {
  port: MemoryClient
  start: (options?: ReconnectOptions, callback?: LoopCallback, url?: UrlSource) => Driven
  /** Lets what has happened take its course, then time pass, and then go on what waited for it. */
  pass: (ms: number) => Promise<void>
  /** What is still there of ended loops: timers, entries of the wheel, connections. */
  leftovers: () => { timers: number; wheel: number; connections: number }
}

export function clientBench(answer: (dial: Dial) => void = () => {}): ClientBench {
  const made = bench()
  const { clock, context } = made
  const port = new MemoryClient(clock)
  port.answer = answer
  const start: ClientBench['start'] = (options = {}, callback = () => undefined, url = 'ws://server/') => {
    const events: LoopEvent[] = []
    let result: ReturnType<Driven['result']> = null
    const note = (ws: WebSocket, event: WebSocketEvent, buf: WebSocketData): unknown => {
      events.push({ ws, event, buf, at: clock.now(), state: ws.state })
      return callback(event, ws, buf)
    }
    const loop = new Loop({ port, context }, url, note, undefined, options)
    void loop.done.then(
      (value) => (result = value),
      () => (result = 'rejected'),
    )
    return { loop, events, result: () => result }
  }
  return {
    ...made,
    port,
    start,
    async pass(ms) {
      await turn()
      clock.advance(ms)
      await turn()
    },
    leftovers: () => ({ timers: clock.timers, wheel: context.wheel.size, connections: context.connections.size }),
  }
}

export const NOTHING_LEFT = { timers: 0, wheel: 0, connections: 0 }

export const accepts = (dial: Dial): void => void dial.accept()
export const refuses = (dial: Dial): void => dial.refuse()

/** Kinds of the events of each handle, in order. */
export function perHandle(events: readonly LoopEvent[]): number[][] {
  const kinds = new Map<WebSocket, number[]>()
  for (const { ws, event } of events) kinds.set(ws, [...(kinds.get(ws) ?? []), event])
  return [...kinds.values()]
}

/** Random numbers that are the same each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
