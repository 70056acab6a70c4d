import {
  type Web,
  webGetQueryVar,
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATUS_UNSUPPORTED_TYPE,
  type WebSocket,
  webSocketPublish,
  type WebSocketProc,
  webSocketRun,
  webSocketSendClose,
  webSocketSubscribe,
} from 'fiberws'

/** Who is where. A room is a topic: it is there as long as somebody is on it. */
interface Person {
  readonly name: string
  readonly room: string
}

const onWebSocket: WebSocketProc<unknown, Person> = (ws, event, buf, _len, person) => {
  switch (event) {
    case WS_EVENT_OPEN:
      webSocketSubscribe(ws, person.room)
      tell(ws, person, 'joined')
      break
    case WS_EVENT_MESSAGE:
      // One frame, made once, for everybody in the room: the one who speaks hears it as the others do.
      if (typeof buf === 'string') webSocketPublish(ws.topics, person.room, `${person.name}: ${buf}`)
      else webSocketSendClose(ws, WS_STATUS_UNSUPPORTED_TYPE, 'text only')
      break
    case WS_EVENT_CLOSE:
      // A connection that has closed is on no topic any longer.
      tell(ws, person, 'left')
      break
  }
}

function tell(ws: WebSocket, { name, room }: Person, what: 'joined' | 'left'): void {
  webSocketPublish(ws.topics, room, `* ${name} has ${what}, ${ws.topics.subscribers(room)} here`)
}

/** `ws://HOST/room?room=lobby&name=Ada` */
export default (web: Web) => {
  const read = (key: string, byDefault: string): string => webGetQueryVar(web, key)?.trim().slice(0, 40) || byDefault
  return webSocketRun(web.webSocket, onWebSocket, { name: read('name', 'somebody'), room: read('room', 'lobby') })
}
