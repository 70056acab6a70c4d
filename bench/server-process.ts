/** A server under test, in a process of its own. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isBun, isPython, type ServerName } from './servers/index.ts'

/** What `servers/process.ts` can be asked; `servers/agent.py` only for its CPU. */
export type Question = 'cpu' | 'memory'

/** Where Bun is: its npm package for this platform (`npm install --no-save @oven/bun-linux-x64`), or the PATH. */
function findBun(): string {
  try {
    const { resolve } = createRequire(import.meta.url)
    return join(resolve(`@oven/bun-${process.platform}-${process.arch}/package.json`), '../bin/bun')
  } catch {
    return 'bun'
  }
}

/** Debian's: its packages are the ones that are meant, whatever else is on the PATH. */
export const PYTHON = '/usr/bin/python3'
export const AGENT = join(import.meta.dirname, 'servers/agent.py')

/** V8 grows its space for young objects as it sees fit, by megabytes: that would be counted as what connections take. */
const HEAP = ['--min-semi-space-size=16', '--max-semi-space-size=16']

/** A running server, as a load sees it. */
export interface Target {
  readonly port: number
  /** Rejects when the server has ended. */
  ask(question: Question): Promise<number[]>
}

export interface StartOptions {
  /** Where it is to run; null: where this process does. */
  readonly core?: string | null
  /** File for a CPU profile, written when it stops; not of Bun, nor of Python. */
  readonly profile?: string | null
  /** Folder of the world that it is to have. */
  readonly world?: string | null
  /** It does not take the core from a client that is still writing: then it finds all of a burst at once. */
  readonly yields?: boolean
}

export class ServerProcess implements Target {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /**
   * Starts a server; throws its own reason when it cannot run.
   * @param program what `buildServers` has made.
   */
  static async start(name: ServerName, program: string, options: StartOptions = {}): Promise<ServerProcess> {
    const { core = null, profile = null, world = null, yields = false } = options
    const child = isPython(name) ? forkPython() : forkServer(name, program, profile ?? '', world ?? '')
    if (core !== null && child.pid !== undefined) pin(child.pid, core)
    const [port = 0] = await reply(child)
    if (yields && child.pid !== undefined) yieldCore(child.pid)
    return new ServerProcess(child, port)
  }

  ask(question: Question): Promise<number[]> {
    if (!this.#child.connected) return Promise.reject(new Error('the server has ended'))
    const answer = reply(this.#child)
    this.#child.send(question)
    return answer
  }

  /** Resolves when it has ended. */
  stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    if (!this.#child.connected) return Promise.resolve()
    this.#child.disconnect()
    return ended
  }
}

function forkServer(name: ServerName, program: string, profile: string, world: string): ChildProcess {
  const runtime = isBun(name) ? { execPath: findBun(), execArgv: [] } : { execArgv: ['--expose-gc', ...HEAP] }
  return fork(program, [name, isBun(name) ? '' : profile, world], runtime)
}

/** What it is asked comes as lines of JSON: so its process is the one that is measured, with none of Node's around it. */
function forkPython(): ChildProcess {
  if (!existsSync(PYTHON)) throw new Error(`no ${PYTHON}: apt-get install python3-websockets`)
  // Isolated: neither a user's packages nor variables.
  return fork(AGENT, [], { execPath: PYTHON, execArgv: ['-I'] })
}

function reply(child: ChildProcess): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null, numbers: number[] = []): void => {
      child.off('exit', onExit).off('error', onError).off('message', onMessage)
      if (error === null) resolve(numbers)
      else reject(error)
    }
    const onExit = (): void => settle(new Error('the server has ended'))
    const onError = (error: Error): void => settle(error)
    const onMessage = (message: unknown): void => {
      if (Array.isArray(message)) settle(null, message.map(Number))
      else settle(new Error(typeof message === 'string' ? message : 'the server says nothing'))
    }
    child.on('exit', onExit).on('error', onError).on('message', onMessage)
  })
}

/** Keeps all threads of a process on a core, its children too; false where that cannot be done. */
export const pin = (pid: number, core: string): boolean => run('taskset', '-apc', core, String(pid))

/** A process that has something to do waits until others have done theirs, where that can be had (SCHED_BATCH). */
const yieldCore = (pid: number): boolean => run('chrt', '-abp', '0', String(pid))

function run(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
