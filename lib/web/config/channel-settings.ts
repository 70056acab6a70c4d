/* An agent channel as the rest of the program sees it: types only. */

/** What answers. Milliseconds. */
export type AgentSettings =
  | { readonly type: 'echo'; readonly prefix: string; readonly delay: number }
  | {
      readonly type: 'openai'
      readonly url: string
      readonly apiKey: string
      readonly model: string
      readonly systemPrompt: string
      readonly temperature: number | null
      readonly maxTokens: number | null
      readonly maxTokensField: string
      readonly headers: Readonly<Record<string, string>>
      readonly extraBody: Readonly<Record<string, unknown>>
      readonly includeUsage: boolean
      readonly stripThink: boolean
      readonly retries: number
      readonly connectTimeout: number
      readonly sessionMode: 'local' | 'server'
    }
  | { readonly type: 'module'; readonly file: string; readonly options: Readonly<Record<string, unknown>> }

/** Where the agent is a member of the world. */
export interface JoinSettings {
  readonly server: string
  readonly channel: string
  readonly name: string
  /** Milliseconds between two edits. */
  readonly editEvery: number
  readonly answerBots: boolean
}

/** An agent channel. Milliseconds and bytes; Infinity: any. */
export interface ChannelSettings {
  /** Where the config has it: routes of one name are doors to the same channel. */
  readonly name: string
  /** Null: none. */
  readonly token: string | null
  readonly requiresToken: boolean
  readonly issuePath: string | null
  readonly issueSecret: string | null
  readonly tokenTtlS: number
  /** Null: all. */
  readonly allowFrom: ReadonlySet<string> | null
  readonly streaming: boolean
  readonly pingTimeout: number
  readonly multiChat: boolean
  readonly turnEvents: boolean
  readonly progress: boolean
  readonly reasoning: boolean
  readonly commands: boolean
  readonly agentTimeout: number
  readonly idleTimeout: number
  readonly maxConcurrentTurns: number
  readonly maxQueuedPerChat: number
  readonly maxHistoryMessages: number
  readonly maxHistoryChars: number
  readonly maxReplyBytes: number
  readonly maxChatsPerClient: number
  readonly resumeFor: number
  readonly resumeChats: number
  readonly resumeBytes: number
  readonly agent: AgentSettings
  readonly join: JoinSettings | null
}

/** One door of a channel, or what stands beside it. */
export interface ChannelRoute {
  /** nothing: whatever else is asked of a listener of its own. */
  readonly part: 'socket' | 'tokens' | 'nothing'
  readonly settings: ChannelSettings
}
