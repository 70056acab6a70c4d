import { afterEach } from 'vitest'
import {
  type Engine,
  type Exchange,
  type HeaderList,
  MESSAGE_END,
  type PieceEnd,
  type Receiver,
  type ServerOptions,
  type ServerPort,
} from '../../../lib/engine/port.ts'
import { patiently } from '../../support/patience.ts'
import type { RawClient } from '../../support/raw.ts'

/** What a host without limits would ask for. */
export const OPTIONS: ServerOptions = {
  sharesPorts: false,
  maxHeader: 10_240,
  maxConnections: Infinity,
  maxRequests: 0,
  parseTimeout: 5000,
  requestTimeout: 0,
  maxBody: 100_000,
  maxMessage: 0,
  publishLimit: Infinity,
  inactivity: Infinity,
  compression: false,
}

const servers = new Set<ServerPort>()

afterEach(async () => {
  await Promise.all([...servers].map((server) => server.close()))
  servers.clear()
})

/** A server of an engine without a host around it, on a free port of 127.0.0.1; closed after the test. */
export async function listen(
  engine: Engine,
  onExchange: (exchange: Exchange) => void,
  changes: Partial<ServerOptions> = {},
): Promise<{ server: ServerPort; port: number }> {
  const server = engine.createServer({ ...OPTIONS, ...changes }, onExchange)
  servers.add(server)
  return { server, port: await server.listen({ name: '', host: '127.0.0.1', port: 0, tls: null }) }
}

/** Answers with a status and text. */
export function reply(exchange: Exchange, text: string, headers: HeaderList = [], status = 200): void {
  exchange.writeHead(status, [['Content-Length', String(Buffer.byteLength(text))], ...headers])
  exchange.end(exchange.method === 'HEAD' ? undefined : text)
}

/**
 * Reads on to the end of TCP: everything, with what had come before. For long answers, of which `RawClient` would copy
 * all for each piece.
 */
export async function collect(client: RawClient): Promise<Buffer> {
  const chunks: Buffer[] = [client.received]
  client.socket.removeAllListeners('data')
  client.socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
  client.socket.resume()
  await client.rest()
  return Buffer.concat(chunks)
}

/** One turn of the event loop: what uWebSockets.js does at the end of each has been done. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Milliseconds until a promise has settled. */
export async function timed(promise: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await promise
  return performance.now() - start
}

/** The next uncaught exception, which fails no test then. */
export function catchUncaught(): Promise<unknown> {
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      for (const listener of listeners) process.on('uncaughtException', listener)
      resolve(error)
    })
  })
}

/** What a transport tells, as lines. */
export class Ears implements Receiver {
  readonly maxMessage = 0
  dropsNew = false
  readonly heard: string[] = []
  readonly #wake: (() => void)[] = []
  /** How often something has come. */
  active = 0
  /** Called with each message, before it is noted. */
  onText: (text: string) => void = () => {}
  /** Called with each drain. */
  onDrained: () => void = () => {}

  #note(line: string): void {
    this.heard.push(line)
    for (const fn of this.#wake.splice(0)) fn()
  }

  async until(line: string): Promise<void> {
    while (!this.heard.includes(line)) {
      await patiently(
        new Promise<void>((resolve) => this.#wake.push(resolve)),
        () => `no ${line} after ${this.heard.join(', ')}`,
      )
    }
  }

  onFrame(): boolean {
    this.#note('frame')
    return true
  }

  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void {
    const text = bytes.toString()
    this.onText(text)
    this.#note(`${binary ? 'binary' : 'text'} ${text}${end === MESSAGE_END ? '' : '…'}`)
  }

  onActivity(): void {
    this.active++
  }

  onPong(): void {}

  onDrain(): void {
    this.onDrained()
    this.#note('drain')
  }

  onOverrun(): void {
    this.#note('overrun')
  }

  onFault(status: number, text: string): void {
    this.#note(`fault ${status} ${text}`)
  }

  onClose(status: number, reason: string): void {
    this.#note(`close ${status} ${reason}`)
  }

  onEnd(): void {
    this.#note('end')
  }

  onGone(): void {
    this.#note('gone')
  }
}
