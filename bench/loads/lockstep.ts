import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../server-process.ts'
import type { LockstepLoad } from '../workload.ts'
import { answerLength, masked, open } from './peer.ts'
import { account, type Load, type Sample, settled } from './sample.ts'

/**
 * All senders write, and write again when everything is answered. So each server finds the same bursts however fast it
 * is. With senders that go on as soon as they have their own answer, a server that is faster than the client waits for
 * it, message by message, and pays for each time it wakes up: ratios shrink.
 */
export async function openLockstep(server: Target, { connections, inFlight, size, path }: LockstepLoad): Promise<Load> {
  const batch = Buffer.concat(Array.from({ length: inFlight }, () => masked(size)))
  const perRound = inFlight * connections
  const sockets: Socket[] = []
  let missing = 0
  let messages = 0
  let running = false

  const send = (): void => {
    missing = perRound * answerLength(size)
    if (path === '/fan') sockets[0]?.write(batch)
    else for (const socket of sockets) socket.write(batch)
  }
  const onBytes = (bytes: number): void => {
    missing -= bytes
    if (missing !== 0) return
    messages += perRound
    if (running) send()
  }
  for (let i = 0; i < connections; i++) sockets.push(await open(server.port, path, onBytes))

  return {
    run: async (ms): Promise<Sample> => {
      messages = 0
      const used = await account(server, async () => {
        running = true
        send()
        await sleep(ms)
        running = false
        await settled(() => missing, 'bytes of answers')
      })
      return {
        cost: used.server / messages,
        rate: (messages / used.elapsed) * 1e6,
        server: used.server / used.elapsed,
        client: used.client / used.elapsed,
      }
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
