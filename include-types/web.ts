import type { ChannelConfig } from './agent.ts'
import type { OneBotConfig, OneBotMount, OneBotNetwork } from './onebot-config.ts'
import type { WebSocket, WebSocketTopics } from './websock.ts'

/**
 * Public types of the web layer: hosts, requests, actions, config. Types only.
 */

/** Bytes: a number, or text such as '64K', '1MB', 'unlimited'. */
export type Size = number | string
/** Seconds as a number, or text such as '30 secs', '5mins', '250ms', 'never'. */
export type Time = number | string

/** How many: a number, or 'unlimited'. */
export type Count = number | string

/** What a config file holds. Unknown keys are named in a warning and ignored. */
export interface Config {
  /** For editors: where the schema is. */
  $schema?: string
  web?: WebConfig
  observe?: ObserveConfig
  tls?: TlsConfig
  /** The folder of the world: accounts, messages, keys. Relative to the config file; default 'data'. */
  dataDir?: string
  /** 'full' (default): what was answered is on the disk, also when power is lost; 'normal' is faster. */
  synchronous?: 'full' | 'normal'
  gateway?: GatewayConfig
  /** As in nanobot's own config. */
  channels?: { websocket?: ChannelConfig }
  /** NapCat's own block: the same as `onebot.network`. */
  network?: OneBotNetwork
  /** As NapCat has them beside `network`: the same as in `onebot`. */
  imageDownloadProxy?: string
  enableLocalFile2Url?: boolean
  parseMultMsg?: boolean
  onebot?: OneBotConfig
}

/** The Together gateway: what `handler: 'gateway'` serves. */
export interface GatewayConfig {
  /** In front of the paths of its HTTP API, such as '/api'. Default ''. */
  apiPrefix?: string
  /** Signs access tokens, 32 bytes or more. Default: one that is made, and kept in the data folder. */
  jwtSecret?: string
  /** Seconds for which an access token is good; default 900. */
  accessTtlS?: number
  /** Seconds for which a login lasts without being used; default 604800. */
  refreshTtlS?: number
  /** Seconds without anything from a client after which it is closed; default 300. */
  wsIdleS?: number
  /** Longest message of a client; default 16384. */
  wsMaxFrame?: Size
  /** Messages of one client in `wsRateWindowMs`, 0 for any; default 20 in 1000 ms. */
  wsRate?: number
  wsRateWindowMs?: number
  /** Connections of one user; default 10. */
  wsMaxConnsPerUser?: number
  /** What becomes of a connection when its token ends; default 'close'. */
  wsTokenExpiry?: 'close' | 'keep'
  /** Milliseconds for which who was closed for that reason still counts as present; default 30000. */
  reclaimMs?: number
  /** Seconds for which a client that asks for it (`?resume=1`) can go on where its connection ended; default 300. */
  resumeS?: number
  /** Events that are sent again then: who has missed more begins anew; default 1000. */
  resumeEvents?: number
  /** Events that are kept for it, of all clients; default 16M. */
  resumeBytes?: Size
  /** Who has more waiting than this is closed; default 16M. */
  maxBackpressure?: Size
  /** Of HTTP requests; default 'on'. */
  rateLimits?: 'on' | 'off'
  /** Body of a request; default 64K. */
  httpMaxBody?: Size
  /** A file that is sent with a message; default 8M. */
  maxFile?: Size
  /** Origins from which browsers may use it; default: any. */
  origins?: string[]
  /** The same as `origins`. */
  allowedOrigins?: string[]
  /** What clients set up calls with, beside each other; default: none. */
  iceServers?: IceServerConfig[]
  /** Seconds for which a credential is good that was made with a `secret`; default 43200. */
  iceTtlS?: number
  /** Whether anybody who can reach it may make an account; default true. */
  register?: boolean
  /** A world to try, made where there is none: two people, a bot, a server with two channels. Default false. */
  demo?: boolean
}

/** A STUN or TURN server (RFC 8489, RFC 8656), as `GET /ice-servers` tells clients of it. */
export interface IceServerConfig {
  /** Such as 'stun:example.com:3478', 'turn:example.com?transport=udp'. */
  urls: string[]
  /** The same for all clients, and for good. */
  username?: string
  credential?: string
  /** In place of both: shared with the server (`use-auth-secret` of coturn); each client gets a credential of its own, which ends. */
  secret?: string
}

