import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import { patiently } from '../support/patience.ts'

/* Clients of OneBot as their authors publish them, each in a process of its own: see bots/lines.mjs. */

const folder = fileURLToPath(new URL('bots', import.meta.url))

const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

type Json = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

export interface Emitted {
  readonly event: string
  readonly data: unknown
}

export class Driven {
  readonly #child: ChildProcess
  readonly emitted: Emitted[] = []
  readonly #answers = new Map<number, Json>()
  #wake: (() => void)[] = []
  #calls = 0
  #errors = ''

  private constructor(script: string, config: Json) {
    if (!existsSync(`${folder}/node_modules`)) {
      throw new Error('the clients are not installed: npm ci --ignore-scripts --prefix test/clients/bots')
    }
    this.#child = spawn(process.execPath, [`${folder}/${script}`, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    children.add(this.#child)
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    const { stdout } = this.#child
    if (stdout === null) throw new Error('it has an output')
    createInterface({ input: stdout }).on('line', (line) => this.#hear(line))
  }

  static async start(script: 'koishi.mjs' | 'napcat.mjs', config: Json): Promise<Driven> {
    const driven = new Driven(script, config)
    await driven.emits('ready')
    return driven
  }

  #hear(line: string): void {
    // Koishi has a log of its own there.
    if (!line.startsWith('{')) return
    const value: unknown = JSON.parse(line)
    if (!isRecord(value)) return
    if (typeof value['id'] === 'number') this.#answers.set(value['id'], value)
    else this.emitted.push({ event: String(value['event']), data: value['data'] })
    for (const fn of this.#wake.splice(0)) fn()
  }

  /** Waits until something is there. */
  async #until<T>(find: () => T | undefined, what: string): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `${what}: ${JSON.stringify(this.emitted.slice(-5))} ${this.#errors.slice(-500)}`)
    }
  }

  /** What the client has emitted under a name, and that fits; also before. */
  async emits(event: string, fits: (data: Json) => boolean = () => true): Promise<Json> {
    const found = await this.#until(
      () =>
        this.emitted.find(
          (one) => one.event === event && (one.data === null || (isRecord(one.data) && fits(one.data))),
        ),
      `not emitted: ${event}`,
    )
    return isRecord(found.data) ? found.data : {}
  }

  /** Calls a function of the client; what it gives, or the error that it throws. */
  async call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#calls
    this.#child.stdin?.write(`${JSON.stringify({ id, call: name, args })}\n`)
    const answer = await this.#until(() => this.#answers.get(id), `no answer: ${name}`)
    if ('error' in answer) {
      throw new Error(typeof answer['error'] === 'string' ? answer['error'] : JSON.stringify(answer['error']))
    }
    return answer['result']
  }
}
