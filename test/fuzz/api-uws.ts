import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import * as library from '../../lib/index.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { Calls } from './calls.ts'
import { openSockets } from './live.ts'
import { Random } from './random.ts'
import { play } from './scenes.ts'
import { must, type Outcome, type Runner, type Target } from './target.ts'
import { WirePeer } from './wire-peer.ts'

const CALLS = 200
const LANES = 4
/** Seldom: uWebSockets.js keeps what an app was given for as long as the process lives. */
const STOPS = 0.001
/** Milliseconds for everything to come to its end, with the 5 s that a peer has for its Close. */
const BOUND = 8000
/** A host on uws and the session that plays on it. */
class Stage {
  readonly host: Host
  session: Session | null = null

  constructor(random: Random) {
    const limits = {
      maxMessage: random.pick([0, 200, 10_000, 1_000_000]),
      maxBackpressure: random.pick([0, 100, 5000, 1_000_000]),
      maxQueue: random.pick([0, 1000]),
    }
    const webSockets = { protocol: null, compression: random.chance(0.3) }
    const timeouts = { inactivity: 'never', drain: random.pick([0, 0.05, 0.2]) }
    this.host = createHost(
      {
        web: {
          engine: 'uws',
          listen: 'http://127.0.0.1:0',
          routes: [{ match: '/', handler: 'action' }],
          limits,
          webSockets,
          timeouts,
        },
      },
      parts,
    )
    this.host.addAction('/', ({ webSocket }) => {
      if (webSocket !== null) this.session?.accept(webSocket)
    })
  }
}

/** Calls in random order on a few connections of uWebSockets.js. */
class Session {
  readonly calls: Calls
  readonly #random: Random
  readonly #host: Host
  readonly #peers: WirePeer[] = []
  readonly #handles: library.WebSocket[] = []
  #stopping: Promise<void> | null = null

  constructor(random: Random, host: Host) {
    this.#random = random
    this.#host = host
    this.calls = new Calls(random)
    this.calls.topics = host.topics
    this.calls.onEvent = () => {
      if (random.chance(STOPS)) this.#stop()
    }
  }

  get stopped(): boolean {
    return this.#stopping !== null
  }

  /** Inside of the request, or when its handler has returned. */
  accept(ws: library.WebSocket): void {
    this.#handles.push(ws)
    if (this.#random.chance(0.5)) this.calls.adopt(ws)
    else setImmediate(() => this.calls.adopt(ws))
  }

  async run(): Promise<void> {
    try {
      for (let i = 0; i < 3; i++) await this.#connect()
      while (this.calls.calls < CALLS) {
        await this.#step()
        this.#check()
      }
      await this.#finish()
    } catch (error) {
      throw this.calls.explain(error)
    } finally {
      for (const peer of this.#peers) peer.destroy()
      await this.#stopping
    }
  }

  async #step(): Promise<void> {
    const random = this.#random
    const dice = random.below(1000)
    if (dice < 550) this.calls.call()
    else if (dice < 800) this.#act()
    else if (dice < 920) await turn()
    else if (dice < 922) await sleep(60)
    else if (dice < 945) await this.#connect()
    else if (dice < 960) this.calls.settle(random.chance(0.2))
    else if (dice < 974) this.#play()
    else if (random.chance(STOPS)) this.#stop()
    else await Promise.resolve()
  }

  #act(): void {
    // The latest are the liveliest.
    const peers = this.#random.chance(0.7) ? this.#peers.slice(-3) : this.#peers
    peers[this.#random.below(peers.length)]?.act(this.#random)
  }

  async #connect(): Promise<void> {
    const port = this.#host.listening[0]?.port
    if (this.stopped || port === undefined) return
    try {
      this.#peers.push(await WirePeer.open(port, this.#random.chance(0.5)))
    } catch (error) {
      // A callback may have stopped the host meanwhile.
      if (!this.stopped) throw error
    }
  }

  #play(): void {
    const { maxMessage } = this.#host.settings.webSockets
    const open = this.#handles.filter(({ state }) => state === library.WS_STATE_OPEN)
    const ws = open[this.#random.below(open.length)]
    if (ws !== undefined) play({ random: this.#random, calls: this.calls, maxMessage }, ws)
  }

  #stop(): void {
    this.#stopping ??= this.#host.stop()
  }

  #check(): void {
    this.calls.check()
    for (const peer of this.#peers) peer.check()
  }

  /** Ends everything: nothing may be left. */
  async #finish(): Promise<void> {
    this.calls.quiet()
    for (const peer of this.#peers) peer.leave(this.#random)
    await this.#stopping
    const start = performance.now()
    const left = (): boolean =>
      this.calls.waiting || this.#host.connections > 0 || this.#peers.some(({ gone }) => !gone)
    while (left() && performance.now() - start < BOUND) {
      this.calls.settle(false)
      await turn()
    }
    this.#check()
    this.calls.checkOver()
    must(this.#host.connections === 0, () => `${this.#host.connections} connections are left`)
    must(!left(), 'peers are left')
  }
}

class ApiRunner implements Runner {
  /** One in each lane; a host that was stopped is replaced. */
  readonly #stages: (Stage | undefined)[] = []
  readonly #sockets = openSockets()
  #hosts = 0
  #events = 0

  make(random: Random): Buffer {
    return random.bytes(8)
  }

  async attempt(input: Buffer, lane: number): Promise<Outcome> {
    const random = Random.from(input)
    const stage = (this.#stages[lane] ??= await this.#open(random))
    const session = new Session(random, stage.host)
    stage.session = session
    await session.run()
    stage.session = null
    if (session.stopped) this.#stages[lane] = undefined
    this.#events += session.calls.events
    return { count: session.calls.calls, reached: session.calls.events > 0 }
  }

  async settle(): Promise<void> {
    await this.#close()
    const start = performance.now()
    while (openSockets() > this.#sockets) {
      must(performance.now() - start < BOUND, () => `${openSockets() - this.#sockets} sockets are left`)
      await sleep(1)
    }
  }

  async stop(): Promise<void> {
    await this.#close()
    library.rSetLogSink(null)
  }

  notes(): string {
    return `(${this.#hosts} hosts, ${this.#events} events)`
  }

  async #open(random: Random): Promise<Stage> {
    this.#hosts++
    const stage = new Stage(random)
    must((await stage.host.start()) === 0, () => stage.host.error ?? 'no start')
    return stage
  }

  async #close(): Promise<void> {
    for (const stage of this.#stages.splice(0)) await stage?.host.stop()
  }
}

/** Every function of the connection layer, on live connections of uWebSockets.js, whose misuse ends the process. */
export const apiUws: Target = {
  name: 'api-uws',
  full: 1_000_000,
  quick: 4000,
  lanes: LANES,
  minReached: 0.3,
  maxGrowth: 5e6,
  native: true,
  start: () => {
    library.rSetLogSink(() => {})
    return Promise.resolve(new ApiRunner())
  },
}
