import { resolve } from 'node:path'
import type { WebSocketDefaults } from '../../../include-types/websock.ts'
import type { Endpoint, TlsFiles } from '../../engine/port.ts'
import { publishLimit } from '../../websock/context.ts'
import { parsePartialUrl } from '../redirect.ts'
import type { CheckedConfig } from './check.ts'
import { joinRoutes, toChannelEndpoint, toMountedChannel, toSection } from './to-channel.ts'
import { toEndpoints, toMountedEndpoint, toOneBot, toOneBotRoutes } from './to-onebot.ts'
import { API_SEGMENTS, type GatewaySettings, toGateway } from './gateway.ts'
import { isLoopback, parseEndpoint } from './endpoint.ts'
import * as schema from './schema.ts'
import type { CacheSettings, ObserveSettings, RouteSettings, Settings } from './settings.ts'
import { readTls } from './tls.ts'
import { parseCount, parseSize, parseTime, parseWorkers } from './units.ts'

/** Node's spelling of "no limit" is 0, a comparison's is Infinity; a config may say either. */
const finite = (value: number): number => (value === Infinity ? 0 : value)
const noneIsInfinity = (value: number): number => (value === 0 ? Infinity : value)

type Measure = string | number
type WebConfig = NonNullable<CheckedConfig['web']>
type RouteConfig = NonNullable<WebConfig['routes']>[number]

