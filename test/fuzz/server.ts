import { setImmediate as turn } from 'node:timers/promises'
import type { EngineName } from '../../lib/engine/port.ts'
import { close, ping, readFrames } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { Live, MANNERS, type Manner, within } from './live.ts'
import { Model } from './model.ts'
import { Random } from './random.ts'
import { chunks, mutate, sequence } from './sequences.ts'
import { must, type Outcome, Problem, type Runner, type Target } from './target.ts'

const LANES = 100
/** Sequences that a connection gets, if it lives. */
const PER_CONNECTION = 40
const NO_STATUS = 1005
const OVERFLOW = 1008

/** One connection and what it has said. */
class Peer {
  over = false
  sequences = 0
  readonly history: Buffer[] = []
  readonly #client: RawClient
  readonly #manner: Manner
  readonly #model: Model
  readonly #mayOverflow: boolean
  #got: Buffer[] = []
  #pong: Buffer | null = null
  #closeStatus: number | null = null

  constructor(client: RawClient, manner: Manner, engine: EngineName) {
    this.#client = client
    this.#manner = manner
    this.#model = new Model(manner, engine)
    this.#mayOverflow = engine === 'uws' && manner.slow === true
  }

  /** Sends an input and a ping behind it, and waits for what must come of them. */
  async play(input: Buffer, random: Random): Promise<void> {
    this.sequences++
    const sync = Buffer.from(`sync ${this.sequences}`)
    const bytes = Buffer.concat([input, ping(sync)])
    this.history.push(bytes)
    this.#model.push(bytes)
    for (const piece of chunks(random, bytes)) {
      this.#client.send(piece)
      if (random.chance(0.5)) await turn()
    }
    if (this.#model.loose) await this.#anyhow(random)
    else if (this.#model.ends !== null) await this.#ended(this.#model.ends)
    else if (this.#model.lastPing?.equals(sync)) await this.#synced(sync)
    else await this.cut(random)
  }

  /** Says goodbye in one of the ways there are. */
  async leave(random: Random): Promise<void> {
    if (this.over) return
    if (random.chance(0.4)) return this.cut(random)
    const bytes = close(1000, 'bye')
    this.history.push(bytes)
    this.#model.push(bytes)
    this.#client.send(bytes)
    await this.#ended(this.#model.ends ?? 0)
  }

  /** Ends TCP without a Close: none may come back. */
  async cut(random: Random): Promise<void> {
    this.over = true
    if (random.chance(0.2)) return this.#client.reset()
    this.#client.socket.end()
    await within(
      this.#client.until(() => this.#client.closed),
      `end after ours on ${this.#manner.path}`,
    )
    this.#read()
    must(this.#closeStatus === null || this.#overflowed, () => `Close ${this.#closeStatus} without a reason`)
  }

  get loose(): boolean {
    return this.#model.loose
  }

  destroy(): void {
    this.#client.destroy()
  }

  async #ended(status: number): Promise<void> {
    this.over = true
    await within(
      this.#client.until(() => this.#client.ended),
      `end after ${status} on ${this.#manner.path}`,
    )
    this.#read()
    const right = this.#closeStatus === status || this.#overflowed
    must(right, () => `Close ${this.#closeStatus} in place of ${status} on ${this.#manner.path}`)
    const complete = !this.#model.orderly || this.#manner.slow || (this.#manner.partial && this.#model.inMessage)
    must(complete || this.#model.expected.length === 0, () => `an echo before Close is missing on ${this.#manner.path}`)
    this.#client.socket.end()
    await within(
      this.#client.until(() => this.#client.closed),
      `close after ${status}`,
    )
  }

  /** A peer that cannot be made to wait is closed when it sends faster than callbacks go. */
  get #overflowed(): boolean {
    return this.#mayOverflow && this.#closeStatus === OVERFLOW
  }

  /** Anything may follow, but for a wrong echo of what came before. */
  async #anyhow(random: Random): Promise<void> {
    this.over = true
    // What is misread goes on with what comes next.
    if (random.chance(0.3)) this.#client.send(sequence(random))
    if (random.chance(0.2)) return this.#client.reset()
    this.#client.socket.end()
    await within(
      this.#client.until(() => this.#client.closed),
      `end after what is not valid on ${this.#manner.path}`,
    )
    this.#read()
  }

  async #synced(sync: Buffer): Promise<void> {
    const ponged = (): boolean => {
      this.#read()
      return this.#pong?.equals(sync) === true || this.#client.ended
    }
    await within(this.#client.until(ponged), `pong on ${this.#manner.path}`)
    if (this.#overflowed) return this.#ended(OVERFLOW)
    must(!this.#client.ended, () => `ended with ${this.#closeStatus} without a reason on ${this.#manner.path}`)
    // A slow callback answers after the pong; the rest of a message that is not over is kept back.
    if (this.#manner.slow || (this.#manner.partial && this.#model.inMessage)) return
    must(this.#model.expected.length === 0, `an echo is missing on ${this.#manner.path}`)
  }

  /** Takes what the server has sent; echoes must be what was expected, in order. */
  #read(): void {
    const { frames, rest } = readFrames(this.#client.received)
    if (frames.length === 0) return
    this.#client.received = Buffer.from(rest)
    for (const { opcode, payload } of frames) {
      must(this.#closeStatus === null, 'a frame behind Close')
      if (opcode < 8) this.#got.push(payload)
      else if (opcode === 10) this.#pong = payload
      else if (opcode === 8) this.#closeStatus = payload.length === 0 ? NO_STATUS : payload.readUInt16BE(0)
    }
    const got = Buffer.concat(this.#got)
    const expected = Buffer.concat(this.#model.expected)
    const length = Math.min(got.length, expected.length)
    must(got.subarray(0, length).equals(expected.subarray(0, length)), () => `not an echo on ${this.#manner.path}`)
    // Of a frame that turns out not to be UTF-8, parts may have been delivered.
    must(
      got.length === length || this.#model.ends === 1007 || this.#model.loose,
      () => `more than an echo on ${this.#manner.path}`,
    )
    this.#got = []
    this.#model.expected = length === expected.length ? [] : [expected.subarray(length)]
  }
}

class ServerRunner implements Runner {
  readonly #live: Live
  readonly #peers: (Peer | null)[] = []
  #opened = 0
  #loose = 0

  constructor(live: Live) {
    this.#live = live
  }

  make(random: Random): Buffer {
    // What goes wrong often needs some traffic before.
    const before = random.chance(0.5) ? sequence(random) : Buffer.alloc(0)
    const last = sequence(random)
    return Buffer.concat([before, random.chance(0.8) ? mutate(random, last) : last])
  }

  async attempt(input: Buffer, lane: number): Promise<Outcome> {
    const random = Random.from(input)
    const query = `lane=${lane}`
    const delivered = (): number => this.#live.delivered.get(query) ?? 0
    const before = delivered()
    const peer = this.#peers[lane] ?? (await this.#open(random, query))
    this.#peers[lane] = null
    try {
      await peer.play(input, random)
      if (peer.loose) this.#loose++
      if (peer.sequences >= PER_CONNECTION) await peer.leave(random)
      this.#live.check()
    } catch (error) {
      peer.destroy()
      throw new Problem(error instanceof Error ? error.message : String(error), Buffer.concat(peer.history))
    }
    if (!peer.over) this.#peers[lane] = peer
    return { count: 1, reached: delivered() > before }
  }

  async settle(): Promise<void> {
    const random = Random.of(this.#opened, 0)
    await Promise.all(this.#peers.map(async (peer) => peer?.leave(random)))
    this.#peers.length = 0
    await this.#live.settle()
  }

  stop(): Promise<void> {
    for (const peer of this.#peers) peer?.destroy()
    return this.#live.stop()
  }

  notes(): string {
    return `(${this.#opened} connections, ${this.#loose} inputs that engines may take in their own way, ${this.#live.beats} echoes to the healthy one)`
  }

  async #open(random: Random, query: string): Promise<Peer> {
    this.#opened++
    const { port, engine } = this.#live
    const manner = random.pick(MANNERS)
    return new Peer(await within(RawClient.open(port, `${manner.path}?${query}`), 'opening'), manner, engine)
  }
}

/** A server on loopback: it must echo what is valid, refuse the rest with the right status, and let go of everything. */
const onEngine = (engine: EngineName): Omit<Target, 'name'> => ({
  full: 1_000_000,
  quick: 1000,
  lanes: LANES,
  minReached: 0.3,
  maxGrowth: 5e6,
  native: engine === 'uws',
  start: async () => new ServerRunner(await Live.start(engine)),
})
export const server: Target = { name: 'server', ...onEngine('node') }
export const serverUws: Target = { name: 'server-uws', ...onEngine('uws') }
