import type { Endpoint } from '../engine/port.ts'
import { checkConfig } from './config/load.ts'
import type { Settings } from './config/settings.ts'

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
