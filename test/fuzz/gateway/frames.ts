import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../../include-types/websock.ts'
import { World } from '../../../lib/chat/world.ts'
import type { MemoryTransport } from '../../../lib/engine/memory.ts'
import type { Connection } from '../../../lib/gateway/connection.ts'
import { HEARTBEAT_ACK, receive } from '../../../lib/gateway/operations.ts'
import { Rate } from '../../../lib/gateway/rate.ts'
import { rSetLogSink } from '../../../lib/index.ts'
import { WS_EVENT_MESSAGE, WS_MSG_TEXT } from '../../../lib/websock/constants.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import { type Bench, bench, traits } from '../../support/memory.ts'
import type { Random } from '../random.ts'
import { must, type Outcome, Problem, type Runner, type Target } from '../target.ts'
import { flush, makeFolder, Town } from './house.ts'
import { checkPrototypes, reaches, read } from './meaning.ts'
import { checkEvent, Person } from './model.ts'
import { clientText, LONGEST } from './texts.ts'

const START = Date.UTC(2026, 4, 4, 9, 30)
const [RATE, WINDOW] = [20, 1000]
const PER_PERSON = 2
/** Milliseconds between two frames; the busiest connection is too fast for its limit with them. */
const PAUSES = [0, 0, 1, 5, 20, 60] as const
/** The first bytes of an input: the connection, the pause before it, what it is. */
const HEAD = 3

/** A client in memory, and the limit that it should have: as the specification words it, not as it is done. */
class Guest {
  readonly transport: MemoryTransport
  readonly connection: Connection
  readonly person: Person
  readonly index: number
  #accepted: number[] = []

  constructor(transport: MemoryTransport, connection: Connection, person: Person, index: number) {
    this.transport = transport
    this.connection = connection
    this.person = person
    this.index = index
  }

  accepts(now: number): boolean {
    this.#accepted = this.#accepted.filter((at) => now - at < WINDOW)
    if (this.#accepted.length >= RATE) return false
    this.#accepted.push(now)
    return true
  }
}

class FramesRunner implements Runner {
  readonly #folder = makeFolder()
  readonly #bench: Bench = bench({ maxMessage: LONGEST })
  readonly #world: World
  readonly #town: Town
  readonly #people: readonly Person[]
  readonly #guests: readonly Guest[]
  #problem: unknown = null
  readonly #typed: string[] = []
  readonly #expected: string[] = []
  #acks = 0
  #dropped = 0
  #typings = 0
  #wishes = 0

