import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Json, WebSocketEvent } from '../../include-types/websock.ts'
import { FRAME_END, MESSAGE_END, PIECE, type PieceEnd, type Receiver } from '../../lib/engine/port.ts'
import type { MemoryTransport } from '../../lib/engine/memory.ts'
import * as library from '../../lib/index.ts'
import { type Bench, bench, deferred, traits } from '../support/memory.ts'
import { Random } from './random.ts'
import { must, type Outcome, Problem, type Target } from './target.ts'
import { anything, Deliberate, good } from './values.ts'

/** Calls of a session, and those that it starts from inside of callbacks; deeper ones there are none. */
const CALLS = 200
const DEPTH = 3
const TRACE = 12

type Kind = keyof typeof good | 'ws' | 'json' | 'topics' | 'tree' | 'stream' | 'proc' | 'work'

/** What each parameter means; functions that are not here get a handle and anything. */
const PARAMETERS: Record<string, readonly Kind[]> = {
  webSocketAlloc: ['stream', 'flag'],
  webSocketRun: ['ws', 'proc', 'any', 'bytes', 'time'],
  webSocketSend: ['ws', 'format', 'any', 'any', 'any'],
  webSocketSendString: ['ws', 'text'],
  webSocketSendBlock: ['ws', 'type', 'block', 'length'],
  webSocketSendJson: ['ws', 'json', 'node', 'path'],
  webSocketSendClose: ['ws', 'status', 'text'],
  webSocketCork: ['ws', 'work'],
  webSocketSetLimits: ['ws', 'size', 'size'],
  webSocketSetPingPeriod: ['ws', 'time'],
  webSocketSetPartial: ['ws', 'flag'],
  webSocketSetRaw: ['ws', 'flag'],
  webSocketSetView: ['ws', 'flag'],
  webSocketSetValidateUTF: ['ws', 'flag'],
  webSocketSelectProtocol: ['ws', 'text'],
  webSocketSetClientKey: ['ws', 'text'],
  webSocketSubscribe: ['ws', 'topic'],
  webSocketUnsubscribe: ['ws', 'topic'],
  webSocketPublish: ['topics', 'topic', 'block', 'flag'],
  jsonAlloc: [],
  jsonFree: ['tree'],
  jsonGetId: ['tree', 'node', 'key'],
  jsonSetString: ['tree', 'node', 'key', 'text'],
  jsonSetNumber: ['tree', 'node', 'key', 'size'],
  jsonSetNum: ['tree', 'node', 'key', 'size'],
  jsonSetBool: ['tree', 'node', 'key', 'flag'],
}

type Callable = (...args: readonly unknown[]) => unknown
const isCallable = (value: unknown): value is Callable => typeof value === 'function'

// In an order of their own: the names of a module are sorted in node, and are not under vitest.
const functions = Object.entries(library)
  .flatMap(([name, value]: [string, unknown]) =>
    /^(webSocket|json)[A-Z]/.test(name) && isCallable(value) ? [{ name, fn: value }] : [],
  )
  .toSorted((a, b) => (a.name < b.name ? -1 : 1))

/** For a session without any function. */
const NOTHING = { name: 'nothing', fn: () => undefined }

/** Calls that end a connection, or make one that lives outside of the bench: seldom, for the rest to have a chance. */
const FATAL = new Set(['webSocketFree', 'webSocketSendClose', 'webSocketAlloc'])

/** The codes below 0 that the functions document. */
const REFUSALS = new Set([-6, -14, -18, -40, -41])

function checkNumber(name: string, value: number): void {
  const refused = name === 'jsonGetId' ? value === -1 : REFUSALS.has(value)
  must(refused || (Number.isSafeInteger(value) && value >= 0), `${name} returns ${value}`)
}

function checkResolved(name: string, value: unknown): void {
  const ended = name === 'webSocketRun' && typeof value === 'number' && value <= -1000 && value > -5000
  if (!ended)
    must(value === 0 || (typeof value === 'number' && REFUSALS.has(value)), `${name} resolves ${inspect(value)}`)
}

