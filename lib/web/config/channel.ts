import { flag, MEASURE, range, span, texts, whole } from './fields.ts'

/*
 * The agent channel, by the names that nanobot's documentation has for it (docs/WEBSOCKET.md, `channels.websocket`). What that
 * does not have is ours, and does nothing unless it is asked for.
 */

const secret = (description: string) => ({ type: 'string', default: '', secret: true, description }) as const

/** What answers: a name, or options with `type`. */
const agent = {
  type: 'object',
  short: 'type',
  description: "What answers; 'echo' is short for `{ type: 'echo' }`. Default: that.",
  required: ['type'],
  properties: {
    type: {
      enum: ['echo', 'openai', 'module'],
      description:
        'echo: what it was told. openai: a model behind a server with the chat completions of OpenAI. module: an agent of your own.',
    },
    prefix: { type: 'string', default: '', description: 'echo: in front of each answer.' },
    delayMs: range(0, 60_000, 0, 'echo: milliseconds between two words.'),
    baseUrl: {
      type: 'string',
      reads: 'http',
      default: 'https://api.openai.com/v1',
      description: 'openai: the server, without /chat/completions.',
    },
    apiKey: {
      type: 'string',
      default: '',
      secret: true,
      description: "openai: '${OPENAI_API_KEY}' takes it from there.",
    },
    model: { type: 'string', default: '', description: 'openai: needed unless the server has one of its own.' },
    systemPrompt: { type: 'string', default: '', description: 'openai: what the model is told first.' },
    temperature: { type: 'number', description: "openai: default, that of the server's." },
    maxTokens: {
      type: 'integer',
      minimum: 1,
      description: "openai: length of an answer; default, that of the server's.",
    },
    maxTokensField: {
      enum: ['max_tokens', 'max_completion_tokens'],
      default: 'max_tokens',
      description: 'openai: how the server calls that.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string', reads: 'header', secret: true },
      description: 'openai: sent with each request.',
    },
    extraBody: {
      type: 'object',
      additionalProperties: {},
      secret: true,
      description: 'openai: added to each request.',
    },
    includeUsage: flag(true, 'openai: ask for the number of tokens; some servers refuse that.'),
    stripThink: flag(true, 'openai: leave out what stands between `<think>` and `</think>`.'),
    retries: range(0, 10, 2, 'openai: further tries, while nothing has been sent to the client.'),
    sessionMode: {
      enum: ['local', 'server'],
      default: 'local',
      description:
        "openai: who keeps what was said before. server: it is sent what is new, with the chat's id as `session_id`, as `nanobot serve` wants it.",
    },
    path: { type: 'string', reads: 'module', description: 'module: the file, relative to the config file.' },
    options: { type: 'object', additionalProperties: {}, secret: true, description: 'module: handed to its factory.' },
    join: {
      type: 'string',
      reads: 'place',
      description:
        "'server/channel': the agent is also a member of the world there, answers who mentions it, and streams by editing its message.",
    },
    name: { type: 'string', default: 'agent', description: 'join: what it is called there.' },
    editMs: range(100, 60_000, 500, 'join: milliseconds between two edits of a message at least.'),
    answerBots: flag(false, 'join: whether it answers other bots, too.'),
  },
} as const

export const channel = {
  type: 'object',
  lenient: true,
  description:
    "nanobot's WebSocket channel: clients talk to an agent. Keys may also be written as token_ttl_s; where both are there, tokenTtlS counts.",
  properties: {
    enabled: flag(false, 'Whether it is served, on a listener of its own.'),
    host: {
      type: 'string',
      default: '127.0.0.1',
      reads: 'address',
      description: 'Where it listens; 0.0.0.0 is all addresses.',
    },
    port: range(0, 65_535, 8765, '0 is any free port. `FIBERWS_CHANNEL_PORT` says it, too.'),
    path: {
      type: 'string',
      default: '/',
      reads: 'path',
      description: 'Of the WebSocket; slashes at its end do not count.',
    },
    token: secret('A credential for all clients: `?token=…`. Tokens that were issued are good as well.'),
    websocketRequiresToken: flag(true, 'Whether a client needs a token where `token` is empty.'),
    tokenIssuePath: {
      type: 'string',
      default: '',
      reads: 'issuePath',
      description: 'GET there gives a token for one connection. Empty: none are given.',
    },
    tokenIssueSecret: secret(
      'What that needs: `Authorization: Bearer …` or `X-Nanobot-Auth: …`. Empty: anybody gets a token.',
    ),
    tokenTtlS: range(30, 86_400, 300, 'Seconds for which such a token is good.'),
    allowFrom: {
      ...texts("Values of `client_id` that are let in, '*' for all. No credential: clients choose it themselves."),
      default: ['*'],
    },
    streaming: flag(true, '`delta` and `stream_end`, or one `message`.'),
    maxMessageBytes: range(1024, 16_777_216, 1_048_576, 'Longest message of a client: Close 1009.'),
    pingIntervalS: span(5, 300, 20, 'Seconds between two pings.'),
    pingTimeoutS: span(5, 300, 20, 'Seconds for a pong: Close 1011.'),
    sslCertfile: { type: 'string', default: '', description: 'PEM file with the chain; with `sslKeyfile`: wss.' },
    sslKeyfile: { type: 'string', default: '', description: 'PEM file.' },
    origins: texts(
      "Origins, beside its own, of pages that may connect; '*' for any. Default: any where a token is needed, else none.",
      'origin',
    ),
    allowedOrigins: texts('The same as `origins`.', 'origin'),
    multiChat: flag(false, 'Several chats on one connection: `new_chat`, `attach`, `message` with `chat_id`.'),
    turnEvents: flag(false, '`turn_end` behind each answer.'),
    progress: flag(false, 'What the agent says about its progress, as `message` with `kind`.'),
    reasoning: flag(false, 'What a model thinks: `reasoning_delta`, `reasoning_end`.'),
    commands: flag(false, '`/stop` and `/new`.'),
    agent,
    agentTimeoutS: span(0, 3600, 300, 'Seconds for an answer; 0 is any number.'),
    idleTimeoutS: span(1, 3600, 90, 'Seconds for the next piece of it.'),
    connectTimeoutS: span(1, 120, 10, 'openai: seconds to reach the server.'),
    maxConcurrentTurns: whole(32, 'Answers at the same time, the others wait; 0 is any number.'),
    maxQueuedPerChat: range(
      1,
      1000,
      20,
      'Messages of a chat that wait for their turn: more are dropped, and that is said.',
    ),
    maxHistoryMessages: whole(40, 'Messages of a chat that the agent is reminded of; 0 is none.'),
    maxHistoryChars: { type: 'integer', minimum: 1000, default: 60_000, description: 'Their length together.' },
    maxReplyBytes: {
      type: MEASURE,
      reads: 'size',
      default: '4M',
      description: 'Longest answer: what is longer ends as an error.',
    },
    maxChatsPerClient: range(1, 10_000, 100, 'multiChat: chats of one connection.'),
    resumeS: span(
      0,
      86_400,
      60,
      'Seconds for which a chat waits for its client, where that asked for it: `?resume=1`.',
    ),
    resumeChats: range(0, 1_000_000, 10_000, 'Chats that wait so; the oldest go first.'),
    resumeBytes: {
      type: MEASURE,
      reads: 'size',
      default: '64M',
      description: 'What is kept to be sent again, for all chats together.',
    },
  },
} as const

export const channels = {
  type: 'object',
  description: "As in nanobot's own config; of its channels this one is served.",
  properties: { websocket: channel },
} as const
