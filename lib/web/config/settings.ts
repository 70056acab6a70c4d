import type { WebSocketDefaults } from '../../../include-types/websock.ts'
import type { Endpoint, HeaderList, ServerOptions } from '../../engine/port.ts'
import type { Redirect } from '../redirect.ts'
import type { ChannelRoute } from './channel-settings.ts'
import type { GatewaySettings } from './gateway.ts'
import type { OneBotEndpoint, OneBotSettings } from './onebot-settings.ts'

/** A config as the rest of the program sees it: checked, defaults filled in, units converted, paths absolute. */
export interface Settings {
  readonly engine: 'auto' | 'uws' | 'node'
  readonly endpoints: readonly Endpoint[]
  /** The names of those that `web` names; others are a protocol's own. */
  readonly webListeners: readonly string[]
  readonly server: ServerOptions
  /** Of connections without a route. */
  readonly webSockets: Readonly<WebSocketDefaults>
  /** Bytes that may wait in all connections together. */
  readonly maxBuffered: number
  /** Connections a second that are told to leave. */
  readonly drainRate: number
  readonly admission: AdmissionSettings
  readonly observe: ObserveSettings
  readonly gateway: GatewaySettings
  readonly onebot: OneBotSettings
  readonly data: DataSettings
  /** Processes. */
  readonly workers: number
  /** Whether WebSockets are taken at all. */
  readonly upgrades: boolean
  /** Sub-protocols; null: whatever is offered first. */
  readonly protocols: readonly string[] | null
  /** The host's own name; null: what the request calls it. */
  readonly name: string | null
  readonly headers: HeaderList
  readonly redirects: readonly Redirect[]
  readonly routes: readonly RouteSettings[]
  /** Milliseconds for peers to say goodbye. */
  readonly drain: number
  /** What the user should hear about, though it is no error. */
  readonly warnings: readonly string[]
  /** What the config says itself about `web`, by dotted key. */
  readonly stated: ReadonlyMap<string, unknown>
}

/** Who is let in. */
export interface AdmissionSettings {
  /** Names of the host, in lower case; null: any. */
  readonly hosts: readonly string[] | null
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[]
  /** The host's own name; null: none in particular. */
  readonly name: string | null
  /** It can be reached from this machine only. */
  readonly loopback: boolean
  /** WebSockets that an address may have, and requests that it may make in a second; Infinity: any. */
  readonly addressConnections: number
  readonly addressRate: number
}

/** Where the world is. */
export interface DataSettings {
  readonly folder: string
  /** What was answered survives also a loss of power. */
  readonly full: boolean
}

export interface ObserveSettings {
  readonly log: 'text' | 'json'
  readonly connections: boolean
  readonly endpoint: Endpoint | null
  readonly token: string | null
}

export interface RouteSettings {
  readonly match: string
  readonly exact: boolean
  /** Not one path, but all that begin with one of these, below `match`; null: what `match` says. */
  readonly segments: readonly string[] | null
  /** Not what a path means, but how it is sent, without slashes at its end; null: what `match` says. */
  readonly sent: string | null
  /** The names of the listeners that have it. */
  readonly listeners: readonly string[]
  /** `files`: links to files of the world, which no config names. */
  readonly handler: 'file' | 'action' | 'observe' | 'gateway' | 'agent' | 'onebot' | 'files'
  /** Null: those of the handler. */
  readonly methods: readonly string[] | null
  readonly redirect: string | null
  readonly trim: string
  /** Over those of the host. */
  readonly headers: HeaderList
  /** Bytes of a request's body. */
  readonly maxBody: number
  readonly webSockets: Readonly<WebSocketDefaults>
  readonly token: string | null
  /** Each request needs a credential, of the route or of its handler. */
  readonly authenticates: boolean
  readonly role: string | null
  readonly origins: readonly string[]
  readonly module: string | null
  readonly documents: string
  readonly index: string
  readonly mime: Readonly<Record<string, string>>
  readonly compressed: boolean
  readonly cache: CacheSettings | null
  /** Of an agent channel; null for others. */
  readonly channel: ChannelRoute | null
  /** Of OneBot; null for others. */
  readonly onebot: OneBotEndpoint | null
}

export interface CacheSettings {
  /** The header. */
  readonly control: string
  /** Of what it is for, in lower case, without dot; null: all. */
  readonly extensions: readonly string[] | null
}
