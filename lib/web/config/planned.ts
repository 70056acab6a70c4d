import type { Endpoint } from '../../engine/port.ts'
import { rateLimit } from './onebot-fields.ts'
import type { OneBotEndpoint } from './onebot-settings.ts'

/* What the makers of endpoints have in common. */

/** An endpoint, and where it listens; null: it does not, or where `web` does. */
export interface Planned {
  readonly endpoint: OneBotEndpoint
  readonly listener: Endpoint | null
  /** A client that reads too slowly misses what comes. */
  readonly drops: boolean
}

export const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text)

export function toRate(config: RateConfig | undefined): OneBotEndpoint['rate'] {
  const { enabled, frequency, bucket } = rateLimit.properties
  if (!(config?.enabled ?? enabled.default)) return null
  return { frequency: config?.frequency ?? frequency.default, bucket: config?.bucket ?? bucket.default }
}

export function toListener(name: string, host: string, port: number): Endpoint {
  return { name: port === 0 ? `onebot ${name}` : `${host}:${port}`, host, port, tls: null }
}

interface RateConfig {
  readonly enabled?: boolean
  readonly frequency?: number
  readonly bucket?: number
}
