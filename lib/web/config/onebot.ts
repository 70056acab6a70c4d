import { heartbeat, message, server } from './cqhttp.ts'
import { flag, range, size, texts } from './fields.ts'
import { allowUnauthenticated, filter, ms, rateLimit, replay, secret, text } from './onebot-fields.ts'

/*
 * OneBot 11: bots by the names that NapCat (`network`) and go-cqhttp (`servers`) have for what they serve. What those do not
 * have is ours.
 */

/** What all entries have. */
const common = {
  enable: flag(false, 'Whether it is there at all.'),
  debug: flag(false, 'Frames are logged, without tokens; messages come with `raw`, as the world has them.'),
  messagePostFormat: text('array', "'string': messages as CQ text; anything else: as segments."),
  reportSelfMessage: flag(false, 'Whether what the bot says itself is told, too.'),
  bot: { type: 'string', description: 'Which bot it is for. Default: `onebot.bot`.' },
  filter,
  rateLimit,
  unknownSegment: {
    enum: ['relay', 'drop', 'error'],
    default: 'relay',
    description: 'What becomes of segments of types that nobody knows.',
  },
} as const

const serving = {
  host: {
    type: 'string',
    reads: 'address',
    default: '127.0.0.1',
    description: 'Where it listens; 0.0.0.0 is all addresses.',
  },
  token: secret('A credential that each client needs. Empty: none is needed, which this machine alone can reach.'),
  generateToken: flag(
    false,
    'Where `token` is empty: one is made at the first start, kept in the data folder, and printed.',
  ),
  allowUnauthenticated,
  origins: texts("Origins of pages that may use it, '*' for any. Default: its own; with a token any.", 'origin'),
} as const

const heartInterval = range(-1, 2_147_483_647, 30_000, 'Milliseconds between two heartbeats; 0 or -1: none.')
const enableCors = flag(true, 'Pages may read answers, where there is a token.')

/** `network.websocketServers[]` */
const websocketServer = {
  type: 'object',
  properties: {
    name: text('websocket-server', 'Of all entries, each has one of its own.'),
    ...common,
    ...serving,
    port: range(0, 65_535, 3001, '0 is any free port. `FIBERWS_ONEBOT_PORT` says that of the first.'),
    heartInterval,
    enableForcePushEvent: flag(true, 'false: a client that reads too slowly misses events, where it would be closed.'),
    wsAuthFailure: {
      enum: ['frame', 'http'],
      default: 'frame',
      description: 'A wrong token is told in a frame with retcode 1403, as NapCat does; or with 401 and 403.',
    },
  },
} as const

const dialing = {
  token: { ...secret('Sent as a credential.'), reads: 'credential' },
  verifyCertificate: flag(true, 'false: a certificate that does not check out will do.'),
} as const

/** `network.websocketClients[]` */
const websocketClient = {
  type: 'object',
  properties: {
    name: text('websocket-client', 'Of all entries, each has one of its own.'),
    ...common,
    ...dialing,
    url: {
      type: 'string',
      reads: 'ws',
      secret: true,
      default: 'ws://localhost:8082',
      description: "The client's server.",
    },
    heartInterval,
    reconnectInterval: ms(5000, 'Milliseconds to the next attempt, and up to a fifth more. They do not grow.'),
    reconnectMax: {
      type: 'integer',
      minimum: 1,
      maximum: 2_147_483_647,
      description: 'They do, up to so many milliseconds.',
    },
    role: {
      enum: ['Universal', 'API', 'Event'],
      default: 'Universal',
      description: 'API: it is asked only. Event: it is told only.',
    },
    authScheme: { enum: ['Bearer', 'Token'], default: 'Bearer', description: 'What is in front of the token.' },
    handshakeTimeout: ms(2000, 'Milliseconds to connect.'),
    pingInterval: ms(30_000, 'Milliseconds between two pings; 0: none.'),
    pingTimeout: ms(15_000, 'Milliseconds of silence behind one: then it is lost.'),
    replay,
  },
} as const

/** `network.httpServers[]` */
const httpServer = {
  type: 'object',
  properties: {
    name: text('http-server', 'Of all entries, each has one of its own.'),
    ...common,
    ...serving,
    port: range(0, 65_535, 3000, '0 is any free port.'),
    enableCors,
    enableWebsocket: flag(false, 'WebSockets on the same port.'),
  },
} as const

/** `network.httpSseServers[]` */
const httpSseServer = {
  type: 'object',
  properties: {
    ...httpServer.properties,
    name: text('http-sse-server', 'Of all entries, each has one of its own.'),
    heartInterval: range(-1, 2_147_483_647, 0, 'Milliseconds between two heartbeats on `/_events`; 0 or -1: none.'),
    replay,
  },
} as const

/** `network.httpClients[]` */
const httpClient = {
  type: 'object',
  properties: {
    name: text('http-client', 'Of all entries, each has one of its own.'),
    ...common,
    url: {
      type: 'string',
      reads: 'http',
      secret: true,
      default: 'http://localhost:8080',
      description: 'Where events are posted to.',
    },
    token: secret('Signs bodies: `X-Signature: sha1=…`.'),
    accessToken: { ...secret('Sent as `Authorization: Bearer …`.'), reads: 'credential' },
    verifyCertificate: dialing.verifyCertificate,
    timeout: ms(5000, 'Milliseconds for an answer; 0: any.'),
    maxRetries: range(0, 1000, 0, 'Further tries where there was no answer at all.'),
    retriesInterval: ms(1500, 'Milliseconds between them.'),
    maxQueue: range(1, 1_000_000, 2000, 'Events that wait: the oldest are lost first.'),
    heartInterval: range(-1, 2_147_483_647, 0, 'Milliseconds between two heartbeats; 0 or -1: none.'),
    replay,
  },
} as const

