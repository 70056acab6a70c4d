import { afterEach } from 'vitest'
import type { Config, Web, WebAction, WebAuthorize } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { webWriteResponseString } from '../../lib/web/reply.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { handshake, RawClient } from './raw.ts'
import type { EngineName } from './server.ts'

/** What is in the way of a request, or lets it in. */
export interface Door {
  readonly host: Host
  readonly port: number
  /** A connection that has said nothing. */
  connect(): Promise<RawClient>
  /** An opening handshake on a connection of its own, and what it is answered. */
  knock(path?: string, headers?: Record<string, string | null>, method?: string): Promise<Answered>
  /** The same with a plain request. */
  get(path?: string, headers?: Record<string, string | null>, method?: string): Promise<Answered>
}

export interface Answered {
  readonly client: RawClient
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const hosts = new Set<Host>()
const clients = new Set<RawClient>()

afterEach(async () => {
  for (const client of clients) client.destroy()
  clients.clear()
  // Who is there is dropped: uws would take a second to say goodbye.
  await Promise.all(Array.from(hosts, (host) => host.free()))
  hosts.clear()
})

/** Tells requests that they are in, and runs connections that say nothing. */
export const welcome: WebAction = (web: Web) =>
  web.webSocket === null ? webWriteResponseString(web, 200, 'in') : webSocketRun(web.webSocket, () => {})

/** To `/slow` nobody comes before a program has granted them a role; and something beside it. */
export const GUARDED: Config['web'] = {
  timeouts: { inactivity: 'never' },
  routes: [
    { match: '/slow', handler: 'action', role: 'guest' },
    { match: '/', handler: 'action' },
  ],
}

/** A host of which everything may be said; freed after the test. */
export async function open(
  engine: EngineName,
  web: Config['web'] = {},
  more: {
    readonly actions?: Readonly<Record<string, WebAction>>
    readonly authorize?: WebAuthorize
    readonly tls?: Config['tls']
  } = {},
): Promise<Door> {
  const { actions = { '/': welcome }, authorize = null, tls } = more
  const all = { listen: '127.0.0.1:0', routes: [{ match: '/', handler: 'action' as const }], ...web, engine }
  const host = createHost({ web: all, ...(tls === undefined ? {} : { tls }) }, parts)
  hosts.add(host)
  host.authorize = authorize
  for (const [match, action] of Object.entries(actions)) host.addAction(match, action)
  if ((await host.start()) !== 0) throw new Error(host.error ?? 'no start')
  const port = host.listening[0]?.port ?? 0
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(port)
    clients.add(client)
    return client
  }
  return {
    host,
    port,
    connect,
    knock: async (path = '/', headers = {}, method = 'GET') =>
      ask(await connect(), handshake(path, headers, `${method} ${path} HTTP/1.1`)),
    get: async (path = '/', headers = {}, method = 'GET') => ask(await connect(), plain(path, headers, method)),
  }
}

/** A request without a body. */
export const plain = (path = '/', headers: Record<string, string | null> = {}, method = 'GET'): Buffer =>
  handshake(path, { ...NO_UPGRADE, ...headers }, `${method} ${path} HTTP/1.1`)

const NO_UPGRADE = { 'Upgrade': null, 'Connection': null, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null }

/** Sends a request and takes its whole answer. */
export async function ask(client: RawClient, request: Buffer | string): Promise<Answered> {
  client.send(request)
  const { status, head } = await client.response()
  const headers: Record<string, string> = {}
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const length = Number(headers['content-length'] ?? 0)
  await client.until(() => client.length >= length)
  const body = client.received.toString('utf8', 0, length)
  client.received = client.received.subarray(length)
  return { client, status, headers, body }
}

/** Why requests of a host were refused so far, and how many for each reason. */
export async function refusalsOf({ host }: Door): Promise<Record<string, number>> {
  const page = await host.report('/metrics')
  const lines = page?.text.matchAll(/^fiberws_refusals_total\{reason="(\w+)"\} (\d+)$/gm) ?? []
  return Object.fromEntries(Array.from(lines, ([, reason = '', count]) => [reason, Number(count)]))
}

/** Asks again until the answer is that: for what becomes true when a server has noticed that somebody has gone. */
export async function untilStatus(status: number, again: () => Promise<Answered>): Promise<Answered> {
  for (;;) {
    const answered = await again()
    if (answered.status === status) return answered
    answered.client.destroy()
  }
}
