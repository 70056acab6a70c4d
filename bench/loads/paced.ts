import type { Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import type { Target } from '../server-process.ts'
import type { PacedLoad } from '../workload.ts'
import { answerLength, masked, open } from './peer.ts'
import { account, type Load, type Sample, settled } from './sample.ts'

/** One connection: when those of its messages were due that are not answered yet. */
interface Line {
  readonly socket: Socket
  readonly due: number[]
}

/**
 * Messages that are due at a fixed rate, and are sent then, whether earlier ones are answered or not. What a message
 * took is counted from when it was due: a server that stalls is late with all that came due meanwhile, and a client that
 * waited for it before it sent the next would not see that (coordinated omission).
 */
export async function openPaced(server: Target, { connections, rate, size }: PacedLoad): Promise<Load> {
  const message = masked(size)
  const answer = answerLength(size)
  const lines: Line[] = []
  /** Milliseconds of this process in which it had something to do. */
  let busy = 0
  let missing = 0
  // Nanoseconds; at least 1.
  let took = createHistogram()
  let late = createHistogram()
  const record = (histogram: typeof took, ms: number): void => histogram.record(Math.max(1, Math.round(ms * 1e6)))

  for (let i = 0; i < connections; i++) {
    const due: number[] = []
    let part = 0
    const onBytes = (bytes: number): void => {
      const now = performance.now()
      for (part += bytes; part >= answer; part -= answer) {
        record(took, now - (due.shift() ?? now))
        missing--
      }
      busy += performance.now() - now
    }
    lines.push({ socket: await open(server.port, '/echo', onBytes), due })
  }

  /** Spins: a timer would be late by up to a millisecond. */
  const send = (ms: number): Promise<number> =>
    new Promise((resolve) => {
      const start = performance.now()
      let sent = 0
      const turn = (): void => {
        const now = performance.now()
        for (; sent < ((now - start) / 1000) * rate && sent < (ms / 1000) * rate; sent++) {
          const line = lines[sent % lines.length]
          const due = start + (sent / rate) * 1000
          record(late, performance.now() - due)
          missing++
          line?.due.push(due)
          line?.socket.write(message)
        }
        busy += performance.now() - now
        if (sent < (ms / 1000) * rate) setImmediate(turn)
        else resolve(sent)
      }
      turn()
    })

  return {
    run: async (ms): Promise<Sample> => {
      took = createHistogram()
      late = createHistogram()
      busy = 0
      let messages = 0
      const used = await account(server, async () => {
        messages = await send(ms)
        await settled(() => missing, 'answers')
      })
      const at = (p: number): number => took.percentile(p) / 1000
      return {
        cost: used.server / messages,
        rate: (messages / used.elapsed) * 1e6,
        server: used.server / used.elapsed,
        client: (busy * 1000) / used.elapsed,
        latency: { p50: at(50), p99: at(99), p999: at(99.9), max: took.max / 1000, late: late.percentile(99) / 1000 },
      }
    },
    close: () => {
      for (const { socket } of lines) socket.destroy()
    },
  }
}
