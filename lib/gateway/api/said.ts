import { Compile } from 'typebox/schema'
import { MAX_CONTENT } from '../../chat/limits.ts'
import { idOrNull, text } from './body.ts'

/** Not only space. */
export const content = { ...text(1, MAX_CONTENT), pattern: '\\S' } as const
export const Content = Compile({ type: 'object', required: ['content'], properties: { content } })
/** An acknowledgement says up to where, or nothing. */
export const Ack = Compile({ type: 'object', properties: { message_id: idOrNull } })
