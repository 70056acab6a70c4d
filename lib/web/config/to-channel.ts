import { resolve } from 'node:path'
import type { WebSocketDefaults } from '../../../include-types/websock.ts'
import type { Endpoint } from '../../engine/port.ts'
import { toPath } from '../path.ts'
import { channel } from './channel.ts'
import type { AgentSettings, ChannelSettings, JoinSettings } from './channel-settings.ts'
import type { CheckedConfig } from './check.ts'
import type { RouteSettings } from './settings.ts'
import { readTls } from './tls.ts'
import { parseSize } from './units.ts'

export type ChannelConfig = NonNullable<NonNullable<CheckedConfig['channels']>['websocket']>

/** Bytes that may wait for a client: more, and it is dropped. */
const MAX_BACKPRESSURE = 4_194_304

/** The name of the channel that everybody means who names none. */
const MAIN = 'channels.websocket'

const { properties: by } = channel
const orAny = (value: number): number => (value === 0 ? Infinity : value)
const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim())

function toChannel(name: string, config: ChannelConfig, folder: string): ChannelSettings {
  const allowFrom = config.allowFrom ?? by.allowFrom.default
  const issuePath = orNull(config.tokenIssuePath ?? by.tokenIssuePath.default)
  const options: AgentConfig = config.agent ?? { type: 'echo' }
  return {
    name,
    token: orNull(config.token ?? by.token.default),
    requiresToken: config.websocketRequiresToken ?? by.websocketRequiresToken.default,
    issuePath: issuePath === null ? null : toPath(issuePath),
    issueSecret: orNull(config.tokenIssueSecret ?? by.tokenIssueSecret.default),
    tokenTtlS: config.tokenTtlS ?? by.tokenTtlS.default,
    allowFrom: allowFrom.includes('*') ? null : new Set(allowFrom),
    streaming: config.streaming ?? by.streaming.default,
    pingTimeout: 1000 * (config.pingTimeoutS ?? by.pingTimeoutS.default),
    multiChat: config.multiChat ?? by.multiChat.default,
    turnEvents: config.turnEvents ?? by.turnEvents.default,
    progress: config.progress ?? by.progress.default,
    reasoning: config.reasoning ?? by.reasoning.default,
    commands: config.commands ?? by.commands.default,
    agentTimeout: orAny(1000 * (config.agentTimeoutS ?? by.agentTimeoutS.default)),
    idleTimeout: 1000 * (config.idleTimeoutS ?? by.idleTimeoutS.default),
    maxConcurrentTurns: orAny(config.maxConcurrentTurns ?? by.maxConcurrentTurns.default),
    maxQueuedPerChat: config.maxQueuedPerChat ?? by.maxQueuedPerChat.default,
    maxHistoryMessages: config.maxHistoryMessages ?? by.maxHistoryMessages.default,
    maxHistoryChars: config.maxHistoryChars ?? by.maxHistoryChars.default,
    maxReplyBytes: parseSize(config.maxReplyBytes ?? by.maxReplyBytes.default),
    maxChatsPerClient: config.maxChatsPerClient ?? by.maxChatsPerClient.default,
    resumeFor: 1000 * (config.resumeS ?? by.resumeS.default),
    resumeChats: config.resumeChats ?? by.resumeChats.default,
    resumeBytes: parseSize(config.resumeBytes ?? by.resumeBytes.default),
    agent: toAgent(options, 1000 * (config.connectTimeoutS ?? by.connectTimeoutS.default), folder),
    join: toJoin(options),
  }
}

type AgentConfig = NonNullable<ChannelConfig['agent']>

function toAgent(options: AgentConfig, connectTimeout: number, folder: string): AgentSettings {
  const { type } = options
  const { properties: own } = by.agent
  if (type === 'echo') {
    return { type, prefix: options.prefix ?? own.prefix.default, delay: options.delayMs ?? own.delayMs.default }
  }
  if (type === 'module') return { type, file: resolve(folder, options.path ?? ''), options: options.options ?? {} }
  return {
    type,
    url: toCompletions(options.baseUrl ?? own.baseUrl.default),
    apiKey: options.apiKey ?? own.apiKey.default,
    model: options.model ?? own.model.default,
    systemPrompt: options.systemPrompt ?? own.systemPrompt.default,
    temperature: options.temperature ?? null,
    maxTokens: options.maxTokens ?? null,
    maxTokensField: options.maxTokensField ?? own.maxTokensField.default,
    headers: options.headers ?? {},
    extraBody: options.extraBody ?? {},
    includeUsage: options.includeUsage ?? own.includeUsage.default,
    stripThink: options.stripThink ?? own.stripThink.default,
    retries: options.retries ?? own.retries.default,
    connectTimeout,
    sessionMode: options.sessionMode ?? own.sessionMode.default,
  }
}