/** What the host tells of itself. */
export interface ObserveConfig {
  /** Form of the log: lines for people, or a JSON object a line on stdout. Default 'text'. */
  log?: 'text' | 'json'
  /** A line when a WebSocket opens, and one when it ends. Default: with 'json'. */
  connections?: boolean
  /** Where /metrics, /healthz, /readyz and /debug/closes are. Default: nowhere. */
  listen?: string
  /** A credential that /metrics and /debug/closes need. Without it `listen` has to be a loopback address. */
  token?: string
}

export interface TlsConfig {
  /** PEM files, relative to the config file. */
  certificate: string
  key: string
  /** PEM file: whose client certificates are good. Node engine. */
  authority?: string
  /** OpenSSL names, the best first. */
  ciphers?: string[]
  /** Certificates of clients: whether one is needed (default false), and signed by `authority` (default true). Node engine. */
  verify?: { client?: boolean; issuer?: boolean }
}

export interface WebConfig {
  /** Default 'auto': the native engine where it can be loaded, else node. */
  engine?: 'auto' | 'uws' | 'node'
  /** `[http://|https://][host][:port]`. Default 'http://127.0.0.1:8080'; port 0 is any free port. */
  listen?: string | string[]
  /** Processes that serve the listeners together, 'auto' one for each core; for the command. Default 1. */
  workers?: number | string
  /** Names by which requests may call the host, '*.example.com' for all below it; else 421. Default: any. */
  hosts?: string[]
  /** Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  trustedProxies?: string[]
  /** The host's own name, for redirects. Default: what the request calls it. */
  name?: string
  /** Folder that file routes serve, relative to the config file. Default 'site'. */
  documents?: string
  /** What a path ending in '/' serves. Default 'index.html'. */
  index?: string
  /** Added to each answer, also to 101 and to errors. */
  headers?: Record<string, string>
  /** Media types by extension with its dot. */
  mime?: Record<string, string>
  /** Looked at before the routes, first match. */
  redirect?: RedirectConfig[]
  webSockets?: {
    /** Whether WebSockets are taken at all. Default true. */
    enable?: boolean
    /** Sub-protocols to choose from; null takes the first that is offered. Default 'chat'. */
    protocol?: string | string[] | null
    /** How often a ping is sent. Default 'never'. */
    ping?: Time
    /** Check that text is UTF-8. Default true; the uws engine always does. */
    validateUTF?: boolean
    /**
     * Accept permessage-deflate (RFC 7692), and compress text of 1 KB and more that is sent whole. With 'takeover' messages
     * are compressed with a view to earlier ones, which is worth it where they are alike, and memory is kept for each
     * connection: up to 64 KB, on uws some 300 KB. Default false.
     */
    compression?: boolean | 'takeover'
  }
  limits?: {
    /** Header block of a request; default 10K. */
    header?: Size
    /** Body that `webReadBody` accepts; default 100K. */
    body?: Size
    /** Connections per listener; default 10000. */
    connections?: Count
    /** WebSockets that one address may have open: 429. Default: any. */
    addressConnections?: Count
    /** Requests a second from one address, ten seconds of them at once: 429. Default: any. */
    addressRate?: Count
    /** Requests per connection; default 1000. */
    requests?: Count
    /** Longest message in either direction; default 100K. */
    maxMessage?: Size
    /** Longest frame sent, and longest part in partial mode; default 100K. */
    maxFrame?: Size
    /** Sends are refused with -41 while more than this waits; default 1M. */
    maxBackpressure?: Size
    /** What may wait for a callback; default the greater of 1M and twice maxMessage. */
    maxQueue?: Size
    /** What may wait for all peers and callbacks together: the worst is closed with 1013. Default 512M. */
    maxBuffered?: Size
    /** WebSockets a second that are told to leave when the host stops. Default 2000. */
    drainRate?: Count
  }
  timeouts?: {
    /** For the header block of a request; default 5secs. */
    parse?: Time
    /** For a whole request; default 5mins. */
    request?: Time
    /** Without traffic on a WebSocket; default 5mins. */
    inactivity?: Time
    /** For peers to say goodbye when the server stops; default 10secs. */
    drain?: Time
  }
  /** First match wins. Default: one file route for everything. */
  routes?: RouteConfig[]
}

