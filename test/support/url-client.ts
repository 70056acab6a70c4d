import { setImmediate as turn } from 'node:timers/promises'
import type { UrlError, UrlWebSocketOptions } from '../../include-types/client.ts'
import type { WebSocket } from '../../include-types/websock.ts'
import { ManualClock, MemoryTopics } from '../../lib/engine/memory.ts'
import { nodeClient } from '../../lib/engine/node/client.ts'
import { urlWebSocket, urlWebSocketOpen } from '../../lib/standalone.ts'
import type { ClientSide } from '../../lib/websock/client/open.ts'
import { R_ERR_WOULD_BLOCK, WS_EVENT_MESSAGE } from '../../lib/websock/constants.ts'
import { createContext } from '../../lib/websock/context.ts'
import { webSocketFlush, webSocketSendBlock } from '../../lib/websock/send.ts'
import { Journal, type JournalCallback } from './journal.ts'

/** Calls `urlWebSocket` and notes the events; `journal.ws` is there from the first of them on. */
export function client(
  url: string | URL,
  options?: UrlWebSocketOptions | string,
  callback: JournalCallback = () => undefined,
): Journal {
  const journal = new Journal()
  const result = urlWebSocket(
    url,
    (ws, event, buf, len) => {
      journal.ws = ws
      journal.note(ws, event, buf, len)
      return callback(ws, event, buf, len)
    },
    undefined,
    options,
  )
  void result.then(() => journal.follow(journal.ws, result))
  return journal
}

/** Why `urlWebSocketOpen` has rejected. */
export async function refusal(url: string | URL, options?: UrlWebSocketOptions): Promise<UrlError> {
  try {
    await urlWebSocketOpen(url, options)
  } catch (error) {
    if (isUrlError(error)) return error
    throw error
  }
  throw new Error('connected')
}

const isUrlError = (error: unknown): error is UrlError =>
  error instanceof Error && error.name === 'UrlError' && 'code' in error && 'body' in error

/** Sends every message back as it came, and waits for a peer that reads slowly. */
export const echoBack: JournalCallback = (ws, event, buf) => {
  if (event !== WS_EVENT_MESSAGE) return undefined
  const { type } = ws
  const later = async (handle: WebSocket): Promise<void> => {
    do await webSocketFlush(handle)
    while (webSocketSendBlock(handle, type, buf) === R_ERR_WOULD_BLOCK)
  }
  return webSocketSendBlock(ws, type, buf) === R_ERR_WOULD_BLOCK ? later(ws) : undefined
}

/** A client whose time stands still until the test moves it. */
export function clockedSide(): ClientSide & { clock: ManualClock } {
  const clock = new ManualClock()
  const observer = { callbackFailed: () => {}, warn: () => {}, ended: () => {}, dropped: () => {} }
  return { clock, port: nodeClient, context: createContext(clock, new MemoryTopics(), observer) }
}

/** Turns of the event loop, enough for what has been written to be read: both ends are in this process. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn()
}
