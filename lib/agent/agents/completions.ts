import http from 'node:http'
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import { valueAt } from '../../web/config/check.ts'
import { Failure, type FailureCode } from '../failure.ts'

/** Bytes of an error that are read, for the log. */
const MAX_ERROR = 4096
/** Characters of an event, and bytes of an answer that comes in one piece. */
const MAX_EVENT = 16_777_216
/** Milliseconds for what comes behind the reason of the end: how much it has cost, and the mark that it is all. */
const AFTERTHOUGHT = 5000
/** And for its end. */
const LAST_BYTES = 1000

/** Why there is no answer, and whether it is worth another try. */
export class ModelFailure extends Failure {
  readonly retryable: boolean
  /** Milliseconds that the server asks to wait; null: it does not say. */
  readonly retryAfter: number | null

  constructor(code: FailureCode, message: string, retryable = false, retryAfter: number | null = null) {
    super(code, message)
    this.retryable = retryable
    this.retryAfter = retryAfter
  }
}

/** One piece of what a model says. */
export type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: string }
  | {
      readonly type: 'usage'
      readonly promptTokens?: number
      readonly completionTokens?: number
      readonly totalTokens?: number
    }

export interface Call {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly agent: http.Agent
  /** Milliseconds to reach the server. */
  readonly connectTimeout: number
  readonly signal: AbortSignal
  /** Takes secrets out of what is for the log. */
  readonly redact: (text: string) => string
}

/** Asks for a chat completion, and gives what comes as it comes. Throws ModelFailure. */
export async function* complete(call: Call): AsyncGenerator<Piece> {
  const response = await post(call)
  let over = false
  try {
    const { statusCode = 0, headers } = response
    if (statusCode < 200 || statusCode > 299) {
      throw toFailure(statusCode, call.redact(await readSome(response)).slice(0, MAX_ERROR), headers['retry-after'])
    }
    if (/\bjson\b/i.test(headers['content-type'] ?? '')) yield* readWhole(response, call)
    else yield* readEvents(response, call)
    over = true
  } finally {
    if (over) leave(response)
    else response.destroy()
  }
}

/** Behind its last word an answer has an end, which is on its way: then the connection can be used again. */
function leave(response: IncomingMessage): void {
  if (response.complete) return
  const timer = setTimeout(() => response.destroy(), LAST_BYTES)
  response.on('error', () => {})
  response.on('close', () => clearTimeout(timer))
  response.resume()
}

const unreachable = (message: string): ModelFailure => new ModelFailure('model_unavailable', message, true)
const notJson = (): ModelFailure => unreachable('it sent something that is not JSON')

function post({ url, headers, body, agent, connectTimeout, signal }: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http
    const sent = request(url, { method: 'POST', headers, agent, signal })
    const timer = setTimeout(() => {
      sent.destroy(new Error(`no connection within ${connectTimeout / 1000} s`))
    }, connectTimeout)
    sent.on('socket', (socket) => {
      const ready = url.protocol === 'https:' ? 'secureConnect' : 'connect'
      if (socket.connecting) socket.once(ready, () => clearTimeout(timer))
      else clearTimeout(timer)
    })
    sent.on('response', resolve)
    sent.on('error', (error) => reject(unreachable(error.message)))
    sent.on('close', () => clearTimeout(timer))
    sent.end(body)
  })
}

async function readSome(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) break
      chunks.push(chunk)
      length += chunk.length
      // A secret that begins in what is kept is seen as a whole.
      if (length >= 2 * MAX_ERROR) break
    }
  } catch {
    // What has come is better than nothing.
  }
  return Buffer.concat(chunks).toString()
}

/** An answer of 200 that is no stream. */
async function* readWhole(response: IncomingMessage, { redact }: Call): AsyncGenerator<Piece> {
  let text = ''
  for await (const chunk of texts(response)) {
    text += chunk
    if (text.length > MAX_EVENT) throw unreachable('its answer is too long')
  }
  const value = toJson(text)
  if (value === undefined) throw notJson()
  yield* toPieces(value, 'message', redact)
}

/** Server-sent events, up to `[DONE]`. */
async function* readEvents(response: IncomingMessage, { redact }: Call): AsyncGenerator<Piece> {
  const events: string[] = []
  let tooLong = false
  const parser = createParser({
    maxBufferSize: MAX_EVENT,
    onEvent: ({ data }) => void events.push(data),
    onError: ({ type }) => (tooLong ||= type === 'max-buffer-size-exceeded'),
  })
  let finished = false
  let timer: NodeJS.Timeout | undefined
  try {
    for await (const chunk of texts(response, () => finished)) {
      parser.feed(chunk)
      if (tooLong) throw unreachable('an event of its stream is too long')
      for (const event of events.splice(0)) {
        if (event.trim() === '[DONE]') return
        if (event.trim() === '') continue
        const value = toJson(event)
        // What was cut behind the reason of the end is no loss.
        if (value === undefined && finished) continue
        if (value === undefined) throw notJson()
        for (const piece of toPieces(value, 'delta', redact)) {
          if (piece.type === 'finish' && !finished) {
            finished = true
            timer = setTimeout(() => response.destroy(), AFTERTHOUGHT)
          }
          yield piece
        }
      }
    }
  } finally {
    clearTimeout(timer)
  }
  if (!finished) throw unreachable('its stream ended in the middle')
}

