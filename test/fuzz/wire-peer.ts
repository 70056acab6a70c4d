import { close, frame, type Frame, ping, readFrames } from '../support/frames.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { within } from './live.ts'
import type { Random } from './random.ts'
import { mutate, sequence } from './sequences.ts'
import { must } from './target.ts'

/** Seldom, for connections to live a while. */
const GOODBYES = 0.02
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' }

/** The other end of a real connection: sends, stalls, says goodbye and goes away as it pleases. */
export class WirePeer {
  readonly #client: RawClient
  #problem: unknown = null
  /** What we have been sent: whether it is inside of a fragmented message, and whether Close was in it. */
  #inMessage = false
  #closed = false

  private constructor(client: RawClient) {
    this.#client = client
    // Behind the listener of the client, which collects.
    client.socket.on('data', () => this.#read())
    this.#read()
  }

  static async open(port: number, compressed: boolean): Promise<WirePeer> {
    const client = await RawClient.connect(port)
    try {
      client.send(handshake('/', compressed ? OFFER : {}))
      await within(
        client.until(() => client.ended || client.received.includes('\r\n\r\n')),
        'handshake',
      )
      must(!client.ended || client.received.length > 0, 'ended without an answer')
      const { status, head } = await client.response()
      must(status === 101, () => `no upgrade: ${head}`)
      return new WirePeer(client)
    } catch (error) {
      client.destroy()
      throw error
    }
  }

  get gone(): boolean {
    return this.#client.closed
  }

  act(random: Random): void {
    const { socket } = this.#client
    if (socket.destroyed || !socket.writable) return
    const dice = random.below(100)
    if (dice < 65) this.#client.send(sequence(random, true, GOODBYES))
    else if (dice < 69) this.#client.send(mutate(random, sequence(random)))
    else if (dice < 73) this.#client.send(frame({ opcode: 2, payload: Buffer.alloc(random.pick([10_000, 100_000])) }))
    else if (dice < 77) this.#client.send(Buffer.concat(Array.from({ length: 50 }, () => ping('p'.repeat(100)))))
    else if (dice < 85) socket.pause()
    else if (dice < 94) socket.resume()
    else if (dice < 96) this.#client.send(close(1000, 'bye'))
    else if (dice < 98) socket.end()
    else this.#client.reset()
  }

  leave(random: Random): void {
    const { socket } = this.#client
    // A reset while FIN is under way is refused by libuv, and the socket leaks then.
    if (socket.writableEnded) socket.destroy()
    else if (random.chance(0.5)) socket.resetAndDestroy()
    else socket.resume().end()
  }

  destroy(): void {
    this.#client.destroy()
  }

  check(): void {
    if (this.#problem !== null) throw this.#problem
  }

  #read(): void {
    const { frames, rest } = readFrames(this.#client.received)
    if (frames.length > 0) this.#client.received = Buffer.from(rest)
    try {
      for (const sent of frames) this.#checkFrame(sent)
    } catch (error) {
      this.#problem ??= error
    }
  }

  /** The order of frames that RFC 6455 §5.4 and §5.5.1 allow. */
  #checkFrame({ opcode, fin, payload }: Frame): void {
    must(!this.#closed, `opcode ${opcode} behind Close`)
    must([0, 1, 2, 8, 9, 10].includes(opcode), `opcode ${opcode}`)
    if (opcode >= 8) {
      must(fin && payload.length <= 125, `control frame ${opcode} of ${payload.length} bytes`)
      this.#closed = opcode === 8
      return
    }
    must((opcode === 0) === this.#inMessage, `opcode ${opcode} ${this.#inMessage ? 'inside' : 'outside'} of a message`)
    this.#inMessage = !fin
  }
}
