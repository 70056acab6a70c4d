import { readFrames, text } from '../../support/frames.ts'
import { RawClient } from '../../support/raw.ts'
import { within } from '../live.ts'
import { must } from '../target.ts'
import { isStatus, isWords } from './meaning.ts'

const HEARTBEAT = text('{"op":"HEARTBEAT"}')
const ACK = '{"op":"HEARTBEAT_ACK"}'

type Data = Readonly<Record<string, unknown>>
const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A client on the socket, which looks at all that it is sent. */
export class GatewayClient {
  readonly #client: RawClient
  acks = 0
  /** Close, or the end of TCP. */
  over = false
  #ready = false
  /** Channels in which it may hear somebody type. */
  readonly #hears: ReadonlySet<string>
  #problem: unknown = null

  private constructor(client: RawClient, hears: ReadonlySet<string>) {
    this.#client = client
    this.#hears = hears
    client.socket.on('data', () => this.#read())
  }

  /** One that has had its READY. */
  static async open(port: number, token: string, hears: ReadonlySet<string>): Promise<GatewayClient> {
    const raw = await within(RawClient.open(port, `/ws?token=${token}`), 'opening')
    const client = new GatewayClient(raw, hears)
    client.#read()
    await within(
      raw.until(() => client.#ready || raw.ended),
      'READY',
    )
    client.check()
    must(!client.isOver, 'ended without READY')
    return client
  }

  get isOver(): boolean {
    return this.over || this.#client.ended
  }

  check(): void {
    if (this.#problem !== null) throw this.#problem
  }

  send(bytes: Buffer): void {
    this.#client.send(bytes)
  }

  /** Waits until all that was sent has been looked at, which so many acks were due for; or the end. */
  async beat(expected: number): Promise<void> {
    const due = this.acks + expected + 1
    this.send(HEARTBEAT)
    await within(
      this.#client.until(() => this.acks >= due || this.isOver),
      'HEARTBEAT_ACK',
    )
    this.check()
    must(this.isOver || this.acks === due, () => `${this.acks - due} acks too many`)
  }

  /** Waits for the end that has to come. */
  async ends(why: string): Promise<void> {
    await within(
      this.#client.until(() => this.isOver),
      `end for ${why}`,
    )
    this.destroy()
    this.check()
  }

  async leave(): Promise<void> {
    this.#client.socket.end()
    await within(
      this.#client.until(() => this.#client.closed),
      'end after ours',
    )
  }

  destroy(): void {
    this.#client.destroy()
  }

  #read(): void {
    const { frames, rest } = readFrames(this.#client.received)
    if (frames.length > 0) this.#client.received = Buffer.from(rest)
    try {
      for (const { opcode, payload } of frames) {
        if (opcode === 8) this.over = true
        else if (opcode === 1) this.#take(payload.toString())
        else must(false, () => `a frame with the opcode ${opcode}`)
      }
    } catch (error) {
      this.#problem ??= error
    }
  }

  #take(words: string): void {
    if (words === ACK) {
      must(this.#ready, 'an ack before READY')
      this.acks++
      return
    }
    const frame: unknown = JSON.parse(words)
    must(isData(frame) && frame['op'] === 'DISPATCH' && isData(frame['d']), () => `the frame ${words}`)
    const { t, d } = frame
    must((t === 'READY') !== this.#ready, () => `the first frame is ${String(t)}`)
    this.#ready = true
    if (t === 'PRESENCE_UPDATE') {
      must(isStatus(d['status']) && isWords(d['custom_status']) && isWords(d['activity']), () => `presence ${words}`)
    } else if (t === 'TYPING_START') {
      must(this.#hears.has(String(d['channel_id'])), () => `heard of a channel that is not seen: ${words}`)
    } else must(t === 'READY', () => `the event ${words}`)
  }
}