/** The body as text, a line's end behind it: the last event may come without one. Throws where it is cut, unless it `may` be. */
async function* texts(response: IncomingMessage, may = (): boolean => false): AsyncGenerator<string> {
  response.setEncoding('utf8')
  try {
    for await (const chunk of response.iterator({ destroyOnReturn: false })) if (typeof chunk === 'string') yield chunk
  } catch (error) {
    if (!may()) throw unreachable(error instanceof Error ? error.message : String(error))
  }
  yield '\n\n'
}

/** What the first choice says, as a whole or a part of it. */
function* toPieces(value: unknown, part: 'message' | 'delta', redact: Call['redact']): Generator<Piece> {
  const failure = errorIn(value, redact)
  if (failure !== null) throw failure
  const said = valueAt(value, ['choices', 0, part])
  const thought = valueAt(said, ['reasoning_content'])
  if (typeof thought === 'string' && thought !== '') yield { type: 'reasoning', text: thought }
  const text = textOf(valueAt(said, ['content']))
  if (text !== '') yield { type: 'text', text }
  // Behind what is whole nothing comes.
  const reason = reasonIn(value) ?? (part === 'message' ? 'stop' : null)
  if (reason !== null) yield { type: 'finish', reason }
  yield* usageIn(value)
}

/** Undefined for what is none. */
function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Text, or parts of it. */
const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content
          .map((part: unknown) => valueAt(part, ['text']))
          .filter((text) => typeof text === 'string')
          .join('')
      : ''

function reasonIn(value: unknown): string | null {
  const reason = valueAt(value, ['choices', 0, 'finish_reason'])
  return typeof reason === 'string' ? reason : null
}

function* usageIn(value: unknown): Generator<Piece> {
  const usage = valueAt(value, ['usage'])
  if (typeof usage !== 'object' || usage === null) return
  const count = (name: string): number | null => {
    const given = valueAt(usage, [name])
    return typeof given === 'number' && given >= 0 ? given : null
  }
  const [prompt, completion, total] = [count('prompt_tokens'), count('completion_tokens'), count('total_tokens')]
  yield {
    type: 'usage',
    ...(prompt === null ? {} : { promptTokens: prompt }),
    ...(completion === null ? {} : { completionTokens: completion }),
    ...(total === null ? {} : { totalTokens: total }),
  }
}

/** An error where an answer should be: `{error: {…}}`, or as vLLM has it. */
function errorIn(value: unknown, redact: Call['redact']): ModelFailure | null {
  const error = valueAt(value, ['error']) ?? (valueAt(value, ['object']) === 'error' ? value : undefined)
  if (error === undefined || error === null) return null
  const code = valueAt(error, ['code'])
  const status = STATUSES.get(String(code)) ?? STATUSES.get(String(valueAt(error, ['type']))) ?? Number(code)
  const known = Number.isInteger(status) && status >= 400 && status <= 599
  return toFailure(known ? status : 503, redact(JSON.stringify(error)).slice(0, MAX_ERROR), undefined)
}

/** What servers call their errors, where there is no status to say it. */
const STATUSES = new Map([
  ['rate_limit_exceeded', 429],
  ['rate_limit_error', 429],
  ['insufficient_quota', 429],
  ['invalid_api_key', 401],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['invalid_request_error', 400],
  ['context_length_exceeded', 400],
])

const CODES: Readonly<Record<number, FailureCode>> = {
  401: 'model_auth',
  403: 'model_auth',
  408: 'model_unavailable',
  429: 'model_rate_limited',
}

function toFailure(status: number, body: string, retryAfter: string | undefined): ModelFailure {
  const code = CODES[status] ?? (status >= 400 && status < 500 ? 'model_rejected' : 'model_unavailable')
  const retryable =
    (status === 408 || status === 409 || status === 429 || status >= 500) && !/insufficient_quota/.test(body)
  return new ModelFailure(code, `${status} ${body}`, retryable, toMilliseconds(retryAfter))
}

/** Retry-After: seconds, or a date (RFC 9110 §10.2.3). */
function toMilliseconds(retryAfter = ''): number | null {
  if (/^\d+$/.test(retryAfter)) return 1000 * Number(retryAfter)
  const date = /^[A-Z][a-z]+,/.test(retryAfter) ? Date.parse(retryAfter) : NaN
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now())
}
