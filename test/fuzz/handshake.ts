import { setImmediate as turn } from 'node:timers/promises'
import type { EngineName } from '../../lib/engine/port.ts'
import { RawClient } from '../support/raw.ts'
import { Live, within } from './live.ts'
import { Random } from './random.ts'
import { chunks, mutate, opening } from './sequences.ts'
import { must, type Outcome, type Runner, type Target } from './target.ts'

class HandshakeRunner implements Runner {
  readonly #live: Live
  #upgraded = 0
  #refused = 0

  constructor(live: Live) {
    this.#live = live
  }

  make(random: Random): Buffer {
    const bytes = opening(random)
    return random.chance(0.7) ? mutate(random, bytes) : bytes
  }

  async attempt(input: Buffer): Promise<Outcome> {
    const random = Random.from(input)
    const client = await within(RawClient.connect(this.#live.port), 'connecting')
    try {
      for (const piece of random.chance(0.5) ? [input] : chunks(random, input)) {
        client.send(piece)
        if (random.chance(0.5)) await turn()
      }
      if (random.chance(0.1)) {
        client.reset()
      } else {
        client.socket.end()
        await within(
          client.until(() => client.closed),
          'end after ours',
        )
      }
    } finally {
      client.destroy()
    }
    this.#live.check()
    const upgraded = client.received.subarray(0, 12).toString('latin1') === 'HTTP/1.1 101'
    if (upgraded) this.#upgraded++
    else if (client.received.length > 0) this.#refused++
    return { count: 1, reached: upgraded }
  }

  async settle(): Promise<void> {
    await this.#live.settle()
    const client = await within(RawClient.open(this.#live.port, '/echo'), 'a healthy handshake')
    client.reset()
    await this.#live.settle()
    must(this.#live.beats > 0, 'the healthy connection is silent')
  }

  stop(): Promise<void> {
    return this.#live.stop()
  }

  notes(): string {
    return `(${this.#upgraded} upgraded, ${this.#refused} answered otherwise)`
  }
}

/** Opening handshakes that are odd or broken: the server must live, and let go of them. */
const onEngine = (engine: EngineName): Omit<Target, 'name'> => ({
  full: 100_000,
  quick: 500,
  lanes: 50,
  minReached: 0,
  maxGrowth: 5e6,
  native: engine === 'uws',
  start: async () => new HandshakeRunner(await Live.start(engine)),
})
export const handshake: Target = { name: 'handshake', ...onEngine('node') }
export const handshakeUws: Target = { name: 'handshake-uws', ...onEngine('uws') }