const listOf = <const S>(items: S, description: string) => ({ type: 'array', items, description }) as const

export const network = {
  type: 'object',
  description: "NapCat's own block: the same as `onebot.network`.",
  properties: {
    websocketServers: listOf(websocketServer, 'Clients connect to the bot.'),
    websocketClients: listOf(websocketClient, 'The bot connects to its client.'),
    httpServers: listOf(httpServer, 'Actions by HTTP.'),
    httpSseServers: listOf(httpSseServer, 'Actions by HTTP, and events as a stream at `/_events`.'),
    httpClients: listOf(httpClient, 'Events are posted.'),
  },
} as const

/** What bots send beside text. */
const media = {
  type: 'object',
  description: 'Images, records, videos and files that bots send.',
  properties: {
    folders: texts('Folders whose files clients may send by `file://` or a path, relative to the config file.'),
    allow: texts(
      'Addresses and networks that may be fetched from though they are not of the internet, such as 10.0.0.0/8.',
      'network',
    ),
    maxFile: size('100M', 'One of them.'),
    timeout: ms(30_000, 'Milliseconds to fetch one.'),
    quota: size('10G', 'All that one bot has sent.'),
  },
} as const

/** What speaks. */
const tts = {
  type: 'object',
  description:
    'A program that makes records of `tts` segments: it has the text on its standard input. Default: they are told as text.',
  required: ['command'],
  properties: {
    command: {
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      description:
        "A program and its arguments, such as ['espeak-ng', '--stdout']. No shell looks at them; a path counts from the folder of the config.",
    },
    timeout: ms(10_000, 'Milliseconds for one text.'),
    maxText: range(1, 1_000_000, 1000, 'Characters of one; a longer one is told as text.'),
    maxBytes: size('10M', 'A record.'),
  },
} as const

/** A bot. */
const bot = {
  type: 'object',
  properties: {
    selfId: range(1, 9_007_199_254_740_991, 1, 'Its number, where it is made. Default: the next from 10001.'),
    join: texts('Servers that it is a member of, by names or ids. It can be invited into others.'),
  },
} as const

export const onebot = {
  type: 'object',
  description: 'OneBot 11: bots of the world, and ways to them.',
  properties: {
    bot: text('onebot', 'The bot that endpoints are for which name none. It is made where there is none.'),
    selfId: {
      type: 'integer',
      minimum: 1,
      maximum: 9_007_199_254_740_991,
      description: 'As `bots.NAME.selfId`, of that.',
    },
    join: texts('As `bots.NAME.join`, of that.'),
    bots: { type: 'object', additionalProperties: bot, description: 'More about bots, by their names.' },
    network,
    servers: { type: 'array', items: server, description: "go-cqhttp's own list." },
    heartbeat,
    message,
    media,
    tts,
    imageDownloadProxy: {
      type: 'string',
      reads: 'httpOrNone',
      secret: true,
      default: '',
      description: 'As in NapCat: an HTTP proxy that media are fetched through. Empty: none.',
    },
    enableLocalFile2Url: flag(
      false,
      'As in NapCat: `get_image`, `get_record` and `get_file` answer with `base64`, too.',
    ),
    parseMultMsg: flag(false, 'As in NapCat: `forward` segments of events have what is in the bundle as `content`.'),
    strictFriends: flag(false, 'Private messages are for friends only.'),
    publicUrl: {
      type: 'string',
      reads: 'http',
      description: 'What links to files begin with. Default: where `web` listens.',
    },
    platform: {
      type: 'string',
      reads: 'module',
      description: 'A module that makes platforms in place of the world, relative to the config file.',
    },
    platformOptions: {
      type: 'object',
      additionalProperties: {},
      secret: true,
      description: 'Handed to it.',
    },
  },
} as const

/** What a route with `handler: 'onebot'` has: WebSockets, actions by HTTP, and `/_events`, all below it. */
export const mounted = {
  type: 'object',
  description: 'onebot: as an entry of `network.websocketServers`; host, port and token are those of the route.',
  properties: {
    name: { type: 'string', description: 'Of all entries, each has one of its own. Default: `match` of the route.' },
    debug: common.debug,
    messagePostFormat: common.messagePostFormat,
    reportSelfMessage: common.reportSelfMessage,
    filter,
    rateLimit,
    unknownSegment: common.unknownSegment,
    heartInterval: {
      ...heartInterval,
      description: 'Milliseconds between two heartbeats; 0 or -1: none. On `/_events` only where it is said.',
    },
    enableForcePushEvent: websocketServer.properties.enableForcePushEvent,
    wsAuthFailure: websocketServer.properties.wsAuthFailure,
    enableCors,
    generateToken: serving.generateToken,
    allowUnauthenticated,
    webSockets: flag(true, 'Whether clients may use WebSockets.'),
    http: flag(true, 'Whether they may use HTTP.'),
    sse: flag(true, 'Whether they may have events as a stream at `/_events`.'),
    replay: { ...replay, description: `${replay.description} For clients of \`/_events\`.` },
  },
} as const