/** Fills in what a config leaves open. It has been checked: nothing here fails. */
export function toSettings(config: CheckedConfig, folder: string, warnings: readonly string[]): Settings {
  const { webSockets = {}, limits = {}, timeouts = {}, ...web } = config.web ?? {}
  const size = (key: keyof typeof schema.limits): number => parseSize(limits[key] ?? schema.limits[key].default)
  const count = (key: keyof typeof schema.limits): number => parseCount(limits[key] ?? schema.limits[key].default)
  const time = (key: keyof typeof schema.timeouts): number => parseTime(timeouts[key] ?? schema.timeouts[key].default)
  const protocol = webSockets.protocol === undefined ? schema.webSockets.protocol.default : webSockets.protocol
  const tls = config.tls === undefined ? null : readTls(config.tls, folder)
  const single = config.channels?.websocket === undefined ? null : toChannelEndpoint(config.channels.websocket, folder)
  const bots = toEndpoints(config.onebot ?? {}, config.network, folder)
  // Who brings a config of nanobot or of a bot has no use for another listener.
  const servesWeb = (single === null && bots.length === 0) || web.listen !== undefined || web.routes !== undefined
  const webEndpoints = servesWeb
    ? [web.listen ?? schema.web.listen.default].flat().map((text) => toEndpoint(text, tls))
    : []
  const webListeners = webEndpoints.map(({ name }) => name)
  const endpoints = [
    ...webEndpoints,
    ...(single === null || webListeners.includes(single.name) ? [] : [single]),
    ...bots.flatMap(({ listener }) => listener ?? []),
  ]
  const defaults: WebSocketDefaults = {
    maxFrame: size('maxFrame'),
    maxMessage: size('maxMessage'),
    maxBackpressure: size('maxBackpressure'),
    maxQueue: finite(size('maxQueue')),
    timeout: time('inactivity'),
    pingPeriod: parseTime(webSockets.ping ?? schema.webSockets.ping.default),
    backpressure: schema.route.properties.backpressure.default,
    partial: false,
    validateUTF: webSockets.validateUTF ?? schema.webSockets.validateUTF.default,
  }
  const observe = toObserve(config.observe ?? {}, tls)
  const gateway = toGateway(config.gateway ?? {})
  const toBase = (route: RouteConfig, listeners: readonly string[]): RouteSettings =>
    toRoute(route, web, folder, size('body'), defaults, observe.token, listeners)
  const main = config.channels?.websocket ?? {}
  const onebot = toOneBot(config.onebot ?? {}, config, folder)
  const webRoutes = (servesWeb ? (web.routes ?? [{}]) : []).flatMap((given, i) => {
    const route = toBase(given, webListeners)
    if (route.handler === 'gateway') return toGatewayRoutes(route, gateway)
    if (route.handler === 'onebot') {
      const planned = toMountedEndpoint(route, given.onebot, given.bot, onebot.bots[0]?.handle ?? '')
      return toOneBotRoutes(route, planned, defaults)
    }
    return route.handler === 'agent'
      ? toMountedChannel(route, given.channel, main, `web.routes[${i}].channel`, folder)
      : [route]
  })
  const section = single === null ? [] : toSection(toBase({ handler: 'agent' }, [single.name]), main, folder)
  const botRoutes = bots.flatMap((planned) => {
    const listeners = planned.listener === null ? [] : [planned.listener.name]
    return toOneBotRoutes(toBase({ handler: 'onebot' }, listeners), planned, defaults)
  })
  const shares = single !== null && webListeners.includes(single.name)
  const all = [...joinRoutes(webRoutes, section, shares), ...botRoutes]
  const routes = onebot.platform === null ? withLinks(all, toBase({ match: '/files/' }, [])) : all
  // Engines are told once: what the most generous route takes.
  const most = (key: 'maxMessage' | 'maxBackpressure'): number =>
    Math.max(...[defaults, ...routes.map((route) => route.webSockets)].map((own) => noneIsInfinity(own[key])))
  return {
    engine: toEngine(web.engine ?? schema.web.engine.default, tls, routes),
    endpoints,
    webListeners,
    server: {
      sharesPorts: false,
      maxHeader: finite(size('header')),
      maxConnections: noneIsInfinity(count('connections')),
      maxRequests: finite(count('requests')),
      parseTimeout: finite(time('parse')),
      requestTimeout: finite(time('request')),
      maxBody: Math.max(noneIsInfinity(size('body')), ...routes.map(({ maxBody }) => maxBody)),
      maxMessage: finite(most('maxMessage')),
      // A pattern of the engine: what would be one there is left to the layer.
      paths: routes
        .filter(({ handler, match, segments, channel, onebot: bot }) => {
          const isSocket = handler === 'gateway' ? segments === null : channel?.part === 'socket' || bot !== null
          return isSocket && !/[:*]/.test(match)
        })
        .map(({ match, exact, listeners, webSockets: { maxMessage } }) => ({
          path: exact ? match : `${match || '/'}*`,
          listeners,
          maxMessage,
        })),
      publishLimit: publishLimit({
        ...defaults,
        maxMessage: most('maxMessage'),
        maxBackpressure: most('maxBackpressure'),
      }),
      inactivity: noneIsInfinity(defaults.timeout),
      compression: webSockets.compression ?? schema.webSockets.compression.default,
    },
    webSockets: defaults,
    maxBuffered: noneIsInfinity(size('maxBuffered')),
    drainRate: noneIsInfinity(count('drainRate')),
    admission: {
      hosts: web.hosts?.map((name) => name.toLowerCase()) ?? null,
      trustedProxies: web.trustedProxies ?? [],
      name: web.name?.toLowerCase() ?? null,
      loopback: endpoints.every(({ host }) => isLoopback(host)),
      addressConnections: noneIsInfinity(count('addressConnections')),
      addressRate: noneIsInfinity(count('addressRate')),
    },
    observe,
    gateway,
    onebot,
    data: {
      folder: resolve(folder, config.dataDir ?? schema.configSchema.properties.dataDir.default),
      full: (config.synchronous ?? schema.configSchema.properties.synchronous.default) === 'full',
    },
    workers: parseWorkers(web.workers ?? schema.web.workers.default),
    upgrades: webSockets.enable ?? schema.webSockets.enable.default,
    protocols: protocol === null ? null : [protocol].flat(),
    name: web.name ?? null,
    headers: Object.entries(web.headers ?? {}),
    redirects: (web.redirect ?? []).map(({ from, to, status = schema.redirect.properties.status.default }) => ({
      from: from === undefined ? null : parsePartialUrl(from),
      to: parsePartialUrl(to),
      status,
    })),
    routes,
    drain: time('drain'),
    warnings,
    stated: new Map(
      Object.entries({ webSockets, limits, timeouts }).flatMap(([group, keys]) =>
        Object.entries(keys).map(([key, given]) => [`${group}.${key}`, given] as const),
      ),
    ),
  }
}

/** Certificates of clients, and peers that are not read from, are for node only. */
function toEngine(
  choice: Settings['engine'],
  tls: TlsFiles | null,
  routes: readonly RouteSettings[],
): Settings['engine'] {
  const verifies = tls !== null && tls.verify !== 'none'
  const pauses = routes.some(({ webSockets }) => webSockets.backpressure === 'pause')
  return choice === 'auto' && (verifies || pauses) ? 'node' : choice
}

function toObserve(
  { log = schema.observe.properties.log.default, connections, listen, token }: NonNullable<CheckedConfig['observe']>,
  tls: TlsFiles | null,
): ObserveSettings {
  const endpoint = listen === undefined ? null : toEndpoint(listen, tls)
  return { log, connections: connections ?? log === 'json', endpoint, token: token ?? null }
}

/** Any free port is another one each time: those of `web` serve the same. */
const toListenerName = (host: string, port: number): string => (port === 0 ? 'web.listen' : `${host}:${port}`)

function toEndpoint(text: string, tls: TlsFiles | null): Endpoint {
  const { host, port, secure } = parseEndpoint(text)
  return { name: toListenerName(host, port), host, port, tls: secure ? tls : null }
}

