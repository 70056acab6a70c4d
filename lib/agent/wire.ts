/*
 * Frames as clients read them: JSON objects, of which the last brace is missing here. A chat adds what its frames have in common,
 * and closes them.
 */

/** Halves of surrogate pairs have no UTF-8. */
const text = (value: string): string => JSON.stringify(value.toWellFormed())

export interface Ready {
  readonly chatId: string
  readonly clientId: string
  /** For clients that can go on where they ended; null for others. */
  readonly resume: { readonly index: number; readonly resumed: boolean } | null
}

/** The first frame, and whole: nothing is added to it. */
export const toReady = ({ chatId, clientId, resume }: Ready): string =>
  `{"event":"ready","chat_id":"${chatId}","client_id":${text(clientId)}${
    resume === null ? '' : `,"resumed":${resume.resumed},"index":${resume.index}`
  }}`

export const toDelta = (chunk: string, streamId: string): string =>
  `{"event":"delta","text":${text(chunk)},"stream_id":"${streamId}"`

export const toStreamEnd = (streamId: string): string => `{"event":"stream_end","stream_id":"${streamId}"`

export interface Notice {
  readonly text: string
  readonly media?: readonly string[] | undefined
  readonly replyTo?: string | undefined
  readonly kind?: string
  readonly error?: { readonly code: string }
}

export function toMessage({ text: said, media = [], replyTo = '', kind, error }: Notice): string {
  const fields = [
    `{"event":"message","text":${text(said)}`,
    ...(media.length === 0 ? [] : [`"media":[${media.map(text).join(',')}]`]),
    ...(replyTo === '' ? [] : [`"reply_to":${text(replyTo)}`]),
    ...(kind === undefined ? [] : [`"kind":"${kind}"`]),
    ...(error === undefined ? [] : [`"error":{"code":"${error.code}"}`]),
  ]
  return fields.join(',')
}

export const toReasoning = (chunk: string, streamId: string): string =>
  `{"event":"reasoning_delta","text":${text(chunk)},"stream_id":"${streamId}"`

export const toReasoningEnd = (streamId: string): string => `{"event":"reasoning_end","stream_id":"${streamId}"`

/** What an answer has cost, as far as that is known. */
export interface Usage {
  readonly promptTokens?: number | undefined
  readonly completionTokens?: number | undefined
  readonly totalTokens?: number | undefined
}

export function toTurnEnd(turnId: string, latency: number, usage: Usage | null): string {
  const { promptTokens, completionTokens, totalTokens } = usage ?? {}
  const counts = { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
  const told = usage === null ? '' : `,"usage":${JSON.stringify(counts)}`
  return `{"event":"turn_end","turn_id":"${turnId}","latency_ms":${Math.round(latency)}${told}`
}

// With several chats on a connection. Of the connection, not of a chat: whole frames.

export const toAttached = (chatId: string): string => `{"event":"attached","chat_id":"${chatId}"}`

export const toError = (detail: string, chatId?: string): string =>
  `{"event":"error"${chatId === undefined ? '' : `,"chat_id":"${chatId}"`},"detail":${text(detail)}}`
