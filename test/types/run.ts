import {
  type WebSocket,
  type WebSocketData,
  type WebSocketEvent,
  type WebSocketProc,
  webSocketGetData,
  webSocketGetState,
  webSocketRun,
  webSocketSetData,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_EVENT_PARTIAL_MESSAGE,
} from '../../lib/index.ts'
import { is, type Same } from './same.ts'

interface Session {
  user: string
  since?: number
}

export function callbacks(ws: WebSocket<Session>): void {
  // Parameters that are not needed may be left out; what is returned may be anything, a promise too.
  const none: WebSocketProc = () => {}
  const two: WebSocketProc<Session> = (handle, event) => event === WS_EVENT_OPEN && handle.data?.user
  const waits: WebSocketProc = async () => {}
  void webSocketRun(ws, none)
  void webSocketRun(ws, two)
  void webSocketRun(ws, waits)
  is<Same<ReturnType<typeof webSocketRun>, Promise<number>>>()

  // @ts-expect-error a sixth parameter is never given
  const six: WebSocketProc = (_ws, _event, _buf, _len, _arg, _more: number) => {}
  // @ts-expect-error text may be a Buffer or null, too
  const onlyText: WebSocketProc = (_ws, _event, buf: string) => buf.length
  // @ts-expect-error a number is no callback
  void webSocketRun(ws, 1)
  // @ts-expect-error nor is nothing
  void webSocketRun(ws)
  return void [six, onlyText]
}

export function parameters(ws: WebSocket<Session>): void {
  void webSocketRun(ws, (handle, event, buf, len, arg) => {
    is<Same<typeof handle, WebSocket<Session>>>()
    is<Same<typeof event, WebSocketEvent>>()
    is<Same<typeof buf, WebSocketData>>()
    is<Same<typeof buf, string | Buffer | null>>()
    is<Same<typeof len, number>>()
    is<Same<typeof arg, undefined>>()
  })
}

export function argument(ws: WebSocket<Session>): void {
  const room = { name: 'lobby' }
  void webSocketRun(ws, (_ws, _event, _buf, _len, arg) => is<Same<typeof arg, { name: string }>>(), room)
  void webSocketRun(ws, () => {}, room, Buffer.alloc(0), 30_000)
  void webSocketRun(ws, () => {}, null, null, 30_000)

  const needsRoom: WebSocketProc<Session, { name: string }> = (_ws, _event, _buf, _len, arg) => arg.name
  void webSocketRun(ws, needsRoom, room)
  // @ts-expect-error the callback reads its argument: it has to be given
  void webSocketRun(ws, needsRoom)
  // @ts-expect-error and has to fit
  void webSocketRun(ws, needsRoom, { name: 1 })
  // @ts-expect-error bytes are a Uint8Array
  void webSocketRun(ws, () => {}, null, 'bytes')
  // @ts-expect-error milliseconds are a number
  void webSocketRun(ws, () => {}, null, null, '30 secs')
}

export function data(ws: WebSocket<Session>): void {
  webSocketSetData(ws, { user: 'admin' })
  is<Same<ReturnType<typeof webSocketGetData<Session>>, Session | undefined>>()
  const read = webSocketGetData(ws)
  is<Same<typeof read, Session | undefined>>()
  is<Same<typeof ws.data, Session | undefined>>()
  // @ts-expect-error not the type of this handle's data
  webSocketSetData(ws, 'admin')
  // @ts-expect-error nor is this
  webSocketSetData(ws, { user: 1 })
  // @ts-expect-error part of it is missing
  webSocketSetData(ws, {})
  // @ts-expect-error it may not have been set
  const user: string = webSocketGetData(ws).user
  const other: WebSocketProc<{ room: number }> = () => {}
  // @ts-expect-error a callback for connections with other data
  void webSocketRun(ws, other)
  // A handle of unknown data stays unknown.
  const unknown = webSocketGetData(null as WebSocket | null)
  is<Same<typeof unknown, unknown>>()
  return void user
}

export function fields(ws: WebSocket): void {
  ws.parent = 'anything'
  // @ts-expect-error for reading
  ws.state = 1
  // @ts-expect-error for reading
  ws.data = 1
  // @ts-expect-error the machinery behind a handle is not public
  return void ws.transport
}

export function nullHandles(): void {
  void webSocketRun(null, () => {})
  webSocketSetData(null, 1)
  is<Same<ReturnType<typeof webSocketGetState>, number>>()
  webSocketGetState(null)
  // @ts-expect-error a handle that was forgotten is not null
  webSocketGetState(undefined)
}

/** A switch over all events has no rest. */
export function events(event: WebSocketEvent): string {
  switch (event) {
    case WS_EVENT_OPEN:
    case WS_EVENT_MESSAGE:
    case WS_EVENT_PARTIAL_MESSAGE:
    case WS_EVENT_ERROR:
    case WS_EVENT_CLOSE:
      return 'known'
    default:
      return event satisfies never
  }
}

export function noSuchEvent(event: WebSocketEvent): boolean {
  // @ts-expect-error there is no such event
  return event === 5
}
