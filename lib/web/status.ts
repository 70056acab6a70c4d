import type { Endpoint } from '../engine/port.ts'
import { checkConfig } from './config/load.ts'
import type { Settings } from './config/settings.ts'
import type { Parts } from './preparation.ts'
import { toReportHandler } from './handlers/observe.ts'
import type { Reporter } from './observer.ts'

/**
 * A host that serves only what there is to know about another. Whether it lives, load balancers may ask; the rest is for who
 * has the token, where there is one.
 */
export const toStatusSettings = (endpoint: Endpoint, token: string | null): Settings => ({
  ...checkConfig(
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
  ),
  endpoints: [endpoint],
})

/** The same parts, for a host that tells about another. */
export const toStatusParts = (parts: Parts, about: Reporter): Parts => ({
  ...parts,
  handlers: { ...parts.handlers, observe: () => toReportHandler(about) },
})
