import type { Size } from './web.ts'

/**
 * Public types of the agent channel: what answers (`Agent`), and what a config says. Types only.
 */

/** What an agent yields while it answers. */
export type Chunk =
  /** Text of the answer: all together are the answer, character by character. */
  | string
  /** This stream ends here, and another begins: an agent that calls tools says so between two parts of its answer. */
  | { readonly type: 'segment' }
  /** A message of its own, beside the answer. `media` are paths on the server's disk, which nobody reads here. */
  | { readonly type: 'message'; readonly text: string; readonly media?: readonly string[]; readonly replyTo?: string }
  /** What it is about; sent where the channel has `progress`. */
  | { readonly type: 'progress'; readonly text: string; readonly kind?: 'progress' | 'tool_hint' }
  /** What it thinks; sent where the channel has `reasoning`. */
  | { readonly type: 'reasoning'; readonly text: string }
  /** What the answer has cost; sent with `turn_end` where the channel has `turnEvents`. */
  | {
      readonly type: 'usage'
      readonly promptTokens?: number
      readonly completionTokens?: number
      readonly totalTokens?: number
    }

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** One chat, as its agent sees it: the same object for all of its turns. */
export interface Session {
  /** `websocket:<chatId>`, or `world:<channel>` where the agent is a member of the world. */
  readonly key: string
  /** UUID v4; in the world the id of the channel. */
  readonly chatId: string
  /** What the client calls itself. No credential. */
  readonly clientId: string
  /** IP address. */
  readonly remote: string
  /** Turns that have ended well, the oldest first, within `maxHistoryMessages` and `maxHistoryChars`; not the current one. */
  readonly history: readonly ChatMessage[]
  /** For the agent: as long as the chat. */
  readonly state: Map<string, unknown>
}

/** Lines of the log, below `agent`. */
export interface AgentLog {
  info(message: string): void
  error(message: string): void
}

export interface TurnContext {
  /** Aborts when nobody wants the answer any more: nothing that comes after it is sent. */
  readonly signal: AbortSignal
  /** Whether clients see the answer while it grows. */
  readonly streaming: boolean
  /** Of no other turn of the chat. */
  readonly turnId: string
  readonly log: AgentLog
}

/** What `reply` may return. */
export type Reply =
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | Promise<string | void | AsyncIterable<Chunk> | Iterable<Chunk>>
  | string
  | void

export type ReplyFunction = (session: Session, text: string, context: TurnContext) => Reply

/**
 * What answers. Chats have one turn at a time, and are answered beside each other. To throw, to reject and to throw while it is
 * iterated is all the same: the client reads that something failed, not what.
 */
export interface Agent {
  readonly name: string
  /** Before the server listens: what it throws keeps it from starting. */
  start?(): void | Promise<void>
  reply: ReplyFunction
  /** The chat is over. */
  sessionClosed?(session: Session): void
  stop?(): void | Promise<void>
}

/** The default export of a module: an agent, a function that answers, or one that makes an agent from `options`. */
export type AgentModule =
  Agent | ReplyFunction | ((options: Readonly<Record<string, unknown>>) => Agent | Promise<Agent>)

/** What answers, in a config. */
export interface AgentConfig {
  /** echo: what it was told. openai: a model behind a server with OpenAI's chat completions. module: an agent of your own. */
  type: 'echo' | 'openai' | 'module'
  /** echo: in front of each answer. */
  prefix?: string
  /** echo: milliseconds between two words; default 0. */
  delayMs?: number
  /** openai: the server, without /chat/completions; default https://api.openai.com/v1. */
  baseUrl?: string
  apiKey?: string
  /** Needed unless the server has one of its own. */
  model?: string
  systemPrompt?: string
  temperature?: number
  maxTokens?: number
  maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  headers?: Record<string, string>
  extraBody?: Record<string, unknown>
  /** Ask for the number of tokens; default true. */
  includeUsage?: boolean
  /** Leave out what stands between `<think>` and `</think>`; default true. */
  stripThink?: boolean
  /** Further tries, while nothing has been sent to the client; default 2. */
  retries?: number
  /** Who keeps what was said before; default 'local'. */
  sessionMode?: 'local' | 'server'
  /** module: the file, relative to the config file. */
  path?: string
  options?: Record<string, unknown>
  /** 'server/channel': the agent is also a member of the world there. */
  join?: string
  /** What it is called there; default 'agent'. */
  name?: string
  /** Milliseconds between two edits of its message at least; default 500. */
  editMs?: number
  /** Whether it answers other bots, too; default false. */
  answerBots?: boolean
}

/** nanobot's WebSocket channel. In a file keys may also be written as token_ttl_s. */
export interface ChannelConfig {
  /** Whether it is served, on a listener of its own; default false. */
  enabled?: boolean
  /** Default 127.0.0.1. */
  host?: string
  /** Default 8765; 0 is any free port. */
  port?: number
  /** Of the WebSocket; default '/'. */
  path?: string
  /** A credential for all clients. */
  token?: string
  /** Whether a client needs a token where `token` is empty; default true. */
  websocketRequiresToken?: boolean
  /** GET there gives a token for one connection; default: none are given. */
  tokenIssuePath?: string
  /** What that needs; empty: nothing. */
  tokenIssueSecret?: string
  /** Seconds for which such a token is good, 30 to 86400; default 300. */
  tokenTtlS?: number
  /** Values of `client_id` that are let in; default ['*']. */
  allowFrom?: string[]
  /** `delta` and `stream_end`, or one `message`; default true. */
  streaming?: boolean
  /** Longest message of a client, 1024 to 16777216; default 1048576. */
  maxMessageBytes?: number
  /** Seconds, 5 to 300; default 20. */
  pingIntervalS?: number
  pingTimeoutS?: number
  /** PEM files: both, or none. */
  sslCertfile?: string
  sslKeyfile?: string
  /** Origins of pages that may connect; default: any where a token is needed, else none but its own. */
  origins?: string[]
  /** The same as `origins`. */
  allowedOrigins?: string[]
  /** Several chats on one connection; default false, as all below up to `commands`. */
  multiChat?: boolean
  /** `turn_end` behind each answer. */
  turnEvents?: boolean
  /** What the agent says about its progress. */
  progress?: boolean
  /** What a model thinks. */
  reasoning?: boolean
  /** `/stop` and `/new`. */
  commands?: boolean
  /** Default 'echo'. */
  agent?: 'echo' | AgentConfig
  /** Seconds for an answer, 0 for any number; default 300. */
  agentTimeoutS?: number
  /** Seconds for the next piece of it; default 90. */
  idleTimeoutS?: number
  /** openai: seconds to reach the server; default 10. */
  connectTimeoutS?: number
  /** Answers at the same time, 0 for any number; default 32. */
  maxConcurrentTurns?: number
  /** Messages of a chat that wait for their turn; default 20. */
  maxQueuedPerChat?: number
  /** Messages of a chat that the agent is reminded of; default 40. */
  maxHistoryMessages?: number
  /** Their length together; default 60000. */
  maxHistoryChars?: number
  /** Longest answer; default 4M. */
  maxReplyBytes?: Size
  /** multiChat: chats of one connection; default 100. */
  maxChatsPerClient?: number
  /** Seconds for which a chat waits for its client, where that asked for it (`?resume=1`); default 60. */
  resumeS?: number
  /** Chats that wait so; default 10000. */
  resumeChats?: number
  /** What is kept to be sent again, for all chats together; default 64M. */
  resumeBytes?: Size
}
