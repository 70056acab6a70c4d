import {
  R_ERR_WOULD_BLOCK,
  rError,
  urlWebSocket,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  webSocketFlush,
  type WebSocketProc,
  webSocketSendBlock,
} from '../../lib/index.ts' // Outside of this repository: 'fiberws'

/** Sends every message back as it came, text or binary, and waits for a server that reads slowly. */
const echo: WebSocketProc = async (ws, event, buf) => {
  if (event === WS_EVENT_ERROR) rError('echo', '%s', buf)
  if (event !== WS_EVENT_MESSAGE) return
  const { type } = ws
  while (webSocketSendBlock(ws, type, buf) === R_ERR_WOULD_BLOCK) await webSocketFlush(ws)
}

const url = process.argv[2] ?? 'ws://127.0.0.1:9001/'
const result = await urlWebSocket(url, echo, null, { maxMessage: 64 << 20, compression: true })
// 0 after an orderly close; minus what has gone wrong otherwise.
process.exitCode = result === 0 ? 0 : 1
