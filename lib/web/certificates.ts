import { unwatchFile, watchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Endpoint, TlsFiles } from '../engine/port.ts'
import { rError, rInfo } from '../websock/log.ts'
import { rereadTls } from './config/tls.ts'
import type { Host } from './host.ts'
import { describe } from './listening.ts'

/** Milliseconds between looks at the files; a look follows links, as those of certbot. */
const LOOK = 2000

/** Calls `changed` when a file of a certificate has, until the returned function is called. */
export function watchCertificates(endpoints: readonly Endpoint[], changed: () => void): () => void {
  const files = new Set(endpoints.flatMap(({ tls }) => (tls === null ? [] : [tls.certFile, tls.keyFile])))
  // Hosts may share a certificate: many of them are no leak.
  for (const file of files) watchFile(file, { interval: LOOK, persistent: false }, changed).setMaxListeners(0)
  return () => {
    for (const file of files) unwatchFile(file, changed)
  }
}

/** The same listeners with the certificates of now. Throws what is wrong with them: while they are being written much is. */
function rereadCertificates(endpoints: readonly Endpoint[]): Endpoint[] {
  const known = new Map<TlsFiles, TlsFiles>()
  return endpoints.map((endpoint) => {
    const { tls } = endpoint
    if (tls === null) return endpoint
    const now = known.get(tls) ?? rereadTls(tls)
    known.set(tls, now)
    return { ...endpoint, tls: now }
  })
}

/** A certificate may have changed: new connections get it, those that are there live on. */
export async function renewCertificates(host: Host): Promise<void> {
  try {
    let changed = false
    const code = await host.reload((settings) => {
      const endpoints = rereadCertificates(settings.endpoints)
      changed = !isDeepStrictEqual(endpoints, settings.endpoints)
      return changed ? { ...settings, endpoints } : settings
    })
    if (code !== 0) throw new Error(host.error ?? 'Cannot reload')
    if (changed) rInfo('web', 'new certificate: connections get it from now on')
  } catch (error) {
    rError('web', 'the certificate has changed, and the old one stays: %s', describe(error))
  }
}