const sizeOr = (given: Measure | undefined, byHost: number): number => (given === undefined ? byHost : parseSize(given))

function toRoute(
  route: RouteConfig,
  web: WebConfig,
  folder: string,
  maxBody: number,
  host: WebSocketDefaults,
  observeToken: string | null,
  listeners: readonly string[],
): RouteSettings {
  const { limits = {}, cache } = route
  const { match, exact, handler, partial, compressed } = schema.route.properties
  return {
    match: route.match ?? match.default,
    exact: route.exact ?? exact.default,
    segments: null,
    sent: null,
    listeners,
    handler: route.handler ?? handler.default,
    methods: route.methods ?? null,
    redirect: route.redirect ?? null,
    trim: route.trim ?? '',
    headers: Object.entries(route.headers ?? {}),
    maxBody: noneIsInfinity(sizeOr(limits.body, maxBody)),
    webSockets: {
      ...host,
      maxMessage: sizeOr(limits.maxMessage, host.maxMessage),
      maxFrame: sizeOr(limits.maxFrame, host.maxFrame),
      maxBackpressure: sizeOr(limits.maxBackpressure, host.maxBackpressure),
      backpressure: route.backpressure ?? host.backpressure,
      partial: route.partial ?? partial.default,
    },
    // What is told of the host is told to the same people everywhere.
    token: route.token ?? (route.handler === 'observe' && route.role === undefined ? observeToken : null),
    authenticates: route.token !== undefined || route.handler === 'gateway',
    role: route.role ?? null,
    origins: route.origins ?? [],
    module: route.module === undefined ? null : resolve(folder, route.module),
    documents: resolve(folder, (route.documents ?? web.documents ?? schema.web.documents.default).replace(/^@/, '')),
    index: web.index ?? schema.web.index.default,
    mime: Object.fromEntries(Object.entries(web.mime ?? {}).map(([name, type]) => [name.toLowerCase(), type])),
    compressed: route.compressed ?? compressed.default,
    cache: cache === undefined ? null : toCache(cache),
    channel: null,
    onebot: null,
  }
}

/** Its socket, and its HTTP API beside it. Protocols have limits of their own. */
const toGatewayRoutes = (route: RouteSettings, settings: GatewaySettings): RouteSettings[] => {
  const origins = route.origins.length === 0 ? settings.origins : route.origins
  const own = { ...route, origins, methods: null, trim: '' }
  // Of files, with what is around them in a body; most of its routes take less.
  const api = { ...own, maxBody: Math.max(settings.maxBody, settings.maxFile + 2 ** 20) }
  return [
    {
      ...own,
      match: route.match === '' ? '/ws' : route.match,
      exact: true,
      webSockets: {
        ...route.webSockets,
        maxFrame: 0,
        maxMessage: settings.maxFrame,
        maxSent: 0,
        maxBackpressure: settings.maxBackpressure,
        backpressure: 'close',
        timeout: settings.idle,
        inboundOnly: true,
        pingPeriod: 0,
        partial: false,
        validateUTF: true,
      },
    },
    { ...api, match: settings.apiPrefix, segments: API_SEGMENTS },
    // Links to files and emoji are the same wherever the API is.
    ...(settings.apiPrefix === '' ? [] : [{ ...api, match: '', segments: ['files', 'emojis'] }]),
  ]
}

/** Links to files lead to whatever listener bots have been told them on: in front of what takes all paths there. */
function withLinks(routes: readonly RouteSettings[], base: RouteSettings): RouteSettings[] {
  const of = (handler: RouteSettings['handler']): string[] =>
    routes.filter((route) => route.handler === handler).flatMap(({ listeners }) => listeners)
  // A gateway has them itself.
  const served = of('gateway')
  const listeners = [...new Set(of('onebot'))].filter((name) => !served.includes(name))
  if (listeners.length === 0) return [...routes]
  const wide = routes.findIndex(
    (route) => !route.exact && /^\/?$/.test(route.match) && route.listeners.some((name) => listeners.includes(name)),
  )
  const links: RouteSettings = { ...base, handler: 'files', listeners }
  return wide === -1 ? [...routes, links] : routes.toSpliced(wide, 0, links)
}

function toCache({ maxAge, directives, extensions }: NonNullable<RouteConfig['cache']>): CacheSettings {
  const age = maxAge === undefined ? Infinity : parseTime(maxAge)
  const parts = [directives ?? '', Number.isFinite(age) ? `max-age=${Math.floor(age / 1000)}` : '']
  return {
    control: parts.filter((part) => part !== '').join(', '),
    extensions: extensions?.map((name) => name.replace(/^\./, '').toLowerCase()) ?? null,
  }
}
