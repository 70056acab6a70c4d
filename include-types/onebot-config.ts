/**
 * Public types of what a config says of OneBot, by NapCat's names and go-cqhttp's. Types only.
 */

/** Calls beyond this wait, they are not refused. */
export interface OneBotRateLimit {
  /** Default false. */
  enabled?: boolean
  /** Calls a second; default 1. */
  frequency?: number
  /** Calls at once; default 1. */
  bucket?: number
}

/** Events that are kept for who is away, and told later in their order. */
export interface OneBotReplayConfig {
  /** The oldest are lost first; default 10000. */
  events?: number
  /** Bytes of all of them; default '16M'. */
  bytes?: number | string
  /** Milliseconds that one is kept; default 600000. */
  age?: number
}

/** What all entries of a `network` have. */
interface OneBotEntry {
  /** Each has one of its own. */
  name?: string
  /** Default false. */
  enable?: boolean
  /** Frames are logged, messages come with `raw`; default false. */
  debug?: boolean
  /** 'string': CQ text; anything else: segments. Default 'array'. */
  messagePostFormat?: string
  /** Default false. */
  reportSelfMessage?: boolean
  /** Default: `onebot.bot`. */
  bot?: string
  /** As go-cqhttp has it. */
  filter?: Record<string, unknown>
  rateLimit?: OneBotRateLimit
  /** Default 'relay'. */
  unknownSegment?: 'relay' | 'drop' | 'error'
}

/** What entries have that listen. */
interface OneBotListening extends OneBotEntry {
  /** Default 127.0.0.1. */
  host?: string
  /** Default 3001 for WebSockets, 3000 for HTTP; 0 is any free port. */
  port?: number
  /** A credential that each client needs. */
  token?: string
  /** Where `token` is empty: one is made, and kept in the data folder. */
  generateToken?: boolean
  /** An open door to the network is meant; default false. */
  allowUnauthenticated?: boolean
  origins?: string[]
}

export interface OneBotWebSocketServer extends OneBotListening {
  /** Milliseconds; 0: none. Default 30000. */
  heartInterval?: number
  /** false: who reads too slowly misses events. Default true. */
  enableForcePushEvent?: boolean
  /** Default 'frame'. */
  wsAuthFailure?: 'frame' | 'http'
}

export interface OneBotWebSocketClient extends OneBotEntry {
  /** Default ws://localhost:8082. */
  url?: string
  /** Sent as a credential. */
  token?: string
  /** Default true. */
  verifyCertificate?: boolean
  /** Milliseconds; 0: none. Default 30000. */
  heartInterval?: number
  /** Milliseconds, and up to a fifth more; default 5000. */
  reconnectInterval?: number
  /** Waits grow up to this. Milliseconds. */
  reconnectMax?: number
  /** Default 'Universal'. */
  role?: 'Universal' | 'API' | 'Event'
  /** Default 'Bearer'. */
  authScheme?: 'Bearer' | 'Token'
  /** Milliseconds; default 2000. */
  handshakeTimeout?: number
  /** Milliseconds; 0: none. Default 30000. */
  pingInterval?: number
  /** Milliseconds of silence behind a ping; default 15000. */
  pingTimeout?: number
  /** Default: events that happen while there is no connection are lost. */
  replay?: OneBotReplayConfig
}

export interface OneBotHttpServer extends OneBotListening {
  /** Default true. */
  enableCors?: boolean
  /** WebSockets on the same port; default false. */
  enableWebsocket?: boolean
}

export interface OneBotHttpSseServer extends OneBotHttpServer {
  /** Milliseconds; default 0: none. */
  heartInterval?: number
  /** For who comes with Last-Event-ID. Default: nothing is kept. */
  replay?: OneBotReplayConfig
}

export interface OneBotHttpClient extends OneBotEntry {
  /** Default http://localhost:8080. */
  url?: string
  /** Signs bodies. */
  token?: string
  /** Sent as `Authorization: Bearer …`. */
  accessToken?: string
  /** Default true. */
  verifyCertificate?: boolean
  /** Milliseconds; 0: any. Default 5000. */
  timeout?: number
  /** Default 0. */
  maxRetries?: number
  /** Milliseconds; default 1500. */
  retriesInterval?: number
  /** Events that wait; default 2000. */
  maxQueue?: number
  /** Milliseconds; default 0: none. */
  heartInterval?: number
  /** In place of `maxRetries` and `maxQueue`: it is tried again, also behind 5xx. */
  replay?: OneBotReplayConfig
}