export interface RedirectConfig {
  /** `[scheme://][host][:port][/path][?query]`, or a part of it: what it names must be that of the request. */
  from?: string
  /** The same: what it leaves out is that of the request. */
  to: string
  /** Default 301. */
  status?: 301 | 302 | 303 | 307 | 308
}

export interface RouteConfig {
  /** '' or '/' matches everything, 'x/' everything below, anything else exactly itself. */
  match?: string
  /** Only the path itself, also where `match` ends in '/'. */
  exact?: boolean
  /** Default 'file'. */
  handler?: 'file' | 'action' | 'observe' | 'gateway' | 'agent' | 'onebot'
  /** Others are answered with 405. Default: GET and HEAD, for actions POST too. */
  methods?: string[]
  /** Every request is sent there with 302. */
  redirect?: string
  /** Taken off the front of the path before the handler sees it. */
  trim?: string
  /** Over those of `web.headers`. */
  headers?: Record<string, string>
  /** In place of the host's. */
  limits?: { body?: Size; maxMessage?: Size; maxFrame?: Size; maxBackpressure?: Size }
  /**
   * What becomes of a WebSocket that reads too slowly. close (default): what is published beyond `maxBackpressure` ends it with
   * 1013. drop-new: it misses that. pause: as close, and nothing is read from it while half of `maxBackpressure` waits; node engine.
   */
  backpressure?: 'close' | 'drop-new' | 'pause'
  /** A credential that each request needs: `Authorization: Bearer …`, or `?token=…`; else 401. */
  token?: string
  /** Asked of the hook of `webSetAuthorize`; else 403. */
  role?: string
  /** action: a module whose default export is the action; relative to the config file. */
  module?: string
  /** file: in place of `web.documents`. */
  documents?: string
  /** file: serve `name.br` or `name.gz` beside `name` to those who accept it. Default false. */
  compressed?: boolean
  /** file: Cache-Control, for all files or those with these extensions. */
  cache?: { maxAge?: Time; directives?: string; extensions?: string[] }
  /** action: deliver messages in parts. */
  partial?: boolean
  /** onebot: which bot, in place of `onebot.bot`. */
  bot?: string
  /** onebot: as an entry of `network.websocketServers`. */
  onebot?: OneBotMount
  /** agent: what this route has in place of `channels.websocket`. */
  channel?: ChannelConfig
  /** Origins, beside the host's own, from which browsers may open a WebSocket; '*' for any. */
  origins?: string[]
}

/** A running, or not yet running, server. */
export interface WebHost {
  /** For `webSocketPublish`: all connections of this host. Null until it runs. */
  readonly topics: WebSocketTopics | null
}

/** One request. */
export interface Web<D = unknown> {
  /** The connection, when the request was an upgrade; else null. */
  readonly webSocket: WebSocket<D> | null
  readonly method: string
  /** Decoded and normalised, without the query. */
  readonly path: string
  /** Behind the '?', as sent; '' when there is none. */
  readonly query: string
  /** As sent. */
  readonly url: string
  readonly host: WebHost
  /** The peer's IP address. */
  readonly remote: string
  /** Whether the request was an upgrade to WebSocket. */
  readonly upgrade: boolean
  /** 'HTTP/1.1', or 'HTTP/1.0' */
  readonly protocol: string
  /** Status of its answer, 101 for a WebSocket; 0 before there is one. */
  readonly status: number
}

/** Answers a request, or runs its connection. May be async; what it throws is answered with 500 or Close 1011. */
export type WebAction<D = unknown> = (web: Web<D>) => unknown

/** Whether the sender of a request has a role; asked before handler and upgrade. May be async; what it throws is a 500. */
export type WebAuthorize = (web: Web, role: string) => boolean | Promise<boolean>

/**
 * What a hook is told of, by its number: 1 CONNECT, 2 DISCONNECT, 3 START, 4 RUN, 5 ACTION, 6 NOT_FOUND, 7 ERROR, 8 END.
 */
export type WebHookEvent = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

/**
 * Called at each `WEB_HOOK_…` of a request. In START, RUN, ACTION and NOT_FOUND it may answer the request itself, which
 * ends when it returns; else what it returns counts: nothing or 0 goes on, any other number drops the connection (a WebSocket with Close 1008). It may be
 * async; what it throws there is answered with 500 or Close 1011. The other events only tell.
 */
export type WebHook = (web: Web, event: WebHookEvent) => number | void | Promise<number | void>
