import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReconnectOptions } from '../../../include-types/client.ts'
import { WS_EVENT_CLOSE, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { closeReply } from '../../support/frames.ts'

/**
 * A loop in a process of its own. What counts is measured inside, from the signal's handler to 'exit': starting node and
 * ending it cost more than what is looked at here, and differ from machine to machine. The program is made once, for
 * compiling it costs seconds where other tests run.
 */
const PROGRAM = `
import { writeSync } from 'node:fs'
import { webSocketClientLoop } from './lib/standalone.ts'
const { url, options, handles } = JSON.parse(process.argv[2])
const say = (...words) => writeSync(1, words.join(' ') + '\\n')
let signalled = 0
const loop = webSocketClientLoop(url, (ws, event) => say('event', event), null, options)
void loop.done.then((result) => say('done', result))
if (handles) process.once('SIGTERM', () => {
  signalled = performance.now()
  loop.stop()
})
process.once('exit', (code) => say('exit', code, performance.now() - signalled))
say('started')
`

const root = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'fiberws-loop-'))
const program = join(folder, 'program.cjs')
beforeAll(() =>
  build({
    stdin: { contents: PROGRAM, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: program,
    logLevel: 'silent',
  }),
)

const running = new Set<ChildProcessWithoutNullStreams>()
const servers = new Set<{ close(): void }>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

class Program {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<[code: number | null, signal: string | null]>
  out = ''
  err = ''
  #wake: (() => void)[] = []

  constructor(url: string, options: ReconnectOptions, handles: boolean) {
    this.child = spawn(process.execPath, [program, JSON.stringify({ url, options, handles })])
    running.add(this.child)
    this.child.stdout.on('data', (chunk: Buffer) => this.#heard((this.out += chunk.toString())))
    this.child.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString()))
    this.ended = new Promise((resolve) => this.child.once('close', (...how) => resolve(how)))
    void this.ended.then(() => this.#heard(''))
  }

  #heard(_text: string): void {
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  /** Waits until a line has been said `count` times. */
  async says(line: string, count = 1): Promise<void> {
    while (this.out.split('\n').filter((said) => said === line).length < count) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`ended: ${this.out}${this.err}`)
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  /** Sends SIGTERM; milliseconds from its handler to 'exit'. */
  async terminate(): Promise<number> {
    this.child.kill('SIGTERM')
    expect(await this.ended).toEqual([0, null])
    expect(this.out).toContain('done 0\n')
    const [, ms] = /exit 0 ([\d.]+)/.exec(this.out) ?? []
    return Number(ms)
  }
}

/** A server that does with each connection what it is told to. */
async function listen(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.add({
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  const address = server.address()
  return `ws://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`
}

const refusing = (): Promise<string> => listen((socket) => socket.destroy())

/** Completes the handshake, and says `then` behind it; what comes is not answered, and TCP stays. */
const opening = (then: Uint8Array = Buffer.alloc(0), onSocket: (socket: Socket) => void = () => {}): Promise<string> =>
  listen((socket) => {
    onSocket(socket)
    let head = ''
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) return
      head += chunk.toString('latin1')
      const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1]
      if (key === undefined || !head.includes('\r\n\r\n')) return
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      const lines = ['HTTP/1.1 101 x', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      socket.write(then)
    })
  })

const LONG = 600_000
const CLOSED = `event ${WS_EVENT_CLOSE}`

describe.concurrent('a process with a loop', () => {
  it('that waits for the next attempt ends within 100 ms of SIGTERM', async () => {
    const started = new Program(await refusing(), { reconnectInterval: LONG }, true)
    await started.says(CLOSED)
    await started.says('started')
    const ms = await started.terminate()
    expect(ms).toBeLessThan(100)
  })

  it('that waits after a silent loss does so too', async () => {
    const options = { reconnectInterval: LONG, pingPeriod: 50, timeout: 100 }
    const started = new Program(await opening(), options, true)
    await started.says(CLOSED)
    const ms = await started.terminate()
    expect(ms).toBeLessThan(100)
  })

  it('that waits after a Close does so too, also where the server keeps its TCP connection', async () => {
    const started = new Program(await opening(closeReply(1001)), { reconnectInterval: LONG }, true)
    await started.says(CLOSED)
    const ms = await started.terminate()
    expect(ms).toBeLessThan(100)
  })

  it('that dials a server without an answer does so too', async () => {
    let arrived: () => void = () => {}
    const dialed = new Promise<void>((resolve) => (arrived = resolve))
    const started = new Program(await listen(() => arrived()), { reconnectInterval: LONG }, true)
    await dialed
    await started.says('started')
    const ms = await started.terminate()
    expect(ms).toBeLessThan(100)
  })

  it('is kept alive by the wait, attempt after attempt, until a signal that nobody handles', async () => {
    const started = new Program(await refusing(), { reconnectInterval: 50 }, false)
    await started.says(CLOSED, 4)
    started.child.kill('SIGTERM')
    expect(await started.ended).toEqual([null, 'SIGTERM'])
    expect(started.out).not.toContain('done')
  })

  it('ends by itself with unref: the wait does not keep it', async () => {
    const started = new Program(await refusing(), { reconnectInterval: 2000, unref: true }, true)
    expect(await started.ended).toEqual([0, null])
    expect(started.out.split(CLOSED).length - 1).toBe(1)
    expect(started.out).not.toContain('done')
  })

  it('lives with unref, too, while a connection is there', async () => {
    const sockets: Socket[] = []
    const url = await opening(undefined, (socket) => sockets.push(socket))
    const started = new Program(url, { reconnectInterval: LONG, unref: true }, true)
    await started.says(`event ${WS_EVENT_OPEN}`)
    await started.says('started')
    for (const socket of sockets) socket.destroy()
    await started.says(CLOSED)
    expect(await started.ended).toEqual([0, null])
  })
})