/** NapCat's own block. */
export interface OneBotNetwork {
  websocketServers?: OneBotWebSocketServer[]
  websocketClients?: OneBotWebSocketClient[]
  httpServers?: OneBotHttpServer[]
  httpSseServers?: OneBotHttpSseServer[]
  httpClients?: OneBotHttpClient[]
}

interface CqMiddlewares {
  'access-token'?: string
  /** A file. */
  'filter'?: string
  'rate-limit'?: OneBotRateLimit
}

interface CqListening {
  /** host:port */
  address?: string
  host?: string
  port?: number
  /** As if it were not there; default false. */
  disabled?: boolean
  allowUnauthenticated?: boolean
  middlewares?: CqMiddlewares
}

/** go-cqhttp's own: each has one of these. */
export interface CqServer {
  'http'?: CqListening & {
    /** Seconds, 5 at least. */
    timeout?: number
    post?: { 'url': string; 'secret'?: string; 'max-retries'?: number; 'retries-interval'?: number }[] | null
  }
  'ws'?: CqListening
  'ws-reverse'?: {
    'universal'?: string
    'api'?: string
    'event'?: string
    'reconnect-interval'?: number
    /** As if it were not there; default false. */
    'disabled'?: boolean
    'middlewares'?: CqMiddlewares
  }
}

export interface OneBotBotConfig {
  /** Its number, where it is made. */
  selfId?: number
  /** Servers that it is in, by names or ids. */
  join?: string[]
}

/** Images, records, videos and files that bots send. */
export interface OneBotMediaConfig {
  /** Folders whose files clients may send, relative to the config file. */
  folders?: string[]
  /** Addresses and networks that may be fetched from though they are not of the internet. */
  allow?: string[]
  /** Bytes of one; default '100M'. */
  maxFile?: number | string
  /** Milliseconds to fetch one; default 30000. */
  timeout?: number
  /** Bytes of all that one bot has sent; default '10G'. */
  quota?: number | string
}

/** A program that speaks: text on its standard input, a record on its standard output. */
export interface OneBotTtsConfig {
  /** With its arguments; no shell looks at them. */
  command: string[]
  /** Milliseconds for one text; default 10000. */
  timeout?: number
  /** Characters of one; default 1000. */
  maxText?: number
  /** Bytes of a record; default '10M'. */
  maxBytes?: number | string
}

export interface OneBotConfig {
  /** The bot of endpoints that name none; default 'onebot'. */
  bot?: string
  selfId?: number
  join?: string[]
  bots?: Record<string, OneBotBotConfig>
  network?: OneBotNetwork
  servers?: CqServer[]
  /** Seconds; −1: none. Default 5. */
  heartbeat?: { interval?: number; disabled?: boolean }
  message?: {
    'post-format'?: 'string' | 'array'
    'report-self-message'?: boolean
    'ignore-invalid-cqcode'?: boolean
    /** Replies have `seq`, `qq`, `time` and `text` of what they answer; default false. */
    'extra-reply-data'?: boolean
    /** Whom a reply answers is not called right behind it; default false. */
    'remove-reply-at'?: boolean
    /** Seconds for a file that is fetched; 0: `media.timeout`. Default 0. */
    'http-timeout'?: number
    /** As `imageDownloadProxy`. */
    'proxy-rewrite'?: string
  }
  media?: OneBotMediaConfig
  /** Makes records of `tts` segments. Default: they are told as text. */
  tts?: OneBotTtsConfig
  /** An HTTP proxy that media are fetched through; '' for none. */
  imageDownloadProxy?: string
  /** `get_image` and such answer with `base64`, too; default false. */
  enableLocalFile2Url?: boolean
  /** `forward` segments of events have what is in them; default false. */
  parseMultMsg?: boolean
  /** Private messages are for friends only; default false. */
  strictFriends?: boolean
  /** What links to files begin with. */
  publicUrl?: string
  /** A module that makes platforms in place of the world. */
  platform?: string
  platformOptions?: Record<string, unknown>
}

/** What a route with `handler: 'onebot'` has. */
export interface OneBotMount extends Omit<OneBotEntry, 'enable' | 'bot'> {
  heartInterval?: number
  enableForcePushEvent?: boolean
  wsAuthFailure?: 'frame' | 'http'
  enableCors?: boolean
  generateToken?: boolean
  allowUnauthenticated?: boolean
  /** Default true, as the two below. */
  webSockets?: boolean
  http?: boolean
  sse?: boolean
  /** For who comes to `/_events` with Last-Event-ID. */
  replay?: OneBotReplayConfig
}
