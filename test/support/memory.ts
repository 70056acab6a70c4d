import type { WebSocketDefaults, WebSocketEvent } from '../../include-types/websock.ts'
import { ManualClock, type MemoryTraits, MemoryTopics, MemoryTransport } from '../../lib/engine/memory.ts'
import { type Context, createContext, publishLimit } from '../../lib/websock/context.ts'
import { createConnection } from '../../lib/websock/receive.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import type { Socket } from '../../lib/websock/socket.ts'
import { Journal, type JournalCallback } from './journal.ts'

/** How the two engines behave, as far as the layer can tell. */
export const traits: Record<'node' | 'uws', MemoryTraits> = {
  node: { canPause: true, closesAtOnce: false },
  uws: { canPause: false, closesAtOnce: true },
}

export interface Bench {
  clock: ManualClock
  topics: MemoryTopics
  context: Context
  failures: { event: WebSocketEvent; error: unknown }[]
  warnings: string[]
  connect(kind?: MemoryTraits, client?: boolean): { transport: MemoryTransport; ws: Socket }
}

export function bench(defaults: Partial<WebSocketDefaults> = {}): Bench {
  const clock = new ManualClock()
  const topics = new MemoryTopics()
  const failures: Bench['failures'] = []
  const warnings: string[] = []
  const context = createContext(
    clock,
    topics,
    {
      callbackFailed: (_ws, event, error) => failures.push({ event, error }),
      warn: (message) => warnings.push(message),
      ended: () => {},
      dropped: () => {},
    },
    defaults,
  )
  const connect: Bench['connect'] = (kind = traits.node, client = false) => {
    const transport = new MemoryTransport(kind, topics, publishLimit(context.defaults))
    return { transport, ws: createConnection(transport, context, '127.0.0.1', client) }
  }
  return { clock, topics, context, failures, warnings, connect }
}

/** A running connection in memory and what it goes through. */
export function running(
  callback: JournalCallback = () => undefined,
  options: { traits?: MemoryTraits; timeout?: number } & Partial<WebSocketDefaults> = {},
): Bench & { transport: MemoryTransport; ws: Socket; journal: Journal; result: Promise<number> } {
  const { traits: kind, timeout, ...defaults } = options
  const made = bench(defaults)
  const { transport, ws } = made.connect(kind)
  const journal = new Journal()
  const result = webSocketRun(
    ws,
    (handle, event, buf, len) => {
      journal.note(handle, event, buf, len)
      return callback(handle, event, buf, len)
    },
    null,
    null,
    timeout,
  )
  journal.follow(ws, result)
  return { ...made, transport, ws, journal, result }
}

/** A promise with its handles outside. */
export function deferred<T = void>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
} {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}
