import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import {
  rError,
  rInfo,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  webSocketClientLoop,
  webSocketGetCloseStatus,
  webSocketGetErrorMessage,
  type WebSocketProc,
  webSocketSendString,
} from '../../lib/index.ts' // Outside of this repository: 'fiberws'

// A connection that comes back. What is typed is sent, a line at a time.

const url = process.argv[2] ?? 'ws://127.0.0.1:8080/'

const onWebSocket: WebSocketProc = (ws, event, buf) => {
  switch (event) {
    case WS_EVENT_OPEN:
      rInfo('client', 'connected to %s', url)
      break
    case WS_EVENT_MESSAGE:
      rInfo('client', '< %s', buf)
      break
    case WS_EVENT_ERROR:
      rError('client', '%s', webSocketGetErrorMessage(ws))
      break
    case WS_EVENT_CLOSE:
      rInfo('client', 'closed with status %d', webSocketGetCloseStatus(ws))
      break
  }
}

/** Stands for whatever gives out tokens. The loop asks before each attempt, so none is ever stale. */
const freshToken = async (): Promise<string> => randomUUID()

const loop = webSocketClientLoop(url, onWebSocket, null, {
  headers: async () => ({ Authorization: `Bearer ${await freshToken()}` }),
  // A server that has gone without a word is noticed when two pings have had no answer.
  pingPeriod: 20_000,
  timeout: 50_000,
  // Random, so that a server that comes back is not met by all its clients at once.
  reconnectInterval: { min: 500, max: 10_000, jitter: 'full' },
})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (webSocketSendString(loop.ws, line) < 0) rError('client', 'not sent: there is no connection')
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => loop.stop())
process.exitCode = (await loop.done) === 0 ? 0 : 1
lines.close()
