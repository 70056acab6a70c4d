import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import JSON5 from 'json5'
import type { WebSocketDefaults } from '../../../include-types/websock.ts'
import type { Endpoint } from '../../engine/port.ts'
import { type CheckedConfig, isRecord } from './check.ts'
import { parseEndpoint } from './endpoint.ts'
import { mounted, network, onebot } from './onebot.ts'
import type {
  OneBotBot,
  OneBotEndpoint,
  OneBotLink,
  OneBotServer,
  OneBotSettings,
  OneBotWebhook,
} from './onebot-settings.ts'
import type { RouteSettings } from './settings.ts'

export type OneBotConfig = NonNullable<CheckedConfig['onebot']>
type Network = NonNullable<OneBotConfig['network']>
type Mounted = NonNullable<NonNullable<NonNullable<CheckedConfig['web']>['routes']>[number]['onebot']>

/** Bytes: of one message, and what may wait for a client. */
const MAX_MESSAGE = 52_428_800
const MAX_BACKPRESSURE = 67_108_864

const { properties: by } = network
const S = by.websocketServers.items.properties
const C = by.websocketClients.items.properties
const H = by.httpServers.items.properties
const E = by.httpSseServers.items.properties
const P = by.httpClients.items.properties
const M = mounted.properties

const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text)

/** An endpoint, and where it listens; null: it does not, or where `web` does. */
export interface Planned {
  readonly endpoint: OneBotEndpoint
  readonly listener: Endpoint | null
  /** A client that reads too slowly misses what comes. */
  readonly drops: boolean
}

type CommonConfig = Pick<
  NonNullable<Network['websocketServers']>[number],
  'debug' | 'messagePostFormat' | 'reportSelfMessage' | 'bot' | 'filter' | 'rateLimit' | 'unknownSegment'
>

const toCommon = (config: CommonConfig, main: string) => ({
  bot: config.bot ?? main,
  format: config.messagePostFormat === 'string' ? ('string' as const) : ('array' as const),
  reportSelf: config.reportSelfMessage ?? S.reportSelfMessage.default,
  debug: config.debug ?? S.debug.default,
  filter: config.filter ?? null,
  rate: toRate(config.rateLimit),
  unknown: config.unknownSegment ?? S.unknownSegment.default,
})

function toRate(config: CommonConfig['rateLimit']): OneBotEndpoint['rate'] {
  const { enabled, frequency, bucket } = S.rateLimit.properties
  if (!(config?.enabled ?? enabled.default)) return null
  return { frequency: config?.frequency ?? frequency.default, bucket: config?.bucket ?? bucket.default }
}

function toListener(name: string, host: string, port: number): Endpoint {
  return { name: port === 0 ? `onebot ${name}` : `${host}:${port}`, host, port, tls: null }
}

/** All ways to bots that a config has outside of `web`. */
export function toEndpoints(config: OneBotConfig, pasted: Network | undefined, folder: string): Planned[] {
  const main = config.bot ?? onebot.properties.bot.default
  return [...toNetwork(pasted ?? config.network ?? {}, main), ...toServers(config, main, folder)]
}

