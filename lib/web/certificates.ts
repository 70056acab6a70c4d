import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Endpoint, TlsFiles } from '../engine/port.ts'
import { rError, rInfo } from '../websock/log.ts'
import { rereadTls } from './config/tls.ts'
import type { Host } from './host.ts'
import { describe } from './listening.ts'

/** Milliseconds between looks at the files. */
const LOOK = 2000

/** Calls `changed` when a file of a certificate is not what was read of it, until the returned function is called. */
export function watchCertificates(endpoints: readonly Endpoint[], changed: () => void): () => void {
  const seen = new Map<string, Buffer | null>()
  for (const { tls } of endpoints) {
    if (tls !== null) seen.set(tls.certFile, tls.cert).set(tls.keyFile, tls.key)
  }
  if (seen.size === 0) return () => {}
  const look = async (): Promise<void> => {
    let news = false
    for (const [file, before] of seen) {
      const now = await readFile(file).catch(() => null)
      if (now === null ? before === null : before?.equals(now) === true) continue
      seen.set(file, now)
      news = true
    }
    if (news) changed()
  }
  const timer = setInterval(() => void look(), LOOK).unref()
  return () => clearInterval(timer)
}

/** The same listeners with the certificates of now. Throws what is wrong with them: while they are being written much is. */
export function rereadCertificates(endpoints: readonly Endpoint[]): Endpoint[] {
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
