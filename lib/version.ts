import { createRequire } from 'node:module'

/** Of this program. */
export function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('fiberws/package.json')
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : 'unknown'
}
