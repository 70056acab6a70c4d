import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach } from 'vitest'
import type { Resolve } from '../../lib/onebot/media/fetch.ts'

/* Servers that are fetched from, and such as nothing may come to. */

const servers = new Set<Server>()
afterEach(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  servers.clear()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that notes to which address each connection came. */
export class Trap {
  readonly port: number
  readonly connections: string[]

  private constructor(port: number, connections: string[]) {
    this.port = port
    this.connections = connections
  }

  /** @param host by default all addresses of this machine */
  static async start(answer: Answer = (_request, response) => response.end('secret'), host?: string): Promise<Trap> {
    const connections: string[] = []
    const server = createServer(answer)
    servers.add(server)
    server.on('connection', ({ localAddress = '' }) => connections.push(localAddress.replace('::ffff:', '')))
    server.listen(0, host)
    await once(server, 'listening')
    const address = server.address()
    return new Trap(typeof address === 'object' && address !== null ? address.port : 0, connections)
  }
}

/** Names of a test; each time that one is asked for it gets the next of its addresses, and the last from then on. */
export function names(table: Readonly<Record<string, readonly (string | readonly string[])[]>>) {
  const asked: string[] = []
  const resolve: Resolve = async (host) => {
    const all = table[host] ?? []
    const times = asked.filter((one) => one === host).length
    asked.push(host)
    const found = all[Math.min(times, all.length - 1)]
    if (found === undefined) throw new Error(`ENOTFOUND ${host}`)
    return [found].flat().map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
  return { asked, resolve }
}
