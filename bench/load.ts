/** The other side: starts a server in a process of its own, opens raw connections to it, and counts what comes back. */
import { type ChildProcess, fork } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { MessageLoad } from './workload.ts'

/** What `servers/process.ts` can be asked. */
export type Question = 'cpu' | 'memory'

export class ServerProcess {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /** Throws the server's own reason when it cannot run. */
  static async start(name: string): Promise<ServerProcess> {
    const file = fileURLToPath(new URL('servers/process.ts', import.meta.url))
    const child = fork(file, [name], { execArgv: ['--expose-gc', '--import', 'tsx'] })
    const [port = 0] = await reply(child)
    return new ServerProcess(child, port)
  }

  ask(question: Question): Promise<number[]> {
    const answer = reply(this.#child)
    this.#child.send(question)
    return answer
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

function reply(child: ChildProcess): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('the server has ended'))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      if (Array.isArray(message)) resolve(message.map(Number))
      else reject(new Error(typeof message === 'string' ? message : 'the server says nothing'))
    })
  })
}

// One buffer for all connections, as what is read is only counted: the client must be cheaper than the servers.
const buffer = Buffer.alloc(1 << 18)

/** Resolves when the connection is upgraded; from then on `onBytes` hears how much has arrived. */
export function open(port: number, path: string, onBytes: (bytes: number) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let upgraded = false
    const callback = (bytes: number): boolean => {
      if (upgraded) onBytes(bytes)
      else {
        const head = buffer.toString('latin1', 0, bytes)
        upgraded = head.startsWith('HTTP/1.1 101 ') && head.endsWith('\r\n\r\n')
        if (upgraded) resolve(socket)
        else reject(new Error(`no upgrade: ${head}`))
      }
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
    socket.once('error', reject)
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
  })
}

export interface Sample {
  /** Microseconds of server CPU per message that a client received. */
  readonly cost: number
  /** Messages received a second. */
  readonly rate: number
  /** What the processes used, in cores. */
  readonly server: number
  readonly client: number
}

/**
 * Load on one server, in lockstep: all senders write, and write again when everything is answered. So each server finds
 * the same bursts however fast it is. With senders that go on as soon as they have their own answer, a server that is
 * faster than the client waits for it, message by message, and pays for each time it wakes up: ratios shrink.
 */
export class Load {
  readonly #server: ServerProcess
  readonly #workload: MessageLoad
  readonly #batch: Buffer
  readonly #perRound: number
  readonly #sockets: Socket[] = []
  #missing = 0
  #messages = 0
  #running = false

  private constructor(server: ServerProcess, workload: MessageLoad) {
    this.#server = server
    this.#workload = workload
    const { size, inFlight, connections } = workload
    this.#batch = Buffer.concat(Array.from({ length: inFlight }, () => masked(size)))
    this.#perRound = (header(size).length + size) * inFlight * connections
  }

  static async open(server: ServerProcess, workload: MessageLoad): Promise<Load> {
    const load = new Load(server, workload)
    for (let i = 0; i < workload.connections; i++) {
      load.#sockets.push(await open(server.port, workload.path, (bytes) => load.#onBytes(bytes)))
    }
    return load
  }

  /** From idle to idle, so that what was used belongs to the messages that were counted. */
  async run(ms: number): Promise<Sample> {
    const [before = 0] = await this.#server.ask('cpu')
    const own = process.cpuUsage()
    const start = performance.now()
    this.#messages = 0
    this.#running = true
    this.#send()
    await sleep(ms)
    this.#running = false
    for (let waited = 0; this.#missing > 0; waited++) {
      if (waited > 10_000) throw new Error(`${this.#missing} bytes of answers are missing`)
      await sleep(1)
    }
    const elapsed = (performance.now() - start) * 1000
    const { user, system } = process.cpuUsage(own)
    const [after = 0] = await this.#server.ask('cpu')
    const used = after - before
    return {
      cost: used / this.#messages,
      rate: (this.#messages / elapsed) * 1e6,
      server: used / elapsed,
      client: (user + system) / elapsed,
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #send(): void {
    this.#missing = this.#perRound
    if (this.#workload.path === '/fan') this.#sockets[0]?.write(this.#batch)
    else for (const socket of this.#sockets) socket.write(this.#batch)
  }

  #onBytes(bytes: number): void {
    this.#missing -= bytes
    if (this.#missing > 0) return
    if (this.#missing < 0) throw new Error('more answers than messages')
    this.#messages += this.#workload.inFlight * this.#workload.connections
    if (this.#running) this.#send()
  }
}

/** Of a text frame, unmasked. */
function header(size: number): number[] {
  if (size < 126) return [0x81, size]
  if (size < 65_536) return [0x81, 126, size >> 8, size & 255]
  return [0x81, 127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 255, size & 255]
}

function masked(size: number): Buffer {
  const [type = 0, length = 0, ...rest] = header(size)
  const mask = [0x1f, 0x2e, 0x3d, 0x4c]
  const body = Buffer.alloc(size, 'a').map((byte, i) => byte ^ (mask[i & 3] ?? 0))
  return Buffer.concat([Buffer.from([type, length | 0x80, ...rest, ...mask]), body])
}
