/** The other side: starts a server's process, opens raw connections to it, and counts what comes back. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Workload {
  readonly name: string
  readonly connections: number
  readonly inFlight: number
  readonly size: number
  /** Milliseconds from one burst to the next. */
  readonly every: number
  /** The first connection publishes, all receive. */
  readonly fan?: boolean
}

/** A server in a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /** Throws the server's own reason when it cannot run. */
  static async start(name: string): Promise<ServerProcess> {
    const path = fileURLToPath(new URL('servers.ts', import.meta.url))
    const child = fork(path, [name], { execArgv: ['--expose-gc', '--import', 'tsx'] })
    const [port = 0] = await answer(child)
    if (process.env.PIN) (await import('node:child_process')).execFileSync('taskset', ['-apc', '0', String(child.pid)])
    return new ServerProcess(child, port)
  }

  async ask(question: 'cpu' | 'memory'): Promise<number[]> {
    const reply = answer(this.#child)
    this.#child.send(question)
    return reply
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

async function answer(child: ChildProcess): Promise<number[]> {
  const message = await new Promise<unknown>((resolve, reject) => {
    const onExit = (): void => reject(new Error('the server is gone'))
    child.once('exit', onExit)
    child.once('message', (m) => { child.off('exit', onExit); resolve(m) })
  })
  if (!Array.isArray(message)) throw new Error(String(message))
  return message.map(Number)
}

export interface Sample {
  /** Microseconds of server CPU per message received. */
  readonly cost: number
  /** Messages received a second. */
  readonly rate: number
  /** How much of a core this process needed. */
  readonly client: number
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
// One buffer for all connections: what is read is only counted.
const buffer = Buffer.alloc(1 << 18)

export async function open(
  port: number,
  path: string,
  onBytes: (bytes: number) => void,
  localAddress = '127.0.0.1',
): Promise<Socket> {
  let upgraded = false
  return new Promise((resolve, reject) => {
    const onread = {
      buffer,
      callback: (bytes: number): boolean => {
        if (upgraded) onBytes(bytes)
        else {
          upgraded = true
          const head = buffer.toString('latin1', 0, bytes)
          if (head.startsWith('HTTP/1.1 101') && head.endsWith('\r\n\r\n')) resolve(socket)
          else reject(new Error(`no upgrade: ${head}`))
        }
        return true
      },
    }
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true, onread })
    socket.once('error', reject)
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
  })
}

/** Load on one server; runs from `start` to `stop`. */
export class Load {
  readonly #server: ServerProcess
  readonly #answer: number
  #sockets: Socket[] = []
  #bytes = 0
  #run = false

  constructor(server: ServerProcess, workload: Workload) {
    this.#server = server
    this.#answer = header(workload.size).length + workload.size
  }

  static async on(server: ServerProcess, workload: Workload): Promise<Load> {
    const load = new Load(server, workload)
    const { connections, inFlight, size, every, fan = false } = workload
    const frame = Buffer.concat(Array.from({ length: inFlight }, () => masked(size)))
    const expected = load.#answer * inFlight
    const pending = Array.from({ length: connections }, () => 0)
    const senders = fan ? 1 : connections
    let at = 0
    const send = (i: number) => {
      pending[i] = expected * (fan ? connections : 1)
      load.#sockets[i]!.write(frame)
    }
    const got = (bytes: number, i: number): void => {
      load.#bytes += bytes
      const k = fan ? 0 : i
      pending[k]! -= bytes
      if (every === 0 && pending[k]! <= 0 && load.#run) send(k)
      if (every < 0 && pending[k]! <= 0 && load.#run && ++at === senders) { at = 0; load.tick() }
    }
    for (let i = 0; i < connections; i++) {
      load.#sockets.push(await open(server.port, fan ? '/fan' : '/echo', (bytes) => got(bytes, i)))
    }
    load.tick = () => {
      at = 0
      for (let i = 0; i < senders; i++) if (pending[i]! <= 0) send(i)
    }
    load.every = every
    return load
  }
  tick = () => {}
  every = 0
  timer: NodeJS.Timeout | undefined

  async sample(ms: number): Promise<Sample> {
    const [bytes, cpu, time, own] = [this.#bytes, (await this.#server.ask('cpu'))[0] ?? 0, performance.now(), process.cpuUsage()]
    await new Promise((r) => setTimeout(r, ms))
    const { user, system } = process.cpuUsage(own)
    const elapsed = performance.now() - time
    const messages = (this.#bytes - bytes) / this.#answer
    const used = ((await this.#server.ask('cpu'))[0] ?? 0) - cpu
    return { cost: used / messages, rate: (messages / elapsed) * 1000, client: (user + system) / elapsed / 1000 }
  }
  start() {
    this.#run = true
    this.tick()
    if (this.every > 0) this.timer = setInterval(this.tick, this.every)
  }
  stop() {
    this.#run = false
    clearInterval(this.timer)
  }
  close() { this.stop(); for (const s of this.#sockets) s.destroy() }
}

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