function toNetwork(config: Network, main: string): Planned[] {
  const isOn = ({ enable = false }: { readonly enable?: boolean | undefined }): boolean => enable
  return [
    ...(config.websocketServers ?? []).filter(isOn).map((one): Planned => {
      const name = one.name ?? S.name.default
      const endpoint: OneBotServer = {
        kind: 'server',
        name,
        ...toCommon(one, main),
        heartbeat: one.heartInterval ?? S.heartInterval.default,
        webSockets: true,
        http: false,
        sse: false,
        token: orNull(one.token),
        generatesToken: one.generateToken ?? S.generateToken.default,
        wsAuthFailure: one.wsAuthFailure ?? S.wsAuthFailure.default,
        cors: false,
        origins: one.origins ?? [],
      }
      const drops = !(one.enableForcePushEvent ?? S.enableForcePushEvent.default)
      return { endpoint, drops, listener: toListener(name, one.host ?? S.host.default, one.port ?? S.port.default) }
    }),
    ...(config.websocketClients ?? []).filter(isOn).map((one): Planned => {
      const endpoint: OneBotLink = {
        kind: 'link',
        name: one.name ?? C.name.default,
        ...toCommon(one, main),
        heartbeat: one.heartInterval ?? C.heartInterval.default,
        url: one.url ?? C.url.default,
        token: orNull(one.token),
        role: one.role ?? C.role.default,
        authScheme: one.authScheme ?? C.authScheme.default,
        reconnect: Math.max(1, one.reconnectInterval ?? C.reconnectInterval.default),
        reconnectMax: one.reconnectMax ?? null,
        handshakeTimeout: one.handshakeTimeout ?? C.handshakeTimeout.default,
        pingInterval: one.pingInterval ?? C.pingInterval.default,
        pingTimeout: one.pingTimeout ?? C.pingTimeout.default,
        verifyCertificate: one.verifyCertificate ?? C.verifyCertificate.default,
      }
      return { endpoint, drops: false, listener: null }
    }),
    ...(config.httpServers ?? []).filter(isOn).map((one) => toHttp(one, one.name ?? H.name.default, main, null)),
    ...(config.httpSseServers ?? [])
      .filter(isOn)
      .map((one) => toHttp(one, one.name ?? E.name.default, main, one.heartInterval ?? E.heartInterval.default)),
    ...(config.httpClients ?? []).filter(isOn).map((one): Planned => {
      const endpoint: OneBotWebhook = {
        kind: 'webhook',
        name: one.name ?? P.name.default,
        ...toCommon(one, main),
        heartbeat: one.heartInterval ?? P.heartInterval.default,
        url: one.url ?? P.url.default,
        secret: orNull(one.token),
        accessToken: orNull(one.accessToken),
        timeout: one.timeout ?? P.timeout.default,
        retries: one.maxRetries ?? P.maxRetries.default,
        retryInterval: one.retriesInterval ?? P.retriesInterval.default,
        queue: one.maxQueue ?? P.maxQueue.default,
        verifyCertificate: one.verifyCertificate ?? P.verifyCertificate.default,
      }
      return { endpoint, drops: false, listener: null }
    }),
  ]
}

/** NapCat's heartbeat of WebSockets on such a port. */
const HTTP_HEARTBEAT = 30_000

/** @param heartbeat of a stream; null: there is none */
function toHttp(
  one: NonNullable<Network['httpServers']>[number],
  name: string,
  main: string,
  heartbeat: number | null,
): Planned {
  const webSockets = one.enableWebsocket ?? H.enableWebsocket.default
  const common = toCommon(one, main)
  const endpoint: OneBotServer = {
    kind: 'server',
    name,
    ...common,
    // NapCat's plain HTTP servers have no such key.
    reportSelf: heartbeat === null ? false : common.reportSelf,
    heartbeat: heartbeat ?? (webSockets ? HTTP_HEARTBEAT : 0),
    webSockets,
    http: true,
    sse: heartbeat !== null,
    token: orNull(one.token),
    generatesToken: one.generateToken ?? H.generateToken.default,
    wsAuthFailure: 'frame',
    cors: one.enableCors ?? H.enableCors.default,
    origins: one.origins ?? [],
  }
  return { endpoint, drops: false, listener: toListener(name, one.host ?? H.host.default, one.port ?? H.port.default) }
}

type Servers = NonNullable<OneBotConfig['servers']>
type Middlewares = NonNullable<NonNullable<Servers[number]['ws']>['middlewares']>

