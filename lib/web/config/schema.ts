import { channel, channels } from './channel.ts'
import { gateway } from './gateway.ts'
import { mounted, network, onebot } from './onebot.ts'
import { count, flag, headers, MEASURE, type SchemaNode, size, text, textOr, texts, time } from './fields.ts'

/**
 * What a config file may hold: a JSON Schema (draft 2020-12) with two words of our own. It checks, it is what editors are
 * given, and the reference in docs/config.md is made of it.
 */

/** What a route may set for itself; without it the host's hold. */
const routeLimits = {
  type: 'object',
  description: "In place of the host's, for this route.",
  properties: {
    body: { type: MEASURE, reads: 'size', description: 'As `web.limits.body`.' },
    maxMessage: { type: MEASURE, reads: 'size', description: 'As `web.limits.maxMessage`.' },
    maxFrame: { type: MEASURE, reads: 'size', description: 'As `web.limits.maxFrame`.' },
    maxBackpressure: {
      type: MEASURE,
      reads: 'size',
      description: 'As `web.limits.maxBackpressure`, for sends; publishes are held to the highest of all routes.',
    },
  },
} as const

export const route = {
  type: 'object',
  properties: {
    match: textOr('', "'' is every path, 'x/' what begins so, anything else exactly itself."),
    exact: flag(false, "Only the path itself, also where `match` ends in '/'."),
    handler: {
      enum: ['file', 'action', 'observe', 'gateway', 'agent', 'onebot'],
      default: 'file',
      description:
        'What stands behind the route. observe: what `observe.listen` has, below the route. gateway: the socket of the Together gateway, with its HTTP API beside it. agent: the agent channel. onebot: a bot for clients of OneBot 11.',
    },
    methods: texts(
      'Others are answered with 405. Default: GET and HEAD, for actions POST too. GET brings HEAD along.',
      'method',
    ),
    redirect: text('Every request is sent there with 302.'),
    trim: text('Taken off the front of the path before the handler sees it.'),
    headers: headers('Added to each answer of the route, over those of `web.headers`.'),
    limits: routeLimits,
    token: {
      type: 'string',
      reads: 'token',
      secret: true,
      description: 'A credential that each request needs: `Authorization: Bearer …`, or `?token=…`. Else 401.',
    },
    role: text("Asked of the program's authorise hook; without a hook only 'public' passes. Else 403."),
    origins: texts(
      "Origins, beside the host's own, from which pages may open a WebSocket; '*' for any. With a `token` and without this: any.",
      'origin',
    ),
    backpressure: {
      enum: ['close', 'drop-new', 'pause'],
      default: 'close',
      description:
        'What becomes of a WebSocket that reads too slowly. close: what is published beyond `maxBackpressure` ends it with 1013. drop-new: it misses that. pause: as close, and nothing is read from it while half of `maxBackpressure` waits for it; node engine.',
    },
    module: {
      type: 'string',
      reads: 'module',
      description: 'action: a module whose default export is the action, relative to the config file.',
    },
    partial: flag(false, 'action: deliver messages in parts.'),
    channel: {
      ...channel,
      description:
        'agent: what this route has in place of `channels.websocket`; `path`, `host`, `port` and TLS are those of the route.',
    },
    bot: text('onebot: which bot, in place of `onebot.bot`.'),
    onebot: mounted,
    documents: text('file: the folder, in place of `web.documents`.'),
    compressed: flag(false, 'file: serve `name.br` or `name.gz` beside `name` to those who accept it.'),
    cache: {
      type: 'object',
      description: 'file: Cache-Control. Without it the header is not sent.',
      properties: {
        maxAge: { type: MEASURE, reads: 'time', description: '`max-age`.' },
        directives: text('What goes before it, such as `public`.'),
        extensions: texts('Only for these, without dot. Default: all files.'),
      },
    },
  },
} as const

export const redirect = {
  type: 'object',
  required: ['to'],
  properties: {
    from: {
      type: 'string',
      reads: 'url',
      description:
        'A URL, or part of one: what it names must be that of the request, the path exactly, the host as the request or `web.name` has it. Without it: every request.',
    },
    to: {
      type: 'string',
      reads: 'url',
      description:
        'A URL, or part of one: what it leaves out is that of the request; its query and hash only where it names no path.',
    },
    status: { enum: [301, 302, 303, 307, 308], default: 301, description: 'Of the answer.' },
  },
} as const

export const limits = {
  header: size('10K', 'Header block of a request: 431.'),
  body: size('100K', 'Body of a request: 413.'),
  connections: count(10_000, 'Connections per listener: 503, and far above it they are closed at once.'),
  addressConnections: count(
    'unlimited',
    'WebSockets that one address may have open: 429. An IPv6 address counts by its /64.',
  ),
  addressRate: count(
    'unlimited',
    'Requests a second from one address, ten seconds of them at once: 429 with Retry-After.',
  ),
  requests: count(1000, 'Requests on one connection, then it is closed.'),
  maxMessage: size('100K', 'Longest message: received Close 1009, sent -40.'),
  maxFrame: size('100K', 'Longest frame that is sent, and longest part in partial mode.'),
  maxBackpressure: size('1M', 'Sends are refused with -41 while more than this waits for the peer.'),
  maxQueue: size(0, 'What may wait for a callback. Never without limit: 0 is twice `maxMessage`, 1M at least.'),
  maxBuffered: size(
    '512M',
    'What may wait for all peers and callbacks together: whoever has most waiting is closed with 1013.',
  ),
  drainRate: count(
    2000,
    'WebSockets a second that are told to leave when the host stops, or a reload takes their route away.',
  ),
} as const