  constructor() {
    this.#world = new World({
      folder: this.#folder.path,
      file: join(this.#folder.path, 'world.db'),
      linkKey: 'a key of this run',
      full: false,
      now: () => START + this.#bench.clock.now(),
      failed: (what, error) => (this.#problem ??= new Problem(`${what}: ${String(error)}`)),
    })
    this.#town = new Town(this.#world)
    this.#people = this.#town.people.map((id) => new Person(id, PER_PERSON))
    this.#guests = this.#people.flatMap((person) => [0, 1].map((index) => this.#welcome(person, index)))
    this.#world.events.on((event) => {
      try {
        const typed = checkEvent(event)
        if (typed !== null) this.#typed.push(typed)
      } catch (error) {
        this.#problem ??= error
      }
    })
  }

  #welcome(person: Person, index: number): Guest {
    const { transport, ws } = this.#bench.connect(index === 0 ? traits.node : traits.uws)
    const connection: Connection = {
      ws,
      caller: { userId: person.id, session: 'session', bot: null, expires: Infinity },
      rate: new Rate(RATE, WINDOW),
      link: this.#world.presence.attach(person.id),
      attendee: null,
      session: null,
      wish: null,
      expired: false,
    }
    void webSocketRun(ws, this.#proc, connection)
    this.#settleClock()
    return new Guest(transport, connection, person, index)
  }

  /** As the gateway has it. */
  readonly #proc = (
    ws: WebSocket,
    event: WebSocketEvent,
    buf: WebSocketData,
    _length: number,
    connection: Connection,
  ): void => {
    if (event !== WS_EVENT_MESSAGE || !connection.rate.accepts(connection.ws.context.clock.now())) return
    if (ws.type === WS_MSG_TEXT && typeof buf === 'string') receive(this.#world, connection, buf)
  }

  #settleClock(): void {
    while (this.#bench.clock.turn() > 0);
  }

  make(random: Random): Buffer {
    // The first connection is the busy one.
    const guest = random.chance(0.35) ? 0 : random.below(this.#guests.length)
    const head = Buffer.of(guest, random.below(PAUSES.length), random.below(256))
    const { channels, people } = this.#town
    // What is no UTF-8 never comes as text.
    const text = Buffer.from(clientText(random, { channels, people }).toString())
    // Replacing may have made it longer.
    return Buffer.concat([head, text.length > LONGEST ? Buffer.from('{}') : text])
  }

  attempt(input: Buffer): Outcome {
    const [who = 0, pause = 0, kind = 0] = input
    const guest = this.#guests[who % this.#guests.length]
    must(guest !== undefined, 'nobody is there')
    this.#bench.clock.advance(PAUSES[pause % PAUSES.length] ?? 0)
    const text = input.toString('utf8', HEAD)
    const isText = kind >= 5
    const accepted = guest.accepts(this.#bench.clock.now())
    if (!accepted) this.#dropped++
    guest.transport.message(isText ? text : input.subarray(HEAD))
    this.#settleClock()
    const meaning = accepted && isText ? read(text) : null
    this.#checkAcks(guest, meaning?.op === 'HEARTBEAT' ? 1 : 0)
    if (meaning?.op === 'TYPING_START' && this.#town.writes.get(guest.person.id)?.has(meaning.channel) === true) {
      this.#expected.push(`${guest.person.id} ${meaning.channel}`)
      this.#typings++
    }
    if (meaning?.op === 'PRESENCE_UPDATE') {
      this.#wishes++
      guest.person.wish(guest.index, meaning.wish)
    }
    // Some share a transaction.
    if (kind % 4 !== 0) this.#checkWorld(guest.person)
    return { count: 1, reached: reaches(meaning) }
  }

  #checkAcks(guest: Guest, expected: number): void {
    const { sent } = guest.transport
    const acks = sent.filter(({ payload }) => payload.equals(ACK)).length
    must(acks === expected && sent.length === acks, () => {
      const frames = sent.map(({ payload }) => payload.toString())
      return `${expected} acks were due, and there is ${JSON.stringify(frames)}`
    })
    sent.length = 0
    this.#acks += acks
    for (const { transport } of this.#guests) {
      must(transport.sent.length === 0, 'somebody else got something')
      must(transport.closed === null && !transport.ended, 'a connection was closed')
    }
  }

  #checkWorld(person: Person): void {
    flush(this.#world)
    if (this.#problem !== null) throw this.#problem
    const { failures, warnings } = this.#bench
    must(failures.length + warnings.length === 0, () => `failed: ${String([failures[0]?.error, ...warnings])}`)
    const [typed, expected] = [this.#typed.join(), this.#expected.join()]
    must(typed === expected, () => `typed was '${typed}' in place of '${expected}'`)
    this.#typed.length = this.#expected.length = 0
    person.check(this.#world)
    checkPrototypes()
  }

  async settle(): Promise<void> {
    for (const person of this.#people) this.#checkWorld(person)
    await turn()
  }

  stop(): Promise<void> {
    this.#world.close()
    this.#folder.remove()
    rSetLogSink(null)
    return Promise.resolve()
  }

  notes(): string {
    return `(${this.#acks} acks, ${this.#typings} typings, ${this.#wishes} presences, ${this.#dropped} over the rate)`
  }
}

const ACK = Buffer.from(HEARTBEAT_ACK)

/** Texts of clients, through the limit and the operations to a world: nothing but what they mean comes of them. */
export const gatewayFrames: Target = {
  name: 'gateway-frames',
  full: 1_000_000,
  quick: 8000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () => {
    rSetLogSink(() => {})
    return Promise.resolve(new FramesRunner())
  },
}
