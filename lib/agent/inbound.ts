import { isRecord } from '../web/config/check.ts'

/** What a client may send: text, or an object with the text in one of these. */
const FIELDS = ['content', 'text', 'message'] as const

/** What a frame says. */
export type Inbound =
  /** Text for the agent. */
  | string
  /** The same, with a name that its client has for it. */
  | { readonly content: string; readonly id: string }
  /** An object with a `type`, for channels with several chats. */
  | { readonly type: string; readonly fields: Readonly<Record<string, unknown>> }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of binary frames; null for what is none. */
export function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

const isBlank = (text: string): boolean => text.trim() === ''

/**
 * What a frame says; null for nothing: it is not answered. `typed`: whether objects with a `type` are something else; `named`:
 * whether an `id` is of interest.
 */
export function parse(frame: string, typed: boolean, named = false): Inbound | null {
  const trimmed = frame.trim()
  if (trimmed === '') return null
  const first = trimmed[0]
  if (first !== '{' && first !== '"') return trimmed
  const value = toJson(trimmed)
  // What only looks like JSON is text.
  if (value === undefined) return trimmed
  if (typeof value === 'string') return isBlank(value) ? null : value
  if (!isRecord(value)) return trimmed
  const { type } = value
  if (typed && typeof type === 'string') return { type, fields: value }
  const content = contentOf(value)
  const id = named ? value['id'] : undefined
  return content !== null && typeof id === 'string' && id !== '' ? { content, id } : content
}

/** The first of the fields that has text in it; null where none has. */
function contentOf(fields: Readonly<Record<string, unknown>>): string | null {
  for (const name of FIELDS) {
    const value = fields[name]
    if (typeof value === 'string' && !isBlank(value)) return value
  }
  return null
}

/** Undefined for what is no JSON. */
function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
