import { isUtf8 } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineName } from '../../../lib/engine/port.ts'
import { frame } from '../../support/frames.ts'
import { openSockets } from '../live.ts'
import { Random } from '../random.ts'
import { must, type Outcome, Problem, type Runner, type Target } from '../target.ts'
import { GatewayClient } from './client.ts'
import { LiveGateway } from './host.ts'
import { Town } from './house.ts'
import { checkPrototypes, reaches, read } from './meaning.ts'
import { clientText, LONGEST } from './texts.ts'

const LANES = 12
/** Inputs that one connection gets. */
const PER_CONNECTION = 200
/** Milliseconds between two beats of the honest client. */
const BEAT = 5
const BOUND = 8000
/** The first byte of an input says what it is sent as. */
const [TEXT, BINARY] = [0, 1]

/** Close to the most that a message may have, on both sides. */
function long(random: Random): Buffer {
  const length = LONGEST + random.pick([-2, -1, 0, 0, 1, 2, 100, 60_000])
  const start = random.chance(0.5) ? '{"op":"HEARTBEAT"' : '"'
  const end = start === '"' ? '"' : '}'
  return Buffer.from(`${start}${' '.repeat(length - start.length - 1)}${end}`)
}

/** One message in one frame, or cut anywhere into several. */
function toFrames(random: Random, payload: Buffer, opcode: number): Buffer {
  const cuts = random.chance(0.8)
    ? []
    : Array.from({ length: random.between(1, 3) }, () => random.below(payload.length))
  const ends = [...cuts.toSorted((a, b) => a - b), payload.length]
  return Buffer.concat(
    ends.map((end, i) =>
      frame({ opcode: i === 0 ? opcode : 0, payload: payload.subarray(ends[i - 1] ?? 0, end), fin: i === cuts.length }),
    ),
  )
}

class SocketRunner implements Runner {
  readonly #gateway: LiveGateway
  readonly #town: Town
  readonly #honest: GatewayClient
  readonly #tokens: readonly string[]
  readonly #clients: (GatewayClient | null)[] = []
  readonly #sent: number[] = []
  readonly #sockets: number
  readonly #beating: Promise<void>
  #stopping = false
  #opened = 0
  #ended = 0
  #beats = 0

  private constructor(gateway: LiveGateway, town: Town, honest: GatewayClient, tokens: readonly string[]) {
    this.#gateway = gateway
    this.#town = town
    this.#honest = honest
    this.#tokens = tokens
    this.#sockets = openSockets()
    this.#beating = this.#beat().catch((error: unknown) => gateway.fail(error))
  }

  static async start(engine: EngineName): Promise<SocketRunner> {
    const gateway = await LiveGateway.start(engine)
    const town = new Town(gateway.world)
    const tokens = town.people.map((id) => gateway.login(id).access)
    const honest = await GatewayClient.open(gateway.port, tokens[2] ?? '', hears(town, 2))
    return new SocketRunner(gateway, town, honest, tokens)
  }

  async #beat(): Promise<void> {
    while (!this.#stopping) {
      await this.#honest.beat(0)
      must(!this.#honest.isOver, 'the honest client was closed')
      this.#beats++
      await sleep(BEAT)
    }
  }

  make(random: Random): Buffer {
    const { channels, people } = this.#town
    if (random.chance(0.06)) return Buffer.concat([Buffer.of(random.chance(0.8) ? TEXT : BINARY), long(random)])
    const isBinary = random.chance(0.08)
    const payload = isBinary && random.chance(0.5) ? random.bytes(random.below(300)) : null
    return Buffer.concat([Buffer.of(isBinary ? BINARY : TEXT), payload ?? clientText(random, { channels, people })])
  }

  async attempt(input: Buffer, lane: number): Promise<Outcome> {
    const random = Random.from(input)
    const payload = input.subarray(1)
    const isText = input[0] !== BINARY
    const client = this.#clients[lane] ?? (await this.#open(lane))
    this.#clients[lane] = null
    try {
      const bad = payload.length > LONGEST ? 'its length' : isText && !isUtf8(payload) ? 'no UTF-8' : null
      const meaning = bad === null && isText ? read(payload.toString()) : null
      client.send(toFrames(random, payload, isText ? 1 : 2))
      if (bad !== null) {
        await client.ends(bad)
        this.#ended++
      } else {
        await client.beat(meaning?.op === 'HEARTBEAT' ? 1 : 0)
        must(!client.isOver, 'closed without a reason')
        const count = (this.#sent[lane] ?? 0) + 1
        this.#sent[lane] = count
        if (count % PER_CONNECTION === 0) await client.leave()
        else this.#clients[lane] = client
      }
      this.#gateway.check()
      checkPrototypes()
      return { count: 1, reached: reaches(meaning) }
    } catch (error) {
      client.destroy()
      throw error instanceof Error ? error : new Problem(String(error))
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#clients.map(async (client) => client?.leave()))
    this.#clients.length = 0
    const start = performance.now()
    const left = (): string => `${this.#gateway.host.connections} connections, ${openSockets() - this.#sockets} sockets`
    while (this.#gateway.host.connections !== 1 || openSockets() > this.#sockets) {
      must(performance.now() - start < BOUND, () => `left over: ${left()}`)
      await sleep(1)
    }
    const beats = this.#beats
    while (this.#beats < beats + 2) {
      this.#gateway.check()
      await sleep(1)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#beating
    for (const client of this.#clients) client?.destroy()
    this.#honest.destroy()
    await this.#gateway.stop()
  }

  notes(): string {
    return `(${this.#opened} connections, ${this.#ended} ended for what they sent, ${this.#beats} acks to the honest one)`
  }

  #open(lane: number): Promise<GatewayClient> {
    this.#opened++
    // Fewer of each than a user may have.
    const who = lane % this.#tokens.length
    return GatewayClient.open(this.#gateway.port, this.#tokens[who] ?? '', hears(this.#town, who))
  }
}

/** Channels of which somebody may hear that others type. */
function hears(town: Town, who: number): ReadonlySet<string> {
  const [, , board = ''] = town.channels
  const own = town.writes.get(town.people[who] ?? '') ?? new Set<string>()
  // One that all read, and in which few write.
  return new Set([...own, board])
}

/** The same texts on real connections, with bytes that are none: who speaks well stays, and an honest client is served. */
const onEngine = (engine: EngineName): Omit<Target, 'name'> => ({
  full: 10_000,
  quick: 300,
  lanes: LANES,
  minReached: 0.3,
  maxGrowth: 5e6,
  native: engine === 'uws',
  start: () => SocketRunner.start(engine),
})
export const gatewaySocket: Target = { name: 'gateway-socket', ...onEngine('node') }
export const gatewaySocketUws: Target = { name: 'gateway-socket-uws', ...onEngine('uws') }
