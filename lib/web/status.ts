import type { Endpoint } from '../engine/port.ts'
import { checkConfig } from './config/load.ts'
import type { ObserveSettings, Settings } from './config/settings.ts'
import type { Host } from './host.ts'
import type { Parts } from './preparation.ts'
import { toReportHandler } from './handlers/observe.ts'
import type { Reporter } from './observer.ts'

/**
 * A host that serves only what there is to know about another. Whether it lives, load balancers may ask; the rest is for who
 * has the token, where there is one.
 */
function toStatusSettings(endpoint: Endpoint, token: string | null): Settings {
  const settings = checkConfig(
    {
      web: {
        engine: 'node',
        routes: [
          { match: '/healthz', handler: 'observe' },
          { match: '/readyz', handler: 'observe' },
          { match: '/', handler: 'observe', ...(token === null ? {} : { token }) },
        ],
      },
    },
    '',
  )
  return { ...settings, endpoints: settings.endpoints.map(({ name }) => ({ ...endpoint, name })) }
}

/** The same parts, for a host that tells about another. */
const toStatusParts = (parts: Parts, about: Reporter): Parts => ({
  ...parts,
  handlers: { ...parts.handlers, observe: ({ match }) => toReportHandler(about, match) },
})

/** Opens `observe.listen`; null where there is none. Rejects with what the system says. */
export async function openStatus(
  { endpoint, token }: ObserveSettings,
  parts: Parts,
  about: Reporter,
  create: (settings: Settings, parts: Parts) => Host,
): Promise<Host | null> {
  if (endpoint === null) return null
  const status = create(toStatusSettings(endpoint, token), toStatusParts(parts, about))
  if ((await status.start()) !== 0) throw new Error(`observe.listen: ${status.error ?? 'cannot listen'}`)
  return status
}
