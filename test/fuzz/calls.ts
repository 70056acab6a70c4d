import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import type { Json, WebSocketEvent } from '../../include-types/websock.ts'
import * as library from '../../lib/index.ts'
import { deferred } from '../support/memory.ts'
import { checkNumber, checkResolved, FATAL, functions, type Kind, NOTHING, PARAMETERS } from './functions.ts'
import type { Random } from './random.ts'
import { must, Problem } from './target.ts'
import { anything, Deliberate, good } from './values.ts'

/** Calls that start from inside of callbacks; deeper ones there are none. */
const DEPTH = 3
const TRACE = 12

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

/** Calls of any function on handles that live through random things. */
export class Calls {
  calls = 0
  events = 0
  /** What `webSocketPublish` takes. */
  topics: unknown = null
  /** Called inside of every callback. */
  onEvent: () => void = () => {}
  readonly #random: Random
  /** The functions of this session: a few at a time go deeper than all of them. */
  readonly #functions: typeof functions
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
  }

  /** A connection to call functions on; most of them are run. */
  adopt(ws: library.WebSocket): void {
    this.#handles.push(ws)
    this.#journals.set(ws, new Journal())
    if (this.#random.chance(0.7)) this.#watch('webSocketRun', library.webSocketRun(ws, this.#proc, 'arg'))
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
    this.onEvent()
    if (random.chance(0.3)) this.call()
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
    for (let left = this.#random.below(4); left > 0; left--) this.call()
    if (this.#random.chance(0.1)) throw new Deliberate('inside of a cork')
  }

  /** Calls one function with arguments of which most fit. */
  call(): void {
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
      this.returned(name, fn(...args))
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
    if (kind === 'topics') return this.topics
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

  /** What a function has returned must be among what it may return. */
  returned(name: string, value: unknown): void {
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
    if (value === this.topics || value === globalThis) return '{…}'
    return inspect(value, { depth: 0, breakLength: Infinity }).split('\n', 1).join('').slice(0, 80)
  }

  settle(fails: boolean): void {
    const pending = this.#pending
    this.#pending = []
    for (const settle of pending) settle(fails)
  }

  check(): void {
    if (this.#problem !== null) throw this.#problem
  }

  /** Whether promises wait for something. */
  get waiting(): boolean {
    return this.#promises > 0 || this.#pending.length > 0
  }

  /** No more calls: what callbacks do from here on is to return. */
  quiet(): void {
    this.#depth = DEPTH
    for (const stream of this.#streams) stream.destroy()
  }

  /** Every promise must be settled, and every connection have come to its end. */
  checkOver(): void {
    this.check()
    must(this.#promises === 0, `${this.#promises} promises are never settled`)
    for (const journal of this.#journals.values()) must(!journal.opened || journal.closed, 'no CLOSE')
  }

  /** The problem with the calls that led to it. */
  explain(error: unknown): Problem {
    const calls = this.#trace.map(({ name, args }) => `    ${name}(${args.map((arg) => this.#show(arg)).join(', ')})`)
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return new Problem(`${words}\n  last calls:\n${calls.join('\n')}`)
  }
}