/** What one connection was told. */
class Journal {
  pending = false
  #last: WebSocketEvent | null = null

  note(event: WebSocketEvent): void {
    const last = this.#last
    must(!this.pending, `event ${event} while the callback of ${last} is pending`)
    must((last === null) === (event === library.WS_EVENT_OPEN), `event ${event} behind ${last}`)
    must(last !== library.WS_EVENT_CLOSE, `event ${event} behind CLOSE`)
    must(last !== library.WS_EVENT_ERROR || event === library.WS_EVENT_CLOSE, `event ${event} behind ERROR`)
    this.#last = event
  }

  get closed(): boolean {
    return this.#last === library.WS_EVENT_CLOSE
  }

  get opened(): boolean {
    return this.#last !== null
  }
}

/** The other end of a connection: it keeps to what an engine may do. */
class Peer {
  readonly transport: MemoryTransport
  readonly #closesAtOnce: boolean
  /** Nothing but the end of TCP may follow. */
  #quiet = false
  #gone = false
  /** The kind of the message that is under way. */
  #text: boolean | null = null
  /** What we have been sent: whether it is inside of a fragmented message. */
  #inMessage = false

  constructor(transport: MemoryTransport, closesAtOnce: boolean) {
    this.transport = transport
    this.#closesAtOnce = closesAtOnce
  }

  get gone(): boolean {
    return this.#gone || this.transport.aborted || (this.#closesAtOnce && this.transport.closed !== null)
  }

  act(random: Random): void {
    if (this.gone) return
    const { transport } = this
    const dice = random.below(100)
    if (dice < 15) transport.stalled = true
    else if (dice < 21) transport.drain()
    else if (dice < 23) this.leave()
    else if (dice < 26) this.#say(true, (receiver) => receiver.onClose(random.pick([1000, 1005, 3000]), ''))
    else if (dice < 28) this.#say(true, (receiver) => receiver.onEnd())
    else if (dice < 30) this.#say(true, (receiver) => receiver.onFault(1002, 'a fault'))
    else if (dice < 31) this.#say(false, (receiver) => receiver.onOverrun())
    else this.#message(random)
  }

  leave(): void {
    if (this.gone) return
    this.#gone = true
    this.transport.gone()
  }

  /** What was sent must be frames that RFC 6455 §5.4 allows in this order. */
  checkSent(): void {
    for (const { opcode, fin } of this.transport.sent.splice(0)) {
      if (opcode >= 8) continue
      must(
        (opcode === 0) === this.#inMessage,
        `opcode ${opcode} ${this.#inMessage ? 'inside' : 'outside'} of a message`,
      )
      this.#inMessage = !fin
    }
  }

  #message(random: Random): void {
    const text = (this.#text ??= random.chance(0.5))
    const end = random.pick<PieceEnd>([PIECE, FRAME_END, MESSAGE_END, MESSAGE_END])
    const bytes = Buffer.from(text ? 'grüße '.repeat(random.below(4)) : random.bytes(random.pick([0, 5, 300])))
    if (end !== PIECE) {
      this.#data(bytes, bytes.length, !text, end)
      if (end === MESSAGE_END) this.#text = null
    } else {
      // One frame in two pieces: the second half of it comes as it was announced.
      this.#data(bytes, 2 * bytes.length, !text, bytes.length === 0 ? FRAME_END : PIECE)
      if (bytes.length > 0) this.#say(false, (receiver) => receiver.onData(Buffer.from(bytes), !text, FRAME_END))
    }
  }

  #data(bytes: Buffer, announced: number, binary: boolean, end: PieceEnd): void {
    this.#say(false, (receiver) => {
      receiver.onActivity()
      if (receiver.onFrame(announced)) receiver.onData(bytes, binary, end)
      else this.#quiet = true
    })
  }

  #say(last: boolean, fn: (receiver: Receiver) => void): void {
    this.transport.input((receiver) => {
      if (this.#quiet) return
      if (last) this.#quiet = true
      fn(receiver)
    })
  }
}

