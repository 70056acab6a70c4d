import { isDeepStrictEqual } from 'node:util'
import type { Endpoint, ServerPort } from '../engine/port.ts'

/** Where a host can be reached. */
export interface Listening {
  readonly endpoint: Endpoint
  /** The certificate that it has now. */
  readonly tls: Endpoint['tls']
  readonly url: string
  readonly port: number
}

/** Opens listeners one after the other; rejects with the system's error at the first that fails. */
export async function openListeners(server: ServerPort, endpoints: readonly Endpoint[]): Promise<Listening[]> {
  const listening: Listening[] = []
  for (const endpoint of endpoints) {
    const port = await server.listen(endpoint)
    const url = `${endpoint.tls === null ? 'http' : 'https'}://${urlHost(endpoint.host)}:${port}`
    listening.push({ endpoint, tls: endpoint.tls, url, port })
  }
  return listening
}

const isSame = (one: Endpoint, other: Endpoint): boolean =>
  one.host === other.host && one.port === other.port && (one.tls === null) === (other.tls === null)

/**
 * Opens what is new, closes what is no longer wanted, and lets the rest be, with the certificates of now. Rejects with the
 * system's error when one cannot be opened: all is as it was then.
 */
export async function changeListeners(
  server: ServerPort,
  before: readonly Listening[],
  endpoints: readonly Endpoint[],
): Promise<Listening[]> {
  const left = new Set(before)
  const staying: [Listening, Endpoint][] = []
  const added: Endpoint[] = []
  for (const endpoint of endpoints) {
    const one = [...left].find((known) => isSame(known.endpoint, endpoint))
    if (one === undefined) added.push(endpoint)
    else staying.push([one, endpoint])
    if (one !== undefined) left.delete(one)
  }
  const opened: Listening[] = []
  const kept: Listening[] = []
  try {
    for (const endpoint of added) opened.push(...(await openListeners(server, [endpoint])))
    for (const [one, { tls }] of staying) {
      if (tls !== null && !isDeepStrictEqual(tls, one.tls)) await server.setTls(one.endpoint, tls)
      kept.push({ ...one, tls })
    }
  } catch (error) {
    for (const { endpoint } of opened) server.unlisten(endpoint)
    throw error
  }
  for (const { endpoint } of left) server.unlisten(endpoint)
  return [...kept, ...opened]
}

/** How a person on this machine spells a listener's host. */
function urlHost(host: string): string {
  if (host === '::' || host === '0.0.0.0') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** What the system says about a listener, as a sentence that says what to do. */
const LISTEN_ERRORS: Readonly<
  Record<string, (error: NodeJS.ErrnoException & { port?: unknown; hostname?: unknown }) => string>
> = {
  EADDRINUSE: ({ port }) =>
    `Port ${String(port)} is in use: stop what listens there, or choose another with --listen or in the config`,
  EACCES: ({ port }) => `Port ${String(port)} needs privileges: choose one above 1023`,
  EADDRNOTAVAIL: ({ message }) => `This machine does not have that address: ${message}`,
  ENOTFOUND: ({ hostname }) => `There is no host '${String(hostname)}': check listen`,
}

/** What went wrong, for a person. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const known = 'code' in error ? LISTEN_ERRORS[String(error.code)] : undefined
  return known?.(error) ?? error.message
}
