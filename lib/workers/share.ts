import { findFreePort } from '../engine/free-port.ts'
import type { Endpoint } from '../engine/port.ts'
import type { Settings } from '../web/config/settings.ts'

/** Ports that stand for 0: they have to be the same for all workers, and to stay. */
export class Ports {
  readonly #found = new Map<string, number>()

  /** Listeners with their ports. Rejects with the system's error for one that cannot be had, where `anew` asks for all. */
  async resolve(endpoints: readonly Endpoint[], anew: boolean): Promise<Endpoint[]> {
    const resolved: Endpoint[] = []
    const seen = new Map<string, number>()
    // One after the other: two may want the same.
    for (const endpoint of endpoints) {
      const { host, port, tls } = endpoint
      const kind = `${host} ${tls === null ? 'http' : 'https'}`
      const count = (seen.get(kind) ?? 0) + (port === 0 ? 1 : 0)
      seen.set(kind, count)
      const key = `${kind} ${count}`
      const known = port === 0 ? this.#found.get(key) : port
      const found = known === undefined || anew ? await findFreePort(host, known ?? 0) : known
      if (port === 0) this.#found.set(key, found)
      resolved.push({ ...endpoint, port: found })
    }
    return resolved
  }
}

/** The part of one worker in the settings of all. */
export const toShare = (settings: Settings, endpoints: readonly Endpoint[], workers: number): Settings => ({
  ...settings,
  endpoints,
  server: { ...settings.server, sharesPorts: true },
  drainRate: settings.drainRate / workers,
  // The primary answers for all.
  observe: { ...settings.observe, endpoint: null },
})