/** go-cqhttp's: what it says of heartbeats and messages is for all of them. */
function toServers(config: OneBotConfig, main: string, folder: string): Planned[] {
  const { heartbeat = {}, message = {} } = config
  const { interval, disabled } = onebot.properties.heartbeat.properties
  const seconds = heartbeat.interval ?? interval.default
  const beats = !(heartbeat.disabled ?? disabled.default) && seconds >= 0
  const format = message['post-format'] ?? onebot.properties.message.properties['post-format'].default
  const toShared = (given: Middlewares = {}) => ({
    bot: main,
    format,
    reportSelf: message['report-self-message'] ?? false,
    debug: false,
    filter: readFilter(given.filter ?? '', folder),
    rate: toRate(given['rate-limit']),
    unknown: message['ignore-invalid-cqcode'] === true ? ('drop' as const) : ('relay' as const),
    // As there: 0 is its default.
    heartbeat: beats ? 1000 * (seconds === 0 ? interval.default : seconds) : 0,
  })
  return (config.servers ?? []).flatMap((one, i): Planned[] => [
    ...toCqHttp(one.http, `servers[${i}].http`, toShared),
    ...toCqWs(one.ws, `servers[${i}].ws`, toShared),
    ...toCqReverse(one['ws-reverse'], `servers[${i}].ws-reverse`, toShared),
  ])
}

type ToShared = (given?: Middlewares) => Omit<OneBotServer, 'kind' | 'name' | keyof typeof NO_SERVER>

/** What a server of go-cqhttp has no word for. */
const NO_SERVER = {
  webSockets: false,
  http: false,
  sse: false,
  token: null,
  generatesToken: false,
  wsAuthFailure: 'http',
  cors: false,
  origins: [],
} as const

function toCqHttp(config: Servers[number]['http'], name: string, toShared: ToShared): Planned[] {
  if (config === undefined) return []
  const shared = toShared(config.middlewares)
  const listens = config.address !== undefined || config.host !== undefined || config.port !== undefined
  const token = orNull(config.middlewares?.['access-token'])
  const { host, port } = toCqAddress(config, 5700)
  const server: OneBotServer = { kind: 'server', name, ...shared, ...NO_SERVER, http: true, token, heartbeat: 0 }
  const hooks = (config.post ?? []).map((post, i): Planned => {
    const endpoint: OneBotWebhook = {
      kind: 'webhook',
      name: `${name}.post[${i}]`,
      ...shared,
      url: post.url,
      secret: orNull(post.secret),
      accessToken: null,
      timeout: 1000 * Math.max(5, config.timeout ?? 5),
      retries: post['max-retries'] ?? 3,
      retryInterval: post['retries-interval'] ?? 1500,
      queue: P.maxQueue.default,
      verifyCertificate: true,
    }
    return { endpoint, drops: false, listener: null }
  })
  return [...(listens ? [{ endpoint: server, drops: false, listener: toListener(name, host, port) }] : []), ...hooks]
}

function toCqWs(config: Servers[number]['ws'], name: string, toShared: ToShared): Planned[] {
  if (config === undefined) return []
  const { host, port } = toCqAddress(config, 8080)
  const token = orNull(config.middlewares?.['access-token'])
  const endpoint: OneBotServer = {
    kind: 'server',
    name,
    ...toShared(config.middlewares),
    ...NO_SERVER,
    webSockets: true,
    token,
  }
  return [{ endpoint, drops: false, listener: toListener(name, host, port) }]
}

/** One connection for both is used alone. */
function toCqReverse(config: Servers[number]['ws-reverse'], name: string, toShared: ToShared): Planned[] {
  if (config === undefined) return []
  const universal = orNull(config.universal)
  const given = [config['reconnect-interval'] ?? 3000].map((ms) => (ms === 0 ? 5000 : ms))
  const roles: readonly (readonly [OneBotLink['role'], string | null])[] =
    universal !== null
      ? [['Universal', universal]]
      : [
          ['API', orNull(config.api)],
          ['Event', orNull(config.event)],
        ]
  return roles.flatMap(([role, url]): Planned[] => {
    if (url === null) return []
    const endpoint: OneBotLink = {
      kind: 'link',
      name: `${name}.${role}`,
      ...toShared(config.middlewares),
      url,
      token: orNull(config.middlewares?.['access-token']),
      role,
      authScheme: 'Token',
      reconnect: given[0] ?? 5000,
      reconnectMax: null,
      handshakeTimeout: 10_000,
      pingInterval: C.pingInterval.default,
      pingTimeout: C.pingTimeout.default,
      verifyCertificate: true,
    }
    return [{ endpoint, drops: false, listener: null }]
  })
}

