import { type ChildProcess, fork } from 'node:child_process'
import { type Figures, isFigures } from './messages.ts'

// Milliseconds.
/** For what takes no time of its own. */
const PATIENCE = 30_000
/** For a process that was told to end. */
const GOODBYE = 5000

/** A program in a process of its own, which is asked one thing at a time and ends with this process. */
export class Child<C extends object> {
  readonly #child: ChildProcess
  readonly #what: string
  /** What it exits with; null when it was killed. */
  readonly exit: Promise<number | null>

  private constructor(program: string, config: object, what: string) {
    this.#what = what
    this.#child = fork(program, [JSON.stringify(config)], { execArgv: ['--expose-gc'] })
    this.exit = new Promise((resolve) => this.#child.once('exit', resolve))
  }

  /** Resolves with what it has to say at first; rejects with its own reason when it cannot run. */
  static async start<C extends object>(
    program: string,
    config: object,
    what: string,
  ): Promise<{ readonly child: Child<C>; readonly hello: Figures }> {
    const child = new Child<C>(program, config, what)
    return { child, hello: await child.#answer(PATIENCE) }
  }

  /** @param seconds that the command takes by itself. */
  ask(command: C, seconds = 0): Promise<Figures> {
    if (!this.#child.connected) return Promise.reject(new Error(`${this.#what} has ended`))
    const answer = this.#answer(seconds * 1000 + PATIENCE)
    this.#child.send(command)
    return answer
  }

  /** Whether it exits with 0 by itself in time; it is killed if not. */
  async exits(): Promise<boolean> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GOODBYE)
    const code = await this.exit
    clearTimeout(timer)
    return code === 0
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.exits()
  }

  #answer(ms: number): Promise<Figures> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const settle = (result: Figures | string): void => {
        clearTimeout(timer)
        child.off('exit', onExit).off('error', onError).off('message', onMessage)
        if (typeof result === 'string') reject(new Error(`${this.#what}: ${result}`))
        else resolve(result)
      }
      const onExit = (code: number | null, signal: string | null): void => settle(`ended with ${code ?? signal}`)
      const onError = (error: Error): void => settle(error.message)
      const onMessage = (message: unknown): void => settle(isFigures(message) ? message : String(message))
      const timer = setTimeout(() => settle(`no answer in ${ms} ms`), ms)
      child.on('exit', onExit).on('error', onError).on('message', onMessage)
    })
  }
}
