import type { OneBotEndpoint, OneBotLink, OneBotServer, OneBotWebhook } from './onebot-settings.ts'

/* What makes an endpoint another one: its connections were let in, or made, by these. All else may change while they stay. */

const SERVER = ['bot', 'token', 'generatesToken', 'webSockets', 'sse'] as const satisfies (keyof OneBotServer)[]
const LINK = [
  'bot',
  'url',
  'token',
  'role',
  'authScheme',
  'reconnect',
  'reconnectMax',
  'handshakeTimeout',
  'pingInterval',
  'pingTimeout',
  'verifyCertificate',
] as const satisfies (keyof OneBotLink)[]
const WEBHOOK = ['bot', 'url'] as const satisfies (keyof OneBotWebhook)[]

function essentials(endpoint: OneBotEndpoint): unknown[] {
  if (endpoint.kind === 'server') return SERVER.map((key) => endpoint[key])
  if (endpoint.kind === 'link') return LINK.map((key) => endpoint[key])
  return WEBHOOK.map((key) => endpoint[key])
}

/** The same for settings of one endpoint, before and after a reload. It has secrets in it. */
export const identityOf = (endpoint: OneBotEndpoint): string =>
  JSON.stringify([endpoint.kind, endpoint.name, ...essentials(endpoint)])

export const isSameEndpoint = (one: OneBotEndpoint, other: OneBotEndpoint): boolean =>
  identityOf(one) === identityOf(other)