/** As go-cqhttp spells it. */
export function toCqAddress(
  config: {
    readonly address?: string | undefined
    readonly host?: string | undefined
    readonly port?: number | undefined
  },
  port: number,
): { readonly host: string; readonly port: number } {
  if (config.address !== undefined) return parseEndpoint(config.address.replace(/^tcp[46]?:\/\//, ''))
  return { host: config.host ?? '127.0.0.1', port: config.port ?? port }
}

/** One that is not there, or is none, filters nothing, as in go-cqhttp: a start warns of it. */
export function readFilter(file: string, folder: string): Readonly<Record<string, unknown>> | null {
  if (file === '') return null
  try {
    const value: unknown = JSON5.parse(readFileSync(resolve(folder, file), 'utf8'))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

/** What is served below a route: WebSockets, actions by HTTP, events as a stream. */
export function toMountedEndpoint(
  route: RouteSettings,
  config: Mounted | undefined,
  bot: string | undefined,
  main: string,
  place: string,
): Planned {
  const given = config ?? {}
  const endpoint: OneBotServer = {
    kind: 'server',
    name: given.name ?? place,
    ...toCommon(given, bot ?? main),
    heartbeat: given.heartInterval ?? M.heartInterval.default,
    webSockets: given.webSockets ?? M.webSockets.default,
    http: given.http ?? M.http.default,
    sse: given.sse ?? M.sse.default,
    token: route.token,
    generatesToken: given.generateToken ?? M.generateToken.default,
    wsAuthFailure: given.wsAuthFailure ?? M.wsAuthFailure.default,
    cors: given.enableCors ?? M.enableCors.default,
    origins: route.origins,
  }
  return { endpoint, drops: !(given.enableForcePushEvent ?? M.enableForcePushEvent.default), listener: null }
}

/** The route of an endpoint; of a mount that ends in '/' also without it. One that connects out is on no listener. */
export function toOneBotRoutes(
  route: RouteSettings,
  { endpoint, drops }: Planned,
  host: WebSocketDefaults,
): RouteSettings[] {
  const mount = route.match.replace(/\/+$/, '')
  const own: RouteSettings = {
    ...route,
    handler: 'onebot',
    match: mount === '' ? '' : `${mount}/`,
    exact: false,
    methods: null,
    token: null,
    trim: mount,
    origins: endpoint.kind === 'server' ? endpoint.origins : [],
    authenticates: endpoint.kind === 'server' && (endpoint.token !== null || endpoint.generatesToken),
    maxBody: MAX_MESSAGE,
    onebot: endpoint,
    webSockets: {
      ...host,
      maxFrame: 0,
      maxMessage: MAX_MESSAGE,
      maxSent: 0,
      maxBackpressure: MAX_BACKPRESSURE,
      backpressure: drops ? 'drop-new' : 'close',
      // Bots may say nothing for hours; what they do not answer is a ping.
      timeout: 0,
      inboundOnly: true,
      pingPeriod: PING_PERIOD,
      pongTimeout: PONG_TIMEOUT,
      partial: false,
      validateUTF: true,
    },
  }
  return mount === '' ? [own] : [own, { ...own, match: mount, exact: true }]
}

/** Milliseconds. */
const [PING_PERIOD, PONG_TIMEOUT] = [30_000, 30_000]

export function toOneBot(config: OneBotConfig, folder: string): OneBotSettings {
  const main = config.bot ?? onebot.properties.bot.default
  const given = new Map(Object.entries(config.bots ?? {}))
  const own = given.get(main)
  const bots: OneBotBot[] = [
    { handle: main, selfId: config.selfId ?? own?.selfId ?? null, join: config.join ?? own?.join ?? [] },
    ...[...given]
      .filter(([handle]) => handle !== main)
      .map(([handle, { selfId = null, join = [] }]) => ({ handle, selfId, join })),
  ]
  return {
    bots,
    platform: config.platform === undefined ? null : resolve(folder, config.platform),
    platformOptions: config.platformOptions ?? {},
    strictFriends: config.strictFriends ?? onebot.properties.strictFriends.default,
    publicUrl: config.publicUrl === undefined ? null : config.publicUrl.replace(/\/+$/, ''),
  }
}
