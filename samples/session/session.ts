import {
  rInfo,
  type Web,
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  webSocketGetData,
  type WebSocketProc,
  webSocketRun,
  webSocketSendString,
  webSocketSetData,
} from 'fiberws'

/** What is known about one connection. It lives as long as the connection, and nobody else sees it. */
interface Session {
  readonly id: number
  /** Null until somebody has logged in. */
  user: string | null
  messages: number
}

const HINT = 'log in first: login NAME'
let sessions = 0

const onWebSocket: WebSocketProc<Session> = (ws, event, buf) => {
  const session = webSocketGetData(ws)
  if (session === undefined) return
  switch (event) {
    case WS_EVENT_OPEN:
      webSocketSendString(ws, HINT)
      break
    case WS_EVENT_MESSAGE:
      webSocketSendString(ws, answer(session, String(buf)))
      break
    case WS_EVENT_CLOSE:
      rInfo('session', '%d: %s left, messages: %d', session.id, session.user ?? 'nobody', session.messages)
      break
  }
}

/** A name is taken on trust here. A server that checks a token can await that: the next message waits. */
function answer(session: Session, text: string): string {
  if (session.user === null) {
    const name = /^login (\w+)$/.exec(text)?.[1]
    if (name === undefined) return HINT
    session.user = name
    return `welcome ${name}, this is session ${session.id}`
  }
  session.messages++
  return `${session.user}, message ${session.messages}: ${text}`
}

export default (web: Web<Session>) => {
  webSocketSetData(web.webSocket, { id: ++sessions, user: null, messages: 0 })
  return webSocketRun(web.webSocket, onWebSocket)
}
