import { resolve } from 'node:path'
import type { CheckedConfig } from './check.ts'
import { readFilter } from './event-filter.ts'
import { parseEndpoint } from './endpoint.ts'
import { onebot, network } from './onebot.ts'
import type { OneBotLink, OneBotServer, OneBotWebhook } from './onebot-settings.ts'
import { orNull, type Planned, toListener, toRate } from './planned.ts'

/* go-cqhttp's servers as endpoints. */

const C = network.properties.websocketClients.items.properties
const P = network.properties.httpClients.items.properties

type OneBotConfig = NonNullable<CheckedConfig['onebot']>
type Servers = NonNullable<OneBotConfig['servers']>
type Middlewares = NonNullable<NonNullable<Servers[number]['ws']>['middlewares']>

/** go-cqhttp's: what it says of heartbeats and messages is for all of them. */
export function toServers(config: OneBotConfig, main: string, folder: string): Planned[] {
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
    ...toFilter(given.filter ?? '', folder),
    rate: toRate(given['rate-limit']),
    replay: null,
    unknown: message['ignore-invalid-cqcode'] === true ? ('drop' as const) : ('relay' as const),
    // As there: 0 is its default.
    heartbeat: beats ? 1000 * (seconds === 0 ? interval.default : seconds) : 0,
  })
  return (config.servers ?? []).flatMap(({ http, ws, 'ws-reverse': reverse }, i): Planned[] => [
    ...(isThere(http) ? toCqHttp(http, `servers[${i}].http`, toShared) : []),
    ...(isThere(ws) ? toCqWs(ws, `servers[${i}].ws`, toShared) : []),
    ...(isThere(reverse) ? toCqReverse(reverse, `servers[${i}].ws-reverse`, toShared) : []),
  ])
}

const isThere = <T extends { readonly disabled?: boolean | undefined }>(entry: T | undefined): entry is T =>
  entry !== undefined && entry.disabled !== true

function toFilter(given: string, folder: string): Pick<OneBotServer, 'filter' | 'filterFile'> {
  if (given === '') return { filter: null, filterFile: null }
  const filterFile = resolve(folder, given)
  return { filter: readFilter(filterFile), filterFile }
}

type ToShared = (given?: Middlewares) => Omit<OneBotServer, 'kind' | 'name' | keyof typeof NO_SERVER>

/** What a server of go-cqhttp has no word for. */
const NO_SERVER = {
  webSockets: false,
  http: false,
  sse: false,
  streamsBeat: false,
  token: null,
  generatesToken: false,
  wsAuthFailure: 'http',
  cors: false,
  origins: [],
} as const

function toCqHttp(config: NonNullable<Servers[number]['http']>, name: string, toShared: ToShared): Planned[] {
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

function toCqWs(config: NonNullable<Servers[number]['ws']>, name: string, toShared: ToShared): Planned[] {
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
function toCqReverse(config: NonNullable<Servers[number]['ws-reverse']>, name: string, toShared: ToShared): Planned[] {
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
