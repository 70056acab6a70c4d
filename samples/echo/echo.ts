import {
  R_ERR_WOULD_BLOCK,
  type Web,
  WS_EVENT_MESSAGE,
  type WebSocketData,
  webSocketFlush,
  webSocketRun,
  webSocketSendBlock,
  webWriteResponse,
} from 'fiberws'

/** Sends every message back as it came: text as text, binary as binary. Waits for peers that read slowly. */
export default function echo(web: Web): Promise<number> | number {
  const ws = web.webSocket
  if (ws === null) return webWriteResponse(web, 400, 'This is a WebSocket: connect with ws://')

  async function sendLater(type: number, buf: WebSocketData): Promise<void> {
    do await webSocketFlush(ws)
    while (webSocketSendBlock(ws, type, buf) === R_ERR_WOULD_BLOCK)
  }

  return webSocketRun(ws, (_ws, event, buf) => {
    if (event !== WS_EVENT_MESSAGE) return undefined
    const { type } = ws
    return webSocketSendBlock(ws, type, buf) === R_ERR_WOULD_BLOCK ? sendLater(type, buf) : undefined
  })
}
