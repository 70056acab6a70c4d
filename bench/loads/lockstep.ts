import type { Socket } from 'node:net'
import type { Target } from '../server-process.ts'
import type { LockstepLoad } from '../workload.ts'
import { answerLength, masked, open } from './peer.ts'
import { InStep, type Load } from './sample.ts'

/** Messages on connections, all in step. */
export async function openLockstep(server: Target, { connections, inFlight, size, path }: LockstepLoad): Promise<Load> {
  const batch = Buffer.concat(Array.from({ length: inFlight }, () => masked(size)))
  const messages = inFlight * connections
  const sockets: Socket[] = []
  const step = new InStep()
  for (let i = 0; i < connections; i++) sockets.push(await open(server.port, path, step.onBytes))
  const senders = path === '/fan' ? sockets.slice(0, 1) : sockets
  return {
    run: (ms) =>
      step.run(server, ms, {
        messages,
        bytes: messages * answerLength(size),
        write: () => {
          for (const socket of senders) socket.write(batch)
        },
      }),
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
