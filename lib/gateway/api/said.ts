import { Compile } from 'typebox/schema'
import { MAX_CONTENT, MAX_MESSAGE_FILES } from '../../chat/limits.ts'
import { checkContent } from '../../chat/content.ts'
import { ID, idOrNull, text, word } from './body.ts'
import { toId } from './call.ts'

/** What a message has: content, or files, or both. */
export const said = {
  content: text(0, MAX_CONTENT),
  file_ids: { type: 'array', items: word(ID), maxItems: MAX_MESSAGE_FILES },
} as const

export function toSaid(body: { readonly content?: string; readonly file_ids?: readonly string[] }) {
  const { content = '', file_ids = [] } = body
  checkContent(content, file_ids)
  return { content, files: file_ids.map(toId) }
}

/** Not only space. */
const content = { ...text(1, MAX_CONTENT), pattern: '\\S' } as const
export const Content = Compile({ type: 'object', required: ['content'], properties: { content } })
/** An acknowledgement says up to where, or nothing. */
export const Ack = Compile({ type: 'object', properties: { message_id: idOrNull } })
