import JSON5 from 'json5'
import { isRecord, schemaAt, walk } from './check.ts'
import type { SchemaNode } from './fields.ts'
import { configSchema } from './schema.ts'

/** A config with all its defaults, as text; secrets are left out, and so is what may not be shown. */
export function printConfig(config: unknown, hidden: ReadonlySet<unknown>): string {
  const secret = [...walk(config)].filter(({ path }) => schemaAt(path)?.secret === true)
  const secrets = new Set(secret.map(({ value }) => value))
  return JSON5.stringify(complete(configSchema, config), {
    space: 2,
    quote: "'",
    replacer: (_key, value: unknown) =>
      secrets.has(value) ? '(secret)' : hidden.has(value) ? '(from the environment)' : value,
  })
}

/** Fills in defaults, and leaves out what nobody knows; objects that have some and are not there are made. */
function complete(node: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => complete(node.items ?? {}, item))
  if (value === undefined && node.default !== undefined) return node.default
  if (node.properties === undefined || (value !== undefined && !isRecord(value))) return value
  const given = value ?? {}
  const known = Object.entries(node.properties).map(([key, inner]) => [key, complete(inner, given[key])] as const)
  const all = Object.fromEntries(known.filter(([, inner]) => inner !== undefined))
  return value === undefined && (node.required !== undefined || Object.keys(all).length === 0) ? undefined : all
}

/** A commented config to begin with. */
export const INITIAL = `// fiberws: see docs/config.md for everything that can stand here.
{
  web: {
    // Where it listens. All addresses: ':8080'; with TLS: 'https://…', and a \`tls\` section.
    listen: 'http://127.0.0.1:8080',

    webSockets: {
      // Sub-protocols that clients may choose; null takes any.
      protocol: 'chat',
      // '30secs' notices dead peers; 'never' sends none.
      ping: 'never',
    },

    limits: { maxMessage: '1MB', maxFrame: '128K', connections: 10000 },

    // The first match wins.
    routes: [
      // A WebSocket, served by the default export of a module.
      // { match: '/ws/', handler: 'action', module: './ws.ts' },

      // Files of a folder.
      { match: '/', handler: 'file', documents: './site' },
    ],
  },

  // tls: { certificate: './cert.pem', key: './key.pem' },
}
`