function toJoin(options: AgentConfig): JoinSettings | null {
  const { properties: own } = by.agent
  const [server, place] = options.join?.split('/') ?? []
  if (server === undefined || place === undefined) return null
  return {
    server,
    channel: place,
    name: options.name ?? own.name.default,
    editEvery: options.editMs ?? own.editMs.default,
    answerBots: options.answerBots ?? own.answerBots.default,
  }
}

function toCompletions(baseUrl: string): string {
  const url = new URL(baseUrl)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith('/chat/completions') ? path : `${path}/chat/completions`
  return url.href
}

/** Its own listener; null where it has none. */
export function toChannelEndpoint(config: ChannelConfig, folder: string): Endpoint | null {
  if (!(config.enabled ?? by.enabled.default)) return null
  const [host, port] = [config.host ?? by.host.default, config.port ?? by.port.default]
  const certificate = orNull(config.sslCertfile ?? '')
  const key = orNull(config.sslKeyfile ?? '')
  const tls = certificate === null || key === null ? null : readTls({ certificate, key }, folder)
  return { name: port === 0 ? 'channels.websocket' : `${host}:${port}`, host, port, tls }
}

/** The block that nanobot's documentation has, on a listener of its own or one of `web`. */
export function toSection(route: RouteSettings, config: ChannelConfig, folder: string): RouteSettings[] {
  return toDoors(route, config.path ?? by.path.default, config, toChannel(MAIN, config, folder))
}

/** The same behind a route of `web`, with what the route says itself. */
export function toMountedChannel(
  route: RouteSettings,
  own: ChannelConfig | undefined,
  main: ChannelConfig,
  name: string,
  folder: string,
): RouteSettings[] {
  const given = own ?? main
  const config = route.token === null ? given : { ...given, token: route.token }
  const shares = own === undefined && route.token === null
  return toDoors(route, route.match || '/', config, toChannel(shares ? MAIN : name, config, folder))
}

/** A channel beside other routes: in front of those that take everything. On its own, with an answer for all else. */
export function joinRoutes(
  routes: readonly RouteSettings[],
  section: readonly RouteSettings[],
  shares: boolean,
): RouteSettings[] {
  const [first] = section
  const door = first?.channel ?? null
  if (first === undefined || door === null) return [...routes]
  if (shares) {
    const wide = routes.findIndex(
      ({ match, exact, segments }) => !exact && segments === null && /(?:^|\/)$/.test(match),
    )
    return wide === -1 ? [...routes, ...section] : [...routes.slice(0, wide), ...section, ...routes.slice(wide)]
  }
  const { settings } = door
  return [
    ...routes,
    ...section,
    { ...first, match: '', sent: null, exact: false, channel: { part: 'nothing', settings } },
  ]
}

/** The socket of a channel at `path`, and where it gives tokens. */
function toDoors(
  route: RouteSettings,
  path: string,
  config: ChannelConfig,
  settings: ChannelSettings,
): RouteSettings[] {
  const origins = route.origins.length > 0 ? route.origins : (config.origins ?? config.allowedOrigins ?? [])
  const common = { ...route, handler: 'agent', methods: null, token: null, role: null, trim: '', exact: true } as const
  const socket: RouteSettings = {
    ...common,
    match: toPath(path),
    sent: toPath(path),
    origins,
    authenticates: settings.token !== null || settings.requiresToken,
    channel: { part: 'socket', settings },
    webSockets: toDefaults(config, route.webSockets),
  }
  if (settings.issuePath === null) return [socket]
  const { issuePath } = settings
  const tokens = { ...common, match: issuePath, sent: issuePath, channel: { part: 'tokens', settings } } as const
  // It comes first: it is answered without a look at what an upgrade would be.
  return [tokens, socket]
}

const toDefaults = (config: ChannelConfig, host: WebSocketDefaults): WebSocketDefaults => ({
  ...host,
  maxFrame: 0,
  maxMessage: config.maxMessageBytes ?? by.maxMessageBytes.default,
  maxSent: 0,
  maxBackpressure: MAX_BACKPRESSURE,
  backpressure: 'close',
  timeout: 0,
  inboundOnly: true,
  pingPeriod: 1000 * (config.pingIntervalS ?? by.pingIntervalS.default),
  pongTimeout: 1000 * (config.pingTimeoutS ?? by.pingTimeoutS.default),
  partial: false,
  validateUTF: true,
})
