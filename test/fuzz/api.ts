import { setImmediate as turn } from 'node:timers/promises'
import * as library from '../../lib/index.ts'
import { type Bench, bench, traits } from '../support/memory.ts'
import { Calls } from './calls.ts'
import { MemoryPeer } from './memory-peer.ts'
import { Random } from './random.ts'
import { must, type Outcome, type Target } from './target.ts'

const CALLS = 200

/** Calls in random order on a few connections in memory. */
class Session {
  readonly calls: Calls
  readonly #random: Random
  readonly #bench: Bench
  readonly #peers: MemoryPeer[] = []

  constructor(random: Random) {
    this.#random = random
    this.calls = new Calls(random)
    this.#bench = bench({
      maxMessage: random.pick([0, 200, 10_000]),
      maxBackpressure: random.pick([0, 100, 5000]),
    })
    this.calls.topics = this.#bench.context.topics
  }

  async run(): Promise<void> {
    try {
      for (let i = 0; i < 3; i++) this.#connect()
      while (this.calls.calls < CALLS) {
        await this.#step()
        this.#check()
      }
      await this.#finish()
    } catch (error) {
      throw this.calls.explain(error)
    }
  }

  async #step(): Promise<void> {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 70) this.calls.call()
    else if (dice < 90) this.#peers[random.below(this.#peers.length)]?.act(random)
    else if (dice < 93) this.#bench.clock.turn()
    else if (dice < 94) this.#bench.clock.advance(random.pick([50, 1000, 6000]))
    else if (dice < 96) this.#connect()
    else if (dice < 98) this.calls.settle(random.chance(0.2))
    else await Promise.resolve()
  }

  #connect(): void {
    const kind = this.#random.pick([traits.node, traits.uws])
    const { transport, ws } = this.#bench.connect(kind)
    this.#peers.push(new MemoryPeer(transport, kind.closesAtOnce))
    this.calls.adopt(ws)
  }

  #check(): void {
    this.calls.check()
    for (const peer of this.#peers) peer.checkSent()
  }

  /** Ends everything: nothing may be left. */
  async #finish(): Promise<void> {
    const { clock, context } = this.#bench
    this.calls.quiet()
    for (const peer of this.#peers) peer.leave()
    for (let rounds = 0; rounds < 200 && this.calls.waiting; rounds++) {
      this.calls.settle(false)
      clock.turn()
      await Promise.resolve()
      if (rounds % 20 === 19) await turn()
    }
    clock.advance(20_000)
    this.#check()
    this.calls.checkOver()
    must(context.connections.size === 0, `${context.connections.size} connections are left`)
    must(context.wheel.size === 0 && clock.timers === 0, 'a timer is left')
  }
}

async function attempt(input: Buffer): Promise<Outcome> {
  const session = new Session(Random.from(input))
  await session.run()
  return { count: session.calls.calls, reached: session.calls.events > 0 }
}

/** Every function of the connection layer, on handles in any state: no throw, no undocumented code, events in order. */
export const api: Target = {
  name: 'api',
  full: 1_000_000,
  quick: 20_000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () => {
    library.rSetLogSink(() => {})
    return Promise.resolve({
      make: (random) => random.bytes(8),
      attempt,
      settle: async () => {
        await turn()
      },
      stop: () => {
        library.rSetLogSink(null)
        return Promise.resolve()
      },
      notes: () => '',
    })
  },
}