export const timeouts = {
  parse: time('5secs', 'For the header block of a request: 408.'),
  request: time('5mins', 'For a whole request: 408.'),
  inactivity: time('5mins', 'Without traffic on a WebSocket: Close 1001.'),
  drain: time('10secs', 'For peers to say goodbye when the host stops.'),
} as const

export const webSockets = {
  enable: flag(true, 'Whether WebSockets are taken at all; where not, an upgrade is answered with 501.'),
  protocol: {
    type: ['string', 'array', 'null'],
    items: { type: 'string' },
    default: 'chat',
    description: 'Sub-protocols to choose from; null takes the first that is offered.',
  },
  ping: time('never', 'How often a ping is sent.'),
  validateUTF: flag(true, 'Whether text is checked. The uws engine always does.'),
  compression: {
    enum: [false, true, 'takeover'],
    default: false,
    description: "permessage-deflate for text of 1 KB and more; with 'takeover' with a view to earlier messages.",
  },
} as const

export const web = {
  engine: { enum: ['auto', 'uws', 'node'], default: 'auto', description: "'auto' is uws where it can be loaded." },
  listen: {
    type: ['string', 'array'],
    items: { type: 'string', reads: 'endpoint' },
    reads: 'endpoint',
    default: 'http://127.0.0.1:8080',
    description: '`[http://|https://][host][:port]`. No host is all addresses, port 0 any free port.',
  },
  workers: {
    type: ['number', 'string'],
    reads: 'workers',
    default: 1,
    description: "Processes that serve the listeners together; 'auto' is one for each core. For the command.",
  },
  name: text("The host's own name, for redirects."),
  hosts: texts(
    "Names by which requests may call the host, '*.example.com' for all below it; else 421. Default: any.",
    'host',
  ),
  trustedProxies: texts(
    'Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.',
    'network',
  ),
  documents: textOr('site', 'The folder that file routes serve, relative to the config file.'),
  index: textOr('index.html', "What a path that ends in '/' serves."),
  headers: headers('Added to each answer, also to 101 and to errors.'),
  mime: {
    type: 'object',
    additionalProperties: { type: 'string', reads: 'header' },
    description: "Media types by extension with its dot: `{ '.log': 'text/plain' }`.",
  },
  limits: {
    type: 'object',
    properties: limits,
    description: "Sizes are in bytes, or with k, m, g; 'unlimited' or 0 is none.",
  },
  timeouts: {
    type: 'object',
    properties: timeouts,
    description: "Times are in seconds, or with ms, secs, mins …; 'never' or 0 is none.",
  },
  webSockets: { type: 'object', properties: webSockets, description: 'What connections have in common.' },
  redirect: { type: 'array', items: redirect, description: 'Looked at before the routes, first match.' },
  routes: { type: 'array', items: route, description: 'First match wins. Default: one file route for everything.' },
} as const

/** Certificates of clients. */
export const verify = {
  type: 'object',
  description: 'Certificates of clients. Node engine.',
  properties: {
    client: flag(false, 'A client must have one.'),
    issuer: flag(true, 'It must be signed by `authority`.'),
  },
} as const

/** What the host tells of itself. */
export const observe = {
  type: 'object',
  description: 'What the host tells of itself.',
  properties: {
    log: {
      enum: ['text', 'json'],
      default: 'text',
      description:
        'Form of the log, which is that of the whole process: lines for people, or, once a host has said json, a JSON object a line on stdout, with its time.',
    },
    connections: {
      type: 'boolean',
      description:
        'A line when a WebSocket opens, and one when it ends: who ended it, why, what it carried. Default: with `json`.',
    },
    listen: {
      type: 'string',
      reads: 'endpoint',
      description: 'Where /metrics, /healthz, /readyz and /debug/closes are, such as 127.0.0.1:9464. Default: nowhere.',
    },
    token: {
      type: 'string',
      reads: 'token',
      secret: true,
      description:
        'A credential that /metrics and /debug/closes need at `listen`, which has to be a loopback address without it, and routes with `handler: observe` that have neither `token` nor `role` for all.',
    },
  },
} as const

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'fiberws config',
  type: 'object',
  properties: {
    $schema: text('For editors: where this schema is.'),
    web: { type: 'object', properties: web, description: 'Listeners, routes and what they have in common.' },
    observe,
    dataDir: textOr('data', 'The folder of the world: accounts, messages, keys. Relative to the config file.'),
    synchronous: {
      enum: ['full', 'normal'],
      default: 'full',
      description:
        "'full': what was answered is on the disk, also when power is lost. 'normal' is faster, and may then lose the last seconds.",
    },
    gateway,
    channels,
    network,
    // As NapCat's file has them beside `network`.
    imageDownloadProxy: onebot.properties.imageDownloadProxy,
    enableLocalFile2Url: onebot.properties.enableLocalFile2Url,
    parseMultMsg: onebot.properties.parseMultMsg,
    onebot,
    tls: {
      type: 'object',
      required: ['certificate', 'key'],
      description: 'For all listeners that are https.',
      properties: {
        certificate: {
          type: 'string',
          reads: 'certificate',
          description: 'PEM file with the chain, relative to the config file.',
        },
        key: { type: 'string', reads: 'key', description: 'PEM file.' },
        authority: {
          type: 'string',
          reads: 'certificate',
          description: 'PEM file: whose client certificates are good. Node engine.',
        },
        ciphers: texts('OpenSSL names, the best first.'),
        verify,
      },
    },
  },
} as const satisfies SchemaNode & Record<string, unknown>
