import type { Chat } from './chat.ts'
import type { Connection } from './connection.ts'

/** What clients with several chats may ask for. */
export interface Desk {
  /** A new chat; null where the client has as many as it may. */
  newChat(connection: Connection): Chat | null
  /** One of the client's own chats, or why not. */
  attach(connection: Connection, id: string): Chat | 'access_denied' | 'too_many_chats'
}

type Fields = Readonly<Record<string, unknown>>
/** What to tell the client; null: nothing. */
export type Told = { readonly attached: Chat } | { readonly refused: string; readonly chatId?: string } | null
type Operation = (desk: Desk, connection: Connection, fields: Fields) => Told

const CHAT_ID = /^[A-Za-z0-9_:-]{1,64}$/
const isChatId = (id: unknown): id is string => typeof id === 'string' && CHAT_ID.test(id)

const INVALID = { refused: 'invalid chat_id' } as const

/** By the `type` of an envelope. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  new_chat: (desk, connection) => {
    const chat = desk.newChat(connection)
    return chat === null ? { refused: 'too_many_chats' } : { attached: chat }
  },

  attach: (desk, connection, { chat_id: id }) => {
    if (!isChatId(id)) return INVALID
    const chat = desk.attach(connection, id)
    return typeof chat === 'string' ? { refused: chat, chatId: id } : { attached: chat }
  },

  // It attaches whom it comes from, without a word.
  message: (desk, connection, { chat_id: id, content, id: name }) => {
    if (!isChatId(id)) return INVALID
    if (typeof content !== 'string' || content.trim() === '') return { refused: 'missing content', chatId: id }
    const chat = connection.chats.get(id) ?? desk.attach(connection, id)
    if (typeof chat === 'string') return { refused: chat, chatId: id }
    chat.say(content, typeof name === 'string' && name !== '' && chat.kept !== null ? name : null)
    return null
  },
}
