import { inspect } from 'node:util'
import * as library from '../../lib/index.ts'
import { must } from './target.ts'
import type { good } from './values.ts'

/** The functions that the API targets call, and what may come of them. */

export type Kind = keyof typeof good | 'ws' | 'json' | 'topics' | 'tree' | 'stream' | 'proc' | 'work'

/** What each parameter means; functions that are not here get a handle and anything. */
export const PARAMETERS: Record<string, readonly Kind[]> = {
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
export const functions = Object.entries(library)
  .flatMap(([name, value]: [string, unknown]) =>
    /^(webSocket(?!ClientLoop)|json)[A-Z]/.test(name) && isCallable(value) ? [{ name, fn: value }] : [],
  )
  .toSorted((a, b) => (a.name < b.name ? -1 : 1))

/** For a session without any function. */
export const NOTHING = { name: 'nothing', fn: () => undefined }

/** Calls that end a connection, or make one that lives outside of the bench: seldom, for the rest to have a chance. */
export const FATAL = new Set(['webSocketFree', 'webSocketSendClose', 'webSocketAlloc'])

/** The codes below 0 that the functions document. */
const REFUSALS = new Set([-6, -14, -18, -40, -41])

export function checkNumber(name: string, value: number): void {
  const refused = name === 'jsonGetId' ? value === -1 : REFUSALS.has(value)
  must(refused || (Number.isSafeInteger(value) && value >= 0), `${name} returns ${value}`)
}

export function checkResolved(name: string, value: unknown): void {
  const ended = name === 'webSocketRun' && typeof value === 'number' && value <= -1000 && value > -5000
  if (!ended)
    must(value === 0 || (typeof value === 'number' && REFUSALS.has(value)), `${name} resolves ${inspect(value)}`)
}
