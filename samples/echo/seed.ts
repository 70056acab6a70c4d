import {
  rError,
  rInfo,
  type Web,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  webSocketGetCloseReason,
  webSocketGetErrorMessage,
  type WebSocketProc,
  webSocketRun,
  webSocketSend,
} from '../../lib/index.ts'

/** The C handler of the WebSocket skill, line by line. */
const onWebSocket: WebSocketProc = (ws, event, buf) => {
  switch (event) {
    case WS_EVENT_OPEN:
      rInfo('ws', 'Client connected')
      break
    case WS_EVENT_MESSAGE:
      webSocketSend(ws, 'echo: %s', buf)
      break
    case WS_EVENT_CLOSE:
      rInfo('ws', 'Client disconnected: %s', webSocketGetCloseReason(ws))
      break
    case WS_EVENT_ERROR:
      rError('ws', 'Error: %s', webSocketGetErrorMessage(ws))
      break
  }
}

export default (web: Web) => webSocketRun(web.webSocket, onWebSocket, null, null, 30000)
