import { resolve } from 'node:path'
import type { WebSocketDefaults } from '../../../include-types/websock.ts'
import type { CheckedConfig } from './check.ts'
import { mounted, network, onebot } from './onebot.ts'
import { replay } from './onebot-fields.ts'
import type {
  OneBotBot,
  OneBotLink,
  OneBotMedia,
  OneBotReplay,
  OneBotServer,
  OneBotSettings,
  OneBotSpeech,
  OneBotWebhook,
} from './onebot-settings.ts'
import { orNull, type Planned, toListener, toRate } from './planned.ts'
import type { RouteSettings } from './settings.ts'
import { toServers } from './to-cqhttp.ts'
import { parseSize } from './units.ts'

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

type ReplayConfig = NonNullable<NonNullable<Network['websocketClients']>[number]['replay']>

const toReplay = (config: ReplayConfig | undefined): OneBotReplay | null =>
  config === undefined
    ? null
    : {
        events: config.events ?? replay.properties.events.default,
        bytes: parseSize(config.bytes ?? replay.properties.bytes.default),
        age: config.age ?? replay.properties.age.default,
      }

type CommonConfig = Pick<
  NonNullable<Network['websocketServers']>[number],
  'debug' | 'messagePostFormat' | 'reportSelfMessage' | 'bot' | 'filter' | 'rateLimit' | 'unknownSegment'
> & { readonly replay?: ReplayConfig | undefined }

const toCommon = (config: CommonConfig, main: string) => ({
  bot: config.bot ?? main,
  format: config.messagePostFormat === 'string' ? ('string' as const) : ('array' as const),
  reportSelf: config.reportSelfMessage ?? S.reportSelfMessage.default,
  debug: config.debug ?? S.debug.default,
  filter: config.filter ?? null,
  filterFile: null,
  rate: toRate(config.rateLimit),
  unknown: config.unknownSegment ?? S.unknownSegment.default,
  replay: toReplay(config.replay),
})

/** All ways to bots that a config has outside of `web`. */
export function toEndpoints(config: OneBotConfig, pasted: Network | undefined, folder: string): Planned[] {
  const main = config.bot ?? onebot.properties.bot.default
  return [...toNetwork(pasted ?? config.network ?? {}, main), ...toServers(config, main, folder)]
}

const isOn = ({ enable = false }: { readonly enable?: boolean | undefined }): boolean => enable

function toNetwork(config: Network, main: string): Planned[] {
  return [
    ...(config.websocketServers ?? []).filter(isOn).map((one): Planned => {
      const name = one.name ?? S.name.default
      const endpoint: OneBotServer = {
        kind: 'server',
        name,
        ...toCommon(one, main),
        heartbeat: Math.max(0, one.heartInterval ?? S.heartInterval.default),
        webSockets: true,
        http: false,
        sse: false,
        streamsBeat: false,
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
        heartbeat: Math.max(0, one.heartInterval ?? C.heartInterval.default),
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
      .map((one) =>
        toHttp(one, one.name ?? E.name.default, main, Math.max(0, one.heartInterval ?? E.heartInterval.default)),
      ),
    ...(config.httpClients ?? []).filter(isOn).map((one): Planned => {
      const endpoint: OneBotWebhook = {
        kind: 'webhook',
        name: one.name ?? P.name.default,
        ...toCommon(one, main),
        heartbeat: Math.max(0, one.heartInterval ?? P.heartInterval.default),
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
    streamsBeat: true,
    token: orNull(one.token),
    generatesToken: one.generateToken ?? H.generateToken.default,
    wsAuthFailure: 'frame',
    cors: one.enableCors ?? H.enableCors.default,
    origins: one.origins ?? [],
  }
  return { endpoint, drops: false, listener: toListener(name, one.host ?? H.host.default, one.port ?? H.port.default) }
}

/** What is served below a route: WebSockets, actions by HTTP, events as a stream. */
export function toMountedEndpoint(
  route: RouteSettings,
  config: Mounted | undefined,
  bot: string | undefined,
  main: string,
): Planned {
  const given = config ?? {}
  const endpoint: OneBotServer = {
    kind: 'server',
    name: given.name ?? (route.match === '' ? '/' : route.match),
    ...toCommon(given, bot ?? main),
    heartbeat: Math.max(0, given.heartInterval ?? M.heartInterval.default),
    webSockets: given.webSockets ?? M.webSockets.default,
    http: given.http ?? M.http.default,
    sse: given.sse ?? M.sse.default,
    streamsBeat: given.heartInterval !== undefined,
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

/** What NapCat has beside `network`, where that is pasted. */
type Pasted = Pick<CheckedConfig, 'imageDownloadProxy' | 'enableLocalFile2Url' | 'parseMultMsg'>

export function toOneBot(config: OneBotConfig, pasted: Pasted, folder: string): OneBotSettings {
  const { enableLocalFile2Url, parseMultMsg } = onebot.properties
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
    media: toMedia(config, pasted.imageDownloadProxy, folder),
    speech: toSpeech(config.tts, folder),
    strictFriends: config.strictFriends ?? onebot.properties.strictFriends.default,
    inlinesFiles: config.enableLocalFile2Url ?? pasted.enableLocalFile2Url ?? enableLocalFile2Url.default,
    extras: {
      bundles: config.parseMultMsg ?? pasted.parseMultMsg ?? parseMultMsg.default,
      replies: config.message?.['extra-reply-data'] ?? false,
      withoutReplyAt: config.message?.['remove-reply-at'] ?? false,
    },
    publicUrl: config.publicUrl === undefined ? null : config.publicUrl.replace(/\/+$/, ''),
  }
}

function toSpeech(config: OneBotConfig['tts'], folder: string): OneBotSpeech | null {
  const { timeout, maxText, maxBytes } = onebot.properties.tts.properties
  if (config === undefined) return null
  const [program = '', ...args] = config.command
  return {
    // A name alone is looked for where programs are.
    command: [/[/\\]/.test(program) ? resolve(folder, program) : program, ...args],
    timeout: config.timeout ?? timeout.default,
    maxText: config.maxText ?? maxText.default,
    maxBytes: parseSize(config.maxBytes ?? maxBytes.default),
  }
}

function toMedia(config: OneBotConfig, pasted: string | undefined, folder: string): OneBotMedia {
  const { media = {}, imageDownloadProxy = pasted, message = {} } = config
  const { maxFile, timeout, quota } = onebot.properties.media.properties
  return {
    folders: (media.folders ?? []).map((one) => resolve(folder, one)),
    allow: media.allow ?? [],
    maxBytes: parseSize(media.maxFile ?? maxFile.default),
    // As there: 0 is its default, which is this one.
    timeout: media.timeout ?? (1000 * (message['http-timeout'] ?? 0) || timeout.default),
    quota: parseSize(media.quota ?? quota.default),
    proxy: orNull(imageDownloadProxy) ?? orNull(message['proxy-rewrite']),
  }
}
