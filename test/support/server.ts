import { afterEach } from 'vitest'
import type { Config, WebAction } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'

/** Engines that the shared tests run on. */
export const engines = ['node', 'uws'] as const
export type EngineName = (typeof engines)[number]

const hosts = new Set<Host>()

afterEach(async () => {
  await Promise.all([...hosts].map((host) => host.stop()))
  hosts.clear()
})

export interface TestServer {
  readonly host: Host
  readonly port: number
}

/** A host on a free port with one action on every path; stopped after the test. */
export async function serve(engine: EngineName, action: WebAction, web: Config['web'] = {}): Promise<TestServer> {
  const server = await start(engine, action, web)
  hosts.add(server.host)
  return server
}

/** The same; whoever starts it stops it. */
export async function start(engine: EngineName, action: WebAction, web: Config['web'] = {}): Promise<TestServer> {
  const host = createHost(
    {
      web: {
        ...web,
        engine,
        listen: 'http://127.0.0.1:0',
        webSockets: { protocol: null, ...web?.webSockets },
        limits: { maxMessage: '64MB', maxFrame: 'unlimited', ...web?.limits },
        timeouts: { inactivity: 'never', drain: 0.1, ...web?.timeouts },
        routes: web?.routes ?? [{ match: '/', handler: 'action' }],
      },
    },
    parts,
  )
  host.addAction('/', action)
  if ((await host.start()) !== 0) throw new Error(host.error ?? 'no start')
  return { host, port: host.listening[0]?.port ?? 0 }
}
