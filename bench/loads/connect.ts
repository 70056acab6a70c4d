import type { Target } from '../server-process.ts'
import type { ConnectLoad } from '../workload.ts'
import { openSilent } from './peer.ts'
import { account, type Load, type Sample } from './sample.ts'

/** Opens connections, resets them when all are upgraded, and so on. A reset leaves no port behind that waits. */
export function openConnects(server: Target, { parallel, world }: ConnectLoad): Load {
  return {
    run: async (ms): Promise<Sample> => {
      let connections = 0
      const used = await account(server, async () => {
        const end = performance.now() + ms
        while (performance.now() < end) {
          const sockets = await Promise.all(
            Array.from({ length: parallel }, (_, i) => openSilent(server.port, i, world)),
          )
          for (const socket of sockets) socket.resetAndDestroy()
          connections += parallel
        }
      })
      return {
        cost: used.server / connections,
        rate: (connections / used.elapsed) * 1e6,
        server: used.server / used.elapsed,
        client: used.client / used.elapsed,
      }
    },
    close: () => {},
  }
}
