import http from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent, ChatMessage, Chunk, Session, TurnContext } from '../../../include-types/agent.ts'
import type { AgentSettings } from '../../web/config/channel-settings.ts'
import { Failure } from '../failure.ts'
import { type Call, complete, ModelFailure, type Piece } from './completions.ts'
import { ThinkFilter } from './think.ts'

type Settings = Extract<AgentSettings, { readonly type: 'openai' }>

/** Milliseconds before the second try and the third; later ones as the last. */
const DELAYS = [1000, 2000] as const
/** Whom a server asks to wait for longer than this, is told so at once. */
const LONGEST_WAIT = 30_000

/** What is shorter would be found in anything. */
const SHORTEST_SECRET = 4

/** A model behind a server that has the chat completions of OpenAI. */
export function createOpenAi(settings: Settings, delays: readonly number[] = DELAYS): Agent {
  const { Agent: Connections } = settings.url.startsWith('https:') ? https : http
  const connections = new Connections({ keepAlive: true })
  return {
    name: 'openai',
    reply: (session, text, context) => answer(settings, connections, delays, session, text, context),
    stop: () => connections.destroy(),
  }
}

async function* answer(
  settings: Settings,
  agent: http.Agent,
  delays: readonly number[],
  session: Session,
  text: string,
  { signal, log }: TurnContext,
): AsyncGenerator<Chunk> {
  const call: Call = {
    url: new URL(settings.url),
    headers: toHeaders(settings),
    body: JSON.stringify(toBody(settings, session, text)),
    agent,
    connectTimeout: settings.connectTimeout,
    signal,
    redact: toRedact(settings),
  }
  for (let tried = 0; ; tried++) {
    const said = { text: false }
    try {
      yield* speak(complete(call), settings.stripThink, said, log)
      return
    } catch (error) {
      if (signal.aborted) return
      const wait = tried < settings.retries && !said.text ? waitFor(error, delays[tried] ?? delays.at(-1) ?? 0) : null
      if (wait === null) throw error
      log.info(`another try in ${wait} ms: ${error instanceof Error ? error.message : String(error)}`)
      await sleep(wait, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
    }
  }
}

/** Milliseconds until another try; null: it is not worth one. */
function waitFor(failure: unknown, delay: number): number | null {
  if (!(failure instanceof ModelFailure) || !failure.retryable) return null
  const wait = failure.retryAfter ?? delay
  return wait > LONGEST_WAIT ? null : wait
}

/** What a model says as chunks, and what its end means. */
async function* speak(
  pieces: AsyncIterable<Piece>,
  strips: boolean,
  said: { text: boolean },
  log: TurnContext['log'],
): AsyncGenerator<Chunk> {
  const filter = strips ? new ThinkFilter() : null
  let reason: string | null = null
  for await (const piece of pieces) {
    if (piece.type === 'finish') reason = piece.reason
    else if (piece.type === 'reasoning' || piece.type === 'usage') yield piece
    else {
      const text = filter === null ? piece.text : filter.push(piece.text)
      if (text === '') continue
      said.text = true
      yield text
    }
  }
  const rest = filter?.end() ?? ''
  if (rest !== '') {
    said.text = true
    yield rest
  }
  if (reason === 'tool_calls' || reason === 'function_call')
    throw new Failure('agent_error', 'the model asks for a tool')
  if (reason === 'length') log.info('the model was cut for its length')
  if (said.text) return
  if (reason === 'content_filter') throw new Failure('model_rejected', 'the model has filtered its answer')
  throw new Failure('empty_response', `the model ended with no text (${reason ?? 'no reason'})`)
}

function toHeaders({ apiKey, headers }: Settings): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'Accept': 'text/event-stream',
    ...(apiKey === '' ? {} : { Authorization: `Bearer ${apiKey}` }),
    ...headers,
  }
}

function toBody(settings: Settings, { history, chatId }: Session, text: string): Record<string, unknown> {
  const { model, temperature, maxTokens, maxTokensField, includeUsage, extraBody, sessionMode } = settings
  const question: ChatMessage = { role: 'user', content: text }
  const server = sessionMode === 'server'
  return {
    ...(model === '' ? {} : { model }),
    messages: server ? [question] : [...toSystem(settings), ...history, question],
    stream: true,
    ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
    ...(temperature === null ? {} : { temperature }),
    ...(maxTokens === null ? {} : { [maxTokensField]: maxTokens }),
    ...(server ? { session_id: chatId } : {}),
    ...extraBody,
  }
}

const toSystem = ({ systemPrompt }: Settings): ChatMessage[] =>
  systemPrompt === '' ? [] : [{ role: 'system', content: systemPrompt }]

/** Servers like to quote the key that they refuse, as text or in JSON. */
function toRedact({ apiKey, headers }: Settings): (text: string) => string {
  const secrets = [apiKey, ...Object.values(headers)].filter(({ length }) => length >= SHORTEST_SECRET)
  const spelled = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
  return (text) => spelled.reduce((clean, secret) => clean.replaceAll(secret, '(secret)'), text)
}
