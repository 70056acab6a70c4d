import { flag, MEASURE, texts, whole } from './fields.ts'
import { parseSize } from './units.ts'

/** The settings of the gateway, by the names that its specification has for them. */
export const gateway = {
  type: 'object',
  description:
    'The Together gateway: what `handler: gateway` serves. Each key can also be said by the environment: `FIBERWS_ACCESS_TTL_S` is `accessTtlS`.',
  properties: {
    apiPrefix: {
      type: 'string',
      reads: 'prefix',
      default: '',
      description: 'In front of the paths of its HTTP API, such as /api.',
    },
    jwtSecret: {
      type: 'string',
      reads: 'secret',
      secret: true,
      description: 'Signs access tokens, 32 bytes or more. Default: one that is made, and kept in the data folder.',
    },
    accessTtlS: whole(900, 'Seconds for which an access token is good.'),
    refreshTtlS: whole(604_800, 'Seconds for which a login lasts without being used.'),
    wsIdleS: whole(300, 'Seconds without anything from a client after which it is closed.'),
    wsMaxFrame: { type: MEASURE, reads: 'size', default: 16_384, description: 'Longest message of a client.' },
    wsRate: whole(20, 'Messages of one client in `wsRateWindowMs`: more are dropped. 0 is any number.'),
    wsRateWindowMs: whole(1000, 'Milliseconds.'),
    wsMaxConnsPerUser: whole(10, 'Connections of one user; one more closes the oldest.'),
    wsTokenExpiry: {
      enum: ['close', 'keep'],
      default: 'close',
      description: "What becomes of a connection when its token ends: 'keep' leaves it open until its session ends.",
    },
    reclaimMs: whole(
      30_000,
      'Milliseconds for which who was closed for that reason still counts as present, and of a crowd that goes at once all but some.',
    ),
    resumeS: whole(300, 'Seconds for which a client that asks for it can go on where its connection ended.'),
    resumeEvents: whole(1000, 'Events that are sent again then: who has missed more begins anew.'),
    resumeBytes: {
      type: MEASURE,
      reads: 'size',
      default: '16M',
      description: 'Events that are kept for it, of all clients.',
    },
    maxBackpressure: {
      type: MEASURE,
      reads: 'size',
      default: '16M',
      description: 'Who has more waiting than this is closed.',
    },
    rateLimits: { enum: ['on', 'off'], default: 'on', description: 'Of HTTP requests; off for load tests.' },
    httpMaxBody: { type: MEASURE, reads: 'size', default: '64K', description: 'Body of a request.' },
    maxFile: { type: MEASURE, reads: 'size', default: '8M', description: 'A file that is sent with a message.' },
    origins: texts('Origins from which browsers may use it; default: any, for it needs a token.', 'origin'),
    allowedOrigins: texts('The same as `origins`.', 'origin'),
    demo: flag(false, 'A world to try, made where there is none: two people, a bot, a server with two channels.'),
    iceServers: {
      type: 'array',
      description: 'What clients set up calls with, beside each other: `GET /ice-servers`. Default: none.',
      items: {
        type: 'object',
        required: ['urls'],
        properties: {
          urls: texts('Where it is: `stun:…`, `turn:…`.', 'ice'),
          username: { type: 'string', description: 'With `credential`, for all.' },
          credential: { type: 'string', secret: true, description: 'The same for all, and for good.' },
          secret: {
            type: 'string',
            secret: true,
            description:
              'In place of both: shared with the server, as `use-auth-secret` of coturn; each client gets a credential of its own.',
          },
        },
      },
    },
    iceTtlS: whole(43_200, 'Seconds for which such a credential is good.'),
    register: flag(true, 'Whether anybody who can reach it may make an account.'),
  },
} as const

/** What helps two peers to find each other. */
export interface IceServer {
  readonly urls: readonly string[]
  readonly username: string | null
  readonly credential: string | null
  /** Makes a credential for each who asks; null: it has one, or none. */
  readonly secret: string | null
}

