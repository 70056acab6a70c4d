import {
  type Json,
  jsonAlloc,
  jsonSetBool,
  jsonSetNum,
  jsonSetString,
  type WebHost,
  type WebSocket,
  webSocketCork,
  webSocketFlush,
  webSocketPublish,
  webSocketSend,
  webSocketSendBlock,
  webSocketSendClose,
  webSocketSendJson,
  webSocketSendString,
  webSocketSubscribe,
  WS_MSG_BINARY,
  WS_MSG_MORE,
} from '../../lib/index.ts'
import { is, type Same } from './same.ts'

export function sends(ws: WebSocket | null): void {
  is<Same<ReturnType<typeof webSocketSend>, number>>()
  is<Same<ReturnType<typeof webSocketFlush>, Promise<number>>>()
  void webSocketFlush(ws)
  webSocketSend(ws, '%s %d', 'any', 1, null)
  webSocketSendString(ws, 'text')
  webSocketSendJson(ws, { any: ['value'] })
  webSocketSendClose(ws)
  webSocketSendClose(ws, 1000, 'bye')
  webSocketCork(ws, () => {})
  // @ts-expect-error a format is a string
  webSocketSend(ws, 1)
  // @ts-expect-error a number is no text
  webSocketSendString(ws, 1)
  // @ts-expect-error a status is a number
  webSocketSendClose(ws, 'bye')
}

export function blocks(ws: WebSocket, buf: string | Buffer | null): void {
  webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.alloc(1))
  webSocketSendBlock(ws, WS_MSG_BINARY | WS_MSG_MORE, new Uint8Array(1), 1)
  webSocketSendBlock(ws, WS_MSG_BINARY, new ArrayBuffer(1))
  // What an event has brought, as it is.
  webSocketSendBlock(ws, ws.type, buf)
  // @ts-expect-error not bytes
  webSocketSendBlock(ws, WS_MSG_BINARY, [1, 2, 3])
  // @ts-expect-error nor is this
  webSocketSendBlock(ws, WS_MSG_BINARY, 1)
  // @ts-expect-error a type is a number
  webSocketSendBlock(ws, 'binary', buf)
}

export function topics(ws: WebSocket, host: WebHost): void {
  is<Same<ReturnType<typeof webSocketSubscribe>, boolean>>()
  webSocketSubscribe(ws, 'news')
  webSocketPublish(ws.topics, 'news', 'text')
  webSocketPublish(host.topics, 'news', Buffer.alloc(1), true)
  is<Same<ReturnType<typeof webSocketPublish>, number>>()
  ws.topics.subscribers('news').toFixed()
  // @ts-expect-error a host has topics, and is none
  webSocketPublish(host, 'news', 'text')
  // @ts-expect-error objects are not stringified
  webSocketPublish(ws.topics, 'news', { text: 'hi' })
}

export function trees(): void {
  const json = jsonAlloc()
  is<Same<typeof json, Json>>()
  jsonSetString(json, 0, 'a.b[0]', 'text')
  jsonSetNum(json, 0, 'n', 1)
  jsonSetBool(json, 0, 'b', true)
  // @ts-expect-error a number under the name of a string
  jsonSetString(json, 0, 'a', 1)
  // @ts-expect-error a tree is made by jsonAlloc, and is not text
  jsonSetNum('{}', 0, 'n', 1)
}