/** Calls in random order on a few connections that live through random things. */
class Session {
  calls = 0
  events = 0
  readonly #random: Random
  readonly #bench: Bench
  /** The functions that this session calls: a few at a time go deeper than all of them. */
  readonly #functions: typeof functions
  readonly #peers: Peer[] = []
  readonly #handles: unknown[] = []
  readonly #trees: Json[] = [library.jsonAlloc()]
  readonly #streams: PassThrough[] = []
  readonly #journals = new Map<unknown, Journal>()
  #pending: ((fails: boolean) => void)[] = []
  #promises = 0
  #problem: unknown = null
  #depth = 0
  readonly #trace: { name: string; args: unknown[] }[] = []

  constructor(random: Random) {
    this.#random = random
    const share = random.pick([0.15, 0.3, 1])
    this.#functions = functions.filter(() => random.chance(share))
    this.#bench = bench({ maxMessage: random.pick([0, 200, 10_000]), maxBackpressure: random.pick([0, 100, 5000]) })
  }

  async run(): Promise<void> {
    try {
      for (let i = 0; i < 3; i++) this.#connect()
      while (this.calls < CALLS) {
        await this.#step()
        this.#check()
      }
      await this.#finish()
    } catch (error) {
      const calls = this.#trace.map(({ name, args }) => `    ${name}(${args.map((arg) => this.#show(arg)).join(', ')})`)
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
      throw new Problem(`${words}\n  last calls:\n${calls.join('\n')}`)
    }
  }