export interface GatewaySettings {
  readonly apiPrefix: string
  readonly jwtSecret: string | null
  /** Milliseconds, here and below. */
  readonly accessTtl: number
  readonly refreshTtl: number
  readonly idle: number
  readonly rateWindow: number
  readonly reclaim: number
  readonly resumeFor: number
  readonly iceTtl: number
  /** Bytes. */
  readonly maxFrame: number
  readonly maxBackpressure: number
  readonly maxBody: number
  readonly maxFile: number
  readonly resumeBytes: number
  /** Messages in a window; Infinity: any. */
  readonly rate: number
  readonly resumeEvents: number
  readonly maxConnections: number
  readonly closesOnExpiry: boolean
  readonly limitsRates: boolean
  readonly origins: readonly string[]
  readonly iceServers: readonly IceServer[]
  readonly register: boolean
  readonly demo: boolean
}

/** What the gateway's HTTP API has below its prefix: the first part of its paths. */
export const API_SEGMENTS = [
  'auth',
  'users',
  'bots',
  'servers',
  'channels',
  'messages',
  'polls',
  'dm-channels',
  'invites',
  'emojis',
  'portraits',
  'files',
  'friend-requests',
  'ice-servers',
  'health',
] as const

interface GatewayConfig {
  apiPrefix?: string
  jwtSecret?: string
  accessTtlS?: number
  refreshTtlS?: number
  wsIdleS?: number
  wsMaxFrame?: number | string
  wsRate?: number
  wsRateWindowMs?: number
  wsMaxConnsPerUser?: number
  wsTokenExpiry?: 'close' | 'keep'
  reclaimMs?: number
  resumeS?: number
  resumeEvents?: number
  resumeBytes?: number | string
  maxBackpressure?: number | string
  rateLimits?: 'on' | 'off'
  httpMaxBody?: number | string
  maxFile?: number | string
  origins?: readonly string[]
  allowedOrigins?: readonly string[]
  iceServers?: readonly (Partial<Omit<IceServer, 'urls'>> & Pick<IceServer, 'urls'>)[]
  iceTtlS?: number
  register?: boolean
  demo?: boolean
}

export function toGateway(config: GatewayConfig): GatewaySettings {
  const { properties: by } = gateway
  const rate = config.wsRate ?? by.wsRate.default
  return {
    apiPrefix: config.apiPrefix ?? by.apiPrefix.default,
    jwtSecret: config.jwtSecret ?? null,
    accessTtl: 1000 * (config.accessTtlS ?? by.accessTtlS.default),
    refreshTtl: 1000 * (config.refreshTtlS ?? by.refreshTtlS.default),
    idle: 1000 * (config.wsIdleS ?? by.wsIdleS.default),
    rateWindow: config.wsRateWindowMs ?? by.wsRateWindowMs.default,
    reclaim: config.reclaimMs ?? by.reclaimMs.default,
    resumeFor: 1000 * (config.resumeS ?? by.resumeS.default),
    resumeEvents: config.resumeEvents ?? by.resumeEvents.default,
    resumeBytes: parseSize(config.resumeBytes ?? by.resumeBytes.default),
    maxFrame: parseSize(config.wsMaxFrame ?? by.wsMaxFrame.default),
    maxBackpressure: parseSize(config.maxBackpressure ?? by.maxBackpressure.default),
    maxBody: parseSize(config.httpMaxBody ?? by.httpMaxBody.default),
    maxFile: parseSize(config.maxFile ?? by.maxFile.default),
    rate: rate === 0 ? Infinity : rate,
    maxConnections: config.wsMaxConnsPerUser ?? by.wsMaxConnsPerUser.default,
    closesOnExpiry: (config.wsTokenExpiry ?? by.wsTokenExpiry.default) === 'close',
    limitsRates: (config.rateLimits ?? by.rateLimits.default) === 'on',
    origins: config.origins ?? config.allowedOrigins ?? [],
    iceServers: (config.iceServers ?? []).map(({ urls, username = null, credential = null, secret = null }) => ({
      urls,
      username,
      credential,
      secret,
    })),
    iceTtl: 1000 * (config.iceTtlS ?? by.iceTtlS.default),
    register: config.register ?? by.register.default,
    demo: config.demo ?? by.demo.default,
  }
}
