import type { Socket } from '../websock/socket.ts'
import type { Chat } from './chat.ts'
import type { Visitor } from './door.ts'

/** One client on the socket. */
export interface Connection {
  readonly ws: Socket
  readonly visitor: Visitor
  readonly remote: string
  /** Where it speaks when it names no chat; null before OPEN. */
  chat: Chat | null
  /** Those that it hears, by id: with `multiChat` several. */
  readonly chats: Map<string, Chat>
}
