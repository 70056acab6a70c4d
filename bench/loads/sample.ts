import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../server-process.ts'

/** What a load has found in a while. */
export interface Sample {
  /** Microseconds of server CPU per message that a client received, or per connection. */
  readonly cost: number
  /** Messages received, or connections opened, a second. */
  readonly rate: number
  /** What the server used, in cores. */
  readonly server: number
  /** What the client needed, in cores. */
  readonly client: number
  /** Where messages were due at times of their own. */
  readonly latency?: Latency
}

/** Microseconds from when a message was due, not from when it was sent, to its answer. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** By how much the client itself was late with sending, p99: a part of the others. */
  readonly late: number
}

/** A load on a running server. */
export interface Load {
  /** From idle to idle, so that what was used belongs to what was counted. */
  run(ms: number): Promise<Sample>
  close(): void
}

/** What the server and this process use while `work` runs, in microseconds. */
export async function account(
  server: Target,
  work: () => Promise<void>,
): Promise<{ elapsed: number; server: number; client: number }> {
  const [before = NaN] = await server.ask('cpu')
  const own = process.cpuUsage()
  const start = performance.now()
  await work()
  const elapsed = (performance.now() - start) * 1000
  const { user, system } = process.cpuUsage(own)
  const [after = NaN] = await server.ask('cpu')
  return { elapsed, server: after - before, client: user + system }
}

/** What all senders write at once. */
export interface Round {
  readonly messages: number
  /** Of the answers to them. */
  readonly bytes: number
  readonly write: () => void
}

/**
 * All senders write, and write again when everything is answered. So each server finds the same bursts however fast it
 * is. With senders that go on as soon as they have their own answer, a server that is faster than the client waits for
 * it, message by message, and pays for each time it wakes up: ratios shrink.
 */
export class InStep {
  #missing = 0
  #next: (() => void) | null = null

  readonly onBytes = (bytes: number): void => {
    this.#missing -= bytes
    if (this.#missing === 0) this.#next?.()
  }

  async run(server: Target, ms: number, { messages, bytes, write }: Round): Promise<Sample> {
    let rounds = 0
    const begin = (): void => {
      this.#missing = bytes
      write()
    }
    const used = await account(server, async () => {
      let running = true
      this.#next = () => {
        rounds++
        if (running) begin()
      }
      begin()
      await sleep(ms)
      running = false
      await settled(() => this.#missing, 'bytes of answers')
    })
    const count = rounds * messages
    return {
      cost: used.server / count,
      rate: (count / used.elapsed) * 1e6,
      server: used.server / used.elapsed,
      client: used.client / used.elapsed,
    }
  }
}

/** Milliseconds in which something has to come. */
const PATIENCE = 8000

/** Waits until nothing is missing; a server that loses an answer, or gives one too many, ends the measurement. */
export async function settled(missing: () => number, what: string): Promise<void> {
  let start = performance.now()
  let before = missing()
  while (missing() !== 0) {
    if (missing() !== before) start = performance.now()
    before = missing()
    if (missing() < 0) throw new Error(`the server has sent ${-missing()} ${what} too many`)
    if (performance.now() - start > PATIENCE) throw new Error(`the server has not sent ${missing()} ${what}`)
    await sleep(1)
  }
}