  async #step(): Promise<void> {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 70) this.#call()
    else if (dice < 90) this.#peers[random.below(this.#peers.length)]?.act(random)
    else if (dice < 93) this.#bench.clock.turn()
    else if (dice < 94) this.#bench.clock.advance(random.pick([50, 1000, 6000]))
    else if (dice < 96) this.#connect()
    else if (dice < 98) this.#settle(random.chance(0.2))
    else await Promise.resolve()
  }

  #connect(): void {
    const random = this.#random
    const kind = random.pick([traits.node, traits.uws])
    const { transport, ws } = this.#bench.connect(kind)
    this.#peers.push(new Peer(transport, kind.closesAtOnce))
    this.#handles.push(ws)
    this.#journals.set(ws, new Journal())
    if (random.chance(0.7)) this.#watch('webSocketRun', library.webSocketRun(ws, this.#proc, 'arg'))
  }

  /** The callback of every connection: notes, and then does anything. */
  readonly #proc = (ws: unknown, event: WebSocketEvent): unknown => {
    const random = this.#random
    const journal = this.#journals.get(ws)
    try {
      journal?.note(event)
    } catch (error) {
      this.#problem ??= error
    }
    this.events++
    if (random.chance(0.3)) this.#call()
    if (random.chance(0.03)) throw new Deliberate('a callback')
    if (random.chance(0.03)) return anything(random)
    if (random.chance(0.7)) return undefined
    const { promise, resolve, reject } = deferred()
    if (journal !== undefined) journal.pending = true
    this.#pending.push((fails) => {
      if (journal !== undefined) journal.pending = false
      if (fails) reject(new Deliberate('a promise'))
      else resolve()
    })
    return promise
  }

  readonly #work = (): void => {
    for (let left = this.#random.below(4); left > 0; left--) this.#call()
    if (this.#random.chance(0.1)) throw new Deliberate('inside of a cork')
  }

  /** Calls one function with arguments of which most fit. */
  #call(): void {
    if (this.#depth >= DEPTH) return
    const random = this.#random
    const { name, fn } = this.#functions[random.below(this.#functions.length)] ?? NOTHING
    if (FATAL.has(name) && random.chance(0.8)) return
    const kinds = PARAMETERS[name] ?? ['ws', 'any']
    const given = random.chance(0.9) ? kinds.length : random.below(kinds.length + 1)
    const args = Array.from({ length: given }, (_, i) => this.#argument(kinds[i] ?? 'any'))
    this.#trace.push({ name, args })
    if (this.#trace.length > TRACE) this.#trace.shift()
    this.calls++
    this.#depth++
    try {
      this.#returned(name, fn(...args))
    } catch (error) {
      // A cork hands on what its function throws.
      if (name !== 'webSocketCork' || !(error instanceof Deliberate)) this.#problem ??= error
    }
    this.#depth--
  }

  #argument(kind: Kind): unknown {
    const random = this.#random
    if (random.chance(kind === 'ws' || kind === 'tree' ? 0.05 : 0.15)) return anything(random)
    const among = (list: readonly unknown[]): unknown => list[random.below(list.length)]
    // The latest handles are the liveliest.
    if (kind === 'ws') return among(random.chance(0.7) ? this.#handles.slice(-3) : this.#handles)
    if (kind === 'tree') return among(this.#trees)
    if (kind === 'json') return random.chance(0.7) ? among(this.#trees) : { a: { b: [1, 2, 'three'] } }
    if (kind === 'topics') return this.#bench.context.topics
    if (kind === 'proc') return this.#proc
    if (kind === 'work') return this.#work
    if (kind === 'stream') return this.#stream()
    return good[kind](random)
  }

  #stream(): PassThrough {
    const stream = new PassThrough()
    this.#streams.push(stream)
    return stream
  }

  #returned(name: string, value: unknown): void {
    // What was stored, and what the function of a cork returned
    if (name === 'webSocketGetData' || name === 'webSocketCork') return
    if (typeof value === 'number') checkNumber(name, value)
    else if (value instanceof Promise) this.#watch(name, value)
    else if (name === 'jsonAlloc') this.#trees.push(library.jsonAlloc())
    else if (name === 'webSocketAlloc' && value !== null) {
      this.#handles.push(value)
      this.#journals.set(value, new Journal())
    }
  }

  /** A promise of the library must not reject, and must be settled in the end. */
  #watch(name: string, promise: Promise<unknown>): void {
    this.#promises++
    const settled = async (): Promise<void> => {
      try {
        checkResolved(name, await promise)
      } catch (error) {
        this.#problem ??= error
      }
      this.#promises--
    }
    void settled()
  }

  #show(value: unknown): string {
    if (this.#journals.has(value)) return `handle ${this.#handles.indexOf(value)}`
    if (value === this.#bench.context.topics || value === globalThis) return '{…}'
    return inspect(value, { depth: 0, breakLength: Infinity }).split('\n', 1).join('').slice(0, 80)
  }

  #settle(fails: boolean): void {
    const pending = this.#pending
    this.#pending = []
    for (const settle of pending) settle(fails)
  }

  #check(): void {
    if (this.#problem !== null) throw this.#problem
    for (const peer of this.#peers) peer.checkSent()
  }

  /** Ends everything: nothing may be left. */
  async #finish(): Promise<void> {
    const { clock, context } = this.#bench
    this.#depth = DEPTH
    for (const peer of this.#peers) peer.leave()
    for (const stream of this.#streams) stream.destroy()
    for (let rounds = 0; rounds < 200 && (this.#promises > 0 || this.#pending.length > 0); rounds++) {
      this.#settle(false)
      clock.turn()
      await Promise.resolve()
      if (rounds % 20 === 19) await turn()
    }
    clock.advance(20_000)
    this.#check()
    must(this.#promises === 0, `${this.#promises} promises are never settled`)
    must(context.connections.size === 0, `${context.connections.size} connections are left`)
    must(context.wheel.size === 0 && clock.timers === 0, 'a timer is left')
    for (const journal of this.#journals.values()) must(!journal.opened || journal.closed, 'no CLOSE')
  }
}

async function attempt(input: Buffer): Promise<Outcome> {
  const session = new Session(Random.from(input))
  await session.run()
  return { count: session.calls, reached: session.events > 0 }
}

/** Every function of the connection layer, on handles in any state: no throw, no undocumented code, events in order. */
export const api: Target = {
  name: 'api',
  full: 1_000_000,
  quick: 20_000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () => {
    library.rSetLogSink(() => {})
    return Promise.resolve({
      make: (random) => random.bytes(8),
      attempt,
      settle: async () => {
        await turn()
      },
      stop: () => {
        library.rSetLogSink(null)
        return Promise.resolve()
      },
      notes: () => '',
    })
  },
}
