import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { startArguments } from '../support/built.ts'

export const engines = ['node', 'uws'] as const
export type EngineName = (typeof engines)[number]

export const ROOT = join(import.meta.dirname, '../..')
const NONE: readonly string[] = []

/** The command in a sample's row of samples/README.md. */
export function commandOf(sample: string): string {
  const rows = readFileSync(join(ROOT, 'samples/README.md'), 'utf8').split('\n')
  const row = rows.find((line) => line.startsWith(`| [${sample}](`))
  const command = /^`(.+)`/.exec(row?.split(' | ')[2] ?? '')?.[1]
  if (command === undefined) throw new Error(`samples/README.md has no command for ${sample}`)
  return command
}

const running = new Set<Program>()
const folders: string[] = []
afterAll(async () => {
  const ends = Array.from(running, (program) => {
    program.child.kill('SIGKILL')
    return program.ended
  })
  await Promise.all(ends)
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** For the world of a server: gone after the tests of the file. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-sample-'))
  folders.push(folder)
  return folder
}

/** A command of samples/README.md in a process of its own, which does not outlive the tests of the file. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams
  /** Both streams in the order of arrival. */
  said = ''
  /** 'exit code 0', or how else it ended. */
  readonly ended: Promise<string>
  readonly #news = new EventEmitter()
  #over = false

  /**
   * Starts `npm start -- …` or `npx tsx …`, without the processes that these put around the program. A server of a config is
   * started as it was built for the suite, which is quicker; elsewhere, and without a config, as the command says.
   */
  constructor(command: string, { more = NONE, node = NONE, cwd = ROOT } = {}) {
    const [npx, tsx, ...args] = command.replace(/^npm start( --)?/, 'npx tsx lib/cli.ts').split(' ')
    if (npx !== 'npx' || tsx !== 'tsx') throw new Error(`not a command that a test can start: ${command}`)
    const built = args[0] === 'lib/cli.ts' && args.length > 1 && cwd === ROOT
    const program = built ? startArguments(args.slice(1)) : ['--import', 'tsx', ...args]
    this.child = spawn(process.execPath, [...node, ...program, ...more], {
      cwd,
      // Several run at the same time.
      env: { ...process.env, FIBERWS_CHANNEL_PORT: '0', FIBERWS_ONEBOT_PORT: '0' },
    })
    running.add(this)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.said += chunk
        this.#news.emit('news')
      })
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        running.delete(this)
        this.#over = true
        this.#news.emit('news')
        resolve(signal ?? `exit code ${code}`)
      })
    })
  }

  /** Waits until it has said something that matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.said)
      if (match !== null) return match
      if (this.#over) throw new Error(`ended without ${pattern}: ${this.said}`)
      await once(this.#news, 'news')
    }
  }

  /** The port that it says it listens on. */
  async port(): Promise<number> {
    return Number((await this.until(/^listening on https?:\/\/127\.0\.0\.1:(\d+)$/m))[1])
  }

  /** Ends it as a user or a supervisor does. */
  async stop(signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    this.child.kill(signal)
    expect(await this.ended, this.said).toBe('exit code 0')
  }
}

/** Starts a sample that serves, on a free port. */
export const serve = (sample: string, engine: EngineName, node = NONE): Program =>
  new Program(commandOf(sample), {
    more: ['--engine', engine, '--listen', '127.0.0.1:0', '--data', createFolder()],
    node,
  })

/** A user: says something, and hears what comes, a message at a time. */
export class Peer {
  readonly socket: WebSocket
  /** The status of the Close. */
  readonly closed: Promise<number>
  readonly #heard: string[] = []
  readonly #news = new EventEmitter()
  #over = false

  private constructor(url: string, options: ClientOptions) {
    this.socket = new WebSocket(url, options)
    this.socket.on('message', (data) => {
      this.#heard.push(Buffer.isBuffer(data) ? data.toString() : '')
      this.#news.emit('news')
    })
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (status) => {
        this.#over = true
        this.#news.emit('news')
        resolve(status)
      })
    })
  }

  static open(url: string, options: ClientOptions = {}): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const peer = new Peer(url, options)
      peer.socket.once('error', reject)
      peer.socket.once('open', () => resolve(peer))
    })
  }

  say(text: string): void {
    this.socket.send(text)
  }

  /** Takes the next message. */
  async hear(): Promise<string> {
    for (;;) {
      const message = this.#heard.shift()
      if (message !== undefined) return message
      if (this.#over) throw new Error('closed while waiting for a message')
      await once(this.#news, 'news')
    }
  }

  async close(): Promise<void> {
    this.socket.close(1000)
    await this.closed
  }
}
